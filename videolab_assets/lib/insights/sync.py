"""Insights of some days from Meta into the tables: several report jobs at once, each page kept together with the cursor after it.

It may be killed anywhere and run again: jobs are taken up by their ids and reports at their pages. What Meta finds too much is asked in
parts: days first, then the objects of the account one by one, then fields. Running it again when it is done costs the same requests and
changes only what Meta has changed.
"""

import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from videolab_assets.lib.errors import TransientError
from videolab_assets.lib.insights import report as jobs
from videolab_assets.lib.insights.backlog import Backlog, Report
from videolab_assets.lib.insights.days import DayRange
from videolab_assets.lib.insights.keeping import Place
from videolab_assets.lib.insights.parts import Part, fields_of, window_of
from videolab_assets.lib.insights.rows import InsightRow, read_page
from videolab_assets.lib.insights.table import InsightsTable
from videolab_assets.lib.meta.errors import GraphRefused, NotSent, OutcomeUnknown, Throttled, TooMuchData
from videolab_assets.lib.meta.graph import LONGEST_WAIT

if TYPE_CHECKING:
    from videolab_assets.lib.meta.accounts import AdAccount
    from videolab_assets.lib.meta.graph import Graph, Page

IN_FLIGHT = 4
"""Jobs at once. Meta limits them for an account without saying at what number."""

PAGE_SIZE = 500
"""Rows asked for at once."""

DAYS_AT_ONCE = 31
"""Days of one job at most: larger ones are what fails, and several run side by side."""

PATIENCE = 900.0
"""Seconds in which a job has to get on by a percent."""

RETENTION_DAYS = 1_100
"""Days that Meta keeps: 37 months."""

_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 30.0
_TROUBLES = 6
"""Refused or unanswered requests for jobs one after another, and jobs that vanish, before the run gives up."""


@dataclass(frozen=True)
class Synced:
    """What one run of `sync` did; a run that took up another one's work did only the rest.

    Attributes:
        days: that were asked for.
        rows: received and kept.
        restated: numbers of known rows that Meta has changed.
        absent: rows that Meta was seen to return no more.
        requests: sent, all kinds.
        reports: jobs that were started.
        splits: reports that had to be asked for in parts.
        spend_minor: what the ads spent on each day, in minor units, as the tables now say.
    """

    days: DayRange
    rows: int
    restated: int
    absent: int
    requests: int
    reports: int
    splits: int
    spend_minor: dict[date, int]


def sync(
    graph: "Graph",
    account: "AdAccount",
    days: DayRange,
    table: InsightsTable,
    *,
    levels: Sequence[str] = ("ad", "account"),
    breakdowns: Sequence[Sequence[str]] = (),
    lifetime: bool = True,
    clock: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
    in_flight: int = IN_FLIGHT,
    page_size: int = PAGE_SIZE,
    days_at_once: int = DAYS_AT_ONCE,
    patience: float = PATIENCE,
) -> Synced:
    """Fetches the days anew and keeps what came.

    Args:
        graph: to Meta.
        account: whose insights.
        days: complete ones: see `days.due`.
        table: where to.
        levels: of daily rows.
        breakdowns: further daily rows of ads, such as by `("age", "gender")`; they repeat the sums in parts.
        lifetime: also the people whom each campaign reached since the first day of the year before the last day.
        clock: epoch seconds.
        sleep: waits a number of seconds.
        in_flight: jobs at once.
        page_size: rows of a page.
        days_at_once: of one job.
        patience: seconds without progress after which a job counts as failed.

    Raises:
        GraphError: Meta refuses, or cannot be reached for long.
        TransientError: it cannot be done now, or Meta sends what is no insights; a later run goes on where this one stopped.
        PermanentError: the account's attribution windows do not exist.
    """
    parts = _parts(account, days, levels, breakdowns, days_at_once)
    parts += _lifetimes(account, days, clock) if lifetime else []
    backlog = Backlog(table.database, account.account, parts, clock)
    work = _Sync(graph, account, table, backlog, clock, sleep, in_flight=in_flight, page_size=page_size, patience=patience)
    before = graph.requests
    work.fetch()
    with table.transaction() as connection:
        absent = sum(table.mark_absent(connection, part, backlog.began_at, clock()) for part in parts if part.daily)
        backlog.finish(connection)
    spend = table.spend_by_day(account.account, days, window_of(account.windows))
    return Synced(days, work.rows, work.restated, absent, graph.requests - before, work.reports, work.splits, spend)


def _parts(
    account: "AdAccount", days: DayRange, levels: Sequence[str], breakdowns: Sequence[Sequence[str]], days_at_once: int
) -> list[Part]:
    window = window_of(account.windows)
    wanted: list[tuple[str, tuple[str, ...]]] = [(level, ()) for level in levels]
    wanted += [("ad", tuple(sorted(names))) for names in breakdowns if names]
    return [
        Part(account.account, level, account.account, "account", some, True, fields_of(level, names), names, window)
        for level, names in wanted
        # An account has one row a day, which no number of days makes too much.
        for some in (days.pieces(days_at_once) if level != "account" else [days])
    ]


def _lifetimes(account: "AdAccount", days: DayRange, clock: Callable[[], float]) -> list[Part]:
    """A day that stays the same for a year, so that what is kept of a campaign can be compared from day to day."""
    kept = datetime.fromtimestamp(clock(), UTC).date() - timedelta(days=RETENTION_DAYS)
    if days.last < kept:
        return []
    since = max(date(days.last.year - 1, 1, 1), kept)
    window = window_of(account.windows)
    whole = DayRange(since, days.last)
    return [Part(account.account, "campaign", account.account, "account", whole, False, fields_of("campaign", ()), (), window)]


@dataclass
class _Running:
    report: Report
    progress: jobs.Progress
    since: float


class _Sync:
    def __init__(
        self,
        graph: "Graph",
        account: "AdAccount",
        table: InsightsTable,
        backlog: Backlog,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        *,
        in_flight: int,
        page_size: int,
        patience: float,
    ) -> None:
        self._graph = graph
        self._place = Place(account.account, account.currency, account.time_zone)
        self._table = table
        self._backlog = backlog
        self._clock = clock
        self._sleep = sleep
        self._in_flight = in_flight
        self._page_size = page_size
        self._patience = patience
        self._waiting: deque[Report] = deque()
        self._running: dict[str, _Running] = {}
        self._pause = _FIRST_PAUSE
        self._polled_at = 0.0
        self._start_at = 0.0
        self._troubles = 0
        self._vanished: dict[str, int] = {}
        self.rows = self.restated = self.reports = self.splits = 0

    def fetch(self) -> None:
        """Until nothing is left to fetch."""
        for report in self._backlog.unfinished():
            if report.report_run_id:
                self._follow(report, report.report_run_id)
            else:
                self._waiting.append(report)
        while self._waiting or self._running:
            self._start_jobs()
            if self._running:
                self._wait_for_jobs()
                for job_id, progress in jobs.poll(self._graph, list(self._running)).items():
                    self._take(job_id, progress)

    def _follow(self, report: Report, job_id: str) -> None:
        self._running[job_id] = _Running(report, jobs.Progress("running"), self._clock())

    def _start_jobs(self) -> None:
        while self._waiting and len(self._running) < self._in_flight:
            left = self._start_at - self._clock()
            if left > 0:
                if self._running:
                    return
                self._sleep(left)
            report = self._waiting.popleft()
            self._backlog.starting(report)
            try:
                job_id = jobs.start(self._graph, report.part)
            except TooMuchData as error:
                self._split(report, error.sentence)
                continue
            except (Throttled, OutcomeUnknown, NotSent) as error:
                self._waiting.appendleft(report)
                self._troubles += 1
                wait = error.wait if isinstance(error, Throttled) else 2.0**self._troubles
                if self._troubles > _TROUBLES or wait > LONGEST_WAIT:  # a later run goes on, and its place is free until then
                    raise
                self._start_at = self._clock() + wait * _jitter()
                continue
            self._backlog.started(report, job_id)
            self._follow(report, job_id)
            self.reports += 1
            self._troubles, self._polled_at = 0, self._clock()

    def _wait_for_jobs(self) -> None:
        """Longer each time, until a job is done; what was read meanwhile counts as waiting."""
        left = self._pause * _jitter() - (self._clock() - self._polled_at)
        if left > 0:
            self._sleep(left)
        self._pause = min(self._pause * 1.5, _LONGEST_PAUSE)
        self._polled_at = self._clock()

    def _take(self, job_id: str, progress: jobs.Progress) -> None:
        running = self._running[job_id]
        if progress.state == "running":
            if progress != running.progress:
                running.progress, running.since = progress, self._clock()
                return
            if self._clock() - running.since < self._patience:
                return
            progress = jobs.Progress("failed", progress.percent, f"no progress for {self._patience:.0f} s at {progress.percent} percent")
        del self._running[job_id]
        self._pause, self._start_at = _FIRST_PAUSE, 0.0
        report = running.report
        if progress.state == "ready":
            self._read(report, job_id)
        elif progress.state == "gone":
            self._again(report, progress.said)
        elif progress.state == "failed" and report.failures == 0:
            self._backlog.again(report, progress.said, failed=True)
            self._waiting.append(report)
        else:
            self._split(report, progress.said)

    def _read(self, report: Report, job_id: str) -> None:
        """Keeps its pages; a page is kept whole together with where it ends, or not at all."""
        try:
            for page in jobs.pages(self._graph, job_id, report.cursor, self._page_size):
                rows = self._rows_of(page, report)
                with self._table.transaction() as connection:
                    # Where the clock was set back since the sync began, the row would seem to have been absent in it.
                    now = max(self._clock(), self._backlog.began_at)
                    self.restated += self._table.keep(connection, self._place, report.part, rows, now)
                    self._backlog.turned(connection, report, page.after)
                self.rows += len(rows)
        except TooMuchData as error:
            self._split(report, error.sentence)
        except GraphRefused as error:
            if error.code != 100:  # of the job that has expired or of a cursor that is no longer one
                raise
            self._again(report, error.sentence)

    def _rows_of(self, page: "Page", report: Report) -> list[InsightRow]:
        try:
            return read_page(page.rows, report.part, self._place.currency)
        except TransientError as error:  # the next run asks for another report, which may be a better one
            self._backlog.again(report, error.sentence, failed=False)
            raise

    def _again(self, report: Report, reason: str) -> None:
        """Another job from the beginning, because this one is no longer there."""
        self._backlog.again(report, reason, failed=False)
        times = self._vanished[report.key] = self._vanished.get(report.key, 0) + 1
        if times > _TROUBLES:
            raise TransientError(f"Meta loses every report of the {report.part.in_words()}: run it again later.", reason)
        self._waiting.append(report)

    def _split(self, report: Report, reason: str) -> None:
        part = report.part
        parts = part.by_days() or self._by_objects(part) or part.by_fields()
        if not parts:
            self._backlog.again(report, reason, failed=False)
            raise TransientError(f"Meta does not give the {part.in_words()}, not even field by field: run it again later.", reason)
        self._waiting.extend(self._backlog.split(report, parts, reason))
        self.splits += 1

    def _by_objects(self, part: Part) -> list[Part]:
        return [part.of_object(object_id) for object_id in jobs.objects(self._graph, part)] if part.finer else []


def _jitter() -> float:
    return random.uniform(0.75, 1.25)  # noqa: S311 - spreads requests, hides nothing
