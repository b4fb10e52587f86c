"""What is known of a video before its clips are chosen: its sentences, its shots and its sound, on one clock."""

import math
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from pathlib import Path

from videolab_assets.lib.clips.listening import Sound, listen
from videolab_assets.lib.documents import Shot, Shots, Transcript
from videolab_assets.lib.summary.language import UNDETERMINED, Language, language_called, language_of
from videolab_assets.lib.summary.sentences import Sentence, Token, sentences_of, tokens_of

ROUNDING = 1e-6
"""Frames by which a time that was written as decimals may miss the frame it means."""


@dataclass(frozen=True)
class Evidence:
    """Everything that speaks for or against a clip; seconds from the video's first frame.

    Attributes:
        frame_rate: frames a second, constant; clips begin and end on its grid n / frame_rate.
        duration: of the picture.
        language: ISO 639-1 of most words; `und` where nothing is said.
        draft: nobody, not even a good engine, vouches for the words and full stops.
        sentences: in order; their tokens are the words, with punctuation where there is any.
        shots: in order, from the first frame to the last.
        sound: None where there is none or it is silent throughout.
    """

    frame_rate: float
    duration: float
    language: str
    draft: bool
    sentences: tuple[Sentence, ...]
    shots: tuple[Shot, ...]
    sound: Sound | None

    @classmethod
    def of(cls, shots: Shots, transcript: Transcript | None, sound: Path | None, sound_seconds: float = 0.0) -> "Evidence":
        """Gathers it; reads the sound once.

        Where text has full stops they end its sentences; elsewhere, as in a draft, pauses and the engine's segments do.

        Args:
            shots: of the whole video; none in a file without picture.
            transcript: None, or one without words, where nothing is said.
            sound: mono 16 kHz FLAC of our own making; None for a silent video.
            sound_seconds: what the file must hold at least; 0 where nobody knows.

        Raises:
            TransientError: the sound could not be read to its end.
        """
        tokens = tokens_of(transcript) if transcript else []
        said = transcript.language if transcript and tokens else UNDETERMINED
        language = language_of((token.text for token in tokens), said) if tokens else language_called(UNDETERMINED)
        spoken = [(token.start, token.end) for token in tokens]
        return cls(
            frame_rate=shots.frame_rate,
            duration=shots.duration,
            language=language.code,
            draft=bool(transcript and transcript.draft),
            sentences=tuple(sentences_of(tokens, language)),
            shots=tuple(shots.shots),
            sound=listen(sound, sound_seconds, spoken) if sound else None,
        )

    @property
    def wording(self) -> Language:
        """What is known of the words' language."""
        return language_called(self.language)

    @property
    def has_picture(self) -> bool:
        return bool(self.shots) and self.frame_rate > 0

    @cached_property
    def words(self) -> tuple[Token, ...]:
        """All words in the order of their starts; one may end after the next one's start, where two people speak."""
        return tuple(token for sentence in self.sentences for token in sentence.tokens)

    @cached_property
    def spoken_until(self) -> tuple[float, ...]:
        """For each sentence, when it and all before it have been said."""
        ends = (max(token.end for token in sentence.tokens) for sentence in self.sentences)
        return tuple(accumulate(ends, max))

    @property
    def frames(self) -> int:
        """Whole frames in the video."""
        return self.last_frame_by(self.duration)

    def time_of(self, frame: int) -> float:
        return frame / self.frame_rate

    def first_frame_from(self, time: float) -> int:
        """The first point of the grid that is not before `time`."""
        return math.ceil(time * self.frame_rate - ROUNDING)

    def last_frame_by(self, time: float) -> int:
        """The last point of the grid that is not after `time`."""
        return math.floor(time * self.frame_rate + ROUNDING)
