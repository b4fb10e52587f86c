"""From a video to the clips worth posting: which stretches, and the stretches as files."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from videolab_assets.defs.clips.orders import ClipOrders
from videolab_assets.defs.engines import ranker_of
from videolab_assets.defs.ingest.jobs import replan_clips
from videolab_assets.defs.metadata import materialization, metadata_of
from videolab_assets.defs.outcomes import TOLERANT_TAG, tell_owner, tell_skipped, told
from videolab_assets.defs.partitions import OWNERS, videos
from videolab_assets.defs.progress import log_progress
from videolab_assets.defs.resources import StoreResource, Workshop
from videolab_assets.lib.clips import cutting, planning
from videolab_assets.lib.clips.cut import CUT_VERSION
from videolab_assets.lib.clips.rules import RULES_KEY, RulesInForce
from videolab_assets.lib.documents import ClipPlan, Clips, SourceVideo
from videolab_assets.lib.library import Library
from videolab_assets.settings import Settings

RANKER = ranker_of(Settings())

platform_rules = dg.AssetSpec(
    "platform_rules",
    group_name="clips",
    kinds={"yaml"},
    owners=OWNERS,
    description=f"What makes a clip worth posting: weights, lengths and looks, in the store's `{RULES_KEY}`; a default ships too.",
)


@dg.op(
    ins={"made_before": dg.In(dg.Nothing)},
    out=dg.Out(ClipPlan, is_required=False),
    description="Reads shots, words and sound from the library: a video without sound has a plan too.",
)
def plan_clips(
    context: dg.OpExecutionContext, config: ClipOrders, store: StoreResource, workshop: Workshop
) -> Iterator[dg.Output[ClipPlan]]:
    """The work of `clip_plan`. It waits for all that it may read, and runs unless nothing at all of it was made."""
    video_key, library = context.partition_key, store.library()
    if context.run.job_name == replan_clips.name:  # of process_video's runs the catalogue knows it
        tell_owner(context)
    with told(context):
        source = library.document(video_key, SourceVideo)
        absent = planning.absence(source) if source else None
        if absent:
            tell_skipped(context, "clip_plan", absent)
            return
        made = planning.make(video_key, library, RANKER, workshop.folder, config.orders())
    for note in made.notes:
        context.log.warning(note)
    _tell_rules(context, made.rules, library)
    yield dg.Output(
        made.plan, metadata=metadata_of(made.plan, library, found=made.found), data_version=dg.DataVersion(made.plan.recipe[:16])
    )


def _tell_rules(context: dg.OpExecutionContext, rules: RulesInForce, library: Library) -> None:
    """Records a version of the rules where the ledger does not end with it yet."""
    latest = context.instance.get_latest_materialization_event(platform_rules.key)
    known = latest.asset_materialization.metadata.get("sha256") if latest and latest.asset_materialization else None
    if known is None or known.value != rules.sha256:
        metadata: dict[str, Any] = {
            "version": rules.rules.version,
            "sha256": rules.sha256,
            "file": dg.MetadataValue.path(library.store.uri(RULES_KEY)),
        }
        context.log_event(dg.AssetMaterialization(platform_rules.key, metadata=metadata))


@dg.graph_asset(
    group_name="clips",
    partitions_def=videos,
    ins={"platform_rules": dg.AssetIn(dagster_type=dg.Nothing)},
    kinds={RANKER.name, "otio", "json"},
    owners=OWNERS,
    tags={TOLERANT_TAG: "true"},
    code_version=planning.version_of(RANKER),
)
def clip_plan(source_video: object, shots: object, audio: object, transcript: object, platform_rules: object) -> object:
    """Three to five clips that a person would have cut, the best first: each with its score, the parts of it, and a sentence why.

    They start and end with sentences and shots, by the weights of `platform_rules`. Pin, exclude or re-time clips from the launchpad, or
    lay `<video key>.clips.yaml` into the inbox; or open `clip_plan.otio` in an editor, change it, and lay it there as `<video key>.otio`.
    """
    # One input fed by many: Dagster skips a step only when all that feeds an input was skipped, so silent videos get their clips.
    return plan_clips([source_video, shots, audio, transcript, platform_rules])


@dg.asset(
    group_name="clips", partitions_def=videos, output_required=False, kinds={"ffmpeg", "mp4"}, owners=OWNERS, code_version=CUT_VERSION
)
def clips(
    context: dg.AssetExecutionContext, clip_plan: ClipPlan, source_video: SourceVideo, store: StoreResource, workshop: Workshop
) -> Iterator[dg.MaterializeResult[Clips]]:
    """One file for each clip of the plan, cut on the frame; its middle is copied rather than encoded again where that is proven exact."""
    library = store.library()
    if not clip_plan.clips and library.readable(context.partition_key, Clips) is None:
        tell_skipped(context, "clips", clip_plan.reason or "The plan has no clips.")
        return
    with told(context):
        progress = log_progress(context, sum(clip.duration for clip in clip_plan.clips), "Cut")
        made = cutting.make(library, source_video, clip_plan, workshop.folder, progress)
    yield materialization(made.clips, library, found=made.found)
