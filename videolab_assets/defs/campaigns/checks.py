"""Is a campaign what was ordered, is all money accounted for, and is what is learned worth anything?"""

from collections.abc import Sequence

import dagster as dg

from videolab_assets.defs.campaigns.meta import graph_for
from videolab_assets.defs.campaigns.partitions import campaigns
from videolab_assets.defs.outcomes import warned
from videolab_assets.defs.resources import database
from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.campaigns.verifying import RUNNING, verify
from videolab_assets.lib.insights import DayDifference
from videolab_assets.lib.meta.accounts import AdAccount
from videolab_assets.lib.money import Money

MOST_NAMED = 10

RECONCILES = dg.AssetCheckSpec(
    "spend_reconciles",
    asset="ad_insights",
    description="On each day the ads' spend is the account's own total, to the minor unit.",
)


def reconciled(differences: Sequence[tuple[AdAccount, DayDifference]]) -> dg.AssetCheckResult:
    """The result of `spend_reconciles` for the days of a run.

    It warns: where Meta restates between the two reports, both sides agree again with the next sync.
    """
    named = [
        f"{account.tenant}, {one.date}: the ads spent {Money(one.ads_minor, account.currency).in_words()}, "
        f"the account {Money(one.account_minor, account.currency).in_words()}"
        for account, one in differences[:MOST_NAMED]
    ]
    return dg.AssetCheckResult(
        check_name=RECONCILES.name,
        asset_key="ad_insights",
        passed=not differences,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"days_that_differ": len(differences), "which": "; ".join(named) or "none"},
    )


@dg.asset_check(
    asset="meta_campaign",
    partitions_def=campaigns,
    description="What is at Meta now is what was planned: names, parents, budgets, dates, audience, states.",
)
def campaign_is_as_planned(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """Reads everything back. Meta may complain of an object after it has made it, and a person may change one in Ads Manager."""
    key, ledger = context.partition_key, Ledger(database())
    plan = ledger.plan(key)
    if plan is None or not ledger.is_begun(key):
        return warned(True, found="nothing has been made yet")
    checked = verify(plan, ledger.ids(key), graph_for(plan.tenant), RUNNING)
    problems = [*checked.differences, *checked.issues]
    return dg.AssetCheckResult(
        passed=not problems, metadata={"problems": len(problems), "which": " ".join(problems[:MOST_NAMED]) or "none", **checked.states}
    )
