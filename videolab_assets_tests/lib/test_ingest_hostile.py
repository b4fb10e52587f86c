"""Hostile names and folder entries through the store and the whole intake of a file, without Dagster."""

import base64
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.catalogue import Catalogue, State
from videolab_assets.lib.documents import SourceVideo
from videolab_assets.lib.errors import RejectedUpload
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.gate import Caps
from videolab_assets.lib.ingest import Duplicate, take_in
from videolab_assets.lib.intake import Rules, look
from videolab_assets.lib.library import Library
from videolab_assets.lib.store.local import LocalStore

GENERATOR = Path(__file__).parents[3] / "shared" / "hostile" / "make_hostile.py"
ADDRESS = ("127.0.0.1", 18999)  # named by those inputs that try to call somebody
NOW = 1e10
RULES = Rules(settle_seconds=5, max_in_flight=1000, max_attempts=3, most_new=1000)

pytestmark = pytest.mark.skipif(not GENERATOR.is_file(), reason="the hostile uploads are not beside this checkout")


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    try:
        server = socket.create_server(ADDRESS)
    except OSError:
        pytest.skip("another test listens at that address")
    with server:
        server.settimeout(0)
        yield server


def contents(folder: Path) -> dict[str, bytes | str]:
    """What is in a folder, without following or opening anything but plain files of modest size."""
    found: dict[str, bytes | str] = {}
    for path in folder.rglob("*"):
        if path.is_symlink():
            found[str(path)] = str(path.readlink())
        elif path.is_file() and path.stat().st_size < 1 << 26:
            found[str(path)] = path.read_bytes()
    return found


@pytest.mark.parametrize("group", ["names", "objects"])
def test_names_and_objects(group: str, tmp_path: Path, listener: socket.socket) -> None:
    """A name or an entry that is no plain file escapes the inbox, hangs the intake, is lost, or is taken for something it is not."""
    root, outside = tmp_path / "store", tmp_path / "outside"
    inbox = root / "inbox" / "acme"
    outside.mkdir()
    inbox.mkdir(parents=True)
    (outside / "secret.mp4").write_bytes(b"somebody else's")
    subprocess.run(
        [sys.executable, str(GENERATOR), str(inbox), "--ffmpeg", str(binary()), "--only", group],
        check=True,
        timeout=120,
        capture_output=True,
    )
    cases: list[dict[str, Any]] = json.loads((inbox / "manifest.json").read_text())["cases"]
    (inbox / "manifest.json").unlink()
    before = contents(outside)
    plain = {content for content in contents(inbox).values() if isinstance(content, bytes)}

    store, catalogue = LocalStore(root), Catalogue(f"sqlite:///{tmp_path / 'videolab.db'}", lambda: NOW)
    library = Library(store)
    seen = look(store, catalogue, lambda _: {}, lambda run, sentence: None, RULES, NOW)
    verdicts: dict[bytes, str] = {}
    for ask in seen.asks:
        name = os.fsencode(ask.upload.inbox_key.removeprefix("inbox/acme/"))
        try:
            taken = take_in(ask.upload, library, catalogue, tmp_path / "scratch", Caps())
        except RejectedUpload as rejection:
            assert rejection.sentence.isprintable()
            verdicts[name] = "reject"
        else:
            verdicts[name] = "duplicate" if isinstance(taken, Duplicate) else taken.verdict
        ended = catalogue.by_upload_id(ask.upload.upload_id)
        assert ended
        assert ended.state in (State.ACCEPTED, State.DUPLICATE, State.REJECTED)

    assert len(cases) > 10
    wrong = []
    for case in cases:
        name = base64.b64decode(case["name_base64"])
        allowed = {case["expected"], *case["also_allowed"]}
        said = verdicts.get(name, "wait")
        as_accepted = "accept" if said == "duplicate" else said
        if as_accepted not in allowed and not (said == "wait" and name.endswith(b".part")):
            wrong.append((case["file"], said, sorted(allowed)))
    assert wrong == []
    assert sorted(verdicts.values()).count("accept") == len(list(store.list("library"))) / 2

    kept = {content for folder in ("library", "rejected") for content in contents(root / folder).values()}
    assert {content for content in plain - kept if content not in contents(inbox).values()} == set(), "an upload was lost"
    assert [path.name for path in inbox.iterdir() if path.suffix != ".part"] == []
    assert contents(outside) == before
    documents = [library.document(entry.key.split("/")[2], SourceVideo) for entry in store.list("library") if entry.key.endswith(".json")]
    assert all(document and document.original_name.isprintable() for document in documents)
    with pytest.raises(BlockingIOError):
        listener.accept()
    assert list((tmp_path / "scratch").iterdir()) == []
