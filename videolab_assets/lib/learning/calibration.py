"""Whether the score by which clips are chosen goes together with what they do as ads: by how much, and how sure that is."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from videolab_assets.lib.learning.evidence import OUTCOMES, ClipEvidence, Outcome
from videolab_assets.lib.learning.posterior import WITHIN

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.float64]

LEAST_CLIPS = 12
LEAST_IMPRESSIONS = 500
"""Of a clip, to be counted among them."""
MOST_BINS = 5
CLIPS_IN_BIN = 4
RESAMPLES = 1000


@dataclass(frozen=True)
class ScoreBin:
    """Clips with scores from `lowest` to `highest`.

    Attributes:
        score: mean.
        rate: of all their impressions together; low and high: 90 % between, the spread between clips included.
    """

    lowest: float
    highest: float
    score: float
    clips: int
    impressions: int
    successes: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Calibration:
    """Scores against results.

    Attributes:
        bins: the lowest scores first; of about as many clips each.
        clips: with a score and enough impressions; `left_out` those without.
        rank_correlation: Spearman's, of scores and rates, each rate taken relative to that of its platform and campaign; low and high:
            90 % between, by resampling clips. All three None where there is not enough.
        words: a sentence.
    """

    outcome: Outcome
    bins: tuple[ScoreBin, ...]
    clips: int
    left_out: int
    impressions: int
    rank_correlation: float | None
    low: float | None
    high: float | None
    words: str


def calibrate(evidence: Iterable[ClipEvidence], outcome: Outcome = "watched") -> Calibration:
    """How the score did. Ads are shown to different people: what it finds is an association.

    Raises:
        PermanentError: counts that contradict each other.
    """
    rows = sorted(evidence, key=lambda one: one.order)
    expected = _expected(rows, outcome)
    sums: dict[str, list[float]] = {}
    for row, chance in zip(rows, expected, strict=True):
        score = -1.0 if row.score is None else row.score
        one = sums.setdefault(row.clip.name, [score, 0.0, 0.0, 0.0])
        for place, amount in enumerate((row.impressions, row.successes(outcome), chance), start=1):
            one[place] += amount
    usable = [one for one in sums.values() if one[0] >= 0.0 and one[1] >= LEAST_IMPRESSIONS]
    left_out = len(sums) - len(usable)
    impressions = int(sum(one[1] for one in usable))
    if not usable:
        return Calibration(outcome, (), 0, left_out, 0, None, None, None, _words(outcome, 0, None))
    import numpy as np

    scores, trials, successes, likely = np.array(sorted(usable), np.float64).T
    bins = tuple(_bin(scores[part], trials[part], successes[part]) for part in _parts(scores))
    found = _rank_correlation(scores, successes / np.maximum(likely, 1e-12)) if len(usable) >= LEAST_CLIPS else None
    value, low, high = found or (None, None, None)
    return Calibration(outcome, bins, len(usable), left_out, impressions, value, low, high, _words(outcome, len(usable), found))


def _expected(rows: list[ClipEvidence], outcome: Outcome) -> list[float]:
    """Successes of each row, were it as good as its platform and campaign together."""
    totals: dict[tuple[str, str, str], list[int]] = {}
    for row in rows:
        total = totals.setdefault((row.account_id, row.clip.platform, row.campaign_key), [0, 0])
        total[0] += row.impressions
        total[1] += row.successes(outcome)
    strata = (totals[row.account_id, row.clip.platform, row.campaign_key] for row in rows)
    return [row.impressions * (hits + 0.5) / (shown + 1.0) for row, (shown, hits) in zip(rows, strata, strict=True)]


def _parts(scores: "Numbers") -> "list[NDArray[np.intp]]":
    """Places in rising scores, in parts of about as many; clips of the same score are not parted."""
    import numpy as np

    wanted = max(1, min(MOST_BINS, len(scores) // CLIPS_IN_BIN))
    bounds = [int(np.searchsorted(scores, scores[len(scores) * number // wanted])) for number in range(1, wanted)]
    return [part for part in np.split(np.arange(len(scores)), sorted(set(bounds))) if len(part)]


def _bin(scores: "Numbers", trials: "Numbers", successes: "Numbers") -> ScoreBin:
    """The interval is the wider of the binomial's and that of a ratio of sums over clips (Cochran, Sampling Techniques, 6.4)."""
    import numpy as np

    shown, hits, clips = float(trials.sum()), float(successes.sum()), len(trials)
    smoothed = (hits + 0.5) / (shown + 1.0)
    error = (smoothed * (1.0 - smoothed) / shown) ** 0.5
    if clips > 1:
        between = float(((successes - smoothed * trials) ** 2).sum()) * clips / (clips - 1)
        error = max(error, between**0.5 / shown)
    around = WITHIN * error / (smoothed * (1.0 - smoothed))
    low, high = (1.0 / (1.0 + np.exp(-(np.log(smoothed / (1.0 - smoothed)) + sign * around))) for sign in (-1, 1))
    rate = hits / shown
    interval = min(float(low), rate), max(float(high), rate)
    return ScoreBin(float(scores[0]), float(scores[-1]), float(scores.mean()), clips, int(shown), int(hits), rate, *interval)


def _rank_correlation(scores: "Numbers", results: "Numbers") -> tuple[float, float, float] | None:
    """Spearman's and its 90 % interval; None where all scores or all results are the same."""
    import numpy as np

    random = np.random.default_rng(0)
    resampled = random.multinomial(len(scores), np.full(len(scores), 1.0 / len(scores)), size=RESAMPLES).astype(np.float64)
    times = np.concatenate([np.ones((1, len(scores))), resampled])
    ranks = [_middle_ranks(values, times) for values in (scores, results)]
    centred = [rank - (times * rank).sum(axis=1, keepdims=True) / len(scores) for rank in ranks]
    crossed = (times * centred[0] * centred[1]).sum(axis=1)
    scale = np.sqrt((times * centred[0] ** 2).sum(axis=1) * (times * centred[1] ** 2).sum(axis=1))
    if scale[0] <= 0:
        return None
    found = crossed[scale > 0] / scale[scale > 0]
    low, high = np.quantile(found[1:], (0.05, 0.95)) if len(found) > 1 else (-1.0, 1.0)
    return float(found[0]), min(float(low), float(found[0])), max(float(high), float(found[0]))


def _middle_ranks(values: "Numbers", times: "Numbers") -> "Numbers":
    """(resamples, values): ranks where each value is there so many times; equal values share the middle of theirs."""
    import numpy as np

    distinct, place = np.unique(values, return_inverse=True)
    totals = np.zeros((len(times), len(distinct)))
    order = np.argsort(place, kind="stable")
    totals[:] = np.add.reduceat(times[:, order], np.searchsorted(place[order], np.arange(len(distinct))), axis=1)
    before = np.cumsum(totals, axis=1) - totals
    return np.asarray((before + (totals + 1.0) / 2.0)[:, place])


def _words(outcome: Outcome, clips: int, found: tuple[float, float, float] | None) -> str:
    if clips < LEAST_CLIPS:
        those = "1 clip has" if clips == 1 else f"{clips} clips have"
        return f"Not enough to judge the score by: {those} {LEAST_IMPRESSIONS} impressions or more, and {LEAST_CLIPS} are needed."
    if found is None:
        return "Nothing to judge the score by: all clips have the same score or the same results."
    value, low, high = found
    interval = f"(rank correlation {value:+.2f}, 90 % between {low:+.2f} and {high:+.2f}, {clips} clips)"
    if low > 0:
        return f"Higher scores went together with more {OUTCOMES[outcome]} {interval}."
    if high < 0:
        return f"Higher scores went together with fewer {OUTCOMES[outcome]} {interval}: the weights deserve a look."
    return f"Whether the score goes together with {OUTCOMES[outcome]} cannot be told yet {interval}."
