"""The command itself: what is shared, and what never reaches it."""

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from videolab_assets.lib.documents import Framing, PathPoint, Probe, VideoStream
from videolab_assets.lib.platforms import PLATFORMS
from videolab_assets.lib.variants.graph import Cover, Picture, command
from videolab_assets.lib.variants.render import MOST_MEMORY, batches_of
from videolab_assets.lib.variants.renditions import Rendition, renditions_of

VIDEO = VideoStream(
    index=0, codec="h264", duration=20, width=1920, height=1080, coded_width=1920, coded_height=1080, frame_rate=30, pixel_format="yuv420p"
)
PROBE = Probe(container="mov", duration=20, bytes=1, bit_rate=1, streams=1, video=VIDEO)


def crop(at: float = 0.1, why: str = "") -> tuple[Framing, ...]:
    path = [PathPoint(time=0, x=at, y=0)]
    return (Framing(start=0, end=20, mode="still", subject="frame", why=why, width=0.316, height=1, path=path),)


def graph_of(pictures: list[Picture], covers: list[Cover] | None = None) -> str:
    arguments = command("ffmpeg", PROBE, pictures, covers or [], False, 1, 9)
    return arguments[arguments.index("-filter_complex") + 1]


def test_looks_that_differ_in_captions_share_the_reframed_picture() -> None:
    """Scaling twice from full size is what makes such graphs slow."""
    vertical, square = renditions_of(30)
    pictures = [
        Picture("0a", vertical, crop(why="a face"), "0a.ass"),
        Picture("0b", vertical, crop(why="the same face"), "0b.ass"),
        Picture("1a", square, crop(), None),
    ]
    graph = graph_of(pictures, [Cover("0a", vertical, crop(), 3.0, None)])
    assert len(re.findall(r"scale=\d{3,4}:", graph)) == 2
    assert graph.count("fps=") == 1


def test_shots_shown_the_same_way_share_their_filters() -> None:
    """Each scaler keeps its pictures until the end: one for each of twenty shots took 650 MB."""
    (vertical, _) = renditions_of(30)
    shots = [crop()[0].model_copy(update={"start": n, "end": n + 1, **({"mode": "fit", "width": 1.0} if n % 2 else {})}) for n in range(20)]
    graph = graph_of([Picture("0a", vertical, tuple(shots), None)])
    assert len(re.findall(r"scale=\d{3,4}:\d{3,4}:in", graph)) == 2
    assert "concat=a=0:n=20" in graph


def test_a_long_clip_gets_fewer_bits_where_its_file_would_be_too_large() -> None:
    """600 s at 8 Mbit/s are 600 MB: twice what TikTok takes."""
    (rendition,) = renditions_of(30, {"tiktok_video": PLATFORMS["tiktok_video"]})
    long = PROBE.model_copy(update={"video": VIDEO.model_copy(update={"duration": 590.0})})
    arguments = command("ffmpeg", long, [Picture("0a", rendition, crop(), None)], [], False, 1, 9)
    highest = int(arguments[arguments.index("-maxrate") + 1])
    assert (highest + rendition.audio_bit_rate) * 590 / 8 < rendition.largest_bytes


def pictures_of(renditions: list[Rendition], looks: int) -> list[Picture]:
    return [Picture(f"{n}{look}", one, crop(look / 10), None) for n, one in enumerate(renditions) for look in range(looks)]


@pytest.mark.parametrize("cores", [1, 2, 16])
def test_batches_fit_the_memory(cores: int) -> None:
    """Each encoder keeps dozens of frames: all at once, many takes would push the machine into swap."""
    usual = pictures_of(renditions_of(30), 2)
    assert len(batches_of(usual, cores)) == 1
    many = pictures_of([replace(rendition, frame_rate=Fraction(rate)) for rate in (24, 25, 30) for rendition in renditions_of(30)], 2)
    batches = batches_of(many, cores)
    assert sorted(picture.name for batch in batches for picture in batch.pictures) == sorted(picture.name for picture in many)
    for batch in [*batches, *batches_of(usual, cores)]:
        assert batch.memory <= MOST_MEMORY
        assert batch.threads * len(batch.pictures) <= max(cores, len(batch.pictures))


def test_nothing_in_the_command_is_a_callers_path() -> None:
    """A name with a colon is a filter option to ffmpeg, and one with a protocol is a download."""
    (first, *_) = renditions_of(30)
    arguments = command(
        "ffmpeg", PROBE, [Picture("0a", first, crop(), "0a.ass")], [Cover("0a", first, crop(), 1, "0a.cover.ass")], True, 1, 9
    )
    files = [argument for argument in arguments if "/" in argument and not argument.startswith(("[", "30/"))]
    assert files == ["file:in/source", "file:in/sound", "out/0a.mp4", "out/0a.jpg"]
    assert str(Path.cwd()) not in " ".join(arguments)
