"""Everything of a tenant stops, whatever else is broken."""

from pathlib import Path

import pytest

from videolab_assets.lib.campaigns.arming import activate
from videolab_assets.lib.campaigns.building import Patience, build
from videolab_assets.lib.campaigns.kill_switch import stop_tenant
from videolab_assets.lib.campaigns.request import Activation
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.meta.accounts import ACCOUNTS
from videolab_assets.lib.meta.graph import Graph
from videolab_assets_tests.graph_server import graph_server
from videolab_assets_tests.lib.campaigns import stage as stages

QUICK = Patience(settle_seconds=0.5)


def test_it_needs_no_readable_file_of_accounts(tmp_path: Path) -> None:
    """A typo in the file of accounts, in the very moment in which money runs away, keeps everybody from stopping it."""
    stage, said = stages.Stage(tmp_path), list[str]()
    with graph_server() as server:
        stages.add_account(server)
        server.processing_polls = 0
        plan, graph, account = stage.plan(), stages.graph_of(server), stages.account()
        build(plan, account, graph, stage.ledger, stage.store, stage.scratch, patience=QUICK)
        word = Activation.model_validate(
            {"campaign": plan.campaign_key, "currency": "EUR", "budget": "300.00", "by": "Ana"}, context={"tenant": stages.TENANT}
        )
        activate(plan, word, account, graph, stage.ledger, patience=QUICK)
        assert server.could_spend("act_1001") == 30_000
        stage.store.write_bytes(ACCOUNTS, b"acme: [", media_type="application/yaml")
        done = stop_tenant(stages.TENANT, "enough", lambda: graph, stage.ledger, stage.store, patience=QUICK, progress=said.append)
        assert len(done.paused) == 1
        assert server.could_spend("act_1001") == 0
    assert any(ACCOUNTS in sentence for sentence in said)


def test_without_a_token_the_stop_stands_all_the_same(tmp_path: Path) -> None:
    """Nobody can be reached at Meta, and what is under way goes on because nothing was written down."""
    stage = stages.Stage(tmp_path)

    def nobody() -> Graph:
        raise PermanentError("There is no access token for Meta.")

    with pytest.raises(PermanentError, match="access token"):
        stop_tenant(stages.TENANT, "enough", nobody, stage.ledger, stage.store, progress=lambda _: None)
    assert stage.ledger.stops.standing(stages.TENANT, "acme.spring.00000000") == "enough"


def test_without_a_database_what_has_a_tag_is_paused_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database is down in the very moment in which money runs away, and nothing is paused."""
    stage = stages.Stage(tmp_path)
    stage.store.write_bytes(ACCOUNTS, stages.ACCOUNTS, media_type="application/yaml")
    with graph_server() as server:
        stages.add_account(server)
        server.processing_polls = 0
        plan, graph = stage.plan(), stages.graph_of(server)
        built = build(plan, stages.account(), graph, stage.ledger, stage.store, stage.scratch, patience=QUICK)
        for role in ("ad:1", "ad:2", "adset:1", "campaign"):
            graph.post(built.ids[role], {"status": "ACTIVE"}, expects=("success",))
        assert server.could_spend("act_1001") == 30_000

        def away(*_: object) -> None:
            raise TransientError("The database cannot be used now.")

        monkeypatch.setattr(stage.ledger.stops, "stop", away)
        with pytest.raises(TransientError, match="Not everything"):
            stop_tenant(stages.TENANT, "enough", lambda: graph, stage.ledger, stage.store, patience=QUICK, progress=lambda _: None)
        assert server.could_spend("act_1001") == 0
