"""Is what the one decode made any good?"""

import dagster as dg

from videolab_assets.defs.outcomes import warned
from videolab_assets.defs.partitions import videos
from videolab_assets.lib.documents import Audio, Proxy, Shots, SourceVideo, Storyboard, Thumbnail, Waveform
from videolab_assets.lib.graph import SPEECH_RATE, Plan

SYNC_SECONDS = 0.045
"""Sound ahead by more is noticed: ITU-R BT.1359-1 gives +45 ms and -125 ms as the thresholds of detectability."""
SOUND_SLACK_SECONDS = 0.15
LEAST_CONTRAST = 0.05
FULL_SCALE_DBFS = -0.01


@dg.asset_check(
    asset="proxy",
    partitions_def=videos,
    additional_ins={"source_video": dg.AssetIn("source_video")},
    description="The proxy lasts as long as the source, to two frames, and has the size and rate that were planned.",
)
def proxy_matches_source(proxy: Proxy, source_video: SourceVideo) -> dg.AssetCheckResult:
    """ffmpeg's exit code says nothing about an output that ends early."""
    video = source_video.probe.video
    if video is None:
        return warned(False, reason="the source has no picture")
    plan = Plan.of(video)
    off = proxy.duration - source_video.probe.duration
    as_planned = (proxy.width, proxy.height) == (plan.width, plan.height) and abs(proxy.frame_rate - float(plan.frame_rate)) < 0.05
    slack = max(2 / float(plan.frame_rate), 0.05)
    return dg.AssetCheckResult(
        passed=as_planned and abs(off) <= slack,
        metadata={
            "seconds_off": round(off, 4),
            "allowed": round(slack, 4),
            "size": f"{proxy.width}x{proxy.height}",
            "rate": proxy.frame_rate,
        },
    )


@dg.asset_check(asset="proxy", partitions_def=videos, description="Sound and picture of the proxy start together.")
def proxy_in_sync(proxy: Proxy) -> dg.AssetCheckResult:
    """By the first packets' times."""
    return dg.AssetCheckResult(
        passed=abs(proxy.audio_video_offset) <= SYNC_SECONDS, metadata={"sound_starts_later_by": proxy.audio_video_offset}
    )


@dg.asset_check(asset="audio", partitions_def=videos, description="There is something to hear, and it does not touch full scale.")
def audio_is_usable(audio: Audio) -> dg.AssetCheckResult:
    """Silence and clipping are the source's, so this only warns."""
    if audio.loudness is None or audio.peak is None:
        return warned(False, reason="silent from beginning to end")
    return warned(audio.peak <= FULL_SCALE_DBFS, loudness_lufs=audio.loudness, peak_dbfs=audio.peak)


@dg.asset_check(
    asset="waveform",
    partitions_def=videos,
    additional_ins={"source_video": dg.AssetIn("source_video")},
    description="The waveform covers its samples to the last point, and no more than the video's length.",
)
def waveform_covers_sound(waveform: Waveform, source_video: SourceVideo) -> dg.AssetCheckResult:
    """A player maps points to time by their number alone."""
    point = waveform.samples_per_pixel / SPEECH_RATE
    drawn = waveform.length * point
    passed = abs(drawn - waveform.duration) <= point and waveform.duration <= source_video.probe.duration + SOUND_SLACK_SECONDS
    return dg.AssetCheckResult(passed=passed, metadata={"drawn_seconds": round(drawn, 3), "sound_seconds": round(waveform.duration, 3)})


@dg.asset_check(asset="thumbnail", partitions_def=videos, description="The thumbnail shows something: it is not black, white or flat.")
def thumbnail_shows_something(thumbnail: Thumbnail) -> dg.AssetCheckResult:
    """Fails for videos that are black throughout, so it only warns."""
    return warned(thumbnail.contrast >= LEAST_CONTRAST, contrast=round(thumbnail.contrast, 3), time=round(thumbnail.time, 2))


@dg.asset_check(
    asset="storyboard",
    partitions_def=videos,
    additional_ins={"source_video": dg.AssetIn("source_video")},
    description="The storyboard's tiles reach from the beginning to the end.",
)
def storyboard_reaches_the_end(storyboard: Storyboard, source_video: SourceVideo) -> dg.AssetCheckResult:
    """Each tile stands for the interval that it opens."""
    covered = storyboard.tiles * storyboard.interval
    return dg.AssetCheckResult(
        passed=storyboard.tiles <= storyboard.columns * storyboard.rows and covered >= source_video.probe.duration - storyboard.interval,
        metadata={"covered_seconds": round(covered, 2), "duration": round(source_video.probe.duration, 2)},
    )


@dg.asset_check(asset="shots", partitions_def=videos, description="The shots follow each other without gap or overlap, from 0 to the end.")
def shots_tile_the_video(shots: Shots) -> dg.AssetCheckResult:
    """Clips are cut at these times."""
    edges = [0.0, *(shot.end for shot in shots.shots)]
    gaps = [abs(shot.start - edge) for shot, edge in zip(shots.shots, edges, strict=False)]
    frame = 1 / shots.frame_rate
    whole = (
        bool(shots.shots)
        and max(gaps) < frame / 2
        and abs(edges[-1] - shots.duration) <= frame
        and all(s.end > s.start for s in shots.shots)
    )
    return dg.AssetCheckResult(passed=whole, metadata={"shots": len(shots.shots), "widest_gap": round(max(gaps, default=0.0), 4)})
