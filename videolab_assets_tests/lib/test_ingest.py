"""Taking one upload in, step by step, with a crash after each."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from videolab_assets.lib import ingest
from videolab_assets.lib.catalogue import Catalogue, State, Upload
from videolab_assets.lib.documents import SourceVideo
from videolab_assets.lib.errors import RejectedUpload, TransientError
from videolab_assets.lib.gate import Caps
from videolab_assets.lib.ingest import Duplicate, take_in
from videolab_assets.lib.library import Library
from videolab_assets.lib.processes import this_process
from videolab_assets.lib.store.local import LocalStore
from videolab_assets_tests.lab import variant


class Killed(BaseException):
    """Stands for `kill -9`: no handler of ours catches it."""


class House:
    """A library with its inbox and catalogue."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = LocalStore(folder / "store")
        self.library = Library(self.store)
        self.catalogue = Catalogue(f"sqlite:///{folder / 'videolab.db'}")
        self.caps = Caps()

    def upload(self, content: bytes, name: str = "clip.mp4", tenant: str = "acme") -> Upload:
        key = f"inbox/{tenant}/{name}"
        path = self.store.root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return self.noticed(key)

    def noticed(self, key: str) -> Upload:
        found = self.store.stat(key)
        assert found
        return self.catalogue.enqueue(key.split("/")[1], key, found.version, found.bytes)[0]

    def take(self, upload: Upload) -> SourceVideo | Duplicate:
        return take_in(self.now(upload), self.library, self.catalogue, self.folder / "scratch", self.caps)

    def now(self, upload: Upload) -> Upload:
        known = self.catalogue.by_upload_id(upload.upload_id)
        assert known
        return known

    def keys(self, folder: str) -> list[str]:
        return sorted(entry.key for entry in self.store.list(folder))

    def reason(self) -> dict[str, object]:
        (key,) = [key for key in self.keys("rejected") if key.endswith(".json")]
        reason = json.loads(self.store.read_bytes(key, 1 << 20))
        assert isinstance(reason, dict)
        return reason


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_a_good_upload_is_taken_in(house: House, clips: Path) -> None:
    """The original is changed or lost on its way, or its document says something else than what it is."""
    content = (clips / "clip.mp4").read_bytes()
    upload = house.upload(content, "a\nname.mov")
    taken = house.take(upload)
    assert isinstance(taken, SourceVideo)
    assert house.store.read_bytes(taken.source_key, 1 << 24) == content
    assert taken.source_key == f"library/acme/{upload.video_key}/source.mp4"  # by its bytes, not by its name
    assert taken.original_name == "a\\nname.mov"
    assert (taken.probe.video.width, taken.probe.video.height) == (160, 90) if taken.probe.video else False
    assert house.library.document(upload.video_key, SourceVideo) == taken
    assert house.now(upload).state is State.ACCEPTED
    assert house.keys("inbox") == []
    assert list((house.folder / "scratch").iterdir()) == []
    assert house.take(upload) == taken


STEPS: list[tuple[type, str]] = [
    (Catalogue, "claim_content"),
    (LocalStore, "put_file"),
    (Library, "write"),
    (Catalogue, "mark_accepted"),
    (LocalStore, "delete"),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("owner", "step"), STEPS)
def test_a_crash_at_any_step_is_made_good(
    owner: type, step: str, after: bool, house: House, clips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process killed between two steps loses the upload, takes it in twice, or leaves an inbox that never empties."""
    upload = house.upload((clips / "silent.mp4").read_bytes())
    real: Callable[..., object] = getattr(owner, step)

    def killed(*arguments: object, **options: object) -> object:
        if after:
            real(*arguments, **options)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(owner, step, killed)
        with pytest.raises(Killed):
            house.take(upload)
    taken = house.take(upload)
    assert isinstance(taken, SourceVideo)
    assert house.now(upload).state is State.ACCEPTED
    assert house.keys("inbox") == []
    assert house.keys("library") == [f"library/acme/{upload.video_key}/{name}" for name in ("source.mp4", "source_video.json")]


@pytest.mark.parametrize("step", ["write_bytes", "move"])
def test_a_crash_while_rejecting_is_made_good(step: str, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refused file stays in the inbox when its rejection is cut short, or is said to have been deleted by its uploader."""
    upload = house.upload(b"text\n" * 100)
    real: Callable[..., object] = getattr(LocalStore, step)

    def killed(*arguments: object, **options: object) -> object:
        real(*arguments, **options)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(LocalStore, step, killed)
        with pytest.raises(Killed):
            house.take(upload)
    with pytest.raises(RejectedUpload):
        house.take(upload)
    assert house.now(upload).state is State.REJECTED
    assert house.keys("inbox") == []
    kept = house.reason()["kept_as"]
    assert house.reason()["code"] == "not_a_video"
    assert house.store.read_bytes(str(kept), 1000) == b"text\n" * 100


def test_a_rejection_keeps_the_file_and_says_why(house: House) -> None:
    """The uploader cannot find out what was wrong, or their only copy is gone."""
    upload = house.upload(b"text\n" * 100, "My Film.MP4")
    with pytest.raises(RejectedUpload) as raised:
        house.take(upload)
    reason = house.reason()
    assert reason["name"] == "My Film.MP4"
    assert reason["reason"] == raised.value.sentence == house.now(upload).reason
    assert reason["kept_as"] == f"rejected/acme/{upload.video_key}.mp4"
    assert reason["bytes"] == 500
    assert isinstance(reason["found"], dict)
    with pytest.raises(RejectedUpload, match=r".") as again:
        house.take(upload)
    assert again.value.sentence == raised.value.sentence


@pytest.mark.parametrize(
    ("name", "kept"), [("x.json", ".upload"), ("x", ".upload"), ("x.m\np4", ".upload"), ("x." + "a" * 9, ".upload"), ("x.MOV", ".mov")]
)
def test_rejected_files_get_names_of_ours(name: str, kept: str, house: House) -> None:
    """An uploaded name overwrites a reason, or breaks the listing that a person reads."""
    upload = house.upload(b"text\n" * 100, name)
    with pytest.raises(RejectedUpload):
        house.take(upload)
    assert house.keys("rejected") == sorted(f"rejected/acme/{upload.video_key}{ending}" for ending in (".json", kept))


def test_duplicates(house: House, clips: Path) -> None:
    """The same bytes are stored twice, or the first video is damaged by the second upload of it."""
    content = (clips / "silent.mp4").read_bytes()
    first, second = house.upload(content, "1.mp4"), house.upload(content, "2.mp4")
    taken = house.take(first)
    assert isinstance(taken, SourceVideo)
    assert house.take(second) == Duplicate(first.video_key, taken.sha256)
    assert house.take(second) == Duplicate(first.video_key, taken.sha256), "a repeated run says something else"
    assert house.keys("inbox") == []
    assert len(house.keys("library")) == 2


def test_two_at_the_same_moment(house: House, clips: Path) -> None:
    """Of two uploads of the same bytes both are called duplicates of each other, or the second is lost when the first then fails."""
    content = (clips / "silent.mp4").read_bytes()
    first, second = house.upload(content, "1.mp4"), house.upload(content, "2.mp4")
    sha256 = house.store.fetch(first.inbox_key, house.folder / "copy", longest=1 << 30).sha256
    assert house.catalogue.claim_content(first.upload_id, sha256) is None
    with pytest.raises(TransientError):
        house.take(second)
    house.catalogue.mark_failed(first.upload_id, "It was stopped.")
    assert isinstance(house.take(second), SourceVideo)


def test_a_failed_upload_is_taken_up_again(house: House, clips: Path) -> None:
    """A person runs a failed video again, and it stays failed for ever."""
    upload = house.upload((clips / "silent.mp4").read_bytes())
    house.catalogue.mark_failed(upload.upload_id, "The disk was full.")
    assert isinstance(house.take(upload), SourceVideo)
    assert house.now(upload).state is State.ACCEPTED


def test_replaced_and_vanished(house: House, clips: Path) -> None:
    """The newer file under a name is destroyed with the older upload."""
    upload = house.upload((clips / "silent.mp4").read_bytes())
    newer = house.upload(variant(clips / "silent.mp4"))
    with pytest.raises(RejectedUpload) as raised:
        house.take(upload)
    assert raised.value.code == "replaced"
    assert house.keys("inbox") == ["inbox/acme/clip.mp4"]
    assert isinstance(house.take(newer), SourceVideo)
    gone = house.upload(b"x", "gone.mp4")
    (house.store.root / gone.inbox_key).unlink()
    with pytest.raises(RejectedUpload) as raised:
        house.take(gone)
    assert raised.value.code == "vanished"


def test_a_file_that_changes_while_it_is_read(house: House, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A growing file is rejected for good, or taken in by half."""
    content = (clips / "silent.mp4").read_bytes()
    upload = house.upload(content[:-100])
    real = os.read

    def read(descriptor: int, count: int) -> bytes:
        data = real(descriptor, count)
        with (house.store.root / upload.inbox_key).open("ab") as file:
            file.write(content[-100:])
        return data

    with monkeypatch.context() as growing:
        growing.setattr("videolab_assets.lib.store.local.os.read", read)
        with pytest.raises(TransientError):
            house.take(upload)
    assert house.now(upload).state is State.QUEUED
    assert house.keys("rejected") == house.keys("library") == []
    assert list((house.folder / "scratch").iterdir()) == []


def test_caps_are_those_of_the_operator(house: House, clips: Path) -> None:
    """Limits set by environment variables are not those that the gate uses."""
    house.caps = Caps(bytes=1000)
    with pytest.raises(RejectedUpload) as raised:
        house.take(house.upload((clips / "silent.mp4").read_bytes()))
    assert raised.value.code == "too_big"
    assert list((house.folder / "scratch").iterdir()) == []


@pytest.mark.parametrize(("key", "shown"), [("inbox/acme/a/b.mp4", "a/b.mp4"), ("inbox/acme/\x1b[31m.mp4", "\\x1b[31m.mp4")])
def test_names_are_shown_harmlessly(key: str, shown: str) -> None:
    """An uploaded name writes colours or line breaks into somebody's terminal."""
    assert ingest.shown_name(key) == shown


def test_what_a_killed_writer_left_is_swept(house: House, clips: Path) -> None:
    """Each killed run leaves up to a whole upload in the store's temporary folder, and the disk fills up."""
    me = this_process()
    left = house.store.root / ".tmp" / f"{replace(me, started=me.started + 1).token}_0123abcd"
    left.parent.mkdir(exist_ok=True)
    left.write_bytes(b"half")
    house.take(house.upload((clips / "clip.mp4").read_bytes()))
    assert not left.exists()
