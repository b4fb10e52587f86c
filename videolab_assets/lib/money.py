"""Money as an advertising account counts it: whole minor units of one currency, never a float.

Meta sends and takes budgets as integers in the currency's smallest unit as Meta defines it, which is not ISO 4217's for some currencies:
its table of offsets says 1 for those without minor units and 100 for all others (developers.facebook.com, Marketing API, Currencies). An
offset taken for another is an error by a factor of a hundred, so a currency that the table does not hold is refused.
"""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from functools import total_ordering

from videolab_assets.lib.errors import PermanentError

_WHOLE = "CLP COP CRC HUF ISK IDR JPY KRW PYG TWD VND"
_HUNDREDTHS = (
    "AED ARS AUD BDT BOB BRL CAD CHF CNY CZK DKK DZD EGP EUR GBP GTQ HKD HNL ILS INR KES LKR MOP MXN MYR NGN NIO NOK NZD PEN PHP PKR PLN "
    "QAR RON SAR SEK SGD THB TRY UAH USD UYU ZAR"
)
OFFSETS = {**dict.fromkeys(_WHOLE.split(), 1), **dict.fromkeys(_HUNDREDTHS.split(), 100)}
"""Minor units in one unit of each currency that an advertising account may have."""

LARGEST = 10**15
"""Minor units; more is a mistake, and the database's whole numbers end at nine times 10^18."""

_DECIMAL = re.compile(r"\d{1,15}(?:\.\d{1,9})?", re.ASCII)


@total_ordering
@dataclass(frozen=True)
class Money:
    """An amount.

    Attributes:
        minor: whole minor units as Meta counts them: cents of a euro, but whole yen and whole Colombian pesos.
        currency: three capital letters.
    """

    minor: int
    currency: str

    def __post_init__(self) -> None:
        offset_of(self.currency)
        if abs(self.minor) > LARGEST:
            raise PermanentError(f"{self.minor} minor units of {self.currency} are more than any budget: check the amount.")

    @classmethod
    def of(cls, amount: str, currency: str) -> "Money":
        """The amount that a person wrote, such as `300.00`, exactly.

        Raises:
            PermanentError: it is no decimal number, has more digits than the currency, or the currency is unknown.
        """
        offset = offset_of(currency)
        if not _DECIMAL.fullmatch(amount):
            raise PermanentError(f"{amount[:40]!r} is not an amount: write it as {example(currency)}.")
        scaled = Decimal(amount) * offset
        if scaled != scaled.to_integral_value():
            digits = "no decimal places" if offset == 1 else "two decimal places at most"
            raise PermanentError(
                f"{amount[:40]!r} cannot be paid in {currency}, which has {digits} at Meta: write it as {example(currency)}."
            )
        return cls(int(scaled), currency)

    def in_words(self) -> str:
        """`300.00 EUR`, `300 JPY`."""
        return f"{self.amount()} {self.currency}"

    def amount(self) -> str:
        """`300.00`: what `of` reads back."""
        offset = offset_of(self.currency)
        if offset == 1:
            return str(self.minor)
        whole, part = divmod(abs(self.minor), offset)
        return f"{'-' if self.minor < 0 else ''}{whole}.{part:02d}"

    def split(self, parts: int) -> list["Money"]:
        """Parts that sum to exactly this, as equal as whole minor units can be: the first ones have one more where it does not go in.

        Raises:
            PermanentError: fewer than one part is asked for.
        """
        if parts < 1:
            raise PermanentError(f"{self.in_words()} cannot be split into {parts} parts.")
        each, left = divmod(self.minor, parts)
        return [Money(each + (place < left), self.currency) for place in range(parts)]

    def __lt__(self, other: "Money") -> bool:
        return self.minor < self._alike(other).minor

    def __add__(self, other: "Money") -> "Money":
        return Money(self.minor + self._alike(other).minor, self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.minor - self._alike(other).minor, self.currency)

    def __mul__(self, times: int) -> "Money":
        return Money(self.minor * times, self.currency)

    def _alike(self, other: "Money") -> "Money":
        if other.currency != self.currency:
            raise PermanentError(f"{self.in_words()} and {other.in_words()} cannot be compared or added: they are of two currencies.")
        return other


def offset_of(currency: str) -> int:
    """Minor units in one unit of the currency, as Meta counts.

    Raises:
        PermanentError: it is none of Meta's advertising currencies.
    """
    offset = OFFSETS.get(currency)
    if offset is None:
        raise PermanentError(f"{currency[:10]!r} is not a currency of an advertising account at Meta: use its three letters, such as EUR.")
    return offset


def example(currency: str) -> str:
    """An amount as a person writes it in that currency."""
    return "300" if offset_of(currency) == 1 else "300.00"


def minor_of_decimal(text: str, currency: str) -> int:
    """Minor units of a decimal that Meta sends, as insights' `spend` of "12.34"; more digits than the currency has are rounded half up.

    Raises:
        PermanentError: it is no plain decimal number, or the currency is unknown.
    """
    if not _DECIMAL.fullmatch(text):
        raise PermanentError(f"{text[:40]!r} is not an amount of money as Meta sends it.")
    return int((Decimal(text) * offset_of(currency)).to_integral_value(ROUND_HALF_UP))
