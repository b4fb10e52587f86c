"""Loudness and bursts: made laughter and applause are found where they are, and nothing else is taken for them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from videolab_assets.lib.clips.listening import CURVE_RATE, Sound, Spans, listen
from videolab_assets.lib.errors import TransientError
from videolab_assets.lib.speech.voice import SAMPLE_RATE
from videolab_assets_tests.lib.clips import made
from videolab_assets_tests.lib.speech import sounds

REST = 8.0
TIME = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE


def heard(wave: NDArray[np.floating[Any]], folder: Path, spoken: Spans = ((0.0, 0.5),)) -> Sound | None:
    """The wave between eight seconds of a quiet room before and after it."""
    room = np.random.default_rng(5).normal(size=len(wave) + round(2 * REST * SAMPLE_RATE)) * 20
    room[round(REST * SAMPLE_RATE) : round(REST * SAMPLE_RATE) + len(wave)] += wave
    return listen(sounds.flac_from(sounds.mixed(room), folder / "sound.flac"), 0.0, spoken)


def chance() -> np.random.Generator:
    return np.random.default_rng(3)


JOY = {
    "a few people clapping": made.applause(4, 20, chance()),
    "a room clapping": made.applause(4, 100, chance()),
    "a hall clapping over its own noise": made.applause(4, 600, chance()) + chance().normal(size=4 * SAMPLE_RATE) * 300,
    "a laugh": made.laugh(3, chance()),
    "a high, quick laugh": made.laugh(2, chance(), beat=5.5, pitch=350),
    "a low, slow laugh": made.laugh(2.5, chance(), beat=3.8, pitch=120),
    "a laugh that is nearly all voice": made.laugh(3, chance(), breath=0.1),
    "a laughing crowd": made.laughing_crowd(3, chance()),
}
OTHER = {
    "a tone": np.sin(2 * np.pi * 440 * TIME) * 3000,
    "a tone that beats as laughter does": np.sin(2 * np.pi * 440 * TIME) * 3000 * (0.5 + 0.5 * np.sin(2 * np.pi * 5 * TIME)),
    "steady noise": chance().normal(size=len(TIME)) * 2000,
    "chords twice a second": np.sum([np.sin(2 * np.pi * f * TIME) for f in (220, 277, 330, 440)], axis=0)
    * 1000
    * np.exp(-3 * (2 * TIME % 1)),
}


@pytest.mark.parametrize("name", JOY)
def test_laughter_and_applause_are_found_where_they_are(name: str, tmp_path: Path) -> None:
    """Prevents a detector that misses them, or that smears them over the words beside them."""
    sound = heard(JOY[name], tmp_path)
    assert sound is not None
    [burst] = sound.bursts
    assert burst.start == pytest.approx(REST, abs=0.3)
    assert burst.end == pytest.approx(REST + len(JOY[name]) / SAMPLE_RATE, abs=0.3)


@pytest.mark.parametrize("name", OTHER)
def test_nothing_else_made_is_laughter_or_applause(name: str, tmp_path: Path) -> None:
    """Prevents a fan that is switched on, a test tone or a guitar from being sold as a laugh."""
    sound = heard(OTHER[name], tmp_path)
    assert sound is not None
    assert sound.bursts == ()


@pytest.mark.parametrize("name", ["big-buck-bunny-30s.webm", "chaplin.mp4", "speech-example.mp4", "jfk.flac"])
def test_neither_are_music_and_speech_of_which_no_word_is_known(name: str, tmp_path: Path) -> None:
    """Prevents bursts all over a video whose speech no engine could transcribe."""
    recording = sounds.shared(name)
    sound = listen(sounds.flac_of(recording, tmp_path), 0.0, ())
    assert sound is not None
    assert sound.bursts == ()


def test_words_are_no_laughter(tmp_path: Path) -> None:
    """Prevents syllables, which beat as laughter does, from counting where the transcript knows them for words."""
    syllables = sounds.syllables(6)
    unknown, known = heard(syllables, tmp_path, ((0.0, 0.5),)), heard(syllables, tmp_path, ((REST, REST + 6),))
    assert unknown is not None
    assert unknown.bursts
    assert known is not None
    assert known.bursts == ()


def test_levels_are_relative_to_the_recording(tmp_path: Path) -> None:
    """Prevents loudness that depends on the microphone's gain, and blocks of the file that are laid beside each other wrongly."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(24 * SAMPLE_RATE) / SAMPLE_RATE)
    tone[12 * SAMPLE_RATE :] *= 2
    curves = []
    for gain in (500, 5000):
        sound = listen(sounds.flac_from(sounds.mixed(tone * gain), tmp_path / "tone.flac"), 24.0, ())
        assert sound is not None
        assert len(sound.levels) == 24 * CURVE_RATE
        curves.append(sound.levels)
    np.testing.assert_allclose(curves[0], curves[1], atol=0.1)
    assert curves[0][700:1100].mean() - curves[0][100:500].mean() == pytest.approx(6.02, abs=0.1)
    assert 10 * np.log10((10 ** (curves[0] / 10)).mean()) == pytest.approx(0.0, abs=0.1)


def test_low_notes_count_less(tmp_path: Path) -> None:
    """Prevents loudness without the ear's weighting: rumble would stand out most. BS.1770 takes 14 dB off 30 Hz and adds 4 at 4 kHz."""
    second = np.arange(10 * SAMPLE_RATE) / SAMPLE_RATE
    wave = np.concatenate([np.sin(2 * np.pi * frequency * second) * 3000 for frequency in (100, 1000, 4000)])
    sound = listen(sounds.flac_from(sounds.mixed(wave), tmp_path / "notes.flac"), 0.0, ())
    assert sound is not None
    low, middle, high = (float(sound.levels[first : first + 400].mean()) for first in (50, 550, 1050))
    assert low - middle == pytest.approx(-1.8, abs=0.5)
    assert high - middle == pytest.approx(3.1, abs=0.6)


def test_silence_has_no_curves(tmp_path: Path) -> None:
    """Prevents the last bit's dither from being measured, and divided by, as if somebody had made a sound."""
    for samples in (np.zeros(3 * SAMPLE_RATE, np.int16), np.zeros(0, np.int16), np.zeros(100, np.int16)):
        assert listen(sounds.flac_from(samples, tmp_path / "silence.flac"), 0.0, ()) is None


def test_a_file_that_ends_early_is_noticed(tmp_path: Path) -> None:
    """Prevents a plan over half a recording that looks like one over all of it."""
    with pytest.raises(TransientError):
        listen(sounds.flac_from(sounds.mixed(sounds.syllables(3)), tmp_path / "short.flac"), 10.0, ())
