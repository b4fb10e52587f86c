"""What one small picture tells without knowing what a person is: movement, what stands out, lines of text, sharpness."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib.reframe.boxes import Box

if TYPE_CHECKING:
    import cv2

Picture = NDArray[np.uint8]
Plane = NDArray[np.float32]

SMALL_SIDE = 120
SALIENCY_SIDE = 64
NEW_SCENE_CHANGE = 14.0
NEW_SCENE_LIKENESS = 0.6
MOVED = 14.0
"""Levels of 255 by which a point must have changed to count as moved."""
LEAST_MOVED, MOST_MOVED = 0.003, 0.45
"""Shares of the picture: below it is noise, above it is the camera or the light."""
TEXT_EVERY = 2
FARTHEST_PAN = 0.25
"""Share of the picture that a camera may move between two samples and be told from a cut."""


class Glance(NamedTuple):
    """What `SceneReader` tells of one moment; as in `Sample`, but for `new_scene`: nothing of the moment before is left."""

    new_scene: bool
    still: bool
    motion: Box | None
    saliency: Box | None
    wide_text: list[Box]
    sharpness: float
    brightness: float


class SceneReader:
    """Reads the moments of one clip in order."""

    def __init__(self) -> None:
        self._before: Plane | None = None
        self._number = -1
        self._text: list[Box] = []
        self._window: Plane | None = None

    def read(self, luma: Picture, chroma: tuple[Picture, Picture]) -> Glance:
        """One moment: `luma` uint8 of shape (height, width), `chroma` its U and V planes of half that size."""
        import cv2

        self._number += 1
        small = _plane(cv2.resize(luma, _size(luma, SMALL_SIDE), interpolation=cv2.INTER_AREA))
        new_scene, still, motion = True, False, None
        if self._before is not None and self._before.shape == small.shape:
            new_scene, still, motion = self._compared(self._before, small)
        self._before = small
        if new_scene or (not still and self._number % TEXT_EVERY == 0):
            self._text = text_lines(luma)
        _, deviation = cv2.meanStdDev(cv2.Laplacian(luma, cv2.CV_16S))
        return Glance(
            new_scene,
            still,
            motion,
            salient(luma, chroma),
            list(self._text),
            float(deviation[0, 0]) ** 2,
            float(small.mean()) / 255,
        )

    def _compared(self, before: Plane, now: Plane) -> tuple[bool, bool, Box | None]:
        """Whether `now` is another scene, whether nothing moves at all, and what moves beside the camera."""
        import cv2

        change = np.abs(now - before)
        if float(change.mean()) < 0.4:
            return False, True, _moved(change)
        if self._window is None:
            self._window = _plane(cv2.createHanningWindow((now.shape[1], now.shape[0]), cv2.CV_32F))
        (across, down), _ = cv2.phaseCorrelate(before, now, self._window)
        change = _beside_the_camera(before, now, (round(across), round(down)))
        alike = float(np.corrcoef(before.ravel(), now.ravel())[0, 1]) if before.std() > 1 and now.std() > 1 else 0.0
        new_scene = float(change.mean()) > NEW_SCENE_CHANGE and alike < NEW_SCENE_LIKENESS
        return new_scene, False, None if new_scene else _moved(change)


def _beside_the_camera(before: Plane, now: Plane, guess: tuple[int, int]) -> Plane:
    """What changed but for the camera's own movement: the shift by whole points that explains most, downhill from `guess` or none.

    Phase correlation alone is off by more than twice the shift in a smooth picture with something large that moves.
    """
    reach = round(FARTHEST_PAN * now.shape[1]), round(FARTHEST_PAN * now.shape[0])
    tried = {
        start: _change_after(before, now, *start) for start in ((0, 0), guess) if abs(start[0]) <= reach[0] and abs(start[1]) <= reach[1]
    }
    best = min(tried, key=lambda shift: (float(tried[shift].mean()), shift))
    while True:
        for x, y in ((best[0] - 1, best[1]), (best[0] + 1, best[1]), (best[0], best[1] - 1), (best[0], best[1] + 1)):
            if (x, y) not in tried and abs(x) <= reach[0] and abs(y) <= reach[1]:
                tried[x, y] = _change_after(before, now, x, y)
        better = min(tried, key=lambda shift: (float(tried[shift].mean()), shift))
        if better == best:
            return tried[best]
        best = better


def _change_after(before: Plane, now: Plane, across: int, down: int) -> Plane:
    """What changed but for the camera's own movement by whole points; the mean of it where the picture before does not reach."""
    height, width = now.shape
    rows = slice(max(0, down), height + min(0, down))
    columns = slice(max(0, across), width + min(0, across))
    known = np.abs(now[rows, columns] - before[max(0, -down) : height - max(0, down), max(0, -across) : width - max(0, across)])
    change = np.full(now.shape, known.mean(), np.float32)
    change[rows, columns] = known
    return change


def _moved(change: Plane) -> Box | None:
    """The box that holds nine tenths of what moved in each direction."""
    import cv2

    moved = cv2.GaussianBlur(change, (5, 5), 0) > MOVED
    share = float(moved.mean())
    if not LEAST_MOVED < share < MOST_MOVED:
        return None
    return _middle_of(np.asarray(moved, np.float32), 0.05)


def salient(luma: Picture, chroma: tuple[Picture, Picture]) -> Box | None:
    """What stands out: the spectral residual (Hou and Zhang, 2007) of the luma and of both colour planes, a little more in the middle."""
    import cv2

    size = _size(luma, SALIENCY_SIDE)
    total = np.zeros((size[1], size[0]), np.float32)
    for plane in (luma, *chroma):
        small = _plane(cv2.resize(plane, size, interpolation=cv2.INTER_AREA))
        contrast = float(small.std())
        if contrast < 2:
            continue
        spectrum = np.fft.fft2(small)
        amplitude = np.log(np.abs(spectrum) + 1e-6).astype(np.float32)
        residual = amplitude - _plane(cv2.blur(amplitude, (3, 3)))
        surprise = np.abs(np.fft.ifft2(np.exp(residual + 1j * np.angle(spectrum)))) ** 2
        smooth = _plane(cv2.GaussianBlur(surprise.astype(np.float32), (9, 9), 2.5))
        off_mean = _plane(cv2.GaussianBlur(np.abs(small - float(np.median(small))), (9, 9), 2.5))
        total += contrast * (smooth / max(float(smooth.max()), 1e-9) + off_mean / max(float(off_mean.max()), 1e-9))
    if not total.any():
        return None
    across, down = np.meshgrid(np.linspace(-1, 1, size[0], dtype=np.float32), np.linspace(-1, 1, size[1], dtype=np.float32))
    total *= 1 - 0.3 * np.maximum(np.abs(across), np.abs(down))
    outstanding = np.maximum(total - float(total.mean()) - float(total.std()), 0.0)
    return _middle_of(outstanding, 0.1) if outstanding.any() else None


def text_lines(luma: Picture) -> list[Box]:
    """Lines of text: strips of dense strokes in two tones, several times as wide as high, with calm above and below.

    Foliage and brickwork are dense too, but in many tones and without calm around them.
    """
    import cv2

    height, width = luma.shape
    strokes = cv2.morphologyEx(luma, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    edges = np.asarray(strokes > 60, np.uint8)
    joined = cv2.morphologyEx(edges, cv2.MORPH_CLOSE, np.ones((1, max(9, width // 32)), np.uint8))
    joined = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((3, max(9, width // 32)), np.uint8))
    count, _, boxes, _ = cv2.connectedComponentsWithStats(joined, connectivity=4)
    found = []
    for number in range(1, count):
        x, y, wide, high, area = (int(value) for value in boxes[number])
        if wide < 0.06 * width or high < 5 or high > 0.2 * height or wide < 2.5 * high or area < 0.5 * wide * high:
            continue
        if _is_text(luma[y : y + high, x : x + wide], edges, (x, y, wide, high)):
            found.append(Box(x / width, y / height, wide / width, high / height))
    return sorted(found)


def _is_text(strip: Picture, edges: Picture, place: tuple[int, int, int, int]) -> bool:
    """Whether a strip has two tones, strokes as dense as letters are, and calm above and below."""
    import cv2

    x, y, wide, high = place
    _, tones = cv2.threshold(np.ascontiguousarray(strip), 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    light = float(tones.mean())
    spread = float(strip.std()) ** 2
    if spread < 300 or not 0.03 < min(light, 1 - light) < 0.5:
        return False
    bright, dark = strip[tones > 0], strip[tones == 0]
    apart = light * (1 - light) * (float(bright.mean()) - float(dark.mean())) ** 2 / spread
    middle = tones[high // 4 : max(high // 4 + 1, high * 3 // 4)]
    strokes = float(np.mean(np.count_nonzero(np.diff(middle.astype(np.int8), axis=1), axis=1))) * high / wide
    rim = max(2, high // 3)
    above, below = edges[max(0, y - rim) : y, x : x + wide], edges[y + high : y + high + rim, x : x + wide]
    calm = max((float(part.mean()) for part in (above, below) if part.size), default=0.0)
    return apart > 0.65 and 0.7 < strokes < 6 and calm < 0.12


def _middle_of(weights: Plane, left_out: float) -> Box:
    """The box that leaves out that share of the weight on each of its sides."""
    height, width = weights.shape
    left, right = _quantiles(weights.sum(axis=0), left_out)
    top, bottom = _quantiles(weights.sum(axis=1), left_out)
    return Box(left / width, top / height, (right - left) / width, (bottom - top) / height)


def _quantiles(weights: Plane, share: float) -> tuple[int, int]:
    cumulated = np.cumsum(weights) / float(weights.sum())
    return int(np.searchsorted(cumulated, share)), int(np.searchsorted(cumulated, 1 - share)) + 1


def _size(luma: Picture, longer_side: int) -> tuple[int, int]:
    shrink = longer_side / max(luma.shape)
    return max(8, round(luma.shape[1] * shrink)), max(8, round(luma.shape[0] * shrink))


def _plane(array: "NDArray[np.generic] | cv2.typing.MatLike") -> Plane:
    return np.asarray(array, np.float32)
