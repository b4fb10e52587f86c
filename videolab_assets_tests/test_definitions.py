"""What exists, so that nothing is renamed or lost by accident: a renamed asset loses its history, a renamed sensor forgets its run keys."""

import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from videolab_assets.definitions import build_definitions
from videolab_assets.defs.resources import StoreResource
from videolab_assets.lib.documents import DOCUMENTS

PROJECT = Path(__file__).resolve().parent.parent

ASSETS = {
    "ingest": {"source_video"},
    "media": {"proxy", "audio", "waveform", "thumbnail", "storyboard", "shots"},
    "speech": {"transcript", "subtitles"},
    "editorial": {"summary"},
    "search": {"search_entry"},
    "clips": {"clip_plan", "clips"},
    "variants": {"instagram_reel", "tiktok_video", "facebook_feed_video", "youtube_short"},
}
CAMPAIGNS = {
    "meta_campaign": {"instagram_reel", "facebook_feed_video"},
    "ad_insights": {"meta_campaign"},
    "clip_performance": {"ad_insights", "clip_plan"},
    "proposed_rules": {"clip_performance", "platform_rules"},
    "publications": ASSETS["variants"],
}
BESIDE = {"corrected_subtitles", "platform_rules", "search_index", *CAMPAIGNS}
"""Not made per video: what persons write, the index as a whole, and what follows from campaigns."""
UPSTREAM = {
    "source_video": set[str](),
    **{asset: {"source_video"} for asset in ASSETS["media"]},
    "transcript": {"audio", "corrected_subtitles"},
    "subtitles": {"transcript"},
    "summary": {"transcript"},
    "search_entry": {"transcript"},
    "clip_plan": {"source_video", "shots", "audio", "transcript", "platform_rules"},
    "clips": {"clip_plan", "source_video"},
    **{asset: {"clip_plan", "clips"} for asset in ASSETS["variants"]},
}


@pytest.fixture
def repository(home: Path) -> dg.RepositoryDefinition:
    return build_definitions().get_repository_def()


def test_assets(repository: dg.RepositoryDefinition) -> None:
    """An asset is renamed, moved to another group, loses its partitions, or tells a person nothing."""
    graph = repository.asset_graph
    specs = {key.to_user_string(): graph.get(key) for key in graph.get_all_asset_keys()}
    assert specs.keys() == DOCUMENTS.keys() | BESIDE
    specs = {asset: node for asset, node in specs.items() if asset not in BESIDE}
    assert {asset: node.group_name for asset, node in specs.items()} == {
        asset: group for group, assets in ASSETS.items() for asset in assets
    }
    assert {asset: {key.to_user_string() for key in node.parent_keys} for asset, node in specs.items()} == UPSTREAM
    for asset, node in specs.items():
        assert node.partitions_def == dg.DynamicPartitionsDefinition(name="videos"), asset
        assert node.description and node.kinds and node.owners and node.code_version, asset


def test_campaigns(repository: dg.RepositoryDefinition) -> None:
    """An asset of the campaigns is renamed or loses its partitions; or a circle closes without a person's word."""
    graph = repository.asset_graph
    specs = {asset: graph.get(dg.AssetKey(asset)) for asset in CAMPAIGNS}
    assert {asset: {key.to_user_string() for key in node.parent_keys} for asset, node in specs.items()} == CAMPAIGNS
    assert specs["meta_campaign"].partitions_def == dg.DynamicPartitionsDefinition(name="campaigns")
    assert specs["ad_insights"].partitions_def == dg.DailyPartitionsDefinition("2026-01-01", timezone="Pacific/Kiritimati")
    assert all(node.partitions_def is None for asset, node in specs.items() if asset not in ("meta_campaign", "ad_insights"))
    for asset, node in specs.items():
        assert node.group_name == "campaigns", asset
        assert node.description and node.kinds and node.owners and node.code_version, asset
    assert not graph.get(dg.AssetKey("platform_rules")).parent_keys


def test_no_step_that_spends_is_repeated_by_dagster(repository: dg.RepositoryDefinition) -> None:
    """Dagster's own retry sends a request again without looking whether the first one was followed."""
    for name in ("create_campaign", "activate_campaign", "stop_campaigns"):
        job = repository.get_job(name)
        assert all(job.graph.node_named(node.name).definition.retry_policy is None for node in job.graph.nodes), name  # type: ignore[attr-defined]
        assert job.executor_def == dg.in_process_executor


def test_every_asset_is_checked(repository: dg.RepositoryDefinition) -> None:
    """An output is made and nobody looks whether it is any good."""
    checks = {key.name: key.asset_key.to_user_string() for key in repository.asset_graph.asset_check_keys}
    assert (
        checks.items()
        >= {
            "original_is_stored": "source_video",
            "proxy_matches_source": "proxy",
            "proxy_in_sync": "proxy",
            "audio_is_usable": "audio",
            "waveform_covers_sound": "waveform",
            "thumbnail_shows_something": "thumbnail",
            "storyboard_reaches_the_end": "storyboard",
            "shots_tile_the_video": "shots",
            "words_in_order": "transcript",
            "words_are_likely": "transcript",
            "summary_is_complete": "summary",
            "moments_are_indexed": "search_entry",
            "clips_are_whole": "clip_plan",
            "clips_are_exact": "clips",
            **{f"{platform}_has_the_platforms_form": platform for platform in ASSETS["variants"]},
            "campaign_is_as_planned": "meta_campaign",
            "spend_reconciles": "ad_insights",
        }.items()
    )
    assert set(checks.values()) >= DOCUMENTS.keys() - {"subtitles"}


def test_one_job_makes_everything(repository: dg.RepositoryDefinition) -> None:
    """The sensor's job leaves an asset or a check out."""
    job = repository.get_job("process_video")
    assert {key.to_user_string() for key in job.asset_layer.executable_asset_keys} == DOCUMENTS.keys()
    of_videos = {key for key in repository.asset_graph.asset_check_keys if key.asset_key.to_user_string() in DOCUMENTS}
    assert set(job.asset_layer.asset_graph.asset_check_keys) == of_videos
    assert job.executor_def == dg.in_process_executor


def test_the_job_after_a_correction(repository: dg.RepositoryDefinition) -> None:
    """A correction leaves something of the old words standing, or decodes the video again."""
    job = repository.get_job("amend_video")
    made = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert made == set().union(*(ASSETS[group] for group in ("speech", "editorial", "search", "clips", "variants")))
    assert job.executor_def == dg.in_process_executor


def test_the_job_after_an_order(repository: dg.RepositoryDefinition) -> None:
    """What a person orders of the clips of a silent video fails for want of a transcript, or leaves old variants standing."""
    job = repository.get_job("replan_clips")
    made = {key.to_user_string() for key in job.asset_layer.executable_asset_keys}
    assert made == ASSETS["clips"] | ASSETS["variants"]
    assert job.executor_def == dg.in_process_executor


def test_what_starts_by_itself(repository: dg.RepositoryDefinition) -> None:
    """The upload sensor is off, so nothing happens after `make dev`; or it is renamed, which arms every old run key again."""
    assert {sensor.name: (sensor.default_status, {job.name for job in sensor.jobs}) for sensor in repository.sensor_defs} == {
        "uploads": (dg.DefaultSensorStatus.RUNNING, {"process_video", "amend_video", "replan_clips"}),
        "requests": (
            dg.DefaultSensorStatus.RUNNING,
            {"create_campaign", "activate_campaign", "stop_campaigns", "record_publication", "approve_rules"},
        ),
    }
    assert {schedule.name: (schedule.default_status, schedule.cron_schedule) for schedule in repository.schedule_defs} == {
        "tidy_search": (dg.DefaultScheduleStatus.RUNNING, "17 3 * * *"),
        "daily_insights": (dg.DefaultScheduleStatus.RUNNING, "23 * * * *"),
    }


def test_overrides(home: Path) -> None:
    """Tests and benchmarks run against the real store instead of their own."""
    other = StoreResource(location=str(home / "elsewhere"), s3_endpoint=None, s3_region=None)
    definitions = build_definitions({"store": other})
    assert (definitions.resources or {})["store"] == other
    assert set(definitions.resources or {}) == {"store", "catalogue", "search", "workshop", "io_manager"}


def test_the_workspace_loads_in_a_fresh_process(home: Path, tmp_path: Path) -> None:
    """The daemon finds no code location because something only works inside the tests."""
    home.mkdir()
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"]
    (home / "dagster").mkdir()
    done = subprocess.run(command, cwd=PROJECT, env=dict(os.environ), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
