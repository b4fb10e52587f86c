"""What is asked of Meta in one report, and how to ask for less at a time when it says that this is too much."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.insights.days import DayRange

UNIFIED = "unified"
"""The window of rows that follow each ad set's own attribution setting, as Ads Manager does."""

WINDOWS = ("1d_click", "7d_click", "28d_click", "1d_view", "1d_ev")
"""Attribution windows that exist; Meta ended 7d_view and 28d_view on 12 January 2026 (Meta's blog of 16 October 2025)."""

COLUMNS = {
    "impressions": "impressions",
    "clicks": "clicks",
    "link_clicks": "inline_link_clicks",
    "plays_3s": "actions",
    "thruplays": "video_thruplay_watched_actions",
    "p25": "video_p25_watched_actions",
    "p50": "video_p50_watched_actions",
    "p75": "video_p75_watched_actions",
    "p95": "video_p95_watched_actions",
    "p100": "video_p100_watched_actions",
    "spend_minor": "spend",
}
"""Columns that add up over days, ads and breakdowns, and Meta's field for each."""

UNIQUE = ("reach", "frequency", "video_avg_time_watched_actions")
"""Fields that do not add up: people are counted once in a report, and averages have weights."""

_FIELDS = {"ad": (*COLUMNS.values(), *UNIQUE), "account": ("spend", "impressions"), "campaign": ("reach", "frequency")}

_IDS = {"account": (), "campaign": ("campaign_id",), "adset": ("campaign_id", "adset_id"), "ad": ("campaign_id", "adset_id", "ad_id")}
_FINER = {"account": "campaign", "campaign": "adset"}


def fields_of(level: str, breakdowns: Sequence[str]) -> tuple[str, ...]:
    """What is asked at a level, without those of the key. The account's own totals are what the sum of its ads is compared with.

    Meta restricts counts of people with breakdowns, and no question needs them.
    """
    return tuple(field for field in _FIELDS[level] if not (breakdowns and field in UNIQUE))


def window_of(windows: Sequence[str]) -> str:
    """The window of the rows of an account, such as "7d_click,1d_view"; `UNIFIED` where none are named.

    Raises:
        PermanentError: Meta knows no such window.
    """
    if unknown := [window for window in windows if window not in WINDOWS]:
        raise PermanentError(f"{unknown[0]} is no attribution window: choose from {', '.join(WINDOWS)}.")
    return ",".join(window for window in WINDOWS if window in windows) or UNIFIED


@dataclass(frozen=True)
class Part:
    """One report.

    Attributes:
        account_id: `act_…`.
        level: what a row is about: `ad`, `campaign` or `account`.
        of: whose rows are asked for: the id of the account, of a campaign or of an ad set.
        of_level: which of these `of` is.
        days: that the rows are about.
        daily: one row a day, or one for all of them.
        fields: Meta's, without those of the key, which are always asked.
        breakdowns: in alphabetical order.
        window: as `window_of` says it.
    """

    account_id: str
    level: str
    of: str
    of_level: str
    days: DayRange
    daily: bool
    fields: tuple[str, ...]
    breakdowns: tuple[str, ...]
    window: str

    @property
    def ids(self) -> tuple[str, ...]:
        """The fields that name what a row is about; the last one is the row's object."""
        return ("account_id", *_IDS[self.level])

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that its rows fill."""
        return tuple(column for column, field in COLUMNS.items() if field in self.fields) if self.daily else ()

    @property
    def is_whole(self) -> bool:
        """Whether its rows hold all fields of their level."""
        return self.fields == fields_of(self.level, self.breakdowns)

    def params(self) -> dict[str, str]:
        """The report's parameters. Nothing that changes numbers is left to Meta's defaults, which change."""
        asked = {
            "level": self.level,
            "fields": ",".join((*self.ids, "account_currency", *self.fields)),
            "time_range": json.dumps({"since": self.days.first.isoformat(), "until": self.days.last.isoformat()}),
            "time_increment": "1" if self.daily else "all_days",
            "action_breakdowns": json.dumps(["action_type"]),
        }
        if self.breakdowns:
            asked["breakdowns"] = json.dumps(self.breakdowns)
        if self.window == UNIFIED:
            return {**asked, "use_unified_attribution_setting": "true"}
        return {**asked, "action_attribution_windows": json.dumps(self.window.split(","))}

    def by_days(self) -> list["Part"]:
        """Its days in two parts; nothing where they cannot be: people reached on two days are not the sum of both."""
        return [replace(self, days=half) for half in self.days.halves()] if self.daily and len(self.days) > 1 else []

    @property
    def finer(self) -> str | None:
        """The level of objects that its rows can be asked for one by one; None where it has none."""
        finer = _FINER.get(self.of_level)
        return finer if finer and f"{finer}_id" in self.ids else None

    def of_object(self, object_id: str) -> "Part":
        """The rows of one object of the `finer` level."""
        return replace(self, of=object_id, of_level=self.finer or self.of_level)

    def by_fields(self) -> list["Part"]:
        """Its fields in two parts, whose rows are merged by key; nothing where there is but one."""
        middle = len(self.fields) // 2
        return [replace(self, fields=half) for half in (self.fields[:middle], self.fields[middle:])] if middle else []

    def in_words(self) -> str:
        """For a sentence: what and when."""
        whose = "" if self.of_level == "account" else f" of {self.of_level} {self.of}"
        return f"{self.level} insights{whose} of {self.account_id} from {self.days.first} to {self.days.last}"

    def to_json(self) -> str:
        """For `from_json`; equal parts give equal texts."""
        values = {**vars(self), "days": [self.days.first.isoformat(), self.days.last.isoformat()]}
        return json.dumps(values, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Part":
        """The part that `to_json` wrote."""
        values: dict[str, Any] = json.loads(text)
        first, last = (date.fromisoformat(day) for day in values.pop("days"))
        fields, breakdowns = tuple(values.pop("fields")), tuple(values.pop("breakdowns"))
        return cls(**values, days=DayRange(first, last), fields=fields, breakdowns=breakdowns)
