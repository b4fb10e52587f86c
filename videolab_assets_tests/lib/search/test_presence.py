"""What was deleted leaves the index."""

from pathlib import Path

import pytest

from videolab_assets.lib.database import Database
from videolab_assets.lib.documents import Transcript
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.library import Library
from videolab_assets.lib.search import Index, forget_missing, present
from videolab_assets.lib.store.local import LocalStore
from videolab_assets_tests.lib.summary.spoken import spoken

KEYS = [f"acme.talk.{number:08x}" for number in range(12)]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(LocalStore(tmp_path / "store"))


@pytest.fixture
def searched(tmp_path: Path, library: Library) -> Index:
    """Twelve videos that are in the library and in the index."""
    opened = Index(Database(f"sqlite:///{tmp_path}/videolab.db"))
    for key in KEYS:
        transcript: Transcript = spoken(["A bridge fell."])
        library.write(key, transcript)
        opened.put(key, transcript)
    return opened


def deleted(library: Library, *keys: str) -> None:
    for key in keys:
        found = library.store.stat(library.document_key(key, Transcript))
        assert found and library.store.delete(found.key, found.version)


def test_moments_of_a_deleted_video_are_not_shown(searched: Index, library: Library) -> None:
    """Prevents a hit that leads to a video that is gone, in the hours until the index is tidied."""
    deleted(library, KEYS[3])
    assert [moment.video_key for moment in present(searched.find("bridge"), library)] == [key for key in KEYS if key != KEYS[3]]


def test_deleted_videos_leave_the_index_and_the_others_stay(searched: Index, library: Library) -> None:
    """Prevents words of a video that its owner has deleted from staying in the database."""
    deleted(library, KEYS[3])
    gone = forget_missing(searched, library, lambda key: key != KEYS[5])
    assert gone == [KEYS[3], KEYS[5]]
    assert searched.video_keys() == [key for key in KEYS if key not in gone]
    assert searched.count() == 10
    assert forget_missing(searched, library, lambda key: key != KEYS[5]) == []


def test_an_empty_library_is_taken_for_the_wrong_one(searched: Index, library: Library) -> None:
    """Prevents a wrong store address, or a fresh Dagster beside an old database, from emptying the index."""
    deleted(library, *KEYS)
    with pytest.raises(PermanentError, match="12 videos"):
        forget_missing(searched, library, lambda _: True)
    assert searched.count_videos() == 12
