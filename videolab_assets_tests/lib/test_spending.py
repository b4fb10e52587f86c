"""What was spent and the cap on it, over SQLite and a real PostgreSQL."""

import multiprocessing
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.spending import CapReached, Hold, Spending, in_words

RACERS = 16


class Clock:
    """A clock that a test sets."""

    now = datetime(2026, 11, 21, 23, 59, 0, tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/videolab.db"
    postgres: str = request.getfixturevalue("postgres_url")
    return postgres


@pytest.fixture
def spending(url: str, clock: Clock) -> Iterator[Spending]:
    database = Database(url)
    yield Spending(database, clock)
    database.dispose()


def held(spending: Spending, dollars: float, cap: float = 1.0, tenant: str = "acme", service: str = "gemini") -> Hold:
    return spending.hold(tenant, service, dollars, cap=cap, setting="THE_CAP")


def test_what_is_held_counts_until_it_is_settled(spending: Spending) -> None:
    """Prevents calls under way from being invisible to the cap, and estimates that stay after the truth is known."""
    first, second = held(spending, 0.4), held(spending, 0.6)
    assert spending.spent("acme", "gemini") == 1.0
    with pytest.raises(CapReached):
        held(spending, 0.000001)
    assert spending.settle(first, 0.1) == 0.1
    assert spending.settle(second, 0.0) == 0.0
    assert spending.spent("acme", "gemini") == pytest.approx(0.1)
    held(spending, 0.9)


def test_the_first_settlement_counts(spending: Spending) -> None:
    """Prevents a late second word, as after a retry, from making a paid call free."""
    hold = held(spending, 0.4)
    spending.settle(hold, 0.3)
    spending.settle(hold, 0.0)
    assert spending.spent("acme", "gemini") == pytest.approx(0.3)


def test_a_call_may_cost_more_than_was_held(spending: Spending) -> None:
    """Prevents the books from showing less than the bill."""
    spending.settle(held(spending, 0.1), 2.5)
    assert spending.spent("acme", "gemini") == pytest.approx(2.5)
    with pytest.raises(CapReached):
        held(spending, 0.0001)


def test_each_tenant_service_and_day_has_its_own_cap(spending: Spending, clock: Clock) -> None:
    """Prevents one tenant's videos from using up another's money, and yesterday's from using up today's."""
    held(spending, 1.0)
    held(spending, 1.0, tenant="other")
    held(spending, 1.0, service="whisper")
    clock.now += 60  # midnight in UTC
    held(spending, 1.0)
    assert spending.spent("acme", "gemini") == 1.0


def test_the_refusal_says_what_to_do(spending: Spending) -> None:
    """Prevents an error that leaves open who has spent what on what, and who can change it."""
    held(spending, 0.95)
    with pytest.raises(PermanentError) as caught:
        held(spending, 0.0512)
    assert str(caught.value) == (
        "acme has spent $0.95 of the $1.00 that it may spend on gemini in a day (UTC), and this call may cost up to $0.051: "
        "raise THE_CAP, or run it again tomorrow."
    )


def test_a_cap_of_nothing_stops_everything_and_an_endless_one_nothing(spending: Spending) -> None:
    """Prevents zero from meaning no cap."""
    with pytest.raises(CapReached):
        held(spending, 0.000001, cap=0.0)
    held(spending, 1e6, cap=float("inf"))


def test_tenths_add_up(spending: Spending) -> None:
    """Prevents floating point from refusing the last tenth of a cap: 0.1 + 0.2 is more than 0.3 there."""
    for _ in range(3):
        held(spending, 0.1, cap=0.3)


def test_threads_together_keep_the_cap(spending: Spending) -> None:
    """Prevents every one of many videos from seeing the same money left and spending it."""
    gate = threading.Barrier(RACERS)

    def race(_: int) -> bool:
        gate.wait()
        try:
            held(spending, 0.2)
        except CapReached:
            return False
        return True

    with ThreadPoolExecutor(RACERS) as pool:
        assert sum(pool.map(race, range(RACERS))) == 5
    assert spending.spent("acme", "gemini") == pytest.approx(1.0)


def hold_in_a_process(url: str, gate: Any, answers: Any) -> None:
    spending = Spending(Database(url), Clock())
    gate.wait()
    try:
        held(spending, 0.4)
    except CapReached:
        answers.put(False)
    else:
        answers.put(True)


def test_processes_together_keep_the_cap(url: str) -> None:
    """Prevents runs, each a process, from overspending: the database has to decide, not a lock in memory."""
    forked = multiprocessing.get_context("fork")
    database = Database(url)
    Spending(database)
    database.dispose()
    gate, answers = forked.Barrier(6), forked.Queue()
    racers = [forked.Process(target=hold_in_a_process, args=(url, gate, answers)) for _ in range(6)]
    for racer in racers:
        racer.start()
    assert sum(answers.get(timeout=60) for _ in racers) == 2
    for racer in racers:
        racer.join()


@given(st.floats(min_value=0, max_value=1e6))
def test_amounts_are_told_to_a_person(dollars: float) -> None:
    """Prevents "$1e-06" and "$0.00" for money that was spent."""
    words = in_words(dollars)
    assert words.startswith("$")
    assert dollars < 1e-6 or float(words[1:]) == pytest.approx(dollars, rel=0.06)
    assert dollars < 1e-4 or "e" not in words
