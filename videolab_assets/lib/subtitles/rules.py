"""What broadcasters' style guides ask of subtitles, and where cues fail it.

The limits: two lines of 42 characters, 17 characters a second, 1 to 7 seconds, two frames between cues, no edge close to a shot
change but not on it, no line that ends between an article and its noun. Times inside are whole milliseconds.
"""

import math
import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from videolab_assets.lib.documents import Cue
from videolab_assets.lib.summary.language import bare
from videolab_assets.lib.summary.sentences import LATEST

LONGEST_LINE = 42
MOST_LINES = 2
SHORTEST_MS, LONGEST_MS = 1000, 7000
CHARACTERS_PER_SECOND = 17
FRAMES_BETWEEN = 2
DEFAULT_FRAME_RATE = 25.0
LONGEST_GAP_MS = 500
"""Below four frames a second, as in a recorded slide show, two frames would keep words off the screen."""
SHOT_REACH_MS = 500
"""A cue's edge this near to a shot change moves onto it: a cue that flashes over a cut is read twice."""
SILENCE_MS = 1500
"""No cue reaches across a pause this long, and what was said before it belongs to nothing after it."""
GRID_MS = 10
"""ASS writes hundredths of a second: cues on this grid are the same cues in all three formats."""

ARTICLES = frozenset(("a", "an", "the", "el", "la", "los", "las", "lo", "un", "una", "unos", "unas", "al", "del"))
"""Of Spanish and English at once: too few words may be said to tell the language by. `al` and `del` end in one."""
_LAST_WORD = re.compile(r"\w+$")


@dataclass(slots=True)
class Span:
    """When a cue is on screen, in milliseconds, and how many characters there are to read."""

    start: int
    end: int
    characters: int

    @property
    def too_fast(self) -> bool:
        return self.characters * 1000 > CHARACTERS_PER_SECOND * max(0, self.end - self.start)


def on_grid(seconds: float) -> int:
    """Milliseconds, rounded down to the grid: a cue that starts there is on screen with the frame that starts at `seconds`."""
    return math.floor(round(seconds * 1000, 3) / GRID_MS) * GRID_MS


def usable_rate(frame_rate: float) -> float:
    """Frames a second; 25 where the number says nothing."""
    return frame_rate if math.isfinite(frame_rate) and 1.0 <= frame_rate <= 1000.0 else DEFAULT_FRAME_RATE


def gap_on_grid(frame_rate: float) -> int:
    """Milliseconds, the least on the grid that hold two frames."""
    return min(LONGEST_GAP_MS, math.ceil(FRAMES_BETWEEN * 1000 / usable_rate(frame_rate) / GRID_MS) * GRID_MS)


def shots_on_grid(shot_times: Sequence[float]) -> list[int]:
    """Milliseconds, rising."""
    return sorted({on_grid(time) for time in shot_times if 0 < time < LATEST})


def start_on_shot(spans: Sequence[Span], place: int, gap: int, shots: Sequence[int], tolerance: int = 0) -> int | None:
    """The shot change onto which this cue's start can move without breaking another rule.

    None where there is none within half a second, or the start is on one already, give or take `tolerance` milliseconds.
    """
    span = spans[place]
    earliest = spans[place - 1].end + gap if place else 0
    near = _near(span.start, shots)
    if any(abs(span.start - shot) <= tolerance for shot in near):
        return None
    return next((shot for shot in near if shot >= earliest and _readable(span, shot, span.end)), None)


def end_on_shot(spans: Sequence[Span], place: int, gap: int, shots: Sequence[int], tolerance: int = 0) -> int | None:
    """The same for the cue's end, which belongs two frames before the shot change; anywhere in those two frames is near enough
    where there is a tolerance at all."""
    span = spans[place]
    latest = spans[place + 1].start - gap if place + 1 < len(spans) else math.inf
    near = _near(span.end, shots)
    slack = gap if tolerance else 0
    if any(shot - gap - tolerance <= span.end <= shot - gap + slack for shot in near):
        return None
    return next((shot - gap for shot in near if shot - gap <= latest and _readable(span, span.start, shot - gap)), None)


def _near(moment: int, shots: Sequence[int]) -> list[int]:
    """The shot changes within reach, nearest first."""
    first = bisect_left(shots, moment - SHOT_REACH_MS)
    last = bisect_left(shots, moment + SHOT_REACH_MS + 1)
    return sorted(shots[first:last], key=lambda shot: abs(shot - moment))


def _readable(span: Span, start: int, end: int) -> bool:
    moved = Span(start, end, span.characters)
    shortened = end - start < span.end - span.start
    return SHORTEST_MS <= end - start <= LONGEST_MS and not (shortened and moved.too_fast)


def ends_on_article(text: str) -> bool:
    """Whether the text's last word is an article with nothing after it."""
    last = _LAST_WORD.search(text)
    return last is not None and bare(last.group()) in ARTICLES


def breaches(cues: Sequence[Cue], frame_rate: float = DEFAULT_FRAME_RATE, shot_times: Sequence[float] = ()) -> dict[str, int]:
    """How many cues break each rule; every rule is named, most with 0.

    `too_fast` may be the speaker's doing, and `article_parted` that of a noun as long as a line; the others are the subtitler's.
    `off_shot` counts edges within half a second of a shot change and more than a frame off it, though moving that edge alone
    would break no other rule: an edge that has to stay where it is counts as none. Gaps may fall short of two frames by less than
    a millisecond, which is how far files round.

    Args:
        cues: in order.
        frame_rate: frames a second of the picture.
        shot_times: seconds of the shot changes.
    """
    least_gap = math.floor(min(LONGEST_GAP_MS, FRAMES_BETWEEN * 1000 / usable_rate(frame_rate)))
    spans = [Span(round(cue.start * 1000), round(cue.end * 1000), len(cue.text)) for cue in cues]
    lines = [cue.text.split("\n") for cue in cues]
    return {
        "too_many_lines": sum(len(shown) > MOST_LINES for shown in lines),
        "line_too_long": sum(any(len(line) > LONGEST_LINE for line in shown) for shown in lines),
        "too_short": sum(span.end - span.start < SHORTEST_MS for span in spans),
        "too_long": sum(span.end - span.start > LONGEST_MS for span in spans),
        "too_fast": sum(span.too_fast for span in spans),
        "overlapping": sum(after.start < before.end for before, after in pairwise(spans)),
        "too_close": sum(0 <= after.start - before.end < least_gap for before, after in pairwise(spans)),
        "article_parted": _articles_parted(spans, lines),
        "off_shot": _edges_off_shot(spans, frame_rate, shots_on_grid(shot_times)),
    }


def _articles_parted(spans: Sequence[Span], lines: Sequence[Sequence[str]]) -> int:
    inside = sum(any(ends_on_article(line) for line in shown[:-1]) for shown in lines)
    across = sum(
        ends_on_article(lines[place][-1]) and after.start - before.end <= SILENCE_MS
        for place, (before, after) in enumerate(pairwise(spans))
    )
    return inside + across


def _edges_off_shot(spans: Sequence[Span], frame_rate: float, shots: Sequence[int]) -> int:
    if not shots:
        return 0
    gap = gap_on_grid(frame_rate)
    frame = max(GRID_MS, math.ceil(1000 / usable_rate(frame_rate)))
    return sum(
        (start_on_shot(spans, place, gap, shots, frame) is not None) + (end_on_shot(spans, place, gap, shots, frame) is not None)
        for place in range(len(spans))
    )
