"""A camera's path along one axis: as smooth as can be while the subject stays in view."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Line = NDArray[np.float64]

STEP = 0.1
"""Seconds between two points of a path before it is simplified."""
MOST_POINTS = 300
STIFFNESSES = (6.0, 4.0, 2.7, 1.8, 1.2, 0.8, 0.55, 0.35, 0.25)
"""Seconds over which the path may bend; the first that keeps the subject in view is taken."""
ROUNDS = 80
CALM = 0.30
"""Share of what is shown that a subject may wander through while the camera stands still."""
DEAD_ZONE = 0.10
"""Share of what is shown that a subject may be off its place before a moving camera minds: a nodding head moves nothing."""
FASTEST = 0.6
"""Shares of the frame a second. A camera that whips round is worse than a subject that leaves the picture."""
HARDEST = 2.5
"""Shares of the frame a second, per second."""
WORTH = 0.015
"""Share of moments that a more nervous path must win to be taken: detectors err as often."""
LONGEST_GLIDE = 2.0
"""Seconds without the subject that the path crosses evenly; through longer ones it waits, and moves in the last second."""
TOLERANCE = 0.0008
"""Share of the frame by which a simplified path may differ: 1.5 pixels of 1920."""


@dataclass(frozen=True)
class Wish:
    """Where the near edge of what is shown should be at a time: at `ideal`, and surely between `lowest` and `highest`."""

    time: float
    lowest: float
    ideal: float
    highest: float
    weight: float = 1.0


def still_place(wishes: Sequence[Wish], size: float, least: float, most: float) -> float | None:
    """The place between `least` and `most` that suits all `wishes` at once; None where the subject moves too much for any.

    One moment in fifty may be cut: detectors err.
    """
    ideals = np.array([wish.ideal for wish in wishes])
    if float(np.quantile(ideals, 0.97) - np.quantile(ideals, 0.03)) > CALM * size:
        return None
    lowest = float(np.quantile([wish.lowest for wish in wishes], 0.98))
    highest = float(np.quantile([wish.highest for wish in wishes], 0.02))
    if lowest > highest:
        return None
    return float(np.clip(np.clip(np.median(ideals), lowest, highest), least, most))


def followed(
    wishes: Sequence[Wish], start: float, end: float, size: float, least: float, most: float
) -> tuple[list[tuple[float, float]], float]:
    """The path from `start` to `end` as times and places between `least` and `most`, and the share of `wishes` that it grants.

    It minimises the squared acceleration plus, weighted, the squared distance from the zone around each wish in which the camera
    does not mind. The whole shot is solved at once, so the path neither lags nor settles late, and reaches back to the shot's first
    frame. Of several stiffnesses within `FASTEST` and `HARDEST` the greatest is taken that does about as well as the best.
    """
    count = int(min(MOST_POINTS, max(2, round((end - start) / STEP) + 1)))
    times = np.linspace(start, end, count)
    low, high, weights = _zones(wishes, times, size, least, most)
    step = times[1] - times[0]
    paths: list[tuple[Line, float, float]] = []
    for stiffness in STIFFNESSES:
        smoothing = _smoothing(weights, (stiffness / step) ** 4)
        place = np.einsum("ij,j->i", smoothing, (low + high) / 2)
        for _ in range(ROUNDS):
            place = np.einsum("ij,j->i", smoothing, np.clip(place, low, high))
        place = np.clip(place, least, most)
        excess = max(float(np.max(np.abs(np.diff(place)), initial=0.0)) / step / FASTEST, _force(place, step) / HARDEST)
        if excess > 1 and paths:
            break
        if excess > 1:
            # Even a straight line is too fast: shorter, it stays in the middle of what the subject wants.
            place = place.mean() + (place - place.mean()) / excess
        near = float(np.mean(np.maximum(low - place, place - high) < DEAD_ZONE * size))
        paths.append((place, _granted(wishes, times, place), near))
        if paths[-1][1:] == (1.0, 1.0):
            break
    enough = max(share + near for _, share, near in paths) - WORTH
    place, share, _ = next(path for path in paths if path[1] + path[2] >= enough)
    return _simplified(times, place), share


def _smoothing(weights: Line, stiffness: float) -> Line:
    """The matrix that turns wanted places into the path of least weighted squared distance and `stiffness` times squared bends.

    That is (W + s BᵀB)⁻¹ W with B the second differences, by elimination in the matrix's five diagonals. A general solver does the
    same in three times the steps, with threads that spin while they wait and a last bit that depends on the machine.
    """
    count = len(weights)
    main, next_one, next_two = weights.copy(), np.zeros(count), np.zeros(count)
    for offset, weight in ((0, 1.0), (1, 4.0), (2, 1.0)):
        main[offset : count - 2 + offset] += stiffness * weight
    next_one[: count - 2] -= 2 * stiffness
    next_one[1 : count - 1] -= 2 * stiffness
    next_two[: count - 2] += stiffness
    rows = np.diag(weights)
    for row in range(count):
        for ahead, factor in ((1, next_one[row] / main[row]), (2, next_two[row] / main[row])):
            if row + ahead < count:
                rows[row + ahead] -= factor * rows[row]
        if row + 1 < count:
            main[row + 1] -= next_one[row] ** 2 / main[row]
            next_one[row + 1] -= next_one[row] * next_two[row] / main[row]
        if row + 2 < count:
            main[row + 2] -= next_two[row] ** 2 / main[row]
    for row in reversed(range(count)):
        if row + 1 < count:
            rows[row] -= next_one[row] * rows[row + 1]
        if row + 2 < count:
            rows[row] -= next_two[row] * rows[row + 2]
        rows[row] /= main[row]
    return rows


def _zones(wishes: Sequence[Wish], times: Line, size: float, least: float, most: float) -> tuple[Line, Line, Line]:
    """For each of `times` between what the place may be, and how much that counts."""
    known = np.array([wish.time for wish in wishes])
    slack = DEAD_ZONE * size
    ideals = _without_spikes(np.array([wish.ideal for wish in wishes]))
    lowest = np.maximum(ideals - slack, np.minimum([wish.lowest for wish in wishes], ideals))
    highest = np.minimum(ideals + slack, np.maximum([wish.highest for wish in wishes], ideals))
    points = list(zip(known, lowest, highest, (wish.weight for wish in wishes), strict=True))
    waited = [points[0]]
    for before, after in pairwise(points):
        if after[0] - before[0] > LONGEST_GLIDE:
            waited.append((after[0] - LONGEST_GLIDE / 2, before[1], before[2], min(before[3], 0.3)))
        waited.append(after)
    at, lows, highs, weights = (np.array(column) for column in zip(*waited, strict=True))
    return (
        np.clip(np.interp(times, at, lows), least, most),
        np.clip(np.interp(times, at, highs), least, most),
        np.interp(times, at, weights),
    )


def _without_spikes(values: Line) -> Line:
    """A median of three: one wrong box does not pull the camera."""
    if len(values) < 3:
        return values
    return np.concatenate([values[:1], np.median(np.stack([values[:-2], values[1:-1], values[2:]]), axis=0), values[-1:]])


def _force(place: Line, step: float) -> float:
    """The greatest acceleration, in shares of the frame a second per second."""
    return float(np.max(np.abs(np.diff(place, 2)), initial=0.0)) / step**2


def _granted(wishes: Sequence[Wish], times: Line, place: Line) -> float:
    at = np.interp([wish.time for wish in wishes], times, place)
    granted = [wish.lowest - 1e-6 <= where <= wish.highest + 1e-6 for wish, where in zip(wishes, at, strict=True)]
    return sum(granted) / len(granted)


def _simplified(times: Line, places: Line) -> list[tuple[float, float]]:
    """Without the points that a straight line between the others passes within `TOLERANCE` (Douglas and Peucker, 1973)."""
    kept = {0, len(times) - 1}
    pending = [(0, len(times) - 1)]
    while pending:
        first, last = pending.pop()
        if last - first < 2:
            continue
        inner = slice(first + 1, last)
        line = np.interp(times[inner], times[[first, last]], places[[first, last]])
        off = np.abs(places[inner] - line)
        worst = int(off.argmax())
        if off[worst] > TOLERANCE:
            middle = first + 1 + worst
            kept.add(middle)
            pending += [(first, middle), (middle, last)]
    return [(float(times[index]), float(places[index])) for index in sorted(kept)]
