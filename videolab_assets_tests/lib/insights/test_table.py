"""What is kept of insights and what can be asked of it, over SQLite and a real PostgreSQL."""

import json
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.database import Database
from videolab_assets.lib.insights.keeping import Place
from videolab_assets.lib.insights.parts import COLUMNS, Part
from videolab_assets.lib.insights.rows import read_page
from videolab_assets.lib.insights.table import InsightsTable
from videolab_assets_tests.lib.insights.test_rows import DAYS, part, row

PLACE = Place("act_1001", "EUR", "Europe/Madrid")
FIRST, LAST = DAYS.first, DAYS.last


@pytest.fixture(params=["sqlite", "postgresql"])
def table(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[InsightsTable]:
    url = f"sqlite:///{tmp_path}/videolab.db" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))
    database = Database(url)
    yield InsightsTable(database)
    database.dispose()


def keep(table: InsightsTable, rows: Sequence[dict[str, Any]], of: Part | None = None, now: float = 1000.0) -> int:
    """Keeps a page of rows; returns the changes that were logged."""
    of = of or part()
    with table.transaction() as connection:
        return table.keep(connection, PLACE, of, read_page(rows, of, "EUR"), now)


def on(day: int, ad: str = "33", **changes: Any) -> dict[str, Any]:
    when = f"2026-11-{day:02d}"
    return row(**{"ad_id": ad, "date_start": when, "date_stop": when, **changes})


def account_row(day: int, spend: str) -> dict[str, Any]:
    return on(day, spend=spend, campaign_id=None, adset_id=None, ad_id=None)


def test_rows_come_back_as_sums(table: InsightsTable) -> None:
    """Prevents what an ad did from being counted twice, under another ad, or on another day."""
    keep(table, [on(1), on(2, spend="0.01"), on(2, ad="44", impressions="7", actions=None)])
    first, second = table.by_ad("act_1001", FIRST, LAST)
    assert (first.ad_id, first.campaign_id, first.adset_id, first.currency) == ("33", "11", "22", "EUR")
    assert (first.days, first.first, first.last) == (2, date(2026, 11, 1), date(2026, 11, 2))
    assert (first.impressions, first.plays_3s, first.thruplays, first.link_clicks, first.spend_minor) == (2400, 1200, 420, 62, 1235)
    assert (second.ad_id, second.impressions, second.plays_3s, second.spend_minor) == ("44", 7, 0, 1234)
    one, two = table.by_day("act_1001", FIRST, LAST)
    assert (one.date, one.ads, one.impressions, one.spend_minor) == (date(2026, 11, 1), 1, 1200, 1234)
    assert (two.date, two.ads, two.impressions, two.spend_minor) == (date(2026, 11, 2), 2, 1207, 1235)
    assert list(table.by_ad("act_1001", date(2026, 11, 3), LAST)) == []
    assert table.by_day("act_1002", FIRST, LAST) == []


def test_many_ads_are_read_bit_by_bit(table: InsightsTable) -> None:
    """Prevents ads at the end of one bit from being left out or told twice."""
    keep(table, [on(1, ad=str(number)) for number in range(10, 1510)])
    ads = [ad.ad_id for ad in table.by_ad("act_1001", FIRST, LAST)]
    assert sorted(ads) == sorted(str(number) for number in range(10, 1510))


def test_breakdowns_windows_and_totals_are_not_added_to_the_ads(table: InsightsTable) -> None:
    """Prevents the same money from counting once by ad, again by age, again in another window and again for the account."""
    by_age = part(breakdowns=("age",))
    keep(table, [on(1)])
    keep(table, [on(1, age="18-24", spend="12.00"), on(1, age="25-34", spend="0.34")], by_age)
    keep(table, [on(1)], part(window="7d_click,1d_view"))
    keep(table, [account_row(1, "12.34")], part("account"))
    (ad,) = table.by_ad("act_1001", FIRST, LAST)
    assert ad.spend_minor == 1234
    (windowed,) = table.by_ad("act_1001", FIRST, LAST, window="7d_click,1d_view")
    assert windowed.spend_minor == 1234
    (day,) = table.by_day("act_1001", FIRST, LAST)
    assert (day.spend_minor, day.ads) == (1234, 1)


def test_what_meta_changes_is_logged_with_the_old_number(table: InsightsTable) -> None:
    """Prevents last week's report from being inexplicable: the number that it was made from is gone."""
    assert keep(table, [on(1), on(2)], now=1000.0) == 0
    assert keep(table, [on(1), on(2)], now=2000.0) == 0
    assert keep(table, [on(1, impressions="1300", spend="12.35"), on(2), on(3)], now=3000.0) == 2
    log = table.restatements("act_1001", FIRST, LAST)
    assert sorted((change.metric, change.old, change.new) for change in log) == [("impressions", 1200, 1300), ("spend_minor", 1234, 1235)]
    assert {(change.level, change.object_id, change.date, change.seen_at) for change in log} == {("ad", "33", date(2026, 11, 1), 3000.0)}
    assert keep(table, [on(1, impressions="1300", spend="12.35")], now=4000.0) == 0
    assert table.restatements("act_1001", date(2026, 11, 2), LAST) == []
    assert next(table.by_ad("act_1001", FIRST, date(2026, 11, 1))).impressions == 1300


def test_people_reached_are_kept_at_their_own_grain(table: InsightsTable) -> None:
    """Prevents people who saw an ad on two days from being two people."""
    keep(table, [on(1, reach="900"), on(2, reach="800")])
    of_campaign = row(adset_id=None, ad_id=None, date_start="2026-11-01", date_stop="2026-11-30", reach="1100")
    keep(table, [of_campaign], part("campaign", daily=False))
    assert [one.reach for one in table.reached("act_1001", "campaign", FIRST, LAST)] == [1100]
    assert [one.reach for one in table.reached("act_1001", "ad", date(2026, 11, 2), date(2026, 11, 2))] == [800]
    assert table.reached("act_1001", "ad", FIRST, LAST) == []
    assert not [name for name in COLUMNS if "reach" in name or "frequency" in name], "what does not add up is no column that is summed"
    assert keep(table, [{**of_campaign, "reach": "1110"}], part("campaign", daily=False), now=2000.0) == 1
    (change,) = table.restatements("act_1001", FIRST, LAST)
    assert (change.metric, change.old, change.new, change.date, change.until) == ("reach", 1100, 1110, FIRST, LAST)


def test_rows_in_halves_of_their_fields_become_one(table: InsightsTable) -> None:
    """Prevents the second half of a split report from erasing the first, and the first time that a number comes from being a change."""
    whole = part()
    halves = whole.by_fields()
    sent = row()
    shared = {name: sent[name] for name in (*whole.ids, "account_currency", "date_start", "date_stop")}
    for half in halves:
        assert keep(table, [{**shared, **{name: sent[name] for name in half.fields if name in sent}}], half) == 0
    (ad,) = table.by_ad("act_1001", FIRST, LAST)
    assert (ad.impressions, ad.plays_3s, ad.p25, ad.spend_minor) == (1200, 600, 500, 1234)
    with table.database.connect() as connection:
        raw, unique = (connection.exec_driver_sql(f"SELECT raw FROM {name}").scalar_one() for name in ("insights", "insights_unique"))  # noqa: S608
    assert json.loads(raw) == sent
    assert set(json.loads(unique)) == {"reach", "frequency", "video_avg_time_watched_actions"}
    assert table.reached("act_1001", "ad", date(2026, 11, 3), date(2026, 11, 3))[0].reach == 900
    assert keep(table, [sent], whole) == 0


def test_a_page_is_kept_whole_or_not_at_all(table: InsightsTable) -> None:
    """Prevents half a page from staying where the cursor after it does not."""
    with pytest.raises(KeyboardInterrupt), table.transaction() as connection:
        table.keep(connection, PLACE, part(), read_page([on(1)], part(), "EUR"), 1.0)
        raise KeyboardInterrupt
    assert table.by_day("act_1001", FIRST, LAST) == []


def mark(table: InsightsTable, of: Part, began_at: float, now: float) -> int:
    with table.transaction() as connection:
        return table.mark_absent(connection, of, began_at, now)


def test_rows_that_meta_no_longer_returns_stay_and_are_told(table: InsightsTable) -> None:
    """Prevents the money of a deleted ad from vanishing, and from staying unseen."""
    by_age = part(breakdowns=("age",))
    keep(table, [on(1), on(1, ad="44", spend="1.00")], now=1000.0)
    keep(table, [on(1, age="18-24"), on(1, age="65+")], by_age, now=1000.0)
    keep(table, [on(1, age="18-24", gender="male")], part(breakdowns=("age", "gender")), now=1000.0)
    keep(table, [account_row(1, "12.34")], part("account"), now=1000.0)
    keep(table, [on(1)], now=2000.0)
    keep(table, [on(1, age="18-24")], by_age, now=2000.0)
    assert mark(table, part(), 2000.0, 2500.0) == 1
    assert mark(table, by_age, 2000.0, 2500.0) == 1
    assert mark(table, part(), 2000.0, 2600.0) == 0
    assert [(one.object_id, one.breakdown, one.spend_minor, one.absent_since) for one in table.absent("act_1001", FIRST, LAST)] == [
        ("33", "age=65+", 1234, 2500.0),
        ("44", "", 100, 2500.0),
    ]
    (difference,) = table.reconciliation("act_1001", FIRST, LAST)
    assert (difference.ads_minor, difference.account_minor, difference.absent_minor) == (1334, 1234, 100)
    keep(table, [on(1, ad="44", spend="1.00")], now=3000.0)
    assert [one.object_id for one in table.absent("act_1001", FIRST, LAST)] == ["33"]


def test_absence_is_told_only_of_the_days_that_were_fetched(table: InsightsTable) -> None:
    """Prevents older days, which nobody has asked for again, from looking as if they had vanished."""
    keep(table, [on(1), on(9)], now=1000.0)
    later = replace(part(), days=replace(DAYS, first=date(2026, 11, 5)))
    assert mark(table, later, 2000.0, 2500.0) == 1
    assert [one.date for one in table.absent("act_1001", FIRST, LAST)] == [date(2026, 11, 9)]


def test_reconciliation_finds_a_minor_unit(table: InsightsTable) -> None:
    """Prevents a lost ad from hiding behind rounding, behind another day, or behind a day of which the account says nothing."""
    keep(table, [on(1, spend="0.01"), on(1, ad="44", spend="0.02"), on(2, spend="5.00"), on(3, spend="5.00"), on(5, spend="0.00")])
    keep(table, [account_row(1, "0.03"), account_row(2, "5.01"), account_row(4, "7.00")], part("account"))
    found = table.reconciliation("act_1001", FIRST, LAST)
    assert [(one.date.day, one.ads_minor, one.account_minor, one.missing_minor) for one in found] == [
        (2, 500, 501, 1),
        (3, 500, 0, -500),
        (4, 0, 700, 700),
    ]
    assert table.reconciliation("act_1001", FIRST, date(2026, 11, 1)) == []


def test_writers_at_once(table: InsightsTable) -> None:
    """Prevents two runs that fetch the same days from deadlocking, and from each logging the same change as if it were another."""
    gate = threading.Barrier(4)
    days = [on(1 + number % 28, ad=str(100 + number // 28)) for number in range(280)]
    changed = [{**one, "impressions": "9"} for one in days]
    keep(table, days)

    def write(turn: int) -> int:
        gate.wait()
        return sum(keep(table, page) for page in (changed[:140], changed[140:])[:: 1 if turn % 2 else -1])

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(write, range(4))) == 280
    assert sum(day.ads for day in table.by_day("act_1001", FIRST, FIRST + timedelta(days=40))) == 280
