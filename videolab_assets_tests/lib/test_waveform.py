"""Peaks against a plain loop over the samples, the format that players read, and the picture."""

import json
import math

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from videolab_assets.lib.waveform import MOST_POINTS, Peaks, WaveformReader, samples_per_pixel_for


def peaks_of(samples: NDArray[np.int16], samples_per_pixel: int = 256, rate: int = 16_000) -> Peaks:
    reader = WaveformReader(rate, samples_per_pixel)
    reader.feed(samples)
    return reader.finish()


@given(
    st.lists(st.integers(-32768, 32767), max_size=300),
    st.lists(st.integers(0, 60), max_size=20),
    st.integers(1, 40),
)
def test_peaks_are_exact_however_the_samples_arrive(samples: list[int], blocks: list[int], samples_per_pixel: int) -> None:
    """A pipe cuts anywhere: a stretch that straddles two blocks must keep the extremes of both."""
    reader, rest = WaveformReader(16_000, samples_per_pixel), np.array(samples, np.int16)
    for size in [*blocks, len(rest)]:
        reader.feed(rest[:size])
        rest = rest[size:]
    stretches = [samples[start : start + samples_per_pixel] for start in range(0, len(samples), samples_per_pixel)]
    expected = [[int(min(stretch) / 256), int(max(stretch) / 256)] for stretch in stretches]
    found = reader.finish()
    assert found.pairs.tolist() == expected
    assert found.samples == len(samples)


def test_json_is_what_players_read() -> None:
    """wavesurfer.js and peaks.js reject a document with another version, or whose data are not `length` pairs."""
    tone = (np.sin(np.arange(16_000) * 2 * math.pi * 100 / 16_000) * 0.5 * 32767).astype(np.int16)
    document = json.loads(peaks_of(tone).json_bytes())
    data = document.pop("data")
    assert document == {"version": 2, "channels": 1, "sample_rate": 16_000, "samples_per_pixel": 256, "bits": 8, "length": 63}
    assert len(data) == 126
    assert set(data[:124:2]) == {-63}
    assert set(data[1:124:2]) == {63}


def test_the_noise_of_a_silence_is_drawn_as_silence() -> None:
    """Rounding down makes -1 of every dithered zero: a line below the middle through all pauses."""
    dither = np.random.default_rng(1).integers(-2, 3, 5000).astype(np.int16)
    assert not peaks_of(dither).pairs.any()


@given(st.floats(0, 12 * 3600), st.sampled_from([8_000, 16_000, 48_000]))
def test_points_stay_few_and_as_fine_as_they_may(duration: float, rate: int) -> None:
    """A player that has to load megabytes of peaks shows nothing for seconds."""
    samples_per_pixel = samples_per_pixel_for(duration, rate)
    assert duration * rate / samples_per_pixel <= MOST_POINTS
    assert samples_per_pixel == 256 or duration * rate / (samples_per_pixel / 2) > MOST_POINTS


def test_four_hours_of_noise_make_less_than_a_megabyte() -> None:
    """The JSON of the loudest and longest video is still small enough for a web page."""
    samples_per_pixel = samples_per_pixel_for(4 * 3600, 16_000)
    points = math.ceil(4 * 3600 * 16_000 / samples_per_pixel)
    pairs = np.tile(np.array([[-128, 127]], np.int8), (points, 1))
    assert len(Peaks(16_000, samples_per_pixel, 4 * 3600 * 16_000, pairs).json_bytes()) < 1_000_000


def picture_of(peaks: Peaks, width: int = 400, height: int = 60) -> NDArray[np.uint8]:
    """The alpha of the PNG, decoded again."""
    picture = cv2.imdecode(np.frombuffer(peaks.png_bytes(width, height), np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    assert picture.shape == (height, width, 4)
    return np.asarray(picture[..., 3], np.uint8)


def test_the_picture_shows_where_it_is_loud() -> None:
    """A waveform picture that is shifted or stretched misleads whoever looks for a pause."""
    samples = np.zeros(160_000, np.int16)
    samples[80_000:120_000] = np.random.default_rng(1).integers(-30_000, 30_000, 40_000)
    alpha = picture_of(peaks_of(samples))
    heights = (alpha > 127).sum(axis=0)[::4]
    assert set(heights[:50]) == set(heights[76:]) == {2}
    assert min(heights[51:74]) > 50


@pytest.mark.parametrize("count", [0, 1, 700])
def test_short_and_silent_sounds_make_a_line(count: int) -> None:
    """A sound shorter than the picture is wide, or none at all, must give a picture and not an error."""
    alpha = picture_of(peaks_of(np.zeros(count, np.int16)))
    assert (alpha[:, ::4] > 0).any(axis=0).all()
    assert not alpha[:20].any()


def test_a_whisper_is_not_blown_up_to_a_shout() -> None:
    """Filling the height with whatever there is would show the hiss of an empty track as speech."""
    hiss = np.random.default_rng(1).integers(-300, 300, 50_000).astype(np.int16)
    assert (picture_of(peaks_of(hiss)) > 127).sum(axis=0).max() < 12
