"""When a campaign runs: whole days or exact times, as the clocks of the advertising account tell them."""

import math
import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from videolab_assets.lib.campaigns.terms import context_of
from videolab_assets.lib.documents import Model
from videolab_assets.lib.yaml_text import Unsuitable

LONGEST_DAYS = 366
EXPECTED = "a day such as 2026-12-01, or with a time as in 2026-12-01 18:00,"

_WRITTEN = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2})(?::00)?)?", re.ASCII)


def _moment(given: object, info: ValidationInfo, *, ends: bool) -> datetime:
    """A day's first moment in the account's time zone, or where it ends, the first one after it; a time as it is written."""
    zone, match = context_of(info).account.zone, _WRITTEN.fullmatch(given.strip()) if isinstance(given, str) else None
    try:
        day = date.fromisoformat(match[1]) if match else None
        clock = time.fromisoformat(match[2]) if match and match[2] else None
    except ValueError:
        day = None
    if day is None or not 2000 <= day.year < 2200:
        raise Unsuitable(EXPECTED)
    if clock is None:
        return _real(datetime.combine(day + timedelta(days=1) if ends else day, time(), zone), zone)
    return _real(datetime.combine(day, clock, zone), zone)


def _real(moment: datetime, zone: ZoneInfo) -> datetime:
    """The same moment; one that the clocks jump over in spring is moved on as they are."""
    return moment.astimezone(UTC).astimezone(zone)


def _start(given: object, info: ValidationInfo) -> datetime:
    account, moment = context_of(info).account, _moment(given, info, ends=False)
    now = context_of(info).now.astimezone(account.zone)
    if moment.date() < now.date():
        raise Unsuitable(f"a day from {now.date()} on, which is today in {account.time_zone},")
    if isinstance(given, str) and ":" in given and moment <= now:
        raise Unsuitable(f"a time after {now:%Y-%m-%d %H:%M}, which is now in {account.time_zone},")
    return moment


def _end(given: object, info: ValidationInfo) -> datetime:
    return _moment(given, info, ends=True)


Moment = Annotated[datetime, Field(json_schema_extra={"expected": EXPECTED})]


class Dates(Model):
    """From `start` until `end`, aware moments; the end is the first moment at which it does not run any more."""

    start: Annotated[Moment, BeforeValidator(_start)]
    end: Annotated[Moment, BeforeValidator(_end)]

    @field_validator("end")
    @classmethod
    def _follows_the_start(cls, end: datetime, info: ValidationInfo) -> datetime:
        account, now, start = context_of(info).account, context_of(info).now, info.data.get("start")
        if end <= now:
            raise Unsuitable(f"a day from {now.astimezone(account.zone).date()} on, which is today in {account.time_zone},")
        if start is not None and end <= start:
            raise Unsuitable("a day or time that is not before start")
        if start is not None and end - start > timedelta(days=LONGEST_DAYS, hours=1):
            raise Unsuitable(f"a day at most {LONGEST_DAYS} days after start")
        return end

    @property
    def days(self) -> int:
        """Days on the calendar that it runs, a part of one as a whole."""
        by_the_clocks = self.end.replace(tzinfo=None) - self.start.replace(tzinfo=None)
        return max(1, math.ceil(by_the_clocks / timedelta(days=1)))
