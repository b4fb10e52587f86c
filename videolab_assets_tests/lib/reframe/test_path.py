"""The path of a moving crop."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from videolab_assets.lib.reframe.path import FASTEST, STEP, Wish, followed, still_place

SIZE = 0.316


def wishes(middles: list[float], step: float = 0.2, half: float = 0.05) -> list[Wish]:
    most = 1 - SIZE
    return [
        Wish(
            number * step,
            min(max(middle + half - SIZE, 0.0), most),
            min(max(middle - SIZE / 2, 0.0), most),
            min(max(middle - half, 0.0), most),
        )
        for number, middle in enumerate(middles)
    ]


def along(points: list[tuple[float, float]], times: np.ndarray) -> np.ndarray:
    return np.asarray(np.interp(times, [time for time, _ in points], [place for _, place in points]))


def test_a_nodding_head_moves_nothing() -> None:
    """A crop that trembles with its subject is the mark of a bad reframer."""
    nodding = wishes([0.4 + 0.02 * math.sin(number) for number in range(50)])
    place = still_place(nodding, SIZE, 0.0, 1 - SIZE)
    assert place == pytest.approx(0.4 - SIZE / 2, abs=0.01)


def test_a_walk_is_no_rest() -> None:
    """A still crop loses who walks out of it."""
    assert still_place(wishes(list(np.linspace(0.2, 0.8, 40))), SIZE, 0.0, 1 - SIZE) is None


def test_the_path_neither_lags_nor_leads() -> None:
    """Smoothing in one direction only trails behind a walk by its time constant."""
    middles = [0.25 + 0.5 * number / 49 for number in range(50)]
    points, share = followed(wishes(middles), 0.0, 9.8, SIZE, 0.0, 1 - SIZE)
    times = np.arange(50) * 0.2
    lag = along(points, times) + SIZE / 2 - np.array(middles)
    assert share == 1.0
    assert abs(float(lag.mean())) < 0.01


def test_the_path_reaches_back_to_the_shots_first_frame() -> None:
    """A face that is found after a second was there before: the shot must not open on nothing and pan."""
    late = [Wish(wish.time + 1.0, wish.lowest, wish.ideal, wish.highest) for wish in wishes([0.8] * 10 + [0.3] * 30)]
    points, _ = followed(late, 0.0, 9.0, SIZE, 0.0, 1 - SIZE)
    assert points[0][0] == 0.0
    assert 0.75 < points[0][1] + SIZE <= 1.0


def test_one_wrong_box_does_not_pull_the_camera() -> None:
    """Detectors err for a moment."""
    middles = [0.3 + 0.01 * number for number in range(40)]
    spoilt = [0.9 if number == 20 else middle for number, middle in enumerate(middles)]
    clean, _ = followed(wishes(middles), 0.0, 7.8, SIZE, 0.0, 1 - SIZE)
    pulled, _ = followed(wishes(spoilt), 0.0, 7.8, SIZE, 0.0, 1 - SIZE)
    times = np.linspace(0, 7.8, 80)
    assert np.abs(along(clean, times) - along(pulled, times)).max() < 0.02


def test_a_camera_waits_in_an_empty_room() -> None:
    """Who left on the left and who enters on the right eight seconds later are no walk: a slow pan over nothing looks lost."""
    left = wishes([0.3] * 20)
    right = [Wish(wish.time + 12.0, wish.lowest, wish.ideal, wish.highest) for wish in wishes([0.7] * 20)]
    points, _ = followed([*left, *right], 0.0, 16.0, SIZE, 0.0, 1 - SIZE)
    assert abs(float(along(points, np.array([9.0]))[0]) - (0.3 - SIZE / 2)) < 0.06


@settings(max_examples=25)
@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40), st.floats(0.0, 3.0))
def test_every_path_stays_inside_and_is_sparse_and_slow(middles: list[float], before: float) -> None:
    """ffmpeg refuses a crop beyond the frame, and no subject is worth a whip pan of the whole frame in a tenth of a second."""
    shifted = [Wish(wish.time + before, wish.lowest, wish.ideal, wish.highest) for wish in wishes(middles)]
    end = before + len(middles) * 0.2
    points, share = followed(shifted, 0.0, end, SIZE, 0.0, 1 - SIZE)
    times, places = np.array(points).T
    assert times[0] == 0.0
    assert times[-1] == pytest.approx(end)
    assert (np.diff(times) > 0).all()
    assert places.min() >= 0.0
    assert places.max() <= 1 - SIZE
    assert len(points) <= end / STEP + 2
    assert 0.0 <= share <= 1.0
    if len(points) > 1:
        assert (np.abs(np.diff(places)) / np.diff(times)).max() <= FASTEST + 1e-6
