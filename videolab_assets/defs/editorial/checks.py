"""Is the summary fit to be published?"""

import dagster as dg

from videolab_assets.defs.partitions import videos
from videolab_assets.lib.documents import Summary

LONGEST_TITLE = 100
TAGS = range(5, 11)
KEY_POINTS = range(3, 8)


@dg.asset_check(
    asset="summary", partitions_def=videos, description="A title, a description, 5 to 10 tags and 3 to 7 key points, none of them twice."
)
def summary_is_complete(summary: Summary) -> dg.AssetCheckResult:
    """A short video gives fewer points than a platform asks for, so this warns."""
    points = [point.text for point in summary.key_points]
    faults = {
        "title": not 0 < len(summary.title) <= LONGEST_TITLE,
        "description": not summary.description,
        "tags": len(summary.tags) not in TAGS or len({tag.casefold() for tag in summary.tags}) != len(summary.tags),
        "key_points": len(points) not in KEY_POINTS or len(set(points)) != len(points),
    }
    return dg.AssetCheckResult(
        passed=not any(faults.values()),
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "title_characters": len(summary.title),
            "tags": len(summary.tags),
            "key_points": len(points),
            "faults": ", ".join(name for name, faulty in faults.items() if faulty) or "none",
        },
    )
