"""Child processes that may be attacked: limits, no network, no environment, and no file but the ones handed over. Linux only.

Where bubblewrap works, the child sees an otherwise empty machine. Elsewhere it gets the same working directory, limits, session
and empty environment, and only ffmpeg's own lists stand between it and the machine's files.
"""

import contextlib
import functools
import json
import math
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Literal, Self

from videolab_assets.lib.errors import TransientError

Level = Literal["bubblewrap", "rlimits"]
Why = Literal["exit", "signal", "cpu", "wall"]

_LAUNCHER = Path(__file__).with_name("_confined.py")
_ROOM = "/job"
_INPUT_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
_STDERR_KEPT = 8192


@dataclass(frozen=True)
class Limits:
    """What one child may use. The defaults are for looking into a file; an encode computes its own from pixels and seconds.

    Attributes:
        memory_bytes: address space. ffmpeg 9 with x264 at 720p does not start under 1 GiB; 3 GiB is enough for 4K.
        cpu_seconds: over all threads, rounded up to whole seconds; SIGKILL follows at once.
        wall_seconds: kept by `Child.wait`, so somebody has to wait.
        file_bytes: the longest file that it may write.
        open_files: highest number of descriptors, passed ones included.
    """

    memory_bytes: int = 3 << 30
    cpu_seconds: float = 30.0
    wall_seconds: float = 60.0
    file_bytes: int = 64 << 20
    open_files: int = 64


@dataclass(frozen=True)
class Ended:
    """How a child ended.

    Attributes:
        returncode: its exit code, or minus the signal's number, as in `subprocess`, with and without bubblewrap.
        why: `exit` by itself, `cpu` and `wall` at that limit, `signal` for any other (a crash, `kill`, the machine out of memory).
        cpu_seconds: user and system time of the whole child, launcher included (about 0.05).
        peak_memory_bytes: largest resident size of any of its processes.
    """

    returncode: int
    why: Why
    cpu_seconds: float
    peak_memory_bytes: int


@dataclass(frozen=True)
class Completed:
    """A finished `run`.

    Attributes:
        stdout: at most the bytes asked for.
        stderr_tail: the last 8 KiB, control characters escaped.
        why: as in `Ended`, or `output` when it was stopped because it wrote more than `stdout_limit`.
    """

    returncode: int
    stdout: bytes
    stderr_tail: str
    why: Why | Literal["output"]
    cpu_seconds: float
    peak_memory_bytes: int


def printable(text: str, longest: int = 200) -> str:
    """`text` on one line, safe for a terminal, a log and a web page's source: control, format and surrogate characters escaped.

    Right-to-left marks count as such: they make one name look like another.
    """
    shown = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in shown)


@functools.cache
def level() -> Level:
    """The protection that this machine offers: `bubblewrap` if it is installed and really starts a process here, else `rlimits`.

    Containers often have the program and forbid the namespaces, so it is tried, once a process.
    """
    bubblewrap = shutil.which("bwrap")
    if bubblewrap is None:
        return "rlimits"
    python = str(Path(sys.executable).resolve())
    trial = [*_bubblewrap(bubblewrap, python, {}, None, (), None), "--", python, "-I", "-S", "-c", ""]
    try:
        done = subprocess.run(trial, env={}, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return "rlimits"
    return "bubblewrap" if done.returncode == 0 else "rlimits"


def start(
    command: Sequence[str],
    *,
    inputs: Mapping[str, Path],
    output: Path | None,
    limits: Limits,
    pass_fds: Sequence[int] = (),
    stdout: int | IO[bytes] = subprocess.DEVNULL,
    stderr: int | IO[bytes] = subprocess.DEVNULL,
    readable: Sequence[Path] = (),
) -> "Child":
    """Start a child whose working directory holds `in/<name>` for each input (read-only) and, with `output`, `out/`.

    `out/` is the real folder `output`, the only place that it may write to, so commands say `file:in/source` and `out/proxy.mp4`
    whatever the level. Use the result as a context manager, in the thread that started it: Linux kills the child when that
    *thread* ends, not only when the process does.

    Args:
        command: program and arguments. The program is looked up on PATH and its links are followed.
        inputs: fixed names of ours (lower-case letters, digits, `_.-`) and the files or folders behind them.
        output: an existing folder owned by this user, or None.
        limits: what the child may use.
        pass_fds: inherited under the same numbers, for `pipe:N`.
        stdout: as in `subprocess.Popen`; nobody sees it by default.
        stderr: the same.
        readable: files or folders that the program itself needs, under their own paths; without bubblewrap everything is.

    Raises:
        TransientError: the machine could not start a process at all. A limit or a namespace that it refuses shows in `Child.wait`.
        FileNotFoundError: an input is not there.
        ValueError: an input's name is not one of ours, or the program is not there.
    """
    for name in inputs:
        if not _INPUT_NAME.fullmatch(name):
            raise ValueError(f"{name!r} is not a name for a sandbox input")
    found = shutil.which(command[0])
    if found is None:
        raise ValueError(f"{command[0]!r} is not a program on this machine")
    program = str(Path(found).resolve())
    inputs = {name: path.resolve(strict=True) for name, path in inputs.items()}
    bubblewrap = shutil.which("bwrap") if level() == "bubblewrap" else None
    status_read, status_write = os.pipe()
    room: Path | None = None
    try:
        inner = [program, *command[1:]]
        if bubblewrap:
            inner = [*_bubblewrap(bubblewrap, program, inputs, output, readable, status_write), "--", *inner]
        else:
            room = _private_room(inputs, output)
        numbers = (limits.memory_bytes, math.ceil(limits.cpu_seconds), limits.file_bytes, limits.open_files)
        launch = [sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid()), str(status_write), "keep" if bubblewrap else "close"]
        process = subprocess.Popen(  # noqa: S603 - the program is ours, and only its arguments vary
            [*launch, *map(str, numbers), *inner],
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            cwd=room or "/",
            env={},
            pass_fds=(*pass_fds, status_write),
            start_new_session=True,
        )
    except OSError as problem:
        os.close(status_read)
        if room:
            shutil.rmtree(room)
        raise TransientError("This machine could not start a protected process: try again later.", str(problem)) from problem
    finally:
        os.close(status_write)
    return Child(process, limits, room, status_read, bool(bubblewrap))


def run(
    command: Sequence[str],
    *,
    inputs: Mapping[str, Path],
    output: Path | None = None,
    limits: Limits,
    stdout_limit: int = 1 << 20,
    readable: Sequence[Path] = (),
) -> Completed:
    """`start`, wait, and what it wrote. A child that writes more than `stdout_limit` bytes to stdout is stopped.

    Raises:
        TransientError: the machine failed, not the command (see `start` and `Child.wait`).
    """
    pipe = subprocess.PIPE
    with start(command, inputs=inputs, output=output, limits=limits, stdout=pipe, stderr=pipe, readable=readable) as child:
        said, complaints, overflow = bytearray(), bytearray(), threading.Event()

        def keep_stdout() -> None:
            while block := os.read(child.stdout.fileno(), 1 << 16):
                allowed = stdout_limit - len(said)
                said.extend(block[:allowed])
                if len(block) > allowed:
                    overflow.set()
                    child.kill()
                    return

        def keep_stderr_tail() -> None:
            while block := os.read(child.stderr.fileno(), 1 << 16):
                complaints.extend(block)
                del complaints[:-_STDERR_KEPT]

        readers = [threading.Thread(target=reader, daemon=True) for reader in (keep_stdout, keep_stderr_tail)]
        for reader in readers:
            reader.start()
        ended = child.wait()
        for reader in readers:
            reader.join()
    tail = "\n".join(printable(line, 1000) for line in complaints.decode(errors="replace").splitlines())
    why = "output" if overflow.is_set() else ended.why
    return Completed(ended.returncode, bytes(said), tail, why, ended.cpu_seconds, ended.peak_memory_bytes)


class Child:
    """A running child. Leaving its `with` block kills what still runs and removes its temporary folder."""

    def __init__(self, process: subprocess.Popen[bytes], limits: Limits, room: Path | None, status: int, in_bubblewrap: bool) -> None:
        self._process = process
        self._limits = limits
        self._room = room
        self._status = status
        self._in_bubblewrap = in_bubblewrap
        self._deadline = time.monotonic() + limits.wall_seconds
        self._reaping = threading.Lock()
        self._wall_passed = False
        self._ended: Ended | None = None
        self._not_started: str | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def stdout(self) -> IO[bytes]:
        """Only with `stdout=subprocess.PIPE`."""
        assert self._process.stdout is not None  # noqa: S101 - a mistake of the caller's, not a condition
        return self._process.stdout

    @property
    def stderr(self) -> IO[bytes]:
        """Only with `stderr=subprocess.PIPE`."""
        assert self._process.stderr is not None  # noqa: S101
        return self._process.stderr

    def wait(self) -> Ended:
        """Wait until it has ended, at most until its wall limit. May be called again.

        Raises:
            TransientError: the command never ran, because the machine refused a limit or a namespace.
        """
        self._wait_for_exit()
        ended = self._reap()
        if self._not_started is not None:
            raise TransientError("This machine could not protect the process that opens the file: try again later.", self._not_started)
        return ended

    def kill(self) -> None:
        """End it and all that it started. Callable from any thread, and afterwards."""
        with self._reaping:
            if self._ended is None:
                self._kill_group()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.kill()
        self._reap()
        for pipe in (self._process.stdout, self._process.stderr):
            if pipe is not None:
                pipe.close()
        if self._room is not None:
            shutil.rmtree(self._room)
            self._room = None

    def _wait_for_exit(self) -> None:
        if self._ended is not None:
            return
        # A pidfd becomes readable when the process ends, without reaping it: no polling, and no signal handler.
        pidfd = os.pidfd_open(self.pid)
        try:
            poller = select.poll()
            poller.register(pidfd, select.POLLIN)
            remaining = max(0.0, self._deadline - time.monotonic())
            if not poller.poll(math.ceil(remaining * 1000)):
                self._wall_passed = True
                self.kill()
        finally:
            os.close(pidfd)

    def _kill_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _reap(self) -> Ended:
        with self._reaping:
            if self._ended is None:
                os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
                self._kill_group()  # what it left behind; while it is unreaped, its number can't be anybody else's
                _, wait_status, used = os.wait4(self.pid, 0)
                self._process.returncode = os.waitstatus_to_exitcode(wait_status)
                self._ended = self._ending(self._process.returncode, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024)
            return self._ended

    def _ending(self, returncode: int, cpu_seconds: float, peak_memory_bytes: int) -> Ended:
        os.set_blocking(self._status, False)
        with contextlib.suppress(BlockingIOError):
            self._not_started = _reason_not_started(os.read(self._status, 1 << 16), returncode, self._in_bubblewrap)
        os.close(self._status)
        if self._in_bubblewrap and returncode > 128 and returncode - 128 in _DEADLY:
            returncode = 128 - returncode
        why: Why = "exit"
        if self._wall_passed:
            why = "wall"
        elif returncode == -signal.SIGKILL and cpu_seconds >= 0.9 * math.ceil(self._limits.cpu_seconds) - 0.5:
            # The kernel counts whole ticks against the limit and reports a finer figure, which may well be smaller.
            why = "cpu"
        elif returncode < 0:
            why = "signal"
        return Ended(returncode, why, cpu_seconds, peak_memory_bytes)


# bubblewrap passes a signal on as exit code 128 + n, and so would an ffmpeg that ends with a rare negative error number: only
# the signals that a limit, a crash or a kill sends are turned back.
_DEADLY = frozenset({signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM})


def _reason_not_started(status: bytes, returncode: int, in_bubblewrap: bool) -> str | None:
    """Why the command itself never ran, or None. bubblewrap reports an exit code only for a command that it did start."""
    lines = status.decode(errors="replace").splitlines()
    refused = next((line for line in lines if line.startswith("not started: ")), None)
    if refused or not in_bubblewrap or returncode < 0:
        return refused and printable(refused, 500)
    for line in lines:
        with contextlib.suppress(json.JSONDecodeError):
            if "exit-code" in json.loads(line):
                return None
    return f"bubblewrap ended with {returncode} before the command began"


def _private_room(inputs: Mapping[str, Path], output: Path | None) -> Path:
    """A temporary folder with the layout of the sandbox, made of links."""
    room = Path(tempfile.mkdtemp(prefix="videolab-"))
    (room / "in").mkdir()
    for name, path in inputs.items():
        (room / "in" / name).symlink_to(path)
    if output is not None:
        (room / "out").symlink_to(output.resolve(), target_is_directory=True)
    return room


def _bubblewrap(
    bubblewrap: str, program: str, inputs: Mapping[str, Path], output: Path | None, readable: Sequence[Path], status: int | None
) -> list[str]:
    """bubblewrap's command line up to `--`.

    The program keeps its own path, so that a library folder beside its `bin` is found as outside (Python's, and those of ffmpeg
    builds that are not static). Without /proc: nothing here needs it, and many containers forbid to mount it.
    """
    arguments = [bubblewrap, "--unshare-all", "--die-with-parent", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL", "--clearenv"]
    # bubblewrap waits for a process 1 of the command's own, so its CPU time and memory count as the child's; it does not wait for
    # the one that it would put there itself.
    arguments += ["--as-pid-1"]
    for folder in [*_system_libraries(), program, *_libraries_beside(program), *(str(path.resolve()) for path in readable)]:
        arguments += ["--ro-bind", folder, folder]
    for link in ("/lib", "/lib32", "/lib64"):
        if Path(link).is_symlink():
            arguments += ["--symlink", os.readlink(link), link]  # noqa: PTH115 - as written, not resolved
    for device in ("/dev/null", "/dev/zero", "/dev/random", "/dev/urandom"):
        arguments += ["--dev-bind", device, device]
    arguments += ["--dir", f"{_ROOM}/in"]
    for name, path in inputs.items():
        arguments += ["--ro-bind", str(path), f"{_ROOM}/in/{name}"]
    if output is not None:
        arguments += ["--bind", str(output.resolve()), f"{_ROOM}/out"]
    if status is not None:
        arguments += ["--json-status-fd", str(status)]
    return [*arguments, "--remount-ro", "/", "--chdir", _ROOM]


def _system_libraries() -> list[str]:
    """What a dynamically linked program needs of the system. Debian's ffmpeg finds libblas only through /etc/alternatives."""
    libraries = ("/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/lib", "/lib32", "/lib64")
    return [
        folder
        for folder in (*libraries, "/etc/alternatives", "/etc/ld.so.cache")
        if Path(folder).exists() and not Path(folder).is_symlink()
    ]


def _libraries_beside(program: str) -> list[str]:
    """`<prefix>/lib` of a program `<prefix>/bin/<name>` that stands outside the system's folders."""
    folder = Path(program).parent
    if folder.name != "bin" or folder.parent in (Path("/usr"), Path("/usr/local"), Path("/")):
        return []
    return [str(path) for path in (folder.parent / "lib", folder.parent / "lib64") if path.is_dir()]
