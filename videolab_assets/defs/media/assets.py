"""Proxy, sound, waveform, thumbnail, storyboard and shots: six assets out of one decode."""

from collections.abc import Iterator

import dagster as dg

from videolab_assets.defs.metadata import materialization
from videolab_assets.defs.outcomes import tell_skipped, told
from videolab_assets.defs.partitions import OWNERS, videos
from videolab_assets.defs.progress import log_progress
from videolab_assets.defs.resources import StoreResource, Workshop
from videolab_assets.lib.documents import Document, SourceVideo
from videolab_assets.lib.media import CODE_VERSIONS, MEDIA_ASSETS, MediaAsset, absence, make

DESCRIPTIONS: dict[MediaAsset, str] = {
    "proxy": "What a person watches: H.264 and AAC at no more than 1280x720, constant frame rate, ready to stream.",
    "audio": "The sound for machines: 16 kHz mono FLAC, with its loudness.",
    "waveform": "Peaks in audiowaveform's JSON format, and a picture of them.",
    "thumbnail": "The frame that represents the video best: sharp, well lit, with a face where there is one.",
    "storyboard": "A sheet of small frames with the WebVTT that lets a player show them while seeking.",
    "shots": "Where the picture cuts, fades or dissolves, and how each shot looks: motion, brightness, sharpness, faces.",
}
KINDS: dict[MediaAsset, set[str]] = {
    "proxy": {"ffmpeg", "mp4"},
    "audio": {"ffmpeg", "flac"},
    "waveform": {"numpy", "json"},
    "thumbnail": {"opencv", "jpeg"},
    "storyboard": {"opencv", "jpeg"},
    "shots": {"opencv", "json"},
}


@dg.multi_asset(
    name="media",
    group_name="media",
    partitions_def=videos,
    can_subset=True,
    outs={
        asset: dg.AssetOut(
            is_required=False,
            description=DESCRIPTIONS[asset],
            kinds=KINDS[asset],
            owners=OWNERS,
            code_version=CODE_VERSIONS[asset],
        )
        for asset in MEDIA_ASSETS
    },
)
def media(
    context: dg.AssetExecutionContext, source_video: SourceVideo, store: StoreResource, workshop: Workshop
) -> Iterator[dg.MaterializeResult[Document]]:
    """Decodes the original once for whichever of the six is asked for; those that its streams cannot give are skipped and say why."""
    selected = {asset for asset in MEDIA_ASSETS if asset in context.op_execution_context.selected_output_names}
    absent = {asset: reason for asset in selected if (reason := absence(asset, source_video.probe))}
    library = store.library()
    with told(context):
        progress = log_progress(context, source_video.probe.duration, "Decoded")
        made = make(library, source_video, selected - absent.keys(), workshop.folder, progress=progress)
    for asset in MEDIA_ASSETS:
        if asset in absent:
            tell_skipped(context, asset, absent[asset])
        elif asset in made.documents:
            document = made.documents[asset]
            yield materialization(document, library, found=asset in made.found)
