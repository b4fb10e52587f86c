"""Whether the score is said to be good only where it is."""

import dataclasses

import numpy as np
import pytest

from videolab_assets.lib.learning.calibration import LEAST_CLIPS, LEAST_IMPRESSIONS, Calibration, calibrate
from videolab_assets.lib.learning.evidence import ClipEvidence
from videolab_assets_tests.lib.learning.made import clip_ref, evidence_of


def scored(clips: int, seed: int, slope: float, impressions: int = 4000) -> list[ClipEvidence]:
    """Clips whose logit rises by `slope` from a score of 0 to one of 1."""
    random, found = np.random.default_rng(seed), []
    for number in range(clips):
        score = round(float(random.uniform()), 3)
        rate = 1 / (1 + np.exp(1.5 - slope * score - 0.2 * random.standard_normal()))
        found.append(evidence_of(clip_ref(number), impressions, int(random.binomial(impressions, rate)), score=score))
    return found


def spearman(scores: list[float], rates: list[float]) -> float:
    """By its definition; the values are distinct."""
    apart = np.argsort(np.argsort(scores)) - np.argsort(np.argsort(rates))
    return float(1 - 6 * (apart**2).sum() / (len(scores) ** 3 - len(scores)))


def test_the_rank_correlation_is_spearmans() -> None:
    """Another coefficient is shown under its name, or ties are ranked by the order of their names."""
    rows = scored(50, 1, 1.0)
    found = calibrate(rows)
    expected = spearman([row.score or 0 for row in rows], [row.watched / row.impressions for row in rows])
    assert found.rank_correlation == pytest.approx(expected, abs=0.01)
    assert found.low is not None and found.high is not None and found.low <= expected <= found.high
    tied = [dataclasses.replace(row, score=float(number % 2)) for number, row in enumerate(rows)]
    halves = [np.mean([row.watched for row in tied if row.score == half]) for half in (0.0, 1.0)]
    value = calibrate(tied).rank_correlation
    assert value is not None and np.sign(value) == np.sign(halves[1] - halves[0]) and abs(value) < 0.6


def test_intervals_hold_the_truth() -> None:
    """A score that is worth nothing is called good more often than one time in ten."""
    found = [calibrate(scored(30, seed, 0.0)) for seed in range(80)]
    outside = sum(one.low > 0 or one.high < 0 for one in found if one.low is not None and one.high is not None)
    assert outside <= 16


def test_words_say_which_way() -> None:
    """Higher scores go together with fewer plays, and the words call it good."""
    assert calibrate(scored(60, 2, 2.0)).words.startswith(
        "Higher scores went together with more ThruPlays per impression (rank correlation +"
    )
    assert calibrate(scored(60, 2, -2.0)).words.startswith("Higher scores went together with fewer ThruPlays per impression")
    assert "cannot be told yet" in calibrate(scored(20, 3, 0.0)).words


def test_too_little_says_so() -> None:
    """A correlation of three clips is shown as if it meant something."""
    few = calibrate(scored(LEAST_CLIPS - 1, 4, 3.0))
    assert (
        few.rank_correlation is None
        and few.words == "Not enough to judge the score by: 11 clips have 500 impressions or more, and 12 are needed."
    )
    assert few.bins
    unseen = [dataclasses.replace(row, score=None) for row in scored(5, 5, 1.0)]
    small = [evidence_of(clip_ref(900 + number), LEAST_IMPRESSIONS - 1, 9, score=0.5) for number in range(4)]
    none = calibrate([*unseen, *small])
    assert (none.clips, none.left_out, none.bins) == (0, 9, ())
    assert calibrate([]).left_out == 0


def test_bins_hold_each_clip_once() -> None:
    """Clips are lost between two bins or counted in both; equal scores are parted by chance."""
    rows = scored(43, 6, 1.0)
    found = calibrate(rows)
    assert sum(one.clips for one in found.bins) == 43 and len(found.bins) == 5
    assert sum(one.impressions for one in found.bins) == sum(row.impressions for row in rows)
    assert sum(one.successes for one in found.bins) == sum(row.watched for row in rows)
    for one, following in zip(found.bins, found.bins[1:], strict=False):
        assert one.highest < following.lowest
    for one in found.bins:
        assert one.low <= one.rate == one.successes / one.impressions <= one.high
        assert one.lowest <= one.score <= one.highest
    same = calibrate([dataclasses.replace(row, score=0.5) for row in rows])
    assert len(same.bins) == 1 and same.rank_correlation is None and "same score" in same.words


def test_a_campaign_does_not_pass_for_a_score() -> None:
    """Good clips were shown in the worse campaign, and so the score looks upside down."""
    rows = []
    for number, row in enumerate(scored(40, 7, 1.5)):
        good = (row.score or 0) > 0.5
        watched = row.watched // 3 if good else row.watched
        rows.append(dataclasses.replace(row, watched=watched, campaign_key=f"acme.c{int(good)}.11111111", clip=clip_ref(number)))
    found: Calibration = calibrate(rows)
    assert found.rank_correlation is not None and found.rank_correlation > 0
