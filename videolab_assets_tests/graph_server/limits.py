"""How much is too much: the sizes of reports, and the bucket behind the usage headers."""

import json
from dataclasses import dataclass
from typing import Any

from .errors import Refusal


@dataclass
class Limits:
    """What a report may ask for; None means anything. Beyond it, "too much data" (100/1487534).

    Args:
        rows_per_job: rows in the whole answer.
        days_per_job: days from the first to the last.
        fields_per_job: fields asked for.
        cells_per_job: rows times fields.
        objects_per_job: different objects of the level.
        told: "request" refuses at once; "job" takes the request and lets the job fail.
        jobs_in_flight: reports of one account that may run at once; one more is 4/1504022.
        page_rows: the largest `limit`; beyond it Meta asks to reduce the amount of data (code 1).
        ads_per_adset, adsets_per_account: objects that are not deleted (ads: nor archived).
    """

    rows_per_job: int | None = None
    days_per_job: int | None = None
    fields_per_job: int | None = None
    cells_per_job: int | None = None
    objects_per_job: int | None = None
    told: str = "request"
    jobs_in_flight: int | None = None
    page_rows: int = 5000
    ads_per_adset: int = 50
    adsets_per_account: int = 5000

    def too_much(self, *, rows: int, days: int, fields: int, objects: int) -> bool:
        """Whether a report of this size is refused."""
        asked = [
            (rows, self.rows_per_job),
            (days, self.days_per_job),
            (fields, self.fields_per_job),
            (rows * fields, self.cells_per_job),
            (objects, self.objects_per_job),
        ]
        return any(most is not None and size > most for size, most in asked)


@dataclass
class Leak:
    """A leaking bucket for each account: each request adds points, time takes them away, and a full one refuses.

    Args:
        points: how much fits.
        drains: points that leave in a second.
        read, write: what a request costs.
    """

    points: float = 100.0
    drains: float = 1.0
    read: float = 1.0
    write: float = 3.0

    def __post_init__(self) -> None:
        self._levels: dict[str, tuple[float, float]] = {}

    def level(self, account: str, clock: float) -> float:
        """Points in the bucket of the account now."""
        level, since = self._levels.get(account, (0.0, clock))
        return max(0.0, level - (clock - since) * self.drains)

    def pour(self, account: str, clock: float, *, writes: bool, insights: bool) -> None:
        """Counts a request.

        Raises:
            Refusal: 80000 or 80004: the bucket is full, and nothing was done.
        """
        level = self.level(account, clock) + (self.write if writes else self.read)
        if level > self.points:
            raise quota(insights)
        self._levels[account] = (level, clock)

    def percent(self, account: str, clock: float) -> int:
        return min(100, round(100 * self.level(account, clock) / self.points))

    def minutes(self, account: str, clock: float) -> int:
        """Whole minutes until requests are let in again; 0 while they are."""
        over = self.level(account, clock) + self.write - self.points
        return -(-int(over / self.drains + 0.999) // 60) if over > 0 else 0


def quota(insights: bool) -> Refusal:
    code, product = (80000, "Insights") if insights else (80004, "Ads Management")
    message = f"(#{code}) There have been too many calls from this ad-account. Wait a bit and try again. ({product})"
    return Refusal(code, message, subcode=2446079, transient=True)


def usage_headers(number: str, *, percent: int, minutes: int, insights: bool) -> dict[str, str]:
    """The usage headers of an answer about an account; regain time is in minutes here and in seconds there, as at Meta."""
    use: dict[str, Any] = {
        "type": "ads_insights" if insights else "ads_management",
        "call_count": percent,
        "total_cputime": percent // 4,
        "total_time": percent // 2,
        "estimated_time_to_regain_access": minutes,
        "ads_api_access_tier": "standard_access",
    }
    headers = {
        "X-Business-Use-Case-Usage": json.dumps({number: [use]}),
        "X-Ad-Account-Usage": json.dumps(
            {"acc_id_util_pct": float(percent), "reset_time_duration": minutes * 60, "ads_api_access_tier": "standard_access"}
        ),
        "X-App-Usage": json.dumps({"call_count": percent // 10, "total_cputime": 0, "total_time": percent // 20}),
    }
    if insights:
        throttle = {"app_id_util_pct": percent / 10, "acc_id_util_pct": float(percent), "ads_api_access_tier": "standard_access"}
        headers["X-FB-Ads-Insights-Throttle"] = json.dumps(throttle)
    return headers
