"""How each shot of a clip is shown in another shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from videolab_assets.lib.documents import Framing, PathPoint, Word
from videolab_assets.lib.reframe.boxes import Box
from videolab_assets.lib.reframe.path import Wish, followed, still_place
from videolab_assets.lib.reframe.seen import Sample, Seen
from videolab_assets.lib.reframe.subjects import Sight, Subject, subject_of, text_of

SHORTEST_SHOT = 0.02
NEAR_A_CUT = 0.045
"""Seconds: a sample so close to a cut may show the other shot, where clip and proxy round their frames differently."""
HEADROOM = 0.38
"""Where a face's middle comes to be in a crop that is cut from above and below, from its top."""
LEAST_FOLLOWED = 0.85
"""Share of the moments with the subject whole that a moving crop must reach; else more is shown."""
MARGIN = 0.03
"""Share of the frame beside what a fitted picture must hold."""
NEARLY_ALL = 0.92
"""Share of the picture from which on a fitted picture shows all of it."""
_NOUNS = {"faces": ("face", "faces"), "people": ("person", "people")}


@dataclass(frozen=True)
class _Shot:
    """One shot to be framed.

    Attributes:
        crop: the largest part of the picture that has the target's shape, as (width, height) shares of the frame.
        axis: along which it can move: 0 for x, 1 for y; None where the picture has the target's shape already.
    """

    start: float
    end: float
    samples: list[Sample]
    picture: Box
    crop: tuple[float, float]
    axis: Literal[0, 1] | None

    @property
    def size(self) -> float:
        return self.crop[self.axis or 0]

    @property
    def bounds(self) -> tuple[float, float]:
        """Least and most of the crop's near edge."""
        first = self.picture[self.axis or 0]
        return first, max(first, first + self.picture[2 + (self.axis or 0)] - self.size)


def framings_of(seen: Seen, cuts: Sequence[float], aspect: float, words: Sequence[Word], duration: float) -> list[Framing]:
    """One framing for each shot, together from 0 to `duration` without gap or overlap.

    Args:
        seen: what `look` found.
        cuts: clip seconds of shot changes, in any order; they need not lie on samples.
        aspect: the target's width over its height.
        words: what is said, in clip seconds: a hint at who of two matters.
        duration: of the clip in seconds.
    """
    crop = _crop(seen, aspect)
    axis: Literal[0, 1] | None = None
    if crop[0] < seen.picture.width * 0.995:
        axis = 0
    elif crop[1] < seen.picture.height * 0.995:
        axis = 1
    framings = []
    edges = _edges(cuts, duration)
    for start, end in pairwise(edges):
        shot = _Shot(start, end, _samples_of(seen, start, end, duration), seen.picture, crop, axis)
        framings.append(_framed(shot, words))
    return framings


def _crop(seen: Seen, aspect: float) -> tuple[float, float]:
    """Width and height of the largest part of the picture in the shape of `aspect`."""
    width, height = aspect * seen.picture.height / seen.aspect, seen.picture.height
    if width > seen.picture.width:
        width, height = seen.picture.width, seen.picture.width * seen.aspect / aspect
    return width, height


def _edges(cuts: Sequence[float], duration: float) -> list[float]:
    edges = [0.0]
    for cut in sorted(cuts):
        if edges[-1] + SHORTEST_SHOT < cut < duration - SHORTEST_SHOT:
            edges.append(cut)
    return [*edges, duration]


def _samples_of(seen: Seen, start: float, end: float, duration: float) -> list[Sample]:
    """The samples of a shot, without those next to a cut where there are enough others."""
    last = end if end < duration else float("inf")
    inside = [sample for sample in seen.samples if start <= sample.time < last]
    first, last = (start + NEAR_A_CUT if start > 0 else start), (end - NEAR_A_CUT if end < duration else last)
    clear = [sample for sample in inside if first <= sample.time < last]
    return clear if len(clear) >= min(2, len(inside)) else inside


def _framed(shot: _Shot, words: Sequence[Word]) -> Framing:
    if shot.axis is None:
        return _still(shot, "frame", shot.picture[0], "The picture has the target's shape: all of it is shown.")
    subject = subject_of(shot.samples, words, shot.crop[0])
    text, text_share = text_of(shot.samples, subject.kind if subject else "saliency")
    if subject is None and text is None:
        why = "Nothing stands out in this shot: its middle is shown." if shot.samples else "This shot is too short to look into."
        return _still(shot, "frame", sum(shot.bounds) / 2, why)
    if text is not None:
        framing = _with_text(shot, subject, text, text_share)
        if framing is not None:
            return framing
    if subject is None:
        raise AssertionError("text alone always has a framing")
    if subject.kind == "saliency":
        return _by_saliency(shot, subject)
    return _by_subject(shot, subject)


def _with_text(shot: _Shot, subject: Subject | None, text: Box, share: float) -> Framing | None:
    """A framing that keeps the lines of text: at rest where the crop holds them and the subject, else fitted; None if it is not needed."""
    axis = shot.axis or 0
    extents = [_extent(text, axis)]
    if subject is not None:
        sights = [_extent(sight.core if subject.kind in ("faces", "people") else sight.whole, axis) for sight in subject.sights]
        extents.append(_reach(sights))
    if subject is None or subject.kind not in ("faces", "people"):
        moving = [_extent(sample.motion, axis) for sample in shot.samples if sample.motion]
        extents += [_reach(moving)] if len(moving) >= 3 else []
    low, high = min(extent[0] for extent in extents), max(extent[1] for extent in extents)
    kind = subject.kind if subject else "saliency"
    told = f"A line of text {_percent(text[2 + axis])} of the {_side(axis)} is there in {_percent(share)} of the samples"
    if high - low <= 0.98 * shot.size:
        middle = (low + high - shot.size) / 2
        return _still(shot, kind, middle, f"{told}: the picture stands still around it.")
    if kind not in ("faces", "people"):
        # A slide or a drawing is meant to be seen whole.
        low, high = _extent(shot.picture, axis)
    return _fitted(shot, kind, low, high, f"{told}, and a crop would cut it or {_names(subject)} off")


def _by_saliency(shot: _Shot, subject: Subject) -> Framing:
    """At rest where the crop holds most of what stands out over the whole shot."""
    axis = shot.axis or 0
    least, most = shot.bounds
    places = np.linspace(least, most, 101)
    extents = np.array([_extent(sight.whole, axis) for sight in subject.sights])
    low, high = extents[:, :1], extents[:, 1:]
    held = np.maximum(0.0, np.minimum(high, places + shot.size) - np.maximum(low, places)) / np.maximum(high - low, 1e-6)
    off_middle = np.abs(places + shot.size / 2 - np.median((low + high) / 2))
    best = int(np.argmax(held.mean(axis=0) - 0.1 * off_middle))
    why = f"No face, no person and no single thing that moves: the picture stands still where {_percent(float(held[:, best].mean()))}"
    return _still(shot, "saliency", float(places[best]), f"{why} of what stands out is.")


def _by_subject(shot: _Shot, subject: Subject) -> Framing:
    axis = shot.axis or 0
    least, most = shot.bounds
    told = _told(subject)
    lengths = [sight.core[2 + axis] for sight in subject.sights]
    if subject.kind != "motion" and float(np.quantile(lengths, 0.9)) > shot.size:
        low, high = _reach([_extent(sight.whole, axis) for sight in subject.sights])
        return _fitted(shot, subject.kind, low, high, f"{told}, wider than the crop")
    wishes = [_wish(sight, shot) for sight in subject.sights]
    moved = _moved(wishes)
    place = still_place(wishes, shot.size, least, most)
    if place is not None:
        return _still(shot, subject.kind, place, f"{told}, moves {_percent(moved)} of the {_side(axis)}: the picture stands still.")
    points, share = followed(wishes, shot.start, shot.end, shot.size, least, most)
    if share < LEAST_FOLLOWED and subject.kind == "motion":
        return _by_saliency(shot, subject)
    if share < LEAST_FOLLOWED:
        low, high = _reach([_extent(sight.whole, axis) for sight in subject.sights])
        return _fitted(shot, subject.kind, low, high, f"{told}, too far and too fast to follow")
    why = (
        f"{told}, moves {_percent(moved)} of the {_side(axis)}: the picture follows and keeps it whole in {_percent(share)} of the samples."
    )
    path = [_point(shot, time, at) for time, at in points]
    return Framing(
        start=shot.start,
        end=shot.end,
        mode="follow",
        subject=subject.kind,
        why=why,
        width=shot.crop[0],
        height=shot.crop[1],
        path=path,
    )


def _wish(sight: Sight, shot: _Shot) -> Wish:
    """Where the crop should begin to keep a sight: all of it where it fits, else its core."""
    axis = shot.axis or 0
    box = sight.whole if sight.whole[2 + axis] <= shot.size else sight.core
    low, high = _extent(box, axis)
    middle = (sum(_extent(sight.core, axis))) / 2
    ideal = middle - (shot.size / 2 if axis == 0 else shot.size * HEADROOM)
    least, most = shot.bounds
    ideal = float(np.clip(ideal, least, most))
    if high - low > shot.size:
        return Wish(sight.time, ideal, ideal, ideal, sight.weight)
    lowest, highest = (float(np.clip(edge, least, most)) for edge in (high - shot.size, low))
    return Wish(sight.time, lowest, float(np.clip(ideal, lowest, highest)), highest, sight.weight)


def _reach(extents: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """From where to where something is seen, but for the odd moment."""
    return float(np.quantile([low for low, _ in extents], 0.03)), float(np.quantile([high for _, high in extents], 0.97))


def _moved(wishes: Sequence[Wish]) -> float:
    ideals = [wish.ideal for wish in wishes]
    return float(np.quantile(ideals, 0.97) - np.quantile(ideals, 0.03))


def _fitted(shot: _Shot, kind: Literal["faces", "people", "motion", "saliency"], low: float, high: float, told: str) -> Framing:
    """More than the crop: from `low` to `high` along the axis, or all of the picture where that is nearly all."""
    axis = shot.axis or 0
    first, length = shot.picture[axis], shot.picture[2 + axis]
    size = max(shot.size, min(length, high - low + 2 * MARGIN))
    if size >= NEARLY_ALL * length:
        size = length
    near = float(np.clip((low + high - size) / 2, first, first + length - size))
    corner = (near, shot.picture.y) if axis == 0 else (shot.picture.x, near)
    return Framing(
        start=shot.start,
        end=shot.end,
        mode="fit",
        subject=kind,
        why=f"{told}: {_percent(size)} of the {_side(axis)} is shown over a blurred background.",
        width=size if axis == 0 else shot.crop[0],
        height=size if axis == 1 else shot.crop[1],
        path=[PathPoint(time=shot.start, x=corner[0], y=corner[1])],
    )


def _still(shot: _Shot, kind: Literal["faces", "people", "motion", "saliency", "frame"], place: float, why: str) -> Framing:
    least, most = shot.bounds
    return Framing(
        start=shot.start,
        end=shot.end,
        mode="still",
        subject=kind,
        why=why,
        width=shot.crop[0],
        height=shot.crop[1],
        path=[_point(shot, shot.start, float(np.clip(place, least, most)))],
    )


def _point(shot: _Shot, time: float, place: float) -> PathPoint:
    if shot.axis == 1:
        return PathPoint(time=time, x=shot.picture.x, y=place)
    return PathPoint(time=time, x=place, y=shot.picture.y)


def _told(subject: Subject) -> str:
    seen = f"seen in {_percent(subject.share)} of the samples"
    if subject.kind == "motion":
        told = f"No face and no person, but something that moves, {seen}"
    elif subject.count == 1:
        told = f"One {_NOUNS[subject.kind][0]}, {seen}"
    else:
        told = f"A group of {subject.count} {_NOUNS[subject.kind][1]}, {seen}"
    return f"{subject.left_out} {told}" if subject.left_out else told


def _names(subject: Subject | None) -> str:
    return {"faces": "a face", "people": "a person", "motion": "what moves"}.get(subject.kind if subject else "", "what stands out")


def _extent(box: Box, axis: int) -> tuple[float, float]:
    return (box.x, box.right) if axis == 0 else (box.y, box.bottom)


def _side(axis: int) -> str:
    return "height" if axis else "width"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
