"""The same thing in several moments: boxes linked over time."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from videolab_assets.lib.reframe.boxes import Box

FASTEST = 3.0
"""Own widths a second that a thing may move between two moments and still be taken for the same."""
LONGEST_ABSENCE = 1.5
"""Seconds after which a thing that comes back somewhere else is another one."""


@dataclass
class Track:
    """One thing's boxes; `places` are indices of the moments in which it was found, `ranks` those of the box in its moment's list."""

    places: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    boxes: list[Box] = field(default_factory=list)
    ranks: list[int] = field(default_factory=list)

    def add(self, place: int, time: float, rank: int, box: Box) -> None:
        self.places.append(place)
        self.times.append(time)
        self.ranks.append(rank)
        self.boxes.append(box)

    @property
    def span(self) -> int:
        """Moments from the first to the last in which it was found, both included."""
        return self.places[-1] - self.places[0] + 1

    @property
    def mean_area(self) -> float:
        return sum(box.area for box in self.boxes) / len(self.boxes)

    def at(self, place: int, times: Sequence[float]) -> Box | None:
        """Its box at a moment between its first and its last, reckoned in a straight line where it was not found."""
        if not self.places[0] <= place <= self.places[-1]:
            return None
        after = next(index for index, known in enumerate(self.places) if known >= place)
        if self.places[after] == place:
            return self.boxes[after]
        before, first, last = after - 1, self.boxes[after - 1], self.boxes[after]
        share = (times[place] - self.times[before]) / (self.times[after] - self.times[before])
        return Box(*(a + (b - a) * share for a, b in zip(first, last, strict=True)))


def linked(times: Sequence[float], found: Sequence[Sequence[Box]], memory: float = math.inf) -> list[Track]:
    """Tracks through `found`, one list of boxes for each of `times`: of alike size, the nearest
    pairs first, and those before all others that were seen just now.

    A thing that was gone for longer than `LONGEST_ABSENCE` is the same only where it comes back in its old place, and one that was
    gone for more than `memory` seconds is another in any case.
    """
    tracks: list[Track] = []
    for place, (time, boxes) in enumerate(zip(times, found, strict=True)):
        pairs = sorted(
            (time - track.times[-1] > LONGEST_ABSENCE, distance, number, rank)
            for number, track in enumerate(tracks)
            if time - track.times[-1] <= memory
            for rank, box in enumerate(boxes)
            if (distance := _distance(track.boxes[-1], box, time - track.times[-1])) is not None
        )
        taken_tracks: set[int] = set()
        taken_boxes: set[int] = set()
        for _, _, number, rank in pairs:
            if number not in taken_tracks and rank not in taken_boxes:
                tracks[number].add(place, time, rank, boxes[rank])
                taken_tracks.add(number)
                taken_boxes.add(rank)
        for rank, box in enumerate(boxes):
            if rank not in taken_boxes:
                track = Track()
                track.add(place, time, rank, box)
                tracks.append(track)
    return tracks


def _distance(before: Box, now: Box, seconds: float) -> float | None:
    """How far `now` is from `before` in own sizes, or None if they can't be the same thing."""
    across, down = now.centre[0] - before.centre[0], now.centre[1] - before.centre[1]
    width, height = (before.width + now.width) / 2, (before.height + now.height) / 2
    if not 0.4 <= now.area / max(before.area, 1e-9) <= 2.5:
        return None
    distance = float(max(abs(across) / width, abs(down) / height))
    reach = 0.5 + FASTEST * seconds if seconds <= LONGEST_ABSENCE else 0.5
    return distance if distance <= reach else None
