"""Rows of one page into the tables, what changed into the log, what does not add up into its own table; in the caller's transaction."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from videolab_assets.lib.database import Database
from videolab_assets.lib.insights.parts import UNIQUE, Part
from videolab_assets.lib.insights.rows import InsightRow, compact
from videolab_assets.lib.insights.tables import insights, restated, unique

_KEYS_AT_ONCE = 2_000
"""Of three or four values each: SQLite takes 32,766 parameters."""

_Key = tuple[Any, ...]


@dataclass(frozen=True)
class Place:
    """What all rows of a sync have in common.

    Attributes:
        account_id: `act_…`.
        currency: the account's.
        time_zone: the account's.
    """

    account_id: str
    currency: str
    time_zone: str


def keep(database: Database, connection: sa.Connection, place: Place, part: Part, rows: Sequence[InsightRow], now: float) -> int:
    """Adds and updates rows; what the part did not ask for stays as it is.

    Returns:
        The values of known rows that changed and were logged.
    """
    if not database.is_sqlite:  # there the transaction is the only writer anyway
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"videolab insights {place.account_id}"))))
    changes: list[dict[str, Any]] = []
    for begin in range(0, len(rows), _KEYS_AT_ONCE):
        some = rows[begin : begin + _KEYS_AT_ONCE]
        if part.daily:
            changes += _keep_additive(database, connection, place, part, some, now)
        if any(field in UNIQUE for field in part.fields):
            changes += _keep_unique(database, connection, place, part, some, now)
    if changes:
        connection.execute(sa.insert(restated), changes)
    return len(changes)


def _keep_additive(
    database: Database, connection: sa.Connection, place: Place, part: Part, rows: Sequence[InsightRow], now: float
) -> list[dict[str, Any]]:
    columns = part.columns
    keys = [(row.object_id, row.since, row.breakdown) for row in rows]
    stored = _stored(connection, insights, part, keys, ("object_id", "date", "breakdown"))
    changes, values = [], []
    for key, row in zip(keys, rows, strict=True):
        known = stored.get(key)
        raw = row.raw if known is None or part.is_whole else _merged(known["raw"], row.raw, part.fields)
        changes += _changes(part, row, known, row.numbers, now)
        values.append(
            {
                **_key(part, row),
                "date": row.since,
                "campaign_id": row.campaign_id,
                "adset_id": row.adset_id,
                "currency": place.currency,
                "time_zone": place.time_zone,
                **row.numbers,
                "raw": raw,
                "first_seen_at": now,
                "seen_at": now,
                "absent_since": None,
            }
        )
    updated = ("campaign_id", "adset_id", "currency", "time_zone", *columns, "raw", "seen_at", "absent_since")
    _upsert(database, connection, insights, values, updated)
    return changes


def _keep_unique(
    database: Database, connection: sa.Connection, place: Place, part: Part, rows: Sequence[InsightRow], now: float
) -> list[dict[str, Any]]:
    stored = _stored(connection, unique, part, [row.key for row in rows], ("object_id", "since", "until", "breakdown"))
    changes, values = [], []
    for row in rows:
        known = stored.get(row.key)
        numbers = {"reach": row.reach} if "reach" in part.fields and row.reach is not None else {}
        changes += _changes(part, row, known, numbers, now)
        raw = compact(row.unique)
        raw = raw if known is None or part.is_whole else _merged(known["raw"], raw, part.fields)
        reach = numbers.get("reach", known["reach"] if known else None)
        values.append({**_key(part, row), "since": row.since, "until": row.until, "reach": reach, "raw": raw, "seen_at": now})
    _upsert(database, connection, unique, values, ("reach", "raw", "seen_at"))
    return changes


def _key(part: Part, row: InsightRow) -> dict[str, Any]:
    return {
        "account_id": part.account_id,
        "level": part.level,
        "object_id": row.object_id,
        "breakdown": row.breakdown,
        "window": part.window,
    }


def _stored(connection: sa.Connection, table: sa.Table, part: Part, keys: Sequence[_Key], names: tuple[str, ...]) -> dict[_Key, Any]:
    """The rows that are there already, by key, with what they are compared and merged with."""
    wanted = [*part.columns, "raw"] if table is insights else ["reach", "raw"]
    if table is insights and part.is_whole:
        wanted.remove("raw")
    columns = [table.c[name] for name in names]
    of_part = (table.c.account_id == part.account_id, table.c.level == part.level, table.c.window == part.window)
    found = connection.execute(sa.select(*columns, *(table.c[name] for name in wanted)).where(*of_part, sa.tuple_(*columns).in_(keys)))
    return {tuple(row[: len(names)]): row._mapping for row in found}


def _merged(stored: str, received: str, asked: tuple[str, ...]) -> str:
    kept = {name: value for name, value in json.loads(stored).items() if name not in asked}
    return compact({**kept, **json.loads(received)})


def _changes(part: Part, row: InsightRow, known: Any, numbers: dict[str, int], now: float) -> list[dict[str, Any]]:
    if known is None:
        return []
    differing = [(metric, known[metric], new) for metric, new in numbers.items() if known[metric] is not None and known[metric] != new]
    of_row = {**_key(part, row), "date": row.since, "until": row.until, "seen_at": now} if differing else {}
    return [{**of_row, "metric": metric, "old": old, "new": new} for metric, old, new in differing]


def _upsert(database: Database, connection: sa.Connection, table: sa.Table, values: list[dict[str, Any]], updated: Sequence[str]) -> None:
    insert = database.insert(table)
    key = [column.name for column in table.primary_key]
    connection.execute(insert.on_conflict_do_update(index_elements=key, set_={name: insert.excluded[name] for name in updated}), values)
