"""Reads a media file's streams and every packet's time, and prints what it found as JSON. Runs as a script in the sandbox.

Standard library and PyAV only, nothing of the package: the folder that holds PyAV is the first argument, the allowed demuxers,
decoders and streams are the second, as JSON. The first line of output says that PyAV works here; whatever goes wrong after it is
the file's doing.
"""

from __future__ import annotations

import contextlib
import json
import sys
from array import array
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

    UsableStream = TypeVar("UsableStream", VideoStream, AudioStream)

NEVER_MOVING = ("attached_pic", "still_image", "timed_thumbnails")
JUMP_BACK = Fraction(1)  # seconds; B-frames and sloppy muxers go back by less
FIRST_PICTURE_WITHIN = 300  # packets

PRIMARIES = {1: "bt709", 4: "bt470m", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 8: "film", 9: "bt2020", 11: "smpte431", 12: "smpte432"}
TRANSFERS = {
    **{1: "bt709", 4: "gamma22", 5: "gamma28", 6: "smpte170m", 7: "smpte240m", 8: "linear", 11: "iec61966-2-4", 13: "iec61966-2-1"},
    **{14: "bt2020-10", 15: "bt2020-12", 16: "smpte2084", 18: "arib-std-b67"},
}
SPACES = {0: "gbr", 1: "bt709", 4: "fcc", 5: "bt470bg", 6: "smpte170m", 7: "smpte240m", 9: "bt2020nc", 10: "bt2020c", 14: "ictcp"}
RANGES = {1: "tv", 2: "pc"}


class Gaps(NamedTuple):
    """Of sorted times, in ticks: the longest step, the middle one, the share of steps that differ from it, the mean of the others."""

    longest: int
    median: int
    irregular: float
    regular: float


class Clock:
    """The packet times of one stream, in ticks, made monotonic where the file's clock jumps back (two recordings glued together)."""

    def __init__(self, time_base: Fraction) -> None:
        self.time_base = time_base
        self.times = array("q")
        self.end = 0
        self.jumps = 0
        self.smallest_jump = 0
        self.last_duration = 0
        self._offset = 0
        self._latest: int | None = None

    def add(self, packet: Packet[Stream]) -> None:
        order = packet.dts if packet.dts is not None else packet.pts
        if order is None or packet.is_discard:
            return
        shown = (order if packet.pts is None else packet.pts) + self._offset
        order += self._offset
        duration = max(0, packet.duration or 0)
        back = self._latest - order if self._latest is not None else 0
        if back * self.time_base > JUMP_BACK:
            self._offset += self.end - order
            shown += self.end - order
            order = self.end
            self.jumps += 1
            self.smallest_jump = min(back, self.smallest_jump or back)
        self._latest = order
        if not self.times or shown + duration >= self.end:
            self.end, self.last_duration = shown + duration, duration
        self.times.append(shown)

    def gaps(self) -> Gaps:
        ordered = sorted(self.times)
        steps = [after - before for before, after in pairwise(ordered)]
        if not steps:
            return Gaps(self.last_duration, self.last_duration, 0.0, self.last_duration)
        median = sorted(steps)[len(steps) // 2]
        tolerance = min(max(0.05 * median, 1.5), median / 2)
        near = [step for step in steps if abs(step - median) <= tolerance]
        return Gaps(max(max(steps), self.last_duration), median, 1 - len(near) / len(steps), sum(near) / len(near))

    def seconds(self, ticks: int) -> float:
        return float(ticks * self.time_base)

    def rate(self, ticks: float) -> float:
        """Steps of that length in a second; 0 for none."""
        return 1 / (ticks * float(self.time_base)) if ticks > 0 else 0.0


def usable(stream: Stream, decoders: frozenset[str]) -> bool:
    """A stream of moving picture or sound that one of the allowed decoders reads."""
    if stream.type not in ("video", "audio") or stream.codec_context is None or not stream.time_base:
        return False
    return moves(stream) and stream.codec_context.codec.name in decoders


def moves(stream: Stream) -> bool:
    """Whether this is not a cover picture or the like."""
    return not any(getattr(type(stream.disposition), still) in stream.disposition for still in NEVER_MOVING)


def unsupported(streams: Sequence[Stream], decoders: frozenset[str]) -> list[str]:
    """The formats of those streams of moving picture or sound that no allowed decoder reads, eight at most."""
    names = set()
    for stream in streams:
        codec = stream.codec_context.codec if stream.codec_context is not None else None
        if moves(stream) and (codec is None or codec.name not in decoders):
            names.add(str(codec.canonical_name) if codec is not None else "unknown")
    return sorted(names)[:8]


def first_picture(container: InputContainer, stream: VideoStream, largest_pixels: int) -> VideoFrame | None:
    """The first decoded frame, which carries rotation and colour that PyAV doesn't tell of a stream; None if there is none soon."""
    context = stream.codec_context
    context.thread_count = 1
    context.options = {"max_pixels": str(largest_pixels)}
    container.seek(0, backward=True, any_frame=False)
    for number, packet in enumerate(container.demux(stream)):
        for frame in packet.decode():
            return frame
        if number >= FIRST_PICTURE_WITHIN:
            break
    return None


def timing(stream: VideoStream | AudioStream, clock: Clock) -> dict[str, Any]:
    gaps = clock.gaps()
    start = min(clock.times)
    # The samples that an encoder puts before the first real one count as before the start.
    if stream.start_time is not None and 0 < (stream.start_time - start) * clock.time_base < Fraction(1, 5):
        start = stream.start_time
    span = max(clock.times) - start
    last = clock.last_duration or gaps.median
    end = clock.end if clock.last_duration else max(clock.times) + last
    return {
        "index": stream.index,
        "codec": str(stream.codec_context.codec.canonical_name),
        "packets": len(clock.times),
        "start": clock.seconds(start),
        "end": clock.seconds(end),
        "longest_gap": clock.seconds(gaps.longest),
        "irregular": gaps.irregular,
        "mean_rate": clock.rate(span / max(1, len(clock.times) - 1)),
        "regular_rate": clock.rate(gaps.regular),
        "clock_jumps": clock.jumps,
        "smallest_jump": clock.seconds(clock.smallest_jump),
        "declared": None if not stream.duration or stream.duration < 0 else clock.seconds(stream.duration),
    }


def picture(stream: VideoStream, frame: VideoFrame | None) -> dict[str, Any]:
    context = stream.codec_context
    shape = frame if frame is not None else context
    ratio = stream.sample_aspect_ratio or context.sample_aspect_ratio or Fraction(1)
    pixels = frame.format if frame is not None else context.format
    return {
        "profile": context.profile,
        "coded_width": shape.width,
        "coded_height": shape.height,
        "sample_aspect_ratio": [ratio.numerator, ratio.denominator] if ratio > 0 else [1, 1],
        # PyAV counts counter-clockwise; the turn that shows the picture upright goes the other way.
        "rotation": round(-frame.rotation / 90) * 90 % 360 if frame is not None else 0,
        "nominal_rate": float(stream.guessed_rate or 0),
        "flagged_interlaced": bool(frame is not None and frame.interlaced_frame),
        "pixel_format": pixels.name if pixels is not None else "unknown",
        "bit_depth": max((component.bits for component in pixels.components), default=8) if pixels is not None else 8,
        "color_primaries": PRIMARIES.get(int(context.color_primaries)),
        "color_transfer": TRANSFERS.get(int(context.color_trc)),
        "color_space": SPACES.get(int(context.colorspace)),
        "color_range": RANGES.get(int(context.color_range)),
    }


def sound(stream: AudioStream) -> dict[str, Any]:
    context = stream.codec_context
    return {"sample_rate": context.sample_rate, "channels": context.layout.nb_channels, "layout": context.layout.name}


def chosen(streams: list[UsableStream], clocks: dict[int, Clock]) -> UsableStream | None:
    """The default stream, else the first, that has more than one packet; else any with one; else None."""
    for fewest in (2, 1):
        moving = [stream for stream in streams if len(clocks[stream.index].times) >= fewest]
        if moving:
            return next((stream for stream in moving if type(stream.disposition).default in stream.disposition), moving[0])
    return None


def read(container: InputContainer, allowed: dict[str, Any]) -> dict[str, Any]:
    import av

    decoders = frozenset(allowed["decoders"])
    streams = list(container.streams)
    found: dict[str, Any] = {
        "container": container.format.name.split(",")[0],
        "streams": len(streams),
        "declared": container.duration / av.time_base if container.duration and container.duration > 0 else None,
        "unsupported_pictures": unsupported(container.streams.video, decoders),
        "unsupported_sounds": unsupported(container.streams.audio, decoders),
        "stills": sum(stream.type == "video" and not usable(stream, decoders) for stream in streams),
    }
    if len(streams) > allowed["streams"]:
        return found
    pictures = [stream for stream in container.streams.video if usable(stream, decoders)]
    sounds = [stream for stream in container.streams.audio if usable(stream, decoders)]
    clocks = {stream.index: Clock(stream.time_base or Fraction(1)) for stream in (*pictures, *sounds)}
    end_of_all = 0.0
    try:
        for packet in container.demux():
            if packet.stream_index in clocks:
                clocks[packet.stream_index].add(packet)
            elif packet.pts is not None and packet.time_base:
                end_of_all = max(end_of_all, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    except av.FFmpegError as problem:
        found["read_error"] = type(problem).__name__
    found["end_of_others"] = end_of_all
    video, audio = chosen(pictures, clocks), chosen(sounds, clocks)
    if audio is not None:
        found["audio"] = {**timing(audio, clocks[audio.index]), **sound(audio)}
    if video is not None:
        frame = None
        with contextlib.suppress(av.FFmpegError):  # damage is the trial decode's to judge
            frame = first_picture(container, video, allowed["pixels"])
        found["video"] = {**timing(video, clocks[video.index]), **picture(video, frame)}
    return found


def main() -> None:
    sys.path.append(sys.argv[1])
    import av

    allowed = json.loads(sys.argv[2])
    print(json.dumps({"pyav": av.__version__}), flush=True)  # noqa: T201
    options = {
        "protocol_whitelist": "file",
        "format_whitelist": ",".join(allowed["demuxers"]),
        "codec_whitelist": ",".join(allowed["decoders"]),
        "probesize": str(allowed["probesize"]),
        "analyzeduration": str(allowed["analyzeduration"]),
    }
    try:
        with av.open("file:in/source", options=options, metadata_errors="replace") as container:
            found = read(container, allowed)
    except (av.FFmpegError, MemoryError) as problem:
        found = {"refused": type(problem).__name__}
    print(json.dumps(found))  # noqa: T201


if __name__ == "__main__":
    main()
