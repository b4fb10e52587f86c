"""What A/B splits say of the looks: there Meta shows each person one cell only, so a difference between cells is an effect.

Only clips whose two looks were in cells of the same study are compared, each with itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from videolab_assets.lib.documents import Label, Look
from videolab_assets.lib.learning.evidence import LOOK, ClipEvidence, Outcome
from videolab_assets.lib.learning.posterior import WITHIN, chance_above

if TYPE_CHECKING:
    from videolab_assets.lib.learning.pooling import Design

PairKey = tuple[str, str, str, str, str]
Pair = dict[Label, ClipEvidence]


@dataclass(frozen=True)
class SplitOfLooks:
    """How look b did against look a.

    Attributes:
        mean, sd, low, high: by how much b is above a on the logit scale; 90 % between the latter two.
        better: the probability that b is better than a, on clips as those that were tested.
        impressions: of both cells.
        clips: how many were shown in both looks.
        studies: Meta's ids of the splits.
        cells_agree: all impressions of each look together point the same way. Within a cell Meta picks which clip to show, so that
            comparing each clip with itself is only believed where the cells as wholes, which nobody picked, say the same.
    """

    mean: float
    sd: float
    low: float
    high: float
    better: float
    impressions: int
    clips: int
    studies: tuple[str, ...]
    cells_agree: bool


def split_of_looks(evidence: Iterable[ClipEvidence], looks: dict[Label, Look], outcome: Outcome = "watched") -> SplitOfLooks | None:
    """The effect of look b over look a; None where no clip was shown in both in one study.

    The differences of several clips vary by more than chance: by how much is taken from the clips, so one clip alone, however often it
    was shown, leaves open what the look does to others.

    Args:
        evidence: rows without a study are not looked at.
        looks: the two that are asked about; clips that were shown in others are not looked at.
        outcome: what is compared.

    Raises:
        PermanentError: counts that contradict each other.
    """
    pairs = _pairs(evidence, looks)
    if not pairs:
        return None
    import numpy as np

    from videolab_assets.lib.learning.pooling import pool

    rows = [pairs[key][label] for key in sorted(pairs) for label in ("a", "b")]
    trials = np.array([[row.impressions for row in rows]], np.float64)
    successes = np.array([[row.successes(outcome) for row in rows]], np.float64)
    pooled = pool(_paired_design(len(pairs)), trials, successes)
    mean, sd = float(pooled.theta[0, 1]), float(pooled.covariance[0, 1, 1]) ** 0.5
    of_a, of_b = (
        float((successes[0, part].sum() + 0.5) / (trials[0, part].sum() + 1.0)) for part in (slice(0, None, 2), slice(1, None, 2))
    )
    return SplitOfLooks(
        mean=mean,
        sd=sd,
        low=mean - WITHIN * sd,
        high=mean + WITHIN * sd,
        better=chance_above(mean, sd),
        impressions=int(trials.sum()),
        clips=len({key[:3] for key in pairs}),
        studies=tuple(sorted({str(row.study_id) for row in rows})),
        cells_agree=(of_b > of_a) == (mean > 0),
    )


def _pairs(evidence: Iterable[ClipEvidence], looks: dict[Label, Look]) -> dict[PairKey, Pair]:
    """By video, clip, platform, account and study, those that were shown in both looks, each in cells of its own."""
    found: dict[PairKey, Pair] = {}
    for row in evidence:
        if row.study_id and row.cell and row.clip.label in looks and _wears(row, looks[row.clip.label]):
            pair = found.setdefault((row.clip.video_key, row.clip.clip_id, row.clip.platform, row.account_id, row.study_id), {})
            pair[row.clip.label] = pair[row.clip.label] + row if row.clip.label in pair else row
    return {key: pair for key, pair in found.items() if len(pair) == 2 and pair["a"].cell != pair["b"].cell}


def _wears(row: ClipEvidence, look: Look) -> bool:
    return all(row.attributes.get(f"{LOOK}{name}={getattr(look, name)}") == 1.0 for name in ("captions", "hook", "cover"))


def _paired_design(pairs: int) -> "Design":
    """Each pair is what the model calls a video, each of its looks a clip; the second column is how far b is above a."""
    import numpy as np

    from videolab_assets.lib.learning.pooling import Design

    columns = np.column_stack([np.ones(2 * pairs), np.tile([-0.5, 0.5], pairs)])
    return Design(columns, np.array([0, 1]), np.arange(2 * pairs), np.repeat(np.arange(pairs), 2), columns)
