"""The sandbox with and without bubblewrap: what a child is given, what it can't reach, and that it always ends."""

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib import sandbox
from videolab_assets.lib.errors import TransientError
from videolab_assets.lib.sandbox import Limits, printable

REAL_LEVEL = sandbox.level()
QUICK = Limits(cpu_seconds=10, wall_seconds=20)

needs_bubblewrap = pytest.mark.skipif(REAL_LEVEL != "bubblewrap", reason="bubblewrap does not work on this machine")


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the code under test makes its temporary folders, so that a test can see what it left."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def gone(pid: int) -> bool:
    """Waits for a process that was killed, up to 10 s: the kernel takes a moment."""
    for _ in range(1000):
        with contextlib.suppress(FileNotFoundError):
            if "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text():
                threading.Event().wait(0.01)
                continue
        return True
    return False


@pytest.mark.usefixtures("level")
def test_same_names_at_both_levels(tmp_path: Path) -> None:
    """A command written for one level finds neither its input nor its output folder at the other."""
    source, output = tmp_path / "odd näme.mp4", tmp_path / "made"
    source.write_bytes(b"hello")
    output.mkdir()
    code = "import os; print(sorted(os.listdir()), os.listdir('in')); open('out/made.txt', 'wb').write(open('in/source', 'rb').read())"
    done = sandbox.run(python(code), inputs={"source": source}, output=output, limits=QUICK)
    assert (done.returncode, done.why) == (0, "exit"), done.stderr_tail
    assert done.stdout == b"['in', 'out'] ['source']\n"
    made = output / "made.txt"
    assert made.read_bytes() == b"hello"
    assert made.stat().st_uid == os.getuid()
    assert stat.S_IMODE(made.stat().st_mode) & 0o077 == 0


@pytest.mark.usefixtures("level")
def test_environment_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that is taken over reads the store's keys from its environment."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very secret")
    done = sandbox.run(python("import os; print(sorted(set(os.environ) - {'LC_CTYPE', 'PWD'}))"), inputs={}, limits=QUICK)
    assert done.stdout == b"[]\n"


@needs_bubblewrap
def test_nothing_else_can_be_read_written_or_called(tmp_path: Path) -> None:
    """A decoder that is taken over reads another tenant's file, changes its input or calls home."""
    source, sibling = tmp_path / "source", tmp_path / "other.mp4"
    source.write_bytes(b"mine")
    sibling.write_bytes(b"another tenant's")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        code = f"""
import socket
for attempt in (
    lambda: open({str(sibling)!r}, "rb").read(),
    lambda: open("/etc/passwd").read(),
    lambda: open("in/source", "wb").write(b"x"),
    lambda: open("elsewhere", "wb"),
    lambda: open("/usr/lib/planted", "wb"),
    lambda: socket.create_connection(("127.0.0.1", {listener.getsockname()[1]}), 1),
):
    try:
        attempt()
        print("succeeded")
    except OSError:
        print("failed")
"""
        done = sandbox.run(python(code), inputs={"source": source}, limits=QUICK)
    assert done.stdout.split() == [b"failed"] * 6, done.stderr_tail
    assert source.read_bytes() == b"mine"


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize(
    ("code", "limits", "why"),
    [
        ("while True: pass", Limits(cpu_seconds=1), "cpu"),
        ("import time; time.sleep(60)", Limits(wall_seconds=0.3), "wall"),
        ("import ctypes; ctypes.string_at(0)", QUICK, "signal"),
        ("while True: print('x' * 1000)", QUICK, "output"),
        ("raise SystemExit(7)", QUICK, "exit"),
    ],
)
def test_why_it_ended(code: str, limits: Limits, why: str) -> None:
    """The gate blames the file for what the machine did, or the other way round."""
    done = sandbox.run(python(code), inputs={}, limits=limits, stdout_limit=5000)
    assert done.why == why
    assert done.returncode == {"exit": 7, "signal": -signal.SIGSEGV}.get(why, -signal.SIGKILL)
    assert len(done.stdout) == (5000 if why == "output" else 0)


@pytest.mark.usefixtures("level")
def test_memory_and_file_size_are_limited(tmp_path: Path) -> None:
    """A 2 KB upload takes all memory, or fills the disk."""
    limits = Limits(memory_bytes=512 << 20, file_bytes=1 << 20)
    assert "MemoryError" in sandbox.run(python("bytearray(1 << 30)"), inputs={}, limits=limits).stderr_tail
    code = "open('out/large', 'wb').write(bytes(3 << 20))"
    assert "File too large" in sandbox.run(python(code), inputs={}, output=tmp_path, limits=limits).stderr_tail
    assert (tmp_path / "large").stat().st_size <= 1 << 20


@pytest.mark.usefixtures("level")
def test_time_and_memory_used_are_the_child_s(tmp_path: Path) -> None:
    """With bubblewrap in between, the figures are those of bubblewrap: no time and no memory at all."""
    code = "import time\nfilled = b'x' * (200 << 20)\nwhile time.process_time() < 0.4: pass"
    done = sandbox.run(python(code), inputs={}, limits=QUICK)
    assert done.cpu_seconds >= 0.4
    assert done.peak_memory_bytes >= 200 << 20


@pytest.mark.usefixtures("level")
def test_pipes_keep_their_numbers() -> None:
    """ffmpeg is told `pipe:7` and finds something else, or nothing, under that number."""
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as reader:
        try:
            command = python(f"import os; os.write({write_end}, b'frames')")
            with sandbox.start(command, inputs={}, output=None, limits=QUICK, pass_fds=(write_end,)) as child:
                os.close(write_end)
                write_end = -1
                assert reader.read() == b"frames"
                assert child.wait().returncode == 0
        finally:
            if write_end >= 0:
                os.close(write_end)


@pytest.mark.usefixtures("level")
def test_leaving_the_block_ends_everything(temporary_folder: Path) -> None:
    """An error between start and wait leaves an ffmpeg that runs for hours, or its folder for ever."""
    with pytest.raises(RuntimeError), sandbox.start(python("import time; time.sleep(600)"), inputs={}, output=None, limits=QUICK) as child:
        raise RuntimeError
    assert gone(child.pid)
    assert list(temporary_folder.iterdir()) == []


@pytest.mark.usefixtures("level")
def test_killed_from_another_thread() -> None:
    """A reader that gives up can't stop the child, and the wait goes on until the wall limit."""
    with sandbox.start(python("import time; time.sleep(600)"), inputs={}, output=None, limits=QUICK) as child:
        threading.Timer(0.2, child.kill).start()
        ended = child.wait()
    assert (ended.why, ended.returncode) == ("signal", -signal.SIGKILL)
    assert child.wait() == ended


@pytest.mark.usefixtures("level")
def test_what_it_started_ends_with_it(tmp_path: Path) -> None:
    """A child's own children outlive it and go on writing."""
    code = """
import os, time
if os.fork() == 0:
    time.sleep(1)
    open("out/late", "w").close()
"""
    assert sandbox.run(python(code), inputs={}, output=tmp_path, limits=QUICK).returncode == 0
    threading.Event().wait(1.3)
    assert list(tmp_path.glob("late")) == []


def test_child_dies_with_its_parent(level: str, tmp_path: Path) -> None:
    """A run that is killed leaves an ffmpeg behind that nobody stops."""
    parent = f"""
import sys, time
from pathlib import Path
from videolab_assets.lib import sandbox
sandbox.level = lambda: {level!r}
command = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]
with sandbox.start(command, inputs={{}}, output=None, limits=sandbox.Limits()) as child:
    print(child.pid, flush=True)
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE, text=True, env={"TMPDIR": str(tmp_path)}) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        assert not Path(f"/proc/{pid}/status").read_text().count("\nState:\tZ")
        process.kill()
    assert gone(pid)


def test_a_sandbox_that_will_not_start_is_the_machine_s_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A container that forbids namespaces from one day to the next rejects every upload."""
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(sandbox, "level", lambda: "bubblewrap")
    with pytest.raises(TransientError, match="before the command began"):
        sandbox.run(python("print('never')"), inputs={}, limits=QUICK)
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert sandbox.level.__wrapped__() == "rlimits"


@pytest.mark.parametrize("name", ["", "../up", "a/b", "-option", "Üpload", "a b"])
def test_odd_input_names_are_refused(name: str, tmp_path: Path) -> None:
    """A name out of an upload reaches a path or a command line."""
    with pytest.raises(ValueError, match="not a name"):
        sandbox.run(python(""), inputs={name: tmp_path}, limits=QUICK)


@pytest.mark.usefixtures("level")
def test_mistakes_of_the_caller(tmp_path: Path) -> None:
    """A missing program or input looks like a failure of the file, or of the machine."""
    with pytest.raises(ValueError, match="not a program"):
        sandbox.run(["no-such-program"], inputs={}, limits=QUICK)
    with pytest.raises(FileNotFoundError):
        sandbox.run(python(""), inputs={"source": tmp_path / "nothing"}, limits=QUICK)


@given(st.text(st.characters(codec=None), max_size=50), st.integers(2, 60))
def test_printable_is_one_safe_line(text: str, longest: int) -> None:
    """A tag or a name with terminal codes, newlines or direction marks reaches a log or a page as it is."""
    shown = printable(text, longest)
    assert shown.isprintable()
    shown.encode()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("new\nline", "new\\nline"),
        ("\u202egpm", "\\u202egpm"),
        ("\udcff", "\\udcff"),
        ("José 😀", "José 😀"),
    ],
)
def test_printable_keeps_what_is_harmless(text: str, shown: str) -> None:
    """Names in Spanish come out as escapes, or attacks as themselves."""
    assert printable(text) == shown
