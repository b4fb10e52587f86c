"""Where somebody speaks: voice activity from level and agility, without a model.

Two questions are asked of every hundredth of a second. Is it louder than the background around it? And do the bands of the spectrum
keep rising and falling, as the syllables of speech make them do and steady noise and most music do not? The second is spectral
flux, one of the features of Scheirer and Slaney, "Construction and evaluation of a robust multifeature speech/music discriminator"
(ICASSP 1997), taken over smoothed bands in decibels so that it does not depend on how loud the recording is. Measured means over 1.5 s:
clear speech 5 to 13 dB, speech 10 dB above music or noise 3.3 to 10, orchestral music 2.2 to 2.8, noise 1.5. Percussion passes
as speech: an engine's own confidence has to catch that.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
FRAMES_PER_SECOND = 100
CONTEXT_SECONDS = 8
"""Samples farther away than this never change what is said of a frame."""

Samples = NDArray[np.int16]

_HOP = SAMPLE_RATE // FRAMES_PER_SECOND
_WINDOW = 400
_FFT = 512
_BAND_EDGES = np.geomspace(150, 4000, 13)
_QUIETEST_DB = -90.0
_ABOVE_FLOOR_DB = 6.0
_BELOW_PEAK_DB = 38.0
_FLOOR_REACH_SECONDS = 4
_AGILE_DB = 3.0
_AGILITY_WINDOW = 150
_AGILITY_STEP = 50
_SHORTEST_SPEECH = 12
_LONGEST_GAP_IN_SPEECH = 30


@dataclass(frozen=True)
class Activity:
    """Frame by frame, a hundred a second: `levels` in dB of full scale (150 to 4000 Hz) and whether it is `speech`."""

    levels: NDArray[np.float32]
    speech: NDArray[np.bool_]


def activity(samples: Samples) -> Activity:
    """The activity in mono samples at 16 kHz.

    Floors and windows are laid at whole seconds from the first sample, so that stretches of one recording that begin at whole seconds
    agree about the frames they share, except within `CONTEXT_SECONDS` of their ends.
    """
    bands = _band_powers(samples)
    if not len(bands):
        return Activity(np.zeros(0, np.float32), np.zeros(0, np.bool_))
    powers = _smoothed(bands, 5)
    levels = _decibels(powers.sum(axis=1))
    floor, peak = _floor_and_peak(levels)
    loud = levels > np.maximum(floor + _ABOVE_FLOOR_DB, peak - _BELOW_PEAK_DB)
    loud = _without_short_runs(loud, _SHORTEST_SPEECH)
    loud = ~_without_short_runs(~loud, _LONGEST_GAP_IN_SPEECH)
    return Activity(levels, loud & _agile(_decibels(powers), loud))


def _band_powers(samples: Samples) -> NDArray[np.float32]:
    """Mean square of each band of each frame, full scale 1; shape (frames, 12)."""
    count = max(0, (len(samples) - _WINDOW) // _HOP + 1)
    frequencies = np.fft.rfftfreq(_FFT, 1 / SAMPLE_RATE)
    first_bins = np.searchsorted(frequencies, _BAND_EDGES)
    window = np.hanning(_WINDOW).astype(np.float32)
    per_bin = 2 / (_FFT * float((window**2).sum()))
    bands = np.empty((count, len(_BAND_EDGES) - 1), np.float32)
    at_once = 10 * FRAMES_PER_SECOND
    for first in range(0, count, at_once):
        last = min(first + at_once, count)
        stretch = samples[first * _HOP : (last - 1) * _HOP + _WINDOW].astype(np.float32) / 32768
        frames = np.lib.stride_tricks.sliding_window_view(stretch, _WINDOW)[::_HOP] * window
        spectrum = np.abs(np.fft.rfft(frames, _FFT)) ** 2 * per_bin
        bands[first:last] = np.add.reduceat(spectrum[:, : first_bins[-1]], first_bins[:-1], axis=1)
    return bands


def _smoothed(values: NDArray[np.float32], frames: int) -> NDArray[np.float32]:
    """The centred running mean over an odd number of frames."""
    padded = np.pad(values, ((frames // 2, frames // 2), (0, 0)), mode="edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, frames, axis=0).mean(axis=-1), np.float32)


def _decibels(powers: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(10 * np.log10(powers + 10 ** (_QUIETEST_DB / 10)), np.float32)


def _floor_and_peak(levels: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The background's and the loudest level within a few seconds of each frame.

    The lowest of the neighbouring seconds' 20th percentiles follows a background that changes and is not lifted by speech, which
    always leaves a fifth of some second near to it.
    """
    seconds = -(-len(levels) // FRAMES_PER_SECOND)
    blocks = np.array_split(levels, range(FRAMES_PER_SECOND, len(levels), FRAMES_PER_SECOND))
    low = np.array([np.percentile(block, 20) for block in blocks])
    high = np.array([np.percentile(block, 95) for block in blocks])
    around = [slice(max(0, second - _FLOOR_REACH_SECONDS), second + _FLOOR_REACH_SECONDS + 1) for second in range(seconds)]
    floor = np.array([low[near].min() for near in around], np.float32)
    peak = np.array([high[near].max() for near in around], np.float32)
    per_frame = np.repeat(np.arange(seconds), FRAMES_PER_SECOND)[: len(levels)]
    return floor[per_frame], peak[per_frame]


def _without_short_runs(flags: NDArray[np.bool_], shortest: int) -> NDArray[np.bool_]:
    """`flags` with every run of true frames below `shortest` made false."""
    kept = flags.copy()
    for start, end in runs(flags):
        if end - start < shortest:
            kept[start:end] = False
    return kept


def runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The runs of true frames as (first, one past the last)."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _agile(levels: NDArray[np.float32], loud: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """True wherever a window of 1.5 s that covers the frame moves as speech does, judged on its loud frames alone.

    Any one window is enough: losing words costs more than letting some music through.
    """
    half = 3
    padded = np.pad(levels, ((half, half), (0, 0)), mode="edge")
    change = np.abs(padded[2 * half :] - padded[: -2 * half]).mean(axis=1)
    agile = np.zeros(len(loud), np.bool_)
    for first in range(0, len(loud), _AGILITY_STEP):
        window = slice(first, first + _AGILITY_WINDOW)
        heard = change[window][loud[window]]
        if len(heard) and heard.mean() >= _AGILE_DB:
            agile[window] = True
    return agile
