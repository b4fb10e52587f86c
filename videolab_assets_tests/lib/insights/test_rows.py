"""Rows as Meta sends them, and as it should never send them."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.errors import TransientError
from videolab_assets.lib.insights.days import DayRange
from videolab_assets.lib.insights.parts import COLUMNS, UNIFIED, Part, fields_of, window_of
from videolab_assets.lib.insights.rows import read_page

DAYS = DayRange(date(2026, 11, 1), date(2026, 11, 30))


def part(level: str = "ad", breakdowns: tuple[str, ...] = (), **changes: Any) -> Part:
    whole = Part("act_1001", level, "act_1001", "account", DAYS, True, fields_of(level, breakdowns), breakdowns, UNIFIED)
    return replace(whole, **changes)


def row(**changes: Any) -> dict[str, Any]:
    """A row of one ad's day as Meta sends it; None leaves a field out."""
    whole = {
        "account_id": "1001",
        "account_currency": "EUR",
        "campaign_id": "11",
        "adset_id": "22",
        "ad_id": "33",
        "impressions": "1200",
        "clicks": "40",
        "inline_link_clicks": "31",
        "spend": "12.34",
        "reach": "900",
        "frequency": "1.333333",
        "actions": [
            {"action_type": "link_click", "value": "31", "7d_click": "31"},
            {"action_type": "video_view", "value": "600"},
        ],
        "video_thruplay_watched_actions": [{"action_type": "video_view", "value": "210"}],
        "video_p25_watched_actions": [{"action_type": "video_view", "value": "500"}],
        "video_avg_time_watched_actions": [{"action_type": "video_view", "value": "7"}],
        "date_start": "2026-11-03",
        "date_stop": "2026-11-03",
    }
    return {name: value for name, value in {**whole, **changes}.items() if value is not None}


def test_an_ordinary_row() -> None:
    """Prevents numbers from landing in another column, and money from being a hundred times too much or a cent too little."""
    (read,) = read_page([row()], part(), "EUR")
    assert read.key == ("33", date(2026, 11, 3), date(2026, 11, 3), "")
    assert (read.campaign_id, read.adset_id) == ("11", "22")
    assert read.numbers == {
        **dict.fromkeys(COLUMNS, 0),
        "impressions": 1200,
        "clicks": 40,
        "link_clicks": 31,
        "plays_3s": 600,
        "thruplays": 210,
        "p25": 500,
        "spend_minor": 1234,
    }
    assert read.reach == 900
    assert set(read.unique) == {"reach", "frequency", "video_avg_time_watched_actions"}
    assert json.loads(read.raw) == row()


def test_what_meta_leaves_out_is_zero_but_never_impressions_or_spend() -> None:
    """Prevents a field that was lost on the way from counting as nothing spent."""
    (read,) = read_page([row(clicks=None, actions=None, inline_link_clicks=None)], part(), "EUR")
    assert (read.numbers["clicks"], read.numbers["plays_3s"], read.numbers["link_clicks"]) == (0, 0, 0)
    for field in ("impressions", "spend"):
        with pytest.raises(TransientError, match=f"without its {field}"):
            read_page([row(**{field: None})], part(), "EUR")


def test_currencies_without_cents() -> None:
    """Prevents yen from becoming a hundred times as many."""
    (read,) = read_page([row(spend="1234", account_currency="JPY")], part(), "JPY")
    assert read.numbers["spend_minor"] == 1234


def test_the_accounts_own_row() -> None:
    """Prevents the account's total from being filed under an ad."""
    total = row(campaign_id=None, adset_id=None, ad_id=None, actions=None)
    (read,) = read_page([total], part("account"), "EUR")
    assert (read.object_id, read.campaign_id, read.numbers) == ("act_1001", None, {"impressions": 1200, "spend_minor": 1234})


def test_breakdowns_are_part_of_the_key() -> None:
    """Prevents eighteen rows of ages and genders from overwriting one another."""
    rows = [row(age=age, gender=gender) for age in ("18-24", "65+") for gender in ("male", "female", "unknown")]
    read = read_page(rows, part(breakdowns=("age", "gender")), "EUR")
    assert len({one.key for one in read}) == 6
    assert read[0].breakdown == "age=18-24|gender=male"
    assert read[3].breakdown == "age=65+|gender=male"
    (odd,) = read_page([row(age="a|b=c%\ud800", gender="é")], part(breakdowns=("age", "gender")), "EUR")
    assert odd.breakdown.isascii()
    assert odd.breakdown.count("|") == 1


def test_a_row_that_stands_twice() -> None:
    """Prevents a repeated row from counting twice, and two different ones of the same key from silently being one."""
    assert len(read_page([row(), row()], part(), "EUR")) == 1
    with pytest.raises(TransientError, match="that differ"):
        read_page([row(), row(impressions="1201")], part(), "EUR")


HOSTILE: dict[str, Any] = {
    "no row": "gone",
    "nothing": None,
    "list": [],
    "number": 5,
    "no account": row(account_id=None),
    "another account": row(account_id="1002"),
    "another currency": row(account_currency="USD"),
    "no currency": row(account_currency=None),
    "no ad": row(ad_id=None),
    "an ad that is a number": row(ad_id=33),
    "an ad in other digits": row(ad_id="٣٣"),
    "a very long ad": row(ad_id="1" * 200),
    "no date": row(date_start=None),
    "a date that is none": row(date_start="2026-06-31", date_stop="2026-06-31"),
    "a week date": row(date_start="2026-W45", date_stop="2026-W45"),
    "a day before": row(date_start="2026-10-31", date_stop="2026-10-31"),
    "a day after": row(date_start="2026-12-01", date_stop="2026-12-01"),
    "two days": row(date_start="2026-11-03", date_stop="2026-11-04"),
    "impressions in words": row(impressions="many"),
    "half an impression": row(impressions="1.5"),
    "true": row(impressions=True),
    "less than none": row(impressions="-5"),
    "a float": row(impressions=1.5),
    "infinitely many": row(impressions="inf"),
    "more than can be kept": row(impressions="9" * 30),
    "spend that is no number": row(spend="NaN"),
    "spend as a float": row(spend=12.34),
    "spend in another notation": row(spend="1e3"),
    "spend with a comma": row(spend="12,34"),
    "less than nothing spent": row(spend="-1.00"),
    "a great deal spent": row(spend="9" * 20),
    "actions that are no list": row(actions={"video_view": "5"}),
    "actions that are no actions": row(actions=["video_view"]),
    "an action without a kind": row(actions=[{"value": "5"}]),
    "the same action twice": row(actions=[{"action_type": "video_view", "value": "1"}] * 2),
    "an action without a value": row(actions=[{"action_type": "video_view"}]),
    "null": {**row(), "clicks": None},
    "not a number": row(frequency=float("nan")),
    "reach in words": row(reach="everyone"),
    "a megabyte": row(quality_ranking="x" * 1_000_001),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_row_is_refused_with_the_whole_page(name: str) -> None:
    """Prevents a row that cannot be read from being left out, or from becoming zero, while the page counts as read."""
    with pytest.raises(TransientError) as caught:
        read_page([row(ad_id="99"), HOSTILE[name]], part(), "EUR")
    assert "nothing of that page was kept" in caught.value.sentence
    assert len(str(caught.value)) < 1500


def test_rows_of_another_campaign() -> None:
    """Prevents a report of one campaign, asked for because all were too much, from being believed when it is about another."""
    of_one = part(of="12", of_level="campaign")
    with pytest.raises(TransientError, match="another campaign"):
        read_page([row()], of_one, "EUR")


def test_rows_for_all_days() -> None:
    """Prevents people reached in some days from being kept as those of others."""
    whole = part("campaign", daily=False)
    total = row(adset_id=None, ad_id=None, date_start="2026-11-01", date_stop="2026-11-30")
    (read,) = read_page([total], whole, "EUR")
    assert (read.object_id, read.reach, read.numbers) == ("11", 900, {})
    with pytest.raises(TransientError, match="not asked for"):
        read_page([{**total, "date_stop": "2026-11-29"}], whole, "EUR")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(row())), json_values, max_size=4))
def test_anything_at_all(changes: dict[str, Any]) -> None:
    """Prevents any value from raising what is no sentence."""
    try:
        (read,) = read_page([{**row(), **changes}], part(), "EUR")
    except TransientError:
        return
    assert all(0 <= number < 2**63 for number in read.numbers.values())


@given(st.integers(0, 10**12), st.integers(0, 10**9))
def test_money_and_counts_are_exact(cents: int, plays: int) -> None:
    """Prevents floating point from losing a cent."""
    sent = row(spend=f"{cents // 100}.{cents % 100:02d}", actions=[{"action_type": "video_view", "value": str(plays)}])
    (read,) = read_page([sent], part(), "EUR")
    assert (read.numbers["spend_minor"], read.numbers["plays_3s"]) == (cents, plays)


def test_windows() -> None:
    """Prevents two orders of the same windows from being kept as two, and dead ones from being asked for."""
    assert window_of(("1d_view", "7d_click")) == window_of(("7d_click", "1d_view")) == "7d_click,1d_view"
    assert window_of(()) == "unified"
    with pytest.raises(Exception, match="7d_view is no attribution window"):
        window_of(("7d_view",))


def test_a_part_is_asked_for_explicitly_and_survives_being_written_down() -> None:
    """Prevents Meta's changing defaults from deciding dates, windows or kinds of action, and a resumed run from asking otherwise."""
    for one in (part(), part("account"), part(breakdowns=("age", "gender"), window="7d_click,1d_view"), part("campaign", daily=False)):
        params = one.params()
        assert {"level", "fields", "time_range", "time_increment", "action_breakdowns"} <= set(params)
        assert ("use_unified_attribution_setting" in params) != ("action_attribution_windows" in params)
        assert "date_preset" not in params
        assert Part.from_json(one.to_json()) == one


def split_all(one: Part, objects: dict[str, list[str]]) -> list[Part]:
    """The smallest parts, whatever is split."""
    parts = one.by_days() or [one.of_object(name) for name in (objects.get(one.of, []) if one.finer else [])] or one.by_fields()
    return [small for half in parts for small in split_all(half, objects)] if parts else [one]


def test_splitting_loses_nothing() -> None:
    """Prevents a day, an object or a field from getting lost between the parts of a report that was too much."""
    objects = {"act_1001": ["11", "12"], "11": ["21", "22"], "12": ["23"]}
    few = part(days=DayRange(date(2026, 11, 1), date(2026, 11, 3)))
    smallest = {(one.days.first, one.days.last, one.of, one.fields) for one in split_all(few, objects)}
    assert smallest == {(day, day, of, (field,)) for day in few.days for of in ("21", "22", "23") for field in few.fields}
    reached = split_all(part("campaign", daily=False), objects)
    assert {one.days for one in reached} == {DAYS}, "people reached on two days are not the sum of both"
    assert {one.of for one in reached} == {"11", "12"}
