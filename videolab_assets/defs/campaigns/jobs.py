"""The jobs of this stage. What spends takes two of them: one makes a campaign, paused; another, asked for by itself, turns it on."""

from dataclasses import dataclass
from typing import Any

import dagster as dg

from videolab_assets.defs.campaigns.switches import approve, stop, turn_on
from videolab_assets.lib.requests.kinds import ACTIVATION, APPROVAL, CAMPAIGN, PUBLICATION, STOP, RequestKind

create_campaign = dg.define_asset_job(
    "create_campaign",
    selection=dg.AssetSelection.assets("meta_campaign"),
    executor_def=dg.in_process_executor,
    description="A campaign at Meta as its file asks for it, all of it paused; or with `dry_run` what would be made.",
)

record_publication = dg.define_asset_job(
    "record_publication",
    selection=dg.AssetSelection.assets("publications"),
    executor_def=dg.in_process_executor,
    description="Notes a post that a person has put out.",
)

sync_insights = dg.define_asset_job(
    "sync_insights",
    selection=dg.AssetSelection.assets("ad_insights", "clip_performance", "proposed_rules"),
    executor_def=dg.in_process_executor,
    description="Some days' results from Meta, what they say of each clip, and which rules they speak for.",
)


@dg.job(executor_def=dg.in_process_executor, description="Turns a campaign on that has been made. The one step that lets money be spent.")
def activate_campaign() -> None:
    """A person names the campaign and exactly its budget."""
    turn_on()


@dg.job(executor_def=dg.in_process_executor, description="The kill switch: pauses all of a tenant, or one campaign, until it is lifted.")
def stop_campaigns() -> None:
    """Nothing is made or turned on while a stop stands."""
    stop()


@dg.job(executor_def=dg.in_process_executor, description="Makes a proposal the rules that the next clip plans follow.")
def approve_rules() -> None:
    """A person names the proposal."""
    approve()


@dataclass(frozen=True)
class Following:
    """The job that follows a kind of request, and the op of it that takes what the request says."""

    job: Any
    op: str

    @property
    def name(self) -> str:
        return str(self.job.name)


REQUESTED: dict[RequestKind, Following] = {
    CAMPAIGN: Following(create_campaign, "meta_campaign"),
    ACTIVATION: Following(activate_campaign, "turn_on"),
    STOP: Following(stop_campaigns, "stop"),
    PUBLICATION: Following(record_publication, "publications"),
    APPROVAL: Following(approve_rules, "approve"),
}
