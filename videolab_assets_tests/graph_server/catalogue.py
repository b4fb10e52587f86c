"""Every fault by name. README.md lists them too; a test keeps both alike."""

import json
from typing import Any

from . import spoiling
from .errors import Refusal
from .faults import Change, Fault

REDUCE = "Please reduce the amount of data you're asking for, then retry your request"
LISTS, MAKES, REPORTS, STARTS, UPLOADS = "GET */*", "POST */*", "* */insights", "POST */insights", "POST */advideos"

FAULTS: dict[str, Fault] = {}
"""Those that spoil an answer say whether the request is carried out before; those without that bend what it does."""


def _spoils(name: str, sentence: str, change: Change, *, effect: bool, on: str = "*", **settings: Any) -> None:
    FAULTS[name] = Fault(name, sentence, on, effect, change, settings)


def _bends(name: str, on: str, sentence: str, **settings: Any) -> None:
    FAULTS[name] = Fault(name, sentence, on, settings=settings)


def _refuses(name: str, sentence: str, message: str, code: int | None, *, effect: bool = False, on: str = "*", **more: Any) -> None:
    _spoils(name, sentence, spoiling.refused(Refusal(code, message, **more)), effect=effect, on=on)


def _connections() -> None:
    hold, half, drip, huge = (spoiling.broken(how) for how in ("hold", "half", "drip", "huge"))
    reset, close = spoiling.broken("reset"), spoiling.broken("close")
    patience = "the client's patience ends first"
    _spoils("timeout_before", f"Nothing happens and nothing is answered: {patience}.", hold, effect=False, hold_seconds=30.0)
    _spoils("timeout_after", f"The request is carried out, but not answered: {patience}.", hold, effect=True, hold_seconds=30.0)
    _spoils("reset_before", "The connection is reset before anything happened.", reset, effect=False)
    _spoils("reset_after", "The connection is reset after the request was carried out.", reset, effect=True)
    _spoils("closed_after", "The request is carried out, and the connection closed in good order without an answer.", close, effect=True)
    _spoils("half_answer", "The request is carried out, and the connection ends in the middle of the answer.", half, effect=True)
    sentence = "The request is carried out, and the answer comes byte by byte, so that no single read times out."
    _spoils("slow_drip", sentence, drip, effect=True, seconds=0.1, bytes=60)
    _spoils("huge_answer", "The request is carried out, and megabytes of spaces follow the answer.", huge, effect=True, megabytes=64)
    sentence = "At once, without waiting for a request: nobody listens on the port for some seconds, or until the faults are cleared."
    _bends("connection_refused", "", sentence, seconds=30.0)
    sentence = "A redirect (302) to another host, which would get the token."
    _spoils("redirect", sentence, spoiling.redirected, effect=False, to="http://127.0.0.1:9")


def _answers() -> None:
    html, json_type, text = "text/html", "application/json", "text/plain"
    sentence = "A gateway's HTML page with status 502, which facebook-business takes for success."
    _spoils("html_502", sentence, spoiling.sent(spoiling.HTML, 502, html), effect=False)
    _spoils("html_200", "An HTML page with status 200.", spoiling.sent(spoiling.HTML, 200, html), effect=False)
    _spoils("empty_500", "Status 500 without a body.", spoiling.sent(b"", 500, text), effect=False)
    _spoils("text_503", "Status 503 with a line of plain text.", spoiling.sent(b"Service Unavailable\n", 503, text), effect=False)
    _spoils(
        "empty_200", "The request is carried out, and status 200 comes without a body.", spoiling.sent(b"", 200, json_type), effect=True
    )
    _spoils("json_null", "The request is carried out, and the answer is `null`.", spoiling.sent(b"null", 200, json_type), effect=True)
    _spoils("without_id", "The request is carried out, and the answer lacks the id.", spoiling.without_id, effect=True, on="POST *")
    sentence = "The request is carried out, and half of the JSON is answered as if it were whole."
    _spoils("truncated_json", sentence, spoiling.truncated, effect=True)
    sentence = "An error whose message, words, data and headers quote the token."
    _spoils("token_echo", sentence, spoiling.token_echo, effect=False)


def _throttling() -> None:
    _refuses("app_limit", "Code 4: the app has made too many calls.", "(#4) Application request limit reached", 4, transient=True)
    sentence, message = "Code 4/1504022: too many insights calls.", "(#4) Application request limit reached"
    _refuses("insights_limit", sentence, message, 4, subcode=1504022, transient=True, on=REPORTS)
    sentence, message = "Code 17/2446079: the account's score is used up.", "(#17) User request limit reached"
    _refuses("account_limit", sentence, message, 17, subcode=2446079, transient=True)
    _refuses("page_limit", "Code 32: too many calls for the page.", "(#32) Page request limit reached", 32, transient=True)
    sentence, message = "Code 613/1487742: too many changes in this account.", "(#613) Calls to this api have exceeded the rate limit."
    _refuses("mutation_limit", sentence, message, 613, subcode=1487742, transient=True, on="POST *")
    sentence = "Code 80000: the insights quota is used up, and headers tell the minutes to wait."
    _spoils("insights_quota", sentence, spoiling.over_quota(True), effect=False, on=REPORTS, minutes=1)
    sentence = "Code 80004: the ads management quota is used up, and headers tell the minutes to wait."
    _spoils("management_quota", sentence, spoiling.over_quota(False), effect=False, minutes=1)
    sentence = "All is well, but the usage headers say that the limit is near."
    _spoils("usage_high", sentence, spoiling.near_quota, effect=True, percent=96, minutes=0)


def _errors() -> None:
    sentence = "Code 100/1487534: too much data for a report."
    _refuses("too_much_data", sentence, "(#100) " + REDUCE, 100, subcode=1487534, on=REPORTS)
    _refuses("reduce_data", "Code 1 with a message that asks to reduce the amount of data.", REDUCE, 1, status=500, on="GET *")
    unknown: dict[str, Any] = {"subcode": 99, "transient": True, "status": 500}
    _refuses("unknown_error", "Code 1, transient: nobody says what; nothing happened.", "An unknown error occurred", 1, **unknown)
    sentence = "Code 1, transient, although the request was carried out."
    _refuses("unknown_error_after", sentence, "An unknown error occurred", 1, effect=True, **unknown)
    later: dict[str, Any] = {"message": "(#2) Service temporarily unavailable", "code": 2, "transient": True}
    _refuses("intermittent", "Code 2/1504043: temporarily unavailable.", subcode=1504043, status=503, **later)
    _refuses("error_in_200", "An error inside an answer with status 200.", status=200, **later)
    sentence = "An error whose error_data is an empty string, on which facebook-business stumbles."
    _refuses("error_data_empty", sentence, status=500, data="", **later)
    blamed = json.dumps({"blame_field_specs": [["name"]]})
    _refuses("error_data_string", "An error whose error_data is JSON inside a string.", "Invalid parameter", 100, data=blamed)
    sentence = "A 400 without a reason, not marked transient, although nothing is wrong with the request."
    _refuses("spurious_400", sentence, "Invalid parameter", 100)
    sentence = "The request is carried out, and a 400 without any code says that it failed."
    _refuses("codeless_400", sentence, "Unexpected error", None, effect=True)
    message = "Error validating access token: Session has expired."
    _refuses("token_expired", "Code 190/463: the token has expired.", message, 190, subcode=463, status=401)
    message = "The action attempted has been deemed abusive or is otherwise disallowed"
    _refuses("blocked", "Code 368: the account is blocked for abuse.", message, 368, subcode=1390008, on="POST *")
    _refuses("no_permission", "Code 10: the app may not do this.", "(#10) Application does not have permission for this action", 10)
    message = "An error occurred while the report was made"
    _refuses("job_error", "Code -2/2490547: an error instead of a report.", message, -2, subcode=2490547, status=500, on=REPORTS)


def _lists() -> None:
    sentence = "An empty page, whose `next` leads to the page that it should have been; with skip=1 it is a page in the middle."
    _spoils("empty_page", sentence, spoiling.empty_page, effect=True, on=LISTS)
    sentence = "A page that has a `next` but no cursors."
    _spoils("next_without_cursors", sentence, spoiling.no_cursors, effect=True, on=LISTS)
    sentence = "The last page has a `next`, which leads to a page without rows and without `next`."
    _spoils("empty_last_page", sentence, spoiling.empty_last, effect=True, on=LISTS)
    sentence = "The `next` of a page leads to another host."
    _spoils("next_elsewhere", sentence, spoiling.next_elsewhere, effect=True, on=LISTS, to="http://127.0.0.1:9")
    _bends("repeated_rows", LISTS, "A page after the first begins with the last rows of the page before it.", rows=2)
    _bends("filter_ignored", LISTS, "A filter is not applied: the list shows everything.")
    _bends("filter_refused", LISTS, "A filter is refused as not supported here.")
    _bends("summary_refused", LISTS, "summary=true, which facebook-business always sends, is refused with a 400.")
    sentence = "What is made can be read by its id at once, but lists show it only some seconds later."
    _bends("late_listing", MAKES, sentence, seconds=1.0)


def _objects() -> None:
    _bends("with_issues", "POST */ads", "The object is made, and its effective_status becomes WITH_ISSUES.", words="Too much text.")
    _bends("in_process", MAKES, "The object is made, and its effective_status is IN_PROCESS for some seconds.", seconds=1.0)
    sentence = "Code 6000/1363037: the server has lost the last bytes, and error_data tells the offsets to go on at."
    _bends("upload_offset", UPLOADS, sentence, back=1)
    _spoils("upload_lost", "A chunk is stored, and its answer is lost.", spoiling.lost_chunk, effect=True, on=UPLOADS)
    _bends("video_error", UPLOADS, "The video is taken, and its processing ends in an error.")
    _bends("video_never_ready", UPLOADS, "The video is taken, and its processing never ends.")


def _reports() -> None:
    _bends("job_failed", STARTS, "The report ends as Job Failed, with code -2/2490547.")
    _bends("job_skipped", STARTS, "The report ends as Job Skipped.")
    _bends("job_stuck", STARTS, "The report runs for ever at the same percentage.", percent=47)
    sentence = "The report says Job Completed below 100 percent, and has only that part of its rows."
    _bends("job_incomplete", STARTS, sentence, percent=60)
    _bends("report_expired", STARTS, "The report's id is answered, and unknown afterwards (100/33).")
    sentence = "Before this request Meta changes its numbers, those of one day or of all."
    _bends("restated", REPORTS, sentence, factor=1.05, date=None, seed=None)
    sentence = "A range that reaches the account's own today is refused, as happened to accounts east of UTC."
    _bends("today_refused", REPORTS, sentence)


for _group in (_connections, _answers, _throttling, _errors, _lists, _objects, _reports):
    _group()
