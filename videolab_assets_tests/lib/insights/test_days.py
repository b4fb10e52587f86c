"""Days of accounts all around the world, on the days when clocks are changed too."""

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.insights.days import DayRange, begins, complete_days, due, is_complete, yesterday

ZONES = sorted(available_timezones() - {"localtime", "Factory"})
HOUR = timedelta(hours=1)

zones = st.sampled_from(ZONES).map(ZoneInfo)
moments = st.datetimes(datetime(2018, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))
dates = st.dates(date(2018, 1, 1), date(2037, 12, 31))


@pytest.mark.parametrize(
    ("zone", "now", "expected"),
    [
        ("Pacific/Honolulu", "2026-12-01T09:59:59Z", "2026-11-29"),  # UTC−10: 23:59:59 on the 30th
        ("Pacific/Honolulu", "2026-12-01T10:00:00Z", "2026-11-30"),
        ("UTC", "2026-12-01T00:00:00Z", "2026-11-30"),
        ("Pacific/Kiritimati", "2026-12-01T09:59:59Z", "2026-11-30"),  # UTC+14: 23:59:59 on the 1st
        ("Pacific/Kiritimati", "2026-12-01T10:00:00Z", "2026-12-01"),
        ("Asia/Kathmandu", "2026-12-01T18:14:59Z", "2026-11-30"),  # UTC+5:45
        ("Asia/Kathmandu", "2026-12-01T18:15:00Z", "2026-12-01"),
    ],
)
def test_yesterday_is_the_accounts(zone: str, now: str, expected: str) -> None:
    """Prevents asking for the machine's yesterday, which in Hawaii is not over and on Kiritimati is long past."""
    assert yesterday(ZoneInfo(zone), datetime.fromisoformat(now)).isoformat() == expected


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Madrid", "2026-03-29", 23),
        ("Europe/Madrid", "2026-10-25", 25),
        ("America/New_York", "2026-03-08", 23),
        ("America/New_York", "2026-11-01", 25),
        ("Australia/Lord_Howe", "2026-04-05", 24.5),
        ("Australia/Lord_Howe", "2026-10-04", 23.5),
        ("Africa/Cairo", "2026-04-24", 23),  # clocks jump from midnight to one: the day has no midnight
        ("America/Havana", "2026-11-01", 25),  # clocks go back from one to midnight: the day has two
        ("Asia/Tokyo", "2026-06-01", 24),
    ],
)
def test_days_on_which_clocks_change(zone: str, day: str, hours: float) -> None:
    """Prevents a day of 25 hours from being fetched an hour before it is over, and one without a midnight from having no beginning."""
    first = date.fromisoformat(day)
    begin, end = begins(first, ZoneInfo(zone)), begins(first + timedelta(days=1), ZoneInfo(zone))
    assert (end - begin) / HOUR == hours
    assert not is_complete(first, ZoneInfo(zone), end - timedelta(seconds=1), settle_hours=0)
    assert is_complete(first, ZoneInfo(zone), end, settle_hours=0)


def test_hours_of_settling_are_hours_that_pass() -> None:
    """Prevents the night on which clocks are set back from shortening the wait: 3:00 on the wall is four hours after midnight there."""
    zone, day = ZoneInfo("Europe/Madrid"), date(2026, 10, 24)
    at_two = datetime(2026, 10, 25, 2, 59, tzinfo=zone, fold=1)  # the second one: 3 h 59 min after midnight
    assert is_complete(day, zone, at_two, settle_hours=3.9)
    assert not is_complete(day, zone, at_two.replace(fold=0), settle_hours=3.9)


@given(zones, moments, st.floats(0, 60))
def test_what_is_due_is_complete_and_the_next_day_is_not(zone: ZoneInfo, now: datetime, settle: float) -> None:
    """Prevents a day from being left out or fetched too early, wherever the account is."""
    day = due(zone, now, settle)
    assert is_complete(day, zone, now, settle)
    assert not is_complete(day + timedelta(days=1), zone, now, settle)
    assert day <= yesterday(zone, now) < now.astimezone(zone).date()


@given(zones, moments, st.integers(-12, 14))
def test_the_zone_of_the_clock_does_not_matter(zone: ZoneInfo, now: datetime, hours: int) -> None:
    """Prevents the answer from depending on where the machine is."""
    elsewhere = now.astimezone(timezone(timedelta(hours=hours)))
    assert due(zone, elsewhere) == due(zone, now)
    assert complete_days(zone, elsewhere) == complete_days(zone, now)


@given(zones, dates)
def test_days_follow_one_another_without_gap_or_overlap(zone: ZoneInfo, day: date) -> None:
    """Prevents hours that belong to no day or to two; the clock's changes are of an hour or two."""
    length = begins(day + timedelta(days=1), zone) - begins(day, zone)
    assert 22 * HOUR <= length <= 26 * HOUR
    assert begins(day, zone).astimezone(zone).date() == day


@given(zones, moments, st.integers(1, 60))
def test_the_days_to_restate(zone: ZoneInfo, now: datetime, count: int) -> None:
    """Prevents 27 days, 29 days, or days that are not over."""
    days = complete_days(zone, now, count)
    assert len(days) == len(list(days)) == count
    assert days.last == due(zone, now)
    assert all(day in days for day in days)
    assert days.first - timedelta(days=1) not in days


@given(dates, st.integers(0, 400), st.integers(1, 40))
def test_pieces_are_the_same_days(first: date, more: int, longest: int) -> None:
    """Prevents a day lost or asked for twice where reports are split."""
    days = DayRange(first, first + timedelta(days=more))
    pieces = days.pieces(longest)
    assert [day for piece in pieces for day in piece] == list(days)
    assert max(len(piece) for piece in pieces) <= longest
    assert max(len(piece) for piece in pieces) - min(len(piece) for piece in pieces) <= 1
    assert [day for half in days.halves() for day in half] == list(days)
    assert len(days.halves()) == (2 if more else 1)


def test_days_in_the_wrong_order() -> None:
    """Prevents a range without days from being fetched in no time and counting as done."""
    with pytest.raises(PermanentError, match="the earlier one first"):
        DayRange(date(2026, 12, 2), date(2026, 12, 1))
