"""What a person decides and no schedule does: that a campaign may spend, that everything stops, that rules change."""

import time
from typing import Any

import dagster as dg
from pydantic import Field

from videolab_assets.defs.campaigns.meta import graph_for, patience, stopped
from videolab_assets.defs.campaigns.partitions import campaigns
from videolab_assets.defs.outcomes import tell_owner, told
from videolab_assets.defs.resources import StoreResource, database
from videolab_assets.lib.campaigns.arming import activate
from videolab_assets.lib.campaigns.kill_switch import stop_tenant
from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.campaigns.request import Activation, Stop
from videolab_assets.lib.clips.rules import RULES_KEY
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.keys import tenant_of
from videolab_assets.lib.learning.approval import approve as approve_proposal
from videolab_assets.lib.meta.accounts import account_for
from videolab_assets.lib.yaml_text import model_of

META_POOL = "meta"
"""Requests that change something at Meta follow one another."""


class TurnOnOrder(dg.Config):
    """Which campaign may spend, and exactly how much."""

    campaign: str = Field(description="its key, as among the partitions of meta_campaign")
    budget: str = Field(description="all that it may ever spend, as its plan says, such as 300.00")
    currency: str = Field(description="such as EUR")
    by: str = Field(description="who allows it")


class StopOrder(dg.Config):
    """What stands still from now on, or may go on again."""

    tenant: str
    reason: str
    campaign: str | None = Field(None, description="one campaign's key; all of the tenant's where it is left out")
    resume: bool = Field(False, description="lift the stop; nothing is turned on by that")


class ApproveOrder(dg.Config):
    """Which proposal becomes the rules."""

    proposal: str = Field(description="its eight digits, as proposed_rules shows them")
    by: str = Field(description="who approves it")


@dg.op(pool=META_POOL)
def turn_on(context: dg.OpExecutionContext, config: TurnOnOrder, store: StoreResource) -> None:
    """Reads the campaign back, reserves its budget under the caps, and turns it on, the campaign itself last."""
    tell_owner(context)
    with told(context):
        tenant, ledger = tenant_of(config.campaign), Ledger(database())
        activation = model_of(config.model_dump(), Activation, {"tenant": tenant})
        plan = ledger.plan(config.campaign)
        if plan is None:
            raise PermanentError(f"There is no campaign {config.campaign}: copy its key from the partitions of meta_campaign.")
        done = activate(
            plan,
            activation,
            account_for(store.open(), tenant),
            graph_for(tenant),
            ledger,
            patience=patience(),
            stopped=stopped,
            progress=context.log.info,
        )
    _observe(context, config.campaign, {"status": "ACTIVE", "budget": done.budget.in_words(), "by": config.by, "id": done.campaign_id})
    for issue in done.issues:
        context.log.warning(issue)


@dg.op  # in no pool: nothing that is at work may hold it up
def stop(context: dg.OpExecutionContext, config: StopOrder, store: StoreResource) -> None:
    """Writes the stop down, then pauses everything at Meta that it concerns and reads that back."""
    tell_owner(context)
    ledger = Ledger(database())
    with told(context):
        order = model_of(config.model_dump(exclude={"tenant"}), Stop, {"tenant": config.tenant})
        if order.resume:
            lifted = ledger.stops.lift(config.tenant, order.reason, order.campaign or "")
            context.log.info("The stop is lifted; what it paused stays paused." if lifted else "No such stop stands.")
            return
        done = stop_tenant(
            config.tenant,
            order.reason,
            lambda: graph_for(config.tenant, paced=False),
            ledger,
            store.open(),
            campaign_key=order.campaign or "",
            patience=patience(),
            progress=context.log.info,
        )
    context.log.info(f"{len(done.paused)} campaigns ran and are paused now, {len(done.still)} stood still before.")
    known = context.instance.get_dynamic_partitions(str(campaigns.name))
    concerned = [key for key in known if tenant_of(key) == config.tenant and order.campaign in (None, key)]
    for key in concerned:
        _observe(context, key, {"status": "PAUSED", "stopped": order.reason})


@dg.op
def approve(context: dg.OpExecutionContext, config: ApproveOrder, store: StoreResource) -> None:
    """Writes the proposal's rules where the next clip plans find them; those before stay."""
    tell_owner(context)
    with told(context):
        opened = store.open()
        approved = approve_proposal(opened, config.proposal, config.by, time.time())
    metadata: dict[str, Any] = {
        "version": approved.version,
        "sha256": approved.sha256,
        "proposal": config.proposal,
        "approved_by": config.by,
        "replaced": approved.kept_as or "the rules that ship",
        "file": dg.MetadataValue.path(opened.uri(RULES_KEY)),
    }
    context.log_event(dg.AssetMaterialization("platform_rules", metadata=metadata))


def _observe(context: dg.OpExecutionContext, campaign_key: str, metadata: dict[str, Any]) -> None:
    context.log_event(dg.AssetObservation("meta_campaign", partition=campaign_key, metadata=metadata))
