"""What is to be made, decided to the last parameter before anything is."""

import json

import pytest

from videolab_assets.lib.campaigns.plan import KINDS, CampaignPlan, Params, filled
from videolab_assets.lib.campaigns.searching import tag_in
from videolab_assets.lib.money import Money
from videolab_assets_tests.lib.campaigns.stage import CAMPAIGN, VIDEO, planned

HEAD = CAMPAIGN[: CAMPAIGN.index("creatives:")]
MIXED = f"""{HEAD}creatives:
  - {{video: {VIDEO}, clip: c01, platform: instagram_reel}}
  - {{video: {VIDEO}, clip: c01, platform: facebook_feed_video}}
  - {{video: {VIDEO}, clip: c02, platform: facebook_feed_video, text: Other words}}
"""


def test_the_same_request_gives_the_same_names() -> None:
    """Prevents a second run from looking for other names than the first one has made."""
    assert planned() == planned()
    assert planned().digest == planned().digest
    assert planned().digest != planned(CAMPAIGN.replace("300.00", "300.01")).digest


@pytest.mark.parametrize("text", [CAMPAIGN, MIXED, CAMPAIGN + "split: clip\n", CAMPAIGN + "split: look\n"])
def test_each_object_has_a_tag_of_its_own_and_its_parents_before_it(text: str) -> None:
    """Prevents an object from being taken for another one, and one from being made before what it belongs to."""
    plan = planned(text)
    tags = [one.tag for one in plan.objects]
    assert len(set(tags)) == len(tags)
    made: set[str] = set()
    for one in plan.objects:
        assert set(one.parents) <= made
        made.add(one.role)
        assert one.kind == "image" or tag_in(one.name) == one.tag
        assert f'"made": "{one.role}"' not in json.dumps(one.params)
    order = [KINDS.index(one.kind) for one in plan.objects]
    assert order == sorted(order)


@pytest.mark.parametrize("text", [CAMPAIGN, MIXED, CAMPAIGN + "split: clip\n", CAMPAIGN.replace("300.00", "100.01") + "split: look\n"])
def test_ad_sets_share_the_budget_to_the_cent(text: str) -> None:
    """Prevents ad sets that may together spend more than was allowed, and budgets anywhere else."""
    plan = planned(text)
    parts = [one.params["lifetime_budget"] for one in plan.of_kind("adset")]
    assert sum(parts) == plan.budget_minor
    assert max(parts) - min(parts) <= 1
    assert "daily_budget" not in json.dumps(plan.model_dump(mode="json"))
    assert all(one.params["end_time"] == "2030-12-15T00:00:00+0100" for one in plan.of_kind("adset"))
    assert plan.object("campaign").params["is_adset_budget_sharing_enabled"] is False


def test_everything_begins_paused() -> None:
    """Prevents money from being spent before a person has said so."""
    for one in planned(CAMPAIGN + "split: clip\n").of_kind("campaign", "adset", "ad"):
        assert one.params["status"] == "PAUSED"


def test_each_platform_has_an_ad_set_with_its_placement() -> None:
    """Prevents a square picture from being shown as a reel."""
    plan = planned(MIXED)
    targetings = [one.params["targeting"] for one in plan.of_kind("adset")]
    assert [targeting["publisher_platforms"] for targeting in targetings] == [["instagram"], ["facebook"]]
    assert targetings[0]["instagram_positions"] == ["reels"]
    assert targetings[1]["facebook_positions"] == ["feed"]
    assert [one.parents[0] for one in plan.of_kind("ad")] == ["adset:1", "adset:2", "adset:2"]
    messages = [one.params["object_story_spec"]["video_data"]["message"] for one in plan.of_kind("creative")]
    assert messages == ["What clip 1 says", "What clip 1 says", "Other words"]


def test_a_split_has_a_cell_for_each_clip_or_look() -> None:
    """Prevents a test that compares something else than was asked for."""
    by_clip = planned(CAMPAIGN + "split: clip\n")
    study = by_clip.object("study").params
    assert [cell["adsets"] for cell in study["cells"]] == [[{"made": "adset:1"}], [{"made": "adset:2"}]]
    assert {cell["treatment_percentage"] for cell in study["cells"]} == {50}
    assert [one.cell for one in by_clip.of_kind("ad")] == [f"{VIDEO}/c01/instagram_reel", f"{VIDEO}/c02/instagram_reel"]
    by_look = planned(CAMPAIGN + "split: look\n")
    assert [(one.cell, one.clip.clip_id if one.clip else "") for one in by_look.of_kind("ad")] == [
        ("a", "c01"), ("a", "c02"), ("b", "c01"), ("b", "c02"),
    ]  # fmt: skip
    assert len(by_look.of_kind("adset")) == 2
    assert not planned().of_kind("study")


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_the_shares_of_a_split_sum_to_a_hundred(count: int) -> None:
    """Prevents a split into three from being refused after everything else of the campaign was made."""
    plan = planned(f"{HEAD}creatives: {{best: {count}, platform: instagram_reel}}\nsplit: clip\n")
    shares = [cell["treatment_percentage"] for cell in plan.object("study").params["cells"]]
    assert (len(shares), sum(shares)) == (count, 100)
    assert max(shares) - min(shares) <= 1


def test_the_best_are_decided_in_the_plan() -> None:
    """Prevents a later run from advertising other clips, because by then others are the best."""
    plan = planned(f"{HEAD}creatives: {{best: 3, platform: instagram_reel}}\n")
    assert [one.clip.clip_id for one in plan.of_kind("ad") if one.clip] == ["c01", "c02", "c03"]


def test_a_daily_budget_becomes_one_for_the_whole_time() -> None:
    """Prevents Meta's daily budget, which is an average, from spending more on some days."""
    plan = planned(CAMPAIGN.replace("lifetime: 300.00", "daily: 20.00"))
    assert plan.budget == Money(28_000, "EUR")


def test_references_are_filled_in_and_words_stay_words() -> None:
    """Prevents a text that looks like a reference from being replaced, and a reference from being sent as it is."""
    params: Params = {"a": {"made": "x"}, "b": ["made", {"made": "y"}], "c": {"made": "x", "more": 1}, "d": "{'made': 'x'}"}
    assert filled(params, {"x": "1", "y": "2"}) == {"a": "1", "b": ["made", "2"], "c": {"made": "x", "more": 1}, "d": "{'made': 'x'}"}


def test_a_plan_reads_back_as_it_was_written() -> None:
    """Prevents moments, numbers or names from changing on their way through the store."""
    plan = planned(MIXED)
    assert CampaignPlan.model_validate_json(plan.model_dump_json()) == plan
    assert CampaignPlan.model_validate_json(plan.model_dump_json()).digest == plan.digest
