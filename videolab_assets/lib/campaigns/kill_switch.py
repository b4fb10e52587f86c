"""Everything of a tenant stopped, wherever it is: what the launchpad, the inbox and the command line share."""

from collections.abc import Callable

from videolab_assets.lib.campaigns.arming import Paused, pause_all
from videolab_assets.lib.campaigns.building import Patience
from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.meta.accounts import account_for
from videolab_assets.lib.meta.graph import Graph
from videolab_assets.lib.store import Store


def stop_tenant(
    tenant: str,
    reason: str,
    graph: Callable[[], Graph],
    ledger: Ledger,
    store: Store,
    *,
    campaign_key: str = "",
    patience: Patience | None = None,
    progress: Callable[[str], None],
) -> Paused:
    """Writes the stop down, then pauses all that it concerns in every account in which the tenant may have campaigns.

    A broken file of accounts keeps nobody from stopping what the ledger knows, a missing token nobody from writing the stop down, and a
    database that is away nobody from pausing what carries a tag at Meta.

    Args:
        graph: opens Meta.
        campaign_key: the one campaign; empty for all.
        progress: told a sentence before each step.

    Raises:
        PermanentError: there is no access token.
        TransientError: not everything could be paused or written down: run it again, at once.
    """
    places: set[str] = set()
    try:
        ledger.stops.stop(tenant, reason, campaign_key)
        places |= {campaign.account_id for campaign in ledger.campaigns(tenant)}
    except TransientError as error:
        progress(error.sentence)
    try:
        places.add(account_for(store, tenant).account)
    except PermanentError as error:
        progress(error.sentence)
    opened, everywhere = graph(), Paused()
    for account_id in sorted(places):
        done = pause_all(tenant, opened, ledger, account_id, reason=reason, campaign_key=campaign_key, patience=patience, progress=progress)
        everywhere.paused += done.paused
        everywhere.still += done.still
    return everywhere
