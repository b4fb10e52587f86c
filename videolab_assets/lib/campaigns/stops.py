"""What may not go on: a tenant's stop, or a campaign's, looked at directly before each request that changes something at Meta."""

import time
from collections.abc import Callable

import sqlalchemy as sa

from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import PermanentError

_metadata = sa.MetaData()

_stops = sa.Table(
    "meta_stops",
    _metadata,
    sa.Column("tenant", sa.String(32), primary_key=True),
    sa.Column("campaign_key", sa.String(96), primary_key=True, comment="empty for everything of the tenant"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("stopped_at", sa.Double, nullable=False),
    sa.Column("lifted_at", sa.Double),
    sa.Column("lifted_why", sa.Text),
)


class Stopped(PermanentError):
    """Nothing more is done, because a person has stopped it."""


class Stops:
    """The table; made if missing. Every method raises TransientError when the database cannot be reached or stays locked.

    Args:
        database: where it is.
        clock: epoch seconds.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        database.make(_metadata)

    def stop(self, tenant: str, reason: str, campaign_key: str = "") -> None:
        """Everything of a tenant, or one campaign, stands still from the moment that this returns."""
        values = {"reason": reason, "stopped_at": self._clock(), "lifted_at": None, "lifted_why": None}
        insert = self._database.insert(_stops).values(tenant=tenant, campaign_key=campaign_key, **values)
        with self._database.connect() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=[_stops.c.tenant, _stops.c.campaign_key], set_=values))

    def lift(self, tenant: str, reason: str, campaign_key: str = "") -> bool:
        """Allows it again, and turns nothing on; whether there was a stop. A tenant's stop and a campaign's are lifted one by one."""
        standing = (_stops.c.tenant == tenant, _stops.c.campaign_key == campaign_key, _stops.c.lifted_at.is_(None))
        update = sa.update(_stops).where(*standing).values(lifted_at=self._clock(), lifted_why=reason)
        with self._database.connect() as connection:
            return connection.execute(update).rowcount > 0

    def standing(self, tenant: str, campaign_key: str) -> str | None:
        """Why a campaign may not go on; None where it may."""
        concerned = (_stops.c.tenant == tenant, _stops.c.campaign_key.in_(("", campaign_key)), _stops.c.lifted_at.is_(None))
        query = sa.select(_stops.c.reason).where(*concerned).order_by(_stops.c.campaign_key)
        with self._database.connect() as connection:
            reason = connection.execute(query).scalars().first()
        return None if reason is None else str(reason)
