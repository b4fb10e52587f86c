"""Which ffmpeg runs, what it must be able to do, and what it may do with a file that somebody uploaded."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg

from videolab_assets.lib import sandbox
from videolab_assets.lib.errors import PermanentError

BINARY_VARIABLE = "VIDEOLAB_FFMPEG"

DEMUXERS = ("mov", "matroska", "avi", "mpegts", "mpeg", "flv", "ogg", "asf", "mp3", "wav", "flac", "aac")
"""Containers that are opened, by ffmpeg's names; `mov` is MP4, M4A and 3GP too, `matroska` is WebM. Never a playlist (`hls`, `dash`,
`concat`), an image sequence or text: those read other files or render anything."""

DECODERS = (
    *("h264", "hevc", "vp8", "vp9", "libvpx", "libvpx-vp9", "av1", "libdav1d", "mpeg1video", "mpeg2video", "mpeg4"),
    *("prores", "dnxhd", "mjpeg", "theora", "flv", "vc1", "wmv3"),
    *("aac", "mp2", "mp2float", "mp3", "mp3float", "opus", "libopus", "vorbis", "libvorbis", "flac", "alac", "ac3", "eac3"),
    *("wmav1", "wmav2", "wmapro"),
    *("pcm_u8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be"),
)
"""Decoders that may run on an upload, by decoder name: a format with two (`av1`, `libdav1d`) needs both. No subtitle and no picture
decoders but MJPEG: nothing reads such streams, and a file that has them is not refused for it."""

LARGEST_PICTURE_PIXELS = 8192 * 4320
MOST_STREAMS = 32

HOSTILE_INPUT: dict[str, str | int] = {
    "protocol_whitelist": "file",
    "format_whitelist": ",".join(DEMUXERS),
    "codec_whitelist": ",".join(DECODERS),
    "max_streams": MOST_STREAMS,
    "max_pixels": LARGEST_PICTURE_PIXELS,
    "probesize": 50_000_000,
    "analyzeduration": 10_000_000,
}
"""Input options for ffmpeg-python, to go with the fixed name `file:in/source`. The demuxer list is what keeps one tenant's playlist
from reading another's file; the protocol list alone does not (tried: HLS, DASH and ffconcat against ffmpeg 5.1.9 and 9.0.2)."""

NEEDED_ENCODERS = ("libx264", "aac", "flac", "mjpeg")
NEEDED_FILTERS = (
    *("split", "asplit", "scale", "fps", "format", "setsar", "select", "bwdif", "idet", "zscale", "tonemap", "setparams", "crop", "pad"),
    *("aresample", "aformat", "ebur128"),
    *("ass", "concat", "gblur", "hstack", "lutyuv", "setpts", "settb", "trim", "vstack"),
    *("afade", "alimiter", "apad", "asetpts", "atrim", "channelmap", "volume"),
)

_MAGICYUV_FIXED = {5: (5, 1, 10), 6: (6, 1, 6), 7: (7, 1, 5), 8: (8, 1, 2)}
"""First release of each line without CVE-2026-8461, a heap overflow in the MagicYUV decoder; none before 5 has the fix."""


@functools.cache
def binary() -> Path:
    """The ffmpeg to run: what VIDEOLAB_FFMPEG names (a path or a name on PATH), else the one inside imageio-ffmpeg's wheel.

    Raises:
        PermanentError: there is none.
    """
    chosen = os.environ.get(BINARY_VARIABLE)
    if chosen:
        found = shutil.which(chosen)
        if found is None:
            raise PermanentError(f"{BINARY_VARIABLE} is {chosen!r}, which is not a program: give the path of an ffmpeg, or unset it.")
        return Path(found).resolve()
    try:
        return Path(imageio_ffmpeg.get_ffmpeg_exe()).resolve()
    except RuntimeError as problem:
        raise PermanentError(
            f"There is no ffmpeg: install the imageio-ffmpeg package for this platform, or set {BINARY_VARIABLE} to one.", str(problem)
        ) from problem


@functools.cache
def version() -> str:
    """What `binary()` calls itself, for example `9.0.2-static`.

    Raises:
        PermanentError: it does not run.
        TransientError: the machine could not start it.
    """
    words = _said("-version").split()
    return words[2] if len(words) > 2 else "unknown"


def missing_features() -> list[str]:
    """The needed encoders and filters that `binary()` was built without, as `encoder libx264`; empty when all is well.

    Raises:
        PermanentError: it does not run.
        TransientError: the machine could not start it.
    """
    encoders = _second_column(_said("-encoders"))
    filters = _second_column(_said("-filters"))
    return [f"encoder {name}" for name in NEEDED_ENCODERS if name not in encoders] + [
        f"filter {name}" for name in NEEDED_FILTERS if name not in filters
    ]


def linked_ffmpegs() -> dict[str, str]:
    """Versions of the ffmpegs linked into PyAV (`av`) and OpenCV (`cv2`), `unknown` where the module does not say.

    Each is asked in a process of its own: two ffmpegs in one process are asking for trouble.
    """
    return {module: _linked_version(module) for module in ("av", "cv2")}


def has_magicyuv_hole(ffmpeg_version: str) -> bool | None:
    """Whether this release lacks the fix of CVE-2026-8461; None for a version that is no release number.

    Distributions that patch without a new number (`5.1.9-0+deb12u1`) count as unpatched. The decoder list keeps the hole out of reach
    either way.
    """
    number = re.match(r"n?(\d{1,3})\.(\d{1,3})(?:\.(\d{1,3}))?(?!\d)", ffmpeg_version)
    if number is None:
        return None
    release = (int(number[1]), int(number[2]), int(number[3] or 0))
    if release[0] > max(_MAGICYUV_FIXED):
        return False
    return release[0] not in _MAGICYUV_FIXED or release < _MAGICYUV_FIXED[release[0]]


def _said(option: str) -> str:
    done = sandbox.run([str(binary()), "-hide_banner", option], inputs={}, limits=sandbox.Limits())
    if done.returncode != 0:
        raise PermanentError(f"The ffmpeg at {binary()} does not run: set {BINARY_VARIABLE} to one that does.", done.stderr_tail)
    return done.stdout.decode(errors="replace")


def _second_column(table: str) -> frozenset[str]:
    return frozenset(words[1] for words in map(str.split, table.splitlines()) if len(words) > 1)


_ASK_LINKED = """
import ctypes, importlib, json, pathlib, sys
importlib.import_module(sys.argv[1])
loaded = {line.split()[-1] for line in pathlib.Path("/proc/self/maps").read_text().splitlines() if "libavutil" in line}
said = "unknown"
for library in sorted(loaded):
    ask = ctypes.CDLL(library).av_version_info
    ask.restype = ctypes.c_char_p
    said = ask().decode()
print(json.dumps(said))
"""


def _linked_version(module: str) -> str:
    asked = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-I", "-c", _ASK_LINKED, module], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
    )
    return str(json.loads(asked.stdout)) if asked.returncode == 0 else "unknown"
