"""Summaries by Google's Gemini: checked, remembered, and never dearer than the tenant's day allows."""

import time
from collections.abc import Callable

from videolab_assets.lib.documents import Summary, Transcript
from videolab_assets.lib.keys import checked_tenant
from videolab_assets.lib.summary.engine import NothingSaid, SummaryOptions
from videolab_assets.lib.summary.gemini_answer import PROMPT_VERSION, SCHEMA_VERSION, GeminiAnswer, answer_of, language_code, request_of
from videolab_assets.lib.summary.gemini_service import MOST_TOKENS, SERVICE, Bill, GeminiService, Task, most_tokens_of

__all__ = ["MOST_TOKENS", "GeminiEngine", "most_tokens_of"]

SUMMARY = Task("summary", "summarise what is said in this video", "there is no summary", "the extractive engine")


class GeminiEngine:
    """Asks Gemini for a summary in a fixed form.

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
        self._service = GeminiService(SUMMARY, options, clock, sleep)

    @property
    def model(self) -> str:
        return self._service.model

    @property
    def identity(self) -> str:
        return f"{self.name} {self.model} prompt-{PROMPT_VERSION} schema-{SCHEMA_VERSION}"

    def complaints(self) -> list[str]:
        """That the model ends soon, or is not in the table that knows.

        Raises:
            PermanentError: the model is gone or its price unknown, the address cannot be used, or there is no key.
        """
        return self._service.complaints()

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
        instructions, content = request_of(transcript, prompt)
        bill = Bill()
        answer, cached = self._service.answered(
            instructions,
            content,
            GeminiAnswer.model_json_schema(),
            tenant,
            lambda text: answer_of(text, transcript),
            {"identity": self.identity, "duration": transcript.duration},
            bill,
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
