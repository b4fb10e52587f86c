"""What of the frame is shown at a time, and what becomes of a box in it."""

from collections.abc import Sequence

from videolab_assets.lib.documents import Framing
from videolab_assets.lib.reframe.boxes import Box
from videolab_assets.lib.reframe.seen import Seen

CUT_OFF = 0.02
"""Share of a face that may be beyond the edge while it still counts as whole: detectors are no more exact."""
NEAR_AN_EDGE = 0.15
"""Seconds from a cut within which a frame is no good cover: it may be part of a dissolve."""


def shown(framing: Framing, time: float) -> Box:
    """The part of the frame that is shown at `time`, in clip seconds; before the path's first point and after its last it rests."""
    path = framing.path
    after = next((index for index, point in enumerate(path) if point.time >= time), len(path))
    if after == 0 or after == len(path):
        point = path[0] if after == 0 else path[-1]
        return Box(point.x, point.y, framing.width, framing.height)
    one, other = path[after - 1], path[after]
    share = (time - one.time) / (other.time - one.time)
    return Box(one.x + (other.x - one.x) * share, one.y + (other.y - one.y) * share, framing.width, framing.height)


def framing_at(framings: Sequence[Framing], time: float) -> Framing:
    """The one that holds at `time`; the last one from its end on."""
    return next((framing for framing in framings if time < framing.end), framings[-1])


def placed(box: Box, framing: Framing, time: float, source_aspect: float, target_aspect: float) -> Box | None:
    """Where `box` of the source comes to lie in the output picture, as shares of that; what is beyond its edges is cut off.

    Args:
        box: as shares of the source's frame.
        framing: the one that holds at `time`.
        time: clip seconds.
        source_aspect: width over height of the source's displayed frame.
        target_aspect: of the output.

    Returns:
        None where all of it is beyond the edges.
    """
    region = shown(framing, time)
    shape = region.width * source_aspect / region.height
    # What has not the target's shape is fitted into its middle.
    width, height = min(1.0, shape / target_aspect), min(1.0, target_aspect / shape)
    left, top = (1 - width) / 2, (1 - height) / 2
    first = (max(0.0, (box.x - region.x) / region.width), max(0.0, (box.y - region.y) / region.height))
    last = (min(1.0, (box.right - region.x) / region.width), min(1.0, (box.bottom - region.y) / region.height))
    if first[0] >= last[0] or first[1] >= last[1]:
        return None
    return Box(left + first[0] * width, top + first[1] * height, (last[0] - first[0]) * width, (last[1] - first[1]) * height)


def faces_kept(seen: Seen, framings: Sequence[Framing]) -> float | None:
    """Share of the sampled faces that are whole in what is shown; None where there are none."""
    kept = [face.within(shown(framing_at(framings, sample.time), sample.time)) for sample in seen.samples for face in sample.faces]
    return sum(share >= 1 - CUT_OFF for share in kept) / len(kept) if kept else None


def cover_time(seen: Seen, framings: Sequence[Framing]) -> float:
    """Clip seconds of the best frame for a cover: sharp, neither dark nor glaring, a whole and large face in it if there is one."""
    if not seen.samples or not framings:
        return 0.0
    sharpest = max(sample.sharpness for sample in seen.samples) or 1.0

    def merit(number: int) -> float:
        sample = seen.samples[number]
        framing = framing_at(framings, sample.time)
        region = shown(framing, sample.time)
        whole = [face.area / region.area for face in sample.faces if face.within(region) >= 1 - CUT_OFF]
        cut_off = len(sample.faces) - len(whole)
        exposure = min(1.0, max(0.0, (0.5 - abs(sample.brightness - 0.5)) / 0.3))
        looks = (0.5 + 0.5 * min(1.0, sample.sharpness / sharpest)) * exposure
        face = 0.6 + 0.4 * min(1.0, max(whole) / 0.08) if whole else 0.0
        at_edge = min(sample.time - framing.start, framing.end - sample.time) < NEAR_AN_EDGE
        return 0.6 * looks + 0.4 * face * min(1.0, 2 * looks) - 0.1 * cut_off - (0.2 if at_edge else 0.0)

    return seen.samples[max(range(len(seen.samples)), key=merit)].time
