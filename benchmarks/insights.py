"""Fetching 90 days of 500 ads: requests against the fewest that can be, and memory against that of a tenth of the rows.

The Graph server runs in a process of its own, and each fetch in a fresh one. Its reports need three looks until they are done.
"""

import json
import multiprocessing
import resource
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

from benchmarks.measure import result, wall_seconds
from videolab_assets.lib.insights import DayRange

ADS = 500
CAMPAIGNS = 10
PAGE_SIZE = 500
LAST = date(2026, 11, 29)
NOW = datetime(2026, 12, 1, 12, tzinfo=UTC)
MANY_DAYS, FEW_DAYS = 90, 9
REQUESTS_ALLOWED = 1.3
MEMORY_ALLOWED = 1.15

_fresh = multiprocessing.get_context("spawn")


def run() -> list[dict[str, Any]]:
    """Requests and seconds of a whole sync, those of a job a day beside them, and the peak of memory for ten times the rows."""
    rows = ADS * MANY_DAYS
    with _server(MANY_DAYS) as (endpoint, token):
        ours = _in_a_fresh_process(_fetch, endpoint, token, MANY_DAYS)
        daily = _in_a_fresh_process(_fetch_daily, endpoint, token, MANY_DAYS)
    with _server(FEW_DAYS) as (endpoint, token):
        few = _in_a_fresh_process(_fetch, endpoint, token, FEW_DAYS)
    if ours["ad_rows"] != rows or daily["ad_rows"] != rows or few["ad_rows"] != ADS * FEW_DAYS:
        raise RuntimeError(f"rows are missing: {ours} {daily} {few}")
    fewest = 1 + 1 + -(-rows // PAGE_SIZE)
    unit = (
        f"requests for {rows:,} ad rows, and with them the account's totals and each campaign's reach; peer: the fewest for the ad rows "
        f"alone at {PAGE_SIZE} a page: one job, one look at it, {-(-rows // PAGE_SIZE)} pages"
    )
    told = f"MB at most in a fresh process for {rows:,} rows; peer: for {ADS * FEW_DAYS:,}"
    return [
        result(
            "insights",
            ours["requests"],
            fewest,
            unit,
            REQUESTS_ALLOWED,
            kinds=ours["kinds"],
            seconds=round(ours["seconds"], 1),
            seconds_waiting=round(ours["waiting"], 1),
            cpu_seconds=round(ours["cpu"], 1),
            a_job_a_day={"requests": daily["requests"], "kinds": daily["kinds"]},
        ),
        result("insights_memory", ours["megabytes"], few["megabytes"], told, MEMORY_ALLOWED),
    ]


def _days(count: int) -> DayRange:
    return DayRange(LAST - timedelta(days=count - 1), LAST)


@contextmanager
def _server(days: int) -> Iterator[tuple[str, str]]:
    """The address and the token of one with so many days of numbers."""
    ours, theirs = _fresh.Pipe()
    process = _fresh.Process(target=_serve, args=(theirs, days), daemon=True)
    process.start()
    try:
        yield ours.recv()
    finally:
        process.kill()
        process.join()


def _serve(pipe: Pipe, days: int) -> None:
    from videolab_assets_tests.graph_server import graph_server

    with graph_server() as server:
        server.now = lambda: NOW
        account = server.add_account("act_1001")
        account.insights.generate(ads=ADS, campaigns=CAMPAIGNS, first=_days(days).first, days=days)
        pipe.send((server.endpoint, server.token))
        pipe.poll(None)


def _in_a_fresh_process(work: Any, *arguments: Any) -> dict[str, Any]:
    ours, theirs = _fresh.Pipe()
    process = _fresh.Process(target=_measured, args=(theirs, work, *arguments))
    process.start()
    theirs.close()
    try:
        found: dict[str, Any] = json.loads(ours.recv())
    finally:
        process.join()
    return found


def _measured(pipe: Pipe, work: Any, *arguments: Any) -> None:
    """Sends back what the work found, with the process's own figures."""
    found: dict[str, Any] = {}
    seconds = wall_seconds(lambda: found.update(work(*arguments)))
    usage = resource.getrusage(resource.RUSAGE_SELF)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    megabytes = int(status["VmHWM"].split()[0]) / 1024
    pipe.send(json.dumps({**found, "seconds": seconds, "cpu": usage.ru_utime + usage.ru_stime, "megabytes": megabytes}))


class _Counted:
    """Counts requests by kind, and the seconds that were waited."""

    def __init__(self, endpoint: str, token: str) -> None:
        import time

        from videolab_assets.lib.meta.graph import Connection, Graph

        self.kinds: dict[str, int] = {"job": 0, "look": 0, "page": 0}
        self.waiting = 0.0
        counted = self

        def sleep(seconds: float) -> None:
            counted.waiting += seconds
            time.sleep(seconds)

        class Counting(Graph):
            def post(self, path: str, *arguments: Any, **named: Any) -> dict[str, Any]:
                counted.kinds["job"] += 1
                return super().post(path, *arguments, **named)

            def get(self, path: str, *arguments: Any, **named: Any) -> dict[str, Any]:
                counted.kinds["page" if path.endswith("/insights") else "look"] += 1
                return super().get(path, *arguments, **named)

        self.sleep = sleep
        self.graph: Graph = Counting(Connection(token, endpoint))


def _fetch(endpoint: str, token: str, count: int) -> dict[str, Any]:
    from videolab_assets.lib.database import Database
    from videolab_assets.lib.insights import InsightsTable, sync
    from videolab_assets.lib.meta.accounts import AdAccount

    counted, days = _Counted(endpoint, token), _days(count)
    account = AdAccount(tenant="bench", account="act_1001", currency="EUR", time_zone="Europe/Madrid", page="1")
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        table = InsightsTable(Database(f"sqlite:///{folder}/videolab.db"))
        done = sync(counted.graph, account, days, table, sleep=counted.sleep, page_size=PAGE_SIZE)
        kept = sum(day.ads for day in table.by_day(account.account, days.first, days.last))
        if table.reconciliation(account.account, days.first, days.last):
            raise RuntimeError("the ads' spend is not the account's")
    return {"requests": done.requests, "kinds": counted.kinds, "waiting": counted.waiting, "ad_rows": kept}


def _fetch_daily(endpoint: str, token: str, count: int) -> dict[str, Any]:
    """The usual way: a job for each day of ad rows alone, looked at until it is done. Without any pause: only its requests count."""
    from videolab_assets.lib.insights import report
    from videolab_assets.lib.insights.parts import UNIFIED, Part, fields_of

    counted, rows = _Counted(endpoint, token), 0
    for day in _days(count):
        part = Part("act_1001", "ad", "act_1001", "account", DayRange(day, day), True, fields_of("ad", ()), (), UNIFIED)
        job_id = report.start(counted.graph, part)
        while report.poll(counted.graph, [job_id])[job_id].state != "ready":
            pass
        rows += sum(len(page.rows) for page in report.pages(counted.graph, job_id, "", PAGE_SIZE))
    return {"requests": counted.graph.requests, "kinds": counted.kinds, "waiting": counted.waiting, "ad_rows": rows}
