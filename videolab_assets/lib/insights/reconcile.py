"""Whether all money is accounted for: what the ads spent on a day against what the account says it spent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa

from videolab_assets.lib.insights.tables import insights


@dataclass(frozen=True)
class DayDifference:
    """A day on which both sides differ; minor units of the account's currency.

    Attributes:
        ads_minor: the sum over the ads.
        account_minor: the account's own total, from a report of its own; 0 where Meta has none for the day.
        absent_minor: what of the ads' sum is in rows that Meta no longer returns.
    """

    date: date
    ads_minor: int
    account_minor: int
    absent_minor: int = 0

    @property
    def missing_minor(self) -> int:
        """What the account spent and no ad did; negative where the ads say more."""
        return self.account_minor - self.ads_minor


def differences(
    connection: sa.Connection, ads: Sequence[sa.ColumnElement[bool]], account: Sequence[sa.ColumnElement[bool]]
) -> list[DayDifference]:
    """The days that differ, in order. Each side is added up by itself, so that a row can make up for no other.

    Args:
        connection: to the tables of insights.
        ads: conditions for rows at the level of ads.
        account: conditions for rows at the level of the account.
    """
    spend = sa.func.coalesce(sa.func.sum(insights.c.spend_minor), 0)
    absent = sa.func.coalesce(sa.func.sum(insights.c.spend_minor).filter(insights.c.absent_since.is_not(None)), 0)
    of_ads = {
        row[0]: row[1:] for row in connection.execute(sa.select(insights.c.date, spend, absent).where(*ads).group_by(insights.c.date))
    }
    of_account = {row[0]: row[1] for row in connection.execute(sa.select(insights.c.date, spend).where(*account).group_by(insights.c.date))}
    found = []
    for day in sorted({*of_ads, *of_account}):
        ads_minor, absent_minor = of_ads.get(day, (0, 0))
        account_minor = of_account.get(day, 0)
        if ads_minor != account_minor:
            found.append(DayDifference(day, int(ads_minor), int(account_minor), int(absent_minor)))
    return found
