"""Small videos whose every pixel and sample is known, and what the one decode makes of them."""

import subprocess
import wave
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib import gate
from videolab_assets.lib.decode import Decoded, decode
from videolab_assets.lib.documents import Probe, SourceVideo
from videolab_assets.lib.ffmpeg import binary

Frames = NDArray[np.uint8]
"""Red, green, blue; shape (frames, height, width, 3) or one of them."""
Sound = NDArray[np.float32]
"""Samples -1..1; shape (samples,) or (samples, channels)."""

RED, GREEN, BLUE, WHITE = (200, 40, 40), (40, 180, 60), (50, 60, 200), (230, 230, 230)
CORNERS = (RED, GREEN, BLUE, WHITE)
"""Of `quadrants`: top left, top right, bottom left, bottom right."""
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "12")
ALL = frozenset({"proxy", "audio", "waveform", "thumbnail", "storyboard", "shots"})


def quadrants(width: int, height: int) -> Frames:
    """One picture of the four `CORNERS`."""
    picture = np.empty((height, width, 3), np.uint8)
    top, left = slice(0, height // 2), slice(0, width // 2)
    bottom, right = slice(height // 2, None), slice(width // 2, None)
    for (rows, columns), colour in zip(((top, left), (top, right), (bottom, left), (bottom, right)), CORNERS, strict=True):
        picture[rows, columns] = colour
    return picture


def flashing(width: int, height: int, rate: float, seconds: float, flashes: Set[float], lasting: float = 0.12) -> Frames:
    """Dark grey frames that turn white at each time in `flashes`."""
    times = np.arange(round(rate * seconds)) / rate
    lit = np.zeros(len(times), bool)
    for flash in flashes:
        lit |= (times >= flash - 1e-6) & (times < flash + lasting - 1e-6)
    frames = np.full((len(times), height, width, 3), 40, np.uint8)
    frames[lit] = 255
    return frames


def beeping(rate: int, seconds: float, beeps: Set[float], lasting: float = 0.12, level: float = 0.5) -> Sound:
    """Silence with a 1 kHz tone that begins at each time in `beeps`."""
    times = np.arange(round(rate * seconds)) / rate
    sounding = np.zeros(len(times), bool)
    for beep in beeps:
        sounding |= (times >= beep) & (times < beep + lasting)
    return (np.where(sounding, np.sin(2 * np.pi * 1000 * times), 0) * level).astype(np.float32)


def sine(rate: int, seconds: float, peak_dbfs: float, channels: int = 1) -> Sound:
    """1 kHz at `peak_dbfs`, the same in each channel."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(round(rate * seconds)) / rate) * 10 ** (peak_dbfs / 20)
    return np.repeat(tone[:, None], channels, axis=1).astype(np.float32)


def wav(path: Path, samples: Sound, rate: int) -> Path:
    """16-bit WAV."""
    samples = samples if samples.ndim == 2 else samples[:, None]
    with wave.open(str(path), "wb") as file:
        file.setparams((samples.shape[1], 2, rate, 0, "NONE", ""))
        file.writeframes((samples * 32767).round().astype("<i2").tobytes())
    return path


def ffmpeg(*arguments: str | Path, given: bytes | None = None) -> bytes:
    """What ffmpeg writes to standard output."""
    command = [str(binary()), *(["-nostdin"] if given is None else []), "-v", "error", "-y", *map(str, arguments)]
    done = subprocess.run(command, input=given, capture_output=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    return done.stdout


def video(path: Path, frames: Frames, rate: float, *options: str | Path, inputs: tuple[str | Path, ...] = ()) -> Path:
    """`frames` encoded with `options`; `inputs` are input 1 and on, say `("-i", sound)`."""
    frames = frames if frames.ndim == 4 else frames[None]
    _, height, width, _ = frames.shape
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(rate), "-i", "pipe:0")
    ffmpeg(*raw, *inputs, *options, path, given=frames.tobytes())
    return path


def still(picture: Frames, seconds: float, rate: float = 25) -> Frames:
    """`picture` for that long."""
    return np.repeat(picture[None], round(seconds * rate), axis=0)


def in_yuv(*, matrix: str = "bt709", full: bool = False, pixels: str = "yuv420p") -> tuple[str, ...]:
    """Filter options that turn our RGB into that kind of YUV."""
    return ("-vf", f"scale=out_color_matrix={matrix}:out_range={'pc' if full else 'tv'}:flags=accurate_rnd,format={pixels}")


@dataclass(frozen=True)
class Result:
    """An upload that passed the gate and was decoded."""

    source: Path
    probe: Probe
    decoded: Decoded
    work: Path

    @property
    def proxy(self) -> Path:
        assert self.decoded.proxy is not None
        return self.decoded.proxy

    @property
    def plan_size(self) -> tuple[int, int]:
        assert self.decoded.plan is not None
        return self.decoded.plan.width, self.decoded.plan.height

    @property
    def rate(self) -> float:
        assert self.decoded.plan is not None
        return float(self.decoded.plan.frame_rate)

    def frames(self) -> Frames:
        """The proxy's."""
        return frames_of(self.proxy, *self.plan_size)

    def proxy_sound(self) -> Sound:
        """The proxy's, mono 16 kHz, from time 0 of its own clock."""
        return sound_of(self.proxy)

    def sound(self) -> Sound:
        """What is in audio.flac."""
        assert self.decoded.audio is not None
        return sound_of(self.decoded.audio)


def run(source: Path, work: Path, wanted: Set[str] = ALL) -> Result:
    """Through the gate and the one decode, as in production."""
    work.mkdir()
    found = gate.admit(source).probe
    return Result(source, found, decode(source, found, wanted, work), work)


def source_video(source: Path, key: str, sha256: str) -> SourceVideo:
    """The document of an upload at `key`, as ingest writes it."""
    admission = gate.admit(source)
    return SourceVideo(
        video_key="acme.clip.0123abcd",
        tenant="acme",
        original_name=source.name,
        upload="u",
        source_key=key,
        sha256=sha256,
        verdict=admission.verdict,
        missing=admission.missing,
        probe=admission.probe,
    )


def frames_of(path: Path, width: int, height: int) -> Frames:
    """Every frame of a video as a player shows it."""
    raw = ffmpeg("-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1")
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3)


def sound_of(path: Path, rate: int = 16_000, channels: int = 1) -> Sound:
    """The sound of a file, from time 0 of its clock."""
    raw = ffmpeg("-i", path, "-map", "0:a", "-af", f"aresample={rate}:async=1:first_pts=0", "-ac", str(channels), "-f", "f32le", "pipe:1")
    samples = np.frombuffer(raw, "<f4")
    return samples if channels == 1 else samples.reshape(-1, channels)


def rises(values: NDArray[np.floating], rate: float, threshold: float) -> list[float]:
    """Seconds at which `values`, `rate` a second, come to exceed `threshold`."""
    above = values > threshold
    return [int(n) / rate for n in np.flatnonzero(above & ~np.concatenate([[False], above[:-1]]))]


def flash_times(result: Result) -> list[float]:
    """When the proxy's picture turns white."""
    return rises(result.frames()[..., 1].mean(axis=(1, 2)), result.rate, 140)


def beep_times(samples: Sound, rate: int = 16_000) -> list[float]:
    """When a beep begins; a pause of 50 ms ends one."""
    width = rate // 20
    loud = np.abs(samples) > 0.1
    held = np.convolve(loud, np.ones(width), "full")[: len(loud)] > 0
    return rises(held.astype(np.float32), rate, 0.5)


def corners(picture: Frames) -> list[tuple[int, int, int]]:
    """Mean colour of the middle of each quadrant: top left, top right, bottom left, bottom right."""
    height, width = picture.shape[:2]
    middles = [(down, across) for down in (height // 4, 3 * height // 4) for across in (width // 4, 3 * width // 4)]
    reach = max(2, min(width, height) // 16)
    patches = [picture[down - reach : down + reach, across - reach : across + reach].reshape(-1, 3) for down, across in middles]
    return [(round(patch[:, 0].mean()), round(patch[:, 1].mean()), round(patch[:, 2].mean())) for patch in patches]
