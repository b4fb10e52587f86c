"""VideoLab's definitions: every asset and check below `defs/`, what starts them, and the resources that the environment names."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from videolab_assets import defs as stages
from videolab_assets.defs.campaigns.jobs import REQUESTED, sync_insights
from videolab_assets.defs.campaigns.schedules import daily_insights
from videolab_assets.defs.campaigns.sensors import requests
from videolab_assets.defs.clips.assets import platform_rules
from videolab_assets.defs.ingest.jobs import amend_video, process_video, replan_clips
from videolab_assets.defs.ingest.sensors import uploads
from videolab_assets.defs.resources import resources_of
from videolab_assets.defs.search.schedules import tidy_search
from videolab_assets.defs.speech.assets import corrected_subtitles
from videolab_assets.settings import Settings


def build_definitions(resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The whole project's definitions.

    Assets and checks are found by themselves. Dagster's loader of whole folders would find the rest too, but it imports every plug-in
    that is installed, dagster-aws and boto3 among them, into each process: nearly a CPU second for every video.

    Args:
        resources: overrides by name, for tests and benchmarks; the rest follows from `VIDEOLAB_…` variables.
    """
    return dg.Definitions(
        assets=[corrected_subtitles, platform_rules, *dg.load_assets_from_package_module(stages)],
        asset_checks=dg.load_asset_checks_from_package_module(stages),
        jobs=[process_video, amend_video, replan_clips, sync_insights, *(one.job for one in REQUESTED.values())],
        sensors=[uploads, requests],
        schedules=[tidy_search, daily_insights],
        resources={**resources_of(Settings()), **(resources or {})},
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What `dg dev`, the daemon and run workers load."""
    return build_definitions()
