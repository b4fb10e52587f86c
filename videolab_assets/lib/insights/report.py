"""Report jobs at Meta: asked for, looked after all in one request, read page by page.

A job that was asked for twice costs a little of the account's quota and no money, so that nothing is looked up after an answer that never
came. What a job's end means is not in its status alone: "Job Completed" counts only together with 100 percent.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from videolab_assets.lib.errors import TransientError
from videolab_assets.lib.insights.parts import Part
from videolab_assets.lib.meta.errors import AccountBlocked, GraphError, GraphRefused, TokenRefused, Told, TooMuchData, failure, one_line

if TYPE_CHECKING:
    from videolab_assets.lib.meta.graph import Graph, Page

_FIELDS = "id,async_status,async_percent_completion,error_code,error_subcode,error_message,error_user_title,error_user_msg"
_LISTED_STATUSES = ["ACTIVE", "PAUSED", "CAMPAIGN_PAUSED", "ARCHIVED", "DELETED", "IN_PROCESS", "WITH_ISSUES"]
_IDS_AT_ONCE = 500


@dataclass(frozen=True)
class Progress:
    """How far a job is.

    Attributes:
        state: `gone` where Meta does not know the job, or no more.
        percent: done.
        said: Meta's own words, for engineers.
    """

    state: Literal["running", "ready", "failed", "too_much", "gone"]
    percent: int = 0
    said: str = ""


def start(graph: "Graph", part: Part) -> str:
    """Asks for a job, in one request that is not repeated.

    Returns:
        Its id.

    Raises:
        GraphError: as `Graph.post`.
        TransientError: Meta says no id.
    """
    job_id = graph.post(f"{part.of}/insights", part.params(), expects=("report_run_id",))["report_run_id"]
    if not str(job_id).isdecimal() or len(str(job_id)) > 40:
        raise TransientError(f"Meta gives no id for the {part.in_words()}: run it again later.", repr(job_id)[:100])
    return str(job_id)


def poll(graph: "Graph", job_ids: Sequence[str]) -> dict[str, Progress]:
    """How far the jobs are: one request for all, and one for each only where Meta refuses that because of one of them.

    Raises:
        GraphError: as `Graph.get`; TokenRefused and AccountBlocked also where a job failed because of them.
    """
    try:
        answer = graph.get("", {"ids": ",".join(job_ids), "fields": _FIELDS})
    except GraphRefused as error:
        if not _is_gone(error):
            raise
        answer = {}
    return {job_id: _progress(answer[job_id]) if job_id in answer else _poll_one(graph, job_id) for job_id in job_ids}


def _poll_one(graph: "Graph", job_id: str) -> Progress:
    try:
        return _progress(graph.get(job_id, {"fields": _FIELDS}))
    except GraphRefused as error:
        if not _is_gone(error):
            raise
        return Progress("gone", said=error.sentence)


def _is_gone(error: GraphError) -> bool:
    """An object that does not exist, or a list of ids of which one does not."""
    return error.code == 803 or (error.code == 100 and error.subcode == 33)


def _progress(job: object) -> Progress:
    told: dict[str, Any] = job if isinstance(job, dict) else {}
    status, percent = told.get("async_status"), told.get("async_percent_completion")
    percent = percent if isinstance(percent, int) else 0
    if status == "Job Completed" and percent == 100:
        return Progress("ready", percent)
    if status not in ("Job Failed", "Job Skipped"):  # an unknown one also: it ends, or is found to be stuck
        return Progress("running", percent, one_line(status))
    code, subcode = (value if isinstance(value, int) else None for value in (told.get("error_code"), told.get("error_subcode")))
    words = one_line(told.get("error_user_msg")) or one_line(told.get("error_message"))
    said = f"{status}: code {code}, subcode {subcode}: {words}"
    why = failure("an insights report", 200, Told(code, subcode, words, one_line(told.get("error_message"))), splittable=True)
    if isinstance(why, TokenRefused | AccountBlocked):
        raise why
    return Progress("too_much" if isinstance(why, TooMuchData) else "failed", percent, said)


def pages(graph: "Graph", job_id: str, after: str, page_size: int) -> Iterator["Page"]:
    """The report of a job that is ready, from a cursor on."""
    return graph.pages(f"{job_id}/insights", limit=page_size, after=after)


def objects(graph: "Graph", part: Part) -> list[str]:
    """The ids of the objects of the part's `finer` level that its rows come from.

    They are taken from insights, which know deleted objects too; from the lists of objects only where that is too much as well.

    Raises:
        GraphError: as `Graph.pages`.
    """
    finer = part.finer
    whole = part.params()
    asked = {"level": finer, "fields": f"{finer}_id", "time_range": whole["time_range"]}
    try:
        return _distinct((row.get(f"{finer}_id") for row in graph.rows(f"{part.of}/insights", asked, _IDS_AT_ONCE)), part)
    except TooMuchData:
        listed = graph.rows(f"{part.of}/{finer}s", {"fields": "id", "effective_status": _LISTED_STATUSES}, _IDS_AT_ONCE)
        return _distinct((row.get("id") for row in listed), part)


def _distinct(found: Iterable[object], part: Part) -> list[str]:
    ids = set(found)
    if not all(isinstance(one, str) and one.isdecimal() for one in ids):
        raise TransientError(f"Meta lists objects without ids for the {part.in_words()}: run it again later.")
    return sorted(str(one) for one in ids)
