"""The embedded engine: right words at right times, none where nothing is said."""

import string
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from videolab_assets.lib.documents import Word
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.speech.options import SpeechOptions
from videolab_assets.lib.speech.pieces import pieces
from videolab_assets.lib.speech.pocketsphinx import PAUSE_SECONDS, PocketSphinx, _utterances, _words
from videolab_assets.lib.speech.spoken import Spoken
from videolab_assets.lib.speech.voice import SAMPLE_RATE, Samples
from videolab_assets_tests.lib.speech import sounds


@pytest.mark.long
def test_the_sample_is_understood(sample_spoken: Spoken, sample_truth: dict[str, Any]) -> None:
    """Prevents a demo of gibberish, by a broken setting or a cut through words: 5.8 % of words were wrong when this was written."""
    said = " ".join(sentence["text"] for sentence in sample_truth["sentences"])
    assert sounds.word_error_rate(said, sample_spoken.segments) <= 0.12


@pytest.mark.long
def test_segments_are_the_sentences_at_their_times(sample_spoken: Spoken, sample_truth: dict[str, Any]) -> None:
    """Prevents subtitles and clips that come early or late, and times that forget where a piece began."""
    for sentence in sample_truth["sentences"]:
        inside = [
            word for segment in sample_spoken.segments for word in segment.words if sentence["start"] - 0.3 < word.start < sentence["end"]
        ]
        assert inside[0].start == pytest.approx(sentence["start"], abs=0.3)
        assert inside[-1].end == pytest.approx(sentence["end"], abs=0.3)
    starts = [segment.start for segment in sample_spoken.segments]
    assert all(min(abs(start - sentence["start"]) for start in starts) < 0.3 for sentence in sample_truth["sentences"])


@pytest.mark.long
def test_times_are_in_order_and_confidences_in_range(sample_spoken: Spoken) -> None:
    """Prevents overlapping words, which subtitles and clip planning do not expect."""
    words = [word for segment in sample_spoken.segments for word in segment.words]
    assert all(before.end <= after.start + 1e-9 for before, after in pairwise(words))
    assert all(word.start < word.end and 0 <= word.confidence <= 1 for word in words)
    assert np.mean([word.confidence for word in words]) > 0.5
    for segment in sample_spoken.segments:
        assert (segment.start, segment.end) == (segment.words[0].start, segment.words[-1].end)


@pytest.mark.long
def test_text_reads_as_sentences_and_words_stay_as_heard(sample_spoken: Spoken) -> None:
    """Prevents summaries that see one endless sentence, and words dressed up so that a search no longer finds them."""
    for segment in sample_spoken.segments:
        assert segment.text[0].isupper()
        assert segment.text.endswith(".")
        assert segment.text[:-1].lower() == " ".join(word.text for word in segment.words)
        assert set("".join(word.text for word in segment.words)) <= set(string.ascii_lowercase + "'.-")


@pytest.mark.long
def test_a_piece_is_heard_alike_whatever_came_before(engine: PocketSphinx, sample_sound: Samples) -> None:
    """Prevents a resumed transcript from differing from one made in one go: the decoder remembers the level of what it heard."""
    piece = list(pieces([sample_sound]))[-1]
    fresh = PocketSphinx().transcribe(piece.samples, start=piece.start, likely=None)
    assert fresh.segments
    engine.transcribe(sounds.mixed(sounds.syllables(2) * 4), start=0, likely=None)
    assert engine.transcribe(piece.samples, start=piece.start, likely=None) == fresh


@pytest.mark.long
def test_what_is_likely_changes_nothing(engine: PocketSphinx, sample_sound: Samples) -> None:
    """Prevents a piece from being heard another way after a resumed run than in one go: it knows English alone."""
    piece = sample_sound[10 * SAMPLE_RATE : 14 * SAMPLE_RATE]
    assert engine.transcribe(piece, start=0, likely="es") == engine.transcribe(piece, start=0, likely=None)


@pytest.mark.parametrize("options", [SpeechOptions(task="translate"), SpeechOptions(language="es"), SpeechOptions(model="small")])
def test_what_it_cannot_do_it_refuses(options: SpeechOptions, sample_sound: Samples) -> None:
    """Prevents Spanish heard as English gibberish, or a translation that is none, for a setting that was meant for Whisper."""
    refusing = PocketSphinx(options)
    with pytest.raises(PermanentError, match="VIDEOLAB_TRANSCRIBER") as raised:
        refusing.transcribe(sample_sound[:SAMPLE_RATE], start=0, likely=None)
    assert "\n" not in str(raised.value)
    PocketSphinx(SpeechOptions(language="en", model="en-us", device="cuda")).check()


@pytest.mark.parametrize("count", [0, 1, 160, 1599, 1600, 1601, 4000])
def test_almost_nothing_is_not_an_error(engine: PocketSphinx, count: int) -> None:
    """Prevents the IndexError and the None that PocketSphinx answers short buffers with."""
    noise = np.random.default_rng(count).normal(size=count) * 3000
    for sound in (np.zeros(count, np.int16), sounds.mixed(noise)):
        assert engine.transcribe(sound, start=0, likely=None) == Spoken()


@pytest.mark.long
def test_music_gives_hardly_a_word_even_past_voice_activity(engine: PocketSphinx, tmp_path: Path) -> None:
    """Prevents invented words: 8 s of film music straight into the engine, as voice activity may let any of it through."""
    music = sounds.samples_of(sounds.flac_of(sounds.shared("big-buck-bunny-30s.webm"), tmp_path))
    assert engine.transcribe(music[10 * SAMPLE_RATE : 18 * SAMPLE_RATE], start=0, likely=None).word_count <= 3


def test_marks_of_the_recogniser_are_not_words() -> None:
    """Prevents `the(2)`, `<sil>` and `[NOISE]` in subtitles."""
    names = ["<s>", "the(2)", "<sil>", "[NOISE]", "++BREATH++", "o'clock", "</s>", "(2)"]
    found = [SimpleNamespace(word=name, start_frame=10 * i, end_frame=10 * i + 9, prob=1.5) for i, name in enumerate(names[:-1])]
    assert [(word.text, word.start, word.end, word.confidence) for word in _words(found, 60.0)] == [
        ("the", 60.1, 60.2, 1.0),
        ("o'clock", 60.5, 60.6, 1.0),
    ]


def test_slow_unsure_words_are_not_believed() -> None:
    """Prevents both kinds of mistake: music's slow words kept, or a sure `no` and fast wrong speech dropped."""

    def one(text: str, seconds: float, confidence: float) -> list[Word]:
        return [Word(text=text, start=0.0, end=seconds, confidence=confidence)]

    assert not list(_utterances(one("moon", 0.9, 0.4)))
    assert not list(_utterances(one("and", 1.4, 0.9)))
    assert not list(_utterances(one("anything", 0.4, 0.05)))
    assert list(_utterances(one("no", 0.4, 0.9)))
    assert list(_utterances(one("wrong", 0.4, 0.3)))
    assert not list(_utterances([]))


def test_pauses_part_utterances() -> None:
    """Prevents a minute-long segment, or one segment a word."""
    times = [(0.0, 0.3), (0.4, 0.8), (0.8 + PAUSE_SECONDS, 1.6), (1.7, 2.0)]
    words = [Word(text="plausible", start=start, end=end, confidence=0.9) for start, end in times]
    assert [len(part) for part in _utterances(words)] == [2, 2]
