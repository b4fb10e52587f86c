"""The packets of originals and clips, read and joined in a sandboxed child: no demuxer of ours runs in this process."""

import dataclasses
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ConfigDict, ValidationError

from videolab_assets.lib import sandbox
from videolab_assets.lib.documents import Model
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.ffmpeg import DECODERS, DEMUXERS, HOSTILE_INPUT
from videolab_assets.lib.probe import pyav_folder

Some = TypeVar("Some", bound=Model)

_CHILD = Path(__file__).with_name("packets_child.py")
_LONGEST_ANSWER = 16 << 20
_FINEST_TIMESCALE = 10_000

MENDED = Fraction(1, 20)
"""Seconds, half of what a clock must go back for ffmpeg to mend it."""

KEY, CLEAN, FOREIGN, UNUSABLE = 1, 2, 4, 8
"""Flags of a packet: a key packet; one from which decoding starts clean (H.264 IDR, HEVC IRAP); one with parameter sets that the
header lacks; one that cannot be copied (damaged, hidden by an edit list, without a time)."""


class _Answer(Model):
    """Written by a child that has read a hostile file."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Survey(_Answer):
    """The packets of the source's picture around a stretch, in decoding order.

    Attributes:
        profile, level: of H.264, as its header's bytes; None where the container has no such header.
        numbers: of the H.264 parameter sets there.
        time_base: numerator and denominator of what a tick is in seconds.
        start: the file clock's microseconds at time 0.
        packets: time in ticks, flags, and a fingerprint of the payload.
    """

    profile: int | None
    level: int | None
    numbers: list[int]
    time_base: tuple[int, int]
    start: int
    packets: list[tuple[int | None, int, str]]

    def seconds(self, ticks: int) -> Fraction:
        """Since time 0."""
        return ticks * Fraction(*self.time_base) - Fraction(self.start, 1_000_000)


class Packets(_Answer):
    """Every packet of a clip: of the picture in decoding order its time, decoding time and fingerprint; of the sound its time."""

    pictures: list[tuple[int, int, str]]
    sounds: list[int]
    video_time_base: tuple[int, int]
    audio_time_base: tuple[int, int] | None = None


@dataclass(frozen=True)
class Middle:
    """Packets to copy: the first one's time in ticks, where to seek for it in microseconds of the file's clock, and how many."""

    first: int
    seek: int
    count: int


def survey(original: Path, video: int, began: Fraction, until: Fraction) -> Survey:
    """Reads the packets of stream `video` from the clean key packet before `began` to beyond `until`, seconds since time 0.

    Raises:
        PermanentError: it cannot be read.
        TransientError: the machine failed.
    """
    request = {"do": "survey", "video": video, "from": str(began), "until": str(until)}
    return _validated(Survey, _ask(request, {"source": original}, None, original))


def steady(original: Path, streams: list[int], longest_gap: float) -> bool:
    """Whether ffmpeg takes the clock of those streams as it is from start to end: it closes gaps, and mends it where it goes back.

    Reads the whole file: 6 seconds per million packets.

    Raises:
        PermanentError: it cannot be read.
        TransientError: the machine failed.
    """
    request = {"do": "steady", "streams": streams, "back": str(MENDED), "gap": str(Fraction(longest_gap))}
    return _ask(request, {"source": original}, None, original) == {"steady": True}


def join(
    pieces: Mapping[str, tuple[Path, int]],
    sound: Path | None,
    rate: Fraction,
    work: Path,
    *,
    video: int = 0,
    middle: Middle | None = None,
) -> Path:
    """Makes one MP4 of encoded pieces and packets to copy, in the order given, without encoding anything.

    Frame n is shown at n / `rate` exactly; there is no edit list, and the index comes first. H.264 parameter sets of encoded pieces
    join those of the original, so their numbers must differ.

    Args:
        pieces: file and first frame in the clip, by name; the name `source` stands for the original, of which `middle` is copied.
        sound: AAC whose first packet is heard at time 0.
        rate: frames a second.
        work: `joined.mp4` appears in it.
        video: the stream of `source` to copy from.

    Raises:
        PermanentError: a piece cannot be read.
        TransientError: the machine failed.
    """
    timescale = rate.numerator
    while timescale < _FINEST_TIMESCALE:
        timescale *= 2
    request = {
        "do": "join",
        "pieces": [(name, first) for name, (_, first) in pieces.items()],
        "sound": sound is not None,
        "rate": str(rate),
        "timescale": timescale,
        "video": video,
        "middle": dataclasses.asdict(middle) if middle else None,
    }
    inputs = {name: path for name, (path, _) in pieces.items()} | ({"sound": sound} if sound else {})
    _ask(request, inputs, work, max(inputs.values(), key=lambda path: path.stat().st_size))
    return work / "joined.mp4"


def read(clip: Path) -> Packets:
    """Every packet of a clip, as a player's demuxer sees it.

    Raises:
        PermanentError: it cannot be read.
        TransientError: the machine failed.
    """
    return _validated(Packets, _ask({"do": "read"}, {"source": clip}, None, clip))


def _ask(request: dict[str, Any], inputs: Mapping[str, Path], output: Path | None, largest: Path) -> dict[str, Any]:
    """The child's answer, as it came."""
    pyav = pyav_folder()
    lists = {"demuxers": DEMUXERS, "decoders": DECODERS, **{name: HOSTILE_INPUT[name] for name in ("probesize", "analyzeduration")}}
    bytes_in_file = largest.stat().st_size
    cpu_seconds = 60 + bytes_in_file / 20_000_000
    limits = sandbox.Limits(
        memory_bytes=2 << 30, cpu_seconds=cpu_seconds, wall_seconds=4 * cpu_seconds, file_bytes=bytes_in_file + (256 << 20) if output else 0
    )
    done = sandbox.run(
        [sys.executable, "-I", "-S", "in/packets_child.py", str(pyav), json.dumps({**request, **lists})],
        inputs={**inputs, "packets_child.py": _CHILD},
        output=output,
        limits=limits,
        stdout_limit=_LONGEST_ANSWER,
        readable=[folder for folder in (pyav / "av", pyav / "av.libs") if folder.exists()],
    )
    lines = done.stdout.splitlines()
    how = f"{done.why} {done.returncode} {done.stderr_tail}"
    if not lines:
        raise TransientError("The packet reader did not start on this machine: run `videolab doctor`.", how)
    if done.why == "wall" or (done.why == "signal" and done.returncode == -9):
        raise TransientError("Reading this video's packets was cut short: the machine is too busy or out of memory.", how)
    if done.returncode != 0 or done.why != "exit" or len(lines) != 2:
        raise PermanentError("Reading this video's packets makes the reader fail.", how)
    answer = json.loads(lines[1])
    if not isinstance(answer, dict) or "refused" in answer:
        raise PermanentError("This video's packets cannot be read.", str(answer)[:300])
    return answer


def _validated(kind: type[Some], answer: dict[str, Any]) -> Some:
    try:
        return kind.model_validate(answer)
    except ValidationError as problem:
        raise PermanentError("Reading this video's packets gives an answer that makes no sense.", str(problem)) from problem
