"""The table of Gemini's models."""

from datetime import date

import pytest

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.summary.gemini_models import (
    DEFAULT_MODEL,
    MODELS,
    is_retired,
    price_of,
    require_alive,
    retirement_warning,
    served_warning,
)

TODAY = date(2026, 11, 21)


def test_the_default_is_fit_to_use() -> None:
    """Prevents a default that costs an unknown price, or that ends before anybody reads about it."""
    assert retirement_warning(DEFAULT_MODEL, date(2027, 6, 1)) is None
    assert price_of(DEFAULT_MODEL, TODAY).cost(1_000_000, 1_000_000) == pytest.approx(2.80)


@pytest.mark.parametrize("model", MODELS)
def test_every_row_holds_together(model: str) -> None:
    """Prevents a successor that is gone itself, and a model that can be called but not paid."""
    row = MODELS[model]
    assert row.ends is not None or row.prices
    assert MODELS[row.successor].prices and not is_retired(row.successor, TODAY)
    assert [price.since for price in row.prices] == sorted({price.since for price in row.prices})
    assert is_retired(model, TODAY) or price_of(model, TODAY)


def test_an_end_is_announced_in_time() -> None:
    """Prevents a summary engine that stops, or changes its model and its bill, without a word before."""
    assert retirement_warning("gemini-2.5-flash", date(2026, 10, 1)) is None
    soon = "gemini-2.5-flash will be retired on 1 December 2026: set VIDEOLAB_GEMINI_MODEL to gemini-3.5-flash-lite."
    assert retirement_warning("gemini-2.5-flash", date(2026, 10, 2)) == retirement_warning("gemini-2.5-flash", TODAY) == soon
    require_alive("gemini-2.5-flash", date(2026, 11, 30))
    with pytest.raises(PermanentError, match=r"gemini-2\.5-flash was retired on 1 December 2026"):
        require_alive("gemini-2.5-flash", date(2026, 12, 1))
    assert "not in VideoLab's table" in (retirement_warning("gemini-9-ultra", TODAY) or "")
    require_alive("gemini-9-ultra", TODAY)


def test_prices_change_on_their_day() -> None:
    """Prevents a cap that lets through twice its money from the day on which an introductory price ends."""
    assert price_of("gemini-3.8-flash", date(2026, 12, 31)).cost(1_000_000, 1_000_000) == pytest.approx(4.50)
    assert price_of("gemini-3.8-flash", date(2027, 1, 1)).cost(1_000_000, 1_000_000) == pytest.approx(9.00)


def test_long_prompts_cost_more() -> None:
    """Prevents a long talk on a Pro model from being booked at half its price."""
    price = price_of("gemini-3.1-pro-preview", TODAY)
    assert price.cost(200_000, 1000) == pytest.approx(0.4 + 0.012)
    assert price.cost(200_001, 1000) == pytest.approx(0.800004 + 0.018)


def test_a_configured_price_goes_first_and_whole() -> None:
    """Prevents half a price, which would make the other half free."""
    assert price_of("gemini-9-ultra", TODAY, configured_input=1.0, configured_output=2.0).cost(1_000_000, 500_000) == pytest.approx(2.0)
    assert price_of(DEFAULT_MODEL, TODAY, configured_input=0.0, configured_output=0.0).cost(10**6, 10**6) == 0
    for half in ({"configured_input": 1.0}, {"configured_output": 1.0}):
        with pytest.raises(PermanentError, match="set both, or none"):
            price_of(DEFAULT_MODEL, TODAY, **half)
    with pytest.raises(PermanentError, match="price of gemini-9-ultra is not known"):
        price_of("gemini-9-ultra", TODAY)


@pytest.mark.parametrize(
    ("served", "other"),
    [
        ("", False),
        ("gemini-3.5-flash", False),
        ("gemini-3.5-flash-001", False),
        ("gemini-3.5-flash-preview-09-2026", False),
        ("gemini-3.5-flash-lite", True),
        ("gemini-3.8-flash", True),
        ("gemini-3x5-flash", True),
    ],
)
def test_another_model_is_told_from_another_version(served: str, other: bool) -> None:
    """Prevents a warning at every dated version, and none where flash-lite answers for flash."""
    assert (served_warning("gemini-3.5-flash", served) is not None) == other
