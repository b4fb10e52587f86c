"""The filter graph of the one decode: which ffmpeg command makes everything that is wanted of a video.

    source ─┬─ picture ─ constant rate ─ deinterlace ─ scale ─ tone map ─┬─ proxy.mp4
            │                                                           ├─ 64x36 frames ─ pipe
            │                                                           └─ a still every few seconds ─ pipe
            └─ sound ─ stereo 48 kHz ─ loudness ─┬─ proxy.mp4
                                                 └─ mono 16 kHz ─┬─ audio.flac
                                                                 └─ samples ─ pipe

Every branch hangs off the scaled picture, because scaling from full size twice is what makes such graphs slow, and only wanted
branches are built.
"""

from collections.abc import Set
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import ffmpeg

from videolab_assets.lib.documents import AudioStream, Probe, VideoStream
from videolab_assets.lib.ffmpeg import HOSTILE_INPUT
from videolab_assets.lib.shots import FRAME_HEIGHT, FRAME_WIDTH, PIXEL_FORMAT

PROXY_SHORT_SIDE = 720
PROXY_LONG_SIDE = 1280
HIGHEST_FRAME_RATE = 60
PROXY_PRESET = "superfast"
PROXY_CRF = 26
"""The same VMAF as veryfast at 23 (90.1 and 90.0 on drawn and filmed scenes, 95.8 and 95.4 on a speaker) for 0.71 of the whole
command's CPU seconds and 1.2 to 1.9 times the bytes: a proxy is made for every upload and watched a few times."""
KEY_FRAME_SECONDS = 2
STEADY_CRF = 14
PROXY_AUDIO_RATE = 48_000
PROXY_AUDIO_BIT_RATE = "128k"
SPEECH_RATE = 16_000

FROM_PICTURE = frozenset({"proxy", "thumbnail", "storyboard", "shots"})
FROM_SOUND = frozenset({"audio", "waveform"})

RATES = (*(Fraction(rate * 1000, 1001) for rate in (24, 30, 60)), *(Fraction(rate) for rate in (5, 10, 12, 15, 20, 24, 25, 30, 48, 50, 60)))
"""Frame rates that files mean when they say something near them."""

GAP_IN_SOUND = 0.1
"""Seconds, as ffmpeg has it: the time stamps of many files jitter by less."""
GAP_IN_STEADY_SOUND = 0.005
"""Seconds: in our own copy they do not. What ffmpeg lost there when it built its graph anew, up to 40 ms, would else let all later
sound come early."""

LONGEST_GAP = 61.0
"""Seconds: more than the gate lets pass."""

Stream = Any
"""A node of ffmpeg-python, which has no types."""


@dataclass(frozen=True)
class Plan:
    """How a proxy, or a clip, will look; what the graph follows and the checks compare with.

    Attributes:
        width, height: even numbers of square pixels, at most 1280x720 (720x1280 upright) for a proxy, never more than the source has.
        frame_rate: constant, at most 60 a second; frame `n` is shown at `n / frame_rate` seconds.
    """

    width: int
    height: int
    frame_rate: Fraction

    @classmethod
    def of(cls, video: VideoStream, *, short_side: int = PROXY_SHORT_SIDE, long_side: int = PROXY_LONG_SIDE) -> "Plan":
        """The plan for a probed picture, whose sides are `short_side` and `long_side` at most."""
        upright = video.height > video.width
        widest, highest = (short_side, long_side) if upright else (long_side, short_side)
        shrink = min(1.0, widest / video.width, highest / video.height)
        rate = enough_for(video.frame_rate) if video.variable_frame_rate else constant_rate(video.frame_rate)
        return cls(_even(video.width, shrink), _even(video.height, shrink), rate)


@dataclass(frozen=True)
class Pipes:
    """File descriptors that the command writes raw streams to; a branch without one is not built."""

    progress: int
    frames: int | None = None
    stills: int | None = None
    samples: int | None = None


def _even(length: int, shrink: float) -> int:
    """The even number nearest to `length` shrunk, but never more than `length`, unless that is 1."""
    return max(2, 2 * min(round(length * shrink / 2), length // 2))


def constant_rate(mean_rate: float) -> Fraction:
    """The usual rate within 0.05 % of `mean_rate` frames a second, else the nearest thousandth; clipped to 1 to 60."""
    nearest = min(RATES, key=lambda rate: abs(float(rate) - mean_rate))
    usual = abs(float(nearest) - mean_rate) <= mean_rate * 0.0005
    return min(max(nearest if usual else Fraction(round(mean_rate * 1000), 1000), Fraction(1)), Fraction(HIGHEST_FRAME_RATE))


def enough_for(mean_rate: float) -> Fraction:
    """A constant rate for frames of irregular times: the usual one from 23.976 to 60 that is next above `mean_rate` less 1 %.

    At the mean itself frames would be dropped wherever they are dense, and a screen recording of five frames a second would show
    everything up to 0.1 s beside its sound.
    """
    usual = sorted(rate for rate in RATES if rate > 23)
    return next((rate for rate in usual if rate >= 0.99 * mean_rate), usual[-1])


def command(
    binary: str, probe: Probe, plan: Plan | None, wanted: Set[str], pipes: Pipes, still_step: int = 1, smallest_gap: float = GAP_IN_SOUND
) -> list[str]:
    """The command line of one decode, for a child that has the source as `in/source` and writes below `out/`.

    Args:
        binary: the ffmpeg to run.
        probe: what the gate found in the source.
        plan: the picture's plan; None for a file without one.
        wanted: names out of `FROM_PICTURE` and `FROM_SOUND` that the source can give.
        pipes: where the raw streams go.
        still_step: every how many proxy frames a still is taken.
        smallest_gap: seconds between two packets of sound above which silence is put there.
    """
    only_shots = wanted & FROM_PICTURE == {"shots"}
    source = _source(probe, **({"skip_loop_filter": "all"} if only_shots else {}))
    outputs: list[Stream] = []
    sound_for_proxy = None
    if probe.audio and (wanted & FROM_SOUND or "proxy" in wanted):
        sound_for_proxy, outputs = _sound(source[str(probe.audio.index)], probe.audio, wanted, pipes, smallest_gap)
    if probe.video and plan and wanted & FROM_PICTURE:
        outputs += _picture(source[str(probe.video.index)], probe.video, plan, wanted, pipes, still_step, sound_for_proxy)
    compiled: list[str] = ffmpeg.merge_outputs(*outputs).global_args(*_quiet(pipes.progress)).compile(cmd=binary, overwrite_output=True)
    return compiled


def steady_command(binary: str, probe: Probe, plan: Plan | None, wanted: Set[str], progress: int) -> list[str]:
    """The command line for a copy whose picture and sound never change their shape, `out/steady.mkv`, in place of a source that does.

    ffmpeg builds the whole graph anew where a stream's size or channels change, and each filter that counts from the first frame
    begins again: the copy's graph has none, and time stamps keep the parts in place. Picture upright, BT.709, at the proxy's size;
    sound stereo.
    """
    source = _source(probe)
    streams: list[Stream] = []
    if probe.video and plan and wanted & FROM_PICTURE:
        picture = source[str(probe.video.index)].filter("fps", _ratio(plan.frame_rate))
        streams.append(upright_sdr(deinterlaced(picture, probe.video), probe.video, plan))
    if probe.audio and (wanted & FROM_SOUND or "proxy" in wanted):
        sound = source[str(probe.audio.index)]
        streams.append(sound.filter("aresample", PROXY_AUDIO_RATE, **{"async": 1}).filter("aformat", channel_layouts="stereo"))
    encoders = {"vcodec": "libx264", "preset": "ultrafast", "crf": STEADY_CRF, "acodec": "pcm_s16le", "fps_mode": "passthrough"}
    output = ffmpeg.output(*streams, "out/steady.mkv", **encoders, map_metadata=-1, map_chapters=-1)
    compiled: list[str] = output.global_args(*_quiet(progress)).compile(cmd=binary, overwrite_output=True)
    return compiled


def longest_kept_gap(probe: Probe) -> float:
    """Seconds; longer gaps in the clock of a transport stream and the like are closed. ffmpeg by itself keeps 10.

    Where two recordings were joined, ffmpeg's clock for all streams jumps with the first packet of the second. Late packets of the
    first then seem to be the length of the jump ahead, and if such a gap were kept, it would be added to all that follows.
    """
    return min(LONGEST_GAP, 0.9 * probe.clock_jump) if probe.clock_jump else LONGEST_GAP


def _source(probe: Probe, **options: str) -> Stream:
    """The input, with its clock's gaps kept and its jumps back closed, as the probe counts them."""
    return ffmpeg.input("file:in/source", **HOSTILE_INPUT, **options, dts_delta_threshold=f"{longest_kept_gap(probe):.3f}")


def _quiet(progress: int) -> list[str]:
    return ["-nostdin", "-hide_banner", "-nostats", "-progress", f"pipe:{progress}"]


def _ratio(rate: Fraction) -> str:
    return f"{rate.numerator}/{rate.denominator}"


def deinterlaced(picture: Stream, video: VideoStream) -> Stream:
    """As many frames as before, of both fields; untouched where the source is progressive."""
    return picture.filter("bwdif", mode="send_frame", deint="all") if video.interlaced else picture


def _sound(sound: Stream, audio: AudioStream, wanted: Set[str], pipes: Pipes, smallest_gap: float) -> tuple[Stream | None, list[Stream]]:
    """The stereo branch for the proxy, if it is wanted, and the outputs that need sound alone.

    `async` fills gaps and `first_pts` the time before the first sample, so that sample n is heard at n / rate seconds after the
    first frame, whatever the file's clocks say.
    """
    # Mono stays mono for measuring and for machines: made stereo, it loses 3 dB in each channel.
    layout = "mono" if audio.channels == 1 else "stereo"
    filled = {"async": 1, "first_pts": 0, "min_hard_comp": smallest_gap}
    sound = sound.filter("aresample", PROXY_AUDIO_RATE, **filled).filter("aformat", channel_layouts=layout)
    outputs: list[Stream] = []
    if not wanted & FROM_SOUND:
        return sound.filter("aformat", channel_layouts="stereo"), outputs
    if "audio" in wanted:
        sound = sound.filter("ebur128", framelog="quiet", peak="sample")
    for_proxy, for_machines = _branches(sound, "asplit", "proxy" in wanted, True)
    if for_machines is None:
        raise AssertionError("a wanted branch is built")
    if for_proxy is not None:
        for_proxy = for_proxy.filter("aformat", channel_layouts="stereo")
    mono = for_machines.filter("aresample", SPEECH_RATE).filter("aformat", sample_fmts="s16", channel_layouts="mono")
    to_file, to_pipe = _branches(mono, "asplit", "audio" in wanted, pipes.samples is not None)
    if to_file is not None:
        outputs.append(ffmpeg.output(to_file, "out/audio.flac", acodec="flac", compression_level=5, map_metadata=-1))
    if to_pipe is not None:
        outputs.append(ffmpeg.output(to_pipe, f"pipe:{pipes.samples}", f="s16le", acodec="pcm_s16le"))
    return for_proxy, outputs


def _picture(
    picture: Stream, video: VideoStream, plan: Plan, wanted: Set[str], pipes: Pipes, still_step: int, sound: Stream | None
) -> list[Stream]:
    """The outputs that need the picture."""
    picture = deinterlaced(picture.filter("fps", _ratio(plan.frame_rate), start_time=0), video)
    every_still = f"not(mod(n,{still_step}))"
    if "proxy" not in wanted:
        frames, stills = _branches(picture, "split", pipes.frames is not None, pipes.stills is not None)
        outputs = [_small_frames(frames, pipes)] if frames is not None else []
        if stills is not None:
            outputs.append(_stills(upright_sdr(stills.filter("select", every_still), video, plan), pipes))
        return outputs
    picture = upright_sdr(picture, video, plan)
    to_proxy, frames, stills = _branches(picture, "split", True, pipes.frames is not None, pipes.stills is not None)
    outputs = [_proxy(to_proxy, sound, plan)]
    if frames is not None:
        outputs.append(_small_frames(frames, pipes))
    if stills is not None:
        outputs.append(_stills(stills.filter("select", every_still), pipes))
    return outputs


def _branches(stream: Stream, splitter: str, *wanted: bool) -> list[Stream | None]:
    """One branch of `stream` for each wanted one, None for the others; no split where one is enough."""
    if sum(wanted) == 1:
        return [stream if one else None for one in wanted]
    split = stream.filter_multi_output(splitter, sum(wanted))
    numbers = iter(range(sum(wanted)))
    return [split[next(numbers)] if one else None for one in wanted]


def upright_sdr(picture: Stream, video: VideoStream, plan: Plan) -> Stream:
    """The picture at the plan's size in square pixels, BT.709, limited range, 8 bits. ffmpeg has turned it upright by itself.

    HDR and wide colour are mapped through linear light after scaling, which costs two thirds of doing it before. zscale refuses
    unspecified colour, so what the probe could not read is stated first.
    """
    if video.hdr or (video.color_primaries == "bt2020" and video.color_space == "bt2020nc"):
        transfer = {"pq": "smpte2084", "hlg": "arib-std-b67", None: "bt709"}[video.hdr]
        linear = (
            picture.filter("scale", plan.width, plan.height)
            .filter("setparams", color_primaries="bt2020", color_trc=transfer, colorspace="bt2020nc", range=_range(video))
            .filter("zscale", transfer="linear", npl=100)
            .filter("format", "gbrpf32le")
            .filter("zscale", primaries="bt709")
        )
        mapped = linear.filter("tonemap", "hable", desat=0) if video.hdr else linear
        converted = mapped.filter("zscale", transfer="bt709", matrix="bt709", range="limited")
    else:
        untagged_hd = video.color_space is None and video.height >= 720
        matrix = "bt709" if video.color_space == "bt709" or untagged_hd else "auto"
        converted = picture.filter("scale", plan.width, plan.height, in_color_matrix=matrix, out_color_matrix="bt709", out_range="tv")
    # The encoder's own colour options lose to what the frames say of themselves.
    tagged = converted.filter("setparams", colorspace="bt709", color_primaries="bt709", color_trc="bt709", range="tv")
    return tagged.filter("format", "yuv420p").filter("setsar", 1)


def _range(video: VideoStream) -> str:
    return "pc" if video.color_range in ("pc", "full", "jpeg") else "tv"


def _proxy(picture: Stream, sound: Stream | None, plan: Plan) -> Stream:
    options: dict[str, Any] = {
        "vcodec": "libx264",
        "preset": PROXY_PRESET,
        "crf": PROXY_CRF,
        "profile:v": "high",
        "pix_fmt": "yuv420p",
        "g": max(1, round(KEY_FRAME_SECONDS * plan.frame_rate)),
        "tag:v": "avc1",
        "movflags": "+faststart",
        # Phones write where they were into the metadata, and chapters become a data stream.
        "map_metadata": -1,
        "map_chapters": -1,
    }
    if sound is None:
        return ffmpeg.output(picture, "out/proxy.mp4", **options)
    return ffmpeg.output(picture, sound, "out/proxy.mp4", **options, acodec="aac", audio_bitrate=PROXY_AUDIO_BIT_RATE)


def _stills(picture: Stream, pipes: Pipes) -> Stream:
    return ffmpeg.output(picture, f"pipe:{pipes.stills}", f="rawvideo", pix_fmt="bgr24", fps_mode="passthrough")


def _small_frames(picture: Stream, pipes: Pipes) -> Stream:
    # In two steps, the first by leaving pixels out: 0.035 ms a frame where one step by area takes 0.51, at the same F1 of the shots.
    smaller = picture.filter("scale", 2 * FRAME_WIDTH, 2 * FRAME_HEIGHT, flags="neighbor")
    small = smaller.filter("scale", FRAME_WIDTH, FRAME_HEIGHT, flags="area").filter("format", PIXEL_FORMAT)
    return ffmpeg.output(small, f"pipe:{pipes.frames}", f="rawvideo", pix_fmt=PIXEL_FORMAT, fps_mode="passthrough")
