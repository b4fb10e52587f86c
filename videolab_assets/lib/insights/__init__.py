"""What Meta's ads did, day by day in the account's own time zone: fetched whole, kept for good, restated openly.

`sync` fetches; `InsightsTable` keeps and answers; `days` says which days there are to fetch.
"""

from videolab_assets.lib.insights.days import DayRange, complete_days, due, is_complete, yesterday
from videolab_assets.lib.insights.parts import window_of
from videolab_assets.lib.insights.reconcile import DayDifference
from videolab_assets.lib.insights.sync import Synced, sync
from videolab_assets.lib.insights.table import AbsentRow, AdTotals, DayTotals, InsightsTable, Restatement, UniqueRow

__all__ = [
    "AbsentRow",
    "AdTotals",
    "DayDifference",
    "DayRange",
    "DayTotals",
    "InsightsTable",
    "Restatement",
    "Synced",
    "UniqueRow",
    "complete_days",
    "due",
    "is_complete",
    "sync",
    "window_of",
    "yesterday",
]
