"""Evidence: sentences with the words' own times, and a grid on which rounding never passes a word."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.clips.evidence import Evidence
from videolab_assets.lib.speech.voice import SAMPLE_RATE
from videolab_assets_tests.lib.clips import made
from videolab_assets_tests.lib.speech import sounds
from videolab_assets_tests.lib.summary.spoken import spoken

RATES = (10.0, 23.976023976023978, 24.0, 25.0, 29.97002997002997, 30.0, 50.0, 59.94005994005994, 60.0)


def test_full_stops_end_sentences_wherever_segments_end() -> None:
    """Prevents cuts in the middle of a sentence where the engine's segment happens to end."""
    transcript = made.said([(1.0, "The bridge carries a railway and two"), (3.4, "lanes of traffic. Nobody had planned it.")], 8.0)
    assert [sentence.text for sentence in Evidence.of(made.shots([], 8.0), transcript, None).sentences] == [
        "The bridge carries a railway and two lanes of traffic.",
        "Nobody had planned it.",
    ]


def test_pauses_end_sentences_in_a_draft() -> None:
    """Prevents a transcript without punctuation from being one endless sentence."""
    draft = spoken(["The bridge carries a railway.", "Nobody had planned it."], draft=True, pause=0.6)
    found = Evidence.of(made.shots([], draft.duration), draft, None)
    assert [sentence.text for sentence in found.sentences] == ["the bridge carries a railway", "nobody had planned it"]
    assert found.draft
    assert found.language == "en"


def test_word_times_are_the_transcripts() -> None:
    """Prevents times that are moved on their way: they are what no cut may pass."""
    transcript = made.said([(1.0, "One two three."), (5.0, "Four five six.")], 9.0)
    found = Evidence.of(made.shots([], 9.0), transcript, None)
    given_words = [(word.start, word.end) for segment in transcript.segments for word in segment.words]
    assert [(word.start, word.end) for word in found.words] == given_words
    assert found.spoken_until == (transcript.segments[0].end, transcript.segments[1].end)


@pytest.mark.parametrize("nothing", [None, made.said([], 20.0, language="und")])
def test_nothing_said_and_nothing_heard(nothing: None) -> None:
    """Prevents a video without speech or sound from being an error."""
    found = Evidence.of(made.shots([7.0], 20.0), nothing, None)
    assert (found.sentences, found.language, found.sound, found.frames) == ((), "und", None, 500)


def test_sound_is_listened_to_outside_the_words(tmp_path: Path) -> None:
    """Prevents word times that do not reach the ear: syllables would be laughter."""
    wave = sounds.mixed(sounds.syllables(8)[: 8 * SAMPLE_RATE])
    sound = sounds.flac_from(wave, tmp_path / "sound.flac")
    found = Evidence.of(made.shots([], 8.0), made.said([(0.0, "la " * 24)], 8.0), sound, 8.0)
    assert found.sound is not None
    assert found.sound.bursts == ()


@given(rate=st.sampled_from(RATES), milliseconds=st.integers(0, 15_000_000))
def test_the_grid_keeps_its_side(rate: float, milliseconds: int) -> None:
    """Prevents a rounded cut from lying inside a word, and a frame's own time from missing its frame."""
    found, time = Evidence(rate, 20_000.0, "en", False, (), (), None), milliseconds / 1000
    first, last = found.first_frame_from(time), found.last_frame_by(time)
    assert found.time_of(first) >= time - 1e-6
    assert found.time_of(last) <= time + 1e-6
    assert first - last in (0, 1)
    assert found.first_frame_from(found.time_of(first)) == found.last_frame_by(found.time_of(first)) == first
