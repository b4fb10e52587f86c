"""What every summary engine offers."""

from typing import Protocol

from videolab_assets.lib.documents import Summary, Transcript
from videolab_assets.lib.errors import PermanentError


class NothingSaid(PermanentError):
    """The transcript holds no words, so there is nothing to summarise; the video is fine."""

    def __init__(self) -> None:
        super().__init__("Nothing is said in this video, so there is nothing to summarise.")


class SummaryEngine(Protocol):
    """Turns a transcript into a title, description, tags, key points and show notes."""

    @property
    def identity(self) -> str:
        """Names the engine, its model and its version: part of the recipe of every summary it makes."""
        ...

    def summary_of(self, transcript: Transcript, prompt: str | None = None) -> Summary:
        """The summary, in the transcript's language, without recipe, files and seconds.

        Args:
            transcript: of any length, punctuated or not.
            prompt: the tenant's or the request's own wish; engines that cannot follow it say so.

        Raises:
            NothingSaid: the transcript holds no words.
        """
        ...
