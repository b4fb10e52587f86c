"""From a sound file to its words, with real recordings."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videolab_assets.lib.documents import Segment, Word
from videolab_assets.lib.errors import TransientError
from videolab_assets.lib.speech.engine import Engine
from videolab_assets.lib.speech.spoken import NO_LANGUAGE, Spoken, joined
from videolab_assets.lib.speech.transcribe import progress_lines, transcribe
from videolab_assets.lib.speech.voice import SAMPLE_RATE
from videolab_assets_tests.lib.speech import sounds

EXAMPLE = (
    "Hello, this is an example video. For your convenience and pleasure you are allowed to use this voice for any purpose, including "
    "commercial uses. On the bottom right you can see the time. When the time reaches forty seconds I will say banana. Banana."
)
KENNEDY = "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country."


def heard_in(name: str, engine: Engine, folder: Path) -> Spoken:
    flac = sounds.flac_of(sounds.shared(name), folder)
    return transcribe(flac, engine, duration=len(sounds.samples_of(flac)) / SAMPLE_RATE)


@pytest.mark.parametrize(("name", "said", "most_errors"), [("speech-example.mp4", EXAMPLE, 0.08), ("jfk.flac", KENNEDY, 0.45)])
def test_real_voices(name: str, said: str, most_errors: float, engine: Engine, tmp_path: Path) -> None:
    """Prevents an engine tuned to synthetic voices: a clear recording (2 % wrong when written), a noisy one of 1961 (23 %)."""
    spoken = heard_in(name, engine, tmp_path)
    assert spoken.language == "en"
    assert sounds.word_error_rate(said, spoken.segments) <= most_errors


@pytest.mark.parametrize("name", ["big-buck-bunny-30s.webm", "chaplin.mp4"])
def test_music_gives_hardly_a_word(name: str, engine: Engine, tmp_path: Path) -> None:
    """Prevents summaries and tags made of words that nobody said."""
    assert heard_in(name, engine, tmp_path).word_count <= 6


def test_the_language_and_the_progress_of_the_sample(
    sample_spoken: Spoken, sample_progress: list[tuple[float, float]], sample_truth: dict[str, Any]
) -> None:
    """Prevents a progress that stands still, runs back or never ends."""
    duration = sample_truth["video"]["duration"]
    done = [seconds for seconds, _ in sample_progress]
    assert sample_spoken.language == "en"
    assert len(done) > 3
    assert done == sorted(done)
    assert sample_progress[-1] == (duration, duration)


@pytest.mark.parametrize("seconds", [0.0, 0.05, 3.0, 65.0])
def test_silence_gives_no_words(seconds: float, engine: Engine, tmp_path: Path) -> None:
    """Prevents a failed run for a video that has a sound track with nothing on it."""
    flac = sounds.flac_from(np.zeros(round(seconds * SAMPLE_RATE), np.int16), tmp_path / "silence.flac")
    assert transcribe(flac, engine, duration=seconds) == Spoken(NO_LANGUAGE, [])


def test_sound_that_ends_early_is_no_transcript(engine: Engine, tmp_path: Path) -> None:
    """Prevents half a transcript being published as the whole."""
    flac = sounds.flac_from(np.zeros(SAMPLE_RATE, np.int16), tmp_path / "short.flac")
    with pytest.raises(TransientError):
        transcribe(flac, engine, duration=60)


def test_progress_lines_estimate_what_is_left() -> None:
    """Prevents a log that leaves one guessing how long a long video will take."""
    now = iter([100.0, 110.0, 130.0])
    lines: list[str] = []
    tell = progress_lines(lines.append, clock=lambda: next(now))
    tell(30, 90)
    tell(90, 90)
    assert lines == ["transcribed 30 s of 90 s, about 20 s left", "transcribed 90 s in 30 s"]


def test_the_language_is_that_of_most_words() -> None:
    """Prevents one short aside, or a silent last piece, from naming the language of an hour."""

    def part(language: str, count: int) -> Spoken:
        words = [Word(text="so", start=i, end=i + 0.5, confidence=1) for i in range(count)]
        return Spoken(language, [Segment(start=0, end=count, text="So.", words=words)])

    assert joined([part("es", 2), part("en", 9), part("es", 3), Spoken()]).language == "en"
    assert joined([Spoken(), Spoken()]) == Spoken(NO_LANGUAGE, [])
    assert len(joined([part("es", 2), part("en", 9)]).segments) == 2
