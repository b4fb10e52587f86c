"""VideoLab's definitions: everything below `defs/`, over the resources that the environment names."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg

from videolab_assets.defs.resources import resources_of
from videolab_assets.settings import Settings


def build_definitions(resources: Mapping[str, Any] | None = None) -> dg.Definitions:
    """The whole project's definitions.

    Args:
        resources: overrides by name, for tests and benchmarks; the rest follows from `VIDEOLAB_…` variables.
    """
    found = dg.load_from_defs_folder(path_within_project=Path(__file__).parent)
    return dg.Definitions.merge(found, dg.Definitions(resources={**resources_of(Settings()), **(resources or {})}))


@dg.definitions
def defs() -> dg.Definitions:
    """What `dg dev`, the daemon and run workers load."""
    return build_definitions()
