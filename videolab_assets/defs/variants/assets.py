"""Each clip as each platform wants it: as many assets as there are entries in `PLATFORMS`, all from one decode of a clip."""

from collections.abc import Iterator

import dagster as dg

from videolab_assets.defs.metadata import materialization
from videolab_assets.defs.outcomes import tell_skipped, told
from videolab_assets.defs.partitions import OWNERS, videos
from videolab_assets.defs.progress import log_progress
from videolab_assets.defs.resources import StoreResource, Workshop
from videolab_assets.defs.variants.checks import results_of, specs_of
from videolab_assets.lib.documents import VARIANTS, ClipPlan, Clips, Variants
from videolab_assets.lib.platforms import PLATFORMS, Platform
from videolab_assets.lib.variants.making import VARIANTS_VERSION, make
from videolab_assets.settings import Settings


def _description(platform: Platform) -> str:
    return (
        f"Each clip as a {platform.title}: {platform.width}x{platform.height}, the subject kept in view, captions burnt in, "
        f"{platform.loudness:.0f} LUFS; with a cover, subtitles, and the words to post it with."
    )


@dg.multi_asset(
    name="variants",
    group_name="variants",
    partitions_def=videos,
    can_subset=True,
    outs={
        name: dg.AssetOut(
            is_required=False, description=_description(platform), kinds={"ffmpeg", "mp4"}, owners=OWNERS, code_version=VARIANTS_VERSION
        )
        for name, platform in PLATFORMS.items()
    },
    check_specs=[spec for name in PLATFORMS for spec in specs_of(name)],
)
def variants(
    context: dg.AssetExecutionContext, clip_plan: ClipPlan, clips: Clips, store: StoreResource, workshop: Workshop
) -> Iterator[dg.MaterializeResult[Variants] | dg.AssetCheckResult]:
    """Decodes each clip once for whichever of the platforms are asked for; those that take the same file share it."""
    wanted = [name for name in PLATFORMS if name in context.op_execution_context.selected_output_names]
    asked = [key.name for key in context.selected_asset_check_keys]
    library = store.library()
    with told(context):
        progress = log_progress(context, sum(clip.duration for clip in clip_plan.clips), "Rendered")
        made = make(context.partition_key, library, clip_plan, clips, wanted, workshop.folder, Settings().face_model, progress)
    for name in wanted:
        document = made.documents[name]
        if not document.clips and library.readable(context.partition_key, VARIANTS[name]) is None:
            tell_skipped(context, name, " ".join(document.left_out))
            continue
        yield materialization(document, library, found=name in made.found)
        yield from results_of(name, document, asked)
