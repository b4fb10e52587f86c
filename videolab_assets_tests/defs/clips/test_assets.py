"""From the inbox to clips, and a person's orders on the way."""

import json
import subprocess
from pathlib import Path

import dagster as dg
import opentimelineio as otio
import pytest

from videolab_assets.lib.clips.rules import RULES_KEY
from videolab_assets.lib.documents import ClipPlan, Clips
from videolab_assets.lib.ffmpeg import binary
from videolab_assets_tests.lab import H264, QUIET, Lab, failures_of, materialized, video_key_of

SCENES = ("testsrc2", "smptebars", "mandelbrot", "rgbtestsrc", "life=s=160x90:r=25:mold=10")
SCENE_SECONDS = 9


@pytest.fixture(scope="session")
def silent_scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """45 s without sound that cut to another scene every nine."""
    path = tmp_path_factory.mktemp("scenes") / "scenes.mp4"
    inputs: list[str] = []
    for scene in SCENES:
        source = scene if "=" in scene else f"{scene}=s=160x90:r=25"
        inputs += ["-f", "lavfi", "-t", str(SCENE_SECONDS), "-i", source]
    joined = "".join(f"[{number}:v]setsar=1,format=yuv420p[v{number}];" for number in range(len(SCENES)))
    joined += "".join(f"[v{number}]" for number in range(len(SCENES))) + f"concat=n={len(SCENES)}[out]"
    command = [str(binary()), "-nostdin", "-v", "error", *inputs, "-filter_complex", joined, "-map", "[out]", *H264, f"file:{path}"]
    subprocess.run(command, check=True, timeout=60)
    return path


def plan_of(lab: Lab, video_key: str) -> ClipPlan:
    plan = lab.library.document(video_key, ClipPlan)
    assert plan is not None
    return plan


def checks_of(result: dg.ExecuteInProcessResult) -> dict[str, bool]:
    return {evaluation.check_name: evaluation.passed for evaluation in result.get_asset_check_evaluations()}


def times_of(plan: ClipPlan) -> list[tuple[float, float, str]]:
    return [(clip.start, clip.end, clip.origin) for clip in plan.clips]


def test_a_silent_video_has_clips_too(lab: Lab, silent_scenes: Path) -> None:
    """Dagster skips whatever depends on what a silent video lacks; or a person's orders are lost with the next plan."""
    result = lab.process(silent_scenes, "scenes.mp4")
    assert result.success, failures_of(result)
    key = video_key_of(result)
    plan, clips = plan_of(lab, key), lab.library.document(key, Clips)
    assert clips and len(plan.clips) == len(clips.clips) >= 2
    for clip in plan.clips:  # each starts and ends with a scene
        assert all(abs(time / SCENE_SECONDS - round(time / SCENE_SECONDS)) * SCENE_SECONDS <= 0.05 for time in (clip.start, clip.end))
    assert checks_of(result)["clips_are_exact"] and checks_of(result)["clips_are_whole"]
    assert {"clip_plan", "clips"} <= materialized(result).keys()
    assert not {"clip_plan", "clips"} & lab.skipped(key).keys()
    table, parts = (materialized(result)["clip_plan"].metadata[name] for name in ("table", "score_parts"))
    assert isinstance(table, dg.TableMetadataValue) and isinstance(parts, dg.TableMetadataValue)
    assert {"score", "title", "why"} <= table.records[0].data.keys()
    assert {"hook", "motion", "novelty"} <= parts.records[0].data.keys()

    orders = (
        f"pin:\n  - {{start: 0:02, end: 0:08.2, title: Mine}}\nexclude:\n  - {{start: {plan.clips[0].start}, end: {plan.clips[0].end}}}\n"
    )
    lab.put(orders.encode(), "scenes.clips.yaml")
    (replanned,) = lab.work()
    assert replanned.success, failures_of(replanned)
    assert replanned.dagster_run.job_name == "replan_clips"
    ordered = times_of(plan_of(lab, key))
    assert (2.0, 8.2, "pinned") in ordered
    assert not any(start < plan.clips[0].end and plan.clips[0].start < end for start, end, origin in ordered if origin == "found")
    lab.assert_tidy()

    config = {"ops": {"clip_plan": {"ops": {"plan_clips": {"config": {"pin": [{"start": "20", "end": "26"}]}}}}}}
    job = lab.repository.get_job("replan_clips")
    assert job.execute_in_process(
        instance=lab.instance, partition_key=key, asset_selection=[dg.AssetKey("clip_plan")], run_config={**QUIET, **config}
    ).success
    again = job.execute_in_process(instance=lab.instance, partition_key=key, asset_selection=[dg.AssetKey("clip_plan")], run_config=QUIET)
    assert materialized(again)["clip_plan"].metadata["found"].value
    assert {(2.0, 8.2, "pinned"), (20.0, 26.0, "pinned")} <= set(times_of(plan_of(lab, key)))

    edited = otio.adapters.read_from_string(
        lab.library.store.read_bytes(plan_of(lab, key).files[0].key, 1 << 20).decode(), adapter_name="otio_json"
    )
    track = edited.tracks[0]
    rate = track[0].source_range.start_time.rate
    del track[1:]
    track[0].source_range = otio.opentime.TimeRange(otio.opentime.RationalTime(250, rate), otio.opentime.RationalTime(100, rate))
    lab.put(otio.adapters.write_to_string(edited, adapter_name="otio_json").encode(), f"{key}.otio")
    (followed,) = lab.work()
    assert followed.success, failures_of(followed)
    assert times_of(plan_of(lab, key)) == [(10.0, 14.0, "timeline")]
    clips = lab.library.document(key, Clips)
    assert clips and [clip.frames for clip in clips.clips] == [100]


@pytest.mark.long
def test_what_is_too_short_gives_one_clip_or_none(lab: Lab, clips: Path) -> None:
    """A video of seconds fails for want of clips, or says nothing; or a sound file fails because nothing can be cut."""
    talk = lab.process(clips / "talk.mp4", "talk.mp4")
    assert talk.success, failures_of(talk)
    plan = plan_of(lab, video_key_of(talk))
    assert [clip.duration for clip in plan.clips] == [pytest.approx(10.2, abs=0.05)]
    assert plan.reason and "all of it is one clip" in plan.reason
    assert "sailor" in " ".join(word.text for word in plan.clips[0].words)
    short = lab.process(clips / "clip.mp4", "clip.mp4")
    assert short.success, failures_of(short)
    assert plan_of(lab, video_key_of(short)).clips == []
    assert "too short" in lab.skipped(video_key_of(short))["clips"]
    sound = lab.process(clips / "sound.m4a", "sound.m4a")
    assert sound.success, failures_of(sound)
    assert {asset: "sound only" in why for asset, why in lab.skipped(video_key_of(sound)).items() if "clip" in asset} == {
        "clip_plan": True,
        "clips": True,
    }


@pytest.mark.long
def test_what_breaks_its_schema_changes_nothing(lab: Lab, clips: Path) -> None:
    """A typo in a file of a person's takes clips away, or nobody learns the line it is in."""
    lab.library.store.write_bytes(RULES_KEY, b"version: mine\nclips:\n  least: 1\n", media_type="application/yaml")
    first = lab.process(clips / "talk.mp4", "talk.mp4")
    key = video_key_of(first)
    plan = plan_of(lab, key)
    assert plan.rules_version == "mine"
    rules = lab.instance.get_latest_materialization_event(dg.AssetKey("platform_rules"))
    assert rules and rules.asset_materialization and rules.asset_materialization.metadata["version"].value == "mine"

    lab.library.store.write_bytes(RULES_KEY, b"version: mine\nclips:\n  leest: 1\n", media_type="application/yaml")
    job = lab.repository.get_job("replan_clips")
    result = job.execute_in_process(instance=lab.instance, partition_key=key, asset_selection=[dg.AssetKey("clip_plan")], run_config=QUIET)
    assert result.success
    assert not checks_of(result)["rules_are_readable"]
    now = plan_of(lab, key)
    assert now.rules_problem and "line 3" in now.rules_problem.lower() and "least" in now.rules_problem
    assert (now.rules_version, times_of(now)) == ("mine", times_of(plan))

    lab.put(b"pin:\n  - {start: 2, end: 1}\n", "talk.clips.yaml")
    lab.put(json.dumps({"OTIO_SCHEMA": "Timeline.1", "tracks": 3}).encode(), "talk.otio")
    assert lab.work() == []
    reasons = [rejection["reason"] if "reason" in rejection else str(rejection) for rejection in lab.rejections()]
    assert len(reasons) == 2
    assert all("line" in reason.lower() for reason in reasons), reasons
    assert times_of(plan_of(lab, key)) == times_of(plan)
