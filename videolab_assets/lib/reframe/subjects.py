"""What one shot is about: faces, else people, else what moves, else what stands out; and the lines of text in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from videolab_assets.lib.documents import Word
from videolab_assets.lib.reframe.boxes import Box
from videolab_assets.lib.reframe.seen import Sample
from videolab_assets.lib.reframe.tracks import LONGEST_ABSENCE, Track, linked

Kind = Literal["faces", "people", "motion", "saliency"]

LEAST_SHARE: dict[Kind, float] = {"faces": 0.15, "people": 0.15, "motion": 0.25, "saliency": 0.0}
"""Of a shot's samples that must show something of a kind for the shot to be about it."""
LONGEST_TURN = 8.0
"""Seconds for which a face may be gone, as of one who listens, and still be counted as there when it comes back to its place."""
LEAST_SHARE_OF_ONE = 0.2
"""Of the samples in which one of several is there, to count among them."""
SMALLEST_BESIDE = 0.15
"""Area over that of the largest one: smaller faces are passers-by."""
HEAD = (0.3, 0.45, 0.25)
"""What of a head is beside, above and below its face, as shares of the face."""
HEAD_OF_PERSON = 0.35
WEIGHT_OF_MOTION = 0.4
MOST_MOVING = 0.8
LEAST_SPOKEN = 10
"""Samples with words that it takes to say who of two speaks."""
SPEAKS_ALONE = 3.0
LEAST_MOUTH = 0.05
LEAST_TEXT_WIDTH = 0.18
LEAST_TEXT_SHARE: dict[Kind, float] = {"faces": 0.6, "people": 0.6, "motion": 0.25, "saliency": 0.25}
"""Of a shot's samples that must show a line of text for it to matter: a name shown below a speaker for a while does not."""


@dataclass(frozen=True)
class Sight:
    """What to keep in view at a moment; `core` is the part that matters where not all of it can be kept."""

    time: float
    whole: Box
    core: Box
    weight: float = 1.0


@dataclass(frozen=True)
class Subject:
    """What a shot is about.

    Attributes:
        kind: of what.
        sights: in order of time, of all of it that is there at once.
        share: of the shot's samples that show it.
        count: how many are in view at once.
        left_out: a sentence where one was left out because another one does the talking; else empty.
    """

    kind: Kind
    sights: list[Sight]
    share: float
    count: int
    left_out: str = ""


def subject_of(samples: Sequence[Sample], words: Sequence[Word], widest: float) -> Subject | None:
    """The subject of one shot's samples, or None where there is nothing to see.

    Args:
        samples: of one shot.
        words: what is said in the clip, in clip seconds.
        widest: share of the frame's width that can be shown at once; of two people who do not fit, one may be left out.
    """
    return _of_faces(samples, words, widest) or _of_people(samples, widest) or _of_motion(samples, widest) or _of_saliency(samples)


def text_of(samples: Sequence[Sample], kind: Kind) -> tuple[Box | None, float]:
    """The lines of text that stay long enough in one shot to matter, all in one box, and the share of the samples with them."""
    lines: list[tuple[Box, int]] = []
    for sample in samples:
        for box in sample.wide_text:
            known = next((number for number, (line, _) in enumerate(lines) if line.likeness(box) > 0.5), None)
            if known is None:
                lines.append((box, 1))
            else:
                lines[known] = (box, lines[known][1] + 1)
    needed = LEAST_TEXT_SHARE[kind] * len(samples)
    lasting = [(box, seen) for box, seen in lines if seen >= needed and box.width >= LEAST_TEXT_WIDTH]
    if not lasting:
        return None, 0.0
    around = lasting[0][0]
    for box, _ in lasting[1:]:
        around = around.around(box)
    return around, max(seen for _, seen in lasting) / len(samples)


def _of_faces(samples: Sequence[Sample], words: Sequence[Word], widest: float) -> Subject | None:
    times = [sample.time for sample in samples]
    tracks = _those_that_count(linked(times, [sample.faces for sample in samples], LONGEST_TURN))
    tracks, left_out = _who_speaks(tracks, samples, words, widest)
    sights, shown, most = [], 0, 0
    bodies = _those_that_count(linked(times, [sample.people for sample in samples], LONGEST_ABSENCE))
    for place, time in enumerate(times):
        faces = [box for track in tracks if (box := track.at(place, times)) is not None]
        if faces:
            shown += 1
            most = max(most, len(faces))
            sights.append(Sight(time, _around_all([_head(face) for face in faces]), _around_all(faces)))
        elif body := [box for track in bodies if (box := track.at(place, times)) is not None]:
            # Who turns away keeps the head where the face was; a body alone must not pull the picture to somebody else.
            near = [box for box in body if any(_near(box, track, time) for track in tracks)]
            if near:
                sights.append(_sight_of_people(time, near))
    if not samples or shown < LEAST_SHARE["faces"] * len(samples):
        return None
    return Subject("faces", sights, shown / len(samples), most, left_out)


def _of_people(samples: Sequence[Sample], widest: float) -> Subject | None:
    times = [sample.time for sample in samples]
    tracks = _those_that_count(linked(times, [sample.people for sample in samples], LONGEST_ABSENCE))
    sights, shown, most = [], 0, 0
    for place, (time, sample) in enumerate(zip(times, samples, strict=True)):
        people = [box for track in tracks if (box := track.at(place, times)) is not None]
        if people:
            shown += 1
            most = max(most, len(people))
            sights.append(_sight_of_people(time, people))
        elif sample.motion and sample.motion.width <= widest:
            # Who walks sideways is seen only by moving.
            sights.append(Sight(time, sample.motion, sample.motion, WEIGHT_OF_MOTION))
    if not samples or shown < LEAST_SHARE["people"] * len(samples):
        return None
    return Subject("people", sights, shown / len(samples), most)


def _of_motion(samples: Sequence[Sample], widest: float) -> Subject | None:
    sights = [Sight(sample.time, sample.motion, sample.motion) for sample in samples if sample.motion]
    if not sights or len(sights) < LEAST_SHARE["motion"] * len(samples):
        return None
    if float(np.median([sight.whole.width for sight in sights])) > widest:
        return None
    return Subject("motion", sights, len(sights) / len(samples), 1)


def _of_saliency(samples: Sequence[Sample]) -> Subject | None:
    """What stands out; what moves does too, unless it is about everything."""
    seen = [(sample.time, box) for sample in samples for box in (sample.saliency, sample.motion) if box and box.width < MOST_MOVING]
    sights = [Sight(time, box, box) for time, box in seen]
    return Subject("saliency", sights, min(1.0, len(sights) / len(samples)), 1) if sights else None


def _those_that_count(tracks: Sequence[Track]) -> list[Track]:
    """The tracks that are there often enough, and large enough beside the largest of them."""
    longest = max((track.span for track in tracks), default=0)
    there = [track for track in tracks if track.span >= LEAST_SHARE_OF_ONE * longest]
    largest = max((track.mean_area for track in there), default=0.0)
    return [track for track in there if track.mean_area >= SMALLEST_BESIDE * largest]


def _who_speaks(tracks: list[Track], samples: Sequence[Sample], words: Sequence[Word], widest: float) -> tuple[list[Track], str]:
    """Of two or more that cannot be shown at once, the one whose mouth alone moves while there are words, and a sentence; else all.

    Mouths are judged by changes between samples a fifth of a second apart, so this needs a clear difference and some seconds.
    """
    if len(tracks) < 2 or _around_all([_head(track.boxes[0]) for track in tracks]).width <= widest:
        return tracks, ""
    moved = []
    for track in tracks:
        mouths = [
            samples[place].mouths[rank]
            for place, rank in zip(track.places, track.ranks, strict=True)
            if rank < len(samples[place].mouths) and _is_spoken(samples[place].time, words)
        ]
        if len(mouths) < LEAST_SPOKEN:
            return tracks, ""
        moved.append(float(np.mean(mouths)))
    ranked = sorted(range(len(tracks)), key=lambda number: -moved[number])
    most, next_most = moved[ranked[0]], moved[ranked[1]]
    if most < LEAST_MOUTH or most < SPEAKS_ALONE * next_most:
        return tracks, ""
    return [tracks[ranked[0]]], f"Of {len(tracks)} faces that do not fit, the only one whose mouth moves with the words is shown."


def _is_spoken(time: float, words: Sequence[Word]) -> bool:
    return any(word.start - 0.1 <= time <= word.end + 0.1 for word in words)


def _head(face: Box) -> Box:
    beside, above, below = (share * size for share, size in zip(HEAD, (face.width, face.height, face.height), strict=True))
    left, top = max(0.0, face.x - beside), max(0.0, face.y - above)
    return Box(left, top, min(1.0, face.right + beside) - left, min(1.0, face.bottom + below) - top)


def _sight_of_people(time: float, people: Sequence[Box]) -> Sight:
    heads = [Box(box.x, box.y, box.width, box.height * HEAD_OF_PERSON) for box in people]
    return Sight(time, _around_all(people), _around_all(heads))


def _near(body: Box, track: Track, time: float) -> bool:
    """Whether a body stands where the face of `track` was last seen, or will be first."""
    nearest = min(range(len(track.times)), key=lambda index: abs(track.times[index] - time))
    across = track.boxes[nearest].centre[0]
    return body.x - 0.5 * body.width <= across <= body.right + 0.5 * body.width


def _around_all(boxes: Sequence[Box]) -> Box:
    around = boxes[0]
    for box in boxes[1:]:
        around = around.around(box)
    return around
