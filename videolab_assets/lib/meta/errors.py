"""What Meta's answers mean for whoever asked: nothing happened, or something may have, and whether asking again can help.

The SDK's own reading of errors is not used: it takes an HTML page for success, loses the code where `error_data` is empty text, and knows
no HTTP status (facebook-business 26.0.3, `exceptions.py` and `api.py`). Codes: Meta's pages on rate limiting and on errors of the
Marketing API.
"""

import json
from dataclasses import dataclass, field
from typing import Any

from videolab_assets.lib.errors import PermanentError, TransientError, VideoLabError

LONGEST_TOLD = 300
TOO_MUCH_DATA = 1487534
THROTTLED = frozenset({4, 17, 32, 341, 613, *range(80000, 80015)})
TOKEN_CODES = frozenset({101, 102, 103, 104, 105, 106, 107, 108, 109, 190, 2500})
BLOCKED_CODES = frozenset({368})
UNCLEAR_CODES = frozenset({-3, -2, -1, 0, 1, 2})
"""Meta's "something went wrong": said before the effect as well as after it."""

DEFAULT_WAITS = {17: 300.0, 80000: 300.0, 80004: 300.0}
"""Seconds of a block whose end no header tells: an account's score block lasts 300 s at the development tier, others about a minute."""

SHORT_WAIT = 60.0


class GraphError(VideoLabError):
    """Meta did not do as asked, or nobody knows whether it did.

    Attributes:
        code: Meta's own error code; None where there is none.
        subcode: likewise.
        status: HTTP status; None where there was no answer.
        trace: Meta's `fbtrace_id`, for its support; may be empty.
        data: what `error_data` held; may be empty.
    """

    def __init__(self, sentence: str, detail: str = "", *, status: int | None = None, told: "Told | None" = None) -> None:
        super().__init__(sentence, detail)
        self.status = status
        self.code = told.code if told else None
        self.subcode = told.subcode if told else None
        self.trace = told.trace if told else ""
        self.data = told.data if told else {}


class GraphRefused(GraphError, PermanentError):
    """Meta understood the request and will not do it: nothing happened."""


class TokenRefused(GraphRefused):
    """The access token is no longer, or not at all, good for anything."""


class AccountBlocked(GraphRefused):
    """Meta has blocked the account or the app from doing this."""


class Throttled(GraphError, TransientError):
    """Too many requests: nothing happened at Meta.

    Attributes:
        wait: seconds until asking again can help.
    """

    def __init__(
        self, sentence: str, detail: str = "", *, wait: float = SHORT_WAIT, status: int | None = None, told: "Told | None" = None
    ) -> None:
        super().__init__(sentence, detail, status=status, told=told)
        self.wait = wait


class TooMuchData(GraphError, TransientError):
    """A question too large for one answer: the same in parts may work, by dates, level or fields."""


class OutcomeUnknown(GraphError, TransientError):
    """Meta may have done it or not. What creates something is never sent again: look whether it is there."""


class NotReady(GraphError, TransientError):
    """Meta has what it needs and is still at work on it."""


class NotSent(GraphError, TransientError):
    """The request never left this machine: nothing happened at Meta."""


@dataclass(frozen=True)
class Told:
    """An error as Meta describes it, whatever of it could be read.

    Attributes:
        code: None where it is missing or no number.
        subcode: likewise.
        said: its message for users, else for developers, on one line and cut; may be empty.
        message: the one for developers, likewise.
        transient: whether Meta says that it will pass.
        trace: `fbtrace_id`.
        data: `error_data`, empty where it is no object.
    """

    code: int | None = None
    subcode: int | None = None
    said: str = ""
    message: str = ""
    transient: bool = False
    trace: str = ""
    data: dict[str, Any] = field(default_factory=dict)


def told(body: object) -> Told | None:
    """The error in an answer; None where it holds none. Never raises, whatever the values are."""
    error = body.get("error") if isinstance(body, dict) else None
    if error is None or error is False or error == "":
        return None
    if not isinstance(error, dict):
        text = one_line(error)
        return Told(said=text, message=text)
    message = one_line(error.get("message"))
    titled = [one_line(error.get(name)) for name in ("error_user_title", "error_user_msg")]
    return Told(
        code=_whole(error.get("code")),
        subcode=_whole(error.get("error_subcode")),
        said=one_line(": ".join(part for part in titled if part)) or message,
        message=message,
        transient=error.get("is_transient") in (True, "true", 1),
        trace=one_line(error.get("fbtrace_id"), 80),
        data=_object(error.get("error_data")),
    )


def failure(request: str, status: int, error: Told, *, wait: float = 0.0, splittable: bool = False) -> GraphError:
    """What an error that Meta tells means, whatever the HTTP status beside it.

    Args:
        request: what was asked, as in "POST act_1/campaigns".
        status: HTTP status.
        error: as `told` reads it.
        wait: seconds that the usage headers ask for; 0 where they do not.
        splittable: whether the request is a question, which can be asked in parts.
    """
    code, detail = error.code, _detail(request, status, error)
    reduce = code == 1 and splittable and "reduce the amount of data" in error.message.lower()
    if reduce or (code == 100 and error.subcode == TOO_MUCH_DATA):
        return TooMuchData(f"Meta finds that {request} asks for too much data at once.", detail, status=status, told=error)
    if code is not None and code in THROTTLED:
        seconds = wait or DEFAULT_WAITS.get(code, SHORT_WAIT)
        sentence = f"Meta takes no more requests for about {seconds:.0f} s: the limit of this account or app is used up."
        return Throttled(sentence, detail, wait=seconds, status=status, told=error)
    if code is None or code in UNCLEAR_CODES or error.transient or status >= 500 or _nothing_said(error):
        return OutcomeUnknown(f"Meta failed at {request}{doubt(request)}.", detail, status=status, told=error)
    if code in TOKEN_CODES:
        return TokenRefused("Meta does not accept the access token: make a new one and set it.", detail, status=status, told=error)
    if code in BLOCKED_CODES:
        sentence = f"Meta has blocked this account or app: {error.said or 'it does not say why'}"
        return AccountBlocked(_stopped(sentence), detail, status=status, told=error)
    if code in (3, 10) or 200 <= code <= 299:
        sentence = f"The access token may not do {request}: {error.said or 'Meta does not say why'}"
        return GraphRefused(_stopped(sentence), detail, status=status, told=error)
    return GraphRefused(_stopped(f"Meta refuses {request}: {error.said or 'it does not say why'}"), detail, status=status, told=error)


def doubt(request: str) -> str:
    """What follows for a person from a request whose outcome nobody knows, to end a sentence with."""
    return ": ask again later" if request.startswith("GET ") else ", and may have done it or not"


def one_line(value: object, longest: int = LONGEST_TOLD) -> str:
    """Text on one line without anything that cannot be printed, cut; empty for what is no text or number."""
    if not isinstance(value, str | int | float):
        return ""
    try:
        text = str(value)
    except ValueError:  # a number with more digits than Python writes
        return ""
    text = " ".join("".join(mark if mark.isprintable() else " " for mark in text[: 4 * longest]).split())
    return text if len(text) <= longest else f"{text[:longest]}…"


def _nothing_said(error: Told) -> bool:
    """Whether it is a code 100 that names no reason: such ones come by the hundred for requests that are right (justwatch PR #90)."""
    words = error.said.removeprefix("(#100)").strip(" .").lower()
    return error.code == 100 and error.subcode is None and not error.data and words in ("", "invalid parameter")


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    try:
        number = int(value)
    except ValueError:
        return None
    return number if abs(number) < 10**12 else None


def _object(value: object) -> dict[str, Any]:
    """`error_data`, which comes as an object, as an object's text, or as empty text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _detail(request: str, status: int, error: Told) -> str:
    parts = [request, f"HTTP {status}"]
    parts += [f"{name} {value}" for name, value in (("code", error.code), ("subcode", error.subcode)) if value is not None]
    parts += [f"trace {error.trace}"] if error.trace else []
    return ", ".join(parts) + (f": {error.message}" if error.message else "")


def _stopped(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?", "…")) else f"{sentence}."
