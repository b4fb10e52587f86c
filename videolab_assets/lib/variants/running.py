"""Runs one ffmpeg over a clip of ours, sandboxed as over any file, and tells the machine's failures from the clip's."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from videolab_assets.lib import sandbox
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.pipes import Readers, progress_into

Progress = Callable[[float], None]
"""Called about twice a second with the seconds of the clip that are done."""

STDERR_LINES = 200


@dataclass(frozen=True)
class Ran:
    """A run that ended well: the last lines it said, and what it took."""

    said: list[str]
    cpu_seconds: float
    peak_memory_bytes: int


def run_ffmpeg(
    command: Callable[[int], list[str]],
    inputs: Mapping[str, Path],
    output: Path | None,
    limits: sandbox.Limits,
    progress: Progress | None = None,
) -> Ran:
    """Runs what `command` builds for the pipe that progress is written to.

    Raises:
        PermanentError: the clip's data is damaged.
        TransientError: the machine failed: disk full, time or memory limit.
    """
    said: deque[str] = deque(maxlen=STDERR_LINES)
    with Readers() as readers:
        heard = readers.add_lines(progress_into(progress))
        stderr = readers.add_lines(lambda line: said.append(line.decode("utf-8", "replace").rstrip()))
        arguments = command(heard)
        with sandbox.start(arguments, inputs=inputs, output=output, limits=limits, pass_fds=readers.write_ends, stderr=stderr) as child:
            readers.close_write_ends()
            readers.on_failure(child.kill)
            ended = child.wait()
        readers.join()
    if ended.returncode != 0 or ended.why != "exit":
        raise _failure(ended, list(said))
    return Ran(list(said), ended.cpu_seconds, ended.peak_memory_bytes)


def _failure(ended: sandbox.Ended, said: list[str]) -> PermanentError | TransientError:
    detail = "\n".join(said[-12:])
    if any(full in line for line in said for full in ("No space left on device", "File too large", "Disk quota exceeded")):
        return TransientError("The disk filled up while this clip was rendered: free some space and run it again.", detail)
    if ended.why in ("wall", "cpu"):
        return TransientError("Rendering this clip took longer than the time it was given: run it again on a less busy machine.", detail)
    if ended.why == "signal":
        return TransientError(f"Rendering was killed by signal {-ended.returncode}: the machine may have run out of memory.", detail)
    return PermanentError("This clip could not be rendered: materialize `clips` again, so that it is cut anew.", detail)
