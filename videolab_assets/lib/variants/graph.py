"""The filter graph of a clip's variants: one command that decodes the clip once and makes everything of it.

    clip ── constant rate ─┬─ reframed, per shot, to 1080x1920 ─┬─ captions a ── x264 ─┬─ 0a.mp4
                           │                                    ├─ captions b ── x264 ─┼─ 0b.mp4
                           │                                    └─ one frame ── 0a.jpg │
                           ├─ reframed to 1080x1080 ─ …                                │
                           └─ …                                                        │
    sound, encoded already ────────────────────────────────────────────── copied ──────┘

What takes share is made once: the frames of a rate, the reframed picture of equal framings, the file of equal captions.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeVar

import ffmpeg

from videolab_assets.lib.documents import Framing, Probe, VideoStream
from videolab_assets.lib.ffmpeg import HOSTILE_INPUT
from videolab_assets.lib.variants.renditions import Rendition
from videolab_assets.lib.variants.window import Size, Stretch, cropped, even, stretches_of

PRESET = "ultrafast"
TOOLS = "cabac=1:8x8dct=1:no-deblock=0:aq-mode=1"
"""Those that are worth their time of what the preset leaves out; 8x8 transforms make it High profile."""
CRF = 21
"""For animation, film and drawn noise at 1080x1920, three seconds each (CRF is not comparable across presets):

                     VMAF                CAMBI (banding)     CPU seconds        Mbit/s
    this             95.8  95.6  93.8    0.23  1.66  0.97    0.9  0.6  1.0      5.1  2.2  6.8
    superfast, 20    96.2  95.8  94.5    0.27  1.75  1.05    1.7  1.2  1.6      4.2  1.8  5.2
    medium, 23       94.7  94.9  92.9    0.31  1.96  1.22    5.1  3.3  5.9      1.7  0.7  2.6

Bits are the cheap part: platforms encode what they get again, and the less is lost before, the better. Without adaptive quantisation
VMAF would be higher still for fewer bits, but dark gradients get twice the banding."""
KEY_FRAME_SECONDS = 2
VBV_SECONDS = 2
BLUR_SHRINK = 20
"""How much smaller than the picture its blurred background is while it is blurred: 1/400 of the work."""
BLUR_SIGMA = 3.0
BACKGROUND_LIGHT = 0.7
"""Of the picture's own, so that it does not compete with it."""
THINNEST_BARS = 8
"""Pixels, both together; a picture that is almost of the target's shape is stretched by as much instead."""
COVER_QUALITY = 2
"""Of MJPEG's 2 to 31, the best."""
HEADLINE_SECOND = 1.0
"""The time at which a cover's headline is drawn, past any fading in."""

Stream = Any
"""A node of ffmpeg-python, which has no types."""
Wanted = TypeVar("Wanted")


@dataclass(frozen=True)
class Picture:
    """One video to encode: its file's stem, what it is of, and its captions (an ASS file's name below `in/`)."""

    name: str
    rendition: Rendition
    framings: tuple[Framing, ...]
    captions: str | None


@dataclass(frozen=True)
class Cover:
    """One still to write: its file's stem, of which look, at which second, and its headline (an ASS file's name below `in/`)."""

    name: str
    rendition: Rendition
    framings: tuple[Framing, ...]
    time: float
    headline: str | None


def frame_count(video: VideoStream, rate: Fraction) -> int:
    """Frames of a clip at another constant rate."""
    return max(1, round(Fraction(video.duration) * rate))


def command(
    binary: str, probe: Probe, pictures: Sequence[Picture], covers: Sequence[Cover], with_sound: bool, threads: int, progress: int
) -> list[str]:
    """The command line for a child that has the clip as `in/source`, its sound as `in/sound`, fonts in `in/fonts`, writing to `out/`.

    Args:
        threads: of each encoder.
        progress: file descriptor.

    Raises:
        ValueError: the clip has no picture.
    """
    if probe.video is None:
        raise ValueError("a clip without a picture has no variants")
    video, clip = probe.video, ffmpeg.input("file:in/source", **HOSTILE_INPUT, threads=1)
    sound = ffmpeg.input("file:in/sound", **HOSTILE_INPUT).audio if with_sound else None
    picture = clip[str(video.index)]
    if video.interlaced:
        picture = picture.filter("bwdif", mode="send_frame", deint="all")
    outputs: list[Stream] = []
    everything: list[Picture | Cover] = [*pictures, *covers]
    at_rates = _grouped(everything, lambda wanted: wanted.rendition.frame_rate)
    for of_rate, moving in zip(at_rates, _split(picture, len(at_rates)), strict=True):
        rate = of_rate[0].rendition.frame_rate
        looks = _grouped(of_rate, lambda wanted: (wanted.rendition.width, wanted.rendition.height, alike(wanted.framings)))
        for of_look, frames in zip(looks, _split(moving.filter("fps", _ratio(rate), start_time=0), len(looks)), strict=True):
            first = of_look[0]
            shown = _reframed(frames, first.framings, video, rate, Size(first.rendition.width, first.rendition.height))
            for wanted, branch in zip(of_look, _split(shown, len(of_look)), strict=True):
                if isinstance(wanted, Cover):
                    outputs.append(_still(branch, wanted, video))
                else:
                    outputs.append(_encoded(branch, wanted, sound, video, threads))
    quiet = ("-nostdin", "-hide_banner", "-nostats", "-progress", f"pipe:{progress}", "-filter_complex_threads", str(max(2, threads)))
    compiled: list[str] = ffmpeg.merge_outputs(*outputs).global_args(*quiet).compile(cmd=binary, overwrite_output=True)
    return compiled


def alike(framings: Sequence[Framing]) -> Hashable:
    """Equal for framings that show the same, whatever the reasons they give."""
    return tuple(
        (shown.start, shown.end, shown.mode == "fit", shown.width, shown.height, *((point.time, point.x, point.y) for point in shown.path))
        for shown in framings
    )


def ways_of(framings: Sequence[Framing]) -> int:
    """How many chains of filters it takes to show them."""
    return len({_way(framing) for framing in framings})


def _grouped(items: Sequence[Wanted], key: Callable[[Wanted], Hashable]) -> list[list[Wanted]]:
    """Items of the same key together, in the order of their first."""
    groups: dict[Hashable, list[Wanted]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())


def _split(picture: Stream, branches: int) -> list[Stream]:
    if branches == 1:
        return [picture]
    split = picture.filter_multi_output("split", branches)
    return [split[number] for number in range(branches)]


def _ratio(rate: Fraction) -> str:
    return f"{rate.numerator}/{rate.denominator}"


def _reframed(picture: Stream, framings: Sequence[Framing], video: VideoStream, rate: Fraction, target: Size) -> Stream:
    """The picture as each shot is framed: BT.709, 8 bits, square pixels, frame n at n / rate.

    Each way of showing has one chain of filters, which only the frames shown that way go through; its results are cut apart and
    joined in order. A chain for each shot would keep its pictures until the end (20 shots: 650 MB instead of 290), and switching
    between chains that all see everything would scale each frame several times.
    """
    turned = video.rotation in (90, 270)
    coded = Size(video.coded_height, video.coded_width) if turned else Size(video.coded_width, video.coded_height)
    runs = _runs(stretches_of(framings, rate, frame_count(video, rate)))
    ways = _grouped(runs, lambda run: _way(run[0].framing))
    parts: dict[int, Stream] = {}
    for of_way, branch in zip(ways, _split(picture, len(ways)), strict=True):
        if len(ways) > 1:
            # One frame more than is shown: `trim` learns that a part has ended only from the frame after it, and all that follows
            # would have to wait in memory until then.
            branch = branch.filter("select", "+".join(f"between(n,{run[0].first},{run[-1].end})" for run in of_way))
        show = _fitted if of_way[0][0].framing.mode == "fit" else _filling
        shown = _tagged(show(branch, [stretch for run in of_way for stretch in run], video, rate, coded, target))
        if len(ways) == 1:
            return shown
        for run, part in zip(of_way, _split(shown, len(of_way)), strict=True):
            cut = part.filter("trim", start_pts=run[0].first, end_pts=run[-1].end)
            parts[run[0].first] = cut.filter("setpts", "PTS-STARTPTS")
    joined = ffmpeg.concat(*(parts[first] for first in sorted(parts)), v=1, a=0, n=len(parts))
    return joined.filter("settb", f"{rate.denominator}/{rate.numerator}").filter("setpts", "N")


def _runs(stretches: Sequence[Stretch]) -> list[list[Stretch]]:
    """Neighbours that the same filters show."""
    runs: list[list[Stretch]] = []
    for stretch in stretches:
        if runs and _way(runs[-1][-1].framing) == _way(stretch.framing):
            runs[-1].append(stretch)
        else:
            runs.append([stretch])
    return runs


def _way(framing: Framing) -> tuple[bool, float, float]:
    """What filters are made for: where a window of one size is, and whether it moves, changes from frame to frame."""
    return framing.mode == "fit", framing.width, framing.height


def _to_bt709(video: VideoStream) -> dict[str, str]:
    """Options of the first `scale`."""
    untagged_hd = video.color_space is None and video.height >= 720
    matrix = "bt709" if video.color_space == "bt709" or untagged_hd else "auto"
    return {"in_color_matrix": matrix, "out_color_matrix": "bt709", "out_range": "tv"}


def _tagged(picture: Stream) -> Stream:
    # The encoder's own colour options lose to what the frames say of themselves.
    tagged = picture.filter("setparams", colorspace="bt709", color_primaries="bt709", color_trc="bt709", range="tv")
    return tagged.filter("format", "yuv420p").filter("setsar", 1)


def _filling(picture: Stream, run: Sequence[Stretch], video: VideoStream, rate: Fraction, coded: Size, target: Size) -> Stream:
    return cropped(picture, run, rate, coded, target, **_to_bt709(video))


def _fitted(picture: Stream, run: Sequence[Stretch], video: VideoStream, rate: Fraction, coded: Size, target: Size) -> Stream:
    """All of what is shown, and what is left of the target filled with its middle, enlarged, blurred and darkened.

    Stacked rather than overlaid: `overlay` would give the picture an alpha channel first and then blend each pixel.
    """
    shown = run[0].framing
    wide, high = shown.width * video.width, shown.height * video.height
    enlarged = min(target.width / wide, target.height / high)
    inner = Size(min(target.width, even(wide * enlarged)), min(target.height, even(high * enlarged)))
    if target.width - inner.width + target.height - inner.height < THINNEST_BARS:
        return _filling(picture, run, video, rate, coded, target)
    sharp, behind = _split(_tagged(cropped(picture, run, rate, coded, inner, **_to_bt709(video))), 2)
    upright = inner.width == target.width
    before = (target.height - inner.height) // 4 * 2 if upright else (target.width - inner.width) // 4 * 2
    background = _split(_blurred(behind, inner, target), 2)
    if upright:
        bars = [(target.width, before, 0, 0), (target.width, target.height - inner.height - before, 0, inner.height + before)]
    else:
        bars = [(before, target.height, 0, 0), (target.width - inner.width - before, target.height, inner.width + before, 0)]
    first, last = (one.filter("crop", w=w, h=h, x=x, y=y) for one, (w, h, x, y) in zip(background, bars, strict=True))
    return ffmpeg.filter([_tagged(first), sharp, _tagged(last)], "vstack" if upright else "hstack", inputs=3)


def _blurred(picture: Stream, size: Size, target: Size) -> Stream:
    """The middle of a picture of `size`, out of focus and darker, as a picture of `target` size."""
    shape = target.width / target.height
    middle = Size(min(size.width, even(size.height * shape)), min(size.height, even(size.width / shape)))
    small = picture.filter("crop", w=middle.width, h=middle.height).filter(
        "scale", even(target.width / BLUR_SHRINK), even(target.height / BLUR_SHRINK), flags="area"
    )
    paler = f"128+(val-128)*{BACKGROUND_LIGHT}"
    dark = small.filter("gblur", sigma=BLUR_SIGMA).filter("lutyuv", y=f"16+(val-16)*{BACKGROUND_LIGHT}", u=paler, v=paler)
    return dark.filter("scale", *target)


def _encoded(picture: Stream, wanted: Picture, sound: Stream | None, video: VideoStream, threads: int) -> Stream:
    terms = wanted.rendition
    if wanted.captions is not None:
        picture = picture.filter("ass", filename=f"in/{wanted.captions}", fontsdir="in/fonts")
    bit_rate = _bit_rate(terms, video.duration)
    options: dict[str, Any] = {
        "vcodec": "libx264",
        "preset": PRESET,
        "x264-params": TOOLS,
        "crf": CRF,
        "profile:v": "high",
        "pix_fmt": "yuv420p",
        "maxrate": bit_rate,
        "bufsize": VBV_SECONDS * bit_rate,
        "g": round(KEY_FRAME_SECONDS * terms.frame_rate),
        "flags": "+cgop",
        "threads": threads,
        "r": _ratio(terms.frame_rate),
        "fps_mode": "cfr",
        "tag:v": "avc1",
        "use_editlist": 0,
        "movflags": "+faststart+negative_cts_offsets",
        "map_metadata": -1,
        "map_chapters": -1,
    }
    name = f"out/{wanted.name}.mp4"
    return ffmpeg.output(picture, sound, name, **options, acodec="copy") if sound is not None else ffmpeg.output(picture, name, **options)


def _bit_rate(terms: Rendition, duration: float) -> int:
    """Bits a second of picture at most: the platform's, less for a clip so long that its file would be too large."""
    affordable = 0.95 * terms.largest_bytes * 8 / (duration + VBV_SECONDS) - terms.audio_bit_rate
    return min(terms.video_bit_rate, int(affordable))


def _still(picture: Stream, wanted: Cover, video: VideoStream) -> Stream:
    rate = wanted.rendition.frame_rate
    frame = min(max(0, round(Fraction(wanted.time) * rate)), frame_count(video, rate) - 1)
    picture = picture.filter("trim", start_frame=frame, end_frame=frame + 1).filter("setpts", f"{HEADLINE_SECOND}/TB")
    if wanted.headline is not None:
        picture = picture.filter("ass", filename=f"in/{wanted.headline}", fontsdir="in/fonts")
    jpeg = picture.filter("scale", in_color_matrix="bt709", out_color_matrix="bt601", out_range="pc").filter("format", "yuvj420p")
    options = {"vcodec": "mjpeg", "q:v": COVER_QUALITY, "frames:v": 1, "update": 1, "fps_mode": "passthrough", "map_metadata": -1}
    return ffmpeg.output(jpeg, f"out/{wanted.name}.jpg", f="image2", **options)
