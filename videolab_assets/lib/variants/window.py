"""The part of the frame that is shown, as ffmpeg's crop, scale and crop.

`crop` moves by whole pixels of the source, and with 4:2:0 chroma by two: enlarged 1.8 times, a slow pan would advance in jumps of
3.6 pixels. So a slightly larger part is cut out at even pixels, enlarged, and the rest is taken off the enlarged picture, where a
pixel is a pixel of the result.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from videolab_assets.lib.documents import Framing, PathPoint

Stream = Any
"""A node of ffmpeg-python, which has no types."""

EARLY = Fraction(1, 4)
"""Frames by which the time of a cut may be off without the cut's frame being missed; times are rounded to the microsecond."""
SPARE_SIZES = 8
"""How many larger sizes to try for one that enlarges to an even number of pixels."""


class Size(NamedTuple):
    """Pixels."""

    width: int
    height: int


class Piece(NamedTuple):
    """A coordinate from frame `first` on: `value`, and `slope` more with every frame after."""

    first: int
    value: float
    slope: float


@dataclass(frozen=True)
class Stretch:
    """The frames `first` to `end` - 1, counted from the clip's first, and how they are shown."""

    first: int
    end: int
    framing: Framing


@dataclass(frozen=True)
class Axis:
    """One direction of a window, in pixels: cut `length` out at `start`, enlarge to `scaled`, keep `kept` of it from `trim` on.

    `start` and `trim` are expressions of crop's, for the frame whose number is in its variable 1; `trim` is None where nothing is
    left to take off.
    """

    length: int
    start: str
    scaled: int
    kept: int
    trim: str | None


def stretches_of(framings: Sequence[Framing], rate: Fraction, frames: int) -> list[Stretch]:
    """Which frames each framing has, without gaps: the first one's begin with the clip, and each lasts until the next one's.

    Frame n is shown at n / rate seconds, so a framing's first frame is the first at or after its start, whatever the rate of the
    source that the start comes from.
    """
    ordered = sorted(framings, key=lambda framing: framing.start)
    firsts = [0, *(math.ceil(Fraction(framing.start) * rate - EARLY) for framing in ordered[1:])]
    ends = [*firsts[1:], frames]
    return [
        Stretch(max(0, first), min(end, frames), framing)
        for first, end, framing in zip(firsts, ends, ordered, strict=True)
        if max(0, first) < min(end, frames)
    ]


def cropped(picture: Stream, stretches: Sequence[Stretch], rate: Fraction, source: Size, target: Size, **scaling: str) -> Stream:
    """The window of `stretches`, which show parts of the same size, as a picture of `target` size.

    Frame n of the clip is known by its time, n / rate, because `picture` need not have all frames.
    """
    shown = stretches[0].framing
    across = axis(source.width, shown.width * source.width, target.width, _pieces(stretches, rate, 0, source.width))
    down = axis(source.height, shown.height * source.height, target.height, _pieces(stretches, rate, 1, source.height))
    frame = f"st(1,round(t*{rate.numerator}/{rate.denominator}));"
    if (across.length, down.length) != source:
        picture = picture.filter("crop", w=across.length, h=down.length, x=frame + across.start, y=frame + down.start)
    picture = picture.filter("scale", across.scaled, down.scaled, **scaling)
    if across.trim is None and down.trim is None:
        return picture
    # Not exact, crop would round to even pixels.
    return picture.filter("crop", w=across.kept, h=down.kept, x=frame + (across.trim or "0"), y=frame + (down.trim or "0"), exact=1)


def axis(length: int, shown: float, target: int, pieces: Sequence[Piece]) -> Axis:
    """How to show `shown` of `length` source pixels as `target` pixels, from where `pieces` say."""
    if shown >= length - 0.5:
        return Axis(length, "0", target, target, None)
    pieces = [piece._replace(value=min(max(piece.value, 0.0), length - shown)) if not piece.slope else piece for piece in pieces]
    enlarged = target / shown
    smallest = 2 * math.ceil((shown + 2) / 2)
    sizes = [size for size in range(smallest, smallest + 2 * SPARE_SIZES, 2) if size <= length] or [length]
    size = min(sizes, key=lambda size: (round(abs(size * enlarged - even(size * enlarged)), 2), size))
    scaled = max(target, even(size * enlarged))
    room = (length - size) // 2 * 2
    where = f"max(min({_expression(pieces)},{length - shown:.3f}),0)"
    rest = f"(ld(0)-2*floor(min(ld(0),{room})/2))*{scaled / size:.6f}"
    # Steps of one pixel move the chroma every other time. That shows in nothing that moves, and what stands has no need of it.
    moves = any(piece.slope for piece in pieces)
    trim = f"round({rest})" if moves else f"2*round({rest}/2)"
    return Axis(size, f"2*floor(min({where},{room})/2)", scaled, target, f"st(0,{where});min({trim},{scaled - target})")


def even(length: float) -> int:
    """The nearest even number."""
    return 2 * round(length / 2)


def _pieces(stretches: Sequence[Stretch], rate: Fraction, direction: int, length: int) -> list[Piece]:
    """One coordinate of all the stretches' paths, in source pixels."""
    pieces: list[Piece] = []
    for stretch in stretches:
        points = [(float(Fraction(point.time) * rate), _coordinate(point, direction) * length) for point in stretch.framing.path]
        pieces.append(Piece(stretch.first, points[0][1], 0.0))
        for (time, value), (later, end_value) in itertools.pairwise(points):
            first = max(math.ceil(time), stretch.first)
            if later > time and first < min(later, stretch.end):
                slope = (end_value - value) / (later - time)
                pieces.append(Piece(first, value + slope * (first - time), slope))
        after_last = max(math.ceil(points[-1][0]), stretch.first)
        if len(points) > 1 and after_last < stretch.end:
            pieces.append(Piece(after_last, points[-1][1], 0.0))
    return _without_repeats(pieces)


def _coordinate(point: PathPoint, direction: int) -> float:
    return (point.x, point.y)[direction]


def _without_repeats(pieces: Sequence[Piece]) -> list[Piece]:
    """The same path without pieces that last no frame or go on as the one before."""
    kept: list[Piece] = []
    for piece in pieces:
        if kept and kept[-1].first == piece.first:
            kept.pop()
        if not (kept and not piece.slope and not kept[-1].slope and kept[-1].value == piece.value):
            kept.append(piece)
    return kept


def _expression(pieces: Sequence[Piece]) -> str:
    """The coordinate at the frame, searched by halves: ffmpeg evaluates it for each frame and nests at most 100 deep."""
    if len(pieces) > 1:
        half = len(pieces) // 2
        return f"if(lt(ld(1),{pieces[half].first}),{_expression(pieces[:half])},{_expression(pieces[half:])})"
    first, value, slope = pieces[0]
    return f"{value:.3f}{slope:+.5f}*(ld(1)-{first})" if slope else f"{value:.3f}"
