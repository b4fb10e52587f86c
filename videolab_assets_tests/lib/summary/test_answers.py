"""Answers that are paid for once, over SQLite and a real PostgreSQL."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import pytest
import sqlalchemy as sa

from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.summary.answers import Answer, Answers

KEY = "ab" * 32
ANSWER = Answer('{"title": "¿Cómo? \\u0000"}', "gemini-9")
LEASE = 600.0


class Clock:
    """A clock that moves when somebody sleeps."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


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
def database(url: str) -> Iterator[Database]:
    database = Database(url)
    yield database
    database.dispose()


@pytest.fixture
def answers(database: Database, clock: Clock) -> Answers:
    return Answers(database, LEASE, clock, clock.sleep)


def must_not_ask() -> NoReturn:
    raise AssertionError("asked again")


def test_an_answer_is_remembered(answers: Answers) -> None:
    """Prevents paying twice for the same, and an answer that comes back changed."""
    assert answers.find(KEY) is None
    assert answers.find_or_ask(KEY, "acme", lambda: ANSWER) == (ANSWER, False)
    assert answers.find(KEY) == ANSWER
    assert answers.find_or_ask(KEY, "acme", must_not_ask) == (ANSWER, True)
    assert answers.find("cd" * 32) is None


def test_a_failure_is_not_remembered(answers: Answers, clock: Clock) -> None:
    """Prevents a refused call from blocking the next one until its lease ends."""

    def refuse() -> NoReturn:
        raise PermanentError("no")

    with pytest.raises(PermanentError):
        answers.find_or_ask(KEY, "acme", refuse)
    before = clock.now
    assert answers.find_or_ask(KEY, "acme", lambda: ANSWER) == (ANSWER, False)
    assert clock.now == before


def test_of_many_one_asks(database: Database) -> None:
    """Prevents runs that begin together from all paying, and those that wait from missing the answer."""
    asked: list[int] = []
    racing, waiting = threading.Barrier(8), threading.Event()

    def ask() -> Answer:
        asked.append(1)
        waiting.wait(10)
        return ANSWER

    def race(_: int) -> tuple[Answer, bool]:
        racing.wait()
        return Answers(database, LEASE, sleep=lambda _: waiting.set()).find_or_ask(KEY, "acme", ask)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(race, range(8)))
    assert len(asked) == 1
    assert sorted(cached for _, cached in found) == [False] + [True] * 7
    assert {answer for answer, _ in found} == {ANSWER}


def ask_in_a_process(url: str, gate: Any, asked: Any, found: Any) -> None:
    def ask() -> Answer:
        asked.put(os.getpid())
        return ANSWER

    answers = Answers(Database(url), LEASE, sleep=lambda _: None)
    gate.wait()
    found.put(answers.find_or_ask(KEY, "acme", ask)[0] == ANSWER)


def test_of_many_processes_one_asks(url: str) -> None:
    """Prevents a lock in memory from being all that keeps two runs from paying."""
    forked = multiprocessing.get_context("fork")
    gate, asked, found = forked.Barrier(4), forked.Queue(), forked.Queue()
    racers = [forked.Process(target=ask_in_a_process, args=(url, gate, asked, found)) for _ in range(4)]
    for racer in racers:
        racer.start()
    assert all(found.get(timeout=60) for _ in racers)
    for racer in racers:
        racer.join()
    assert asked.get(timeout=60)
    assert asked.empty()


def die_asking(url: str) -> None:
    def die() -> NoReturn:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError

    Answers(Database(url), LEASE).find_or_ask(KEY, "acme", die)


def test_a_killed_process_holds_nobody_up(url: str, answers: Answers, clock: Clock) -> None:
    """Prevents a video without a summary, or one that waits ten minutes, because a run was killed while it asked."""
    killed = multiprocessing.get_context("fork").Process(target=die_asking, args=(url,))
    killed.start()
    killed.join()
    assert killed.exitcode == -signal.SIGKILL
    before = clock.now
    assert answers.find_or_ask(KEY, "acme", lambda: ANSWER) == (ANSWER, False)
    assert clock.now == before


def owned_elsewhere(database: Database) -> Callable[[], None]:
    """What makes every claim one of a process on another machine, of which nothing here can know."""

    def move() -> None:
        with database.connect() as connection:
            connection.execute(sa.text("UPDATE answers SET owner = 'elsewhere.00000000.1.1'"))

    return move


def test_a_claim_of_another_machine_ends_with_its_lease(answers: Answers, database: Database, clock: Clock) -> None:
    """Prevents a machine that is gone for good from blocking a summary for good; and its late answer from replacing the new one."""
    elsewhere = owned_elsewhere(database)
    later = Answer("{}", "later")

    def slowly() -> Answer:
        elsewhere()
        began = clock.now
        assert answers.find_or_ask(KEY, "acme", lambda: later) == (later, False)
        assert LEASE <= clock.now - began <= LEASE + 2
        return ANSWER

    assert answers.find_or_ask(KEY, "acme", slowly) == (ANSWER, False)
    assert answers.find(KEY) == later


def test_waiting_ends(answers: Answers, database: Database, clock: Clock) -> None:
    """Prevents a run that waits for ever behind others which claim, fail and claim again."""
    elsewhere = owned_elsewhere(database)

    def slowly() -> Answer:
        elsewhere()

        def sleep(seconds: float) -> None:
            clock.sleep(seconds)
            with database.connect() as connection:
                connection.execute(sa.text("UPDATE answers SET claimed_until = :until"), {"until": clock.now + 20})

        with pytest.raises(TransientError, match="asking for the same answer for too long"):
            Answers(database, 20, clock, sleep).find_or_ask(KEY, "acme", must_not_ask)
        return ANSWER

    answers.find_or_ask(KEY, "acme", slowly)
