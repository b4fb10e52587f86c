"""Cuts clips out of an original: exact on the frame and to the sample, by seeking, and by copying the middle where that is exact.

Each way of making a clip ends with a proof (`exactness`). Where it fails, the next way is taken: the middle copied, all encoded from a
seek, all encoded from the start of the file.
"""

import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np

from videolab_assets.lib.clips import packets, smart_cut
from videolab_assets.lib.clips.exactness import Inexact, Window, check_offset, prove
from videolab_assets.lib.clips.packets import CLEAN, KEY
from videolab_assets.lib.clips.passage import (
    MARGIN,
    Footage,
    Passage,
    Taken,
    around,
    frames_of,
    seconds_before,
    steadied,
    take,
)
from videolab_assets.lib.documents import Clip, Probe
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.graph import Plan, longest_kept_gap
from videolab_assets.lib.pipes import Progress
from videolab_assets.lib.running import ShapeChanged

PRESET = "superfast"
CRF = 16
"""VMAF 96.4 and 97.5 on two stretches of 1080p30, drawn and filmed, at 5.4 CPU seconds for 8 s; veryfast at 17 has 95.3 and 97.1 at 7.5,
and 0.37 of the bytes: a clip is decoded once more for each platform, and kept for as long as the plan stands."""
CUT_VERSION = f"1-{PRESET}-crf{CRF}"
"""Raised by hand when the same clip would become another file."""
SHORT_SIDE, LONG_SIDE = 1080, 1920
KEY_FRAME_SECONDS = 2
FURTHER_BACK = 10.0
"""Seconds before a clip to read from where half a second is not enough; twice that shows whether the place matters."""
TIMED = frozenset({"mov", "matroska"})
"""Containers with an index and a time of its own for each packet, which ffmpeg takes as they are."""
COUNTING = frozenset({"avi", "ogg"})
"""Containers whose times depend on what was read before."""


@dataclass(frozen=True)
class Cut:
    """One clip as a file.

    Attributes:
        path: MP4, H.264 and AAC of 48 kHz, the index first, no edit lists; upright, square pixels, BT.709, at most 1920x1080 or 1080x1920.
        frame_rate: frames a second; frame `n` is shown at `n / frame_rate` seconds exactly.
        duration: seconds.
        how: `copied` when its middle is the source's own packets.
        why: the reason why it was `encoded`, a sentence.
        frames_encoded: of `frames`.
        audio_video_offset: seconds by which the sound comes after the picture, measured on decoded sound; None without sound.
    """

    clip_id: str
    path: Path
    width: int
    height: int
    frame_rate: float
    frames: int
    duration: float
    how: Literal["copied", "encoded"]
    why: str | None
    frames_encoded: int
    audio_video_offset: float | None


def cut(
    original: Path, source: Probe, clips: Sequence[Clip], frame_rate: Fraction, work: Path, *, progress: Progress | None = None
) -> list[Cut]:
    """Makes a file of each clip: the frames that the proxy shows from `round(start * frame_rate)` to `round(end * frame_rate)` - 1.

    Args:
        original: a file that passed the gate.
        source: what the gate found in it; it has a picture.
        clips: times in seconds since the proxy's first frame.
        frame_rate: frames a second of the proxy, and of the clips.
        work: an empty private folder; a file named after each clip's id appears in it.
        progress: told how far it is.

    Raises:
        PermanentError: the original is damaged there, or has no picture.
        TransientError: the machine failed.
    """
    if source.video is None:
        raise PermanentError("This file holds sound only: clips need a picture.")
    plan = replace(Plan.of(source.video, short_side=SHORT_SIDE, long_side=LONG_SIDE), frame_rate=frame_rate)
    footage = Footage(original, source, source.video, frame_rate, plan)
    cutter = _Cutter(footage, plan, work, _untimed(original, source))
    made, seconds = [], 0.0
    for clip in clips:
        made.append(cutter.cut(clip))
        seconds += clip.duration
        if progress:
            progress(seconds)
    return made


def _untimed(original: Path, source: Probe) -> bool:
    """Whether a frame's time is known only by reading the file from its start, as the proxy was made."""
    if source.clock_jump or source.container in COUNTING:
        return True
    streams = [stream.index for stream in (source.video, source.audio) if stream]
    return source.container not in TIMED and not packets.steady(original, streams, longest_kept_gap(source))


@dataclass(frozen=True)
class _Cutter:
    """All that the clips of one original have in common."""

    footage: Footage
    plan: Plan
    work: Path
    untimed: bool
    steady: bool = False

    def cut(self, clip: Clip) -> Cut:
        """Copies the middle, or encodes all if that cannot be or is not exact."""
        first, end = (round(Fraction(time) * self.footage.rate) for time in (clip.start, clip.end))
        last = math.ceil(self.footage.video.end * self.footage.rate)
        span = (first, max(first + 1, min(end, last)))
        why = smart_cut.refusal(self.footage.probe, self.footage.video, self.plan)
        if why is None:
            try:
                with self._folder() as folder:
                    return self._copied(clip.clip_id, span, Path(folder))
            except (smart_cut.Unsuitable, Inexact) as reason:
                why = str(reason)
            except ShapeChanged:
                why = "its picture or sound changes its shape"
            except PermanentError as problem:
                why = f"copying failed ({problem.sentence.rstrip('.')})"
        return self._encoded(clip.clip_id, span, f"All of it was encoded: {why}.")

    def _copied(self, clip_id: str, span: tuple[int, int], folder: Path) -> Cut:
        coded = replace(self.footage, plan=None)
        joined = smart_cut.make(coded, *span, self._encoder(), folder)
        sound = self._sound(coded, span, folder) if self.footage.has_sound else None
        path = packets.join(
            joined.pieces,
            sound.sound if sound else None,
            self.footage.rate,
            _new(folder / "joined"),
            video=self.footage.video.index,
            middle=joined.middle,
        )
        heard = sound.heard if sound else None
        offset = prove(path, coded, span[1] - span[0], joined.windows, heard, joined.copied, _new(folder / "proof"))
        check_offset(offset)
        return self._done(clip_id, path, span, offset, None, joined.frames_encoded)

    def _sound(self, footage: Footage, span: tuple[int, int], folder: Path) -> Taken:
        for way in self._ways(span[0]):
            taken = take(footage, Passage(sound=span, seek=way), _new(folder / f"sound{way}".replace("/", "_")))
            if not taken.late:
                return taken
        raise smart_cut.Unsuitable("its sound cannot be found")

    def _ways(self, first: int) -> list[Fraction | None]:
        """Where to read from for a clip, the cheapest first; None is the start."""
        seeks = [] if self.untimed else [seconds_before(self.footage, first, margin) for margin in (MARGIN, FURTHER_BACK)]
        return [*(seek for seek in seeks if seek is not None), None]

    def _encoded(self, clip_id: str, span: tuple[int, int], why: str) -> Cut:
        """From a seek if that gives what reading on would give, else from the start.

        Raises:
            PermanentError: not even that is exact.
        """
        problem: Exception | None = None
        for way in self._ways(span[0]):
            try:
                with self._folder() as folder:
                    return self._encoded_from(way, clip_id, span, why, Path(folder))
            except (Inexact, PermanentError) as reason:
                problem = reason
            except ShapeChanged:
                with self._folder() as folder:
                    return self._steadied(Path(folder))._encoded(clip_id, span, why)
        if isinstance(problem, PermanentError):
            raise problem
        raise PermanentError(f"Clip {clip_id} cannot be cut exactly: {problem}. Move its start and end, or upload the video anew.")

    def _steadied(self, folder: Path) -> "_Cutter":
        """The same for a copy of the source that keeps its shape: slower, but one recording in a thousand."""
        if self.steady:
            raise PermanentError("This video's picture and sound keep changing their shape: export it again and upload that.")
        return replace(self, footage=steadied(self.footage, self.plan, folder), untimed=False, steady=True)

    def _encoded_from(self, seek: Fraction | None, clip_id: str, span: tuple[int, int], why: str, folder: Path) -> Cut:
        footage = self.footage
        seen, sound = around(*span), span if footage.has_sound else None
        taken = take(footage, Passage(*span, seen, sound, seek, self._encoder()), _new(folder / "all"))
        if taken.picture is None or len(taken.seen) != len(seen) or taken.late:
            raise Inexact("it begins later or ends earlier than it should")
        if seek is not None:
            self._check_seek(span[0], seek, taken, _new(folder / "further"))
        path = packets.join({"all": (taken.picture, 0)}, taken.sound, footage.rate, _new(folder / "joined"))
        windows = [Window(tuple(frame - span[0] for frame in seen), taken.seen)]
        offset = prove(path, footage, span[1] - span[0], windows, taken.heard, None, _new(folder / "proof"))
        if seek is not None:
            check_offset(offset)
        return self._done(clip_id, path, span, offset, why, span[1] - span[0])

    def _check_seek(self, first: int, seek: Fraction, taken: Taken, work: Path) -> None:
        """The first frames must be those that reading from further back gives, unless decoding began at a frame that starts clean.

        Raises:
            Inexact: they are not.
        """
        video = self.footage.video
        if self.footage.probe.container in TIMED:
            around_seek = packets.survey(self.footage.path, video.index, seek, seek).packets
            before = [kind for ticks, kind, _ in around_seek if kind & KEY and ticks is not None]
            if before and before[0] & CLEAN:
                return
        frames = tuple(range(first, first + min(3, len(taken.seen))))
        further = frames_of(self.footage, frames, seconds_before(self.footage, first, 2 * FURTHER_BACK), work)
        if not np.array_equal(further, taken.seen[: len(frames)]):
            raise Inexact("its first frames depend on where reading began")

    def _encoder(self) -> dict[str, Any]:
        """x264's options. Closed groups of pictures, as platforms and editors want."""
        return {"preset": PRESET, "crf": CRF, "profile:v": "high", "g": max(1, round(KEY_FRAME_SECONDS * self.footage.rate))}

    def _folder(self) -> "tempfile.TemporaryDirectory[str]":
        return tempfile.TemporaryDirectory(dir=self.work)

    def _done(self, clip_id: str, path: Path, span: tuple[int, int], offset: float | None, why: str | None, frames_encoded: int) -> Cut:
        finished = path.replace(self.work / f"{clip_id}.mp4")
        frames = span[1] - span[0]
        return Cut(
            clip_id=clip_id,
            path=finished,
            width=self.plan.width,
            height=self.plan.height,
            frame_rate=float(self.footage.rate),
            frames=frames,
            duration=float(frames / self.footage.rate),
            how="encoded" if why else "copied",
            why=why,
            frames_encoded=frames_encoded,
            audio_video_offset=offset,
        )


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder
