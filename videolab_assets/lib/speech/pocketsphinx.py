"""PocketSphinx, the embedded recogniser: English, small, from the wheel alone; its words are a draft."""

import functools
import importlib.metadata
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from videolab_assets.lib.documents import Segment, Word
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.speech.options import DEFAULT_OPTIONS, SpeechOptions
from videolab_assets.lib.speech.spoken import Spoken
from videolab_assets.lib.speech.voice import Samples

if TYPE_CHECKING:
    from pocketsphinx import Decoder

PAUSE_SECONDS = 0.3
"""A pause this long between two words ends a segment: commas measured 0.1 to 0.25 s, ends of sentences 0.32 and more."""

LANGUAGE_WEIGHT = 6.0
"""How much the language model counts against the sound. The default, 6.5, was never better and much worse on a noisy recording (59 %
of words wrong for 23 %), for a tenth less CPU."""

_FRAMES_PER_SECOND = 100
_LEAST_CONFIDENCE = 0.15
_LETTERS_PER_SECOND = 8.0
_LETTERS_PER_SECOND_WHEN_SURE = 5.0
_SURE = 0.6
_FILLER = re.compile(r"<.*>|\[.*\]|\+\+.*\+\+")
_PRONOUN_I = re.compile(r"\bi\b")
_ALTERNATE_PRONUNCIATION = re.compile(r"\(\d+\)$")


class HeardWord(Protocol):
    """What of `pocketsphinx.Segment` is used; frames are hundredths of a second, the last one included."""

    word: str
    start_frame: int
    end_frame: int
    prob: float


class PocketSphinx:
    """Hears English, whatever is spoken, with the model inside its wheel.

    A segment's text is made readable, since a recogniser hears no punctuation: it begins with a capital, ends with a full stop and says
    "I", so that whatever looks for sentences finds utterances. The words beside it stay as heard, in lower case.
    """

    name = "pocketsphinx"
    model = "en-us"
    draft = True
    languages = frozenset({"en"})

    def __init__(self, options: SpeechOptions = DEFAULT_OPTIONS) -> None:
        self.options = options

    @property
    def identity(self) -> str:
        return f"{self.name} {importlib.metadata.version('pocketsphinx')} {self.model} lw={LANGUAGE_WEIGHT} pause={PAUSE_SECONDS}"

    def check(self) -> None:
        """See `Engine.check`: it has one model, for English as it is spoken."""
        beyond = [self.options.model not in ("", self.model), self.options.language not in (None, "en"), self.options.task == "translate"]
        if any(beyond):
            raise PermanentError(
                "PocketSphinx hears English with the model that it brings, and translates nothing: leave VIDEOLAB_SPEECH_MODEL, _LANGUAGE "
                "and _TASK as they are, or set VIDEOLAB_TRANSCRIBER to whisper or faster-whisper."
            )

    def weights_are_here(self) -> bool:
        """True: they are in its package."""
        return True

    @functools.cached_property
    def _decoder(self) -> "Decoder":
        import pocketsphinx

        self.check()
        try:
            return pocketsphinx.Decoder(loglevel="FATAL", lw=LANGUAGE_WEIGHT)
        except RuntimeError as problem:
            raise PermanentError(
                "PocketSphinx could not load the English model that its package brings: install it again.", str(problem)
            ) from problem

    def transcribe(self, samples: Samples, *, start: float, likely: str | None) -> Spoken:
        """See `Engine.transcribe`. Another language than English is heard as if it were English."""
        if not len(samples):
            return Spoken()  # process_raw raises an IndexError over an empty buffer
        decoder = self._decoder
        decoder.reinit_feat()  # forgets the level of the piece before, which full_utt does not: words must not depend on it
        decoder.start_utt()
        decoder.process_raw(samples.tobytes(), full_utt=True)
        decoder.end_utt()
        words = list(_words(decoder.seg() or (), start))  # None where it reached no word, as in less than 0.1 s
        segments = [_segment(part) for part in _utterances(words)]
        return Spoken("en", segments) if segments else Spoken()


def _words(found: Iterable[HeardWord], start: float) -> Iterator[Word]:
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

    PocketSphinx hears words in music, but slow ones. Measured over film music: 1 to 7 letters a second, or a mean confidence below 0.15.
    Over real speech, words wrong or right: 10 to 15 letters a second, and a solemn "and not" at 7 with 0.85 confidence. Confidence
    alone does not tell the two apart.
    """
    letters = sum(len(word.text) for word in words) / sum(word.end - word.start for word in words)
    confidence = sum(word.confidence for word in words) / len(words)
    if confidence < _LEAST_CONFIDENCE:
        return False
    return letters >= _LETTERS_PER_SECOND or (letters >= _LETTERS_PER_SECOND_WHEN_SURE and confidence >= _SURE)


def _segment(words: Sequence[Word]) -> Segment:
    text = _PRONOUN_I.sub("I", " ".join(word.text for word in words))
    return Segment(start=words[0].start, end=words[-1].end, text=f"{text[:1].upper()}{text[1:]}.", words=list(words))
