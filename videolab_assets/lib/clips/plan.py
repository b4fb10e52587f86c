"""Three to five clips out of all candidates: the best set side by side, in order, with what a person wants always among them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from videolab_assets.lib.clips.candidates import Stretch, stretch_between, stretches_of
from videolab_assets.lib.clips.evidence import Evidence
from videolab_assets.lib.clips.naming import reason_of, title_of
from videolab_assets.lib.clips.rules import Rules, Weights
from videolab_assets.lib.clips.scoring import NOVELTY, PARTS, Judge, Numbers, as_document, weighed
from videolab_assets.lib.documents import Clip, ClipOrigin, Word
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.summary.markdown import clock

PLAN_VERSION = "1"
"""Raised with whatever makes another plan of the same evidence and rules: part of the recipe."""

SHORTEST_WHOLE = 5.0
"""Seconds: a video too short for the rules, but no shorter than this, is one clip."""
MOST_RIVALS = 10
WITHIN = 0.8
"""A clip beyond the least number must score this share of the mean of those before it."""
AT_ALL = 0.6
"""Any found clip must score this share of the best one: nobody would post the rest."""
EMPHASIS_ON_BEST = 4
"""The best set is that with the largest sum of scores to this power: two clips of 0.55 weigh as much as one of 0.65, so that neither a
long mediocre clip keeps out two good ones nor two poor ones an excellent one."""
PER_PLACE, PLACE_SECONDS, MOST_CONSIDERED = 3, 10.0, 300
"""Only the best few candidates of each ten seconds, and of those the best, are compared with one another."""
ROUNDS = 6

_WANTED = {"pinned": "Pinned by a person: ", "retimed": "Timed by a person: ", "timeline": "From an edited timeline: ", "found": ""}


@dataclass(frozen=True)
class Fixed:
    """A clip that a person wants, in seconds; the title is found where they give none."""

    start: float
    end: float
    title: str | None = None
    origin: ClipOrigin = "pinned"


@dataclass(frozen=True)
class Planned:
    """The plan's clips, best first.

    Attributes:
        reason: why there are fewer than the rules ask for; None where there are enough.
        rivals: what came next, best first, overlapping neither the clips nor one another: for another judge to choose from.
    """

    clips: list[Clip]
    reason: str | None = None
    rivals: list[Clip] = field(default_factory=list)


def plan_of(evidence: Evidence, rules: Rules, fixed: Sequence[Fixed] = (), excluded: Sequence[tuple[float, float]] = ()) -> Planned:
    """The clips of a video: those that a person wants, exactly, and with them the best that overlap none of those.

    Args:
        evidence: of the video.
        rules: how many clips, how long, and what counts how much.
        fixed: clips that a person wants, rounded to frames; they may overlap one another.
        excluded: seconds that no found clip may overlap; of one of length 0, that none may contain.

    Raises:
        PermanentError: a wanted clip is not within the video.
    """
    if not evidence.has_picture or evidence.frames < 1:
        return Planned([], "The file has no picture to cut clips from.")
    wanted = [_stretch_of(one, evidence) for one in fixed]
    places = _Places(evidence, wanted, excluded)
    room = max(0, rules.clips.most - len(wanted))
    if evidence.duration < rules.clips.shortest:
        found = [stretch_between(evidence, 0, evidence.frames)] if evidence.duration >= SHORTEST_WHOLE else []
    else:
        found = stretches_of(evidence, rules.clips.shortest, rules.clips.longest, rules.clips.least)
    allowed = [stretch for stretch in found if places.free(stretch)]
    contest = _Contest(Judge(evidence), rules.weights, wanted, allowed)
    chosen = contest.best_set(rules.clips.least - len(wanted), room)
    led = [number for number, one in enumerate(fixed) if one.origin == "timeline"]
    order = contest.ranked([number for number in range(len(wanted)) if number not in led] + chosen, led)
    order = _worthwhile(contest, order, rules.clips.least)
    rivals = contest.following(order, MOST_RIVALS)
    origins = dict(enumerate(fixed))
    clips = [contest.clip(number, order[:number], index, origins.get(index)) for number, index in enumerate(order)]
    behind = [contest.clip(len(order) + number, [*order, *rivals[:number]], index, None) for number, index in enumerate(rivals)]
    if len(clips) >= rules.clips.least:
        return Planned(clips, None, behind)
    poor = len(wanted) + len(chosen) - len(clips)
    return Planned(clips, _why_so_few(evidence, rules, len(clips), poor, len(found) - len(allowed)), behind)


def _stretch_of(one: Fixed, evidence: Evidence) -> Stretch:
    start, end = round(one.start * evidence.frame_rate), min(round(one.end * evidence.frame_rate), evidence.frames)
    if not 0 <= start < end:
        lasts = clock(evidence.duration)
        raise PermanentError(
            f"A clip is wanted from {clock(one.start)} to {clock(one.end)}, but the video lasts {lasts}: correct its times."
        )
    return stretch_between(evidence, start, end)


class _Places:
    """Which stretches overlap nothing that a person wants or does not want."""

    def __init__(self, evidence: Evidence, wanted: Sequence[Stretch], excluded: Sequence[tuple[float, float]]) -> None:
        rate = evidence.frame_rate
        self._taken = [(float(stretch.start), float(stretch.end)) for stretch in wanted]
        self._taken += [(start * rate, end * rate) for start, end in excluded]

    def free(self, stretch: Stretch) -> bool:
        return not any(
            stretch.start < end and start < stretch.end if end > start else stretch.start <= start < stretch.end
            for start, end in self._taken
        )


class _Contest:
    """The wanted stretches and the most promising candidates, by index, wanted ones first: their scores, alone and beside others."""

    def __init__(self, judge: Judge, weights: Weights, wanted: Sequence[Stretch], candidates: Sequence[Stretch]) -> None:
        self._judge = judge
        self.wanted = len(wanted)
        self._weights = np.array([getattr(weights, part) for part in PARTS], np.float64)
        everything = [*wanted, *candidates]
        parts = judge.parts(everything) if everything else np.zeros((0, len(PARTS)))
        kept = [*range(len(wanted)), *self._promising(everything, parts)]
        self.stretches = [everything[index] for index in kept]
        self._parts: Numbers = parts[kept]
        self._likeness = judge.likeness(self.stretches) if kept else np.zeros((0, 0))
        self._alone: list[float] = weighed(self._parts, self._weights).tolist()
        others = np.delete(np.arange(len(PARTS)), NOVELTY)
        known = ~np.isnan(self._parts[:, others])
        self._weight_without_novelty: list[float] = (known * self._weights[others]).sum(axis=1).tolist()
        self._score_without_novelty: list[float] = weighed(self._parts[:, others], self._weights[others]).tolist()
        self._likenesses: list[list[float]] = self._likeness.tolist()

    def _promising(self, stretches: Sequence[Stretch], parts: Numbers) -> list[int]:
        """Of the candidates those worth comparing, the best first and, where there are many, from all over the video."""
        scores = weighed(parts, self._weights)
        place = PLACE_SECONDS * self._judge.evidence.frame_rate
        most = PER_PLACE if len(stretches) - self.wanted > MOST_CONSIDERED else MOST_CONSIDERED
        taken: dict[int, int] = {}
        kept: list[int] = []
        for index in np.argsort(-scores[self.wanted :], kind="stable") + self.wanted:
            at = int(stretches[index].start // place)
            if taken.get(at, 0) < most and len(kept) < MOST_CONSIDERED:
                taken[at] = taken.get(at, 0) + 1
                kept.append(int(index))
        return kept

    def parts_after(self, index: int, before: Sequence[int]) -> Numbers:
        """Its parts, with novelty against those ranked before it."""
        parts = np.array(self._parts[index], np.float64)
        if before and not math.isnan(parts[NOVELTY]):
            likeness = self._likeness[index, list(before)]
            parts[NOVELTY] = np.nan if np.isnan(likeness).all() else 1.0 - np.nanmax(likeness)
        return parts

    def score_after(self, index: int, before: Sequence[int]) -> float:
        """The score of `parts_after`, as often as needed."""
        weight, row = self._weight_without_novelty[index], self._likenesses[index]
        unjudged = math.isnan(self._parts[index, NOVELTY]) or (before and all(math.isnan(row[other]) for other in before))
        counts = 0.0 if unjudged else float(self._weights[NOVELTY])
        novelty = 1.0 - max((row[other] for other in before if not math.isnan(row[other])), default=0.0)
        both = weight + counts
        return (weight * self._score_without_novelty[index] + counts * novelty) / both if both else 0.0

    def ranked(self, indices: Sequence[int], led: Sequence[int] = ()) -> list[int]:
        """The best first, each judged by what it adds to those before it; after those in `led`, which stand in a person's order."""
        left, order = list(indices), list(led)
        while left:
            best = max(left, key=lambda index: (self.score_after(index, order), -self.stretches[index].start))
            order.append(best)
            left.remove(best)
        return order

    def best_set(self, least: int, room: int) -> list[int]:
        """From `least`, where so many fit, to `room` candidates side by side that make the best set together with the wanted ones.

        The best set of scores alone is found exactly (weighted interval scheduling); then one clip at a time is exchanged for another
        as long as that makes the set better with novelty counted.
        """
        chosen = self._side_by_side(least, room)
        candidates = range(self.wanted, len(self.stretches))
        value = self._value(chosen)
        for _ in range(ROUNDS):
            better: tuple[float, list[int]] | None = None
            for place in range(len(chosen)):
                rest = [*chosen[:place], *chosen[place + 1 :]]
                for index in candidates:
                    if self._alone[index] < 0.9 * self._alone[chosen[place]] or index in chosen or self._overlaps(index, rest):
                        continue
                    set_value = self._value([*rest, index])
                    if set_value > (better[0] if better else value) + 1e-9:
                        better = set_value, [*rest, index]
            if better is None:
                break
            value, chosen = better
        return chosen

    def following(self, order: Sequence[int], most: int) -> list[int]:
        """What comes next, side by side with those in `order` and one another."""
        behind: list[int] = []
        for index in sorted(range(self.wanted, len(self.stretches)), key=lambda one: -self._alone[one]):
            if len(behind) < most and index not in order and not self._overlaps(index, [*order, *behind]):
                behind.append(index)
        return behind

    def clip(self, number: int, before: Sequence[int], index: int, fixed: Fixed | None) -> Clip:
        """The document, with the id of its rank."""
        evidence, stretch = self._judge.evidence, self.stretches[index]
        parts = self.parts_after(index, before)
        origin: ClipOrigin = fixed.origin if fixed else "found"
        reason = reason_of(self._judge, stretch, parts, number)
        if origin != "found":
            reason = f"{_WANTED[origin]}{reason[0].lower()}{reason[1:]}"
        start, end = evidence.time_of(stretch.start), evidence.time_of(stretch.end)
        return Clip(
            clip_id=f"c{number + 1:02d}",
            start=start,
            end=end,
            score=round(min(1.0, max(0.0, float(weighed(parts, self._weights)))), 4),
            parts=as_document(parts),
            reason=reason,
            title=(fixed.title if fixed and fixed.title else "") or title_of(self._judge, stretch),
            words=[
                Word(text=word.text, start=word.start, end=word.end, confidence=word.confidence)
                for word in evidence.words[stretch.first : stretch.last]
                if word.start >= start - 1e-6 and word.end <= end + 1e-6
            ],
            origin=origin,
        )

    def _side_by_side(self, least: int, room: int) -> list[int]:
        """Up to `room` of the candidates, none overlapping another, with the largest sum of scores to `EMPHASIS_ON_BEST`; fewer than
        `least` only where no more fit."""
        inner = sorted(range(self.wanted, len(self.stretches)), key=lambda index: self.stretches[index].end)
        ends = [self.stretches[index].end for index in inner]
        before = np.searchsorted(ends, [self.stretches[index].start for index in inner], "right")
        best = np.full((room + 1, len(inner) + 1), -np.inf)
        best[0] = 0.0
        for row, index in enumerate(inner, start=1):
            worth = self._alone[index] ** EMPHASIS_ON_BEST
            best[1:, row] = np.maximum(best[1:, row - 1], best[:-1, before[row - 1]] + worth)
        possible = [count for count in range(room + 1) if best[count, -1] > -np.inf]
        enough = [count for count in possible if count >= least] or possible[-1:]
        left, row = max(enough, key=lambda count: float(best[count, -1])), len(inner)
        chosen: list[int] = []
        while left:
            if best[left, row] == best[left, row - 1]:
                row -= 1
            else:
                chosen.append(inner[row - 1])
                left, row = left - 1, int(before[row - 1])
        return chosen

    def _value(self, chosen: Sequence[int]) -> float:
        order = self.ranked([*range(self.wanted), *chosen])
        return sum(self.score_after(index, order[:number]) ** EMPHASIS_ON_BEST for number, index in enumerate(order))

    def _overlaps(self, index: int, others: Sequence[int]) -> bool:
        one = self.stretches[index]
        return any(one.start < self.stretches[other].end and self.stretches[other].start < one.end for other in others)


def _worthwhile(contest: _Contest, order: Sequence[int], least: int) -> list[int]:
    """Without found clips that fall off against those before them: beyond the least number a little, before it by far."""
    kept: list[int] = []
    scores: list[float] = []
    for index in order:
        score = contest.score_after(index, kept)
        wanted = index < contest.wanted or not kept
        if wanted or score >= (AT_ALL * max(scores) if len(kept) < least else WITHIN * sum(scores) / len(scores)):
            kept.append(index)
            scores.append(score)
    return kept


def _why_so_few(evidence: Evidence, rules: Rules, count: int, poor: int, kept_out: int) -> str:
    """A sentence on why there are `count` clips: so many that would have fitted were too poor, so many were in a person's way."""
    clips, lasts = rules.clips, evidence.duration
    many = "no clip" if not count else "one clip" if count == 1 else f"{count} clips"
    if kept_out and not poor:
        return f"What a person wants or has excluded leaves room for {many} in all."
    if lasts < SHORTEST_WHOLE and not count:
        return f"The video lasts {lasts:.1f} s: too short for a clip."
    if lasts < clips.shortest:
        return f"The video lasts {lasts:.1f} s, less than the {clips.shortest:g} s of the shortest clip: all of it is one clip."
    if lasts < clips.least * clips.shortest and not poor:
        return f"The video lasts {lasts:.0f} s: there is room for {many} of {clips.shortest:g} to {clips.longest:g} s."
    return (
        f"{'Only ' + many if count else 'No clip'} of {clips.shortest:g} to {clips.longest:g} s could be found: the rest of the video "
        "stands out too little, or cannot be cut where a sentence or shot begins and ends."
    )
