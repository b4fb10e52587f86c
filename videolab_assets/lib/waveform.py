"""Peaks of a sound for players to draw, and a picture of them for everyone else."""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FINEST = 256
MOST_POINTS = 80_000

_COLOUR = (226, 114, 70)
_BAR, _GAP = 3, 1
_OVERSAMPLING = 4
_MOST_GAIN = 8.0


def samples_per_pixel_for(duration: float, sample_rate: int) -> int:
    """Samples that one point stands for: 256, doubled until `duration` seconds give at most 80,000 points.

    At 16 kHz that is 62 points a second up to 21 minutes and 4 a second for 4 hours; the JSON stays below 1 MB.
    """
    samples_per_pixel = FINEST
    while duration * sample_rate / samples_per_pixel > MOST_POINTS:
        samples_per_pixel *= 2
    return samples_per_pixel


@dataclass(frozen=True)
class Peaks:
    """The lowest and highest sample of each stretch of sound.

    Attributes:
        sample_rate: of the sound, in Hz.
        samples_per_pixel: samples in each stretch; the last may hold fewer.
        samples: of the whole sound.
        pairs: int8 of shape (points, 2): lowest and highest, full scale -128..127.
    """

    sample_rate: int
    samples_per_pixel: int
    samples: int
    pairs: NDArray[np.int8]

    @property
    def length(self) -> int:
        """Points, each a pair."""
        return len(self.pairs)

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.samples / self.sample_rate

    def json_bytes(self) -> bytes:
        """The data format of audiowaveform, version 2, 8 bits, one channel: what wavesurfer.js and peaks.js read.

        https://github.com/bbc/audiowaveform/blob/master/doc/DataFormat.md
        """
        document = {
            "version": 2,
            "channels": 1,
            "sample_rate": self.sample_rate,
            "samples_per_pixel": self.samples_per_pixel,
            "bits": 8,
            "length": self.length,
            "data": self.pairs.ravel().tolist(),
        }
        return json.dumps(document, separators=(",", ":")).encode()

    def png_bytes(self, width: int = 1800, height: int = 140) -> bytes:
        """A PNG of blue bars on a transparent ground, `width` x `height` pixels.

        The loudest bar fills the height; a quiet sound is raised at most eightfold, so that silence stays a line.
        """
        import cv2

        lows, highs = self._bars(-(-width // (_BAR + _GAP)))
        gain = min(_MOST_GAIN, 1 / max(1e-6, float(highs.max(initial=0.0)), float(-lows.min(initial=0.0))))
        rows = (np.arange(height * _OVERSAMPLING, dtype=np.float32) + 0.5) / (height * _OVERSAMPLING) * 2 - 1
        line = 1.0 / height
        top, bottom = np.minimum(-highs * gain, -line), np.maximum(-lows * gain, line)
        covered = (rows[:, None] >= top) & (rows[:, None] <= bottom)
        alpha = covered.reshape(height, _OVERSAMPLING, -1).mean(axis=1) * 255
        picture = np.zeros((height, width, 4), np.uint8)
        picture[..., :3] = _COLOUR
        for column in range(_BAR):
            across = picture[:, column :: _BAR + _GAP, 3]
            across[:] = alpha[:, : across.shape[1]].round()
        written, png = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 9])
        assert written  # noqa: S101 - a picture made here always encodes
        return png.tobytes()

    def _bars(self, count: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The lowest and highest of each of `count` equal parts of the sound, -1..1; every point belongs to at least one part."""
        if not len(self.pairs):
            return np.zeros(count, np.float32), np.zeros(count, np.float32)
        points = len(self.pairs)
        starts = np.arange(count) * points // count
        if points >= count:
            lows, highs = np.minimum.reduceat(self.pairs[:, 0], starts), np.maximum.reduceat(self.pairs[:, 1], starts)
        else:
            lows, highs = self.pairs[starts, 0], self.pairs[starts, 1]
        return np.divide(lows, 128, dtype=np.float32), np.divide(highs, 127, dtype=np.float32)


class WaveformReader:
    """Reads the samples of one channel in blocks; memory is one block and two bytes a point.

    Args:
        sample_rate: in Hz.
        samples_per_pixel: samples that one point stands for (see `samples_per_pixel_for`).
    """

    def __init__(self, sample_rate: int, samples_per_pixel: int) -> None:
        self._sample_rate = sample_rate
        self._samples_per_pixel = samples_per_pixel
        self._rest: NDArray[np.int16] = np.empty(0, np.int16)
        self._samples = 0
        self._pairs: list[NDArray[np.int8]] = []

    def feed(self, samples: NDArray[np.int16]) -> None:
        """Takes the next samples, one dimension, any number."""
        self._samples += len(samples)
        waiting = np.concatenate([self._rest, samples])
        whole = len(waiting) // self._samples_per_pixel * self._samples_per_pixel
        if whole:
            self._pairs.append(_extremes(waiting[:whole].reshape(-1, self._samples_per_pixel)))
        self._rest = waiting[whole:].copy()

    def finish(self) -> Peaks:
        """The peaks of all samples fed; what is left over makes a last, shorter point."""
        pairs = [*self._pairs, *([_extremes(self._rest[None])] if len(self._rest) else [])]
        joined = np.concatenate(pairs) if pairs else np.empty((0, 2), np.int8)
        return Peaks(self._sample_rate, self._samples_per_pixel, self._samples, joined)


def _extremes(stretches: NDArray[np.int16]) -> NDArray[np.int8]:
    """Lowest and highest of each row, in eight bits; divided toward zero, so that the noise of a silence is no line of -1."""
    pairs = np.stack([stretches.min(axis=1), stretches.max(axis=1)], axis=1)
    return np.trunc(pairs / 256).astype(np.int8)
