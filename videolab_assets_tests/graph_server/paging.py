"""Lists, page by page, and their filters."""

import base64
import binascii
import bisect
import urllib.parse
from collections.abc import Callable, Sequence
from typing import Any

from .errors import Refusal, must_be_one_of
from .limits import Limits
from .request import Answer, Call

DEFAULT_LIMIT = 25
OPERATORS = ("EQUAL", "NOT_EQUAL", "CONTAIN", "NOT_CONTAIN", "IN", "NOT_IN", "GREATER_THAN", "LESS_THAN")


def cursor(position: int) -> str:
    """An opaque cursor for a position in a list."""
    return base64.urlsafe_b64encode(f"QVFI{position}".encode()).decode().rstrip("=")


def position_of(after: str) -> int:
    """The position that a cursor stands for.

    Raises:
        Refusal: it is none of ours.
    """
    try:
        text = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)).decode()
        return int(text.removeprefix("QVFI"))
    except (ValueError, binascii.Error) as error:
        raise Refusal(100, "(#100) Invalid cursors values") from error


def limit_of(call: Call, limits: Limits) -> int:
    """How many rows a page may have.

    Raises:
        Refusal: more than Meta would answer.
    """
    asked = call.params.get("limit", DEFAULT_LIMIT)
    if not str(asked).isdecimal() or int(asked) < 1:
        raise Refusal(100, f"(#100) Param limit must be a positive integer - got {asked!r}.")
    if int(asked) > limits.page_rows:
        raise Refusal(1, "Please reduce the amount of data you're asking for, then retry your request", status=500)
    return int(asked)


def page(call: Call, rows: Sequence[Any], shown: Callable[[Any], Any], limit: int, order: Callable[[Any], int] | None = None) -> Answer:
    """One page of `rows`, from the cursor that was asked for; only its own rows are rendered.

    Args:
        order: for lists that grow at their beginning while they are read: numbers that fall along `rows`, which cursors hold on to.
    """

    def mark(index: int) -> str:
        if order is None:
            return cursor(index)
        return cursor(order(rows[index - 1])) if index else cursor(2**62)

    after = str(call.params.get("after") or "")
    position = position_of(after) if after else 0
    start = bisect.bisect_right(rows, -position, key=lambda row: -order(row)) if order and after else position
    repeated = call.tricks.get("repeated_rows")
    if repeated is not None and start:
        call.trick("repeated_rows")
        start = max(0, start - int(repeated.get("rows", 2)))
    part = rows[start : start + limit]
    end = start + len(part)
    body: dict[str, Any] = {"data": [shown(row) for row in part]}
    if part:
        body["paging"] = {"cursors": {"before": mark(start), "after": mark(end)}}
        if end < len(rows):
            body["paging"]["next"] = next_url(call, mark(end))
    if call.params.get("summary") in (True, "true"):
        body["summary"] = {"total_count": len(rows)}
    return Answer(body, page_start=mark(start) if start <= len(rows) else after)


def next_url(call: Call, after: str) -> str:
    """The address of the page after this one; like Meta's it carries the token of who asked."""
    raw = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(call.received.target).query, keep_blank_values=True))
    raw |= {"access_token": call.received.token, "after": after}
    version = f"{call.received.version}/" if call.received.version else ""
    return f"{call.base}/{version}{call.received.path}?{urllib.parse.urlencode(raw)}"


def filters(call: Call, fields: frozenset[str]) -> list[tuple[str, str, Any]]:
    """The conditions of `filtering`, checked; a prefix such as `campaign.` is left on.

    Raises:
        Refusal: not a list of conditions, or a field or operator that cannot be.
    """
    asked = call.params.get("filtering", [])
    if call.tricks.get("filter_refused") is not None and asked:
        call.trick("filter_refused")
        raise Refusal(100, "(#100) Filtering field is not supported: this endpoint cannot be filtered by it")
    if call.tricks.get("filter_ignored") is not None and asked:
        call.trick("filter_ignored")
        return []
    if not isinstance(asked, list) or not all(isinstance(one, dict) and {"field", "operator"} <= set(one) for one in asked):
        raise Refusal(100, "(#100) param filtering must be an array of objects with field, operator and value.")
    for one in asked:
        if one["field"] not in fields:
            raise Refusal(100, f"(#100) Filtering field {one['field']} is invalid: it must be one of {', '.join(sorted(fields))}")
        if one["operator"] not in OPERATORS:
            raise must_be_one_of("filtering[0][operator]", one["operator"], OPERATORS)
        if one["operator"] in ("IN", "NOT_IN") and not isinstance(one.get("value"), list):
            raise Refusal(100, f"(#100) Filtering with {one['operator']} needs a list as value")
    return [(one["field"], one["operator"], one.get("value")) for one in asked]


def fits(found: Any, operator: str, value: Any) -> bool:
    """Whether a value meets a condition; names are compared without regard to case, as Meta does."""
    text, wanted = str(found).lower(), str(value).lower()
    if operator in ("IN", "NOT_IN"):
        return (text in {str(one).lower() for one in value}) is (operator == "IN")
    if operator in ("CONTAIN", "NOT_CONTAIN"):
        return (wanted in text) is (operator == "CONTAIN")
    if operator in ("EQUAL", "NOT_EQUAL"):
        return (text == wanted) is (operator == "EQUAL")
    left, right = float(found or 0), float(value)
    return left > right if operator == "GREATER_THAN" else left < right
