"""Posts that a person confirms, from the inbox and from the launchpad."""

import dagster as dg

from videolab_assets_tests.defs.campaigns.agency import Agency
from videolab_assets_tests.lab import failures_of, materialized
from videolab_assets_tests.lib.campaigns.stage import VIDEO

POST = {
    "video": VIDEO,
    "clip": "c01",
    "platform": "instagram_reel",
    "account": "acme",
    "post": "https://www.instagram.com/reel/C9aBcDeFgHi/",
    "time": "2026-11-20 18:00+01:00",
}


def file_of(**changed: str) -> str:
    return "".join(f"{name}: {value}\n" for name, value in {**POST, **changed}.items())


def test_a_post_is_recorded_once(agency: Agency) -> None:
    """A post is lost, counts twice, or a second one of the same clip replaces the first."""
    first = agency.ask(file_of(), "reel.publication.yaml")
    assert first.success, failures_of(first)
    shown = materialized(first)["publications"].metadata
    assert (shown["publications"].value, shown["new"].value) == (1, True)
    table = shown["table"]
    assert isinstance(table, dg.TableMetadataValue) and table.records[0].data["clip"] == "c01"
    again = agency.ask(file_of(), "again.publication.yaml")
    assert again.success and materialized(again)["publications"].metadata["new"].value is False
    agency.lab.put(file_of(post="https://www.instagram.com/reel/Another/").encode(), "other.publication.yaml")
    assert [result.success for result in agency.work()] == [False]
    (rejection,) = agency.lab.rejections()
    assert "out on acme already" in rejection["reason"]


def test_a_post_of_no_clip_is_refused(agency: Agency) -> None:
    """Results are counted for a clip that never was."""
    agency.lab.put(file_of(clip="c77").encode(), "reel.publication.yaml")
    assert agency.work() == []
    assert agency.refused[0]["refused"] == f"Line 2: clip is 'c77', and a clip that {VIDEO} has as instagram_reel was expected."
    (event,) = agency.lab.instance.fetch_observations(dg.AssetKey("publications"), limit=1).records
    assert event.asset_observation


def test_the_launchpad_checks_the_same(agency: Agency) -> None:
    """From the launchpad anything goes into the table."""
    good = agency.launch("record_publication", POST, "publications")
    assert good.success, failures_of(good)
    bad = agency.launch("record_publication", {**POST, "clip": "c77"}, "publications")
    assert not bad.success and "c77" in str(failures_of(bad))
