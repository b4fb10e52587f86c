"""Where clips begin and end, and what it costs to cut one out of the depth of a long video."""

from typing import Any

from benchmarks.clip_boundaries import boundaries
from benchmarks.clip_seek import seek


def run() -> list[dict[str, Any]]:
    """Both questions."""
    return [*boundaries(), *seek()]
