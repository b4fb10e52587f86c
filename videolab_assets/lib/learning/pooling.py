"""The arithmetic of partial pooling: rates that borrow strength from one another, as far as the counts say that they may.

The model, for rows of counts (a clip in a campaign):

    successes_i ~ Binomial(trials_i, p_i)
    logit p_i = sum_k x_ik theta_k + video effect + clip effect + row effect

All effects are normal around 0 with a variance for each kind, which the counts themselves decide (empirical Bayes): where videos or
attributes say nothing, their variances go towards zero and each clip stands for itself. Counts vary more than a binomial's, because
impressions are not independent of each other: with several rows a clip the row effect takes what differs between them, with one row
each it is part of the clip effect, and cannot be told from it.

Given the variances, the mode is found by penalised iteratively reweighted least squares and the posterior taken as normal around it
(Laplace's method, as Breslow & Clayton, JASA 88, 1993); given the mode, variances are moved by EM steps (Laird & Ware, Biometrics 38,
1982) under a weak scaled-inverse-chi-squared prior, so that few clips cannot make one zero or infinite. Clips are nested in videos, so
both levels are eliminated one after the other (Woodbury): a step costs rows x columns^2, whatever the number of clips and videos.

Every array may have a first axis of independent problems over the same design (`problems`), which the benchmark uses.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
Indices = NDArray[np.intp]

INTERCEPT = 0
"""The kind of the columns that are hardly shrunk at all: the mean of everything."""
INTERCEPT_SD = 4.0
"""On the logit scale, around the logit of the pooled rate."""

PRIOR_WEIGHT = 1.0
"""How many effects of its kind the prior of a variance counts for."""
TYPICAL_SD = 0.25
"""On the logit scale: what videos and clips add where the counts say nothing; a rate of 1 % becomes 1.28 %."""
TYPICAL_EFFECT = 0.15
"""Likewise of the columns: none of them alone makes as much of a difference as being another clip."""

LONGEST_STEP = 2.0
WIDEST_LOGIT = 18.0
TOLERANCE = 1e-4
VARIANCE_TOLERANCE = 1e-6
MOST_STEPS = 300


@dataclass(frozen=True)
class Design:
    """What is known of the rows besides their counts.

    Attributes:
        columns: (rows, K): the first is 1 throughout.
        kinds: (K,): columns of one kind share a variance; the first is `INTERCEPT`, and no number is left out.
        clip_of: (rows,): rising, from 0, each clip at least once.
        video_of: (clips,): likewise.
        targets: (clips, K): the columns for which a clip's rate is wanted.
    """

    columns: Numbers
    kinds: Indices
    clip_of: Indices
    video_of: Indices
    targets: Numbers

    @cached_property
    def first_rows(self) -> Indices:
        return np.flatnonzero(np.diff(self.clip_of, prepend=-1))

    @cached_property
    def first_clips(self) -> Indices:
        return np.flatnonzero(np.diff(self.video_of, prepend=-1))

    @cached_property
    def repeated(self) -> bool:
        """Whether some clip has several rows, and others' spread can be told from its own."""
        return len(self.first_rows) < len(self.clip_of)

    @cached_property
    def several_in_a_video(self) -> bool:
        """Whether a video's effect can be told from its clips'."""
        return len(self.first_clips) < len(self.video_of)


@dataclass(frozen=True)
class Variances:
    """Of the effects on the logit scale, (problems,) each; `columns` is (problems, number of kinds), and its first entry unused."""

    columns: Numbers
    video: Numbers
    clip: Numbers
    row: Numbers


@dataclass(frozen=True)
class _Level:
    """Groups of one level after those below have been eliminated: precision of the group's mean, the mean, its columns, the share kept.

    `share` is how much of the mean's departure from what is expected becomes the group's effect.
    """

    precision: Numbers
    value: Numbers
    columns: Numbers
    share: Numbers

    @property
    def passed_on(self) -> Numbers:
        """The precision that the group has for whatever it is part of."""
        return self.precision * (1.0 - self.share)


@dataclass(frozen=True)
class Pooled:
    """A normal posterior around its mode.

    Attributes:
        design, variances: as given and as found.
        offset: (problems,) the logit around which everything is reckoned.
        theta, covariance: (problems, K) and (problems, K, K) of the columns' effects.
        steps: until nothing moved any more, or those that were allowed.
    """

    design: Design
    variances: Variances
    offset: Numbers
    theta: Numbers
    covariance: Numbers
    rows: _Level
    clips: _Level
    videos: _Level
    logits: Numbers
    steps: int

    @cached_property
    def mean(self) -> Numbers:
        """(problems, clips): the logit of each clip's rate at its target."""
        of_clip = self.video_effects[:, self.design.video_of]
        return self.offset[:, None] + _times(self.design.targets, self.theta) + of_clip + self.clip_effects

    @cached_property
    def sd(self) -> Numbers:
        """(problems, clips): of the logits."""
        return np.sqrt(self._variance_at(self.design.targets, np.arange(len(self.design.targets))))

    def _variance_at(self, columns: Numbers, clip_of: Indices) -> Numbers:
        """Of the logits of those clips at those columns, without row effects."""
        video_of = self.design.video_of[clip_of]
        free = 1.0 - self.clips.share[:, clip_of]
        of_video = self.variances.video[:, None] * (1.0 - self.videos.share)
        slopes = (
            columns - self.clips.columns[:, clip_of] * self.clips.share[:, clip_of][..., None] - free[..., None] * self._moved[:, video_of]
        )
        variance = self.variances.clip[:, None] * free + free**2 * of_video[:, video_of] + _form(slopes, self.covariance)
        return np.maximum(variance, 0.0)

    @cached_property
    def _moved(self) -> Numbers:
        """(problems, videos, K): how a video's effect gives way to those of its columns."""
        return self.videos.columns * self.videos.share[..., None]

    @cached_property
    def video_effects(self) -> Numbers:
        """(problems, videos): at the mode."""
        return self.videos.share * (self.videos.value - _times(self.videos.columns, self.theta))

    @cached_property
    def clip_effects(self) -> Numbers:
        """(problems, clips): at the mode."""
        expected = _times(self.clips.columns, self.theta) + self.video_effects[:, self.design.video_of]
        return self.clips.share * (self.clips.value - expected)

    def draws(self, count: int, seed: int) -> Numbers:
        """(problems, count, clips): joint draws of the clips' logits, the same for the same seed."""
        random = np.random.default_rng(seed)
        problems, width = self.theta.shape
        root = np.linalg.cholesky(self.covariance + 1e-12 * np.eye(width))
        theta = self.theta[:, None] + random.standard_normal((problems, count, width)) @ np.swapaxes(root, 1, 2)
        video_sd = np.sqrt(self.variances.video[:, None] * (1.0 - self.videos.share))[:, None]
        clip_sd = np.sqrt(self.variances.clip[:, None] * (1.0 - self.clips.share))[:, None]
        expected = self.videos.value[:, None] - theta @ np.swapaxes(self.videos.columns, 1, 2)
        video = self.videos.share[:, None] * expected + video_sd * random.standard_normal((problems, count, video_sd.shape[-1]))
        of_clip = video[..., self.design.video_of]
        left = self.clips.value[:, None] - theta @ np.swapaxes(self.clips.columns, 1, 2) - of_clip
        clip = self.clips.share[:, None] * left + clip_sd * random.standard_normal((problems, count, clip_sd.shape[-1]))
        return np.asarray(self.offset[:, None, None] + theta @ self.design.targets.T + of_clip + clip)


def chances_of_being_best(draws: Numbers) -> Numbers:
    """(problems, clips): how often each is the highest of (problems, count, clips) draws."""
    problems, count, clips = draws.shape
    winners = draws.argmax(axis=2) + np.arange(problems)[:, None] * clips
    return np.asarray(np.bincount(winners.ravel(), minlength=problems * clips).reshape(problems, clips) / count)


def pool(design: Design, trials: Numbers, successes: Numbers, *, start: Pooled | None = None, most_steps: int = MOST_STEPS) -> Pooled:
    """The posterior of the rates.

    Args:
        design: the rows.
        trials, successes: (problems, rows); 0 <= successes <= trials, finite.
        start: an earlier posterior over the same design, whose variances and rates are a good guess.
        most_steps: each moves the rates and the variances once.
    """
    offset = _logit((successes.sum(axis=1) + 0.5) / (trials.sum(axis=1) + 1.0))
    problems = len(trials)
    if start is None:
        typical, columns = np.full(problems, TYPICAL_SD**2), np.full((problems, design.kinds.max() + 1), TYPICAL_EFFECT**2)
        variances = Variances(columns, typical, typical, typical * design.repeated)
        if not design.several_in_a_video:
            variances = Variances(variances.columns, 0.0 * typical, typical, variances.row)
        logits = np.zeros(trials.shape) + offset[:, None]
    else:
        variances, logits = start.variances, start.logits
    for step in range(1, most_steps + 1):
        found = _step(design, trials, successes, offset, variances, logits, step)
        moved = np.abs(found.logits - logits).max(initial=0.0)
        then = _em(found)
        grown = max(float(np.abs(np.log1p(after) - np.log1p(before)).max(initial=0.0)) for after, before in _pairs(then, variances))
        variances, logits = then, found.logits
        if moved < TOLERANCE and grown < VARIANCE_TOLERANCE:
            break
    return found


def _pairs(after: Variances, before: Variances) -> list[tuple[Numbers, Numbers]]:
    return [(getattr(after, name), getattr(before, name)) for name in ("columns", "video", "clip", "row")]


def _step(design: Design, trials: Numbers, successes: Numbers, offset: Numbers, variances: Variances, logits: Numbers, step: int) -> Pooled:
    """One step of reweighted least squares: the mode of the normal problem that touches the real one at `logits`."""
    rates = 1.0 / (1.0 + np.exp(-logits))
    weights = trials * rates * (1.0 - rates)
    response = logits - offset[:, None] + np.where(weights > 0, (successes - trials * rates) / np.maximum(weights, 1e-12), 0.0)
    columns = np.broadcast_to(design.columns, (*trials.shape, design.columns.shape[1]))
    rows = _Level(weights, response, columns, _share(weights, variances.row))
    clips = _above(rows, design.first_rows, variances.clip) if design.repeated else _with_share(rows, variances.clip)
    videos = _above(clips, design.first_clips, variances.video)
    levels = (rows, clips, videos) if design.repeated else (clips, videos)
    info, moment = _crossed(levels[0], levels[0].precision)
    for level in levels:
        lost = _crossed(level, level.precision * level.share)
        info, moment = info - lost[0], moment - lost[1]
    prior = np.where(design.kinds == INTERCEPT, INTERCEPT_SD**2, variances.columns[:, design.kinds])
    scale = np.sqrt(prior)
    # In units of the prior's own spread the matrix is 1 plus something that is not negative: collinear columns cannot break it.
    scaled = np.eye(len(design.kinds)) + info * scale[:, :, None] * scale[:, None, :]
    inverse = np.linalg.inv((scaled + np.swapaxes(scaled, 1, 2)) / 2)
    covariance = inverse * scale[:, :, None] * scale[:, None, :]
    theta = (covariance @ moment[..., None])[..., 0]
    covariance = (covariance + np.swapaxes(covariance, 1, 2)) / 2
    found = Pooled(design, variances, offset, theta, covariance, rows, clips, videos, logits, step)
    aimed = offset[:, None] + _before_rows(found) + _row_effects(found)
    moved = np.clip(aimed - logits, -LONGEST_STEP, LONGEST_STEP)
    return replace(found, logits=np.clip(logits + moved, -WIDEST_LOGIT, WIDEST_LOGIT))


def _row_effects(found: Pooled) -> Numbers:
    """(problems, rows): at the mode."""
    return found.rows.share * (found.rows.value - _before_rows(found))


def _before_rows(found: Pooled) -> Numbers:
    """(problems, rows): the logits less the offset, without row effects."""
    design = found.design
    of_clip = found.clip_effects + found.video_effects[:, design.video_of]
    return _times(design.columns, found.theta) + of_clip[:, design.clip_of]


def _em(found: Pooled) -> Variances:
    """Each variance as the mean square that its effects are expected to have, the prior counted among them."""
    before, design = found.variances, found.design
    squares = found.theta**2 + np.diagonal(found.covariance, axis1=1, axis2=2)
    kinds = range(design.kinds.max() + 1)
    columns = np.stack([_mean_square(squares[:, design.kinds == kind], TYPICAL_EFFECT) for kind in kinds], axis=1)
    video, row = before.video, before.row
    of_video = before.video[:, None] * (1.0 - found.videos.share)
    if design.several_in_a_video:
        video = _mean_square(found.video_effects**2 + of_video + _form(found._moved, found.covariance))
    slopes = found.clips.columns - found._moved[:, design.video_of]
    left = of_video[:, design.video_of] + _form(slopes, found.covariance)
    spread = before.clip[:, None] * (1.0 - found.clips.share) + found.clips.share**2 * left
    clip = _mean_square(found.clip_effects**2 + spread)
    if design.repeated:
        left = found._variance_at(design.columns, design.clip_of)
        spread = before.row[:, None] * (1.0 - found.rows.share) + found.rows.share**2 * left
        row = _mean_square(_row_effects(found) ** 2 + spread)
    return Variances(columns, video, clip, row)


def _mean_square(squares: Numbers, typical: float = TYPICAL_SD) -> Numbers:
    return np.asarray((PRIOR_WEIGHT * typical**2 + squares.sum(axis=1)) / (PRIOR_WEIGHT + squares.shape[1]))


def _share(precision: Numbers, variance: Numbers) -> Numbers:
    weighed = precision * variance[:, None]
    return np.asarray(weighed / (1.0 + weighed))


def _with_share(level: _Level, variance: Numbers) -> _Level:
    return replace(level, share=_share(level.precision, variance))


def _above(level: _Level, firsts: Indices, variance: Numbers) -> _Level:
    """The level of groups that begin at `firsts`."""
    precision = level.passed_on
    total = np.add.reduceat(precision, firsts, axis=1)
    safe = np.maximum(total, 1e-300)
    value = np.add.reduceat(precision * level.value, firsts, axis=1) / safe
    columns = np.add.reduceat(precision[..., None] * level.columns, firsts, axis=1) / safe[..., None]
    return _Level(total, value, columns, _share(total, variance))


def _crossed(level: _Level, precision: Numbers) -> tuple[Numbers, Numbers]:
    """X' P X and X' P z of each problem."""
    weighed = np.swapaxes(precision[..., None] * level.columns, 1, 2)
    return weighed @ level.columns, (weighed @ level.value[..., None])[..., 0]


def _times(columns: Numbers, theta: Numbers) -> Numbers:
    """(problems, anything): columns times effects; the columns may be the same for all problems."""
    return np.asarray((columns @ theta[..., None])[..., 0])


def _form(columns: Numbers, covariance: Numbers) -> Numbers:
    """x' S x of every x."""
    return np.asarray(((columns @ covariance) * columns).sum(axis=-1))


def _logit(rates: Numbers) -> Numbers:
    return np.asarray(np.log(rates) - np.log1p(-rates))
