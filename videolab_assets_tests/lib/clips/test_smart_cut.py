"""Which packets of a clip may be copied: decided from their times and kinds alone."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.clips.packets import CLEAN, FOREIGN, KEY, UNUSABLE, Survey
from videolab_assets.lib.clips.smart_cut import LEAST_COPIED, Copyable, Unsuitable, copyable, refusal
from videolab_assets.lib.documents import Probe, VideoStream
from videolab_assets.lib.graph import Plan

RATE = Fraction(30)
IDR = KEY | CLEAN


def survey(frames: list[tuple[int, int]], **changed: object) -> Survey:
    """Packets in decoding order: frame number and kind."""
    facts = {"profile": 100, "level": 31, "numbers": [0, 0], "time_base": (1, 15_360), "start": 0}
    return Survey.model_validate({**facts, "packets": [(512 * frame, kind, f"{frame:x}") for frame, kind in frames], **changed})


def groups(count: int, length: int, b_frames: int) -> list[tuple[int, int]]:
    """Closed groups: a clean key frame, then each P-frame before the B-frames that it is shown after."""
    found: list[tuple[int, int]] = []
    for first in range(0, count * length, length):
        found.append((first, IDR))
        at = first + 1
        while at < first + length:
            last = min(at + b_frames, first + length - 1)
            found += [(last, 0), *((frame, 0) for frame in range(at, last))]
            at = last + 1
    return found


def frames_of(found: Copyable) -> list[int]:
    return [frame for frame, _ in found.packets]


@given(st.integers(4, 40), st.integers(0, 7), st.integers(0, 60), st.integers(30, 120))
def test_what_is_copied_is_shown_without_a_gap(length: int, b_frames: int, first: int, lasts: int) -> None:
    """Copied packets hold a frame that is shown after the clip's end, or lack one before it: the naive tail was 1 to 3 frames off."""
    try:
        found = copyable(survey(groups(240 // length, length, b_frames)), RATE, first, first + lasts)
    except Unsuitable:
        return
    assert sorted(frames_of(found)) == list(range(found.join, found.end))
    assert first <= found.join < found.end <= first + lasts
    assert found.join % length == 0
    assert found.head_from <= first < found.head_from + length
    assert first + lasts - found.end <= b_frames or found.end == 240 // length * length


def test_the_end_is_not_cut_back_to_a_key_frame() -> None:
    """Encoding from the last key frame on costs half a group for nothing."""
    found = copyable(survey(groups(4, 30, 2)), RATE, 10, 85)
    assert (found.join, found.end) == (30, 85)


@pytest.mark.parametrize(
    ("kinds", "why"),
    [
        (dict.fromkeys(range(0, 120, 30), KEY), "starts clean"),
        ({30: IDR | FOREIGN}, "too far apart"),
        ({31: UNUSABLE}, "too far apart"),
        (dict.fromkeys(range(30, 120, 30), 0), "starts clean"),
    ],
)
def test_what_must_not_be_copied(kinds: dict[int, int], why: str) -> None:
    """Open groups, parameter sets in the middle, hidden and damaged packets break the copy in players that our check does not use."""
    frames = [(frame, kinds.get(frame, kind)) for frame, kind in groups(4, 30, 2)]
    with pytest.raises(Unsuitable, match=why):
        copyable(survey(frames), RATE, 10, 58)


def test_too_little_to_copy() -> None:
    """Three processes more for a handful of frames."""
    with pytest.raises(Unsuitable, match="too far apart"):
        copyable(survey(groups(2, 100, 0)), RATE, 1, 99 + round(LEAST_COPIED * 99))


@pytest.mark.parametrize("changed", [{"profile": 110}, {"profile": None}, {"level": 9}, {"numbers": list(range(31))}])
def test_unusual_headers(changed: dict[str, object]) -> None:
    """A ten-bit stream, none at all, or one whose parameter sets leave no number free for ours."""
    with pytest.raises(Unsuitable):
        copyable(survey(groups(4, 30, 2), **changed), RATE, 10, 85)


def test_frames_off_the_grid() -> None:
    """A source that claims a constant rate and drifts would be shown at other times than its proxy."""
    packets = [(512 * frame + 4 * frame, kind, "") for frame, kind in groups(4, 30, 0)]
    with pytest.raises(Unsuitable, match="constant rate"):
        copyable(survey([], packets=packets), RATE, 40, 110)


def test_a_millisecond_clock_is_on_the_grid() -> None:
    """Matroska rounds to milliseconds: every OBS recording would be encoded."""
    packets = [(round(frame * 1000 / 60), kind, f"{frame:x}") for frame, kind in groups(4, 30, 2)]
    found = copyable(survey([], packets=packets, time_base=(1, 1000)), Fraction(60), 10, 85)
    assert sorted(frames_of(found)) == list(range(30, 85))


def video(**changed: object) -> VideoStream:
    facts = {"index": 0, "codec": "h264", "width": 1920, "height": 1080, "coded_width": 1920, "coded_height": 1080}
    return VideoStream.model_validate({**facts, "frame_rate": 30.0, "pixel_format": "yuv420p", "color_space": "bt709", **changed})


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"codec": "hevc"}, "codec"),
        ({"pixel_format": "yuv420p10le", "bit_depth": 10}, "pixels are"),
        ({"pixel_format": "yuvj420p"}, "pixels are"),
        ({"variable_frame_rate": True}, "varies"),
        ({"frame_rate": 59.94}, "varies"),
        ({"interlaced": True}, "interlaced"),
        ({"rotation": 90}, "rotated"),
        ({"sample_aspect_ratio": "4:3"}, "square"),
        ({"coded_width": 3840, "coded_height": 2160}, "size"),
        ({"color_space": "smpte170m"}, "BT.709"),
        ({"color_transfer": "smpte2084", "hdr": "pq"}, "BT.709"),
        ({"color_range": "pc"}, "BT.709"),
        ({"color_space": None, "height": 480}, "BT.709"),
    ],
)
def test_refusals(changed: dict[str, object], why: str) -> None:
    """Copied packets that need converting: on their side, stretched, grey, or at times that the grid does not have."""
    found = refusal(Probe(container="mov", duration=9, bytes=9, bit_rate=9, streams=1), video(**changed), Plan(1920, 1080, RATE))
    assert found
    assert why in found


@pytest.mark.parametrize("changed", [{"container": "mpegts"}, {"clock_jump": 2.0}])
def test_containers_whose_times_are_not_their_own(changed: dict[str, object]) -> None:
    """Packets of a transport stream have times that only reading from its start explains."""
    facts = {"container": "mov", "duration": 9, "bytes": 9, "bit_rate": 9, "streams": 1}
    assert refusal(Probe.model_validate({**facts, **changed}), video(), Plan(1920, 1080, RATE))


@pytest.mark.parametrize("changed", [{}, {"color_space": None}, {"color_transfer": "smpte170m", "color_range": "tv"}])
def test_what_may_be_copied(changed: dict[str, object]) -> None:
    """Untagged HD is what every player takes for BT.709: encoding it would cost ten times as much for nothing."""
    probe = Probe(container="mov", duration=9, bytes=9, bit_rate=9, streams=1)
    assert refusal(probe, video(**changed), Plan(1920, 1080, RATE)) is None
