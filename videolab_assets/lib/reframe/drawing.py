"""The reframing of a clip, drawn over its source: what each shot shows of it, why, and how the crop moves."""

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import ffmpeg
import numpy as np

from videolab_assets.lib.documents import Framing
from videolab_assets.lib.ffmpeg import HOSTILE_INPUT
from videolab_assets.lib.glimpse import Pictures, glimpse
from videolab_assets.lib.reframe.boxes import Box
from videolab_assets.lib.reframe.seen import Sample, Seen
from videolab_assets.lib.reframe.shown import framing_at, shown

DRAWING_WIDTH = 1200
GAP = 6
LINE_HEIGHT = 26
TEXT_SIZE = 0.55
LINE_CHARACTERS = 125
TALLEST = 300
"""Pixels of a frame, where the source is upright."""
TIMELINE_HEIGHT = 170
LEGEND_WIDTH = 70
MOST_SHOTS = 6
MOMENTS = 3
RATE = 10
"""Frames a second of the proxy from which those to draw on are taken."""
FROM_A_CUT = 0.2
"""Seconds by which the first and the last frame lie inside their shot, lest they show the neighbour's."""
QUALITY = 84

BACKGROUND, INK, TRACK = (24, 24, 24), (235, 235, 235), (44, 44, 44)
FACE, PERSON = (90, 220, 90), (230, 160, 70)
CROPS = ((60, 150, 255), (240, 230, 90), (200, 110, 240), (120, 255, 200))
"""Blue, green, red: one colour for each rendition, in their order."""


class _Shot(NamedTuple):
    """Seconds of the clip."""

    start: float
    end: float


def path_over_source(
    proxy: Path, start: float, duration: float, seen: Seen, framings: Mapping[str, Sequence[Framing]], name: str = ""
) -> bytes:
    """A JPEG 1,200 pixels wide: `timeline_of_framing`, and below it for each shot three frames with what every rendition shows of it,
    the path of the crop's middle, and faces and people as they were found.

    Shots beyond the `MOST_SHOTS` longest are in the timeline only. Measured for 45 s of 1280x720 at 30 frames a second: 1.3 CPU seconds.

    Args:
        proxy: our own copy of the whole video.
        start: of the clip, seconds of the video.
        duration: of the clip, seconds.
        seen: what the look at the clip found.
        framings: for each rendition, called as a person calls it (`9:16`), in the order of their times.
        name: of the clip, for the heading.

    Raises:
        PermanentError: the proxy cannot be decoded.
        TransientError: the machine failed.
    """
    shots = _shots(framings, duration)
    longest = sorted(sorted(shots, key=lambda shot: shot.start - shot.end)[:MOST_SHOTS])
    times = [time for shot in longest for time in _moments(shot)]
    size = _frame_size(seen.aspect)
    frames = _frames_at(proxy, start, times, size, duration)
    left_out = f" ({len(shots) - len(longest)} in the timeline only)" if len(longest) < len(shots) else ""
    rows = [_heading(f"{name} {duration:.1f} s, shots: {len(shots)}{left_out}".strip(), list(framings))]
    rows.append(timeline_of_framing(framings, seen, duration))
    for number, shot in enumerate(longest):
        of_shot = slice(number * MOMENTS, (number + 1) * MOMENTS)
        rows.append(_row(shot, times[of_shot], frames[of_shot], seen, framings))
    return _jpeg(np.vstack(rows))


def one_above_another(drawings: Sequence[bytes]) -> bytes:
    """The drawings of several clips as one JPEG."""
    import cv2

    pictures = [cv2.imdecode(np.frombuffer(drawing, np.uint8), cv2.IMREAD_COLOR) for drawing in drawings]
    whole = np.vstack([picture for picture in pictures if picture is not None] or [_blank(LINE_HEIGHT)])
    return _jpeg(np.asarray(whole, np.uint8))


def timeline_of_framing(framings: Mapping[str, Sequence[Framing]], seen: Seen, duration: float) -> Pictures:
    """What is shown over time, 1,200 pixels wide.

    Time runs to the right, the source's left edge is at the top. Each rendition's crop is a band, the middles of faces and people are
    dots, cuts are lines. A source of which only upper or lower parts are shown is plotted by these instead.
    """
    import cv2

    every = [framing for of_one in framings.values() for framing in of_one]
    by_height = all(framing.width > 0.999 for framing in every) and any(framing.height < 0.999 for framing in every)
    plot = _blank(TIMELINE_HEIGHT)
    left, right, top, bottom = LEGEND_WIDTH, DRAWING_WIDTH - GAP, LINE_HEIGHT, TIMELINE_HEIGHT - GAP

    def at(time: float, share: float) -> tuple[int, int]:
        return round(left + (right - left) * time / max(duration, 1e-6)), round(top + (bottom - top) * share)

    cv2.rectangle(plot, (left, top), (right, bottom), TRACK, -1)
    for (_, of_one), colour in zip(framings.items(), _colours(framings), strict=True):
        band = plot.copy()
        for framing in of_one:
            times = sorted({framing.start, framing.end, *(p.time for p in framing.path if framing.start < p.time < framing.end)})
            parts = [shown(framing, time) for time in times]
            upper = [at(time, part.y if by_height else part.x) for time, part in zip(times, parts, strict=True)]
            lower = [at(time, part.bottom if by_height else part.right) for time, part in zip(times, parts, strict=True)]
            cv2.fillPoly(band, [np.array([*upper, *reversed(lower)], np.int32)], colour)
            for edge in (upper, lower):
                cv2.polylines(plot, [np.array(edge, np.int32)], False, colour, 1, cv2.LINE_AA)
        plot = np.asarray(cv2.addWeighted(band, 0.22, plot, 0.78, 0), np.uint8)
    for shot in _shots(framings, duration)[1:]:
        cv2.line(plot, at(shot.start, 0), at(shot.start, 1), INK, 1)
    for sample in seen.samples:
        for box, colour in (*((person, PERSON) for person in sample.people), *((face, FACE) for face in sample.faces)):
            cv2.circle(plot, at(sample.time, box.centre[1] if by_height else box.centre[0]), 2, colour, -1, cv2.LINE_AA)
    for share, side in ((0.0, "top" if by_height else "left"), (1.0, "bottom" if by_height else "right")):
        _write(plot, side, (GAP, top + 14 if share == 0 else bottom - 3))
    for time in np.linspace(0, duration, 7):
        x, _ = at(float(time), 0)
        _write(plot, f"{time:.0f} s", (min(max(left, x - 12), right - 44), LINE_HEIGHT - 7))
    return plot


def _jpeg(picture: Pictures) -> bytes:
    """With colours at full resolution: thin lines and letters would else lose theirs."""
    import cv2

    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    _, jpeg = cv2.imencode(".jpg", picture, options)
    return jpeg.tobytes()


def _shots(framings: Mapping[str, Sequence[Framing]], duration: float) -> list[_Shot]:
    starts = sorted({round(framing.start, 3) for of_one in framings.values() for framing in of_one} | {0.0})
    ends = [*starts[1:], duration]
    return [_Shot(start, end) for start, end in zip(starts, ends, strict=True) if end > start]


def _moments(shot: _Shot) -> list[float]:
    inside = min(FROM_A_CUT, (shot.end - shot.start) / 4)
    return [float(time) for time in np.linspace(shot.start + inside, shot.end - inside, MOMENTS)]


def _frame_size(aspect: float) -> tuple[int, int]:
    width = (DRAWING_WIDTH - GAP) / MOMENTS - GAP
    height = min(width / aspect, TALLEST)
    return 2 * int(height * aspect / 2), 2 * int(height / 2)


def _frames_at(proxy: Path, start: float, times: Sequence[float], size: tuple[int, int], duration: float) -> Pictures:
    """Frames of the proxy at those seconds of the clip, in order, by one decode."""
    source = ffmpeg.input("file:in/source", **HOSTILE_INPUT, ss=start, t=duration, skip_loop_filter="all", skip_frame="noref", threads=2)
    numbers = [max(0, round(time * RATE)) for time in times]
    wanted = "+".join(f"eq(n,{number})" for number in sorted(set(numbers)))
    some = source.video.filter("fps", RATE, start_time=0).filter("select", wanted).filter("scale", *size, flags="area")
    found, _ = glimpse(some, {"source": proxy}, size, len(set(numbers)), duration, colour=True)
    if not len(found):
        return np.zeros((len(times), size[1], size[0], 3), np.uint8)
    # A proxy may end a frame before the clip does.
    places = {number: min(place, len(found) - 1) for place, number in enumerate(sorted(set(numbers)))}
    return found[[places[number] for number in numbers]]


def _row(shot: _Shot, times: Sequence[float], frames: Pictures, seen: Seen, framings: Mapping[str, Sequence[Framing]]) -> Pictures:
    """One shot: a line of text for each rendition, and the frames."""
    height, width = frames.shape[1:3]
    lines = [(f"{shot.start:.1f} - {shot.end:.1f} s", INK)]
    for (name, of_one), colour in zip(framings.items(), _colours(framings), strict=True):
        framing = framing_at(of_one, times[0])
        said = f"{name}: {framing.mode} on {framing.subject}. {framing.why}"
        lines += [(line, colour) for line in textwrap.wrap(said, LINE_CHARACTERS, subsequent_indent="    ")]
    top = LINE_HEIGHT * len(lines)
    row = _blank(top + height + GAP)
    for number, (line, colour) in enumerate(lines):
        _write(row, line, (GAP, 18 + number * LINE_HEIGHT), colour)
    for place, (time, frame) in enumerate(zip(times, frames, strict=True)):
        drawn = _drawn(frame, time, shot, seen, framings, with_path=place == MOMENTS // 2)
        left = GAP + place * (width + GAP)
        row[top : top + height, left : left + width] = drawn
    return row


def _drawn(
    frame: Pictures, time: float, shot: _Shot, seen: Seen, framings: Mapping[str, Sequence[Framing]], *, with_path: bool
) -> Pictures:
    import cv2

    height, width = frame.shape[:2]
    drawn = frame.copy()

    def pixel(x: float, y: float) -> tuple[int, int]:
        return min(width - 1, max(0, round(x * width))), min(height - 1, max(0, round(y * height)))

    def outline(box: Box, colour: tuple[int, int, int], thickness: int) -> None:
        cv2.rectangle(drawn, pixel(box.x, box.y), pixel(box.right, box.bottom), colour, thickness, cv2.LINE_AA)

    parts = [shown(framing_at(of_one, time), time) for of_one in framings.values()]
    if parts:
        outside = np.ones((height, width), bool)
        (x, y), (right, bottom) = pixel(parts[0].x, parts[0].y), pixel(parts[0].right, parts[0].bottom)
        outside[y : bottom + 1, x : right + 1] = False
        drawn[outside] = drawn[outside] // 2
    sample = _nearest(seen.samples, time)
    for found, colour in ((sample.faces, FACE), (sample.people, PERSON)) if sample else ():
        for box in found:
            outline(box, colour, 2)
    for part, of_one, colour in zip(parts, framings.values(), _colours(framings), strict=True):
        outline(part, colour, 3)
        if with_path:
            middles = [shown(framing_at(of_one, moment), moment).centre for moment in np.linspace(shot.start, shot.end - 1e-3, 60)]
            cv2.polylines(drawn, [np.array([pixel(*middle) for middle in middles], np.int32)], False, colour, 2, cv2.LINE_AA)
            cv2.circle(drawn, pixel(*middles[0]), 4, colour, -1, cv2.LINE_AA)
    _write(drawn, f"{time:.1f} s", (6, height - 8))
    return np.asarray(drawn, np.uint8)


def _nearest(samples: Sequence[Sample], time: float) -> Sample | None:
    return min(samples, key=lambda sample: abs(sample.time - time), default=None)


def _heading(text: str, names: Sequence[str]) -> Pictures:
    """The clip, and which colour is what."""
    line = _blank(LINE_HEIGHT + GAP)
    _write(line, text, (GAP, 20))
    at = 620
    for name, colour in (*zip(names, _colours(names), strict=True), ("faces", FACE), ("people", PERSON)):
        _write(line, name, (at, 20), colour)
        at += 24 + 11 * len(name)
    return line


def _colours(names: Mapping[str, object] | Sequence[str]) -> list[tuple[int, int, int]]:
    return [CROPS[number % len(CROPS)] for number in range(len(names))]


def _blank(height: int) -> Pictures:
    return np.full((height, DRAWING_WIDTH, 3), BACKGROUND, np.uint8)


def _write(picture: Pictures, text: str, place: tuple[int, int], colour: tuple[int, int, int] = INK) -> None:
    """ASCII, which is all that OpenCV's fonts have."""
    import cv2

    plain = text.encode("ascii", "replace").decode()
    cv2.putText(picture, plain, place, cv2.FONT_HERSHEY_SIMPLEX, TEXT_SIZE, BACKGROUND, 3, cv2.LINE_AA)
    cv2.putText(picture, plain, place, cv2.FONT_HERSHEY_SIMPLEX, TEXT_SIZE, colour, 1, cv2.LINE_AA)
