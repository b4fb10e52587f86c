"""Is the video in the index with every sentence?"""

import dagster as dg

from videolab_assets.defs.partitions import videos
from videolab_assets.defs.resources import SearchResource
from videolab_assets.lib.documents import SearchEntry


@dg.asset_check(asset="search_entry", partitions_def=videos, description="The index holds as many moments as were put into it.")
def moments_are_indexed(context: dg.AssetCheckExecutionContext, search_entry: SearchEntry, search: SearchResource) -> dg.AssetCheckResult:
    """Looks into the table itself: a document is only a claim."""
    moments = search.open().count(context.partition_key)
    return dg.AssetCheckResult(passed=moments == search_entry.moments, metadata={"moments": moments, "expected": search_entry.moments})
