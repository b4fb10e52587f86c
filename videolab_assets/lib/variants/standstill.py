"""Black and standing pictures in a variant that its clip does not have.

Ten small grey pictures a second of the variant are enough to see where it is black or stands still. Only where it is or does, the clip
is looked at too: cut out and scaled as the framings say, it shows what the variant should show there. A speaker who stands still
before slides stands still in both. Captions are left out of sight, because a word that lights up over a frozen picture moves.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib.documents import Framing
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.ffmpeg import HOSTILE_INPUT
from videolab_assets.lib.glimpse import Pictures, Stream, glimpse
from videolab_assets.lib.probe import probe
from videolab_assets.lib.reframe.boxes import Box
from videolab_assets.lib.reframe.shown import shown

RATE = 10
"""Pictures a second."""
CELLS = 64
"""Of the longer side: in 1080x1920 each is 30 pixels wide, over which noise and a scaler's ways average out."""
CLIP_GRID = (192, 128)
"""Enough for a third of a clip's width to fill a variant."""
WINDOWS = (8, 20)
"""Steps in which nothing moves, for it to count as standing: shorter ones nobody notices, and slow motion shows in longer ones."""
SLACK = 2
"""Steps by which a moment may lie apart in the two: frames that others do not depend on are not decoded, and rates differ."""
STILL_LEVELS = 5
STILL_CELLS = 1
"""A picture stands if no more cells change by so many of 255 levels: an encoder still refines what does not move."""
MOVING_LEVELS = 10
MOVING_CELLS = 4
"""The clip moves if so many cells change by so much: twice what a standing picture may, so that what is in between is neither."""
CLOSE = 3 * RATE
"""Steps: to decode so many costs what it costs to begin anew."""
BLACK_LEVEL = 24
BLACK_SHARE = 0.02
"""A picture is black if no more of it is brighter, as ffmpeg's blackdetect has it."""
LIT_LEVEL = 40
LIT_SHARE = 0.06
"""A picture is not black if so much is brighter. What lies between is neither, as in a fade."""

Mask = NDArray[np.bool_]


class Missing(NamedTuple):
    """Seconds in which the variant is black, or else stands still, and the clip is and does not."""

    black: float
    frozen: float


def grid_of(width: int, height: int) -> tuple[int, int]:
    """Columns and rows of the small pictures of a video of that size."""
    longer = max(width, height)
    return max(2, round(CELLS * width / longer)), max(2, round(CELLS * height / longer))


def small(picture: Stream, grid: tuple[int, int]) -> Stream:
    """The filters that make `RATE` small grey pictures a second."""
    return picture.filter("fps", RATE, start_time=0).filter("scale", *grid, flags="area").filter("format", "gray")


def missing(pictures: Pictures, clip: Path, framings: Sequence[Framing], painted: Sequence[Box]) -> Missing:
    """What the variant of these small `pictures` lacks.

    Args:
        clip: what it was made of.
        framings: how.
        painted: where captions are, as shares of the variant's picture.

    Raises:
        PermanentError: the clip cannot be decoded.
        TransientError: the machine failed.
    """
    rows, columns = pictures.shape[1:]
    aspect = _aspect_of(clip) if any(framing.mode == "fit" for framing in framings) else None
    views = [_View.of(framing, aspect, columns, rows) for framing in framings]
    seen = _unpainted(painted, columns, rows) & np.stack([views[_index(framings, n / RATE)].inside for n in range(len(pictures))])
    black = _share_above(pictures, seen, BLACK_LEVEL) <= BLACK_SHARE
    still = {steps: _cells_that_swing(pictures, seen, steps, STILL_LEVELS) <= STILL_CELLS for steps in WINDOWS}
    expected, known = np.zeros_like(pictures), np.zeros(len(pictures), bool)
    for first, end in _stretches(black | _covered(still, len(pictures))):
        for n, picture in zip(range(first, end), _small_clip(clip, first, end), strict=False):
            framing = _index(framings, n / RATE)
            part = shown(framings[framing], n / RATE)
            expected[n] = views[framing].of_clip(picture, part.x, part.y)
            known[n] = True
    if not known.any():
        return Missing(0.0, 0.0)
    seen &= known[:, None, None]
    lit = _lasting(_share_above(expected, seen, LIT_LEVEL) >= LIT_SHARE)
    frozen = {
        steps: stands & _inner(_cells_that_swing(expected, seen, steps - 2 * SLACK, MOVING_LEVELS) >= MOVING_CELLS, len(stands))
        for steps, stands in still.items()
    }
    gone = black & lit
    return Missing(float(gone.sum() / RATE), float((_covered(frozen, len(pictures)) & ~gone).sum() / RATE))


class _View(NamedTuple):
    """How one framing shows the clip, in cells.

    Attributes:
        scaled: columns and rows of the whole clip at the size at which it is shown.
        left, top: where what is shown begins in the variant; not 0 where it is fitted in.
        inside: cells of the variant that show the clip and nothing else.
    """

    scaled: tuple[int, int]
    left: float
    top: float
    inside: Mask

    @classmethod
    def of(cls, framing: Framing, clip_aspect: float | None, columns: int, rows: int) -> "_View":
        """Fitted in, what is shown keeps its shape; a crop has the variant's."""
        shape = clip_aspect * framing.width / framing.height if framing.mode == "fit" and clip_aspect else columns / rows
        wide, high = min(columns, rows * shape), min(rows, columns / shape)
        left, top = (columns - wide) / 2, (rows - high) / 2
        inside = np.zeros((rows, columns), bool)
        inside[math.ceil(top) : math.floor(top + high), math.ceil(left) : math.floor(left + wide)] = True
        return cls((max(1, round(wide / framing.width)), max(1, round(high / framing.height))), left, top, inside)

    def of_clip(self, picture: Pictures, x: float, y: float) -> Pictures:
        """What the variant should show of the clip's `picture`, whose part that is shown begins at `x`, `y` (shares)."""
        import cv2

        whole = cv2.resize(picture, self.scaled, interpolation=cv2.INTER_AREA)
        move = np.array([[1, 0, self.left - x * self.scaled[0]], [0, 1, self.top - y * self.scaled[1]]], np.float32)
        rows, columns = self.inside.shape
        return np.asarray(cv2.warpAffine(whole, move, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _stretches(suspect: Mask) -> list[tuple[int, int]]:
    """First and end of the stretches that hold all that is suspect, with a second around it; what lies close together is one."""
    stretches: list[tuple[int, int]] = []
    for n in np.flatnonzero(suspect):
        first, end = max(0, int(n) - RATE), min(len(suspect), int(n) + RATE + 1)
        if stretches and first <= stretches[-1][1] + CLOSE:
            first, _ = stretches.pop()
        stretches.append((first, end))
    return stretches


def _small_clip(clip: Path, first: int, end: int) -> Pictures:
    """Small pictures of the clip, in no shape of its own: cut and scaled as a variant, they get that one's."""
    seconds = (end - first) / RATE
    source = ffmpeg.input("file:in/source", **HOSTILE_INPUT, ss=first / RATE, t=seconds, **QUICKLY, skip_frame="noref")
    return glimpse(small(source.video, CLIP_GRID), {"source": clip}, CLIP_GRID, end - first + RATE, seconds)[0]


def _aspect_of(clip: Path) -> float:
    """Width over height as displayed."""
    picture = probe(clip).probe.video
    if picture is None:
        raise PermanentError("A clip has no picture any more: materialize `clips` anew.")
    return picture.width / picture.height


QUICKLY = {"skip_loop_filter": "all", "threads": 2}
"""Decoder options for pictures that only a machine looks at."""


def _index(framings: Sequence[Framing], time: float) -> int:
    return next((n for n, framing in enumerate(framings) if time < framing.end), len(framings) - 1)


def _unpainted(painted: Sequence[Box], columns: int, rows: int) -> Mask:
    """Cells that no caption reaches, not even with its shadow; all where captions reach nearly everywhere."""
    free = np.ones((rows, columns), bool)
    for box in painted:
        top, left = math.floor(box.y * rows) - 1, math.floor(box.x * columns) - 1
        free[max(0, top) : math.ceil(box.bottom * rows) + 1, max(0, left) : math.ceil(box.right * columns) + 1] = False
    return free if free.mean() >= 0.2 else np.ones_like(free)


def _share_above(pictures: Pictures, seen: Mask, level: int) -> NDArray[np.float64]:
    """For each picture, the share of its cells in sight that are brighter; 0 where none are in sight."""
    bright = ((pictures > level) & seen).sum(axis=(1, 2))
    return np.asarray(bright / np.maximum(1, seen.sum(axis=(1, 2))), np.float64)


def _cells_that_swing(pictures: Pictures, seen: Mask, steps: int, levels: int) -> NDArray[np.int64]:
    """For each picture with `steps` more after it, how many cells in sight throughout change by `levels` or more within them."""
    windows = len(pictures) - steps
    if windows <= 0:
        return np.zeros(0, np.int64)
    high, low, in_sight = pictures[:windows].copy(), pictures[:windows].copy(), seen[:windows].copy()
    for step in range(1, steps + 1):
        later = slice(step, step + windows)
        np.maximum(high, pictures[later], out=high)
        np.minimum(low, pictures[later], out=low)
        in_sight &= seen[later]
    return np.asarray(((high - low >= levels) & in_sight).sum(axis=(1, 2)), np.int64)


def _inner(moves: Mask, windows: int) -> Mask:
    """What holds of the windows that are shorter by the slack at both ends, for the whole ones."""
    return moves[SLACK : SLACK + windows]


def _covered(windows: dict[int, Mask], pictures: int) -> Mask:
    """The steps that lie in any window that counts."""
    covered = np.zeros(pictures, bool)
    for steps, counts in windows.items():
        for first in np.flatnonzero(counts):
            covered[first : first + steps] = True
    return covered


def _lasting(holds: Mask) -> Mask:
    """Where it holds for the slack before and after, too; before the first and after the last picture all is as there."""
    padded = np.pad(holds, SLACK, mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * SLACK + 1).all(axis=1), bool)
