"""What the server remembers: accounts, and everything that was made in them."""

import itertools
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from .errors import words
from .insights import Insights
from .limits import Leak, Limits

ZERO_DECIMAL = words("CLP COP CRC HUF ISK IDR JPY KRW PYG TWD VND")
"""Currencies that Meta counts in whole units; all others in hundredths."""

KINDS = ("campaign", "adset", "video", "image", "creative", "ad", "ad_study")


class ManualClock:
    """A clock that a test moves: give it as `server.now`, and its `sleep` to the client."""

    def __init__(self, at: datetime) -> None:
        self._at = at.astimezone(UTC)

    def __call__(self) -> datetime:
        return self._at

    def sleep(self, seconds: float) -> None:
        """Moves on by so many seconds, at once."""
        self._at += timedelta(seconds=max(0.0, seconds))


@dataclass
class Account:
    """An ad account.

    Args:
        id: with its prefix, as in "act_1001".
        page, instagram: ids that creatives may speak for; empty allows any.
        advertiser: who is named as beneficiary and payer in the EU when an ad set names nobody; empty means that ad sets must.
        status: 1 is active; 2 disabled, 3 unsettled, and so on.
    """

    id: str
    currency: str
    timezone: str
    business: str
    page: str
    instagram: str
    advertiser: str
    name: str
    status: int
    insights: Insights = field(repr=False)
    spend_cap: int = 0

    @property
    def number(self) -> str:
        """The id without its prefix."""
        return self.id.removeprefix("act_")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def offset(self) -> int:
        """Minor units in one unit of the currency, as Meta counts."""
        return 1 if self.currency in ZERO_DECIMAL else 100

    @property
    def min_daily_budget(self) -> int:
        """The least that an ad set may spend a day, in minor units."""
        return 100


@dataclass(eq=False)
class Thing:
    """Something made: `fields` are what was given, and what the server added.

    `order` counts up over all of them; `listable_at` is a POSIX time before which lists leave it out.
    """

    id: str
    kind: str
    account: Account
    fields: dict[str, Any]
    order: int
    created: float
    listable_at: float
    issues: list[dict[str, Any]] = field(default_factory=list)
    in_process_until: float = 0.0

    @property
    def status(self) -> str:
        return str(self.fields.get("status", "ACTIVE"))

    @property
    def live(self) -> bool:
        return self.status not in ("DELETED", "ARCHIVED")


@dataclass
class World:
    """All state, changed only while `lock` is held."""

    token: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    settle: float = 0.0
    limits: Limits = field(default_factory=Limits)
    pace: Leak | None = None
    accounts: dict[str, Account] = field(default_factory=dict)
    things: dict[str, Thing] = field(default_factory=dict)
    made: dict[tuple[str, str], list[Thing]] = field(default_factory=dict)
    uploads: dict[str, Any] = field(default_factory=dict)
    jobs: dict[str, Any] = field(default_factory=dict)
    budgets_ever: dict[str, dict[str, int]] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def clock(self) -> float:
        """POSIX time by the server's clock."""
        return self.now().timestamp()

    def number(self) -> int:
        return next(self._numbers)

    def add(
        self, kind: str, account: Account, fields: dict[str, Any], owners: Iterable[str], *, settle: float, thing_id: str = ""
    ) -> Thing:
        """Remembers a new thing, and under which owners (account, campaign, ad set, business) lists show it."""
        order, moment = self.number(), self.clock()
        thing = Thing(thing_id or str(120_200_000_000_000_000 + order), kind, account, fields, order, moment, moment + settle)
        self.things[thing.id] = thing
        for owner in owners:
            self.made.setdefault((owner, kind), []).append(thing)
        return thing

    def of(self, owner: str, kind: str) -> list[Thing]:
        """What was made of a kind under an owner, oldest first."""
        return self.made.get((owner, kind), [])

    def stamp(self, account: Account, moment: float | None = None) -> str:
        """A time in the account's zone, as Meta writes it."""
        at = self.now() if moment is None else datetime.fromtimestamp(moment, UTC)
        return at.astimezone(account.zone).strftime("%Y-%m-%dT%H:%M:%S%z")


def budget_of(fields: dict[str, Any]) -> int:
    """Minor units that an object's own budget allows in all: the lifetime budget, or the daily one times the days that it runs."""
    lifetime, daily = int(fields.get("lifetime_budget") or 0), int(fields.get("daily_budget") or 0)
    if lifetime or not daily:
        return lifetime
    start, end = fields.get("start_at"), fields.get("end_at")
    return daily * max(1, -(-int(end - start) // 86_400)) if start and end else daily


def spenders(world: World, campaign: Thing) -> dict[str, int]:
    """The budgets, in minor units by the id of what carries them, that this campaign could spend as it stands."""
    if campaign.account.status != 1 or campaign.status != "ACTIVE":
        return {}
    running = [
        adset
        for adset in world.of(campaign.id, "adset")
        if adset.status == "ACTIVE" and any(ad.status == "ACTIVE" for ad in world.of(adset.id, "ad"))
    ]
    if running and budget_of(campaign.fields):
        return {campaign.id: budget_of(campaign.fields)}
    return {adset.id: budget_of(adset.fields) for adset in running}


def note_spending(world: World, campaign: Thing) -> None:
    """Keeps the largest budget of everything that could ever deliver."""
    ever = world.budgets_ever.setdefault(campaign.account.id, {})
    for spender, budget in spenders(world, campaign).items():
        ever[spender] = max(ever.get(spender, 0), budget)
