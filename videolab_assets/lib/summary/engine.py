"""What every summary engine offers, and what decides how one works."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from videolab_assets.lib.documents import Summary, Transcript
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.summary.gemini_models import DEFAULT_MODEL

if TYPE_CHECKING:
    from videolab_assets.lib.database import Database


class NothingSaid(PermanentError):
    """The transcript holds no words, so there is nothing to summarise; the video is fine."""

    def __init__(self) -> None:
        super().__init__("Nothing is said in this video, so there is nothing to summarise.")


@dataclass(frozen=True)
class SummaryOptions:
    """What engines with a model, a price and a memory need; the extractive engine needs none of it. Keys are not among it.

    Attributes:
        model: the model's id.
        endpoint: address of a server that is not the vendor's; empty for the vendor's.
        price_input: US dollars for a million tokens read, before what the table of models says; None to believe the table.
        price_output: the same for tokens written.
        daily_cap: US dollars that one tenant may spend in a day (UTC).
        timeout: seconds for one request.
        database: opens the database that remembers answers and spending; called when it is first needed.
    """

    model: str = DEFAULT_MODEL
    endpoint: str = ""
    price_input: float | None = None
    price_output: float | None = None
    daily_cap: float = 1.0
    timeout: float = 120.0
    database: "Callable[[], Database] | None" = None


class SummaryEngine(Protocol):
    """Turns a transcript into a title, description, tags, key points and show notes."""

    @property
    def name(self) -> str:
        """What VIDEOLAB_SUMMARIZER calls it."""
        ...

    @property
    def follows_prompts(self) -> bool:
        """Whether a prompt changes what it writes."""
        ...

    def complaints(self) -> Sequence[str]:
        """Sentences about what will go wrong before long, if nobody changes it. Costs nothing and asks nobody.

        Raises:
            PermanentError: the engine cannot work as it is set up.
        """
        ...

    @property
    def identity(self) -> str:
        """Names the engine, its model and its version: part of the recipe of every summary it makes."""
        ...

    def summary_of(self, transcript: Transcript, prompt: str | None = None, *, tenant: str) -> Summary:
        """The summary, in the transcript's language, without recipe, files and seconds.

        Args:
            transcript: of any length, punctuated or not.
            prompt: the tenant's or the request's own wish, where the engine follows one.
            tenant: who pays, where the engine costs money.

        Raises:
            NothingSaid: the transcript holds no words.
            PermanentError: no summary can be made like this; why is in its sentence.
            TransientError: a service or the database failed; later it may work.
        """
        ...
