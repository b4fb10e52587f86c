"""A clip whose middle is copied packet by packet: only what comes before its first key frame, and after its last whole group, is encoded.

H.264 alone, and only where a copy can be exact: see `refusal`. The end is not cut back to a key frame but to the last packet up to
which decoding order and display order hold the same frames, so that no more than a few frames are encoded there.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from videolab_assets.lib.clips import packets
from videolab_assets.lib.clips.exactness import Copied, Window
from videolab_assets.lib.clips.packets import CLEAN, FOREIGN, UNUSABLE, Middle, Survey
from videolab_assets.lib.clips.passage import Footage, Passage, Taken, around, take
from videolab_assets.lib.documents import Probe, VideoStream
from videolab_assets.lib.graph import Plan

LEAST_COPIED = 0.25
"""Share of a clip's frames below which copying saves too little."""
OFF_GRID = Fraction(1, 4)
"""Of a frame. Matroska rounds times to a millisecond, 0.06 of a frame at 60 a second; a source off by more is not of constant rate."""
PROFILES = {66: "baseline", 77: "main", 100: "high"}
"""H.264's profile_idc (Rec. ITU-T H.264, A.2) of those that are 8-bit 4:2:0, by x264's names."""
LEVELS = frozenset({10, 11, 12, 13, 20, 21, 22, 30, 31, 32, 40, 41, 42, 50, 51, 52, 60, 61, 62})
MOST_NUMBERS = 32


class Unsuitable(Exception):
    """This clip cannot be copied in part; the message says why, as the end of a sentence."""


@dataclass(frozen=True)
class Joined:
    """A clip's picture in pieces, and what to prove it by.

    Attributes:
        pieces: as `packets.join` takes them.
        windows: what was seen of the source around ends and joins.
        frames_encoded: of all of the clip's.
    """

    pieces: dict[str, tuple[Path, int]]
    middle: Middle
    windows: list[Window]
    copied: Copied
    frames_encoded: int


@dataclass(frozen=True)
class Copyable:
    """The packets of one clip that can be copied, frames `join` to `end` - 1.

    Attributes:
        packets: frame on the grid and fingerprint, in decoding order.
        head_from, tail_from: the clean key frames that decoding begins at for what comes before and after.
        profile, level: x264's names of the source's.
        numbers: two that none of the source's parameter sets has.
    """

    join: int
    end: int
    middle: Middle
    packets: tuple[tuple[int, str], ...]
    head_from: int
    tail_from: int
    profile: str
    level: str
    numbers: tuple[int, int]


def refusal(probe: Probe, video: VideoStream, plan: Plan) -> str | None:
    """Why no clip of this source can be copied in part, as the end of a sentence; None if it may be tried."""
    reasons = {
        f"its codec is {video.codec}, not H.264": video.codec != "h264",
        f"its container is {probe.container}": probe.container not in ("mov", "matroska"),
        "its clock jumps": probe.clock_jump > 0,
        f"its pixels are {video.pixel_format}": video.pixel_format != "yuv420p" or video.bit_depth != 8,
        "its frame rate varies": video.variable_frame_rate or abs(video.frame_rate - plan.frame_rate) > 0.001 * plan.frame_rate,
        "it is interlaced": video.interlaced,
        "it is rotated": video.rotation != 0,
        "its pixels are not square": video.sample_aspect_ratio != "1:1",
        "its size changes": (video.coded_width, video.coded_height) != (plan.width, plan.height),
        "its colours are not BT.709": not _is_bt709(video),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def _is_bt709(video: VideoStream) -> bool:
    """As the proxy takes it: untagged pictures of 720 lines or more are."""
    matrix = video.color_space == "bt709" or (video.color_space is None and video.height >= 720)
    same_curve = video.color_transfer in (None, "bt709", "smpte170m")
    return matrix and same_curve and video.color_primaries in (None, "bt709") and video.color_range in (None, "tv") and video.hdr is None


def copyable(survey: Survey, rate: Fraction, first: int, end: int) -> Copyable:
    """What can be copied of frames `first` to `end` - 1.

    Raises:
        Unsuitable: nothing, or too little to be worth it.
    """
    profile = PROFILES.get(survey.profile or 0)
    if profile is None or survey.level not in LEVELS:
        raise Unsuitable("its H.264 profile or level is unusual")
    free = [number for number in range(MOST_NUMBERS) if number not in survey.numbers]
    if len(free) < 2:
        raise Unsuitable("its H.264 parameter sets use all numbers")
    frames = [_frame(survey, ticks, rate) for ticks, _, _ in survey.packets]
    clean = [place for place, (_, kind, _) in enumerate(survey.packets) if kind & CLEAN and frames[place] is not None]
    begin = next((place for place in clean if first <= _at(frames, place) < end), None)
    if begin is None and None in frames:
        raise Unsuitable("its frames do not come at one constant rate")
    if begin is None:
        raise Unsuitable("no key frame within it starts clean")
    before = [_at(frames, place) for place in clean if _at(frames, place) <= first]
    if not before:
        raise Unsuitable("no key frame before it starts clean")
    upto, count = _closed(survey, frames, begin, end)
    join = _at(frames, begin)
    if upto - join < LEAST_COPIED * (end - first):
        raise Unsuitable("its key frames are too far apart to copy much")
    return Copyable(
        join=join,
        end=upto,
        middle=Middle(survey.packets[begin][0] or 0, _microseconds(survey, begin), count),
        packets=tuple((_at(frames, place), survey.packets[place][2]) for place in range(begin, begin + count)),
        head_from=max(before),
        tail_from=max(
            _at(frames, place) for place in clean if begin <= place < begin + count and _at(frames, place) <= max(join, upto - 3)
        ),
        profile=profile,
        level=f"{survey.level / 10:.1f}",
        numbers=(free[-1], free[-2]),
    )


def _frame(survey: Survey, ticks: int | None, rate: Fraction) -> int | None:
    """Which frame of the grid a time is; None off the grid."""
    if ticks is None:
        return None
    exact = survey.seconds(ticks) * rate
    return round(exact) if abs(exact - round(exact)) <= OFF_GRID else None


def _at(frames: Sequence[int | None], place: int) -> int:
    frame = frames[place]
    if frame is None:
        raise Unsuitable("its frames are off the grid")
    return frame


def _microseconds(survey: Survey, place: int) -> int:
    return round(survey.seconds(survey.packets[place][0] or 0) * 1_000_000) + survey.start


def _closed(survey: Survey, frames: Sequence[int | None], begin: int, end: int) -> tuple[int, int]:
    """Up to which frame, and how many packets from `begin` on, decoding order and display order hold the same frames, all before `end`."""
    following = _at(frames, begin)
    ahead: set[int] = set()
    upto, count = following, 0
    for place in range(begin, len(frames)):
        frame = frames[place]
        if frame is None or survey.packets[place][1] & (FOREIGN | UNUSABLE) or frame < following or frame in ahead:
            break
        ahead.add(frame)
        while following in ahead:
            ahead.remove(following)
            following += 1
        if following > end:
            break
        if not ahead:
            upto, count = following, place + 1 - begin
    return upto, count


def make(footage: Footage, first: int, end: int, encoder: dict[str, Any], work: Path) -> Joined:
    """The picture of frames `first` to `end` - 1 in up to three pieces, for `packets.join`.

    Args:
        footage: a source that `refusal` has nothing against, its picture as it is coded.
        encoder: x264's options for what is encoded.
        work: an empty folder.

    Raises:
        Unsuitable: this clip cannot be copied in part.
        ShapeChanged: its picture changes its size.
        PermanentError: the source is damaged there.
        TransientError: the machine failed.
    """
    survey = packets.survey(footage.path, footage.video.index, footage.seconds(first), footage.seconds(end))
    found = copyable(survey, footage.rate, first, end)
    matching = {**encoder, "profile:v": found.profile, "level": found.level}
    seen = (*around(first, found.join), *range(found.join, min(found.join + 3, found.end)))
    head = _encoded(
        footage, Passage(first, found.join, seen, seek=_seek(footage, found.head_from)), matching, found.numbers[0], work / "head"
    )
    pieces = {"head": (head.picture, 0)} if head.picture else {}
    pieces["source"] = (footage.path, found.join - first)
    windows = [Window(tuple(frame - first for frame in seen), head.seen)]
    if found.end < end:
        seen = (*range(max(found.join, found.end - 3), found.end), *around(found.end, end))
        tail = _encoded(
            footage, Passage(found.end, end, seen, seek=_seek(footage, found.tail_from)), matching, found.numbers[1], work / "tail"
        )
        windows.append(Window(tuple(frame - first for frame in seen), tail.seen))
        if tail.picture:
            pieces["tail"] = (tail.picture, found.end - first)
    copied = Copied(found.join - first, [(frame - first, mark) for frame, mark in found.packets])
    return Joined(pieces, found.middle, windows, copied, end - first - len(found.packets))


def _encoded(footage: Footage, passage: Passage, encoder: dict[str, Any], number: int, work: Path) -> Taken:
    work.mkdir()
    return take(footage, replace(passage, encoder={**encoder, "x264-params": f"sps-id={number}"}), work)


def _seek(footage: Footage, key_frame: int) -> Fraction:
    """Where ffmpeg has to seek to begin at that key frame: in Matroska it goes back by 3/23 s for the sake of B-frames."""
    return footage.seconds(key_frame) + 1 / footage.rate / 2 + (Fraction(3, 23) if footage.probe.container == "matroska" else 0)
