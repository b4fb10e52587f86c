"""Times that a model gives, made reliable."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.documents import Segment
from videolab_assets.lib.speech.guess import Guess, GuessedWord, segments_of
from videolab_assets.lib.speech.voice import SAMPLE_RATE

TIMES = st.floats(-40, 80)
TEXTS = st.sampled_from([" yes", " no,", " -", "...", " año", "、"])
WORDS = st.builds(GuessedWord, TEXTS, TIMES, TIMES, st.one_of(st.floats(-1, 2), st.just(float("nan"))))
GUESSES = st.lists(st.builds(Guess, st.lists(WORDS, max_size=12).map(tuple), st.just(-0.1), st.just(0.0)), max_size=6)


def assert_in_order_inside(segments: list[Segment], start: float, end: float) -> None:
    words = [word for segment in segments for word in segment.words]
    assert all(start - 1e-9 <= word.start < word.end <= end + 1e-9 for word in words)
    assert all(before.end <= after.start for before, after in pairwise(words))
    for segment in segments:
        assert segment.words
        assert (segment.start, segment.end) == (segment.words[0].start, segment.words[-1].end)


@given(guesses=GUESSES, start=st.floats(0, 12_000), samples=st.integers(0, 30 * SAMPLE_RATE))
def test_words_follow_one_another_inside_their_piece(guesses: list[Guess], start: float, samples: int) -> None:
    """Prevents words that overlap, run backwards, last no time or lie in the padding, which subtitles and clip planning do not expect."""
    segments = segments_of(guesses, start=start, samples=samples)
    assert_in_order_inside(segments, start, start + samples / SAMPLE_RATE)
    assert all(0 <= word.confidence <= 1 for segment in segments for word in segment.words)


def guess(*words: tuple[str, float, float]) -> Guess:
    return Guess(tuple(GuessedWord(text, start, end, 0.9) for text, start, end in words), -0.2, 0.0)


def times(segments: list[Segment]) -> list[tuple[str, float, float]]:
    return [(word.text, word.start, word.end) for segment in segments for word in segment.words]


def test_good_times_are_only_shifted() -> None:
    """Prevents a repair that moves what was right."""
    heard = [guess((" So", 0.1, 0.3), (" what", 0.3, 0.62)), guess((" now?", 1.0, 1.5))]
    assert times(segments_of(heard, start=100.25, samples=32000)) == [
        ("So", 100.35, 100.55),
        ("what", 100.55, 100.87),
        ("now?", 101.25, 101.75),
    ]


def test_bad_times_move_as_little_as_possible() -> None:
    """Prevents words without length, before their predecessors or past the end; each takes its least, its neighbours keep theirs."""
    heard = [guess((" a", 0.5, 0.5), (" b", 0.4, 0.3), (" c", 0.9, 1.2), (" d", 1.1, 9.0), (" e", 9.0, 9.0))]
    assert times(segments_of(heard, start=0, samples=32000)) == [
        ("a", 0.5, 0.52),
        ("b", 0.52, 0.54),
        ("c", 0.9, 1.2),
        ("d", 1.2, 1.98),
        ("e", 1.98, 2.0),
    ]


def test_text_and_words_say_the_same() -> None:
    """Prevents a dash that counts as a word, and one that is lost from the text."""
    (segment,) = segments_of([guess((" ¿", 0.0, 0.1), ("Qué", 0.1, 0.3), (" –", 0.3, 0.4), (" dices?", 0.4, 0.8))], start=0, samples=16000)
    assert segment.text == "¿Qué – dices?"
    assert [word.text for word in segment.words] == ["¿Qué–", "dices?"]
    assert segments_of([guess((" ...", 0.0, 0.5))], start=0, samples=16000) == []
