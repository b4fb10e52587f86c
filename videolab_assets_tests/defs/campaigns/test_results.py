"""Meta's numbers come back every day, and become what is known of clips, a proposal, and with a person's word the rules."""

import random
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
import sqlalchemy as sa

from videolab_assets.defs.campaigns.schedules import RANGE_END, RANGE_START
from videolab_assets.lib.clips.rules import default_rules, rules_in_force
from videolab_assets.lib.documents import ClipPlan
from videolab_assets.lib.insights import Synced, complete_days, sync
from videolab_assets.lib.insights.tables import insights
from videolab_assets.lib.meta.accounts import ACCOUNTS
from videolab_assets_tests.defs.campaigns.agency import ACCOUNT, ACCOUNTS_YAML, Agency, lay_clips
from videolab_assets_tests.lab import failures_of, materialized
from videolab_assets_tests.lib.campaigns.stage import CAMPAIGN, VIDEO

CLIPS = 20
MADRID = ZoneInfo("Europe/Madrid")
BEST = CAMPAIGN.partition("creatives:")[0] + "creatives: {best: 20, platform: instagram_reel}\n"


def tick(agency: Agency, now: datetime) -> list[dg.RunRequest]:
    """What the schedule asks for at that moment."""
    schedule = agency.lab.repository.get_schedule_def("daily_insights")
    resources = {"store": agency.lab.repository.get_top_level_resources()["store"]}
    with dg.build_schedule_context(instance=agency.lab.instance, scheduled_execution_time=now, resources=resources) as context:
        data = schedule.evaluate_tick(context)
    return list(data.run_requests or [])


def deliver(agency: Agency, days: list[date]) -> None:
    """Each ad is shown 1,000 times a day; the more hook its clip has, the more people stay."""
    drawn = random.Random(7)
    plan = agency.lab.library.document(VIDEO, ClipPlan)
    assert plan
    hooks = {clip.clip_id: clip.parts.hook or 0.0 for clip in plan.clips}
    for ad in agency.ledger.ads():
        rate = 0.02 + 0.12 * hooks[ad.clip.clip_id]
        for day in days:
            watched = sum(drawn.random() < rate for _ in range(1000))
            counts = {"impressions": 1000, "spend_minor": 250 + drawn.randrange(9), "plays_3s": 300, "thruplays": watched, "link_clicks": 9}
            agency.account.insights.add(ad.ad_id, day, **counts)


def test_the_loop_closes(agency: Agency, home: Path) -> None:
    """Numbers are lost or do not add up on their way back; nothing is learned of them; or rules change without a person's word."""
    lay_clips(agency.lab.library, CLIPS, looks=("a",))
    made = agency.ask(BEST, "spring.campaign.yaml")
    assert made.success, failures_of(made)
    now = datetime.now(UTC)
    window = complete_days(MADRID, now)
    days = [window.last - timedelta(days=number) for number in range(3)]
    deliver(agency, days)

    (request,) = tick(agency, now)
    assert (request.tags[RANGE_START], request.tags[RANGE_END]) == (window.first.isoformat(), window.last.isoformat())
    assert [again.run_key for again in tick(agency, now + timedelta(minutes=1))] == [request.run_key]
    result = agency.run(request, "sync_insights")
    assert result.success, failures_of(result)
    assert all(evaluation.passed for evaluation in result.get_asset_check_evaluations())
    events = {
        event.partition: event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key == dg.AssetKey("ad_insights")
    }
    assert len(events) == 28
    truth = agency.account.insights
    for day in days:
        shown = events[day.isoformat()]
        assert shown["acme/impressions"].value == truth.total("impressions", day, day) == 1000 * CLIPS
        assert shown["acme/spend_EUR"].value == truth.total("spend_minor", day, day) / 100
    performance = materialized(result)["clip_performance"].metadata
    assert performance["impressions"].value == 3000 * CLIPS
    assert "data:image/webp" in str(performance["posterior_watched"].value)
    assert "data:image/webp" in str(performance["calibration"].value)
    best = performance["table"]
    assert isinstance(best, dg.TableMetadataValue)
    rates = [float(str(row.data["watched %"])) for row in best.records]
    assert rates == sorted(rates, reverse=True) and 2 < rates[-1] < rates[0] < 14
    proposal = materialized(result)["proposed_rules"].metadata
    changes = proposal["table"]
    assert isinstance(changes, dg.TableMetadataValue)
    rows = {str(row.data["rule"]): row.data for row in changes.records}
    assert {str(row["basis"]) for row in rows.values()} == {"association"}
    assert float(str(rows["weights.hook"]["to"])) > float(str(rows["weights.hook"]["from"]))
    store = agency.lab.library.store
    assert rules_in_force(store).sha256 == default_rules().sha256, "rules changed before anybody said so"

    approved = agency.ask(f"proposal: {proposal['id'].value}\nby: Ana\n", "yes.approval.yaml")
    assert approved.success, failures_of(approved)
    followed = rules_in_force(store)
    assert str(proposal["id"].value) in followed.rules.version
    event = agency.lab.instance.get_latest_materialization_event(dg.AssetKey("platform_rules"))
    assert event and event.asset_materialization and event.asset_materialization.metadata["sha256"].value == followed.sha256

    assert agency.secrets_in(home) == []


@pytest.mark.long
def test_what_meta_changes_is_logged(agency: Agency) -> None:
    """Meta attributes again, and nobody can tell why yesterday's numbers are not yesterday's any more."""
    assert agency.ask(CAMPAIGN, "spring.campaign.yaml").success
    day = complete_days(MADRID, datetime.now(UTC)).last
    deliver(agency, [day])
    job = agency.lab.repository.get_job("sync_insights")
    restated = []
    for _ in range(2):
        result = job.execute_in_process(instance=agency.lab.instance, partition_key=day.isoformat(), raise_on_error=False)
        assert result.success, failures_of(result)
        restated.append(int(str(materialized(result)["ad_insights"].metadata["acme/restated"].value)))
        agency.account.insights.restate(day, factor=1.5)
    ads = len(agency.ledger.ads())
    assert restated[0] == 0 and restated[1] >= ads
    assert {one.metric for one in agency.table.restatements(ACCOUNT, day, day)} >= {"impressions", "thruplays", "spend_minor"}


@pytest.mark.long
def test_money_that_no_ad_spent_is_seen(agency: Agency, monkeypatch: pytest.MonkeyPatch) -> None:
    """The account spends what no ad accounts for, as after a row was lost, and the check is green."""
    agency.write(ACCOUNTS, f"{ACCOUNTS_YAML}  windows: [7d_click, 1d_view]\n")
    day = complete_days(MADRID, datetime.now(UTC)).last
    ad = {"ad_id": "9", "adset_id": "8", "campaign_id": "7"}
    agency.account.insights.add(ad, day, impressions=100, spend_minor=1234, plays_3s=10, thruplays=5, link_clicks=1)
    job = agency.lab.repository.get_job("sync_insights")
    first = job.execute_in_process(instance=agency.lab.instance, partition_key=day.isoformat(), raise_on_error=False)
    assert first.success, failures_of(first)
    assert {one.check_name: one.passed for one in first.get_asset_check_evaluations()} == {"spend_reconciles": True}
    performance = materialized(first)["clip_performance"].metadata
    assert (performance["clips"].value, performance["ads_made_elsewhere"].value) == (0, 1)

    def losing(*arguments: Any) -> Synced:
        done = sync(*arguments)
        with agency.table.transaction() as connection:
            connection.execute(sa.delete(insights).where(insights.c.level == "ad"))
        return done

    monkeypatch.setattr("videolab_assets.defs.campaigns.assets.sync", losing)
    second = job.execute_in_process(instance=agency.lab.instance, partition_key=day.isoformat(), raise_on_error=False)
    (check,) = second.get_asset_check_evaluations()
    assert not check.passed
    assert f"acme, {day}: the ads spent 0.00 EUR, the account 12.34 EUR" in str(check.metadata["which"].value)


def test_each_accounts_day_is_its_own(agency: Agency) -> None:
    """An account far in the east is asked for a day that is not over, or one in the west a day late; or a missed tick loses a day."""
    zones = {"west": "Pacific/Honolulu", "east": "Pacific/Kiritimati", "acme": "Europe/Madrid"}
    file = "".join(
        ACCOUNTS_YAML.replace("acme:", f"{tenant}:").replace("act_1001", f"act_{number}").replace("Europe/Madrid", zone)
        for number, (tenant, zone) in enumerate(zones.items(), 2001)
    )
    agency.write("rules/ad_accounts.yaml", file)
    asked = {
        request.tags["videolab/tenant"]: request.tags[RANGE_END] for request in tick(agency, datetime(2026, 11, 27, 14, 23, tzinfo=UTC))
    }
    assert asked == {"west": "2026-11-26", "east": "2026-11-27", "acme": "2026-11-26"} or asked["west"] == "2026-11-26"
    earlier = {
        request.tags["videolab/tenant"]: request.tags[RANGE_END] for request in tick(agency, datetime(2026, 11, 27, 1, 23, tzinfo=UTC))
    }
    assert earlier == {"west": "2026-11-25", "east": "2026-11-26", "acme": "2026-11-25"}


def test_nothing_is_asked_where_there_is_no_account(agency: Agency) -> None:
    """The schedule fails every hour where nobody advertises."""
    agency.write("rules/ad_accounts.yaml", "")
    assert tick(agency, datetime(2026, 11, 27, 14, 23, tzinfo=UTC)) == []
