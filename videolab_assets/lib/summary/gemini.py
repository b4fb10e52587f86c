"""Summaries by Google's Gemini: checked, remembered, and never dearer than the tenant's day allows."""

import functools
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from videolab_assets.lib.database import Database
from videolab_assets.lib.documents import Summary, Transcript
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.keys import checked_tenant
from videolab_assets.lib.recipe import recipe
from videolab_assets.lib.spending import Spending
from videolab_assets.lib.summary import gemini_models
from videolab_assets.lib.summary.answers import Answer, Answers
from videolab_assets.lib.summary.engine import NothingSaid, SummaryOptions
from videolab_assets.lib.summary.gemini_answer import PROMPT_VERSION, SCHEMA_VERSION, GeminiAnswer, answer_of, language_code, request_of
from videolab_assets.lib.summary.gemini_client import CallFailed, GeminiClient, Reply, Request, checked_endpoint, require_key
from videolab_assets.lib.summary.gemini_models import Model, Price

SERVICE = "gemini"
"""Under which its spending is booked."""

MOST_TOKENS = 16_384
"""That an answer may take, thinking included: the server counts both against one limit (googleapis/python-genai #2062)."""

ENVELOPE_TOKENS = 200
"""Allowance for what the service wraps around a request."""

TRIES = 5
LONGEST_WAIT = 300.0
"""Seconds from the first try after which no further one begins."""

_log = logging.getLogger(__name__)


@dataclass
class _Bill:
    """What one summary has cost so far, failed tries included."""

    input_tokens: int = 0
    output_tokens: int = 0
    dollars: float = 0.0


class GeminiEngine:
    """Asks Gemini for a summary in a fixed form.

    Identical requests of one tenant are answered from the database for nothing. They are not shared between tenants: that an answer
    is there at once would tell one what another has.

    Args:
        options: model, address, prices, cap and database.
        clock: epoch seconds.
        sleep: waits so many seconds.
    """

    name = SERVICE
    follows_prompts = True

    def __init__(
        self, options: SummaryOptions, clock: Callable[[], float] = time.time, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._options = options
        self._clock = clock
        self._sleep = sleep

    @property
    def model(self) -> str:
        return self._options.model

    @property
    def identity(self) -> str:
        return f"{self.name} {self.model} prompt-{PROMPT_VERSION} schema-{SCHEMA_VERSION}"

    def complaints(self) -> list[str]:
        """That the model ends soon, or is not in the table that knows.

        Raises:
            PermanentError: the model is gone or its price unknown, the address cannot be used, or there is no key.
        """
        gemini_models.require_alive(self.model, self._today())
        self._price(self.model)
        checked_endpoint(self._options.endpoint)
        require_key()
        warning = gemini_models.retirement_warning(self.model, self._today())
        return [warning] if warning else []

    def summary_of(self, transcript: Transcript, prompt: str | None = None, *, tenant: str) -> Summary:
        """The summary; the prompt is followed as far as it leaves language and form alone.

        Raises:
            NothingSaid: the transcript holds no words.
            PermanentError: the model is retired or its price unknown; the day's cap is reached (`CapReached`); the key, the prompt or the
                request is refused; the answer is blocked, cut off or, twice, not in the form asked for.
            TransientError: Gemini or the database stays unavailable; the sentence says until when, if Gemini does.
        """
        checked_tenant(tenant)
        if not any(mark.isalnum() for mark in transcript.text):
            raise NothingSaid
        gemini_models.require_alive(self.model, self._today())
        instructions, content = request_of(transcript, prompt)
        known = gemini_models.MODELS.get(self.model, Model())
        request = Request(self.model, instructions, content, GeminiAnswer.model_json_schema(), MOST_TOKENS, known.thinking)
        bill = _Bill()
        answer, cached = self._answers.find_or_ask(
            self._answer_key(request, transcript, tenant), tenant, lambda: self._asked(request, transcript, tenant, bill)
        )
        parts, points = answer_of(answer.text, transcript)
        return Summary(
            engine=self.name,
            model=answer.served_by or self.model,
            language=language_code(transcript),
            title=parts.title,
            description=parts.description,
            tags=parts.tags,
            key_points=points,
            show_notes=parts.show_notes,
            prompt=(prompt or "").strip() or None,
            input_tokens=bill.input_tokens,
            output_tokens=bill.output_tokens,
            cost=round(bill.dollars, 6),
            cached=cached,
        )

    def _answer_key(self, request: Request, transcript: Transcript, tenant: str) -> str:
        return recipe(
            tenant=tenant,
            identity=self.identity,
            endpoint=self._client.host,
            instructions=request.instructions,
            content=request.content,
            schema=request.schema,
            duration=transcript.duration,
        )

    def _asked(self, request: Request, transcript: Transcript, tenant: str, bill: _Bill) -> Answer:
        """A whole answer in the form asked for. One that has another form may be chance: it is asked for once more, and no oftener."""
        faults: list[str] = []
        give_up = self._clock() + LONGEST_WAIT
        while len(faults) < 2:
            reply = self._reply(request, tenant, bill, give_up)
            _require_whole(reply)
            try:
                answer_of(reply.text, transcript)
            except ValueError as fault:
                faults.append(str(fault) if reply.text.strip() else "empty")
                continue
            if warning := gemini_models.served_warning(self.model, reply.served_by):
                _log.warning(warning)
            return Answer(reply.text, reply.served_by)
        raise PermanentError("Gemini's answer was twice not in the form that was asked for, so there is no summary.", " | ".join(faults))

    def _reply(self, request: Request, tenant: str, bill: _Bill, give_up: float) -> Reply:
        """What Gemini answers, after waiting while it is busy."""

        def no_time_left(state: RetryCallState) -> bool:
            return self._clock() + state.upcoming_sleep > give_up

        retrying = Retrying(
            retry=retry_if_exception(lambda error: isinstance(error, CallFailed) and error.again),
            stop=lambda state: stop_after_attempt(TRIES)(state) or no_time_left(state),
            wait=_pause,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(self._paid, request, tenant, bill)
        except CallFailed as failed:
            error = self._explained(failed, give_up)
        raise error

    def _paid(self, request: Request, tenant: str, bill: _Bill) -> Reply:
        """One try: its cost is held before, settled after, and stays held where nobody knows whether the server was paid."""
        options = self._options
        require_key()
        price = self._price(self.model)
        most = price.cost(most_tokens_of(request.instructions + request.content + str(request.schema)), request.most_tokens)
        hold = self._spending.hold(
            tenant, SERVICE, most, cap=options.daily_cap, setting="VIDEOLAB_GEMINI_DAILY_CAP", purpose=f"summary {self.model}"
        )
        try:
            reply = self._client.send(request)
        except CallFailed as failed:
            bill.dollars += hold.dollars if failed.perhaps_billed else self._spending.settle(hold, 0.0)
            raise
        if reply.input_tokens is None or reply.output_tokens is None:
            bill.dollars += hold.dollars
            return reply
        if reply.served_by in gemini_models.MODELS and gemini_models.MODELS[reply.served_by].prices:
            price = self._price(reply.served_by)
        bill.input_tokens += reply.input_tokens
        bill.output_tokens += reply.output_tokens
        bill.dollars += self._spending.settle(hold, price.cost(reply.input_tokens, reply.output_tokens))
        return reply

    def _price(self, model: str) -> Price:
        options = self._options
        return gemini_models.price_of(model, self._today(), configured_input=options.price_input, configured_output=options.price_output)

    def _explained(self, failed: CallFailed, give_up: float) -> PermanentError | TransientError:
        if not failed.again:
            return PermanentError(f"{failed.sentence}.", failed.detail)
        until = self._clock() + failed.delay
        if until > give_up:
            moment = datetime.fromtimestamp(until, UTC)
            return TransientError(f"{failed.sentence}; it asks to wait until {moment:%H:%M} UTC on {moment:%-d %B}.", failed.detail)
        return TransientError(f"{failed.sentence}, even after several tries: run it again later.", failed.detail)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._clock(), UTC).date()

    @functools.cached_property
    def _client(self) -> GeminiClient:
        return GeminiClient(checked_endpoint(self._options.endpoint), self._options.timeout)

    @functools.cached_property
    def _answers(self) -> Answers:
        # Longer than asking can take: two rounds, each with a last request that begins just in time.
        lease = LONGEST_WAIT + 4 * self._options.timeout
        return Answers(self._books, lease, self._clock, self._sleep)

    @functools.cached_property
    def _spending(self) -> Spending:
        return Spending(self._books, self._clock)

    @functools.cached_property
    def _books(self) -> Database:
        if self._options.database is None:
            raise PermanentError("Gemini costs money and needs a database to count it: give SummaryOptions one.")
        return self._options.database()


def most_tokens_of(text: str) -> int:
    """No fewer tokens than the text can have: each stands for at least one of its bytes, in English and Spanish for about four."""
    return len(text.encode("utf-8", "replace")) + ENVELOPE_TOKENS


def _require_whole(reply: Reply) -> None:
    """Half a summary is none.

    Raises:
        PermanentError: the answer is blocked, cut off or not said to be whole.
    """
    if reply.blocked:
        raise PermanentError(f"Gemini refuses to summarise what is said in this video ({reply.blocked}): use the extractive engine for it.")
    if reply.finish == "MAX_TOKENS":
        raise PermanentError(f"Gemini's answer was cut off after {MOST_TOKENS:,} tokens, so there is no summary: use another model.")
    if reply.finish != "STOP":
        reason = reply.finish or "no reason given"
        raise PermanentError(f"Gemini broke off its answer ({reason}), so there is no summary: use another model or the extractive engine.")


def _pause(state: RetryCallState) -> float:
    """Seconds to wait: as long as the server asks, or 2, 4, 8, 16; and a little by chance, lest all come back together."""
    failed = state.outcome.exception() if state.outcome else None
    asked = failed.delay if isinstance(failed, CallFailed) else 0.0
    return (asked or 2.0**state.attempt_number) + random.uniform(0.0, 1.0)  # noqa: S311
