"""Insights in SQLite or PostgreSQL: what a report's pages are kept in, and what is asked of them.

Questions take rows without breakdowns of one attribution window; sums are made of additive columns alone. Rows that Meta no longer
returns stay and count, marked with `absent_since`: an ad that was deleted has spent its money nevertheless.
"""

import datetime
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlalchemy as sa

from videolab_assets.lib.database import Database
from videolab_assets.lib.insights import keeping
from videolab_assets.lib.insights.days import DayRange
from videolab_assets.lib.insights.keeping import Place
from videolab_assets.lib.insights.parts import COLUMNS, UNIFIED, Part
from videolab_assets.lib.insights.reconcile import DayDifference, differences
from videolab_assets.lib.insights.rows import InsightRow
from videolab_assets.lib.insights.tables import insights, metadata, restated, unique

_ADS_AT_ONCE = 500


@dataclass(frozen=True)
class AdTotals:
    """What an ad did in the days asked for; money in minor units.

    Attributes:
        days: on which it did anything.
        plays_3s: plays of at least 3 seconds.
        p25: plays of at least a quarter of the video; the others likewise.
    """

    ad_id: str
    campaign_id: str
    adset_id: str
    currency: str
    first: date
    last: date
    days: int
    impressions: int
    clicks: int
    link_clicks: int
    plays_3s: int
    thruplays: int
    p25: int
    p50: int
    p75: int
    p95: int
    p100: int
    spend_minor: int


@dataclass(frozen=True)
class DayTotals:
    """What an account's ads did on a day; money in minor units.

    Attributes:
        ads: how many did anything.
    """

    date: date
    impressions: int
    clicks: int
    link_clicks: int
    plays_3s: int
    thruplays: int
    spend_minor: int
    ads: int


@dataclass(frozen=True)
class Restatement:
    """A number that Meta has changed.

    Attributes:
        date: its day; the first one of a metric that does not add up.
        until: its last day.
        metric: the column.
        seen_at: epoch seconds of when the new number came.
    """

    level: str
    object_id: str
    date: datetime.date
    until: datetime.date
    breakdown: str
    window: str
    metric: str
    old: int
    new: int
    seen_at: float


@dataclass(frozen=True)
class AbsentRow:
    """A row that Meta no longer returns, with its last spend in minor units; `absent_since` in epoch seconds."""

    level: str
    object_id: str
    date: date
    breakdown: str
    window: str
    spend_minor: int
    absent_since: float


@dataclass(frozen=True)
class UniqueRow:
    """People reached, each counted once, from `since` to `until`. Two of these cannot be added."""

    object_id: str
    since: date
    until: date
    reach: int | None


class InsightsTable:
    """The tables of insights; made if missing.

    Every method raises TransientError when the database cannot be reached or stays locked.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        database.make(metadata)

    def transaction(self) -> AbstractContextManager[sa.Connection]:
        """For `keep`, and for what is to take effect together with it."""
        return self.database.transaction()

    def keep(self, connection: sa.Connection, place: Place, part: Part, rows: Sequence[InsightRow], now: float) -> int:
        """Adds and updates the rows of a page; see `keeping.keep`."""
        return keeping.keep(self.database, connection, place, part, rows, now)

    def mark_absent(self, connection: sa.Connection, part: Part, began_at: float, now: float) -> int:
        """Marks the rows of a part, all of which was fetched since `began_at`, that did not come.

        Returns:
            How many were marked, those that had been before not counted.
        """
        of_part = (insights.c.account_id == part.account_id, insights.c.level == part.level, insights.c.window == part.window)
        of_days = insights.c.date.between(part.days.first, part.days.last)
        # A pattern of all names fits values of more breakdowns too, which have more bars; without names both fit the empty text alone.
        names = "|".join(f"{name}=%" for name in part.breakdowns)
        alike = sa.and_(insights.c.breakdown.like(names), sa.not_(insights.c.breakdown.like(f"{names}|%")))
        gone = (*of_part, of_days, alike, insights.c.seen_at < began_at, insights.c.absent_since.is_(None))
        return connection.execute(sa.update(insights).where(*gone).values(absent_since=now)).rowcount

    def by_ad(self, account_id: str, first: date, last: date, window: str = UNIFIED) -> Iterator[AdTotals]:
        """The ads that did anything from `first` to `last`, by id; read bit by bit."""
        of_ads = _of(account_id, "ad", DayRange(first, last), window)
        # Of an ad that was moved, the place it has now is not known; any is as good.
        ids = [sa.func.max(insights.c[name]).label(name) for name in ("campaign_id", "adset_id", "currency")]
        days = [sa.func.min(insights.c.date).label("first"), sa.func.max(insights.c.date).label("last"), sa.func.count().label("days")]
        query = sa.select(insights.c.object_id.label("ad_id"), *ids, *days, *_sums(COLUMNS)).where(*of_ads)
        query = query.group_by(insights.c.object_id).order_by(insights.c.object_id).limit(_ADS_AT_ONCE)
        after = ""
        while True:
            with self.database.connect() as connection:
                rows = connection.execute(query.where(insights.c.object_id > after)).all()
            for row in rows:
                yield AdTotals(**_whole(row))
            if len(rows) < _ADS_AT_ONCE:
                return
            after = rows[-1].ad_id

    def by_day(self, account_id: str, first: date, last: date, window: str = UNIFIED) -> list[DayTotals]:
        """The days on which ads did anything, as the sums of the ads."""
        columns = ("impressions", "clicks", "link_clicks", "plays_3s", "thruplays", "spend_minor")
        query = sa.select(insights.c.date, *_sums(columns), sa.func.count().label("ads"))
        query = query.where(*_of(account_id, "ad", DayRange(first, last), window)).group_by(insights.c.date).order_by(insights.c.date)
        with self.database.connect() as connection:
            return [DayTotals(**_whole(row)) for row in connection.execute(query)]

    def restatements(self, account_id: str, first: date, last: date) -> list[Restatement]:
        """The numbers of those days that Meta has changed, in the order in which it did."""
        columns = [restated.c[name] for name in Restatement.__dataclass_fields__]
        mine = (restated.c.account_id == account_id, restated.c.date.between(first, last))
        with self.database.connect() as connection:
            rows = connection.execute(sa.select(*columns).where(*mine).order_by(restated.c.number))
            return [Restatement(**row._mapping) for row in rows]

    def absent(self, account_id: str, first: date, last: date) -> list[AbsentRow]:
        """The rows of those days that Meta no longer returns."""
        columns = [insights.c[name] for name in AbsentRow.__dataclass_fields__ if name != "spend_minor"]
        mine = (insights.c.account_id == account_id, insights.c.date.between(first, last), insights.c.absent_since.is_not(None))
        query = sa.select(*columns, sa.func.coalesce(insights.c.spend_minor, 0).label("spend_minor")).where(*mine)
        with self.database.connect() as connection:
            return [AbsentRow(**row._mapping) for row in connection.execute(query.order_by(insights.c.date, insights.c.object_id))]

    def reached(self, account_id: str, level: str, since: date, until: date, window: str = UNIFIED) -> list[UniqueRow]:
        """People reached from exactly `since` to `until`, by object: for a campaign, or for an ad on a day."""
        columns = [unique.c[name] for name in UniqueRow.__dataclass_fields__]
        mine = (unique.c.account_id == account_id, unique.c.level == level, unique.c.window == window, unique.c.breakdown == "")
        days = (unique.c.since == since, unique.c.until == until)
        with self.database.connect() as connection:
            rows = connection.execute(sa.select(*columns).where(*mine, *days).order_by(unique.c.object_id))
            return [UniqueRow(**row._mapping) for row in rows]

    def reconciliation(self, account_id: str, first: date, last: date, window: str = UNIFIED) -> list[DayDifference]:
        """The days on which the ads' spend is not the account's own total, to the minor unit; see `reconcile.differences`."""
        days = DayRange(first, last)
        with self.database.connect() as connection:
            return differences(connection, _of(account_id, "ad", days, window), _of(account_id, "account", days, window))

    def spend_by_day(self, account_id: str, days: DayRange, window: str = UNIFIED) -> dict[date, int]:
        """Minor units that the ads spent on each day on which they spent anything."""
        return {day.date: day.spend_minor for day in self.by_day(account_id, days.first, days.last, window) if day.spend_minor}


def _of(account_id: str, level: str, days: DayRange, window: str) -> tuple[sa.ColumnElement[bool], ...]:
    """Rows that may be added up: breakdowns say the same again in parts, and other windows once more."""
    of_account = (insights.c.account_id == account_id, insights.c.level == level, insights.c.window == window)
    return (*of_account, insights.c.date.between(days.first, days.last), insights.c.breakdown == "")


def _sums(columns: Sequence[str] | dict[str, str]) -> list[sa.Label[Any]]:
    return [sa.func.coalesce(sa.func.sum(insights.c[column]), 0).label(column) for column in columns]


def _whole(row: sa.Row[Any]) -> dict[str, Any]:
    """Its values by name; PostgreSQL sums BIGINT as NUMERIC."""
    return {name: value if isinstance(value, str | date) else int(value) for name, value in row._mapping.items()}
