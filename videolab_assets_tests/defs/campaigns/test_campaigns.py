"""From a campaign's file in the inbox to Meta, and a person's second word."""

import json
from pathlib import Path

import dagster as dg
import pytest

from videolab_assets.lib.meta.accounts import ACCOUNTS
from videolab_assets_tests.defs.campaigns.agency import ACCOUNT, ACCOUNTS_YAML, Agency
from videolab_assets_tests.lab import failures_of, materialized
from videolab_assets_tests.lib.campaigns.stage import CAMPAIGN, VIDEO


def key_of(result: dg.ExecuteInProcessResult) -> str:
    return str(result.dagster_run.tags["dagster/partition"])


def activation_of(key: str, budget: str = "300.00") -> str:
    return f"campaign: {key}\nbudget: {budget}\ncurrency: EUR\nby: Ana\n"


def test_a_file_becomes_a_campaign_that_stands_still(agency: Agency, home: Path) -> None:
    """A campaign is incomplete, or spends before anybody said so, or the token is somewhere where people look."""
    result = agency.ask(CAMPAIGN, "spring.campaign.yaml")
    assert result.success, failures_of(result)
    key = key_of(result)
    assert key.startswith("acme.spring.")
    assert agency.lab.instance.get_dynamic_partitions("campaigns") == [key]
    made = {kind: len(agency.server.objects(kind)) for kind in ("campaign", "adset", "video", "image", "creative", "ad")}
    assert made == {"campaign": 1, "adset": 1, "video": 2, "image": 2, "creative": 2, "ad": 2}
    assert {*agency.statuses("campaign"), *agency.statuses("adset"), *agency.statuses("ad")} == {"PAUSED"}
    assert agency.server.could_ever_have_spent(ACCOUNT) == 0
    shown = materialized(result)["meta_campaign"].metadata
    assert (shown["status"].value, shown["budget"].value, shown["ads"].value) == ("PAUSED", "300.00 EUR", 2)
    assert key in str(shown["next"].value)
    assert all(evaluation.passed for evaluation in result.get_asset_check_evaluations())
    assert not (agency.lab.inbox / "acme" / "spring.campaign.yaml").exists()
    assert agency.lab.library.store.read_bytes(f"campaigns/acme/{key}/request.yaml", 10_000) == CAMPAIGN.encode()

    again = agency.ask(f"# the same\n{CAMPAIGN}", "spring.campaign.yaml")
    assert again.success and key_of(again) == key
    assert len(agency.server.objects("campaign")) == 1
    assert agency.secrets_in(home) == []


def test_turning_it_on_takes_a_second_word_that_names_the_budget(agency: Agency) -> None:
    """A campaign spends another sum than the one that a person allowed; or the kill switch leaves something running."""
    key = key_of(agency.ask(CAMPAIGN, "spring.campaign.yaml"))
    agency.ask(activation_of(key, "200.00"), "go.activation.yaml")
    agency.work()
    (rejection,) = agency.lab.rejections()
    assert "200.00 EUR" in rejection["reason"] and "300.00 EUR" in rejection["reason"]
    assert agency.server.could_spend(ACCOUNT) == 0

    on = agency.ask(activation_of(key), "go.activation.yaml")
    assert on.success, failures_of(on)
    assert agency.server.could_spend(ACCOUNT) == 30_000
    asked = dg.AssetRecordsFilter(asset_key=dg.AssetKey("meta_campaign"), asset_partitions=[key])
    (record,) = agency.lab.instance.fetch_observations(asked, limit=1).records
    assert record.asset_observation and record.asset_observation.metadata["by"].value == "Ana"

    other = key_of(agency.ask(CAMPAIGN.replace("300.00", "450.00"), "summer.campaign.yaml"))
    off = agency.ask("reason: the client called\n", "all.stop.yaml")
    assert off.success, failures_of(off)
    assert agency.server.could_spend(ACCOUNT) == 0
    stopped = agency.ask(activation_of(other, "450.00"), "go.activation.yaml")
    assert not stopped.success and "the client called" in str(failures_of(stopped))
    assert agency.ask("reason: settled\nresume: true\n", "all.stop.yaml").success
    resumed = agency.ask(activation_of(other, "450.00"), "again.activation.yaml")
    assert resumed.success, failures_of(resumed)
    assert agency.server.could_spend(ACCOUNT) == 45_000


def test_a_month_has_a_cap(agency: Agency) -> None:
    """Three campaigns, each below its cap, spend more together than the tenant may in a month."""
    for number in range(3):
        key = key_of(agency.ask(CAMPAIGN.replace("300.00", "400.00"), f"n{number}.campaign.yaml"))
        agency.ask(activation_of(key, "400.00"), f"go{number}.activation.yaml")
        agency.work()
    assert agency.server.could_ever_have_spent(ACCOUNT) == 80_000
    assert ["900.00 EUR" in rejection["reason"] for rejection in agency.lab.rejections()] == [True]


def test_the_launchpad_does_the_same(agency: Agency) -> None:
    """What works by a file fails from the launchpad, or a typo there turns something on."""
    key = key_of(agency.ask(CAMPAIGN, "spring.campaign.yaml"))
    wrong = agency.launch("activate_campaign", {"campaign": key, "budget": "30", "currency": "EUR", "by": "Ana"}, "turn_on")
    assert not wrong.success and agency.server.could_spend(ACCOUNT) == 0
    on = agency.launch("activate_campaign", {"campaign": key, "budget": "300", "currency": "EUR", "by": "Ana"}, "turn_on")
    assert on.success, failures_of(on)
    assert agency.server.could_spend(ACCOUNT) == 30_000
    off = agency.launch("stop_campaigns", {"tenant": "acme", "reason": "enough", "campaign": key}, "stop")
    assert off.success, failures_of(off)
    assert agency.server.could_spend(ACCOUNT) == 0


def test_a_dry_run_shows_and_makes_nothing(agency: Agency) -> None:
    """A dry run creates something, or does not show what would be."""
    result = agency.ask(f"{CAMPAIGN}dry_run: true\n", "spring.campaign.yaml")
    assert result.success, failures_of(result)
    assert all(agency.server.objects(kind) == [] for kind in ("campaign", "adset", "video", "image", "creative", "ad"))
    assert materialized(result) == {}
    asked = dg.AssetRecordsFilter(asset_key=dg.AssetKey("meta_campaign"), asset_partitions=[key_of(result)])
    (record,) = agency.lab.instance.fetch_observations(asked, limit=1).records
    assert record.asset_observation
    table = record.asset_observation.metadata["objects"]
    assert isinstance(table, dg.TableMetadataValue)
    by_kind = {str(row.data["what"]): str(row.data["checked by"]) for row in table.records}
    assert by_kind["campaign"] == "Meta"
    assert "does not exist yet" in by_kind["ad set"]
    made = agency.ask(CAMPAIGN, "spring.campaign.yaml")
    assert made.success and key_of(made) == key_of(result)
    assert len(agency.server.objects("campaign")) == 1


BAD = {
    "an unknown clip": ("clip: c02", "clip: c09", "Line 10:", VIDEO),
    "over the cap": ("300.00", "3000.00", "Line 3:", "500.00 EUR"),
    "past dates": ("start: 2030-12-01, end: 2030-12-14", "start: 2020-12-01, end: 2020-12-14", "Line 4:", "today"),
    "a wrong currency": ("currency: EUR", "currency: USD", "Line 3:", "EUR"),
    "a typo in a key": ("objective:", "objetive:", "Line 2:", "'objective'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_and_nothing_is_made(case: str, agency: Agency) -> None:
    """A mistake starts a run, reaches Meta, or is told without its line, only in one of the two places, or to nobody."""
    there, instead, line, said = BAD[case]
    path = agency.lab.put(CAMPAIGN.replace(there, instead).encode(), "spring.campaign.yaml")
    assert agency.work() == []
    assert not path.exists()
    (rejection,) = agency.lab.rejections()
    problems = [rejection["reason"], *rejection["found"].get("problems", [])]
    assert any(problem.startswith(line) and said in problem for problem in problems), problems
    (event,) = agency.lab.instance.fetch_observations(dg.AssetKey("meta_campaign"), limit=1).records
    assert event.asset_observation
    shown = {name: str(value.value) for name, value in event.asset_observation.metadata.items()}
    assert shown["refused"] == rejection["reason"]
    assert agency.server.received == []
    assert agency.lab.instance.get_dynamic_partitions("campaigns") == []
    assert agency.lab.instance.get_runs() == []


def test_meta_refuses_and_says_why(agency: Agency) -> None:
    """What Meta does not take fails without its words, is tried again and again, or loses the file."""
    agency.server.fault("blocked", on="POST */campaigns", times=50)
    agency.lab.put(CAMPAIGN.encode(), "spring.campaign.yaml")
    results = agency.work()
    assert [result.success for result in results] == [False]
    (rejection,) = agency.lab.rejections()
    assert rejection["reason"] and json.dumps(rejection).find(agency.server.token) == -1
    assert rejection["kept_as"]


def test_no_account_no_campaign(agency: Agency) -> None:
    """A tenant without an account, or without caps, spends somebody else's money."""
    agency.write("rules/ad_accounts.yaml", "other:\n  account: act_1\n  currency: EUR\n  time_zone: Europe/Madrid\n  page: '1'\n")
    agency.lab.put(CAMPAIGN.encode(), "spring.campaign.yaml")
    assert agency.work() == []
    (rejection,) = agency.lab.rejections()
    assert "rules/ad_accounts.yaml" in rejection["reason"]


def test_a_broken_file_of_accounts_refuses_nobody(agency: Agency) -> None:
    """A typo of whoever runs VideoLab throws out what others have ordered."""
    agency.write(ACCOUNTS, "acme: [")
    path = agency.lab.put(CAMPAIGN.encode(), "spring.campaign.yaml")
    assert agency.work() == []
    assert path.exists() and agency.lab.rejections() == []
    agency.write(ACCOUNTS, ACCOUNTS_YAML)
    (made,) = agency.work()
    assert made.success, failures_of(made)


def test_a_split_is_a_study(agency: Agency) -> None:
    """An A/B split is made of ads that Meta shows to whom it likes."""
    result = agency.ask(f"{CAMPAIGN}split: clip\n", "spring.campaign.yaml")
    assert result.success, failures_of(result)
    (study,) = agency.server.objects("ad_study")
    assert len(agency.server.objects("adset")) == 2
    assert {ad.study_id for ad in agency.ledger.ads()} == {str(study["id"])}
    assert len({ad.cell for ad in agency.ledger.ads()}) == 2


def test_what_stood_in_the_way_can_be_mended(agency: Agency) -> None:
    """A mistake in the file of accounts is planned once and for all, and the campaign can never be made; or nobody sees it."""
    agency.write(ACCOUNTS, ACCOUNTS_YAML.replace("Europe/Madrid", "America/New_York"))
    failed = agency.ask(CAMPAIGN, "spring.campaign.yaml")
    assert not failed.success and "has the time zone Europe/Madrid" in str(failures_of(failed))
    assert len(agency.lab.rejections()) == 1
    agency.write(ACCOUNTS, ACCOUNTS_YAML)
    made = agency.ask(CAMPAIGN, "spring.campaign.yaml")
    assert made.success, failures_of(made)


def test_the_accounts_file_is_held_against_meta(agency: Agency) -> None:
    """A budget in another currency than the account's is a hundred times too much."""
    agency.write(ACCOUNTS, ACCOUNTS_YAML.replace("EUR", "JPY").replace("500.00", "500").replace("900.00", "900"))
    failed = agency.ask(CAMPAIGN.replace("300.00, currency: EUR", "300, currency: JPY"), "spring.campaign.yaml")
    assert not failed.success and "an account in EUR" in str(failures_of(failed)), failures_of(failed)
    assert agency.server.objects("campaign") == []
