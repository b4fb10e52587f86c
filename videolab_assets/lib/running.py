"""Runs one sandboxed ffmpeg to its end, and tells the machine's failures from the file's."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from videolab_assets.lib import sandbox
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.pipes import Readers

STDERR_LINES = 200
DETAIL_LINES = 12
GRAPH_REBUILT = b"Reconfiguring filter graph"
"""What ffmpeg 7 and later say when a stream changes its shape."""
FULL = ("No space left on device", "File too large", "Disk quota exceeded")


class ShapeChanged(Exception):
    """The picture's size or the sound's channels change in the middle, and what ffmpeg counts from the start began again there."""


@dataclass(frozen=True)
class Work:
    """What is done to what, in the words of the sentences that tell why it failed.

    Attributes:
        doing: "Decoding".
        done: "decoded".
        thing: "this video".
        damaged: the sentence where the file is at fault, and what to do.
    """

    doing: str
    done: str
    thing: str
    damaged: str


@dataclass(frozen=True)
class Ran:
    """A run that ended well: the last lines it said, and what it took."""

    said: list[str]
    cpu_seconds: float
    peak_memory_bytes: int


def run(
    arguments: Sequence[str],
    work: Work,
    readers: Readers,
    *,
    inputs: Mapping[str, Path],
    output: Path | None,
    limits: sandbox.Limits,
    stop_at: Sequence[bytes] = (),
) -> Ran:
    """Runs the command to its end, or the first failure of a reader.

    Args:
        arguments: a command that writes to pipes of `readers`.
        stop_at: what ffmpeg says where nothing after it would be of use.

    Raises:
        ShapeChanged: it said so.
        PermanentError: the file's data is damaged.
        TransientError: the machine failed: disk full, time or memory limit.
    """
    said: deque[str] = deque(maxlen=STDERR_LINES)

    def hear(line: bytes) -> None:
        said.append(line.decode("utf-8", "replace").rstrip())
        if any(mark in line for mark in stop_at):
            raise ShapeChanged

    stderr = readers.add_lines(hear)
    with sandbox.start(arguments, inputs=inputs, output=output, limits=limits, pass_fds=readers.write_ends, stderr=stderr) as child:
        readers.close_write_ends()
        readers.on_failure(child.kill)
        ended = child.wait()
    readers.join()
    if ended.returncode != 0 or ended.why != "exit":
        raise _failure(ended, list(said), work)
    return Ran(list(said), ended.cpu_seconds, ended.peak_memory_bytes)


def _failure(ended: sandbox.Ended, said: list[str], work: Work) -> PermanentError | TransientError:
    detail = "\n".join(said[-DETAIL_LINES:])
    if any(full in line for line in said for full in FULL):
        return TransientError(f"The disk filled up while {work.thing} was {work.done}: free some space and run it again.", detail)
    if ended.why in ("wall", "cpu"):
        return TransientError(
            f"{work.doing} {work.thing} took longer than the time it was given: run it again on a less busy machine.", detail
        )
    if ended.why == "signal":
        return TransientError(f"{work.doing} was killed by signal {-ended.returncode}: the machine may have run out of memory.", detail)
    return PermanentError(work.damaged, detail)
