"""What makes a clip worth posting, as a person says it in `rules/platform_rules.yaml`; a default ships beside this module.

A file that cannot be used changes nothing: the rules that were accepted last are followed until it is mended.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, ValidationError, model_validator

from videolab_assets.lib.captions.styles import STYLES
from videolab_assets.lib.documents import Label, Look, Model
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.store import ObjectMissing, Store
from videolab_assets.lib.yaml_text import Line, Seconds, Unsuitable, clock, read_yaml

RULES_KEY = "rules/platform_rules.yaml"
"""In the store: the file that a person writes, or approves (`lib/learning/approval`). Nothing here ever writes to it."""

ACCEPTED = "rules/accepted"
"""In the store: every version that was ever followed, as `<8 digits of its hash>.yaml`, and which of them was the last."""

LATEST = f"{ACCEPTED}/latest.json"
LONGEST_RULES = 64 * 1024
LONGEST_POINTER = 1024
SHORTEST_CLIP = 1.0
LONGEST_CLIP = 600.0
"""Seconds: bounds of any clip, whoever wants it."""

MOST_FOUND = 20
CAPTIONS_OFF = "off"


def _known_style(name: str) -> str:
    if name not in STYLES and name != CAPTIONS_OFF:
        raise Unsuitable(f"{', '.join(STYLES)} or {CAPTIONS_OFF}")
    return name


class OrderedLook(Look):
    """A look as a person writes it: a caption style that exists, and a headline of one line."""

    captions: Annotated[str, AfterValidator(_known_style)] = Look.model_fields["captions"].default
    headline: Line | None = None

    def plain(self) -> Look:
        """As documents have it."""
        return Look.model_validate(self.model_dump())


class ClipRules(Model):
    """How many clips are looked for, and how long each may be, in seconds."""

    least: int = Field(default=3, ge=1, le=MOST_FOUND)
    most: int = Field(default=5, ge=1, le=MOST_FOUND)
    shortest: Seconds = 15.0
    longest: Seconds = 60.0

    @model_validator(mode="after")
    def _fit_each_other(self) -> Self:
        if self.least > self.most:
            raise Unsuitable(f"a number no larger than most ({self.most})", "least")
        if not SHORTEST_CLIP <= self.shortest <= LONGEST_CLIP:
            raise Unsuitable(f"a time from {clock(SHORTEST_CLIP)} to {clock(LONGEST_CLIP)}", "shortest")
        if not self.shortest < self.longest <= LONGEST_CLIP:
            raise Unsuitable(f"a time above shortest ({clock(self.shortest)}) and up to {clock(LONGEST_CLIP)}", "longest")
        return self


Weight = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]


class Weights(Model):
    """What each part of a clip's score counts; see `ScoreParts`. Only their proportions matter."""

    hook: Weight = 3.0
    completeness: Weight = 2.5
    speech_density: Weight = 1.5
    motion: Weight = 1.0
    faces: Weight = 1.0
    loudness: Weight = 1.0
    laughter: Weight = 1.5
    novelty: Weight = 1.5

    @model_validator(mode="after")
    def _something_counts(self) -> Self:
        if not any(weight for _, weight in self):
            raise Unsuitable("at least one number above 0")
        return self


class Looks(Model):
    """How each clip's variants look: `a`, and `b` where two are wanted to be tested against each other."""

    a: OrderedLook = OrderedLook()
    b: OrderedLook | None = None

    def by_label(self) -> dict[Label, Look]:
        """The looks that are wanted, `a` first."""
        return {"a": self.a.plain(), **({"b": self.b.plain()} if self.b else {})}


class Rules(Model):
    """`platform_rules`: what is left out is as in the file that ships, but for the version, which is a name of the person's own."""

    version: Line
    clips: ClipRules = ClipRules()
    weights: Weights = Weights()
    looks: Looks = Looks()


@dataclass(frozen=True)
class RulesInForce:
    """The rules to follow now.

    Attributes:
        sha256: of the file that they stand in, 64 hex digits.
        problem: why the person's file as it stands is not the one that is followed, in sentences.
    """

    rules: Rules
    sha256: str
    problem: str | None = None


class _Pointer(Model):
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    version: str


def read_rules(data: bytes) -> Rules:
    """The rules in a file.

    Raises:
        PermanentError: it breaks the schema; the sentence names the line and what was expected.
    """
    return read_yaml(data, Rules, longest=LONGEST_RULES, what="rules file")


@cache
def default_rules() -> RulesInForce:
    """Those that ship."""
    data = Path(__file__).with_name("platform_rules.yaml").read_bytes()
    return RulesInForce(read_rules(data), hashlib.sha256(data).hexdigest())


def rules_in_force(store: Store) -> RulesInForce:
    """The person's rules where there are any, else those that ship; where the person's cannot be used, those accepted before.

    A file that is followed for the first time is kept under `ACCEPTED`, where it stays.

    Raises:
        TransientError: the store cannot be reached.
    """
    try:
        data = store.read_bytes(RULES_KEY, LONGEST_RULES)
        rules = RulesInForce(read_rules(data), hashlib.sha256(data).hexdigest())
    except ObjectMissing:
        return default_rules()
    except PermanentError as error:
        earlier = _accepted(store)
        followed = earlier or default_rules()
        whose = "accepted before" if earlier else "that ship"
        problem = f"{RULES_KEY}: {error.sentence} Until it is mended, the rules {whose} are followed ({followed.rules.version})."
        return RulesInForce(followed.rules, followed.sha256, problem)
    _accept(rules, data, store)
    return rules


def _kept_as(sha256: str) -> str:
    return f"{ACCEPTED}/{sha256[:8]}.yaml"


def _accept(rules: RulesInForce, data: bytes, store: Store) -> None:
    """Notes the rules as the last ones that were accepted: first what they are, then which."""
    if _latest(store) == rules.sha256:
        return
    if store.stat(_kept_as(rules.sha256)) is None:
        store.write_bytes(_kept_as(rules.sha256), data, media_type="application/yaml")
    pointer = _Pointer(sha256=rules.sha256, version=rules.rules.version)
    store.write_bytes(LATEST, pointer.model_dump_json().encode(), media_type="application/json")


def _latest(store: Store) -> str | None:
    """The hash of the rules accepted last; None where there are none, or what says so is damaged."""
    try:
        return _Pointer.model_validate_json(store.read_bytes(LATEST, LONGEST_POINTER)).sha256
    except (PermanentError, ValidationError):
        return None


def _accepted(store: Store) -> RulesInForce | None:
    """The rules accepted last; None where there are none, or this version of VideoLab cannot read them any more."""
    latest = _latest(store)
    if latest is None:
        return None
    try:
        data = store.read_bytes(_kept_as(latest), LONGEST_RULES)
        return RulesInForce(read_rules(data), latest) if hashlib.sha256(data).hexdigest() == latest else None
    except PermanentError:
        return None
