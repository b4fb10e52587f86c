"""Thumbnails and storyboards of stills that the test drew, so that the right choice is known."""

import re
import subprocess
import tracemalloc
from itertools import pairwise
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.stills import MOST_STILLS, MOST_TILES, StillReader, interval_for

MEDIA = Path(__file__).resolve().parents[3] / "shared" / "media"
WIDTH, HEIGHT = 640, 360

Picture = NDArray[np.uint8]


def scenery(seed: int, width: int = WIDTH, height: int = HEIGHT) -> Picture:
    """A sharp, well exposed picture of overlapping shapes."""
    noise = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 120, np.uint8)
    for _ in range(150):
        corner, size = noise.uniform(-0.1, 1, 2) * (width, height), noise.uniform(0.02, 0.25, 2) * (width, height)
        colour = [int(value) for value in noise.integers(20, 236, 3)]
        cv2.rectangle(picture, corner.astype(int).tolist(), (corner + size).astype(int).tolist(), colour, -1)
    return picture


def plain(level: int, width: int = WIDTH, height: int = HEIGHT) -> Picture:
    return np.full((height, width, 3), level, np.uint8)


def read(*stills: Picture, duration: float | None = None) -> StillReader:
    """All stills, one a second."""
    height, width = stills[0].shape[:2]
    reader = StillReader(width, height, len(stills) if duration is None else duration, 1.0)
    for second, still in enumerate(stills):
        reader.feed(float(second), still)
    return reader


def decoded(jpeg: bytes) -> Picture:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def test_the_thumbnail_is_sharp_and_well_exposed() -> None:
    """The still of second one is black, a title or a blur more often than not."""
    good = scenery(1)
    blurred = cv2.convertScaleAbs(cv2.GaussianBlur(good, (0, 0), 3), alpha=1.2, beta=-25)
    poor = [plain(0), plain(255), plain(120), blurred, good // 6, 255 - (255 - good) // 8]
    stills = [plain(0), *(np.asarray(still, np.uint8) for still in poor), good, *(np.asarray(still, np.uint8) for still in poor)]
    chosen = read(*stills).thumbnail()
    assert (chosen.time, chosen.width, chosen.height) == (7.0, WIDTH, HEIGHT)
    assert np.abs(decoded(chosen.jpeg).astype(int) - good).mean() < 6
    assert 0 < chosen.score <= 1
    assert chosen.contrast > 0.1


def test_titles_at_the_very_ends_are_passed_over() -> None:
    """Opening titles are sharp and full of contrast; what the video is about comes later."""
    title = scenery(1)
    chosen = read(title, *[plain(90)] * 19, title[:, ::-1].copy(), *[plain(90)] * 19, title).thumbnail()
    assert chosen.time == 20.0


def test_a_still_may_be_overwritten_once_it_was_fed() -> None:
    """A pipe's reader uses its buffer again: the thumbnail would be a later frame under an earlier time."""
    buffer = scenery(1)
    reader = StillReader(WIDTH, HEIGHT, 3.0, 1.0)
    reader.feed(0.0, buffer)
    buffer[:] = 0
    assert decoded(reader.thumbnail().jpeg).mean() > 40


@pytest.mark.parametrize("level", [0, 255])
def test_a_video_of_nothing_has_a_thumbnail_too(level: int) -> None:
    """Black videos exist, and a black thumbnail says so; an error would lose the rest of their outputs."""
    chosen = read(plain(level), plain(level)).thumbnail()
    assert decoded(chosen.jpeg).shape == (HEIGHT, WIDTH, 3)
    assert chosen.score < 0.05
    assert chosen.faces == 0


def test_no_still_is_an_error_in_words() -> None:
    """A stream without one decodable frame must not end in an IndexError."""
    reader = StillReader(WIDTH, HEIGHT, 1.0, 1.0)
    with pytest.raises(PermanentError, match="no picture"):
        reader.thumbnail()
    with pytest.raises(PermanentError, match="no picture"):
        reader.storyboard()


def close_up() -> list[Picture]:
    """Stills of a man's head from a silent film, some from the front and some from the side, two a second."""
    film = MEDIA / "chaplin.mp4"
    if not film.exists():
        pytest.skip("chaplin.mp4 is not in ../shared/media, so there is no face to look at.")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(film), "-vf"]
    command += [f"fps=2,crop=iw/3:ih/3:iw*0.45:0,scale={WIDTH}:{HEIGHT}", "-pix_fmt", "bgr24", "-f", "rawvideo", "pipe:1"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return list(np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT, WIDTH, 3))


FACING = {6, 7, 8, 9, 13, 14, 15}
"""Stills of the close-up in which the man looks into the camera, as one sees; in none before the fourth is he to be seen."""


def test_a_face_that_looks_at_us_is_chosen_before_scenery() -> None:
    """People look at faces: a sharper picture of a wall, or of the back of a head, is the worse thumbnail."""
    film = close_up()
    reader = read(*[scenery(seed) for seed in range(6)], *film, *[scenery(seed) for seed in range(6, 12)])
    chosen = reader.thumbnail()
    assert chosen.faces == 1
    assert chosen.time - 6 in FACING
    faces = [still for still in reader.scores if still.faces]
    assert len(faces) >= 6
    assert all(6 + 4 <= still.time < 6 + len(film) and 0 < still.face_area < 0.5 for still in faces)


def test_a_head_that_turns_away_keeps_its_face() -> None:
    """A speaker who looks aside for a moment has not left the shot."""
    scores = read(*close_up()).scores
    assert scores[15].faces == scores[16].faces == 1


def test_texture_has_no_faces() -> None:
    """A cascade alone sees a face in one of these patches (the second, with OpenCV 4.14), and the thumbnail would follow it."""
    textures = [scenery(seed) for seed in range(20, 32)]
    for seed, cells in ((48, 12), (49, 20), (50, 30), (51, 45)):
        patches = np.random.default_rng(seed).integers(0, 256, (cells, cells, 3)).astype(np.uint8)
        textures.append(np.asarray(cv2.resize(patches, (240, 135), interpolation=cv2.INTER_CUBIC), np.uint8))
    assert [still.faces for texture in textures for still in read(texture).scores] == [0] * len(textures)


@pytest.mark.parametrize(("width", "height"), [(2, 2), (720, 1280), (1280, 4), (54, 1280), (641, 359)])
def test_any_shape_has_a_thumbnail_and_a_storyboard(width: int, height: int) -> None:
    """Phones film upright, banners are thin, and odd sizes come out of croppers."""
    reader = read(*[scenery(seed, width, height) for seed in range(3)])
    assert decoded(reader.thumbnail().jpeg).shape == (height, width, 3)
    sheet = reader.storyboard()
    layout = sheet.layout
    assert decoded(sheet.jpeg).shape == (layout["rows"] * layout["tile_height"], layout["columns"] * layout["tile_width"], 3)
    assert layout["tile_width"] <= 160
    assert layout["tile_height"] <= 284
    assert layout["tiles"] == 3


CUE = re.compile(r"(\d\d):(\d\d):(\d\d\.\d{3}) --> (\d\d):(\d\d):(\d\d\.\d{3})\nstoryboard\.jpg#xywh=(\d+),(\d+),(\d+),(\d+)\n")


def cues(vtt: str) -> list[tuple[float, float, tuple[int, int, int, int]]]:
    """Start, end and rectangle of each cue; nothing else may be in the text."""
    assert CUE.sub("", vtt).split() == ["WEBVTT"]
    found = []
    for match in CUE.finditer(vtt):
        hours, minutes, seconds, end_hours, end_minutes, end_seconds = (float(part) for part in match.groups()[:6])
        left, top, width, height = (int(part) for part in match.groups()[6:])
        start, end = hours * 3600 + minutes * 60 + seconds, end_hours * 3600 + end_minutes * 60 + end_seconds
        found.append((start, end, (left, top, width, height)))
    return found


@pytest.mark.parametrize(("count", "duration"), [(1, 0.04), (23, 22.5), (400, 400.0), (400, 20.0), (151, 3.0)])
def test_every_moment_shows_its_own_tile(count: int, duration: float) -> None:
    """A player shows the rectangle that the time names: a wrong order, a gap or an overlap shows another moment.

    `duration` is the header's, which may be far too short: then tiles are thinned as they come.
    """
    stills = [np.full((36, 64, 3), (number % 16 * 16, number // 16 * 10 % 256, 128), np.uint8) for number in range(count)]
    sheet = read(*stills, duration=duration).storyboard()
    picture, found = decoded(sheet.jpeg), cues(sheet.vtt)
    assert len(found) == sheet.layout["tiles"] <= MOST_TILES
    assert found[0][0] == 0.0
    assert all(earlier[1] == later[0] for earlier, later in pairwise(found))
    assert all(start < end for start, end, _ in found)
    assert found[-1][1] >= duration
    for start, _, (left, top, width, height) in found:
        tile = picture[top + 4 : top + height - 4, left + 4 : left + width - 4].reshape(-1, 3).mean(axis=0)
        assert np.abs(tile - stills[round(start)][0, 0]).max() < 12


@given(st.floats(0, 100_000))
def test_a_video_gives_at_most_900_stills(duration: float) -> None:
    """Each still costs milliseconds and a pipe's worth of bytes: four hours must not cost a hundred times a short clip's."""
    interval = interval_for(duration)
    assert interval >= 1.0
    assert duration / interval <= MOST_STILLS + 1e-6
    assert interval == 1.0 or duration > MOST_STILLS


def test_memory_does_not_grow_with_the_number_of_stills() -> None:
    """A 720p still is 2.8 MB: kept whole, 900 of them would be 2.5 GB."""
    pictures = [scenery(seed, 1280, 720) for seed in range(3)]
    reader = StillReader(1280, 720, 40.0, 1.0)
    reader.feed(0.0, pictures[0])
    tracemalloc.start()
    for second in range(1, 40):
        reader.feed(float(second), pictures[second % 3])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 20e6
