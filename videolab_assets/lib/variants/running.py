"""Runs one ffmpeg over a clip of ours, sandboxed as over any file."""

from collections.abc import Callable, Mapping
from pathlib import Path

from videolab_assets.lib import sandbox
from videolab_assets.lib.pipes import Progress, Readers, progress_into
from videolab_assets.lib.running import Ran, Work, run

RENDERING = Work(
    "Rendering", "rendered", "this clip", "This clip could not be rendered: materialize `clips` again, so that it is cut anew."
)


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
    with Readers() as readers:
        arguments = command(readers.add_lines(progress_into(progress)))
        return run(arguments, RENDERING, readers, inputs=inputs, output=output, limits=limits)
