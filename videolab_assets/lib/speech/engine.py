"""What turns speech into words: the interface, and the engines that there are."""

from collections.abc import Callable
from typing import Protocol

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.speech.faster_whisper import FasterWhisper
from videolab_assets.lib.speech.options import DEFAULT_OPTIONS, SpeechOptions
from videolab_assets.lib.speech.pocketsphinx import PocketSphinx
from videolab_assets.lib.speech.spoken import Spoken
from videolab_assets.lib.speech.voice import Samples
from videolab_assets.lib.speech.whisper import Whisper

__all__ = ["ENGINES", "Engine", "SpeechOptions", "open_engine"]


class Engine(Protocol):
    """Hears one piece of speech at a time and remembers nothing from one to the next, so that work can stop and go on at any piece.

    Opening an engine costs nothing and imports nothing heavy: it loads its model when it first hears something. Every process that
    loads the definitions opens one, so neither that nor `identity` fails over a missing package or model; `check` does.
    """

    @property
    def name(self) -> str:
        """What VIDEOLAB_TRANSCRIBER calls it."""

    @property
    def model(self) -> str:
        """The model's name, or that of its file or folder, for people."""

    @property
    def draft(self) -> bool:
        """Whether its words are too unsure to be published unread."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages, in ISO 639-1, that it understands; empty when the model decides."""

    @property
    def identity(self) -> str:
        """Engine, release, model, language, task and limits in one line: equal identities hear equal words. Part of a transcript's recipe.

        A model given by path is in it by its file's name and content, never by path or time; the device is not in it.
        """

    def check(self) -> None:
        """Finds out, without loading a model, what would keep it from hearing; hearing begins with it.

        Raises:
            PermanentError: a package or model is missing, or an option asks what the engine cannot do.
        """

    def weights_are_here(self) -> bool:
        """Whether its model is on this machine; otherwise hearing downloads it first. To be asked after `check`."""

    def transcribe(self, samples: Samples, *, start: float, likely: str | None) -> Spoken:
        """The words in a piece, in order and inside it.

        Args:
            samples: mono, 16 kHz, any number of them; one piece of `pieces.pieces`.
            start: seconds from the beginning of the recording; the times returned count from there too.
            likely: the language of most words so far, ISO 639-1, for a piece that is too short to tell by itself; None at first.

        Raises:
            PermanentError: see `check`; or the model is not what it should be.
            TransientError: the model could not be downloaded.
        """


ENGINES: dict[str, Callable[[SpeechOptions], Engine]] = {engine.name: engine for engine in (PocketSphinx, Whisper, FasterWhisper)}


def open_engine(name: str, options: SpeechOptions = DEFAULT_OPTIONS) -> Engine:
    """The engine called `name`, which has not looked at its model yet.

    Raises:
        PermanentError: there is none of that name.
    """
    if name not in ENGINES:
        raise PermanentError(f"{name!r} is not a speech engine: set VIDEOLAB_TRANSCRIBER to one of {', '.join(sorted(ENGINES))}.")
    return ENGINES[name](options)
