"""Slowing down before the limits, with a clock that the test moves."""

import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from videolab_assets.lib.meta.errors import Throttled
from videolab_assets.lib.meta.graph import Connection, Graph
from videolab_assets.lib.meta.pacing import APP, LONGEST_REGAIN, Load, Pace, longest_regain, usage_of
from videolab_assets_tests.graph_server import GraphServer, Leak, ManualClock, graph_server
from videolab_assets_tests.lib.meta.test_errors import anything

HEADERS = ("x-business-use-case-usage", "x-ad-account-usage", "x-app-usage", "x-fb-ads-insights-throttle")


class Clock:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def pace_of(clock: Clock, longest_wait: float = 600.0) -> Pace:
    return Pace(sleep=clock.sleep, clock=clock, longest_wait=longest_wait)


def header(name: str, told: Any) -> dict[str, str]:
    return {name: json.dumps(told)}


def test_each_header_has_its_own_shape_and_unit() -> None:
    """Prevents minutes taken for seconds and seconds for minutes, which ends a block an hour early or a minute-long one an hour late."""
    business = {
        "1001": [{"type": "ads_insights", "call_count": 20, "total_cputime": 97, "total_time": 3, "estimated_time_to_regain_access": 2}]
    }
    assert usage_of(header(HEADERS[0], business), "x") == {"1001": Load(97, 120)}
    account = {"acc_id_util_pct": 98.5, "reset_time_duration": 90}
    assert usage_of(header(HEADERS[1], account), "act_1001/ads") == {"1001": Load(98.5, 90)}
    assert usage_of(header(HEADERS[2], {"call_count": 5, "total_time": 80, "total_cputime": 1}), "x") == {APP: Load(80)}
    throttle = {"app_id_util_pct": 10, "acc_id_util_pct": 60.5, "ads_api_access_tier": "standard_access"}
    assert usage_of(header(HEADERS[3], throttle), "act_7/insights") == {APP: Load(10), "7": Load(60.5)}


def test_a_reset_time_with_room_left_is_no_wait() -> None:
    """Prevents a wait for the end of a window that is hardly used."""
    usage = usage_of(header(HEADERS[1], {"acc_id_util_pct": 5, "reset_time_duration": 3000}), "act_1/ads")
    assert longest_regain(usage) == 0


def test_what_all_headers_say_counts_together() -> None:
    """Prevents the last header hiding the fullest one."""
    told = header(HEADERS[0], {"1": [{"call_count": 10}, {"call_count": 90}]}) | header(HEADERS[1], {"acc_id_util_pct": 40})
    assert usage_of(told, "act_1/ads") == {"1": Load(90)}


@given(st.dictionaries(st.sampled_from(HEADERS), st.text() | anything.map(json.dumps)), st.text())
@example({HEADERS[0]: "[" * 100_000}, "act_1")
@example({HEADERS[0]: '{"1": [{"call_count": NaN, "estimated_time_to_regain_access": Infinity}]}'}, "act_1")
@example({HEADERS[1]: '{"acc_id_util_pct": "1e999", "reset_time_duration": -5}'}, "act_1")
@example({HEADERS[2]: '{"call_count": 1' + "0" * 400 + "}"}, "act_1")
@example({HEADERS[2]: '{"call_count": 1' + "0" * 5000 + "}"}, "act_1")
@example({HEADERS[0]: '{"1": [{"call_count": true}, 5, null]}'}, "act_1")
def test_any_header_can_be_read(headers: dict[str, str], path: str) -> None:
    """Prevents an answer thrown away because a header beside it is broken, and a wait without end."""
    for load in usage_of(headers, path).values():
        assert 0 <= load.percent <= 1000 and 0 <= load.regain <= LONGEST_REGAIN
        assert math.isfinite(load.percent + load.regain)


uses = st.fixed_dictionaries({"call_count": st.integers(0, 100), "estimated_time_to_regain_access": st.integers(0, 100)})


@given(st.lists(uses, min_size=1))
def test_the_fullest_of_an_account_counts(entries: list[dict[str, int]]) -> None:
    """Prevents a limit met because another kind of use has room."""
    usage = usage_of(header(HEADERS[0], {"act_5": entries}), "act_5/ads")
    assert usage["5"].percent == max(entry["call_count"] for entry in entries)
    assert usage["5"].regain == 60 * max(entry["estimated_time_to_regain_access"] for entry in entries)


def test_waits_grow_towards_the_limit(clock: Clock) -> None:
    """Prevents full speed until the last percent, and waits while there is room."""
    waits = []
    for percent in (0, 50, 75, 80, 85, 90, 95):
        pace = pace_of(clock)
        pace.note({"1": Load(percent)})
        pace.before("act_1/ads")
        waits.append(pace.waited)
    assert waits[:3] == [0, 0, 0] and waits == sorted(waits) and waits[-1] == 60.0
    assert len(set(waits)) == 5


def test_a_block_is_waited_out_as_the_header_says(clock: Clock) -> None:
    """Prevents a request into a block, and time waited twice that has passed already."""
    pace = pace_of(clock)
    pace.note({"1": Load(100, 300)})
    clock.now += 100
    pace.before("act_1/ads")
    assert clock.slept == [200]
    pace.before("act_1/ads")
    assert clock.slept == [200]


def test_each_account_waits_for_itself(clock: Clock) -> None:
    """Prevents all tenants waiting for the one that is at its limit, and requests by an id going past every limit."""
    pace = pace_of(clock)
    pace.note({"1": Load(100, 300), APP: Load(10)})
    pace.before("act_2/ads")
    assert not clock.slept
    pace.before("120200000000000001")
    assert clock.slept == [300]


def test_the_app_is_everybodys(clock: Clock) -> None:
    """Prevents the app's own limit forgotten over the accounts'."""
    pace = pace_of(clock)
    pace.note({APP: Load(95)})
    pace.before("act_2/ads")
    assert clock.slept == [60]


def test_too_long_a_wait_is_told(clock: Clock) -> None:
    """Prevents a run that sleeps for an hour in its slot."""
    pace = pace_of(clock, longest_wait=600)
    pace.note({"1": Load(100, 3600)})
    with pytest.raises(Throttled) as caught:
        pace.before("act_1/ads")
    assert caught.value.wait == 3600 and "60 minutes" in caught.value.sentence and not clock.slept


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with graph_server() as server:
        server.now = ManualClock(datetime(2026, 11, 27, tzinfo=UTC))
        server.add_account("act_1001", currency="EUR", timezone="Europe/Madrid")
        yield server


@pytest.mark.parametrize("drains", [0.05, 0.5])
def test_a_paced_client_never_meets_the_limit(drains: float, server: GraphServer) -> None:
    """Prevents throttling, which at Meta lengthens what it punishes: with the headers heeded there is none, without it is met soon."""

    def refused(paced: bool) -> int:
        server.now = clock = ManualClock(datetime(2026, 11, 27, tzinfo=UTC))
        server.pace = Leak(points=100, drains=drains, read=1, write=3)
        seconds = lambda: clock().timestamp()  # noqa: E731
        pace = Pace(sleep=clock.sleep, clock=seconds) if paced else None
        graph = Graph(Connection(server.token, server.endpoint), pace=pace, sleep=clock.sleep)
        before, asked = len(server.received), 150
        for _ in range(asked):
            graph.get("act_1001", {"fields": "currency"})
        return len(server.received) - before - asked

    assert refused(paced=True) == 0
    assert refused(paced=False) > 0
