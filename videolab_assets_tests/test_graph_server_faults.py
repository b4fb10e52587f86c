"""Every fault of the Graph server does what its sentence says: a fault that does nothing makes the tests that use it pass for nothing."""

import contextlib
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from videolab_assets_tests import graph_server as package
from videolab_assets_tests.graph_calls import ACCOUNT, CAMPAIGN, Calls
from videolab_assets_tests.graph_server import FAULTS, GraphServer, ManualClock, graph_server

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAYS = {"since": "2026-11-01", "until": "2026-11-03"}
CAMPAIGNS = f"{ACCOUNT}/campaigns"
INSIGHTS = f"{ACCOUNT}/insights"

ERRORS: dict[str, tuple[int, int | None, int | None]] = {
    "app_limit": (400, 4, None),
    "insights_limit": (400, 4, 1504022),
    "account_limit": (400, 17, 2446079),
    "page_limit": (400, 32, None),
    "mutation_limit": (400, 613, 1487742),
    "insights_quota": (400, 80000, 2446079),
    "management_quota": (400, 80004, 2446079),
    "too_much_data": (400, 100, 1487534),
    "reduce_data": (500, 1, None),
    "unknown_error": (500, 1, 99),
    "unknown_error_after": (500, 1, 99),
    "intermittent": (503, 2, 1504043),
    "error_in_200": (200, 2, None),
    "error_data_empty": (500, 2, None),
    "error_data_string": (400, 100, None),
    "spurious_400": (400, 100, None),
    "codeless_400": (400, None, None),
    "token_expired": (401, 190, 463),
    "blocked": (400, 368, 1390008),
    "no_permission": (400, 10, None),
    "job_error": (500, -2, 2490547),
    "token_echo": (500, 1, None),
}
"""HTTP status, code and subcode, written down once more from what is known of Meta."""

BODIES: dict[str, tuple[int, bytes]] = {
    "html_502": (502, b"<!DOCTYPE html>"),
    "html_200": (200, b"<!DOCTYPE html>"),
    "empty_500": (500, b""),
    "text_503": (503, b"Service Unavailable"),
    "empty_200": (200, b""),
    "json_null": (200, b"null"),
}

BROKEN = ("timeout_before", "timeout_after", "reset_before", "reset_after", "closed_after", "half_answer")


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with graph_server() as server:
        server.now = ManualClock(NOW)
        account = server.add_account(ACCOUNT, "EUR", "Europe/Madrid", business="b1", page="p1", instagram="ig1")
        account.insights.generate(ads=4, campaigns=1, first=date(2026, 11, 1), days=3)
        yield server
        assert not server.stumbles


@pytest.fixture
def calls(server: GraphServer) -> Calls:
    return Calls(server)


def made(server: GraphServer) -> int:
    """Campaigns that were made by a request, not with the generated numbers."""
    return sum("#vl:" in one["name"] for one in server.objects("campaign"))


def request_for(name: str, calls: Calls) -> Callable[[], requests.Response]:
    """A request that the fault is meant for."""
    pattern = FAULTS[name].on
    if pattern.endswith("/insights"):
        return lambda: calls.send("POST", INSIGHTS, time_range=DAYS, level="ad")
    if pattern.startswith("GET"):
        return lambda: calls.send("GET", CAMPAIGNS)
    return lambda: calls.send("POST", CAMPAIGNS, **CAMPAIGN)


@pytest.mark.parametrize("name", sorted(ERRORS))
def test_errors(name: str, server: GraphServer, calls: Calls) -> None:
    """Clients decide by status, code and subcode whether to wait, to look up or to give up."""
    server.fault(name)
    answer = request_for(name, calls)()
    error = answer.json()["error"]
    assert (answer.status_code, error.get("code"), error.get("error_subcode")) == ERRORS[name]
    assert isinstance(error["is_transient"], bool)
    if not FAULTS[name].on.startswith(("GET", "* ")):
        assert made(server) == int(FAULTS[name].effect is True)
    assert request_for(name, calls)().status_code == 200, "it happens once"


@pytest.mark.parametrize("name", sorted(BODIES))
def test_bodies_that_are_no_answer(name: str, server: GraphServer, calls: Calls) -> None:
    """What no JSON parser should see has to come with exactly this status and this body."""
    server.fault(name)
    answer = request_for(name, calls)()
    status, body = BODIES[name]
    assert answer.status_code == status
    assert answer.content.startswith(body) if body else not answer.content
    assert made(server) == int(FAULTS[name].effect is True)


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("effect", [None, True, False])
def test_broken_connections(name: str, effect: bool | None, server: GraphServer, calls: Calls) -> None:
    """Whether the campaign exists after a broken connection is all that duplicates depend on."""
    chosen: dict[str, Any] = {} if effect is None else {"effect": effect}
    server.fault(name, on="POST */campaigns", **chosen)
    calls.timeout = 0.2
    with pytest.raises((requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)) as failed:
        calls.send("POST", CAMPAIGNS, **CAMPAIGN)
    assert isinstance(failed.value, requests.Timeout) is name.startswith("timeout")
    assert made(server) == int(FAULTS[name].effect is True if effect is None else effect)
    assert calls.send("POST", CAMPAIGNS, **CAMPAIGN).status_code == 200


def connection_refused(server: GraphServer, calls: Calls) -> None:
    server.fault("connection_refused", seconds=60)
    with pytest.raises(requests.ConnectionError, match="refused"):
        calls.get(ACCOUNT)
    server.clear_faults()
    assert calls.get(ACCOUNT)["id"] == ACCOUNT
    server.fault("connection_refused", seconds=0.05)
    deadline = time.monotonic() + 10
    while server.port and time.monotonic() < deadline:
        try:
            assert calls.get(ACCOUNT)["id"] == ACCOUNT
            return
        except requests.ConnectionError:
            time.sleep(0.02)
    raise AssertionError("it never came back")


def slow_drip(server: GraphServer, calls: Calls) -> None:
    server.fault("slow_drip", on="GET act_*", bytes=8, seconds=0.0)
    answer = calls.send("GET", ACCOUNT)
    assert answer.content.startswith(b" " * 8)
    assert answer.json()["id"] == ACCOUNT


def huge_answer(server: GraphServer, calls: Calls) -> None:
    server.fault("huge_answer", megabytes=3)
    assert len(calls.send("GET", ACCOUNT).content) > 3 * 1024**2


def redirect(server: GraphServer, calls: Calls) -> None:
    server.fault("redirect", to="http://127.0.0.1:9/")
    answer = calls.send("GET", ACCOUNT)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"http://127.0.0.1:9/{ACCOUNT}")


def without_id(server: GraphServer, calls: Calls) -> None:
    server.fault("without_id", times=2)
    assert calls.post(CAMPAIGNS, **CAMPAIGN) == {}
    assert calls.post(INSIGHTS, time_range=DAYS) == {}
    assert made(server) == 1


def truncated_json(server: GraphServer, calls: Calls) -> None:
    server.fault("truncated_json")
    with pytest.raises(json.JSONDecodeError):
        json.loads(calls.send("POST", CAMPAIGNS, **CAMPAIGN).content)
    assert made(server) == 1


def usage_high(server: GraphServer, calls: Calls) -> None:
    server.fault("usage_high", percent=91, minutes=3)
    answer = calls.send("GET", INSIGHTS)
    (use,) = json.loads(answer.headers["X-Business-Use-Case-Usage"])["1001"]
    assert (answer.status_code, use["call_count"], use["estimated_time_to_regain_access"]) == (200, 91, 3)
    assert json.loads(answer.headers["X-FB-Ads-Insights-Throttle"])["acc_id_util_pct"] == 91.0
    assert json.loads(answer.headers["X-Ad-Account-Usage"])["reset_time_duration"] == 180
    run, _ = report(calls)
    server.fault("usage_high", on="GET 65*/insights")
    assert list(json.loads(calls.send("GET", f"{run}/insights").headers["X-Business-Use-Case-Usage"])) == ["1001"]


def six_campaigns(calls: Calls) -> list[str]:
    """Newest first, as lists show them; with the one of the generated ads they are seven."""
    return [*reversed([calls.campaign(name=f"#vl: {number}") for number in range(6)]), calls.server.objects("campaign")[0]["id"]]


def empty_page(server: GraphServer, calls: Calls) -> None:
    ids = six_campaigns(calls)
    for skip in (0, 1, 2):
        server.fault("empty_page", skip=skip)
        before = len(server.received)
        assert [row["id"] for row in calls.rows(CAMPAIGNS, limit=3)] == ids
        assert len(server.received) - before == 4
    server.fault("empty_page")
    page = calls.get(CAMPAIGNS, limit=3)
    assert page["data"] == []
    assert page["paging"]["next"]


def next_without_cursors(server: GraphServer, calls: Calls) -> None:
    ids = six_campaigns(calls)
    server.fault("next_without_cursors")
    page = calls.get(CAMPAIGNS, limit=3)
    assert list(page["paging"]) == ["next"]
    server.fault("next_without_cursors", times=9)
    assert [row["id"] for row in calls.rows(CAMPAIGNS, limit=3)] == ids


def empty_last_page(server: GraphServer, calls: Calls) -> None:
    ids = six_campaigns(calls)
    server.fault("empty_last_page")
    before = len(server.received)
    assert [row["id"] for row in calls.rows(CAMPAIGNS, limit=4)] == ids
    assert len(server.received) - before == 3


def next_elsewhere(server: GraphServer, calls: Calls) -> None:
    six_campaigns(calls)
    server.fault("next_elsewhere", to="http://127.0.0.1:9")
    assert calls.get(CAMPAIGNS, limit=3)["paging"]["next"].startswith("http://127.0.0.1:9/v26.0/act_")


def repeated_rows(server: GraphServer, calls: Calls) -> None:
    ids = six_campaigns(calls)
    server.fault("repeated_rows", rows=1)
    assert [row["id"] for row in calls.rows(CAMPAIGNS, limit=4)] == ids[:4] + ids[3:]


BY_TAG = {"filtering": [{"field": "name", "operator": "CONTAIN", "value": "nothing has this name"}]}


def filter_ignored(server: GraphServer, calls: Calls) -> None:
    server.fault("filter_ignored")
    assert len(calls.rows(CAMPAIGNS, **BY_TAG)) == 1
    assert calls.rows(CAMPAIGNS, **BY_TAG) == []


def filter_refused(server: GraphServer, calls: Calls) -> None:
    server.fault("filter_refused")
    assert len(calls.rows(CAMPAIGNS)) == 1, "only requests that filter"
    assert calls.get(CAMPAIGNS, **BY_TAG)["error"]["code"] == 100


def summary_refused(server: GraphServer, calls: Calls) -> None:
    server.fault("summary_refused")
    assert len(calls.rows(CAMPAIGNS)) == 1
    error = calls.get(CAMPAIGNS, summary="true")["error"]
    assert (error["code"], error["is_transient"], "summary" in error["message"]) == (100, False, True)
    assert calls.get(CAMPAIGNS, summary="true")["summary"] == {"total_count": 1}


def clock(server: GraphServer) -> ManualClock:
    assert isinstance(server.now, ManualClock)
    return server.now


def late_listing(server: GraphServer, calls: Calls) -> None:
    server.fault("late_listing", seconds=90)
    campaign = calls.campaign()
    assert calls.get(campaign)["id"] == campaign
    assert campaign not in {row["id"] for row in calls.rows(CAMPAIGNS)}
    clock(server).sleep(91)
    assert campaign in {row["id"] for row in calls.rows(CAMPAIGNS)}


def with_issues(server: GraphServer, calls: Calls) -> None:
    server.fault("with_issues")
    ad = calls.ad(calls.adset(calls.campaign()), calls.creative())
    told = calls.get(ad, fields="effective_status,issues_info")
    assert told["effective_status"] == "WITH_ISSUES"
    assert told["issues_info"][0]["error_code"]


def in_process(server: GraphServer, calls: Calls) -> None:
    server.fault("in_process", on="POST */campaigns", seconds=60)
    campaign = calls.campaign()
    assert calls.get(campaign, fields="effective_status")["effective_status"] == "IN_PROCESS"
    clock(server).sleep(61)
    assert calls.get(campaign, fields="effective_status")["effective_status"] == "PAUSED"


def started(calls: Calls) -> dict[str, str]:
    calls.server.chunk_size = 5
    session = calls.post(f"{ACCOUNT}/advideos", upload_phase="start", file_size=10)["upload_session_id"]
    return {"upload_phase": "transfer", "upload_session_id": session}


def upload_offset(server: GraphServer, calls: Calls) -> None:
    transfer = started(calls)
    calls.post(f"{ACCOUNT}/advideos", {"video_file_chunk": ("c", b"01234")}, **transfer, start_offset="0")
    server.fault("upload_offset", back=2)
    error = calls.post(f"{ACCOUNT}/advideos", {"video_file_chunk": ("c", b"56789")}, **transfer, start_offset="5")["error"]
    assert (error["error_subcode"], error["error_data"]) == (1363037, {"start_offset": 3, "end_offset": 8})
    told = calls.post(f"{ACCOUNT}/advideos", {"video_file_chunk": ("c", b"34567")}, **transfer, start_offset="3")
    assert told == {"start_offset": "8", "end_offset": "10"}


def upload_lost(server: GraphServer, calls: Calls) -> None:
    server.fault("upload_lost")
    transfer = started(calls)
    with pytest.raises(requests.ConnectionError):
        calls.post(f"{ACCOUNT}/advideos", {"video_file_chunk": ("c", b"01234")}, **transfer, start_offset="0")
    again = calls.post(f"{ACCOUNT}/advideos", {"video_file_chunk": ("c", b"01234")}, **transfer, start_offset="0")
    assert again["error"]["error_data"] == {"start_offset": 5, "end_offset": 10}


def video_states(server: GraphServer, calls: Calls, name: str) -> list[str]:
    server.fault(name)
    video = calls.upload(b"content", "Clip")
    return [calls.get(video, fields="status")["status"]["video_status"] for _ in range(3)]


def video_error(server: GraphServer, calls: Calls) -> None:
    assert video_states(server, calls, "video_error") == ["error"] * 3


def video_never_ready(server: GraphServer, calls: Calls) -> None:
    assert video_states(server, calls, "video_never_ready") == ["processing"] * 3


def report(calls: Calls, polls: int = 6) -> tuple[str, dict[str, Any]]:
    """A report, and its state after so many reads."""
    run = calls.post(INSIGHTS, time_range=DAYS, level="ad", time_increment="1")["report_run_id"]
    states = [calls.get(run, fields="async_status,async_percent_completion,error_code,error_subcode") for _ in range(polls)]
    return run, states[-1]


def job_failed(server: GraphServer, calls: Calls) -> None:
    server.fault("job_failed")
    run, state = report(calls)
    assert (state["async_status"], state["error_code"], state["error_subcode"]) == ("Job Failed", -2, 2490547)
    assert calls.get(f"{run}/insights")["error"]["code"] == 100


def job_skipped(server: GraphServer, calls: Calls) -> None:
    server.fault("job_skipped")
    run, state = report(calls)
    assert state["async_status"] == "Job Skipped"
    assert calls.get(f"{run}/insights")["error"]["code"] == 100


def job_stuck(server: GraphServer, calls: Calls) -> None:
    server.fault("job_stuck", percent=13)
    _, state = report(calls, 30)
    assert (state["async_status"], state["async_percent_completion"]) == ("Job Running", 13)


def job_incomplete(server: GraphServer, calls: Calls) -> None:
    server.fault("job_incomplete", percent=50)
    run, state = report(calls)
    assert (state["async_status"], state["async_percent_completion"]) == ("Job Completed", 50)
    assert len(calls.rows(f"{run}/insights")) == 6


def report_expired(server: GraphServer, calls: Calls) -> None:
    server.fault("report_expired")
    run = calls.post(INSIGHTS, time_range=DAYS)["report_run_id"]
    error = calls.get(run)["error"]
    assert (error["code"], error["error_subcode"]) == (100, 33)
    assert calls.get(f"{run}/insights")["error"]["error_subcode"] == 33


def spend(calls: Calls) -> float:
    (row,) = calls.rows(INSIGHTS, time_range=DAYS, fields="spend")
    return float(row["spend"])


def restated(server: GraphServer, calls: Calls) -> None:
    before = spend(calls)
    server.fault("restated", factor=2.0, date=date(2026, 11, 2))
    assert before < spend(calls) < 2 * before
    server.fault("restated", factor=0.5)
    assert spend(calls) < before


def today_refused(server: GraphServer, calls: Calls) -> None:
    today = NOW.astimezone(server.world.accounts[ACCOUNT].zone).date()
    server.fault("today_refused")
    assert "data" in calls.get(INSIGHTS, time_range={"since": "2026-11-01", "until": str(today - timedelta(days=1))})
    reaching = {"since": "2026-11-01", "until": str(today)}
    assert calls.get(INSIGHTS, time_range=reaching)["error"]["code"] == 100
    assert "data" in calls.get(INSIGHTS, time_range=reaching)


CHECKS: dict[str, Callable[[GraphServer, Calls], None]] = {
    check.__name__: check
    for check in (
        *(connection_refused, slow_drip, huge_answer, redirect, without_id, truncated_json, usage_high),
        *(empty_page, next_without_cursors, empty_last_page, next_elsewhere, repeated_rows),
        *(filter_ignored, filter_refused, summary_refused, late_listing, with_issues, in_process),
        *(upload_offset, upload_lost, video_error, video_never_ready),
        *(job_failed, job_skipped, job_stuck, job_incomplete, report_expired, restated, today_refused),
    )
}


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_faults(name: str, server: GraphServer, calls: Calls) -> None:
    """Each fault that is more than an error or a body, by what can be seen of it."""
    CHECKS[name](server, calls)


def test_every_fault_is_tested_and_documented() -> None:
    """A fault that no test has seen, or that nobody can read about, is as good as none."""
    assert set(FAULTS) == set(ERRORS) | set(BODIES) | set(BROKEN) | set(CHECKS)
    assert len(FAULTS) >= 35
    readme = (Path(package.__file__).parent / "README.md").read_text()
    listed = dict(line.strip("|").replace("`", "").split("|")[:2] for line in readme.splitlines() if line.startswith("| `"))
    told = {name.strip(): sentence.strip() for name, sentence in listed.items() if name.strip() in FAULTS}
    assert told == {name: fault.sentence.replace("`", "") for name, fault in FAULTS.items()}


NEED_AN_ANSWER = {"usage_high", "without_id", "truncated_json", "slow_drip", "huge_answer"}
EFFECTS = [
    (name, effect)
    for name, fault in FAULTS.items()
    for effect in (True, False)
    if fault.effect is not None and fault.on in ("*", "POST *") and (effect or name not in NEED_AN_ANSWER)
]


@pytest.mark.parametrize(("name", "effect"), EFFECTS)
def test_the_effect_can_be_chosen(name: str, effect: bool, server: GraphServer, calls: Calls) -> None:
    """The same answer after the effect and before it are two cases of a client that must not tell them apart."""
    quick: dict[str, dict[str, Any]] = {"slow_drip": {"seconds": 0.0}, "huge_answer": {"megabytes": 1}}
    server.fault(name, on="POST */campaigns", effect=effect, **quick.get(name, {}))
    calls.timeout = 0.2
    with contextlib.suppress(requests.RequestException):
        calls.send("POST", CAMPAIGNS, **CAMPAIGN)
    assert made(server) == int(effect)


def test_a_fault_waits_for_its_request(server: GraphServer, calls: Calls) -> None:
    """`on`, `skip`, `times` and `where` aim a fault at one step of a long run."""
    server.fault("empty_500", on="POST */campaigns", skip=1, times=2, where=lambda received: not received.validate_only)
    calls.get(ACCOUNT)
    assert calls.send("POST", CAMPAIGNS, **CAMPAIGN).status_code == 200
    assert calls.send("POST", CAMPAIGNS, **CAMPAIGN, execution_options=["validate_only"]).status_code == 200
    assert [calls.send("POST", CAMPAIGNS, **CAMPAIGN).status_code for _ in range(3)] == [500, 500, 200]
    waiting = server.fault("empty_500", times=5)
    calls.send("GET", ACCOUNT)
    assert waiting.happened == 1
    server.clear_faults()
    assert calls.send("GET", ACCOUNT).status_code == 200
    with pytest.raises(ValueError, match="there is no fault"):
        server.fault("nonsense")
    with pytest.raises(ValueError, match="no setting"):
        server.fault("empty_500", patience=3)


def test_the_token_echo_really_echoes(server: GraphServer, calls: Calls) -> None:
    """The test that a token is scrubbed is worth nothing when the server does not send it."""
    server.fault("token_echo")
    answer = calls.send("GET", ACCOUNT)
    assert answer.text.count(server.token) == 3
    assert server.token in answer.headers["X-Debug"]
