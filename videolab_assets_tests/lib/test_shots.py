"""Shots in frames whose cuts, fades and dissolves are known because the test made them, and in filmed videos without a cut."""

import functools
import math
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.footage import Look, make, score
from videolab_assets.lib.shots import FRAME_BYTES, FRAME_HEIGHT, FRAME_WIDTH, PIXEL_FORMAT, Detected, ShotDetector
from videolab_assets.lib.stills import StillScore

MEDIA = Path(__file__).resolve().parents[3] / "shared" / "media"
SMALL_FRAMES = f"scale=128:72:flags=neighbor,scale={FRAME_WIDTH}:{FRAME_HEIGHT}:flags=area,format={PIXEL_FORMAT}"

Frames = NDArray[np.float64]
"""Frames of shape (n, 3, 36, 64), not yet rounded."""


@functools.cache
def painting(seed: int) -> NDArray[np.float64]:
    """A picture of soft colour patches, three planes of 72x128: unlike that of any other seed."""
    noise = np.random.default_rng(seed)
    planes = [cv2.resize(noise.uniform(30, 220, (6, 8)), (128, 72), interpolation=cv2.INTER_CUBIC) for _ in range(3)]
    return np.clip(np.stack(planes), 16, 235)


def still(seed: int, count: int) -> Frames:
    """`count` frames of a camera that does not move."""
    return np.repeat(painting(seed)[None, :, 18:54, 32:96], count, axis=0)


def pan(seed: int, count: int, pixels_a_frame: float) -> Frames:
    """A camera that swings from left to right."""
    steps = [min(63, round(frame * pixels_a_frame)) for frame in range(count)]
    return np.stack([painting(seed)[:, 18:54, step : step + 64] for step in steps])


def mixed(before: Frames, after: Frames) -> Frames:
    """One scene dissolves into the other over their whole length."""
    share = ((np.arange(len(before)) + 1) / (len(before) + 1))[:, None, None, None]
    return before * (1 - share) + after * share


def lit(scene: Frames, light: NDArray[np.float64], ground: float = 16.0) -> Frames:
    """The scene through an iris: `light` 1 shows it, 0 shows nothing but luma `ground`."""
    nothing = np.array([ground, 128.0, 128.0])[:, None, None]
    faded: Frames = nothing + (scene - nothing) * light[:, None, None, None]
    return faded


def detected(*scenes: Frames, rate: float = 30.0, block: int = 50, stills: tuple[StillScore, ...] = ()) -> Detected:
    frames = np.concatenate(scenes).round().astype(np.uint8)
    detector = ShotDetector(rate)
    for start in range(0, len(frames), block):
        detector.feed(frames[start : start + block])
    return detector.finish(stills)


def boundaries(found: Detected, rate: float = 30.0) -> list[tuple[int, str]]:
    return [(round(shot.start * rate), shot.opens_with) for shot in found.shots[1:]]


@pytest.mark.parametrize("rate", [8.0, 23.976, 30.0, 60.0])
def test_a_cut_opens_the_shot_on_its_very_frame(rate: float) -> None:
    """A clip cut one frame off flashes the neighbouring shot; frame rates must not shift it."""
    assert boundaries(detected(still(1, 70), still(2, 50), still(3, 90), rate=rate), rate) == [(70, "cut"), (120, "cut")]


@pytest.mark.parametrize("length", [14, 30, 50])
def test_a_dissolve_is_one_boundary_at_its_middle(length: int) -> None:
    """A slow change has no frame that differs from the one before, so a plain difference never sees it."""
    found = boundaries(detected(still(1, 80), mixed(still(1, length), still(2, length)), still(2, 80)))
    assert [kind for _, kind in found] == ["dissolve"]
    assert abs(found[0][0] - (80 + length / 2)) <= 3


def test_a_dissolve_between_moving_scenes_is_found() -> None:
    """Scenes on film move while they dissolve: an exact mean of the ends would be asked in vain."""
    before, after = pan(1, 110, 0.3), pan(2, 110, 0.3)
    found = boundaries(detected(before[:80], mixed(before[80:], after[:30]), after[30:]))
    assert [kind for _, kind in found] == ["dissolve"]
    assert abs(found[0][0] - 95) <= 5


@pytest.mark.parametrize(("ground", "black"), [(16.0, 0), (16.0, 20), (235.0, 4)])
def test_a_fade_is_one_boundary_where_there_is_nothing_to_see(ground: float, black: int) -> None:
    """A fade out and a fade in are one change of scene: two boundaries would leave a shot of nothing between them."""
    down, up = np.linspace(1, 0, 20), np.linspace(0, 1, 20)
    scenes = (still(1, 60), lit(still(1, 20), down, ground), lit(still(1, black), np.zeros(black), ground))
    found = boundaries(detected(*scenes, lit(still(2, 20), up, ground), still(2, 60)))
    assert [kind for _, kind in found] == ["fade"]
    assert abs(found[0][0] - (80 + black / 2)) <= 3


def test_a_fade_between_pale_walls_is_no_dissolve() -> None:
    """A scene with hardly any contrast, a wall, loses its light in a fade, not its contrast."""
    pale = 150 + (still(1, 60) - 128) / 30
    ramp = np.linspace(1, 0, 20)
    found = boundaries(detected(pale, lit(pale[:20], ramp), lit(still(2, 20), ramp[::-1]), still(2, 60)))
    assert [kind for _, kind in found] == ["fade"]


def test_fades_in_at_the_start_and_out_at_the_end_are_no_boundaries() -> None:
    """Nearly every film begins and ends in black: that must not make shots without a picture."""
    ramp = np.linspace(0, 1, 40)
    assert boundaries(detected(lit(still(1, 40), ramp), still(1, 60), lit(still(1, 40), ramp[::-1]))) == []


def flash(scene: Frames) -> Frames:
    scene[100:103] = 0.3 * scene[100:103] + 160
    return scene


def white_flash(scene: Frames) -> Frames:
    scene[100:103] = still(9, 1) / 20 + 215
    return scene


def caption(scene: Frames) -> Frames:
    scene[70:, :, 27:34, 3:52] = 200
    return scene


def inset(scene: Frames) -> Frames:
    scene[50:, :, 24:, :21] = still(7, 1)[0, :, 24:, :21]
    scene[100:, :, 24:, :21] = still(8, 1)[0, :, 24:, :21]
    return scene


def exposure(scene: Frames) -> Frames:
    return lit(scene, 0.7 + 0.3 * np.sin(np.arange(len(scene)) / 9))


def light_switched_on(scene: Frames) -> Frames:
    scene[:80] *= 0.5
    return scene


def repeated(scene: Frames) -> Frames:
    """Ten frames a second shown at thirty: every third frame changes, and by three times as much."""
    return pan(1, 150, 0.4)[np.arange(150) // 3 * 3]


def grain(scene: Frames) -> Frames:
    return np.clip(scene + np.random.default_rng(1).normal(0, 12, scene.shape), 0, 255)


@pytest.mark.parametrize("disturbed", [flash, white_flash, caption, inset, exposure, light_switched_on, repeated, grain])
def test_what_happens_within_a_shot_is_no_boundary(disturbed: Callable[[Frames], Frames]) -> None:
    """Flashes, captions, insets, exposure, light switches, repeated frames and grain tear shots apart in simple detectors."""
    assert boundaries(detected(disturbed(still(1, 150).copy()))) == []


@pytest.mark.parametrize("pixels_a_frame", [0.2, 1.0, 4.0])
def test_a_moving_camera_is_no_boundary(pixels_a_frame: float) -> None:
    """A pan replaces the whole picture within a second, much as a dissolve does."""
    assert boundaries(detected(pan(3, 150, pixels_a_frame))) == []


CHANGING = np.concatenate(
    [
        still(1, 90),
        pan(2, 120, 0.5),
        mixed(still(4, 40), still(5, 40)),
        still(5, 100),
        lit(still(5, 20), np.linspace(1, 0, 20)),
        still(6, 200),
    ]
).round()


@functools.cache
def in_one_block() -> Detected:
    return detected(CHANGING, block=len(CHANGING))


@settings(max_examples=15)
@given(st.lists(st.integers(1, 400), max_size=12))
def test_the_size_of_blocks_changes_nothing(blocks: list[int]) -> None:
    """Pipes deliver what they like: shots that depended on it would differ from run to run."""
    detector, frames = ShotDetector(30.0), CHANGING.astype(np.uint8)
    for size in [*blocks, len(frames)]:
        detector.feed(frames[:size])
        frames = frames[size:]
    assert detector.finish([]) == in_one_block()
    assert len(in_one_block().shots) == 5


def test_memory_does_not_grow_with_the_video() -> None:
    """Four hours are 432,000 frames: kept whole they would be 3 GB."""
    block = still(1, 500).astype(np.uint8)
    detector = ShotDetector(30.0)
    detector.feed(block)
    tracemalloc.start()
    for _ in range(40):
        detector.feed(block)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 15e6


def test_shots_join_without_gaps_and_say_how_they_look() -> None:
    """Clips are chosen by these numbers: a gap or a wrong mean would choose wrongly without an error."""
    bright, dark = np.full((60, 3, FRAME_HEIGHT, FRAME_WIDTH), 128.0), still(2, 60)
    bright[:, 0] = 235.0
    dark[:, 0] = 16.0 + (dark[:, 0] - 16.0) / 10
    blurred, sharp = StillScore(0.0, 3.0, 0.9, 0.1, 0, 0.0), StillScore(1.0, 9.0, 0.9, 0.1, 2, 0.1)
    found = detected(bright, dark, pan(3, 60, 1.0), stills=(blurred, sharp, StillScore(3.0, 100.0, 0.1, 0.1, 1, 0.1)))
    assert found.duration == 6.0
    assert [(shot.start, shot.end) for shot in found.shots] == [(0.0, 2.0), (2.0, 4.0), (4.0, 6.0)]
    assert [shot.opens_with for shot in found.shots] == ["start", "cut", "cut"]
    assert math.isclose(found.shots[0].brightness, 1.0, abs_tol=0.01)
    assert found.shots[1].brightness < 0.1
    assert found.shots[0].motion == found.shots[1].motion == 0.0 < found.shots[2].motion
    assert [(shot.sharpness, shot.faces) for shot in found.shots] == [(6.0, 1.0), (100.0, 1.0), (100.0, 1.0)]


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_videos_of_a_few_frames_have_one_shot_or_none(count: int) -> None:
    """Windows that reach beyond both ends of a video must not fail."""
    found = detected(still(1, count))
    assert len(found.shots) == min(1, count)
    assert math.isclose(found.duration, count / 30)


def small_frames(path: Path, rate: int) -> NDArray[np.uint8]:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-map", "0:v:0", "-r", str(rate), "-vf", SMALL_FRAMES]
    raw = subprocess.run([*command, "-f", "rawvideo", "pipe:1"], capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.uint8, len(raw) // FRAME_BYTES * FRAME_BYTES).reshape(-1, 3, FRAME_HEIGHT, FRAME_WIDTH)


@pytest.mark.long
def test_an_edit_of_drawn_and_filmed_scenes_is_found_again(tmp_path: Path) -> None:
    """Compression, pans, zooms, shakes and captions together, with real film where it is there: the whole chain must hold."""
    footage = make(tmp_path, seed=77, seconds=75, look=Look(320, 180, 30))
    detector = ShotDetector(footage.frame_rate)
    detector.feed(small_frames(footage.path, footage.frame_rate))
    found = [shot.start for shot in detector.finish([]).shots[1:]]
    scored = score(footage.boundaries, found, footage.frame_rate)
    assert scored.f1 >= 90, scored


@pytest.mark.parametrize(
    ("name", "rate", "cuts"),
    [
        ("big-buck-bunny-30s.webm", 24, [283, 376, 551]),
        ("chaplin.mp4", 25, []),
        ("one-by-one-people.mp4", 10, []),
        ("speech-example.mp4", 30, []),
    ],
)
def test_films_have_the_cuts_that_one_sees(name: str, rate: int, cuts: list[int]) -> None:
    """People who walk through the picture, a slow fade in and a title that appears are no cuts; the cuts were read off the frames."""
    if not (MEDIA / name).exists():
        pytest.skip(f"{name} is not in ../shared/media, so there is no film to look at.")
    detector = ShotDetector(rate)
    detector.feed(small_frames(MEDIA / name, rate))
    assert boundaries(detector.finish([]), rate) == [(cut, "cut") for cut in cuts]
