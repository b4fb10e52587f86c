"""The proof that a clip is exact: it must hold for a right clip and fail for each way of being wrong."""

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from videolab_assets.lib import gate
from videolab_assets.lib.clips import exactness, packets
from videolab_assets.lib.clips.exactness import Copied, Inexact, Window, check_offset, check_window, offset_of, prove
from videolab_assets.lib.clips.passage import HEARD_RATE, PRIMING, SEEN_HEIGHT, SEEN_WIDTH, SOUND_RATE, Footage, Passage, Samples, take
from videolab_assets_tests.lib.clips import numbered
from videolab_assets_tests.lib.clips.numbered import AAC, X264

FIRST, END = 30, 60
RNG = np.random.default_rng(4)


@dataclass(frozen=True)
class Case:
    """A clip of frames FIRST to END - 1, with all that is known of it."""

    clip: Path
    footage: Footage
    window: Window
    heard: Samples
    copied: Copied

    def prove(self, work: Path) -> float | None:
        work.mkdir()
        return prove(self.clip, self.footage, END - FIRST, [self.window], self.heard, self.copied, work)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("proof")
    source = numbered.make(folder / "a.mp4", *X264, "-g", "30", *AAC, seconds=2.5)
    probe = gate.admit(source).probe
    assert probe.video
    footage = Footage(source, probe, probe.video, Fraction(30), None)
    (folder / "taken").mkdir()
    taken = take(footage, Passage(FIRST, END, (30, 31, 32, 57, 58, 59), (FIRST, END), Fraction(1, 2)), folder / "taken")
    assert taken.picture
    assert taken.heard is not None
    (folder / "joined").mkdir()
    clip = packets.join({"all": (taken.picture, 0)}, taken.sound, footage.rate, folder / "joined")
    marks = [
        (round(shown * Fraction(*found.video_time_base) * 30), mark) for found in [packets.read(clip)] for shown, _, mark in found.pictures
    ]
    return Case(clip, footage, Window((0, 1, 2, 27, 28, 29), taken.seen), taken.heard, Copied(0, marks))


def test_a_right_clip_is_proven(case: Case, tmp_path: Path) -> None:
    """A proof that fails for everything makes every clip cost ten times as much."""
    assert case.prove(tmp_path / "work") == pytest.approx(0, abs=0.001)


def test_frames_missing(case: Case, tmp_path: Path) -> None:
    """A clip that ends early."""
    with pytest.raises(Inexact, match="has 30 frames where 31"):
        prove(case.clip, case.footage, END - FIRST + 1, [], case.heard, None, tmp_path)


def test_another_rate(case: Case, tmp_path: Path) -> None:
    """Frames that run away from their times."""
    with pytest.raises(Inexact, match="grid"):
        replace(case, footage=replace(case.footage, rate=Fraction(30_000, 1001))).prove(tmp_path / "work")


def test_copied_packets_that_differ(case: Case, tmp_path: Path) -> None:
    """A packet of another frame, or of the same one with other bytes."""
    other = [*case.copied.packets[:9], (case.copied.packets[9][0], "0" * 24), *case.copied.packets[10:]]
    with pytest.raises(Inexact, match="copied packets"):
        replace(case, copied=Copied(0, other)).prove(tmp_path / "work")


def test_copied_packets_in_another_place(case: Case, tmp_path: Path) -> None:
    """The right packets, a frame late."""
    late = [(frame + 1, mark) for frame, mark in case.copied.packets]
    with pytest.raises(Inexact, match="copied packets"):
        replace(case, copied=Copied(0, late)).prove(tmp_path / "work")


def test_sound_missing(case: Case, tmp_path: Path) -> None:
    """A clip of a talking head that says nothing."""
    (tmp_path / "mute").mkdir()
    mute = packets.join({"all": (case.clip, 0)}, None, case.footage.rate, tmp_path / "mute")
    with pytest.raises(Inexact, match="sound"):
        replace(case, clip=mute).prove(tmp_path / "work")


def moving(count: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Frames of which each looks a little like the next, as a slow pan."""
    wide = np.repeat(RNG.integers(110, 130, (SEEN_HEIGHT, 20)), 8, axis=1)
    return np.stack([wide[:, number : number + SEEN_WIDTH] for number in range(count)]).astype(np.uint8)


def coded(
    frames: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], first: int = 0
) -> dict[int, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """As they come out of an encoder, numbered from `first`."""
    return {number: frame + RNG.normal(0, 0.4, frame.shape) for number, frame in enumerate(frames, start=first)}


def test_windows_of_the_right_frames() -> None:
    """An encoder's noise counts as a mistake."""
    frames = moving(12)
    check_window(Window((3, 4, 5), frames[3:6]), coded(frames))


@pytest.mark.parametrize("shift", [-1, 1])
def test_windows_a_frame_off(shift: int) -> None:
    """An end that is off by one frame, in a picture that hardly moves."""
    frames = moving(12)
    with pytest.raises(Inexact, match="early" if shift < 0 else "late"):
        check_window(Window((3, 4, 5), frames[3 + shift : 6 + shift]), coded(frames))


def test_windows_of_a_still_picture() -> None:
    """A slide looks the same a frame later: that is no mistake."""
    frames = moving(1).repeat(12, axis=0)
    check_window(Window((3, 4, 5), frames[3:6]), coded(frames))


def test_windows_of_another_picture() -> None:
    """Garbage after a join, where the parameter sets do not fit."""
    frames = moving(12)
    with pytest.raises(Inexact, match="not that of the source"):
        check_window(Window((3, 4, 5), frames[3:6]), coded(frames // 2))


def test_windows_with_missing_frames() -> None:
    """A decoder that gives up before the end."""
    frames = moving(12)
    with pytest.raises(Inexact, match="not all there"):
        check_window(Window((9, 10, 11), frames[9:12]), coded(frames[:11]))


@pytest.mark.parametrize("late", [-0.1, -0.02, 0.0, 0.0213, 0.2])
def test_offset_of_sound(late: float) -> None:
    """The encoder's delay of 21 ms, counted twice or not at all, goes unseen."""
    heard = (RNG.normal(0, 3000, 3 * HEARD_RATE)).astype(np.int16)
    place = round((PRIMING / SOUND_RATE + late) * HEARD_RATE)
    clip = np.concatenate([np.zeros(place, np.int16), heard]) if place >= 0 else heard[-place:]
    assert offset_of(heard, clip) == pytest.approx(late, abs=1 / HEARD_RATE)


def test_offset_of_silence() -> None:
    """Nothing to measure by is no mistake."""
    assert offset_of(np.zeros(9, np.int16), np.zeros(9, np.int16)) == 0.0


@pytest.mark.parametrize("offset", [-0.021, 0.021])
def test_sound_out_of_time(offset: float) -> None:
    """Lips move beside the words."""
    check_offset(None)
    check_offset(exactness.LARGEST_OFFSET - 0.001)
    with pytest.raises(Inexact, match="beside its picture"):
        check_offset(offset)
