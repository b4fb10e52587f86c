"""Which sentences stand for a text: LexRank's centrality (Erkan and Radev, 2004), and choosing without repeating (MMR, Carbonell
and Goldstein, 1998)."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

MOST_STEMS = 2000
"""Columns of the term matrix: bounds memory (4 h of speech: 2,500 sentences, 20 MB) and loses nothing that many sentences share."""
DAMPING = 0.85
ROUNDS = 30
SAME_COSINE = 0.6
SAME_SHARE = 0.67
"""Two sentences say the same from this cosine, or when the shorter has this share of its stems in the other."""
NOVELTY = 0.35
"""Weight of being unlike what is already chosen."""
NEARNESS = 0.25
"""Weight lost by a sentence right beside a chosen one in time; half a slot away nothing is lost."""

Matrix = NDArray[np.float32]
Scores = NDArray[np.float64]


class Likeness:
    """How much every two sentences have in common.

    Attributes:
        cosine: n x n, of TF-IDF vectors of stems; 0 on the diagonal.
        shared: n x n, the stems in common over those of the sentence that has fewer.
    """

    def __init__(self, stems: Sequence[Sequence[str]]) -> None:
        spread = Counter(stem for one in stems for stem in set(one))
        kept = [stem for stem, count in spread.most_common(MOST_STEMS) if count > 1]
        column = {stem: index for index, stem in enumerate(kept)}
        inverse = {stem: np.log(1.0 + len(stems) / count) for stem, count in spread.items()}
        weights = np.zeros((len(stems), max(1, len(kept))), np.float32)
        lengths = np.zeros(len(stems), np.float32)
        sizes = np.zeros(len(stems), np.float32)
        for row, one in enumerate(stems):
            counted = Counter(one)
            sizes[row] = len(counted)
            lengths[row] = sum((count * inverse[stem]) ** 2 for stem, count in counted.items()) ** 0.5
            for stem, count in counted.items():
                if stem in column:
                    weights[row, column[stem]] = count * inverse[stem]
        present = (weights > 0).astype(np.float32)
        weights /= np.maximum(lengths, np.float32(1e-9))[:, None]
        self.cosine: Matrix = weights @ weights.T
        np.fill_diagonal(self.cosine, 0.0)
        fewer = np.maximum(np.minimum.outer(sizes, sizes), 1.0)
        self.shared: Matrix = np.asarray(present @ present.T / fewer, np.float32)

    def says_the_same(self, one: int, other: int) -> bool:
        return bool(self.cosine[one, other] >= SAME_COSINE or self.shared[one, other] >= SAME_SHARE)


def centrality(cosine: Matrix) -> Scores:
    """LexRank: how much each sentence is like those that are like many; the most central gets 1."""
    count = len(cosine)
    sums = cosine.sum(axis=1, dtype=np.float64)
    flow = np.where(sums[:, None] > 0, cosine / np.maximum(sums, 1e-12)[:, None], 1.0 / count).astype(np.float32)
    rank = np.full(count, 1.0 / count)
    for _ in range(ROUNDS):
        rank = (1 - DAMPING) / count + DAMPING * (rank.astype(np.float32) @ flow).astype(np.float64)
    return np.asarray(rank / rank.max(), np.float64)


def chosen(
    scores: Scores, likeness: Likeness, times: Scores, wanted: int, *, allowed: Sequence[int], already: Sequence[int] = ()
) -> list[int]:
    """Indices of up to `wanted` sentences, best first, no two of which say the same.

    Args:
        scores: 0..1 for each sentence.
        likeness: of the same sentences.
        times: where each stands, in seconds; choices spread over the whole length.
        wanted: how many at most.
        already: chosen before, not returned again.
        allowed: the sentences to choose from.
    """
    taken, added = list(already), list[int]()
    open_ = [index for index in allowed if not any(index == other or likeness.says_the_same(index, other) for other in taken)]
    slot = max(float(times[-1] - times[0]), 1e-9) / max(1, wanted)
    while open_ and len(added) < wanted:
        candidates = np.array(open_)
        value = scores[candidates].copy()
        if taken:
            value -= NOVELTY * likeness.cosine[candidates][:, taken].max(axis=1)
            distance = np.abs(times[candidates][:, None] - times[taken][None, :]).min(axis=1)
            value -= NEARNESS * scores[candidates] * np.clip(1.0 - 2.0 * distance / slot, 0.0, 1.0)
        best = int(candidates[int(np.argmax(value))])
        taken.append(best)
        added.append(best)
        open_ = [index for index in open_ if index != best and not likeness.says_the_same(index, best)]
    return added
