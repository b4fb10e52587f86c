"""A clip cut, cropped to 9:16, captioned and mixed with music, against MoviePy doing the same.

Ours is what a run does: the clip cut exactly, its sound levelled, reframed, captioned and encoded; with the music mixed in between,
and more than the peer does (the peer levels nothing, proves nothing and makes no cover). MoviePy lives in an environment of its own;
see `HOW_TO_GET_THE_PEER`. Its scripts are what its own guide leads to, and what somebody writes who knows that a frame should be
cropped before it is resized. Both sides encode as they do by themselves: MoviePy with x264's medium at 23, which looks worse than ours
(see `videolab_assets.lib.variants.graph.CRF`).
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.footage import Look, make
from benchmarks.measure import cpu_seconds, in_turn, result, unmeasured, wall_seconds
from videolab_assets.lib.captions import captions_of, fonts
from videolab_assets.lib.clips.cut import cut
from videolab_assets.lib.documents import Clip, Framing, PathPoint, Probe, ScoreParts, Word
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.gate import admit
from videolab_assets.lib.probe import probe
from videolab_assets.lib.variants.render import Take, render
from videolab_assets.lib.variants.renditions import renditions_of
from videolab_assets.lib.variants.sound import levelled

PEER_VARIABLE = "MOVIEPY_PYTHON"
HOW_TO_GET_THE_PEER = (
    "MoviePy was not compared: python -m venv /tmp/moviepy && /tmp/moviepy/bin/pip install moviepy==2.2.1, then run this again with "
    f"{PEER_VARIABLE}=/tmp/moviepy/bin/python"
)
SOURCE_SECONDS = 45
START, END = 10.2, 40.2
"""Seconds of the source; neither lies on a key frame, and 30 s is a usual clip."""
ROUNDS = 1
"""One takes the peer seven minutes."""
LEFT = 0.34
"""Where the crop begins, as a share of the frame's width."""
CAPTIONS = ("these are the words", "that somebody says", "in this clip here", "and they are shown", "while they are said")
"""One after the other, each for a fifth of the clip."""
MUSIC_LEVEL = 0.2
SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "lighthouse.mp4"

PEER_PROGRAM = """
import json, sys
from moviepy import AudioFileClip, CompositeAudioClip, CompositeVideoClip, TextClip, VideoFileClip, vfx
asked = json.loads(sys.argv[1])
clip = VideoFileClip(asked["source"]).subclipped(asked["start"], asked["end"])
crop = vfx.Crop(x1=round(asked["left"] * clip.w), width=round(clip.h * 9 / 16))
if asked["crop_first"]:
    picture = clip.with_effects([crop, vfx.Resize((1080, 1920))])
else:
    resized = clip.with_effects([vfx.Resize(height=1920)])
    picture = resized.with_effects([vfx.Crop(x1=round(asked["left"] * resized.w), width=1080)])
lasting = clip.duration / len(asked["captions"])
look = dict(font=asked["font"], font_size=80, color="white", stroke_color="black", stroke_width=6, size=(900, None), method="caption")
texts = [
    TextClip(text=text, **look).with_start(n * lasting).with_duration(lasting).with_position(("center", 1300))
    for n, text in enumerate(asked["captions"])
]
music = AudioFileClip(asked["music"]).with_duration(clip.duration).with_volume_scaled(asked["music_level"])
final = CompositeVideoClip([picture, *texts]).with_audio(CompositeAudioClip([clip.audio, music]))
final.write_videofile(asked["output"], fps=30, codec="libx264", audio_codec="aac", logger=None)
"""


def run() -> list[dict[str, Any]]:
    """CPU and wall seconds for 30 s out of 45 s of 1080p30; about nine minutes."""
    peer = os.environ.get(PEER_VARIABLE)
    if not peer:
        return [unmeasured("moviepy", HOW_TO_GET_THE_PEER)]
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        source, music = _material(Path(folder))
        found = admit(source).probe
        how: list[str] = []
        sides: list[Callable[[], object]] = [
            lambda: how.append(_ours(source, found, music)),
            lambda: _theirs(peer, source, music, crop_first=False),
            lambda: _theirs(peer, source, music, crop_first=True),
        ]
        walls: list[list[float]] = [[] for _ in sides]

        def timed(side: int) -> float:
            spent = 0.0

            def work() -> None:
                nonlocal spent
                spent = cpu_seconds(sides[side])

            walls[side].append(wall_seconds(work))
            return spent

        ours, obvious, best = in_turn(*(lambda side=side: timed(side) for side in range(len(sides))), rounds=ROUNDS)
    wall = [sorted(taken)[len(taken) // 2] for taken in walls]
    unit = f"s for {END - START:.0f} s of 1080p30 cut, cropped to 1080x1920, captioned and mixed; peer: MoviePy 2.2.1"
    obviously, well = "resized and then cropped", "cropped and then resized"
    return [
        result("moviepy", ours, obvious, f"CPU {unit}, {obviously}", 0.1, cut=how[-1]),
        result("moviepy_wall", wall[0], wall[1], f"wall {unit}, {obviously}", 0.1),
        result("moviepy_best", ours, best, f"CPU {unit}, {well}", 1 / 6),
        result("moviepy_best_wall", wall[0], wall[2], f"wall {unit}, {well}", 1 / 6),
    ]


def _material(folder: Path) -> tuple[Path, Path]:
    """45 s of the benchmark's footage as a phone records it, with speech, and music to lay under it."""
    footage = make(Path(tempfile.gettempdir()) / "videolab-benchmarks", seed=1, seconds=60, look=Look(1920, 1080, 30))
    source, music = folder / "source.mp4", folder / "music.wav"
    speech = ["-stream_loop", "-1", "-i", str(SAMPLE)]
    # With several threads and a buffer to fill, x264 makes another file each time, and the clip may be cut in another way.
    picture = ["-c:v", "libx264", "-preset", "veryfast", "-b:v", "16M", "-maxrate", "20M", "-bufsize", "16M", "-threads", "1"]
    _ffmpeg("-i", str(footage.path), *speech, "-map", "0:v", "-map", "1:a", "-t", str(SOURCE_SECONDS), *picture, "-c:a", "aac", str(source))
    chord = "+".join(f"0.1*sin({pitch}*2*PI*t)" for pitch in (220, 277, 330, 440))
    _ffmpeg("-f", "lavfi", "-i", f"aevalsrc={chord}|{chord}:s=44100:d={END - START}", str(music))
    return source, music


def _ffmpeg(*arguments: str) -> None:
    subprocess.run([str(binary()), "-nostdin", "-v", "error", "-y", *arguments], check=True, stdin=subprocess.DEVNULL)


def _ours(source: Path, found: Probe, music: Path) -> str:
    """Everything from the source to the file to post; returns how the clip was cut, on which a third of the time depends."""
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        room = Path(folder)
        (room / "cut").mkdir()
        none = dict.fromkeys(ScoreParts.model_fields)
        clip = Clip(clip_id="c01", start=START, end=END, score=1, parts=ScoreParts(**none), reason="", title="", words=[])
        (made,) = cut(source, found, [clip], Fraction(30), room / "cut")
        mixed = room / "mixed.mp4"
        mix = f"[1:a]volume={MUSIC_LEVEL}[music];[0:a][music]amix=duration=first:normalize=0[a]"
        options = ["-filter_complex", mix, "-map", "0:v", "-map", "[a]", "-c:v", "copy", "-c:a", "flac", "-use_editlist", "0"]
        _ffmpeg("-i", str(made.path), "-i", str(music), *options, "-movflags", "+negative_cts_offsets", str(mixed))
        (rendition, *_) = renditions_of(30)
        mixed_probe = probe(mixed).probe
        sound = levelled(mixed, mixed_probe, rendition.loudness, rendition.true_peak, rendition.audio_bit_rate, room)
        size = (rendition.width, rendition.height)
        captions = captions_of(_words(), "en", size, rendition.safe, "clear")
        width = size[0] / size[1] * 9 / 16
        shown = Framing(
            start=0,
            end=END - START,
            mode="still",
            subject="frame",
            why="benchmark",
            width=width,
            height=1,
            path=[PathPoint(time=0, x=LEFT, y=0)],
        )
        render(mixed, mixed_probe, [Take(rendition, "a", [shown], captions.ass, 1.0, "0a")], sound, room, fonts())
        return made.how


def _words() -> list[Word]:
    said = " ".join(CAPTIONS).split()
    lasting = (END - START) / len(said)
    return [Word(text=word, start=n * lasting, end=(n + 0.9) * lasting, confidence=1) for n, word in enumerate(said)]


def _theirs(peer: str, source: Path, music: Path, *, crop_first: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        asked = {
            "source": str(source),
            "music": str(music),
            "start": START,
            "end": END,
            "left": LEFT,
            "captions": CAPTIONS,
            "font": str(next(fonts().glob("*.ttf"))),
            "music_level": MUSIC_LEVEL,
            "crop_first": crop_first,
            "output": f"{folder}/output.mp4",
        }
        subprocess.run([peer, "-c", PEER_PROGRAM, json.dumps(asked)], check=True, cwd=folder, stdin=subprocess.DEVNULL)
