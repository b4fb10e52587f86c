"""When each cue comes and goes: with its words, long enough to read, and on the shot changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from videolab_assets.lib.subtitles.rules import (
    CHARACTERS_PER_SECOND,
    GRID_MS,
    LONGEST_MS,
    SHORTEST_MS,
    Span,
    end_on_shot,
    start_on_shot,
)

LINGER_MS = 300
"""A cue stays this long after its last word, where there is room."""
FLICKER_MS = 500
"""A gap shorter than this is closed to the two frames."""
LEAD_MS = 1000
"""How early a cue may come when its words leave too little time to read them."""
DELAY_MS = 200
"""How late a cue with time to spare may come, for the one before it to be read."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one cue has to show: milliseconds of its first word's start and its last word's end, and how many characters."""

    start: int
    end: int
    characters: int

    @property
    def needed(self) -> int:
        """Milliseconds it takes to read."""
        seconds_on_grid = -(-self.characters * 1000 // (CHARACTERS_PER_SECOND * GRID_MS)) * GRID_MS
        return min(LONGEST_MS, max(SHORTEST_MS, seconds_on_grid))


def spans_of(said: Sequence[Said], *, gap: int, shots: Sequence[int], closing: int | None) -> list[Span]:
    """One span for each: 1 to 7 seconds, `gap` milliseconds apart or more, in order.

    Args:
        said: in order of their starts.
        gap: milliseconds.
        shots: milliseconds of the shot changes, rising.
        closing: when the recording ends, where that is known; only a cue that can have its second nowhere else goes past it.
    """
    starts = _starts(said, gap, closing)
    ends = _ends(said, starts, gap, closing)
    spans = [Span(start, end, cue.characters) for start, end, cue in zip(starts, ends, said, strict=True)]
    while shots and _moved_onto_shots(spans, gap, shots):
        pass
    return spans


def _starts(said: Sequence[Said], gap: int, closing: int | None) -> list[int]:
    """With the first word; earlier where it would be too short to read, a little later where the cue before would be; and behind that
    in any case."""
    starts: list[int] = []
    for place, cue in enumerate(said):
        limit = cue.start + LONGEST_MS
        if place + 1 < len(said):
            limit = said[place + 1].start - gap
        elif closing is not None:
            limit = min(limit, closing)
        spare = limit - cue.start - cue.needed
        lead, delay = min(LEAD_MS, max(0, -spare)), min(DELAY_MS, max(0, spare))
        earliest = read = 0
        if place:
            before = said[place - 1]
            earliest = starts[-1] + SHORTEST_MS + gap
            read = max(starts[-1] + before.needed, min(before.end, cue.start - gap)) + gap
        starts.append(max(earliest, min(cue.start + delay, max(read, cue.start - lead))))
    return starts


def _ends(said: Sequence[Said], starts: Sequence[int], gap: int, closing: int | None) -> list[int]:
    """After the last word and after the time it takes to read, but before the next cue."""
    ends: list[int] = []
    for place, (cue, start) in enumerate(zip(said, starts, strict=True)):
        latest = start + LONGEST_MS
        if place + 1 < len(said):
            latest = min(latest, starts[place + 1] - gap)
        if closing is not None:
            latest = min(latest, max(closing, start + SHORTEST_MS))
        end = min(latest, max(start + cue.needed, cue.end + LINGER_MS))
        next_follows = place + 1 < len(said) and latest == starts[place + 1] - gap
        ends.append(latest if next_follows and latest - end < FLICKER_MS else end)
    return ends


def _moved_onto_shots(spans: list[Span], gap: int, shots: Sequence[int]) -> bool:
    """Moves what can move; whether anything did. One edge makes room for its neighbour, and none that is on a shot change moves
    again: so this comes to an end."""
    moved = False
    for place, span in enumerate(spans):
        start = start_on_shot(spans, place, gap, shots)
        if start is not None:
            span.start, moved = start, True
        end = end_on_shot(spans, place, gap, shots)
        if end is not None:
            span.end, moved = end, True
    return moved
