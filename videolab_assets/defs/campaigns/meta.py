"""Meta as the environment describes it. Opening it costs nothing: the SDK is loaded with the first request."""

from videolab_assets.lib.campaigns.building import Patience
from videolab_assets.lib.meta.graph import Graph, connection_of
from videolab_assets.lib.meta.pacing import Pace
from videolab_assets.settings import Settings


def graph_for(tenant: str, *, paced: bool = True) -> Graph:
    """The Marketing API with the tenant's token, which is read here and kept nowhere else.

    Args:
        paced: requests wait before Meta's limits are reached; those that stop something do not.

    Raises:
        PermanentError: there is no token, or an address or version that cannot be used.
    """
    settings = Settings()
    connection = connection_of(tenant, endpoint=settings.meta_endpoint, version=settings.meta_version, timeout=settings.meta_timeout)
    return Graph(connection, pace=Pace() if paced else None)


def patience() -> Patience:
    """How long to wait for what became of a request that was not answered."""
    return Patience(settle_seconds=Settings().meta_settle_seconds)


def stopped() -> str | None:
    """The environment's own kill switch, read anew each time; None where it is off."""
    return f"VIDEOLAB_META_STOP is set: {reason}" if (reason := Settings().meta_stop.strip()) else None
