"""What a Whisper model says of a piece before it is believed, and how its times become times one can rely on."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from videolab_assets.lib.documents import Segment, Word
from videolab_assets.lib.speech.voice import SAMPLE_RATE

SHORTEST_WORD_MS = 20
"""One step of Whisper's alignment."""


@dataclass(frozen=True)
class GuessedWord:
    """A word as the model wrote it, with the blank before it, and its times: seconds from the piece's beginning, not to be relied on."""

    text: str
    start: float
    end: float
    probability: float


@dataclass(frozen=True)
class Guess:
    """One of the model's segments.

    Attributes:
        words: in the model's order; their times are finite.
        log_probability: mean of its tokens' natural logarithms, over the window that it was decoded in.
        no_speech: probability, of the same window, that nobody speaks.
    """

    words: tuple[GuessedWord, ...]
    log_probability: float
    no_speech: float

    @property
    def text(self) -> str:
        return "".join(word.text for word in self.words).strip()

    @property
    def probability(self) -> float:
        """The mean over its words; 0 without any."""
        return sum(word.probability for word in self.words) / len(self.words) if self.words else 0.0


def segments_of(guesses: Sequence[Guess], *, start: float, samples: int) -> list[Segment]:
    """The guesses as segments whose words follow one another inside the piece, each at least `SHORTEST_WORD_MS` long if there is room.

    Alignment gives words no length where it is unsure, and now and then an end before the start, or a time in the padding after the
    piece. Every time is moved as little as that takes. Words without a letter or digit belong to the word before them.

    Args:
        guesses: of one piece.
        start: seconds from the beginning of the recording to the piece.
        samples: the piece's length at 16 kHz.
    """
    spoken = [(_whole_words(guess.words), guess.text) for guess in guesses]
    first, last = math.ceil(start * 1000 - 1e-6), math.floor((start + samples / SAMPLE_RATE) * 1000 + 1e-6)
    spans = _in_order([(word.start, word.end) for words, _ in spoken for word in words], last - first)
    ends = list(accumulate(len(words) for words, _ in spoken))
    segments: list[Segment] = []
    for (words, text), end in zip(spoken, ends, strict=True):
        timed = [
            Word(
                text=word.text.strip(),
                start=(first + from_ms) / 1000,
                end=(first + to_ms) / 1000,
                confidence=round(min(max(word.probability, 0.0), 1.0), 3) if math.isfinite(word.probability) else 0.0,
            )
            for word, (from_ms, to_ms) in zip(words, spans[end - len(words) : end], strict=False)
        ]
        if timed:
            segments.append(Segment(start=timed[0].start, end=timed[-1].end, text=text, words=timed))
    return segments


def _whole_words(words: Sequence[GuessedWord]) -> list[GuessedWord]:
    """The words, a lone dash or dot joined to the one before it, or to the one after where it comes first."""
    whole: list[GuessedWord] = []
    loose = ""
    for word in words:
        if any(character.isalnum() for character in word.text):
            whole.append(GuessedWord(loose + word.text.lstrip() if loose else word.text, word.start, word.end, word.probability))
            loose = ""
        elif whole:
            before = whole[-1]
            whole[-1] = GuessedWord(before.text + word.text.strip(), before.start, before.end, before.probability)
        else:
            loose += word.text.strip()
    return whole


def _in_order(times: Sequence[tuple[float, float]], length: int) -> list[tuple[int, int]]:
    """The spans in milliseconds, each at least a little long and none before the end of the last, all from 0 to `length`.

    Empty where there is not a millisecond for each.
    """
    shortest = min(SHORTEST_WORD_MS, length // len(times)) if times else 0
    if shortest < 1:
        return []
    spans: list[tuple[int, int]] = []
    earliest = 0
    for start, end in times:
        begin = max(_milliseconds(start, length), earliest)
        earliest = max(_milliseconds(end, length), begin + shortest)
        spans.append((begin, earliest))
    latest = length
    for index in reversed(range(len(spans))):
        begin, finish = spans[index]
        finish = min(finish, latest)
        latest = min(begin, finish - shortest)
        spans[index] = (latest, finish)
    return spans


def _milliseconds(seconds: float, length: int) -> int:
    return min(max(round(seconds * 1000), 0), length)
