"""The arithmetic against a dense reckoning of the same model, and against worlds of which the truth is known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from videolab_assets.lib.learning.pooling import INTERCEPT_SD, Design, Pooled, chances_of_being_best, pool

Numbers = NDArray[np.float64]


def a_design(videos: int, clips: int, rows: int, width: int, seed: int) -> Design:
    """So many clips a video, rows a clip, and columns besides the first, of two kinds."""
    random = np.random.default_rng(seed)
    count = videos * clips * rows
    columns = np.column_stack([np.ones(count), random.standard_normal((count, width))])
    clip_of = np.repeat(np.arange(videos * clips), rows)
    kinds = np.array([0] + [1 + place % 2 for place in range(width)])
    return Design(columns, kinds, clip_of, np.repeat(np.arange(videos), clips), columns[::rows])


def counts_of(design: Design, seed: int, impressions: int = 800, worlds: int = 1, spread: float = 0.3) -> tuple[Numbers, Numbers, Numbers]:
    """Trials, successes and the true logit of each clip at its target."""
    random = np.random.default_rng(seed)
    videos, clips, rows = int(design.video_of.max()) + 1, len(design.video_of), len(design.clip_of)
    effects = 0.2 * random.standard_normal((worlds, design.columns.shape[1])) * (design.kinds > 0)
    of_clip = spread * random.standard_normal((worlds, videos))[:, design.video_of] + 0.2 * random.standard_normal((worlds, clips))
    row = 0.1 * random.standard_normal((worlds, rows)) * design.repeated
    logits = -2.0 + effects @ design.columns.T + of_clip[:, design.clip_of] + row
    trials = random.integers(0, impressions, (worlds, rows)).astype(np.float64)
    successes = random.binomial(trials.astype(np.int64), 1 / (1 + np.exp(-logits))).astype(np.float64)
    return trials, successes, -2.0 + effects @ design.targets.T + of_clip


def dense(found: Pooled, trials: Numbers, successes: Numbers) -> tuple[Numbers, Numbers]:
    """Mean and covariance of the clips' logits by Newton's method over all effects at once, none of them eliminated."""
    design, variances = found.design, found.variances
    videos, clips, rows = int(design.video_of.max()) + 1, len(design.video_of), len(design.clip_of)
    levels = [np.eye(videos)[design.video_of[design.clip_of]], np.eye(clips)[design.clip_of]]
    sizes = [np.full(videos, variances.video[0]), np.full(clips, variances.clip[0])]
    if design.repeated:
        levels, sizes = [*levels, np.eye(rows)], [*sizes, np.full(rows, variances.row[0])]
    prior = np.where(design.kinds == 0, INTERCEPT_SD**2, variances.columns[0][design.kinds])
    everything, scale = np.column_stack([design.columns, *levels]), np.maximum(1e-10, np.concatenate([prior, *sizes]))
    effects = np.zeros(len(scale))
    for _ in range(60):
        rates = 1 / (1 + np.exp(-(found.offset[0] + everything @ effects)))
        curvature = everything.T @ ((trials * rates * (1 - rates))[:, None] * everything) + np.diag(1 / scale)
        effects = effects + np.linalg.solve(curvature, everything.T @ (successes - trials * rates) - effects / scale)
    wanted = np.column_stack([design.targets, np.eye(videos)[design.video_of], np.eye(clips)])
    wanted = np.column_stack([wanted, np.zeros((clips, len(scale) - wanted.shape[1]))])
    return found.offset[0] + wanted @ effects, wanted @ np.linalg.inv(curvature) @ wanted.T


@pytest.mark.parametrize(("videos", "clips", "rows", "width"), [(5, 4, 1, 3), (4, 3, 3, 2), (6, 1, 2, 1), (1, 8, 1, 2), (3, 2, 1, 0)])
def test_elimination_gives_what_the_whole_problem_gives(videos: int, clips: int, rows: int, width: int) -> None:
    """A slip in the algebra of nested levels makes means, intervals or chances wrong in a way that still looks plausible."""
    design = a_design(videos, clips, rows, width, seed=1)
    trials, successes, _ = counts_of(design, seed=2)
    found = pool(design, trials, successes)
    mean, covariance = dense(found, trials[0], successes[0])
    assert np.allclose(found.mean[0], mean, atol=2e-3)
    assert np.allclose(found.sd[0], np.sqrt(np.diag(covariance)), rtol=1e-2)
    draws = found.draws(20_000, seed=3)[0]
    assert np.allclose(draws.mean(axis=0), mean, atol=0.02)
    assert np.allclose(np.cov(draws.T), covariance, atol=0.1 * float(np.diag(covariance).max()))


def test_intervals_hold_what_they_promise_and_pooling_beats_both_extremes() -> None:
    """Intervals too narrow make a proposal of noise; too wide ones never say anything; pooling costs instead of helping."""
    design = a_design(8, 4, 1, 3, seed=4)
    trials, successes, truth = counts_of(design, seed=5, worlds=150)
    found = pool(design, trials, successes, most_steps=60)
    inside = np.abs(found.mean - truth) <= 1.645 * found.sd
    assert 0.87 <= inside.mean() <= 0.93
    true_rates = 1 / (1 + np.exp(-truth))
    overall = successes.sum(axis=1, keepdims=True) / trials.sum(axis=1, keepdims=True) + np.zeros(truth.shape)
    raw = np.where(trials > 0, (successes + 0.5) / (trials + 1), overall)

    def loss(rates: Numbers) -> float:
        return float(-(true_rates * np.log(rates) + (1 - true_rates) * np.log1p(-rates)).mean())

    best = loss(true_rates)
    ours = loss(1 / (1 + np.exp(-found.mean))) - best
    assert ours < 0.6 * (loss(raw) - best)
    assert ours < 0.3 * (loss(overall) - best)


def test_chances_of_being_best_come_true() -> None:
    """A chance of 80 % that is right half of the time turns budgets and picks into gambling."""
    design = a_design(4, 3, 1, 1, seed=6)
    trials, successes, truth = counts_of(design, seed=7, worlds=400, impressions=2000)
    best = chances_of_being_best(pool(design, trials, successes, most_steps=60).draws(500, seed=8))
    assert np.allclose(best.sum(axis=1), 1)
    was_best = np.eye(truth.shape[1])[truth.argmax(axis=1)]
    for low, high in ((0.0, 0.1), (0.1, 0.4), (0.4, 0.7), (0.7, 1.01)):
        among = (best >= low) & (best < high)
        assert was_best[among].mean() == pytest.approx(best[among].mean(), abs=0.07)


def test_variances_are_found() -> None:
    """Where videos differ a lot and clips hardly, clips must follow their videos; where videos do not differ, they must not."""
    design = a_design(60, 4, 1, 0, seed=9)
    apart = pool(design, *counts_of(design, seed=10, spread=0.6, impressions=4000)[:2])
    alike = pool(design, *counts_of(design, seed=11, spread=0.0, impressions=4000)[:2])
    assert apart.variances.video[0] ** 0.5 == pytest.approx(0.6, rel=0.25)
    assert alike.variances.video[0] ** 0.5 < 0.12
    assert alike.variances.clip[0] ** 0.5 == pytest.approx(0.2, rel=0.25)


def test_spread_between_campaigns_is_not_taken_for_the_clips() -> None:
    """Counts that vary by more than a binomial's from campaign to campaign make every clip look certain of its rate."""
    design = a_design(15, 3, 6, 0, seed=12)
    random = np.random.default_rng(13)
    logits = -2 + 0.5 * random.standard_normal((1, len(design.clip_of)))
    trials = np.full(logits.shape, 5000.0)
    found = pool(design, trials, random.binomial(5000, 1 / (1 + np.exp(-logits))).astype(np.float64))
    assert found.variances.row[0] ** 0.5 == pytest.approx(0.5, rel=0.15)
    assert found.sd.mean() > 0.05, "with 30,000 impressions each, a binomial alone would be sure to 0.02"


@pytest.mark.parametrize(
    ("trials", "successes"),
    [
        ([0, 0, 0, 0], [0, 0, 0, 0]),
        ([10**9, 5, 0, 1], [10**9, 0, 0, 1]),
        ([10**9] * 4, [0] * 4),
        ([10**9] * 4, [10**9] * 4),
        ([1, 1, 1, 1], [0, 1, 0, 1]),
        ([10**7, 10**7, 3, 0], [10**7, 0, 3, 0]),
    ],
)
def test_extreme_counts_stay_finite(trials: list[int], successes: list[int]) -> None:
    """A new clip without impressions, or one that everybody or nobody watched, turns the whole table into NaN."""
    same = np.linspace(-1, 1, 4)
    columns = np.column_stack([np.ones(4), same, same, -2 * same, np.zeros(4)])
    design = Design(columns, np.array([0, 1, 1, 2, 2]), np.arange(4), np.array([0, 0, 1, 1]), columns)
    found = pool(design, np.array([trials], np.float64), np.array([successes], np.float64))
    draws = found.draws(200, seed=1)
    for values in (found.mean, found.sd, found.theta, draws):
        assert np.isfinite(values).all()
    assert (found.sd > 0).all()


def test_two_thousand_clips() -> None:
    """An account of some years cannot be reckoned with at all, because every clip meets every other one."""
    design = a_design(500, 4, 1, 30, seed=14)
    trials, successes, truth = counts_of(design, seed=15, impressions=3000)
    found = pool(design, trials, successes)
    inside = np.abs(found.mean - truth) <= 1.645 * found.sd
    assert 0.87 <= inside.mean() <= 0.93


def test_a_good_guess_changes_nothing_but_the_steps() -> None:
    """Going on from yesterday's posterior ends elsewhere than beginning anew."""
    design = a_design(6, 4, 1, 2, seed=16)
    trials, successes, _ = counts_of(design, seed=17)
    first = pool(design, trials, successes)
    later = pool(design, trials + 50, successes + 5)
    again = pool(design, trials + 50, successes + 5, start=first)
    assert np.allclose(later.mean, again.mean, atol=1e-2)
