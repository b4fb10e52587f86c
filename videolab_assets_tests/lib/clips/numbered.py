"""Sources whose every frame shows its number and whose every second clicks, and what can be read out of the clips cut from them."""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np

from videolab_assets.lib import gate
from videolab_assets.lib.clips.cut import Cut, cut
from videolab_assets.lib.documents import Clip, Probe, ScoreParts
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.graph import Plan
from videolab_assets_tests import sources
from videolab_assets_tests.sources import Frames, Sound

WIDTH, HEIGHT = 320, 180
BITS = 12
NOTHING = ScoreParts(**dict.fromkeys(ScoreParts.model_fields))
BT709 = ("-vf", "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv")
X264 = ("-c:v", "libx264", "-preset", "fast", "-pix_fmt", "yuv420p", "-crf", "20", *BT709)
AAC = ("-c:a", "aac", "-b:a", "128k")
BOTH = ("-map", "0:v", "-map", "1:a", "-shortest")
CLICK_RATE = 48_000


def picture(number: int) -> Frames:
    """Moving texture with `number` as a row of black and white squares."""
    down, across = np.mgrid[:HEIGHT, :WIDTH]
    frame: Frames = ((across * 2 + down * 3 + number * 5) % 200 // 2 + (((across + number * 7) // 23 + down // 17) % 2) * 60 + 20).astype(
        np.uint8
    )
    for bit in range(BITS):
        frame[4:16, 4 + bit * 20 : 20 + bit * 20] = 235 if number >> bit & 1 else 16
    return frame


def numbers_in(frames: Sequence[Frames] | Frames) -> list[int]:
    """What luma frames show."""
    return [sum((frame[7:13, 9 + bit * 20 : 15 + bit * 20].mean() > 125) << bit for bit in range(BITS)) for frame in frames]


def clicks(rate: int, delay: float, seconds: float) -> tuple[str | Path, ...]:
    """ffmpeg's input of 4 ms of 1.5 kHz at each whole second of a sound that begins after `delay`."""
    wave = f"aevalsrc='if(lt(mod(t+{delay},1),0.004),0.8*sin(2*PI*1500*t),0)':s={rate}:d={seconds - delay}"
    return ("-itsoffset", str(delay), "-f", "lavfi", "-i", wave)


def make(
    path: Path,
    *options: str | Path,
    rate: str = "30",
    seconds: float = 3.6,
    sound: tuple[int, float] | None = (CLICK_RATE, 0.0),
) -> Path:
    """A source of so many seconds; `sound` is its sample rate and when it begins."""
    count = round(seconds * Fraction(rate))
    inputs = clicks(sound[0], sound[1], seconds + 1) if sound else ()
    raw = ("-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", rate, "-i", "pipe:0")
    frames = b"".join(picture(number).tobytes() for number in range(count))
    sources.ffmpeg(*raw, *inputs, *(BOTH if sound else ()), *options, path, given=frames)
    return path


def clip_of(number: int, first: int, end: int, rate: Fraction) -> Clip:
    """A plan's clip of frames `first` to `end` - 1."""
    start, stop = float(first / rate), float(end / rate)
    return Clip(clip_id=f"c{number:02}", start=start, end=stop, score=0, parts=NOTHING, reason="", title="", words=[])


@dataclass(frozen=True)
class CutUp:
    """A source and its clips."""

    source: Path
    probe: Probe
    rate: Fraction
    spans: list[tuple[int, int]]
    cuts: list[Cut]


def cut_up(source: Path, work: Path, *spans: tuple[int, int]) -> CutUp:
    """Through the gate and the cutter, as in production."""
    work.mkdir()
    probe = gate.admit(source).probe
    assert probe.video
    rate = Plan.of(probe.video).frame_rate
    clips = [clip_of(number, *span, rate) for number, span in enumerate(spans, start=1)]
    return CutUp(source, probe, rate, list(spans), cut(source, probe, clips, rate, work))


def luma(path: Path, *filters: str, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Frames:
    """Every frame, as ffmpeg shows it."""
    chain = ("-vf", ",".join(filters)) if filters else ()
    command = ("-i", path, "-map", "0:v", "-fps_mode", "passthrough", *chain, "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1")
    return np.frombuffer(sources.ffmpeg(*command), np.uint8).reshape(-1, size[1], size[0])


def heard(path: Path) -> Sound:
    """The sound of a file from its first sample on, 48 kHz mono."""
    raw = sources.ffmpeg("-i", path, "-map", "0:a", "-ar", str(CLICK_RATE), "-ac", "1", "-f", "f32le", "pipe:1")
    return np.frombuffer(raw, "<f4")


def click_times(sound: Sound) -> list[float]:
    """Seconds at which a click begins."""
    loud = np.flatnonzero(np.abs(sound) > 0.15)
    begins = loud[np.diff(loud, prepend=-CLICK_RATE) > CLICK_RATE // 10]
    return [int(sample) / CLICK_RATE for sample in begins]


def complaints(path: Path) -> str:
    """What ffmpeg says while it decodes all of a file."""
    command = [str(binary()), "-nostdin", "-v", "warning", "-i", str(path), "-f", "null", "-"]
    return subprocess.run(command, capture_output=True, check=True, text=True, timeout=60).stderr
