"""People from head to foot, by OpenCV's HOG detector."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib.reframe.boxes import Box
from videolab_assets.lib.reframe.tracks import linked

if TYPE_CHECKING:
    import cv2

Picture = NDArray[np.uint8]

LARGE_EVERY, SMALL_EVERY = 2, 5
"""Samples from one search for people who fill the picture's height to the next, and for smaller ones, which is twice as dear."""
LARGE_SIDE, SMALL_SIDE = 240, 480
BORDER = 0.3
"""Of the height, above and below, with the edge's own pixels. The detector was trained on people with a sixth of their height
around them: without a border it finds none whose head and feet are near the picture's edges (27 of 50 moments instead of 3)."""
LEAST_SCORE = 0.3
LEAST_MEAN_SCORE = 0.6
LEAST_HITS = 4
LEAST_SHARE_OF_HITS = 0.25
"""Of the moments from a person's first to last: every second one is searched."""
LONGEST_GAP = 3.0
"""Seconds without a hit that may be filled in."""


class HogPeople:
    """Searches the samples of one clip in turn for large and small people."""

    def __init__(self) -> None:
        self._detector: cv2.HOGDescriptor | None = None
        self._number = -1

    def find(self, luma: Picture, new_scene: bool) -> list[tuple[Box, float]] | None:
        """People in `luma`, uint8 of shape (height, width), each with the detector's score; None where it was not looked."""
        self._number = 0 if new_scene else self._number + 1
        large, small = self._number % LARGE_EVERY == 0, self._number % SMALL_EVERY == 1
        if not large and not small:
            return None
        side, border = (LARGE_SIDE, BORDER) if large else (SMALL_SIDE, 0.0)
        return self._people(luma, side, border)

    def _people(self, luma: Picture, side: int, border: float) -> list[tuple[Box, float]]:
        import cv2

        if self._detector is None:
            self._detector = cv2.HOGDescriptor()
            self._detector.setSVMDetector(np.asarray(cv2.HOGDescriptor.getDefaultPeopleDetector()))
        shrink = side / max(luma.shape)
        width, height = round(luma.shape[1] * shrink), round(luma.shape[0] * shrink)
        small = cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA)
        rim = round(height * border)
        framed = cv2.copyMakeBorder(small, rim, rim, rim // 2, rim // 2, cv2.BORDER_REPLICATE)
        if framed.shape[0] < 128 or framed.shape[1] < 64:
            return []
        boxes, scores = self._detector.detectMultiScale(framed, hitThreshold=LEAST_SCORE, winStride=(8, 8), scale=1.06)
        people = []
        for (x, y, wide, high), score in sorted(zip(np.reshape(boxes, (-1, 4)).tolist(), np.ravel(scores).tolist(), strict=True)):
            # The detector's window holds the person in its middle: about half its width and four fifths of its height.
            left, right = x - rim // 2 + 0.2 * wide, x - rim // 2 + 0.8 * wide
            top, bottom = y - rim + 0.07 * high, y - rim + 0.95 * high
            left, right = max(0.0, left / width), min(1.0, right / width)
            top, bottom = max(0.0, top / height), min(1.0, bottom / height)
            if right > left and bottom > top:
                people.append((Box(left, top, right - left, bottom - top), score))
        return _strongest(people)


def believed(times: Sequence[float], found: Sequence[list[tuple[Box, float]] | None], scenes: Sequence[int]) -> list[list[Box]]:
    """For each moment the people that are real, as in `faces.believed`; None in `found` where it was not looked."""
    kept: list[list[Box]] = [[] for _ in times]
    for scene in sorted(set(scenes)):
        members = [index for index, number in enumerate(scenes) if number == scene]
        clock = [times[index] for index in members]
        hits = [found[index] or [] for index in members]
        for track in linked(clock, [[box for box, _ in hit] for hit in hits], LONGEST_GAP):
            scores = [hits[place][rank][1] for place, rank in zip(track.places, track.ranks, strict=True)]
            too_few = len(scores) < max(min(LEAST_HITS, 1 + len(members) // LARGE_EVERY), LEAST_SHARE_OF_HITS * track.span)
            if too_few or sum(scores) / len(scores) < LEAST_MEAN_SCORE:
                continue
            for place in range(track.places[0], track.places[-1] + 1):
                box = track.at(place, clock)
                if box is not None and not any(_same(box, other) for other in kept[members[place]]):
                    kept[members[place]].append(box)
    return kept


def _strongest(people: list[tuple[Box, float]]) -> list[tuple[Box, float]]:
    """Without those that share half of their area with a stronger one."""
    kept: list[tuple[Box, float]] = []
    for box, score in sorted(people, key=lambda one: (-one[1], one[0])):
        if not any(_same(box, other) for other, _ in kept):
            kept.append((box, score))
    return kept


def _same(one: Box, other: Box) -> bool:
    return one.overlap(other) > 0.5 * min(one.area, other.area)
