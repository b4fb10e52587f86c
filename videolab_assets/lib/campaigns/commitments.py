"""Money that campaigns may spend: reserved under the month's cap before anything is turned on, and never given back.

A campaign counts with its whole budget for the month (UTC) in which it was first turned on, whatever became of it: whether it was stopped,
and also where nobody knows whether turning it on has worked.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa

from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.keys import tenant_of
from videolab_assets.lib.money import Money

_metadata = sa.MetaData()

_commitments = sa.Table(
    "meta_commitments",
    _metadata,
    sa.Column("campaign_key", sa.String(96), primary_key=True),
    sa.Column("tenant", sa.String(32), nullable=False),
    sa.Column("month", sa.String(7), nullable=False, comment="UTC, YYYY-MM, in which it was first turned on"),
    sa.Column("minor", sa.BigInteger, nullable=False, comment="the campaign's whole budget in minor units as Meta counts them"),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("allowed_by", sa.Text, nullable=False, comment="who allowed it"),
    sa.Column("reserved_at", sa.Double, nullable=False),
    sa.Column("turning_on_at", sa.Double, comment="epoch seconds of the last request that was about to turn it on"),
    sa.Column("turned_on_at", sa.Double, comment="epoch seconds, once Meta has confirmed it"),
)
sa.Index("meta_commitments_of_a_month", _commitments.c.tenant, _commitments.c.month)


class CapReached(PermanentError):
    """Nothing was turned on: with it the tenant could have spent more than the cap."""


class Commitments:
    """The table; made if missing. Every method raises TransientError when the database cannot be reached or stays locked.

    Args:
        database: where it is.
        clock: epoch seconds.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        database.make(_metadata)

    def reserve(self, campaign_key: str, budget: Money, *, cap: Money, by: str) -> None:
        """Sets a campaign's whole budget aside, if the month's cap allows; once is enough for good.

        Args:
            budget: all that it may ever spend.
            cap: what the campaigns that the tenant turns on in a month may spend together.
            by: who allowed it.

        Raises:
            CapReached: it does not allow it.
            PermanentError: the campaign has been set aside with another budget.
        """
        tenant, now = tenant_of(campaign_key), self._clock()
        month = datetime.fromtimestamp(now, UTC).strftime("%Y-%m")
        values = {"month": month, "minor": budget.minor, "currency": budget.currency, "allowed_by": by, "reserved_at": now}
        row = sa.insert(_commitments).values(campaign_key=campaign_key, tenant=tenant, **values)
        with self._database.transaction() as connection:
            self._wait_for_turn(connection, tenant)
            standing = self._of(connection, campaign_key)
            spent = self._sum(connection, tenant, month, budget.currency)
            allowed = standing is not None or spent + budget <= cap
            if standing is None and allowed:
                connection.execute(row)
        if standing is not None and standing != budget:
            raise PermanentError(f"{campaign_key} was turned on with {standing.in_words()}, and not with {budget.in_words()}.")
        if not allowed:
            raise CapReached(
                f"{tenant} has turned on campaigns for {spent.in_words()} in {month} (UTC), of {cap.in_words()} that are allowed, and "
                f"this one could spend {budget.in_words()}: raise caps.month in ad_accounts.yaml, or turn it on next month."
            )

    def turning_on(self, campaign_key: str) -> float:
        """A request that turns it on is about to be sent: whoever stops it from now on waits for its end. Epoch seconds."""
        now = self._clock()
        self._note(campaign_key, turning_on_at=now)
        return now

    def turned_on(self, campaign_key: str) -> None:
        """Meta has confirmed it."""
        self._note(campaign_key, turned_on_at=self._clock())

    def reserved(self, campaign_key: str) -> Money | None:
        """What was set aside for it; None where it was never turned on."""
        with self._database.connect() as connection:
            return self._of(connection, campaign_key)

    def last_turning_on(self, campaign_keys: list[str]) -> float:
        """Epoch seconds of the last request that was about to turn one of them on; 0 where there was none."""
        query = sa.select(sa.func.max(_commitments.c.turning_on_at)).where(_commitments.c.campaign_key.in_(campaign_keys))
        with self._database.connect() as connection:
            return float(connection.execute(query).scalar_one() or 0.0)

    def spent(self, tenant: str, month: str, currency: str) -> Money:
        """What the campaigns that were turned on in a month (UTC, YYYY-MM) may spend.

        Raises:
            PermanentError: some of them are in another currency.
        """
        with self._database.connect() as connection:
            return self._sum(connection, tenant, month, currency)

    def _note(self, campaign_key: str, **values: float) -> None:
        with self._database.connect() as connection:
            connection.execute(sa.update(_commitments).where(_commitments.c.campaign_key == campaign_key).values(**values))

    def _wait_for_turn(self, connection: sa.Connection, tenant: str) -> None:
        """Until the transaction ends, nobody else counts this tenant's money. In SQLite the transaction is the only writer anyway."""
        if not self._database.is_sqlite:
            turn = sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"videolab commitments {tenant}")))
            connection.execute(turn)

    @staticmethod
    def _of(connection: sa.Connection, campaign_key: str) -> Money | None:
        query = sa.select(_commitments.c.minor, _commitments.c.currency).where(_commitments.c.campaign_key == campaign_key)
        row = connection.execute(query).one_or_none()
        return Money(int(row.minor), row.currency) if row else None

    @staticmethod
    def _sum(connection: sa.Connection, tenant: str, month: str, currency: str) -> Money:
        query = sa.select(_commitments.c.minor, _commitments.c.currency)
        rows = connection.execute(query.where(_commitments.c.tenant == tenant, _commitments.c.month == month))
        return sum((Money(int(row.minor), row.currency) for row in rows), Money(0, currency))
