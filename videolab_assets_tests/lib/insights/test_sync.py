"""Fetching insights over real HTTP from a server that behaves as Meta does, and misbehaves as Meta does."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import TransientError
from videolab_assets.lib.insights import DayRange, InsightsTable, Synced, sync
from videolab_assets.lib.insights.parts import COLUMNS
from videolab_assets.lib.meta.errors import OutcomeUnknown, Throttled, TokenRefused
from videolab_assets.lib.meta.graph import Connection, Graph
from videolab_assets.lib.meta.pacing import Pace
from videolab_assets_tests.graph_server import Account, GraphServer, Leak, ManualClock, Received, graph_server
from videolab_assets_tests.graph_server.request import Answer
from videolab_assets_tests.lib.insights.truth import (
    DAYS,
    account_of,
    delivered,
    delivered_in_all,
    fixed_clock,
    kept,
    kept_in_all,
    reach_kept,
)


@dataclass
class Desk:
    """A server with an account, our tables, and a clock that moves when somebody sleeps."""

    server: GraphServer
    account: Account
    table: InsightsTable
    clock: ManualClock

    def now(self) -> float:
        return self.clock().timestamp()

    def graph(self) -> Graph:
        return Graph(Connection(self.server.token, self.server.endpoint, timeout=5.0), sleep=self.clock.sleep, clock=self.now)

    def sync(self, days: DayRange = DAYS, windows: tuple[str, ...] = (), **settings: Any) -> Synced:
        account = account_of(self.account, windows=windows)
        settings = {"page_size": 20, **settings}
        self.clock.sleep(60)
        return sync(self.graph(), account, days, self.table, clock=self.now, sleep=self.clock.sleep, **settings)

    def check(self, days: DayRange = DAYS) -> None:
        """All that was delivered is in the tables, exactly once, and nothing is left to do."""
        assert kept(self.table.database, self.account.id) == delivered(self.account, days)
        assert kept_in_all(self.table.database, self.account.id) == delivered_in_all(self.account, days)
        assert self.table.reconciliation(self.account.id, days.first, days.last) == []
        assert self.reports() == []

    def reports(self) -> list[Any]:
        with self.table.database.connect() as connection:
            return list(connection.exec_driver_sql("SELECT state, report_run_id, cursor, starts, reason FROM insights_reports"))

    def asked(self) -> Counter[str]:
        """Requests by kind."""
        kinds: Counter[str] = Counter()
        for received in self.server.received:
            if received.method == "POST":
                kinds["job"] += 1
            elif not received.path:
                kinds["poll"] += 1
            else:
                kinds["page" if received.path.startswith("650") and received.path.endswith("/insights") else "other"] += 1
        return kinds


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = fixed_clock()
    with graph_server() as server:
        server.now = clock
        account = server.add_account("act_1001")
        account.insights.generate(ads=10, campaigns=2, adsets=4, first=DAYS.first, days=len(DAYS), seed=7, quiet=0.2)
        database = Database(f"sqlite:///{tmp_path}/videolab.db")
        yield Desk(server, account, InsightsTable(database), clock)
        database.dispose()


def test_everything_comes_once_and_with_few_requests(desk: Desk) -> None:
    """Prevents lost and doubled rows, and a request for each day or for the state of each job."""
    done = desk.sync()
    desk.check()
    rows = len(delivered(desk.account))
    assert done.rows == rows + len(DAYS) + 2
    assert done.spend_minor == {day: row["spend_minor"] for (day,), row in delivered_in_all(desk.account).items()}
    assert desk.asked() == {"job": 3, "poll": 3, "page": -(-rows // 20) + 1 + 1}
    assert done.requests == len(desk.server.received)
    polls = [received.params["ids"] for received in desk.server.received if not received.path]
    assert [len(str(ids).split(",")) for ids in polls] == [3, 3, 3], "all jobs are looked after in one request"


def test_postgresql_too(desk: Desk, postgres_url: str) -> None:
    """Prevents statements that only SQLite understands."""
    database = Database(postgres_url)
    desk.table = InsightsTable(database)
    desk.server.limits.rows_per_job = 20
    desk.sync()
    desk.account.insights.restate(factor=1.1, seed=3)
    assert desk.sync(windows=("1d_view", "7d_click")).restated == 0
    assert desk.sync().restated > 0
    desk.check()
    database.dispose()


def test_what_meta_changes_is_found_and_logged(desk: Desk) -> None:
    """Prevents the first numbers of a day from standing for ever, and a second look without changes from looking like one."""
    desk.sync()
    before = delivered(desk.account)
    assert desk.sync().restated == 0
    changed = date(2026, 11, 4)
    desk.account.insights.restate(changed, factor=1.2)
    after = delivered(desk.account)
    expected = {
        (ad, day, column, before[ad, day][column], value)
        for (ad, day), row in after.items()
        for column, value in row.items()
        if before[ad, day][column] != value
    }
    desk.sync()
    desk.check()
    log = desk.table.restatements(desk.account.id, DAYS.first, DAYS.last)
    assert {
        (one.object_id, one.date, one.metric, one.old, one.new) for one in log if one.level == "ad" and one.metric != "reach"
    } == expected
    assert {one.date for one in log if one.level in ("ad", "account")} == {changed}


def test_people_reached_by_a_campaign_in_all(desk: Desk) -> None:
    """Prevents the only reach that there is from being a sum of days, which counts people twice."""
    desk.sync()
    found = reach_kept(desk.table.database, desk.account.id, "campaign")
    assert {(since, until) for _, since, until in found} == {(date(2025, 1, 1), DAYS.last)}
    assert len(found) == 2
    by_ad = reach_kept(desk.table.database, desk.account.id, "ad")
    assert {(ad, day) for ad, day, until in by_ad if day == until} == set(delivered(desk.account))
    assert 0 < sum(filter(None, found.values())) < sum(filter(None, by_ad.values()))


ONE_DAY = DayRange(DAYS.first, DAYS.first)
SPLITS: dict[str, tuple[DayRange, dict[str, int]]] = {
    "days": (DAYS, {"rows_per_job": 30}),
    "single days": (DAYS, {"rows_per_job": 10}),
    "campaigns": (DAYS, {"rows_per_job": 6}),
    "ad sets": (DayRange(DAYS.first, DAYS.first + timedelta(days=1)), {"rows_per_job": 3}),
    "fields": (ONE_DAY, {"fields_per_job": 12}),
    "single fields": (ONE_DAY, {"fields_per_job": 6}),
    "all of it": (ONE_DAY, {"rows_per_job": 3, "fields_per_job": 9}),
}


@pytest.mark.parametrize(
    ("name", "told"), [*((name, "request") for name in SPLITS), ("days", "job"), ("ad sets", "job"), ("fields", "job")]
)
def test_too_much_data_is_asked_for_in_parts(desk: Desk, name: str, told: str) -> None:
    """Prevents a large account from failing for ever, and anything from falling between the parts."""
    days, limits = SPLITS[name]
    for limit, value in limits.items():
        setattr(desk.server.limits, limit, value)
    desk.server.limits.told = told
    done = desk.sync(days)
    desk.check(days)
    assert done.splits > 0
    assert {key[:2] for key in reach_kept(desk.table.database, desk.account.id, "ad")} == set(delivered(desk.account, days))
    assert desk.table.restatements(desk.account.id, DAYS.first, DAYS.last) == []
    for row in _raws(desk):
        assert {"impressions", "spend", "reach", "ad_id"} <= set(json.loads(row.raw))


def _raws(desk: Desk) -> list[Any]:
    with desk.table.database.connect() as connection:
        return list(connection.exec_driver_sql("SELECT raw FROM insights WHERE level = 'ad'"))


@pytest.mark.parametrize("fault", ["too_much_data", "reduce_data"])
def test_too_much_data_between_two_pages(desk: Desk, fault: str) -> None:
    """Prevents a report that fails half-way from being lost, or its first pages from counting twice."""
    desk.server.fault(fault, on="GET 650*/insights", skip=2)
    assert desk.sync(levels=("ad",)).splits == 1
    assert kept(desk.table.database, desk.account.id) == delivered(desk.account)


def test_what_cannot_be_split_further_is_said(desk: Desk) -> None:
    """Prevents endless splitting, and a day that is missing while all looks well."""
    desk.server.limits.fields_per_job = 4
    with pytest.raises(TransientError, match="not even field by field"):
        desk.sync(ONE_DAY, levels=("ad",), lifetime=False)
    desk.server.limits.fields_per_job = None
    desk.sync(ONE_DAY, levels=("ad",), lifetime=False)
    assert kept(desk.table.database, desk.account.id) == delivered(desk.account, ONE_DAY)
    assert desk.reports() == []


@pytest.mark.parametrize("fault", ["job_failed", "job_skipped", "job_stuck", "job_incomplete"])
@pytest.mark.parametrize("times", [1, 2])
def test_jobs_that_come_to_nothing(desk: Desk, fault: str, times: int) -> None:
    """Prevents a failed job from ending the run, one that stands still from being waited for for ever, and 60 percent from being all."""
    desk.server.fault(fault, times=times)
    done = desk.sync(levels=("ad",), lifetime=False, patience=60.0)
    assert kept(desk.table.database, desk.account.id) == delivered(desk.account)
    assert (done.reports, done.splits) == ((2, 0) if times == 1 else (4, 1))


def test_a_job_that_gets_on_is_waited_for(desk: Desk) -> None:
    """Prevents a slow job from being taken for one that stands still: another one would be as slow, and in its way."""
    desk.server.job_polls = 40
    assert desk.sync(patience=90.0).reports == 3
    desk.check()


def test_pauses_grow(desk: Desk) -> None:
    """Prevents a slow job from costing as many requests as seconds."""
    desk.server.job_polls = 20
    began = desk.now()
    desk.sync()
    assert desk.asked()["poll"] == 21
    assert desk.now() - began > 200


def test_a_report_that_is_no_longer_there(desk: Desk) -> None:
    """Prevents one expired id from taking down the question about all jobs, and the run with it."""
    desk.server.fault("report_expired", times=2)
    assert desk.sync().reports == 5
    desk.check()


def test_reports_that_expire_while_they_are_read(desk: Desk) -> None:
    """Prevents a report that ends in the middle from counting as read."""
    pages: list[str] = []

    def forget(received: Received, phase: str) -> None:
        if received.path.startswith("650") and received.path.endswith("insights") and phase == "after":
            pages.append(received.path)
            if len(pages) == 2:
                desk.server.forget_reports()

    desk.server.on_request = forget
    desk.sync()
    desk.check()


def test_few_jobs_at_once(desk: Desk) -> None:
    """Prevents a limit on jobs in flight from being run into again and again, with a minute's wait each time."""
    desk.server.limits.jobs_in_flight = 2
    desk.sync(days_at_once=2, in_flight=8)
    desk.check()
    refused = desk.asked()["job"] - 7
    assert refused <= 7


def test_the_limit_is_seen_before_it_is_reached(desk: Desk) -> None:
    """Prevents refusals, which at Meta block an account for minutes, where the headers of every answer tell how much room is left."""
    honest, statuses = desk.server.handle, Counter[int]()

    def counted(received: Received) -> Answer:
        answer = honest(received)
        statuses[answer.status] += 1
        return answer

    desk.server.handle = counted  # type: ignore[method-assign]
    desk.server.pace = Leak(points=25, drains=0.2)
    pace = Pace(sleep=desk.clock.sleep, clock=desk.now)
    graph = Graph(Connection(desk.server.token, desk.server.endpoint), pace=pace, sleep=desk.clock.sleep, clock=desk.now)
    sync(graph, account_of(desk.account), DAYS, desk.table, clock=desk.now, sleep=desk.clock.sleep, page_size=2)
    desk.check()
    assert statuses.total() > 25
    assert statuses.keys() == {200}
    assert pace.waited > 0


def test_an_hours_wait_is_not_slept_through(desk: Desk) -> None:
    """Prevents a run from holding its place for an hour in which nothing can be fetched."""
    desk.server.fault("insights_quota", on="POST */insights", minutes=60)
    began = desk.now()
    with pytest.raises(Throttled):
        desk.sync()
    assert desk.now() - began < 300
    desk.sync()
    desk.check()


def test_an_answer_without_a_report_id(desk: Desk) -> None:
    """Prevents a job whose answer was lost from ending the run, and from being asked for without end."""
    desk.server.fault("reset_after", on="POST */insights", times=2)
    assert desk.sync().reports == 3
    assert desk.asked()["job"] == 5
    desk.check()
    desk.server.fault("reset_after", on="POST */insights", times=100)
    with pytest.raises(TransientError):
        desk.sync()
    assert desk.asked()["job"] == 12


@pytest.mark.parametrize("read", [1, 3, 5])
def test_a_token_that_is_refused(desk: Desk, read: int) -> None:
    """Prevents retries with a token that is worth nothing, and the run after a new one from beginning at the beginning."""
    pages = -(-len(delivered(desk.account)) // 20) + 1 + 1
    desk.server.fault("token_expired", on="GET 650*/insights", skip=read)
    with pytest.raises(TokenRefused):
        desk.sync()
    assert desk.reports()
    desk.sync()
    desk.check()
    assert desk.asked()["job"] == 3, "the jobs were taken up again by their ids"
    assert desk.asked()["page"] == pages + 1, "what had been read was not read again"


WRONG: list[Any] = [{"impressions": "x"}, {"ad_id": None}, {"spend": float("nan")}]


@pytest.mark.parametrize("wrong", [*WRONG, None, "row"], ids=str)
def test_a_page_with_a_row_that_is_none(desk: Desk, wrong: Any) -> None:
    """Prevents a row that cannot be read from being left out in silence, and the report with it from being read again and again."""
    honest = desk.server.handle

    def dishonest(received: Received) -> Answer:
        answer = honest(received)
        rows = answer.body.get("data") if received.path.endswith("/insights") else None
        if rows and "ad_id" in rows[-1]:
            rows[-1] = {**rows[-1], **wrong} if isinstance(wrong, dict) else wrong
        return answer

    desk.server.handle = dishonest  # type: ignore[method-assign]
    with pytest.raises(TransientError) as caught:
        desk.sync(page_size=100)
    assert "nothing of that page was kept" in str(caught.value) or isinstance(caught.value, OutcomeUnknown)
    assert kept(desk.table.database, desk.account.id) == {}
    desk.server.handle = honest  # type: ignore[method-assign]
    desk.sync(page_size=100)
    desk.check()


def test_rows_that_meta_no_longer_returns(desk: Desk) -> None:
    """Prevents what an ad had spent from vanishing when Meta forgets the ad, or from standing there as if nothing had happened."""
    desk.sync()
    day = date(2026, 11, 5)
    gone, row = desk.account.insights.days[day].popitem()
    desk.account.insights.version += 1
    done = desk.sync()
    assert done.absent == 1
    (absent,) = desk.table.absent(desk.account.id, DAYS.first, DAYS.last)
    assert (absent.object_id, absent.date, absent.spend_minor) == (gone, day, row["spend_minor"])
    (difference,) = desk.table.reconciliation(desk.account.id, DAYS.first, DAYS.last)
    assert (difference.date, difference.missing_minor) == (day, -row["spend_minor"])
    assert difference.absent_minor == row["spend_minor"]
    assert desk.sync().absent == 0


def test_breakdowns_and_windows(desk: Desk) -> None:
    """Prevents rows by age and gender from overwriting one another or the whole, and windows from being mixed."""
    desk.sync(breakdowns=[("gender", "age")], windows=("1d_view", "7d_click"))
    with desk.table.database.connect() as connection:
        rows = list(connection.exec_driver_sql("SELECT breakdown, impressions, \"window\" FROM insights WHERE level = 'ad'"))
    whole = sum(row["impressions"] for row in delivered(desk.account).values())
    assert sum(count for breakdown, count, _ in rows if breakdown) == sum(count for breakdown, count, _ in rows if not breakdown) == whole
    assert {breakdown.count("|") for breakdown, _, _ in rows if breakdown} == {1}
    assert {window for _, _, window in rows} == {"7d_click,1d_view"}
    asked = [received.params for received in desk.server.received if received.method == "POST"]
    assert all("action_attribution_windows" in params and "use_unified_attribution_setting" not in params for params in asked)
    assert kept(desk.table.database, desk.account.id, "7d_click,1d_view") == delivered(desk.account)


@pytest.mark.parametrize(("currency", "zone"), [("JPY", "Asia/Tokyo"), ("USD", "Pacific/Honolulu"), ("EUR", "Pacific/Kiritimati")])
def test_other_currencies_and_zones(desk: Desk, currency: str, zone: str) -> None:
    """Prevents yen with cents, and days of Hawaii that are filed under those of Madrid."""
    desk.account = desk.server.add_account("act_2002", currency=currency, timezone=zone)
    desk.account.insights.generate(ads=3, campaigns=1, first=DAYS.first, days=len(DAYS), seed=2)
    desk.sync()
    desk.check()


def test_money_in_another_currency_than_the_accounts(desk: Desk) -> None:
    """Prevents dollars from being added up as euros because a file says so."""
    account = account_of(desk.account).model_copy(update={"currency": "USD"})
    with pytest.raises(TransientError, match="money that is not in USD"):
        sync(desk.graph(), account, DAYS, desk.table, clock=desk.now, sleep=desk.clock.sleep)


def test_a_sync_that_was_left_long_ago_begins_anew(desk: Desk) -> None:
    """Prevents rows of last week and rows of today from counting as one look at the account."""
    desk.server.fault("token_expired", on="GET 650*/insights", skip=2)
    with pytest.raises(TokenRefused):
        desk.sync()
    desk.clock.sleep(13 * 3600)
    assert desk.sync().reports == 3
    desk.check()
    desk.server.fault("token_expired", on="GET 650*/insights")
    with pytest.raises(TokenRefused):
        desk.sync(days=DayRange(DAYS.first, DAYS.first))
    desk.clock.sleep(13 * 3600)
    desk.sync()
    assert desk.reports() == [], "what nobody takes up again is tidied away"


def test_days_without_anything(desk: Desk) -> None:
    """Prevents a quiet account from being an error."""
    days = DayRange(date(2026, 10, 1), date(2026, 10, 3))
    assert desk.sync(days, lifetime=False).rows == 0
    assert desk.table.by_day(desk.account.id, days.first, days.last) == []


def test_days_of_long_ago(desk: Desk) -> None:
    """Prevents the question for a campaign's whole life from reaching beyond what Meta keeps, which it refuses."""
    days = DayRange(date(2023, 12, 30), date(2024, 1, 2))
    desk.account.insights.generate(ads=2, campaigns=1, first=days.first, days=len(days), seed=2)
    desk.sync(days)
    desk.check(days)


def test_other_days_stay_as_they_are(desk: Desk) -> None:
    """Prevents the look at two days from touching the others."""
    desk.sync()
    desk.account.insights.restate(factor=2.0)
    desk.sync(DayRange(DAYS.last - timedelta(days=1), DAYS.last))
    log = desk.table.restatements(desk.account.id, DAYS.first, DAYS.last)
    assert {one.date for one in log if one.level == "ad"} == {DAYS.last - timedelta(days=1), DAYS.last}
    assert set(COLUMNS) >= {one.metric for one in log if one.metric != "reach"}
