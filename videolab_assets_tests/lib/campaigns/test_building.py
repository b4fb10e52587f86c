"""A plan made at Meta, over real HTTP: once, paused, in order, whatever the answers are."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.campaigns.building import MOST_ROUNDS, Built, Patience, build
from videolab_assets.lib.campaigns.dry_run import dry_run
from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.campaigns.plan import CampaignPlan
from videolab_assets.lib.campaigns.stops import Stopped
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets_tests.graph_server import GraphServer, Received, graph_server
from videolab_assets_tests.lib.campaigns.stage import CAMPAIGN, Stage, account, add_account, graph_of

KINDS = ("campaign", "adset", "video", "image", "creative", "ad", "ad_study")


class Clock:
    """Time that passes only where somebody sleeps."""

    now = 1_795_770_000.0
    slept = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += seconds


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with graph_server() as server:
        add_account(server)
        server.processing_polls = 0
        yield server


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stage(tmp_path: Path, clock: Clock) -> Stage:
    stage = Stage(tmp_path)
    stage.ledger = Ledger(stage.database, clock)
    return stage


def made(server: GraphServer, stage: Stage, plan: CampaignPlan, clock: Clock, **more: Any) -> Built:
    patience = Patience(60, clock, clock.sleep)
    return build(plan, account(), graph_of(server, 0.3), stage.ledger, stage.store, stage.scratch, patience=patience, **more)


def counts(server: GraphServer) -> dict[str, int]:
    return {kind: len(server.objects(kind)) for kind in KINDS}


def writes(server: GraphServer) -> list[str]:
    """Edges that were really written to, in order, each once."""
    real = [one.path for one in server.received if one.method == "POST" and "execution_options" not in one.params]
    return list(dict.fromkeys(path.rpartition("/")[2] for path in real))


def test_a_whole_tree_is_made_in_order_and_paused(server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents something that runs before everything is there, and something that is made before what it belongs to."""
    plan = stage.plan(CAMPAIGN + "split: clip\n")
    built = made(server, stage, plan, clock)
    assert writes(server) == ["campaigns", "adsets", "advideos", "adimages", "adcreatives", "ads", "ad_studies"]
    assert counts(server) == {"campaign": 1, "adset": 2, "video": 2, "image": 2, "creative": 2, "ad": 2, "ad_study": 1}
    assert set(built.checked.states.values()) == {"PAUSED"}
    assert (built.checked.differences, built.adopted, len(built.created)) == ([], [], len(plan.objects))
    assert {intent.state for intent in stage.ledger.intents(plan.campaign_key)} == {"verified"}
    assert server.could_ever_have_spent("act_1001") == 0
    assert clock.slept == 0


def test_a_second_run_makes_nothing(server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents a campaign that is made twice because its partition was materialized again."""
    plan = stage.plan()
    first = made(server, stage, plan, clock)
    before = len([one for one in server.received if one.method == "POST"])
    second = made(server, stage, plan, clock)
    assert (second.ids, second.created, second.adopted) == (first.ids, [], [])
    assert len([one for one in server.received if one.method == "POST"]) == before


def real(received: Received) -> bool:
    return "execution_options" not in received.params


@pytest.mark.parametrize("fault", ["timeout_after", "reset_after", "empty_200", "without_id", "unknown_error_after", "truncated_json"])
@pytest.mark.parametrize("edge", ["campaigns", "adsets", "adcreatives", "ads", "ad_studies"])
def test_what_was_made_without_an_answer_is_found_and_adopted(
    fault: str, edge: str, server: GraphServer, stage: Stage, clock: Clock
) -> None:
    """Prevents the second object of a request that succeeded and was repeated because its answer was lost."""
    server.fault(fault, on=f"POST */{edge}", where=real)
    built = made(server, stage, stage.plan(CAMPAIGN + "split: clip\n"), clock)
    assert len(built.adopted) == 1
    assert server.duplicates() == []
    assert counts(server) == {"campaign": 1, "adset": 2, "video": 2, "image": 2, "creative": 2, "ad": 2, "ad_study": 1}
    assert clock.slept >= 60


def test_what_was_not_made_is_made_after_the_time_to_settle(server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents an object from missing because an error was taken for success, and a repetition before it can be known."""
    server.fault("reset_before", on="POST */campaigns", where=real)
    plan = stage.plan()
    assert made(server, stage, plan, clock).adopted == []
    assert clock.slept >= 60
    assert stage.ledger.intent(plan.campaign_key, "campaign").attempt == 2
    assert counts(server)["campaign"] == 1


def test_objects_that_are_listed_late_are_waited_for(server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents a duplicate where Meta's lists lag behind."""
    server.settle = 0.2
    server.fault("reset_after", on="POST */campaigns", where=real)
    plan, stage.ledger, patience = stage.plan(), Ledger(stage.database), Patience(0.8)
    build(plan, account(), graph_of(server), stage.ledger, stage.store, stage.scratch, patience=patience)
    assert counts(server)["campaign"] == 1
    assert server.duplicates() == []


@pytest.mark.parametrize("status", ["ARCHIVED", "IN_PROCESS", "WITH_ISSUES", "ACTIVE"])
def test_what_is_in_another_state_is_found_as_well(status: str, server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents a second campaign because the first one is archived, under review or has issues, and so is left out of lists."""
    server.fault("reset_after", on="POST */campaigns", where=real)
    if status == "IN_PROCESS":
        server.fault("in_process", on="POST */campaigns", where=real, seconds=600)
    if status == "WITH_ISSUES":
        server.fault("with_issues", on="POST */campaigns", where=real)
    graph = graph_of(server)

    def change(received: Received, phase: str) -> None:
        if received.line == "GET act_1001/campaigns" and phase == "before" and status in ("ARCHIVED", "ACTIVE"):
            for thing in server.world.things.values():
                thing.fields["status"] = status

    server.on_request = change
    patience = Patience(60, clock, clock.sleep)
    plan = stage.plan()
    try:
        build(plan, account(), graph, stage.ledger, stage.store, stage.scratch, patience=patience)
    except PermanentError:
        assert status == "ARCHIVED"  # nothing can be added to it
    assert counts(server)["campaign"] == 1
    assert stage.ledger.intent(plan.campaign_key, "campaign").adopted


@pytest.mark.parametrize("fault", ["filter_ignored", "filter_refused"])
def test_the_servers_filter_is_not_believed(fault: str, server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents another campaign from being adopted because the list was not filtered."""
    made(server, stage, stage.plan(name="other.campaign.yaml"), clock)
    server.fault("reset_after", on="POST */campaigns", where=real)
    server.fault(fault, on="GET */campaigns")
    plan = stage.plan(CAMPAIGN.replace("Lighthouse", "Harbour"))
    built = made(server, stage, plan, clock)
    assert built.adopted == ["campaign"]
    assert counts(server)["campaign"] == 2
    assert server.duplicates() == []


def test_two_with_one_tag_are_held_for_a_person(server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents work from going on with one of two objects of which nobody knows which is right."""
    plan = stage.plan()
    server.fault("reset_after", on="POST */campaigns", where=real)

    def twice(received: Received, phase: str) -> None:
        if received.line == "GET act_1001/campaigns" and phase == "before" and len(server.objects("campaign")) == 1:
            original = next(thing for thing in server.world.things.values() if thing.kind == "campaign")
            server.world.add("campaign", original.account, dict(original.fields), [original.account.id], settle=0)

    server.on_request = twice
    with pytest.raises(PermanentError, match="where there may be one: delete all but one in Ads Manager"):
        made(server, stage, plan, clock)
    assert stage.ledger.intent(plan.campaign_key, "campaign").state == "hold"
    with pytest.raises(PermanentError, match="delete all but one"):
        made(server, stage, plan, clock)
    assert counts(server) == dict.fromkeys(KINDS, 0) | {"campaign": 2}
    server.on_request = None
    graph_of(server).delete(str(server.objects("campaign")[1]["id"]))
    assert made(server, stage, plan, clock).adopted == ["campaign"]


def test_a_refusal_is_told_in_metas_words_and_can_be_mended(server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents a refusal from being retried blindly, and a campaign from being stuck after its reason is gone."""
    server.fault("blocked", on="POST */ads", where=real)
    plan = stage.plan()
    with pytest.raises(PermanentError, match="Meta has blocked this account or app"):
        made(server, stage, plan, clock)
    seen = stage.ledger.intent(plan.campaign_key, "ad:1")
    assert (seen.state, seen.attempt) == ("attempted", 1)
    assert "blocked" in (seen.problem or "")
    made(server, stage, plan, clock)
    assert counts(server)["ad"] == 2


@pytest.mark.parametrize("fault", ["app_limit", "mutation_limit", "management_quota"])
def test_a_limit_ends_the_run_for_another_one(fault: str, server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents a run that occupies its slot while Meta takes nothing, or that takes a limit for a refusal."""
    server.fault(fault, on="POST */adsets", where=real)
    plan = stage.plan()
    with pytest.raises(TransientError):
        made(server, stage, plan, clock)
    made(server, stage, plan, clock)
    assert counts(server)["adset"] == 1


def test_attempts_in_a_run_are_bounded(server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents a run that tries for ever."""
    server.fault("html_502", on="POST */campaigns", times=99, where=real)
    plan = stage.plan()
    with pytest.raises(TransientError, match="has not answered 4 attempts"):
        made(server, stage, plan, clock)
    assert stage.ledger.intent(plan.campaign_key, "campaign").attempt == MOST_ROUNDS
    assert counts(server)["campaign"] == 0


def test_a_video_that_meta_cannot_use_is_uploaded_anew_once_it_is_deleted(server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents a campaign that is stuck for ever with one upload that went wrong."""
    server.fault("video_error")
    plan = stage.plan()
    for _ in range(2):
        with pytest.raises(PermanentError, match="Meta cannot use the video"):
            made(server, stage, plan, clock)
    (failed,) = server.objects("video")
    server.world.things[failed["id"]].fields["status"] = "DELETED"
    made(server, stage, plan, clock)
    assert server.duplicates() == []


def test_a_request_that_was_held_up_does_not_leave(server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents a process that was suspended for minutes from sending what another one has meanwhile looked for and made."""
    plan = stage.plan()

    def suspended() -> str | None:
        if stage.ledger.is_begun(plan.campaign_key):
            clock.now += 31
        return None

    with pytest.raises(TransientError, match="was held up for too long"):
        made(server, stage, plan, clock, stopped=suspended)
    assert counts(server)["campaign"] == 0


def test_nothing_is_made_while_everything_is_stopped(server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents a stop that only stops what exists already."""
    plan = stage.plan()
    with pytest.raises(Stopped, match="stands still \\(VIDEOLAB_META_STOP\\)"):
        made(server, stage, plan, clock, stopped=lambda: "VIDEOLAB_META_STOP")
    stage.ledger.stops.stop("acme", "too dear")
    with pytest.raises(Stopped, match="too dear"):
        made(server, stage, plan, clock)
    assert counts(server) == dict.fromkeys(KINDS, 0)
    stage.ledger.stops.lift("acme", "fine")
    made(server, stage, plan, clock)


def test_a_stop_in_the_middle_is_seen_before_the_next_request(server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents the rest of a campaign from being made after somebody has stopped it."""

    def stop(received: Received, phase: str) -> None:
        if received.path == "act_1001/adsets" and phase == "after" and real(received):
            stage.ledger.stops.stop("acme", "wrong audience")

    server.on_request = stop
    with pytest.raises(Stopped, match="wrong audience"):
        made(server, stage, stage.plan(), clock)
    assert counts(server) == dict.fromkeys(KINDS, 0) | {"campaign": 1, "adset": 1}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"currency": "USD"}, "ad_accounts.yaml now names act_1001 \\(USD\\)"),
        ({"account": "act_1002"}, "ad_accounts.yaml now names act_1002"),
        ({"time_zone": "America/Bogota"}, "act_1001 has the time zone Europe/Madrid"),
    ],
)
def test_the_account_is_compared_with_metas_before_anything_is_made(
    changes: dict[str, str], said: str, server: GraphServer, stage: Stage, clock: Clock
) -> None:
    """Prevents a budget in another currency than was meant, by a factor of thousands, and days of another zone."""
    patience = Patience(60, clock, clock.sleep)
    with pytest.raises(PermanentError, match=said):
        build(stage.plan(), account(**changes), graph_of(server), stage.ledger, stage.store, stage.scratch, patience=patience)
    assert counts(server) == dict.fromkeys(KINDS, 0)


def test_what_is_made_otherwise_is_told(server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents a budget, an end or a name that somebody changed in Ads Manager from being turned on unseen."""
    plan = stage.plan()
    made(server, stage, plan, clock)
    for thing in server.world.things.values():
        if thing.kind == "adset":
            thing.fields |= {"lifetime_budget": "300000", "end_at": thing.fields["end_at"] + 86_400}
        if thing.kind == "ad":
            thing.fields["name"] = "mine"
    told = "\n".join(made(server, stage, plan, clock).checked.differences)
    assert "adset:1: it may spend 3000.00 EUR and not 300.00 EUR." in told
    assert "adset:1: it ends '2030-12-16T00:00:00+0100' and not 2030-12-15T00:00:00+0100." in told
    assert "ad:2: it is called 'mine' and not" in told


def test_issues_that_appear_afterwards_are_told(server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents an ad that Meta will not show from counting as done."""
    server.fault("with_issues", on="POST */ads", where=real)
    checked = made(server, stage, stage.plan(), clock).checked
    assert checked.differences == []
    assert [issue[:6] for issue in checked.issues] == ["ad:1: "]


def test_a_dry_run_makes_nothing_and_asks_meta(server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents a rehearsal that spends, and one that has not asked whether it would be taken."""
    plan = stage.plan(CAMPAIGN + "split: clip\n")
    rows = dry_run(plan, account(), graph_of(server), stage.ledger)
    assert counts(server) == dict.fromkeys(KINDS, 0)
    assert [row.role for row in rows] == [one.role for one in plan.objects]
    assert rows[0].checked_by == "Meta"
    assert rows[1].checked_by == "here: its campaign does not exist yet"
    assert "lifetime_budget 150.00 EUR" in rows[1].params
    assert not stage.ledger.is_begun(plan.campaign_key)
    server.fault("blocked", on="POST */campaigns")
    with pytest.raises(PermanentError, match="blocked"):
        dry_run(plan, account(), graph_of(server), stage.ledger)


def test_a_server_that_makes_what_it_should_only_check_is_found_out(server: GraphServer, stage: Stage, clock: Clock) -> None:
    """Prevents a check that creates, once for each time that it is asked."""

    class Careless(type(graph_of(server))):  # type: ignore[misc]
        def post(self, path: str, params: Any = None, **more: Any) -> Any:
            return super().post(path, {name: value for name, value in params.items() if name != "execution_options"}, **more)

    with pytest.raises(PermanentError, match=r"was asked to check .* only, and has made it"):
        dry_run(stage.plan(), account(), Careless(graph_of(server)._connection), stage.ledger)
