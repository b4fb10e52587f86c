"""The upload sensor over real folders: what gets a run, how often, and what waits or is moved out of the way."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest

from videolab_assets.defs.ingest import assets as ingest_assets
from videolab_assets.defs.media import assets as media_assets
from videolab_assets.defs.outcomes import PERMANENT_TAG
from videolab_assets.lib import intake
from videolab_assets.lib.catalogue import State
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets_tests.lab import Lab, failures_of, fingerprint, variant, video_key_of

PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"


def test_ticks_may_be_repeated(lab: Lab, clips: Path) -> None:
    """A tick between asking for a run and its end starts a second run of the same upload."""
    lab.put(clips / "silent.mp4")
    (request,) = lab.tick()
    (repeated,) = lab.tick()  # the daemon lost the request before it was stored
    assert repeated.run_key == request.run_key
    run = lab.start(request)
    assert [lab.tick(), lab.tick()] == [[], []]
    lab.instance.report_run_canceled(run)
    assert len(lab.instance.get_runs()) == 1


def test_a_deleted_run_does_not_come_back(lab: Lab, clips: Path) -> None:
    """Dagster forgets a run key with its run: cleaning up old runs would process, and later publish, every video again."""
    result = lab.process(clips / "silent.mp4")
    assert lab.tick() == []
    lab.instance.delete_run(result.run_id)
    lab.put(clips / "silent.mp4", "again.mp4")
    (second,) = lab.work()
    assert lab.upload_of(second).state is State.DUPLICATE
    assert lab.upload_of(result).state is State.DONE


def test_an_upload_that_grows_is_waited_for(lab: Lab, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half an upload is processed, or one that is finished is never taken."""
    monkeypatch.setenv("VIDEOLAB_SETTLE_SECONDS", "60")
    content = (clips / "silent.mp4").read_bytes()
    path = lab.put(content[:1000])
    assert lab.tick() == []
    with path.open("ab") as upload:
        upload.write(content[1000:])
    assert lab.tick() == []
    later = time.time() + 61
    monkeypatch.setattr("videolab_assets.defs.ingest.sensors.time.time", lambda: later)
    assert len(lab.tick()) == 1


@pytest.mark.parametrize("name", ["clip.mp4.part", "clip.mp4.crdownload", ".clip.mp4.Ab3xYz", "Thumbs.db", ".DS_Store"])
def test_what_programs_have_not_finished_is_left_alone(name: str, lab: Lab, clips: Path) -> None:
    """The temporary file of a browser or of rsync is taken away from under it."""
    path = lab.put(clips / "silent.mp4", name)
    assert lab.tick() == []
    assert path.exists()
    assert lab.partitions == set()


def test_a_file_deleted_before_its_run(lab: Lab, clips: Path) -> None:
    """An uploader changes their mind between tick and run: the run is repeated for ever, or its failure says nothing."""
    path = lab.put(clips / "silent.mp4")
    (request,) = lab.tick()
    path.unlink()
    result = lab.run(request)
    assert failures_of(result) == {"source_video": "This file was deleted or renamed before it could be processed: upload it again."}
    assert lab.work() == []
    assert [reason["code"] for reason in lab.rejections()] == ["vanished"]


def test_a_file_replaced_before_its_run(lab: Lab, clips: Path) -> None:
    """The newer content is processed under the older upload's key, or lost with it."""
    lab.put(clips / "silent.mp4")
    (request,) = lab.tick()
    lab.put(variant(clips / "silent.mp4"))
    replaced = lab.run(request)
    assert not replaced.success
    assert lab.upload_of(replaced).state is State.REJECTED
    (newer,) = lab.work()
    assert newer.success
    assert lab.library.store.read_bytes(f"library/acme/{video_key_of(newer)}/source.mp4", 1 << 24) == variant(clips / "silent.mp4")
    assert [(reason["code"], reason["kept_as"]) for reason in lab.rejections()] == [("replaced", None)]
    lab.assert_tidy()


def link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def nothing(path: Path) -> None:
    path.write_bytes(b"")


def text(path: Path) -> None:
    path.write_text("this is not a video\n" * 40)


def playlist(path: Path) -> None:
    path.write_bytes(PLAYLIST)


@pytest.mark.parametrize(
    ("make", "code"), [(link, "symlink"), (os.mkfifo, "not_a_file"), (nothing, "empty"), (text, "not_a_video"), (playlist, "playlist")]
)
def test_what_is_refused_is_refused_once(make: Callable[[Path], None], code: str, lab: Lab) -> None:
    """A bad upload is tried again and again, blocks the inbox, leaks another file, or vanishes without a reason."""
    folder = lab.inbox / "acme"
    folder.mkdir(parents=True)
    make(folder / "bad.mp4")
    (result,) = lab.work()
    (sentence,) = failures_of(result).values()
    run = lab.instance.get_run_by_id(result.run_id)
    assert run
    assert run.tags[PERMANENT_TAG] == "true"
    assert sum(event.event_type is dg.DagsterEventType.STEP_RESTARTED for event in result.all_events) == 0
    upload = lab.upload_of(result)
    assert (upload.state, upload.reason, upload.attempt) == (State.REJECTED, sentence, 1)
    assert lab.told(upload.video_key)["source_video"]["rejected"] == sentence
    (reason,) = lab.rejections()
    assert (reason["code"], reason["reason"], reason["name"]) == (code, sentence, "bad.mp4")
    assert os.path.lexists(Path(lab.settings.store_location) / reason["kept_as"])
    assert list(folder.iterdir()) == []
    assert not (Path(lab.settings.store_location) / "library").exists()


NAMES: list[str | bytes] = [
    "a\nb.mp4",
    "🎬 vidéo.mp4",
    'it\'s "quoted" `$(id)`.mp4',
    "-i.mp4",
    "n" * 251 + ".mp4",
    b"not utf8 \xff\xfe.mp4",
    "sub/folder/x.mp4",
]


def test_any_name_will_do(lab: Lab, clips: Path) -> None:
    """A name that an uploader chose breaks the partition key, a path, a command or the page that shows it."""
    for number, name in enumerate(NAMES):
        lab.put(variant(clips / "silent.mp4", bytes([number])), name)
    requests = lab.tick()
    assert len(requests) == len(NAMES)
    for request in requests:
        result = lab.run(request, ["source_video"])
        assert result.success, failures_of(result)
    lab.assert_tidy()
    assert len(lab.partitions) == len(NAMES)
    assert lab.rejections() == []


@pytest.mark.parametrize("place", ["clip.mp4", "Acme Inc/clip.mp4", "_unfiled/clip.mp4", "-x/clip.mp4"])
def test_uploads_of_nobody_are_moved_out_of_the_way(place: str, lab: Lab, clips: Path) -> None:
    """A file in no tenant's folder lies in the inbox for ever and nobody is told."""
    path = lab.inbox / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((clips / "silent.mp4").read_bytes())
    assert lab.tick() == []
    assert not path.exists()
    (reason,) = lab.rejections("_unfiled")
    assert reason["code"] == "no_tenant"
    assert (Path(lab.settings.store_location) / reason["kept_as"]).read_bytes() == (clips / "silent.mp4").read_bytes()
    assert lab.partitions == set()


def fails_with(error: Exception) -> Callable[..., object]:
    def fails(*_: object, **__: object) -> object:
        raise error

    return fails


def test_what_may_pass_is_tried_again_and_then_given_up(lab: Lab, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk blames the file; or an upload that never works is tried for ever; or it disappears when it is given up."""
    monkeypatch.setattr("videolab_assets.defs.outcomes.FIRST_WAIT_SECONDS", 0)
    monkeypatch.setattr(intake, "FIRST_BACKOFF_SECONDS", 0)
    monkeypatch.setattr(ingest_assets, "take_in", fails_with(TransientError("The disk is full.", "errno 28")))
    lab.put(clips / "silent.mp4")
    results = lab.work()
    assert [failures_of(result) for result in results] == [{"source_video": "The disk is full."}] * 3
    keys = [run.tags["dagster/run_key"] for run in lab.instance.get_runs()]
    assert len(set(keys)) == 3
    upload = lab.upload_of(results[0])
    assert (upload.state, upload.attempt, upload.reason) == (State.FAILED, 3, "3 attempts failed. The last one: The disk is full.")
    (reason,) = lab.rejections()
    assert (reason["code"], reason["reason"]) == ("failed", upload.reason)
    assert (Path(lab.settings.store_location) / reason["kept_as"]).read_bytes() == (clips / "silent.mp4").read_bytes()
    assert lab.tick() == []


def test_a_failure_that_passes_needs_nobody(lab: Lab, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store was away for a minute, and a person has to upload everything again."""
    monkeypatch.setattr("videolab_assets.defs.outcomes.RETRIES", 0)
    monkeypatch.setattr(intake, "FIRST_BACKOFF_SECONDS", 0)
    lab.put(clips / "silent.mp4")
    (request,) = lab.tick()
    with monkeypatch.context() as broken:
        broken.setattr(media_assets, "make", fails_with(TransientError("The store is away.")))
        assert failures_of(lab.run(request)) == {"media": "The store is away."}
    (second,) = lab.work()
    assert second.success
    assert (lab.upload_of(second).state, lab.upload_of(second).attempt) == (State.DONE, 2)
    lab.assert_tidy()


def test_a_failure_for_good_is_not_tried_again(lab: Lab, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged video is decoded three times, each as hopeless as the first; its original must stay where it is."""
    with monkeypatch.context() as broken:
        broken.setattr(media_assets, "make", fails_with(PermanentError("The rest is damaged.")))
        (result,) = [lab.process(clips / "silent.mp4")]
    assert lab.upload_of(result).reason == "The rest is damaged."
    assert lab.made(video_key_of(result)) == {"source_video"}
    assert lab.rejections() == []
    assert lab.tick() == []


def test_a_bug_of_ours_is_not_the_uploads_fault(lab: Lab, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An exception that nobody foresaw ends the upload at its first run, or its reason names Dagster's wrapping instead of it."""
    monkeypatch.setattr(intake, "FIRST_BACKOFF_SECONDS", 0)
    monkeypatch.setenv("VIDEOLAB_MAX_ATTEMPTS", "2")
    monkeypatch.setattr(ingest_assets, "take_in", fails_with(ZeroDivisionError("division by zero")))
    lab.put(clips / "silent.mp4")
    results = lab.work()
    assert len(results) == 2
    assert lab.upload_of(results[0]).reason == "2 attempts failed. The last one: ZeroDivisionError: division by zero"


def test_a_stopped_run_stays_stopped(lab: Lab, clips: Path) -> None:
    """A person stops a run, and the sensor starts it again."""
    lab.put(clips / "silent.mp4")
    (request,) = lab.tick()
    lab.instance.report_run_canceled(lab.start(request))
    assert lab.work() == []
    (reason,) = lab.rejections()
    assert "stopped" in reason["reason"]
    upload = lab.catalogue.by_video_key(str(request.partition_key))
    assert upload
    assert upload.state is State.FAILED


def test_the_next_upload_waits_for_room(lab: Lab, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty thousand files are dropped at once, and Dagster's queue is flooded."""
    monkeypatch.setenv("VIDEOLAB_MAX_IN_FLIGHT", "2")
    for number in range(4):
        lab.put(variant(clips / "silent.mp4", bytes([number])), f"{number}.mp4")
    first = lab.tick()
    assert len(first) == 2
    for request in first:
        lab.start(request)
    assert lab.tick() == []
    lab.instance.report_run_canceled(lab.instance.get_runs()[0])
    assert len({request.run_key for request in [*lab.tick(), *lab.tick()]}) == 1
    before = fingerprint(lab.inbox)
    assert len(before) == 3
