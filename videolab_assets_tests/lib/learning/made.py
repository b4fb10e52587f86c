"""Evidence of which the truth is known."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib.campaigns.terms import ClipRef
from videolab_assets.lib.clips.rules import Weights
from videolab_assets.lib.learning.evidence import LENGTH, LOOK, PART, ClipEvidence

Numbers = NDArray[np.float64]


def clip_ref(video: int, clip: int = 1, label: Any = "a", platform: str = "instagram_reel") -> ClipRef:
    return ClipRef(video_key=f"acme.talk-{video:03}.{video:08x}", clip_id=f"c{clip:02}", platform=platform, label=label)


def evidence_of(clip: ClipRef, impressions: int, watched: int, **more: Any) -> ClipEvidence:
    counts = {"hooked": watched, "clicked": watched // 10, "spend_minor": 2 * impressions}
    given = {"account_id": "act_1", "campaign_key": "acme.spring.11111111", "currency": "EUR", **counts, **more}
    return ClipEvidence(clip=clip, impressions=impressions, watched=watched, **given)


def looks(label: str) -> dict[str, float]:
    """As the attributes of clips in the looks of `TESTED`."""
    worn = {"a": ("clear", "none", "best"), "b": ("bold", "headline", "headline")}[label]
    return {f"{LOOK}{name}={value}": 1.0 for name, value in zip(("captions", "hook", "cover"), worn, strict=True)}


def observed(
    clips: int,
    seed: int,
    *,
    effects: dict[str, float] | None = None,
    impressions: int = 4000,
    of_length: float = 0.0,
    in_a_video: int = 4,
) -> list[ClipEvidence]:
    """Clips of several videos, each an ad of its own; parts of the score spread evenly over 0..1.

    Args:
        clips: how many.
        seed: of everything.
        effects: of parts on the logit of being watched, for a part of 1 against one of 0.
        impressions: of each.
        of_length: effect of the logarithm of the length.
        in_a_video: clips of one video.
    """
    random, found = np.random.default_rng(seed), []
    of_video = 0.25 * random.standard_normal(clips)
    for number in range(clips):
        parts = {name: float(random.uniform()) for name in Weights.model_fields}
        length = float(np.log(random.uniform(15, 60)))
        logit = -1.5 + of_video[number // in_a_video] + 0.15 * random.standard_normal() + of_length * (length - 3.5)
        logit += sum(effect * (parts[name] - 0.5) for name, effect in (effects or {}).items())
        watched = int(random.binomial(impressions, 1 / (1 + np.exp(-logit))))
        attributes = {**{f"{PART}{name}": value for name, value in parts.items()}, LENGTH: length, **looks("a")}
        clip = clip_ref(number // in_a_video, number % in_a_video + 1)
        found.append(evidence_of(clip, impressions, watched, attributes=attributes, score=sum(parts.values()) / len(parts)))
    return found


def both_looks(clips: int, seed: int, effect: float, *, impressions: int = 4000, study: str = "study-1") -> list[ClipEvidence]:
    """An A/B split of looks: every clip in both cells; b is better by `effect` on the logit scale."""
    random, found = np.random.default_rng(seed), []
    for number in range(clips):
        base = -1.5 + 0.3 * random.standard_normal()
        for label, above in (("a", 0.0), ("b", effect)):
            logit = base + above + 0.05 * random.standard_normal()
            watched = int(random.binomial(impressions, 1 / (1 + np.exp(-logit))))
            clip = clip_ref(500 + number, 1, label)
            found.append(evidence_of(clip, impressions, watched, attributes=looks(label), cell=label, study_id=study))
    return found
