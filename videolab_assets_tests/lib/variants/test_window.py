"""What is cut out of the frame: the numbers, before ffmpeg sees them."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from videolab_assets.lib.documents import Framing, PathPoint
from videolab_assets.lib.variants.window import Piece, axis, stretches_of

THIRTY = Fraction(30)


def framing(start: float, end: float, mode: str = "still") -> Framing:
    return Framing.model_validate(
        {
            "start": start,
            "end": end,
            "mode": mode,
            "subject": "frame",
            "why": "test",
            "width": 0.3,
            "height": 1,
            "path": [PathPoint(time=start, x=0, y=0)],
        }
    )


def value(expression: str, n: int) -> float:
    """ffmpeg's expression at frame `n`."""
    kept: dict[float, float] = {1: n}
    names: dict[str, Callable[..., Any] | int] = {
        "lt": lambda a, b: float(a < b),
        "max": max,
        "min": min,
        "floor": math.floor,
        "round": round,
        "st": kept.__setitem__,
        "ld": kept.__getitem__,
        "choose": lambda test, yes, no: yes if test else no,
    }
    for part in expression.replace("if(", "choose(").split(";"):
        result = eval(part, {"__builtins__": {}}, names)  # noqa: S307 - our own arithmetic
    return float(result)


@settings(max_examples=40)
@given(
    length=st.integers(90, 1000).map(lambda half: 2 * half),
    share=st.floats(0.1, 1.0),
    target=st.integers(90, 1000).map(lambda half: 2 * half),
    walk=st.lists(st.tuples(st.integers(1, 40), st.floats(-0.2, 1.2)), min_size=1, max_size=6),
)
@example(length=502, share=0.999, target=752, walk=[(1, 0.0), (3, 1.0)])
def test_what_is_shown_follows_the_path(length: int, share: float, target: int, walk: list[tuple[int, float]]) -> None:
    """A crop that leaves the frame makes ffmpeg stop; one that moves by source pixels judders when enlarged."""
    shown = share * length
    frames: list[int] = [0]
    pieces: list[Piece] = []
    for lasting, where in walk:
        start = pieces[-1].value + pieces[-1].slope * (frames[-1] - pieces[-1].first) if pieces else where * (length - shown)
        pieces.append(Piece(frames[-1], start, (where * (length - shown) - start) / lasting))
        frames.append(frames[-1] + lasting)
    found = axis(length, shown, target, pieces)
    scale = found.scaled / found.length
    for piece, following in zip(pieces, frames[1:], strict=True):
        for n in {piece.first, following - 1}:
            start, trim = value(found.start, n), value(found.trim or "0", n)
            assert start % 2 == 0
            assert 0 <= start <= length - found.length
            assert 0 <= trim <= found.scaled - found.kept
            truth = min(max(piece.value + piece.slope * (n - piece.first), 0), max(0, length - shown))
            assert abs(start * scale + trim - truth * scale) <= 1.01


@given(st.lists(st.integers(1, 300), min_size=1, max_size=12, unique=True), st.sampled_from([THIRTY, Fraction(30_000, 1001), Fraction(24)]))
def test_framings_cover_each_frame_once(cuts: list[int], rate: Fraction) -> None:
    """A frame that two shots claim is shown twice, and all that follows comes late."""
    times = [0.0, *(round(float(cut / rate), 6) for cut in sorted(cuts))]
    framings = [framing(start, end) for start, end in zip(times, [*times[1:], 11.0], strict=True)]
    stretches = stretches_of(framings, rate, 301)
    assert [stretch.first for stretch in stretches] == [0, *sorted(cuts)]
    assert [stretch.end for stretch in stretches] == [*sorted(cuts), 301]


def test_half_the_frames_still_switch_at_the_cut() -> None:
    """60 frames a second shown as 30: the first frame kept after a cut on an odd frame is the next, not the one before it."""
    framings = [framing(0, 25 / 60), framing(25 / 60, 1)]
    assert stretches_of(framings, THIRTY, 30)[1].first == 13
