"""Every spoken sentence can be found; what is gone cannot."""

import time

import dagster as dg

from videolab_assets.defs.metadata import materialization
from videolab_assets.defs.outcomes import told
from videolab_assets.defs.partitions import OWNERS, videos
from videolab_assets.defs.resources import SearchResource, StoreResource
from videolab_assets.lib.documents import SearchEntry, Transcript
from videolab_assets.lib.recipe import JsonValue, recipe
from videolab_assets.lib.search import VERSION, forget_missing

ENTRY_VERSION = f"1 {VERSION}"


@dg.asset(group_name="search", partitions_def=videos, kinds={"sql"}, owners=OWNERS, code_version=ENTRY_VERSION)
def search_entry(
    context: dg.AssetExecutionContext, transcript: Transcript, store: StoreResource, search: SearchResource
) -> dg.MaterializeResult[SearchEntry]:
    """What is said in this video, sentence by sentence, in the index behind `videolab search`; it replaces the video's earlier moments."""
    video_key, library, index = context.partition_key, store.library(), search.open()
    said: list[JsonValue] = [segment.model_dump(mode="json") for segment in transcript.segments]
    made_of = recipe(asset="search_entry", code=ENTRY_VERSION, language=transcript.language, said=said)
    with told(context):
        found = library.made(video_key, SearchEntry, made_of)
        if found is None or index.count(video_key) != found.moments:
            started = time.monotonic()
            moments = index.put(video_key, transcript)
            seconds = round(time.monotonic() - started, 3)
            indexed = SearchEntry(recipe=made_of, language=transcript.language, moments=moments, seconds=seconds)
            return materialization(indexed, library, found=False)
    return materialization(found, library, found=True)


@dg.asset(group_name="search", deps=[search_entry], kinds={"sql"}, owners=OWNERS, code_version="1")
def search_index(context: dg.AssetExecutionContext, store: StoreResource, search: SearchResource) -> dg.MaterializeResult[None]:
    """The whole index, without the videos that were deleted: those whose partition or whose transcript is gone.

    `videolab search` leaves out what is gone by itself; this takes it out of the tables, once a day.
    """
    with told(context):
        index = search.open()
        partitions = set(context.instance.get_dynamic_partitions(str(videos.name)))
        removed = forget_missing(index, store.library(), partitions.__contains__)
    return dg.MaterializeResult(
        metadata={"videos": index.count_videos(), "moments": index.count(), "removed": len(removed), "removed_videos": removed[:25]}
    )
