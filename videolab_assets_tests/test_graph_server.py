"""The Graph server itself, first as Meta's own library sees it: what it gets wrong, every test of campaigns and insights gets wrong."""

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import requests

from videolab_assets_tests.graph_calls import ACCOUNT, CAMPAIGN, PNG, TARGETING, Calls
from videolab_assets_tests.graph_server import GraphServer, Received, graph_server


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with graph_server() as server:
        server.add_account(ACCOUNT, "EUR", "Europe/Madrid", business="b1", page="p1", instagram="ig1")
        yield server
        assert not server.stumbles


@pytest.fixture
def calls(server: GraphServer) -> Calls:
    return Calls(server)


@pytest.fixture
def sdk(server: GraphServer) -> Any:
    """facebook-business as it comes: the token as a parameter."""
    from facebook_business.api import FacebookAdsApi
    from facebook_business.session import FacebookSession

    session = FacebookSession("1", "secret", server.token, timeout=5)
    session.GRAPH = server.endpoint
    return FacebookAdsApi(session, api_version="v26.0")


def test_facebook_business_makes_a_whole_campaign(server: GraphServer, sdk: Any) -> None:
    """A server that only our own client can talk to would prove nothing about Meta's protocol."""
    from facebook_business.adobjects.adaccount import AdAccount

    server.chunk_size = 100
    account = AdAccount(ACCOUNT, api=sdk)
    campaign = account.create_campaign(params=CAMPAIGN)
    adset = account.create_ad_set(params=Calls(server).adset_params(campaign["id"]))
    content = bytes(range(250))
    told = sdk.call("POST", (ACCOUNT, "advideos"), {"upload_phase": "start", "file_size": len(content)}).json()
    video, session = told["video_id"], told["upload_session_id"]
    while told["start_offset"] != told["end_offset"]:
        start, end = int(told["start_offset"]), int(told["end_offset"])
        params = {"upload_phase": "transfer", "upload_session_id": session, "start_offset": start}
        files = {"video_file_chunk": ("chunk", content[start:end], "application/octet-stream")}
        told = sdk.call("POST", (ACCOUNT, "advideos"), params, files=files).json()
    sdk.call("POST", (ACCOUNT, "advideos"), {"upload_phase": "finish", "upload_session_id": session, "title": "Clip"})
    statuses = [sdk.call("GET", (video,), {"fields": "status"}).json()["status"]["video_status"] for _ in range(2)]
    image = sdk.call("POST", (ACCOUNT, "adimages"), files={"filename": ("cover.png", PNG)}).json()["images"]["cover.png"]["hash"]
    story = Calls(server).story(video, image)
    creative = account.create_ad_creative(params={"name": "Creative", "object_story_spec": story})
    reference = {"creative_id": creative["id"]}
    ad = account.create_ad(params={"name": "Ad", "adset_id": adset["id"], "creative": reference, "status": "PAUSED"})
    read = ad.api_get(fields=["name", "effective_status", "adset_id", "campaign_id", "creative"])

    assert statuses == ["processing", "ready"]
    assert (read["adset_id"], read["campaign_id"], read["creative"]["id"]) == (adset["id"], campaign["id"], creative["id"])
    (kept,) = server.objects("video")
    assert (kept["title"], kept["size"]) == ("Clip", 250)
    assert [thing["status"] for kind in ("campaign", "adset", "ad") for thing in server.objects(kind)] == ["PAUSED"] * 3
    campaign.api_update(params={"status": "ACTIVE"})
    assert server.objects("campaign")[0]["status"] == "ACTIVE"


def test_facebook_business_pages_through_insights(server: GraphServer, sdk: Any) -> None:
    """Reports at once and reports that take a while have to give the same rows, over several pages."""
    from facebook_business.adobjects.adaccount import AdAccount

    server.world.accounts[ACCOUNT].insights.generate(ads=12, campaigns=2, first=date(2026, 3, 1), days=5)
    account = AdAccount(ACCOUNT, api=sdk)
    params = {"level": "ad", "time_increment": 1, "time_range": {"since": "2026-03-01", "until": "2026-03-05"}, "limit": 7}
    fields = ["ad_id", "impressions", "spend"]
    now = [dict(row) for row in account.get_insights(fields=fields, params=params)]
    run = account.get_insights(fields=fields, params=params, is_async=True)
    states: list[str] = []
    while not states or states[-1] != "Job Completed":
        run = run.api_get()
        states.append(run["async_status"])
    later = [dict(row) for row in run.get_insights(params={"limit": 7})]
    assert len(now) == 60
    assert now == later
    assert states == ["Job Not Started", "Job Running", "Job Completed"]
    assert run["async_percent_completion"] == 100


def test_the_known_defects_of_facebook_business_show(server: GraphServer, sdk: Any, calls: Calls) -> None:
    """The guards of our client are only needed, and only tested, where the library really stumbles over these answers."""
    from facebook_business.adobjects.adaccount import AdAccount

    account = AdAccount(ACCOUNT, api=sdk)
    for number in range(6):
        calls.campaign(name=f"Campaign {number}")
    server.fault("empty_page", on="GET */campaigns", skip=1)
    assert len(list(account.get_campaigns(params={"limit": 2}))) == 2, "its cursor goes on after an empty page"
    server.fault("next_without_cursors", on="GET */campaigns")
    assert len(list(account.get_campaigns(params={"limit": 2}))) == 2, "its cursor goes on without cursors"
    server.fault("empty_200", on="POST */campaigns")
    assert account.create_campaign(params=CAMPAIGN).get("id") is None, "it notices an empty answer"
    assert len(server.objects("campaign")) == 7
    server.fault("html_502", on="POST */campaigns")
    with pytest.raises(TypeError):
        account.create_campaign(params=CAMPAIGN)
    server.fault("error_data_empty", on="POST */campaigns")
    with pytest.raises(json.JSONDecodeError):
        account.create_campaign(params=CAMPAIGN)


def test_errors_of_facebook_business_carry_what_was_told(server: GraphServer, sdk: Any) -> None:
    """An error in another form than Meta's would be classified by the wrong rule."""
    from facebook_business.adobjects.adaccount import AdAccount
    from facebook_business.exceptions import FacebookRequestError

    with pytest.raises(FacebookRequestError) as refused:
        AdAccount(ACCOUNT, api=sdk).create_campaign(params={**CAMPAIGN, "objective": "VIDEO_VIEWS"})
    error = refused.value
    assert (error.http_status(), error.api_error_code(), error.api_error_type()) == (400, 100, "OAuthException")
    assert "objective" in error.api_error_message()
    assert error.body()["error"]["fbtrace_id"]
    assert error.body()["error"]["is_transient"] is False


@pytest.mark.parametrize("way", ["header", "query", "body", "multipart"])
def test_the_token_is_taken_wherever_meta_takes_it(server: GraphServer, way: str) -> None:
    """The library sends it as a parameter, we as a header; a server that knew one way would let the other untested."""
    url = f"{server.endpoint}/v26.0/{ACCOUNT}"
    token = {"access_token": server.token}
    answer = {
        "header": lambda: requests.get(url, headers={"Authorization": f"Bearer {server.token}"}, timeout=5),
        "query": lambda: requests.get(url, params=token, timeout=5),
        "body": lambda: requests.post(url, data={**token, "name": "Renamed"}, timeout=5),
        "multipart": lambda: requests.post(f"{url}/adimages", data=token, files={"f": ("a.png", PNG)}, timeout=5),
    }[way]()
    assert answer.status_code == 200
    assert "access_token" not in server.received[-1].params


def test_other_tokens_are_refused(server: GraphServer) -> None:
    """Code 190 has to be met in tests before it is met with a paused campaign that nobody can read any more."""
    answer = requests.get(f"{server.endpoint}/v26.0/{ACCOUNT}", headers={"Authorization": "Bearer other"}, timeout=5)
    assert answer.json()["error"]["code"] == 190
    server.fault("empty_500", on=f"GET {ACCOUNT}")
    requests.get(f"{server.endpoint}/v26.0/{ACCOUNT}", timeout=5)
    assert Calls(server).send("GET", ACCOUNT).status_code == 500, "a stranger used up the fault"


def test_reading_by_ids_fields_and_lists(server: GraphServer, calls: Calls) -> None:
    """Reconciling reads many objects at once, and finds them again by name in every status."""
    campaign = calls.campaign()
    adset = calls.adset(campaign)
    ad = calls.ad(adset, calls.creative())
    both = calls.get("", ids=f"{campaign},{adset}", fields="name,effective_status")
    assert {one["name"] for one in both.values()} == {"Lighthouse #vl:0123456789ab", "Spain #vl:0123456789ac"}
    told = calls.get(ad, fields="name,adset{name,campaign{objective}},creative{id}")
    assert told["adset"]["campaign"]["objective"] == "OUTCOME_ENGAGEMENT"
    wanted = [{"field": "name", "operator": "CONTAIN", "value": "#vl:0123456789af"}]
    assert [row["id"] for row in calls.rows(f"{ACCOUNT}/ads", filtering=wanted)] == [ad]
    assert [row["id"] for row in calls.rows(f"{campaign}/adsets")] == [adset]
    assert calls.rows(f"{ACCOUNT}/ads", filtering=[{"field": "campaign.id", "operator": "IN", "value": ["1"]}]) == []
    calls.post(ad, status="ARCHIVED")
    assert calls.rows(f"{ACCOUNT}/ads", filtering=wanted) == []
    assert [row["id"] for row in calls.rows(f"{ACCOUNT}/ads", effective_status=["ARCHIVED", "PAUSED"])] == [ad]
    assert [row["id"] for row in calls.rows(f"{ACCOUNT}/advideos", title="#vl:0123456789ad")] == [server.objects("video")[0]["id"]]
    assert calls.get(campaign, fields="nonsense")["error"]["code"] == 100
    assert calls.get("999", fields="name")["error"]["error_subcode"] == 33
    assert calls.get(f"{campaign}/insights", fields="ad_id", level="ad")["data"] == []
    assert calls.post(f"{campaign}/adsets", name="x")["error"]["error_subcode"] == 33
    assert len(calls.get("", ids=",".join(map(str, range(51))))["error"]["message"]) > 0


def test_pages_stay_whole_while_objects_are_made(server: GraphServer, calls: Calls) -> None:
    """A new campaign at the head of the list must not push another onto two pages, or out of both."""
    made = [calls.campaign(name=f"Campaign {number}") for number in range(7)]
    first = calls.get(f"{ACCOUNT}/campaigns", limit=3)
    calls.campaign(name="New")
    after = first["paging"]["cursors"]["after"]
    rest = calls.rows(f"{ACCOUNT}/campaigns", limit=3, after=after)
    assert [row["id"] for row in first["data"] + rest] == list(reversed(made))


def test_the_same_picture_is_the_same_image(server: GraphServer, calls: Calls) -> None:
    """Images need no intent of their own because Meta knows them by their content; that has to hold here as well."""
    assert calls.image() == calls.image()
    assert len(calls.rows(f"{ACCOUNT}/adimages", fields="hash")) == len(server.objects("image")) == 1
    calls.image(PNG + b"other")
    assert len(server.objects("image")) == 2


def test_effective_status_follows_the_parents(calls: Calls) -> None:
    """An ad that is active below a paused campaign does not deliver, and says so."""
    campaign = calls.campaign(status="ACTIVE")
    adset = calls.adset(campaign, status="ACTIVE")
    ad = calls.ad(adset, calls.creative(), status="ACTIVE")
    assert calls.get(ad, fields="effective_status")["effective_status"] == "ACTIVE"
    calls.post(adset, status="PAUSED")
    assert calls.get(ad, fields="effective_status")["effective_status"] == "ADSET_PAUSED"
    calls.post(adset, status="ACTIVE")
    calls.post(campaign, status="PAUSED")
    assert calls.get(ad, fields="effective_status")["effective_status"] == "CAMPAIGN_PAUSED"
    assert calls.get(adset, fields="effective_status")["effective_status"] == "CAMPAIGN_PAUSED"
    calls.send("DELETE", campaign)
    assert calls.get(ad, fields="effective_status")["effective_status"] == "DELETED"


def test_what_could_be_spent(server: GraphServer, calls: Calls) -> None:
    """The money tests believe these two numbers: they must count exactly what is switched on, and never forget."""
    campaign = calls.campaign()
    adsets = [calls.adset(campaign, status="ACTIVE", lifetime_budget=budget) for budget in (30_000, 20_000)]
    creative = calls.creative()
    calls.ad(adsets[0], creative, status="ACTIVE")
    assert server.could_spend(ACCOUNT) == 0, "the campaign is paused"
    calls.post(campaign, status="ACTIVE")
    assert server.could_spend(ACCOUNT) == 30_000, "the second ad set has no ad"
    second = calls.ad(adsets[1], creative, status="ACTIVE")
    assert server.could_spend(ACCOUNT) == 50_000
    calls.post(second, status="PAUSED")
    calls.post(adsets[0], lifetime_budget=40_000)
    assert server.could_spend(ACCOUNT) == 40_000
    calls.post(adsets[0], lifetime_budget=10_000)
    calls.post(adsets[0], status="PAUSED")
    assert server.could_spend(ACCOUNT) == 0
    calls.post(adsets[0], status="ACTIVE")
    calls.post(campaign, status="PAUSED")
    assert server.could_spend(ACCOUNT) == 0
    assert server.could_ever_have_spent(ACCOUNT) == 60_000


def test_duplicates_are_live_objects_with_the_same_tag(server: GraphServer, calls: Calls) -> None:
    """A repeated POST that made a second campaign has to be seen; what was deleted since is none."""
    calls.campaign()
    assert server.duplicates() == []
    second = calls.campaign()
    assert [[one["kind"] for one in group] for group in server.duplicates()] == [["campaign", "campaign"]]
    calls.send("DELETE", second)
    assert server.duplicates() == []
    for _ in range(2):
        calls.upload(b"content", "Clip #vl:aaaaaaaaaaaa")
    assert [group[0]["kind"] for group in server.duplicates()] == ["video"]


def test_an_ad_study_splits_between_ad_sets(server: GraphServer, calls: Calls) -> None:
    """A split test is the only thing that makes differences more than associations: its cells have to be kept and readable."""
    campaign = calls.campaign()
    cells = [{"name": name, "treatment_percentage": 50, "adsets": [calls.adset(campaign)]} for name in ("a", "b")]
    times = {"start_time": "2098-01-01T00:00:00+0000", "end_time": "2099-01-01T00:00:00+0000"}
    study = calls.post("b1/ad_studies", name="Study #vl:0123456789b0", type="SPLIT_TEST", cells=cells, **times)["id"]
    assert [cell["treatment_percentage"] for cell in calls.rows(f"{study}/cells")] == [50, 50]
    assert [row["id"] for row in calls.rows("b1/ad_studies", fields="name")] == [study]
    assert calls.post("b1/ad_studies", name="x", type="SPLIT_TEST", cells=cells[:1], **times)["error"]["code"] == 100


def test_somebody_may_act_before_and_after_the_effect(server: GraphServer, calls: Calls) -> None:
    """Tests kill the client at these two moments: in the first nothing may exist, in the second it must."""
    seen: list[tuple[str, int]] = []

    def look(received: Received, phase: str) -> None:
        if received.line == f"POST {ACCOUNT}/campaigns":
            seen.append((phase, len(server.objects("campaign"))))

    server.on_request = look
    calls.campaign()
    assert seen == [("before", 0), ("after", 1)]


def test_numbers_in_the_headers_and_a_full_bucket(server: GraphServer, calls: Calls) -> None:
    """Pacing reads these headers: the percentage has to rise with each request, and a full bucket has to change nothing."""
    from videolab_assets_tests.graph_server import Leak

    server.pace = Leak(points=10, drains=0.001, read=1, write=3)
    calls.campaign()
    answer = calls.send("GET", f"{ACCOUNT}/campaigns")
    use = json.loads(answer.headers["X-Business-Use-Case-Usage"])["1001"][0]
    assert (use["type"], use["call_count"]) == ("ads_management", 40)
    assert json.loads(answer.headers["X-Ad-Account-Usage"])["acc_id_util_pct"] == 40.0
    calls.campaign()
    calls.campaign()
    full = calls.send("POST", f"{ACCOUNT}/campaigns", **CAMPAIGN)
    assert full.json()["error"]["code"] == 80004
    assert json.loads(full.headers["X-Business-Use-Case-Usage"])["1001"][0]["estimated_time_to_regain_access"] > 0
    assert len(server.objects("campaign")) == 3


def test_a_server_can_be_used_again(server: GraphServer, calls: Calls) -> None:
    """A thousand runs against one server must each begin with an empty account, when the last request of the run before is over."""
    calls.campaign()
    server.settle = 60.0
    server.fault("empty_500", times=9)
    assert not server.wait_until_quiet(0.01)
    calls.session.close()
    assert server.wait_until_quiet()
    server.reset()
    assert server.objects("campaign") == []
    server.add_account(ACCOUNT)
    campaign = calls.campaign()
    assert [row["id"] for row in calls.rows(f"{ACCOUNT}/campaigns")] == [campaign]


def test_it_runs_on_its_own() -> None:
    """Others are told that one command starts it."""
    command = [sys.executable, "-m", "videolab_assets_tests.graph_server", "--port", "0", "--seed-demo"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        endpoint, *_, token = process.stdout.readline().split()
        answer = requests.get(f"{endpoint}/v26.0/me/adaccounts?fields=timezone_name&access_token={token}", timeout=5).json()
        assert {row["timezone_name"] for row in answer["data"]} == {"Europe/Madrid", "Pacific/Honolulu", "Pacific/Kiritimati"}
    finally:
        process.kill()
        process.wait()


def test_targeting_comes_back_with_metas_defaults(calls: Calls) -> None:
    """Who compares what was sent with what is read must expect more keys than were sent."""
    adset = calls.adset(calls.campaign())
    read = calls.get(adset, fields="targeting,daily_budget,lifetime_budget,end_time")
    assert read["targeting"] | TARGETING != TARGETING
    assert read["targeting"]["geo_locations"]["countries"] == ["ES", "MX"]
    assert (read["daily_budget"], read["lifetime_budget"]) == ("0", "30000")
    assert read["end_time"][-5] in "+-"
