"""Every fault of the Graph server ends in the right verdict, and what is said to be certain is so at the server."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.meta.errors import (
    AccountBlocked,
    GraphError,
    GraphRefused,
    NotReady,
    NotSent,
    OutcomeUnknown,
    Throttled,
    TokenRefused,
    TooMuchData,
)
from videolab_assets.lib.meta.graph import Connection, Graph
from videolab_assets.lib.meta.video_upload import upload_video
from videolab_assets_tests.graph_server import FAULTS, GraphServer, ManualClock, graph_server
from videolab_assets_tests.lib.meta.test_token import everything, failure_of

ACCOUNT = "act_1001"
NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
CAMPAIGN = {
    "name": "One #vl:0123456789ab",
    "objective": "OUTCOME_ENGAGEMENT",
    "status": "PAUSED",
    "special_ad_categories": [],
    "buying_type": "AUCTION",
    "is_adset_budget_sharing_enabled": False,
}
REPORT = {"level": "account", "fields": "spend", "time_range": {"since": "2026-11-01", "until": "2026-11-02"}}

WRITES: dict[str, type[GraphError] | None] = {
    "timeout_before": OutcomeUnknown,
    "timeout_after": OutcomeUnknown,
    "reset_before": OutcomeUnknown,
    "reset_after": OutcomeUnknown,
    "closed_after": OutcomeUnknown,
    "half_answer": OutcomeUnknown,
    "slow_drip": OutcomeUnknown,
    "connection_refused": NotSent,
    "html_502": OutcomeUnknown,
    "html_200": OutcomeUnknown,
    "empty_500": OutcomeUnknown,
    "text_503": OutcomeUnknown,
    "empty_200": OutcomeUnknown,
    "json_null": OutcomeUnknown,
    "without_id": OutcomeUnknown,
    "truncated_json": OutcomeUnknown,
    "huge_answer": OutcomeUnknown,
    "error_data_empty": OutcomeUnknown,
    "error_data_string": GraphRefused,
    "app_limit": Throttled,
    "account_limit": Throttled,
    "page_limit": Throttled,
    "mutation_limit": Throttled,
    "management_quota": Throttled,
    "usage_high": None,
    "unknown_error": OutcomeUnknown,
    "unknown_error_after": OutcomeUnknown,
    "intermittent": OutcomeUnknown,
    "spurious_400": OutcomeUnknown,
    "codeless_400": OutcomeUnknown,
    "error_in_200": OutcomeUnknown,
    "token_expired": TokenRefused,
    "blocked": AccountBlocked,
    "no_permission": GraphRefused,
    "token_echo": OutcomeUnknown,
    "redirect": OutcomeUnknown,
    "late_listing": None,
    "in_process": None,
}
"""What each does to a write."""

REPORTS: dict[str, type[GraphError] | None] = {
    "insights_limit": Throttled,
    "insights_quota": Throttled,
    "too_much_data": TooMuchData,
    "job_error": OutcomeUnknown,
    "today_refused": None,
    "restated": None,
    **dict.fromkeys(("job_failed", "job_skipped", "job_stuck", "job_incomplete", "report_expired")),
}
"""What each does to the order of a report: those of jobs come later, when one asks what became of it."""

LISTS: dict[str, type[GraphError] | None] = {
    **dict.fromkeys(("empty_page", "next_without_cursors", "empty_last_page", "next_elsewhere", "repeated_rows")),
    **dict.fromkeys(("filter_ignored", "filter_refused", "summary_refused")),
    "reduce_data": TooMuchData,
}
"""What each does to a list; the rest are read again until they are over, or are the same for questions."""

UPLOADS: dict[str, type[GraphError] | None] = {
    "upload_offset": None,
    "upload_lost": None,
    "video_error": GraphRefused,
    "video_never_ready": NotReady,
}

ELSEWHERE = {"with_issues"}
"""Of the state of an ad, which no request of this package reads."""

ONLY_WRITES = {"mutation_limit", "blocked", "without_id", "late_listing", "in_process"}
STANDING = {TokenRefused, AccountBlocked, GraphRefused, TooMuchData}


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with graph_server() as server:
        server.now = ManualClock(NOW)
        server.add_account(ACCOUNT, currency="EUR", timezone="Europe/Madrid")
        yield server


def graph_of(server: GraphServer, timeout: float = 0.25) -> Graph:
    return Graph(Connection(server.token, server.endpoint, timeout=timeout), sleep=server.now.sleep)  # type: ignore[attr-defined]


def test_every_fault_is_expected_somewhere() -> None:
    """Prevents a new fault of the server that nobody has said the right verdict of."""
    assert set(WRITES) | set(REPORTS) | set(LISTS) | set(UPLOADS) | ELSEWHERE == set(FAULTS)


@pytest.mark.parametrize("name", WRITES)
def test_a_write_ends_in_the_right_verdict(name: str, server: GraphServer, caplog: pytest.LogCaptureFixture) -> None:
    """Prevents a repeated write, a verdict of "nothing happened" over a campaign that is there, and the token in what is said of it."""
    caplog.set_level(logging.DEBUG)
    server.fault(name, on=f"POST {ACCOUNT}/campaigns")
    graph = graph_of(server)
    expected = WRITES[name]
    if expected is None:
        graph.post(f"{ACCOUNT}/campaigns", CAMPAIGN)
        assert len(server.objects("campaign")) == 1
    else:
        error = failure_of(lambda: graph.post(f"{ACCOUNT}/campaigns", CAMPAIGN))
        assert type(error) is expected
        assert len(server.objects("campaign")) <= (expected is OutcomeUnknown)
        assert server.token not in everything(error) + caplog.text
    assert len(server.received) == (expected is not NotSent) and graph.requests == 1


@pytest.mark.parametrize("name", sorted(set(WRITES) - ONLY_WRITES))
def test_a_question_is_answered_once_the_fault_is_over(name: str, server: GraphServer) -> None:
    """Prevents a sync that ends at the first bad answer, one that takes a part for all, and one that insists where it may not."""
    for number in range(3):
        graph_of(server, 5).post(f"{ACCOUNT}/campaigns", {**CAMPAIGN, "name": f"Number {number}"})
    server.received.clear()
    graph = graph_of(server)
    if name == "connection_refused":
        server.fault(name, seconds=30.0)
        assert type(failure_of(lambda: list(graph.rows(f"{ACCOUNT}/campaigns", {"fields": "name"}, 2)))) is NotSent
        assert graph.requests > 3
        return
    server.fault(name, on=f"GET {ACCOUNT}/campaigns")
    expected = WRITES[name]
    if expected in STANDING:
        assert type(failure_of(lambda: list(graph.rows(f"{ACCOUNT}/campaigns", {"fields": "name"}, 2)))) is expected
        assert len(server.received) == 1
        return
    rows = list(graph.rows(f"{ACCOUNT}/campaigns", {"fields": "name"}, 2))
    assert sorted(row["name"] for row in rows) == ["Number 0", "Number 1", "Number 2"]
    assert len(server.received) == 2 + (expected is not None)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_whole(name: str, server: GraphServer) -> None:
    """Prevents rows lost to the ways in which a list may go on, and the token sent to where a next page points."""
    graph = graph_of(server, 5)
    for number in range(5):
        graph.post(f"{ACCOUNT}/campaigns", {**CAMPAIGN, "name": f"Number {number}"})
    server.fault(name, on=f"GET {ACCOUNT}/campaigns", skip=int(name in ("empty_page", "repeated_rows")))
    if LISTS[name]:
        assert type(failure_of(lambda: list(graph.rows(f"{ACCOUNT}/campaigns", {"fields": "name"}, 2)))) is LISTS[name]
        return
    rows = [row["name"] for row in graph.rows(f"{ACCOUNT}/campaigns", {"fields": "name"}, 2)]
    assert sorted(set(rows)) == [f"Number {number}" for number in range(5)]
    assert len(rows) == 5 or name == "repeated_rows"


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_ordered_or_not(name: str, server: GraphServer) -> None:
    """Prevents an order of a report that is split where it should wait, or waits where it should be split."""
    server.fault(name, on=f"POST {ACCOUNT}/insights")
    graph, expected = graph_of(server, 5), REPORTS[name]
    if expected is None:
        assert graph.post(f"{ACCOUNT}/insights", REPORT, expects=("report_run_id",))["report_run_id"]
    else:
        assert type(failure_of(lambda: graph.post(f"{ACCOUNT}/insights", REPORT, expects=("report_run_id",)))) is expected
    assert len(server.received) == 1


@pytest.mark.parametrize("name", UPLOADS)
def test_an_upload_arrives_whole_or_is_refused(name: str, server: GraphServer, tmp_path: Path) -> None:
    """Prevents a video with bytes twice or missing where an answer was lost, and a wait without end for one that never gets ready."""
    server.chunk_size = 1000
    path = tmp_path / "v.mp4"
    path.write_bytes(bytes(range(250)) * 10)
    on_phase = {"upload_offset": 2, "upload_lost": 1}.get(name, 4)
    server.fault(name, on=f"POST {ACCOUNT}/advideos", skip=on_phase if name.startswith("upload") else 0)
    clock = server.now
    settings: dict[str, Any] = {"sleep": clock.sleep, "clock": lambda: clock().timestamp()}  # type: ignore[attr-defined]

    def upload() -> str:
        return upload_video(graph_of(server, 5), ACCOUNT, path, "T #vl:0123456789ab", keep=lambda session: None, **settings)

    expected = UPLOADS[name]
    if expected is None:
        assert upload() == server.objects("video")[0]["id"]
    else:
        assert type(failure_of(upload)) is expected
    (video,) = server.objects("video")
    assert video["size"] == 2500 and video["title"] == "T #vl:0123456789ab"
