"""Insights as they are asked for: level, days, breakdowns, fields and windows."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from .errors import Refusal, must_be_one_of, no_such_field, unknown_parameter, words
from .fields import ANYWHERE
from .insights import AdIds, Row, split, summed
from .objects import effective_status
from .paging import filters, fits
from .request import Call
from .state import Account, World

LEVELS = ("account", "campaign", "adset", "ad")
PARAMETERS = words(
    "level time_range time_ranges time_increment date_preset breakdowns action_breakdowns action_attribution_windows "
    "filtering sort use_unified_attribution_setting use_account_attribution_setting action_report_time "
    "default_summary product_id_limit export_format export_name export_columns async"
)
WINDOWS = frozenset(["1d_click", "7d_click", "28d_click", "1d_view", "1d_ev"])
"""Attribution windows that live; 7d_view and 28d_view ended on 12 January 2026."""

ACTION_BREAKDOWNS = frozenset(
    ["action_type", "action_device", "action_destination", "action_reaction", "action_video_sound", "action_video_type"]
)
RETENTION_MONTHS = 37

BREAKDOWNS: dict[str, dict[str, int]] = {
    "age": {"18-24": 30, "25-34": 28, "35-44": 18, "45-54": 12, "55-64": 8, "65+": 4},
    "gender": {"female": 52, "male": 45, "unknown": 3},
    "publisher_platform": {"facebook": 40, "instagram": 55, "audience_network": 5},
}
"""Breakdowns, and how much of a row falls into each cell."""

FILTERS = frozenset(
    [f"{level}.{name}" for level in ("campaign", "adset", "ad") for name in ("id", "name", "effective_status", "objective")]
    + ["impressions", "spend", "clicks", "reach"]
)


@dataclass(frozen=True)
class Bucket:
    """A row to be: whose, from when until when, out of which rows, and of which cell."""

    ids: AdIds
    since: date
    until: date
    rows: tuple[Row, ...]
    cell: tuple[tuple[str, str], ...] = ()
    cell_row: Row | None = None

    def row(self) -> Row:
        return self.cell_row if self.cell_row is not None else summed(self.rows)


@dataclass(frozen=True)
class Query:
    """A report, checked."""

    account: Account
    level: str
    since: date
    until: date
    increment: int
    breakdowns: tuple[str, ...]
    fields: tuple[str, ...]
    windows: tuple[str, ...]
    conditions: tuple[tuple[str, str, Any], ...]
    scope: tuple[str, str]
    unified: bool

    @property
    def key(self) -> str:
        """The same for the same report, however it is paged."""
        return repr((self.account.id, self.level, self.since, self.until, self.increment, self.breakdowns, self.conditions, self.scope))


def local_today(world: World, account: Account) -> date:
    """The day that has begun in the account's time zone."""
    return world.now().astimezone(account.zone).date()


def query(world: World, account: Account, scope: tuple[str, str], call: Call, known_fields: frozenset[str]) -> Query:
    """Checks what is asked for.

    Args:
        scope: kind and id of the object whose insights they are.
        known_fields: fields that exist.

    Raises:
        Refusal: as Meta refuses it.
    """
    params = call.params
    for name in params:
        if name not in PARAMETERS and name not in ANYWHERE:
            raise unknown_parameter(name, "AdsInsights")
    level = params.get("level", scope[0])
    if level not in LEVELS or LEVELS.index(level) < LEVELS.index(scope[0]):
        raise must_be_one_of("level", level, LEVELS[LEVELS.index(scope[0]) :])
    since, until = _days(world, account, call)
    breakdowns = tuple(_list("breakdowns", params.get("breakdowns", []), frozenset(BREAKDOWNS)))
    if len(breakdowns) > 1 and "publisher_platform" in breakdowns and "age" in breakdowns:
        raise Refusal(100, f"(#100) Current combination of data breakdown columns ({', '.join(breakdowns)}) is invalid")
    windows = tuple(_list("action_attribution_windows", params.get("action_attribution_windows", []), WINDOWS | {"default", "dda", "skan"}))
    _list("action_breakdowns", params.get("action_breakdowns", []), ACTION_BREAKDOWNS)
    fields = _fields(params.get("fields", "impressions,spend"), known_fields)
    conditions = tuple(filters(call, FILTERS))
    unified = params.get("use_unified_attribution_setting") in (True, "true", "1")
    increment = _increment(params.get("time_increment", "all_days"), since, until)
    return Query(account, level, since, until, increment, breakdowns, fields, windows, conditions, scope, unified)


def _fields(asked: Any, known: frozenset[str]) -> tuple[str, ...]:
    names = asked if isinstance(asked, list) else str(asked).split(",")
    for name in names:
        if name not in known:
            raise no_such_field(name, "AdsInsights")
    return tuple(dict.fromkeys(names))


def _list(name: str, value: Any, allowed: frozenset[str]) -> list[str]:
    values = value.split(",") if isinstance(value, str) else value
    if not isinstance(values, list):
        raise Refusal(100, f"(#100) param {name} must be an array.")
    for number, one in enumerate(values):
        if one not in allowed:
            raise must_be_one_of(f"{name}[{number}]", one, allowed)
    return values


def _increment(asked: Any, since: date, until: date) -> int:
    """Days in a row; 0 for all of them."""
    if asked == "all_days":
        return 0
    if not str(asked).isdecimal() or not 1 <= int(asked) <= 90:
        raise Refusal(100, f"(#100) Param time_increment must be an integer from 1 to 90, monthly or all_days - got {asked!r}.")
    return int(asked)


def _days(world: World, account: Account, call: Call) -> tuple[date, date]:
    today = local_today(world, account)
    asked = call.params.get("time_range")
    if asked is None:
        return _preset(str(call.params.get("date_preset", "last_30d")), today)
    try:
        since, until = date.fromisoformat(asked["since"]), date.fromisoformat(asked["until"])
    except (KeyError, TypeError, ValueError) as error:
        raise Refusal(100, "(#100) param time_range must be an object with since and until as YYYY-MM-DD.") from error
    if since > until:
        raise Refusal(100, "(#100) Param time_range: since must be before until.")
    if call.tricks.get("today_refused") is not None and until >= today:
        call.trick("today_refused")
        raise Refusal(100, "(#100) Param time_range: until cannot be after today.")
    months = (today.year - since.year) * 12 + today.month - since.month
    if months > RETENTION_MONTHS or (months == RETENTION_MONTHS and since.day < today.day):
        raise Refusal(3018, "(#3018) The start date of the time range cannot be beyond 37 months from the current date")
    return since, until


def _preset(name: str, today: date) -> tuple[date, date]:
    yesterday = today - timedelta(days=1)
    named = {"today": (today, today), "yesterday": (yesterday, yesterday), "maximum": (today - timedelta(days=1122), today)}
    named["this_month"] = (today.replace(day=1), today)
    named |= {f"last_{days}d": (today - timedelta(days=days), yesterday) for days in (3, 7, 14, 28, 30, 90)}
    if name not in named:
        raise must_be_one_of("date_preset", name, named)
    return named[name]


def buckets(world: World, asked: Query) -> list[Bucket]:
    """The rows of a report, not yet rendered: by object, then day, then cell. What delivered nothing has none."""
    account, last = asked.account, min(asked.until, local_today(world, asked.account))
    keep = _kept(world, asked)
    grouped: dict[tuple[str, date], list[Row]] = {}
    ids_of: dict[str, AdIds] = {}
    day = asked.since
    while day <= last:
        start = day if not asked.increment else asked.since + (day - asked.since) // timedelta(asked.increment) * timedelta(asked.increment)
        start = start if asked.increment else asked.since
        for ad_id, row in account.insights.days.get(day, {}).items():
            ids = account.insights.ads[ad_id]
            if keep(ids) and row["impressions"]:
                group = id_of(account, ids, asked.level)
                ids_of.setdefault(group, ids)
                grouped.setdefault((group, start), []).append(row)
        day += timedelta(days=1)
    found = []
    for group, start in sorted(grouped, key=lambda one: (one[0], one[1])):
        end = min(asked.until, start + timedelta(days=asked.increment - 1)) if asked.increment else asked.until
        whole = Bucket(ids_of[group], start, end, tuple(grouped[group, start]))
        found += _cells(whole, asked.breakdowns) if asked.breakdowns else [whole]
    numbers = [(name, operator, value) for name, operator, value in asked.conditions if "." not in name]
    return [one for one in found if all(fits(_number(one, name), operator, value) for name, operator, value in numbers)]


def _number(bucket: Bucket, name: str) -> int:
    return bucket.row()["spend_minor" if name == "spend" else name]


def id_of(account: Account, ids: AdIds, level: str) -> str:
    """The id of an ad, or of what it hangs in."""
    return {"account": account.number, "campaign": ids.campaign_id, "adset": ids.adset_id, "ad": ids.ad_id}[level]


def _kept(world: World, asked: Query) -> Callable[[AdIds], bool]:
    """Whether the rows of an ad belong to the report."""
    kind, scope_id = asked.scope
    conditions = [condition for condition in asked.conditions if "." in condition[0]]
    remembered: dict[str, bool] = {}

    def value_of(ids: AdIds, name: str) -> Any:
        of, _, what = name.partition(".")
        thing_id = id_of(asked.account, ids, of)
        if what == "effective_status":
            return effective_status(world, world.things[thing_id]) if thing_id in world.things else "ACTIVE"
        return thing_id if what == "id" else getattr(ids, "objective" if what == "objective" else f"{of}_name")

    def keep(ids: AdIds) -> bool:
        if ids.ad_id not in remembered:
            inside = kind == "account" or id_of(asked.account, ids, kind) == scope_id
            remembered[ids.ad_id] = inside and all(fits(value_of(ids, name), operator, value) for name, operator, value in conditions)
        return remembered[ids.ad_id]

    return keep


def _cells(whole: Bucket, breakdowns: tuple[str, ...]) -> list[Bucket]:
    """A row by its breakdowns; cells without impressions are left out."""
    cells: list[tuple[tuple[tuple[str, str], ...], int]] = [((), 1)]
    for name in breakdowns:
        cells = [((*cell, (name, value)), weight * more) for cell, weight in cells for value, more in BREAKDOWNS[name].items()]
    weights = [weight for _, weight in cells]
    parts = [split(row, weights) for row in whole.rows]
    found = []
    for number, (cell, _) in enumerate(cells):
        row = summed(part[number] for part in parts)
        if row["impressions"]:
            found.append(Bucket(whole.ids, whole.since, whole.until, whole.rows, cell, row))
    return found
