"""What a person sees of campaigns, results and proposals in the Dagster UI."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import dagster as dg

from videolab_assets.defs.display import picture, table
from videolab_assets.lib.campaigns.building import Built
from videolab_assets.lib.campaigns.dry_run import DryRunRow
from videolab_assets.lib.campaigns.plan import CampaignPlan, PlannedObject
from videolab_assets.lib.insights import InsightsTable, Synced
from videolab_assets.lib.insights.parts import window_of
from videolab_assets.lib.learning.evidence import OUTCOMES
from videolab_assets.lib.learning.performance import OUTCOME, Measured
from videolab_assets.lib.learning.plots import plot_calibration, plot_days, plot_posterior
from videolab_assets.lib.learning.proposal import Proposal
from videolab_assets.lib.meta.accounts import AdAccount
from videolab_assets.lib.money import Money
from videolab_assets.lib.publications import Recorded

ROWS_SHOWN = 50
WIDEST, HIGHEST = 800, 1000
LONGEST_PLOT = 60_000
"""Characters of a plot behind its button."""

Metadata = dict[str, Any]


def plot(png: bytes, name: str) -> dg.MarkdownMetadataValue:
    """A plot, legible once its button is pressed."""
    return dg.MetadataValue.md(picture(png, WIDEST, HIGHEST, name, LONGEST_PLOT))


def of_dry_run(plan: CampaignPlan, rows: Sequence[DryRunRow]) -> Metadata:
    """What would be made."""
    records = ({"what": row.what, "name": row.name, "checked by": row.checked_by, "with": row.params} for row in rows)
    return {
        "dry_run": "Nothing was created. This is what would be.",
        "budget": plan.budget.in_words(),
        "dates": _dates(plan),
        "objects": table(records),
    }


def of_campaign(plan: CampaignPlan, built: Built, document: str) -> Metadata:
    """What there is at Meta."""
    records = (
        {
            "what": planned.role,
            "id": built.ids[planned.role],
            "state": built.checked.states.get(planned.role, "–"),
            "name": planned.name,
            "budget": _budget(planned, plan),
        }
        for planned in plan.objects[:ROWS_SHOWN]
    )
    manager = f"https://adsmanager.facebook.com/adsmanager/manage/campaigns?act={plan.account_id.removeprefix('act_')}"
    return {
        "status": built.checked.states.get("campaign", "PAUSED"),
        "budget": plan.budget.in_words(),
        "dates": _dates(plan),
        "ads": len(plan.of_kind("ad")),
        "ad_sets": len(plan.of_kind("adset")),
        "created": len(built.created),
        "adopted": len(built.adopted),
        "split": plan.split or "none: differences between ads will be associations",
        "objects": table(records),
        "next": _activation(plan),
        "document": document,
        "ads_manager": dg.MetadataValue.url(f"{manager}&selected_campaign_ids={built.ids['campaign']}"),
    }


def _budget(planned: PlannedObject, plan: CampaignPlan) -> str:
    minor = planned.params.get("lifetime_budget")
    return Money(minor, plan.currency).in_words() if isinstance(minor, int) else ""


def _activation(plan: CampaignPlan) -> dg.MarkdownMetadataValue:
    """The file that would turn it on, to be copied."""
    said = f"campaign: {plan.campaign_key}\nbudget: {plan.budget.amount()}\ncurrency: {plan.currency}\nby: <your name>"
    return dg.MetadataValue.md(f"To turn it on, lay this into `inbox/{plan.tenant}/` as `<name>.activation.yaml`:\n```yaml\n{said}\n```")


def _dates(plan: CampaignPlan) -> str:
    return f"{plan.start:%Y-%m-%d %H:%M} to {plan.end:%Y-%m-%d %H:%M}, {plan.time_zone}"


def sentence_of_sync(account: AdAccount, synced: Synced) -> str:
    """For the run's log."""
    return (
        f"{account.tenant}: {synced.rows} rows of {synced.days.first} to {synced.days.last} in {synced.requests} requests and "
        f"{synced.reports} reports; {synced.restated} numbers restated, {synced.splits} reports split, {synced.absent} rows absent."
    )


def of_days(account: AdAccount, results: InsightsTable, synced: Synced) -> dict[date, Metadata]:
    """Each day's numbers of one account, to be plotted over the partitions. Money is in whole units, as a curve is."""
    window = window_of(account.windows)
    by_day = {one.date: one for one in results.by_day(account.account, synced.days.first, synced.days.last, window)}
    restated: dict[date, int] = {}
    for one in results.restatements(account.account, synced.days.first, synced.days.last):
        restated[one.date] = restated.get(one.date, 0) + 1
    shown: dict[date, Metadata] = {}
    for day in synced.days:
        found, named = by_day.get(day), account.tenant
        shown[day] = {
            f"{named}/spend_{account.currency}": float(Money(found.spend_minor if found else 0, account.currency).amount()),
            f"{named}/impressions": found.impressions if found else 0,
            f"{named}/thruplays": found.thruplays if found else 0,
            f"{named}/link_clicks": found.link_clicks if found else 0,
            f"{named}/ads": found.ads if found else 0,
            f"{named}/restated": restated.get(day, 0),
        }
    return shown


def of_insights(accounts: Iterable[AdAccount], results: InsightsTable, first: date, last: date) -> Metadata:
    """Plots and restatements of the days of a run, for its last day: on each of them they would fill the event log."""
    shown: Metadata = {"days": f"{first} to {last}"}
    for account in accounts:
        found = results.by_day(account.account, first, last, window_of(account.windows))
        shown[f"{account.tenant}/by_day"] = plot(plot_days(found, account.currency), "spend and results by day")
        changed = results.restatements(account.account, first, last)
        records = (
            {"level": one.level, "id": one.object_id, "day": one.date.isoformat(), "metric": one.metric, "was": one.old, "is": one.new}
            for one in changed[-ROWS_SHOWN:]
        )
        shown[f"{account.tenant}/restatements"] = table(records)
    return shown


def of_performance(measured: Measured) -> Metadata:
    """Posteriors, the score's calibration, and how the next budget should be divided."""
    posterior = measured.posteriors[OUTCOME]
    records = (
        {
            "clip": one.clip.name,
            f"{OUTCOME} %": round(100 * one.mean, 3),
            "90 % between": f"{100 * one.low:.3f} and {100 * one.high:.3f}",
            "best %": round(100 * one.best, 1),
            "next budget %": round(100 * measured.shares.get(one.clip, 0.0), 1),
            "impressions": one.impressions,
            "raw %": "–" if one.raw is None else f"{100 * one.raw:.3f}",
            "spent": Money(one.spend_minor, one.currency).in_words(),
        }
        for one in posterior.clips[:ROWS_SHOWN]
    )
    effects = (
        {
            "went together with": one.attribute,
            "on the logit scale": round(one.mean, 3),
            "90 % between": f"{one.low:.3f} and {one.high:.3f}",
            "sure that it is more %": round(100 * one.positive, 1),
            "clips": one.clips,
        }
        for one in posterior.effects[:ROWS_SHOWN]
    )
    plots = {f"posterior_{outcome}": plot(plot_posterior(measured.posteriors[outcome]), OUTCOMES[outcome]) for outcome in OUTCOMES}
    return {
        **plots,
        "calibration": plot(plot_calibration(measured.calibration), "score against results"),
        "score_against_results": measured.calibration.words,
        "clips": len(posterior.clips),
        "impressions": posterior.impressions,
        "ads_made_elsewhere": len(measured.foreign),
        "what_it_means": "Meta shows each ad to other people: what differs between ads is an association, unless an A/B split says so.",
        "table": table(records),
        "associations": table(effects),
    }


def of_proposal(proposal: Proposal, kept_as: str | None) -> Metadata:
    """What would change and why, or why nothing would."""
    records = (
        {
            "rule": change.field,
            "from": str(change.before),
            "to": str(change.after),
            "sure %": round(100 * change.probability, 1),
            "impressions": change.impressions,
            "clips": change.clips,
            "basis": change.basis,
            "why": change.sentence,
        }
        for change in proposal.changes
    )
    shown: Metadata = {
        "proposal": proposal.sentence,
        "changes": len(proposal.changes),
        "table": table(records),
        "stays": dg.MetadataValue.md("\n".join(f"- {sentence}" for sentence in proposal.held) or "nothing"),
        "based_on": proposal.based_on_version,
    }
    if kept_as is not None:
        said = f"proposal: {proposal.id}\nby: <your name>"
        shown["next"] = dg.MetadataValue.md(
            f"To follow it, lay this into a tenant's inbox as `<name>.approval.yaml`, or launch `approve_rules`:\n```yaml\n{said}\n```"
        )
        shown["id"], shown["document"] = proposal.id, kept_as
    return shown


def of_publications(latest: Sequence[Recorded], count: int, *, is_new: bool) -> Metadata:
    """The posts that are out, the newest first."""
    records = (
        {
            "posted": f"{one.publication.time:%Y-%m-%d %H:%M}",
            "video": one.publication.video,
            "clip": one.publication.clip if one.publication.look == "a" else f"{one.publication.clip}.{one.publication.look}",
            "platform": one.publication.platform,
            "account": one.publication.account,
            "post": one.publication.post,
        }
        for one in latest
    )
    return {"publications": count, "new": is_new, "table": table(records)}
