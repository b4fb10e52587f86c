"""Can the variants be posted as they are? Five questions to each platform's files, answered where these are made."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import dagster as dg

from videolab_assets.defs.partitions import videos
from videolab_assets.lib.documents import Variant, Variants
from videolab_assets.lib.platforms import PLATFORMS, Platform

LOUDNESS_SLACK = 0.5
"""LU, as the platforms' players even out less than that themselves."""
PEAK_SLACK = 0.05
STILL_SECONDS = 0.2
"""Black or frozen picture that nobody notices: five frames of 25 a second."""
LEAST_FACES_KEPT = 0.9
FRAME_SLACK = 1.5


@dataclass(frozen=True)
class Question:
    """One check: its name after the platform's, what it promises, and the fault that it finds in a variant, if any.

    `is_fatal` where a variant with that fault cannot be posted.
    """

    name: str
    promise: str
    fault: Callable[[Variant, Platform], str | None]
    is_fatal: bool


def _form(variant: Variant, platform: Platform) -> str | None:
    wrong = [
        said
        for said, is_wrong in (
            (f"{variant.width}x{variant.height}", (variant.width, variant.height) != (platform.width, platform.height)),
            (f"{variant.frame_rate:.3f} frames a second", not _takes_rate(variant, platform)),
            ("an irregular frame rate", variant.variable_frame_rate),
            (variant.codec, variant.codec != "h264"),
            (variant.pixel_format, variant.pixel_format != "yuv420p"),
            ("its index at the end", not variant.fast_start),
            (
                f"{variant.duration:.2f} s where {variant.planned_duration:.2f} s were planned",
                abs(variant.duration - variant.planned_duration) > FRAME_SLACK / variant.frame_rate,
            ),
            (f"{variant.video.bytes} bytes", variant.video.bytes > platform.largest_bytes),
        )
        if is_wrong
    ]
    return ", ".join(wrong) or None


def _takes_rate(variant: Variant, platform: Platform) -> bool:
    return platform.lowest_frame_rate - 0.03 <= variant.frame_rate <= platform.highest_frame_rate + 0.01


def _sound(variant: Variant, platform: Platform) -> str | None:
    if variant.loudness is None:
        return None
    if variant.true_peak is not None and variant.true_peak > platform.true_peak + PEAK_SLACK:
        return f"peaks at {variant.true_peak:.1f} dBTP"
    if abs(variant.loudness - platform.loudness) > LOUDNESS_SLACK:
        return f"{variant.loudness:.1f} LUFS{f': {variant.loudness_missed}' if variant.loudness_missed else ''}"
    return None


def _picture(variant: Variant, _: Platform) -> str | None:
    lost = [
        f"{seconds:.1f} s {what}" for what, seconds in (("black", variant.black), ("frozen", variant.frozen)) if seconds > STILL_SECONDS
    ]
    return " and ".join(lost) or None


def _captions(variant: Variant, _: Platform) -> str | None:
    outside = f"{variant.captions_outside} captions outside the safe area" if variant.captions_outside else None
    over = f"{variant.captions_over_faces} over a face" if variant.captions_over_faces else None
    return " and ".join(filter(None, (outside, over))) or None


def _faces(variant: Variant, _: Platform) -> str | None:
    kept = variant.faces_kept
    return f"{kept:.0%} of the faces are whole" if kept is not None and kept < LEAST_FACES_KEPT else None


QUESTIONS = (
    Question("has_the_platforms_form", "Size, frame rate, codec, duration and bytes are exactly what the platform takes.", _form, True),
    Question(
        "is_as_loud_as_asked", "The sound as encoded is within 0.5 LU of the platform's loudness, and its peaks stay below.", _sound, False
    ),
    Question("shows_what_the_clip_shows", "Nothing is black or stands still that is and does not in the clip.", _picture, True),
    Question("captions_can_be_read", "Captions lie inside the platform's safe area, and not over a face.", _captions, False),
    Question("keeps_the_subject", "At least 90 % of the faces that were sampled are whole in the picture.", _faces, False),
)


def specs_of(platform: str) -> list[dg.AssetCheckSpec]:
    """The checks of one platform's asset."""
    return [
        dg.AssetCheckSpec(f"{platform}_{question.name}", asset=platform, description=question.promise, partitions_def=videos)
        for question in QUESTIONS
    ]


def results_of(platform: str, made: Variants, asked: Sequence[str]) -> Iterator[dg.AssetCheckResult]:
    """The answers, by what was measured of the encoded files.

    Args:
        asked: names of the checks that are wanted.
    """
    for question in QUESTIONS:
        name = f"{platform}_{question.name}"
        if name not in asked:
            continue
        faults = {variant.name: fault for variant in made.clips if (fault := question.fault(variant, PLATFORMS[platform]))}
        severity = dg.AssetCheckSeverity.ERROR if question.is_fatal else dg.AssetCheckSeverity.WARN
        yield dg.AssetCheckResult(
            asset_key=platform, check_name=name, passed=not faults, severity=severity, metadata={"variants": len(made.clips), **faults}
        )
