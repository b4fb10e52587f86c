"""All platforms' files of a clip out of one decode, against a command of its own for each platform.

Both sides run the product's own code in the product's quality; the peer's is called once a platform, and so decodes, levels the
sound and encodes once a platform.
"""

import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.footage import Look, make
from benchmarks.measure import cpu_seconds, in_turn, result
from videolab_assets.lib.captions import captions_of, fonts
from videolab_assets.lib.documents import Framing, PathPoint, Probe, Word
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.platforms import PLATFORMS
from videolab_assets.lib.probe import probe
from videolab_assets.lib.variants.render import MOST_MEMORY, Take, render
from videolab_assets.lib.variants.renditions import Rendition, renditions_of
from videolab_assets.lib.variants.sound import levelled

SECONDS = 20
PHONE_BIT_RATE = "16M"
"""What phones record 1080p30 H.264 at, and so what a clip with a copied middle has."""
SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "lighthouse.mp4"
SHOTS = (("still", 0.3), ("follow", 0.5), ("fit", 0.2))
"""How the shots are shown, and for what share of the clip."""

SAID = ("each", "word", "is", "lit", "while", "somebody", "says", "it")
WORD_SECONDS = 0.4


def run() -> list[dict[str, Any]]:
    """CPU seconds on 20 s of 1080p30 with speech, reframed and captioned; about six minutes."""
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        clip = _clip(Path(folder) / "clip.mp4")
        found = probe(clip).probe
        shared = [_take(rendition, number) for number, rendition in enumerate(renditions_of(30))]
        alone = [_take(_alone(name), number) for number, name in enumerate(PLATFORMS)]
        # Framed each in its own way, four platforms have nothing in common but the decode and the sound.
        unlike = [_take(_alone(name), number, 0.05 * number) for number, name in enumerate(PLATFORMS)]
        peaks: list[int] = []
        ours, one_each, ours_unlike, one_each_unlike = in_turn(
            lambda: cpu_seconds(lambda: peaks.append(_rendered(clip, found, shared))),
            lambda: cpu_seconds(lambda: [_rendered(clip, found, [take]) for take in alone]),
            lambda: cpu_seconds(lambda: peaks.append(_rendered(clip, found, unlike))),
            lambda: cpu_seconds(lambda: [_rendered(clip, found, [take]) for take in unlike]),
        )
    unit = f"CPU s for {SECONDS} s of 1080p30 at {PHONE_BIT_RATE}bit/s; peer: a command for each of {len(PLATFORMS)} platforms"
    return [
        result("variants", ours_unlike, one_each_unlike, f"{unit}, no two alike", 0.85),
        result("variants_shared", ours, one_each, f"{unit}, three of which take the same file", 0.55),
        result("variants_memory", max(peaks) / 1e6, MOST_MEMORY / 1e6, "MB that the one ffmpeg takes at most; limit", 1.0),
    ]


def _clip(path: Path) -> Path:
    """The benchmark's footage at a phone's bit rate, with the sample's sound under it."""
    footage = make(Path(tempfile.gettempdir()) / "videolab-benchmarks", seed=1, seconds=60, look=Look(1920, 1080, 30))
    inputs = ["-i", str(footage.path), "-i", str(SAMPLE), "-map", "0:v", "-map", "1:a", "-t", str(SECONDS)]
    picture = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", PHONE_BIT_RATE, "-maxrate", "20M", "-bufsize", "16M"]
    command = [str(binary()), "-nostdin", "-v", "error", "-y", *inputs, *picture, "-c:a", "aac", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def _alone(name: str) -> Rendition:
    """The rendition of a platform that shares it with none."""
    (rendition,) = renditions_of(30, {name: PLATFORMS[name]})
    return rendition


def _take(rendition: Rendition, number: int, aside: float = 0.0) -> Take:
    size = (rendition.width, rendition.height)
    shape = rendition.width / rendition.height * 9 / 16
    spoken = range(int(SECONDS / WORD_SECONDS))
    words = [Word(text=SAID[n % len(SAID)], start=WORD_SECONDS * n, end=WORD_SECONDS * (n + 0.9), confidence=1.0) for n in spoken]
    captions = captions_of(words, "en", size, rendition.safe, "clear")
    return Take(rendition, "a", _framings(shape, aside), captions.ass, 5.0, f"{number}a")


def _framings(width: float, aside: float) -> list[Framing]:
    framings, start = [], 0.0
    for mode, share in SHOTS:
        end = start + share * SECONDS
        path = [PathPoint(time=start, x=0.1 + aside, y=0)]
        if mode == "follow":
            path.append(PathPoint(time=end, x=0.4 - aside, y=0))
        shown = {"width": 1.0 if mode == "fit" else width, "height": 1.0 - aside if mode == "fit" else 1.0, "path": path}
        framings.append(Framing.model_validate({"start": start, "end": end, "mode": mode, "subject": "frame", "why": "benchmark", **shown}))
        start = end
    return framings


def _rendered(clip: Path, found: Probe, takes: Sequence[Take]) -> int:
    """Everything from the clip's file to the platforms'; returns the bytes of memory that it took."""
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        terms = takes[0].rendition
        sound = levelled(clip, found, terms.loudness, terms.true_peak, terms.audio_bit_rate, Path(folder))
        return max(rendered.peak_memory for rendered in render(clip, found, takes, sound, Path(folder), fonts()))
