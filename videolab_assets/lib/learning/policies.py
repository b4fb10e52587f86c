"""How the next budget is divided among clips: most to those that are probably best, something to those that may yet turn out to be."""

from typing import TYPE_CHECKING

from videolab_assets.lib.keys import tenant_of
from videolab_assets.lib.learning.posterior import Posterior

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from videolab_assets.lib.campaigns.terms import ClipRef


def recommended_shares(posterior: Posterior) -> "dict[ClipRef, float]":
    """What share of its tenant's next impressions each clip should get, summing to 1 for each tenant; empty without clips.

    Between two reviews nothing is learned, so a day's impressions are divided at once. Thompson's rule gives each clip the probability
    that it is the best; of two independent draws from the posterior both have to name it here, so that the shares are those probabilities
    squared: less is spent on clips that are merely possible. Measured by `benchmarks learning` against the other rules.
    """
    import numpy as np

    shares: dict[ClipRef, float] = {}
    for tenant in sorted({tenant_of(one.clip.video_key) for one in posterior.clips}):
        clips = [one for one in posterior.clips if tenant_of(one.clip.video_key) == tenant]
        found = shares_of(np.array([[one.best for one in clips]], np.float64))[0]
        shares |= {one.clip: float(share) for one, share in zip(clips, found, strict=True)}
    return shares


def shares_of(best: "NDArray[np.float64]") -> "NDArray[np.float64]":
    """Shares from probabilities of being the best, (problems, clips) each: how often two draws agree on a clip, if they agree."""
    import numpy as np

    squared = best**2
    return np.asarray(squared / squared.sum(axis=1, keepdims=True))
