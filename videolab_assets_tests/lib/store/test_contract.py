"""What both stores promise, over a folder and over a real S3 server."""

import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from videolab_assets.lib.errors import PermanentError, RejectedUpload
from videolab_assets.lib.store import AlreadyThere, ObjectMissing, Store, checked_key, open_store

RACERS = 24


@pytest.fixture(params=["folder", "s3", "s3 below a prefix"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    client, bucket = request.getfixturevalue("s3_client"), request.getfixturevalue("s3_bucket")
    return open_store(f"s3://{bucket}/below/it/" if "prefix" in request.param else f"s3://{bucket}", client)


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


def put(store: Store, key: str, data: bytes) -> None:
    assert store.write_bytes(key, data, media_type="video/mp4")


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def raced(one: Callable[[int], bool]) -> list[bool]:
    """What each of the racers got, all let go at once."""
    gate = threading.Barrier(RACERS)

    def run(racer: int) -> bool:
        gate.wait()
        return one(racer)

    with ThreadPoolExecutor(RACERS) as pool:
        return list(pool.map(run, range(RACERS)))


def test_writes_and_reads_back(store: Store) -> None:
    """A store that loses or changes bytes, or keeps an old version beside the new one."""
    put(store, "library/acme/a.json", b"first")
    put(store, "library/acme/a.json", b"second")
    assert store.read_bytes("library/acme/a.json", limit=6) == b"second"
    found = store.stat("library/acme/a.json")
    assert found is not None and (found.key, found.bytes, found.regular) == ("library/acme/a.json", 6, True)


def test_read_refuses_more_than_the_limit(store: Store) -> None:
    """A huge object under a document's name takes all memory."""
    put(store, "library/a", b"1234567")
    with pytest.raises(PermanentError, match="larger than the 6 bytes"):
        store.read_bytes("library/a", limit=6)


def test_missing_objects_say_so(store: Store, scratch: Path) -> None:
    """A file deleted between tick and run ends in a traceback instead of a sentence."""
    assert store.stat("inbox/acme/gone.mp4") is None
    for read in (lambda: store.read_bytes("inbox/acme/gone.mp4", 9), lambda: store.local("inbox/acme/gone.mp4", scratch).__enter__()):
        with pytest.raises(ObjectMissing, match="not in the store"):
            read()
    with pytest.raises(ObjectMissing, match="upload it again"):
        store.fetch("inbox/acme/gone.mp4", scratch / "copy", longest=100)
    with pytest.raises(ObjectMissing):
        store.move("inbox/acme/gone.mp4", "rejected/acme/gone.mp4")
    assert store.delete("inbox/acme/gone.mp4", "any version") is False


def test_lists_what_is_below_a_folder_only(store: Store) -> None:
    """Tenant `acme` is shown the uploads of `acme2`, or a half-written object."""
    for key in ("inbox/acme/a.mp4", "inbox/acme/deep/er/b.mp4", "inbox/acme2/c.mp4", "library/acme/d.mp4"):
        put(store, key, b"x")
    put(store, "inbox/acme/a b ✂ é.mp4", b"yz")
    expected = {"inbox/acme/a.mp4": 1, "inbox/acme/deep/er/b.mp4": 1, "inbox/acme/a b ✂ é.mp4": 2}
    assert {entry.key: entry.bytes for entry in store.list("inbox/acme")} == expected
    assert {entry.key: entry.bytes for entry in store.list("inbox/acme/")} == expected
    assert len(list(store.list(""))) == 5
    assert list(store.list("nothing/here")) == []


def test_listing_and_stat_agree(store: Store) -> None:
    """The sensor and the run see different versions of one upload, so that it is taken for another and processed twice."""
    put(store, "inbox/acme/a.mp4", b"x" * 1000)
    (listed,) = store.list("inbox")
    assert listed == store.stat("inbox/acme/a.mp4")


def test_version_changes_with_the_bytes(store: Store, scratch: Path) -> None:
    """A second upload under the same name is taken for the first and never processed."""
    versions = []
    for data in (b"one", b"two"):
        put(store, "inbox/acme/a.mp4", data)
        fetched = store.fetch("inbox/acme/a.mp4", scratch / data.decode(), longest=100)
        found = store.stat("inbox/acme/a.mp4")
        assert found is not None and found.version == fetched.version
        versions.append(found.version)
    assert versions[0] != versions[1]


def test_only_if_absent(store: Store, scratch: Path) -> None:
    """A late run overwrites what an earlier one published."""
    file = scratch / "new"
    file.write_bytes(b"new")
    assert store.supports_conditional
    assert store.write_bytes("library/a", b"old", media_type="text/plain", only_if_absent=True)
    assert not store.write_bytes("library/a", b"new", media_type="text/plain", only_if_absent=True)
    assert not store.put_file(file, "library/a", media_type="text/plain", sha256=sha256(b"new"), only_if_absent=True)
    assert store.read_bytes("library/a", 99) == b"old"
    assert store.put_file(file, "library/b", media_type="text/plain", sha256=sha256(b"new"), only_if_absent=True)
    assert {entry.key for entry in store.list("")} == {"library/a", "library/b"}


def test_one_of_many_wins_a_name(store: Store, scratch: Path) -> None:
    """Two runs of one upload both believe that they published it."""
    for racer in range(RACERS):
        (scratch / str(racer)).write_bytes(b"%d" % racer)
    assert store.supports_conditional
    by_bytes = raced(lambda racer: store.write_bytes("library/a", b"%d" % racer, media_type="text/plain", only_if_absent=True))
    by_file = raced(
        lambda racer: store.put_file(
            scratch / str(racer), "library/b", media_type="text/plain", sha256=sha256(b"%d" % racer), only_if_absent=True
        )
    )
    assert (sum(by_bytes), sum(by_file)) == (1, 1)
    assert store.read_bytes("library/a", 9) == b"%d" % by_bytes.index(True)
    assert store.read_bytes("library/b", 9) == b"%d" % by_file.index(True)


def test_put_file_and_local(store: Store, scratch: Path, tmp_path: Path) -> None:
    """A stored file comes back with other bytes, vanishes with the scratch folder it came from, or leaves downloads behind."""
    data = bytes(range(256)) * 40_000  # over the 8 MB at which boto3 turns to several parts
    made = scratch / "made.mp4"
    made.write_bytes(data)
    assert store.put_file(made, "library/acme/proxy.mp4", media_type="video/mp4", sha256=sha256(data))
    made.unlink()
    work = tmp_path / "work"
    work.mkdir()
    with store.local("library/acme/proxy.mp4", work) as path:
        assert path.read_bytes() == data
        assert path.suffix == ".mp4"
    assert list(work.iterdir()) == []
    assert store.stat("library/acme/proxy.mp4") is not None


def test_put_file_takes_plain_files_only(store: Store, scratch: Path) -> None:
    """A link in the scratch folder, made by a fooled child, publishes another file of this machine."""
    (scratch / "secret").write_bytes(b"secret")
    (scratch / "link").symlink_to(scratch / "secret")
    with pytest.raises(PermanentError, match="only plain files"):
        store.put_file(scratch / "link", "library/a", media_type="video/mp4", sha256="")
    assert store.stat("library/a") is None


def test_fetch_copies_and_hashes(store: Store, scratch: Path) -> None:
    """The hash that decides about duplicates is not that of the bytes that are processed."""
    data = bytes(range(251)) * 10_000
    put(store, "inbox/acme/a.mp4", data)
    fetched = store.fetch("inbox/acme/a.mp4", scratch / "copy", longest=len(data))
    assert (scratch / "copy").read_bytes() == data
    assert (fetched.bytes, fetched.sha256) == (len(data), sha256(data))


@pytest.mark.parametrize(("data", "code"), [(b"", "empty"), (b"12345678", "too_big")])
def test_fetch_rejects(store: Store, scratch: Path, data: bytes, code: str) -> None:
    """An empty file fails somewhere later without a reason; one over the cap fills the disk."""
    put(store, "inbox/acme/a.mp4", data)
    with pytest.raises(RejectedUpload) as rejected:
        store.fetch("inbox/acme/a.mp4", scratch / "copy", longest=7)
    assert (rejected.value.code, rejected.value.found["bytes"]) == (code, len(data))
    assert list(scratch.iterdir()) == []


def test_move(store: Store) -> None:
    """Moving overwrites another tenant's file, leaves the original behind, or cannot be repeated after a crash."""
    put(store, "inbox/acme/a.mp4", b"one")
    put(store, "rejected/acme/taken.mp4", b"another")
    with pytest.raises(AlreadyThere):
        store.move("inbox/acme/a.mp4", "rejected/acme/taken.mp4")
    with pytest.raises(AlreadyThere):
        store.move("inbox/acme/a.mp4", "inbox/acme/a.mp4")
    assert store.read_bytes("inbox/acme/a.mp4", 9) == b"one"
    store.move("inbox/acme/a.mp4", "rejected/acme/new/a.mp4")
    store.move("inbox/acme/a.mp4", "rejected/acme/new/a.mp4")
    assert store.stat("inbox/acme/a.mp4") is None
    assert store.read_bytes("rejected/acme/new/a.mp4", 9) == b"one"
    assert store.read_bytes("rejected/acme/taken.mp4", 9) == b"another"


def test_moved_files_can_still_be_verified(store: Store, scratch: Path) -> None:
    """A move drops the checksum, and a damaged object is believed."""
    put(store, "library/acme/a.mp4", b"one")
    store.move("library/acme/a.mp4", "trash/acme/a.mp4")
    with store.local("trash/acme/a.mp4", scratch) as path:
        assert path.read_bytes() == b"one"


def test_delete_spares_a_newer_upload(store: Store) -> None:
    """An upload that replaced the processed one is deleted unprocessed."""
    put(store, "inbox/acme/a.mp4", b"one")
    before = store.stat("inbox/acme/a.mp4")
    put(store, "inbox/acme/a.mp4", b"two")
    after = store.stat("inbox/acme/a.mp4")
    assert before is not None and after is not None
    assert store.delete("inbox/acme/a.mp4", before.version) is False
    assert store.read_bytes("inbox/acme/a.mp4", 9) == b"two"
    assert store.delete("inbox/acme/a.mp4", after.version) is True
    assert store.stat("inbox/acme/a.mp4") is None


BAD_KEYS = ["", ".", "..", "/etc/passwd", "../out", "a/../b", "a/./b", "a//b", "a/", "a\0b", "x" * 20_000, ".tmp/a", ".tmp", "a\ud800b"]


@pytest.mark.parametrize("key", BAD_KEYS, ids=[repr(key)[:20] for key in BAD_KEYS])
def test_bad_keys_are_refused_everywhere(store: Store, scratch: Path, key: str) -> None:
    """One method forgets the check, and a key reads or writes outside the root."""
    file = scratch / "file"
    file.write_bytes(b"x")
    put(store, "inbox/a", b"x")
    uses: list[Callable[[], Any]] = [
        lambda: store.uri(key),
        lambda: store.stat(key),
        lambda: store.read_bytes(key, 9),
        lambda: store.write_bytes(key, b"x", media_type="text/plain"),
        lambda: store.put_file(file, key, media_type="text/plain", sha256=""),
        lambda: store.fetch(key, scratch / "copy", longest=9),
        lambda: store.local(key, scratch).__enter__(),
        lambda: store.move("inbox/a", key),
        lambda: store.move(key, "rejected/a"),
        lambda: store.delete(key, "version"),
    ]
    for use in uses:
        with pytest.raises(PermanentError):
            use()
    assert [entry.key for entry in store.list("")] == ["inbox/a"]


def test_describes_itself_and_sweeps(store: Store) -> None:
    """`doctor` and the daemon's start call what one of the stores does not have."""
    assert store.describe()
    assert store.sweep_temporaries() == 0
    assert store.uri("inbox/a").startswith(("file:///", "s3://"))


@pytest.mark.parametrize("url", ["s3://", "s3:///prefix", "http://127.0.0.1/store", "file:///tmp/x"])
def test_other_urls_are_refused(url: str) -> None:
    """A mistyped address makes a folder of that name and the uploads go there."""
    with pytest.raises(PermanentError, match="is not a store"):
        open_store(url)


hostile_text = st.text(st.sampled_from("./\\\0\n ~a%é\ud800\udcff🎬") | st.characters(), max_size=40)


@given(hostile_text)
@example("a/b")
@example("..a/b..")
def test_no_key_leaves_its_root(key: str) -> None:
    """A key that passes the check names something outside, or another place than the one it spells."""
    try:
        checked = checked_key(key)
    except PermanentError:
        return
    root = PurePosixPath("/root/of/store")
    assert checked == key
    assert str(root / key) == f"{root}/{key}"
    assert ".." not in (root / key).parts and (root / key).is_relative_to(root)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Path]]:
    outside = tmp_path_factory.mktemp("outside")
    yield open_store(str(outside / "store")), outside


@given(key=hostile_text)
def test_accepted_keys_round_trip_through_a_folder(folders: tuple[Store, Path], key: str) -> None:
    """A name with odd bytes is written under one name and listed under another, or lands beside the store."""
    store, outside = folders
    try:
        store.write_bytes(f"inbox/{key}", b"x", media_type="video/mp4")
    except PermanentError:
        return
    (listed,) = store.list("inbox")
    assert listed.key == f"inbox/{key}"
    assert [entry.name for entry in outside.iterdir()] == ["store"]
    assert store.delete(listed.key, listed.version)
    shutil.rmtree(outside / "store" / "inbox")  # folders outlive their last file, and the next example may want that name


def test_a_folder_in_the_way_is_said_once(tmp_path: Path) -> None:
    """A name that a folder has is tried again and again, as if the disk had failed for a moment."""
    store = open_store(str(tmp_path / "store"))
    store.write_bytes("inbox/talk/part.mp4", b"x", media_type="video/mp4")
    with pytest.raises(PermanentError, match="folder"):
        store.write_bytes("inbox/talk", b"x", media_type="video/mp4")
