"""Who has the last word on the order of a plan's clips: the rules themselves, or a model that has read what is said in them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from videolab_assets.lib.documents import Clip
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.summary.engine import SummaryOptions

if TYPE_CHECKING:
    from videolab_assets.lib.clips.plan import Planned


@dataclass(frozen=True)
class Reranked:
    """The clips in their final order.

    Attributes:
        clips: the best first; as many as were planned, and all that a person wants among them.
        ranker: who had the last word: `rules`, or a model's name.
        cost: US dollars paid for it, in vain or not.
        notes: sentences: why somebody who was asked had no say.
    """

    clips: list[Clip]
    ranker: str
    cost: float = 0.0
    notes: list[str] = field(default_factory=list)


class Ranker(Protocol):
    """Orders the clips of a plan anew, or does not."""

    @property
    def name(self) -> str:
        """What VIDEOLAB_RANKER calls it."""
        ...

    @property
    def identity(self) -> str:
        """Names the ranker, its model and its version: part of the recipe of every plan that it orders."""
        ...

    def complaints(self) -> Sequence[str]:
        """Sentences about what will go wrong before long, if nobody changes it. Costs nothing and asks nobody.

        Raises:
            PermanentError: the ranker cannot work as it is set up.
        """
        ...

    def ranked(self, planned: "Planned", language: str, tenant: str) -> Reranked:
        """The plan's clips, and perhaps some of their rivals in place of others.

        Clips that a person wants keep their places, and no clip overlaps another that did not before. Where there is no order to be
        had for a reason that lasts, the rules' stands, and a note says why.

        Args:
            planned: the clips that the rules chose, the best first, and what came next.
            language: ISO 639-1 code of what is said.
            tenant: who pays, where it costs money.

        Raises:
            TransientError: a service or the database failed; later it may work.
        """
        ...


class RulesRanker:
    """Leaves the rules' order as it is."""

    name = "rules"
    identity = "rules"

    def complaints(self) -> Sequence[str]:
        return ()

    def ranked(self, planned: "Planned", language: str, tenant: str) -> Reranked:
        return Reranked(planned.clips, self.name)


def _rules(_: SummaryOptions) -> Ranker:
    return RulesRanker()


def _gemini(options: SummaryOptions) -> Ranker:
    from videolab_assets.lib.clips.gemini_ranking import GeminiRanker

    return GeminiRanker(options)


RANKERS: dict[str, Callable[[SummaryOptions], Ranker]] = {"rules": _rules, "gemini": _gemini}
"""Every ranker by the name that `VIDEOLAB_RANKER` takes."""


def open_ranker(name: str = "rules", options: SummaryOptions | None = None) -> Ranker:
    """The ranker of that name, ready for any number of plans. Opening costs nothing: no network, no database.

    Raises:
        PermanentError: there is none.
    """
    if name not in RANKERS:
        raise PermanentError(f"{name!r} is not a ranker of clips: set VIDEOLAB_RANKER to one of {', '.join(sorted(RANKERS))}.")
    return RANKERS[name](options or SummaryOptions())
