"""Other rules, proposed from what clips did as ads: what would change, how sure that is and on how much, or what is missing to say.

Weights and lengths follow associations: Meta shows each ad to people of its own choosing, and clips that were posted had scored high
already, so that what goes together with high rates need not be what makes them. Hence small steps, one campaign at a time, with a
person's yes before each. Looks follow A/B splits only, and neither kind of evidence enters the other's estimate.
"""

import hashlib
import math
import re
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from videolab_assets.lib.clips.rules import Looks, OrderedLook, Rules, RulesInForce, Weights
from videolab_assets.lib.documents import Look, Model
from videolab_assets.lib.learning.evidence import LENGTH, OUTCOMES, PART, ClipEvidence, Outcome
from videolab_assets.lib.learning.posterior import Effect, Posterior, fit
from videolab_assets.lib.learning.splits import SplitOfLooks, split_of_looks
from videolab_assets.lib.recipe import JsonValue, recipe
from videolab_assets.lib.store import Store
from videolab_assets.lib.yaml_text import clock, yaml_of

PROPOSALS = "rules/proposals"
"""In the store: each proposal as `<id>.yaml`, the rules as they would be, and `<id>.json`, why."""

SURE = 0.95
"""The probability from which on look b counts as better in an A/B split: one question."""
SURE_OF_ASSOCIATION = 0.995
"""That from which on the direction of a part of the score, or of the length, counts as known. Nine are looked at, either way each, and one
of them often looks good by chance: where none matters, this proposes something in one case of twenty (simulated, 24 to 100 clips)."""
LEAST_CLIPS = 20
LEAST_IMPRESSIONS = 50_000
LEAST_SPREAD = 0.03
"""Standard deviation of a part of the score among the clips: with less there is nothing to compare."""
LEAST_CLIPS_IN_SPLIT = 3
LEAST_IMPRESSIONS_IN_SPLIT = 10_000

LARGEST_STEP = 0.3
"""Share by which a weight or a length may change in one proposal."""
SUREST = 0.999
"""Nothing counts as surer than this."""
LEAST_ROOM = 5.0
"""Seconds between the shortest and the longest that a clip may be, if both are proposed here."""

LONGEST_VERSION = 100
_ADDED = re.compile(r"( \+ [0-9a-f]{8})+$")


class Change(Model):
    """One thing that would be different.

    Attributes:
        field: in the rules file, as `weights.hook`.
        before, after: numbers, times as `0:45`, or looks in words.
        probability: that the direction is right.
        clips: on whose impressions it rests.
        sentence: all of it in words.
    """

    field: str
    before: float | str
    after: float | str
    probability: float
    impressions: int
    clips: int
    basis: Literal["association", "A/B split"]
    sentence: str


class Proposal(Model):
    """Rules to be approved by a person, or without changes the reasons why there are none.

    Attributes:
        id: 8 hex digits; the same evidence and rules give the same.
        based_on: hash of the file with the rules that it would change; based_on_version is their name.
        version: as the new rules are called.
        held: sentences: what stays as it is and why, or what is missing to say.
        rules_sha256: of the new file; empty without changes.
        rules_text: the new file; kept beside the document, not in it.
    """

    id: str = Field(pattern=r"^[0-9a-f]{8}$")
    based_on: str
    based_on_version: str
    version: str
    outcome: Outcome
    impressions: int
    clips: int
    sentence: str
    changes: tuple[Change, ...]
    held: tuple[str, ...]
    rules_sha256: str = ""
    rules_text: str = Field(default="", exclude=True)

    @property
    def abstains(self) -> bool:
        return not self.changes

    @property
    def rules_yaml(self) -> bytes:
        """The file that `read_rules` accepts; empty where the proposal abstains."""
        return self.rules_text.encode()


@dataclass
class _Draft:
    """What has been found so far."""

    rules: Rules
    changes: list[Change]
    held: list[str]


def propose(evidence: Iterable[ClipEvidence], rules: RulesInForce, outcome: Outcome = "watched") -> Proposal:
    """What the evidence speaks for. Changes nothing.

    Raises:
        PermanentError: counts that contradict each other.
    """
    rows = sorted(evidence, key=lambda one: one.order)
    observed = [row for row in rows if row.study_id is None]
    draft = _Draft(rules.rules, [], [])
    posterior = fit(observed, outcome)
    if missing := _missing(posterior.impressions, len(posterior.clips), LEAST_IMPRESSIONS, LEAST_CLIPS):
        draft.held.append(f"Weights and lengths stay: {missing} outside of A/B splits.")
    else:
        _weigh(draft, posterior)
        _measure_length(draft, posterior, observed)
    _compare_looks(draft, rows, outcome)
    return _finished(draft, rules, outcome, rows)


def keep(proposal: Proposal, store: Store) -> str | None:
    """Lays the proposal into the store, the rules first, and returns the key of the document; None where it abstains.

    Raises:
        TransientError: the store cannot be reached.
    """
    if proposal.abstains:
        return None
    key = f"{PROPOSALS}/{proposal.id}.json"
    store.write_bytes(f"{PROPOSALS}/{proposal.id}.yaml", proposal.rules_yaml, media_type="application/yaml")
    store.write_bytes(key, proposal.model_dump_json(indent=1).encode(), media_type="application/json")
    return key


def _missing(impressions: int, clips: int, least_impressions: int, least_clips: int) -> str:
    """What there is too little of; nothing where there is enough."""
    found = []
    if clips < least_clips:
        found.append(f"{clips} of at least {least_clips} clips were shown")
    if impressions < least_impressions:
        found.append(f"{impressions:,} of at least {least_impressions:,} impressions were counted")
    return " and ".join(found)


def _weigh(draft: _Draft, posterior: Posterior) -> None:
    """Weights of parts that went together with more, or with less, move that way."""
    effects = {effect.attribute: effect for effect in posterior.effects}
    weights = draft.rules.weights
    for part in Weights.model_fields:
        before, effect = float(getattr(weights, part)), effects.get(f"{PART}{part}")
        if effect is None or effect.spread < LEAST_SPREAD or effect.clips < LEAST_CLIPS:
            known = effect.clips if effect else 0
            draft.held.append(f"weights.{part} stays: too few of the clips differ in it, or it is known of {known} only.")
            continue
        direction, probability = _direction(effect)
        after = min(10.0, float(f"{before * (1.0 + direction * _step(probability)):.3g}"))
        if probability < SURE_OF_ASSOCIATION or after == before:
            reason = "cannot go further" if probability >= SURE_OF_ASSOCIATION else f"the direction is only {_percent(probability)} sure"
            draft.held.append(f"weights.{part} stays: {reason}.")
            continue
        weights = weights.model_copy(update={part: after})
        more = "more" if direction > 0 else "fewer"
        step = f"a step of {effect.spread:.2f}, {_odds(effect)}"
        sentence = (
            f"weights.{part} from {before:g} to {after:g}: clips with more {part.replace('_', ' ')} went together with {more} "
            f"{OUTCOMES[posterior.outcome]} ({step}; {_basis(probability, posterior.impressions, effect.clips)})."
        )
        draft.changes.append(_association(f"weights.{part}", before, after, probability, posterior, effect, sentence))
    draft.rules = draft.rules.model_copy(update={"weights": weights})


def _measure_length(draft: _Draft, posterior: Posterior, rows: Sequence[ClipEvidence]) -> None:
    """Where shorter clips went together with more, the longest gets shorter, and the other way round; never past the middle one."""
    effect = next((one for one in posterior.effects if one.attribute == LENGTH), None)
    if effect is None or effect.clips < LEAST_CLIPS:
        draft.held.append("clips.shortest and clips.longest stay: too few of the clips differ in length.")
        return
    direction, probability = _direction(effect)
    if probability < SURE_OF_ASSOCIATION:
        draft.held.append(f"clips.shortest and clips.longest stay: the direction is only {_percent(probability)} sure.")
        return
    clips = draft.rules.clips
    middle = statistics.median(math.exp(row.attributes[LENGTH]) for row in rows if LENGTH in row.attributes)
    if direction < 0:
        name, before = "longest", clips.longest
        after = max(float(round(before * (1.0 - _step(probability)))), math.ceil(middle), clips.shortest + LEAST_ROOM)
        allowed = after < before
    else:
        name, before = "shortest", clips.shortest
        after = min(float(round(before * (1.0 + _step(probability)))), math.floor(middle), clips.longest - LEAST_ROOM)
        allowed = after > before
    if not allowed:
        draft.held.append(f"clips.{name} stays at {clock(before)}: half of the clips would be out of bounds.")
        return
    draft.rules = draft.rules.model_copy(update={"clips": clips.model_copy(update={name: after})})
    sentence = (
        f"clips.{name} from {clock(before)} to {clock(after)}: {'shorter' if direction < 0 else 'longer'} clips went together with more "
        f"{OUTCOMES[posterior.outcome]} ({_basis(probability, posterior.impressions, effect.clips)})."
    )
    draft.changes.append(_association(f"clips.{name}", clock(before), clock(after), probability, posterior, effect, sentence))


def _compare_looks(draft: _Draft, rows: Sequence[ClipEvidence], outcome: Outcome) -> None:
    """Look b takes the place of a where an A/B split says that it is better."""
    looks = draft.rules.looks
    if looks.b is None:
        draft.held.append("looks.a stays: the rules name no look b to test it against.")
        return
    split = split_of_looks(rows, looks.by_label(), outcome)
    if split is None:
        draft.held.append("looks.a stays: no clip was shown in both looks of the rules in one A/B split.")
    elif missing := _missing(split.impressions, split.clips, LEAST_IMPRESSIONS_IN_SPLIT, LEAST_CLIPS_IN_SPLIT):
        draft.held.append(f"looks.a stays: {missing} in both looks of an A/B split.")
    elif not split.cells_agree:
        draft.held.append("looks.a stays: in the A/B split the clips one by one point the other way than the cells as wholes.")
    elif split.better < SURE:
        words = f"look b is better with a probability of {_percent(split.better)}"
        draft.held.append(f"looks.a stays: by the A/B split {words} ({_impressions(split.impressions, split.clips)}).")
    else:
        draft.rules = draft.rules.model_copy(update={"looks": Looks(a=looks.b)})
        draft.changes.append(_look_change(looks.a, looks.b, split, outcome))


def _look_change(before: OrderedLook, after: OrderedLook, split: SplitOfLooks, outcome: Outcome) -> Change:
    probability = min(SUREST, split.better)
    basis = f"A/B split, {_percent(probability)} sure, {_impressions(split.impressions, split.clips)}"
    sentence = (
        f"looks.a becomes what was look b ({_look(after)}), and b is free for another test: in an A/B split it had the effect of more "
        f"{OUTCOMES[outcome]} (odds {_times(split.mean)}; {basis})."
    )
    return Change(
        field="looks.a",
        before=_look(before),
        after=_look(after),
        probability=round(probability, 3),
        impressions=split.impressions,
        clips=split.clips,
        basis="A/B split",
        sentence=sentence,
    )


def _association(
    field: str, before: float | str, after: float | str, probability: float, posterior: Posterior, effect: Effect, sentence: str
) -> Change:
    return Change(
        field=field,
        before=before,
        after=after,
        probability=round(probability, 3),
        impressions=posterior.impressions,
        clips=effect.clips,
        basis="association",
        sentence=sentence,
    )


def _finished(draft: _Draft, rules: RulesInForce, outcome: Outcome, rows: Sequence[ClipEvidence]) -> Proposal:
    impressions, clips = sum(row.impressions for row in rows), len({row.clip for row in rows})
    before = rules.rules
    changes: list[JsonValue] = [change.model_dump() for change in draft.changes]
    digits = recipe(based_on=rules.sha256, outcome=outcome, changes=changes, held=list(draft.held))[:8]
    version = _version(before.version, digits) if changes else before.version
    found = Proposal(
        id=digits,
        based_on=rules.sha256,
        based_on_version=before.version,
        version=version,
        outcome=outcome,
        impressions=impressions,
        clips=clips,
        sentence=_summary(draft, impressions, clips),
        changes=tuple(draft.changes),
        held=tuple(draft.held),
    )
    if found.abstains:
        return found
    data = yaml_of(_plain(draft.rules.model_copy(update={"version": version})), _header(found))
    return found.model_copy(update={"rules_text": data.decode(), "rules_sha256": hashlib.sha256(data).hexdigest()})


def _summary(draft: _Draft, impressions: int, clips: int) -> str:
    if not draft.changes:
        return f"Nothing is proposed on {_impressions(impressions, clips)}: {draft.held[0]}"
    return f"{len(draft.changes)} of the rules would change, on {_impressions(impressions, clips)}."


def _version(before: str, digits: str) -> str:
    """The name that a person gave, and this proposal's; that of an earlier proposal makes room."""
    added = f" + {digits}"
    return _ADDED.sub("", before)[: LONGEST_VERSION - len(added)].rstrip() + added


def _header(proposal: Proposal) -> str:
    return "\n".join(
        [
            f"Proposal {proposal.id}: what ads say should change in the rules {proposal.based_on_version!r}. All else is as it was there.",
            "An association is what went together: each ad was shown to other people. Only an A/B split tells what had an effect.",
            *(f"- {change.sentence}" for change in proposal.changes),
            "It is followed once somebody approves it.",
        ]
    )


def _plain(rules: Rules) -> dict[str, object]:
    """As a person would write it, nothing left out, so that a change of what ships changes nothing here."""
    values = rules.model_dump(exclude_none=True)
    values["clips"] |= {name: clock(values["clips"][name]) for name in ("shortest", "longest")}
    return values


def _direction(effect: Effect) -> tuple[int, float]:
    """Up or down, and the probability that it is this way."""
    return (1, min(SUREST, effect.positive)) if effect.positive >= 0.5 else (-1, min(SUREST, 1.0 - effect.positive))


def _step(probability: float) -> float:
    """The share by which to change: as much of the largest as the direction is surer than a toss of a coin."""
    return LARGEST_STEP * (2.0 * probability - 1.0)


def _basis(probability: float, impressions: int, clips: int) -> str:
    return f"an association, {_percent(probability)} sure, {_impressions(impressions, clips)}"


def _impressions(impressions: int, clips: int) -> str:
    return f"{impressions:,} impressions of {clips} clips"


def _percent(probability: float) -> str:
    return f"{100 * probability:.1f} %"


def _odds(effect: Effect) -> str:
    return f"odds {_times(effect.mean * effect.spread)}"


def _times(logit: float) -> str:
    return f"×{math.exp(logit):.2f}"


def _look(look: Look) -> str:
    """In words."""
    headline = f", headline {look.headline!r}" if look.headline else ""
    return f"captions {look.captions}, hook {look.hook}, cover {look.cover}{headline}"
