"""What a person orders for one video's clips, by a YAML file in the inbox or from the launchpad."""

import math
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator

from videolab_assets.lib.clips.plan import Fixed
from videolab_assets.lib.clips.rules import LONGEST_CLIP, SHORTEST_CLIP, OrderedLook
from videolab_assets.lib.documents import Label, Look, Model
from videolab_assets.lib.sidecars import LONGEST_ORDERS
from videolab_assets.lib.yaml_text import Line, Seconds, Unsuitable, clock, model_of, read_yaml, yaml_of

MOST_FIXED = 20
MOST_EXCLUDED = 100
END_SLACK = 1.0
"""Seconds by which an end may lie after the video's: players round, and containers disagree about where a picture ends."""

COMMENT = """Orders for the clips of this video. Times are seconds (83.5) or minutes and seconds (1:23.5).
  pin:      stretches that are clips whatever their score, with or without a title
  exclude:  stretches that no found clip may touch
  retime:   new times for the clip that plays at a moment
  looks:    how the variants a and b look, in place of what the rules say
To change them, lay this file into the inbox as <video key>.clips.yaml."""


def _within(seconds: float, info: ValidationInfo) -> float:
    """A moment at which the video still plays."""
    duration = _duration(info)
    if seconds >= duration:
        raise Unsuitable(f"a time before the video's end at {clock(duration)}")
    return seconds


def _duration(info: ValidationInfo) -> float:
    return float((info.context or {}).get("duration", math.inf))


Moment = Annotated[Seconds, AfterValidator(_within)]


class Stretch(Model):
    """From `start` to `end`, in seconds; an end up to a second after the video's is moved back to it."""

    start: Moment
    end: Seconds

    @field_validator("end")
    @classmethod
    def _follow_start(cls, end: float, info: ValidationInfo) -> float:
        duration = _duration(info)
        if end > duration + END_SLACK:
            raise Unsuitable(f"a time up to the video's end at {clock(duration)}")
        end, start = min(end, duration), info.data.get("start")
        if start is not None and end <= start:
            raise Unsuitable(f"a time after start ({clock(start)})")
        return end

    def touches(self, others: Iterable["Stretch"]) -> bool:
        """Whether it overlaps any of them."""
        return any(self.start < other.end and other.start < self.end for other in others)


class Pin(Stretch):
    """A stretch that is to be a clip, whatever its score."""

    title: Line | None = None

    @model_validator(mode="after")
    def _is_a_clip(self) -> Self:
        if not SHORTEST_CLIP <= round(self.end - self.start, 6) <= LONGEST_CLIP:
            expected = f"a time from {SHORTEST_CLIP:g} second to {LONGEST_CLIP / 60:g} minutes after start ({clock(self.start)})"
            raise Unsuitable(expected, "end")
        return self

    def plays_at(self, moment: float) -> bool:
        """Whether this is the clip that a person means who names that moment."""
        return self.start <= moment < self.end

    def retimed(self, change: "Retime") -> Self:
        """With the change's times, and with its title if it has one."""
        return self.model_copy(update={"start": change.start, "end": change.end, "title": change.title or self.title})


class Retime(Pin):
    """New times, and if given a new title, for the clip that plays at a moment."""

    at: Moment

    def plays_at(self, moment: float) -> bool:
        return moment == self.at or super().plays_at(moment)


S = TypeVar("S", bound=Stretch)


class OrderedLooks(Model):
    """Looks for this video alone; what is None is as the rules say."""

    a: OrderedLook | None = None
    b: OrderedLook | None = None


def _listed(given: object) -> object:
    """A heading with nothing below it, as where a person has taken out its last entry, is an empty list."""
    return [] if given is None else given


class Orders(Model):
    """What a person wants of one video's clips. Fixed clips may overlap each other: two cuts of one moment are worth comparing."""

    pin: Annotated[list[Pin], BeforeValidator(_listed)] = Field(default_factory=list, max_length=MOST_FIXED)
    exclude: Annotated[list[Stretch], BeforeValidator(_listed)] = Field(default_factory=list, max_length=MOST_EXCLUDED)
    retime: Annotated[list[Retime], BeforeValidator(_listed)] = Field(default_factory=list, max_length=MOST_FIXED)
    looks: OrderedLooks = OrderedLooks()
    discard_timeline: bool = False

    @model_validator(mode="after")
    def _few_enough(self) -> Self:
        if len(self.pin) + len(self.retime) > MOST_FIXED:
            raise Unsuitable(f"a sum of at most {MOST_FIXED} clips in pin and retime", "retime" if self.retime else "pin")
        return self

    def fixed(self) -> list[Fixed]:
        """The clips that are in whatever the planner finds, each stretch once: the pinned ones first, in the order they stand in."""
        pinned = [Fixed(one.start, one.end, one.title, "pinned") for one in self.pin]
        retimed = [Fixed(one.start, one.end, one.title, "retimed") for one in self.retime]
        return list({(one.start, one.end): one for one in (*pinned, *retimed)}.values())

    def excluded(self) -> list[tuple[float, float]]:
        """Stretches that no found clip may touch. Where a clip has been given other times, that is the moment it was named by."""
        return [(one.start, one.end) for one in self.exclude] + [(one.at, one.at) for one in self.retime]

    def looks_by_label(self) -> dict[Label, Look]:
        """Those looks that this video has of its own."""
        looks: dict[Label, OrderedLook | None] = {"a": self.looks.a, "b": self.looks.b}
        return {label: look.plain() for label, look in looks.items() if look}


def read_orders(data: bytes, duration: float) -> Orders:
    """The orders in a file.

    Args:
        data: the file.
        duration: seconds of the video's picture; infinite where it is not known.

    Raises:
        PermanentError: it breaks the schema, or a time lies outside the video; the sentence names the line and what was expected.
    """
    return read_yaml(data, Orders, longest=LONGEST_ORDERS, what="file of orders", context={"duration": duration})


def orders_of(asked: Mapping[str, object]) -> Orders:
    """The orders in plain values, as from the launchpad; whether they lie inside the video is seen when they are read back.

    Raises:
        PermanentError: they break the schema.
    """
    return model_of(dict(asked), Orders)


def merged(standing: Orders, more: Orders) -> Orders:
    """The orders that stand with later ones on top, which have the last word.

    A stretch newly excluded takes back what was pinned or retimed there; the same stretch pinned again gets the new title; a moment of a
    clip that was pinned or retimed before gives that clip its new times. Looks replace those of the same label.

    Raises:
        PermanentError: together they are too many.
    """
    pins = [one for one in standing.pin if not one.touches(more.exclude)]
    retimes = [one for one in standing.retime if not one.touches(more.exclude)]
    for change in more.retime:
        pinned = next((place for place, one in enumerate(pins) if one.plays_at(change.at)), None)
        retimed = next((place for place, one in enumerate(retimes) if one.plays_at(change.at)), None)
        if pinned is not None:
            pins[pinned] = pins[pinned].retimed(change)
        elif retimed is not None:
            retimes[retimed] = retimes[retimed].retimed(change)
        else:
            retimes.append(change)
    together = Orders.model_construct(
        pin=_each_once([*pins, *more.pin]),
        exclude=_each_once([*standing.exclude, *more.exclude]),
        retime=retimes,
        looks=OrderedLooks(a=more.looks.a or standing.looks.a, b=more.looks.b or standing.looks.b),
        discard_timeline=standing.discard_timeline or more.discard_timeline,
    )
    return orders_of(together.model_dump())


def to_yaml(orders: Orders) -> bytes:
    """A file that `read_orders` reads as the same orders, for a person to edit."""
    return yaml_of(_plain(orders), COMMENT)


def _each_once(stretches: Iterable[S]) -> list[S]:
    """Of several with the same times the last, in the place of the first."""
    return list({(one.start, one.end): one for one in stretches}.values())


def _plain(value: Any) -> Any:
    """What there is to write of a model: nothing that is as it would be anyway, and times as a person writes them."""
    if isinstance(value, Model):
        given = value.model_dump(exclude_defaults=True, exclude_none=True)
        return {name: _plain(getattr(value, name)) for name in type(value).model_fields if name in given}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return clock(value) if isinstance(value, float) else value
