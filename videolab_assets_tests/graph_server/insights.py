"""What was delivered: whole numbers by ad and local day, from which every report is summed."""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

_NAMES = (
    "impressions spend_minor clicks link_clicks outbound_clicks plays plays_3s plays_2s plays_30s thruplays p25 p50 p75 p95 p100 watch_ms "
    "reactions landing_page_views purchases purchase_minor reach unique_clicks unique_link_clicks"
)
METRICS = tuple(_NAMES.split())
"""What a row may hold. All but the last three are additive; `watch_ms` is the time watched in all, in milliseconds."""

UNIQUE = frozenset({"reach", "unique_clicks", "unique_link_clicks"})
"""Counts of people: they do not add up over days, ads or breakdowns."""

Row = dict[str, int]


@dataclass(frozen=True)
class AdIds:
    """Where an ad hangs."""

    ad_id: str
    adset_id: str
    campaign_id: str
    ad_name: str = ""
    adset_name: str = ""
    campaign_name: str = ""
    objective: str = "OUTCOME_ENGAGEMENT"
    optimization_goal: str = "THRUPLAY"


@dataclass
class Insights:
    """The numbers of one ad account.

    Args:
        known: finds where an ad of that id hangs, when it was made at this server.
        make: makes campaigns, ad sets and ads for generated numbers.
        version: counts changes.
    """

    zone: ZoneInfo
    known: Callable[[str], AdIds | None]
    make: Callable[[int, int, int], list[AdIds]]
    days: dict[date, dict[str, Row]] = field(default_factory=dict)
    ads: dict[str, AdIds] = field(default_factory=dict)
    version: int = 0
    _spent: tuple[int, int] = (-1, 0)

    def add(self, ad: "str | dict[str, str]", at: date | datetime, **metrics: Any) -> None:
        """Adds a row by hand, or to the row of that ad and day.

        Args:
            ad: an ad's id, of an ad made here or of any other; or ids and names as in `AdIds`.
            at: a day of the account's zone; or a moment with a time zone, which falls on the local day that it belongs to.
            metrics: of `METRICS`; `actions` may be given as a dict of action types. Reach is 80 % of the impressions when not given.
        """
        if isinstance(at, datetime):
            at = at.astimezone(self.zone).date()
        named = {"video_view": "plays_3s", "link_click": "link_clicks", "landing_page_view": "landing_page_views", "purchase": "purchases"}
        given = {named.get(name, name): int(value) for name, value in metrics.pop("actions", {}).items()} | metrics
        unknown = set(given) - set(METRICS)
        if unknown:
            raise ValueError(f"no such metric: {', '.join(sorted(unknown))}; there are {', '.join(METRICS)}")
        ids = self._ids(ad)
        old = self.days.setdefault(at, {}).get(ids.ad_id, {})
        impressions = int(given.get("impressions", 0))
        given.setdefault("reach", impressions * 4 // 5 + (impressions == 1))
        given.setdefault("unique_clicks", int(given.get("clicks", 0)) * 9 // 10)
        given.setdefault("unique_link_clicks", int(given.get("link_clicks", 0)) * 9 // 10)
        given.setdefault("plays", max(int(given.get("plays_3s", 0)), 0))
        self.days[at][ids.ad_id] = {name: old.get(name, 0) + int(given.get(name, 0)) for name in METRICS}
        self.version += 1

    def _ids(self, ad: "str | dict[str, str]") -> AdIds:
        if isinstance(ad, dict):
            self.ads[ad["ad_id"]] = AdIds(**ad)
            return self.ads[ad["ad_id"]]
        found = self.ads.get(ad) or self.known(ad) or AdIds(ad, f"{ad}1", f"{ad}2")
        self.ads[found.ad_id] = found
        return found

    def generate(
        self, *, ads: int, campaigns: int, first: date, days: int, seed: int = 1, adsets: int = 0, quiet: float = 0.0
    ) -> list[AdIds]:
        """Makes ads, and a row for each on each day; the same arguments give the same numbers.

        Args:
            adsets: ad sets in all; five ads each when 0.
            quiet: the share of ads that deliver nothing on a day, and so have no row.

        Returns:
            The ads.
        """
        made = self.make(ads, campaigns, adsets or max(campaigns, -(-ads // 5)))
        drawn = random.Random(seed)
        self.ads |= {ids.ad_id: ids for ids in made}
        scale = [drawn.lognormvariate(7.0, 0.8) for _ in made]
        for day in (first + timedelta(days=number) for number in range(days)):
            rows = self.days.setdefault(day, {})
            for ids, size in zip(made, scale, strict=True):
                if quiet and drawn.random() < quiet:
                    continue
                rows[ids.ad_id] = _delivery(drawn.random, size)
        self.version += 1
        return made

    def restate(self, day: date | None = None, *, factor: float = 1.05, seed: int | None = None) -> None:
        """Changes the numbers of a day, or of all days, as Meta does when it attributes again.

        Args:
            factor: what everything is multiplied with; with a seed each ad moves by a part of it of its own.
        """
        drawn = random.Random(seed)
        for at in [day] if day else sorted(self.days):
            rows = self.days.get(at, {})
            for ad_id, row in list(rows.items()):
                by = factor if seed is None else 1 + (factor - 1) * drawn.random()
                rows[ad_id] = {name: round(value * by) for name, value in row.items()}
        self.version += 1

    def spent_minor(self) -> int:
        """Minor units over all days; summed once for each version."""
        if self._spent[0] != self.version:
            self._spent = self.version, sum(row["spend_minor"] for rows in self.days.values() for row in rows.values())
        return self._spent[1]

    def total(self, metric: str, first: date, last: date) -> int:
        """The sum of an additive metric over days, both included: the truth that reports are compared with."""
        if metric in UNIQUE:
            raise ValueError(f"{metric} counts people: it has no sum")
        return sum(row[metric] for at, rows in self.days.items() if first <= at <= last for row in rows.values())


def _delivery(draw: Callable[[], float], size: float) -> Row:
    """A day of an ad: each count is a part of the one before it."""
    impressions = int(size * (0.4 + 1.2 * draw())) + 1
    plays = int(impressions * 0.9)
    plays_3s = int(plays * (0.15 + 0.35 * draw()))
    thruplays = int(plays_3s * (0.2 + 0.4 * draw()))
    clicks = int(impressions * 0.03 * draw())
    link_clicks = int(clicks * (0.4 + 0.5 * draw()))
    reach = max(1, int(impressions * (0.6 + 0.35 * draw())))
    return {
        "impressions": impressions,
        "spend_minor": int(impressions * (0.4 + 0.8 * draw())),
        "clicks": clicks,
        "link_clicks": link_clicks,
        "outbound_clicks": link_clicks * 4 // 5,
        "plays": plays,
        "plays_3s": plays_3s,
        "plays_2s": min(plays, plays_3s * 5 // 4),
        "plays_30s": thruplays // 2,
        "thruplays": thruplays,
        "p25": thruplays * 7 // 8,
        "p50": thruplays * 5 // 8,
        "p75": thruplays * 4 // 8,
        "p95": thruplays * 3 // 8,
        "p100": thruplays * 2 // 8,
        "watch_ms": plays_3s * 4200 + plays * 900,
        "reactions": clicks // 3,
        "landing_page_views": link_clicks * 7 // 10,
        "purchases": link_clicks // 20,
        "purchase_minor": link_clicks // 20 * 2500,
        "reach": min(reach, impressions),
        "unique_clicks": clicks * 9 // 10,
        "unique_link_clicks": link_clicks * 9 // 10,
    }


def summed(rows: Iterable[Row]) -> Row:
    """Rows together: counts add up; of people there are more than in any part, and fewer than in all parts together."""
    parts = list(rows)
    if len(parts) == 1:
        return parts[0]
    whole = {name: sum(row[name] for row in parts) for name in METRICS}
    for name in UNIQUE:
        most = max((row[name] for row in parts), default=0)
        whole[name] = most + (whole[name] - most) * 3 // 5
    return whole


def split(row: Row, weights: list[int]) -> list[Row]:
    """A row in cells of these weights: counts split exactly; people who are in several cells are counted in each."""
    total = sum(weights)
    cells: list[Row] = [dict.fromkeys(METRICS, 0) for _ in weights]
    for name, value in row.items():
        bounds, passed = [0], 0
        for weight in weights:
            passed += weight
            bounds.append(value * passed // total)
        for cell, low, high in zip(cells, bounds, bounds[1:], strict=False):
            cell[name] = high - low
    for cell in cells:
        for name, of in (("reach", "impressions"), ("unique_clicks", "clicks"), ("unique_link_clicks", "link_clicks")):
            cell[name] = min(cell[of], cell[name] + cell[name] // 8 + (cell[of] > 0))
    return cells
