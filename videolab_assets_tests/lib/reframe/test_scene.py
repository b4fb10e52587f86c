"""What small pictures tell, from pictures that the test drew."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from videolab_assets.lib.reframe.scene import SceneReader, text_lines

WIDTH, HEIGHT = 480, 270
GREY = (np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8), np.full((HEIGHT // 2, WIDTH // 2), 128, np.uint8))

Picture = NDArray[np.uint8]


def texture(seed: int, cells: int = 60) -> Picture:
    noise = np.random.default_rng(seed).integers(20, 236, (cells * 9 // 16, cells)).astype(np.uint8)
    return np.asarray(cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.uint8)


def written(text: str, at: tuple[int, int], ground: int = 40, size: float = 0.8) -> Picture:
    picture = np.full((HEIGHT, WIDTH), ground, np.uint8)
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, 230, 2, cv2.LINE_AA)
    return picture


def test_a_headline_is_found_where_it_is() -> None:
    """What cropping would cut has to be known before cropping."""
    [line] = text_lines(written("How a lighthouse works", (40, 60)))
    (width, _), _ = cv2.getTextSize("How a lighthouse works", cv2.FONT_HERSHEY_SIMPLEX, 0.8, 2)
    assert line.x == pytest.approx(40 / WIDTH, abs=0.02)
    assert line.width == pytest.approx(width / WIDTH, abs=0.03)
    assert line.y < 60 / HEIGHT < line.bottom + 0.04


@pytest.mark.parametrize("cells", [20, 60, 120, 240])
def test_texture_is_no_wide_text(cells: int) -> None:
    """Foliage and brickwork taken for text would put every walk in a park over a blurred background."""
    assert not [line for line in text_lines(texture(cells, cells)) if line.width >= 0.18]


def test_a_fence_is_no_wide_text() -> None:
    """Two tones in a calm surrounding, but strokes denser than letters are."""
    picture = np.full((HEIGHT, WIDTH), 60, np.uint8)
    for left in range(60, 400, 8):
        picture[120:155, left : left + 4] = 220
    assert text_lines(picture) == []


@pytest.mark.parametrize("cells", [16, 24, 60])
def test_movement_is_found_beside_the_cameras_own(cells: int) -> None:
    """In a panned shot everything moves; what matters moves against it."""
    wide = np.hstack([texture(3, cells), texture(4, cells)])
    reader = SceneReader()
    found = []
    for number in range(6):
        picture = wide[:, number * 8 : number * 8 + WIDTH].copy()
        left = 300 - 20 * number
        picture[100:170, left : left + 60] = 255
        found.append(reader.read(picture, GREY))
    moved = [glance.motion for glance in found[1:]]
    assert all(box is not None and box.width < 0.45 for box in moved)
    assert not any(glance.new_scene for glance in found[1:])


def test_a_cut_is_a_new_scene_and_no_movement() -> None:
    """A face's place in the shot before says nothing about this one."""
    reader = SceneReader()
    reader.read(texture(1), GREY)
    assert reader.read(texture(1), GREY).still
    after = reader.read(texture(2), GREY)
    assert (after.new_scene, after.motion) == (True, None)


def test_what_stands_out_is_found_and_a_flat_picture_has_nothing() -> None:
    """A centre crop is right only where nothing is beside the centre."""
    picture = np.full((HEIGHT, WIDTH), 90, np.uint8)
    assert SceneReader().read(picture, GREY).saliency is None
    cv2.circle(picture, (380, 140), 30, 240, -1)
    spot = SceneReader().read(picture, GREY).saliency
    assert spot is not None
    assert abs(spot.centre[0] - 380 / WIDTH) < 0.08
