"""Makes the sample video: a spoken minute about lighthouses, with every cut, pause and sentence at a known time.

    pip install -e .. pillow && apt-get install flite && python samples/make_sample.py

Speech is synthesised by flite, pictures are drawn by `scenes.py`, and everything is encoded by the ffmpeg of imageio-ffmpeg.
Beside `lighthouse.mp4` it writes `lighthouse.truth.json`: what is where, known because it was put there.
"""

import json
import subprocess
import sys
import tempfile
import wave
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from scenes import HEIGHT, SCENES, WIDTH, Frame

FRAME_RATE = 30
SAMPLE_RATE = 16_000
SPEECH_PEAK = 0.6
PAUSE = 0.55
FADE = 0.5
"""Seconds that the picture takes to black, and again from black."""

Samples = NDArray[np.int16]


@dataclass(frozen=True)
class Scene:
    """One picture and what is said over it.

    Attributes:
        lead: seconds before its first sentence. In the first scene and in the last the silence is meant; elsewhere it is a breath.
        tail: seconds after its last sentence.
    """

    name: str
    voice: str
    sentences: tuple[str, ...]
    lead: float = 0.35
    tail: float = 0.35


STORY = (
    Scene(
        "tower",
        "slt",
        (
            "A lighthouse has one simple job, to tell a sailor where the land begins.",
            "Inside every lighthouse there are three things, the light, the lens, and the clock.",
        ),
        lead=0.8,
    ),
    Scene(
        "light",
        "rms",
        (
            "The lamp is smaller than most people expect.",
            "In many towers it is a single electric lamp, not much stronger than the one in your kitchen.",
            "Without any help, that lamp would disappear after two or three miles.",
        ),
    ),
    Scene(
        "lens",
        "slt",
        (
            "The lens is the most beautiful part of the lighthouse.",
            "It is made of many rings of glass, and each ring sends the light toward the horizon.",
            "Through the lens, the same light can be seen from twenty miles away.",
        ),
        tail=FADE + 0.1,
    ),
    Scene("clock", "slt", ("The third part is the clock, which turns the lens at a steady speed.",), lead=FADE, tail=0.6),
    Scene(
        "rhythm",
        "slt",
        (
            "One lighthouse flashes every five seconds, and the next lighthouse flashes every fifteen seconds.",
            "A sailor who counts the seconds between two flashes knows which lighthouse it is.",
        ),
    ),
    Scene(
        "satellite",
        "rms",
        (
            "Today most ships find their way by satellite, and most towers work without a keeper.",
            "Yet the light is still there, because a satellite signal can fail, and a lamp can be seen with your own eyes.",
        ),
    ),
    Scene(
        "dawn",
        "slt",
        ("The next time you are near the coast at night, count the seconds, and the lighthouse will tell you its name.",),
        lead=2.2,
        tail=2.0,
    ),
)
FADED_SCENE = "lens"
"""The scene that leaves through black; every other change is a hard cut."""


def spoken(sentence: str, voice: str, folder: Path) -> Samples:
    """The sentence as flite says it, without the silence around it, at one peak level."""
    path = folder / "sentence.wav"
    subprocess.run(["flite", "-voice", voice, "-t", sentence, "-o", str(path)], check=True)  # noqa: S603, S607
    with wave.open(str(path)) as file:
        if (file.getframerate(), file.getnchannels(), file.getsampwidth()) != (SAMPLE_RATE, 1, 2):
            raise SystemExit(f"flite's voice {voice} is not 16 kHz mono")
        samples = np.frombuffer(file.readframes(file.getnframes()), np.int16).astype(np.float64)
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.abs(samples).max())
    inside = samples[loud[0] : loud[-1] + 1]
    ramp = np.minimum(np.minimum(np.arange(len(inside)), np.arange(len(inside))[::-1]) / 80, 1.0)
    return np.asarray(inside * ramp / np.abs(inside).max() * SPEECH_PEAK * 32767, np.int16)


def tell(story: tuple[Scene, ...], folder: Path) -> tuple[Samples, list[dict[str, object]], list[int]]:
    """The whole sound track, the sentences with their times, and the frame at which each scene ends.

    Scenes end on a frame, so a cut's time is exact in the video.
    """
    pieces: list[Samples] = []
    sentences: list[dict[str, object]] = []
    ends: list[int] = []
    position = 0

    def silence(count: int) -> None:
        nonlocal position
        pieces.append(np.zeros(count, np.int16))
        position += count

    for scene in story:
        silence(round(scene.lead * SAMPLE_RATE))
        for index, sentence in enumerate(scene.sentences):
            if index:
                silence(round(PAUSE * SAMPLE_RATE))
            voice = spoken(sentence, scene.voice, folder)
            start = position / SAMPLE_RATE
            pieces.append(voice)
            position += len(voice)
            sentences.append(
                {
                    "start": round(start, 3),
                    "end": round(position / SAMPLE_RATE, 3),
                    "text": sentence,
                    "voice": scene.voice,
                    "scene": scene.name,
                }
            )
        frame = -(-(position + round(scene.tail * SAMPLE_RATE)) * FRAME_RATE // SAMPLE_RATE)
        silence(-(-frame * SAMPLE_RATE // FRAME_RATE) - position)
        ends.append(frame)
    return np.concatenate(pieces), sentences, ends


def faded(frame: Frame, scene: int, t: float, length: float) -> Frame:
    """The frame on its way to black or from it, if its scene has a fade there."""
    share = 1.0
    if STORY[scene].name == FADED_SCENE:
        share = min(share, (length - t) / FADE)
    if scene and STORY[scene - 1].name == FADED_SCENE:
        share = min(share, t / FADE)
    return frame if share >= 1 else np.asarray(np.round(frame * max(share, 0.0)), np.uint8)


def encode(sound: Path, ends: list[int], output: Path) -> None:
    """Draw every frame into ffmpeg's pipe."""
    to_yuv = "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(FRAME_RATE), "-i", "pipe:0", "-i", str(sound)]
    command += ["-vf", to_yuv, "-c:v", "libx264", "-preset", "slow", "-crf", "27", "-g", "150", "-threads", "2"]
    command += ["-c:a", "aac", "-b:a", "96k", "-ar", "48000", "-ac", "2"]
    command += ["-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact", "-movflags", "+faststart", str(output)]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as process:  # noqa: S603
        assert process.stdin is not None  # noqa: S101
        begin = 0
        for index, (scene, end) in enumerate(zip(STORY, ends, strict=True)):
            paint = SCENES[scene.name]()
            for frame in range(begin, end):
                t = (frame - begin) / FRAME_RATE
                process.stdin.write(faded(paint(t), index, t, (end - begin) / FRAME_RATE).tobytes())
            print(f"{scene.name}: {begin / FRAME_RATE:.2f} to {end / FRAME_RATE:.2f} s", file=sys.stderr)  # noqa: T201
            begin = end
        process.stdin.close()
    if process.returncode:
        raise SystemExit(f"ffmpeg ended with {process.returncode}")


def truth(sentences: list[dict[str, object]], ends: list[int]) -> dict[str, object]:
    """What is where in the video: seconds from its first frame."""
    times = [0.0, *(round(end / FRAME_RATE, 6) for end in ends)]
    fade = 1 + [scene.name for scene in STORY].index(FADED_SCENE)
    last_scene = [sentence for sentence in sentences if sentence["scene"] == STORY[-1].name]
    before = [sentence for sentence in sentences if sentence["scene"] == STORY[-2].name]
    return {
        "video": {"width": WIDTH, "height": HEIGHT, "frame_rate": FRAME_RATE, "duration": times[-1]},
        "scenes": [{"name": scene.name, "start": times[i], "end": times[i + 1]} for i, scene in enumerate(STORY)],
        "cuts": [time for i, time in enumerate(times[1:-1], start=1) if i != fade],
        "fade": {"start": round(times[fade] - FADE, 6), "black": times[fade], "end": round(times[fade] + FADE, 6)},
        "silence": {"start": before[-1]["end"], "end": last_scene[0]["start"]},
        "language": "en",
        "sentences": sentences,
    }


def main() -> None:
    folder = Path(__file__).parent
    with tempfile.TemporaryDirectory() as scratch:
        samples, sentences, ends = tell(STORY, Path(scratch))
        sound = Path(scratch) / "speech.wav"
        with wave.open(str(sound), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(SAMPLE_RATE)
            file.writeframes(samples.tobytes())
        encode(sound, ends, folder / "lighthouse.mp4")
    (folder / "lighthouse.truth.json").write_text(json.dumps(truth(sentences, ends), indent=2) + "\n")


if __name__ == "__main__":
    main()
