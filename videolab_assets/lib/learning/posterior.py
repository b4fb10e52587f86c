"""How good each clip is as an ad, as far as its numbers and those of its like can tell.

Impressions of different ads are shown to different people, whom Meta picks: a clip's rate, and what goes together with high rates, are
associations. What an A/B split says is reckoned apart, in `splits`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from videolab_assets.lib.keys import tenant_of
from videolab_assets.lib.learning.evidence import LENGTH, LOOK, PART, ClipEvidence, Outcome

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from videolab_assets.lib.campaigns.terms import ClipRef
    from videolab_assets.lib.learning.pooling import Design, Pooled

    Numbers = NDArray[np.float64]

WITHIN = 1.6448536269514722
"""Standard deviations: between this below and this above lie 90 %."""

KINDS = ("mean", "content", "look", "platform", "campaign")
"""Of columns; each but the first has a variance of its own."""

PLATFORM = "platform="
CAMPAIGN = "campaign="

MOST_DRAWS = 4000
FEWEST_DRAWS = 500
DRAWN_NUMBERS = 2_000_000
NODES = 21
LARGEST_ATTRIBUTE = 100.0
"""Beyond it, as where it is no number, an attribute is a mistake and counts as unknown."""
THRUPLAY_SECONDS = 15.0
"""A ThruPlay of a clip below this needs the whole clip: how short it is says nothing of how good it is."""


@dataclass(frozen=True)
class ClipPosterior:
    """One clip's rate in an average campaign.

    Attributes:
        successes: of the impressions, as the outcome counts them.
        raw: successes per impression; None without impressions.
        mean, sd: of the rate.
        low, high: 90 % of the posterior lies between.
        best: the probability that no other clip of the same tenant, whose budget they share, has a higher rate.
        spend_minor: in minor units of the currency.
    """

    clip: "ClipRef"
    impressions: int
    successes: int
    raw: float | None
    mean: float
    sd: float
    low: float
    high: float
    best: float
    spend_minor: int
    currency: str


@dataclass(frozen=True)
class Effect:
    """What went together with higher or lower rates, other things being equal, on the logit scale.

    Attributes:
        attribute: as evidence calls it, or `platform=…`, `campaign=…`.
        mean, sd, low, high: for one unit of the attribute; 90 % between the latter two.
        positive: the probability that it is above 0.
        spread: standard deviation of the attribute among the rows; one such step is `mean * spread`.
        clips: for how many the attribute is known.
    """

    attribute: str
    mean: float
    sd: float
    low: float
    high: float
    positive: float
    spread: float
    clips: int


@dataclass(frozen=True)
class Posterior:
    """What `fit` finds.

    Attributes:
        clips: the highest mean first.
        effects: in a fixed order.
        spreads: standard deviations on the logit scale of what videos, clips, campaigns and so on add.
    """

    outcome: Outcome
    impressions: int
    clips: tuple[ClipPosterior, ...]
    effects: tuple[Effect, ...]
    spreads: dict[str, float]

    def of(self, clip: "ClipRef") -> ClipPosterior | None:
        """That clip's; None where there is no evidence of it."""
        return next((one for one in self.clips if one.clip == clip), None)


def fit(evidence: Iterable[ClipEvidence], outcome: Outcome = "watched") -> Posterior:
    """The posterior of each clip's rate, by the model of `pooling`: videos, score parts, length, look, platform and campaign are pooled.

    A clip's rate is that in an average campaign: campaigns differ in objective and audience. The same evidence in any order gives the
    same figures.

    Raises:
        PermanentError: counts that contradict each other.
    """
    rows = sorted(evidence, key=lambda one: one.order)
    successes = [row.successes(outcome) for row in rows]
    if not rows:
        return Posterior(outcome, 0, (), (), {})
    import numpy as np

    from videolab_assets.lib.learning import pooling

    table = _Table.of(rows, outcome)
    trials = np.array([[row.impressions for row in rows]], np.float64)
    pooled = pooling.pool(table.design, trials, np.array([successes], np.float64))
    count = max(FEWEST_DRAWS, min(MOST_DRAWS, DRAWN_NUMBERS // len(table.clips)))
    best = _chances(table.clips, pooled.draws(count, seed=0))
    return Posterior(
        outcome=outcome,
        impressions=sum(row.impressions for row in rows),
        clips=_clips(table, rows, successes, pooled, best),
        effects=_effects(table, pooled),
        spreads=_spreads(table, pooled),
    )


@dataclass(frozen=True)
class _Table:
    """Rows as the model takes them; names, spreads and numbers known are those of the columns after the first."""

    design: "Design"
    clips: tuple["ClipRef", ...]
    names: tuple[str, ...]
    spreads: tuple[float, ...]
    known: tuple[int, ...]

    @classmethod
    def of(cls, rows: Sequence[ClipEvidence], outcome: Outcome) -> "_Table":
        import numpy as np

        from videolab_assets.lib.learning.pooling import Design

        given = [_attributes(row, outcome) for row in rows]
        names, kinds, columns, spreads, known = [], [0], [np.ones(len(rows))], [], []
        for name in sorted({name for attributes in given for name in attributes}):
            absent = math.nan if _continuous(name) else 0.0
            values = np.array([attributes.get(name, absent) for attributes in given], np.float64)
            there = ~np.isnan(values)
            centred = np.where(there, values - values[there].mean(), 0.0)
            spread = float(centred[there].std())
            if spread < 1e-6:
                continue
            names.append(name)
            kinds.append(KINDS.index(_kind(name)))
            columns.append(centred / spread if _continuous(name) else centred)
            spreads.append(spread)
            known.append(len({row.clip for row, is_there in zip(rows, there, strict=True) if is_there}))
        clips = tuple(dict.fromkeys(row.clip for row in rows))
        number = {clip: place for place, clip in enumerate(clips)}
        videos = {video: place for place, video in enumerate(dict.fromkeys(clip.video_key for clip in clips))}
        matrix, kind_of = np.stack(columns, axis=1), np.array(kinds, np.intp)
        clip_of = np.array([number[row.clip] for row in rows], np.intp)
        anywhere = matrix[np.flatnonzero(np.diff(clip_of, prepend=-1))].copy()
        anywhere[:, kind_of == KINDS.index("campaign")] = 0.0
        video_of = np.array([videos[clip.video_key] for clip in clips], np.intp)
        return cls(Design(matrix, kind_of, clip_of, video_of, anywhere), clips, tuple(names), tuple(spreads), tuple(known))


def _attributes(row: ClipEvidence, outcome: Outcome) -> dict[str, float]:
    values = {name: value for name, value in row.attributes.items() if abs(value) <= LARGEST_ATTRIBUTE}
    if outcome == "watched" and LENGTH in values:
        values[LENGTH] = max(values[LENGTH], math.log(THRUPLAY_SECONDS))
    return {**values, f"{PLATFORM}{row.clip.platform}": 1.0, f"{CAMPAIGN}{row.campaign_key}": 1.0}


def _continuous(name: str) -> bool:
    return name == LENGTH or name.startswith(PART)


def _kind(name: str) -> str:
    return next(
        (kind for kind, mark in (("look", LOOK), ("platform", PLATFORM), ("campaign", CAMPAIGN)) if name.startswith(mark)), "content"
    )


def _chances(clips: Sequence["ClipRef"], draws: "Numbers") -> "Numbers":
    """Of each clip, among its tenant's: it competes with no other for a budget."""
    import numpy as np

    from videolab_assets.lib.learning.pooling import chances_of_being_best

    tenants = np.array([tenant_of(clip.video_key) for clip in clips])
    best = np.zeros(len(clips))
    for tenant in np.unique(tenants):
        best[tenants == tenant] = chances_of_being_best(draws[:, :, tenants == tenant])[0]
    return best


def _clips(
    table: _Table, rows: Sequence[ClipEvidence], successes: Sequence[int], pooled: "Pooled", best: "Numbers"
) -> tuple[ClipPosterior, ...]:
    means, sds = pooled.mean[0], pooled.sd[0]
    rates, deviations = _on_the_rate_scale(means, sds)
    low, high = _rate(means - WITHIN * sds), _rate(means + WITHIN * sds)
    sums = {clip: [0, 0, 0] for clip in table.clips}
    for row, count in zip(rows, successes, strict=True):
        for place, amount in enumerate((row.impressions, count, row.spend_minor)):
            sums[row.clip][place] += amount
    currencies = {row.clip: row.currency for row in rows}
    found = []
    for place, clip in enumerate(table.clips):
        impressions, count, spent = sums[clip]
        mean, sd, least, most, chance = (float(values[place]) for values in (rates, deviations, low, high, best))
        raw = count / impressions if impressions else None
        found.append(ClipPosterior(clip, impressions, count, raw, mean, sd, least, most, chance, spent, currencies[clip]))
    return tuple(sorted(found, key=lambda one: (-one.mean, one.clip.name)))


def _on_the_rate_scale(means: "Numbers", sds: "Numbers") -> tuple["Numbers", "Numbers"]:
    """Mean and standard deviation of rates whose logits are normal, by Gauss-Hermite quadrature."""
    import numpy as np

    nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    rates = _rate(means[:, None] + sds[:, None] * nodes)
    weights = weights / weights.sum()
    mean = rates @ weights
    return mean, np.sqrt(np.maximum((rates - mean[:, None]) ** 2 @ weights, 0.0))


def _rate(logits: "Numbers") -> "Numbers":
    import numpy as np

    return np.asarray(1.0 / (1.0 + np.exp(-logits)))


def _effects(table: _Table, pooled: "Pooled") -> tuple[Effect, ...]:
    effects = []
    for place, (name, spread, known) in enumerate(zip(table.names, table.spreads, table.known, strict=True), start=1):
        unit = spread if _continuous(name) else 1.0
        mean, sd = float(pooled.theta[0, place]) / unit, math.sqrt(float(pooled.covariance[0, place, place])) / unit
        effects.append(Effect(name, mean, sd, mean - WITHIN * sd, mean + WITHIN * sd, chance_above(mean, sd), spread, known))
    return tuple(effects)


def chance_above(mean: float, sd: float) -> float:
    """The probability that something normal is above 0."""
    return 0.5 * (1.0 + math.erf(mean / max(sd, 1e-12) / math.sqrt(2.0)))


def _spreads(table: _Table, pooled: "Pooled") -> dict[str, float]:
    variances, present = pooled.variances, {_kind(name) for name in table.names}
    found = {kind: float(variances.columns[0, place]) for place, kind in enumerate(KINDS) if kind in present}
    found |= {"video": float(variances.video[0]), "clip": float(variances.clip[0])}
    if table.design.repeated:
        found["campaign of a clip"] = float(variances.row[0])
    return {name: math.sqrt(variance) for name, variance in found.items()}
