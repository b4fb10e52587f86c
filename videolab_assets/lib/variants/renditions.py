"""Which files a clip needs: platforms whose terms come to the same share one, which is then encoded once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from videolab_assets.lib.graph import RATES, constant_rate
from videolab_assets.lib.platforms import PLATFORMS, Margins, Platform


@dataclass(frozen=True)
class Rendition:
    """One file, good for all its platforms.

    Attributes:
        platforms: names, in the order of the table.
        width, height: pixels.
        frame_rate: frames a second, constant.
        safe: what no platform of this size covers, whether it shares the file or not.
        video_bit_rate, audio_bit_rate: bits a second.
        loudness: LUFS; true_peak in dBTP.
        largest_bytes: of the whole file.
    """

    platforms: tuple[str, ...]
    width: int
    height: int
    frame_rate: Fraction
    safe: Margins
    video_bit_rate: int
    audio_bit_rate: int
    loudness: float
    true_peak: float
    largest_bytes: int


def renditions_of(source_rate: float, platforms: Mapping[str, Platform] = PLATFORMS) -> list[Rendition]:
    """The files for all `platforms`, in their order, of a clip of `source_rate` frames a second.

    What decides the pixels is taken from all platforms, not from those that are wanted today, so a platform's file stays the same
    whichever others are made with it.
    """
    shared: dict[tuple[object, ...], list[str]] = {}
    for name, platform in platforms.items():
        rate = output_rate(constant_rate(source_rate), platform.lowest_frame_rate, platform.highest_frame_rate)
        sound = (platform.audio_bit_rate, platform.loudness, platform.true_peak)
        shared.setdefault((platform.width, platform.height, rate, *sound), []).append(name)
    return [_rendition(tuple(names), source_rate, platforms) for names in shared.values()]


def output_rate(source: Fraction, lowest: float, highest: float) -> Fraction:
    """The rate at which a clip of constant rate `source` is shown where only `lowest` to `highest` frames a second are taken.

    Its own where that is in between; else every second or third frame, or each frame as often as needed, because whole steps do not
    judder. Where no step lands in between, the highest usual rate: 35 frames a second become 30 where 30 is the most.
    """
    if source < lowest:
        repeated = source * math.ceil(Fraction(lowest) / source)
        if repeated <= highest:
            return repeated
    elif source <= highest:
        return source
    else:
        thinned = source / math.ceil(source / Fraction(highest))
        if thinned >= lowest:
            return thinned
    return max((rate for rate in RATES if lowest <= rate <= highest), default=Fraction(highest))


def _rendition(names: tuple[str, ...], source_rate: float, platforms: Mapping[str, Platform]) -> Rendition:
    sharing = [platforms[name] for name in names]
    first = sharing[0]
    same_size = [platform.safe for platform in platforms.values() if (platform.width, platform.height) == (first.width, first.height)]
    return Rendition(
        platforms=names,
        width=first.width,
        height=first.height,
        frame_rate=output_rate(constant_rate(source_rate), first.lowest_frame_rate, first.highest_frame_rate),
        safe=Margins(
            left=max(safe.left for safe in same_size),
            top=max(safe.top for safe in same_size),
            right=max(safe.right for safe in same_size),
            bottom=max(safe.bottom for safe in same_size),
        ),
        video_bit_rate=min(platform.video_bit_rate for platform in sharing),
        audio_bit_rate=first.audio_bit_rate,
        loudness=first.loudness,
        true_peak=first.true_peak,
        largest_bytes=min(platform.largest_bytes for platform in sharing),
    )
