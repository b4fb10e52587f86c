"""Voice activity: clear speech is never lost, silence, noise and most music never count."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videolab_assets.lib.speech.voice import FRAMES_PER_SECOND, SAMPLE_RATE, Samples, activity, runs
from videolab_assets_tests.lib.speech import sounds

PAD = 25


def heard_share(samples: Samples, sentences: list[dict[str, Any]]) -> float:
    """How much of the spoken time is within a quarter of a second of frames called speech."""
    near = np.convolve(activity(samples).speech, np.ones(2 * PAD + 1), mode="same") > 0
    spoken = np.zeros(len(near), np.bool_)
    for sentence in sentences:
        spoken[round(sentence["start"] * FRAMES_PER_SECOND) : round(sentence["end"] * FRAMES_PER_SECOND)] = True
    return float(near[spoken].mean())


def test_every_sentence_is_heard(sample_sound: Samples, sample_truth: dict[str, Any]) -> None:
    """Prevents losing clear speech, the one thing that voice activity must never do."""
    assert heard_share(sample_sound, sample_truth["sentences"]) > 0.995


def test_the_silence_is_silent(sample_sound: Samples, sample_truth: dict[str, Any]) -> None:
    """Prevents a gate that lets everything through, on which engines hallucinate."""
    silence = sample_truth["silence"]
    inside = slice(round((silence["start"] + 0.3) * FRAMES_PER_SECOND), round((silence["end"] - 0.3) * FRAMES_PER_SECOND))
    assert not activity(sample_sound).speech[inside].any()


@pytest.mark.parametrize("gain", [0.01, 0.1, 1.6])
def test_recording_level_does_not_matter(sample_sound: Samples, sample_truth: dict[str, Any], gain: float) -> None:
    """Prevents fixed thresholds: phones record speech 40 dB below full scale, and loud rooms clip."""
    assert heard_share(sounds.mixed(sample_sound * gain), sample_truth["sentences"]) > 0.99


def test_speech_in_a_noisy_room_is_heard(sample_sound: Samples, sample_truth: dict[str, Any]) -> None:
    """Prevents losing a speaker to fans and traffic: white noise 10 dB below the voice."""
    voice = sample_sound.astype(np.float64)
    noise = np.random.default_rng(1).normal(size=len(voice)) * np.sqrt((voice**2).mean() / 10)
    assert heard_share(sounds.mixed(voice, noise), sample_truth["sentences"]) > 0.97


def test_speech_over_music_is_heard(sample_sound: Samples, sample_truth: dict[str, Any], tmp_path: Path) -> None:
    """Prevents a music filter that throws away a voice with a music bed 10 dB below it."""
    music = sounds.samples_of(sounds.flac_of(sounds.shared("big-buck-bunny-30s.webm"), tmp_path)).astype(np.float64)
    voice = sample_sound.astype(np.float64)
    bed = np.resize(music[5 * SAMPLE_RATE :], len(voice))
    bed *= np.sqrt((voice**2).mean() / (bed**2).mean() / 10)
    assert heard_share(sounds.mixed(voice, bed), sample_truth["sentences"]) > 0.97


@pytest.mark.parametrize("name", ["big-buck-bunny-30s.webm", "chaplin.mp4"])
def test_music_mostly_does_not_count(name: str, tmp_path: Path) -> None:
    """Prevents minutes of film music going to an engine, which would invent words for it."""
    assert activity(sounds.samples_of(sounds.flac_of(sounds.shared(name), tmp_path))).speech.mean() < 0.2


@pytest.mark.parametrize("level", [0.0, 1.0, 30.0, 3000.0])
def test_steady_noise_does_not_count(level: float) -> None:
    """Prevents a hum, a fan or the last bit's dither from being taken for a speaker."""
    noise = np.random.default_rng(2).normal(size=20 * SAMPLE_RATE) * level
    assert not activity(sounds.mixed(noise)).speech.any()


def test_sounds_shorter_than_a_frame() -> None:
    """Prevents an index error on a file of a few samples."""
    for count in (0, 1, 399, 400, 560):
        assert not activity(np.full(count, 1000, np.int16)).speech.any()


def test_runs_are_half_open() -> None:
    """Prevents a run at either end of the recording being lost or one frame short."""
    assert runs(np.array([True, True, False, True])) == [(0, 2), (3, 4)]
    assert runs(np.zeros(0, np.bool_)) == []
