"""The contact sheet of a platform's variants: at one glance, what would be posted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import ffmpeg
import numpy as np

from videolab_assets.lib.ffmpeg import HOSTILE_INPUT
from videolab_assets.lib.glimpse import Pictures, glimpse

FRAMES = 5
SHEET_WIDTH = 1200
GAP = 6
TEXT_SIZE = 0.6
"""Of OpenCV's Hershey font: 13 pixels high, and a name, seconds and score are as wide as a picture."""
TEXT_HEIGHT = 34
TALLEST = 400
"""Pixels of a row's pictures, where a variant is so narrow that they would fill the page."""
BACKGROUND = (24, 24, 24)
INK = (235, 235, 235)
QUALITY = 82
AT_THE_ENDS = 0.04
"""Share of the length that is left out at both ends: the first frame is often still fading in."""


@dataclass(frozen=True)
class Row:
    """One variant.

    Attributes:
        video, cover: its files; the cover is a JPEG of ours.
        width, height, duration: of the video, in pixels and seconds.
        name: such as `c01` or `c01.b`.
        score: of its clip, 0..1.
    """

    video: Path
    cover: Path
    width: int
    height: int
    duration: float
    name: str
    score: float


def contact_sheet(rows: Sequence[Row], frames: int = FRAMES) -> bytes:
    """A JPEG some 1,200 pixels wide: for each variant its cover, then frames evenly over its length, as they would be posted.

    Measured for 45 s of 1080x1920: 0.25 to 0.4 CPU seconds a row, 1.1 of noise at 8 Mbit/s.

    Raises:
        PermanentError: a video cannot be decoded.
        TransientError: the machine failed.
    """
    import cv2

    strips = [_strip(row, frames) for row in rows]
    blank = np.full((TEXT_HEIGHT, SHEET_WIDTH, 3), BACKGROUND, np.uint8)
    sheet = np.vstack(strips) if strips else blank
    _, jpeg = cv2.imencode(".jpg", sheet, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return jpeg.tobytes()


def _strip(row: Row, frames: int) -> Pictures:
    """One row of the sheet: a line of text above the pictures."""

    width, height = _picture_size(row, frames)
    times = [row.duration * (AT_THE_ENDS + (1 - 2 * AT_THE_ENDS) * (n + 0.5) / frames) for n in range(frames)]
    strip = np.full((TEXT_HEIGHT + height + GAP, SHEET_WIDTH, 3), BACKGROUND, np.uint8)
    pictures = [_cover(row.cover, width, height), *_frames_at(row, times, (width, height))]
    for place, picture in enumerate(pictures):
        left = GAP + place * (width + GAP)
        strip[TEXT_HEIGHT : TEXT_HEIGHT + height, left : left + width] = picture
        if place:
            _write(strip, f"{times[place - 1]:.1f} s", (left, 24), TEXT_SIZE)
    _write(strip, f"{row.name}  {row.duration:.1f} s  {row.score:.2f}", (GAP, 24), TEXT_SIZE)
    return strip


def _picture_size(row: Row, frames: int) -> tuple[int, int]:
    """Even numbers of pixels, so that the cover and all frames fill a row."""
    width = (SHEET_WIDTH - GAP) / (frames + 1) - GAP
    shrink = min(width / row.width, TALLEST / row.height)
    return max(2, 2 * int(row.width * shrink / 2)), max(2, 2 * int(row.height * shrink / 2))


def _cover(path: Path, width: int, height: int) -> Pictures:
    import cv2

    picture = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return np.zeros((height, width, 3), np.uint8)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _frames_at(row: Row, times: Sequence[float], size: tuple[int, int]) -> Pictures:
    """The frames at those times, by one command that opens the file once for each and seeks."""
    inputs = [ffmpeg.input("file:in/source", **HOSTILE_INPUT, ss=round(time, 3), threads=1, skip_frame="noref") for time in times]
    small = [
        seen.video.filter("trim", end_frame=1).filter("scale", *size, flags="area").filter("setsar", 1).filter("format", "bgr24")
        for seen in inputs
    ]
    # A frame every 2 s of decoding at most: key frames are that far apart.
    joined = ffmpeg.filter(small, "concat", n=len(small), v=1, a=0) if len(small) > 1 else small[0]
    return glimpse(joined, {"source": row.video}, size, len(times), 2.0 * len(times), colour=True)[0]


def _write(picture: Pictures, text: str, place: tuple[int, int], size: float) -> None:
    import cv2

    cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, size, INK, 1, cv2.LINE_AA)
