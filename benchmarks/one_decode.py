"""The media step against its floor, an ffmpeg that makes the proxy alone, and against a command of its own for each output."""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.footage import Look, make
from benchmarks.measure import cpu_seconds, in_turn, result
from videolab_assets.lib.documents import Probe, SourceVideo
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.gate import admit
from videolab_assets.lib.graph import Pipes, Plan, command
from videolab_assets.lib.library import Library
from videolab_assets.lib.media import MEDIA_ASSETS
from videolab_assets.lib.media import make as make_media
from videolab_assets.lib.store import open_store

SECONDS = 60
PHONE_BIT_RATE = "16M"
"""What phones record 1080p30 H.264 at; how dear a decode is follows from it."""
SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "lighthouse.mp4"
VIDEO_KEY = "bench.one-decode.00000000"


def run() -> list[dict[str, Any]]:
    """CPU seconds on 60 s of 1080p30 with speech, H.264 and AAC."""
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        source = _source(Path(folder))
        probe = admit(source).probe
        ours, proxy_alone, separate = in_turn(
            lambda: cpu_seconds(lambda: _media_step(source, probe)),
            lambda: cpu_seconds(lambda: _proxy_alone(source, probe)),
            lambda: cpu_seconds(lambda: _separate(source, probe)),
        )
    unit = f"CPU s for {SECONDS} s of 1080p30 at {PHONE_BIT_RATE}bit/s"
    return [
        result("one_decode", ours, proxy_alone, f"{unit}; peer: one ffmpeg making the same proxy alone", 1.15),
        result("one_decode_or_separate", ours, separate, f"{unit}; peer: eight separate ffmpeg commands", 0.55),
    ]


def _source(folder: Path) -> Path:
    """The benchmark's footage at a phone's bit rate, with the sample's sound under it."""
    footage = make(Path(tempfile.gettempdir()) / "videolab-benchmarks", seed=1, seconds=SECONDS, look=Look(1920, 1080, 30))
    path = folder / "source.mp4"
    inputs = ["-i", str(footage.path), "-i", str(SAMPLE), "-map", "0:v", "-map", "1:a", "-t", str(SECONDS)]
    picture = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", PHONE_BIT_RATE, "-maxrate", "20M", "-bufsize", "16M"]
    _run(*inputs, *picture, "-c:a", "aac", str(path))
    return path


def _media_step(source: Path, probe: Probe) -> None:
    """Everything that the assets' step does but for Dagster: decode, analyse, verify and publish, into an empty store."""
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        library = Library(open_store(f"{folder}/store"))
        key = f"library/bench/{VIDEO_KEY}/source.mp4"
        copy = Path(folder) / "copy.mp4"
        copy.hardlink_to(source)
        library.store.put_file(copy, key, media_type="video/mp4", sha256="0" * 64)
        document = SourceVideo(
            video_key=VIDEO_KEY,
            tenant="bench",
            original_name=source.name,
            upload="0" * 64,
            source_key=key,
            sha256="0" * 64,
            verdict="accept",
            probe=probe,
        )
        make_media(library, document, set(MEDIA_ASSETS), Path(folder) / "scratch")


def _proxy_alone(source: Path, probe: Probe) -> None:
    """The product's own command for the proxy, without sandbox, pipes or any other output."""
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        room = Path(folder)
        (room / "in").mkdir()
        (room / "out").mkdir()
        (room / "in" / "source").symlink_to(source)
        plan = Plan.of(probe.video) if probe.video else None
        arguments = command(str(binary()), probe, plan, {"proxy"}, Pipes(progress=1))
        subprocess.run(arguments, cwd=room, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _separate(source: Path, probe: Probe) -> None:
    """What one writes without sharing the decode: a command for each output, each in its usual form."""
    _proxy_alone(source, probe)
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        to = folder + "/"
        read = ["-i", str(source)]
        _run(*read, "-vn", "-ac", "1", "-ar", "16000", "-c:a", "flac", f"{to}audio.flac")
        _run(*read, "-vn", "-ac", "1", "-ar", "16000", "-f", "s16le", "/dev/null")
        _run(*read, "-filter_complex", "showwavespic=s=1800x140", "-frames:v", "1", f"{to}waveform.png")
        _run(*read, "-vn", "-af", "ebur128=peak=sample:framelog=quiet", "-f", "null", "-")
        _run(*read, "-an", "-vf", "thumbnail=n=300,scale=1280:-2", "-frames:v", "1", f"{to}thumbnail.jpg")
        _run(*read, "-an", "-vf", "fps=1,scale=160:-2,tile=10x6", "-frames:v", "1", f"{to}storyboard.jpg")
        _run(*read, "-an", "-vf", "scale=64:36", "-pix_fmt", "yuv444p", "-f", "rawvideo", "/dev/null")


def _run(*arguments: str) -> None:
    subprocess.run([str(binary()), "-nostdin", "-v", "error", "-y", *arguments], check=True, stdin=subprocess.DEVNULL)
