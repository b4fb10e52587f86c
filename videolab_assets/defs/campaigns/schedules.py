"""When results are fetched."""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from videolab_assets.defs.campaigns.jobs import sync_insights
from videolab_assets.defs.resources import StoreResource
from videolab_assets.lib.insights import complete_days
from videolab_assets.lib.meta.accounts import AdAccount, accounts_of
from videolab_assets.lib.meta.graph import token_variable
from videolab_assets.settings import Settings

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"


@dg.schedule(
    job=sync_insights,
    cron_schedule="23 * * * *",
    execution_timezone="UTC",
    # It only reads, and only from accounts that whoever runs VideoLab has named; so it is on.
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Once a day for each account, when its own day has been over for three hours: yesterday, and the 27 days before that Meta "
    "may have restated.",
)
def daily_insights(context: dg.ScheduleEvaluationContext, store: StoreResource) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Looks every hour, because accounts of all time zones have their midnights at all hours; a run key for each account and day keeps
    it to one run, and a day that was missed is made up for at the next look."""
    accounts = [account for account in accounts_of(store.open()).values() if token_variable(account.tenant)]
    if not accounts:
        yield dg.SkipReason("There is no account with an access token: write one into rules/ad_accounts.yaml and set META_ACCESS_TOKEN.")
    now = context.scheduled_execution_time.astimezone(UTC)
    for account in accounts:
        yield run_request(account, now)


def run_request(account: AdAccount, now: datetime) -> dg.RunRequest:
    """The run that fetches the account's last 28 complete days, as far as `ad_insights` reaches back."""
    days = complete_days(account.zone, now)
    first = max(days.first, Settings().insights_first_day)
    return dg.RunRequest(
        run_key=f"{account.account}:{days.last}",
        tags={RANGE_START: first.isoformat(), RANGE_END: days.last.isoformat(), "videolab/tenant": account.tenant},
        run_config={"ops": {"ad_insights": {"config": {"tenants": [account.tenant]}}}},
    )
