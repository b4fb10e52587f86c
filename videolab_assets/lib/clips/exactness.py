"""Proof that a clip shows the frames of its source that it should, each at its time, and that its sound is in time with them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib.clips.packets import Packets, read
from videolab_assets.lib.clips.passage import HEARD_RATE, PRIMING, SOUND_RATE, Footage, Frames, Samples, frames_of, heard_of, seconds_before

LARGEST_OFFSET = 0.02
"""Seconds between what is seen and what is heard. EBU R37 allows 40 ms early and 60 ms late; a cut shall not use half of it up."""
ALIKE = 20.0
"""Mean squared difference of small luma frames, 35 dB. Encoded ones were up to 0.3 from their source, copied ones 0."""
NOISE = 0.25
"""Of the same measure: differences below it are the encoder's."""
SEARCHED = 0.25
"""Seconds by which sound is looked for beside its place."""
SILENT = 16
"""Highest sample, of 32767, of sound in which nothing can be found."""


class Inexact(Exception):
    """The clip is not what it should be; the message says where, as the end of a sentence."""


@dataclass(frozen=True)
class Window:
    """Frames as seen in the source, to be found again in the clip: `numbers` counts from the clip's first frame."""

    numbers: tuple[int, ...]
    seen: Frames


@dataclass(frozen=True)
class Copied:
    """Packets that must be in the clip unchanged: the place of the first in decoding order; frame in the clip and fingerprint of each."""

    place: int
    packets: Sequence[tuple[int, str]]


def prove(
    clip: Path,
    footage: Footage,
    frames: int,
    windows: Sequence[Window],
    heard: Samples | None,
    copied: Copied | None,
    work: Path,
) -> float | None:
    """Compares a finished clip with its source.

    Its frames are on the grid without a gap; copied packets are the source's, byte for byte, each at its frame; frames at the ends
    and joins are those seen in the source and not their neighbours. How far its sound is from its place is measured, not judged.

    Args:
        clip: the finished file.
        footage: what it was cut of.
        frames: how many it has.
        windows: what was seen in the source.
        heard: the source's sound from the end of the clip's priming on; None without sound.
        work: an empty folder.

    Returns:
        Seconds by which the sound comes after the picture, measured on decoded sound; None without sound.

    Raises:
        Inexact: it is not what it should be.
        PermanentError: it cannot be decoded.
        TransientError: the machine failed.
    """
    packets = read(clip)
    _check_grid(packets, frames, footage.rate)
    if copied:
        _check_copied(packets, copied, footage.rate)
    if (heard is not None) != bool(packets.sounds):
        raise Inexact("its sound is missing")
    finished = _finished(footage, clip)
    for number, window in enumerate(windows):
        folder = work / f"window{number}"
        folder.mkdir()
        check_window(window, shown_in(finished, window.numbers, folder))
    if heard is None:
        return None
    return offset_of(heard, heard_of(clip, work))


def check_offset(offset: float | None) -> None:
    """Sound must be in time with the picture.

    Raises:
        Inexact: it is not.
    """
    if offset is not None and abs(offset) > LARGEST_OFFSET:
        raise Inexact(f"its sound is {1000 * offset:.0f} ms beside its picture")


def _finished(footage: Footage, clip: Path) -> Footage:
    """The clip as footage of its own."""
    video = footage.video.model_copy(update={"index": 0, "start": 0.0, "interlaced": False})
    return Footage(clip, footage.probe.model_copy(update={"clock_jump": 0.0}), video, footage.rate, None)


def shown_in(finished: Footage, numbers: Sequence[int], work: Path) -> dict[int, NDArray[np.float64]]:
    """Those frames of a clip and their neighbours, small, by number."""
    wanted = sorted({beside for number in numbers for beside in (number - 1, number, number + 1) if beside >= 0})
    frames = frames_of(finished, wanted, seconds_before(finished, wanted[0], 0.0), work)
    return {number: frame.astype(float) for number, frame in zip(wanted, frames, strict=False)}


def check_window(window: Window, shown: dict[int, NDArray[np.float64]]) -> None:
    """Each frame must look like its source, and all together more like it than a frame earlier or later would.

    Raises:
        Inexact: they do not.
    """
    if len(window.seen) != len(window.numbers) or any(number not in shown for number in window.numbers):
        raise Inexact(f"frames {window.numbers[0]} to {window.numbers[-1]} are not all there")
    seen = [frame.astype(float) for frame in window.seen]

    def difference(shift: int) -> float:
        pairs = [(one, shown[number + shift]) for one, number in zip(seen, window.numbers, strict=True) if number + shift in shown]
        return float(np.mean([np.mean((one - other) ** 2) for one, other in pairs])) if pairs else float("inf")

    worst, number = max((float(np.mean((one - shown[number]) ** 2)), number) for one, number in zip(seen, window.numbers, strict=True))
    if worst > ALIKE:
        raise Inexact(f"frame {number} is not that of the source")
    here = difference(0)
    for shift in (-1, 1):
        if here > 2 * difference(shift) + NOISE:
            raise Inexact(f"frames {window.numbers[0]} to {window.numbers[-1]} are {'late' if shift > 0 else 'early'} by one")


def _check_grid(packets: Packets, frames: int, rate: Fraction) -> None:
    step = 1 / rate / Fraction(*packets.video_time_base)
    times = [shown for shown, _, _ in packets.pictures]
    if len(times) != frames:
        raise Inexact(f"it has {len(times)} frames where {frames} were wanted")
    if sorted(times) != [number * step for number in range(frames)]:
        raise Inexact("its frames are not on the grid")
    orders = [order for _, order, _ in packets.pictures]
    if any(after <= before for before, after in pairwise(orders)):
        raise Inexact("its frames are not in the order of decoding")
    if any(time != number * PRIMING for number, time in enumerate(packets.sounds)):
        raise Inexact("its sound has gaps")


def _check_copied(packets: Packets, copied: Copied, rate: Fraction) -> None:
    step = 1 / rate / Fraction(*packets.video_time_base)
    found = [(int(shown / step), mark) for shown, _, mark in packets.pictures[copied.place : copied.place + len(copied.packets)]]
    if found != list(copied.packets):
        raise Inexact("copied packets differ from the source's")


def offset_of(heard: Samples, clip: Samples) -> float:
    """Seconds by which the clip's decoded sound comes after its place, by the peak of the cross-correlation; 0 where it is silent.

    The clip's first samples are the encoder's priming, and what was `heard` follows them.
    """
    if len(heard) == 0 or np.abs(heard).max() <= SILENT:
        return 0.0
    length = 1 << (len(heard) + len(clip)).bit_length()
    product = np.fft.rfft(clip.astype(np.float32), length) * np.conj(np.fft.rfft(heard.astype(np.float32), length))
    correlation = np.fft.irfft(product, length)
    place = round(PRIMING * HEARD_RATE / SOUND_RATE)
    reach = round(SEARCHED * HEARD_RATE)
    lags = np.arange(place - reach, place + reach + 1)
    best = int(lags[np.argmax(correlation[lags])])
    return (best - PRIMING * HEARD_RATE / SOUND_RATE) / HEARD_RATE
