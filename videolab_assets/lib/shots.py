"""Finds the shots of a video in small frames: hard cuts, fades through black or white, and dissolves.

Everything is decided on 64x36 frames, which one decode gives for next to nothing. What is a boundary:

* **cut**: a frame differs from the one before it more than its neighbours do, over most of the picture (a caption or an inset does
  not), in structure rather than in light only, and the picture does not soon return (a flash).
* **fade**: the picture darkens (or whitens) to nothing and another comes; one boundary, at the middle of the darkest moment.
* **dissolve**: a frame close to the mean of the frames before and after it, with less contrast than either. Motion gives frames that are
  no such mean. The boundary is the middle.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib.documents import Shot
from videolab_assets.lib.stills import StillScore

FRAME_WIDTH = 64
FRAME_HEIGHT = 36
PIXEL_FORMAT = "yuv444p"
FRAME_BYTES = 3 * FRAME_WIDTH * FRAME_HEIGHT

CHUNK_FRAMES = 256
"""Frames decided at once; a fixed number, so that the sizes of the blocks fed cannot change a result."""
DISSOLVE_HALVES = (0.2, 0.4, 0.6, 0.8, 1.0)
"""Seconds from the middle of a dissolve to the frames it is compared with."""
CUT_SURROUNDINGS = 0.34
LONGEST_FLASH = 0.2
FADE_REACH = 1.5
SHORTEST_SHOT = 0.4
"""Seconds; only two clear cuts may be closer, and not closer than a flash lasts."""

_BLOCKS_ACROSS, _BLOCKS_DOWN = 8, 6
_BLACK, _WHITE = 16.0, 235.0
_FAINT = 14.0

Frames = NDArray[np.uint8]
Series = NDArray[np.float32]
Opening = Literal["cut", "fade", "dissolve"]


@dataclass(frozen=True)
class Detected:
    """The shots of a video in order, without a gap; `duration` in seconds."""

    duration: float
    shots: list[Shot]


@dataclass(frozen=True)
class _Boundary:
    """`frame` is the first of the new shot; `first` and `last` enclose the transition; the larger `strength`, the surer."""

    kind: Opening
    frame: int
    first: int
    last: int
    strength: float


class ShotDetector:
    """Reads the frames of one video in order; memory is a window of about two seconds and three numbers a frame.

    Args:
        frame_rate: frames a second, constant.
    """

    def __init__(self, frame_rate: float) -> None:
        self._rate = frame_rate
        self._halves = sorted({max(2, round(half * frame_rate)) for half in DISSOLVE_HALVES})
        self._reach = max(self._halves[-1], self._frames_in(CUT_SURROUNDINGS, 5)) + 2
        self._window: Frames = np.empty((2 * self._reach + CHUNK_FRAMES, 3, FRAME_HEIGHT, FRAME_WIDTH), np.uint8)
        self._base = 0
        self._filled = 0
        self._decided = 0
        self._changes: list[Series] = []
        self._levels: list[Series] = []
        self._contrasts: list[Series] = []
        self._cuts: list[_Boundary] = []
        self._dissolves: list[_Boundary] = []

    def feed(self, frames: Frames) -> None:
        """Takes the next frames, uint8 of shape (n, 3, 36, 64), planes Y, U, V in limited range; any n."""
        while len(frames):
            taken = frames[: len(self._window) - self._filled]
            self._window[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            frames = frames[len(taken) :]
            if self._filled == len(self._window):
                self._decide(self._base + self._filled - self._reach)
                self._window[: 2 * self._reach] = self._window[CHUNK_FRAMES:].copy()
                self._base += CHUNK_FRAMES
                self._filled -= CHUNK_FRAMES

    def finish(self, stills: Sequence[StillScore]) -> Detected:
        """The shots of all frames fed; `stills` lend them sharpness and faces."""
        total = self._base + self._filled
        self._decide(total)
        if not total:
            return Detected(0.0, [])
        changes, levels = np.concatenate(self._changes), np.concatenate(self._levels)
        fades = list(_fades(levels, np.concatenate(self._contrasts), self._rate))
        boundaries = _settled(self._cuts, fades, self._dissolves, self._rate)
        edges = [0, *(boundary.frame for boundary in boundaries), total]
        openings: list[Literal["start", "cut", "fade", "dissolve"]] = ["start", *(boundary.kind for boundary in boundaries)]
        shots = []
        for opening, first, end in zip(openings, edges[:-1], edges[1:], strict=True):
            seen = _stills_within(stills, first / self._rate, end / self._rate)
            brightness = (float(levels[first:end].mean()) - _BLACK) / (_WHITE - _BLACK)
            shots.append(
                Shot(
                    start=first / self._rate,
                    end=end / self._rate,
                    opens_with=opening,
                    motion=float(changes[first + 1 : end].mean()) / 255 if end > first + 1 else 0.0,
                    brightness=min(1.0, max(0.0, brightness)),
                    sharpness=sum(still.sharpness for still in seen) / max(1, len(seen)),
                    faces=sum(still.faces for still in seen) / max(1, len(seen)),
                )
            )
        return Detected(total / self._rate, shots)

    def _frames_in(self, seconds: float, least: int) -> int:
        return max(least, round(seconds * self._rate))

    def _decide(self, end: int) -> None:
        """Decides the frames from the last decided one up to `end`; the window holds `reach` more on both sides or the video's ends."""
        if end <= self._decided:
            return
        window = self._window[: self._filled]
        small = _reduced(window, 16, 9)
        changes = _block_changes(window)
        change = changes.mean(axis=(1, 2), dtype=np.float32)
        here = slice(self._decided - self._base, end - self._base)
        self._changes.append(change[here])
        self._levels.append(small[here, 0].mean(axis=(1, 2)))
        self._contrasts.append(small[here, 0].std(axis=(1, 2)))
        self._cuts.extend(self._found_cuts(window, change, changes, here))
        self._dissolves.extend(self._found_dissolves(window, small, here))
        self._decided = end

    def _found_cuts(self, window: Frames, change: Series, changes: Series, here: slice) -> Iterator[_Boundary]:
        around, flash = self._frames_in(CUT_SURROUNDINGS, 5), self._frames_in(LONGEST_FLASH, 2)
        for at in np.flatnonzero(change[here] >= 6.0) + here.start:
            before, after = change[max(1, at - around) : at], change[at + 1 : at + 1 + around]
            # The third largest: a near cut or flash must not hide this one, nor may repeated frames make motion look like cuts.
            usual = float(np.sort(np.concatenate([before, after, np.zeros(3, np.float32)]))[-3])
            if at < 1 or change[at] < 3 * usual or change[at] < max(change[max(1, at - 2) : at + 3]):
                continue
            if (changes[at] > max(3.0, 0.25 * change[at])).mean() < 0.7:
                continue
            old, new = window[at - 1], window[min(at + 1, len(window) - 1)]
            jump = _difference(old, window[at])
            returns = min(
                min((_difference(old, later) for later in window[at + 1 : at + 1 + flash]), default=math.inf),
                min((_difference(window[at], earlier) for earlier in window[max(0, at - 1 - flash) : at - 1]), default=math.inf),
            )
            if returns < 0.55 * jump or _likeness(old, new) > 0.91:
                continue
            yield _Boundary("cut", self._base + int(at), self._base + int(at), self._base + int(at), float(change[at]))

    def _found_dissolves(self, window: Frames, small: Series, here: slice) -> Iterator[_Boundary]:
        flat = small.reshape(len(small), -1)
        best = np.full(len(flat), -np.inf, np.float32)
        half_of = np.zeros(len(flat), np.int64)
        for half in self._halves:
            if len(flat) <= 2 * half:
                break
            before, middle, after = flat[: -2 * half], flat[half:-half], flat[2 * half :]
            apart = _rms(before - after)
            off = _rms(middle - (before + after) * np.float32(0.5))
            evidence = np.where(off < 0.31 * apart, apart - 2.5 * off, -np.inf).astype(np.float32)
            inside = slice(half, half + len(evidence))
            half_of[inside] = np.where(evidence > best[inside], half, half_of[inside])
            best[inside] = np.maximum(evidence, best[inside])
        for at in np.flatnonzero(best[here] >= 12.0) + here.start:
            half = int(half_of[at])
            if best[at] < best[max(0, at - 3) : at + 4].max() or not _is_mixture(window[at - half], window[at], window[at + half]):
                continue
            middle_frame = self._base + int(at)
            yield _Boundary("dissolve", middle_frame, middle_frame - half, middle_frame + half, float(best[at]))


def _reduced(planes: Frames, width: int, height: int) -> Series:
    """Planes of shape (n, 3, h, w) averaged down to (n, 3, height, width)."""
    import cv2

    count, _, rows, columns = planes.shape
    assert rows % height == 0  # noqa: S101 - else rows of one plane would mix with the next one's
    stacked = cv2.resize(planes.reshape(-1, columns), (width, count * 3 * height), interpolation=cv2.INTER_AREA)
    return stacked.reshape(count, 3, height, width).astype(np.float32)


def _block_changes(window: Frames) -> Series:
    """How much each of 8x6 blocks of a frame differs from the frame before, mean of the three planes; zeros for the first frame."""
    import cv2

    changes = np.zeros((len(window), _BLOCKS_DOWN, _BLOCKS_ACROSS), np.float32)
    if len(window) > 1:
        difference = cv2.absdiff(window[1:].reshape(-1, FRAME_WIDTH), window[:-1].reshape(-1, FRAME_WIDTH))
        planes: Frames = np.asarray(difference, np.uint8).reshape(-1, 3, FRAME_HEIGHT, FRAME_WIDTH)
        changes[1:] = _reduced(planes, _BLOCKS_ACROSS, _BLOCKS_DOWN).mean(axis=1)
    return changes


def _rms(difference: Series) -> Series:
    """Root mean square of each row."""
    squares: Series = np.einsum("ij,ij->i", difference, difference)
    root: Series = np.sqrt(squares / np.float32(difference.shape[1]))
    return root


def _difference(one: Frames, other: Frames) -> float:
    """Mean absolute difference of two frames."""
    import cv2

    return float(cv2.norm(one.reshape(-1, FRAME_WIDTH), other.reshape(-1, FRAME_WIDTH), cv2.NORM_L1)) / FRAME_BYTES


def _likeness(old: Frames, new: Frames) -> float:
    """The highest correlation of the two frames' luma over shifts of up to a fifth of the picture: 1 for the same scene in other light."""
    import cv2

    template = _reduced(old[None], 32, 18)[0, 0]
    picture = _reduced(new[None], 32, 18)[0, 0]
    best = -1.0
    # Four overlapping windows of the old picture: what a camera's move leaves in the frame is found whole in at least one.
    for top in (0, 4):
        for left in (0, 6):
            part = template[top : top + 14, left : left + 26]
            if part.std() > 1.0:
                best = max(best, float(cv2.matchTemplate(picture, part, cv2.TM_CCOEFF_NORMED).max()))
    return best


def _is_mixture(before: Frames, middle: Frames, after: Frames) -> bool:
    """Whether `middle` can be a mixture of two different scenes, rather than a moment of one or of a fade."""
    first, mixed, last = (_reduced(frame[None], 32, 18)[0] for frame in (before, middle, after))
    if any(math.hypot(float(end[0].std()), float(end[0].mean()) - ground) < _FAINT for end in (first, last) for ground in (_BLACK, _WHITE)):
        return False
    changed = (np.abs(_reduced(before[None], 16, 9)[0] - _reduced(after[None], 16, 9)[0]).max(axis=0) > 10).mean()
    contrast_at_ends = math.sqrt((float(first[0].var()) + float(last[0].var())) / 2 + 1)
    dips = float(mixed[0].std()) < 0.93 * contrast_at_ends
    return bool(changed > 0.7 and dips and _correlation(first[0], last[0]) < 0.6)


def _correlation(one: Series, other: Series) -> float:
    one, other = one - one.mean(), other - other.mean()
    return float((one * other).sum() / math.sqrt(float((one * one).sum() * (other * other).sum()) + 1))


def _fades(levels: Series, contrasts: Series, rate: float) -> Iterator[_Boundary]:
    """Moments without a picture that one sinks into, or rises from, gradually: black ones on either side, white ones on both.

    How much picture there is, is the RMS distance of its luma from plain black (or white): a pale wall has hardly any contrast to lose.
    """
    for ground, sides_needed in ((_BLACK, 1), (_WHITE, 2)):
        picture = np.hypot(contrasts, levels - ground)
        edges = np.flatnonzero(np.diff(np.concatenate([[False], picture < _FAINT, [False]]).astype(np.int8)))
        for first, end in zip(edges[::2], edges[1::2], strict=True):
            fade = _fade_around(picture, int(first), int(end), rate, sides_needed)
            if fade:
                yield fade


def _fade_around(picture: Series, first: int, end: int, rate: float, sides_needed: int) -> _Boundary | None:
    """The fade through the faint frames `first` up to `end`, if it is one."""
    reach, least_ramp = max(3, round(FADE_REACH * rate)), max(2, round(0.1 * rate))
    full = min(float(side.max(initial=0)) for side in (picture[max(0, first - reach) : first], picture[end : end + reach]))
    nothing = max(3.0, 0.12 * full)
    dark = np.flatnonzero(picture[first:end] <= nothing) + first
    if full < _FAINT or not len(dark):
        return None
    first, end = int(dark[0]), int(dark[-1]) + 1
    sides = picture[max(0, first - reach) : first][::-1], picture[end : end + reach]
    ramps = [int(np.argmax(side >= 0.7 * side.max())) for side in sides]
    if sum(ramp >= least_ramp for ramp in ramps) < sides_needed:
        return None
    return _Boundary("fade", (first + end) // 2, first - ramps[0], end + ramps[1], math.inf)


def _settled(cuts: list[_Boundary], fades: list[_Boundary], dissolves: list[_Boundary], rate: float) -> list[_Boundary]:
    """One boundary for each event: fades before cuts before dissolves, the stronger first, none too close to one already taken."""
    taken: list[_Boundary] = []
    for boundary in [*fades, *_by_strength(cuts), *_by_strength(dissolves)]:
        apart = LONGEST_FLASH if boundary.kind == "cut" else SHORTEST_SHOT
        near = any(
            abs(boundary.frame - other.frame) < (apart if other.kind == "cut" else SHORTEST_SHOT) * rate
            or (other.kind != "cut" and boundary.first <= other.last and boundary.last >= other.first)
            or (boundary.kind == "dissolve" and boundary.first <= other.frame <= boundary.last)
            for other in taken
        )
        if not near and boundary.frame > 0:
            taken.append(boundary)
    return sorted(taken, key=lambda boundary: boundary.frame)


def _by_strength(boundaries: list[_Boundary]) -> list[_Boundary]:
    return sorted(boundaries, key=lambda boundary: (-boundary.strength, boundary.frame))


def _stills_within(stills: Sequence[StillScore], start: float, end: float) -> list[StillScore]:
    """The stills of a shot; of one shorter than their interval, the nearest."""
    within = [still for still in stills if start <= still.time < end]
    if within or not stills:
        return within
    return [min(stills, key=lambda still: abs(still.time - (start + end) / 2))]
