"""What a person lays beside a video becomes one run of the job that follows it, whatever happens to ticks and runs."""

import dataclasses
import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from videolab_assets.defs.ingest.sensors import SIDECAR_TAG
from videolab_assets.defs.outcomes import ATTEMPT_TAG, OWNER_TAG, owner_of
from videolab_assets.defs.speech import assets as speech_assets
from videolab_assets.instance import open_instance
from videolab_assets.lib.catalogue import State
from videolab_assets.lib.documents import Audio, ClipPlan, Shots
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.processes import ProcessIdentity, this_process
from videolab_assets.settings import Settings
from videolab_assets_tests.defs.ingest.test_crashes import WORKER
from videolab_assets_tests.lab import Lab, failures_of, materialized, variant, video_key_of

SRT = b"1\n00:00:00,100 --> 00:00:00,900\nHello there.\n"
LATER_SRT = SRT.replace(b"there", b"everybody")
PROMPT = b"For lighthouse keepers, in two sentences."
ORDERS = b"pin:\n- {start: 1.2, end: 6, title: The lamp}\n"


def known(lab: Lab, clip: Path, name: str = "talk.mp4") -> str:
    """The key of a video that is done, of which no more than the original and claims of its sound and its picture are there."""
    lab.put(variant(clip, name.encode()), name)
    (request,) = lab.tick()
    result = lab.run(request, ["source_video"])
    assert result.success
    key = video_key_of(result)
    lab.library.write(key, Audio(duration=1.0, sample_rate=16000, loudness=-20.0, peak=-3.0))
    lab.library.write(key, Shots(frame_rate=25.0, duration=10.0, shots=[]))
    lab.tick()
    assert lab.upload_of(result).state is State.DONE
    return key


def kept(lab: Lab, key: str, name: str) -> bytes:
    return lab.library.store.read_bytes(f"library/acme/{key}/{name}", 1 << 20)


@pytest.mark.parametrize(
    ("ending", "content", "name", "job"),
    [
        ("srt", SRT, "corrected.srt", "amend_video"),
        ("prompt.txt", PROMPT, "summary.prompt.txt", "amend_video"),
        ("clips.yaml", ORDERS, "clips.yaml", "replan_clips"),
    ],
)
def test_one_run_follows(ending: str, content: bytes, name: str, job: str, lab: Lab, clips: Path) -> None:
    """A correction is rejected as no video, or starts a run with every tick, or the whole video is made again."""
    key = known(lab, clips / "clip.mp4")
    path = lab.put(content, f"{key}.{ending}")
    (request,) = lab.tick()
    assert (request.job_name, request.partition_key, request.tags["videolab/tenant"]) == (job, key, "acme")
    assert SIDECAR_TAG in request.tags
    (again,) = lab.tick()  # the daemon lost the request before it was stored
    assert again.run_key == request.run_key
    assert kept(lab, key, name) == content
    run = lab.start(request)
    assert run.job_name == job
    assert lab.tick() == []
    assert path.exists(), "gone before its run has ended"
    lab.instance.report_run_canceled(run)  # a person stops it
    assert lab.tick() == []
    lab.assert_tidy()
    assert len(lab.instance.get_runs()) == 2
    assert lab.rejections() == []


def test_the_next_correction_waits_for_the_run_before(lab: Lab, clips: Path) -> None:
    """Two runs work on one video's words at once, and the older words win."""
    key = known(lab, clips / "clip.mp4")
    lab.put(SRT, "talk.srt")
    (request,) = lab.tick()
    run = lab.start(request)
    assert lab.tick() == []
    lab.put(LATER_SRT, "talk.srt")
    assert lab.tick() == []
    assert kept(lab, key, "corrected.srt") == LATER_SRT
    lab.instance.report_run_canceled(run)
    (later,) = lab.tick()
    assert later.run_key != request.run_key
    digest = hashlib.sha256(SRT).hexdigest()[:8]
    assert kept(lab, key, f"corrected.{digest}.srt") == SRT


def test_runs_of_both_jobs_follow_one_another(lab: Lab, clips: Path) -> None:
    """Subtitles and orders are laid there together, and two runs make the same clips at once."""
    known(lab, clips / "clip.mp4")
    lab.put(SRT, "talk.srt")
    lab.put(ORDERS, "talk.clips.yaml")
    started = []
    for _ in range(2):
        (request,) = lab.tick()
        run = lab.start(request)
        assert lab.tick() == []
        lab.instance.report_run_canceled(run)
        started.append(request.job_name)
    assert sorted(map(str, started)) == ["amend_video", "replan_clips"]
    assert lab.tick() == []
    lab.assert_tidy()


def test_a_run_that_was_never_launched_is_asked_for_again(lab: Lab, clips: Path) -> None:
    """The daemon dies between storing a run and launching it: the correction counts as followed and never is."""
    known(lab, clips / "clip.mp4")
    path = lab.put(SRT, "talk.srt")
    (request,) = lab.tick()
    lab.instance.create_run_for_job(
        lab.repository.get_job("amend_video"),
        tags={**request.tags, "dagster/partition": str(request.partition_key)},
        status=dg.DagsterRunStatus.NOT_STARTED,
    )
    (again,) = lab.tick()
    assert again.run_key == request.run_key
    assert path.exists()


def status_of(lab: Lab, run: dg.DagsterRun) -> dg.DagsterRunStatus:
    found = lab.instance.get_run_by_id(run.run_id)
    assert found
    return found.status


@pytest.mark.parametrize(("name", "content"), [("corrected.srt", SRT), ("clips.yaml", ORDERS)])
def test_after_a_power_cut_there_is_another_run(name: str, content: bytes, lab: Lab, clips: Path) -> None:
    """A killed run is started for ever: its correction is never followed, and the next one waits for a day; or there is no end of runs."""
    key = known(lab, clips / "clip.mp4")
    lab.put(content, f"talk.{name.removeprefix('corrected.')}")
    attempts, run_keys = [], set()
    for _ in range(3):
        (request,) = lab.tick()
        attempts.append(request.tags[ATTEMPT_TAG])
        run_keys.add(request.run_key)
        run = lab.start(request)
        assert lab.tick() == []
        lab.kill(run)
        lab.tick()
        assert status_of(lab, run) is dg.DagsterRunStatus.FAILURE
    assert (attempts, len(run_keys)) == (["1", "2", "3"], 3)
    assert lab.tick() == []
    lab.assert_tidy()
    assert lab.rejections() == []
    assert kept(lab, key, name) == content
    assert len(lab.instance.get_runs()) == 4


def test_what_dagster_noticed_is_made_as_well(lab: Lab, clips: Path) -> None:
    """Dagster marks a killed run as failed before the sensor does, and that passes for a failure of its own."""
    known(lab, clips / "clip.mp4")
    lab.put(SRT, "talk.srt")
    (request,) = lab.tick()
    lab.instance.report_run_failed(lab.start(request))
    (again,) = lab.tick()
    assert (again.tags[ATTEMPT_TAG], again.partition_key) == ("2", request.partition_key)


def test_what_is_interrupted_is_made_as_well(lab: Lab, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster is shut down in an orderly way, and what it was at is never made."""
    known(lab, clips / "clip.mp4")
    lab.put(SRT, "talk.srt")
    (request,) = lab.tick()

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(speech_assets, "make", interrupted)
    assert not lab.run(request).success
    (again,) = lab.tick()
    assert again.tags[ATTEMPT_TAG] == "2"


@pytest.mark.parametrize("error", [PermanentError("The sound is damaged."), ZeroDivisionError("division by zero")])
def test_a_failure_of_its_own_is_not_repeated(error: Exception, lab: Lab, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot work is tried again and again, or lies in the inbox for ever."""
    known(lab, clips / "clip.mp4")
    lab.put(SRT, "talk.srt")
    (request,) = lab.tick()

    def broken(*_: object) -> None:
        raise error

    monkeypatch.setattr(speech_assets, "make", broken)
    assert set(failures_of(lab.run(request))) == {"transcript"}
    assert lab.tick() == []
    lab.assert_tidy()


def test_only_what_certainly_ended_is_abandoned(lab: Lab, clips: Path) -> None:
    """A run that is at work gets a second one beside it: on another machine, in its first second, or a repetition of a killed one."""
    known(lab, clips / "clip.mp4")
    lab.put(SRT, "talk.srt")
    (request,) = lab.tick()
    run = lab.start(request)
    lab.own(run, dataclasses.replace(this_process(), host="another-machine", boot="00000000"))
    assert lab.tick() == []
    lab.own(run, this_process())
    assert lab.tick() == []
    lab.kill(run)
    (again,) = lab.tick()
    killed = lab.instance.get_run_by_id(run.run_id)
    assert killed
    repeated = lab.instance.create_run_for_job(lab.repository.get_job("amend_video"), tags=killed.tags, status=dg.DagsterRunStatus.STARTED)
    assert repeated.tags[OWNER_TAG] == killed.tags[OWNER_TAG]
    assert lab.tick() == []
    assert status_of(lab, repeated) is dg.DagsterRunStatus.STARTED
    lab.instance.report_run_failed(repeated)
    (later,) = lab.tick()
    assert later.run_key == again.run_key


def test_what_a_person_stops_is_not_started_again(lab: Lab, clips: Path) -> None:
    """A person stops a run whose process is gone, and it counts as killed before Dagster has marked it as stopped."""
    known(lab, clips / "clip.mp4")
    lab.put(SRT, "talk.srt")
    (request,) = lab.tick()
    run = lab.start(request)
    lab.kill(run)
    lab.instance.report_run_canceling(run)
    assert lab.tick() == []
    assert status_of(lab, run) is dg.DagsterRunStatus.CANCELING
    lab.instance.report_run_canceled(run)
    assert lab.tick() == []
    lab.assert_tidy()


def test_what_ends_meanwhile_has_ended(lab: Lab, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run ends in the moment in which the sensor looks at its process, and is marked as failed."""
    known(lab, clips / "clip.mp4")
    lab.put(SRT, "talk.srt")
    (request,) = lab.tick()
    run = lab.start(request)
    lab.own(run, this_process())

    def ends(_: ProcessIdentity) -> bool:
        lab.instance.report_run_canceled(run)
        return True

    monkeypatch.setattr(ProcessIdentity, "is_gone", ends)
    assert lab.tick() == []
    assert status_of(lab, run) is dg.DagsterRunStatus.CANCELED
    lab.assert_tidy()


def test_a_run_that_a_person_started_blocks_nothing_when_it_is_killed(lab: Lab, clips: Path) -> None:
    """It has no sidecar: the next correction of its video waits for a day, and one of two places for runs is taken."""
    key = known(lab, clips / "clip.mp4")
    started = lab.start(dg.RunRequest(job_name="amend_video", partition_key=key))
    path = lab.put(SRT, "talk.srt")
    assert lab.tick() == []
    path.unlink()
    lab.kill(started)
    assert lab.tick() == []
    assert status_of(lab, started) is dg.DagsterRunStatus.FAILURE
    lab.put(SRT, "talk.srt")
    assert len(lab.tick()) == 1


PLACES = {"transcript": "videolab_assets.lib.transcript.transcribe", "subtitles": "videolab_assets.defs.speech.assets.to_webvtt"}


@pytest.mark.long
@pytest.mark.parametrize("place", PLACES)
def test_kill_9_in_the_middle(place: str, home: Path, clips: Path) -> None:
    """What a correction asked for is never made, is half made, or its run is at work for ever."""
    home.mkdir()
    with open_instance(Settings()) as instance:
        lab = Lab(instance)
        key = video_key_of(lab.process(clips / "clip.mp4"))
        if place == "transcript":
            (lab.settings.store_location / Path(f"library/acme/{key}/transcript.json")).unlink()  # so that the sound is heard again
        path = lab.put(SRT, "clip.srt")
        worker = subprocess.run(
            [sys.executable, "-c", WORKER, PLACES[place], "1"],
            cwd=Path(__file__).parents[3],
            env=dict(os.environ),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert worker.returncode == -signal.SIGKILL, worker.stderr[-2000:]
        (dead,) = instance.get_runs(dg.RunsFilter(job_name="amend_video"))
        assert dead.status is dg.DagsterRunStatus.STARTED
        assert path.exists()
        (result,) = lab.work()
        assert status_of(lab, dead) is dg.DagsterRunStatus.FAILURE
        assert result.success, failures_of(result)
        assert {"transcript", "subtitles"} <= materialized(result).keys()
        assert "Hello there." in kept(lab, key, "subtitles.vtt").decode()
        lab.library.store.sweep_temporaries()
        lab.assert_tidy()
        lab.assert_nothing_is_half_there()


def test_laid_beside_the_video(lab: Lab, clips: Path) -> None:
    """Video, subtitles and wish dropped together end as three rejected uploads, or the small files are lost."""
    lab.put(clips / "clip.mp4", "talk.mp4")
    lab.put(SRT, "talk.srt")
    lab.put(PROMPT, "talk.prompt.txt")
    (request,) = lab.tick()
    assert request.job_name == "process_video"
    key = str(request.partition_key)
    assert kept(lab, key, "summary.prompt.txt") == PROMPT
    lab.run(request, ["source_video"])
    lab.library.write(key, Audio(duration=1.0, sample_rate=16000, loudness=-20.0, peak=-3.0))
    seen = [lab.tick() for _ in range(2)]
    assert [request.job_name for request in seen[0]] == [request.job_name for request in seen[1]] == ["amend_video"]
    assert kept(lab, key, "corrected.srt") == SRT
    lab.instance.report_run_canceled(lab.start(seen[0][0]))
    (last,) = lab.tick()
    lab.instance.report_run_canceled(lab.start(last))
    assert lab.tick() == []
    lab.assert_tidy()
    assert lab.rejections() == []


def test_another_tenants_key(lab: Lab, clips: Path) -> None:
    """One tenant writes into the other's folder."""
    key = known(lab, clips / "clip.mp4")
    lab.put(SRT, f"{key}.srt", tenant="other")
    assert lab.tick() == []
    (reason,) = lab.rejections("other")
    assert reason["code"] == "other_tenant"
    assert (Path(lab.settings.store_location) / reason["kept_as"]).read_bytes() == SRT
    assert lab.library.store.stat(f"library/acme/{key}/corrected.srt") is None


@pytest.mark.long
def test_a_correction_holds(lab: Lab, clips: Path) -> None:
    """The run that follows a correction does not follow it; or the run after it undoes it."""
    result = lab.process(clips / "clip.mp4")
    key = video_key_of(result)
    lab.put(SRT, "clip.srt")
    (amended,) = lab.work()
    assert amended.success
    assert (amended.job_def.name, video_key_of(amended)) == ("amend_video", key)
    owners = [(run.job_name, owner_of(run)) for run in lab.instance.get_runs()]
    assert owners == [("amend_video", this_process()), ("process_video", None)]
    subtitles = kept(lab, key, "subtitles.srt").decode()
    assert "Hello there." in subtitles
    lab.put(SRT, "clip.srt")
    (found,) = lab.work()
    assert found.success
    assert kept(lab, key, "subtitles.srt").decode() == subtitles
    lab.assert_tidy()


@pytest.mark.long
def test_orders_are_followed(lab: Lab, clips: Path) -> None:
    """A clip that was pinned is not cut, or a later plan forgets it; or what an editor changed in the timeline does not become the plan."""
    key = video_key_of(lab.process(clips / "talk.mp4", "talk.mp4"))
    lab.put(ORDERS, "talk.clips.yaml")
    (ordered,) = lab.work()
    assert ordered.success, failures_of(ordered)
    assert (ordered.job_def.name, video_key_of(ordered)) == ("replan_clips", key)
    assert {owner_of(run) for run in lab.instance.get_runs(dg.RunsFilter(job_name="replan_clips"))} == {this_process()}

    def pinned() -> list[tuple[float, str, str]]:
        plan = lab.library.document(key, ClipPlan)
        assert plan
        return [(clip.start, clip.title, clip.origin) for clip in plan.clips if clip.origin != "found"]

    assert pinned() == [(1.2, "The lamp", "pinned")]
    lab.put(SRT, "talk.srt")
    (amended,) = lab.work()
    assert amended.success, failures_of(amended)
    assert pinned() == [(1.2, "The lamp", "pinned")]
    timeline = kept(lab, key, "clip_plan.otio")
    lab.put(timeline.replace(b"The lamp", b"The light"), "talk.otio")
    (edited,) = lab.work()
    assert edited.success, failures_of(edited)
    assert (1.2, "The light", "timeline") in pinned()
    lab.assert_tidy()
    assert lab.rejections() == []
