"""Answers as the Graph API gives them."""

from typing import Any

from videolab_assets_tests.scripted_server import Behaviour, sent

DONE = {"id": "1", "success": True, "data": []}
"""What pleases everybody."""


def refusal(code: Any, status: int = 400, *, subcode: Any = None, message: Any = "no", **more: Any) -> Behaviour:
    """An error as the Graph API tells it."""
    told = {"message": message, "type": "OAuthException", "code": code, "error_subcode": subcode, "fbtrace_id": "AbC", **more}
    return sent({"error": {name: value for name, value in told.items() if value is not None}}, status)
