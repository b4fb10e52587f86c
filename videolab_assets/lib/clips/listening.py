"""What the sound of a recording tells beside its words: how loud it is from moment to moment, and where people laugh or clap.

Loudness is that of ITU-R BS.1770-5: mean square after its K weighting, here laid over the spectrum, gated as there. Laughter and applause
are looked for outside words, by what sets them apart. Applause is noise over the whole spectrum that crackles, since single claps stand
out of it: steady noise does not. Laughter is a row of like breaths, 3 to 7 a second (Bachorowski et al., "The acoustic features of human
laughter", JASA 2001, count 4.4), each of them noisier than a vowel: music is tonal, and speech has no such even beat.
"""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib.speech.pieces import read
from videolab_assets.lib.speech.voice import SAMPLE_RATE, Samples, runs

CURVE_RATE = 50
"""Values a second of `Sound.levels`."""

Curve = NDArray[np.float32]
Spans = Sequence[tuple[float, float]]

_HOP = SAMPLE_RATE // CURVE_RATE
_BIN_HERTZ = SAMPLE_RATE / _HOP
_SILENCE_DB = -70.0
_GATE_BELOW_MEAN_DB = 10.0
_GROUP_BINS = 12
_FIRST_GROUP_BIN, _GROUPS = 8, 10
"""400 to 6,400 Hz in groups of 600: below is hum, above a lossy codec leaves holes."""
_BREADTH_DB = 22.0

_FLOOR_REACH_SECONDS = 15
_ABOVE_FLOOR_DB = 9.0
_BELOW_MEAN_DB = 24.0
_BESIDE_WORDS = 0.12
_WINDOW = 64
_STEP = 8
_BEATS = (7, 17)
_HALF_BEAT = 8
_SHORTEST_BURST, _SHORTEST_WHERE_NO_WORDS_ARE_KNOWN = 0.5, 1.5
_LONGEST_LAUGH, _LONGEST_APPLAUSE = 12.0, 45.0
_GAP_IN_BURST = 0.45


@dataclass(frozen=True, slots=True)
class Burst:
    """Where people laugh or clap, as far as sound can tell; seconds."""

    start: float
    end: float


@dataclass(frozen=True)
class Sound:
    """A recording that is not silent.

    Attributes:
        levels: loudness of each fiftieth of a second in dB relative to the whole recording's, which is 0.
        bursts: in order, none overlapping another.
    """

    levels: Curve
    bursts: tuple[Burst, ...]


def listen(audio: Path, duration: float, spoken: Spans) -> Sound | None:
    """Reads the sound once, in blocks; memory grows by 0.6 KB a second. None where all of it is silent.

    Args:
        audio: mono 16 kHz FLAC of our own making, never an upload.
        duration: seconds that it must hold at least, to within a second; 0 where nobody knows.
        spoken: seconds in which words are said.

    Raises:
        TransientError: it could not be read to its end.
    """
    with closing(read(audio, duration)) as blocks:
        measured = [_measured(block) for block in blocks]
    if not measured:
        return None
    levels, flatness, breadth = (np.concatenate([part[number] for part in measured]) for number in range(3))
    mean = _gated_mean(levels)
    if mean is None:
        return None
    relative = np.asarray(levels - np.float32(mean), np.float32)
    return Sound(relative, tuple(_bursts(relative, flatness, breadth, spoken)))


def _k_weights() -> Curve:
    """The power response of BS.1770's two filters at each bin, from their coefficients at 48 kHz."""
    turn = np.exp(-2j * np.pi * np.arange(_HOP // 2 + 1) * _BIN_HERTZ / 48_000)
    shelf = np.polyval([1.19839281085285, -2.69169618940638, 1.53512485958697], turn)
    shelf /= np.polyval([0.73248077421585, -1.69065929318241, 1.0], turn)
    high_pass = np.polyval([1.0, -2.0, 1.0], turn) / np.polyval([0.99007225036621, -1.99004745483398, 1.0], turn)
    return np.asarray(np.abs(shelf * high_pass) ** 2, np.float32)


_WINDOW_SHAPE = np.hanning(_HOP).astype(np.float32)
_WEIGHTS = _k_weights() * np.float32(2 / (_HOP * float((_WINDOW_SHAPE**2).sum())))


def _measured(block: Samples) -> tuple[Curve, Curve, Curve]:
    """Of each whole fiftieth of a second: loudness in LKFS, spectral flatness within narrow groups, and the share of groups that sound.

    Flatness (geometric over arithmetic mean of the powers) is 0.6 for noise of any colour and near 0 for tones and vowels.
    """
    frames = block[: len(block) // _HOP * _HOP].reshape(-1, _HOP).astype(np.float32) / np.float32(32768)
    spectrum = np.fft.rfft(frames * _WINDOW_SHAPE, axis=1)
    powers = spectrum.real**2 + spectrum.imag**2
    levels = _decibels(powers @ _WEIGHTS) - np.float32(0.691)
    inner = powers[:, _FIRST_GROUP_BIN : _FIRST_GROUP_BIN + _GROUPS * _GROUP_BINS].reshape(-1, _GROUPS, _GROUP_BINS) + np.float32(1e-9)
    means = inner.mean(axis=2)
    flatness = np.exp(np.log(inner).mean(axis=2) - np.log(means))
    breadth = (means > means.max(axis=1, keepdims=True) * np.float32(10 ** (-_BREADTH_DB / 10))).mean(axis=1)
    return levels, np.asarray((flatness * means).sum(axis=1) / means.sum(axis=1), np.float32), np.asarray(breadth, np.float32)


def _decibels(powers: Curve) -> Curve:
    return np.asarray(10 * np.log10(powers + np.float32(1e-12)), np.float32)


def _gated_mean(levels: Curve) -> float | None:
    """The loudness of what is neither silent nor 10 dB below the rest; None where nothing is."""
    powers = 10 ** (levels.astype(np.float64) / 10)
    audible = powers[levels > _SILENCE_DB]
    if not len(audible):
        return None
    foreground = audible[audible > audible.mean() * 10 ** (-_GATE_BELOW_MEAN_DB / 10)]
    return float(10 * np.log10(foreground.mean()))


def _bursts(levels: Curve, flatness: Curve, breadth: Curve, spoken: Spans) -> list[Burst]:
    loud = (levels > _floor(levels) + _ABOVE_FLOOR_DB) & (levels > -_BELOW_MEAN_DB) & ~_near_words(len(levels), spoken)
    clapping, laughing = _clapping(levels, flatness, breadth, loud), _laughing(levels, flatness, loud)
    shortest = _SHORTEST_BURST if spoken else _SHORTEST_WHERE_NO_WORDS_ARE_KNOWN  # of speech, half a second may well look like either
    found = [*_spans(clapping, shortest, _LONGEST_APPLAUSE), *_spans(laughing, shortest, _LONGEST_LAUGH)]
    bursts: list[Burst] = []
    for start, end in sorted(found):
        if bursts and start <= bursts[-1].end:
            bursts[-1] = Burst(bursts[-1].start, max(end, bursts[-1].end))
        else:
            bursts.append(Burst(start, end))
    return bursts


def _floor(levels: Curve) -> Curve:
    """The background near each value: the lowest of the neighbouring seconds' 10th percentiles."""
    seconds = -(-len(levels) // CURVE_RATE)
    padded = np.pad(levels, (0, seconds * CURVE_RATE - len(levels)), mode="edge").reshape(seconds, CURVE_RATE)
    low = np.pad(np.percentile(padded, 10, axis=1), _FLOOR_REACH_SECONDS, mode="edge")
    floor = np.lib.stride_tricks.sliding_window_view(low, 2 * _FLOOR_REACH_SECONDS + 1).min(axis=1)
    return np.repeat(floor, CURVE_RATE)[: len(levels)].astype(np.float32)


def _near_words(count: int, spoken: Spans) -> NDArray[np.bool_]:
    near = np.zeros(count, np.bool_)
    for start, end in spoken:
        near[max(0, int((start - _BESIDE_WORDS) * CURVE_RATE)) : max(0, int((end + _BESIDE_WORDS) * CURVE_RATE) + 1)] = True
    return near


def _clapping(levels: Curve, flatness: Curve, breadth: Curve, loud: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Noise over a broad band, half a second and more of it, whose loudness crackles from one value to the next."""
    change = np.abs(np.diff(levels, prepend=levels[:1]))
    noisy = (_around(flatness, 25) > 0.5) & (_around(breadth, 25) > 0.55)
    return loud & noisy & (_around(np.minimum(change, np.float32(12)), 25) > 0.9)


def _around(values: Curve, width: int) -> Curve:
    """The centred running mean."""
    if len(values) < width:
        return np.full(len(values), values.mean() if len(values) else 0.0, np.float32)
    sums = np.cumsum(np.pad(values, (width // 2 + 1, width - width // 2 - 1), mode="edge"), dtype=np.float64)
    return np.asarray((sums[width:] - sums[:-width]) / width, np.float32)


def _laughing(levels: Curve, flatness: Curve, loud: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Windows of 1.3 s that hold an even beat of 3 to 7 a second, deep and not tonal; of them, what is loud and the gaps of the beat."""
    laughing = np.zeros(len(levels), np.bool_)
    if len(levels) < _WINDOW:
        return laughing
    strengths = np.sqrt(10 ** (np.maximum(levels, -60) / 10)).astype(np.float32)
    starts = np.arange(0, len(levels) - _WINDOW + 1, _STEP)
    windows = np.lib.stride_tricks.sliding_window_view
    starts = starts[windows(loud, _WINDOW)[starts].mean(axis=1) >= 0.4]
    if not len(starts):
        return laughing
    heard = windows(strengths, _WINDOW)[starts]
    depth = heard.std(axis=1) / np.maximum(heard.mean(axis=1), 1e-9)
    noisiness = (windows(flatness, _WINDOW)[starts] * heard).sum(axis=1) / np.maximum(heard.sum(axis=1), 1e-9)
    for start in starts[(depth > 0.35) & (noisiness > 0.2) & _beats(heard)]:
        laughing[start : start + _WINDOW] = True
    return laughing & (_around(loud.astype(np.float32), 2 * _HALF_BEAT + 1) > 0)


def _beats(heard: Curve) -> NDArray[np.bool_]:
    """Whether each window is like itself one beat and two beats later, for the beat at which it is most so, and unlike half a beat later,
    which a mere onset is not."""
    first, last = _BEATS
    likeness = np.stack([_correlation(heard[:, lag:], heard[:, :-lag]) for lag in range(1, 2 * last)], axis=1)
    beat = likeness[:, first - 1 : last - 1].argmax(axis=1) + first
    row = np.arange(len(heard))
    once, half = likeness[row, beat - 1], likeness[row, beat // 2 - 1]
    twice = np.max([likeness[row, np.minimum(2 * beat + off, 2 * last - 1) - 1] for off in (-1, 0, 1)], axis=0)
    return np.asarray((once > 0.5) & (twice > 0.35) & (half < 0.0), np.bool_)


def _correlation(one: Curve, other: Curve) -> Curve:
    one, other = one - one.mean(axis=1, keepdims=True), other - other.mean(axis=1, keepdims=True)
    return np.asarray((one * other).sum(axis=1) / np.maximum(np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1)), 1e-9), np.float32)


def _spans(flags: NDArray[np.bool_], shortest: float, longest: float) -> list[tuple[float, float]]:
    """Runs of true values as seconds, near ones joined, without those too short or, as music that never ends, too long."""
    joined: list[tuple[int, int]] = []
    for first, end in runs(flags):
        if joined and first - joined[-1][1] <= _GAP_IN_BURST * CURVE_RATE:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((first, end))
    seconds = [(first / CURVE_RATE, end / CURVE_RATE) for first, end in joined]
    return [(start, end) for start, end in seconds if shortest <= end - start <= longest]
