"""What it costs to cut a clip out of the depth of a long video, and what copying a clip's middle saves."""

import subprocess
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.footage import Look, make
from benchmarks.measure import cpu_seconds, in_turn, result
from videolab_assets.lib.clips.cut import CRF, PRESET, Cut, cut
from videolab_assets.lib.documents import Clip, Probe, ScoreParts
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.gate import admit
from videolab_assets.lib.graph import constant_rate

LOOK = Look(1280, 720, 30)
MINUTES = 60
EARLY, LATE = 1, 55
"""Minutes of the clips. Each minute is the same, so that the two clips differ by their place alone."""
BEGINS, LASTS = 7.3, 30.0
"""Seconds: within the minute, and of the clip; between two key frames, which are 2 s apart."""
SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "lighthouse.mp4"
NOTHING = ScoreParts(**dict.fromkeys(ScoreParts.model_fields))


def seek() -> list[dict[str, Any]]:
    """CPU seconds of one clip of 30 s out of an hour of 720p30, H.264 and AAC."""
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        hour = _hour(Path(folder))
        turned = Path(folder) / "turned.mp4"
        _run("-display_rotation", "90", "-i", str(hour), "-c", "copy", str(turned))
        copied, encoded = _Source(hour), _Source(turned)
        ours, peer = in_turn(copied.cost(LATE, "copied"), copied.cost(EARLY, "copied"))
        ours_encoded, peer_encoded = in_turn(encoded.cost(LATE, "encoded"), encoded.cost(EARLY, "encoded"))
        middle, anew = in_turn(copied.cost(LATE, "copied"), lambda: cpu_seconds(lambda: _anew(hour)))
    unit = f"CPU s for {LASTS:.0f} s of 720p30"
    place = f"{unit} at minute {LATE}; peer: at minute {EARLY}"
    return [
        result("clip_seek_copied", ours, peer, f"{place}, middle copied", 1.2),
        result("clip_seek_encoded", ours_encoded, peer_encoded, f"{place}, all encoded", 1.2),
        result("clip_copied_or_encoded", middle, anew, f"{unit}; peer: one ffmpeg -ss … -t … -preset {PRESET} -crf {CRF}", 0.4),
    ]


def _hour(folder: Path) -> Path:
    """One minute of the benchmarks' footage with speech under it, sixty times."""
    footage = make(Path(tempfile.gettempdir()) / "videolab-benchmarks", seed=4, seconds=60, look=LOOK)
    minute, picture, hour = folder / "minute.mp4", folder / "picture.mp4", folder / "hour.mp4"
    # Without sound, whose packets do not fill a minute: the picture would leave its grid with each repetition.
    encoder = ["-an", "-c:v", "libx264", "-preset", "veryfast", "-crf", "25", "-g", "60", "-vf", "setparams=colorspace=bt709"]
    _run("-i", str(footage.path), *encoder, str(minute))
    repeated = ["-stream_loop", str(MINUTES - 1), "-i", str(minute)]
    _run(*repeated, "-c", "copy", str(picture))
    speech = ["-stream_loop", "-1", "-i", str(SAMPLE), "-map", "0:v", "-map", "1:a", "-t", str(60 * MINUTES)]
    _run("-i", str(picture), *speech, "-c", "copy", str(hour))
    return hour


class _Source:
    """A long video that passed the gate."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.probe: Probe = admit(path).probe

    def cost(self, minute: int, how: str) -> Callable[[], float]:
        """CPU seconds of the clip of that minute, which must be made that way."""

        def measured() -> float:
            made: list[Cut] = []
            spent = cpu_seconds(lambda: made.extend(self._cut(minute)))
            if made[0].how != how:
                raise RuntimeError(f"the clip was {made[0].how}: {made[0].why}")
            return spent

        return measured

    def _cut(self, minute: int) -> list[Cut]:
        start = Fraction(60 * minute) + Fraction(str(BEGINS))
        clip = Clip(clip_id="c01", start=float(start), end=float(start) + LASTS, score=0, parts=NOTHING, reason="", title="", words=[])
        with tempfile.TemporaryDirectory(prefix="videolab-bench-") as work:
            return cut(self.path, self.probe, [clip], constant_rate(LOOK.frame_rate), Path(work))


def _anew(hour: Path) -> None:
    """What one writes: seek, encode all of it."""
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        start = str(60 * LATE + BEGINS)
        encoder = ["-c:v", "libx264", "-preset", PRESET, "-crf", str(CRF), "-c:a", "aac", "-movflags", "+faststart"]
        _run("-ss", start, "-i", str(hour), "-t", str(LASTS), *encoder, f"{folder}/clip.mp4")


def _run(*arguments: str) -> None:
    subprocess.run([str(binary()), "-nostdin", "-v", "error", "-y", *arguments], check=True, stdin=subprocess.DEVNULL)
