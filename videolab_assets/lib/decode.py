"""Runs the one decode of a video: the command of `graph`, its pipes, and the analysers behind them."""

import re
import time
from collections.abc import Callable, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from videolab_assets.lib import sandbox
from videolab_assets.lib.documents import Probe
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.graph import (
    FROM_PICTURE,
    FROM_SOUND,
    GAP_IN_SOUND,
    GAP_IN_STEADY_SOUND,
    HIGHEST_FRAME_RATE,
    SPEECH_RATE,
    Pipes,
    Plan,
    command,
    steady_command,
)
from videolab_assets.lib.pipes import Progress, Readers, progress_into
from videolab_assets.lib.probe import probe as read_probe
from videolab_assets.lib.running import GRAPH_REBUILT, ShapeChanged, Work, run
from videolab_assets.lib.shots import FRAME_BYTES, FRAME_HEIGHT, FRAME_WIDTH, Detected, ShotDetector
from videolab_assets.lib.stills import StillReader, interval_for
from videolab_assets.lib.waveform import WaveformReader, samples_per_pixel_for

FRAMES_A_BLOCK = 64
SAMPLES_A_BLOCK = 65_536
DECODING = Work(
    "Decoding",
    "decoded",
    "this video",
    "This video's data is damaged: ffmpeg could not decode it to the end. Export it again and upload that.",
)


@dataclass
class Decoded:
    """What one pass left: files in the work folder and what the analysers saw; None where something was not wanted or cannot be.

    Attributes:
        duration: seconds of the source, by its packets.
        samples: 16 kHz mono samples that came out.
        loudness: integrated LUFS; None for silence.
        peak: highest sample, dBFS; None for silence.
        seconds: wall time of the pass.
    """

    plan: Plan | None
    duration: float
    proxy: Path | None = None
    audio: Path | None = None
    shots: Detected | None = None
    stills: StillReader | None = None
    waveform: WaveformReader | None = None
    samples: int = 0
    loudness: float | None = None
    peak: float | None = None
    seconds: float = 0.0


def decode(source: Path, probe: Probe, wanted: Set[str], work: Path, *, progress: Progress | None = None) -> Decoded:
    """Decodes `source` once and makes what is wanted of it.

    Args:
        source: an original that passed the gate.
        probe: what the gate found in it.
        wanted: names out of `graph.FROM_PICTURE` and `graph.FROM_SOUND`; those that the file cannot give are left out.
        work: an empty private folder; `proxy.mp4` and `audio.flac` appear in it.
        progress: told how far it is, from another thread.

    Raises:
        PermanentError: the file is damaged beyond use.
        TransientError: the machine failed: disk full, time or memory limit.
    """
    possible = {name for name in wanted if (name in FROM_PICTURE and probe.video) or (name in FROM_SOUND and probe.audio)}
    plan = Plan.of(probe.video) if probe.video else None
    decoded = Decoded(plan, probe.duration)
    if not possible:
        return decoded
    started = time.monotonic()
    try:
        _decode_into(decoded, source, probe, possible, work, progress)
    except ShapeChanged:
        steady = steady_copy(source, probe, plan, possible, work, progress)
        decoded = Decoded(plan, probe.duration)
        _decode_into(decoded, steady, read_probe(steady).probe, possible, work, progress, GAP_IN_STEADY_SOUND)
        steady.unlink()
    decoded.seconds = time.monotonic() - started
    return decoded


def steady_copy(source: Path, probe: Probe, plan: Plan | None, wanted: Set[str], work: Path, progress: Progress | None) -> Path:
    """A copy of such a source to decode in its place; slower, but one recording in a thousand."""
    with Readers() as readers:
        heard = readers.add_lines(progress_into(progress))
        arguments = steady_command(str(binary()), probe, plan, wanted, heard)
        run(arguments, DECODING, readers, inputs={"source": source}, output=work, limits=_limits(probe))
    return _filled(work / "steady.mkv")


def _decode_into(
    decoded: Decoded,
    source: Path,
    probe: Probe,
    possible: Set[str],
    work: Path,
    progress: Progress | None,
    smallest_gap: float = GAP_IN_SOUND,
) -> None:
    """One pass: its command, pipes and analysers."""
    plan, detector = decoded.plan, None
    with Readers() as readers:
        frames = None
        if "shots" in possible and plan:
            detector = ShotDetector(float(plan.frame_rate))
            frames = readers.add(FRAMES_A_BLOCK * FRAME_BYTES, _frames_into(detector))
        stills, still_step = None, 1
        if possible & {"thumbnail", "storyboard", "shots"} and plan:
            still_step = max(1, round(interval_for(probe.duration) * plan.frame_rate))
            interval = float(still_step / plan.frame_rate)
            decoded.stills = StillReader(plan.width, plan.height, probe.duration, interval)
            stills = readers.add(plan.width * plan.height * 3, _stills_into(decoded.stills, plan, interval))
        samples = None
        if possible & FROM_SOUND:
            if "waveform" in possible:
                decoded.waveform = WaveformReader(SPEECH_RATE, samples_per_pixel_for(probe.duration, SPEECH_RATE))
            samples = readers.add(SAMPLES_A_BLOCK * 2, _samples_into(decoded))
        pipes = Pipes(readers.add_lines(progress_into(progress)), frames, stills, samples)
        arguments = command(str(binary()), probe, plan, possible, pipes, still_step, smallest_gap)
        stop_at = (GRAPH_REBUILT,)
        ran = run(arguments, DECODING, readers, inputs={"source": source}, output=work, limits=_limits(probe), stop_at=stop_at)
    if detector is not None:
        decoded.shots = detector.finish(decoded.stills.scores if decoded.stills else [])
    if "proxy" in possible:
        decoded.proxy = _filled(work / "proxy.mp4")
    if "audio" in possible:
        decoded.audio = _filled(work / "audio.flac")
        decoded.loudness, decoded.peak = loudness_of(ran.said)


def _limits(probe: Probe) -> sandbox.Limits:
    """Generous multiples of what a slow core needs: 60 s of 1080p30 take about 40 CPU seconds (measured)."""
    megapixels = probe.video.coded_width * probe.video.coded_height / 1e6 if probe.video else 0.0
    frames = probe.duration * (min(max(probe.video.frame_rate, HIGHEST_FRAME_RATE), 240.0) if probe.video else 0.0)
    cpu = 120 + probe.duration * 2 + frames * (0.05 + megapixels * 0.1)
    return sandbox.Limits(
        memory_bytes=int((4 + megapixels / 8) * 1024**3),
        cpu_seconds=int(cpu),
        wall_seconds=cpu * 2,
        file_bytes=int(256 * 1024**2 + probe.duration * 4 * 1024**2),
        open_files=128,
    )


def _filled(path: Path) -> Path:
    if not path.is_file() or path.stat().st_size == 0:
        raise PermanentError(f"Decoding left no {path.name}, and no error: this file holds no frames or samples that can be used.")
    return path


def _frames_into(detector: ShotDetector) -> Callable[[bytes], None]:
    def take(block: bytes) -> None:
        whole = len(block) // FRAME_BYTES
        detector.feed(np.frombuffer(block, np.uint8, whole * FRAME_BYTES).reshape(whole, 3, FRAME_HEIGHT, FRAME_WIDTH))

    return take


def _stills_into(reader: StillReader, plan: Plan, interval: float) -> Callable[[bytes], None]:
    number = 0

    def take(block: bytes) -> None:
        nonlocal number
        if len(block) == plan.width * plan.height * 3:
            reader.feed(number * interval, np.frombuffer(block, np.uint8).reshape(plan.height, plan.width, 3))
            number += 1

    return take


def _samples_into(decoded: Decoded) -> Callable[[bytes], None]:
    def take(block: bytes) -> None:
        samples = np.frombuffer(block, "<i2", len(block) // 2)
        decoded.samples += len(samples)
        if decoded.waveform:
            decoded.waveform.feed(samples)

    return take


def loudness_of(said: list[str]) -> tuple[float | None, float | None]:
    """Integrated loudness and peak out of the summary that the ebur128 filter prints last; None each where it is silence.

    Below the absolute gate of -70 LUFS the filter reports -70 itself, which is no loudness but the lack of one.
    """
    summary = "\n".join(said).rpartition("Summary:")[2]
    integrated = re.search(r"I:\s+(-?[\d.]+|-inf|nan) LUFS", summary)
    peak = re.search(r"Peak:\s+(-?[\d.]+|-inf) dBFS", summary)
    loudness = float(integrated[1]) if integrated and integrated[1] not in ("-inf", "nan") else -70.0
    highest = float(peak[1]) if peak else float("-inf")
    return (loudness if loudness > -70.0 else None, highest if highest > -200.0 else None)
