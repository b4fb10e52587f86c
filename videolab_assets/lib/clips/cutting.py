"""A video's clips as files: those of the plan that are not there yet are cut out of the original."""

import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from videolab_assets.lib.clips.cut import CUT_VERSION, Cut, cut
from videolab_assets.lib.documents import Clip, ClipFile, ClipPlan, Clips, SourceVideo
from videolab_assets.lib.graph import constant_rate
from videolab_assets.lib.library import Library
from videolab_assets.lib.pipes import Progress
from videolab_assets.lib.recipe import recipe
from videolab_assets.lib.scratch import scratch_folder


@dataclass(frozen=True)
class Made:
    """The clips, and whether an earlier run had `found` all of them cut."""

    clips: Clips
    found: bool


def make(library: Library, source: SourceVideo, plan: ClipPlan, scratch: Path, progress: Progress | None = None) -> Made:
    """Cuts the clips of a plan that has some. A clip whose times did not change since the last plan is not cut again.

    Raises:
        PermanentError: the original is damaged there.
        TransientError: the machine failed.
    """
    rate = constant_rate(plan.frame_rate)
    recipes = {clip.clip_id: _recipe(source, clip, rate) for clip in plan.clips}
    made_of = recipe(asset="clips", code=CUT_VERSION, clips={**recipes})
    found = library.made(source.video_key, Clips, made_of)
    if found:
        return Made(found, True)
    started = time.monotonic()
    kept = _kept(library, source.video_key, recipes)
    missing = [clip for clip in plan.clips if clip.clip_id not in kept]
    if missing:
        with scratch_folder(scratch) as folder:
            work = folder / "work"
            work.mkdir()
            with library.store.local(source.source_key, folder) as original:
                cuts = cut(original, source.probe, missing, rate, work, progress=progress)
            kept |= {
                done.clip_id: _published(library, source.video_key, clip, done, recipes[clip.clip_id])
                for clip, done in zip(missing, cuts, strict=True)
            }
    files = [kept[clip.clip_id] for clip in plan.clips]
    seconds = round(time.monotonic() - started, 3)
    return Made(Clips(recipe=made_of, clips=files, files=[file.file for file in files], seconds=seconds), False)


def _recipe(source: SourceVideo, clip: Clip, rate: Fraction) -> str:
    first, end = round(clip.start * rate), round(clip.end * rate)
    return recipe(asset="clip", code=CUT_VERSION, source=source.sha256, first=first, end=end, rate=str(rate))


def _kept(library: Library, video_key: str, recipes: dict[str, str]) -> dict[str, ClipFile]:
    """Those that the last plan's run left exactly as they are wanted now."""
    before = library.readable(video_key, Clips)
    return {
        clip.clip_id: clip
        for clip in (before.clips if before else ())
        if recipes.get(clip.clip_id) == clip.recipe and library.has(clip.file)
    }


def _published(library: Library, video_key: str, clip: Clip, done: Cut, made_of: str) -> ClipFile:
    file = library.add_file(video_key, done.path, "video/mp4", f"clips/{clip.clip_id}.mp4")
    return ClipFile(
        clip_id=clip.clip_id,
        recipe=made_of,
        start=clip.start,
        end=clip.end,
        file=file,
        width=done.width,
        height=done.height,
        frame_rate=done.frame_rate,
        frames=done.frames,
        duration=done.duration,
        how=done.how,
        why=done.why,
        frames_encoded=done.frames_encoded,
        audio_video_offset=done.audio_video_offset,
    )
