"""The original: out of the inbox, through the gate, into the library."""

from collections.abc import Iterator

import dagster as dg

from videolab_assets.defs.metadata import metadata_of
from videolab_assets.defs.outcomes import ATTEMPT_TAG, UPLOAD_TAG, told
from videolab_assets.defs.partitions import OWNERS, videos
from videolab_assets.defs.resources import CatalogueResource, StoreResource, Workshop
from videolab_assets.lib.documents import SourceVideo
from videolab_assets.lib.errors import PermanentError, RejectedUpload
from videolab_assets.lib.ingest import CODE_VERSION, Duplicate, take_in
from videolab_assets.lib.keys import checked_video_key


@dg.asset(
    group_name="ingest",
    partitions_def=videos,
    output_required=False,
    kinds={"ffmpeg", "mp4"},
    owners=OWNERS,
    code_version=CODE_VERSION,
)
def source_video(
    context: dg.AssetExecutionContext, store: StoreResource, catalogue: CatalogueResource, workshop: Workshop
) -> Iterator[dg.MaterializeResult[SourceVideo]]:
    """The uploaded original under its own key, with what it is: container, codecs, size as displayed, rate, duration, colour, sound.

    Only files that pass the gate get here; the others end in `rejected/` with the reason. The same bytes under another name are
    recognised: that partition goes away again, and an observation says which video holds them.
    """
    with told(context):
        video_key = checked_video_key(context.partition_key)
        uploads = catalogue.open()
        upload = uploads.by_video_key(video_key)
        if upload is None:
            raise PermanentError(f"No upload is known as {video_key}: put a file into the inbox instead of adding a partition by hand.")
        # A run that a person starts has no tags; the sensor judges an upload by its latest run, and has to know this one.
        context.instance.add_run_tags(context.run.run_id, {UPLOAD_TAG: upload.upload_id, ATTEMPT_TAG: str(upload.attempt)})
        library = store.library()
        earlier = library.readable(video_key, SourceVideo)
        try:
            taken = take_in(upload, library, uploads, workshop.folder, workshop.caps)
        except RejectedUpload as rejection:
            found: dict[str, dg.MetadataValue | str] = {"rejected": rejection.sentence, "found": dg.MetadataValue.json(rejection.found)}
            context.log_event(dg.AssetObservation("source_video", partition=video_key, metadata=found))
            raise
    if isinstance(taken, Duplicate):
        sentence = f"These bytes are already there as {taken.first}; nothing is processed again."
        context.log_event(
            dg.AssetObservation("source_video", partition=video_key, metadata={"duplicate": sentence, "sha256": taken.sha256})
        )
        context.instance.delete_dynamic_partition(str(videos.name), video_key)
        return
    metadata = metadata_of(taken, library, found=taken == earlier)
    yield dg.MaterializeResult(value=taken, metadata=metadata, data_version=dg.DataVersion(taken.sha256[:16]))
