"""What was intended, tried and made; money that was set aside; what stands still. Over SQLite and a real PostgreSQL."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from videolab_assets.lib.campaigns.commitments import CapReached
from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.money import Money
from videolab_assets_tests.lib.campaigns.stage import CAMPAIGN, planned

RACERS = 12
KEY = "acme.spring.0123abcd"


class Clock:
    """A clock that a test sets."""

    now = datetime(2026, 11, 30, 23, 59, 50, tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    url = f"sqlite:///{tmp_path}/videolab.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    database = Database(url)
    yield Ledger(database, clock)
    database.dispose()


def euros(amount: int) -> Money:
    return Money(amount * 100, "EUR")


def test_of_many_that_want_an_attempt_one_gets_it(ledger: Ledger) -> None:
    """Prevents two runs from sending the same request because both have seen that nobody has."""
    plan = planned()
    ledger.enter(plan)
    seen = ledger.intent(plan.campaign_key, "campaign")
    gate = threading.Barrier(RACERS)

    def race(_: int) -> bool:
        gate.wait()
        return ledger.claim(seen) is not None

    with ThreadPoolExecutor(RACERS) as pool:
        assert sum(pool.map(race, range(RACERS))) == 1
    assert ledger.intent(plan.campaign_key, "campaign").attempt == 1


def test_a_claim_fails_after_anything_has_changed(ledger: Ledger, clock: Clock) -> None:
    """Prevents an attempt that was decided on an old view: another one has been made since, or an upload goes on."""
    plan = planned()
    ledger.enter(plan)
    first = ledger.claim(ledger.intent(plan.campaign_key, "video:1"))
    assert first is not None
    seen = ledger.intent(plan.campaign_key, "video:1")
    assert (seen.state, seen.attempt, seen.attempted_at) == ("attempted", 1, clock.now)
    clock.now += 5
    assert ledger.keep_upload(first, "{}")
    assert ledger.claim(seen) is None
    second = ledger.claim(ledger.intent(plan.campaign_key, "video:1"))
    assert second is not None
    assert not ledger.keep_upload(first, "{}")
    ledger.created(second, "77")
    assert ledger.claim(second) is None


def test_a_second_id_holds_the_intent(ledger: Ledger) -> None:
    """Prevents two objects at Meta from going unnoticed because the later id replaces the earlier one."""
    plan = planned()
    ledger.enter(plan)
    seen = ledger.intent(plan.campaign_key, "campaign")
    mine = ledger.claim(seen)
    assert mine is not None
    ledger.created(mine, "1")
    ledger.created(mine, "1")
    with pytest.raises(PermanentError, match="Meta has 1 and 2 for campaign of acme"):
        ledger.created(mine, "2")
    held = ledger.intent(plan.campaign_key, "campaign")
    assert held.state == "hold"
    assert ledger.claim(held) is None
    assert ledger.freed(held).state == "attempted"


def test_another_plan_under_the_same_key_is_refused(ledger: Ledger) -> None:
    """Prevents a campaign whose second half follows another plan than its first."""
    plan = planned()
    ledger.enter(plan)
    ledger.enter(plan)
    other = planned(CAMPAIGN.replace("300.00", "200")).model_copy(update={"campaign_key": plan.campaign_key})
    with pytest.raises(PermanentError, match="Another plan has been begun"):
        ledger.enter(other)
    ledger.forget(plan.campaign_key)
    ledger.enter(other)
    assert ledger.plan(plan.campaign_key) == other
    seen = ledger.intent(plan.campaign_key, "campaign")
    assert ledger.claim(seen) is not None
    assert ledger.is_begun(plan.campaign_key)
    ledger.forget(plan.campaign_key)
    assert ledger.plan(plan.campaign_key) == other
    assert ledger.intents(plan.campaign_key)


def test_ads_are_told_with_what_they_show(ledger: Ledger) -> None:
    """Prevents results that cannot be traced to a clip, and ads that were never made among those that were."""
    plan = planned(CAMPAIGN + "split: clip\n")
    ledger.enter(plan)
    for number, one in enumerate(plan.objects[:-2]):
        mine = ledger.claim(ledger.intent(plan.campaign_key, one.role))
        assert mine is not None
        ledger.created(mine, f"id{number}")
    ids = ledger.ids(plan.campaign_key)
    (ad,) = ledger.ads("acme")
    assert (ad.ad_id, ad.adset_id, ad.campaign_id, ad.study_id) == (ids["ad:1"], ids["adset:1"], ids["campaign"], None)
    assert (ad.clip, ad.cell) == (plan.object("ad:1").clip, plan.object("ad:1").cell)
    assert ledger.ads("other") == []
    assert ledger.ads() == [ad]


def test_money_is_set_aside_once_and_for_good(ledger: Ledger, clock: Clock) -> None:
    """Prevents a campaign from counting twice, or from counting no longer because it was stopped."""
    ledger.commitments.reserve(KEY, euros(300), cap=euros(500), by="Ana")
    ledger.commitments.reserve(KEY, euros(300), cap=euros(500), by="Ana")
    assert ledger.commitments.spent("acme", "2026-11", "EUR") == euros(300)
    with pytest.raises(PermanentError, match=r"was turned on with 300\.00 EUR, and not with 400\.00 EUR"):
        ledger.commitments.reserve(KEY, euros(400), cap=euros(5000), by="Ana")
    with pytest.raises(CapReached) as caught:
        ledger.commitments.reserve("acme.summer.0123abcd", euros(201), cap=euros(500), by="Ana")
    assert caught.value.sentence == (
        "acme has turned on campaigns for 300.00 EUR in 2026-11 (UTC), of 500.00 EUR that are allowed, and this one could spend "
        "201.00 EUR: raise caps.month in ad_accounts.yaml, or turn it on next month."
    )
    ledger.commitments.reserve("other.summer.0123abcd", euros(500), cap=euros(500), by="Ana")
    clock.now += 20
    ledger.commitments.reserve("acme.summer.0123abcd", euros(500), cap=euros(500), by="Ana")
    assert ledger.commitments.reserved("acme.summer.0123abcd") == euros(500)


def test_another_currency_is_not_added(ledger: Ledger) -> None:
    """Prevents a cap in euros from being compared with what was spent in pesos."""
    ledger.commitments.reserve(KEY, Money(300, "COP"), cap=Money(500, "COP"), by="Ana")
    with pytest.raises(PermanentError, match="two currencies"):
        ledger.commitments.reserve("acme.summer.0123abcd", euros(1), cap=euros(500), by="Ana")


def test_racers_together_keep_the_cap(ledger: Ledger) -> None:
    """Prevents each of many campaigns from seeing the same money left."""
    gate = threading.Barrier(RACERS)

    def race(number: int) -> bool:
        gate.wait()
        try:
            ledger.commitments.reserve(f"acme.spring.{number:08x}", euros(100), cap=euros(550), by="Ana")
        except CapReached:
            return False
        return True

    with ThreadPoolExecutor(RACERS) as pool:
        assert sum(pool.map(race, range(RACERS))) == 5
    assert ledger.commitments.spent("acme", "2026-11", "EUR") == euros(500)


def test_a_stop_stands_until_it_is_lifted(ledger: Ledger) -> None:
    """Prevents a stop from being forgotten, and one tenant's or campaign's from holding another."""
    stops = ledger.stops
    assert stops.standing("acme", KEY) is None
    stops.stop("acme", "too dear")
    stops.stop("acme", "still too dear")
    assert stops.standing("acme", KEY) == stops.standing("acme", "acme.other.0123abcd") == "still too dear"
    assert stops.standing("other", "other.spring.0123abcd") is None
    stops.stop("acme", "wrong text", KEY)
    assert stops.lift("acme", "fine again")
    assert not stops.lift("acme", "fine again")
    assert stops.standing("acme", KEY) == "wrong text"
    assert stops.standing("acme", "acme.other.0123abcd") is None
    assert stops.lift("acme", "mended", KEY)
    assert stops.standing("acme", KEY) is None
