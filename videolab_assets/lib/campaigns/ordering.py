"""From a campaign's file in the inbox to the plan that its run carries out, and what is kept of both in the store."""

from datetime import datetime

from videolab_assets.lib.campaigns.building import Built
from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.campaigns.library import CampaignClips, Performance, not_known
from videolab_assets.lib.campaigns.plan import CAMPAIGNS, CampaignPlan, plan_campaign
from videolab_assets.lib.campaigns.request import CampaignRequest, campaign_key_of, read_campaign
from videolab_assets.lib.documents import Model
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.keys import tenant_of
from videolab_assets.lib.library import Library
from videolab_assets.lib.meta.accounts import account_for
from videolab_assets.lib.requests.kinds import LONGEST_REQUEST
from videolab_assets.lib.store import ObjectMissing, Store


def request_key(campaign_key: str) -> str:
    """Where the store keeps what was asked for under a campaign's key, as a person wrote it."""
    return f"{CAMPAIGNS}/{tenant_of(campaign_key)}/{campaign_key}/request.yaml"


def order(store: Store, data: bytes, tenant: str, file_name: str, now: datetime, performance: Performance = not_known) -> str:
    """Checks a campaign's file and keeps it; the campaign's key.

    The same campaign ordered again has the same key: comments, or whether it is a dry run, do not make it another.

    Args:
        file_name: as in the inbox.
        now: an aware moment.
        performance: what the best clips are chosen by.

    Raises:
        PermanentError: it cannot be made as it is written, or the tenant has no account: nothing was kept.
    """
    request = _read(store, data, tenant, now, performance)
    key = campaign_key_of(tenant, file_name, request)
    store.write_bytes(request_key(key), data, media_type="application/yaml")
    return key


def ordered(
    store: Store, campaign_key: str, ledger: Ledger, now: datetime, performance: Performance = not_known
) -> tuple[CampaignPlan, bool]:
    """The plan of a campaign that was ordered, and whether it is to be shown only.

    As soon as anything of it may be at Meta, the plan is the one that was begun, whatever day it is. Until then it follows the file, the
    accounts and the clips as they are now, so that what stood in its way can be mended.

    Raises:
        PermanentError: nothing was ordered under that key, or it cannot be made any more.
    """
    if ledger.is_begun(campaign_key):
        plan = ledger.plan(campaign_key)
        if plan is None:
            raise PermanentError(f"The plan of {campaign_key} is gone, and it has been begun: pause it and order it anew.")
        return plan, False
    tenant = tenant_of(campaign_key)
    try:
        data = store.read_bytes(request_key(campaign_key), LONGEST_REQUEST)
    except ObjectMissing as error:
        raise PermanentError(f"No campaign was ordered as {campaign_key}: lay its file into inbox/{tenant}/.") from error
    request = _read(store, data, tenant, now, performance)
    plan = plan_campaign(campaign_key, request, CampaignClips(Library(store), tenant, performance).context(account_for(store, tenant), now))
    return plan, request.dry_run


def begin(store: Store, plan: CampaignPlan, ledger: Ledger) -> None:
    """Writes down the plan and what it intends, before anything is made; a copy for people lies in the store.

    Raises:
        PermanentError: another one has been begun meanwhile.
    """
    ledger.forget(plan.campaign_key)
    ledger.enter(plan)
    data = plan.model_dump_json(indent=1).encode()
    store.write_bytes(f"{CAMPAIGNS}/{plan.tenant}/{plan.campaign_key}/plan.json", data, media_type="application/json")


class MadeCampaign(Model):
    """What there is at Meta, as it was last read back.

    Attributes:
        ids, states: Meta's, by the plan's roles.
        differences, issues: sentences; both empty where everything is as planned and Meta complains of nothing.
    """

    campaign_key: str
    account_id: str
    plan: str
    ids: dict[str, str]
    states: dict[str, str]
    differences: list[str]
    issues: list[str]


def keep_made(store: Store, plan: CampaignPlan, built: Built) -> str:
    """Writes what was made beside the plan, for people and programs; returns its key. The ledger is what counts."""
    made = MadeCampaign(
        campaign_key=plan.campaign_key,
        account_id=plan.account_id,
        plan=plan.digest,
        ids=built.ids,
        states=built.checked.states,
        differences=built.checked.differences,
        issues=built.checked.issues,
    )
    key = f"{CAMPAIGNS}/{plan.tenant}/{plan.campaign_key}/meta_campaign.json"
    store.write_bytes(key, made.model_dump_json(indent=1).encode(), media_type="application/json")
    return key


def _read(store: Store, data: bytes, tenant: str, now: datetime, performance: Performance) -> CampaignRequest:
    account = account_for(store, tenant)
    return read_campaign(data, CampaignClips(Library(store), tenant, performance).context(account, now))
