"""One request to Gemini over google-genai, guarded: what it answers, or why there is no answer and whether that may have cost money.

The key is read from the environment for each request and is nowhere else afterwards: failures are told in values made here, never in the
SDK's exceptions, which hold the request, its headers and what the server echoes.

Traps of google-genai 3.4.0: it follows redirects with the key in hand; it continues an unfinished answer with further paid requests; it
takes its address and its mode from GOOGLE_… variables; it puts no bound on an answer's size or on its total time; and an answer that is no
Gemini answer raises whatever its parser meets.
"""

import contextlib
import email.utils
import os
import re
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from videolab_assets.lib.endpoints import checked_address
from videolab_assets.lib.errors import PermanentError

if TYPE_CHECKING:
    import httpx2
    from google.genai import Client
    from google.genai.errors import APIError
    from google.genai.types import GenerateContentResponse

KEY_VARIABLES = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
"""Where the key may be; the first that is set counts."""

GOOGLE = "https://generativelanguage.googleapis.com"
LONGEST_ANSWER = 4 * 1024**2
"""Bytes; the longest answer that can be asked for is some 300 KB of JSON."""

LONGEST_DELAY = 30 * 86_400.0
"""Seconds; a server that asks for more is not waited for anyway."""

PLAUSIBLE_TOKENS = 10**8

_KEY = re.compile(r"[A-Za-z0-9._~+/=:-]{8,}")  # Google's have 39 and more; what is as short as a word is found in any text


@dataclass(frozen=True)
class Request:
    """What is asked.

    Attributes:
        model: the model's id.
        instructions: what it shall do.
        content: what it shall do that with.
        schema: JSON Schema of the answer.
        most_tokens: that it may write, thinking included.
        thinking: its level; None to leave that to the model.
    """

    model: str
    instructions: str
    content: str
    schema: dict[str, Any]
    most_tokens: int
    thinking: str | None


@dataclass(frozen=True)
class Reply:
    """What came back for money, whole or not.

    Attributes:
        text: what the model wrote.
        finish: why it stopped: `STOP` where it was done; empty where the server does not say.
        blocked: why the server did not let the model answer; empty where it did.
        served_by: the model that the server says has answered.
        input_tokens: None where the server does not say.
        output_tokens: with those of thinking; None where the server does not say.
    """

    text: str
    finish: str
    blocked: str
    served_by: str
    input_tokens: int | None
    output_tokens: int | None


class CallFailed(Exception):
    """There is no answer.

    Attributes:
        sentence: why, for a person.
        detail: what the server said, without the key.
        again: whether the same request may succeed soon.
        perhaps_billed: whether the server may have done the work.
        delay: seconds to wait before trying again, as the server asks; 0 where it does not.
    """

    def __init__(self, sentence: str, detail: str = "", *, again: bool = False, perhaps_billed: bool = False, delay: float = 0.0) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.detail = detail
        self.again = again
        self.perhaps_billed = perhaps_billed
        self.delay = delay


def key_variable() -> str | None:
    """The name of the variable that holds the key; None where none does."""
    return next((name for name in KEY_VARIABLES if os.environ.get(name, "").strip()), None)


def require_key() -> None:
    """Fails before anything is paid for.

    Raises:
        PermanentError: there is no key, or what is there cannot be one.
    """
    _key()


def _key() -> str:
    name = key_variable()
    if name is None:
        raise PermanentError(f"There is no key for Gemini: set {KEY_VARIABLES[0]} to one from https://aistudio.google.com/apikey.")
    key = os.environ[name].strip()
    if not _KEY.fullmatch(key):
        raise PermanentError(f"{name} holds what cannot be a key: copy it again.")
    return key


def checked_endpoint(endpoint: str) -> str:
    """The address that requests go to: Google's where `endpoint` is empty.

    Raises:
        PermanentError: it is no address, holds credentials, or would carry the key unencrypted over a network.
    """
    return checked_address(endpoint, "VIDEOLAB_GEMINI_ENDPOINT") if endpoint else GOOGLE


class GeminiClient:
    """Sends requests one by one and keeps nothing between them.

    Args:
        endpoint: as `checked_endpoint` returns it.
        timeout: seconds for a request, from the first byte sent to the last one received.
    """

    def __init__(self, endpoint: str, timeout: float) -> None:
        self._endpoint = endpoint
        self._timeout = timeout

    @property
    def host(self) -> str:
        """Whom requests go to, in words."""
        return urlsplit(self._endpoint).netloc

    def send(self, request: Request) -> Reply:
        """Sends it once.

        Raises:
            CallFailed: there is no answer.
            PermanentError: there is no key.
        """
        outcome = self._exchange(request)
        if isinstance(outcome, CallFailed):  # raised here, where no frame of the traceback holds the key
            raise outcome
        return outcome

    def _exchange(self, request: Request) -> Reply | CallFailed:
        import httpx2
        from google.genai import errors, types

        # Said in our own words, without what the server may have put there.
        warnings.filterwarnings("ignore", ".* is not a valid ", UserWarning, r"google\.genai\._common")
        key = _key()
        config = types.GenerateContentConfig(
            system_instruction=request.instructions,
            response_mime_type="application/json",
            response_json_schema=request.schema,
            max_output_tokens=request.most_tokens,
            thinking_config=types.ThinkingConfig(thinking_level=types.ThinkingLevel(request.thinking.upper()))
            if request.thinking
            else None,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
            automatic_continuation=False,
        )
        try:
            with self._client(key) as client:
                response = client.models.generate_content(model=request.model, contents=request.content, config=config)
            return _reply(response, key)
        except errors.APIError as error:
            return _refusal(error, request.model, key)
        except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
            return CallFailed(f"{self.host} cannot be reached", type(error).__name__, again=True)
        except httpx2.TimeoutException as error:
            sentence = f"{self.host} did not answer within {self._timeout:.0f} s"
            return CallFailed(sentence, type(error).__name__, again=True, perhaps_billed=True)
        except _NotAnAnswer as error:
            return CallFailed(f"{self.host} sent {error}, which is no answer of Gemini's", perhaps_billed=True)
        except httpx2.TransportError as error:
            sentence = f"The connection to {self.host} broke before the answer was there"
            return CallFailed(sentence, type(error).__name__, again=True, perhaps_billed=True)
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:  # all that the SDK's parser was seen to raise
            sentence = f"{self.host} does not answer as Gemini does: check VIDEOLAB_GEMINI_ENDPOINT"
            return CallFailed(sentence, type(error).__name__, perhaps_billed=True)

    @contextlib.contextmanager
    def _client(self, key: str) -> Iterator["Client"]:
        import httpx2
        from google import genai
        from google.genai import types

        began = time.monotonic()

        def bound(response: httpx2.Response) -> None:
            if response.headers.get("content-encoding", "identity") != "identity":
                raise _NotAnAnswer("something compressed")
            response.stream = _bounded(response.stream, began + self._timeout)

        hooks = {"response": [bound]}
        http = httpx2.Client(follow_redirects=False, timeout=self._timeout, headers={"Accept-Encoding": "identity"}, event_hooks=hooks)
        options = types.HttpOptions(base_url=self._endpoint, timeout=round(self._timeout * 1000), httpx_client=http)
        with http, genai.Client(vertexai=False, api_key=key, http_options=options) as client:
            yield client


class _NotAnAnswer(Exception):
    """What was sent instead, in words."""


def _bounded(stream: Any, deadline: float) -> "httpx2.SyncByteStream":
    """The stream, ended with an error at `LONGEST_ANSWER` or at the deadline, which read timeouts of single packets do not keep."""
    import httpx2

    class Bounded(httpx2.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            received = 0
            for chunk in stream:
                received += len(chunk)
                if received > LONGEST_ANSWER:
                    raise _NotAnAnswer(f"more than {LONGEST_ANSWER // 1024**2} MiB")
                if time.monotonic() > deadline:
                    raise httpx2.ReadTimeout("total time")
                yield chunk

        def close(self) -> None:
            stream.close()

    return Bounded()


def _reply(response: "GenerateContentResponse", key: str) -> Reply:
    candidate = response.candidates[0] if response.candidates else None
    parts = (candidate.content.parts or []) if candidate and candidate.content else []
    usage = response.usage_metadata
    return Reply(
        text="".join(part.text for part in parts if part.text and not part.thought).replace(key, "[key]"),
        finish=_word(candidate.finish_reason, key) if candidate else "",
        blocked=_word(response.prompt_feedback.block_reason, key) if response.prompt_feedback else "",
        served_by=_name(response.model_version, key),
        input_tokens=_tokens(usage.prompt_token_count, usage.tool_use_prompt_token_count) if usage else None,
        output_tokens=_tokens(usage.candidates_token_count, usage.thoughts_token_count) if usage else None,
    )


def _tokens(*counts: int | None) -> int | None:
    """Their sum; None where the server gives none, or none that can be."""
    given = [count for count in counts if count is not None]
    return sum(given) if given and all(0 <= count <= PLAUSIBLE_TOKENS for count in given) else None


def _word(reason: object, key: str) -> str:
    """A reason as the server spells it; `UNKNOWN` for what is no reason at all."""
    spelled = str(getattr(reason, "value", reason) or "")
    return spelled if re.fullmatch(r"[A-Z_]{0,40}", spelled) and key not in spelled else "UNKNOWN"


def _name(model_version: str | None, key: str) -> str:
    name = (model_version or "").removeprefix("models/")
    return name if re.fullmatch(r"[\w.:-]{1,80}", name, re.ASCII) and key not in name else ""


def _refusal(error: "APIError", model: str, key: str) -> CallFailed:
    """What an HTTP status other than 200 means. Google does not charge for those of 400 and 500 (ai.google.dev, billing FAQ)."""
    status, said = error.code if isinstance(error.code, int) else 0, _said(error, key)
    if status in (429, 500, 503):
        delay = max(_retry_info(error.details), _retry_after(error))
        busy = "lets nobody in now: too many requests, or a quota that is used up" if status == 429 else "is overloaded or broken now"
        return CallFailed(f"Gemini {busy} (HTTP {status})", said, again=True, delay=delay)
    if status in (408, 502, 504):
        return CallFailed(f"Gemini did not answer in time (HTTP {status})", said, again=True, perhaps_billed=True)
    if status == 401 or (status == 400 and "API_KEY" in said.upper().replace(" ", "_")):
        return CallFailed(f"Gemini does not accept the key in {key_variable()}: set a valid one", said)
    sentences = {
        402: "The credit of the Gemini account is used up: add some",
        403: f"The key in {key_variable()} may not use {model}: check its project, its restrictions and its billing",
        404: f"There is no model {model}, or none any more: set VIDEOLAB_GEMINI_MODEL to another",
    }
    redirect = "The server sends requests elsewhere, where the key is not taken: check VIDEOLAB_GEMINI_ENDPOINT"
    sentence = redirect if 300 <= status < 400 else sentences.get(status, f"Gemini refuses the request (HTTP {status})")
    return CallFailed(sentence, said, perhaps_billed=200 <= status < 300)


def _said(error: "APIError", key: str) -> str:
    """The server's own words on one line, cut, and without the key, which some of them quote."""
    told = error.message if isinstance(error.message, str) else ""
    reasons = [str(detail.get("reason", "")) for detail in _details(error.details)]
    return " ".join(" ".join([told, *reasons]).replace(key, "[key]").split())[:300]


def _details(body: object) -> list[dict[str, Any]]:
    inner = body.get("error", body) if isinstance(body, dict) else None
    details = inner.get("details") if isinstance(inner, dict) else None
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []


def _retry_info(body: object) -> float:
    """Seconds that google.rpc.RetryInfo asks for, as in "34.07s"; 0 without."""
    asked = [
        str(detail.get("retryDelay", "")) for detail in _details(body) if str(detail.get("@type", "")).endswith("google.rpc.RetryInfo")
    ]
    seconds = [float(match[1]) for text in asked if (match := re.fullmatch(r"(\d{1,12}(?:\.\d{1,9})?)s", text))]
    return min(max(seconds, default=0.0), LONGEST_DELAY)


def _retry_after(error: "APIError") -> float:
    """Seconds that the Retry-After header asks for, by number or by date; 0 without."""
    asked = str((getattr(error.response, "headers", None) or {}).get("retry-after", ""))
    if re.fullmatch(r"\d{1,12}", asked):
        return min(float(asked), LONGEST_DELAY)
    try:
        moment = email.utils.parsedate_to_datetime(asked)
    except ValueError:
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(UTC)).total_seconds(), 0.0), LONGEST_DELAY)
