"""Amounts in minor units as Meta counts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.money import OFFSETS, Money, minor_of_decimal

currencies = st.sampled_from(sorted(OFFSETS))
amounts = st.builds(Money, st.integers(0, 10**14), currencies)


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("300.00", "EUR", 30_000),
        ("300", "EUR", 30_000),
        ("0.07", "USD", 7),
        ("1.5", "GBP", 150),
        ("300", "JPY", 300),
        ("300.00", "COP", 300),
    ],
)
def test_minor_units_are_metas(amount: str, currency: str, minor: int) -> None:
    """Prevents the factor of a hundred: a euro has a hundred minor units at Meta, a yen and a Colombian peso one."""
    assert Money.of(amount, currency) == Money(minor, currency)


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("300.001", "EUR"),
        ("300.5", "JPY"),
        ("-1", "EUR"),
        ("1e3", "EUR"),
        ("", "EUR"),
        ("1,50", "EUR"),
        ("١", "EUR"),
        ("1 ", "EUR"),
        ("nan", "EUR"),
    ],
)
def test_what_is_no_amount_is_refused(amount: str, currency: str) -> None:
    """Prevents a budget that is rounded, guessed or read otherwise than the person meant it."""
    with pytest.raises(PermanentError, match=r"write it as 300"):
        Money.of(amount, currency)


@pytest.mark.parametrize("currency", ["eur", "KWD", "", "EURO", "€"])
def test_unknown_currencies_are_refused(currency: str) -> None:
    """Prevents a currency of three decimals, or none, from being counted in hundredths because most are."""
    with pytest.raises(PermanentError, match="not a currency"):
        Money.of("1", currency)
    with pytest.raises(PermanentError, match="not a currency"):
        Money(1, currency)


def test_currencies_do_not_mix() -> None:
    """Prevents pesos from being added to euros."""
    with pytest.raises(PermanentError, match="two currencies"):
        Money(1, "EUR") + Money(1, "MXN")
    with pytest.raises(PermanentError, match="two currencies"):
        Money(1, "EUR") - Money(1, "MXN")
    with pytest.raises(PermanentError, match="two currencies"):
        assert Money(1, "EUR") <= Money(2, "MXN")
    assert Money(1, "EUR") < Money(2, "EUR") >= Money(2, "EUR")


def test_an_absurd_amount_is_refused() -> None:
    """Prevents a number that the database cannot hold."""
    with pytest.raises(PermanentError, match="more than any budget"):
        Money.of("999999999999999", "EUR")


@given(amounts)
def test_what_is_told_is_read_back(money: Money) -> None:
    """Prevents the amount that a person confirms from being another than the one that is spent."""
    assert Money.of(money.amount(), money.currency) == money
    assert money.in_words() == f"{money.amount()} {money.currency}"


@given(amounts, st.integers(1, 500))
def test_parts_sum_to_the_whole(money: Money, parts: int) -> None:
    """Prevents ad sets that together have more than the budget, or whose test is unequal by more than a cent."""
    split = money.split(parts)
    assert len(split) == parts
    assert sum(part.minor for part in split) == money.minor
    assert max(split).minor - min(split).minor <= 1


def test_no_parts_are_refused() -> None:
    """Prevents a budget that vanishes."""
    with pytest.raises(PermanentError):
        Money(1, "EUR").split(0)


def test_sums_are_exact() -> None:
    """Prevents 0.1 + 0.2 from being more than 0.3."""
    total = Money.of("0.10", "EUR") + Money.of("0.20", "EUR")
    assert total == Money.of("0.30", "EUR")
    assert total - Money.of("0.40", "EUR") == Money(-10, "EUR")
    assert (total - Money.of("0.40", "EUR")).in_words() == "-0.10 EUR"
    assert Money.of("0.10", "EUR") * 3 == total


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [("12.34", "EUR", 1234), ("0", "EUR", 0), ("12.345", "EUR", 1235), ("12.344999", "EUR", 1234), ("12.5", "JPY", 13), ("7", "CLP", 7)],
)
def test_spend_is_read_to_the_minor_unit(text: str, currency: str, minor: int) -> None:
    """Prevents a reconciliation that is a cent off because of binary fractions or of bankers' rounding."""
    assert minor_of_decimal(text, currency) == minor


@pytest.mark.parametrize("text", ["", "-1.00", "1e5", "nan", "1,000.00"])
def test_spend_that_is_none_is_refused(text: str) -> None:
    """Prevents an unreadable number from counting as nothing spent."""
    with pytest.raises(PermanentError, match="not an amount of money"):
        minor_of_decimal(text, "EUR")
