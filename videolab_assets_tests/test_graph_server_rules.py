"""What the Graph server refuses: what it lets pass although Meta would not is found out with real money."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from videolab_assets_tests.graph_calls import ACCOUNT, CAMPAIGN, TARGETING, Calls
from videolab_assets_tests.graph_server import GraphServer, ManualClock, graph_server

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture
def calls() -> Iterator[Calls]:
    with graph_server() as server:
        server.now = ManualClock(NOW)
        server.add_account(ACCOUNT, "EUR", "Europe/Madrid", business="b1", page="p1", instagram="ig1")
        yield Calls(server)
        assert not server.stumbles


def refused(answer: dict[str, Any], subcode: int | None = None, code: int = 100) -> bool:
    """Whether it is an error of that code; the subcode counts where one is named."""
    error = answer.get("error", {})
    assert {"message", "type", "is_transient", "fbtrace_id"} <= set(error), answer
    return error["code"] == code and (subcode is None or error.get("error_subcode") == subcode)


@pytest.mark.parametrize(
    ("change", "subcode"),
    [
        ({"objective": "VIDEO_VIEWS"}, None),
        ({"objective": None}, None),
        ({"name": " "}, None),
        ({"name": "x" * 401}, None),
        ({"status": "ARCHIVED"}, None),
        ({"special_ad_categories": None}, None),
        ({"special_ad_categories": ["HOUSES"]}, None),
        ({"is_adset_budget_sharing_enabled": None}, 4834011),
        ({"daily_budget": 1000, "lifetime_budget": 30_000}, 1885621),
        ({"daily_budget": "10.00"}, None),
        ({"daily_budget": 99}, 1885272),
        ({"buying_type": "BARTER"}, None),
        ({"start_time": "tomorrow"}, None),
        ({"execution_options": ["dream"]}, None),
        ({"budget": 5}, None),
    ],
)
def test_campaigns_that_meta_refuses(calls: Calls, change: dict[str, Any], subcode: int | None) -> None:
    """Each of these is refused by Meta; a request that passes here and fails there leaves half a tree behind."""
    params = {name: value for name, value in {**CAMPAIGN, **change}.items() if value is not None}
    assert refused(calls.post(f"{ACCOUNT}/campaigns", **params), subcode)
    assert calls.server.objects("campaign") == []


def in_days(days: float) -> str:
    return (NOW + timedelta(days=days)).isoformat()


@pytest.mark.parametrize(
    ("change", "subcode"),
    [
        ({"campaign_id": "1"}, 1885252),
        ({"billing_event": "WISHES"}, None),
        ({"optimization_goal": "HAPPINESS"}, None),
        ({"optimization_goal": "VALUE"}, 2490408),
        ({"optimization_goal": "PAGE_LIKES"}, 1815430),
        ({"lifetime_budget": None}, 1885737),
        ({"daily_budget": 1000}, 1885621),
        ({"lifetime_budget": 999}, 1885272),
        ({"end_time": None}, 1487094),
        ({"end_time": in_days(-1)}, 1487060),
        ({"start_time": in_days(5), "end_time": in_days(4)}, 1487060),
        ({"targeting": {}}, None),
        ({"targeting": {"targeting_automation": {"advantage_audience": 0}}}, 1885364),
        ({"targeting": {"geo_locations": {"countries": ["MX"]}}}, 1870227),
        ({"targeting": {**TARGETING, "age_min": 40, "age_max": 30}}, 1885366),
        ({"targeting": {**TARGETING, "genders": [3]}}, None),
        ({"targeting": {**TARGETING, "geo_locations": {"countries": ["Spain"]}}}, None),
        ({"dsa_payor": None}, 3858079),
        ({"bid_strategy": "COST_CAP"}, 1815857),
        ({"colour": "blue"}, None),
    ],
)
def test_ad_sets_that_meta_refuses(calls: Calls, change: dict[str, Any], subcode: int | None) -> None:
    """Each of these is refused by Meta; money is spent by ad sets, so theirs are the rules that matter most."""
    params = calls.adset_params(calls.campaign()) | change
    params = {name: value for name, value in params.items() if value is not None}
    assert refused(calls.post(f"{ACCOUNT}/adsets", **params), subcode)
    assert calls.server.objects("adset") == []


def test_a_budget_is_on_one_level(calls: Calls) -> None:
    """A campaign with a budget and ad sets with budgets would leave open what is spent."""
    campaign = calls.campaign(daily_budget=1000)
    assert refused(calls.post(f"{ACCOUNT}/adsets", **calls.adset_params(campaign)), 1885621)
    params = calls.adset_params(campaign)
    del params["lifetime_budget"]
    assert "id" in calls.post(f"{ACCOUNT}/adsets", **params)


def test_an_account_may_name_the_advertiser_for_all(calls: Calls) -> None:
    """Accounts that have a default need no beneficiary in each ad set, and Meta fills it in."""
    calls.server.world.accounts[ACCOUNT].advertiser = "Acme S.L."
    params = calls.adset_params(calls.campaign())
    del params["dsa_beneficiary"], params["dsa_payor"]
    made = calls.post(f"{ACCOUNT}/adsets", **params)["id"]
    assert calls.get(made, fields="dsa_payor")["dsa_payor"] == "Acme S.L."


@pytest.mark.parametrize(
    ("change", "subcode"),
    [
        ({"video_id": "1"}, None),
        ({"image_hash": ""}, 1443226),
        ({"image_hash": "0" * 32}, None),
        ({"call_to_action": {"type": "BEG"}}, None),
        ({"call_to_action": {"type": "LEARN_MORE"}}, None),
        ({"volume": 11}, None),
    ],
)
def test_video_creatives_that_meta_refuses(calls: Calls, change: dict[str, Any], subcode: int | None) -> None:
    """A creative is where video, image, page and link meet: each of them may be missing."""
    story = calls.story(calls.upload(b"video", "Clip"), calls.image())
    story["video_data"] |= change
    assert refused(calls.post(f"{ACCOUNT}/adcreatives", name="Creative", object_story_spec=story), subcode)
    assert calls.server.objects("creative") == []


@pytest.mark.parametrize("change", [{"page_id": "p2"}, {"instagram_user_id": "ig2"}, {"instagram_actor_id": "ig1"}, {"video_data": None}])
def test_creatives_of_other_pages_are_refused(calls: Calls, change: dict[str, Any]) -> None:
    """An ad that speaks for somebody else's page is worse than none."""
    story = calls.story(calls.upload(b"video", "Clip"), calls.image()) | change
    story = {name: value for name, value in story.items() if value is not None}
    assert refused(calls.post(f"{ACCOUNT}/adcreatives", name="Creative", object_story_spec=story))


def test_a_video_has_to_be_ready(calls: Calls) -> None:
    """Who does not wait for the processing gets an error at the creative, not at the upload."""
    calls.server.processing_polls = 3
    path = f"{ACCOUNT}/advideos"
    told = calls.post(path, upload_phase="start", file_size=5)
    session, video = told["upload_session_id"], told["video_id"]
    calls.post(path, {"video_file_chunk": ("c", b"video")}, upload_phase="transfer", upload_session_id=session, start_offset="0")
    assert calls.rows(path) == [], "an upload is listed before it is whole"
    calls.post(path, upload_phase="finish", upload_session_id=session, title="Clip")
    story = calls.story(video, calls.image())
    assert refused(calls.post(f"{ACCOUNT}/adcreatives", name="Creative", object_story_spec=story))
    seen = [calls.get(video, fields="status")["status"]["video_status"] for _ in range(4)]
    assert seen == ["processing"] * 3 + ["ready"]
    assert "id" in calls.post(f"{ACCOUNT}/adcreatives", name="Creative", object_story_spec=story)


def test_chunks_have_to_come_in_order(calls: Calls) -> None:
    """A client that resumes at its own idea of the offset must be told the server's, and its bytes not be kept."""
    calls.server.chunk_size = 4
    path = f"{ACCOUNT}/advideos"
    session = calls.post(path, upload_phase="start", file_size=10)["upload_session_id"]

    def send(start: int, content: bytes) -> dict[str, Any]:
        return calls.post(
            path, {"video_file_chunk": ("c", content)}, upload_phase="transfer", upload_session_id=session, start_offset=str(start)
        )

    assert send(0, b"0123") == {"start_offset": "4", "end_offset": "8"}
    again = send(0, b"0123")
    assert refused(again, 1363037, code=6000)
    assert again["error"]["error_data"] == {"start_offset": 4, "end_offset": 8}
    assert refused(send(4, b"45678"), 1363037, code=6000)
    assert refused(calls.post(path, upload_phase="finish", upload_session_id=session, title="x"), 1363037, code=6000)
    assert send(4, b"4567") == {"start_offset": "8", "end_offset": "10"}
    assert send(8, b"89") == {"start_offset": "10", "end_offset": "10"}
    assert calls.post(path, upload_phase="finish", upload_session_id=session, title="x") == {"success": True}
    assert calls.post(path, upload_phase="finish", upload_session_id=session, title="x") == {"success": True}
    assert len(calls.server.objects("video")) == 1
    assert refused(calls.post(path, upload_phase="finish", upload_session_id="1", title="x"), 1363041)


def test_ads_that_meta_refuses(calls: Calls) -> None:
    """An ad hangs on two objects that may be gone, and an ad set takes fifty of them."""
    adset, creative = calls.adset(calls.campaign()), calls.creative()
    params = {"name": "Ad", "adset_id": adset, "creative": {"creative_id": creative}, "status": "PAUSED"}
    assert refused(calls.post(f"{ACCOUNT}/ads", **{**params, "creative": {"creative_id": adset}}))
    assert refused(calls.post(f"{ACCOUNT}/ads", **{**params, "adset_id": creative}))
    assert refused(calls.post(f"{ACCOUNT}/ads", name="Ad", adset_id=adset))
    ads = [calls.ad(adset, creative) for _ in range(50)]
    assert refused(calls.post(f"{ACCOUNT}/ads", **params))
    calls.post(ads[0], status="ARCHIVED")
    assert "id" in calls.post(f"{ACCOUNT}/ads", **params)


def test_validate_only_makes_nothing(calls: Calls) -> None:
    """A dry run that leaves a campaign behind is none, and one that accepts everything tells nothing."""
    only = ["validate_only"]
    assert calls.post(f"{ACCOUNT}/campaigns", **CAMPAIGN, execution_options=only) == {"success": True}
    assert calls.server.objects("campaign") == []
    assert refused(calls.post(f"{ACCOUNT}/campaigns", **{**CAMPAIGN, "objective": "REACH"}, execution_options=only))
    campaign = calls.campaign()
    assert calls.post(campaign, status="ACTIVE", execution_options=only) == {"success": True}
    assert calls.get(campaign, fields="status")["status"] == "PAUSED"


def test_changes_that_meta_refuses(calls: Calls) -> None:
    """Arming and pausing are changes: what cannot be changed any more has to say so."""
    campaign = calls.campaign()
    adset = calls.adset(campaign)
    assert refused(calls.post(campaign, objective="OUTCOME_SALES"))
    assert refused(calls.post(campaign, status="SLEEPING"))
    assert refused(calls.post(adset, campaign_id=campaign))
    assert refused(calls.post(adset, end_time=in_days(-2)))
    assert refused(calls.post(adset, lifetime_budget=1), 1885272)
    assert calls.post(adset, lifetime_budget=40_000, end_time=in_days(12)) == {"success": True}
    calls.post(campaign, status="ARCHIVED")
    assert refused(calls.post(campaign, status="ACTIVE"))
    calls.send("DELETE", campaign)
    assert refused(calls.post(campaign, name="Risen"))
    assert calls.get(adset, fields="effective_status")["effective_status"] == "DELETED"


def test_a_disabled_account_makes_nothing(calls: Calls) -> None:
    """Meta closes accounts; whoever goes on sending must hear it."""
    calls.server.world.accounts[ACCOUNT].status = 2
    assert refused(calls.post(f"{ACCOUNT}/campaigns", **CAMPAIGN))
    assert calls.get(ACCOUNT, fields="account_status")["account_status"] == 2


def test_times_without_a_zone_are_the_accounts_own() -> None:
    """A campaign that ends at midnight in Honolulu must not end eleven hours early."""
    with graph_server() as server:
        server.now = ManualClock(NOW)
        server.add_account(ACCOUNT, "USD", "Pacific/Honolulu")
        calls = Calls(server)
        adset = calls.adset(calls.campaign(), end_time="2026-12-01T00:00:00")
        assert calls.get(adset, fields="end_time")["end_time"] == "2026-12-01T00:00:00-1000"


@pytest.mark.parametrize("currency", ["JPY", "KRW", "CLP"])
def test_currencies_without_minor_units(currency: str) -> None:
    """10 000 in yen is a hundred times what it is in euros: the server must not know a factor of 100 that is not there."""
    with graph_server() as server:
        account = server.add_account(ACCOUNT, currency, "Asia/Tokyo")
        account.insights.add("7", datetime(2026, 11, 1, 3, tzinfo=UTC), impressions=10, spend_minor=1234)
        (row,) = Calls(server).rows(f"{ACCOUNT}/insights", fields="spend,account_currency", date_preset="maximum")
        assert (row["spend"], row["account_currency"]) == ("1234", currency)


@pytest.mark.parametrize("path", [f"{ACCOUNT}/unicorns", "b1/unicorns", f"{ACCOUNT}/insights", "me/unicorns"])
def test_unknown_edges_and_fields(calls: Calls, path: str) -> None:
    """A typo has to be an error, not an empty list."""
    assert refused(calls.get(path, fields="unicorns"))


@pytest.mark.parametrize(
    "filtering",
    [
        [{"field": "colour", "operator": "IN", "value": []}],
        [{"field": "name", "operator": "LIKE", "value": "x"}],
        "name",
        [{"field": "name"}],
    ],
)
def test_filters_that_meta_refuses(calls: Calls, filtering: Any) -> None:
    """Looking up by name is what prevents duplicates: a filter that is not understood must never answer "nothing found"."""
    assert refused(calls.get(f"{ACCOUNT}/campaigns", filtering=filtering))


def test_shapes_that_nobody_thought_of_are_refused_and_noted(calls: Calls) -> None:
    """A bug of this server must show in the test that meets it, not close the connection."""
    server: GraphServer = calls.server
    assert refused(calls.post(f"{ACCOUNT}/adsets", **calls.adset_params(calls.campaign(), targeting={**TARGETING, "age_min": "young"})))
    assert len(server.stumbles) == 1
    server.stumbles.clear()
