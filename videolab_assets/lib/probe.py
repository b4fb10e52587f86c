"""What a file is, by its packets, read in a sandboxed child: uploads and our own outputs alike (which a run has to verify)."""

import importlib.util
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import ConfigDict, Field, PositiveInt, ValidationError

from videolab_assets.lib import sandbox
from videolab_assets.lib.documents import AudioStream, Model, Probe, VideoStream
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.ffmpeg import DECODERS, DEMUXERS, HOSTILE_INPUT, LARGEST_PICTURE_PIXELS, MOST_STREAMS

_CHILD = Path(__file__).with_name("probe_child.py")
_BYTES_A_SECOND = 20_000_000
_LONGEST_ANSWER = 65_536
_FEWEST_IRREGULAR = 3
_IRREGULAR_SHARE = 0.01
_RATE_TOLERANCE = 0.005
_HDR: dict[str | None, Literal["pq", "hlg"]] = {"smpte2084": "pq", "arib-std-b67": "hlg"}

WhyUnreadable = Literal["not_media", "too_much_memory", "too_slow", "crashes"]


class Unreadable(PermanentError):
    """A file that the prober could not read to the end, with the kind of reason in `why`."""

    def __init__(self, why: WhyUnreadable, sentence: str, detail: str = "") -> None:
        super().__init__(sentence, detail)
        self.why = why


class _Answer(Model):
    """Not-a-number passes every comparison with a cap, so it is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class StreamTimes(_Answer):
    """One stream by the times of its packets, in seconds of the file's own clock (the first packet need not be at 0).

    longest_gap counts the last packet's own duration too; irregular is the share of frame intervals that differ from the middle one
    by more than 5 % and 1.5 clock ticks, or by more than half; regular_rate is what the others make, in frames a second; smallest_jump is
    that of the clock's jumps back, in seconds; declared is what the stream's header says of its duration.
    """

    index: int = Field(ge=0)
    codec: str = Field(max_length=64)
    packets: int = Field(ge=1)
    start: float
    end: float
    longest_gap: float
    irregular: float
    mean_rate: float
    regular_rate: float
    clock_jumps: int
    smallest_jump: float
    declared: float | None


class PictureFacts(StreamTimes):
    """What the header and the first frame of a video stream say; rotation in degrees clockwise, to be applied for display."""

    profile: str | None = Field(max_length=64)
    coded_width: int = Field(ge=0)
    coded_height: int = Field(ge=0)
    sample_aspect_ratio: tuple[PositiveInt, PositiveInt]
    rotation: Literal[0, 90, 180, 270]
    nominal_rate: float
    flagged_interlaced: bool
    pixel_format: str = Field(max_length=64)
    bit_depth: int
    color_primaries: str | None
    color_transfer: str | None
    color_space: str | None
    color_range: str | None


class SoundFacts(StreamTimes):
    """What the header of an audio stream says."""

    sample_rate: int = Field(ge=0)
    channels: int = Field(ge=0)
    layout: str = Field(max_length=128)


class Facts(_Answer):
    """Everything that the prober saw. The child that writes it has read a hostile file, so its answer is validated as well.

    Attributes:
        declared: seconds that the container's header says, or that ffmpeg guessed from it.
        stills: cover pictures and other video streams that cannot be used.
        unsupported_pictures: formats of moving picture that no allowed decoder reads.
        unsupported_sounds: the same for sound.
        end_of_others: when the last packet of the unused streams ends, in the file's own clock.
        read_error: the file broke off with this error before its end.
    """

    container: str = Field(max_length=64)
    streams: int
    declared: float | None
    stills: int
    unsupported_pictures: list[str]
    unsupported_sounds: list[str]
    end_of_others: float = 0.0
    read_error: str | None = Field(default=None, max_length=64)
    video: PictureFacts | None = None
    audio: SoundFacts | None = None


@dataclass(frozen=True)
class Probed:
    """The document for the rest of the pipeline, and the facts that it was made from, for the gate to judge."""

    probe: Probe
    facts: Facts


def probe(path: Path, *, most_streams: int = MOST_STREAMS) -> Probed:
    """Read every packet of `path`: 0.1 s, 6 seconds per million packets, and the time to read the file.

    A file with more than `most_streams` streams is only counted: its `Probed` has neither picture nor sound.

    Args:
        path: a regular file; its name does not matter.
        most_streams: tracks of any kind.

    Raises:
        Unreadable: no demuxer of ours knows it, or reading it takes more than is reasonable.
        TransientError: the machine failed, not the file.
    """
    bytes_in_file = path.stat().st_size
    answer = _ask(path, bytes_in_file, most_streams)
    if "refused" in answer:
        if answer["refused"] == "MemoryError":
            raise Unreadable("too_much_memory", "Reading this file takes more memory than any sound video needs.", "MemoryError")
        if answer["refused"] in ("PermissionError", "FileNotFoundError"):
            raise TransientError("The private copy of this file could not be opened: try again later.", str(answer["refused"]))
        raise Unreadable("not_media", "This file holds no video or sound that VideoLab reads.", str(answer["refused"])[:64])
    try:
        facts = Facts.model_validate(answer)
    except ValidationError as problem:
        raise Unreadable("crashes", "Reading this file gives an answer that makes no sense.", str(problem)) from problem
    return Probed(document_of(facts, bytes_in_file), facts)


def _ask(path: Path, bytes_in_file: int, most_streams: int) -> dict[str, object]:
    """The child's answer, as it came."""
    pyav = pyav_folder()
    allowed = {
        "demuxers": DEMUXERS,
        "decoders": DECODERS,
        "streams": most_streams,
        "pixels": LARGEST_PICTURE_PIXELS,
        **{name: HOSTILE_INPUT[name] for name in ("probesize", "analyzeduration")},
    }
    cpu_seconds = 60 + bytes_in_file / _BYTES_A_SECOND
    limits = sandbox.Limits(memory_bytes=2 << 30, cpu_seconds=cpu_seconds, wall_seconds=4 * cpu_seconds, file_bytes=0)
    command = [sys.executable, "-I", "-S", "in/probe_child.py", str(pyav), json.dumps(allowed)]
    done = sandbox.run(
        command,
        inputs={"source": path, "probe_child.py": _CHILD},
        limits=limits,
        stdout_limit=_LONGEST_ANSWER,
        readable=[folder for folder in (pyav / "av", pyav / "av.libs") if folder.exists()],
    )
    lines = done.stdout.splitlines()
    _raise_if_failed(done, len(lines))
    try:
        answer = json.loads(lines[1])
    except ValueError as problem:
        raise Unreadable("crashes", "Reading this file makes the reader fail.", str(problem)) from problem
    if not isinstance(answer, dict):
        raise Unreadable("crashes", "Reading this file makes the reader fail.", "the answer is no object")
    return answer


def _raise_if_failed(done: sandbox.Completed, lines: int) -> None:
    """Tell the machine's failures from the file's: the child's first line comes when PyAV works, before it opens the file."""
    how = f"{done.why} {done.returncode} {done.stderr_tail}"
    if lines == 0:
        raise TransientError("The prober did not start on this machine: run `videolab doctor`.", how)
    if done.why == "wall" or (done.why == "signal" and done.returncode == -9):
        raise TransientError("Reading this file was cut short: the machine is too busy or out of memory.", how)
    if done.why == "cpu":
        raise Unreadable("too_slow", "Reading this file takes far longer than its size explains.", how)
    if "MemoryError" in done.stderr_tail:
        raise Unreadable("too_much_memory", "Reading this file takes more memory than any sound video needs.", how)
    if done.returncode != 0 or done.why != "exit" or lines != 2:
        raise Unreadable("crashes", "Reading this file makes the reader fail.", how)


def pyav_folder() -> Path:
    """The folder that PyAV is installed in, found without importing it: its ffmpeg stays out of this process."""
    found = importlib.util.find_spec("av")
    if found is None or not found.submodule_search_locations:
        raise TransientError("PyAV is not installed on this machine: install the av package.")
    return Path(next(iter(found.submodule_search_locations))).parent


def document_of(facts: Facts, bytes_in_file: int) -> Probe:
    """What the pipeline keeps of the facts. Interlacing is the stream's own claim until the gate has looked at frames."""
    used = [stream for stream in (facts.video, facts.audio) if stream is not None]
    start = min((stream.start for stream in used), default=0.0)
    duration = max((stream.end for stream in used), default=0.0) - start
    return Probe(
        container=facts.container,
        duration=duration,
        bytes=bytes_in_file,
        bit_rate=round(bytes_in_file * 8 / duration) if duration > 0 else 0,
        streams=facts.streams,
        clock_jump=min((stream.smallest_jump for stream in used if stream.clock_jumps), default=0.0),
        video=_video(facts.video, start) if facts.video else None,
        audio=_audio(facts.audio, start) if facts.audio else None,
    )


def _video(facts: PictureFacts, file_start: float) -> VideoStream:
    """The picture as displayed. As players do, the width follows the sample aspect ratio and the height stays, before the turn."""
    numerator, denominator = facts.sample_aspect_ratio
    width, height = max(1, round(facts.coded_width * numerator / denominator)), facts.coded_height
    if facts.rotation in (90, 270):
        width, height = height, width
    variable = facts.irregular > _IRREGULAR_SHARE and facts.irregular * (facts.packets - 1) >= _FEWEST_IRREGULAR
    # A single gap, as ffmpeg's AVI has one after the first frame beside MP3, falsifies the mean of a short video.
    shown_rate = facts.mean_rate if variable else facts.regular_rate
    # Containers with millisecond clocks blur the rate that packets show; the header's is exact where the packets confirm it.
    nominal_holds = not variable and abs(facts.nominal_rate - shown_rate) <= _RATE_TOLERANCE * shown_rate
    return VideoStream(
        index=facts.index,
        codec=facts.codec,
        start=facts.start - file_start,
        duration=facts.end - facts.start,
        profile=facts.profile,
        width=width,
        height=height,
        coded_width=facts.coded_width,
        coded_height=facts.coded_height,
        rotation=facts.rotation,
        sample_aspect_ratio=f"{numerator}:{denominator}",
        frame_rate=facts.nominal_rate if nominal_holds else shown_rate,
        variable_frame_rate=variable,
        interlaced=facts.flagged_interlaced,
        pixel_format=facts.pixel_format,
        bit_depth=facts.bit_depth,
        color_primaries=facts.color_primaries,
        color_transfer=facts.color_transfer,
        color_space=facts.color_space,
        color_range=facts.color_range,
        hdr=_HDR.get(facts.color_transfer),
    )


def _audio(facts: SoundFacts, file_start: float) -> AudioStream:
    return AudioStream(
        index=facts.index,
        codec=facts.codec,
        start=facts.start - file_start,
        duration=facts.end - facts.start,
        sample_rate=facts.sample_rate,
        channels=facts.channels,
        layout=facts.layout,
    )
