"""What is measured of a variant's file, against files that were made with known faults."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest

from videolab_assets.lib.documents import Framing, PathPoint
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.reframe.boxes import Box
from videolab_assets.lib.variants.inspect import Inspection, inspect
from videolab_assets_tests.sources import Frames, Sound, ffmpeg, sine, video, wav

RATE = 25
WIDE, HIGH = 320, 180
UPRIGHT = (102, 180)
"""Pixels of the clip that a 9:16 variant shows."""
OUTPUT = (108, 192)
POSTED = ("-c:v", "libx264", "-preset", "superfast", "-crf", "20", "-pix_fmt", "yuv420p", "-g", "50")
FIT_FOR_PLATFORMS = ("-use_editlist", "0", "-movflags", "+faststart+negative_cts_offsets")


def scene(seconds: float, seed: int = 5) -> Frames:
    """A textured room in which a bright ball swings through the middle."""
    texture = np.random.default_rng(seed).integers(60, 140, (HIGH // 20, WIDE // 20, 3), np.uint8)
    room = cv2.resize(texture, (WIDE, HIGH), interpolation=cv2.INTER_CUBIC)
    frames = np.repeat(room[None], round(seconds * RATE), axis=0)
    for n, frame in enumerate(frames):
        cv2.circle(frame, (round(160 + 30 * np.sin(n / 6)), 90), 14, (240, 230, 200), -1)
    return frames.astype(np.uint8)


def still(x: float = 109 / WIDE, until: float = 60.0) -> list[Framing]:
    """What a centre crop shows."""
    path = [PathPoint(time=0.0, x=x, y=0.0)]
    return [Framing(start=0, end=until, mode="still", subject="frame", why="", width=UPRIGHT[0] / WIDE, height=1.0, path=path)]


def shown(frames: Frames, framings: Sequence[Framing] | None = None) -> Frames:
    """The variant's frames, by the book."""
    (framing,) = framings or still()
    times, xs = [point.time for point in framing.path], [point.x for point in framing.path]
    lefts = [round(np.interp(n / RATE, times, xs) * WIDE) for n in range(len(frames))]
    parts = [frame[:, left : left + UPRIGHT[0]] for frame, left in zip(frames, lefts, strict=True)]
    return np.stack([cv2.resize(part, OUTPUT, interpolation=cv2.INTER_CUBIC) for part in parts]).astype(np.uint8)


def frozen(frames: Frames, start: float, seconds: float) -> Frames:
    """The same with the picture standing for so long."""
    frames = frames.copy()
    first = round(start * RATE)
    frames[first : first + round(seconds * RATE)] = frames[first]
    return frames


def blackened(frames: Frames, start: float, seconds: float) -> Frames:
    frames = frames.copy()
    frames[round(start * RATE) : round((start + seconds) * RATE)] = 4
    return frames


def captioned(frames: Frames) -> Frames:
    """A caption in the lower third whose words light up one after the other, three a second."""
    frames = frames.copy()
    for n, frame in enumerate(frames):
        word = n * 3 // RATE % 3
        for place in range(3):
            cv2.putText(frame, "WORD", (7 + 33 * place, 141), 0, 0.36, (255, 255, 0) if place == word else (255, 255, 255), 1)
    return frames


CAPTION = Box(0.05, 0.66, 0.9, 0.1)


@dataclass(frozen=True)
class Bench:
    """Where a clip and a variant are written and compared."""

    folder: Path

    def judge(
        self,
        clip: Frames,
        variant: Frames,
        framings: Sequence[Framing] | None = None,
        rate: float = RATE,
        clip_rate: float = RATE,
        painted: Sequence[Box] = (),
    ) -> Inspection:
        source = video(
            self.folder / "clip.mp4", clip, clip_rate, "-c:v", "libx264", "-preset", "superfast", "-crf", "18", "-pix_fmt", "yuv420p"
        )
        made = video(self.folder / "variant.mp4", variant, rate, *POSTED, *FIT_FOR_PLATFORMS)
        return inspect(made, source, framings or still(), painted)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def lost(found: Inspection) -> tuple[float, float]:
    return found.black, found.frozen


def test_an_honest_variant_lacks_nothing(bench: Bench) -> None:
    """Prevents an alarm over a picture that moves as its clip does."""
    frames = scene(4)
    assert lost(bench.judge(frames, captioned(shown(frames)), painted=[CAPTION])) == (0, 0)


def test_captions_hide_no_fault(bench: Bench) -> None:
    """Prevents posting a picture that stands or is black while the clip's goes on, because words light up over it, and a length that
    says nothing of the fault."""
    frames = scene(5)
    variant = captioned(blackened(frozen(shown(frames), 0.6, 2.0), 3.4, 0.8))
    found = bench.judge(frames, variant, painted=[CAPTION])
    assert lost(found) == pytest.approx((0.8, 2.0), abs=0.31)
    unaware = inspect(bench.folder / "variant.mp4", bench.folder / "clip.mp4", still())
    assert lost(unaware) == (0, 0), "without knowing where captions are, these faults are out of sight"


def test_what_the_clip_does_is_no_fault(bench: Bench) -> None:
    """Prevents alarms over slides, a black pause and slow fades that are the clip's own, at moments a frame apart."""
    slides = np.concatenate([np.repeat(scene(0.04, seed)[:1], 46, axis=0) for seed in (1, 2)])
    moving = scene(4)
    fade = np.concatenate([np.linspace(1, 0, 40), np.zeros(12), np.linspace(0, 1, 48)])
    fading = (moving * fade[:, None, None, None]).astype(np.uint8)
    clip = np.concatenate([slides, fading])
    # The slide changes at 1.84 s, which a sample at 1.8 s still shows, and a frame later in the variant, which it does not.
    late = np.concatenate([shown(clip)[:1], shown(clip)[:-1]])
    assert lost(bench.judge(clip, late)) == (0, 0)


@pytest.mark.long
def test_what_lies_outside_the_crop_is_no_fault(bench: Bench) -> None:
    """Prevents an alarm over a still part of the picture beside which the clip moves or is lit."""
    frames = np.repeat(scene(0.04)[:1], 75, axis=0)
    frames[:, :, 105:215] = 2
    for n, frame in enumerate(frames):
        cv2.putText(frame, f"{n:04d}", (225, 160), 0, 1, (255, 255, 255), 3)
    assert lost(bench.judge(frames, shown(frames))) == (0, 0)


@pytest.mark.long
def test_a_small_mouth_is_movement(bench: Bench) -> None:
    """Prevents taking a speaker who moves nothing but the lips for a slide, and so missing that the variant froze."""
    frames = np.repeat(scene(0.04)[:1], 75, axis=0)
    for n, frame in enumerate(frames):
        cv2.ellipse(frame, (160, 90), (26, 34), 0, 0, 360, (170, 140, 130), -1)
        cv2.ellipse(frame, (160, 106), (9, 2 + n // 4 % 3 * 2), 0, 0, 360, (60, 30, 40), -1)
    assert lost(bench.judge(frames, shown(frames))) == (0, 0)
    assert bench.judge(frames, frozen(shown(frames), 0.5, 2.0)).frozen == pytest.approx(2.0, abs=0.31)


@pytest.mark.long
def test_half_the_frames_are_no_fault(bench: Bench) -> None:
    """Prevents an alarm where a platform takes half of the clip's frames, and missing a fault there."""
    frames = np.repeat(scene(3), 2, axis=0)
    frames[1::2] = np.roll(frames[1::2], 1, axis=2)
    variant = frozen(shown(frames[::2]), 0.5, 2.0)
    found = bench.judge(frames, variant, rate=RATE, clip_rate=2 * RATE)
    assert (found.frame_rate, found.frames) == (RATE, len(variant))
    assert found.frozen == pytest.approx(2.0, abs=0.31)


@pytest.mark.long
def test_a_following_crop_is_compared_where_it_looks(bench: Bench) -> None:
    """Prevents comparing a moving crop with the middle of the clip, where nothing happens."""
    frames = np.repeat(scene(0.04)[:1], 100, axis=0)
    for n, frame in enumerate(frames):
        cv2.circle(frame, (50 + 2 * n, 60 + n // 3 % 4 * 20), 14, (240, 230, 200), -1)
    path = [PathPoint(time=0, x=0.0, y=0.0), PathPoint(time=4, x=200 / WIDE, y=0.0)]
    follow = [still()[0].model_copy(update={"mode": "follow", "path": path})]
    assert lost(bench.judge(frames, shown(frames, follow), follow)) == (0, 0)
    assert bench.judge(frames, frozen(shown(frames, follow), 1.0, 2.0), follow).frozen == pytest.approx(2.0, abs=0.31)


@pytest.mark.long
def test_a_fitted_picture_freezes_before_a_moving_background(bench: Bench) -> None:
    """Prevents a blurred background that goes on from hiding a picture that stands."""
    frames = scene(4)
    fit = [Framing(start=0, end=9, mode="fit", subject="frame", why="", width=1, height=1, path=[PathPoint(time=0, x=0, y=0)])]
    high = round(OUTPUT[0] * HIGH / WIDE)
    top = (OUTPUT[1] - high) // 2

    def fitted(picture: Frames) -> Frames:
        background = np.stack([cv2.GaussianBlur(np.roll(frame, n, axis=0), (31, 31), 0) for n, frame in enumerate(shown(frames))])
        background[:, top : top + high] = np.stack([cv2.resize(frame, (OUTPUT[0], high)) for frame in picture])
        return background

    assert lost(bench.judge(frames, fitted(frames), fit)) == (0, 0)
    assert bench.judge(frames, fitted(frozen(frames, 1.0, 2.0)), fit).frozen == pytest.approx(2.0, abs=0.31)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of a clip."""
    return video(tmp_path_factory.mktemp("plain") / "clip.mp4", scene(1), RATE, *POSTED)


def with_sound(path: Path, sound: Sound, *options: str, picture: Frames | None = None) -> Path:
    heard = wav(path.with_suffix(".wav"), sound, 48_000)
    frames = shown(scene(len(sound) / 48_000)) if picture is None else picture
    aac = ("-map", "0:v", "-map", "1:a", "-c:a", "aac", "-b:a", "192k", "-ac", "2")
    return video(path, frames, RATE, *POSTED, *aac, *options, inputs=("-i", heard))


def test_a_file_fit_for_platforms(tmp_path: Path, plain: Path) -> None:
    """Prevents a check that passes or fails on something that the file does not have."""
    colours = ("-vf", "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv")
    made = with_sound(tmp_path / "fit.mp4", sine(48_000, 3, -18, 2), *FIT_FOR_PLATFORMS, "-profile:v", "high", *colours)
    found = inspect(made, plain, still())
    assert (found.width, found.height, found.frames, found.frame_rate, found.variable_frame_rate) == (108, 192, 75, 25, False)
    assert (found.codec, found.profile, found.pixel_format) == ("h264", "High", "yuv420p")
    assert {found.color_primaries, found.color_transfer, found.color_space} == {"bt709"}
    assert found.color_range == "tv"
    assert (found.fast_start, found.edit_list, found.bytes) == (True, False, made.stat().st_size)
    assert (found.audio_codec, found.sample_rate, found.channels) == ("aac", 48_000, 2)
    assert found.duration == pytest.approx(3.0)
    assert found.audio_video_offset == pytest.approx(0.0, abs=0.025)
    # EBU Tech 3341: a 1 kHz sine in both channels is as loud in LUFS as its peak is in dBFS.
    assert found.loudness == pytest.approx(-18, abs=0.2)
    assert found.true_peak == pytest.approx(-18, abs=0.4)


def test_a_file_as_ffmpeg_makes_it(tmp_path: Path, plain: Path) -> None:
    """Prevents passing an index at the end and edit lists, which platforms refuse or cut by."""
    found = inspect(with_sound(tmp_path / "raw.mp4", sine(48_000, 1, -18, 2)), plain, still())
    assert (found.fast_start, found.edit_list) == (False, True)


def test_silence_has_no_loudness(tmp_path: Path, plain: Path) -> None:
    """Prevents -70 LUFS and minus infinity from being compared with a target."""
    silent = inspect(with_sound(tmp_path / "silent.mp4", np.zeros((48_000, 2), np.float32)), plain, still())
    mute = inspect(plain, plain, still())
    assert (silent.loudness, silent.true_peak, silent.audio_codec) == (None, None, "aac")
    assert (mute.loudness, mute.true_peak, mute.audio_codec, mute.audio_video_offset) == (None, None, None, None)


@pytest.mark.long
def test_peaks_between_samples_count(tmp_path: Path, plain: Path) -> None:
    """Prevents reading the highest sample for the true peak: at a quarter of the rate, 45 degrees off, that is 3 dB lower."""
    times = np.arange(3 * 48_000)
    tone = np.sin(np.pi / 2 * times + np.pi / 4) * 10 ** (-6 / 20)
    found = inspect(with_sound(tmp_path / "peaks.mp4", np.repeat(tone[:, None], 2, axis=1).astype(np.float32)), plain, still())
    assert found.true_peak == pytest.approx(-6, abs=0.5)


@pytest.mark.parametrize("dropped", ["eq(n,20)", pytest.param("gt(mod(n,7),4)", marks=pytest.mark.long)], ids=["one frame", "many"])
def test_any_missing_frame_is_a_variable_rate(tmp_path: Path, plain: Path, dropped: str) -> None:
    """Prevents a rate that is called constant because most of it is."""
    made = tmp_path / "gaps.mp4"
    ffmpeg("-i", plain, "-vf", f"select='not({dropped})'", "-fps_mode", "vfr", *POSTED, *FIT_FOR_PLATFORMS, made)
    assert inspect(made, plain, still()).variable_frame_rate


def test_half_a_file_is_no_variant(tmp_path: Path, plain: Path) -> None:
    """Prevents measuring what a full disk left over, and a traceback in place of a sentence."""
    half = tmp_path / "half.mp4"
    half.write_bytes(plain.read_bytes()[:3000])
    with pytest.raises(PermanentError):
        inspect(half, plain, still())
    listened = subprocess.run([binary(), "-v", "quiet", "-i", plain, "-f", "null", "-"], check=False)
    assert listened.returncode == 0, "the whole one is sound"
