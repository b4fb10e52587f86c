"""What the two engines that run Whisper models have in common: how they decode, whose language they believe, who they are."""

import importlib.metadata
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.speech.guess import Guess
from videolab_assets.lib.speech.options import DEFAULT_OPTIONS, SpeechOptions
from videolab_assets.lib.speech.plausible import MOST_COMPRESSION, believed
from videolab_assets.lib.speech.spoken import Spoken
from videolab_assets.lib.speech.voice import SAMPLE_RATE, Samples
from videolab_assets.lib.speech.weights import Weights

DEFAULT_MODEL = "small"
"""The smallest that people can read without a pen, in Spanish as in English; 0.5 GB of weights."""

ENGLISH = "en"
DEVICES = ("auto", "cpu", "cuda")

TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Tried in turn until the words of a window neither loop nor are improbable, as both libraries do."""
BEAM_SIZE = 5
LEAST_LOG_PROBABILITY = -1.0
MOST_NO_SPEECH = 0.6
SEED = 0
"""Of the random numbers behind every temperature but the first."""

MOST_WINDOWS = 4
"""A piece is one window, and decoding begins again after the last whole segment of it. A model that is lost may so creep on by a
hundredth of a second at a time, in either library, and would take hours over half a minute."""

SHORT_SECONDS = 10.0
SURE = 0.7

_SHORTEST_SECONDS = 0.1

Sound = NDArray[np.float32]
"""Mono at 16 kHz, full scale 1: what both libraries take."""


class WhisperFamily(ABC):
    """An engine over a Whisper model: pieces in, words and their probabilities out; nothing is carried from one piece to the next.

    That each piece stands alone, and is cut by our own voice activity, is what keeps times from drifting on long recordings, loops from
    spreading, and lets the language change midway.
    """

    name: ClassVar[str]
    package: ClassVar[str]
    compute: ClassVar[str] = ""
    """How the engine calculates, where that changes words."""
    draft: ClassVar[bool] = False

    def __init__(self, options: SpeechOptions = DEFAULT_OPTIONS) -> None:
        self.options = options
        self.weights = Weights(options.model or DEFAULT_MODEL)

    @property
    def model(self) -> str:
        """The model's name, or that of its file or folder."""
        return self.weights.name

    @property
    def languages(self) -> frozenset[str]:
        """English for models that say so in their names; otherwise empty: some hundred, which only the model can tell."""
        return frozenset({ENGLISH}) if self.weights.name.removesuffix(".pt").endswith(".en") else frozenset()

    @cached_property
    def identity(self) -> str:
        """See `Engine.identity`. The device is not in it."""
        options = f"language={self.options.language or 'found'} task={self.options.task}"
        decoding = f"beam={BEAM_SIZE} temperatures={TEMPERATURES[0]:g}-{TEMPERATURES[-1]:g} sure={SURE}/{SHORT_SECONDS:g}s"
        limits = f"compression={MOST_COMPRESSION} log_probability={LEAST_LOG_PROBABILITY} no_speech={MOST_NO_SPEECH}"
        parts = [self.name, self._release or "not installed", self.weights.identity, self.compute, options, decoding, limits]
        return " ".join(part for part in parts if part)

    @property
    def _release(self) -> str | None:
        try:
            return importlib.metadata.version(self.package)
        except importlib.metadata.PackageNotFoundError:
            return None

    @abstractmethod
    def weights_are_here(self) -> bool:
        """See `Engine.weights_are_here`."""

    def check(self) -> None:
        """See `Engine.check`."""
        if self._release is None:
            raise PermanentError(f"{self.package} is not installed: pip install -c constraints.txt -e '.[{self.name}]'")
        if self.options.device not in DEVICES:
            raise PermanentError(f"{self.options.device!r} is not a device for speech: set VIDEOLAB_SPEECH_DEVICE to {', '.join(DEVICES)}.")
        if self.weights.path is not None and not self.weights.path.exists():
            raise PermanentError(f"There is no speech model at {self.weights.path}: set VIDEOLAB_SPEECH_MODEL to one that exists.")
        if self.languages:
            self._check_english_only()

    def _check_english_only(self) -> None:
        if self.options.language not in (None, ENGLISH) or self.options.task == "translate":
            raise PermanentError(
                f"The speech model {self.model} understands English alone: set VIDEOLAB_SPEECH_MODEL to one that knows other languages."
            )

    @cached_property
    def _loaded(self) -> Any:
        """The model in memory, after `check`."""
        self.check()
        loaded = self._load()
        if not self._is_multilingual(loaded):
            self._check_english_only()
        elif self.options.language not in (None, *self._known_languages()):
            raise PermanentError(
                f"Whisper knows no language {self.options.language!r}: set VIDEOLAB_SPEECH_LANGUAGE to a code such as es or en."
            )
        return loaded

    def transcribe(self, samples: Samples, *, start: float, likely: str | None) -> Spoken:
        """See `Engine.transcribe`. A piece of less than a tenth of a second holds no word."""
        if len(samples) < _SHORTEST_SECONDS * SAMPLE_RATE:
            return Spoken()
        sound = samples.astype(np.float32) / np.float32(32768)
        language = self._language(sound, likely)
        written = ENGLISH if self.options.task == "translate" else language
        return believed(self._guesses(sound, language), samples, start=start, language=written)

    def _language(self, sound: Sound, likely: str | None) -> str:
        """The language spoken in the sound: the one that was set, the only one there is, or the one it sounds like."""
        if not self._is_multilingual(self._loaded):
            return ENGLISH
        if self.options.language:
            return self.options.language
        # The words so far are English in a translation, whatever was spoken.
        so_far = None if self.options.task == "translate" else likely
        return language_of(self._probabilities(sound), len(sound) / SAMPLE_RATE, so_far)

    @abstractmethod
    def _load(self) -> Any:
        """The model, from this machine or downloaded.

        Raises:
            PermanentError: no such model, or its file is none.
            TransientError: it could not be downloaded.
        """

    @abstractmethod
    def _is_multilingual(self, loaded: Any) -> bool: ...

    @abstractmethod
    def _known_languages(self) -> frozenset[str]: ...

    @abstractmethod
    def _probabilities(self, sound: Sound) -> Mapping[str, float]:
        """How probable each language is; ISO 639-1."""

    @abstractmethod
    def _guesses(self, sound: Sound, language: str) -> list[Guess]:
        """What the model hears, of `MOST_WINDOWS` windows at most."""


def language_of(probabilities: Mapping[str, float], seconds: float, likely: str | None) -> str:
    """The most probable language; or `likely`, that of most words so far, where a piece is short and its own answer unsure.

    Two seconds of Spanish easily sound Galician; ten seconds hardly ever do.
    """
    best = max(probabilities, key=lambda language: probabilities[language])
    return likely if likely and seconds < SHORT_SECONDS and probabilities[best] < SURE else best
