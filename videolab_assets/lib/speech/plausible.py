"""What of a model's words to believe: Whisper writes fluent lines over silence and music, and repeats itself without end.

The limits follow what is known of it: Koenecke et al., "Careless Whisper: speech-to-text hallucination harms" (FAccT 2024), find one
transcript in a hundred with invented sentences, mostly over pauses; Barański et al., "Investigation of Whisper ASR hallucinations
induced by non-speech audio" (ICASSP 2025), find few and ever the same lines, and loops, over sounds that are no speech.
"""

import re
import zlib
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace

from videolab_assets.lib.documents import Segment
from videolab_assets.lib.speech.guess import Guess, GuessedWord, segments_of
from videolab_assets.lib.speech.spoken import Spoken
from videolab_assets.lib.speech.voice import FRAMES_PER_SECOND, Activity, Samples, activity

MOST_COMPRESSION = 2.4
"""Bytes of text over bytes of the same text deflated: Whisper's own limit, which speech in any language stays below."""

_SURELY_WRONG = -1.5
_PROBABLY_WRONG = -1.0
_PERHAPS_NO_SPEECH = 0.3
_UNSURE = 0.5
_HARDLY_ANY_SPEECH = 0.1
_WORDS_PER_SECOND = 12.0
_LETTERS_PER_SECOND = 45.0
_WORDS_THAT_TELL_A_RATE = 5
_LONGEST_PHRASE = 24
_REPEATED_WORDS = 8
_LONGEST_VERSE = 3
_REPEATED_LINES = 4
_CREDITS = re.compile(
    r"\bamara\.org\b|\bsubt[ií]tulos (?:realizados )?por\b|\bsubtit(?:les|led) by\b|\btranscribed by https?:", re.IGNORECASE
)


Rule = Callable[[int, int], bool]
"""Told how many items repeat and how many times they come, whether that is too often."""


def believed(guesses: Sequence[Guess], samples: Samples, *, start: float, language: str) -> Spoken:
    """The words of one piece that were probably spoken, at times that can be relied on.

    Left out are: credits of subtitlers, which the model learnt by heart; lines that it thought improbable itself; unsure lines where
    voice activity hears nobody; repetitions of the same words (the first is kept); what compresses as only loops do; what nobody can
    say in its time.

    Args:
        guesses: the model's segments, in order, with times from the piece's beginning.
        samples: the piece.
        start: seconds from the beginning of the recording to the piece.
        language: the language of the words.
    """
    sound = activity(samples)
    likely = [guess for guess in guesses if not _CREDITS.search(guess.text) and _probable(guess) and not _over_silence(guess, sound)]
    once = [guess for guess in _without_loops(likely) if compression(guess.text) <= MOST_COMPRESSION]
    segments = [segment for segment in segments_of(once, start=start, samples=len(samples)) if _sayable(segment)]
    return Spoken(language, segments) if segments else Spoken()


def without_echoes(parts: Sequence[Spoken]) -> list[Spoken]:
    """The pieces of a recording without the line, or up to three lines, that came four times or more in a row (the first stays).

    One "Thank you." a piece, over half an hour of music, is more than any piece alone can show.
    """
    lines = [_bare(segment.text) for part in parts for segment in part.segments]
    kept = iter(_once(lines, _LONGEST_VERSE, lambda _, times: times >= _REPEATED_LINES))
    cleaned = []
    for part in parts:
        segments = [segment for segment in part.segments if next(kept)]
        cleaned.append(replace(part, segments=segments) if segments else Spoken())
    return cleaned


def compression(text: str) -> float:
    """How many times shorter the text becomes by deflating it; loops come above `MOST_COMPRESSION`, short lines below 1."""
    encoded = text.encode()
    return len(encoded) / len(zlib.compress(encoded))


def _probable(guess: Guess) -> bool:
    if guess.log_probability < _SURELY_WRONG:
        return False
    return guess.log_probability >= _PROBABLY_WRONG or guess.no_speech < _PERHAPS_NO_SPEECH


def _over_silence(guess: Guess, sound: Activity) -> bool:
    if not guess.words or (guess.probability >= _UNSURE and guess.log_probability >= _PROBABLY_WRONG):
        return False
    first = max(round(guess.words[0].start * FRAMES_PER_SECOND), 0)
    last = max(round(guess.words[-1].end * FRAMES_PER_SECOND), first + 1)
    heard = sound.speech[first:last]
    return not len(heard) or float(heard.mean()) < _HARDLY_ANY_SPEECH


def _sayable(segment: Segment) -> bool:
    if len(segment.words) < _WORDS_THAT_TELL_A_RATE:
        return True
    seconds = segment.end - segment.start
    letters = sum(character.isalnum() for character in segment.text)
    return len(segment.words) <= _WORDS_PER_SECOND * seconds and letters <= _LETTERS_PER_SECOND * seconds


def _without_loops(guesses: Sequence[Guess]) -> list[Guess]:
    """The guesses without words that repeat what was said right before, be it within a segment or from one to the next.

    Eight times the same word, four times the same two, three times the same six or more: people say "no, no, no" and repeat a sentence
    that matters, but not so often.
    """
    words = [(index, word) for index, guess in enumerate(guesses) for word in guess.words]
    kept = _once([_bare(word.text) for _, word in words], _LONGEST_PHRASE, _is_loop)
    left: list[list[GuessedWord]] = [[] for _ in guesses]
    for (index, word), stays in zip(words, kept, strict=True):
        if stays:
            left[index].append(word)
    return [replace(guess, words=tuple(words)) for guess, words in zip(guesses, left, strict=True) if words]


def _is_loop(period: int, times: int) -> bool:
    return period * times >= _REPEATED_WORDS and times >= (3 if period > 5 else 4)


def _once(items: Sequence[Hashable], longest: int, too_often: Rule) -> list[bool]:
    """Which items stay when each run of repetitions that is `too_often` keeps its first round; periods of 1 to `longest` items."""
    stays = [True] * len(items)
    position = 0
    while position < len(items):
        for period in range(1, min(longest, (len(items) - position) // 2) + 1):
            end = position + period
            while end < len(items) and items[end] == items[end - period]:
                end += 1
            if too_often(period, (end - position) // period):
                stays[position + period : end] = [False] * (end - position - period)
                position = end - 1
                break
        position += 1
    return stays


def _bare(text: str) -> str:
    """Without case and punctuation: a loop varies its commas."""
    return "".join(character for character in text.casefold() if character.isalnum())
