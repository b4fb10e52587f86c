"""A video's folder: documents are claims, and claims are checked."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from videolab_assets.lib.documents import Proxy, SourceVideo, Subtitles
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.library import Library
from videolab_assets.lib.store.local import LocalStore

KEY = "acme.talk.0123abcd"


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(LocalStore(tmp_path / "store"))


def subtitles(library: Library, recipe: str = "r") -> Subtitles:
    file = library.add_bytes(KEY, "subtitles.srt", b"1\n", "application/x-subrip")
    document = Subtitles(recipe=recipe, language="en", cues=[], files=[file])
    library.write(KEY, document)
    return document


def test_a_document_comes_back(library: Library) -> None:
    """What an asset wrote is not what the next one reads."""
    assert library.document(KEY, Subtitles) is None
    document = subtitles(library)
    assert library.document(KEY, Subtitles) == document
    assert library.document(KEY, Proxy) is None
    assert library.document_key(KEY, Subtitles) == f"library/acme/{KEY}/subtitles.json"
    assert document.files[0].sha256 == hashlib.sha256(b"1\n").hexdigest()


def test_a_file_is_published_under_its_own_name(library: Library, tmp_path: Path) -> None:
    """A file and what is said of it differ."""
    path = tmp_path / "proxy.mp4"
    path.write_bytes(b"moving picture")
    file = library.add_file(KEY, path, "video/mp4")
    assert file.key == f"library/acme/{KEY}/proxy.mp4"
    assert (file.bytes, file.sha256) == (14, hashlib.sha256(b"moving picture").hexdigest())
    path.unlink()
    assert library.store.read_bytes(file.key, 100) == b"moving picture"


def remove(path: Path) -> None:
    path.unlink()


def shorten(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [remove, shorten])
def test_work_whose_files_are_gone_is_done_again(damage: Callable[[Path], None], library: Library, tmp_path: Path) -> None:
    """Somebody deleted a proxy, and every later run finds it made."""
    document = subtitles(library)
    assert library.made(KEY, Subtitles, "r") == document
    damage(tmp_path / "store" / document.files[0].key)
    assert library.made(KEY, Subtitles, "r") is None


def test_other_settings_make_other_work(library: Library) -> None:
    """A new version of the code finds the old one's output made."""
    subtitles(library, "old")
    assert library.made(KEY, Subtitles, "new") is None


@pytest.mark.parametrize("written", [b"", b"{", b"[]", b'{"recipe": "r", "from_the_future": 1}', b"\xff"])
def test_a_document_of_another_version(written: bytes, library: Library) -> None:
    """A document that cannot be read stops the asset that would write it anew, or is passed on half-read."""
    library.store.write_bytes(library.document_key(KEY, Subtitles), written, media_type="application/json")
    assert library.made(KEY, Subtitles, "r") is None
    with pytest.raises(PermanentError, match="materialize it again") as raised:
        library.document(KEY, Subtitles)
    assert "\n" not in raised.value.sentence


def test_keys_of_nobody_are_refused(library: Library) -> None:
    """A partition that somebody added by hand writes outside its tenant's folder."""
    with pytest.raises(PermanentError):
        library.document("../../etc/passwd", SourceVideo)
