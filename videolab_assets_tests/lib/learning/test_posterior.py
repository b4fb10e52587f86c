"""How good each clip is: what is pooled, what is held apart, what is refused."""

import dataclasses
import math
import random

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.learning.evidence import ClipEvidence
from videolab_assets.lib.learning.policies import recommended_shares, shares_of
from videolab_assets.lib.learning.posterior import fit
from videolab_assets_tests.lib.learning.made import clip_ref, evidence_of, observed


def test_a_small_clip_is_not_called_the_best_by_luck() -> None:
    """Two plays on two impressions are 100 %, and the whole budget goes there."""
    rows = [evidence_of(clip_ref(number), 5000, 1000 + 10 * number) for number in range(10)]
    lucky = evidence_of(clip_ref(99), 2, 2)
    posterior = fit([*rows, lucky])
    found = posterior.of(lucky.clip)
    assert found is not None and found.raw == 1.0
    assert found.mean < 0.35 and found.low < 0.2 < found.high
    assert found.sd > 2 * min(one.sd for one in posterior.clips)
    assert sum(one.best for one in posterior.clips) == pytest.approx(1)
    assert [one.mean for one in posterior.clips] == sorted((one.mean for one in posterior.clips), reverse=True)


def test_clips_borrow_from_their_video() -> None:
    """A new clip of a video whose clips all did well is expected to be as any other."""
    rows = [evidence_of(clip_ref(video, clip), 5000, 1500 if video < 3 else 700) for video in range(6) for clip in range(4)]
    new = [evidence_of(clip_ref(video, 9), 0, 0) for video in (0, 5)]
    posterior = fit([*rows, *new])
    good, bad = (posterior.of(one.clip) for one in new)
    assert good is not None and bad is not None
    assert good.raw is None
    assert good.mean > 1.6 * bad.mean
    assert posterior.spreads["video"] > posterior.spreads["clip"]


def test_a_campaign_is_not_credited_to_its_clips() -> None:
    """Clips of the campaign with the better audience win, whatever they are."""
    rows = []
    for number in range(12):
        good = number % 2
        rows.append(evidence_of(clip_ref(number), 4000, 1600 if good else 400, campaign_key=f"acme.c{good}.11111111"))
        if number < 6:
            rows.append(evidence_of(clip_ref(number), 4000, 1600 if not good else 400, campaign_key=f"acme.c{1 - good}.11111111"))
    posterior = fit(rows)
    raw = [one.raw for one in posterior.clips if one.raw is not None]
    means = [one.mean for one in posterior.clips]
    assert max(raw) / min(raw) == pytest.approx(4)
    assert max(means) / min(means) < 1.3


def test_effects_are_found_with_their_sign() -> None:
    """What went together with more is said to go together with less, or is drowned by the other parts."""
    posterior = fit(observed(80, 3, effects={"hook": 1.2, "motion": -1.2}))
    effects = {effect.attribute: effect for effect in posterior.effects}
    assert effects["part.hook"].positive > 0.98 > 0.02 > effects["part.motion"].positive
    assert effects["part.hook"].mean == pytest.approx(1.2, abs=0.6)
    assert effects["part.hook"].low < effects["part.hook"].mean < effects["part.hook"].high
    assert effects["part.hook"].clips == 80
    others = [effect for name, effect in effects.items() if name not in ("part.hook", "part.motion")]
    assert sum(0.05 < effect.positive < 0.95 for effect in others) >= len(others) - 1


def test_how_short_a_clip_is_explains_no_thruplays_below_fifteen_seconds() -> None:
    """Below 15 seconds a ThruPlay needs the whole clip: the shortest ones win by definition, and the rules shrink and shrink."""
    rows = observed(40, 4)
    short = [
        dataclasses.replace(
            row, attributes={**row.attributes, "length": math.log(5 + number % 9)}, watched=row.watched + 1500 - 100 * (number % 9)
        )
        for number, row in enumerate(rows)
    ]
    assert not [effect for effect in fit(short, "watched").effects if effect.attribute == "length"]
    assert [effect for effect in fit(short, "hooked").effects if effect.attribute == "length"]


def test_outcomes_are_counted_as_they_are_called() -> None:
    """The rate of one outcome is reckoned from another one's counts."""
    row = dataclasses.replace(evidence_of(clip_ref(1), 1000, 0), hooked=500, watched=200, clicked=10)
    assert [fit([row], outcome).clips[0].raw for outcome in ("hooked", "watched", "clicked")] == [0.5, 0.2, 0.01]


def test_the_same_evidence_in_any_order_gives_the_same_figures() -> None:
    """A proposal changes its id from one day to the next though nothing happened."""
    rows = observed(30, 5)
    shuffled = rows[:]
    random.Random(1).shuffle(shuffled)
    assert fit(rows) == fit(shuffled)


def test_nothing_is_no_error() -> None:
    """Before the first campaign the asset fails."""
    assert fit([]).clips == ()
    assert recommended_shares(fit([])) == {}


def test_contradicting_counts_are_refused() -> None:
    """More plays than impressions end as a warning of numpy and a table of NaN."""
    with pytest.raises(PermanentError, match="has 11 ThruPlays on 10 impressions, which cannot be"):
        fit([evidence_of(clip_ref(1), 10, 11)])


counts = st.integers(0, 10**9).flatmap(lambda shown: st.tuples(st.just(shown), st.integers(0, shown)))
attributes = st.dictionaries(
    st.sampled_from(["part.hook", "part.faces", "length", "look.captions=bold", "look.cover=first"]),
    st.floats(allow_nan=True, allow_infinity=True) | st.floats(0, 1),
)


@settings(max_examples=15)
@given(st.lists(st.tuples(counts, attributes, st.integers(0, 3), st.integers(1, 3), st.integers(0, 2)), max_size=12))
def test_any_counts_give_figures_that_can_be_shown(rows: list[tuple[tuple[int, int], dict[str, float], int, int, int]]) -> None:
    """One odd clip turns every figure of the account into NaN, or raises from the depths of linear algebra."""
    evidence: dict[tuple[str, ...], ClipEvidence] = {}
    for (shown, watched), given_attributes, video, clip, campaign in rows:
        row = evidence_of(clip_ref(video, clip), shown, watched, attributes=given_attributes, campaign_key=f"acme.c{campaign}.11111111")
        evidence[row.order] = row
    posterior = fit(evidence.values())
    for one in posterior.clips:
        assert 0 <= one.low <= one.high <= 1
        assert 0 <= one.mean <= 1 and math.isfinite(one.sd) and 0 <= one.best <= 1
    for effect in posterior.effects:
        assert all(map(math.isfinite, (effect.mean, effect.sd, effect.low, effect.high))) and 0 <= effect.positive <= 1
    if posterior.clips:
        assert sum(one.best for one in posterior.clips) == pytest.approx(1)
        assert sum(recommended_shares(posterior).values()) == pytest.approx(1)


def test_shares_follow_the_chances() -> None:
    """The next budget goes where the table does not say, or all of it to a clip that is only probably the best."""
    shares = shares_of(np.array([[0.6, 0.3, 0.1, 0.0]]))[0]
    assert list(shares) == pytest.approx([36 / 46, 9 / 46, 1 / 46, 0])
    posterior = fit([evidence_of(clip_ref(1), 3000, 600), evidence_of(clip_ref(2), 3000, 590), evidence_of(clip_ref(3), 3000, 200)])
    by_clip = recommended_shares(posterior)
    assert by_clip[clip_ref(1)] > by_clip[clip_ref(2)] > 0.05
    assert by_clip[clip_ref(3)] < 0.01


def test_tenants_do_not_compete() -> None:
    """The clips of one tenant get no budget because those of another, with money of its own, do better."""
    rows = [evidence_of(clip_ref(number), 3000, 600 + number) for number in range(3)]
    other = [
        evidence_of(clip_ref(9).model_copy(update={"video_key": "zeta.talk.0000000f", "clip_id": f"c0{n}"}), 3000, 90) for n in range(2)
    ]
    posterior = fit([*rows, *other])
    shares = recommended_shares(posterior)
    assert sum(shares[row.clip] for row in rows) == pytest.approx(1)
    assert sum(shares[row.clip] for row in other) == pytest.approx(1)
    assert sum(one.best for one in posterior.clips) == pytest.approx(2)
