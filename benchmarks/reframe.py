"""Reframing: in how many frames the face or person stays whole in a 9:16 crop, how calm the crop is, and what looking costs.

Peers in the same run: the crop of the middle, and what open tools do: the same detections, each frame's crop a tenth of the way from
the last one's place to where the subject is now (exponential smoothing).
"""

import math
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import imageio_ffmpeg
import numpy as np
from cv2.typing import MatLike as Picture

from benchmarks.footage import MEDIA, Look, encode
from benchmarks.measure import cpu_seconds, in_turn, result, unmeasured
from benchmarks.shots import decode_alone
from videolab_assets.lib.documents import Framing
from videolab_assets.lib.reframe import Box, Seen, framing_at, framings_of, look, shown

LOOK = Look(1280, 720, 30)
TARGET = 9 / 16
SMOOTHING = 0.1
TOLERANCE = 0.02
"""Share of the face or person that may be beyond the edge: truth is no more exact."""

HEAD_AT = 6.45
HEAD_CROP = (345, 0, 120, 120)
"""Second of chaplin.mp4, and left, top, width and height there, of a man's head and shoulders."""
FACE_IN_HEAD = (43 / 120, 42 / 120, 40 / 120, 44 / 120)
"""The face in that crop, from brows to chin and cheek to cheek, as one sees."""

Across = Callable[[float], float]
"""Where a head's middle is at a share 0..1 of its scene, as a share of the frame's width."""

SCENES: tuple[tuple[float, float, tuple[Across, ...]], ...] = (
    (5.07, 2.6, (lambda at: 0.22,)),
    (5.93, 2.4, (lambda at: 0.80,)),
    (8.0, 2.4, (lambda at: 0.15 + 0.7 * at,)),
    (5.1, 3.0, (lambda at: 0.62 + 0.012 * math.sin(40 * at),)),
    (6.9, 2.2, (lambda at: 0.85 - 0.6 * (0.5 - 0.5 * math.cos(math.pi * min(1.0, 1.6 * at))),)),
    (6.0, 1.9, (lambda at: 0.60, lambda at: 0.74 + 0.01 * math.sin(9 * at))),
    (6.0, 2.3, (lambda at: 0.20, lambda at: 0.78)),
    (9.0, 2.5, (lambda at: 0.5 + 0.32 * math.sin(2 * math.pi * at),)),
    (4.0, 3.4, (lambda at: 0.30 + 0.1 * at,)),
    (4.0, 2.4, (lambda at: 0.72,)),
)
"""Seconds, how much the head is enlarged, and where the heads are: standing, crossing, nodding, stopping, together, far apart, pacing."""

PEOPLE_FILM = "one-by-one-people.mp4"
PEOPLE: tuple[tuple[float, float, tuple[tuple[float, float, float], ...]], ...] = (
    (
        4.0,
        22.0,
        (
            (6.5, 0.40, 0.605),
            (7.0, 0.48, 0.69),
            (7.5, 0.50, 0.69),
            (8.0, 0.50, 0.67),
            (17.5, 0.50, 0.67),
            (18.0, 0.51, 0.70),
            (18.5, 0.64, 0.85),
        ),
    ),
    (
        72.0,
        88.0,
        (
            *((74.5, 0.21, 0.46), (75.0, 0.30, 0.53), (75.5, 0.39, 0.585), (76.0, 0.44, 0.64), (76.5, 0.45, 0.645)),
            *((77.0, 0.47, 0.66), (84.0, 0.47, 0.66), (84.5, 0.48, 0.66), (85.0, 0.57, 0.74), (85.5, 0.62, 0.87)),
        ),
    ),
)
"""Stretches of that film in seconds, and when one person's left and right edges are where, as shares of the width: read off by eye
twice a second, in a straight line in between. From the first to the last of these times the person is in the frame."""


@dataclass(frozen=True)
class Footage:
    """A video and what is true of it.

    Attributes:
        start, end: seconds of the stretch that is looked at.
        cuts: seconds from `start`.
        truth: for each frame its seconds from `start` and the boxes that should stay whole.
    """

    path: Path
    start: float
    end: float
    cuts: tuple[float, ...]
    truth: tuple[tuple[float, tuple[Box, ...]], ...]


def run() -> list[dict[str, Any]]:
    """Generated footage with heads of which each frame's place is known, and filmed people whose places a person read off."""
    if not MEDIA.is_dir():
        return [unmeasured("reframe", "../shared/media is missing, and with it the heads that are pasted into the footage")]
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        heads, people = generated(Path(folder)), filmed(Path(folder))
        seen = {footage: look(footage.path, footage.start, footage.end) for footage in (heads, *people)}
        ours_cpu, peer_cpu = in_turn(
            lambda: cpu_seconds(lambda: _framed(heads, look(heads.path, heads.start, heads.end))),
            lambda: cpu_seconds(lambda: decode_alone(heads.path)),
        )
        lines = [_compared("reframe_faces", [heads], seen), _compared("reframe_people", people, seen)]
    unit = "CPU s for 60 s of 720p30; peer: decoding alone"
    return [*lines, result("reframe_cpu", ours_cpu, peer_cpu, unit, 3.5)]


def _compared(name: str, footage: Sequence[Footage], seen: dict[Footage, Seen]) -> dict[str, Any]:
    """Frames that lose something, in percent, ours over the middle crop's; and the other figures of all three."""
    paths: dict[str, Callable[[Footage], Callable[[float], Box]]] = {
        "ours": lambda piece: _ours(_framed(piece, seen[piece])),
        "middle": lambda piece: lambda time: Box(0.5 - _crop(seen[piece]) / 2, 0.0, _crop(seen[piece]), 1.0),
        "exponential": lambda piece: _exponential(piece, seen[piece]),
    }
    kept = {kind: _kept([(piece, path(piece)) for piece in footage]) for kind, path in paths.items()}
    jitter = {kind: max(_jitter(piece, path(piece)) for piece in footage) for kind, path in paths.items()}
    figures = {f"whole_{kind}": round(share, 1) for kind, share in kept.items()}
    figures |= {f"jitter_{kind}": round(amount, 3) for kind, amount in jitter.items()}
    unit = "% of frames with a face or person not whole; peer: a crop of the middle; jitter in px of 1280 per frame²"
    return result(name, 100 - kept["ours"], 100 - kept["middle"], unit, 0.1, **figures)


def _framed(footage: Footage, seen: Seen) -> list[Framing]:
    return framings_of(seen, footage.cuts, TARGET, [], footage.end - footage.start)


def _ours(framings: list[Framing]) -> Callable[[float], Box]:
    return lambda time: shown(framing_at(framings, time), time)


def _crop(seen: Seen) -> float:
    return TARGET / seen.aspect


def _exponential(footage: Footage, seen: Seen) -> Callable[[float], Box]:
    """As one writes it: towards the middle of the latest detections, frame by frame."""
    width, place, number, places = _crop(seen), 0.5, 0, []
    wanted = place
    for frame in range(round((footage.end - footage.start) * LOOK.frame_rate) + 1):
        while number < len(seen.samples) and seen.samples[number].time <= frame / LOOK.frame_rate + 1e-6:
            boxes = seen.samples[number].faces or seen.samples[number].people
            wanted = sum(box.centre[0] for box in boxes) / len(boxes) if boxes else wanted
            number += 1
        place = (1 - SMOOTHING) * place + SMOOTHING * wanted if frame else wanted
        places.append(min(max(place - width / 2, 0.0), 1 - width))
    return lambda time: Box(places[min(len(places) - 1, round(time * LOOK.frame_rate))], 0.0, width, 1.0)


def _kept(pieces: Sequence[tuple[Footage, Callable[[float], Box]]]) -> float:
    """Percent of the frames with somebody in them in which all are whole, from left to right."""
    whole = [
        all(box.x >= crop(time).x - TOLERANCE * box.width and box.right <= crop(time).right + TOLERANCE * box.width for box in boxes)
        for piece, crop in pieces
        for time, boxes in piece.truth
        if boxes
    ]
    return 100 * sum(whole) / len(whole)


def _jitter(footage: Footage, crop: Callable[[float], Box]) -> float:
    """Mean size of the crop's acceleration in pixels of a 1280 wide frame per frame squared at 30 a second, without those next to a cut."""
    times = np.arange(0.0, footage.end - footage.start, 1 / LOOK.frame_rate)
    middles = np.array([crop(time).centre[0] * 1280 for time in times])
    near_cut = np.array([any(abs(time - cut) < 3.5 / LOOK.frame_rate for cut in footage.cuts) for time in times])
    return float(np.abs(np.diff(middles, 2))[~near_cut[1:-1]].mean())


def generated(folder: Path, scenes: Sequence[tuple[float, float, tuple[Across, ...]]] = SCENES) -> Footage:
    """A man's head, cut out of a film, pasted over painted grounds along known paths, with a cut between two scenes."""
    head, mask = _head()
    path = folder / "heads.mp4"
    cuts, at, truth, frames = [], 0.0, [], []
    for number, (seconds, scale, middles) in enumerate(scenes):
        count = round(seconds * LOOK.frame_rate)
        places = [[_place(middle(frame / count), 0.45, scale) for middle in middles] for frame in range(count)]
        frames.append((number, scale, places))
        truth += [(at + frame / LOOK.frame_rate, tuple(_face(place) for place in places[frame])) for frame in range(count)]
        at += count / LOOK.frame_rate
        cuts.append(at)
    encode(path, _pictures(frames, head, mask), LOOK)
    return Footage(path, 0.0, at, tuple(cuts[:-1]), tuple(truth))


def _pictures(scenes: list[tuple[int, float, list[list[tuple[float, float, float]]]]], head: Picture, mask: Picture) -> Iterator[Picture]:
    for number, scale, places in scenes:
        ground = _ground(number)
        size = round(HEAD_CROP[2] * scale)
        large, soft = cv2.resize(head, (size, size), interpolation=cv2.INTER_CUBIC), cv2.resize(mask, (size, size))[..., None]
        for heads in places:
            picture = ground.copy()
            for left, top, _ in heads:
                # By whole pixels, as a share of a pixel would need a warp and shows nothing more.
                x, y = round(left * LOOK.width), round(top * LOOK.height)
                first, last = max(0, x), min(LOOK.width, x + size)
                under = picture[y : y + size, first:last]
                over, share = large[: under.shape[0], first - x : last - x], soft[: under.shape[0], first - x : last - x]
                picture[y : y + size, first:last] = (under * (1 - share) + over * share).astype(np.uint8)
            yield picture


def _place(middle: float, down: float, scale: float) -> tuple[float, float, float]:
    """Left and top of a head whose face has its middle there, and its width, as shares."""
    size = HEAD_CROP[2] * scale
    left = middle * LOOK.width - size * (FACE_IN_HEAD[0] + FACE_IN_HEAD[2] / 2)
    top = down * LOOK.height - size * (FACE_IN_HEAD[1] + FACE_IN_HEAD[3] / 2)
    return left / LOOK.width, max(0.0, top) / LOOK.height, size / LOOK.width


def _face(place: tuple[float, float, float]) -> Box:
    left, top, width = place
    height = width * LOOK.width / LOOK.height
    return Box(left + FACE_IN_HEAD[0] * width, top + FACE_IN_HEAD[1] * height, FACE_IN_HEAD[2] * width, FACE_IN_HEAD[3] * height)


def _head() -> tuple[Picture, Picture]:
    """The head in colours of skin, and how much of each of its pixels is pasted."""
    x, y, width, height = HEAD_CROP
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-ss", str(HEAD_AT), "-i", str(MEDIA / "chaplin.mp4"), "-frames:v", "1"]
    command += ["-vf", f"crop={width}:{height}:{x}:{y}", "-pix_fmt", "bgr24", "-f", "rawvideo", "pipe:1"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    grey = np.frombuffer(raw, np.uint8).reshape(height, width, 3)
    mask = np.zeros((height, width), np.float32)
    cv2.ellipse(mask, (65, 70), (46, 66), 0, 0, 360, 1.0, -1)
    return np.clip(grey * np.array([0.8, 0.92, 1.05]), 0, 255).astype(np.uint8), cv2.GaussianBlur(mask, (0, 0), 3)


def _ground(number: int) -> Picture:
    """A painted ground with as many edges as a room has."""
    noise = np.random.default_rng(number)
    ground = cv2.resize(noise.integers(40, 200, (3, 4, 3)).astype(np.float32), (LOOK.width, LOOK.height), interpolation=cv2.INTER_CUBIC)
    for cells in (12, 60, 240):
        grain = noise.normal(0, 40 / math.sqrt(cells / 12), (cells * 9 // 16, cells, 3)).astype(np.float32)
        ground = cv2.add(ground, cv2.resize(grain, (LOOK.width, LOOK.height), interpolation=cv2.INTER_CUBIC))
    picture = np.clip(ground, 0, 255).astype(np.uint8)
    for _ in range(12):
        corner = noise.integers(0, (LOOK.width, LOOK.height))
        size = noise.integers(40, 300, 2)
        cv2.rectangle(picture, corner.tolist(), (corner + size).tolist(), [int(value) for value in noise.integers(30, 220, 3)], -1)
    return picture


def filmed(folder: Path) -> list[Footage]:
    """The stretches with people, from a proxy like ours."""
    path = folder / "people.mp4"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-i",
        str(MEDIA / PEOPLE_FILM),
        "-an",
        "-c:v",
        "libx264",
        "-preset",
        "superfast",
    ]
    subprocess.run([*command, "-crf", "26", "-pix_fmt", "yuv420p", str(path)], check=True)
    pieces = []
    for start, end, edges in PEOPLE:
        times = np.arange(start, end, 0.1)
        left, right = (np.interp(times, [edge[0] for edge in edges], [edge[side] for edge in edges]) for side in (1, 2))
        truth = [
            (float(time - start), (Box(float(x), 0.0, float(far - x), 1.0),) if edges[0][0] <= time <= edges[-1][0] else ())
            for time, x, far in zip(times, left, right, strict=True)
        ]
        pieces.append(Footage(path, start, end, (), tuple(truth)))
    return pieces
