"""faster-whisper: the same models over CTranslate2, several times faster on a processor and in less memory."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

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
    from faster_whisper import WhisperModel
    from faster_whisper.transcribe import Segment

_FILES = ("model.bin", "config.json", "tokenizer.json")
"""What a folder has to hold; without the last, the library would look for another on the network."""


class FasterWhisper(WhisperFamily):
    """A model that Systran converted, downloaded from Hugging Face at first use, any other's there (`owner/model`), or a folder."""

    name = "faster-whisper"
    package = "faster-whisper"
    compute = "int8"
    """Quantised on every device, so that the device decides the speed and hardly a word."""

    def weights_are_here(self) -> bool:
        """See `Engine.weights_are_here`."""
        if self.weights.path is not None:
            return not self._missing_files()
        from faster_whisper import download_model

        try:
            download_model(self.weights.name, local_files_only=True)
        except (OSError, ValueError):
            return False
        return True

    def check(self) -> None:
        """See `Engine.check`."""
        super().check()
        if self._missing_files():
            raise PermanentError(
                f"{self.weights.path} is no CTranslate2 model of Whisper: it has no {' or '.join(self._missing_files())}.",
            )

    def _missing_files(self) -> list[str]:
        path = self.weights.path
        return [] if path is None else [name for name in _FILES if not (path / name).is_file()]

    def _load(self) -> "WhisperModel":
        import ctranslate2
        from faster_whisper import WhisperModel, available_models
        from huggingface_hub.errors import RepositoryNotFoundError

        if self.options.device == "cuda" and not ctranslate2.get_cuda_device_count():
            raise PermanentError("There is no CUDA device for speech: set VIDEOLAB_SPEECH_DEVICE to auto or cpu.")
        path, name = self.weights.path, self.weights.name
        if path is None and "/" not in name and name not in available_models():
            raise PermanentError(
                f"{name!r} is no faster-whisper model: set VIDEOLAB_SPEECH_MODEL to one of {', '.join(available_models())}, "
                "to an owner/model on Hugging Face, or to the path of a folder."
            )
        ctranslate2.set_random_seed(SEED)
        try:
            return WhisperModel(str(path or name), device=self.options.device, compute_type=self.compute)
        except RepositoryNotFoundError as problem:
            raise PermanentError(f"There is no model {name} on Hugging Face: correct VIDEOLAB_SPEECH_MODEL.", str(problem)) from problem
        except (OSError, RuntimeError, ValueError) as problem:
            if path is not None:
                sentence = f"{name} cannot be loaded as a CTranslate2 model of Whisper: it is damaged, or something else."
                raise PermanentError(sentence, str(problem)) from problem
            sentence = f"The faster-whisper model {name} could not be fetched: try again, or set VIDEOLAB_SPEECH_MODEL to a folder."
            raise TransientError(sentence, str(problem)) from problem

    def _is_multilingual(self, loaded: "WhisperModel") -> bool:
        return bool(loaded.model.is_multilingual)

    def _known_languages(self) -> frozenset[str]:
        from faster_whisper.tokenizer import _LANGUAGE_CODES

        return frozenset(_LANGUAGE_CODES)

    def _probabilities(self, sound: Sound) -> Mapping[str, float]:
        return dict(self._loaded.detect_language(sound)[2])

    def _guesses(self, sound: Sound, language: str) -> list[Guess]:
        segments, _ = self._loaded.transcribe(
            sound,
            language=language,
            task=self.options.task,
            temperature=TEMPERATURES,
            beam_size=BEAM_SIZE,
            best_of=BEAM_SIZE,
            compression_ratio_threshold=MOST_COMPRESSION,
            log_prob_threshold=LEAST_LOG_PROBABILITY,
            no_speech_threshold=MOST_NO_SPEECH,
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        guesses: list[Guess] = []
        windows: set[int] = set()
        for segment in segments:  # decodes as it goes
            windows.add(segment.seek)
            if len(windows) > MOST_WINDOWS:
                break
            if segment.words:
                guesses.append(_guess(segment))
        return guesses


def _guess(segment: "Segment") -> Guess:
    words = [GuessedWord(word.word, float(word.start), float(word.end), float(word.probability)) for word in segment.words or ()]
    return Guess(tuple(words), segment.avg_logprob, segment.no_speech_prob)
