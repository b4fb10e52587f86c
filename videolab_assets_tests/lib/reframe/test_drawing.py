"""The reframing as a person sees it, on a source whose every frame says which it is."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from videolab_assets.lib.documents import Framing, PathPoint
from videolab_assets.lib.glimpse import Pictures
from videolab_assets.lib.reframe import Box, Sample, Seen
from videolab_assets.lib.reframe.drawing import (
    CROPS,
    DRAWING_WIDTH,
    FACE,
    GAP,
    LEGEND_WIDTH,
    LINE_HEIGHT,
    MOST_SHOTS,
    PERSON,
    one_above_another,
    path_over_source,
    timeline_of_framing,
)
from videolab_assets_tests.sources import H264, video

RATE = 25
CLIP_START = 1.0
DURATION = 4.0
FACE_BOX, PERSON_BOX = Box(0.6, 0.2, 0.1, 0.2), Box(0.05, 0.3, 0.15, 0.6)
SEEN = Seen(16 / 9, [Sample(n / 5, faces=[FACE_BOX], people=[PERSON_BOX]) for n in range(20)])


def framing(start: float, end: float, x: float, to: float | None = None, why: str = "because") -> Framing:
    path = [PathPoint(time=start, x=x, y=0)] + ([PathPoint(time=end, x=to, y=0)] if to is not None else [])
    mode = "follow" if to is not None else "still"
    return Framing(start=start, end=end, mode=mode, subject="faces", why=why, width=0.316, height=1.0, path=path)


FRAMINGS = {"9:16": [framing(0, 2, 0.1), framing(2, 4, 0.1, 0.6)]}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A grey picture that is one level lighter each second tenth: 60 at 0 s, 90 at 6 s."""
    levels = 60 + np.arange(6 * RATE) // 5
    frames = np.repeat(np.repeat(levels[:, None, None, None], 180, axis=1), 320, axis=2).repeat(3, axis=3).astype(np.uint8)
    return video(tmp_path_factory.mktemp("proxy") / "proxy.mp4", frames, RATE, *H264, "-pix_fmt", "yuv420p", "-g", "50")


def seen_in(jpeg: bytes) -> Pictures:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def like(picture: Pictures, colour: tuple[int, int, int], tolerance: int = 50) -> NDArray[np.bool_]:
    return np.asarray(np.abs(picture.astype(int) - colour).max(axis=-1) <= tolerance, np.bool_)


def test_frames_are_the_clips_and_crops_lie_where_they_are(proxy: Path) -> None:
    """Prevents a drawing over frames of another moment, and a rectangle that lies elsewhere than what was cut out."""
    picture = seen_in(path_over_source(proxy, CLIP_START, DURATION, SEEN, FRAMINGS, "c01"))
    assert picture.shape[1] == DRAWING_WIDTH
    frame_width, frame_height = 392, 220
    last_row = picture[-frame_height - GAP : -GAP]
    frames = [last_row[:, GAP + n * (frame_width + GAP) :][:, :frame_width] for n in range(3)]
    for frame, time, left in zip(frames, (2.2, 3.0, 3.8), (0.15, 0.35, 0.55), strict=True):
        columns = np.flatnonzero(like(frame, CROPS[0])[20:-40].mean(axis=0) > 0.8)
        assert columns.min() == pytest.approx(left * frame_width, abs=4)
        assert columns.max() == pytest.approx((left + 0.316) * frame_width, abs=4)
        inside = frame[195:200, columns.min() + 20 : columns.max() - 20]
        assert np.median(inside) == pytest.approx(60 + 5 * (CLIP_START + time), abs=2)
        assert np.median(frame[195:200, -12:]) < 0.7 * np.median(inside), "what is not shown is dark"
    assert like(last_row, FACE).sum() > 100
    assert like(last_row, PERSON).sum() > 100


def test_the_path_over_time() -> None:
    """Prevents a band that does not follow the crop, by whose place a person judges whether the faces are in it."""
    plot = timeline_of_framing(FRAMINGS, SEEN, DURATION)
    assert plot.shape[1] == DRAWING_WIDTH
    edges = like(plot, CROPS[0], 40)

    def middle_at(time: float) -> float:
        column = LEGEND_WIDTH + round((DRAWING_WIDTH - GAP - LEGEND_WIDTH) * time / DURATION)
        return float(np.flatnonzero(edges[:, column - 1 : column + 2].any(axis=1)).mean())

    assert middle_at(0.5) == pytest.approx(middle_at(1.5), abs=1)
    assert middle_at(3.9) - middle_at(2.1) == pytest.approx(0.45 * 138, abs=6)
    assert like(plot, FACE).any()
    assert like(plot, PERSON).any()


def test_many_shots_fit_on_a_page(proxy: Path) -> None:
    """Prevents a drawing of a hundred rows for a clip that is cut every third of a second, and long reasons cut off at the edge."""
    many = [
        framing(n / 3, (n + 1) / 3, 0.02 * n, why="a long reason that needs more than one line of the page to say " * 4) for n in range(12)
    ]
    picture = seen_in(path_over_source(proxy, CLIP_START, DURATION, SEEN, {"9:16": many, "1:1": many}))
    assert picture.shape[0] < 250 + MOST_SHOTS * 520
    told_shortly = [one.model_copy(update={"why": "because"}) for one in many]
    shorter = seen_in(path_over_source(proxy, CLIP_START, DURATION, SEEN, {"9:16": told_shortly, "1:1": many}))
    assert picture.shape[0] >= shorter.shape[0] + MOST_SHOTS * 2 * LINE_HEIGHT, "a long reason takes more lines"


def test_drawings_of_several_clips_are_one(proxy: Path) -> None:
    """Prevents a page that shows the last clip only."""
    one = path_over_source(proxy, CLIP_START, 1.0, SEEN, {"9:16": [framing(0, 1, 0.1)]})
    assert seen_in(one_above_another([one, one])).shape[0] == 2 * seen_in(one).shape[0]
    assert seen_in(one_above_another([])).shape[1] == DRAWING_WIDTH
