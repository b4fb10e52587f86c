"""The numbers of the Graph server: sums that are exact, people that do not add up, and days of the account's own time zone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videolab_assets_tests.graph_calls import ACCOUNT, Calls
from videolab_assets_tests.graph_server import Account, GraphServer, ManualClock, graph_server
from videolab_assets_tests.graph_server.insights import METRICS, UNIQUE, split, summed

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
FIRST, LAST = date(2026, 11, 1), date(2026, 11, 5)
INSIGHTS = f"{ACCOUNT}/insights"
WHOLE: dict[str, Any] = {"time_range": {"since": str(FIRST), "until": str(LAST)}, "limit": 200}
FIELDS = "account_id,campaign_id,adset_id,ad_id,impressions,spend,clicks,reach,frequency,actions,inline_link_clicks,unique_clicks"


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with graph_server() as server:
        server.now = ManualClock(NOW)
        account = server.add_account(ACCOUNT, "EUR", "Europe/Madrid")
        account.insights.generate(ads=12, campaigns=2, adsets=4, first=FIRST, days=5, seed=3)
        yield server
        assert not server.stumbles


@pytest.fixture
def calls(server: GraphServer) -> Calls:
    return Calls(server)


def cents(rows: list[dict[str, Any]]) -> int:
    return sum(int(row["spend"].replace(".", "")) for row in rows)


def counted(rows: list[dict[str, Any]], name: str) -> int:
    return sum(int(row.get(name, 0)) for row in rows)


def acted(rows: list[dict[str, Any]], action: str) -> int:
    return sum(int(one["value"]) for row in rows for one in row.get("actions", []) if one["action_type"] == action)


@pytest.mark.parametrize("increment", ["1", "2", "all_days"])
@pytest.mark.parametrize("breakdowns", [[], ["age", "gender"], ["publisher_platform"]])
def test_every_level_sums_to_the_same(server: GraphServer, calls: Calls, increment: str, breakdowns: list[str]) -> None:
    """Reconciliation to the minor unit is only a test where the levels really agree; and people must not add up, as they do not at Meta."""
    truth = server.world.accounts[ACCOUNT].insights
    for level, objects in (("ad", 12), ("adset", 4), ("campaign", 2), ("account", 1)):
        rows = calls.rows(INSIGHTS, level=level, fields=FIELDS, time_increment=increment, breakdowns=breakdowns, **WHOLE)
        assert cents(rows) == truth.total("spend_minor", FIRST, LAST)
        assert counted(rows, "impressions") == truth.total("impressions", FIRST, LAST)
        assert counted(rows, "inline_link_clicks") == truth.total("link_clicks", FIRST, LAST)
        assert acted(rows, "video_view") == truth.total("plays_3s", FIRST, LAST)
        names = {"ad": "ad_id", "adset": "adset_id", "campaign": "campaign_id", "account": "account_id"}
        assert len({row[names[level]] for row in rows}) == objects
        assert len({(row[names[level]], row["date_start"], *(row[one] for one in breakdowns)) for row in rows}) == len(rows)


def test_people_do_not_add_up(calls: Calls) -> None:
    """A sync that sums reach has to get a wrong number here, or nobody would notice."""
    (whole,) = calls.rows(INSIGHTS, fields=FIELDS, **WHOLE)
    ads = calls.rows(INSIGHTS, fields=FIELDS, level="ad", time_increment="1", **WHOLE)
    for name in ("reach", "unique_clicks"):
        assert max(int(row[name]) for row in ads) < int(whole[name]) < counted(ads, name)
    assert int(whole["reach"]) <= int(whole["impressions"])
    assert whole["frequency"] == f"{int(whole['impressions']) / int(whole['reach']):.6f}"


METRIC_ROWS = st.integers(0, 10**6).flatmap(
    lambda most: st.fixed_dictionaries({name: st.integers(0, most) for name in METRICS}).map(
        lambda row: row | {"reach": min(row["reach"], row["impressions"])}
    )
)


@given(METRIC_ROWS, st.lists(st.integers(1, 100), min_size=1, max_size=20))
@settings(max_examples=50)
def test_cells_of_a_row_sum_exactly(row: dict[str, int], weights: list[int]) -> None:
    """A breakdown that loses one impression to rounding would be reported as lost by the sync."""
    cells = split(row, weights)
    assert all(sum(cell[name] for cell in cells) == row[name] for name in METRICS if name not in UNIQUE)
    assert all(cell["reach"] <= cell["impressions"] for cell in cells)


@given(st.lists(METRIC_ROWS, min_size=2, max_size=6))
@settings(max_examples=50)
def test_people_of_rows_together(rows: list[dict[str, int]]) -> None:
    """Reach of a whole lies between the largest part and the sum, whatever the parts."""
    whole = summed(rows)
    for name in UNIQUE:
        parts = [row[name] for row in rows]
        assert max(parts) <= whole[name] <= sum(parts)
        assert whole[name] < sum(parts) or sum(parts) == max(parts)


@pytest.mark.parametrize(
    ("zone", "moments"),
    [
        ("Europe/Madrid", {"2026-03-28T22:59": "2026-03-28", "2026-03-28T23:00": "2026-03-29"}),
        ("Europe/Madrid", {"2026-03-29T21:59": "2026-03-29", "2026-03-29T22:00": "2026-03-30"}),
        ("America/New_York", {"2026-11-01T03:59": "2026-10-31", "2026-11-01T04:00": "2026-11-01"}),
        ("America/New_York", {"2026-11-02T04:59": "2026-11-01", "2026-11-02T05:00": "2026-11-02"}),
        ("Australia/Lord_Howe", {"2026-04-04T12:59": "2026-04-04", "2026-04-04T13:00": "2026-04-05"}),
        ("Australia/Lord_Howe", {"2026-04-05T13:29": "2026-04-05", "2026-04-05T13:30": "2026-04-06"}),
        ("Pacific/Honolulu", {"2026-01-01T09:59": "2025-12-31", "2026-01-01T10:00": "2026-01-01"}),
        ("Pacific/Kiritimati", {"2026-01-01T09:59": "2026-01-01", "2026-01-01T10:00": "2026-01-02"}),
    ],
)
def test_rows_fall_on_local_days(zone: str, moments: dict[str, str]) -> None:
    """Days are the account's: of 23, 24 or 25 hours, and half a day away from UTC's."""
    with graph_server() as server:
        server.now = ManualClock(NOW)
        account = server.add_account(ACCOUNT, "EUR", zone)
        for moment in moments:
            account.insights.add("7", datetime.fromisoformat(moment).replace(tzinfo=UTC), impressions=1)
        rows = Calls(server).rows(INSIGHTS, level="ad", fields="ad_id,impressions", time_increment="1", date_preset="maximum")
        assert [row["date_start"] for row in rows] == list(moments.values())


@pytest.mark.parametrize(("zone", "today"), [("Pacific/Honolulu", 19), ("Europe/Madrid", 20), ("Pacific/Kiritimati", 21)])
def test_a_day_begins_where_the_account_is(zone: str, today: int) -> None:
    """At the same moment there are three days on earth: a row of a day that has not begun cannot be served."""
    with graph_server() as server:
        server.now = ManualClock(datetime(2026, 11, 20, 9, 59, tzinfo=UTC) if today == 19 else datetime(2026, 11, 20, 10, tzinfo=UTC))
        account: Account = server.add_account(ACCOUNT, "EUR", zone)
        for day in range(18, 23):
            account.insights.add("7", date(2026, 11, day), impressions=day)
        params = {"level": "ad", "time_increment": "1", "time_range": {"since": "2026-11-18", "until": "2026-11-22"}}
        rows = Calls(server).rows(INSIGHTS, **params)
        assert [row["impressions"] for row in rows] == [str(day) for day in range(18, today + 1)]
        (now,) = Calls(server).rows(INSIGHTS, date_preset="today")
        assert now["date_start"] == f"2026-11-{today}"


def test_only_what_was_asked_for(calls: Calls) -> None:
    """Meta sends no field that was not asked for, and no row without delivery."""
    account = calls.server.world.accounts[ACCOUNT]
    account.insights.add("7", FIRST, impressions=0, spend_minor=0)
    account.insights.add("8", FIRST, impressions=3)
    rows = calls.rows(INSIGHTS, level="ad", fields="ad_id,actions,inline_link_clicks,spend,video_p25_watched_actions", **WHOLE)
    by_ad = {row["ad_id"]: row for row in rows}
    assert "7" not in by_ad
    assert by_ad["8"] == {"ad_id": "8", "spend": "0.00", "date_start": str(FIRST), "date_stop": str(LAST)}


def test_rows_by_hand(calls: Calls) -> None:
    """Tests of arithmetic write their own numbers; they have to come back as they were given."""
    account = calls.server.world.accounts[ACCOUNT]
    ids = {"ad_id": "7", "adset_id": "71", "campaign_id": "711", "ad_name": "Ad seven"}
    account.insights.add(
        ids, FIRST, impressions=1000, spend_minor=1234, thruplays=40, actions={"video_view": 200, "link_click": 7}, reach=900
    )
    account.insights.add("7", FIRST, impressions=1)
    own = [{"field": "ad.id", "operator": "IN", "value": ["7"]}]
    fields = "ad_name,campaign_id,impressions,spend,reach,actions,video_thruplay_watched_actions,inline_link_clicks"
    (row,) = calls.rows(INSIGHTS, level="ad", fields=fields, filtering=own, **WHOLE)
    assert row == {
        "ad_name": "Ad seven",
        "campaign_id": "711",
        "impressions": "1001",
        "spend": "12.34",
        "reach": "901",
        "actions": [{"action_type": "video_view", "value": "200"}, {"action_type": "link_click", "value": "7"}],
        "video_thruplay_watched_actions": [{"action_type": "video_view", "value": "40"}],
        "inline_link_clicks": "7",
        "date_start": str(FIRST),
        "date_stop": str(LAST),
    }
    with pytest.raises(ValueError, match="no such metric"):
        account.insights.add("7", FIRST, views=3)


def test_attribution_windows(calls: Calls) -> None:
    """Each window is a key of its own beside the value; windows that are gone are refused."""
    windows = ["1d_click", "7d_click", "1d_view"]
    rows = calls.rows(INSIGHTS, fields="actions", action_attribution_windows=windows, **WHOLE)
    views = rows[0]["actions"][0]
    assert views["action_type"] == "video_view"
    assert int(views["7d_click"]) + int(views["1d_view"]) == int(views["value"])
    assert int(views["1d_click"]) < int(views["7d_click"])
    for gone in ("7d_view", "28d_view"):
        assert calls.get(INSIGHTS, action_attribution_windows=[gone])["error"]["code"] == 100


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"fields": "impressions,unicorns"}, 100),
        ({"level": "planet"}, 100),
        ({"time_range": {"since": "2026-11-02", "until": "2026-11-01"}}, 100),
        ({"time_range": {"since": "yesterday"}}, 100),
        ({"time_range": {"since": "2023-10-19", "until": "2023-10-20"}}, 3018),
        ({"time_increment": "91"}, 100),
        ({"breakdowns": ["dma"]}, 100),
        ({"breakdowns": ["age", "publisher_platform"]}, 100),
        ({"date_preset": "once"}, 100),
        ({"colour": "blue"}, 100),
        ({"limit": "0"}, 100),
        ({"limit": "5001"}, 1),
        ({"after": "nonsense"}, 100),
    ],
)
def test_reports_that_meta_refuses(calls: Calls, params: dict[str, Any], code: int) -> None:
    """A misspelt field that came back empty would be stored as a zero."""
    assert calls.get(INSIGHTS, **params)["error"]["code"] == code


def test_the_default_days_are_thirty(calls: Calls) -> None:
    """Who forgets the range gets thirty days and no error, as at Meta."""
    account = calls.server.world.accounts[ACCOUNT]
    account.insights.add("7", date(2026, 10, 20), impressions=5)
    account.insights.add("7", date(2026, 10, 21), impressions=7)
    own = [{"field": "ad.id", "operator": "EQUAL", "value": "7"}]
    assert counted(calls.rows(INSIGHTS, level="ad", filtering=own), "impressions") == 7


@pytest.mark.parametrize(
    ("limit", "value", "smaller"),
    [
        ("days_per_job", 4, {"time_range": {"since": "2026-11-01", "until": "2026-11-04"}}),
        ("rows_per_job", 20, {"level": "adset"}),
        ("objects_per_job", 11, {"level": "campaign"}),
        ("fields_per_job", 2, {"fields": "ad_id,spend"}),
        ("cells_per_job", 179, {"fields": "ad_id,spend"}),
    ],
)
@pytest.mark.parametrize("told", ["request", "job"])
def test_too_much_data(calls: Calls, limit: str, value: int, smaller: dict[str, Any], told: str) -> None:
    """Each way to split a report must be the one that helps in some test: by days, by level, and by fields."""
    setattr(calls.server.limits, limit, value)
    calls.server.limits.told = told
    whole = {"level": "ad", "time_increment": "1", "fields": "ad_id,spend,impressions", **WHOLE}
    answer = calls.post(INSIGHTS, **whole)
    if told == "request":
        assert answer["error"]["error_subcode"] == 1487534
    else:
        for _ in range(3):
            state = calls.get(answer["report_run_id"], fields="async_status,error_code,error_subcode")
        assert (state["async_status"], state["error_code"], state["error_subcode"]) == ("Job Failed", 100, 1487534)
    assert calls.get(INSIGHTS, **whole)["error"]["error_subcode"] == 1487534
    assert "report_run_id" in calls.post(INSIGHTS, **{**whole, **smaller})


def test_reports_keep_the_numbers_of_their_moment(calls: Calls) -> None:
    """Restated numbers show in the next report, and never in the second half of one that is being read."""
    account = calls.server.world.accounts[ACCOUNT]
    params = {"level": "ad", "time_increment": "1", "fields": "spend", **WHOLE}
    run = calls.post(INSIGHTS, **params)["report_run_id"]
    before = account.insights.total("spend_minor", FIRST, LAST)
    account.insights.restate(FIRST, factor=1.5)
    for _ in range(3):
        calls.get(run)
    assert cents(calls.rows(f"{run}/insights", limit=7)) == before
    assert cents(calls.rows(INSIGHTS, **params)) == account.insights.total("spend_minor", FIRST, LAST) > before


def test_a_report_is_read_only_when_it_is_done(calls: Calls) -> None:
    """A client that does not wait must get an error, not an empty report."""
    calls.server.job_polls = 3
    run = calls.post(INSIGHTS, **WHOLE)["report_run_id"]
    states = []
    for _ in range(4):
        assert calls.get(f"{run}/insights")["error"]["code"] == 100
        state = calls.get(run)
        states.append((state["async_status"], state["async_percent_completion"]))
    assert states == [("Job Not Started", 0), ("Job Running", 33), ("Job Running", 66), ("Job Completed", 100)]
    assert len(calls.rows(f"{run}/insights")) == 1
    both = calls.get("", ids=run, fields="async_status")
    assert both[run]["async_status"] == "Job Completed"
    calls.server.forget_reports()
    assert calls.get(run)["error"]["error_subcode"] == 33


def test_reports_in_flight_are_limited(calls: Calls) -> None:
    """Several reports at once are fast until Meta says too many."""
    calls.server.limits.jobs_in_flight = 2
    runs = [calls.post(INSIGHTS, **WHOLE)["report_run_id"] for _ in range(2)]
    assert calls.post(INSIGHTS, **WHOLE)["error"]["error_subcode"] == 1504022
    for _ in range(3):
        calls.get(runs[0])
    assert "report_run_id" in calls.post(INSIGHTS, **WHOLE)


def test_generated_numbers_are_the_same_each_time() -> None:
    """A benchmark and its reference have to see the same account."""
    totals = set()
    for _ in range(2):
        with graph_server() as server:
            insights = server.add_account(ACCOUNT).insights
            insights.generate(ads=5, campaigns=1, first=FIRST, days=3, seed=9, quiet=0.3)
            totals.add(tuple(insights.total(name, FIRST, FIRST + timedelta(days=3)) for name in METRICS if name not in UNIQUE))
    assert len(totals) == 1


def test_generated_ads_can_be_read_as_objects(calls: Calls) -> None:
    """Who splits a report by campaign or ad looks them up first."""
    assert len(calls.rows(f"{ACCOUNT}/ads", fields="name,adset_id,campaign_id")) == 12
    campaign = calls.rows(f"{ACCOUNT}/campaigns")[0]["id"]
    rows = calls.rows(f"{campaign}/insights", level="ad", fields="campaign_id,ad_id", **WHOLE)
    assert {row["campaign_id"] for row in rows} == {campaign}
    assert len(rows) == 6
    paused = [{"field": "ad.effective_status", "operator": "IN", "value": ["ACTIVE"]}]
    assert calls.rows(INSIGHTS, level="ad", filtering=paused, **WHOLE) == []


@pytest.mark.long
def test_ninety_days_of_five_hundred_ads_are_served_whole() -> None:
    """The benchmark reads 45,000 rows in pages of 500: none may be lost or served twice."""
    with graph_server() as server:
        server.now = ManualClock(NOW)
        server.add_account(ACCOUNT).insights.generate(ads=500, campaigns=10, first=date(2026, 8, 1), days=90)
        calls = Calls(server, timeout=30)
        days = {"since": "2026-08-01", "until": "2026-10-29"}
        run = calls.post(INSIGHTS, level="ad", time_increment="1", fields="ad_id,spend", time_range=days)["report_run_id"]
        for _ in range(3):
            calls.get(run)
        rows = calls.rows(f"{run}/insights", limit=500)
        assert len({(row["ad_id"], row["date_start"]) for row in rows}) == len(rows) == 45_000
