"""Are the clips what a person would have cut, and the files what was planned?"""

import itertools

import dagster as dg

from videolab_assets.defs.outcomes import warned
from videolab_assets.defs.partitions import videos
from videolab_assets.lib.documents import ClipPlan, Clips

SYNC_SECONDS = 0.02


@dg.asset_check(
    asset="clip_plan", partitions_def=videos, description="There are clips, none runs into another, and none begins or ends in a word."
)
def clips_are_whole(clip_plan: ClipPlan) -> dg.AssetCheckResult:
    """A person may order otherwise, and a video may hold nothing to cut, so this warns."""
    ordered = sorted(clip_plan.clips, key=lambda clip: clip.start)
    overlaps = sum(after.start < before.end for before, after in itertools.pairwise(ordered))
    cut_words = sum(clip.words_cut for clip in ordered)
    return warned(
        bool(ordered) and not overlaps and not cut_words,
        clips=len(ordered),
        overlaps=overlaps,
        cut_words=cut_words,
        reason=clip_plan.reason or "none",
    )


@dg.asset_check(asset="clip_plan", partitions_def=videos, description="The rules that were followed are those of the rules file.")
def rules_are_readable(clip_plan: ClipPlan) -> dg.AssetCheckResult:
    """A broken rules file changes nothing: the last good one is followed until it is mended."""
    return warned(clip_plan.rules_problem is None, version=clip_plan.rules_version, problem=clip_plan.rules_problem or "none")


@dg.asset_check(
    asset="clips",
    partitions_def=videos,
    additional_ins={"clip_plan": dg.AssetIn("clip_plan")},
    description="Each clip has exactly the frames that were planned, and sound within 20 ms of the picture.",
)
def clips_are_exact(clips: Clips, clip_plan: ClipPlan) -> dg.AssetCheckResult:
    """By what was read of the files after they were written."""
    planned = {clip.clip_id: round(clip.duration * clip_plan.frame_rate) for clip in clip_plan.clips}
    wrong = [file.clip_id for file in clips.clips if planned.get(file.clip_id) != file.frames]
    late = max((abs(file.audio_video_offset or 0.0) for file in clips.clips), default=0.0)
    whole = not wrong and len(clips.clips) == len(planned) and late <= SYNC_SECONDS
    return dg.AssetCheckResult(
        passed=whole, metadata={"wrong_frames": ", ".join(wrong) or "none", "most_seconds_out_of_sync": round(late, 4)}
    )
