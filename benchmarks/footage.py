"""Footage with known cuts: drawn and filmed scenes edited together, with what usually fools a shot detector laid over them.

Everything follows from a seed. Filmed scenes are excerpts without a cut of their own from `../shared/media`; where that folder is
missing, drawn scenes alone are used and `Footage.filmed` says so.
"""

import hashlib
import json
import math
import random
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import cv2
import imageio_ffmpeg
import numpy as np
from cv2.typing import MatLike as Picture

Scene = Iterator[Picture]
"""Endless BGR frames of one shot."""
Kind = Literal["cut", "fade", "dissolve"]

MEDIA = Path(__file__).resolve().parents[2] / "shared" / "media"
EXCERPTS = (
    ("big-buck-bunny-30s.webm", 4.0, 11.5),
    ("big-buck-bunny-30s.webm", 11.9, 15.5),
    ("big-buck-bunny-30s.webm", 15.8, 22.8),
    ("big-buck-bunny-30s.webm", 23.1, 29.0),
    ("speech-example.mp4", 1.0, 41.0),
    ("one-by-one-people.mp4", 2.0, 136.0),
    ("chaplin.mp4", 0.1, 9.4),
)
"""Stretches without a cut: file, first and last second."""


@dataclass(frozen=True)
class Boundary:
    """Where one scene gives way to the next; `start` and `end` in seconds are equal for a cut."""

    kind: Kind
    start: float
    end: float


@dataclass(frozen=True)
class Footage:
    """A made video and what is true of it."""

    path: Path
    boundaries: tuple[Boundary, ...]
    duration: float
    frame_rate: int
    filmed: bool


@dataclass(frozen=True)
class Look:
    """Size and rate of the footage."""

    width: int
    height: int
    frame_rate: int


def make(folder: Path, *, seed: int, seconds: float, look: Look, media: Path = MEDIA) -> Footage:
    """The footage of `seed`, made in `folder` unless it is already there."""
    filmed = media.is_dir()
    identity = json.dumps([seed, seconds, asdict(look), filmed, hashlib.sha256(Path(__file__).read_bytes()).hexdigest()])
    path = folder / f"footage-{hashlib.sha256(identity.encode()).hexdigest()[:16]}.mp4"
    truth = path.with_suffix(".json")
    if not truth.exists():
        folder.mkdir(parents=True, exist_ok=True)
        boundaries = encode(path, _Editor(seed, look, media if filmed else None).cut(seconds), look)
        truth.write_text(json.dumps([asdict(boundary) for boundary in boundaries]))
    known = tuple(Boundary(**boundary) for boundary in json.loads(truth.read_text()))
    return Footage(path, known, seconds, look.frame_rate, filmed)


def encode(path: Path, edit: Iterator[Picture | Boundary], look: Look) -> list[Boundary]:
    """Writes the pictures of `edit` as H.264 and returns the boundaries that came between them."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24"]
    command += ["-s", f"{look.width}x{look.height}", "-r", str(look.frame_rate), "-i", "pipe:0"]
    command += ["-c:v", "libx264", "-preset", "veryfast", "-crf", "21", "-pix_fmt", "yuv420p", str(path)]
    boundaries: list[Boundary] = []
    with subprocess.Popen(command, stdin=subprocess.PIPE) as child:
        assert child.stdin is not None  # noqa: S101 - asked for above
        for item in edit:
            if isinstance(item, Boundary):
                boundaries.append(item)
            else:
                child.stdin.write(item.tobytes())
        child.stdin.close()
    if child.returncode:
        raise RuntimeError(f"ffmpeg could not write the footage: exit {child.returncode}")
    return boundaries


class _Editor:
    """Cuts scenes together: two thirds hard cuts, the rest dissolves and fades through black; every third shot is disturbed."""

    def __init__(self, seed: int, look: Look, media: Path | None) -> None:
        self.chance = random.Random(seed)
        self.noise = np.random.default_rng(seed)
        self.look = look
        self.media = media
        self.drawn = (self.painting, self.painting, self.balls, self.grain, self.stripes)

    def cut(self, seconds: float) -> Iterator[Picture | Boundary]:
        """Exactly `seconds` of frames, each boundary before the frames of its transition."""
        rate, total = self.look.frame_rate, round(seconds * self.look.frame_rate)
        at, scene = 0, self.scene()
        while True:
            for _ in range(min(round(self.chance.uniform(1.0, 4.5) * rate), total - at)):
                yield next(scene)
                at += 1
            kind: Kind = self.chance.choices(("cut", "dissolve", "fade"), (66, 17, 17))[0]
            length = 0 if kind == "cut" else round(self.chance.uniform(0.4, 1.4) * rate)
            if total - at < length + rate // 2:
                for _ in range(total - at):
                    yield next(scene)
                return
            yield Boundary(kind, at / rate, (at + length) / rate)
            following = self.scene()
            for frame in range(length):
                yield blend(kind, next(scene), next(following), (frame + 1) / (length + 1))
            at, scene = at + length, following

    def scene(self) -> Scene:
        """One shot, of film three times in five where there is any, perhaps disturbed."""
        film = self.media is not None and self.chance.random() < 0.6
        scene = self.film() if film else self.chance.choice(self.drawn)()
        disturbances: tuple[Callable[[Scene], Scene], ...] = (self.flash, self.lower_third, self.inset, self.shake, self.exposure)
        return self.chance.choice(disturbances)(scene) if self.chance.random() < 0.35 else scene

    def film(self) -> Scene:
        """An excerpt, sometimes mirrored or closer, so that neighbours from one take still differ."""
        assert self.media is not None  # noqa: S101 - the caller looked
        name, first, last = self.chance.choice(EXCERPTS)
        start = self.chance.uniform(first, max(first, last - 8))
        width, height, rate = self.look.width, self.look.height, self.look.frame_rate
        closer, mirrored = self.chance.choice((1.0, 1.0, 1.5, 2.0)), self.chance.random() < 0.3
        graph = f"crop=iw/{closer}:ih/{closer},scale={width}:{height},setsar=1,fps={rate}" + (",hflip" if mirrored else "")
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-ss", f"{start:.3f}", "-t", f"{min(8.0, last - start):.3f}"]
        command += ["-i", str(self.media / name), "-vf", graph, "-pix_fmt", "bgr24", "-f", "rawvideo", "pipe:1"]
        size = width * height * 3
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            assert child.stdout is not None  # noqa: S101 - asked for above
            picture = np.zeros((height, width, 3), np.uint8)
            while len(raw := child.stdout.read(size)) == size:
                picture = np.frombuffer(raw, np.uint8).reshape(height, width, 3)
                yield picture
        while True:
            yield picture

    def colour(self) -> tuple[int, int, int]:
        return self.chance.randrange(256), self.chance.randrange(256), self.chance.randrange(256)

    def canvas(self, scale: float = 2.0) -> Picture:
        """A painted landscape `scale` times the frame's size."""
        width, height = int(self.look.width * scale), int(self.look.height * scale)
        corners = np.array([[self.colour(), self.colour()], [self.colour(), self.colour()]], np.uint8)
        ground = cv2.resize(corners, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)
        for cells in (4, 12, 40, 160):
            patches = self.noise.normal(0, 90 / math.sqrt(cells), (cells, cells, 3)).astype(np.float32)
            ground += cv2.resize(patches, (width, height), interpolation=cv2.INTER_CUBIC)
        picture = np.clip(ground, 0, 255).astype(np.uint8)
        for _ in range(self.chance.randrange(4, 16)):
            centre = (self.chance.randrange(width), self.chance.randrange(height))
            axes = (self.chance.randrange(width // 64, width // 8), self.chance.randrange(height // 36, height // 6))
            cv2.ellipse(picture, centre, axes, self.chance.randrange(180), 0, 360, self.colour(), -1, cv2.LINE_AA)
        return picture

    def painting(self) -> Scene:
        """A pan or zoom over a painting; one in four moves fast."""
        width, height = self.look.width, self.look.height
        canvas, fast = self.canvas(), self.chance.random() < 0.25
        speed = self.chance.uniform(0.3, 0.8) if fast else self.chance.uniform(0.0, 0.12)
        angle = self.chance.uniform(0, 2 * math.pi)
        zoom = self.chance.choice((0.0, 0.0, 0.05, -0.05, 0.25 if fast else 0.1))
        frame = 0
        while True:
            seconds = frame / self.look.frame_rate
            scale = math.exp(zoom * min(seconds, 4.0))
            matrix = np.array([[scale, 0, 0], [0, scale, 0]], np.float32)
            drift = np.array([math.cos(angle), math.sin(angle)]) * speed * width * seconds
            matrix[:, 2] = np.array([width / 2, height / 2]) - scale * np.array([width, height]) + drift
            yield cv2.warpAffine(canvas, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
            frame += 1

    def balls(self) -> Scene:
        """A still ground with large balls crossing it."""
        width, height = self.look.width, self.look.height
        ground = self.canvas(1.0)
        balls = [(self.colour(), self.chance.uniform(0.03, 0.16), self.chance.random(), self.chance.random()) for _ in range(7)]
        frame = 0
        while True:
            picture = ground.copy()
            seconds = frame / self.look.frame_rate
            for colour, radius, across, down in balls:
                x = int(width * (0.5 + 0.5 * math.sin(2 * math.pi * (across + seconds * radius * 3))))
                y = int(height * (0.5 + 0.5 * math.cos(2 * math.pi * (down + seconds * radius * 4))))
                cv2.circle(picture, (x, y), int(radius * height), colour, -1, cv2.LINE_AA)
            yield picture
            frame += 1

    def grain(self) -> Scene:
        """A slow pan in bad light: strong noise in every frame."""
        coarse = (self.look.height // 2, self.look.width // 2)
        grains = [cv2.resize(self.noise.normal(0, 14, coarse).astype(np.float32), (self.look.width, self.look.height)) for _ in range(6)]
        for frame, picture in enumerate(self.painting()):
            dark = picture.astype(np.float32) * 0.5 + grains[frame % 6][..., None]
            yield np.clip(dark, 0, 255).astype(np.uint8)

    def stripes(self) -> Scene:
        """A fast pattern that never looks the same twice."""
        width, height = self.look.width, self.look.height
        across, down = np.meshgrid(np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32))
        pitch, speed = self.chance.uniform(8, 30), self.chance.uniform(1, 6)
        tint = np.array(self.colour(), np.float32) / 255
        frame = 0
        while True:
            wave = 127 + 100 * np.sin(pitch * (across + 0.4 * down) + speed * frame / self.look.frame_rate)
            yield (wave[..., None] * tint).astype(np.uint8)
            frame += 1

    def flash(self, scene: Scene) -> Scene:
        """A photographer's flash of one to three frames about once in a second."""
        length = self.chance.randrange(1, 4)
        for frame, picture in enumerate(scene):
            lit = frame % self.look.frame_rate in range(12, 12 + length)
            yield cv2.convertScaleAbs(picture, alpha=0.4, beta=150) if lit else picture

    def lower_third(self, scene: Scene) -> Scene:
        """A caption bar that jumps in and out."""
        width, height, colour = self.look.width, self.look.height, self.colour()
        for frame, picture in enumerate(scene):
            if frame % (2 * self.look.frame_rate) > self.look.frame_rate // 2:
                picture = picture.copy()
                cv2.rectangle(picture, (width // 20, height * 3 // 4), (width * 4 // 5, height * 19 // 20), colour, -1)
                cv2.putText(picture, "A name and a title", (width // 12, height * 7 // 8), 0, height / 500, (255, 255, 255), 2)
            yield picture

    def inset(self, scene: Scene) -> Scene:
        """A picture in the corner whose own content cuts."""
        width, height = self.look.width // 3, self.look.height // 3
        pictures = [cv2.resize(self.canvas(0.5), (width, height)) for _ in range(4)]
        for frame, picture in enumerate(scene):
            picture = picture.copy()
            picture[-height - 10 : -10, 10 : 10 + width] = pictures[frame // self.look.frame_rate % 4]
            yield picture

    def shake(self, scene: Scene) -> Scene:
        """A hand-held camera."""
        width, height = self.look.width, self.look.height
        for picture in scene:
            matrix = np.array([[1.08, 0, 0], [0, 1.08, 0]], np.float32)
            matrix[:, 2] = self.noise.normal(-0.04, 0.006, 2) * (width, height)
            yield cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101)

    def exposure(self, scene: Scene) -> Scene:
        """A camera that corrects its exposure back and forth."""
        for frame, picture in enumerate(scene):
            yield cv2.convertScaleAbs(picture, alpha=0.8 + 0.25 * math.sin(frame / self.look.frame_rate * 3))


def blend(kind: Kind, before: Picture, after: Picture, share: float) -> Picture:
    """A frame of a transition, `share` of the way through: both mixed, or one darkened to black in its half of a fade."""
    if kind == "dissolve":
        return cv2.addWeighted(before, 1 - share, after, share, 0)
    picture, light = (before, 1 - 2 * share) if share < 0.5 else (after, 2 * share - 1)
    return cv2.convertScaleAbs(picture, alpha=max(0.0, light))


@dataclass(frozen=True)
class Score:
    """How well found boundaries match the known ones."""

    f1: float
    cut_f1: float
    gradual_found: int
    gradual: int
    invented: int


def score(known: Sequence[Boundary], found: Sequence[float], frame_rate: float) -> Score:
    """Matches each known boundary with at most one of `found` (seconds).

    A match lies within two frames of a cut, or within a transition or a quarter of a second of it. `cut_f1` leaves out
    the found boundaries that belong to a fade or a dissolve.
    """
    left = sorted(found)
    hits = {"cut": 0, "fade": 0, "dissolve": 0}
    for boundary in sorted(known, key=lambda boundary: boundary.kind != "cut"):
        slack = 2.01 / frame_rate if boundary.kind == "cut" else 0.25
        near = [time for time in left if boundary.start - slack <= time <= boundary.end + slack]
        if near:
            left.remove(min(near, key=lambda time: abs(2 * time - boundary.start - boundary.end)))
            hits[boundary.kind] += 1
    cuts = sum(boundary.kind == "cut" for boundary in known)
    gradual_found = hits["fade"] + hits["dissolve"]
    return Score(
        f1=f1(hits["cut"] + gradual_found, len(known), len(found)),
        cut_f1=f1(hits["cut"], cuts, len(found) - gradual_found),
        gradual_found=gradual_found,
        gradual=len(known) - cuts,
        invented=len(left),
    )


def f1(hits: int, known: int, found: int) -> float:
    """The harmonic mean of precision and recall in percent, to a tenth."""
    return round(200 * hits / max(1, known + found), 1)
