"""Can the words be trusted, and the subtitles be read?"""

from itertools import pairwise

import dagster as dg

from videolab_assets.defs.partitions import videos
from videolab_assets.lib.documents import Subtitles, Transcript
from videolab_assets.lib.subtitles import breaches

LEAST_CONFIDENCE = 0.5
SLACK_SECONDS = 0.5
SPEAKERS_DOING = ("too_fast", "article_parted")
"""Rules that somebody who speaks fast, or trails off after an article, leaves no way to keep."""


@dg.asset_check(asset="transcript", partitions_def=videos, description="Words follow each other in time, within the recording.")
def words_in_order(transcript: Transcript) -> dg.AssetCheckResult:
    """Subtitles and clips are cut at these times."""
    words = [word for segment in transcript.segments for word in segment.words]
    backwards = sum(later.start < earlier.start for earlier, later in pairwise(words))
    outside = sum(word.start < 0 or word.end < word.start or word.end > transcript.duration + SLACK_SECONDS for word in words)
    return dg.AssetCheckResult(
        passed=not backwards and not outside, metadata={"words": len(words), "backwards": backwards, "outside": outside}
    )


@dg.asset_check(asset="transcript", partitions_def=videos, description="Something was said, and the engine is fairly sure of what.")
def words_are_likely(transcript: Transcript) -> dg.AssetCheckResult:
    """A weak or empty transcript is still worth having, so this warns."""
    confidences = [word.confidence for segment in transcript.segments for word in segment.words]
    mean = sum(confidences) / len(confidences) if confidences else 0.0
    return dg.AssetCheckResult(
        passed=mean >= LEAST_CONFIDENCE,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"words": len(confidences), "mean_confidence": round(mean, 3)},
    )


@dg.asset_check(
    asset="subtitles",
    partitions_def=videos,
    description="Subtitles never overlap, keep two lines of 42 characters and 1 to 7 seconds, lie on the cuts, and can be read in time.",
)
def subtitles_follow_the_rules(subtitles: Subtitles) -> dg.AssetCheckResult:
    """Counts the breaches by rule. Some can be the speaker's doing, and a person's cues are a person's: these only warn."""
    counted = breaches(subtitles.cues, subtitles.frame_rate, shot_times=subtitles.shot_times)
    ours = sum(number for rule, number in counted.items() if rule not in SPEAKERS_DOING and not subtitles.corrected)
    return dg.AssetCheckResult(
        passed=not any(counted.values()),
        severity=dg.AssetCheckSeverity.ERROR if ours else dg.AssetCheckSeverity.WARN,
        metadata={"cues": len(subtitles.cues), **counted},
    )
