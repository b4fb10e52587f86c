"""What became of clips as ads, beside what is known of the clips: the only thing that anything is learned from.

Counts come from insights, whole ads over whole days, never from a breakdown; reach, frequency and unique counts do not add up and are
not here.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol

from videolab_assets.lib.documents import ClipPlan, Look, Model, ScoreParts, Variants
from videolab_assets.lib.errors import PermanentError

if TYPE_CHECKING:
    from videolab_assets.lib.campaigns.terms import ClipRef

Outcome = Literal["hooked", "watched", "clicked"]

OUTCOMES: Mapping[Outcome, str] = {
    "hooked": "3-second plays per impression",
    "watched": "ThruPlays per impression",
    "clicked": "link clicks per impression",
}
"""The rates that clips are compared by; ThruPlay is Meta's word for 15 seconds or the whole of what is shorter."""

PART = "part."
LENGTH = "length"
LOOK = "look."
"""How attributes are called: `part.hook`, `length` (the natural logarithm of seconds), `look.captions=bold` (1 or 0)."""

SAME_LENGTH = 0.25
"""Seconds by which a variant's planned length may differ from that of the clip in the plan of the same name: more is another clip."""


class Counts(Protocol):
    """What `lib/insights` counts, of an ad or of a day; money in minor units."""

    @property
    def impressions(self) -> int: ...
    @property
    def plays_3s(self) -> int: ...
    @property
    def thruplays(self) -> int: ...
    @property
    def link_clicks(self) -> int: ...
    @property
    def spend_minor(self) -> int: ...


class Totals(Counts, Protocol):
    """What `lib/insights` has of an ad."""

    @property
    def ad_id(self) -> str: ...
    @property
    def currency(self) -> str: ...


class Made(Protocol):
    """What `lib/campaigns` has of an ad that it made; `cell` and `study_id` where the ad is part of an A/B split."""

    @property
    def account_id(self) -> str: ...
    @property
    def ad_id(self) -> str: ...
    @property
    def campaign_key(self) -> str: ...
    @property
    def clip(self) -> "ClipRef": ...
    @property
    def cell(self) -> str | None: ...
    @property
    def study_id(self) -> str | None: ...


class ClipDescription(Model):
    """What is known of a clip besides its numbers; duration in seconds."""

    score: float
    parts: ScoreParts
    duration: float
    look: Look

    def attributes(self) -> dict[str, float]:
        """By the names of this module; what the score had nothing to judge by is left out."""
        parts = {f"{PART}{name}": float(value) for name, value in self.parts if value is not None}
        looks = {f"{LOOK}{name}={getattr(self.look, name)}": 1.0 for name in ("captions", "hook", "cover")}
        return {**parts, LENGTH: math.log(max(self.duration, 0.1)), **looks}


@dataclass(frozen=True)
class ClipEvidence:
    """One clip in one campaign, and in an A/B split in one of its cells.

    Attributes:
        impressions, hooked, watched, clicked: times shown, played for 3 seconds, played through, and links clicked.
        spend_minor: in minor units of the currency.
        score: the clip plan's, 0..1; None where the plan is gone.
        attributes: see `ClipDescription.attributes`; those that are missing are unknown.
        cell, study_id: of the A/B split, in which Meta shows each person one cell only; None where each ad finds people of its own.
    """

    clip: "ClipRef"
    account_id: str
    campaign_key: str
    currency: str
    impressions: int
    hooked: int
    watched: int
    clicked: int
    spend_minor: int = 0
    score: float | None = None
    attributes: Mapping[str, float] = field(default_factory=dict)
    cell: str | None = None
    study_id: str | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """What decides the order in which evidence is reckoned with, so that the same evidence gives the same figures."""
        return (self.clip.video_key, self.clip.name, self.account_id, self.campaign_key, self.study_id or "", self.cell or "")

    def successes(self, outcome: Outcome) -> int:
        """Of the impressions, those that came to something.

        Raises:
            PermanentError: the counts contradict each other.
        """
        count = {"hooked": self.hooked, "watched": self.watched, "clicked": self.clicked}[outcome]
        if not 0 <= count <= self.impressions:
            counted = OUTCOMES[outcome].partition(" per ")[0]
            raise PermanentError(
                f"{self.clip.name} has {count} {counted} on {self.impressions} impressions, which cannot be: "
                "sync the days anew and look at the ad in Ads Manager."
            )
        return count

    def __add__(self, other: "ClipEvidence") -> "ClipEvidence":
        sums = {name: getattr(self, name) + getattr(other, name) for name in _COUNTS}
        return replace(self, **sums)


_COUNTS = ("impressions", "hooked", "watched", "clicked", "spend_minor")


def gather(
    totals: Iterable[Totals], made: Iterable[Made], describe: Callable[["ClipRef"], ClipDescription | None]
) -> tuple[list[ClipEvidence], list[str]]:
    """The evidence in a fixed order, ads of the same clip in the same campaign and cell together, and the ids of ads that nobody here made.

    Args:
        totals: of whole ads, each once.
        made: the ads that VideoLab made.
        describe: what is known of a clip; None where its documents are gone.
    """
    ads = {ad.ad_id: ad for ad in made}
    found: dict[tuple[str, ...], ClipEvidence] = {}
    descriptions: dict[ClipRef, ClipDescription | None] = {}
    foreign = []
    for total in totals:
        ad = ads.get(total.ad_id)
        if ad is None:
            foreign.append(total.ad_id)
            continue
        if ad.clip not in descriptions:
            descriptions[ad.clip] = describe(ad.clip)
        one = _evidence(total, ad, descriptions[ad.clip])
        found[one.order] = found[one.order] + one if one.order in found else one
    return [found[order] for order in sorted(found)], sorted(foreign)


def _evidence(total: Totals, ad: Made, description: ClipDescription | None) -> ClipEvidence:
    return ClipEvidence(
        clip=ad.clip,
        account_id=ad.account_id,
        campaign_key=ad.campaign_key,
        currency=total.currency,
        impressions=total.impressions,
        hooked=total.plays_3s,
        watched=total.thruplays,
        clicked=total.link_clicks,
        spend_minor=total.spend_minor,
        score=description.score if description else None,
        attributes=description.attributes() if description else {},
        cell=ad.cell,
        study_id=ad.study_id,
    )


def description_in(clip: "ClipRef", plan: ClipPlan | None, variants: Variants | None) -> ClipDescription | None:
    """What a video's documents say of a clip; None where they are of another plan than the clip that was shown, or gone."""
    planned = next((one for one in plan.clips if one.clip_id == clip.clip_id), None) if plan else None
    shown = next((one for one in variants.clips if (one.clip_id, one.label) == (clip.clip_id, clip.label)), None) if variants else None
    if planned is None or shown is None or abs(shown.planned_duration - planned.duration) > SAME_LENGTH:
        return None
    return ClipDescription(score=planned.score, parts=planned.parts, duration=shown.duration, look=shown.look)
