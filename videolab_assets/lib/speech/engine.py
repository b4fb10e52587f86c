"""What turns speech into words: the interface, and the engines that there are."""

from collections.abc import Callable
from typing import Protocol

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.speech.pocketsphinx import PocketSphinx
from videolab_assets.lib.speech.spoken import Spoken
from videolab_assets.lib.speech.voice import Samples


class Engine(Protocol):
    """Hears one piece of speech at a time and remembers nothing from one to the next, so that work can stop and go on at any piece.

    Opening an engine costs nothing: it loads its model when it first hears something.
    """

    @property
    def name(self) -> str:
        """What VIDEOLAB_TRANSCRIBER calls it."""

    @property
    def model(self) -> str:
        """The model's name or path, for people."""

    @property
    def draft(self) -> bool:
        """Whether its words are too unsure to be published unread."""

    @property
    def languages(self) -> frozenset[str]:
        """The languages, in ISO 639-1, that it understands; empty when the model decides."""

    @property
    def identity(self) -> str:
        """Engine, release, model and settings in one line: equal identities hear equal words. Part of a transcript's recipe."""

    def transcribe(self, samples: Samples, *, start: float, language: str | None) -> Spoken:
        """The words in a piece.

        Args:
            samples: mono, 16 kHz, any number of them; one piece of `pieces.pieces`.
            start: seconds from the beginning of the recording; the times returned count from there too.
            language: ISO 639-1, or None to find out.
        """


ENGINES: dict[str, Callable[[], Engine]] = {"pocketsphinx": PocketSphinx}


def open_engine(name: str) -> Engine:
    """The engine called `name`.

    Raises:
        PermanentError: there is none of that name.
    """
    if name not in ENGINES:
        raise PermanentError(f"{name!r} is not a speech engine: set VIDEOLAB_TRANSCRIBER to one of {', '.join(sorted(ENGINES))}.")
    return ENGINES[name]()
