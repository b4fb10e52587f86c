"""From the tables and the library to each clip's performance, and back to the choice of the best."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from videolab_assets.lib.campaigns.building import Patience, build
from videolab_assets.lib.campaigns.ledger import Ledger
from videolab_assets.lib.campaigns.ordering import begin, order, ordered
from videolab_assets.lib.campaigns.terms import ClipRef
from videolab_assets.lib.insights import DayRange, InsightsTable, sync
from videolab_assets.lib.learning.performance import KEPT, measure, performance_in
from videolab_assets.lib.library import Library
from videolab_assets.lib.meta.accounts import ACCOUNTS, accounts_of
from videolab_assets.lib.store import Store, open_store
from videolab_assets_tests.defs.campaigns.agency import ACCOUNTS_YAML, lay_clips
from videolab_assets_tests.graph_server import graph_server
from videolab_assets_tests.lib.campaigns.stage import CAMPAIGN, NOW, VIDEO, Stage, graph_of


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(str(tmp_path / "store"))
    lay_clips(Library(store), 4, looks=("a",))
    store.write_bytes(ACCOUNTS, ACCOUNTS_YAML.encode(), media_type="application/yaml")
    return store


def test_what_ads_did_reaches_the_next_choice(tmp_path: Path, store: Store) -> None:
    """The clip that people watched is not chosen next time; an ad that somebody made elsewhere counts as one of ours."""
    stage = Stage(tmp_path)
    database, table = stage.database, InsightsTable(stage.database)
    ledger, account = Ledger(database), accounts_of(store)["acme"]
    day = date(2026, 11, 26)
    with graph_server() as server:
        truth = server.add_account("act_1001", business="701", page="501", instagram="601").insights
        server.processing_polls = 0
        key = order(store, CAMPAIGN.encode(), "acme", "spring.yaml", NOW)
        plan, _ = ordered(store, key, ledger, NOW)
        begin(store, plan, ledger)
        build(plan, account, graph_of(server), ledger, store, stage.scratch, patience=Patience(0.5))
        for ad in ledger.ads():
            watched = {"c01": 100, "c02": 900}[ad.clip.clip_id]
            truth.add(ad.ad_id, day, impressions=10_000, plays_3s=2_000, thruplays=watched, link_clicks=50, spend_minor=500)
        truth.add({"ad_id": "9", "adset_id": "8", "campaign_id": "7"}, day, impressions=10, plays_3s=1, thruplays=1, spend_minor=5)
        server.now = lambda: datetime(2026, 11, 27, 12, tzinfo=UTC)
        graph = graph_of(server)
        sync(graph, account, DayRange(day - timedelta(days=1), day), table, sleep=lambda _: None)
    measured = measure(store, ledger, table, [account], NOW)
    assert measured.foreign == ["9"]
    assert [one.clip.clip_id for one in measured.results.clips] == ["c02", "c01"]
    assert sum(measured.shares.values()) == pytest.approx(1)
    assert {one.clip.clip_id: one.watched for one in measured.evidence} == {"c01": 100, "c02": 900}
    assert all(one.score is not None and one.attributes for one in measured.evidence)
    did = performance_in(store)
    shown = {one.clip.clip_id: one.clip for one in measured.results.clips}
    better, worse = did(shown["c02"]), did(shown["c01"])
    assert better is not None and worse is not None and better > worse
    assert did(shown["c01"].model_copy(update={"clip_id": "c04"})) is None


def test_what_cannot_be_read_counts_as_nothing(store: Store) -> None:
    """After an update no campaign can be ordered any more, because of a document that is made anew every day."""
    store.write_bytes(KEPT, b'{"of": "another version"}', media_type="application/json")
    assert performance_in(store)(ClipRef(video_key=VIDEO, clip_id="c01", platform="instagram_reel")) is None
