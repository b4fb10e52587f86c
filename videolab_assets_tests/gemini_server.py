"""A Gemini server on this machine that misbehaves on request, see `scripted_server`."""

import json
from contextlib import AbstractContextManager
from typing import Any

from videolab_assets_tests.scripted_server import Behaviour, ScriptedServer, scripted_server, sent

ANSWER: dict[str, Any] = {
    "title": "A garden on the balcony",
    "description": "How to grow vegetables on a balcony with little money.",
    "tags": ["garden", "balcony", "tomatoes"],
    "key_points": [{"time": "0:00", "text": "Vegetables grow on any balcony with five hours of sun."}],
    "show_notes": "### Start\n\n- Buy soil\n- Water at 0:00",
}
"""What a well-behaved model might write."""

USAGE = {"promptTokenCount": 1000, "candidatesTokenCount": 400, "thoughtsTokenCount": 100, "totalTokenCount": 1500}
COST = 1000 * 0.30e-6 + 500 * 2.50e-6
"""US dollars of `USAGE` at the prices of gemini-3.5-flash-lite, thinking paid as output."""


def gemini_server() -> AbstractContextManager[ScriptedServer]:
    """Runs one until the block ends; without a script it answers well."""
    return scripted_server(wrote(ANSWER))


def candidate(text: str | None, finish: str | None = "STOP", model: str = "gemini-3.5-flash-lite", **more: Any) -> dict[str, Any]:
    """A response as the service sends it; `more` replaces or adds to its top level, None takes away."""
    content = {} if text is None else {"content": {"role": "model", "parts": [{"text": "pondering", "thought": True}, {"text": text}]}}
    reason = {} if finish is None else {"finishReason": finish}
    whole = {"candidates": [{**content, **reason, "index": 0}], "usageMetadata": USAGE, "modelVersion": model, **more}
    return {name: value for name, value in whole.items() if value is not None}


def wrote(answer: Any, finish: str | None = "STOP", **more: Any) -> Behaviour:
    """The model wrote this."""
    return sent(candidate(answer if isinstance(answer, str) or answer is None else json.dumps(answer), finish, **more))


def refused(status: int, message: str = "no", details: Any = (), **headers: str) -> Behaviour:
    """An error as Google's front end tells it."""
    return sent({"error": {"code": status, "message": message, "status": "SOME_STATUS", "details": details}}, status, **headers)


def retry_info(delay: str) -> list[dict[str, str]]:
    return [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]
