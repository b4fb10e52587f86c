"""Rows of insights as Meta writes them: numbers as text, actions as lists, and only what was asked for."""

from collections.abc import Callable
from functools import cache
from typing import Any

from .insights import Row
from .reports import Bucket, Query
from .state import ZERO_DECIMAL

ACTIONS = {
    "video_view": "plays_3s",
    "link_click": "link_clicks",
    "post_engagement": "clicks",
    "post_reaction": "reactions",
    "landing_page_view": "landing_page_views",
    "purchase": "purchases",
}
"""Action types, and the metric that counts each."""

VIDEO = {
    "video_play_actions": "plays",
    "video_thruplay_watched_actions": "thruplays",
    "video_continuous_2_sec_watched_actions": "plays_2s",
    "video_30_sec_watched_actions": "plays_30s",
    "video_p25_watched_actions": "p25",
    "video_p50_watched_actions": "p50",
    "video_p75_watched_actions": "p75",
    "video_p95_watched_actions": "p95",
    "video_p100_watched_actions": "p100",
}

COUNTS = {
    "impressions": "impressions",
    "clicks": "clicks",
    "reach": "reach",
    "unique_clicks": "unique_clicks",
    "inline_link_clicks": "link_clicks",
    "inline_post_engagement": "clicks",
    "unique_inline_link_clicks": "unique_link_clicks",
}

ALWAYS = ("impressions", "reach", "clicks", "unique_clicks")
"""Counts that are written even when they are 0; the others are left out then."""

NAMES = {
    "campaign": ("campaign_id", "campaign_name", "objective"),
    "adset": ("adset_id", "adset_name", "optimization_goal"),
    "ad": ("ad_id", "ad_name"),
}

Writer = Callable[[Query, Bucket, Row], Any]


def money(minor: float, currency: str, digits: int | None = None) -> str:
    """Minor units as a decimal in units of the currency: "12.34", or "1234" where there are no smaller ones."""
    if currency in ZERO_DECIMAL:
        return str(int(minor)) if digits is None else f"{minor:.{digits}f}"
    return f"{int(minor) // 100}.{int(minor) % 100:02d}" if digits is None else f"{minor / 100:.{digits}f}"


def windowed(value: int, windows: tuple[str, ...]) -> dict[str, str]:
    """A count by attribution window: the default counts clicks of 7 days and views of one, which share it."""
    if not windows:
        return {"value": str(value)}
    clicked = value * 3 // 5
    by = {"7d_click": clicked, "1d_click": clicked * 4 // 5, "28d_click": clicked + clicked // 10, "1d_view": value - clicked, "1d_ev": 0}
    return {"value": str(value)} | {window: str(by[window]) for window in windows if by.get(window)}


def _ratio(above: str, below: str, times: float = 1.0, digits: int = 6, spends: bool = False) -> Writer:
    def write(asked: Query, bucket: Bucket, row: Row) -> str | None:
        if not row[below]:
            return None
        value = row[above] * times / row[below]
        return money(value, asked.account.currency, digits) if spends else f"{value:.{digits}f}"

    return write


def _listed(metric: str, action: str) -> Writer:
    def write(asked: Query, bucket: Bucket, row: Row) -> list[dict[str, str]] | None:
        return [{"action_type": action, **windowed(row[metric], asked.windows)}] if row[metric] else None

    return write


def _actions(asked: Query, bucket: Bucket, row: Row) -> list[dict[str, str]] | None:
    return [{"action_type": action, **windowed(row[metric], asked.windows)} for action, metric in ACTIONS.items() if row[metric]] or None


def _cost_per_action(asked: Query, bucket: Bucket, row: Row) -> list[dict[str, str]] | None:
    currency = asked.account.currency
    costs = [
        {"action_type": action, "value": money(row["spend_minor"] / row[metric], currency, 6)}
        for action, metric in ACTIONS.items()
        if row[metric]
    ]
    return costs or None


def _action_values(asked: Query, bucket: Bucket, row: Row) -> list[dict[str, str]] | None:
    value = money(row["purchase_minor"], asked.account.currency)
    return [{"action_type": "purchase", "value": value}] if row["purchase_minor"] else None


def _average_watch(asked: Query, bucket: Bucket, row: Row) -> list[dict[str, str]] | None:
    return [{"action_type": "video_view", "value": str(row["watch_ms"] // 1000 // row["plays"])}] if row["plays"] else None


def _curve(asked: Query, bucket: Bucket, row: Row) -> list[dict[str, Any]] | None:
    if not row["plays"]:
        return None
    known = [row["plays"], row["plays_2s"], row["plays_3s"], row["thruplays"], row["p25"], row["p50"], row["p75"], row["p95"], row["p100"]]
    return [{"action_type": "video_view", "value": [100 * min(known[: number + 1]) // row["plays"] for number in range(len(known))]}]


def _name(attribute: str, level: str) -> Writer:
    order = ("account", "campaign", "adset", "ad")

    def write(asked: Query, bucket: Bucket, row: Row) -> str | None:
        return str(getattr(bucket.ids, attribute)) if order.index(asked.level) >= order.index(level) else None

    return write


def _count(name: str, metric: str) -> Writer:
    return lambda asked, bucket, row: str(row[metric]) if row[metric] or name in ALWAYS else None


@cache
def writers() -> dict[str, Writer]:
    """Every field of insights, and what writes it; None leaves the field out."""
    found: dict[str, Writer] = {name: _count(name, metric) for name, metric in COUNTS.items()}
    found |= {name: _listed(metric, "video_view") for name, metric in VIDEO.items()}
    found |= {name: _name(name, level) for level, names in NAMES.items() for name in names}
    found |= {
        "account_id": lambda asked, bucket, row: asked.account.number,
        "account_name": lambda asked, bucket, row: asked.account.name,
        "account_currency": lambda asked, bucket, row: asked.account.currency,
        "buying_type": lambda asked, bucket, row: "AUCTION",
        "attribution_setting": lambda asked, bucket, row: "7d_click_1d_view" if asked.unified else None,
        "date_start": lambda asked, bucket, row: bucket.since.isoformat(),
        "date_stop": lambda asked, bucket, row: bucket.until.isoformat(),
        "spend": lambda asked, bucket, row: money(row["spend_minor"], asked.account.currency),
        "frequency": _ratio("impressions", "reach"),
        "ctr": _ratio("clicks", "impressions", 100),
        "cpc": _ratio("spend_minor", "clicks", spends=True),
        "cpm": _ratio("spend_minor", "impressions", 1000, spends=True),
        "cpp": _ratio("spend_minor", "reach", 1000, spends=True),
        "unique_ctr": _ratio("unique_clicks", "reach", 100),
        "inline_link_click_ctr": _ratio("link_clicks", "impressions", 100),
        "cost_per_inline_link_click": _ratio("spend_minor", "link_clicks", spends=True),
        "cost_per_unique_click": _ratio("spend_minor", "unique_clicks", spends=True),
        "actions": _actions,
        "action_values": _action_values,
        "cost_per_action_type": _cost_per_action,
        "conversions": lambda asked, bucket, row: None,
        "outbound_clicks": _listed("outbound_clicks", "outbound_click"),
        "video_avg_time_watched_actions": _average_watch,
        "video_play_curve_actions": _curve,
        "quality_ranking": lambda asked, bucket, row: "UNKNOWN" if asked.level == "ad" else None,
        "engagement_rate_ranking": lambda asked, bucket, row: "UNKNOWN" if asked.level == "ad" else None,
        "conversion_rate_ranking": lambda asked, bucket, row: "UNKNOWN" if asked.level == "ad" else None,
    }
    return found


def render(asked: Query, bucket: Bucket) -> dict[str, Any]:
    """A row with the fields that were asked for, its days and its breakdowns."""
    row, known = bucket.row(), writers()
    shown = {}
    for name in asked.fields:
        value = known[name](asked, bucket, row)
        if value is not None:
            shown[name] = value
    return shown | {"date_start": bucket.since.isoformat(), "date_stop": bucket.until.isoformat()} | dict(bucket.cell)
