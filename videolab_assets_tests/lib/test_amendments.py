"""What a person lays into the inbox for a video: whose it is, what becomes of it, and that no crash loses it or follows it twice."""

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib import amendments
from videolab_assets.lib.amendments import GRACE_SECONDS, Amending, Amendment, AmendRun, Course
from videolab_assets.lib.catalogue import Catalogue, State, Upload
from videolab_assets.lib.clips.orders import merged, orders_of, read_orders, to_yaml
from videolab_assets.lib.documents import Audio, AudioStream, Probe, Shots, SourceVideo, VideoStream
from videolab_assets.lib.intake import Look, Rules, look
from videolab_assets.lib.keys import library_key
from videolab_assets.lib.library import Library
from videolab_assets.lib.store import Store, StoreObject, open_store
from videolab_assets.lib.store.local import LocalStore
from videolab_assets_tests.lib.clips.test_timeline import KEY as EDITED_KEY
from videolab_assets_tests.lib.clips.test_timeline import ours

SRT = b"1\n00:00:01,000 --> 00:00:03,000\nHello there.\n"
LATER_SRT = SRT.replace(b"there", b"again, everybody")
LATE_SRT = SRT.replace(b"00:00:01", b"00:01:01").replace(b"00:00:03", b"00:01:03")
PROMPT = "Für Leuchtturmwärter, in zwei Sätzen.".encode()
ORDERS = b"pin:\n- {start: 0:02, end: 0:12}\n"
LATE_ORDERS = b"pin:\n- {start: 0:22, end: 0:32}\n"
SECONDS = 30.0


class Killed(BaseException):
    """The process ends here."""


class Desk:
    """A look's surroundings over any store; runs for sidecars are noted here as Dagster would.

    Attributes:
        started: the keys of all runs.
        runs: the latest one of each sidecar, by its id.
        alive: the sidecars whose latest run is under way.
        deadly: of the others, attempts up to this one were killed.
    """

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.library = Library(store)
        self.now = time.time() + 60
        self.catalogue = Catalogue(f"sqlite:///{folder / 'videolab.db'}", lambda: self.now)
        self.rules = Rules(settle_seconds=5, max_in_flight=10, max_attempts=3)
        self.started: list[str] = []
        self.runs: dict[str, Amendment] = {}
        self.alive: set[str] = set()
        self.deadly = 0

    def lay(self, name: str, content: bytes = SRT, tenant: str = "acme") -> str:
        key = f"inbox/{tenant}/{name}"
        self.store.write_bytes(key, content, media_type="application/octet-stream")
        return key

    def uploaded(self, name: str = "talk.mp4", tenant: str = "acme", version: str = "1") -> Upload:
        self.now += 1
        upload, new = self.catalogue.enqueue(tenant, f"inbox/{tenant}/{name}", version, 7)
        assert new
        return upload

    def accepted(
        self, name: str = "talk.mp4", tenant: str = "acme", version: str = "1", sound: bool = True, picture: bool = False
    ) -> Upload:
        """An upload that the gate let pass, its run still at work."""
        upload = self.uploaded(name, tenant, version)
        self.catalogue.claim_content(upload.upload_id, upload.upload_id)
        self.catalogue.mark_accepted(upload.upload_id)
        self.library.write(upload.video_key, source_of(upload, sound, picture))
        return self.again(upload)

    def done(self, name: str = "talk.mp4", tenant: str = "acme", version: str = "1", sound: bool = True, picture: bool = False) -> Upload:
        upload = self.accepted(name, tenant, version, sound, picture)
        if sound:
            self.heard(upload)
        if picture:
            self.seen(upload)
        self.catalogue.mark_done(upload.upload_id)
        return self.again(upload)

    def heard(self, upload: Upload) -> None:
        self.library.write(upload.video_key, Audio(duration=SECONDS, sample_rate=16000, loudness=-20.0, peak=-3.0))

    def seen(self, upload: Upload, seconds: float = SECONDS) -> None:
        self.library.write(upload.video_key, Shots(frame_rate=25.0, duration=seconds, shots=[]))

    def again(self, upload: Upload) -> Upload:
        found = self.catalogue.by_upload_id(upload.upload_id)
        assert found
        return found

    def look(self, after: float = 0.0) -> Look:
        self.now += after
        return look(self.store, self.catalogue, lambda _: {}, lambda run, sentence: None, self.rules, self.now, self.amending)

    def amending(self, ids: Sequence[str]) -> Amending:
        latest = {one: AmendRun(run.video_key, run.attempt, self.course(run)) for one in ids if (run := self.runs.get(one))}
        return Amending(latest, [self.runs[one].video_key for one in self.alive])

    def course(self, run: Amendment) -> Course:
        if run.sidecar_id in self.alive:
            return Course.UNDER_WAY
        return Course.KILLED if run.attempt <= self.deadly else Course.OVER

    def start(self, seen: Look) -> list[Amendment]:
        """Starts the runs as the daemon does, each key once, and ends them at once; returns the new ones."""
        new = [asked for asked in seen.amendments if asked.run_key not in self.started]
        self.started += [asked.run_key for asked in new]
        self.runs.update((asked.sidecar_id, asked) for asked in new)
        return new

    def work(self) -> list[Amendment]:
        """Looks until a look changes nothing."""
        started: list[Amendment] = []
        before = None
        while before != (before := (self.inbox(), len(self.started))):
            started += self.start(self.look())
        return started

    def kept(self, upload: Upload) -> dict[str, bytes]:
        """The sidecars in the video's folder."""
        names = {entry.key.rpartition("/")[2] for entry in self.store.list(f"library/{upload.tenant}/{upload.video_key}")}
        return {name: self.store.read_bytes(library_key(upload.video_key, name), 1 << 24) for name in names if not name.endswith(".json")}

    def inbox(self) -> list[str]:
        return sorted(entry.key.split("/", 1)[1] for entry in self.store.list("inbox"))

    def reasons(self, tenant: str = "acme") -> list[dict[str, Any]]:
        found = [entry.key for entry in self.store.list(f"rejected/{tenant}") if entry.key.endswith(".json")]
        return [json.loads(self.store.read_bytes(key, 1 << 20)) for key in found]

    def refused(self, code: str, content: bytes = SRT) -> str:
        """The sentence of the only refusal; the content is still there."""
        (reason,) = self.reasons()
        assert reason["code"] == code, reason
        assert self.store.read_bytes(reason["kept_as"], 1 << 24) == content
        assert self.inbox() == []
        return str(reason["reason"])


def source_of(upload: Upload, sound: bool = True, picture: bool = False) -> SourceVideo:
    heard = AudioStream(index=1, codec="aac", duration=SECONDS, sample_rate=48000, channels=2, layout="stereo")
    size = {"width": 160, "height": 90, "coded_width": 160, "coded_height": 90}
    seen = VideoStream(index=0, codec="h264", duration=SECONDS, frame_rate=25.0, pixel_format="yuv420p", **size)
    return SourceVideo(
        video_key=upload.video_key,
        tenant=upload.tenant,
        original_name="talk.mp4",
        upload=upload.upload_id,
        source_key=library_key(upload.video_key, "source.mp4"),
        sha256="0" * 64,
        verdict="accept",
        probe=Probe(
            container="mov",
            duration=SECONDS,
            bytes=7,
            bit_rate=1,
            streams=2,
            audio=heard if sound else None,
            video=seen if picture else None,
        ),
    )


@pytest.fixture(params=["folder", "s3"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    if request.param == "folder":
        return Desk(LocalStore(tmp_path / "store"), tmp_path)
    bucket, client = request.getfixturevalue("s3_bucket"), request.getfixturevalue("s3_client")
    return Desk(open_store(f"s3://{bucket}/some/prefix", s3_client=client), tmp_path)


@pytest.fixture
def local(tmp_path: Path) -> Desk:
    return Desk(LocalStore(tmp_path / "store"), tmp_path)


def timeline_for(video_key: str) -> bytes:
    """An edited timeline of a video, with one clip from 1 to 31 seconds and one from 100 to 130."""
    return ours().replace(EDITED_KEY, video_key).encode()


@pytest.mark.parametrize(
    ("ending", "content", "name", "job"),
    [
        (".SRT", SRT, "corrected.srt", "amend_video"),
        (".prompt.txt", PROMPT, "summary.prompt.txt", "amend_video"),
        (".clips.yaml", ORDERS, "clips.yaml", "replan_clips"),
        (".Clips.YAML", ORDERS, "clips.yaml", "replan_clips"),
    ],
)
@pytest.mark.parametrize("by_key", [True, False])
def test_a_known_video_follows_what_is_laid_beside_it(ending: str, content: bytes, name: str, job: str, by_key: bool, desk: Desk) -> None:
    """A correction is rejected as no video, gets no run, the wrong one, or one with every look; or its bytes are changed on the way."""
    upload = desk.done(picture=True)
    desk.lay(f"{upload.video_key if by_key else 'talk'}{ending}", content)
    seen = desk.look()
    assert seen.asks == []
    (amendment,) = seen.amendments
    assert (amendment.video_key, amendment.job) == (upload.video_key, job)
    assert [asked.run_key for asked in desk.look().amendments] == [amendment.run_key], "the daemon lost the request"
    assert desk.inbox() != [], "gone from the inbox before there is a run"
    assert desk.start(seen) == [amendment]
    assert desk.work() == []
    assert desk.inbox() == []
    assert desk.kept(upload) == {name: content}
    assert desk.reasons() == []


def test_what_is_replaced_stays(desk: Desk) -> None:
    """Somebody's hour of correcting is overwritten by the next person's; or what comes back later starts no run."""
    upload = desk.done()
    for name, content in (("talk.srt", SRT), ("talk.SRT", LATER_SRT), (f"{upload.video_key}.srt", SRT)):
        desk.lay(name, content)
        assert len(desk.work()) == 1
    digests = {content: hashlib.sha256(content).hexdigest()[:8] for content in (SRT, LATER_SRT)}
    assert desk.kept(upload) == {
        "corrected.srt": SRT,
        f"corrected.{digests[SRT]}.srt": SRT,
        f"corrected.{digests[LATER_SRT]}.srt": LATER_SRT,
    }


def test_the_newest_of_several_counts(local: Desk) -> None:
    """Two corrections lie there, under the key and under the name: the older one wins, or the two take turns for ever."""
    upload = local.done()
    local.lay("talk.srt", SRT)
    time.sleep(0.02)
    local.lay(f"{upload.video_key}.srt", LATER_SRT)
    assert len(local.work()) == 1
    assert local.kept(upload) == {"corrected.srt": LATER_SRT}
    assert upload.video_key in local.refused("superseded")


def test_a_newer_one_that_is_no_good_does_not_hide_the_older(local: Desk) -> None:
    """A person's good correction is refused because of a broken one beside it."""
    upload = local.done()
    local.lay("talk.srt", SRT)
    time.sleep(0.02)
    local.lay(f"{upload.video_key}.srt", b"no times at all")
    assert len(local.work()) == 1
    assert local.kept(upload) == {"corrected.srt": SRT}
    local.refused("unusable", b"no times at all")


def test_an_older_one_waits_with_the_newer(local: Desk) -> None:
    """The older correction takes the place of a newer one that cannot be judged yet."""
    upload = local.accepted()
    local.lay("talk.srt", SRT)
    time.sleep(0.02)
    late = SRT.replace(b"00:00:01,000", b"00:00:29,400").replace(b"00:00:03,000", b"00:00:29,900")
    local.lay(f"{upload.video_key}.srt", late)
    assert local.look().waiting == 2
    assert (local.kept(upload), local.reasons()) == ({}, [])
    local.heard(upload)
    local.catalogue.mark_done(upload.upload_id)
    assert len(local.work()) == 1
    assert local.kept(upload) == {"corrected.srt": late}


def test_laid_beside_the_video_at_the_same_time(desk: Desk) -> None:
    """Video, subtitles and wish are dropped together: the small files are refused before the video is known, or come too late for its
    first run; or a second run works on the video beside the first.
    """
    desk.lay("talk.srt")
    desk.lay("talk.prompt.txt", PROMPT)
    seen = desk.look()
    assert (seen.asks, seen.amendments, seen.waiting) == ([], [], 2)
    desk.lay("talk.mp4", b"video")
    seen = desk.look()
    (ask,) = seen.asks
    upload = ask.upload
    assert desk.kept(upload) == {"summary.prompt.txt": PROMPT}, "the first run would not follow the wish"
    desk.library.write(upload.video_key, source_of(upload))
    desk.catalogue.claim_content(upload.upload_id, "0" * 64)
    desk.catalogue.mark_accepted(upload.upload_id)
    assert desk.look().amendments == []
    expected = {"corrected.srt": SRT, "summary.prompt.txt": PROMPT}
    assert desk.kept(upload) == expected, "the first run would not follow the correction"
    desk.heard(upload)
    desk.catalogue.mark_done(upload.upload_id)
    entry = desk.store.stat("inbox/acme/talk.mp4")
    assert entry
    desk.store.delete(entry.key, entry.version)
    assert {asked.video_key for asked in desk.work()} == {upload.video_key}
    assert len(desk.runs) == 2
    assert (desk.kept(upload), desk.inbox(), desk.reasons()) == (expected, [], [])


def test_a_video_that_waits_for_room_is_waited_for(desk: Desk) -> None:
    """Two hundred videos and their subtitles are dropped at once: those whose video has not had its turn are refused after ten minutes, or
    go to last year's video of that name.
    """
    earlier = desk.done(version="last year")
    desk.rules = Rules(settle_seconds=5, max_in_flight=1, max_attempts=3)
    desk.uploaded("other.mp4")
    for name in ("talk.mp4", "talk.srt", "new.mp4", "new.srt"):
        desk.lay(name)
    seen = desk.look(GRACE_SECONDS + 1)
    assert [ask.upload.inbox_key for ask in seen.asks] == ["inbox/acme/other.mp4"]
    assert (seen.amendments, seen.waiting, desk.reasons()) == ([], 2, [])
    assert desk.kept(earlier) == {}


@pytest.mark.parametrize("copying", ["talk.mp4.part", ".talk.mp4.Ab3xYz", "talk.mp4"])
def test_a_video_that_is_being_copied_is_waited_for(copying: str, local: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Subtitles are refused while their video, an hour long, is on its way; or wait for ever for a copy that was given up."""
    local.lay("talk.srt")
    video = local.lay(copying, b"half")
    listed = local.store.list
    touched = local.now + GRACE_SECONDS

    def long_copied(folder: str) -> Iterator[StoreObject]:
        for found in listed(folder):
            yield replace(found, modified=touched) if found.key == video else found

    monkeypatch.setattr(local.store, "list", long_copied)
    seen = local.look(GRACE_SECONDS + 1)
    assert (seen.asks, seen.waiting, local.reasons()) == ([], 2, [])
    local.look(GRACE_SECONDS)
    assert len(local.reasons()) == (0 if copying == "talk.mp4" else 1)


@pytest.mark.parametrize("name", ["talk.srt.part", ".talk.srt.Ab3xYz", "talk.prompt.txt.crdownload"])
def test_unfinished_sidecars_are_left_alone(name: str, local: Desk) -> None:
    """Half a correction is taken for the whole, or for a video on its way."""
    upload = local.done()
    local.lay(name)
    seen = local.look(10)
    assert (seen.amendments, seen.waiting, local.kept(upload), local.reasons()) == ([], 1, {}, [])
    local.lay("talk.srt", LATER_SRT)
    assert len(local.look().amendments) == 1


def test_a_sidecar_settles(local: Desk) -> None:
    """A correction is read while it is being copied."""
    upload = local.done()
    path = Path(local.store.uri(local.lay("talk.srt")).removeprefix("file://"))
    local.now = path.stat().st_ctime + 4
    assert local.look().amendments == []
    assert local.kept(upload) == {}
    assert len(local.look(2).amendments) == 1


def test_one_that_changes_while_it_is_read_waits(local: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person saves again in the moment of reading: what is taken in is not what the run's tag names, and half of it perhaps."""
    upload = local.done()
    key = local.lay("talk.srt")
    fetch = local.store.fetch

    def saved_again(key: str, path: Path, *, longest: int) -> object:
        local.store.write_bytes(key, LATER_SRT, media_type="text/plain")
        return fetch(key, path, longest=longest)

    with monkeypatch.context() as saving:
        saving.setattr(local.store, "fetch", saved_again)
        seen = local.look()
    assert (seen.amendments, seen.waiting, local.kept(upload)) == ([], 1, {})
    assert len(local.work()) == 1
    assert local.kept(upload) == {"corrected.srt": LATER_SRT}
    assert local.store.stat(key) is None


def test_one_that_is_taken_back_is_nobodys_fault(local: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person deletes the file in the moment of reading: the sensor fails, or a reason without a file is written."""
    local.done()
    key = local.lay("talk.srt")
    fetch = local.store.fetch

    def taken_back(*arguments: Any, **options: Any) -> object:
        Path(local.store.uri(key).removeprefix("file://")).unlink()
        return fetch(*arguments, **options)

    monkeypatch.setattr(local.store, "fetch", taken_back)
    seen = local.look()
    assert (seen.amendments, seen.notes, local.reasons()) == ([], [], [])


def test_without_a_video_it_is_refused_after_a_while(desk: Desk) -> None:
    """A misspelt name lies in the inbox for ever and nobody is told."""
    desk.lay("tlak.srt")
    assert desk.look().waiting == 1
    assert desk.reasons() == []
    seen = desk.look(GRACE_SECONDS + 1)
    assert "<video key>.srt" in desk.refused("no_such_video")
    assert "<video key>.srt" in seen.notes[0]


def test_another_tenants_video_is_out_of_reach(desk: Desk) -> None:
    """One tenant corrects the other's subtitles, or learns which videos there are."""
    theirs = desk.done(tenant="other")
    sentences = []
    for key in (theirs.video_key, "other.nothing.00000000"):
        desk.lay(f"{key}.srt")
        assert desk.work() == []
        (reason,) = [reason for reason in desk.reasons() if reason["name"] == f"{key}.srt"]
        sentences.append(reason["reason"].replace(key, "it"))
    assert sentences[0] == sentences[1]
    assert desk.kept(theirs) == {}
    desk.lay("talk.prompt.txt", PROMPT)
    assert desk.look().waiting == 1
    assert desk.kept(theirs) == {}


def test_several_videos_of_one_name(desk: Desk) -> None:
    """The correction goes to one of two videos called alike, and it is the wrong one."""
    first, second = desk.done(version="1"), desk.done(version="2")
    desk.lay("talk.srt")
    assert desk.work() == []
    sentence = desk.refused("ambiguous")
    assert first.video_key in sentence and second.video_key in sentence
    desk.lay(f"{first.video_key}.srt")
    assert [asked.video_key for asked in desk.work()] == [first.video_key]


def test_a_duplicate_stands_for_the_first(desk: Desk) -> None:
    """The same video uploaded twice makes its name ambiguous, or the correction goes to a video that does not exist."""
    first, copy = desk.done(), desk.uploaded(version="2")
    desk.lay("talk.srt")
    assert desk.look().amendments == [], "it may be another video"
    desk.catalogue.mark_duplicate(copy.upload_id, first.video_key, "0" * 64)
    assert [asked.video_key for asked in desk.work()] == [first.video_key]
    desk.lay(f"{copy.video_key}.srt", LATER_SRT)
    assert [asked.video_key for asked in desk.work()] == [first.video_key]
    assert desk.kept(copy) == {}


@pytest.mark.parametrize("state", [State.FAILED, State.REJECTED])
@pytest.mark.parametrize("by_key", [True, False])
def test_a_correction_for_a_failed_upload(state: State, by_key: bool, local: Desk) -> None:
    """It waits for ever for a video that never comes, or is refused before the video can be uploaded anew."""
    upload = local.uploaded()
    mark = local.catalogue.mark_failed if state is State.FAILED else local.catalogue.mark_rejected
    mark(upload.upload_id, "Its picture is damaged.")
    local.lay(f"{upload.video_key if by_key else 'talk'}.srt")
    seen = local.look()
    if not by_key:
        assert (seen.waiting, local.reasons()) == (1, [])
        local.look(GRACE_SECONDS)
    sentence = local.refused("failed_video")
    assert upload.video_key in sentence and "Its picture is damaged." in sentence
    assert local.kept(upload) == {}


def test_a_failed_upload_makes_way_for_a_good_one(local: Desk) -> None:
    """A video that was refused once makes the name of its better copy ambiguous."""
    local.catalogue.mark_failed(local.uploaded().upload_id, "Its picture is damaged.")
    good = local.done(version="2")
    local.catalogue.mark_rejected(local.uploaded(version="3").upload_id, "No video.")
    local.lay("talk.srt")
    assert [asked.video_key for asked in local.work()] == [good.video_key]


def test_a_video_that_failed_late_can_be_mended(local: Desk) -> None:
    """The summary was blocked, so nobody can correct the subtitles that were made, nor wish for another summary."""
    upload = local.accepted()
    local.heard(upload)
    local.catalogue.mark_failed(upload.upload_id, "The answer was blocked.")
    local.lay(f"{upload.video_key}.prompt.txt", PROMPT)
    assert [asked.video_key for asked in local.work()] == [upload.video_key]


@pytest.mark.parametrize("state", [State.ACCEPTED, State.DONE])
def test_a_video_without_sound(state: State, local: Desk) -> None:
    """A run fails because there is no sound that the subtitles belong to."""
    (local.done if state is State.DONE else local.accepted)(sound=False)
    local.lay("talk.srt")
    assert local.work() == []
    assert "no sound" in local.refused("no_sound")


@pytest.mark.parametrize("state", [State.ACCEPTED, State.DONE])
@pytest.mark.parametrize("name", ["talk.clips.yaml", "talk.otio"])
def test_a_video_without_a_picture(name: str, state: State, local: Desk) -> None:
    """A run fails because there is no picture that clips could be cut from."""
    (local.done if state is State.DONE else local.accepted)()
    local.lay(name, ORDERS)
    assert local.work() == []
    assert "no picture" in local.refused("no_picture", ORDERS)


@pytest.mark.parametrize("state", [State.ACCEPTED, State.DONE])
def test_silent_videos_have_clips(state: State, local: Desk) -> None:
    """Nobody can order anything for the clips of a video in which nothing is said."""
    upload = (local.done if state is State.DONE else local.accepted)(sound=False, picture=True)
    local.lay("talk.clips.yaml", ORDERS)
    assert [(asked.video_key, asked.job) for asked in local.work()] == ([(upload.video_key, "replan_clips")] if state is State.DONE else [])
    assert (local.kept(upload), local.reasons()) == ({"clips.yaml": ORDERS}, [])


def test_an_edited_timeline_is_of_its_video(desk: Desk) -> None:
    """The timeline of one video becomes the plan of another one, or one is refused that fits."""
    upload, other = desk.done(picture=True), desk.done("other.mp4", picture=True)
    for one in (upload, other):
        desk.seen(one, 300.0)
    data = timeline_for(upload.video_key)
    desk.lay("other.otio", data)
    desk.lay("talk.otio", data)
    assert [(asked.video_key, asked.job) for asked in desk.work()] == [(upload.video_key, "replan_clips")]
    assert (desk.kept(upload), desk.kept(other)) == ({"clips.otio": data}, {})
    sentence = desk.refused("unusable", data)
    assert upload.video_key in sentence and other.video_key in sentence and sentence.startswith("Line ")


def test_before_the_picture_is_known_nothing_is_refused(local: Desk) -> None:
    """A pin in the last second is refused because the picture's length was only guessed."""
    upload = local.accepted(picture=True)
    late = b"pin: [{start: 10, end: 30.9}]"
    local.lay("talk.clips.yaml", late)
    assert (local.work(), local.kept(upload), local.reasons()) == ([], {}, [])
    local.seen(upload)
    assert (local.work(), local.kept(upload)) == ([], {"clips.yaml": late})
    local.catalogue.mark_done(upload.upload_id)
    assert len(local.work()) == 1


def test_runs_of_both_jobs_follow_one_another(local: Desk) -> None:
    """Two runs make the same clips at once, one of them from the older orders."""
    upload = local.done(picture=True)
    local.lay("talk.clips.yaml", ORDERS)
    (first,) = local.start(local.look())
    local.alive = {first.sidecar_id}
    local.lay("talk.srt")
    assert local.look().amendments == []
    assert local.kept(upload) == {"clips.yaml": ORDERS, "corrected.srt": SRT}, "the run at work may follow it"
    local.alive = set()
    (second,) = local.work()
    assert (first.job, second.job) == ("replan_clips", "amend_video")
    assert local.inbox() == []


def test_newer_orders_replace_the_earlier_ones(local: Desk) -> None:
    """Orders that were replaced are followed as well, or nobody can see what they were."""
    upload = local.done(picture=True)
    later = ORDERS.replace(b"0:12", b"0:13")
    for data in (ORDERS, later):
        local.lay("talk.clips.yaml", data)
        assert len(local.work()) == 1
    assert local.kept(upload) == {"clips.yaml": later, f"clips.{hashlib.sha256(ORDERS).hexdigest()[:8]}.yaml": ORDERS}


def test_orders_from_the_launchpad_hold(local: Desk) -> None:
    """While orders from the inbox wait for their run, somebody adds to them from the launchpad, and the next look takes that back."""
    upload = local.done(picture=True)
    local.lay("talk.srt")
    (run,) = local.start(local.look())
    local.alive = {run.sidecar_id}
    local.lay("talk.clips.yaml", ORDERS)
    local.look()
    added = to_yaml(merged(read_orders(ORDERS, SECONDS), orders_of({"pin": [{"start": "15", "end": "20"}]})))
    time.sleep(0.02)
    local.library.replace_bytes(upload.video_key, "clips.yaml", added, "application/yaml")
    assert local.look().amendments == []
    assert local.kept(upload)["clips.yaml"] == added
    local.alive = set()
    assert len(local.work()) == 1
    assert local.kept(upload)["clips.yaml"] == added
    time.sleep(0.02)
    local.lay("talk.clips.yaml", ORDERS)
    assert len(local.work()) == 1
    assert local.kept(upload)["clips.yaml"] == ORDERS, "laid there again, it counts again"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("talk.clips.yaml", b"", "empty"),
        ("talk.clips.yaml", b"#" * (64 * 1024 + 1), "too_big"),
        ("talk.clips.yaml", b"pins: []", "unusable"),
        ("talk.clips.yaml", LATE_ORDERS, "unusable"),
        ("talk.otio", b"{}", "unusable"),
        ("talk.otio", b"[" * 1_000_000, "unusable"),
        ("talk.srt", b"", "empty"),
        ("talk.srt", b"x" * (5_000_000 + 1), "too_big"),
        ("talk.srt", b"this is a letter, not subtitles", "unusable"),
        ("talk.srt", LATE_SRT, "unusable"),
        ("talk.prompt.txt", b"", "empty"),
        ("talk.prompt.txt", b" \n\t", "unusable"),
        ("talk.prompt.txt", b"\xff\xfe\xfa", "unusable"),
        ("talk.prompt.txt", b"be\0brief", "unusable"),
        ("talk.prompt.txt", b"x" * (16 * 1024 + 1), "too_big"),
    ],
)
def test_content_that_cannot_be_used(name: str, content: bytes, code: str, desk: Desk) -> None:
    """A file of gigabytes is read into memory; rubbish replaces good subtitles; or the person's file is gone."""
    upload = desk.done(picture=True)
    earlier = {"corrected.srt": SRT, "clips.yaml": ORDERS}
    for kept, data in earlier.items():
        desk.library.add_bytes(upload.video_key, kept, data, "text/plain")
    desk.lay(name, content)
    assert desk.work() == []
    sentence = desk.refused(code, content)
    assert code != "unusable" or name.endswith((".srt", ".txt")) or sentence.startswith("Line ")
    assert desk.kept(upload) == earlier


def test_before_the_sound_is_known_nothing_is_refused(local: Desk) -> None:
    """A cue in the last second is refused because the sound's length was only guessed."""
    upload = local.accepted()
    late = SRT.replace(b"00:00:01,000", b"00:00:29,400").replace(b"00:00:03,000", b"00:00:29,900")
    local.lay("talk.srt", late)
    assert (local.work(), local.kept(upload), local.reasons()) == ([], {}, [])
    local.heard(upload)
    assert (local.work(), local.kept(upload)) == ([], {"corrected.srt": late})
    local.catalogue.mark_done(upload.upload_id)
    assert len(local.work()) == 1


def test_a_videos_runs_follow_one_another(local: Desk) -> None:
    """An earlier run that ends last puts the older words back."""
    upload = local.done()
    local.lay("talk.srt")
    local.lay("talk.prompt.txt", PROMPT)
    (first,) = local.start(local.look())
    assert local.kept(upload) == {"corrected.srt": SRT, "summary.prompt.txt": PROMPT}, "the first run would not follow both"
    local.alive = {first.sidecar_id}
    assert [local.look().amendments for _ in range(3)] == [[], [], []]
    local.alive = set()
    assert len(local.work()) == 1
    assert local.inbox() == []


def test_it_stays_until_its_run_has_ended(desk: Desk) -> None:
    """The correction leaves the inbox while its run is at work, and nothing remembers it when that is killed."""
    upload = desk.done()
    desk.lay("talk.srt")
    (run,) = desk.start(desk.look())
    desk.alive = {run.sidecar_id}
    seen = [desk.look() for _ in range(3)]
    assert [(look.amendments, look.waiting) for look in seen] == [([], 1)] * 3
    assert desk.inbox() == ["acme/talk.srt"]
    desk.alive = set()
    over = desk.look()
    assert (over.amendments, over.notes, over.waiting, desk.inbox()) == ([], [], 0, [])
    assert desk.kept(upload) == {"corrected.srt": SRT}


def test_a_killed_run_is_followed_by_another(desk: Desk) -> None:
    """A power cut during the run, and what the correction asked for is never made; or two runs make it."""
    desk.done()
    desk.lay("talk.srt")
    desk.deadly = 1
    (killed,) = desk.start(desk.look())
    (again,) = desk.look().amendments
    assert (again.video_key, again.attempt) == (killed.video_key, 2)
    assert again.run_key != killed.run_key
    (repeated,) = desk.look().amendments
    assert repeated.run_key == again.run_key, "the daemon lost the request"
    assert desk.work() == [again]
    assert (desk.inbox(), desk.reasons()) == ([], [])


@pytest.mark.parametrize("most", [1, 3])
def test_what_kills_its_runs_is_given_up(most: int, desk: Desk) -> None:
    """A video whose words need more memory than there is gets runs for ever; or the person's file is gone when it is given up."""
    upload = desk.done()
    desk.rules = replace(desk.rules, max_attempts=most)
    desk.lay("talk.srt")
    desk.deadly = 100
    for _ in range(most):
        assert len(desk.start(desk.look())) == 1
    (note,) = desk.look().notes
    assert f"{most} runs" in note
    assert upload.video_key in note
    assert (desk.work(), desk.inbox(), desk.reasons()) == ([], [], [])
    assert desk.kept(upload) == {"corrected.srt": SRT}


def test_after_a_killed_run_there_is_one_at_a_time(local: Desk) -> None:
    """A killed run and a newer correction: both are followed at once, and the older one may end last; or the older one has no end."""
    upload = local.done()
    local.lay("talk.srt", SRT)
    (killed,) = local.start(local.look())
    local.alive = {killed.sidecar_id}
    time.sleep(0.02)
    local.lay(f"{upload.video_key}.srt", LATER_SRT)
    assert local.look().amendments == []
    local.alive, local.deadly = set(), 1
    (newer,) = local.start(local.look())
    assert newer.sidecar_id != killed.sidecar_id
    local.alive, local.deadly = {newer.sidecar_id}, 1
    assert local.look().amendments == []
    local.alive, local.deadly = set(), 0
    local.work()
    digest = hashlib.sha256(SRT).hexdigest()[:8]
    assert local.kept(upload) == {"corrected.srt": LATER_SRT, f"corrected.{digest}.srt": SRT}
    assert (local.inbox(), local.reasons()) == ([], [])


def test_after_a_killed_run_there_may_be_no_room(local: Desk) -> None:
    """After a power cut every killed run is started again in the same moment."""
    local.rules = Rules(settle_seconds=5, max_in_flight=4, max_attempts=3, most_new=3)
    for number in range(4):
        local.done(f"{number}.mp4")
        local.lay(f"{number}.srt")
    local.start(local.look())
    local.alive = set(local.runs)
    local.start(local.look())
    assert len(local.runs) == 4
    local.alive, local.deadly = set(), 1
    assert len(local.look().amendments) == 3
    local.alive = set(sorted(local.runs)[:2])
    assert len(local.look().amendments) == 2


def test_a_video_that_is_made_anew_has_no_other_run(local: Desk) -> None:
    """A person asks for a failed video again, and a killed run for its summary starts anew beside that."""
    upload = local.accepted()
    local.heard(upload)
    local.catalogue.mark_failed(upload.upload_id, "The answer was blocked.")
    local.lay(f"{upload.video_key}.prompt.txt", PROMPT)
    local.start(local.look())
    local.deadly = 1
    local.catalogue.reopen(upload.upload_id)
    seen = local.look()
    assert (seen.amendments, seen.waiting) == ([], 1)
    local.catalogue.mark_failed(upload.upload_id, "The answer was blocked.")
    assert len(local.work()) == 1


def test_whose_it_is_stays_decided(local: Desk) -> None:
    """While its run is at work another video gets the same name: the correction is refused though it was followed, or starts over
    on the other one.
    """
    first = local.done(version="1")
    local.lay("talk.srt")
    (run,) = local.start(local.look())
    local.alive = {run.sidecar_id}
    local.done(version="2")
    assert (local.look().waiting, local.reasons()) == (1, [])
    local.alive, local.deadly = set(), 1
    assert [asked.video_key for asked in local.work()] == [first.video_key]
    assert (local.inbox(), local.reasons()) == ([], [])


@pytest.mark.parametrize("alive", [True, False])
def test_one_that_is_followed_is_newer_than_what_was_overlooked(alive: bool, local: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A look too full for the older of two corrections leaves it, and the next one puts it in the newer one's place."""
    upload = local.done()
    local.lay("talk.srt", SRT)
    time.sleep(0.02)
    newer = local.lay(f"{upload.video_key}.srt", LATER_SRT)
    listed = local.store.list
    with monkeypatch.context() as full:
        full.setattr(local.store, "list", lambda folder: (found for found in listed(folder) if found.key == newer))
        (run,) = local.start(local.look())
    local.alive = {run.sidecar_id} if alive else set()
    assert local.look().amendments == []
    assert [reason["code"] for reason in local.reasons()] == ["superseded"]
    assert local.kept(upload) == {"corrected.srt": LATER_SRT}


def test_a_hundred_at_once(local: Desk) -> None:
    """A flood of corrections becomes a flood of runs, or a look that outlasts its limit; or some are never looked at."""
    local.rules = Rules(settle_seconds=5, max_in_flight=30, max_attempts=3, most_new=25)
    uploads = [local.done(f"{number}.mp4") for number in range(100)]
    for number in range(100):
        local.lay(f"{number}.srt")
        local.lay(f"nothing {number}.srt")
    local.now += GRACE_SECONDS
    started: list[Amendment] = []
    for _ in range(20):
        before = len(local.inbox())
        new = local.start(local.look())
        assert len(new) <= 25
        assert before - len(local.inbox()) <= amendments.MOST_HANDLED + 25
        local.alive = set(local.alive) | {asked.sidecar_id for asked in new}
        assert len(local.alive) <= 30
        started += new
        local.alive = set(sorted(local.alive)[10:])
    assert sorted(asked.video_key for asked in started) == sorted(upload.video_key for upload in uploads)
    assert len(local.reasons()) == 100
    assert local.inbox() == []


def test_waiting_costs_little(local: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a video of four hours is worked on, every look reads its subtitles anew."""
    local.accepted()
    local.lay("talk.srt")
    time.sleep(0.02)
    local.look()
    monkeypatch.setattr(local.store, "fetch", pytest.fail)
    assert local.look().waiting == 1


def test_one_that_cannot_be_read_does_not_stop_the_others(local: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """One bad sector under one file, and the inbox stands still."""
    local.done()
    local.done("bad.mp4")
    local.lay("talk.srt")
    local.lay("bad.srt")
    read = os.read

    def broken(descriptor: int, count: int) -> bytes:
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "bad.srt":
            raise OSError(5, "Input/output error")
        return read(descriptor, count)

    monkeypatch.setattr("videolab_assets.lib.store.local.os.read", broken)
    seen = local.look()
    assert len(seen.amendments) == 1
    assert seen.waiting == 1
    assert "bad.srt" in seen.notes[0]


HOSTILE: list[bytes] = [
    b".srt",
    b"..srt",
    b"...srt",
    b"a\nb.srt",
    b"not utf8 \xff\xfe.srt",
    b"n" * 251 + b".srt",
    b"$(id) `id` '\"; DROP TABLE uploads.srt",
    b"100%41.prompt.txt",
    b"acme.talk.0123abcd\n.srt",
    "é😀\u202e.srt".encode(),
    b"sub/folder/x.srt",
    b".prompt.txt",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_gets_a_reason(name: bytes, local: Desk) -> None:
    """A name that an uploader chose stops the look, leaves the folder, or breaks the page that shows it."""
    local.done()
    local.lay(os.fsdecode(name))
    local.look(GRACE_SECONDS + 1)
    local.refused("no_such_video")


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_finds_its_video(name: bytes, local: Desk) -> None:
    """A video with a strange name can never be corrected by that name."""
    stem = os.fsdecode(name).removesuffix(".srt").removesuffix(".prompt.txt")
    upload = local.done(stem + ".mp4" if len(name) < 255 else stem + ".mkv")
    local.lay(os.fsdecode(name))
    assert [asked.video_key for asked in local.work()] == [upload.video_key]


def test_links_and_folders_are_not_followed(local: Desk) -> None:
    """`talk.srt` is a link to /etc/passwd, and its content is shown as subtitles; or a pipe stops the look."""
    local.done()
    folder = Path(local.store.uri("inbox/acme").removeprefix("file://"))
    folder.mkdir(parents=True)
    (folder / "talk.srt").symlink_to("/etc/passwd")
    os.mkfifo(folder / "talk.prompt.txt")
    assert local.work() == []
    assert sorted(reason["code"] for reason in local.reasons()) == ["not_a_file", "symlink"]
    assert local.inbox() == []


def test_names_that_only_s3_has(s3_bucket: str, s3_client: Any, tmp_path: Path) -> None:
    """To S3 `a/../b.srt` is one more name: the look follows it out of the tenant's folder, or stands still for ever."""
    desk = Desk(open_store(f"s3://{s3_bucket}", s3_client=s3_client), tmp_path)
    desk.done()
    s3_client.put_object(Bucket=s3_bucket, Key="inbox/acme//talk.srt", Body=SRT)
    desk.lay("talk.prompt.txt", PROMPT)
    assert len(desk.work()) == 1
    (note,) = desk.look(GRACE_SECONDS + 1).notes
    assert "stays in the inbox" in note


STEPS = ("list", "stat", "read_bytes", "write_bytes", "fetch", "move", "delete")


def killed_at(count: int, calls: list[str]) -> Callable[[str, Callable[..., Any]], Callable[..., Any]]:
    """Wraps a function so that the process ends before the `count`-th call of all that are wrapped; `calls` notes them."""

    def wrap(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            calls.append(name)
            if len(calls) == count:
                raise Killed(name)
            return function(*arguments, **options)

        return wrapped

    return wrap


@pytest.mark.long
@pytest.mark.parametrize(
    ("where", "ending", "name", "content", "earlier"),
    [
        ("folder", "srt", "corrected", SRT, LATER_SRT),
        ("s3", "srt", "corrected", SRT, LATER_SRT),
        pytest.param("folder", "clips.yaml", "clips", ORDERS, b"pin: [{start: 3, end: 9}]", marks=pytest.mark.long),
    ],
)
def test_no_crash_loses_or_repeats_anything(
    where: str,
    ending: str,
    name: str,
    content: bytes,
    earlier: bytes,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sensor is killed between any two of its steps, and the run after the first of them: a correction is lost, gets two runs that
    end by themselves, or the replaced one is gone.
    """
    survived, count = False, 0
    while not survived:
        count += 1
        folder = tmp_path / str(count)
        folder.mkdir()
        if where == "folder":
            store: Store = LocalStore(folder / "store")
        else:
            bucket = request.getfixturevalue("s3_bucket")
            store = open_store(f"s3://{bucket}/{count}", s3_client=request.getfixturevalue("s3_client"))
        desk = Desk(store, folder)
        upload, suffix = desk.done(picture=True), ending.rpartition(".")[2]
        desk.library.add_bytes(upload.video_key, f"{name}.{suffix}", earlier, "text/plain")
        desk.lay(f"talk.{ending}", content)
        desk.lay("talk.prompt.txt", b"\0")
        desk.deadly = 1
        calls: list[str] = []
        wrap = killed_at(count, calls)
        with monkeypatch.context() as dying:
            for step in STEPS:
                dying.setattr(store, step, wrap(step, getattr(store, step)))
            dying.setattr(desk, "amending", wrap("amending", desk.amending))
            try:
                for _ in range(4):
                    desk.start(desk.look())
                survived = True
            except Killed:
                pass
        desk.work()
        (last,) = desk.runs.values()
        assert (last.video_key, last.attempt) == (upload.video_key, 2), calls
        assert len(desk.started) == 2, calls
        digest = hashlib.sha256(earlier).hexdigest()[:8]
        assert desk.kept(upload) == {f"{name}.{suffix}": content, f"{name}.{digest}.{suffix}": earlier}, calls
        desk.refused("unusable", b"\0")
        desk.catalogue.dispose()
    assert count > 12
