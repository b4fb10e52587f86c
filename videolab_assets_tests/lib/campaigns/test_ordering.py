"""From a file to the plan that counts: mendable until something was tried, unchangeable from then on."""

from datetime import timedelta
from pathlib import Path

import pytest

from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.campaigns.ordering import begin, order, ordered, request_key
from videolab_assets.lib.campaigns.plan import CampaignPlan
from videolab_assets.lib.campaigns.terms import ClipRef
from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.library import Library
from videolab_assets.lib.meta.accounts import ACCOUNTS
from videolab_assets.lib.store import Store, open_store
from videolab_assets_tests.defs.campaigns.agency import ACCOUNTS_YAML, lay_clips
from videolab_assets_tests.lib.campaigns.stage import CAMPAIGN, NOW

BEST = CAMPAIGN.partition("creatives:")[0] + "creatives: {best: 2, platform: instagram_reel}\n"


class Desk:
    """A store with clips and an account, and a ledger."""

    def __init__(self, folder: Path, url: str) -> None:
        self.store: Store = open_store(str(folder / "store"))
        lay_clips(Library(self.store), 4, looks=("a",))
        self.write(ACCOUNTS, ACCOUNTS_YAML)
        self.ledger = Ledger(Database(url))

    def write(self, key: str, text: str) -> None:
        self.store.write_bytes(key, text.encode(), media_type="application/yaml")

    def order(self, text: str = CAMPAIGN, name: str = "spring.yaml") -> str:
        return order(self.store, text.encode(), "acme", name, NOW)

    def plan(self, key: str, **more: object) -> CampaignPlan:
        plan, _ = ordered(self.store, key, self.ledger, NOW, **more)  # type: ignore[arg-type]
        return plan

    def try_one(self, plan: CampaignPlan) -> None:
        """As a run does directly before its first request."""
        assert self.ledger.claim(self.ledger.intent(plan.campaign_key, "campaign"))


@pytest.fixture(params=["sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    return Desk(tmp_path, f"sqlite:///{tmp_path}/videolab.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url"))


def test_one_campaign_has_one_key(desk: Desk) -> None:
    """A comment makes a second campaign that spends a second time; or another budget does not make another one."""
    key = desk.order()
    assert desk.order(f"# for Ana\n{CAMPAIGN}\ndry_run: true\n") == key
    assert desk.order(CAMPAIGN.replace("300.00", "301.00")) != key
    assert b"dry_run" in desk.store.read_bytes(request_key(key), 9999)
    assert ordered(desk.store, key, desk.ledger, NOW)[1]


def test_a_plan_can_be_mended_until_something_was_tried(desk: Desk) -> None:
    """A wrong page stands in the plan for ever; or it changes when half of the campaign is at Meta."""
    key = desk.order()
    first = desk.plan(key)
    begin(desk.store, first, desk.ledger)
    desk.write(ACCOUNTS, ACCOUNTS_YAML.replace("501", "502"))
    second = desk.plan(key)
    assert second.digest != first.digest
    begin(desk.store, second, desk.ledger)
    assert desk.ledger.plan(key) == second
    desk.try_one(second)
    desk.write(ACCOUNTS, ACCOUNTS_YAML)
    assert desk.plan(key) == second
    with pytest.raises(PermanentError, match="Another plan has been begun"):
        begin(desk.store, first, desk.ledger)
    assert desk.ledger.plan(key) == second
    assert {intent.spec for intent in desk.ledger.intents(key)} == {planned.spec for planned in second.objects}


def test_what_was_begun_is_finished_whatever_day_it_is(desk: Desk) -> None:
    """A campaign that was cut off on the eve of its first day is never completed, because that day is over."""
    key = desk.order()
    begin(desk.store, desk.plan(key), desk.ledger)
    later = NOW + timedelta(days=365 * 6)
    with pytest.raises(PermanentError, match="today"):
        ordered(desk.store, key, desk.ledger, later)
    plan = desk.ledger.plan(key)
    assert plan
    desk.try_one(plan)
    assert ordered(desk.store, key, desk.ledger, later) == (plan, False)


def test_the_best_are_chosen_by_what_they_did(desk: Desk) -> None:
    """The best clips are always those with the highest scores, whatever people made of them; or the choice changes half-way."""
    key = desk.order(BEST)
    by_score = [ad.clip.clip_id for ad in desk.plan(key).of_kind("ad") if ad.clip]
    assert by_score == ["c01", "c02"]

    def did(clip: ClipRef) -> float | None:
        return {"c03": 0.2, "c04": 0.3}.get(clip.clip_id)

    plan, _ = ordered(desk.store, key, desk.ledger, NOW, did)
    assert [ad.clip.clip_id for ad in plan.of_kind("ad") if ad.clip] == ["c04", "c03"]


def test_nothing_was_ordered(desk: Desk) -> None:
    """A partition that somebody added by hand fails with a traceback."""
    with pytest.raises(PermanentError, match="No campaign was ordered as"):
        ordered(desk.store, "acme.spring.00000000", desk.ledger, NOW)
