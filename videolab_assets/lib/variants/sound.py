"""A clip's sound at a platform's loudness, encoded once and then copied into each rendition.

Measured (EBU R128), raised or lowered as a whole, its peaks limited at four times the sample rate, encoded, and measured again as a
player hears it: the limiter takes loudness away and the encoder lets peaks grow, by up to 1 dB each, so the result is corrected
until it holds.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from videolab_assets.lib import sandbox
from videolab_assets.lib.decode import loudness_of
from videolab_assets.lib.documents import AudioStream, Probe
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.ffmpeg import HOSTILE_INPUT, binary
from videolab_assets.lib.variants.running import run_ffmpeg

SAMPLE_RATE = 48_000
OVERSAMPLED = 4 * SAMPLE_RATE
FRAME_SAMPLES = 1024
"""Samples of an AAC frame, and of what the encoder puts before the first one."""
MOST_GAIN = 20.0
"""dB. Beyond it one hears the room rather than the speaker."""
CLOSE_ENOUGH = 0.3
"""LU. 0.5 are promised, and another meter may differ by a tenth."""
MOST_PASSES = 4
CODER_HEADROOM = 0.4
"""dB by which peaks usually grow in AAC at 128 kbit/s; what a clip's grow beyond it is taken off in the next pass."""

Stream = Any
"""A node of ffmpeg-python, which has no types."""


@dataclass(frozen=True)
class Sound:
    """An encoded sound.

    Attributes:
        path: AAC-LC, stereo, 48 kHz, in MP4 without an edit list: played from its first sample it is in time with the picture.
        loudness: LUFS as decoded; None for silence.
        true_peak: dBTP as decoded; None for silence.
        gain: dB that were applied.
        missed: a sentence where the loudness wanted could not be reached.
    """

    path: Path
    loudness: float | None
    true_peak: float | None
    gain: float
    missed: str | None = None


@dataclass(frozen=True)
class _Level:
    """What the meter says; None for the loudness and minus infinity for the peak of silence."""

    loudness: float | None
    true_peak: float


def levelled(clip: Path, probe: Probe, loudness: float, true_peak: float, bit_rate: int, work: Path) -> Sound:
    """The clip's sound at `loudness` LUFS to 0.5, with peaks of at most `true_peak` dBTP; as long as the picture, to 21 ms.

    Silence stays what it is, as does what is shorter than the 0.4 s that loudness is defined for, and nothing is raised by more
    than `MOST_GAIN`.

    Args:
        clip: a file of ours that has sound.
        probe: of `clip`.
        bit_rate: bits a second of the encoded sound.
        work: an existing private folder; `sound.m4a` stays in it.

    Raises:
        PermanentError: the clip has no sound, or it is damaged.
        TransientError: the machine failed.
    """
    if probe.audio is None:
        raise PermanentError("This clip has no sound to level.")
    duration = probe.video.duration if probe.video else probe.audio.duration
    whole_frames = max(2, int(duration * SAMPLE_RATE / FRAME_SAMPLES)) * FRAME_SAMPLES
    plain, encoded = work / "plain.wav", work / "sound.m4a"
    source = _level_of(_run(_plain(probe.audio, whole_frames), clip, work, duration))
    gain = 0.0 if source.loudness is None else min(loudness - source.loudness, MOST_GAIN)
    ceiling = true_peak - CODER_HEADROOM
    for passes_left in reversed(range(MOST_PASSES)):
        _run(_encoded(gain, ceiling if source.true_peak + gain > ceiling else None, bit_rate), plain, work, duration)
        reached = _level_of(_run(_measured(), encoded, None, duration))
        too_high = max(0.0, reached.true_peak - true_peak)
        better = gain if reached.loudness is None or source.loudness is None else min(gain + loudness - reached.loudness, MOST_GAIN)
        if passes_left == 0 or (not too_high and abs(better - gain) <= CLOSE_ENOUGH):
            break
        gain, ceiling = better, ceiling - (too_high + 0.1 if too_high else 0.0)
    plain.unlink()
    peak = round(reached.true_peak, 2) if math.isfinite(reached.true_peak) else None
    return Sound(encoded, reached.loudness, peak, round(gain, 2), _missed(reached, loudness, true_peak, gain))


def _missed(reached: _Level, loudness: float, true_peak: float, gain: float) -> str | None:
    if reached.true_peak > true_peak:
        return f"Its peaks reach {reached.true_peak:.1f} dBTP instead of at most {true_peak:g}."
    if reached.loudness is None or abs(reached.loudness - loudness) <= 0.5:
        return None
    ends_at = f"it ends at {reached.loudness:.1f} LUFS instead of {loudness:g}"
    if gain >= MOST_GAIN:
        return f"The sound is so quiet that, raised by {MOST_GAIN:g} dB, {ends_at}: more would raise little but its noise."
    return f"Its loudest moments stand so far above the rest that, with peaks of at most {true_peak:g} dBTP, {ends_at}."


def _plain(audio: AudioStream, samples: int) -> Stream:
    """The clip's sound as it is, measured on the way: stereo, exactly `samples` of it from the file's time 0."""
    sound = ffmpeg.input("file:in/source", **HOSTILE_INPUT)[str(audio.index)]
    sound = sound.filter("aresample", SAMPLE_RATE, **{"async": 1, "first_pts": 0, "min_hard_comp": 0.1})
    if audio.channels == 1:
        # ffmpeg's own way from mono to stereo takes 3 dB off each channel.
        sound = sound.filter("channelmap", "0-FL|0-FR", channel_layout="stereo")
    sound = sound.filter("aformat", channel_layouts="stereo").filter("apad", whole_len=samples).filter("atrim", end_sample=samples)
    return ffmpeg.output(_metered(sound), "out/plain.wav", acodec="pcm_f32le", map_metadata=-1)


def _encoded(gain: float, ceiling: float | None, bit_rate: int) -> Stream:
    """The plain sound at another level, its peaks limited to `ceiling` dBTP if one is given."""
    sound = ffmpeg.input("file:in/source", **HOSTILE_INPUT).audio.filter("volume", f"{gain:.3f}dB", precision="float")
    if ceiling is not None:
        highest = f"{10 ** (ceiling / 20):.6f}"
        # Without `level=0` the limiter raises what it has limited back to full scale, and without `latency` it comes late.
        sound = (
            sound.filter("aresample", OVERSAMPLED)
            .filter("alimiter", limit=highest, attack=5, release=80, level=0, latency=1)
            .filter("aresample", SAMPLE_RATE)
        )
    # Platforms want no edit list, and only one could tell a player to skip what the encoder puts before the first sample. So
    # that much is taken off the sound, which keeps the rest in time.
    sound = sound.filter("atrim", start_sample=FRAME_SAMPLES).filter("asetpts", "PTS-STARTPTS")
    options = {"acodec": "aac", "audio_bitrate": bit_rate, "use_editlist": 0, "movflags": "+faststart", "map_metadata": -1}
    return ffmpeg.output(sound, "out/sound.m4a", ar=SAMPLE_RATE, ac=2, **options)


def _measured() -> Stream:
    return ffmpeg.output(_metered(ffmpeg.input("file:in/source", **HOSTILE_INPUT).audio), "-", f="null")


def _metered(sound: Stream) -> Stream:
    return sound.filter("ebur128", framelog="quiet", peak="true").filter("aformat", sample_fmts="flt", sample_rates=SAMPLE_RATE)


def _run(output: Stream, source: Path, work: Path | None, duration: float) -> list[str]:
    limits = sandbox.Limits(cpu_seconds=60 + 2 * duration, wall_seconds=120 + 4 * duration, file_bytes=1 << 30)

    def command(progress: int) -> list[str]:
        quiet = ("-nostdin", "-hide_banner", "-nostats", "-progress", f"pipe:{progress}")
        compiled: list[str] = output.global_args(*quiet).compile(cmd=str(binary()), overwrite_output=True)
        return compiled

    return run_ffmpeg(command, {"source": source}, work, limits).said


def _level_of(said: list[str]) -> _Level:
    loudness, peak = loudness_of(said)
    return _Level(loudness, -math.inf if peak is None else peak)
