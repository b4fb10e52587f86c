"""Insights at once, and as reports that take a while."""

from dataclasses import dataclass, field
from typing import Any

from .errors import Refusal, no_such_field
from .fields import NODES, READABLE, split_fields
from .paging import limit_of, page
from .rendering import render, writers
from .reports import Bucket, Query, buckets, id_of, query
from .request import Answer, Call
from .state import Account, World

KEPT = 8
"""Reports asked for at once whose rows are kept while they are paged."""


@dataclass
class Job:
    """A report under way.

    Args:
        polls: reads of its state until it is done.
        end: the state in which it ends.
        percent: where it ends.
        refusal: why it fails.
    """

    id: str
    account: Account
    asked: Query
    rows: list[Bucket]
    polls: int
    created: float
    end: str = "Job Completed"
    percent: int = 100
    stuck: bool = False
    refusal: dict[str, Any] = field(default_factory=dict)
    seen: int = 0
    finished: float = 0.0

    @property
    def done(self) -> bool:
        return not self.stuck and self.seen > self.polls

    @property
    def state(self) -> tuple[str, int]:
        """What it says of itself after so many reads."""
        if self.done:
            return self.end, self.percent
        if self.seen <= 1 and self.polls:
            return "Job Not Started", 0
        return "Job Running", self.percent if self.stuck else min(99, 100 * (self.seen - 1) // max(1, self.polls))


def too_much_data() -> Refusal:
    words = "Please reduce the amount of data you're asking for, then retry your request"
    return Refusal(100, "(#100) " + words, subcode=1487534, title="Too much data", words=words)


def _is_too_much(world: World, asked: Query, rows: list[Bucket]) -> bool:
    objects = {id_of(asked.account, bucket.ids, asked.level) for bucket in rows}
    return world.limits.too_much(rows=len(rows), days=(asked.until - asked.since).days + 1, fields=len(asked.fields), objects=len(objects))


def _restated(call: Call, account: Account) -> None:
    restated = call.trick("restated")
    if restated is not None:
        account.insights.restate(restated.get("date"), factor=float(restated.get("factor", 1.05)), seed=restated.get("seed"))


def at_once(world: World, account: Account, scope: tuple[str, str], call: Call, cache: dict[str, tuple[int, list[Bucket]]]) -> Answer:
    """GET …/insights: a page. The rows are found once, and kept for the pages that follow until the numbers change."""
    asked = query(world, account, scope, call, frozenset(writers()))
    _restated(call, account)
    key = f"{asked.key} {world.now().astimezone(account.zone).date()}"
    version, rows = cache.get(key, (-1, []))
    if version != account.insights.version:
        rows = buckets(world, asked)
        cache[key] = (account.insights.version, rows)
        while len(cache) > KEPT:
            cache.pop(next(iter(cache)))
    if _is_too_much(world, asked, rows):
        raise too_much_data()
    return page(call, rows, lambda bucket: render(asked, bucket), limit_of(call, world.limits))


def start(world: World, account: Account, scope: tuple[str, str], call: Call, polls: int) -> Answer:
    """POST …/insights: a report, whose rows are those of this moment."""
    running = sum(job.account is account and not job.done for job in world.jobs.values())
    if world.limits.jobs_in_flight is not None and running >= world.limits.jobs_in_flight:
        raise Refusal(4, "(#4) Application request limit reached", subcode=1504022, transient=True, words="Too many reports at once.")
    asked = query(world, account, scope, call, frozenset(writers()))
    _restated(call, account)
    rows = buckets(world, asked)
    job = Job(str(650_000_000_000_000 + world.number()), account, asked, rows, polls, world.clock())
    if _is_too_much(world, asked, rows):
        if world.limits.told != "job":
            raise too_much_data()
        _fail(job, 100, 1487534, "Please reduce the amount of data you're asking for, then retry your request")
    if call.trick("job_failed") is not None:
        _fail(job, -2, 2490547, "An error occurred while the report was made.")
    if call.trick("job_skipped") is not None:
        job.end, job.percent = "Job Skipped", 0
    for name in ("job_stuck", "job_incomplete"):
        bent = call.trick(name)
        if bent is not None:
            job.percent, job.stuck = int(bent.get("percent", 47)), name == "job_stuck"
    if call.trick("report_expired") is None:
        world.jobs[job.id] = job
    return Answer({"report_run_id": job.id})


def _fail(job: Job, code: int, subcode: int, words: str) -> None:
    job.end, job.percent = "Job Failed", 0
    job.refusal = {"error_code": code, "error_subcode": subcode, "error_message": words}
    job.refusal |= {"error_user_title": "Report failed", "error_user_msg": words}


def show(world: World, job: Job, asked: Any) -> dict[str, Any]:
    """The state of a report; each read brings it forward."""
    job.seen += 1
    if job.done and not job.finished:
        job.finished = world.clock()
    state, percent = job.state
    values = {
        "id": job.id,
        "account_id": job.account.number,
        "time_ref": int(job.created),
        "time_completed": int(job.finished) if job.done else None,
        "async_status": state,
        "async_percent_completion": percent,
        "is_running": not job.done,
        "date_start": job.asked.since.isoformat(),
        "date_stop": job.asked.until.isoformat(),
        **(job.refusal if job.done else {}),
    }
    shown = {}
    for name, _ in split_fields(asked or "account_id,time_ref,time_completed,async_status,async_percent_completion"):
        if name not in READABLE["report"]:
            raise no_such_field(name, NODES["report"])
        if values.get(name) is not None:
            shown[name] = values[name]
    return shown | {"id": job.id}


def result(world: World, job: Job, call: Call) -> Answer:
    """GET {report_run_id}/insights: a page of a report that is done."""
    if not job.done or job.end != "Job Completed":
        raise Refusal(100, "(#100) The report is not completed", subcode=33, kind="GraphMethodException")
    part = int(len(job.rows) * job.percent / 100) if job.percent < 100 else len(job.rows)
    rows = job.rows if part == len(job.rows) else job.rows[:part]
    return page(call, rows, lambda bucket: render(job.asked, bucket), limit_of(call, world.limits))
