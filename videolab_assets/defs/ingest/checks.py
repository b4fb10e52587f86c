"""Is the original where its document says?"""

import dagster as dg

from videolab_assets.defs.partitions import videos
from videolab_assets.defs.resources import StoreResource
from videolab_assets.lib.documents import SourceVideo


@dg.asset_check(asset="source_video", partitions_def=videos, description="The original is in the library at its full size.")
def original_is_stored(source_video: SourceVideo, store: StoreResource) -> dg.AssetCheckResult:
    """Looks at the object itself: a document is only a claim."""
    found = store.open().stat(source_video.source_key)
    kept = found.bytes if found else 0
    return dg.AssetCheckResult(passed=kept == source_video.probe.bytes, metadata={"bytes": kept, "expected": source_video.probe.bytes})
