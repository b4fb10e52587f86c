"""What is proposed, on what, in which words; and that nothing else of the rules moves."""

import dataclasses
import hashlib
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from videolab_assets.lib.captions.styles import STYLES
from videolab_assets.lib.clips.rules import ClipRules, Looks, OrderedLook, Rules, RulesInForce, Weights, default_rules, read_rules
from videolab_assets.lib.learning.proposal import LEAST_CLIPS, PROPOSALS, Proposal, keep, propose
from videolab_assets.lib.learning.splits import split_of_looks
from videolab_assets.lib.store.local import LocalStore
from videolab_assets_tests.lib.learning.made import both_looks, clip_ref, evidence_of, looks, observed

TWO_LOOKS = Looks(a=OrderedLook(), b=OrderedLook(captions="bold", hook="headline", cover="headline"))
TESTED = RulesInForce(Rules(version="spring", looks=TWO_LOOKS), "a" * 64)


def changed(proposal: Proposal) -> dict[str, tuple[float | str, float | str]]:
    return {change.field: (change.before, change.after) for change in proposal.changes}


def test_weights_move_the_way_that_clips_did() -> None:
    """A part that went together with more is made to count less; or all other weights move with it."""
    proposal = propose(observed(80, 1, effects={"hook": 1.5, "motion": -1.5}), default_rules())
    moved = changed(proposal)
    assert set(moved) == {"weights.hook", "weights.motion"}
    assert 3 < moved["weights.hook"][1] <= 3 * 1.3  # type: ignore[operator]
    assert 0.7 <= moved["weights.motion"][1] < 1  # type: ignore[operator]
    new, old = read_rules(proposal.rules_yaml), default_rules().rules
    assert new.weights == old.weights.model_copy(update={name.partition(".")[2]: after for name, (_, after) in moved.items()})
    assert (new.clips, new.looks) == (old.clips, old.looks)
    assert new.version == f"default 1 + {proposal.id}"


def test_words_say_what_it_rests_on() -> None:
    """An association is sold as a cause, or nobody learns on how little it rests."""
    proposal = propose(observed(80, 1, effects={"hook": 1.5}), default_rules())
    change = next(one for one in proposal.changes if one.field == "weights.hook")
    assert change.basis == "association"
    assert (change.impressions, change.clips) == (320_000, 80)
    assert change.probability >= 0.995
    for expected in (
        "went together with more ThruPlays per impression",
        "an association",
        "320,000 impressions of 80 clips",
        "99.9 % sure",
    ):
        assert expected in change.sentence
    header = proposal.rules_text.partition("version:")[0]
    assert change.sentence in header and "default 1" in header
    everything = header + proposal.model_dump_json()
    assert not any(word in everything for word in ("caus", "because", "leads to", "effect of"))


def test_too_little_is_not_enough() -> None:
    """Rules follow a handful of clips, or many clips that nobody saw."""
    few = propose(observed(LEAST_CLIPS - 1, 2, effects={"hook": 4}, impressions=50_000), default_rules())
    unseen = propose(observed(60, 2, effects={"hook": 4}, impressions=100), default_rules())
    assert few.abstains and unseen.abstains and propose([], default_rules()).abstains
    assert few.rules_yaml == b"" and few.rules_sha256 == ""
    assert few.held[0] == "Weights and lengths stay: 19 of at least 20 clips were shown outside of A/B splits."
    assert "6,000 of at least 50,000 impressions were counted" in unseen.held[0]
    assert few.sentence == f"Nothing is proposed on 950,000 impressions of 19 clips: {few.held[0]}"


def test_noise_is_seldom_taken_for_a_rule() -> None:
    """Of eight parts one always looks good: week by week the rules wander where chance leads."""
    proposed = [len(propose(observed(40, seed), default_rules()).changes) for seed in range(20)]
    assert sum(number > 0 for number in proposed) <= 3, proposed


def test_the_same_evidence_gives_the_same_proposal() -> None:
    """Each night lays another proposal into the store, and an approval of yesterday's finds nothing."""
    rows = observed(60, 3, effects={"hook": 1.5})
    first, second = propose(rows, default_rules()), propose(rows[::-1], default_rules())
    assert first == second
    assert first.id != propose(rows, dataclasses.replace(default_rules(), sha256="b" * 64)).id
    assert first.id != propose([dataclasses.replace(row, watched=row.watched // 2) for row in rows], default_rules()).id


def test_length_follows_the_clips_but_not_past_the_middle_one() -> None:
    """Clips get shorter with each proposal until nothing fits between shortest and longest."""
    shorter = changed(propose(observed(80, 4, of_length=-1.5), default_rules()))["clips.longest"]
    assert shorter[0] == "1:00" and "0:40" <= str(shorter[1]) < "1:00"
    longer = changed(propose(observed(80, 4, of_length=1.5), default_rules()))["clips.shortest"]
    assert longer[0] == "0:15" and "0:15" < str(longer[1]) <= "0:20"
    narrow = RulesInForce(Rules(version="x", clips=ClipRules(shortest=15, longest=20)), "c" * 64)
    held = propose(observed(80, 4, of_length=-1.5), narrow)
    assert "clips.longest" not in changed(held)
    assert any(reason.startswith("clips.longest stays at 0:20") for reason in held.held)


def test_a_split_says_which_look() -> None:
    """A look that won its A/B test is not proposed, or called an association."""
    proposal = propose(both_looks(12, 5, 0.4), TESTED)
    (change,) = proposal.changes
    assert (change.field, change.basis, change.clips, change.impressions) == ("looks.a", "A/B split", 12, 96_000)
    assert "in an A/B split it had the effect of more ThruPlays" in change.sentence
    new = read_rules(proposal.rules_yaml)
    assert new.looks == Looks(a=TWO_LOOKS.b)
    assert any("outside of A/B splits" in reason for reason in proposal.held), "its cells are no evidence for weights"


@pytest.mark.parametrize(
    ("clips", "effect", "reason"),
    [
        (12, 0.0, "by the A/B split look b is better with a probability of"),
        (12, -0.4, "by the A/B split look b is better with a probability of 0."),
        (2, 0.8, "2 of at least 3 clips were shown in both looks of an A/B split"),
    ],
)
def test_a_split_that_says_nothing_changes_nothing(clips: int, effect: float, reason: str) -> None:
    """The loser of a test, or the winner on two clips, becomes the look of all."""
    proposal = propose(both_looks(clips, 6, effect), TESTED)
    assert proposal.abstains
    assert any(reason in held for held in proposal.held)


def test_a_look_is_tested_in_cells_only() -> None:
    """Ads in the other look that found people of their own are taken for a test."""
    loose = [dataclasses.replace(row, study_id=None, cell=None) for row in both_looks(12, 7, 0.8)]
    one_cell = [dataclasses.replace(row, cell="a") for row in both_looks(12, 7, 0.8)]
    other_looks = [dataclasses.replace(row, attributes=looks("a")) for row in both_looks(12, 7, 0.8)]
    apart = [dataclasses.replace(row, study_id=f"study-{row.clip.label}") for row in both_looks(12, 7, 0.8)]
    for rows in (loose, one_cell, other_looks, apart):
        assert split_of_looks(rows, TWO_LOOKS.by_label()) is None
        assert propose(rows, TESTED).abstains
    assert any("no look b" in held for held in propose(both_looks(12, 7, 0.8), default_rules()).held)


def test_cells_must_agree_with_their_clips() -> None:
    """Meta shows one clip of a cell far more than the others: clip by clip b wins, but the cell that it stood in did worse."""
    rows = []
    for number in range(8):
        rows.append(evidence_of(clip_ref(number, label="a"), 40_000 if number == 0 else 2000, 12_000 if number == 0 else 200, cell="a"))
        rows.append(evidence_of(clip_ref(number, label="b"), 2000, 620 if number == 0 else 260, cell="b"))
    rows = [dataclasses.replace(row, study_id="s", attributes=looks(row.clip.label)) for row in rows]
    split = split_of_looks(rows, TWO_LOOKS.by_label())
    assert split is not None and split.mean > 0 and not split.cells_agree
    proposal = propose(rows, TESTED)
    assert proposal.abstains and any("than the cells as wholes" in held for held in proposal.held)


def test_split_intervals_hold_the_truth() -> None:
    """The effect of a look is called sure far more often than it is right."""
    found = [split_of_looks(both_looks(6, seed, 0.2), TWO_LOOKS.by_label()) for seed in range(60)]
    inside = [split.low <= 0.2 <= split.high for split in found if split]
    assert len(inside) == 60 and sum(inside) >= 50


def test_kept_in_the_store_beside_the_rules(tmp_path: Path) -> None:
    """A proposal changes the rules by being made; or one that abstains leaves a file to be approved."""
    store = LocalStore(tmp_path / "store")
    proposal = propose(observed(60, 3, effects={"hook": 1.5}), default_rules())
    assert keep(proposal, store) == keep(proposal, store) == f"{PROPOSALS}/{proposal.id}.json"
    assert {entry.key for entry in store.list("")} == {f"{PROPOSALS}/{proposal.id}.json", f"{PROPOSALS}/{proposal.id}.yaml"}
    data = store.read_bytes(f"{PROPOSALS}/{proposal.id}.yaml", 1 << 20)
    assert hashlib.sha256(data).hexdigest() == proposal.rules_sha256
    stored = Proposal.model_validate_json(store.read_bytes(f"{PROPOSALS}/{proposal.id}.json", 1 << 20))
    assert stored == proposal.model_copy(update={"rules_text": ""})
    assert keep(propose([], default_rules()), store) is None


def test_a_weight_that_cannot_go_further_stays() -> None:
    """At 10 the same proposal is made again every day; a part that a person switched off with 0 comes back."""
    rules = RulesInForce(Rules(version="x", weights=Weights(hook=10, faces=0)), "e" * 64)
    proposal = propose(observed(80, 1, effects={"hook": 1.5, "faces": 1.5, "motion": -1.5}), rules)
    assert "weights.motion" in changed(proposal)
    assert not {"weights.hook", "weights.faces"} & set(changed(proposal))
    assert "weights.hook stays: cannot go further." in proposal.held


weight = st.floats(0, 10)
line = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=100)
look = st.builds(
    OrderedLook,
    captions=st.sampled_from([*STYLES, "off"]),
    hook=st.sampled_from(["none", "headline"]),
    headline=st.none() | line,
    cover=st.sampled_from(["best", "first", "headline"]),
)
rules_of_people = st.builds(
    Rules,
    version=line | st.sampled_from(["on", "1.10", "a: b # c", "'", "x + 1a2b3c4d", "- y", "{z}", "~"]),
    clips=st.builds(
        lambda least, more, shortest, longer: ClipRules(least=least, most=least + more, shortest=shortest, longest=shortest + longer),
        st.integers(1, 10),
        st.integers(0, 10),
        st.floats(1, 300),
        st.floats(1, 300),
    ),
    weights=st.builds(Weights, hook=st.floats(0.01, 10), **{name: weight for name in Weights.model_fields if name != "hook"}),
    looks=st.builds(Looks, a=look, b=st.none() | look),
)
LIVELY = observed(30, 8, effects={"hook": 2.5, "motion": -2.5, "faces": 2.5}, of_length=-1.5)


@settings(max_examples=20)
@given(rules_of_people)
def test_whatever_the_rules_are_the_new_ones_differ_only_where_it_says(rules: Rules) -> None:
    """A headline, an odd version or a weight at its bound makes a file that is refused, or loses what a person wrote."""
    proposal = propose(LIVELY, RulesInForce(rules, "d" * 64))
    assert not proposal.abstains
    new = read_rules(proposal.rules_yaml)
    values, before = new.model_dump(), rules.model_dump()
    for change in proposal.changes:
        place, name = change.field.split(".")
        old, now = before[place].pop(name), values[place].pop(name)
        assert old != now and 0.69 * old <= now <= 1.31 * old
        assert change.after in (now, change.after if isinstance(change.after, str) else None)
    assert values.pop("version").endswith(f" + {proposal.id}") and before.pop("version")
    values["clips"] = {name: pytest.approx(value, abs=1e-6) for name, value in values["clips"].items()}
    assert before == values
