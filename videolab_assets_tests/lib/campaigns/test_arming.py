"""A campaign turned on by a step that names its budget, and everything turned off, over real HTTP."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.campaigns.arming import TurnedOn, activate, pause_all
from videolab_assets.lib.campaigns.building import Patience, build
from videolab_assets.lib.campaigns.commitments import CapReached
from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.campaigns.plan import CampaignPlan
from videolab_assets.lib.campaigns.request import Activation, read_activation
from videolab_assets.lib.campaigns.stops import Stopped
from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.meta.accounts import Caps
from videolab_assets_tests.graph_server import GraphServer, Received, graph_server
from videolab_assets_tests.lib.campaigns.stage import CAMPAIGN, NOW, Stage, account, add_account, graph_of

ACCOUNT = "act_1001"


class Clock:
    """Time that passes only where somebody sleeps."""

    now = NOW.timestamp()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with graph_server() as server:
        add_account(server)
        server.processing_polls = 0
        yield server


class Team:
    """Everything that is needed to build, turn on and stop."""

    def __init__(self, server: GraphServer, folder: Path) -> None:
        self.server = server
        self.stage = Stage(folder)
        self.clock = Clock()
        self.ledger = Ledger(self.stage.database, self.clock)
        self.patience = Patience(60, self.clock, self.clock.sleep)
        self.graph = graph_of(server, 0.3)

    def built(self, text: str = CAMPAIGN, name: str = "spring.campaign.yaml") -> CampaignPlan:
        plan = self.stage.plan(text, name)
        build(plan, account(), self.graph, self.ledger, self.stage.store, self.stage.scratch, patience=self.patience)
        return plan

    def on(
        self, plan: CampaignPlan, word: Activation | None = None, stopped: Callable[[], str | None] = lambda: None, **changes: Any
    ) -> TurnedOn:
        said = word or self.word(plan)
        return activate(plan, said, account(**changes), self.graph, self.ledger, patience=self.patience, stopped=stopped)

    def word(self, plan: CampaignPlan, budget: str = "300", currency: str = "EUR", key: str = "") -> Activation:
        text = f"campaign: {key or plan.campaign_key}\nbudget: {budget}\ncurrency: {currency}\nby: Ana\n"
        return read_activation(text.encode(), "acme")

    def off(self, reason: str = "enough", **more: Any) -> list[str]:
        return pause_all("acme", self.graph, self.ledger, ACCOUNT, reason=reason, patience=self.patience, **more).paused


@pytest.fixture
def team(server: GraphServer, tmp_path: Path) -> Team:
    return Team(server, tmp_path)


def test_everything_is_turned_on_and_the_campaign_last(team: Team) -> None:
    """Prevents money from being spent by half a campaign."""
    plan = team.built()
    changed: list[str] = []

    def note(received: Received, phase: str) -> None:
        if phase == "after" and received.params.get("status") == "ACTIVE":
            changed.append(received.path)
            if len(changed) < 4:
                assert team.server.could_spend(ACCOUNT) == 0

    team.server.on_request = note
    assert team.on(plan).changed == ["ad:1", "ad:2", "adset:1", "campaign"]
    assert changed[-1] == team.ledger.ids(plan.campaign_key)["campaign"]
    assert team.server.could_spend(ACCOUNT) == plan.budget_minor
    assert team.on(plan).changed == []
    assert team.ledger.commitments.spent("acme", "2026-11", "EUR") == plan.budget


@pytest.mark.parametrize(
    ("budget", "currency", "said"),
    [("300.01", "EUR", "300.01 EUR"), ("3", "EUR", "3.00 EUR"), ("30000", "EUR", "30000.00 EUR"), ("300", "USD", "300.00 USD")],
)
def test_the_budget_has_to_be_named_exactly(budget: str, currency: str, said: str, team: Team) -> None:
    """Prevents a person from allowing another amount than the one that is spent, by a factor of a hundred or a cent."""
    plan = team.built()
    with pytest.raises(PermanentError, match=rf"names {said}, and {plan.campaign_key} may spend 300\.00 EUR"):
        team.on(plan, team.word(plan, budget, currency))
    assert team.server.could_spend(ACCOUNT) == 0


def test_another_campaigns_word_turns_nothing_on(team: Team) -> None:
    """Prevents one campaign from being turned on by the approval of another."""
    plan = team.built()
    with pytest.raises(PermanentError, match=r"The activation names acme\.other\.0123abcd"):
        team.on(plan, team.word(plan, key="acme.other.0123abcd"))


def test_what_differs_from_the_plan_is_not_turned_on(team: Team) -> None:
    """Prevents a budget from being spent that was changed in Ads Manager after it had been approved here."""
    plan = team.built()
    adset = next(thing for thing in team.server.world.things.values() if thing.kind == "adset")
    adset.fields["lifetime_budget"] = "3000000"
    with pytest.raises(PermanentError, match=r"it may spend 30000\.00 EUR and not 300\.00 EUR"):
        team.on(plan)
    assert team.server.could_ever_have_spent(ACCOUNT) == 0
    assert team.ledger.commitments.reserved(plan.campaign_key) is None


def test_what_was_not_made_as_a_whole_is_not_turned_on(team: Team) -> None:
    """Prevents half a campaign from spending the whole budget."""
    plan = team.stage.plan()
    team.server.fault("blocked", on="POST */ads")
    with pytest.raises(PermanentError, match="blocked"):
        team.built()
    with pytest.raises(PermanentError, match=r"has not been made as a whole \(ad:1, ad:2 missing\)"):
        team.on(plan)


def test_what_is_over_is_not_turned_on(team: Team) -> None:
    """Prevents an approval that was forgotten for years from spending."""
    plan = team.built()
    team.clock.now = datetime(2030, 12, 14, 23, tzinfo=UTC).timestamp()
    with pytest.raises(PermanentError, match="ended on 2030-12-15 00:00"):
        team.on(plan)


def test_caps_are_those_of_today(team: Team) -> None:
    """Prevents a cap that was lowered since from being ignored, and an account without caps from spending."""
    plan = team.built()
    with pytest.raises(PermanentError, match=r"may spend 300\.00 EUR, and at most 200\.00 EUR are allowed"):
        team.on(plan, caps=Caps(campaign="200.00", month="900.00"))
    with pytest.raises(PermanentError, match="without caps none is"):
        team.on(plan, caps=None)
    with pytest.raises(CapReached):
        team.on(plan, caps=Caps(campaign="500.00", month="299.99"))
    assert team.server.could_ever_have_spent(ACCOUNT) == 0


def test_the_months_cap_counts_what_was_stopped(team: Team) -> None:
    """Prevents stopping and starting other campaigns from going around the cap."""
    for number in range(3):
        team.on(team.built(name=f"spring{number}.campaign.yaml"))
    team.off()
    team.ledger.stops.lift("acme", "on")
    last = team.built(name="last.campaign.yaml")
    with pytest.raises(CapReached, match=r"for 900\.00 EUR in 2026-11"):
        team.on(last)
    assert team.server.could_ever_have_spent(ACCOUNT) == 90_000


@pytest.mark.parametrize("fault", ["timeout_before", "reset_before", "reset_after", "empty_200", "html_502", "codeless_400"])
def test_an_unanswered_switch_is_looked_at_before_it_is_pressed_again(fault: str, team: Team) -> None:
    """Prevents a campaign that counts as off and runs, or the other way round."""
    plan = team.built()
    for place in (0, 2):
        team.server.fault(fault, on="POST 1202*", skip=place)
    team.on(plan)
    assert team.server.could_spend(ACCOUNT) == plan.budget_minor
    team.server.fault(fault, on="POST 1202*")
    team.off()
    assert team.server.could_spend(ACCOUNT) == 0


def test_a_stop_pauses_everything_and_stands(team: Team) -> None:
    """Prevents a stop that forgets a campaign, or that is over as soon as it is done."""
    plans = [team.built(name=f"spring{number}.campaign.yaml") for number in range(2)]
    for plan in plans:
        team.on(plan)
    assert len(team.off("over budget")) == 2
    assert team.server.could_spend(ACCOUNT) == 0
    with pytest.raises(Stopped, match="over budget"):
        team.on(plans[0])
    with pytest.raises(Stopped):
        team.built(name="more.campaign.yaml")
    assert team.off() == []
    team.ledger.stops.lift("acme", "mended")
    assert team.server.could_spend(ACCOUNT) == 0
    team.on(plans[0])
    assert team.server.could_spend(ACCOUNT) == 30_000


def test_one_campaign_can_be_stopped_alone(team: Team) -> None:
    """Prevents a stop of one campaign from stopping all, and a stopped one from being turned on because the tenant is not."""
    plans = [team.built(name=f"spring{number}.campaign.yaml") for number in range(2)]
    for plan in plans:
        team.on(plan)
    assert team.off(campaign_key=plans[0].campaign_key) == [team.ledger.ids(plans[0].campaign_key)["campaign"]]
    assert team.server.could_spend(ACCOUNT) == 30_000
    with pytest.raises(Stopped):
        team.on(plans[0])


def test_what_the_ledger_has_lost_is_stopped_by_its_tag(team: Team, tmp_path: Path) -> None:
    """Prevents a campaign from running on because the database was restored from a backup that does not know it."""
    team.on(team.built())
    fresh = Ledger(Database(f"sqlite:///{tmp_path}/fresh.db"), team.clock)
    assert len(pause_all("acme", team.graph, fresh, ACCOUNT, reason="lost", patience=team.patience).paused) == 1
    assert team.server.could_spend(ACCOUNT) == 0


def test_a_campaign_of_somebody_else_is_left_alone(team: Team) -> None:
    """Prevents a stop from pausing what was made by hand in the same account."""
    made = {"name": "By hand", "objective": "OUTCOME_TRAFFIC", "status": "ACTIVE", "special_ad_categories": []}
    theirs = team.graph.post(f"{ACCOUNT}/campaigns", {**made, "is_adset_budget_sharing_enabled": False})["id"]
    team.on(team.built())
    assert theirs not in team.off()
    assert next(one for one in team.server.objects("campaign") if one["id"] == theirs)["status"] == "ACTIVE"


def test_a_stop_without_a_database_pauses_all_the_same(team: Team, tmp_path: Path) -> None:
    """Prevents a broken database from keeping anybody from stopping the spending."""
    team.on(team.built())
    team.stage.database.dispose()
    (tmp_path / "videolab.db").rename(tmp_path / "gone.db")
    (tmp_path / "videolab.db").mkdir()
    with pytest.raises(TransientError, match="Not everything of acme could be paused") as caught:
        team.off()
    assert "could not be written down" in caught.value.detail
    assert team.server.could_spend(ACCOUNT) == 0


def test_what_cannot_be_paused_is_told_and_the_rest_is_paused(team: Team) -> None:
    """Prevents one campaign's trouble from leaving the others running."""
    for number in range(3):
        team.on(team.built(name=f"spring{number}.campaign.yaml"))
    team.clock.now += 60
    team.server.fault("no_permission", on="POST 1202*")
    with pytest.raises(TransientError) as caught:
        team.off()
    assert caught.value.detail.count("may still run") == 1
    assert team.server.could_spend(ACCOUNT) == 30_000
    assert len(team.off()) == 1
    assert team.server.could_spend(ACCOUNT) == 0


def test_a_stop_just_before_the_last_switch_wins(team: Team) -> None:
    """Prevents a campaign that is turned on a moment after everything was stopped."""
    plan = team.built()
    campaign = team.ledger.ids(plan.campaign_key)["campaign"]

    def stop(received: Received, phase: str) -> None:
        if received.path == campaign and received.params.get("status") == "ACTIVE" and phase == "before":
            team.ledger.stops.stop("acme", "at the last moment")

    team.server.on_request = stop
    with pytest.raises(Stopped, match="at the last moment"):
        team.on(plan)
    assert team.server.could_spend(ACCOUNT) == 0
    assert team.ledger.commitments.reserved(plan.campaign_key) == plan.budget


def test_a_stop_waits_for_a_switch_that_may_be_under_way(team: Team) -> None:
    """Prevents a request that left before the stop from taking effect after everything was found paused."""
    plan = team.built()
    campaign = team.ledger.ids(plan.campaign_key)["campaign"]
    thing = team.server.world.things[campaign]
    team.on(plan)
    team.graph.post(campaign, {"status": "PAUSED"}, expects=("success",))
    team.ledger.commitments.turning_on(plan.campaign_key)
    left = team.clock.now

    def late(seconds: float) -> None:
        team.clock.sleep(seconds)
        thing.fields["status"] = "ACTIVE"

    patience = Patience(60, team.clock, late)
    assert pause_all("acme", team.graph, team.ledger, ACCOUNT, reason="now", patience=patience).paused == [campaign]
    assert team.clock.now >= left + 60
    assert team.server.could_spend(ACCOUNT) == 0


def test_a_run_that_died_after_the_last_switch_is_stopped_by_the_next(team: Team) -> None:
    """Prevents a campaign from running that was turned on by a process killed before it could see the stop."""
    plan = team.built()
    team.on(plan)
    team.ledger.stops.stop("acme", "meanwhile")
    with pytest.raises(Stopped):
        team.on(plan)
    assert team.server.could_spend(ACCOUNT) == 0


def test_the_environments_stop_holds_as_well(team: Team) -> None:
    """Prevents the one stop that needs no database from being forgotten."""
    plan = team.built()
    with pytest.raises(Stopped, match="VIDEOLAB_META_STOP"):
        team.on(plan, stopped=lambda: "VIDEOLAB_META_STOP")
    assert team.server.could_spend(ACCOUNT) == 0
