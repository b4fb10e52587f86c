"""What faults make of an answer."""

from .errors import Refusal
from .faults import Broken, Change, Settings
from .limits import quota, usage_headers
from .paging import next_url
from .request import Answer, Call

HTML = b"<!DOCTYPE html>\n<html><head><title>Facebook | Error</title></head><body><h1>Sorry, something went wrong.</h1></body></html>\n"

NEEDED = frozenset({"id", "report_run_id", "success", "images", "upload_session_id", "video_id", "start_offset", "end_offset"})
"""What a client needs from an answer to a POST."""


def broken(how: str) -> Change:
    """The connection ends in one of the ways of `http`."""

    def change(call: Call, answer: Answer, settings: Settings) -> Answer:
        raise Broken(how, settings, answer)

    return change


def lost_chunk(call: Call, answer: Answer, settings: Settings) -> Answer | None:
    """The connection is reset, where a chunk was sent."""
    if call.params.get("upload_phase") != "transfer":
        return None
    raise Broken("reset", settings, answer)


def sent(raw: bytes, status: int, content_type: str) -> Change:
    """These bytes instead."""
    return lambda call, answer, settings: Answer(status=status, raw=raw, content_type=content_type)


def refused(refusal: Refusal) -> Change:
    """An error instead."""
    return lambda call, answer, settings: Answer(refusal.body(), refusal.status)


def over_quota(insights: bool) -> Change:
    """80000 or 80004, with headers that say how long."""

    def change(call: Call, answer: Answer, settings: Settings) -> Answer:
        refusal = quota(insights)
        headers = usage_headers(call.account, percent=100, minutes=int(settings["minutes"]), insights=insights)
        return Answer(refusal.body(), refusal.status, headers)

    return change


def near_quota(call: Call, answer: Answer, settings: Settings) -> Answer:
    """The answer as it is, with usage headers that warn."""
    insights = call.received.path.endswith("insights")
    answer.headers |= usage_headers(call.account, percent=int(settings["percent"]), minutes=int(settings["minutes"]), insights=insights)
    return answer


def without_id(call: Call, answer: Answer, settings: Settings) -> Answer:
    return Answer({name: value for name, value in answer.body.items() if name not in NEEDED}, headers=answer.headers)


def truncated(call: Call, answer: Answer, settings: Settings) -> Answer:
    raw = answer.bytes()
    return Answer(status=answer.status, raw=raw[: max(1, len(raw) // 2)])


def token_echo(call: Call, answer: Answer, settings: Settings) -> Answer:
    token = call.received.token
    words = f"The request https://graph.facebook.com/{call.received.path}?access_token={token} failed."
    refusal = Refusal(1, f"Malformed access token {token}", words=words, data={"token": token}, status=500, transient=True)
    return Answer(refusal.body(), refusal.status, {"X-Debug": token})


def redirected(call: Call, answer: Answer, settings: Settings) -> Answer:
    return Answer({}, 302, {"Location": f"{settings['to'].rstrip('/')}/{call.received.path}"})


def empty_page(call: Call, answer: Answer, settings: Settings) -> Answer | None:
    """No rows, and a `next` that leads to the page that this should have been."""
    if answer.page_start is None:
        return None
    start = answer.page_start
    paging = {"cursors": {"before": start, "after": start}, "next": next_url(call, start)}
    return Answer({"data": [], "paging": paging}, headers=answer.headers, page_start=start)


def no_cursors(call: Call, answer: Answer, settings: Settings) -> Answer | None:
    if "next" not in answer.body.get("paging", {}):
        return None
    del answer.body["paging"]["cursors"]
    return answer


def empty_last(call: Call, answer: Answer, settings: Settings) -> Answer | None:
    paging = answer.body.get("paging", {})
    if answer.page_start is None or not answer.body["data"] or "next" in paging:
        return None
    paging["next"] = next_url(call, paging["cursors"]["after"])
    return answer


def next_elsewhere(call: Call, answer: Answer, settings: Settings) -> Answer | None:
    paging = answer.body.get("paging", {})
    if "next" not in paging:
        return None
    paging["next"] = settings["to"].rstrip("/") + paging["next"].removeprefix(call.base)
    return answer
