"""One cheap decode of a clip's stretch of the proxy, and all that is looked for in it."""

import math
import re
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib import sandbox
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.ffmpeg import HOSTILE_INPUT, binary
from videolab_assets.lib.pipes import Readers
from videolab_assets.lib.reframe import faces, people
from videolab_assets.lib.reframe.boxes import Box
from videolab_assets.lib.reframe.faces import Face, HaarFaces, YuNetFaces
from videolab_assets.lib.reframe.people import HogPeople
from videolab_assets.lib.reframe.scene import Glance, SceneReader
from videolab_assets.lib.reframe.seen import WHOLE, Sample, Seen

Picture = NDArray[np.uint8]

SAMPLES_A_SECOND = 5
LONGER_SIDE = 480
BYTES_A_BLOCK = 1 << 18
DARK = 24
"""Luma at or under which a row or column of the picture counts as a black bar; black is 16."""
SMALLEST_BAR, LARGEST_BAR = 0.02, 0.4
MOUTH_SIDE = 24
NO_FACE_FOR = 5
"""Samples without a face before people are looked for."""


def look(proxy: Path, start: float, end: float, detector: Path | None = None) -> Seen:
    """Looks at the stretch of `proxy` from `start` to `end`, in seconds: five frames a second at 480 pixels on the longer side.

    Sets OpenCV's process-wide thread count to one: pictures this small gain nothing from threads and lose CPU to them.

    Args:
        proxy: a proxy that we made.
        start, end: seconds; sample times count from `start`.
        detector: a YuNet model in ONNX to find faces by, in place of OpenCV's Haar cascades.

    Raises:
        PermanentError: the proxy has no picture there, or `detector` is no such model.
        TransientError: the machine failed.
    """
    import cv2

    cv2.setNumThreads(1)
    stream = _Frames(_Looker(YuNetFaces(detector) if detector else HaarFaces(), colour=detector is not None))
    said: deque[str] = deque(maxlen=50)

    def hear(line: bytes) -> None:
        if not stream.note(line.decode("utf-8", "replace")):
            said.append(line.decode("utf-8", "replace").rstrip())

    seconds = max(0.0, end - start)
    limits = sandbox.Limits(cpu_seconds=60 + 4 * seconds, wall_seconds=240 + 20 * seconds)
    with Readers() as readers:
        frames, log = readers.add(BYTES_A_BLOCK, stream.take), readers.add_lines(hear)
        command = _command(start, seconds, frames)
        with sandbox.start(command, inputs={"proxy": proxy}, output=None, limits=limits, pass_fds=(frames,), stderr=log) as child:
            readers.close_write_ends()
            readers.on_failure(child.kill)
            ended = child.wait()
        readers.join()
    if ended.why in ("wall", "cpu", "signal"):
        raise TransientError("Looking for faces in this video was stopped by a limit: run it again.", "\n".join(said))
    if ended.returncode != 0 or not stream.looker.glances:
        raise PermanentError("The proxy of this video has no picture where a clip was to be made.", "\n".join(said))
    return stream.looker.seen(stream.times, stream.aspect)


def _command(start: float, seconds: float, frames: int) -> list[str]:
    # One thread: frame threads cost a third more CPU here, and clips may be looked at side by side.
    read = ["-threads", "1", "-skip_loop_filter", "all", "-ss", f"{start:.6f}", "-t", f"{seconds:.6f}"]
    hostile = [word for name, value in HOSTILE_INPUT.items() for word in (f"-{name}", str(value))]
    # By time stamps, not by the fps filter: that would put frames of a slow source up to half a step beside their time.
    every = f"select=isnan(prev_selected_t)+gte(t-prev_selected_t\\,{1 / SAMPLES_A_SECOND - 0.01})"
    small = f"scale={LONGER_SIDE}:{LONGER_SIDE}:force_original_aspect_ratio=decrease:force_divisible_by=2:flags=area"
    graph = f"{every},showinfo=checksum=0,{small},format=yuv420p,setsar=1"
    write = ["-filter_threads", "1", "-an", "-vf", graph, "-fps_mode", "passthrough", "-f", "yuv4mpegpipe", f"pipe:{frames}"]
    return [str(binary()), "-nostdin", "-hide_banner", "-nostats", *hostile, *read, "-i", "file:in/proxy", *write]


class _Looker:
    """What is found in the frames of one clip, in order; of the frames themselves only the last is kept."""

    def __init__(self, finder: HaarFaces | YuNetFaces, colour: bool) -> None:
        self.glances: list[Glance] = []
        self._finder = finder
        self._colour = colour
        self._people_finder = HogPeople()
        self._scene_reader = SceneReader()
        self._faces: list[list[Face]] = []
        self._mouths: list[list[float]] = []
        self._people: list[list[tuple[Box, float]] | None] = []
        self._before: Picture | None = None
        self._since_face = NO_FACE_FOR
        self._brightest_column: Picture | None = None
        self._brightest_row: Picture | None = None

    def take(self, frame: Picture, width: int, height: int) -> None:
        """One frame: planar 4:2:0 bytes."""
        import cv2

        luma = frame[: width * height].reshape(height, width)
        u, v = frame[width * height :].reshape(2, height // 2, width // 2)
        glance = self._scene_reader.read(luma, (u, v))
        self._note_bars(luma)
        if glance.still and self.glances:
            found, someone = self._faces[-1], self._people[-1]
            mouths = [0.0 for _ in found]
        else:
            bgr = cv2.cvtColor(frame.reshape(height * 3 // 2, width), cv2.COLOR_YUV2BGR_I420) if self._colour else None
            found = self._finder.find(luma, None if bgr is None else np.asarray(bgr, np.uint8), glance.new_scene)
            mouths = [0.0 if glance.new_scene else self._mouth(luma, face.box) for face in found]
            self._since_face = 0 if any(face.agreed for face in found) else self._since_face + 1
            if glance.new_scene and self._since_face:
                self._since_face = NO_FACE_FOR + 1
            someone = self._people_finder.find(luma, glance.new_scene) if self._since_face > NO_FACE_FOR else None
        self.glances.append(glance)
        self._faces.append(found)
        self._mouths.append(mouths)
        self._people.append(someone)
        self._before = luma.copy()

    def seen(self, times: Sequence[float], aspect: float) -> Seen:
        """All of it, each moment judged by its neighbours. `times` in seconds, one a frame."""
        times = times[: len(self.glances)]
        scenes = list(np.cumsum([glance.new_scene for glance in self.glances]))
        real_faces = faces.believed(times, self._faces, scenes)
        real_people = people.believed(times, self._people, scenes)
        samples = []
        for index, (time, glance) in enumerate(zip(times, self.glances, strict=True)):
            mouths = [self._mouth_of(index, box) for box in real_faces[index]]
            samples.append(
                Sample(
                    time=time,
                    faces=real_faces[index],
                    people=real_people[index],
                    motion=glance.motion,
                    saliency=glance.saliency,
                    wide_text=glance.wide_text,
                    sharpness=glance.sharpness,
                    brightness=glance.brightness,
                    mouths=mouths,
                )
            )
        return Seen(aspect, samples, self._picture())

    def _mouth_of(self, index: int, box: Box) -> float:
        near = [m for face, m in zip(self._faces[index], self._mouths[index], strict=True) if face.box.likeness(box) > 0.5]
        return near[0] if near else 0.0

    def _mouth(self, luma: Picture, box: Box) -> float:
        """How much more the lower half of a face changed than the upper half, which moves with the head but does not speak."""
        import cv2

        if self._before is None or self._before.shape != luma.shape:
            return 0.0
        height, width = luma.shape
        left, right = int(max(0.0, box.x) * width), math.ceil(min(1.0, box.right) * width)
        top, bottom = int(max(0.0, box.y) * height), math.ceil(min(1.0, box.bottom) * height)
        if right - left < 8 or bottom - top < 8:
            return 0.0
        now, before = (
            np.asarray(cv2.resize(picture[top:bottom, left:right], (MOUTH_SIDE, MOUTH_SIDE), interpolation=cv2.INTER_AREA), np.float32)
            for picture in (luma, self._before)
        )
        change = np.abs(now - before)
        lower = float(change[MOUTH_SIDE * 5 // 8 :, MOUTH_SIDE // 4 : MOUTH_SIDE * 3 // 4].mean())
        upper = float(change[MOUTH_SIDE // 8 : MOUTH_SIDE // 2, MOUTH_SIDE // 4 : MOUTH_SIDE * 3 // 4].mean())
        return round(max(0.0, lower - upper) / max(4.0, float(now.std())), 3)

    def _note_bars(self, luma: Picture) -> None:
        columns, rows = luma.max(axis=0), luma.max(axis=1)
        self._brightest_column = columns if self._brightest_column is None else np.maximum(columns, self._brightest_column)
        self._brightest_row = rows if self._brightest_row is None else np.maximum(rows, self._brightest_row)

    def _picture(self) -> Box:
        if self._brightest_column is None or self._brightest_row is None:
            return WHOLE
        (left, right), (top, bottom) = _lit(self._brightest_column), _lit(self._brightest_row)
        return Box(left, top, right - left, bottom - top)


def _lit(brightest: Picture) -> tuple[float, float]:
    """First and last share of a row or column between two bars of about the same width; the whole of it where there are none."""
    bright = np.flatnonzero(brightest > DARK)
    if bright.size == 0:
        return 0.0, 1.0
    length = len(brightest)
    before, after = int(bright[0]) / length, (length - 1 - int(bright[-1])) / length
    if min(before, after) < SMALLEST_BAR or max(before, after) > LARGEST_BAR or abs(before - after) > 0.02:
        return 0.0, 1.0
    # The bar's last row is often mixed with the picture's first.
    return before + 1 / length, 1 - after - 1 / length


class _Frames:
    """ffmpeg's YUV4MPEG stream cut into frames for a looker, and the frames' times and shape out of what showinfo says."""

    def __init__(self, looker: _Looker) -> None:
        self.looker = looker
        self.times: list[float] = []
        self.aspect = 1.0
        self._waiting = bytearray()
        self._size: tuple[int, int] | None = None

    def note(self, line: str) -> bool:
        """Takes a line of ffmpeg's log; whether it was about a frame."""
        told = re.search(r"showinfo.* pts_time:\s*(-?[\d.]+).* sar:(\d+)/(\d+) s:(\d+)x(\d+)", line)
        if told is None:
            return "showinfo" in line
        self.times.append(max(0.0, float(told[1])))
        across, down, width, height = (int(number) for number in told.groups()[1:])
        self.aspect = width * (across / down if across and down else 1.0) / height
        return True

    def take(self, block: bytes) -> None:
        self._waiting += block
        if self._size is None:
            header, newline, _ = self._waiting.partition(b"\n")
            if not newline:
                return
            told = re.match(rb"YUV4MPEG2 W(\d+) H(\d+)", header)
            if told is None:
                raise PermanentError("ffmpeg gave no pictures of the proxy.", repr(bytes(header[:200])))
            self._size = int(told[1]), int(told[2])
            del self._waiting[: len(header) + 1]
        width, height = self._size
        frame = width * height * 3 // 2
        while True:
            begins = self._waiting.find(b"\n") + 1
            if begins == 0 or len(self._waiting) < begins + frame:
                return
            self.looker.take(np.frombuffer(bytes(self._waiting[begins : begins + frame]), np.uint8), width, height)
            del self._waiting[: begins + frame]
