"""One stretch of an original through ffmpeg: its frames on the constant grid, its sound to the sample, and what was seen and heard.

    source ─┬─ picture ─ constant rate ─ these frames ─ upright, BT.709 ─┬─ picture.mp4
            │                                                           └─ a few frames, small ─ seen
            └─ sound ─┬─ 48 kHz ─ these samples ─ fades ─ sound.m4a
                      └─ 16 kHz mono ─ this time ─ heard

Frame n of the grid is the one that the proxy shows at n / rate: time stamps are kept as the whole file has them, and frames are chosen
by them, so that it does not matter where in the file ffmpeg began to read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib import sandbox
from videolab_assets.lib.decode import steady_copy
from videolab_assets.lib.documents import Probe, VideoStream
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.ffmpeg import HOSTILE_INPUT, binary
from videolab_assets.lib.graph import GAP_IN_SOUND, GAP_IN_STEADY_SOUND, Plan, deinterlaced, longest_kept_gap, upright_sdr
from videolab_assets.lib.pipes import Readers
from videolab_assets.lib.probe import probe as read_probe
from videolab_assets.lib.running import GRAPH_REBUILT, Work, run

SOUND_RATE = 48_000
SOUND_BIT_RATES = {1: "96k", 2: "192k"}
SOUND_CODER = "fast"
"""Where a tone sets in, ffmpeg's other one overshoots by up to 72 %, this one by 3 %; both take the same time at these bit rates."""
PRIMING = 1024
"""Samples that ffmpeg's AAC encoder puts before the first. Without an edit list they are heard, so they take the place of the clip's
first 21 ms and all else stays in time with the picture."""
FADE = 576
"""Samples, 12 ms: with the encoder's 21 ms, 33 ms at the start."""
MARGIN = 0.5
"""Seconds to begin before a stretch: sound decoders need up to a quarter of one (MP3's bit reservoir) to be exact."""
SEEN_WIDTH, SEEN_HEIGHT = 64, 36
HEARD_RATE = 16_000
GRAPH_LOST = b"Error reinitializing filters"
CUTTING = Work(
    "Cutting",
    "cut",
    "a clip",
    "This video's data is damaged where a clip was to be cut: exclude that stretch, or upload it anew.",
)

Stream = Any
"""A node of ffmpeg-python, which has no types."""
Frames = NDArray[np.uint8]
"""Luma; shape (frames, SEEN_HEIGHT, SEEN_WIDTH)."""
Samples = NDArray[np.int16]
"""Mono, HEARD_RATE a second."""


@dataclass(frozen=True)
class Footage:
    """A file to take stretches of, and how it is laid on the grid.

    Attributes:
        rate: frames a second of the grid.
        plan: what the picture becomes; None leaves it as it is coded.
        smallest_gap: seconds between two packets of sound above which silence is put there.
    """

    path: Path
    probe: Probe
    video: VideoStream
    rate: Fraction
    plan: Plan | None
    smallest_gap: float = GAP_IN_SOUND

    @property
    def has_sound(self) -> bool:
        return self.probe.audio is not None

    def seconds(self, frame: int) -> Fraction:
        return frame / self.rate

    def samples(self, frame: int) -> int:
        """The sample that is heard when `frame` is shown."""
        return round(frame / self.rate * SOUND_RATE)


@dataclass(frozen=True)
class Passage:
    """What to make of one reading.

    Attributes:
        first, end: the frames to encode are `first` to `end` - 1; none where they are equal.
        seen: frames to look at, in order; they may lie beside those to encode.
        sound: first and end frame of the sound to encode; None for none.
        seek: seconds since time 0 to begin reading at; None reads from the start, as the proxy was made.
        encoder: options for x264.
    """

    first: int = 0
    end: int = 0
    seen: tuple[int, ...] = ()
    sound: tuple[int, int] | None = None
    seek: Fraction | None = None
    encoder: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Taken:
    """What came of it: `picture.mp4` and `sound.m4a` where they were wanted, the frames seen, and the source's sound from the time on
    at which that of the clip sets in, after the encoder's priming.

    `late` says that the sound should have begun earlier.
    """

    picture: Path | None
    sound: Path | None
    seen: Frames
    heard: Samples | None
    late: bool


def around(first: int, end: int) -> tuple[int, ...]:
    """The first three and the last three frames of a stretch, in order."""
    return tuple(sorted({*range(first, min(first + 3, end)), *range(max(first, end - 3), end)}))


def take(footage: Footage, passage: Passage, work: Path) -> Taken:
    """Reads one stretch and leaves what is wanted of it in `work`, an empty folder.

    Raises:
        ShapeChanged: the picture's size or the sound's channels change within it.
        PermanentError: the file is damaged there.
        TransientError: the machine failed.
    """
    _run(_command(footage, passage), footage.path, work, _limits(footage, passage))
    seen = work / "seen"
    return Taken(
        picture=_there(work / "picture.mp4") if passage.end > passage.first else None,
        sound=_there(work / "sound.m4a") if passage.sound else None,
        seen=np.fromfile(seen, np.uint8).reshape(-1, SEEN_HEIGHT, SEEN_WIDTH)
        if seen.exists()
        else np.empty((0, SEEN_HEIGHT, SEEN_WIDTH), np.uint8),
        heard=np.pad(np.fromfile(work / "heard", "<i2"), (_late(footage, passage.sound), 0)) if passage.sound else None,
        late=passage.sound is not None and passage.seek is not None and _began_late(footage, passage.sound, work),
    )


def _there(path: Path) -> Path:
    if not path.is_file() or path.stat().st_size == 0:
        raise PermanentError("There are no frames or samples at this clip's place in the video: make the plan again.", path.name)
    return path


def _command(footage: Footage, passage: Passage) -> list[str]:
    timed: dict[str, Any] = {"dts_delta_threshold": f"{longest_kept_gap(footage.probe):.3f}"}
    if passage.seek is not None:
        timed |= {"ss": f"{float(passage.seek):.6f}", "noaccurate_seek": None}
    source = ffmpeg.input("file:in/source", **HOSTILE_INPUT, **timed)
    outputs: list[Stream] = []
    if passage.seen or passage.end > passage.first:
        outputs += _picture(source[str(footage.video.index)], footage, passage)
    if passage.sound and footage.probe.audio:
        outputs += _sound(source[str(footage.probe.audio.index)], footage, passage.sound, passage.seek is None)
    output = ffmpeg.merge_outputs(*outputs).global_args("-nostdin", "-hide_banner", "-nostats")
    if passage.seek is not None:
        output = output.global_args("-copyts", "-start_at_zero")
    compiled: list[str] = output.compile(cmd=str(binary()), overwrite_output=True)
    return compiled


def _picture(picture: Stream, footage: Footage, passage: Passage) -> list[Stream]:
    rate = f"{footage.rate.numerator}/{footage.rate.denominator}"
    step = f"{footage.rate.denominator}/{footage.rate.numerator}"
    wanted = (*passage.seen, *((passage.first, passage.end - 1) if passage.end > passage.first else ()))
    first, last = min(wanted), max(wanted)
    # Padded at the start only where the picture begins after it: a graph built anew in the middle would pad again.
    begins_later = passage.seek is None and first <= footage.video.start * footage.rate + 1
    gridded = picture.filter("fps", rate, **({"start_time": 0} if begins_later else {}))
    # bwdif halves the time base; and it looks at the frames beside, so that it comes before any is dropped.
    gridded = deinterlaced(gridded, footage.video).filter("settb", step)
    gridded = gridded.filter("trim", start_pts=first, end_pts=last + 1)
    if footage.plan:
        gridded = upright_sdr(gridded, footage.video, footage.plan)
    outputs: list[Stream] = []
    to_see = gridded
    if passage.end > passage.first:
        if passage.seen:
            split = gridded.filter_multi_output("split", 2)
            gridded, to_see = split[0], split[1]
        encoded = gridded.filter("trim", start_pts=passage.first, end_pts=passage.end).filter("setpts", f"PTS-{passage.first}")
        options = {"vcodec": "libx264", "fps_mode": "passthrough", "pix_fmt": "yuv420p", "map_metadata": -1, "map_chapters": -1}
        outputs.append(ffmpeg.output(encoded, "out/picture.mp4", **options, **passage.encoder))
    if passage.seen:
        small = to_see.filter("select", "+".join(f"eq(pts,{frame})" for frame in passage.seen))
        # The plane as it is: turned into grey, an untagged source's colours differ from those of its tagged clip.
        small = small.filter("format", "yuv420p").filter("extractplanes", "y").filter("scale", SEEN_WIDTH, SEEN_HEIGHT, flags="area")
        outputs.append(ffmpeg.output(small, "out/seen", f="rawvideo", pix_fmt="gray", fps_mode="passthrough"))
    return outputs


def _sound(sound: Stream, footage: Footage, span: tuple[int, int], from_start: bool) -> list[Stream]:
    """The sound from the priming's end on. `first_pts` both fills what comes late and drops what comes early, to the sample."""
    channels = 1 if footage.probe.audio and footage.probe.audio.channels == 1 else 2
    first, length = footage.samples(span[0]) + PRIMING, max(2 * FADE, footage.samples(span[1]) - footage.samples(span[0]) - PRIMING)
    filled = {"async": 1, "min_hard_comp": footage.smallest_gap, "min_comp": 0.00001, "first_pts": 0 if from_start else first}
    split = sound.filter_multi_output("asplit", 3)
    # In two steps: `first_pts` counts samples of the rate that comes in.
    clip = split[0].filter("aresample", SOUND_RATE).filter("aformat", channel_layouts="mono" if channels == 1 else "stereo")
    clip = clip.filter("aresample", SOUND_RATE, **filled)
    if from_start:
        clip = clip.filter("atrim", start_sample=first)
    clip = clip.filter("asetpts", "N/SR/TB").filter("atrim", end_sample=length).filter("apad", whole_len=length)
    clip = clip.filter("afade", t="in", ss=0, ns=FADE).filter("afade", t="out", ss=length - FADE, ns=FADE)
    options: dict[str, Any] = {"acodec": "aac", "aac_coder": SOUND_CODER, "audio_bitrate": SOUND_BIT_RATES[channels]}
    options |= {"map_metadata": -1, "map_chapters": -1, "use_editlist": 0}
    # By time rather than by count, so that a mistake in one way is none in the other.
    heard = split[1].filter("aresample", HEARD_RATE).filter("aresample", HEARD_RATE, **{"async": 1, "min_hard_comp": footage.smallest_gap})
    heard = heard.filter("atrim", start=f"{first / SOUND_RATE:.6f}", end=f"{(first + length) / SOUND_RATE:.6f}")
    heard = heard.filter("aformat", sample_fmts="s16", channel_layouts="mono")
    return [
        ffmpeg.output(clip, "out/sound.m4a", **options),
        ffmpeg.output(heard, "out/heard", f="s16le", acodec="pcm_s16le"),
        ffmpeg.output(split[2].filter("atrim", end_sample=1), "out/began", f="framecrc", acodec="pcm_s16le"),
    ]


def _began_late(footage: Footage, span: tuple[int, int], work: Path) -> bool:
    """Whether a seek went past the first sound that was wanted, as it does where an edit list shifts the sound."""
    said = (work / "began").read_text()
    stamp = re.search(r"^0, *-?\d+, *(-?\d+),", said, re.MULTILINE)
    time_base = re.search(r"#tb 0: (\d+)/(\d+)", said)
    if stamp is None or time_base is None or footage.probe.audio is None:
        return False
    began = int(stamp[1]) * int(time_base[1]) / int(time_base[2])
    return began > (footage.samples(span[0]) + PRIMING) / SOUND_RATE and began > footage.probe.audio.start + GAP_IN_SOUND


def _late(footage: Footage, span: tuple[int, int]) -> int:
    """Samples of what is heard by which the source's sound begins after the clip's."""
    start = footage.probe.audio.start if footage.probe.audio else 0.0
    return max(0, round((start - (footage.samples(span[0]) + PRIMING) / SOUND_RATE) * HEARD_RATE))


def _limits(footage: Footage, passage: Passage) -> sandbox.Limits:
    """Generous multiples of what a slow core needs: 60 s of 1080p30 take about 50 CPU seconds encoded."""
    pixels = footage.video.coded_width * footage.video.coded_height / 1e6
    frames = [*passage.seen, passage.end, *(passage.sound or ())]
    begins = min([passage.first, *passage.seen, *(passage.sound or ())]) if passage.seek is not None else 0
    seconds = float(footage.seconds(max(frames) - begins))
    cpu = 120 + 4 * seconds + seconds * max(60.0, footage.video.frame_rate) * (0.05 + pixels * 0.1)
    return sandbox.Limits(
        memory_bytes=int((4 + pixels / 8) * 1024**3),
        cpu_seconds=int(cpu),
        wall_seconds=cpu * 2,
        file_bytes=int(256 * 1024**2 + seconds * 16 * 1024**2),
        open_files=128,
    )


def _run(arguments: list[str], source: Path, work: Path, limits: sandbox.Limits) -> None:
    """Runs the command to its end, or until it says that it builds its graph anew."""
    with Readers() as readers:
        run(arguments, CUTTING, readers, inputs={"source": source}, output=work, limits=limits, stop_at=(GRAPH_REBUILT, GRAPH_LOST))


def steadied(footage: Footage, plan: Plan, work: Path) -> Footage:
    """A copy of a source whose picture or sound changes its shape on the way, at `plan`'s size: what it says at which time, kept.

    Raises:
        PermanentError: the file is damaged.
        TransientError: the machine failed.
    """
    copy = steady_copy(footage.path, footage.probe, plan, frozenset({"proxy"}), work, None)
    probe = read_probe(copy).probe
    if probe.video is None:
        raise PermanentError("This video's picture could not be made steady: export it again and upload that.")
    return Footage(copy, probe, probe.video, footage.rate, plan, GAP_IN_STEADY_SOUND)


def heard_of(clip: Path, work: Path) -> Samples:
    """The sound of a finished clip from its first sample on, as a player without edit lists hears it.

    Raises:
        PermanentError: it cannot be decoded.
        TransientError: the machine failed.
    """
    sound = ffmpeg.input("file:in/source", **HOSTILE_INPUT)["a:0"]
    mono = sound.filter("aresample", HEARD_RATE).filter("aformat", sample_fmts="s16", channel_layouts="mono")
    output = ffmpeg.output(mono, "out/heard", f="s16le", acodec="pcm_s16le").global_args("-nostdin", "-hide_banner", "-nostats")
    arguments = output.compile(cmd=str(binary()), overwrite_output=True)
    _run(arguments, clip, work, sandbox.Limits(cpu_seconds=120, wall_seconds=240))
    return np.fromfile(work / "heard", "<i2")


def seconds_before(footage: Footage, frame: int, seconds: float) -> Fraction | None:
    """Where to seek so that reading begins that long before `frame`; None for the start."""
    at = footage.seconds(frame) - Fraction(seconds)
    return at if at > 0 else None


def frames_of(footage: Footage, frames: Sequence[int], seek: Fraction | None, work: Path) -> Frames:
    """Some frames, small, of an original or of a finished clip.

    Raises:
        PermanentError: it cannot be decoded.
        TransientError: the machine failed.
    """
    return take(footage, Passage(seen=tuple(frames), seek=seek), work).seen
