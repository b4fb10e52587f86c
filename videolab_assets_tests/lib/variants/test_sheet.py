"""The contact sheet, of videos whose every frame says which it is."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.variants.sheet import GAP, SHEET_WIDTH, TEXT_HEIGHT, Row, contact_sheet
from videolab_assets_tests.sources import H264, Frames, video

RATE, SECONDS = 25, 5.0


def brightening(width: int, height: int) -> Frames:
    """From 40 to 165: one level a frame."""
    levels = (40 + np.arange(int(RATE * SECONDS))).astype(np.uint8)
    return np.broadcast_to(levels[:, None, None, None], (len(levels), height, width, 3))


def row(folder: Path, name: str, width: int, height: int) -> Row:
    made = video(folder / f"{name}.mp4", brightening(width, height), RATE, *H264, "-pix_fmt", "yuv420p", "-g", "50")
    cover = folder / f"{name}.jpg"
    cv2.imwrite(str(cover), np.full((height, width, 3), (0, 0, 200), np.uint8))
    return Row(made, cover, width, height, SECONDS, name, 0.66)


def opened(jpeg: bytes) -> Frames:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def test_a_row_is_the_cover_and_frames_evenly_over_the_length(tmp_path: Path) -> None:
    """Prevents five pictures of the same second, of another clip, or in another order, and a cover that nobody sees."""
    sheet = opened(contact_sheet([row(tmp_path, "c01", 108, 192), row(tmp_path, "c02.b", 192, 192)]))
    assert sheet.shape[1] == SHEET_WIDTH
    width = 192
    tall, square = 344, 192
    assert sheet.shape[0] == pytest.approx(2 * (TEXT_HEIGHT + GAP) + tall + square, abs=4)
    middle = TEXT_HEIGHT + tall // 2
    places = [GAP + place * (width + GAP) + width // 2 for place in range(6)]
    blue, green, red = sheet[middle, places[0]]
    assert (blue, green) == pytest.approx((0, 0), abs=8)
    assert red == pytest.approx(200, abs=8)
    times = [SECONDS * (0.04 + 0.92 * (n + 0.5) / 5) for n in range(5)]
    for level, time in zip((sheet[middle, place].mean() for place in places[1:]), times, strict=True):
        assert level == pytest.approx(40 + time * RATE, abs=5)
    for left in (place - width // 2 for place in places):
        text = sheet[:TEXT_HEIGHT, left : left + width]
        assert (text > 180).any(), "each picture is named"


def test_a_video_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """Prevents a sheet with holes that look like black frames."""
    made = row(tmp_path, "c01", 108, 192)
    made.video.write_bytes(b"nothing")
    with pytest.raises(PermanentError):
        contact_sheet([made])


def test_no_variants_make_an_empty_sheet() -> None:
    """Prevents a failed run where a platform takes none of the clips."""
    assert opened(contact_sheet([])).shape[1] == SHEET_WIDTH
