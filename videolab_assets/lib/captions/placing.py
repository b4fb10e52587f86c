"""How high on the picture text stands: low, but off the faces, and never up and down for nothing."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from videolab_assets.lib.reframe.boxes import Box

PLACES = 9
COST_OF_FACE, COST_PER_HIT, COST_PER_FACE_COVERED = 3.0, 4.0, 8.0
COST_OF_HEADLINE = 20.0
COST_OF_MOVING, COST_OF_DISTANCE = 1.0, 0.5
COST_OF_HEIGHT = 0.3
"""Of a second spent at the far end of the safe area."""
REST = 0.7
"""Seconds without text after which moving is noticed half as much."""
SAMPLE_REACH = 0.2
"""Seconds before and after a cue in which faces keep it away: what moves in between two samples moves so far."""
NEAREST_SAMPLE = 1.0
"""Seconds around a cue in which the nearest sample speaks for it, where none was taken while it is on screen."""
COMFORT = 0.06
"""Share of its size by which text had better stay away from a face."""


class FaceTrack:
    """The faces that were sampled from the picture, by their times."""

    def __init__(self, faces: Sequence[tuple[float, Sequence[Box]]]) -> None:
        self._faces = sorted(faces, key=lambda sample: sample[0])
        self._times = [time for time, _ in self._faces]

    def during(self, start: float, end: float) -> list[Sequence[Box]]:
        """The faces of each sample from `start` to `end`."""
        first, last = bisect_left(self._times, start), bisect_right(self._times, end)
        if first == last:
            near = [place for place in (first - 1, first) if 0 <= place < len(self._times)]
            near = [place for place in near if start - NEAREST_SAMPLE <= self._times[place] <= end + NEAREST_SAMPLE]
            return [self._faces[place][1] for place in near[:1]]
        return [boxes for _, boxes in self._faces[first:last]]

    def covered_by(self, box: Box, start: float, end: float) -> bool:
        """Whether the box lies over part of any face then."""
        return any(box.overlap(face) > 0.0 for boxes in self.during(start, end) for face in boxes)


@dataclass(frozen=True)
class Wanted:
    """What is to be placed: when it is on screen (seconds), and its box for each place that it may stand in."""

    start: float
    end: float
    boxes: Sequence[Box]


@dataclass(frozen=True)
class Taken:
    """A part of the picture in which other text stands until `end`."""

    box: Box
    end: float


def places_of(wanted: Sequence[Wanted], faces: FaceTrack, taken: Taken | None) -> list[int]:
    """For each the place to stand in: the way of least cost through all of them (Viterbi), place 0 preferred.

    To cover a face costs more than to move away and back, and standing elsewhere for some seconds costs less than moving twice.
    """
    if not wanted:
        return []
    places = range(len(wanted[0].boxes))
    far = max(1, len(places) - 1)
    least = [_cost(wanted[0], place, far, faces, taken) for place in places]
    ways: list[list[int]] = []
    for before, one in pairwise(wanted):
        ease = 0.5 if one.start - before.end >= REST else 1.0
        reached = [[least[other] + _moving(other, place, far) * ease for other in places] for place in places]
        came_from = [costs.index(min(costs)) for costs in reached]
        least = [_cost(one, place, far, faces, taken) + min(reached[place]) for place in places]
        ways.append(came_from)
    chosen = [least.index(min(least))]
    for came_from in reversed(ways):
        chosen.append(came_from[chosen[-1]])
    return chosen[::-1]


def _cost(one: Wanted, place: int, far: int, faces: FaceTrack, taken: Taken | None) -> float:
    box = one.boxes[place]
    cost = COST_OF_HEIGHT * place / far * min(3.0, max(0.3, one.end - one.start))
    if taken and one.start < taken.end and box.overlap(taken.box) > 0.0:
        cost += COST_OF_HEADLINE
    samples = faces.during(one.start - SAMPLE_REACH, one.end + SAMPLE_REACH)
    covered = [max((_with_comfort(face).within(box) for face in boxes), default=0.0) for boxes in samples]
    hits = sum(share > 0.0 for share in covered)
    if hits:
        cost += COST_OF_FACE + COST_PER_HIT * hits / len(samples) + COST_PER_FACE_COVERED * sum(covered) / len(samples)
    return cost


def _with_comfort(face: Box) -> Box:
    wide, high = face.width * COMFORT, face.height * COMFORT
    return Box(face.x - wide, face.y - high, face.width + 2 * wide, face.height + 2 * high)


def _moving(one: int, other: int, far: int) -> float:
    return COST_OF_MOVING + COST_OF_DISTANCE * abs(one - other) / far if one != other else 0.0
