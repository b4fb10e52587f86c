"""Faces in a clip's small pictures: OpenCV's Haar cascades, or a YuNet model where one is named."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.reframe.boxes import Box
from videolab_assets.lib.reframe.tracks import LONGEST_ABSENCE, linked

if TYPE_CHECKING:
    import cv2

Picture = NDArray[np.uint8]
Pixels = tuple[float, float, float, float]
"""Left, top, width, height."""

SMALLEST_FACE = 22
"""Pixels of 480: a twentieth of the width. The cost of a search over the whole picture grows with the square of what is smaller."""
SEARCH_EVERY = 5
SEARCH_EVERY_WHILE_THERE_ARE_FACES = 10
LET_GO_AFTER = 5
"""Samples without a hit after which a face is no longer looked for in its place."""
LEAST_HITS = 3
LEAST_SHARE_OF_HITS = 0.4
LEAST_SHARE_AGREED = 0.2
LEAST_PROFILE_HITS = 5
_COMFORTABLE = 40
"""Pixels of a face that is searched for again in its place: cascades were trained on 20."""


@dataclass(frozen=True)
class Face:
    """What a cascade took for a face.

    Attributes:
        box: as shares of the frame.
        frontal: found by a cascade for faces from the front.
        agreed: two other cascades, trained apart, see one there too.
    """

    box: Box
    frontal: bool
    agreed: bool


@dataclass
class _Held:
    """A face that is looked for near where it was."""

    box: Pixels
    misses: int = 0


class HaarFaces:
    """Faces by Haar cascades: the whole picture is searched about once a second, and in between the surroundings of known faces.

    A cascade alone sees faces in foliage and brickwork, and a still picture's texture fools it in every moment alike, so each hit notes
    whether two others agree; `believed` weighs that. One object for one clip: it remembers.
    """

    def __init__(self) -> None:
        self._cascades: dict[str, cv2.CascadeClassifier] = {}
        self._held: list[_Held] = []
        self._since_search = SEARCH_EVERY_WHILE_THERE_ARE_FACES
        self._turn = 0

    def find(self, luma: Picture, bgr: Picture | None, new_scene: bool) -> list[Face]:
        """Faces in `luma`, uint8 of shape (height, width); `bgr` is not used."""
        if new_scene:
            self._held, self._since_search = [], SEARCH_EVERY_WHILE_THERE_ARE_FACES
        found = self._again(luma)
        self._since_search += 1
        if self._since_search >= (SEARCH_EVERY_WHILE_THERE_ARE_FACES if self._held else SEARCH_EVERY):
            self._since_search = 0
            found += self._anew(luma, found)
        height, width = luma.shape
        return [
            Face(Box(x / width, y / height, w / width, h / height), frontal, frontal and self._agreed(luma, (x, y, w, h)))
            for (x, y, w, h), frontal in found
        ]

    def _again(self, luma: Picture) -> list[tuple[Pixels, bool]]:
        """The faces that were there before, near their places."""
        found: list[tuple[Pixels, bool]] = []
        for held in list(self._held):
            match = self._near(luma, held.box)
            if match is None:
                held.misses += 1
                if held.misses > LET_GO_AFTER:
                    self._held.remove(held)
            elif any(_same(match[0], other) for other, _ in found):
                self._held.remove(held)
            else:
                held.box, held.misses = match[0], 0
                found.append(match)
        return found

    def _anew(self, luma: Picture, known: Sequence[tuple[Pixels, bool]]) -> list[tuple[Pixels, bool]]:
        """Faces that were not there before, anywhere; profiles, which are dearer, only larger ones and in each direction in turn."""
        found = [(box, True) for box in self._matches("frontalface_alt2", luma, SMALLEST_FACE, 1.15, 3)]
        if not found and not known:
            self._turn += 1
            mirrored = bool(self._turn % 2)
            picture = np.ascontiguousarray(luma[:, ::-1]) if mirrored else luma
            profiles = self._matches("profileface", picture, 2 * SMALLEST_FACE, 1.2, 4)
            found = [(_mirrored(box, luma.shape[1]) if mirrored else box, False) for box in profiles]
        new = [one for one in found if not any(_same(one[0], other) for other, _ in known)]
        new = [one for one in new if not any(_same(one[0], held.box) for held in self._held)]
        self._held += [_Held(box) for box, _ in new]
        return new

    def _near(self, luma: Picture, box: Pixels) -> tuple[Pixels, bool] | None:
        """The face within 0.6 of its size around `box`, from the front or else from a side, and whether from the front."""
        import cv2

        part, left, top = _around(luma, box, 0.6)
        scale = _COMFORTABLE / box[2]
        size = max(8, round(part.shape[1] * scale)), max(8, round(part.shape[0] * scale))
        scaled = _picture(cv2.resize(part, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR))
        smallest, largest = round(0.7 * _COMFORTABLE), round(1.45 * _COMFORTABLE)
        frontal = self._matches("frontalface_alt2", scaled, smallest, 1.1, 2, largest)
        found = frontal or self._matches("profileface", scaled, smallest, 1.1, 2, largest)
        if not found:
            other_way = np.ascontiguousarray(scaled[:, ::-1])
            found = [_mirrored(one, scaled.shape[1]) for one in self._matches("profileface", other_way, smallest, 1.1, 2, largest)]
        if not found:
            return None
        middle = (box[0] + box[2] / 2 - left) * scale, (box[1] + box[3] / 2 - top) * scale
        x, y, width, height = min(found, key=lambda one: (abs(one[0] + one[2] / 2 - middle[0]) + abs(one[1] + one[3] / 2 - middle[1]), one))
        return (left + x / scale, top + y / scale, width / scale, height / scale), bool(frontal)

    def _agreed(self, luma: Picture, box: Pixels) -> bool:
        """Whether two other cascades find a face in `box` and a third of its size around it, enlarged."""
        import cv2

        part, _, _ = _around(luma, box, 1 / 3)
        enlarged = _picture(cv2.resize(part, (96, max(40, round(96 * part.shape[0] / part.shape[1]))), interpolation=cv2.INTER_CUBIC))
        return bool(self._matches("frontalface_default", enlarged, 40, 1.15, 3)) and bool(
            self._matches("frontalface_alt_tree", enlarged, 40, 1.15, 1)
        )

    def _matches(self, name: str, luma: Picture, smallest: int, step: float, neighbours: int, largest: int = 0) -> list[Pixels]:
        import cv2
        import cv2.data

        if name not in self._cascades:
            self._cascades[name] = cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_{name}.xml")
        found = self._cascades[name].detectMultiScale(
            luma, scaleFactor=step, minNeighbors=neighbours, minSize=(smallest, smallest), maxSize=(largest, largest)
        )
        return sorted((float(x), float(y), float(width), float(height)) for x, y, width, height in found)


class YuNetFaces:
    """Faces by a YuNet model in ONNX, which is neither gullible nor blind to profiles: each of its hits counts as agreed.

    Args:
        model: the ONNX file.

    Raises:
        PermanentError: OpenCV cannot use the file.
    """

    def __init__(self, model: Path) -> None:
        import cv2

        try:
            self._detector = cv2.FaceDetectorYN.create(str(model), "", (320, 320), 0.7, 0.3, 50)
        except cv2.error as problem:
            raise PermanentError(f"{model.name} is not a YuNet face detector that OpenCV can use.", str(problem)) from problem
        self._size = (320, 320)

    def find(self, luma: Picture, bgr: Picture | None, new_scene: bool) -> list[Face]:
        """Faces in `bgr`, uint8 of shape (height, width, 3); the others are not used."""
        if bgr is None:
            return []
        height, width = bgr.shape[:2]
        if self._size != (width, height):
            self._detector.setInputSize((width, height))
            self._size = (width, height)
        rows = self._detector.detect(bgr)[1]
        boxes = [] if rows is None else [tuple(map(float, row[:4])) for row in rows]
        return [Face(Box(x / width, y / height, w / width, h / height), True, True) for x, y, w, h in boxes]


def believed(times: Sequence[float], found: Sequence[Sequence[Face]], scenes: Sequence[int]) -> list[list[Box]]:
    """For each moment the faces that are real, those included that are missing only for a moment between two sightings.

    Args:
        times: seconds of the moments.
        found: what was found in each.
        scenes: a number for each moment that changes where the scene does: nothing is linked across.
    """
    kept: list[list[Box]] = [[] for _ in times]
    for scene in sorted(set(scenes)):
        members = [index for index, number in enumerate(scenes) if number == scene]
        clock = [times[index] for index in members]
        for track in linked(clock, [[face.box for face in found[index]] for index in members], LONGEST_ABSENCE):
            faces = [found[members[place]][rank] for place, rank in zip(track.places, track.ranks, strict=True)]
            if _is_believed(faces, track.span, len(members)):
                for place in range(track.places[0], track.places[-1] + 1):
                    box = track.at(place, clock)
                    if box is not None and not any(box.likeness(other) > 0.3 for other in kept[members[place]]):
                        kept[members[place]].append(box)
    return kept


def _is_believed(faces: Sequence[Face], span: int, moments: int) -> bool:
    """Whether the hits of one track, over `span` moments of a scene of `moments`, are a face."""
    if len(faces) < min(LEAST_HITS, moments) or len(faces) < LEAST_SHARE_OF_HITS * span:
        return False
    frontal = sum(face.frontal for face in faces)
    agreed = sum(face.agreed for face in faces)
    if frontal == 0:
        return len(faces) >= LEAST_PROFILE_HITS and len(faces) >= 0.7 * span
    return agreed >= max(1.0, LEAST_SHARE_AGREED * frontal)


def _same(one: Pixels, other: Pixels) -> bool:
    shared = Box(*one).overlap(Box(*other))
    return shared > 0.4 * min(one[2] * one[3], other[2] * other[3])


def _mirrored(box: Pixels, columns: int) -> Pixels:
    return columns - box[0] - box[2], box[1], box[2], box[3]


def _around(luma: Picture, box: Pixels, share: float) -> tuple[Picture, int, int]:
    """The part of `luma` within `box` and `share` of its size on every side, with its left and top."""
    x, y, width, height = box
    left, top = max(0, round(x - width * share)), max(0, round(y - height * share))
    part = luma[top : round(y + height * (1 + share)), left : round(x + width * (1 + share))]
    return np.ascontiguousarray(part), left, top


def _picture(array: "NDArray[np.generic] | cv2.typing.MatLike") -> Picture:
    """OpenCV's stubs do not say that bytes in are bytes out."""
    return np.asarray(array, np.uint8)
