"""Errors in Meta's own form."""

import secrets
from typing import Any


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


class Refusal(Exception):
    """An answer that is an error.

    Args:
        code, subcode: Meta's.
        message: what developers read; by habit it begins with the code, as in "(#100) …".
        data: `error_data`, sent as it is: an object, a string, or left out when None.
        title, words: `error_user_title` and `error_user_msg`, what a person reads.
        status: of HTTP; 400 for nearly all, throttling too.
    """

    def __init__(
        self,
        code: int | None,
        message: str,
        *,
        subcode: int | None = None,
        kind: str = "OAuthException",
        transient: bool = False,
        status: int = 400,
        data: Any = None,
        title: str = "",
        words: str = "",
    ) -> None:
        super().__init__(message)
        self.status = status
        self._error: dict[str, Any] = {"message": message, "type": kind}
        optional = {"code": code, "error_subcode": subcode, "error_data": data, "error_user_title": title or None}
        self._error |= {name: value for name, value in optional.items() if value is not None}
        if words:
            self._error["error_user_msg"] = words
        self._error["is_transient"] = transient

    def body(self) -> dict[str, Any]:
        """The whole answer, with a trace id of its own."""
        return {"error": {**self._error, "fbtrace_id": "A" + secrets.token_urlsafe(16)}}


def invalid(words: str, subcode: int | None = None, title: str = "Invalid parameter") -> Refusal:
    """A parameter that cannot be: what most validation answers."""
    return Refusal(100, "Invalid parameter", subcode=subcode, title=title, words=words)


def must_be_one_of(name: str, value: object, allowed: object) -> Refusal:
    choices = ", ".join(sorted(str(one) for one in allowed)) if isinstance(allowed, (set, frozenset, list, tuple, dict)) else str(allowed)
    return Refusal(100, f"(#100) Param {name} must be one of {{{choices}}} - got {value!r}.")


def required(name: str) -> Refusal:
    return Refusal(100, f"(#100) The parameter {name} is required.")


def unknown_parameter(name: str, where: str) -> Refusal:
    return Refusal(100, f"(#100) Unknown parameter {name} of {where}.")


def no_such_field(name: str, node: str) -> Refusal:
    return Refusal(100, f"(#100) Tried accessing nonexisting field ({name}) on node type ({node})")


def no_such_object(method: str, thing_id: str) -> Refusal:
    """Code 100 with subcode 33: it does not exist, is of another account, or of a kind that cannot do this."""
    message = (
        f"Unsupported {method.lower()} request. Object with ID '{thing_id}' does not exist, cannot be loaded due to missing permissions, "
        "or does not support this operation."
    )
    return Refusal(100, message, subcode=33, kind="GraphMethodException")
