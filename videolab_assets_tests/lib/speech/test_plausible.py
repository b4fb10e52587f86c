"""Which of a model's words are believed: hand-made hallucinations, and what only looks like one."""

from itertools import count

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videolab_assets.lib.speech.guess import Guess, GuessedWord
from videolab_assets.lib.speech.plausible import believed, compression, without_echoes
from videolab_assets.lib.speech.spoken import Spoken
from videolab_assets.lib.speech.voice import SAMPLE_RATE, Samples
from videolab_assets_tests.lib.speech import sounds
from videolab_assets_tests.lib.speech.engines import line
from videolab_assets_tests.lib.speech.test_guess import assert_in_order_inside

SECONDS = 20
SOUND = sounds.mixed(np.concatenate([sounds.syllables(10), np.random.default_rng(1).normal(size=10 * SAMPLE_RATE) * 20]))
"""Ten seconds in which somebody speaks, ten in which nobody does."""

SENTENCE = "the harbour office opens at nine and the last boat leaves before dark"


def guess(text: str, start: float, end: float, sure: float = 0.9, log_probability: float = -0.3, no_speech: float = 0.0) -> Guess:
    """A segment whose words share its time evenly."""
    spoken = text.split()
    step = (end - start) / len(spoken)
    words = [GuessedWord(f" {word}", start + n * step, start + (n + 1) * step, sure) for n, word in enumerate(spoken)]
    return Guess(tuple(words), log_probability, no_speech)


def texts(*guesses: Guess, sound: Samples = SOUND) -> list[str]:
    return [segment.text for segment in believed(guesses, sound, start=0, language="en").segments]


def test_what_was_said_is_believed() -> None:
    """Prevents a filter that costs words: unsure ones, sure ones in a pause, a short aside, a sentence said twice."""
    said = [guess(SENTENCE, 0, 4), guess("no, no, no, no", 4, 5), guess("Banana. Banana.", 5, 6), guess("mumbled words", 6, 8, sure=0.2)]
    said += [guess("quiet, but sure", 12, 14, sure=0.8)]
    assert texts(*said) == [piece.text for piece in said]
    twice = f"I say: {SENTENCE}. {SENTENCE}."
    assert texts(guess(twice, 0, 10)) == [twice]


@pytest.mark.parametrize(
    ("phrase", "times"), [("so", 30), ("thank you.", 12), ("and then we went,", 5), (SENTENCE, 3), ("I said. I Said! i said,", 4)]
)
def test_a_loop_is_said_once(phrase: str, times: int) -> None:
    """Prevents a minute of the same words: the best known failure, be it in one segment or a segment each."""
    looped = " ".join(f"{phrase}" for _ in range(times))
    (kept,) = texts(guess(f"We begin here. {looped}", 0, 19))
    assert kept.split()[:3] == ["We", "begin", "here."]
    assert len(kept.split()) == 3 + min(len(phrase.split()), 2 if phrase.startswith("I said") else 99)
    lines = [guess(phrase, at * 19 / times, (at + 1) * 19 / times) for at in range(times)]
    assert len(" ".join(texts(*lines)).split()) == min(len(phrase.split()), 2 if phrase.startswith("I said") else 99)


def test_speech_goes_on_after_a_loop() -> None:
    """Prevents the words after a loop from being lost with it, and their times from moving."""
    found = believed([guess("so " * 12 + SENTENCE, 0, 10)], SOUND, start=50, language="en").segments[0]
    assert found.text == f"so {SENTENCE}"
    assert found.end == 60


def test_invented_lines_over_silence_are_left_out() -> None:
    """Prevents "Thanks for watching!" where a video fades out: unsure, and voice activity hears nobody."""
    assert texts(guess(SENTENCE, 0, 5), guess("Thanks for watching!", 13, 15, sure=0.4)) == [SENTENCE]
    assert texts(guess(SENTENCE, 0, 5), guess("Thanks for watching!", 13, 15, log_probability=-1.2)) == [SENTENCE]


@pytest.mark.parametrize(
    ("log_probability", "no_speech", "stays"), [(-0.9, 0.9, True), (-1.2, 0.1, True), (-1.2, 0.5, False), (-1.6, 0, False)]
)
def test_what_the_model_doubts_itself_is_left_out(log_probability: float, no_speech: float, stays: bool) -> None:
    """Prevents words out of music, which pass voice activity where there are drums; and losing hard but real speech."""
    assert bool(texts(guess(SENTENCE, 0, 5, log_probability=log_probability, no_speech=no_speech))) == stays


@pytest.mark.parametrize("credit", ["Subtítulos realizados por la comunidad de Amara.org", "Subtitles by the Amara.org community"])
def test_subtitlers_credits_are_left_out(credit: str) -> None:
    """Prevents a credit that nobody speaks, which the model learnt from subtitles and writes with great confidence."""
    assert texts(guess(SENTENCE, 0, 5), guess(credit, 5, 8, sure=0.99, log_probability=-0.1)) == [SENTENCE]


def test_what_compresses_like_a_loop_is_one() -> None:
    """Prevents a loop that varies a word each time, which no comparison of phrases finds."""
    varied = " ".join(f"and then the number {number} came along with us" for number in range(20))
    assert compression(varied) > 2.4 > compression(SENTENCE * 2)
    assert texts(guess(varied, 0, 20)) == []


def test_nobody_speaks_that_fast() -> None:
    """Prevents a page of words squeezed into a second, as when alignment finds no room for invented ones."""
    fast = "lists of places read at speed by one who knows them all from north to south do not take any longer than it takes a clock"
    assert texts(guess(fast, 1, 3)) == []
    assert texts(guess(fast, 0, 6)) == [fast]
    assert texts(guess("donaudampfschifffahrtsgesellschaft " * 5 + SENTENCE, 0, 3)) == []
    assert texts(guess("yes I do", 1, 1.1)) == ["yes I do"]


def test_nothing_believed_is_nothing_said() -> None:
    """Prevents a language for a piece without words, which would count among those of the recording."""
    assert believed([guess(SENTENCE, 0, 5, log_probability=-9)], SOUND, start=0, language="en") == Spoken()
    assert believed([], SOUND, start=0, language="en") == Spoken()


VOCABULARY = st.sampled_from(["so", "thank you.", "and", "the", "boat,", "no", "...", "Amara.org", "año"])
GUESSES = st.lists(
    st.builds(
        lambda words, start, length, sure, log, none: guess(" ".join(words), start, start + length, sure, log, none),
        st.lists(VOCABULARY, min_size=1, max_size=30),
        st.floats(-2, 22),
        st.floats(-1, 12),
        st.floats(0, 1),
        st.floats(-3, 0),
        st.floats(0, 1),
    ),
    max_size=5,
)


@settings(max_examples=60)
@given(guesses=GUESSES)
def test_filters_keep_order_and_invent_nothing(guesses: list[Guess]) -> None:
    """Prevents a filter that crashes on some garbage, or leaves words out of order, outside the piece or not the model's."""
    spoken = believed(guesses, SOUND, start=7.5, language="es")
    assert_in_order_inside(spoken.segments, 7.5, 7.5 + SECONDS)
    left = iter("".join(piece.text for piece in guesses).replace(" ", ""))
    assert all(character in left for segment in spoken.segments for character in segment.text.replace(" ", ""))
    assert spoken.language == ("es" if spoken.segments else "und")


def recording(*pieces: list[str]) -> list[Spoken]:
    clock = count(0, 10)
    return [Spoken("en", [line(text, start, start + 5) for text, start in zip(piece, clock, strict=False)]) for piece in pieces]


def said(parts: list[Spoken]) -> list[str]:
    return [segment.text for part in parts for segment in part.segments]


def test_the_same_line_piece_after_piece_is_said_once() -> None:
    """Prevents half an hour of music from becoming "Thank you." sixty times, which no single piece gives away."""
    parts = recording(["We start."], ["Thank you."], ["Thank you!"], ["thank you"], ["Thank you."], ["And on it goes."])
    assert said(without_echoes(parts)) == ["We start.", "Thank you.", "And on it goes."]
    assert without_echoes(parts)[2] == Spoken()
    verse = recording(*[["La la.", "Oh."]] * 4, ["The end."])
    assert said(without_echoes(verse)) == ["La la.", "Oh.", "The end."]


def test_three_times_the_same_answer_is_an_answer() -> None:
    """Prevents an interview's "Yes." "Yes." "Yes." from losing two of them, and a chorus that returns later from vanishing."""
    parts = recording(["Yes."], ["Yes."], ["Yes."], ["Why?"], ["Yes."], ["Chorus."], ["Verse."], ["Chorus."], ["Bridge."], ["Chorus."])
    assert said(without_echoes(parts)) == said(parts)
