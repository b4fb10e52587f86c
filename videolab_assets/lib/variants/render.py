"""Renders a clip's variants: one decode makes all of them, two only where one would need too much memory."""

import os
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

from videolab_assets.lib import sandbox
from videolab_assets.lib.documents import Framing, Probe, VideoStream
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.ffmpeg import binary, version
from videolab_assets.lib.pipes import Progress
from videolab_assets.lib.platforms import Margins
from videolab_assets.lib.probe import probe as read_probe
from videolab_assets.lib.running import Ran
from videolab_assets.lib.variants.graph import Cover, Picture, alike, command, frame_count, ways_of
from videolab_assets.lib.variants.renditions import Rendition
from videolab_assets.lib.variants.running import run_ffmpeg
from videolab_assets.lib.variants.sound import Sound

MOST_MEMORY = 900e6
"""Bytes that one ffmpeg may take."""
DECODER_MEMORY = 90e6
ENCODER_MEMORY = 33.0
"""Bytes a pixel of an encoder with one thread and the filters before it. Measured in all: 1, 4, 5 encoders of about 1080x1920 take 140,
299, 392 MB where these numbers expect 187, 334, 432."""
THREAD_MEMORY = 14.0
"""Bytes a pixel that each further thread adds: it keeps frames of its own."""
WAY_MEMORY = 13.0
"""Bytes a pixel that each further way of showing shots adds: its filters keep pictures of their own."""
MOST_THREADS = 4
NO_MARGINS = Margins(0, 0, 0, 0)
Made = TypeVar("Made", Picture, Cover)
_GRAPH_FROM_FILE = {False: "-/filter_complex", True: "-filter_complex_script"}
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")


@dataclass(frozen=True)
class Take:
    """One variant to render.

    Attributes:
        rendition: the file's terms.
        label: of the look, `a` or `b`.
        framings: how each shot is shown, in seconds of the clip; at least one.
        ass: captions to burn in, an ASS script; None for none.
        cover_time: seconds of the clip.
        name: the files' stem: lower-case letters, digits and `-`, one for each take.
        headline_cover_ass: an ASS script to draw on the cover as it looks one second in; None for none.
    """

    rendition: Rendition
    label: str
    framings: Sequence[Framing]
    ass: str | None
    cover_time: float
    name: str
    headline_cover_ass: str | None = None


@dataclass(frozen=True)
class Rendered:
    """A take's files, which takes that look the same share, and the bytes of memory that making them took at most."""

    video: Path
    cover: Path
    peak_memory: int


def render(
    clip: Path, probe: Probe, takes: Sequence[Take], sound: Sound | None, work: Path, fonts: Path, *, progress: Progress | None = None
) -> list[Rendered]:
    """The takes' videos (H.264 High and the sound as it is, MP4) and covers (JPEG), in the order of the takes.

    Args:
        clip: a file of ours, its picture of a constant rate.
        probe: of `clip`.
        takes: all that are wanted of the clip.
        sound: from `levelled`; None for a silent film.
        work: an existing private folder; the files appear in its folder `out`.
        fonts: the folder of the fonts that the captions name.
        progress: told the seconds of the clip that are done, from another thread.

    Raises:
        PermanentError: the clip is damaged, or has no picture.
        TransientError: the machine failed: disk full, time or memory limit.
        ValueError: a name is not one, or stands for two takes.
    """
    names = [take.name for take in takes]
    if len(set(names)) < len(names) or not all(map(_NAME.fullmatch, names)):
        raise ValueError(f"takes need names of their own, of lower-case letters, digits and hyphens: {names}")
    if probe.video is None:
        raise PermanentError("This clip has no picture: materialize `clips` again, so that it is cut anew.")
    texts, out = work / "texts", work / "out"
    texts.mkdir()
    out.mkdir()
    pictures, video_of = _distinct(map(_picture, takes))
    covers, cover_of = _distinct(map(_cover, takes))
    inputs = {"source": clip, "fonts": fonts, **({"sound": sound.path} if sound else {}), **_written(takes, texts)}
    batches = batches_of(pictures, len(os.sched_getaffinity(0)))
    peak = 0
    for number, batch in enumerate(batches):
        of_batch = [cover for cover in covers if batch.makes(cover, batches)]
        graph = texts / f"graph{number}"
        told = _part_of(progress, number, len(batches), probe.video.duration)
        ran = _run(batch, of_batch, probe, inputs, graph, out, _limits(probe.video, batch.pictures), told)
        peak = max(peak, ran.peak_memory_bytes)
    for picture in pictures:
        _verify(out / f"{picture.name}.mp4", picture.rendition, probe.video)
    return [Rendered(out / f"{video}.mp4", _filled(out / f"{cover}.jpg"), peak) for video, cover in zip(video_of, cover_of, strict=True)]


@dataclass(frozen=True)
class Batch:
    """What one ffmpeg encodes, with how many threads each."""

    pictures: list[Picture]
    threads: int

    @property
    def memory(self) -> float:
        """Bytes that it will take at most."""
        a_pixel = ENCODER_MEMORY + (self.threads - 1) * THREAD_MEMORY
        looks = {_look(picture): picture for picture in self.pictures}
        filters = sum(_pixels(picture) * (ways_of(picture.framings) - 1) for picture in looks.values()) * WAY_MEMORY
        return DECODER_MEMORY + sum(map(_pixels, self.pictures)) * a_pixel + filters

    def makes(self, cover: Cover, batches: Sequence["Batch"]) -> bool:
        """Whether this is the first of `batches` that has the cover's picture."""
        first = next(batch for batch in batches if any(_look(picture) == _look(cover) for picture in batch.pictures))
        return first is self


def batches_of(pictures: Sequence[Picture], cores: int) -> list[Batch]:
    """As few decodes as memory allows, those that share a reframed picture together, and a thread for each core but no more."""
    looks: dict[Hashable, list[Picture]] = {}
    for picture in pictures:
        looks.setdefault(_look(picture), []).append(picture)
    batches = [Batch([], 1)]
    for picture in (picture for look in looks.values() for picture in look):
        larger = Batch([*batches[-1].pictures, picture], 1)
        if larger.memory <= MOST_MEMORY or not batches[-1].pictures:
            batches[-1] = larger
        else:
            batches.append(Batch([picture], 1))
    return [_with_threads(batch, cores) for batch in batches]


def _with_threads(batch: Batch, cores: int) -> Batch:
    most = max(1, min(MOST_THREADS, cores // len(batch.pictures)))
    choices = (replace(batch, threads=threads) for threads in range(most, 1, -1))
    return next((choice for choice in choices if choice.memory <= MOST_MEMORY), batch)


def _pixels(picture: Picture) -> int:
    return picture.rendition.width * picture.rendition.height


def _look(wanted: Picture | Cover) -> Hashable:
    terms = wanted.rendition
    return terms.width, terms.height, terms.frame_rate, alike(wanted.framings)


def _picture(take: Take) -> tuple[Hashable, Picture]:
    """The video of a take, and what decides its bytes."""
    same = replace(take.rendition, platforms=(), safe=NO_MARGINS)
    captions = f"{take.name}.ass" if take.ass is not None else None
    return (same, alike(take.framings), take.ass), Picture(take.name, take.rendition, tuple(take.framings), captions)


def _cover(take: Take) -> tuple[Hashable, Cover]:
    headline = f"{take.name}.cover.ass" if take.headline_cover_ass is not None else None
    cover = Cover(take.name, take.rendition, tuple(take.framings), take.cover_time, headline)
    return (_look(cover), take.cover_time, take.headline_cover_ass), cover


def _distinct(keyed: Iterable[tuple[Hashable, Made]]) -> tuple[list[Made], list[str]]:
    """The first of each key, and for each item the name of the one that stands for it."""
    first: dict[Hashable, Made] = {}
    names = [first.setdefault(key, made).name for key, made in keyed]
    return list(first.values()), names


def _written(takes: Sequence[Take], folder: Path) -> dict[str, Path]:
    """The takes' ASS scripts as files, by the names that the graph knows them by."""
    scripts = {f"{take.name}.ass": take.ass for take in takes} | {f"{take.name}.cover.ass": take.headline_cover_ass for take in takes}
    written = {}
    for name, script in scripts.items():
        if script is not None:
            written[name] = folder / name
            written[name].write_text(script)
    return written


def _run(
    batch: Batch,
    covers: Sequence[Cover],
    probe: Probe,
    inputs: Mapping[str, Path],
    graph: Path,
    out: Path,
    limits: sandbox.Limits,
    progress: Progress | None,
) -> Ran:
    """One decode. The graph goes into a file: a moving crop's path may be longer than Linux lets an argument be."""

    def arguments(progress_to: int) -> list[str]:
        whole = command(str(binary()), probe, batch.pictures, covers, "sound" in inputs, batch.threads, progress_to)
        place = whole.index("-filter_complex")
        graph.write_text(whole[place + 1])
        whole[place : place + 2] = [_GRAPH_FROM_FILE[before_7(version())], "in/graph"]
        return whole

    # The file must be there before it is handed over; the arguments are made when the pipe is.
    graph.touch()
    return run_ffmpeg(arguments, {**inputs, "graph": graph}, out, limits, progress)


def before_7(ffmpeg_version: str) -> bool:
    """Whether this release has `-filter_complex_script`, which 8 no longer has, rather than `-/filter_complex`."""
    number = re.match(r"n?(\d{1,3})\.", ffmpeg_version)
    return number is not None and int(number[1]) < 7


def _part_of(progress: Progress | None, number: int, batches: int, duration: float) -> Progress | None:
    """Progress over all batches, each of which makes its share of the clip's seconds."""
    if progress is None:
        return None
    tell = progress
    return lambda seconds: tell((number * duration + seconds) / batches)


def _limits(video: VideoStream, pictures: Sequence[Picture]) -> sandbox.Limits:
    """Generous multiples of what a slow core needs: a 1080x1920 frame takes 0.025 CPU seconds (measured)."""
    frames = sum(frame_count(video, picture.rendition.frame_rate) for picture in pictures)
    cpu = 120 + 0.4 * frames + 0.2 * frame_count(video, Fraction(video.frame_rate))
    return sandbox.Limits(
        memory_bytes=(6 + len(pictures)) << 30,
        cpu_seconds=cpu,
        wall_seconds=2 * cpu,
        file_bytes=(64 << 20) + int(video.duration * max(picture.rendition.video_bit_rate for picture in pictures) / 4),
        open_files=128,
    )


def _verify(path: Path, rendition: Rendition, video: VideoStream) -> None:
    """Exit codes are not believed."""
    found = read_probe(_filled(path)).facts.video
    expected = frame_count(video, rendition.frame_rate)
    if found is None or (found.coded_width, found.coded_height) != (rendition.width, rendition.height):
        raise PermanentError(f"Rendering left a {path.name} of the wrong size: report this clip.", str(found))
    if abs(found.packets - expected) > 1:
        raise PermanentError(
            f"Rendering made {found.packets} frames of {expected}: materialize `clips` again, so that the clip is cut anew.", path.name
        )


def _filled(path: Path) -> Path:
    if not path.is_file() or path.stat().st_size == 0:
        raise PermanentError(f"Rendering left no {path.name}, and no error: materialize `clips` again, so that the clip is cut anew.")
    return path
