"""Gemini's models: until when each is served, what it costs, and which one answers in place of one that is gone.

Written down on 21 November 2026; nothing here was tried against the live service. Sources, with the day on which they were read:

- Dates. ai.google.dev/gemini-api/docs/deprecations (versions of May and of September 2026): no shutdown date announced for 3.8-flash,
  3.7-flash, 3.6-flash, 3.5-flash-lite, 3.5-flash, 3.1-pro-preview and 3-flash-preview; 3.1-flash-lite 7 May 2027, a date which that
  page calls the earliest possible; 3-pro-preview 9 March 2026. 3.1-flash-lite-preview 25 May 2026 (24-ai.news, 25 May 2026). The 2.0
  models 1 June 2026 (modeldex.dev; Firebase's AI Logic pages of 18 June 2026). 2.5-pro and 2.5-flash 1 December 2026, from when calls
  are served by and billed as 3.8-flash and 3.5-flash-lite, and 2.5-flash-lite until further notice: dev.to/aideprecations, which
  quotes Google's page as of 10 November 2026.
- Prices in US dollars. ai.google.dev/gemini-api/docs/pricing as transcribed on 7 October 2026 by api-evangelist/deepmind
  (plans/deepmind-plans-pricing.yml): 3.8-flash with both its prices, 3.5-flash, 3.5-flash-lite, 3.1-pro-preview with its price above
  200,000 tokens. 3.6-flash and 3.7-flash, with the rise on 1 January 2027: karthink/gptel #1510 and pydantic/genai-prices #678 (August
  and September 2026). 3.1-flash-lite: awslabs/startups #43 (May 2026). 3-flash-preview: simonw/llm-prices #40 (December 2025). The 2.5
  models: morphllm.com/gemini-api-pricing (2026, undated), of which the input prices agree with that of 7 October.
- Thinking. Every Gemini 3 model takes the level `low`, which Google advises for summaries; from 3.7-flash on `minimal` is refused
  (Google's developer guide to 3.8-flash; dzivkovi/video-intel 2.7.1).

Not verified: 2.5-pro's price of output above 200,000 tokens; that the Flash models cost the same there. Models that are gone have no
price here: no call reaches them.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from videolab_assets.lib.errors import PermanentError

DEFAULT_MODEL = "gemini-3.5-flash-lite"
"""Google's own successor to 2.5-flash, the cheapest Gemini 3.5, with no end announced."""

WARNING_DAYS = 60
"""A model whose end is nearer than this deserves a word."""

LONG_PROMPT = 200_000
"""Tokens of input above which Pro models cost more, for all tokens of the call."""

_MILLION = 1_000_000


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens; thinking is billed as output.

    Attributes:
        input: of what the model reads.
        output: of what it writes.
        since: the first day on which this holds.
        long_input: the same above `LONG_PROMPT` tokens, where it differs.
        long_output: the same above `LONG_PROMPT` tokens, where it differs.
    """

    input: float
    output: float
    since: date = date.min
    long_input: float | None = None
    long_output: float | None = None

    def cost(self, input_tokens: int, output_tokens: int) -> float:
        """US dollars of one call."""
        long = input_tokens > LONG_PROMPT
        of_input = self.long_input if long and self.long_input is not None else self.input
        of_output = self.long_output if long and self.long_output is not None else self.output
        return (input_tokens * of_input + output_tokens * of_output) / _MILLION


@dataclass(frozen=True)
class Model:
    """What is known of a model.

    Attributes:
        prices: in the order in which they hold.
        ends: the first day on which it is not itself any more; None where no end is announced.
        successor: what Google names in its place.
        thinking: the level to ask for; None where the model has none.
    """

    prices: tuple[Price, ...] = ()
    ends: date | None = None
    successor: str = DEFAULT_MODEL
    thinking: str | None = "low"


_FLASH_UNTIL_2027 = (Price(0.75, 3.75), Price(1.50, 7.50, since=date(2027, 1, 1)))

MODELS: dict[str, Model] = {
    "gemini-3.8-flash": Model(_FLASH_UNTIL_2027),
    "gemini-3.7-flash": Model(_FLASH_UNTIL_2027),
    "gemini-3.6-flash": Model(_FLASH_UNTIL_2027),
    "gemini-3.5-flash": Model((Price(1.50, 9.00),)),
    "gemini-3.5-flash-lite": Model((Price(0.30, 2.50),)),
    "gemini-3.1-flash-lite": Model((Price(0.25, 1.50),), ends=date(2027, 5, 7)),
    "gemini-3.1-pro-preview": Model((Price(2.00, 12.00, long_input=4.00, long_output=18.00),)),
    "gemini-3-flash-preview": Model((Price(0.50, 3.00),), successor="gemini-3.5-flash"),
    "gemini-3.1-flash-lite-preview": Model(ends=date(2026, 5, 25), successor="gemini-3.1-flash-lite"),
    "gemini-3-pro-preview": Model(ends=date(2026, 3, 9), successor="gemini-3.1-pro-preview"),
    "gemini-2.5-flash-lite": Model((Price(0.10, 0.40),), thinking=None),
    "gemini-2.5-flash": Model((Price(0.30, 2.50),), ends=date(2026, 12, 1), thinking=None),
    "gemini-2.5-pro": Model(
        (Price(1.25, 10.00, long_input=2.50, long_output=15.00),), ends=date(2026, 12, 1), successor="gemini-3.8-flash", thinking=None
    ),
    "gemini-2.0-flash": Model(ends=date(2026, 6, 1), thinking=None),
    "gemini-2.0-flash-001": Model(ends=date(2026, 6, 1), thinking=None),
    "gemini-2.0-flash-lite": Model(ends=date(2026, 6, 1), thinking=None),
    "gemini-2.0-flash-lite-001": Model(ends=date(2026, 6, 1), thinking=None),
}


def is_retired(model: str, today: date) -> bool:
    """Whether the model is known to be gone, or to be answered by another under its name."""
    ends = MODELS.get(model, Model()).ends
    return ends is not None and today >= ends


def retirement_warning(model: str, today: date) -> str | None:
    """A sentence about a model that is retired, ends within `WARNING_DAYS`, or is unknown here; None where all is well."""
    known = MODELS.get(model)
    if known is None:
        return f"{model} is not in VideoLab's table of Gemini models, which therefore cannot warn before it is retired."
    if known.ends is None or today < known.ends - timedelta(days=WARNING_DAYS):
        return None
    verb = "was" if today >= known.ends else "will be"
    return f"{model} {verb} retired on {known.ends:%-d %B %Y}: set VIDEOLAB_GEMINI_MODEL to {known.successor}."


def require_alive(model: str, today: date) -> None:
    """Lets no call through to a model that is gone: it fails, or another answers and sends the bill.

    Raises:
        PermanentError: it is retired.
    """
    if is_retired(model, today):
        raise PermanentError(retirement_warning(model, today) or "")


def price_of(model: str, today: date, *, configured_input: float | None = None, configured_output: float | None = None) -> Price:
    """What the model's tokens cost on that day; configured prices go before the table's.

    Raises:
        PermanentError: the price is not known, so that no money may be spent; or only half of it is configured.
    """
    if configured_input is not None and configured_output is not None:
        return Price(configured_input, configured_output)
    if configured_input is not None or configured_output is not None:
        raise PermanentError("Only one of VIDEOLAB_GEMINI_PRICE_INPUT and VIDEOLAB_GEMINI_PRICE_OUTPUT is set: set both, or none.")
    holding = [price for price in MODELS.get(model, Model()).prices if price.since <= today]
    if not holding:
        raise PermanentError(
            f"The price of {model} is not known, so nothing is spent on it: set VIDEOLAB_GEMINI_PRICE_INPUT and "
            "VIDEOLAB_GEMINI_PRICE_OUTPUT to its US dollars for a million tokens."
        )
    return holding[-1]


def served_warning(asked: str, served: str) -> str | None:
    """A sentence where the server says that another model answered; a dated or numbered version of the one asked for is that one."""
    if not served or re.fullmatch(re.escape(asked) + r"(-\d+|-\d\d-\d{2,4}|-preview-\d\d-\d{2,4}|-latest)*", served):
        return None
    return f"{asked} was asked, but the server says that {served} answered, which it may bill at another price."
