"""What of a sync is still to be fetched, so that a process that died is taken up where it was: the job's id, and the page in it.

    waiting ──> running ──> done            a job that failed or expired: running ──> waiting
       └───────────┴──────> split           into parts that wait in its place

Rows are there only while their sync is under way: when all is fetched, they go.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import TransientError
from videolab_assets.lib.insights.parts import Part
from videolab_assets.lib.insights.tables import reports

STALE_SECONDS = 12 * 3600.0
"""A sync that began longer ago begins anew: its first rows are no longer what Meta says, and its jobs will have expired."""

_WAITING, _RUNNING, _DONE, _SPLIT = "waiting", "running", "done", "split"


@dataclass
class Report:
    """One part and how far it got.

    Attributes:
        key: names its row.
        part: what is asked.
        report_run_id: Meta's id of the job; None while there is none.
        cursor: after the last page that was kept.
        starts: requests for a job so far.
        failures: jobs that failed, were skipped or got stuck.
    """

    key: str
    part: Part
    report_run_id: str | None
    cursor: str
    starts: int
    failures: int


class Backlog:
    """The parts of one sync.

    Every method raises TransientError when the database cannot be used, and when another process has finished the same sync meanwhile.

    Args:
        database: with the table of reports.
        account_id: `act_…`.
        parts: what the whole sync asks for; syncs of equal parts are one.
        clock: epoch seconds.
    """

    def __init__(self, database: Database, account_id: str, parts: Sequence[Part], clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._sync_key = _hash(*(part.to_json() for part in parts))
        self.began_at = self._begin(account_id, parts)
        """Epoch seconds of when the sync began, by whichever process."""

    def _begin(self, account_id: str, parts: Sequence[Part]) -> float:
        now = self._clock()
        began = sa.select(sa.func.min(reports.c.began_at)).where(reports.c.sync_key == self._sync_key)
        with self._database.transaction() as connection:
            stale = (reports.c.account_id == account_id, reports.c.began_at < now - STALE_SECONDS)
            connection.execute(sa.delete(reports).where(*stale))
            if connection.execute(began).scalar_one() is None:
                self._add(connection, parts, now)
            # Asked again: in PostgreSQL another process may have begun it at the same moment, and then its rows are those that stand.
            return float(connection.execute(began).scalar_one())

    def _add(self, connection: sa.Connection, parts: Sequence[Part], began: float) -> None:
        rows = [
            {
                "report_key": _hash(self._sync_key, part.to_json()),
                "sync_key": self._sync_key,
                "account_id": part.account_id,
                "part": part.to_json(),
                "state": _WAITING,
                "cursor": "",
                "starts": 0,
                "failures": 0,
                "reason": "",
                "began_at": began,
                "updated_at": self._clock(),
            }
            for part in parts
        ]
        if rows:
            connection.execute(self._database.insert(reports).on_conflict_do_nothing(), rows)

    def unfinished(self) -> list[Report]:
        """What is waiting or running; those with a job first, then by days."""
        open_ones = (reports.c.sync_key == self._sync_key, reports.c.state.in_((_WAITING, _RUNNING)))
        columns = [reports.c[name] for name in ("report_key", "part", "report_run_id", "cursor", "starts", "failures")]
        with self._database.connect() as connection:
            rows = connection.execute(sa.select(*columns).where(*open_ones)).all()
        found = [Report(row[0], Part.from_json(row[1]), *row[2:]) for row in rows]
        return sorted(found, key=lambda report: (report.report_run_id is None, report.part.days, report.key))

    def starting(self, report: Report) -> None:
        """Notes, before a job is asked for, that it will be: whoever comes after a crash knows how often."""
        report.starts += 1
        with self._database.connect() as connection:
            self._update(connection, report, _WAITING, starts=report.starts)

    def started(self, report: Report, report_run_id: str) -> None:
        """Notes the job's id."""
        report.report_run_id, report.cursor = report_run_id, ""
        with self._database.connect() as connection:
            self._update(connection, report, _WAITING, state=_RUNNING, report_run_id=report_run_id, cursor="")

    def turned(self, connection: sa.Connection, report: Report, cursor: str) -> None:
        """Notes, in the transaction that keeps its rows, that a page was read; an empty cursor says that it was the last."""
        state = _RUNNING if cursor else _DONE
        self._update(connection, report, _RUNNING, state=state, cursor=cursor)
        report.cursor = cursor

    def again(self, report: Report, reason: str, *, failed: bool) -> None:
        """Gives the job up; the part waits for another one."""
        report.failures += failed
        report.report_run_id, report.cursor = None, ""
        with self._database.connect() as connection:
            again = {"state": _WAITING, "report_run_id": None, "cursor": "", "failures": report.failures}
            self._update(connection, report, None, reason=reason, **again)

    def split(self, report: Report, parts: Sequence[Part], reason: str) -> list[Report]:
        """Puts parts in its place."""
        with self._database.transaction() as connection:
            self._update(connection, report, None, state=_SPLIT, reason=reason)
            self._add(connection, parts, self.began_at)
        return [Report(_hash(self._sync_key, part.to_json()), part, None, "", 0, 0) for part in parts]

    def finish(self, connection: sa.Connection) -> None:
        """The sync is over: the next one of the same parts begins anew."""
        connection.execute(sa.delete(reports).where(reports.c.sync_key == self._sync_key))

    def _update(self, connection: sa.Connection, report: Report, was: str | None, **values: Any) -> None:
        mine = [reports.c.report_key == report.key, reports.c.state.in_((was,) if was else (_WAITING, _RUNNING))]
        if was == _RUNNING:
            mine.append(reports.c.report_run_id == report.report_run_id)
        changed = connection.execute(sa.update(reports).where(*mine).values(updated_at=self._clock(), **values)).rowcount
        if changed != 1:
            raise TransientError(f"Another run fetches the {report.part.in_words()} at the same time: run it again when that one is done.")


def _hash(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()
