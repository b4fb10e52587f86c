"""What paid services cost each tenant, and the cap on a day: intent first, then the call, then what it really cost.

An amount is held before the call that spends it, as the most that the call can cost, and settled afterwards. What is never settled,
because the process died or nobody knows whether the service was paid for, stays spent. Money is kept in whole millionths of a US
dollar; days are those of UTC.
"""

import math
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import PermanentError

_NO_CAP = 1e9
"""US dollars; infinity is no whole number."""

_metadata = sa.MetaData()

_spending = sa.Table(
    "spending",
    _metadata,
    sa.Column("hold_id", sa.String(32), primary_key=True),
    sa.Column("tenant", sa.String(32), nullable=False),
    sa.Column("service", sa.String(32), nullable=False),
    sa.Column("day", sa.String(10), nullable=False, comment="UTC, YYYY-MM-DD"),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("microdollars", sa.BigInteger, nullable=False, comment="the most it can cost until settled, then the cost"),
    sa.Column("settled", sa.Boolean, nullable=False),
    sa.Column("held_at", sa.Double, nullable=False),
    sa.Column("settled_at", sa.Double),
)
sa.Index("spending_of_a_day", _spending.c.tenant, _spending.c.service, _spending.c.day)


class CapReached(PermanentError):
    """The call was not made: with it the tenant could have spent more than the day's cap."""


@dataclass(frozen=True)
class Hold:
    """Money set aside for one call.

    Attributes:
        hold_id: names its row.
        dollars: the most that the call can cost, and what it counts as until it is settled.
    """

    hold_id: str
    dollars: float


class Spending:
    """The table of what was spent; made if missing.

    Every method raises TransientError when the database cannot be reached or stays locked.

    Args:
        database: where it is.
        clock: epoch seconds.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        database.make(_metadata)

    def hold(self, tenant: str, service: str, dollars: float, *, cap: float, setting: str, purpose: str = "") -> Hold:
        """Sets money aside for a call, if the day's cap allows; of concurrent callers no more get theirs than the cap has room for.

        Args:
            tenant: who pays.
            service: whom; each service has a cap of its own.
            dollars: the most that the call can cost.
            cap: US dollars that the tenant may spend on the service in a day.
            setting: what a person changes to raise the cap.
            purpose: what for, such as the model.

        Raises:
            CapReached: it does not.
        """
        wanted, now = _microdollars(dollars), self._clock()
        day, hold_id = _day(now), uuid.uuid4().hex
        held = {"microdollars": wanted, "settled": False, "held_at": now}
        row = sa.insert(_spending).values(hold_id=hold_id, tenant=tenant, service=service, day=day, purpose=purpose, **held)
        with self._database.transaction() as connection:
            self._wait_for_turn(connection, tenant, service)
            spent = self._spent(connection, tenant, service, day)
            allowed = spent + wanted <= round(min(cap, _NO_CAP) * 1e6)
            if allowed:
                connection.execute(row)
        if not allowed:
            raise CapReached(
                f"{tenant} has spent {in_words(spent / 1e6)} of the {in_words(cap)} that it may spend on {service} in a day (UTC), and "
                f"this call may cost up to {in_words(dollars)}: raise {setting}, or run it again tomorrow."
            )
        return Hold(hold_id, wanted / 1e6)

    def settle(self, hold: Hold, dollars: float) -> float:
        """Says what the call cost, 0 where it was not billed; the first word counts.

        Returns:
            What is on the books: US dollars, rounded up to a millionth.
        """
        cost = _microdollars(dollars)
        mine = (_spending.c.hold_id == hold.hold_id, _spending.c.settled.is_(False))
        with self._database.connect() as connection:
            connection.execute(sa.update(_spending).where(*mine).values(microdollars=cost, settled=True, settled_at=self._clock()))
        return cost / 1e6

    def spent(self, tenant: str, service: str) -> float:
        """US dollars spent and held today."""
        with self._database.connect() as connection:
            return self._spent(connection, tenant, service, _day(self._clock())) / 1e6

    def _wait_for_turn(self, connection: sa.Connection, tenant: str, service: str) -> None:
        """Until the transaction ends, nobody else counts this tenant's money. In SQLite the transaction is the only writer anyway."""
        if not self._database.is_sqlite:
            turn = sa.select(sa.func.pg_advisory_xact_lock(sa.func.hashtext(f"videolab spending {service} {tenant}")))
            connection.execute(turn)

    @staticmethod
    def _spent(connection: sa.Connection, tenant: str, service: str, day: str) -> int:
        # PostgreSQL sums BIGINT as NUMERIC.
        total = sa.func.coalesce(sa.func.sum(_spending.c.microdollars), 0)
        of_the_day = (_spending.c.tenant == tenant, _spending.c.service == service, _spending.c.day == day)
        return int(connection.execute(sa.select(total).where(*of_the_day)).scalar_one())


def in_words(dollars: float) -> str:
    """US dollars, to the cent; below ten cents with as many digits as tell."""
    return f"${dollars:.2f}" if dollars >= 0.1 or dollars == 0 else f"${dollars:.2g}"


def _microdollars(dollars: float) -> int:
    """Rounded up; the first rounding takes away what floating point added (0.1 + 0.2)."""
    return math.ceil(round(dollars * 1e6, 3))


def _day(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).date().isoformat()
