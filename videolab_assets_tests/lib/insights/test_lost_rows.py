"""No row is lost, whatever dies: a process that is killed at any statement or request, and a service that fails in every way it can.

Each seed is an account, a handful of faults, and a few moments at which the fetching process is killed with SIGKILL: before or after a
statement to the database, before or after a request has had its effect. It is started again until it is done. Then what was delivered is
in the tables, with every number right and exactly once.
"""

import os
import random
import signal
import sqlite3
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import VideoLabError
from videolab_assets.lib.insights import InsightsTable, sync
from videolab_assets.lib.meta.graph import Connection, Graph
from videolab_assets.lib.meta.pacing import Pace
from videolab_assets_tests.graph_server import FAULTS, Account, GraphServer, Limits, Received, graph_server
from videolab_assets_tests.lib.insights.truth import (
    DAYS,
    NOW,
    account_of,
    delivered,
    delivered_in_all,
    hurried,
    kept,
    kept_in_all,
    reach_kept,
)

SEEDS = 8
MANY_SEEDS = 200
FAULTS_A_SEED = 7
KILLS_A_SEED = 3
MOST_RUNS = 40
HURRY = 4000.0
TIMEOUT = 0.6

ELSEWHERE = {
    "uploads": {"upload_offset", "upload_lost", "video_error", "video_never_ready"},
    "objects that are made": {"late_listing", "with_issues", "in_process"},
    "lists that are filtered": {"filter_ignored", "filter_refused"},
    "what is never asked for": {"summary_refused", "today_refused"},
    "numbers that change, for which there is a test of its own": {"restated"},
}
"""Faults that cannot happen to insights, and why."""

APPLICABLE = sorted(set(FAULTS) - set().union(*ELSEWHERE.values()))
SETTINGS: dict[str, dict[str, Any]] = {
    "timeout_before": {"hold_seconds": 2.0},
    "timeout_after": {"hold_seconds": 2.0},
    "slow_drip": {"seconds": 0.05, "bytes": 5},
    "connection_refused": {"seconds": 0.02},
    "huge_answer": {"megabytes": 8},
    "next_without_cursors": {"on": "GET 650*/insights"},
    "next_elsewhere": {"on": "GET 650*/insights"},
    "empty_page": {"on": "GET 650*/insights"},
    "empty_last_page": {"on": "GET 650*/insights"},
    "repeated_rows": {"on": "GET 650*/insights"},
}


@dataclass
class Plan:
    """What happens to one seed's account."""

    seed: int
    draw: random.Random = field(init=False)
    kills: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    happened: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)


def limits_of(plan: Plan) -> Limits:
    draw = plan.draw.choice
    return Limits(
        rows_per_job=draw([None, None, 20, 8]), fields_per_job=None, jobs_in_flight=draw([None, 2]), told=draw(["request", "job"])
    )


def arm(server: GraphServer, plan: Plan) -> Callable[[], None]:
    """Lets faults happen to the next requests; returns what notes which of them did."""
    # By turns, so that a few seeds together meet all of them.
    start = plan.seed * FAULTS_A_SEED
    names = [APPLICABLE[(start + number) % len(APPLICABLE)] for number in range(FAULTS_A_SEED)]
    for name in names:
        settings = dict(SETTINGS.get(name, {}))
        if name == "connection_refused":
            server.fault(name, **settings)
            plan.happened.add(name)
            continue
        server.fault(name, skip=plan.draw.randrange(3), times=plan.draw.choice([1, 1, 2]), **settings)
    waiting = {id(armed): (armed, armed.times) for armed in server.faults.armed}

    def note() -> None:
        plan.happened |= {armed.fault.name for armed, times in waiting.values() if armed.times < times}

    return note


class Killer:
    """Kills the fetching process from outside, at a request."""

    def __init__(self, server: GraphServer, at: int, phase: str) -> None:
        self.pid = 0
        self.left = at
        self.phase = phase
        server.on_request = self

    def __call__(self, received: Received, phase: str) -> None:
        if phase == self.phase:
            self.left -= 1
            if self.left == 0 and self.pid:
                os.kill(self.pid, signal.SIGKILL)


def kill_at_statement(database: Database, at: int, moment: str) -> None:
    """Kills this process at its `at`-th statement, before it is sent or after it has taken effect."""
    left = at

    def count(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(database._engine, f"{moment}_cursor_execute", count)


def fetch(server: GraphServer, account: Account, url: str, statement: tuple[int, str] | None) -> None:
    clock, sleep = hurried(HURRY)  # begins anew in each process, as on a machine whose clock is set back
    database = Database(url)
    if statement:
        kill_at_statement(database, *statement)
    pace = Pace(sleep=sleep, clock=clock)
    graph = Graph(Connection(server.token, server.endpoint, timeout=TIMEOUT), pace=pace, sleep=sleep, clock=clock)
    table = InsightsTable(database)
    sync(graph, account_of(account), DAYS, table, clock=clock, sleep=sleep, page_size=9, days_at_once=4, patience=300.0)


def _outcome(work: Callable[[], None], log: Path) -> int:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - told to the parent, which fails
        with log.open("a") as file:
            traceback.print_exc(file=file)
        return 1 if isinstance(error, VideoLabError) else 2
    return 0


def begun(work: Callable[[], None], log: Path) -> int:
    """The id of a fork that does the work."""
    pid = os.fork()
    if pid == 0:
        status = 2
        try:
            signal.alarm(120)
            status = _outcome(work, log)
        finally:
            os._exit(status)
    return pid


def in_a_process(work: Callable[[], None], log: Path, killer: Killer | None) -> int:
    """Runs `work` in a fork; 0 where it was done, 1 where it failed with a sentence, a negative signal where it was killed."""
    pid = begun(work, log)
    if killer:
        killer.pid = pid
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status)


def let_jobs_end(server: GraphServer) -> None:
    """Jobs that nobody asks for end by themselves at Meta, at this server only when they are looked at."""
    with server.world.lock:
        for job_id, job in list(server.world.jobs.items()):
            job.seen += 1
            if job.stuck:
                del server.world.jobs[job_id]


def run_until_done(server: GraphServer, account: Account, plan: Plan, folder: Path) -> None:
    """Starts the fetching again and again, killing the first few runs."""
    url = f"sqlite:///{folder}/{plan.seed}.db"
    for number in range(MOST_RUNS):
        server.on_request, killer, statement = None, None, None
        if number < KILLS_A_SEED:
            at = 1 + int(plan.draw.expovariate(1 / 25))
            if plan.draw.random() < 0.5:
                statement = (at, plan.draw.choice(["before", "after"]))
            else:
                killer = Killer(server, 1 + at // 3, plan.draw.choice(["before", "after"]))
        plan.runs += 1
        ended = in_a_process(lambda: fetch(server, account, url, statement), folder / "log", killer)  # noqa: B023
        if ended == 0:
            return
        let_jobs_end(server)
        if ended == -signal.SIGKILL:
            plan.kills["statement" if statement else "request"] += 1
        else:
            assert ended == 1, (folder / "log").read_text()[-3000:]
    pytest.fail(f"seed {plan.seed} is not done after {MOST_RUNS} runs: {(folder / 'log').read_text()[-3000:]}")


def check(account: Account, plan: Plan, server: GraphServer, folder: Path) -> None:
    database = Database(f"sqlite:///{folder}/{plan.seed}.db")
    words = f"seed {plan.seed}"
    assert kept(database, account.id) == delivered(account), words
    assert kept_in_all(database, account.id) == delivered_in_all(account), words
    reached = reach_kept(database, account.id, "ad")
    assert {key[:2] for key in reached} == set(delivered(account)) and None not in reached.values(), words
    assert InsightsTable(database).reconciliation(account.id, DAYS.first, DAYS.last) == [], words
    with database.connect() as connection:
        left, log, absent = (
            connection.exec_driver_sql(f"SELECT count(*) FROM {of}").scalar_one()  # noqa: S608
            for of in ("insights_reports", "insights_restated", "insights WHERE absent_since IS NOT NULL")
        )
    assert (left, log, absent) == (0, 0, 0), words
    database.dispose()
    with sqlite3.connect(f"{folder}/{plan.seed}.db") as connection:
        assert server.token not in "\n".join(connection.iterdump()), words


def run_seeds(folder: Path, seeds: range) -> list[Plan]:
    import_module("videolab_assets.lib.meta.wire")  # else every fork would import the SDK anew
    plans = [Plan(seed) for seed in seeds]
    with graph_server() as server:
        server.now = lambda: NOW
        server.job_polls = 1
        for plan in plans:
            account = server.add_account(f"act_{1000 + plan.seed}")
            account.insights.generate(ads=6, campaigns=2, adsets=3, first=DAYS.first, days=len(DAYS), seed=plan.seed, quiet=0.3)
            server.world.limits = limits_of(plan)
            note = arm(server, plan)
            run_until_done(server, account, plan, folder)
            note()
            server.clear_faults()
            check(account, plan, server, folder)
    log = folder / "log"
    assert not log.exists() or server.token not in log.read_text()
    return plans


def test_no_row_is_lost(tmp_path: Path) -> None:
    """Prevents a row that was on its way when something died from being neither fetched again nor missed."""
    plans = run_seeds(tmp_path, range(SEEDS))
    assert set().union(*(plan.happened for plan in plans)) == set(APPLICABLE)
    assert sum((plan.kills for plan in plans), Counter()).keys() == {"statement", "request"}


@pytest.mark.long
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_two_at_once(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Prevents a schedule and a person who fetch the same days at the same time from losing each other's rows, or seeing them as absent."""
    url = f"sqlite:///{tmp_path}/0.db" if kind == "sqlite" else str(request.getfixturevalue("postgres_url"))
    import_module("videolab_assets.lib.meta.wire")
    with graph_server() as server:
        server.now, server.job_polls = (lambda: NOW), 1
        account = server.add_account("act_1000")
        account.insights.generate(ads=6, campaigns=2, adsets=3, first=DAYS.first, days=len(DAYS), seed=1)
        log = tmp_path / "log"
        pids = [begun(lambda: fetch(server, account, url, None), log) for _ in range(3)]
        ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        assert set(ended) <= {0, 1}, log.read_text()
        if 1 in ended:
            assert "run it again when that one is done" in log.read_text()
        if 0 not in ended:  # each stood aside for another one
            assert os.waitstatus_to_exitcode(os.waitpid(begun(lambda: fetch(server, account, url, None), log), 0)[1]) == 0, log.read_text()
    database = Database(url)
    assert kept(database, account.id) == delivered(account)
    table = InsightsTable(database)
    assert table.restatements(account.id, DAYS.first, DAYS.last) == []
    assert table.absent(account.id, DAYS.first, DAYS.last) == []
    database.dispose()


@pytest.mark.long
def test_no_row_is_lost_in_many_runs(tmp_path: Path) -> None:
    """Prevents what happens to one run in a hundred."""
    plans = run_seeds(tmp_path, range(1000, 1000 + MANY_SEEDS))
    assert set().union(*(plan.happened for plan in plans)) == set(APPLICABLE)
    assert sum((plan.kills for plan in plans), Counter()).total() > MANY_SEEDS
