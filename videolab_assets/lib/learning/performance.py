"""Each advertised clip's performance, out of the tables and the library; kept where campaigns look for the best."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from pydantic import ValidationError

from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.campaigns.terms import ClipRef
from videolab_assets.lib.documents import VARIANTS, ClipPlan, Model
from videolab_assets.lib.insights import InsightsTable
from videolab_assets.lib.insights.parts import window_of
from videolab_assets.lib.learning.calibration import Calibration, calibrate
from videolab_assets.lib.learning.evidence import OUTCOMES, ClipDescription, ClipEvidence, Outcome, description_in, gather
from videolab_assets.lib.learning.policies import recommended_shares
from videolab_assets.lib.learning.posterior import Posterior, fit
from videolab_assets.lib.library import Library
from videolab_assets.lib.meta.accounts import AdAccount
from videolab_assets.lib.recipe import recipe
from videolab_assets.lib.store import ObjectMissing, Store

KEPT = "performance/clip_performance.json"
"""In the store: what was measured last."""

LONGEST_KEPT = 64 * 1024**2
RETENTION = timedelta(days=1_123)
"""How far back Meta's numbers reach: 37 months."""

OUTCOME: Outcome = "watched"
"""What the best clips are chosen by, and budgets divided by."""


class ClipResult(Model):
    """One clip's rate in an average campaign, by `OUTCOME`; 90 % of the posterior lies between low and high.

    Attributes:
        share: of the next budget that it should get.
    """

    clip: ClipRef
    impressions: int
    mean: float
    low: float
    high: float
    share: float


class ClipResults(Model):
    """All clips of which anything is known."""

    recipe: str
    outcome: Outcome
    clips: list[ClipResult]


@dataclass(frozen=True)
class Measured:
    """What is known of clips as ads.

    Attributes:
        evidence: the counts.
        foreign: ads of the accounts that VideoLab did not make.
        posteriors: of each outcome.
        shares: see `ClipResult.share`.
        calibration: of the clip plan's score.
    """

    evidence: list[ClipEvidence]
    foreign: list[str]
    posteriors: dict[Outcome, Posterior]
    shares: dict[ClipRef, float]
    calibration: Calibration
    results: ClipResults


def evidence_in(
    store: Store, ledger: Ledger, table: InsightsTable, accounts: Iterable[AdAccount], now: datetime
) -> tuple[list[ClipEvidence], list[str]]:
    """What the ads did whose numbers Meta still keeps, and the ids of those that VideoLab did not make.

    Args:
        now: an aware moment.

    Raises:
        TransientError: the store or the database cannot be reached.
    """
    totals = (
        total
        for account in accounts
        for total in table.by_ad(account.account, (now - RETENTION).date(), now.astimezone(account.zone).date(), window_of(account.windows))
    )
    return gather(totals, ledger.ads(), _Descriptions(Library(store)).of)


def measure(store: Store, ledger: Ledger, table: InsightsTable, accounts: Iterable[AdAccount], now: datetime) -> Measured:
    """What is known of clips as ads, kept in the store for campaigns that ask for the best.

    Raises:
        PermanentError: counts contradict each other.
        TransientError: the store or the database cannot be reached.
    """
    evidence, foreign = evidence_in(store, ledger, table, accounts, now)
    posteriors = {outcome: fit(evidence, outcome) for outcome in OUTCOMES}
    posterior = posteriors[OUTCOME]
    shares = recommended_shares(posterior)
    clips = [
        ClipResult(
            clip=one.clip,
            impressions=one.impressions,
            mean=round(one.mean, 6),
            low=round(one.low, 6),
            high=round(one.high, 6),
            share=round(shares.get(one.clip, 0.0), 4),
        )
        for one in posterior.clips
    ]
    made_of = recipe(clips=[clip.model_dump(mode="json") for clip in clips], outcome=OUTCOME)
    results = ClipResults(recipe=made_of, outcome=OUTCOME, clips=clips)
    store.write_bytes(KEPT, results.model_dump_json(indent=1).encode(), media_type="application/json")
    return Measured(evidence, foreign, posteriors, shares, calibrate(evidence, OUTCOME), results)


def performance_in(store: Store) -> Callable[[ClipRef], float | None]:
    """How well each clip did, by what was measured last; of one that was never advertised nothing is known.

    What an earlier version kept and this one cannot read counts as nothing: it is measured again every day.
    """
    try:
        kept = ClipResults.model_validate_json(store.read_bytes(KEPT, LONGEST_KEPT))
    except (ObjectMissing, ValidationError):
        return lambda _: None
    means = {result.clip: result.mean for result in kept.clips if result.impressions}
    return lambda clip: means.get(clip)


@dataclass
class _Descriptions:
    """What the library says of clips; each document is read once."""

    library: Library

    def __post_init__(self) -> None:
        self._plans: dict[str, ClipPlan | None] = {}

    def of(self, clip: ClipRef) -> ClipDescription | None:
        if clip.video_key not in self._plans:
            self._plans[clip.video_key] = self.library.readable(clip.video_key, ClipPlan)
        return description_in(clip, self._plans[clip.video_key], self.library.readable(clip.video_key, VARIANTS[clip.platform]))
