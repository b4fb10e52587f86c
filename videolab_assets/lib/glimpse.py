"""A few small pictures out of a video of ours, in memory: what a check, a sheet or a drawing needs to see."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib import sandbox
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.ffmpeg import binary

Stream = Any
"""A node of ffmpeg-python, which has no types."""

Pictures = NDArray[np.uint8]
"""Shape (pictures, height, width) where grey, (pictures, height, width, 3) with blue, green and red in colour."""


def glimpse(
    picture: Stream,
    inputs: Mapping[str, Path],
    size: tuple[int, int],
    most: int,
    seconds: float,
    *,
    colour: bool = False,
    beside: Sequence[Stream] = (),
) -> tuple[Pictures, str]:
    """The pictures that come out of a filter graph, and the last 8 KiB that ffmpeg said.

    Args:
        picture: its end, scaled to `size`.
        inputs: as `sandbox.run` takes them: `file:in/<name>` in the graph.
        size: width and height in pixels.
        most: pictures that can come at most; one more is a fault.
        seconds: of video that is decoded for it, which bounds the time.
        colour: whether pictures have three channels.
        beside: further outputs of the same command, which leave no files.

    Raises:
        PermanentError: ffmpeg cannot decode it.
        TransientError: the machine failed.
    """
    width, height = size
    each = width * height * (3 if colour else 1)
    raw = ffmpeg.output(picture, "pipe:1", f="rawvideo", pix_fmt="bgr24" if colour else "gray", fps_mode="passthrough")
    quiet = ("-nostdin", "-hide_banner", "-nostats")
    command: list[str] = ffmpeg.merge_outputs(raw, *beside).global_args(*quiet).compile(cmd=str(binary()))
    limits = sandbox.Limits(cpu_seconds=60 + 4 * seconds, wall_seconds=120 + 8 * seconds, file_bytes=0)
    done = sandbox.run(command, inputs=inputs, limits=limits, stdout_limit=most * each)
    if done.why in ("cpu", "wall", "signal"):
        raise TransientError(
            "Looking at a video that was just made was cut short: the machine is too busy or out of memory.", done.stderr_tail
        )
    if done.returncode != 0 or done.why != "exit" or len(done.stdout) % each:
        raise PermanentError("A video that VideoLab made cannot be read again: materialize it anew.", done.stderr_tail)
    shape = (-1, height, width, 3) if colour else (-1, height, width)
    return np.frombuffer(done.stdout, np.uint8).reshape(shape), done.stderr_tail
