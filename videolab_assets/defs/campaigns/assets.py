"""Campaigns out, their results back, and what the results say."""

import functools
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import dagster as dg
from pydantic import Field

from videolab_assets.defs.campaigns import shown
from videolab_assets.defs.campaigns.checks import RECONCILES, reconciled
from videolab_assets.defs.campaigns.meta import graph_for, patience, stopped
from videolab_assets.defs.campaigns.partitions import campaigns, days
from videolab_assets.defs.campaigns.switches import META_POOL
from videolab_assets.defs.outcomes import tell_owner, told
from videolab_assets.defs.partitions import OWNERS
from videolab_assets.defs.resources import StoreResource, Workshop, database
from videolab_assets.lib.campaigns.building import build
from videolab_assets.lib.campaigns.dry_run import dry_run
from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.campaigns.objectives import PLACEMENTS
from videolab_assets.lib.campaigns.ordering import begin, keep_made, ordered
from videolab_assets.lib.clips.rules import rules_in_force
from videolab_assets.lib.insights import DayRange, InsightsTable, due, sync
from videolab_assets.lib.insights.parts import window_of
from videolab_assets.lib.learning.performance import OUTCOME, evidence_in, measure, performance_in
from videolab_assets.lib.learning.proposal import keep, propose
from videolab_assets.lib.meta.accounts import account_for, accounts_of
from videolab_assets.lib.platforms import PLATFORMS
from videolab_assets.lib.publications import Publications, checked_publication, variant_exists
from videolab_assets.lib.scratch import scratch_folder

CAMPAIGN_VERSION = "1"
INSIGHTS_VERSION = "1"
LEARNING_VERSION = "1"

_EVERY_PLATFORM = [dg.AssetDep(platform) for platform in PLATFORMS]
_EVERY_VIDEO = [dg.AssetDep(platform, partition_mapping=dg.AllPartitionMapping()) for platform in PLACEMENTS]


class CampaignRun(dg.Config):
    """How a campaign is made."""

    dry_run: bool = Field(False, description="show what would be created, checked by Meta where it can, and create nothing")


@dg.asset(
    group_name="campaigns",
    partitions_def=campaigns,
    output_required=False,
    deps=_EVERY_VIDEO,
    pool=META_POOL,
    kinds={"facebook", "json"},
    owners=OWNERS,
    code_version=CAMPAIGN_VERSION,
)
def meta_campaign(
    context: dg.AssetExecutionContext, config: CampaignRun, store: StoreResource, workshop: Workshop
) -> Iterator[dg.MaterializeResult[None]]:
    """A campaign at Meta with its ad sets, videos, creatives and ads, as `<name>.campaign.yaml` asks for it. All of it is made PAUSED.

    Nothing is made twice: each object is written down before the request that makes it, and looked for by its tag after any that was not
    answered. To let it spend, lay `<name>.activation.yaml` into the inbox or launch `activate_campaign`: either names the budget.
    """
    tell_owner(context)
    key, opened, ledger = context.partition_key, store.open(), Ledger(database())
    with told(context):
        plan, is_shown_only = ordered(opened, key, ledger, datetime.now(UTC), performance_in(opened))
        account, graph = account_for(opened, plan.tenant), graph_for(plan.tenant)
        if config.dry_run or is_shown_only:
            rows = dry_run(plan, account, graph, ledger)
            context.log_event(dg.AssetObservation("meta_campaign", partition=key, metadata=shown.of_dry_run(plan, rows)))
            return
        begin(opened, plan, ledger)
        with scratch_folder(workshop.folder) as folder:
            built = build(plan, account, graph, ledger, opened, folder, patience=patience(), stopped=stopped, progress=context.log.info)
        document = keep_made(opened, plan, built)
    for sentence in (*built.checked.differences, *built.checked.issues):
        context.log.warning(sentence)
    yield dg.MaterializeResult(metadata=shown.of_campaign(plan, built, document), data_version=dg.DataVersion(plan.digest[:16]))


class InsightsRun(dg.Config):
    """Whose results are fetched."""

    tenants: list[str] = Field(default_factory=list, description="all that have an account where it is left empty")


@dg.asset(
    group_name="campaigns",
    partitions_def=days,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=[dg.AssetDep(meta_campaign, partition_mapping=dg.AllPartitionMapping())],
    pool="insights",
    check_specs=[RECONCILES],
    kinds={"facebook", "sql"},
    owners=OWNERS,
    code_version=INSIGHTS_VERSION,
)
def ad_insights(
    context: dg.AssetExecutionContext, config: InsightsRun, store: StoreResource
) -> Iterator[dg.MaterializeResult[None] | dg.AssetCheckResult]:
    """What Meta's ads did on a day of the account's own time zone, kept for good in SQL; a number that Meta changes later is logged.

    A run takes any stretch of days. Reports are fetched side by side, split where Meta says that it is too much, and taken up again by
    their ids after a crash. Reach and whatever else does not add up is kept at its own grain.
    """
    tell_owner(context)
    first, last = (date.fromisoformat(key) for key in (context.partition_keys[0], context.partition_keys[-1]))
    table, now, differences = InsightsTable(database()), datetime.now(UTC), []
    per_day: dict[date, dict[str, Any]] = {}
    with told(context):
        accounts = accounts_of(store.open())
        wanted = [account_for(store.open(), tenant) for tenant in config.tenants] or list(accounts.values())
        for account in wanted:
            newest = due(account.zone, now)
            if newest < first:
                context.log.info(f"{account.tenant}: none of these days is over in {account.time_zone} yet.")
                continue
            over = DayRange(first, min(last, newest))
            synced = sync(graph_for(account.tenant), account, over, table)
            context.log.info(shown.sentence_of_sync(account, synced))
            for day, metadata in shown.of_days(account, table, synced).items():
                per_day.setdefault(day, {}).update(metadata)
            window = window_of(account.windows)
            differences += [(account, one) for one in table.reconciliation(account.account, over.first, over.last, window)]
    per_day.setdefault(last, {}).update(shown.of_insights(wanted, table, first, last))
    for day, metadata in per_day.items():
        context.add_asset_metadata(metadata, partition_key=day.isoformat())
    yield dg.MaterializeResult()
    yield reconciled(differences)


@dg.asset(
    group_name="campaigns",
    deps=[ad_insights, dg.AssetDep("clip_plan")],
    kinds={"numpy", "json"},
    owners=OWNERS,
    code_version=LEARNING_VERSION,
)
def clip_performance(context: dg.AssetExecutionContext, store: StoreResource) -> dg.MaterializeResult[None]:
    """How good each advertised clip is, with what is not known: a posterior per clip, pooled over its video, its looks and its score.

    What differs between ads is associated with their clips, not caused by them, because Meta shows each ad to people of its choice; only
    an A/B split says more, and is told apart.
    """
    opened = store.open()
    with told(context):
        measured = measure(opened, Ledger(database()), InsightsTable(database()), accounts_of(opened).values(), datetime.now(UTC))
    return dg.MaterializeResult(metadata=shown.of_performance(measured), data_version=dg.DataVersion(measured.results.recipe[:16]))


@dg.asset(
    group_name="campaigns",
    deps=[clip_performance, dg.AssetDep("platform_rules")],
    kinds={"yaml", "json"},
    owners=OWNERS,
    code_version=LEARNING_VERSION,
)
def proposed_rules(context: dg.AssetExecutionContext, store: StoreResource) -> dg.MaterializeResult[None]:
    """Other `platform_rules`, where the results speak for them: what would change, how sure that is, on how many impressions; or why not.

    Nothing changes by itself: a person approves a proposal by a file in the inbox, or from the launchpad of `approve_rules`.
    """
    opened = store.open()
    with told(context):
        accounts = accounts_of(opened).values()
        evidence, _ = evidence_in(opened, Ledger(database()), InsightsTable(database()), accounts, datetime.now(UTC))
        proposal = propose(evidence, rules_in_force(opened), OUTCOME)
        kept_as = keep(proposal, opened)
    return dg.MaterializeResult(metadata=shown.of_proposal(proposal, kept_as), data_version=dg.DataVersion(proposal.id))


class Post(dg.Config):
    """A post that is out, as `<name>.publication.yaml` says it."""

    video: str = Field(description="the video's key")
    clip: str = Field(description="such as c01")
    look: str = "a"
    platform: str = Field(description="the asset that was posted, such as instagram_reel")
    account: str = Field(description="where it was posted, such as @acme")
    post: str = Field(description="its address, or the platform's id of it")
    time: str = Field(description="with its offset from UTC, such as 2026-11-20 18:00+01:00")


@dg.asset(group_name="campaigns", deps=_EVERY_PLATFORM, kinds={"sql"}, owners=OWNERS, code_version="1")
def publications(context: dg.AssetExecutionContext, config: Post, store: StoreResource) -> dg.MaterializeResult[None]:
    """The organic posts that persons have confirmed, each clip once on an account."""
    tell_owner(context)
    posts = Publications(database())
    with told(context):
        library = store.library()
        is_there = functools.partial(variant_exists, library)
        publication = checked_publication(config.model_dump(), is_there, time.time())
        is_new = posts.record(publication)
    return dg.MaterializeResult(metadata=shown.of_publications(posts.latest(), posts.count(), is_new=is_new))
