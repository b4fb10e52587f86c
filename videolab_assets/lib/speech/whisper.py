"""openai-whisper: OpenAI's own code and models, over torch."""

import http.client
import os
import pickle
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.speech.family import (
    BEAM_SIZE,
    LEAST_LOG_PROBABILITY,
    MOST_NO_SPEECH,
    MOST_WINDOWS,
    SEED,
    TEMPERATURES,
    Sound,
    WhisperFamily,
)
from videolab_assets.lib.speech.guess import Guess, GuessedWord
from videolab_assets.lib.speech.plausible import MOST_COMPRESSION

if TYPE_CHECKING:
    from whisper.model import Whisper as Model

_FILES_OF_NAMES = {"large": "large-v3", "turbo": "large-v3-turbo"}


class Whisper(WhisperFamily):
    """A model that OpenAI released, downloaded at first use to `~/.cache/whisper`, or any checkpoint file of theirs or of yours."""

    name = "whisper"
    package = "openai-whisper"

    def weights_are_here(self) -> bool:
        """See `Engine.weights_are_here`."""
        if self.weights.path is not None:
            return self.weights.path.is_file()
        cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "whisper"
        return (cache / f"{_FILES_OF_NAMES.get(self.weights.name, self.weights.name)}.pt").is_file()

    def _load(self) -> "Model":
        import torch
        import whisper

        if self.options.device == "cuda" and not torch.cuda.is_available():
            raise PermanentError("There is no CUDA device for speech: set VIDEOLAB_SPEECH_DEVICE to auto or cpu.")
        path, device = self.weights.path, None if self.options.device == "auto" else self.options.device
        if path is None and self.weights.name not in whisper.available_models():
            raise PermanentError(
                f"{self.weights.name!r} is no Whisper model: set VIDEOLAB_SPEECH_MODEL to one of "
                f"{', '.join(whisper.available_models())}, or to the path of a checkpoint."
            )
        if path is not None:
            return self._load_file(path, device)
        try:
            return whisper.load_model(self.weights.name, device=device)
        except (OSError, RuntimeError, http.client.HTTPException) as problem:
            sentence = f"The Whisper model {self.weights.name} could not be fetched: try again, or set VIDEOLAB_SPEECH_MODEL to a file."
            raise TransientError(sentence, str(problem)) from problem

    def _load_file(self, path: Path, device: str | None) -> "Model":
        import whisper

        # torch's unpickler, fed something else, fails in whatever way its bytes lead it to.
        failures = (OSError, RuntimeError, ValueError, LookupError, TypeError, AttributeError, EOFError, pickle.UnpicklingError)
        try:
            return whisper.load_model(str(path), device=device)
        except failures as problem:
            sentence = f"{self.weights.name} cannot be loaded as a Whisper checkpoint: it is damaged, or something else."
            raise PermanentError(sentence, str(problem)) from problem

    def _is_multilingual(self, loaded: "Model") -> bool:
        return bool(loaded.is_multilingual)

    def _known_languages(self) -> frozenset[str]:
        from whisper.tokenizer import LANGUAGES

        return frozenset(LANGUAGES)

    def _probabilities(self, sound: Sound) -> Mapping[str, float]:
        import whisper

        model = self._loaded
        spectrogram = whisper.log_mel_spectrogram(whisper.pad_or_trim(sound), model.dims.n_mels, device=model.device)
        probabilities: dict[str, float] = model.detect_language(spectrogram)[1]
        return probabilities

    def _guesses(self, sound: Sound, language: str) -> list[Guess]:
        import torch

        model = self._loaded
        with _at_most(MOST_WINDOWS, model), torch.random.fork_rng(), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Word-level timestamps on translations")  # said of every piece; the choice was a person's
            torch.manual_seed(SEED)
            heard = model.transcribe(
                sound,
                language=language,
                task=self.options.task,
                temperature=TEMPERATURES,
                beam_size=BEAM_SIZE,
                best_of=BEAM_SIZE,
                compression_ratio_threshold=MOST_COMPRESSION,
                logprob_threshold=LEAST_LOG_PROBABILITY,
                no_speech_threshold=MOST_NO_SPEECH,
                condition_on_previous_text=False,
                word_timestamps=True,
                fp16=model.device.type == "cuda",
            )
        return [_guess(segment) for segment in heard["segments"] if segment["words"]]


def _guess(segment: Mapping[str, Any]) -> Guess:
    words = [GuessedWord(word["word"], float(word["start"]), float(word["end"]), float(word["probability"])) for word in segment["words"]]
    return Guess(tuple(words), segment["avg_logprob"], segment["no_speech_prob"])


@contextmanager
def _at_most(windows: int, model: "Model") -> Iterator[None]:
    """Lets `model.transcribe` decode so many windows of one piece; it finds silence in the others, which ends it with what it has."""
    from whisper.decoding import DecodingOptions, DecodingResult

    decoded = 0
    decode = model.decode

    def decode_or_end(window: Any, options: DecodingOptions) -> DecodingResult:
        nonlocal decoded
        decoded += options.temperature == TEMPERATURES[0]
        if decoded > windows:
            return DecodingResult(
                window, options.language or "", avg_logprob=float("-inf"), no_speech_prob=1.0, temperature=0.0, compression_ratio=0.0
            )
        return decode(window, options)

    model.decode = decode_or_end
    try:
        yield
    finally:
        del model.decode
