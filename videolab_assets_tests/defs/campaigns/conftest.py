"""An agency for each test."""

from collections.abc import Iterator

import pytest

from videolab_assets_tests.defs.campaigns.agency import Agency, lay_clips
from videolab_assets_tests.graph_server import graph_server
from videolab_assets_tests.lab import Lab


@pytest.fixture
def agency(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Agency]:
    """A tenant with four clips and an account."""
    with graph_server() as server:
        lay_clips(lab.library)
        yield Agency(lab, server, monkeypatch)
