"""Days of an ad account: they begin and end in its time zone, and not all of them have 24 hours.

Meta dates insights in the account's time zone. At any moment there are accounts on two, and for an hour on three, different days.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from videolab_assets.lib.errors import PermanentError

RESTATED_DAYS = 28
"""Days for which Meta may still change its numbers: the longest attribution window."""

SETTLE_HOURS = 3.0
"""Hours after midnight until a day's first numbers are worth fetching; later changes come with the restatement."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, order=True)
class DayRange:
    """Days from the first to the last, both included.

    Raises:
        PermanentError: the last is before the first.
    """

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise PermanentError(f"{self.first} to {self.last} are no days: give the earlier one first.")

    def __len__(self) -> int:
        return (self.last - self.first).days + 1

    def __iter__(self) -> Iterator[date]:
        return (self.first + number * _DAY for number in range(len(self)))

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.first <= day <= self.last

    def pieces(self, longest: int) -> list["DayRange"]:
        """The same days in ranges of at most `longest` days, nearly equal in length."""
        count = -(-len(self) // longest)
        edges = [self.first + timedelta(days=len(self) * number // count) for number in range(count + 1)]
        return [DayRange(begin, end - _DAY) for begin, end in itertools.pairwise(edges)]

    def halves(self) -> list["DayRange"]:
        """The same days in two ranges; one where there is but one day."""
        return self.pieces(-(-len(self) // 2))


def begins(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a day, in UTC. Where clocks skip midnight it is the moment they do; where they strike it twice, the first."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def yesterday(zone: ZoneInfo, now: datetime) -> date:
    """The last day that is over in the zone.

    Args:
        now: with its own time zone, whichever.
    """
    return now.astimezone(zone).date() - _DAY


def is_complete(day: date, zone: ZoneInfo, now: datetime, settle_hours: float = SETTLE_HOURS) -> bool:
    """Whether the day ended at least so many hours ago; hours that passed, not hours of the clock on the wall."""
    return now.astimezone(UTC) >= begins(day + _DAY, zone) + timedelta(hours=settle_hours)


def due(zone: ZoneInfo, now: datetime, settle_hours: float = SETTLE_HOURS) -> date:
    """The newest day that is complete, so that its numbers can be fetched now."""
    day = yesterday(zone, now)
    while not is_complete(day, zone, now, settle_hours):
        day -= _DAY
    return day


def complete_days(zone: ZoneInfo, now: datetime, count: int = RESTATED_DAYS, settle_hours: float = SETTLE_HOURS) -> DayRange:
    """The newest `count` complete days: those whose numbers Meta may have changed."""
    last = due(zone, now, settle_hours)
    return DayRange(last - timedelta(days=count - 1), last)
