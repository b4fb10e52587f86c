"""PocketSphinx, the embedded recogniser: English, small, from the wheel alone; its words are a draft."""

import functools
import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from videolab_assets.lib.documents import Segment, Word
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.speech.spoken import Spoken
from videolab_assets.lib.speech.voice import SAMPLE_RATE, Samples

if TYPE_CHECKING:
    from pocketsphinx import Decoder

PAUSE_SECONDS = 0.35
"""A pause this long between two words ends a segment."""

SHORTEST_SECONDS = 0.1
"""PocketSphinx raises an error over less than a few frames of sound."""

_FRAMES_PER_SECOND = 100
_LEAST_CONFIDENCE = 0.1
_LETTERS_PER_SECOND = 8.0
_LETTERS_PER_SECOND_WHEN_SURE = 4.0
_SURE = 0.6
_FILLER = re.compile(r"<.*>|\[.*\]|\+\+.*\+\+")
_ALTERNATE_PRONUNCIATION = re.compile(r"\(\d+\)$")


class HeardWord(Protocol):
    """What of `pocketsphinx.Segment` is used; frames are hundredths of a second, the last one included."""

    word: str
    start_frame: int
    end_frame: int
    prob: float


class PocketSphinx:
    """Hears English, whatever is spoken, with the model inside its wheel.

    A segment's text is made readable, since a recogniser hears no punctuation: its first word gets a capital and its last is followed
    by a full stop, so that whatever looks for sentences finds utterances. The words themselves stay as heard.
    """

    name = "pocketsphinx"
    model = "en-us"
    draft = True
    languages = frozenset({"en"})

    @property
    def identity(self) -> str:
        return f"{self.name} {importlib.metadata.version('pocketsphinx')} {self.model} pause={PAUSE_SECONDS}"

    @functools.cached_property
    def _decoder(self) -> "Decoder":
        import pocketsphinx

        try:
            return pocketsphinx.Decoder(loglevel="FATAL")
        except RuntimeError as problem:
            raise PermanentError(
                "PocketSphinx could not load the English model that its package brings: install it again.", str(problem)
            ) from problem

    def transcribe(self, samples: Samples, *, start: float, language: str | None) -> Spoken:
        """See `Engine.transcribe`. Another language than English is heard as if it were English."""
        if len(samples) < SHORTEST_SECONDS * SAMPLE_RATE:
            return Spoken()
        self._decoder.start_utt()
        self._decoder.process_raw(samples.tobytes(), full_utt=True)
        self._decoder.end_utt()
        found = self._decoder.seg() or ()
        words = list(_words(found, start))
        segments = [_segment(part) for part in _utterances(words)]
        return Spoken("en", segments) if segments else Spoken()


def _words(found: "Iterable[HeardWord]", start: float) -> Iterator[Word]:
    """What was recognised, without silences and noises and without the marks of alternate pronunciations, as `the(2)`."""
    for heard in found:
        if _FILLER.fullmatch(heard.word):
            continue
        yield Word(
            text=_ALTERNATE_PRONUNCIATION.sub("", heard.word),
            start=round(start + heard.start_frame / _FRAMES_PER_SECOND, 3),
            end=round(start + (heard.end_frame + 1) / _FRAMES_PER_SECOND, 3),
            confidence=round(min(max(heard.prob, 0.0), 1.0), 3),
        )


def _utterances(words: Sequence[Word]) -> Iterator[Sequence[Word]]:
    """The words between two pauses, as far as they were spoken and not imagined."""
    begin = 0
    for index in range(1, len(words) + 1):
        if index == len(words) or words[index].start - words[index - 1].end >= PAUSE_SECONDS:
            if _believable(words[begin:index]):
                yield words[begin:index]
            begin = index


def _believable(words: Sequence[Word]) -> bool:
    """Whether an utterance sounds spoken.

    PocketSphinx hears words in music, but slow ones: over film music it gave 2 to 7 letters a second, over real speech never
    below 10, even where the words were wrong. Confidence alone does not tell the two apart: it only saves slow words that are sure.
    """
    letters = sum(len(word.text) for word in words) / sum(word.end - word.start for word in words)
    confidence = sum(word.confidence for word in words) / len(words)
    if confidence < _LEAST_CONFIDENCE:
        return False
    return letters >= _LETTERS_PER_SECOND or (letters >= _LETTERS_PER_SECOND_WHEN_SURE and confidence >= _SURE)


def _segment(words: Sequence[Word]) -> Segment:
    first, *others = [word.text for word in words]
    text = " ".join([first[:1].upper() + first[1:], *others]) + "."
    return Segment(start=words[0].start, end=words[-1].end, text=text, words=list(words))
