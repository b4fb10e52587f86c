"""What a person can order from the launchpad, in the words of the YAML that does the same from the inbox."""

from typing import Literal

import dagster as dg
from pydantic import Field

from videolab_assets.lib.clips.orders import Orders, orders_of


class Pin(dg.Config):
    """A stretch that is to be a clip, whatever its score."""

    start: str = Field(description="seconds, or minutes:seconds")
    end: str
    title: str | None = None


class Stretch(dg.Config):
    """A stretch that no found clip may touch."""

    start: str = Field(description="seconds, or minutes:seconds")
    end: str


class Retime(dg.Config):
    """New times for the clip that plays at a moment."""

    at: str = Field(description="seconds, or minutes:seconds: any moment of the clip")
    start: str
    end: str
    title: str | None = None


class LookOrder(dg.Config):
    """How the variants look; see `Look`."""

    captions: str = "clear"
    hook: Literal["none", "headline"] = "none"
    headline: str | None = None
    cover: Literal["best", "first", "headline"] = "best"


class ClipOrders(dg.Config):
    """Orders for one video's clips. They join those that stand for it and stay when the plan is made again."""

    pin: list[Pin] = Field(default_factory=list)
    exclude: list[Stretch] = Field(default_factory=list)
    retime: list[Retime] = Field(default_factory=list)
    look_a: LookOrder | None = None
    look_b: LookOrder | None = None
    discard_timeline: bool = Field(False, description="forget the edited timeline, and plan again")

    def orders(self) -> Orders | None:
        """The same as the library has it; None where nothing is ordered.

        Raises:
            PermanentError: they cannot be followed.
        """
        looks = {label: look.model_dump() for label, look in (("a", self.look_a), ("b", self.look_b)) if look}
        asked = self.model_dump(exclude={"look_a", "look_b"}, exclude_defaults=True, exclude_none=True)
        if looks:
            asked["looks"] = looks
        return orders_of(asked) if asked else None
