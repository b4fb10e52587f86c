"""What single pictures of a video tell: how sharp and bright it is and whether faces are in it; its thumbnail and its storyboard."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict

import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib.errors import PermanentError

if TYPE_CHECKING:
    import cv2

MOST_STILLS = 900
MOST_TILES = 150
TILE_COLUMNS = 10
TILE_WIDTH = 160
TILE_HIGHEST = 284
STORYBOARD_NAME = "storyboard.jpg"

_MEASURED_SIDE = 640
_FACE_SIDE = 240
_SMALLEST_FACE = 24
_SAME_PICTURE = 1.0
_LEAST_RANGE = 32

Picture = NDArray[np.uint8]
Box = tuple[int, int, int, int]
"""Left, top, width, height in the small picture that faces are looked for in."""


@dataclass(frozen=True)
class StillScore:
    """What was measured of the still at `time` seconds.

    Attributes:
        sharpness: variance of the Laplacian of the luma at 640 pixels on the longer side; below about 20 blurred or flat.
        brightness: mean luma, 0..1.
        contrast: standard deviation of the luma, 0..0.5.
        faces: faces at least a tenth as wide as the picture's longer side.
        face_area: share of the picture that they cover, 0..1.
    """

    time: float
    sharpness: float
    brightness: float
    contrast: float
    faces: int
    face_area: float


class ChosenStill(NamedTuple):
    """The thumbnail: a JPEG of `width` x `height` pixels, shown at `time` seconds; `score` 0..1, `contrast` as in `StillScore`."""

    time: float
    jpeg: bytes
    width: int
    height: int
    score: float
    contrast: float
    faces: int


class SheetLayout(TypedDict):
    """How a storyboard's tiles lie: row by row; `interval` in seconds between tiles, sizes in pixels."""

    interval: float
    tiles: int
    columns: int
    rows: int
    tile_width: int
    tile_height: int


class Sheet(NamedTuple):
    """A storyboard: one JPEG, and WebVTT that names it as `storyboard.jpg#xywh=` for each stretch of time."""

    jpeg: bytes
    vtt: str
    layout: SheetLayout


def interval_for(duration: float) -> float:
    """Seconds between the stills of a video: 1 up to 15 minutes, then in tenths so that there are at most 900."""
    return max(1.0, math.ceil(duration / MOST_STILLS * 10) / 10)


class StillReader:
    """Reads the stills of one video in order; keeps the best one whole, the others as tiles and numbers.

    Sets OpenCV's process-wide thread count to one: pictures this small gain nothing from threads and lose CPU to them.

    Args:
        width, height: of the stills, in pixels.
        duration: of the video in seconds.
        interval: seconds between stills (see `interval_for`).
    """

    def __init__(self, width: int, height: int, duration: float, interval: float) -> None:
        import cv2

        cv2.setNumThreads(1)
        self._width, self._height = width, height
        self._duration, self._interval = duration, interval
        shrink = min(TILE_WIDTH / width, TILE_HIGHEST / height)
        self._tile_size = max(2, round(width * shrink)), max(2, round(height * shrink))
        self._every = max(1, math.ceil((duration / interval + 1) / MOST_TILES))
        self._tiles: list[tuple[float, Picture]] = []
        self._faces = _FaceFinder()
        self._best: tuple[float, StillScore, Picture] | None = None
        self._scores: list[StillScore] = []

    @property
    def scores(self) -> list[StillScore]:
        """One for each still fed, in order."""
        return self._scores

    def feed(self, time: float, bgr: Picture) -> None:
        """Takes the still at `time` seconds: uint8 of shape (height, width, 3), blue first. It may be overwritten afterwards."""
        import cv2

        medium = _shrunk(bgr, _MEASURED_SIDE)
        luma = _picture(cv2.cvtColor(medium, cv2.COLOR_BGR2GRAY))
        mean, deviation = cv2.meanStdDev(luma)
        _, edges = cv2.meanStdDev(cv2.Laplacian(luma, cv2.CV_16S))
        small = _shrunk(luma, _FACE_SIDE)
        faces = self._faces.find(small)
        still = StillScore(
            time=time,
            sharpness=float(edges[0, 0]) ** 2,
            brightness=float(mean[0, 0]) / 255,
            contrast=float(deviation[0, 0]) / 255,
            faces=len(faces),
            face_area=min(1.0, sum(width * height for _, _, width, height in faces) / small.size),
        )
        merit = _merit(still, self._duration, self._faces.facing)
        if self._best is None or merit > self._best[0]:
            self._best = (merit, still, bgr.copy())
        if len(self._scores) % self._every == 0:
            self._tiles.append((time, _picture(cv2.resize(medium, self._tile_size, interpolation=cv2.INTER_AREA))))
            if len(self._tiles) > MOST_TILES:
                self._tiles = self._tiles[::2]
                self._every *= 2
        self._scores.append(still)

    def thumbnail(self) -> ChosenStill:
        """The best still: sharp, well exposed, neither black nor flat, with a face if there is one.

        Raises:
            PermanentError: no still was fed.
        """
        if self._best is None:
            raise _no_picture()
        merit, still, picture = self._best
        return ChosenStill(still.time, _jpeg(picture, 88), self._width, self._height, merit, still.contrast, still.faces)

    def storyboard(self) -> Sheet:
        """At most 150 tiles, spread evenly over the video.

        Raises:
            PermanentError: no still was fed.
        """
        if not self._tiles:
            raise _no_picture()
        width, height = self._tile_size
        columns = min(TILE_COLUMNS, len(self._tiles))
        rows = -(-len(self._tiles) // columns)
        sheet = np.zeros((rows * height, columns * width, 3), np.uint8)
        starts = [0.0, *(time for time, _ in self._tiles[1:])]
        ends = [*starts[1:], max(self._duration, self._tiles[-1][0] + 0.001)]
        cues = ["WEBVTT\n"]
        for place, (_, tile) in enumerate(self._tiles):
            left, top = place % columns * width, place // columns * height
            sheet[top : top + height, left : left + width] = tile
            times = f"{_timestamp(starts[place])} --> {_timestamp(ends[place])}"
            cues.append(f"{times}\n{STORYBOARD_NAME}#xywh={left},{top},{width},{height}\n")
        layout = SheetLayout(
            interval=self._interval * self._every,
            tiles=len(self._tiles),
            columns=columns,
            rows=rows,
            tile_width=width,
            tile_height=height,
        )
        return Sheet(_jpeg(sheet, 75), "\n".join(cues), layout)


class _FaceFinder:
    """Faces in small grey pictures, in order, by OpenCV's Haar cascades.

    One cascade alone sees faces in foliage and brickwork, and two still see one in a drawn satellite above a smiling wave, so a face
    counts only where a second and a third one, trained apart, agree. Faces in
    profile are looked for, and believed, only where the still before had a face: that cascade is the slowest and the most gullible.
    """

    def __init__(self) -> None:
        self._cascades: dict[str, cv2.CascadeClassifier] = {}
        self.facing = False
        self._before: list[Box] = []
        self._seen: Picture | None = None

    def find(self, luma: Picture) -> list[Box]:
        """The faces in `luma`, which is at most 240 pixels on the longer side."""
        import cv2

        if self._seen is not None and cv2.norm(luma, self._seen, cv2.NORM_L1) < _SAME_PICTURE * luma.size:
            return self._before
        self._seen = luma
        if min(luma.shape) < _SMALLEST_FACE or int(luma.max()) - int(luma.min()) < _LEAST_RANGE:
            self._before, self.facing = [], False
            return []
        even = _picture(cv2.equalizeHist(luma))
        found = [box for box in self._matches("frontalface_alt2", even) if self._agreed(even, box)]
        self.facing = bool(found)
        if self._before and not found:
            found = [box for known in self._before for box in self._turned(even, known)[:1]]
        self._before = found
        return found

    def _agreed(self, luma: Picture, box: Box) -> bool:
        """Whether two other cascades find a face in `box` and a third of its size around it, enlarged."""
        import cv2

        around, _, _ = _around(luma, box, 1 / 3)
        enlarged = _picture(cv2.resize(around, (96, round(96 * around.shape[0] / around.shape[1])), interpolation=cv2.INTER_CUBIC))
        return all(
            self._matches(name, enlarged, 40, neighbours) for name, neighbours in (("frontalface_default", 3), ("frontalface_alt_tree", 1))
        )

    def _turned(self, luma: Picture, box: Box) -> list[Box]:
        """Faces in profile near `box`, those that look to one side, else those that look to the other: the cascade knows one."""
        around, left, top = _around(luma, box, 2 / 3)
        columns = around.shape[1]
        found = self._matches("profileface", around)
        if not found:
            mirrored = self._matches("profileface", np.ascontiguousarray(around[:, ::-1]))
            found = [(columns - across - width, down, width, height) for across, down, width, height in mirrored]
        return [(left + across, top + down, width, height) for across, down, width, height in found]

    def _matches(self, name: str, luma: Picture, smallest: int = _SMALLEST_FACE, neighbours: int = 3) -> list[Box]:
        import cv2
        import cv2.data

        if name not in self._cascades:
            # One set for each reader: a cascade keeps state while it looks, and several videos may be read at once.
            self._cascades[name] = cv2.CascadeClassifier(f"{cv2.data.haarcascades}haarcascade_{name}.xml")
        boxes = self._cascades[name].detectMultiScale(luma, scaleFactor=1.15, minNeighbors=neighbours, minSize=(smallest, smallest))
        return [(int(left), int(top), int(width), int(height)) for left, top, width, height in boxes]


def _around(luma: Picture, box: Box, share: float) -> tuple[Picture, int, int]:
    """The part of `luma` within `box` and `share` of its size on every side, with its left and top."""
    left, top, width, height = box
    across, down = round(width * share), round(height * share)
    first_column, first_row = max(0, left - across), max(0, top - down)
    return luma[first_row : top + height + down, first_column : left + width + across], first_column, first_row


def _merit(still: StillScore, duration: float, facing: bool) -> float:
    """How well a still would do as the thumbnail, 0..1; plain black, white or flat ones near 0, a face (`facing` the camera) before none.

    Sharpness counts up to a point: beyond it, it is texture and noise. The first and last twentieth of a video are titles and fades.
    """
    detail = min(1.0, math.log1p(still.sharpness) / math.log1p(600))
    depth = min(1.0, still.contrast / 0.18)
    exposure = min(1.0, max(0.0, (0.5 - abs(still.brightness - 0.5)) / 0.3))
    looks = (0.45 * detail + 0.3 * depth + 0.25 * exposure) * min(1.0, depth * 4) * min(1.0, exposure * 2)
    if not 0.05 * duration <= still.time <= 0.95 * duration:
        looks *= 0.85
    face = (0.6 if facing else 0.3) + 0.4 * min(1.0, still.face_area / 0.08) if still.faces else 0.0
    return 0.6 * looks + 0.4 * face * min(1.0, 2 * looks)


def _shrunk(picture: Picture, longer_side: int) -> Picture:
    """`picture` averaged down to at most `longer_side` pixels on its longer side, never enlarged."""
    import cv2

    height, width = picture.shape[:2]
    shrink = longer_side / max(width, height)
    if shrink >= 1:
        return picture
    size = max(1, round(width * shrink)), max(1, round(height * shrink))
    return _picture(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))


def _picture(array: NDArray[Any]) -> Picture:
    """OpenCV's stubs do not say that bytes in are bytes out."""
    return np.asarray(array, np.uint8)


def _jpeg(picture: Picture, quality: int) -> bytes:
    import cv2

    written, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1])
    if not written:
        raise PermanentError("A picture of this video could not be written as JPEG.", f"{picture.shape}")
    return jpeg.tobytes()


def _timestamp(seconds: float) -> str:
    """WebVTT's hh:mm:ss.ttt."""
    milliseconds = round(seconds * 1000)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}.{rest % 1000:03d}"


def _no_picture() -> PermanentError:
    return PermanentError("The video gave no picture to make a thumbnail or a storyboard of.")
