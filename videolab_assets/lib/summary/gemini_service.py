"""Answers by Google's Gemini to any task: paid for within the tenant's day, waited for, checked, and remembered."""

import functools
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.keys import checked_tenant
from videolab_assets.lib.recipe import JsonValue, recipe
from videolab_assets.lib.spending import Spending
from videolab_assets.lib.summary import gemini_models
from videolab_assets.lib.summary.answers import Answer, Answers
from videolab_assets.lib.summary.engine import SummaryOptions
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


@dataclass(frozen=True)
class Task:
    """What answers are for, in the words of the sentences that tell why there is none.

    Attributes:
        name: in the books, before the model's.
        refused: what Gemini will not do: "Gemini refuses to …".
        loss: what follows without an answer: "…, so …".
        instead: what a person can use in its place.
    """

    name: str
    refused: str
    loss: str
    instead: str


@dataclass
class Bill:
    """What one task has cost so far, failed tries included."""

    input_tokens: int = 0
    output_tokens: int = 0
    dollars: float = 0.0


class GeminiService:
    """Asks Gemini for one task.

    Identical requests of one tenant are answered from the database for nothing. They are not shared between tenants: that an answer
    is there at once would tell one what another has.

    Args:
        task: what for.
        options: model, address, prices, cap and database.
        clock: epoch seconds.
        sleep: waits so many seconds.
    """

    def __init__(
        self,
        task: Task,
        options: SummaryOptions,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._task = task
        self._options = options
        self._clock = clock
        self._sleep = sleep

    @property
    def model(self) -> str:
        return self._options.model

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

    def answered(
        self,
        instructions: str,
        content: str,
        schema: dict[str, Any],
        tenant: str,
        accept: Callable[[str], object],
        decided_by: Mapping[str, JsonValue],
        bill: Bill,
    ) -> tuple[Answer, bool]:
        """An answer that `accept` takes, and whether it had been paid for before.

        Args:
            schema: JSON Schema of the answer.
            accept: raises ValueError for a text that is not in the form asked for; its message quotes nothing.
            decided_by: what makes an answer another one beside tenant, address, instructions, content and schema.
            bill: grows by what this costs, whether there is an answer in the end or not.

        Raises:
            PermanentError: the model is retired or its price unknown; the day's cap is reached (`CapReached`); the key or the request is
                refused; the answer is blocked, cut off or, twice, not in the form asked for.
            TransientError: Gemini or the database stays unavailable; the sentence says until when, if Gemini does.
        """
        checked_tenant(tenant)
        gemini_models.require_alive(self.model, self._today())
        known = gemini_models.MODELS.get(self.model, Model())
        request = Request(self.model, instructions, content, schema, MOST_TOKENS, known.thinking)
        key = recipe(
            tenant=tenant,
            endpoint=self._client.host,
            instructions=request.instructions,
            content=request.content,
            schema=request.schema,
            **decided_by,
        )
        return self._answers.find_or_ask(key, tenant, lambda: self._asked(request, tenant, accept, bill))

    def _asked(self, request: Request, tenant: str, accept: Callable[[str], object], bill: Bill) -> Answer:
        """A whole answer in the form asked for. One that has another form may be chance: it is asked for once more, and no oftener."""
        faults: list[str] = []
        give_up = self._clock() + LONGEST_WAIT
        while len(faults) < 2:
            reply = self._reply(request, tenant, bill, give_up)
            self._require_whole(reply)
            try:
                accept(reply.text)
            except ValueError as fault:
                faults.append(str(fault) if reply.text.strip() else "empty")
                continue
            if warning := gemini_models.served_warning(self.model, reply.served_by):
                _log.warning(warning)
            return Answer(reply.text, reply.served_by)
        raise PermanentError(f"Gemini's answer was twice not in the form that was asked for, so {self._task.loss}.", " | ".join(faults))

    def _require_whole(self, reply: Reply) -> None:
        """Half an answer is none.

        Raises:
            PermanentError: the answer is blocked, cut off or not said to be whole.
        """
        task = self._task
        if reply.blocked:
            raise PermanentError(f"Gemini refuses to {task.refused} ({reply.blocked}): use {task.instead} for it.")
        if reply.finish == "MAX_TOKENS":
            raise PermanentError(f"Gemini's answer was cut off after {MOST_TOKENS:,} tokens, so {task.loss}: use another model.")
        if reply.finish != "STOP":
            reason = reply.finish or "no reason given"
            raise PermanentError(f"Gemini broke off its answer ({reason}), so {task.loss}: use another model or {task.instead}.")

    def _reply(self, request: Request, tenant: str, bill: Bill, give_up: float) -> Reply:
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

    def _paid(self, request: Request, tenant: str, bill: Bill) -> Reply:
        """One try: its cost is held before, settled after, and stays held where nobody knows whether the server was paid."""
        options = self._options
        require_key()
        price = self._price(self.model)
        most = price.cost(most_tokens_of(request.instructions + request.content + str(request.schema)), request.most_tokens)
        hold = self._spending.hold(
            tenant, SERVICE, most, cap=options.daily_cap, setting="VIDEOLAB_GEMINI_DAILY_CAP", purpose=f"{self._task.name} {self.model}"
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


def _pause(state: RetryCallState) -> float:
    """Seconds to wait: as long as the server asks, or 2, 4, 8, 16; and a little by chance, lest all come back together."""
    failed = state.outcome.exception() if state.outcome else None
    asked = failed.delay if isinstance(failed, CallFailed) else 0.0
    return (asked or 2.0**state.attempt_number) + random.uniform(0.0, 1.0)  # noqa: S311
