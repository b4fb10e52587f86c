"""Slowing down before Meta's limits instead of after them, by what the headers of its answers say.

Four headers, each with its own shape and its own unit of time: `X-Business-Use-Case-Usage` tells in minutes when access comes back,
`X-Ad-Account-Usage` in seconds, `X-App-Usage` and `X-FB-Ads-Insights-Throttle` not at all (developers.facebook.com, Marketing API, Rate
Limiting).
"""

import json
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from videolab_assets.lib.meta.errors import Throttled

EASY = 75.0
FULL = 95.0
"""Percent: below the first nothing is waited for, from the second on as long as the header says."""

SLOWEST = 60.0
"""Seconds a request at `FULL` percent where no header tells a time. Usage is counted over an hour, so that a request may cost 1.7 % and
still be given back before the next one."""

LONGEST_WAIT = 600.0
LONGEST_REGAIN = 86_400.0
APP = ""

_ACCOUNT = re.compile(r"act_(\d{1,30})(?:/|$)", re.ASCII)


@dataclass(frozen=True)
class Load:
    """How much of a limit is used.

    Attributes:
        percent: the highest of those that a header tells; may be over 100.
        regain: seconds until access comes back; 0 while it is there.
    """

    percent: float
    regain: float = 0.0

    def with_(self, other: "Load") -> "Load":
        return Load(max(self.percent, other.percent), max(self.regain, other.regain))


def usage_of(headers: Mapping[str, str], path: str) -> dict[str, Load]:
    """The limits that an answer tells of: an account's digits → its load, `APP` for the app's. Never raises, whatever the headers hold.

    Args:
        headers: names in lower case.
        path: that was asked for; where it names no account, what is told of "the" account counts for the app.
    """
    account = account_in(path)
    found: dict[str, Load] = {}
    for name, load in [
        *_by_business(_json(headers.get("x-business-use-case-usage"))),
        *_of_account(_json(headers.get("x-ad-account-usage")), account),
        *_of_app(_json(headers.get("x-app-usage"))),
        *_of_insights(_json(headers.get("x-fb-ads-insights-throttle")), account),
    ]:
        found[name] = found[name].with_(load) if name in found else load
    return found


def longest_regain(usage: Mapping[str, Load]) -> float:
    """Seconds until all that an answer tells of is free again; 0 where it does not say."""
    return max((load.regain for load in usage.values()), default=0.0)


def account_in(path: str) -> str:
    """The digits of the account that a path begins with; empty where it names none."""
    match = _ACCOUNT.match(path)
    return match[1] if match else APP


class Pace:
    """Waits before requests, the longer the nearer the limit; each account by its own.

    Args:
        sleep: waits a number of seconds.
        clock: seconds, never set back.
        longest_wait: seconds; where more is needed, `before` raises instead of sleeping.
    """

    def __init__(
        self,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        longest_wait: float = LONGEST_WAIT,
    ) -> None:
        self.waited = 0.0
        self._sleep = sleep
        self._clock = clock
        self._longest_wait = longest_wait
        self._seen: dict[str, tuple[Load, float]] = {}

    def note(self, usage: Mapping[str, Load]) -> None:
        """Remembers what an answer told."""
        now = self._clock()
        self._seen.update({name: (load, now) for name, load in usage.items()})

    def before(self, path: str) -> None:
        """Waits as long as is good before a request for this path. A path without an account's name waits for the fullest one.

        Raises:
            Throttled: that would be longer than `longest_wait`; nothing was sent.
        """
        account = account_in(path)
        names = [name for name in self._seen if account == APP or name in (APP, account)]
        now = self._clock()
        wait = max((_pause(load) - (now - seen) for load, seen in map(self._seen.__getitem__, names)), default=0.0)
        if wait <= 0:
            return
        if wait > self._longest_wait:
            sentence = f"Meta's limit for this account is used up for another {wait / 60:.0f} minutes: nothing was sent, try again later."
            raise Throttled(sentence, wait=wait)
        self.waited += wait
        self._sleep(wait)


def _pause(load: Load) -> float:
    """Seconds to let pass after an answer that told of this load."""
    if load.regain:
        return load.regain
    return SLOWEST * (max(load.percent - EASY, 0.0) / (FULL - EASY)) ** 2


def _json(header: str | None) -> Any:
    try:
        return json.loads(header) if header else None
    except (ValueError, RecursionError):
        return None


def _number(value: object, most: float) -> float:
    """A number from 0 to `most`; 0 for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0.0
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return 0.0
    return min(max(number, 0.0), most) if math.isfinite(number) else 0.0


def _percent(told: Mapping[str, Any], *names: str) -> float:
    return max(_number(told.get(name), 1000.0) for name in names)


def _by_business(told: object) -> Iterator[tuple[str, Load]]:
    for name, entries in told.items() if isinstance(told, dict) else ():
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict):
                minutes = _number(entry.get("estimated_time_to_regain_access"), LONGEST_REGAIN / 60)
                yield name.removeprefix("act_")[:40], Load(_percent(entry, "call_count", "total_cputime", "total_time"), minutes * 60)


def _of_account(told: object, account: str) -> Iterator[tuple[str, Load]]:
    if isinstance(told, dict):
        percent = _percent(told, "acc_id_util_pct")
        # The reset time is also told while there is room, and only then means nothing to wait for.
        yield account, Load(percent, _number(told.get("reset_time_duration"), LONGEST_REGAIN) if percent >= FULL else 0.0)


def _of_app(told: object) -> Iterator[tuple[str, Load]]:
    if isinstance(told, dict):
        yield APP, Load(_percent(told, "call_count", "total_cputime", "total_time"))


def _of_insights(told: object, account: str) -> Iterator[tuple[str, Load]]:
    if isinstance(told, dict):
        yield APP, Load(_percent(told, "app_id_util_pct"))
        yield account, Load(_percent(told, "acc_id_util_pct"))
