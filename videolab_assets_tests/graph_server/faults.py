"""Faults: what one is, and which of those that were asked for happens to a request."""

import fnmatch
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .request import Answer, Call, Received

Settings = dict[str, Any]
Change = Callable[[Call, Answer, Settings], Answer | None]


class Broken(Exception):
    """The connection does not end in the ordinary way; `how` is one of the ways that `http` knows."""

    def __init__(self, how: str, settings: Settings, answer: Answer) -> None:
        super().__init__(how)
        self.how, self.settings, self.answer = how, settings, answer


@dataclass(frozen=True)
class Fault:
    """A way to fail.

    Args:
        sentence: what happens.
        on: the pattern of requests that it is for when nothing else is said.
        effect: whether the request does what it asks before it fails; None for faults that bend what it does.
        change: what becomes of the answer; None from it says that it does not suit this answer. Without a change the fault bends the call.
        settings: those it takes, with their defaults.
    """

    name: str
    sentence: str
    on: str = "*"
    effect: bool | None = None
    change: Change | None = None
    settings: Settings = field(default_factory=dict)


@dataclass
class Armed:
    """A fault that waits for its requests."""

    fault: Fault
    on: str
    times: int
    skip: int
    settings: Settings
    where: Callable[[Received], bool] | None = None
    happened: int = 0

    def suits(self, received: Received) -> bool:
        return self.times > 0 and fnmatch.fnmatchcase(received.line, self.on) and (self.where is None or self.where(received))

    @property
    def effect(self) -> bool:
        """Whether the request is carried out before its answer is spoilt."""
        return bool(self.settings.get("effect", self.fault.effect))


@dataclass
class Faults:
    """Those that are armed, in the order in which they were asked for."""

    armed: list[Armed] = field(default_factory=list)

    def arm(self, fault: Fault, on: str | None, times: int, skip: int, settings: Settings) -> Armed:
        """Lets a fault wait for its requests.

        Raises:
            ValueError: a setting that it does not have.
        """
        unknown = set(settings) - set(fault.settings) - ({"effect"} if fault.effect is not None else set())
        if unknown:
            raise ValueError(f"{fault.name} has no setting {', '.join(sorted(unknown))}; it has {', '.join(fault.settings) or 'none'}")
        armed = Armed(fault, on or fault.on, times, skip, {**fault.settings, **settings})
        self.armed.append(armed)
        return armed

    def take(self, received: Received) -> tuple[list[Armed], Armed | None]:
        """What happens to this request: all that bend it, and the first that spoils its answer."""
        bending: list[Armed] = []
        spoiling: Armed | None = None
        for one in self.armed:
            if not one.suits(received) or (one.fault.change is not None and spoiling is not None):
                continue
            if one.skip:
                one.skip -= 1
            elif one.fault.change is None:
                bending.append(one)
            else:
                one.times -= 1
                spoiling = one
        return bending, spoiling
