"""Loudness as somebody else measures it: the decoded file through ffmpeg's meter, and samples by their own arithmetic."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.probe import probe
from videolab_assets.lib.variants.sound import MOST_GAIN, Sound, levelled
from videolab_assets_tests import sources

MEDIA = Path(__file__).resolve().parents[4] / "shared" / "media"
RATE = 48_000
PICTURE = ("-f", "lavfi", "-i", "color=s=64x64:r=30:d=60")


def clip_of(samples: sources.Sound, folder: Path) -> Path:
    """A video with that sound, kept as it is."""
    sources.wav(folder / "in.wav", samples, RATE)
    sources.ffmpeg(
        *PICTURE, "-i", folder / "in.wav", "-shortest", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "flac", folder / "clip.mp4"
    )
    return folder / "clip.mp4"


def level(clip: Path, folder: Path) -> Sound:
    return levelled(clip, probe(clip).probe, -14.0, -1.0, 128_000, folder)


def measured(path: Path) -> tuple[float, float]:
    """Integrated loudness and true peak of what a player hears."""
    command = [str(binary()), "-hide_banner", "-nostats", "-i", str(path), "-af", "ebur128=peak=true:framelog=quiet", "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr.rpartition("Summary:")[2]
    return tuple(float(re.search(rf"{name}:\s+(-?[\d.]+|-inf) ", said)[1]) for name in ("I", "Peak"))  # type: ignore[index, return-value]


def noise(seconds: float, rms_dbfs: float) -> sources.Sound:
    """Pink-ish noise with the swells of speech."""
    times = np.arange(round(seconds * RATE)) / RATE
    white = np.random.default_rng(4).normal(size=len(times))
    smooth = np.convolve(white, np.ones(24) / 24, "same") * (0.55 + 0.45 * np.sin(2 * np.pi * 0.7 * times))
    return np.asarray(smooth / np.sqrt((smooth**2).mean()) * 10 ** (rms_dbfs / 20), np.float32)


@pytest.mark.parametrize(
    ("name", "seconds"),
    [
        ("speech-example.mp4", 6),
        pytest.param("chaplin.mp4", 9, marks=pytest.mark.long),
        pytest.param("big-buck-bunny-30s.webm", 20, marks=pytest.mark.long),
    ],
)
def test_real_sound_holds_its_target_after_aac(name: str, seconds: int, tmp_path: Path) -> None:
    """Levelled before encoding, 9 of 12 clips miss: the encoder moves loudness by tenths and peaks by a decibel."""
    if not MEDIA.is_dir():
        pytest.skip("the shared media are not here")
    clip = tmp_path / "clip.mp4"
    sources.ffmpeg(*PICTURE, "-ss", "2", "-i", MEDIA / name, "-map", "0:v", "-map", "1:a", "-t", str(seconds), "-c:a", "aac", clip)
    sound = level(clip, tmp_path)
    loudness, peak = measured(sound.path)
    assert loudness == pytest.approx(-14, abs=0.5)
    assert peak <= -1.0
    assert sound.missed is None
    assert sound.loudness == pytest.approx(loudness, abs=0.15)
    assert sound.true_peak == pytest.approx(peak, abs=0.15)


@pytest.mark.parametrize("rms", [-34.0, pytest.param(-3.0, marks=pytest.mark.long)])
def test_quiet_and_overdriven_sound(rms: float, tmp_path: Path) -> None:
    """Far from the target on either side, one gain is not enough: raised peaks are limited, and that takes loudness away."""
    sound = level(clip_of(np.clip(noise(4.0, rms), -1, 1), tmp_path), tmp_path)
    loudness, peak = measured(sound.path)
    assert loudness == pytest.approx(-14, abs=0.5)
    assert peak <= -1.0
    assert sound.missed is None


def test_silence_stays_silent(tmp_path: Path) -> None:
    """Silence measures -70 LUFS: raised to -14, the converter's noise would roar."""
    sound = level(clip_of(np.zeros((RATE * 2, 2), np.float32), tmp_path), tmp_path)
    assert (sound.loudness, sound.true_peak, sound.gain, sound.missed) == (None, None, 0.0, None)
    assert np.abs(sources.sound_of(sound.path, RATE)).max() < 1e-3


def test_room_noise_is_not_raised_without_bound(tmp_path: Path) -> None:
    """A clip in which nobody speaks would hiss at full volume; and that the target was missed must be said."""
    sound = level(clip_of(noise(3.0, -62.0), tmp_path), tmp_path)
    assert sound.gain == MOST_GAIN
    assert sound.loudness is not None
    assert sound.loudness < -30
    assert sound.missed is not None
    assert f"{sound.loudness:.1f} LUFS" in sound.missed


def test_clicks_that_no_gain_can_level_are_reported(tmp_path: Path) -> None:
    """Peaks come first: a file over -1 dBTP distorts on phones."""
    times = np.arange(RATE * 4) / RATE
    quiet = 0.002 * np.sin(2 * np.pi * 300 * times)
    quiet[::RATE] = 0.98
    sound = level(clip_of(quiet.astype(np.float32), tmp_path), tmp_path)
    loudness, peak = measured(sound.path)
    assert peak <= -1.0
    assert loudness < -14.5
    assert sound.missed is not None


def test_mono_becomes_stereo_at_the_same_level(tmp_path: Path) -> None:
    """ffmpeg takes 3 dB off each channel; a sound on one side only is half a sound."""
    sound = level(clip_of(sources.sine(RATE, 2.0, -17.0), tmp_path), tmp_path)
    left, right = sources.sound_of(sound.path, RATE, 2).T
    assert np.abs(left - right).max() < 0.01
    # 1 kHz in both channels at p dBFS peak measures p LUFS.
    assert sound.gain == pytest.approx(3.0, abs=0.35)
    assert np.abs(left[RATE : RATE + 4800]).max() == pytest.approx(10 ** (-14 / 20), rel=0.06)


@pytest.mark.parametrize("seconds", [0.3, pytest.param(1.0, marks=pytest.mark.long)])
def test_short_clips(seconds: float, tmp_path: Path) -> None:
    """Loudness is defined for 0.4 s and more; what is shorter keeps its level, and neither may break the encoder."""
    sound = level(clip_of(sources.sine(RATE, seconds, -20.0, 2), tmp_path), tmp_path)
    assert sound.loudness == (None if seconds < 0.4 else pytest.approx(-14, abs=0.5))
    assert len(sources.sound_of(sound.path, RATE)) == pytest.approx(seconds * RATE, abs=2048)


def test_limiting_does_not_move_the_sound(tmp_path: Path) -> None:
    """A limiter looks ahead, and one that does not give the time back puts lips and words apart."""
    beeps = sources.beeping(RATE, 3.0, {0.5, 1.5, 2.25}, level=0.05)
    beeps[round(1.5 * RATE) : round(1.52 * RATE)] *= 15
    sound = level(clip_of(beeps, tmp_path), tmp_path)
    raw = sources.ffmpeg("-i", sound.path, "-f", "f32le", "-ac", "1", "pipe:1")
    assert sources.beep_times(np.frombuffer(raw, "<f4"), RATE) == pytest.approx([0.5, 1.5, 2.25], abs=0.003)


def test_a_clip_without_sound_is_refused(tmp_path: Path) -> None:
    """The caller has to leave the sound out; a made-up silent track would pass for one that was lost."""
    sources.ffmpeg(*PICTURE, "-t", "1", tmp_path / "clip.mp4")
    with pytest.raises(PermanentError, match="no sound"):
        level(tmp_path / "clip.mp4", tmp_path)
