"""What can go wrong at Meta, by name: each fault is asked for before a request and happens to it."""

import fnmatch
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .errors import Refusal
from .limits import quota, usage_headers
from .request import Answer, Call, Received

Settings = dict[str, Any]
Change = Callable[[Call, Answer, Settings], Answer | None]


class Broken(Exception):
    """The connection is not answered in the ordinary way; `how` is of `http`'s behaviours."""

    def __init__(self, how: str, settings: Settings, answer: Answer | None = None) -> None:
        super().__init__(how)
        self.how, self.settings, self.answer = how, settings, answer


@dataclass(frozen=True)
class Fault:
    """A way to fail.

    Args:
        sentence: what happens, and where it was seen.
        on: the pattern of requests that it is for when nothing else is said.
        effect: whether the request does what it asks before it fails; None for faults that bend what it does.
        change: what becomes of the answer; None says that it does not suit this one and stays armed. Without it the fault bends the call.
        settings: those it takes, with their defaults.
    """

    name: str
    sentence: str
    on: str = "*"
    effect: bool | None = None
    change: Change | None = None
    settings: Settings = field(default_factory=dict)


@dataclass
class Armed:
    """A fault that waits for its requests."""

    fault: Fault
    on: str
    times: int
    skip: int
    settings: Settings

    def suits(self, received: Received) -> bool:
        return self.times > 0 and fnmatch.fnmatchcase(received.line, self.on)

    @property
    def effect(self) -> bool | None:
        return self.settings.get("effect", self.fault.effect)


FAULTS: dict[str, Fault] = {}
"""Every fault by name."""


def _fault(name: str, sentence: str, *, on: str = "*", effect: bool | None = None, change: Change | None = None, **settings: Any) -> None:
    FAULTS[name] = Fault(name, sentence, on, effect, change, settings)


def _broken(how: str) -> Change:
    def change(call: Call, answer: Answer, settings: Settings) -> Answer:
        raise Broken(how, settings, answer)

    return change


def _sent(raw: bytes, status: int, content_type: str) -> Change:
    return lambda call, answer, settings: Answer(status=status, raw=raw, content_type=content_type)


def _refused(code: int | None, message: str, **more: Any) -> Change:
    def change(call: Call, answer: Answer, settings: Settings) -> Answer:
        refusal = Refusal(code, message, **more)
        return Answer(refusal.body(), refusal.status)

    return change


HTML = b"<!DOCTYPE html>\n<html><head><title>Facebook | Error</title></head><body><h1>Sorry, something went wrong.</h1></body></html>\n"

_fault(
    "timeout_before",
    "Nothing happens and nothing is answered: the client's patience ends first.",
    effect=False,
    change=_broken("hold"),
    hold_seconds=30.0,
)
_fault("timeout_after", "The request is carried out, but no answer comes.", effect=True, change=_broken("hold"), hold_seconds=30.0)
_fault("reset_before", "The connection is reset before anything happened.", effect=False, change=_broken("reset"))
_fault("reset_after", "The connection is reset after the request was carried out.", effect=True, change=_broken("reset"))
_fault(
    "closed_after",
    "The connection is closed in good order after the request was carried out, without an answer.",
    effect=True,
    change=_broken("close"),
)
_fault(
    "half_answer", "The request is carried out, and the connection ends in the middle of the answer.", effect=True, change=_broken("half")
)
_fault(
    "slow_drip",
    "The answer comes byte by byte, so that no single read times out.",
    effect=True,
    change=_broken("drip"),
    seconds=0.1,
    bytes=60,
)
_fault("connection_refused", "Nobody listens on the port, from now on, for some seconds or until the faults are cleared.", seconds=30.0)
_fault(
    "html_502",
    "A gateway's HTML page with status 502, which facebook-business takes for success.",
    effect=False,
    change=_sent(HTML, 502, "text/html"),
)
_fault("html_200", "An HTML page with status 200.", effect=False, change=_sent(HTML, 200, "text/html"))
_fault("empty_500", "Status 500 without a body.", effect=False, change=_sent(b"", 500, "text/plain"))
_fault("text_503", "Status 503 with a line of plain text.", effect=False, change=_sent(b"Service Unavailable\n", 503, "text/plain"))
_fault(
    "empty_200", "The request is carried out, and status 200 comes without a body.", effect=True, change=_sent(b"", 200, "application/json")
)
_fault("json_null", "The request is carried out, and the answer is `null`.", effect=True, change=_sent(b"null", 200, "application/json"))


def _without_id(call: Call, answer: Answer, settings: Settings) -> Answer:
    kept = {
        name: value for name, value in answer.body.items() if name not in ("id", "report_run_id", "success", "images", "upload_session_id")
    }
    return Answer(kept, headers=answer.headers)


def _truncated(call: Call, answer: Answer, settings: Settings) -> Answer:
    raw = answer.bytes()
    return Answer(status=answer.status, raw=raw[: max(1, len(raw) // 2)])


_fault("without_id", "The request is carried out, and the answer lacks the id.", on="POST *", effect=True, change=_without_id)
_fault(
    "truncated_json", "The request is carried out, and half of the JSON is answered, as if it were whole.", effect=True, change=_truncated
)
_fault("huge_answer", "The answer is followed by megabytes of spaces.", effect=True, change=_broken("huge"), megabytes=64)
_fault(
    "error_data_empty",
    "An error whose error_data is an empty string, on which facebook-business stumbles.",
    effect=False,
    change=_refused(2, "Service temporarily unavailable", transient=True, status=500, data=""),
)
_fault(
    "error_data_string",
    "An error whose error_data is JSON inside a string.",
    effect=False,
    change=_refused(100, "Invalid parameter", data=json.dumps({"blame_field_specs": [["name"]]})),
)
_fault(
    "app_limit",
    "Code 4: the app has made too many calls.",
    effect=False,
    change=_refused(4, "(#4) Application request limit reached", transient=True),
)
_fault(
    "insights_limit",
    "Code 4/1504022: too many insights calls.",
    on="* */insights",
    effect=False,
    change=_refused(4, "(#4) Application request limit reached", subcode=1504022, transient=True),
)
_fault(
    "account_limit",
    "Code 17/2446079: the account's score is used up.",
    effect=False,
    change=_refused(17, "(#17) User request limit reached", subcode=2446079, transient=True),
)
_fault(
    "page_limit",
    "Code 32: too many calls for the page.",
    effect=False,
    change=_refused(32, "(#32) Page request limit reached", transient=True),
)
_fault(
    "mutation_limit",
    "Code 613/1487742: too many changes in this account.",
    on="POST *",
    effect=False,
    change=_refused(613, "(#613) Calls to this api have exceeded the rate limit.", subcode=1487742, transient=True),
)


def _quota(insights: bool) -> Change:
    def change(call: Call, answer: Answer, settings: Settings) -> Answer:
        refusal = quota(insights)
        headers = usage_headers(_number(call), percent=100, minutes=int(settings["minutes"]), insights=insights)
        return Answer(refusal.body(), refusal.status, headers)

    return change


def _number(call: Call) -> str:
    first = call.received.path.partition("/")[0]
    return first.removeprefix("act_") or "0"


def _usage(call: Call, answer: Answer, settings: Settings) -> Answer:
    insights = call.received.path.endswith("insights")
    answer.headers |= usage_headers(_number(call), percent=int(settings["percent"]), minutes=int(settings["minutes"]), insights=insights)
    return answer


_fault(
    "insights_quota",
    "Code 80000 and usage headers that tell the minutes to wait.",
    on="* */insights",
    effect=False,
    change=_quota(True),
    minutes=1,
)
_fault("management_quota", "Code 80004 and usage headers that tell the minutes to wait.", effect=False, change=_quota(False), minutes=1)
_fault("usage_high", "All is well, but the usage headers say that the limit is near.", effect=True, change=_usage, percent=96, minutes=0)

REDUCE = "Please reduce the amount of data you're asking for, then retry your request"
_fault(
    "too_much_data",
    "Code 100/1487534: too much data for a report.",
    on="* */insights",
    effect=False,
    change=_refused(100, "(#100) " + REDUCE, subcode=1487534),
)
_fault(
    "reduce_data",
    "Code 1 with a message that asks to reduce the amount of data.",
    on="GET *",
    effect=False,
    change=_refused(1, REDUCE, status=500),
)
_fault(
    "unknown_error",
    "Code 1, transient: something went wrong, nobody says what; nothing happened.",
    effect=False,
    change=_refused(1, "An unknown error occurred", subcode=99, transient=True, status=500),
)
_fault(
    "unknown_error_after",
    "Code 1, transient, although the request was carried out.",
    effect=True,
    change=_refused(1, "An unknown error occurred", subcode=99, transient=True, status=500),
)
_fault(
    "intermittent",
    "Code 2/1504043: temporarily unavailable.",
    effect=False,
    change=_refused(2, "(#2) Service temporarily unavailable", subcode=1504043, transient=True, status=503),
)
_fault(
    "spurious_400",
    "A 400 without a reason, not marked transient, although nothing is wrong with the request.",
    effect=False,
    change=_refused(100, "Invalid parameter"),
)
_fault(
    "codeless_400",
    "The request is carried out, and a 400 without any code says that it failed.",
    effect=True,
    change=_refused(None, "Unexpected error"),
)
_fault(
    "error_in_200",
    "An error inside an answer with status 200.",
    effect=False,
    change=_refused(2, "(#2) Service temporarily unavailable", transient=True, status=200),
)
_fault(
    "token_expired",
    "Code 190/463: the token has expired.",
    effect=False,
    change=_refused(190, "Error validating access token: Session has expired.", subcode=463, status=401),
)
_fault(
    "blocked",
    "Code 368: Meta has blocked the account for abuse.",
    on="POST *",
    effect=False,
    change=_refused(368, "The action attempted has been deemed abusive or is otherwise disallowed", subcode=1390008),
)
_fault(
    "no_permission",
    "Code 10: the app may not do this.",
    effect=False,
    change=_refused(10, "(#10) Application does not have permission for this action"),
)
_fault(
    "job_error",
    "Code -2/2490547: an error instead of a report.",
    on="* */insights",
    effect=False,
    change=_refused(-2, "An error occurred while the report was made", subcode=2490547, status=500),
)


def _echo(call: Call, answer: Answer, settings: Settings) -> Answer:
    token = call.received.token
    words = f"The request https://graph.facebook.com/{call.received.path}?access_token={token} failed."
    refusal = Refusal(1, f"Malformed access token {token}", words=words, data={"token": token}, status=500, transient=True)
    return Answer(refusal.body(), refusal.status, {"X-Debug": token})


def _redirected(call: Call, answer: Answer, settings: Settings) -> Answer:
    return Answer({}, 302, {"Location": f"{settings['to'].rstrip('/')}/{call.received.path}"})


_fault("token_echo", "An error whose message, words, data and headers quote the token.", effect=False, change=_echo)
_fault("redirect", "Status 302 to another host, which would get the token.", effect=False, change=_redirected, to="http://127.0.0.1:9")


def _pages(change: Change) -> Change:
    """For answers that are a page; others are left alone, and the fault stays armed."""
    return lambda call, answer, settings: change(call, answer, settings) if answer.page_start is not None else None


def _empty_page(call: Call, answer: Answer, settings: Settings) -> Answer | None:
    from .paging import next_url

    start = answer.page_start or ""
    paging = {"cursors": {"before": start, "after": start}, "next": next_url(call, start)}
    return Answer({"data": [], "paging": paging}, headers=answer.headers, page_start=start)


def _no_cursors(call: Call, answer: Answer, settings: Settings) -> Answer | None:
    if "next" not in answer.body.get("paging", {}):
        return None
    del answer.body["paging"]["cursors"]
    return answer


def _empty_last(call: Call, answer: Answer, settings: Settings) -> Answer | None:
    from .paging import next_url

    paging = answer.body.get("paging", {})
    if not answer.body["data"] or "next" in paging:
        return None
    paging["next"] = next_url(call, paging["cursors"]["after"])
    return answer


def _elsewhere(call: Call, answer: Answer, settings: Settings) -> Answer | None:
    paging = answer.body.get("paging", {})
    if "next" not in paging:
        return None
    paging["next"] = settings["to"].rstrip("/") + paging["next"].removeprefix(call.base)
    return answer


_fault(
    "empty_page",
    "A page without rows before its rows: `next` goes on. With skip=1 it is a page in the middle.",
    on="GET */*",
    effect=True,
    change=_pages(_empty_page),
)
_fault(
    "next_without_cursors",
    "A page with `next` but without cursors, where there is a next one.",
    on="GET */*",
    effect=True,
    change=_pages(_no_cursors),
)
_fault(
    "empty_last_page",
    "The last page has a `next`, which leads to a page without rows and without `next`.",
    on="GET */*",
    effect=True,
    change=_pages(_empty_last),
)
_fault(
    "next_elsewhere",
    "The `next` of a page leads to another host.",
    on="GET */*",
    effect=True,
    change=_pages(_elsewhere),
    to="http://127.0.0.1:9",
)
_fault("repeated_rows", "A page begins with the last rows of the page before it.", on="GET */*", rows=2)
_fault("filter_ignored", "A filter is not applied: the list shows everything.", on="GET */*")
_fault("filter_refused", "A filter is refused as not supported here.", on="GET */*")
_fault("summary_refused", "summary=true, which facebook-business always sends, is refused with a 400.", on="GET */*")
_fault("late_listing", "A new object can be read by its id at once, but lists show it only some seconds later.", on="POST */*", seconds=1.0)
_fault("with_issues", "The object is made, and its effective_status becomes WITH_ISSUES.", on="POST */ads")
_fault("in_process", "The object is made, and its effective_status is IN_PROCESS for some seconds.", on="POST */*", seconds=1.0)
_fault(
    "upload_offset",
    "6000/1363037: the server has lost the last bytes, and error_data tells the offsets to go on at.",
    on="POST */advideos",
    back=1,
)
_fault(
    "upload_lost",
    "A chunk is stored, and its answer is lost.",
    on="POST */advideos",
    effect=True,
    change=lambda call, answer, settings: _lost(call, answer, settings),
)
_fault("video_error", "The video is taken, and its processing ends in an error.", on="POST */advideos")
_fault("video_never_ready", "The video is taken, and its processing never ends.", on="POST */advideos")
_fault("job_failed", "The report ends as Job Failed, with code -2/2490547.", on="POST */insights")
_fault("job_skipped", "The report ends as Job Skipped.", on="POST */insights")
_fault("job_stuck", "The report runs for ever at the same percentage.", on="POST */insights", percent=47)
_fault(
    "job_incomplete",
    "The report says Job Completed below 100 percent, and has only that part of the rows.",
    on="POST */insights",
    percent=60,
)
_fault("report_expired", "The report's id is answered, and is not known afterwards.", on="POST */insights")
_fault("restated", "Before this request Meta changes its numbers.", on="* */insights", factor=1.05, date=None, seed=None)
_fault("today_refused", "A range that reaches the account's own today is refused, as happened to accounts east of UTC.", on="* */insights")


def _lost(call: Call, answer: Answer, settings: Settings) -> Answer | None:
    if call.params.get("upload_phase") != "transfer":
        return None
    raise Broken("reset", settings, answer)


@dataclass
class Faults:
    """Those that are armed, in the order in which they were asked for."""

    armed: list[Armed] = field(default_factory=list)

    def arm(self, name: str, on: str | None, times: int, skip: int, settings: Settings) -> Armed:
        """Raises ValueError for a fault or a setting that does not exist."""
        if name not in FAULTS:
            raise ValueError(f"there is no fault {name!r}; there are {', '.join(sorted(FAULTS))}")
        fault = FAULTS[name]
        unknown = set(settings) - set(fault.settings) - ({"effect"} if fault.effect is not None else set())
        if unknown:
            raise ValueError(f"{name} has no setting {', '.join(sorted(unknown))}; it has {', '.join(fault.settings) or 'none'}")
        armed = Armed(fault, on or fault.on, times, skip, {**fault.settings, **settings})
        self.armed.append(armed)
        return armed

    def take(self, received: Received) -> tuple[list[Armed], Armed | None]:
        """What happens to this request: all that bend it, and the first that spoils its answer."""
        bending: list[Armed] = []
        spoiling: Armed | None = None
        for one in self.armed:
            if not one.suits(received) or (one.fault.change is not None and spoiling is not None):
                continue
            if one.skip:
                one.skip -= 1
            elif one.fault.change is None:
                bending.append(one)
            else:
                one.times -= 1
                spoiling = one
        return bending, spoiling


def drip(send: Callable[[bytes], object], settings: Settings, stopped: Callable[[], bool]) -> None:
    """Sends a byte whenever a reader would else lose patience."""
    for _ in range(int(settings["bytes"])):
        if stopped():
            return
        send(b" ")
        time.sleep(float(settings["seconds"]))
