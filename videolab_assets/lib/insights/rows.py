"""One row of a report as Meta sends it, read strictly: what is missing, odd or about something else is refused and never becomes zero.

Meta sends numbers as strings, leaves out fields that are zero except impressions and spend, and counts video plays in lists by kind of
action.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NoReturn
from urllib.parse import quote

from videolab_assets.lib.errors import TransientError
from videolab_assets.lib.insights.parts import COLUMNS, UNIQUE, Part
from videolab_assets.lib.money import minor_of_decimal

_ALWAYS_SENT = ("impressions", "spend")
_LISTS = frozenset(field for field in COLUMNS.values() if field.endswith("actions"))
_WHOLE = re.compile(r"([0-9]{1,18})(?:\.0{1,6})?")
_DECIMAL = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,9})?")
_ID = re.compile(r"[0-9]{1,32}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)
_LONGEST_RAW = 1_000_000
_LONGEST_BREAKDOWN = 200


@dataclass(frozen=True, slots=True)
class InsightRow:
    """What one row says.

    Attributes:
        object_id: of the ad, campaign or account (with `act_`) that it is about.
        campaign_id: None at the level of the account.
        adset_id: None above the level of ads.
        since: its first day.
        until: its last day; of daily rows the same.
        breakdown: such as "age=18-24|gender=male"; empty without.
        numbers: by column, those that were asked for; money in minor units.
        reach: people, each once; None where it was not asked for or not said.
        unique: the fields that do not add up, as received.
        raw: all of it, as received, as `compact` JSON.
    """

    object_id: str
    campaign_id: str | None
    adset_id: str | None
    since: date
    until: date
    breakdown: str
    numbers: dict[str, int]
    reach: int | None
    unique: dict[str, Any]
    raw: str

    @property
    def key(self) -> tuple[str, date, date, str]:
        """Tells it from the other rows of its account, level and window."""
        return self.object_id, self.since, self.until, self.breakdown


def read_page(rows: Sequence[object], part: Part, currency: str) -> list[InsightRow]:
    """The rows of one page, those that stand twice once.

    Raises:
        TransientError: a row is none of this report's, or two rows of one key differ.
    """
    found: dict[tuple[str, date, date, str], InsightRow] = {}
    for raw in rows:
        row = _Reader(part, currency, raw).row()
        if found.setdefault(row.key, row).raw != row.raw:
            _refuse(part, "two rows of the same object, day and breakdown that differ", row.raw)
    return list(found.values())


def compact(values: dict[str, Any]) -> str:
    """As JSON in ASCII, without spaces."""
    return _ENCODER.encode(values)


def _refuse(part: Part, what: str, raw: object) -> NoReturn:
    raise TransientError(
        f"Meta sent {what} in the {part.in_words()}, and nothing of that page was kept: run it again later.", f"the row: {raw!r:.600}"
    )


class _Reader:
    def __init__(self, part: Part, currency: str, raw: object) -> None:
        if not isinstance(raw, dict):
            _refuse(part, "something that is no row", raw)
        self.part = part
        self.currency = currency
        self.raw: dict[str, Any] = raw

    def row(self) -> InsightRow:
        part = self.part
        ids = {field: self._id(field) for field in part.ids}
        if f"act_{ids['account_id']}" != part.account_id:
            self._odd("a row of another account", ids["account_id"])
        if self.raw.get("account_currency") != self.currency:
            self._odd(f"money that is not in {self.currency}", self.raw.get("account_currency"))
        if part.of_level != "account" and ids[f"{part.of_level}_id"] != part.of:
            self._odd(f"a row of another {part.of_level}", ids[f"{part.of_level}_id"])
        since, until = self._days()
        return InsightRow(
            object_id=part.account_id if part.level == "account" else ids[part.ids[-1]],
            campaign_id=ids.get("campaign_id"),
            adset_id=ids.get("adset_id"),
            since=since,
            until=until,
            breakdown=self._breakdown(),
            numbers={column: self._number(column, COLUMNS[column]) for column in part.columns},
            reach=self._whole("reach", self.raw["reach"]) if "reach" in part.fields and "reach" in self.raw else None,
            unique={field: self.raw[field] for field in UNIQUE if field in part.fields and field in self.raw},
            raw=self._json(),
        )

    def _odd(self, what: str, found: object) -> NoReturn:
        _refuse(self.part, f"{what} ({found!r:.80})", self.raw)

    def _id(self, field: str) -> str:
        found = self.raw.get(field)
        if not isinstance(found, str) or not _ID.fullmatch(found):
            self._odd(f"a row without its {field}", found)
        return found

    def _days(self) -> tuple[date, date]:
        since, until = self._date("date_start"), self._date("date_stop")
        asked = self.part.days
        inside = since == until and since in asked if self.part.daily else (since, until) == (asked.first, asked.last)
        if not inside:
            self._odd("a row of days that were not asked for", f"{since} to {until}")
        return since, until

    def _date(self, field: str) -> date:
        found = self.raw.get(field)
        try:
            if isinstance(found, str) and _DATE.fullmatch(found):
                return date.fromisoformat(found)
        except ValueError:  # the 31st of June
            pass
        self._odd(f"a row without its {field}", found)

    def _breakdown(self) -> str:
        found = []
        for name in self.part.breakdowns:
            value = self.raw.get(name)
            if not isinstance(value, str) or not value:
                self._odd(f"a row without its {name}", value)
            found.append(f"{name}={quote(value, safe=' +-_.,:;/()', errors='surrogatepass')}")
        breakdown = "|".join(found)
        if len(breakdown) > _LONGEST_BREAKDOWN:
            self._odd("a breakdown that is too long", breakdown)
        return breakdown

    def _number(self, column: str, field: str) -> int:
        found = self.raw.get(field)
        if found is None:
            if field in _ALWAYS_SENT or field in self.raw:
                self._odd(f"a row without its {field}", found)
            return 0
        if field in _LISTS:
            return self._video_views(field, found)
        return self._money(found) if column == "spend_minor" else self._whole(field, found)

    def _whole(self, field: str, found: object) -> int:
        match = _WHOLE.fullmatch(str(found)) if isinstance(found, str | int) and not isinstance(found, bool) else None
        if match is None:
            self._odd(f"{field} that is no count", found)
        return int(match[1])

    def _money(self, found: object) -> int:
        if not isinstance(found, str) or not _DECIMAL.fullmatch(found):
            self._odd("spend that is no amount", found)
        return minor_of_decimal(found, self.currency)

    def _video_views(self, field: str, found: object) -> int:
        """The count of `video_view`, in `actions` the plays of 3 seconds; other kinds of action stay in `raw`."""
        if not isinstance(found, list) or not all(isinstance(action, dict) for action in found):
            self._odd(f"{field} that is no list", found)
        views = [action.get("value") for action in found if action.get("action_type") == "video_view"]
        if len(views) > 1 or any(not isinstance(action.get("action_type"), str) for action in found):
            self._odd(f"{field} whose kinds cannot be told apart", found)
        return self._whole(field, views[0]) if views else 0

    def _json(self) -> str:
        try:
            text = compact(self.raw)
        except (ValueError, RecursionError):  # NaN, or lists in lists without end
            self._odd("a number that is none", None)
        if len(text) > _LONGEST_RAW:
            self._odd(f"a row of {len(text):,} bytes", None)
        return text
