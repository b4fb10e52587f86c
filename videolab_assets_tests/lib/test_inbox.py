"""What lies in the inbox: whose, and whether it is whole."""

import time
from pathlib import Path

import pytest

from videolab_assets.lib.inbox import entries
from videolab_assets.lib.store import open_store

NAMES = {
    "clip.mp4.part": "clip.mp4",
    "clip.mp4.CRDOWNLOAD": "clip.mp4",
    ".clip.mp4.Ab3xYz": "clip.mp4",
    "~clip.mp4": "clip.mp4",
    ".part": "",
    "part": "part",
    "clip.part.mp4": "clip.part.mp4",
    ".hidden.mp4": ".hidden.mp4",
    "a\nb.tmp": "a\nb",
}


def put(root: Path, key: str) -> None:
    path = root / "inbox" / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")


@pytest.mark.parametrize("name", NAMES)
def test_names_of_unfinished_files(name: str, tmp_path: Path) -> None:
    """The temporary file of a browser or of rsync is taken away from under it, or a finished one waits for ever."""
    put(tmp_path, f"acme/{name}")
    (entry,) = entries(open_store(str(tmp_path)), 0.0, time.time())
    assert entry.final_key == f"inbox/acme/{NAMES[name]}"
    assert entry.is_whole == (name == NAMES[name])


def test_whose_it_is(tmp_path: Path) -> None:
    """What lies beside the tenants' folders is taken for somebody's; or what a file manager leaves there is."""
    for key in ("acme/a.mp4", "acme/deep/b.mp4", "Bad Name/c.mp4", "d.mp4", "acme/.DS_Store"):
        put(tmp_path, key)
    found = {entry.found.key.removeprefix("inbox/"): entry.tenant for entry in entries(open_store(str(tmp_path)), 0.0, time.time())}
    assert found == {"acme/a.mp4": "acme", "acme/deep/b.mp4": "acme", "Bad Name/c.mp4": None, "d.mp4": None}


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_file_settles_whatever_the_clock_says(hours: int, tmp_path: Path) -> None:
    """A file that is still being copied is taken; or after a clock was set back one is waited for until that time comes again."""
    put(tmp_path, "acme/a.mp4")
    store, now = open_store(str(tmp_path)), time.time()
    (fresh,) = entries(store, 60.0, now)
    (later,) = entries(store, 60.0, now + hours * 3600)
    assert not fresh.is_whole
    assert later.is_whole
