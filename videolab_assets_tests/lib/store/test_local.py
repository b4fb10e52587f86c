"""What can go wrong in a folder only: links, odd entries, races, killed processes, a full disk."""

import errno
import hashlib
import itertools
import multiprocessing
import os
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import pytest

from videolab_assets.lib.errors import PermanentError, RejectedUpload, TransientError
from videolab_assets.lib.processes import ProcessIdentity, this_process
from videolab_assets.lib.store import AlreadyThere, ChangedWhileRead, ObjectMissing, beneath, copies, local, open_store
from videolab_assets.lib.store.local import DEEPEST, LocalStore

ROOT_READS_EVERYTHING = os.geteuid() == 0
KILLS = 20


@pytest.fixture
def store(tmp_path: Path) -> LocalStore:
    store = open_store(str(tmp_path / "store"))
    assert isinstance(store, LocalStore)
    (store.root / "inbox/acme").mkdir(parents=True)
    return store


@pytest.fixture
def inbox(store: LocalStore) -> Path:
    return store.root / "inbox/acme"


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture(params=["renameat2", "hard links"])
def renaming(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of taking a name without overwriting: the second is that of macOS and of old file systems."""
    if request.param == "hard links":
        monkeypatch.setattr(beneath, "_renameat2", None)


NAMES = [
    b"new\nline.mp4",
    "émoji_😀🎬.mp4".encode(),
    b"not_utf8_\xff.mp4",
    b"n" * 251 + b".mp4",
    b"..mp4",
    b"..%2f..%2fetc.mp4",
    b"-dash.mp4",
    b"'quote\"$(id)`x`;&|.mp4",
    b"a:b=c,d[e]\\f.mp4",
    b".hidden.mp4",
    b"%d_%03d.mp4",
]


def test_odd_names_are_listed_fetched_and_moved(store: LocalStore, inbox: Path, scratch: Path) -> None:
    """One hostile name stops the listing, and with it every other upload; or its file can never be taken out of the inbox."""
    for name in NAMES:
        (inbox / os.fsdecode(name)).write_bytes(name)
    listed = {os.fsencode(entry.key).removeprefix(b"inbox/acme/"): entry for entry in store.list("inbox")}
    assert set(listed) == set(NAMES)
    for number, (name, entry) in enumerate(listed.items()):
        fetched = store.fetch(entry.key, scratch / str(number), longest=1000)
        assert entry.regular and fetched.version == entry.version
        assert fetched.sha256 == hashlib.sha256(name).hexdigest()
        assert store.uri(entry.key).startswith("file:///")
        store.move(entry.key, f"rejected/acme/{number}.mp4")
    assert list(store.list("inbox")) == []


def test_too_long_a_name_is_a_sentence(store: LocalStore) -> None:
    """A target with an ending added to 255 bytes fails with a bare OSError, and is tried again for ever."""
    with pytest.raises(PermanentError, match="too long"):
        store.write_bytes("rejected/" + "n" * 255 + ".json", b"{}", media_type="application/json")


def make_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(path.parent)  # the name of a socket ends at 107 bytes
        try:
            server.bind(path.name)
        finally:
            os.chdir(here)


def make_sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b"x" * 5000)
        file.truncate(12 * 1024**3)


def make_unreadable(path: Path) -> None:
    path.write_bytes(b"x")
    path.chmod(0)


ODD_ENTRIES: dict[str, tuple[Callable[[Path], object], str, bool]] = {
    "link to a file": (lambda path: path.symlink_to("/etc/passwd"), "symlink", False),
    "link to a device": (lambda path: path.symlink_to("/dev/zero"), "symlink", False),
    "link to itself": (lambda path: path.symlink_to(path.name), "symlink", False),
    "link to its folder": (lambda path: path.symlink_to("."), "symlink", False),
    "link to nothing": (lambda path: path.symlink_to("nothing"), "symlink", False),
    "named pipe": (lambda path: os.mkfifo(path), "not_a_file", False),
    "socket": (make_socket, "not_a_file", False),
    "empty folder named like a file": (lambda path: path.mkdir(), "not_a_file", False),
    "sparse": (make_sparse, "sparse", True),
    "empty": (lambda path: path.touch(), "empty", True),
    "unreadable": (make_unreadable, "unreadable", True),
}


@pytest.mark.parametrize("kind", ODD_ENTRIES)
def test_odd_entries_are_listed_rejected_and_moved(
    store: LocalStore, inbox: Path, scratch: Path, kind: str, renaming: None, request: pytest.FixtureRequest
) -> None:
    """A link makes us read outside the store, a pipe hangs us, a sparse file fills the disk; or it stays in the inbox for ever."""
    if kind == "unreadable" and ROOT_READS_EVERYTHING:
        pytest.skip("root may read every file")
    if "folder named" in kind and beneath._renameat2 is None:
        pytest.skip("hard links cannot move a folder")
    make, code, regular = ODD_ENTRIES[kind]
    make(inbox / "a.mp4")
    before = (inbox / "a.mp4").lstat()
    (entry,) = store.list("inbox")
    assert (entry.key, entry.regular) == ("inbox/acme/a.mp4", regular)
    assert store.stat(entry.key) == entry
    with pytest.raises(RejectedUpload) as rejected:
        store.fetch(entry.key, scratch / "copy", longest=20 * 1024**3)
    assert rejected.value.code == code
    assert list(scratch.iterdir()) == []
    store.move(entry.key, "rejected/acme/a.mp4")
    after = (store.root / "rejected/acme/a.mp4").lstat()
    assert (after.st_ino, after.st_mode, after.st_blocks) == (before.st_ino, before.st_mode, before.st_blocks)
    assert list(store.list("inbox")) == []


def test_planted_links_lead_nowhere(store: LocalStore, inbox: Path, scratch: Path, tmp_path: Path) -> None:
    """A folder that an uploader made a link lets them read or write outside the store through names below it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    (inbox / "sub").symlink_to(outside)
    assert [(entry.key, entry.regular) for entry in store.list("inbox")] == [("inbox/acme/sub", False)]
    assert list(store.list("inbox/acme/sub")) == []
    assert store.stat("inbox/acme/sub/secret") is None
    (scratch / "file").write_bytes(b"x")
    uses: list[Callable[[], object]] = [
        lambda: store.read_bytes("inbox/acme/sub/secret", 99),
        lambda: store.fetch("inbox/acme/sub/secret", scratch / "copy", longest=99),
        lambda: store.local("inbox/acme/sub/secret", scratch).__enter__(),
        lambda: store.read_bytes("inbox/acme/sub", 99),
        lambda: store.write_bytes("inbox/acme/sub/new", b"x", media_type="text/plain"),
        lambda: store.put_file(scratch / "file", "inbox/acme/sub/new", media_type="text/plain", sha256=""),
        lambda: store.move("inbox/acme/sub/secret", "rejected/secret"),
        lambda: store.move("inbox/acme/sub", "inbox/acme/sub/new"),
        lambda: store.delete("inbox/acme/sub/secret", local._version((outside / "secret").stat())),
    ]
    for use in uses:
        with pytest.raises(PermanentError):
            use()
    assert [entry.name for entry in outside.iterdir()] == ["secret"]


def test_deep_folders_are_reported_not_descended(store: LocalStore, inbox: Path, scratch: Path) -> None:
    """Ten thousand folders in each other take every descriptor, and no upload is seen any more."""
    deepest = inbox.joinpath(*"d" * (DEEPEST + 10))
    deepest.mkdir(parents=True)
    (deepest / "a.mp4").write_bytes(b"x")
    (inbox / "good.mp4").write_bytes(b"x")
    listed = {entry.key: entry.regular for entry in store.list("")}
    assert listed.pop("inbox/acme/good.mp4") is True
    ((key, regular),) = listed.items()
    assert not regular and key.count("/") == DEEPEST - 1
    store.move(key, "rejected/acme/deep")
    assert [entry.key for entry in store.list("inbox")] == ["inbox/acme/good.mp4"]


@pytest.mark.skipif(ROOT_READS_EVERYTHING, reason="root may read every folder")
def test_a_closed_folder_does_not_stop_the_listing(store: LocalStore, inbox: Path) -> None:
    """One tenant's folder without read permission hides the uploads of all others."""
    (inbox / "closed").mkdir(mode=0)
    (inbox / "good.mp4").write_bytes(b"x")
    assert {(entry.key, entry.regular) for entry in store.list("inbox")} == {("inbox/acme/closed", False), ("inbox/acme/good.mp4", True)}


def test_a_missing_root_is_no_empty_store(store: LocalStore, scratch: Path) -> None:
    """The store's disk is not mounted, and everything in it is taken for deleted."""
    shutil.rmtree(store.root)
    uses: list[Callable[[], object]] = [
        lambda: list(store.list("")),
        lambda: store.stat("a"),
        lambda: store.fetch("a", scratch / "copy", longest=9),
        lambda: store.write_bytes("a", b"x", media_type="text/plain"),
    ]
    for use in uses:
        with pytest.raises(TransientError, match="mounted"):
            use()


def test_listing_streams(store: LocalStore, inbox: Path) -> None:
    """A tick over a full inbox looks at every file before it takes the first; or entries that vanish meanwhile stop it."""
    for number in range(200):
        (inbox / f"{number}.mp4").write_bytes(b"x")
    listing = store.list("inbox")
    first = next(listing)
    for path in inbox.iterdir():
        path.unlink()
    assert list(listing) == []
    assert first.regular


def change(path: Path, how: str) -> None:
    match how:
        case "grows":
            with path.open("ab") as file:
                file.write(b"more")
        case "shrinks":
            os.truncate(path, 1_500_000)
        case "changes in place":
            with path.open("r+b") as file:
                file.write(b"other")
            os.utime(path, ns=(1, 1))


@pytest.mark.parametrize("how", ["grows", "shrinks", "changes in place"])
def test_changes_during_the_copy_are_noticed(
    store: LocalStore, inbox: Path, scratch: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of one upload and half of the next are processed as one video."""
    (inbox / "a.mp4").write_bytes(b"x" * 3_000_000)
    copy_hashed = copies.copy_hashed

    def with_a_writer(chunks: Iterable[bytes], path: Path, longest: int) -> tuple[int, str]:
        def interrupted() -> Iterator[bytes]:
            for number, chunk in enumerate(chunks):
                if number == 1:
                    change(inbox / "a.mp4", how)
                yield chunk

        return copy_hashed(interrupted(), path, longest)

    monkeypatch.setattr(local, "copy_hashed", with_a_writer)
    with pytest.raises(ChangedWhileRead):
        store.fetch("inbox/acme/a.mp4", scratch / "copy", longest=10_000_000)
    assert list(scratch.iterdir()) == []


def test_replaced_during_the_copy(store: LocalStore, inbox: Path, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new file renamed over the upload is mixed into the copy, or deleted as if it had been processed."""
    (inbox / "a.mp4").write_bytes(b"old" * 1000)
    (scratch / "new").write_bytes(b"new" * 1000)
    copy_hashed = copies.copy_hashed

    def replaced(chunks: Iterable[bytes], path: Path, longest: int) -> tuple[int, str]:
        (scratch / "new").rename(inbox / "a.mp4")
        return copy_hashed(chunks, path, longest)

    monkeypatch.setattr(local, "copy_hashed", replaced)
    fetched = store.fetch("inbox/acme/a.mp4", scratch / "copy", longest=10_000)
    assert (scratch / "copy").read_bytes() == b"old" * 1000
    assert store.delete("inbox/acme/a.mp4", fetched.version) is False
    assert (inbox / "a.mp4").read_bytes() == b"new" * 1000


def test_one_of_many_wins_a_move(store: LocalStore, inbox: Path, renaming: None) -> None:
    """Two uploads moved to one name at the same time: one is lost."""
    for racer in range(24):
        (inbox / f"{racer}.mp4").write_bytes(b"%d" % racer)

    def moved(racer: int) -> bool:
        try:
            store.move(f"inbox/acme/{racer}.mp4", "rejected/acme/a.mp4")
        except AlreadyThere:
            return False
        return True

    with ThreadPoolExecutor(24) as pool:
        won = list(pool.map(moved, range(24)))
    assert sum(won) == 1
    assert (store.root / "rejected/acme/a.mp4").read_bytes() == b"%d" % won.index(True)
    assert len(list(inbox.iterdir())) == 23


def test_a_move_cut_off_between_its_two_steps_is_finished(store: LocalStore, inbox: Path, renaming: None) -> None:
    """A process killed after the link leaves a file under both names, and moving it again refuses for ever."""
    (inbox / "a.mp4").write_bytes(b"x")
    (store.root / "rejected").mkdir()
    os.link(inbox / "a.mp4", store.root / "rejected/a.mp4")
    store.move("inbox/acme/a.mp4", "rejected/a.mp4")
    assert list(inbox.iterdir()) == []
    assert (store.root / "rejected/a.mp4").read_bytes() == b"x"


def test_only_if_absent_without_renameat2(store: LocalStore, renaming: None) -> None:
    """On a system without renameat2, a second writer overwrites the first, or leaves its temporary."""
    wrote = [store.write_bytes("a", data, media_type="text/plain", only_if_absent=True) for data in (b"one", b"two")]
    assert wrote == [True, False]
    assert (store.root / "a").read_bytes() == b"one"
    assert list((store.root / ".tmp").iterdir()) == []


def test_put_file_shares_no_bytes_with_a_file_that_has_another_name(store: LocalStore, scratch: Path) -> None:
    """Whoever holds the other name writes to it, and a published object changes."""
    alone, shared = scratch / "alone", scratch / "shared"
    alone.write_bytes(b"alone")
    shared.write_bytes(b"shared")
    os.link(shared, scratch / "second name")
    store.put_file(alone, "a", media_type="text/plain", sha256="")
    store.put_file(alone, "b", media_type="text/plain", sha256="")
    store.put_file(shared, "c", media_type="text/plain", sha256="")
    assert (store.root / "a").samefile(alone)
    assert not (store.root / "b").samefile(alone)
    assert not (store.root / "c").samefile(shared)
    assert [(store.root / name).read_bytes() for name in "abc"] == [b"alone", b"alone", b"shared"]


def test_put_file_across_file_systems(store: LocalStore, scratch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scratch folder on another disk: the bytes cannot be linked and have to be copied."""

    def link(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", link)
    data = bytes(range(256)) * 10_000
    (scratch / "file").write_bytes(data)
    store.put_file(scratch / "file", "a", media_type="text/plain", sha256="")
    assert (store.root / "a").read_bytes() == data


def test_objects_have_the_mode_that_the_operator_set(store: LocalStore, scratch: Path) -> None:
    """What one user's daemon writes cannot be read by the others that the operator's umask allows; or half-written files can."""
    before = os.umask(0o027)
    try:
        store.write_bytes("library/a", b"x", media_type="text/plain")
    finally:
        os.umask(before)
    assert stat.S_IMODE((store.root / "library/a").stat().st_mode) == 0o640
    assert stat.S_IMODE((store.root / ".tmp").stat().st_mode) == 0o700


def write_for_ever(root: Path, scratch: Path, published: "Synchronized[int]") -> None:
    """Publishes files whose name is the hash of their content, by copy and by link, until killed."""
    store = LocalStore(root)
    for number in itertools.count():
        data = os.urandom(64) * 40_000
        name = f"library/{hashlib.sha256(data).hexdigest()}"
        if number % 2:
            store.write_bytes(name, data, media_type="video/mp4", only_if_absent=bool(number % 4 == 1))
        else:
            path = scratch / f"{os.getpid()}-{number}"
            path.write_bytes(data)
            store.put_file(path, name, media_type="video/mp4", sha256="")
        published.value += 1


def test_a_killed_writer_leaves_no_half_file(store: LocalStore, scratch: Path) -> None:
    """`kill -9` in the middle of a write leaves half an object under a final name, or temporaries that nobody clears away."""
    forked = multiprocessing.get_context("fork")
    published = forked.Value("i", 0)
    temporaries = store.root / ".tmp"
    for kill in itertools.count():
        if kill >= KILLS and any(temporaries.iterdir()):
            break
        assert kill < 10 * KILLS, "no kill hit a write: the test proves nothing"
        published.value = 0
        writer = forked.Process(target=write_for_ever, args=(store.root, scratch, published))
        writer.start()
        while published.value < 2:
            time.sleep(0.001)
        time.sleep(0.02 * (kill % KILLS) / KILLS)
        writer.kill()
        writer.join()
        for path in scratch.iterdir():
            path.unlink()
    objects = list(store.list("library"))
    assert len(objects) >= 2 * KILLS
    for entry in objects:
        assert hashlib.sha256((store.root / entry.key).read_bytes()).hexdigest() == entry.key.removeprefix("library/")
    left = len(list(temporaries.iterdir()))
    assert store.sweep_temporaries() == left
    assert list(temporaries.iterdir()) == []


def test_sweep_spares_what_may_be_in_use(store: LocalStore) -> None:
    """A long write of a living process, or of another machine on a shared disk, loses its file to the sweeper."""
    store.write_bytes("a", b"x", media_type="text/plain")
    ended = subprocess.Popen(["true"])
    ended.wait()
    here = this_process()
    gone = [
        ProcessIdentity(here.host, here.boot, ended.pid, 1),
        ProcessIdentity(here.host, here.boot, here.pid, here.started + 1),
        ProcessIdentity(here.host, "0badb007", here.pid, here.started),
    ]
    alive = [here, ProcessIdentity("another-host", "0badb007", 1, 1)]
    for identity in gone + alive:
        (store.root / ".tmp" / f"{identity.token}_0123456789abcdef").write_bytes(b"half")
    (store.root / ".tmp/somebody elses").write_bytes(b"")
    os.utime(store.root / ".tmp" / f"{here.token}_0123456789abcdef", (0, 0))
    assert [entry.key for entry in store.list("")] == ["a"]
    assert store.sweep_temporaries() == len(gone)
    assert {path.name for path in (store.root / ".tmp").iterdir()} == {f"{i.token}_0123456789abcdef" for i in alive} | {"somebody elses"}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 KB."""
    folder = tmp_path / "small"
    folder.mkdir()
    if (
        shutil.which("mount") is None
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", folder], capture_output=True).returncode
    ):
        pytest.skip("a small disk can be mounted by root only")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_full_disk_leaves_the_store_as_it_was(small_disk: Path, scratch: Path) -> None:
    """A full disk leaves half an object, destroys the version before, or blames the uploader's file."""
    store = LocalStore(small_disk / "store")
    store.write_bytes("library/a", b"before", media_type="text/plain")
    (scratch / "large").write_bytes(b"x" * 1_000_000)
    writes: tuple[Callable[[], object], ...] = (
        lambda: store.write_bytes("library/a", b"x" * 1_000_000, media_type="text/plain"),
        lambda: store.put_file(scratch / "large", "library/a", media_type="text/plain", sha256=""),
        lambda: store.put_file(scratch / "large", "library/b", media_type="text/plain", sha256="", only_if_absent=True),
    )
    for write in writes:
        with pytest.raises(TransientError, match="full"):
            write()
    assert [entry.key for entry in store.list("")] == ["library/a"]
    assert store.read_bytes("library/a", 99) == b"before"
    assert list((store.root / ".tmp").iterdir()) == []


def test_no_space_for_the_private_copy(store: LocalStore, inbox: Path, small_disk: Path) -> None:
    """An upload is rejected because our own scratch disk is full, or its half copy stays and keeps it full."""
    (inbox / "a.mp4").write_bytes(b"x" * 1_000_000)
    with pytest.raises(TransientError, match=r"scratch folder .* is full"):
        store.fetch("inbox/acme/a.mp4", small_disk / "copy", longest=10_000_000)
    assert list(small_disk.iterdir()) == []


def test_deleted_between_listing_and_fetch(store: LocalStore, inbox: Path, scratch: Path) -> None:
    """A file that its owner took back is tried again and again."""
    (inbox / "a.mp4").write_bytes(b"x")
    (entry,) = store.list("inbox")
    (inbox / "a.mp4").unlink()
    with pytest.raises(ObjectMissing, match="deleted or renamed before"):
        store.fetch(entry.key, scratch / "copy", longest=9)


def test_finished_work_leaves_no_empty_folders(store: LocalStore) -> None:
    """A hundred thousand videos leave as many trees of empty folders; or a tenant's inbox goes away under its uploads."""

    def deleted(key: str) -> None:
        found = store.stat(key)
        assert found
        assert store.delete(key, found.version)

    keys = ["work/acme/v1/transcript/r/1.json", "work/acme/v1/transcript/r/2.json", "inbox/acme/talks/a.srt"]
    for key in keys:
        store.write_bytes(key, b"x", media_type="application/json")
    deleted(keys[0])
    assert (store.root / "work/acme/v1/transcript/r").is_dir()
    for key in keys[1:]:
        deleted(key)
    assert [path.relative_to(store.root).as_posix() for path in sorted((store.root / "work").rglob("*"))] == ["work/acme"]
    assert (store.root / "inbox/acme/talks").is_dir()
