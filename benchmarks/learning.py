"""Dividing a budget among clips: what is lost against always showing the best, and how often the clip named last is the best.

Ours is what the product recommends (`policies.shares_of` over `pooling.pool`); the peers are greedy, flat Thompson, A/B for four days and
then commit, and uniform, all in the same simulated worlds. A world has clips in families (their videos) and two attributes of each; in
some what the model assumes is wrong. All learn once a day, and the first day is uniform for all. The seeds here were not those by which
the product's rule was chosen.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import result
from videolab_assets.lib.learning.policies import shares_of
from videolab_assets.lib.learning.pooling import Design, Pooled, chances_of_being_best, pool

SEEDS = 200
DAYS = 14
TYPICAL_LOGIT = float(np.log(0.01 / 0.99))
"""A rate of 1 %: of clicks, the rarest outcome and the hardest to learn from."""
TESTED_DAYS = 4
DRAWS = 500
STEPS, FIRST_STEPS = 6, 40
"""Of the fit; each day goes on from the day before, as 14 days are many times 6."""
PRIOR_IMPRESSIONS = 100.0
"""What the peers' Beta prior around the pooled rate counts for: of 1 to 1,000 the one with which greedy loses least."""

WITH_STRUCTURE, WITHOUT = 0.95, 1.0
"""Limits of our regret over greedy's."""

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class World:
    """A kind of world; spreads are standard deviations on the logit scale.

    Attributes:
        daily: impressions of all clips together.
        family, attribute, clip: how much each adds to a clip's logit.
        drift: how far each clip's logit walks in a day.
        late: days until counts are known.
        twist: `labels`: each family that the model sees holds one clip of each real one; `reversed`: in the best family attributes do
            the opposite of what they do elsewhere; `hidden`: the best clip of all is in the worst family.
        limit: of our regret over greedy's.
    """

    name: str
    daily: int
    clips: int = 24
    families: int = 6
    family: float = 0.35
    attribute: float = 0.0
    clip: float = 0.35
    drift: float = 0.0
    late: int = 0
    twist: str = ""
    limit: float = WITHOUT

    @property
    def family_of(self) -> NDArray[np.intp]:
        return np.repeat(np.arange(self.families), self.clips // self.families)

    def design(self, random: np.random.Generator) -> Design:
        """What the model is told: families, right or wrong, and two attributes."""
        attributes = random.standard_normal((self.clips, 2))
        columns = np.column_stack([np.ones(self.clips), (attributes - attributes.mean(axis=0)) / attributes.std(axis=0)])
        return Design(columns, np.array([0, 1, 1]), np.arange(self.clips), self.family_of, columns)

    def logits(self, design: Design, seeds: int, random: np.random.Generator) -> Numbers:
        """(seeds, clips): the truth."""
        families = self.family * random.standard_normal((seeds, self.families))
        effects = self.attribute * random.standard_normal((seeds, 2))
        of_attributes = effects @ design.columns[:, 1:].T
        if self.twist == "reversed":
            of_attributes[:, self.family_of == 0] *= -1
            families[:, 0] = 2 * self.family
        logits = TYPICAL_LOGIT + families[:, self.family_of] + of_attributes + self.clip * random.standard_normal((seeds, self.clips))
        if self.twist == "hidden":
            worst = logits.reshape(seeds, self.families, -1).mean(axis=2).argmin(axis=1)
            logits[np.arange(seeds), worst * (self.clips // self.families)] = logits.max(axis=1) + 0.3
        if self.twist == "labels":
            logits = logits.reshape(seeds, self.families, -1).swapaxes(1, 2).reshape(seeds, self.clips)
        return np.asarray(logits)


WORLDS = (
    World("families_few", 1_500, limit=WITH_STRUCTURE),
    World("families", 6_000, limit=WITH_STRUCTURE),
    World("families_many", 30_000, limit=WITH_STRUCTURE),
    World("families_48", 6_000, 48, 12, limit=WITH_STRUCTURE),
    World("attributes_48", 6_000, 48, 12, 0.25, 0.25, 0.25, limit=WITH_STRUCTURE),
    World("independent_few", 1_500, family=0.0, clip=0.5),
    World("independent", 6_000, family=0.0, clip=0.5),
    World("independent_many", 30_000, family=0.0, clip=0.5),
    World("independent_48", 6_000, 48, 12, family=0.0, clip=0.5),
    World("alike", 6_000, family=0.05, clip=0.05),
    World("wrong_families", 6_000, twist="labels"),
    World("wrong_families_48", 6_000, 48, 12, twist="labels"),
    World("reversed_few", 1_500, attribute=0.35, twist="reversed"),
    World("reversed", 6_000, attribute=0.35, twist="reversed"),
    World("hidden_few", 1_500, clip=0.15, twist="hidden"),
    World("hidden", 6_000, clip=0.15, twist="hidden"),
    World("drift_and_delay", 6_000, drift=0.08, late=2, limit=WITH_STRUCTURE),
    World("independent_drift_and_delay", 6_000, drift=0.08, late=2, family=0.0, clip=0.5),
)


@dataclass
class Known:
    """What a policy knows when it divides a day's impressions: (seeds, clips) impressions and clicks that have come in so far."""

    design: Design
    day: int
    trials: Numbers
    successes: Numbers
    random: np.random.Generator
    kept: dict[str, Any] = field(default_factory=dict)

    def beta(self) -> tuple[Numbers, Numbers]:
        """The parameters of the peers' posteriors, each clip's own."""
        pooled = (self.successes.sum(axis=1, keepdims=True) + 0.5) / (self.trials.sum(axis=1, keepdims=True) + 1.0)
        return self.successes + PRIOR_IMPRESSIONS * pooled, self.trials - self.successes + PRIOR_IMPRESSIONS * (1 - pooled)


def uniform(known: Known) -> Numbers:
    return np.full(known.trials.shape, 1 / known.trials.shape[1])


def greedy(known: Known) -> Numbers:
    """Everything to the clip that is ahead."""
    hits, misses = known.beta()
    return _all_to((hits / (hits + misses)).argmax(axis=1), known)


def test_then_commit(known: Known) -> Numbers:
    """Equal shares for some days, then everything to whichever was ahead."""
    if known.day < TESTED_DAYS:
        return uniform(known)
    if "committed" not in known.kept:
        known.kept["committed"] = greedy(known)
    return np.asarray(known.kept["committed"])


def flat_thompson(known: Known) -> Numbers:
    """Each clip the probability that it is the best, every clip on its own."""
    hits, misses = known.beta()
    draws = known.random.beta(hits[:, None], misses[:, None], (len(hits), DRAWS, hits.shape[1]))
    return chances_of_being_best(draws)


def ours(known: Known) -> Numbers:
    """As the product recommends."""
    return shares_of(chances_of_being_best(_posterior(known).draws(DRAWS, seed=known.day)))


def _posterior(known: Known) -> Pooled:
    start: Pooled | None = known.kept.get("posterior")
    steps = STEPS if start else FIRST_STEPS
    found = pool(known.design, known.trials, known.successes, start=start, most_steps=steps)
    known.kept["posterior"] = found
    return found


def _all_to(clips: NDArray[np.intp], known: Known) -> Numbers:
    return np.eye(known.trials.shape[1])[clips]


def _pooled_pick(known: Known) -> NDArray[np.intp]:
    return np.asarray(_posterior(known).mean.argmax(axis=1))


def _flat_pick(known: Known) -> NDArray[np.intp]:
    return np.asarray(greedy(known).argmax(axis=1))


POLICIES: dict[str, tuple[Callable[[Known], Numbers], Callable[[Known], NDArray[np.intp]]]] = {
    "ours": (ours, _pooled_pick),
    "greedy": (greedy, _flat_pick),
    "flat_thompson": (flat_thompson, _flat_pick),
    "test_then_commit": (test_then_commit, _flat_pick),
    "uniform": (uniform, _flat_pick),
}


def run(seeds: int = SEEDS) -> list[dict[str, Any]]:
    """Two lines for each world: regret, and how often the last pick is not the best; ours over greedy's."""
    return [line for number, world in enumerate(WORLDS) for line in _lines(world, number, seeds)]


def _lines(world: World, number: int, seeds: int) -> list[dict[str, Any]]:
    outcomes = {name: _played(world, *policy, number, seeds) for name, policy in POLICIES.items()}
    regrets = {name: regret / outcomes["uniform"][0].mean() for name, (regret, _) in outcomes.items()}
    missed = {name: 1.0 - found for name, (_, found) in outcomes.items()}
    lines = []
    for name, figures, limit, unit in (
        ("regret", regrets, world.limit, f"clicks lost in {DAYS} days, of those that uniform loses; peer: greedy"),
        ("misses", missed, WITHOUT, "share of last picks that are not the best clip; peer: greedy"),
    ):
        difference = figures["ours"] - figures["greedy"]
        more = {other: round(float(figures[other].mean()), 3) for other in POLICIES if other not in ("ours", "greedy")}
        more["difference_se"] = round(float(difference.std(ddof=1) / np.sqrt(seeds)), 4)
        means = float(figures["ours"].mean()), float(figures["greedy"].mean())
        lines.append(result(f"learning_{name}_{world.name}", *means, unit, limit, seeds=seeds, **more))
    return lines


def _played(
    world: World, policy: Callable[[Known], Numbers], pick: Callable[[Known], NDArray[np.intp]], number: int, seeds: int
) -> tuple[Numbers, Numbers]:
    """(seeds,) each: clicks lost, and whether the last pick is the best clip; the worlds are the same for every policy."""
    truth, luck = np.random.default_rng([number, 1]), np.random.default_rng([number, 2])
    design = world.design(truth)
    logits = world.logits(design, seeds, truth)
    known = Known(design, 0, np.zeros(logits.shape), np.zeros(logits.shape), luck)
    lost, coming = np.zeros(seeds), []
    for known.day in range(DAYS):
        shares = policy(known) if known.day else uniform(known)
        rates = 1 / (1 + np.exp(-logits))
        shown = np.floor(shares * world.daily + luck.random(shares.shape))
        coming.append((shown, luck.binomial(shown.astype(np.int64), rates)))
        lost += world.daily * (rates.max(axis=1) - (shares * rates).sum(axis=1))
        if len(coming) > world.late:
            _comes_in(known, coming.pop(0))
        logits = logits + world.drift * truth.standard_normal(logits.shape)
    for counts in coming:
        _comes_in(known, counts)
    return lost, np.asarray(pick(known) == logits.argmax(axis=1), np.float64)


def _comes_in(known: Known, counts: tuple[Numbers, NDArray[np.int64]]) -> None:
    known.trials = known.trials + counts[0]
    known.successes = known.successes + counts[1]
