"""What the Graph server knows to be delivered, and what our tables say: the same rows, or something was lost."""

import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa

from videolab_assets.lib.database import Database
from videolab_assets.lib.insights import DayRange
from videolab_assets.lib.insights.parts import COLUMNS
from videolab_assets.lib.insights.tables import insights, unique
from videolab_assets.lib.meta.accounts import AdAccount
from videolab_assets_tests.graph_server import Account, ManualClock

DAYS = DayRange(date(2026, 11, 1), date(2026, 11, 9))
NOW = datetime(2026, 12, 2, 12, tzinfo=UTC)

Rows = dict[tuple[Any, ...], dict[str, int]]


def account_of(account: Account, **more: Any) -> AdAccount:
    """The tenant's view of an account of the server."""
    return AdAccount(tenant="acme", account=account.id, currency=account.currency, time_zone=account.timezone, page="1", **more)


def delivered(account: Account, days: DayRange = DAYS) -> Rows:
    """By ad and day, all columns."""
    return {
        (ad_id, day): {column: row[column] for column in COLUMNS}
        for day in days
        for ad_id, row in account.insights.days.get(day, {}).items()
        if row["impressions"]
    }


def delivered_in_all(account: Account, days: DayRange = DAYS) -> Rows:
    """By day, what the account's own totals hold."""
    found: Rows = {}
    for (_, day), row in delivered(account, days).items():
        total = found.setdefault((day,), {"impressions": 0, "spend_minor": 0})
        total["impressions"] += row["impressions"]
        total["spend_minor"] += row["spend_minor"]
    return found


def kept(database: Database, account_id: str, window: str = "unified") -> Rows:
    """By ad and day, all columns, as our table has them."""
    return _kept(database, (insights.c.object_id, insights.c.date), COLUMNS, account_id, "ad", window)


def kept_in_all(database: Database, account_id: str) -> Rows:
    """By day, the account's own totals in our table."""
    return _kept(database, (insights.c.date,), ("impressions", "spend_minor"), account_id, "account", "unified")


def _kept(database: Database, key: Any, columns: Any, account_id: str, level: str, window: str) -> Rows:
    of_level = (insights.c.account_id == account_id, insights.c.level == level, insights.c.breakdown == "", insights.c.window == window)
    query = sa.select(*key, *(insights.c[column] for column in columns)).where(*of_level)
    with database.connect() as connection:
        return {tuple(row[: len(key)]): dict(zip(columns, row[len(key) :], strict=True)) for row in connection.execute(query)}


def reach_kept(database: Database, account_id: str, level: str) -> dict[tuple[Any, ...], int | None]:
    """People reached by object, first and last day."""
    query = sa.select(unique.c.object_id, unique.c.since, unique.c.until, unique.c.reach)
    with database.connect() as connection:
        rows = connection.execute(query.where(unique.c.account_id == account_id, unique.c.level == level))
        return {tuple(row[:3]): row[3] for row in rows}


def fixed_clock() -> ManualClock:
    """The server's, and the client's: sleeping moves it."""
    return ManualClock(NOW)


def hurried(times: float) -> tuple[Callable[[], float], Callable[[float], None]]:
    """A clock that runs so many times as fast as the real one, from `NOW` on, and its sleep; for processes that share no clock."""
    began = time.time()
    return (lambda: NOW.timestamp() + (time.time() - began) * times), (lambda seconds: time.sleep(seconds / times))
