"""The gate at both levels of protection: what is let in, what is refused with which words, and that nothing else is touched."""

import json
import os
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from videolab_assets.lib.errors import RejectedUpload, TransientError
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.gate import Caps, admit

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2")
SOUND = ("-f", "lavfi", "-i", "sine=d=2")


def make(path: Path, *arguments: str) -> Path:
    command = [str(binary()), "-nostdin", "-v", "error", "-y", *arguments, f"file:{path}"]
    subprocess.run(command, cwd=path.parent, check=True, timeout=60)
    return path


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("good") / "good.mp4", *PICTURE, *SOUND, *H264, "-c:a", "aac", "-movflags", "+faststart")


def refused(path: Path, caps: Caps | None = None) -> RejectedUpload:
    with pytest.raises(RejectedUpload) as raised:
        admit(path, caps)
    assert raised.value.sentence.isprintable()
    json.dumps(raised.value.found, allow_nan=False)
    return raised.value


@pytest.mark.usefixtures("level")
def test_a_good_video(good: Path) -> None:
    """A gate that rejects this rejects everybody."""
    admission = admit(good)
    assert (admission.verdict, admission.missing) == ("accept", [])
    assert admission.probe.duration == pytest.approx(2.0, abs=0.05)
    assert admission.probe.bytes == good.stat().st_size


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize(("kept", "lost"), [("picture", "no sound"), ("sound", "no moving picture")])
def test_half_of_a_video(kept: str, lost: str, tmp_path: Path) -> None:
    """A podcast or a silent film is refused, or its missing assets fail without a word."""
    streams = (*PICTURE, *H264) if kept == "picture" else (*SOUND, "-c:a", "aac")
    admission = admit(make(tmp_path / "a.mp4", *streams))
    assert admission.verdict == "accept_partial"
    assert len(admission.missing) == 1
    assert lost in admission.missing[0]


def test_a_format_that_is_not_read(tmp_path: Path) -> None:
    """A video whose sound has a rare format is refused, or called silent without saying why."""
    admission = admit(make(tmp_path / "a.mkv", *PICTURE, *SOUND, *H264, "-c:a", "tta"))
    assert admission.verdict == "accept_partial"
    assert admission.missing == [
        "This file has no sound that VideoLab reads (tta), so there is no audio, waveform, transcript or subtitles."
    ]
    assert refused(make(tmp_path / "b.avi", *PICTURE, "-c:v", "magicyuv")).code == "format_not_supported"


def empty(folder: Path, good: Path) -> Path:
    (folder / "a.mp4").touch()
    return folder / "a.mp4"


def text(folder: Path, good: Path) -> Path:
    (folder / "a.mp4").write_text("hello world\n" * 1000)
    return folder / "a.mp4"


def web_page(folder: Path, good: Path) -> Path:
    (folder / "a.mp4").write_text("<html><body>403 Forbidden</body></html>")
    return folder / "a.mp4"


def font(folder: Path, good: Path) -> Path:
    (folder / "a.mp4").write_bytes(b"\0\1\0\0\0\x0f\0\x80" + bytes(5000))
    return folder / "a.mp4"


def picture(folder: Path, good: Path) -> Path:
    return make(folder / "a.mkv", *PICTURE, "-frames:v", "1", "-c:v", "mjpeg")


def photo(folder: Path, good: Path) -> Path:
    return make(folder / "a.mp4", *PICTURE, "-frames:v", "1", "-f", "image2", "-update", "1", "-c:v", "mjpeg")


def subtitles(folder: Path, good: Path) -> Path:
    (folder / "a.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHola\n")
    return make(folder / "a.mp4", "-i", "a.srt", "-c:s", "mov_text")


def without_end(folder: Path, good: Path) -> Path:
    slow = make(folder / "slow.mp4", "-i", str(good), "-c", "copy")
    (folder / "a.mp4").write_bytes(slow.read_bytes()[: slow.stat().st_size // 2])
    return folder / "a.mp4"


def truncated(folder: Path, good: Path) -> Path:
    (folder / "a.mp4").write_bytes(good.read_bytes()[: good.stat().st_size * 6 // 10])
    return folder / "a.mp4"


def truncated_matroska(folder: Path, good: Path) -> Path:
    whole = make(folder / "whole.mkv", "-i", str(good), "-c", "copy")
    (folder / "a.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
    return folder / "a.mkv"


def noise(folder: Path, good: Path) -> Path:
    data = bytearray(good.read_bytes())
    media = data.index(b"mdat") + 4
    data[media:] = bytes(byte * 167 % 251 for byte in range(len(data) - media))
    (folder / "a.mp4").write_bytes(data)
    return folder / "a.mp4"


def ten_year_gap(folder: Path, good: Path) -> Path:
    late = "setpts='if(eq(N,2),315360000,N)/TB'"
    source = ("-f", "lavfi", "-i", "color=s=64x64:r=1", "-frames:v", "3", "-vf", late, "-fps_mode", "vfr")
    return make(folder / "a.mp4", *source, *H264, "-video_track_timescale", "1")


def late_sound(folder: Path, good: Path) -> Path:
    return make(folder / "a.mkv", "-i", str(good), "-itsoffset", "7200", "-i", str(good), "-map", "0:v", "-map", "1:a", "-c", "copy")


def many_streams(folder: Path, good: Path) -> Path:
    return make(folder / "a.mkv", *SOUND, "-t", "0.2", *["-map", "0:a"] * 33, "-c:a", "flac")


def wide(folder: Path, good: Path) -> Path:
    return make(folder / "a.mp4", "-f", "lavfi", "-i", "color=s=8200x64:r=5:d=0.4", *H264)


def wide_pixels(folder: Path, good: Path) -> Path:
    return make(folder / "a.mp4", *PICTURE, "-vf", "setsar=100", *H264)


def tiny(folder: Path, good: Path) -> Path:
    return make(folder / "a.mp4", "-f", "lavfi", "-i", "color=s=8x8:d=1", *H264)


def short(folder: Path, good: Path) -> Path:
    return make(folder / "a.mp4", *PICTURE, "-frames:v", "2", *H264)


@pytest.mark.usefixtures("level")
@pytest.mark.parametrize(
    ("build", "code"),
    [
        (empty, "empty"),
        (text, "not_a_video"),
        (web_page, "web_page"),
        (font, "font"),
        (picture, "picture"),
        (photo, "picture"),
        (subtitles, "no_picture_or_sound"),
        (without_end, "incomplete"),
        (truncated, "incomplete"),
        (truncated_matroska, "incomplete"),
        (noise, "damaged"),
        (ten_year_gap, "gap"),
        (late_sound, "gap"),
        (many_streams, "too_many_streams"),
        (wide, "too_many_pixels"),
        (wide_pixels, "too_many_pixels"),
        (tiny, "too_small"),
        (short, "too_short"),
    ],
    ids=lambda value: value.__name__ if callable(value) else value,
)
def test_bad_uploads(build: Callable[[Path, Path], Path], code: str, good: Path, tmp_path: Path) -> None:
    """A file that nothing can be made of costs a run its time, memory or disk, or is refused for the wrong reason."""
    assert refused(build(tmp_path, good)).code == code


@pytest.mark.parametrize(
    ("caps", "code"),
    [
        (Caps(bytes=1000), "too_many_bytes"),
        (Caps(pixels=320 * 179), "too_many_pixels"),
        (Caps(longest_side=319), "too_many_pixels"),
        (Caps(seconds=1.9), "too_long"),
        (Caps(streams=1), "too_many_streams"),
        (Caps(frame_rate=10, seconds=4), "too_many_frames"),
    ],
)
def test_every_cap_holds(caps: Caps, code: str, good: Path) -> None:
    """A cap that a deployment sets is not kept."""
    assert refused(good, caps).code == code


@pytest.mark.usefixtures("level")
def test_playlists_read_and_call_nothing(good: Path, tmp_path: Path) -> None:
    """An upload of two lines publishes a neighbour's video, or makes this machine call an address inside its network."""
    (tmp_path / "victim.mp4").write_bytes(good.read_bytes())
    hls = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n"
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/victim.mp4"
        dash = f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><BaseURL>{url}</BaseURL></MPD>'
        quicktime = b"\0\0\0\x20ftypqt  \0\0\0\0" + bytes(12) + f'<?xml version="1.0"?><?quicktime src="{url}"?>'.encode()
        for content in (
            hls.format("victim.mp4").encode(),
            hls.format(f"file://{tmp_path}/victim.mp4").encode(),
            hls.format(url).encode(),
            hls.format("upload.mp4").encode(),
            b"ffconcat version 1.0\nfile 'victim.mp4'\n",
            # An unknown first line, so that the demuxers' own search decides and not the first bytes.
            b"\n# harmless\n" + hls.format(url).encode(),
            dash.encode(),
            quicktime,
        ):
            (tmp_path / "upload.mp4").write_bytes(content)
            refused(tmp_path / "upload.mp4")
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


def test_what_is_no_plain_file(good: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link publishes a system file, a pipe blocks the worker for ever, and holes fill the disk."""
    monkeypatch.chdir(tmp_path)  # a socket's name may have 107 bytes
    (tmp_path / "link.mp4").symlink_to(good)
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "folder.mp4").mkdir()
    with socket.socket(socket.AF_UNIX) as unix, (tmp_path / "holes.mp4").open("wb") as holes:
        unix.bind("socket.mp4")
        holes.write(good.read_bytes())
        holes.truncate(64 << 20)
    for name in ("link", "loop", "pipe", "folder", "socket"):
        assert refused(tmp_path / f"{name}.mp4").code == "not_a_file"
    assert refused(tmp_path / "holes.mp4").code == "sparse"
    (tmp_path / "locked.mp4").write_bytes(good.read_bytes())
    (tmp_path / "locked.mp4").chmod(0)
    assert refused(tmp_path / "locked.mp4").code == "not_readable"
    with pytest.raises(TransientError):
        admit(tmp_path / "nothing.mp4")


def test_tags_stay_inside(good: Path, tmp_path: Path) -> None:
    """Terminal codes or a 120,000-letter comment out of a file's tags reach a log, an event or the database."""
    title = "title=\x1b[31m$(touch pwned)<script>alert(1)</script>\u202e"
    file = make(tmp_path / "a.mp4", "-i", str(good), "-c", "copy", "-metadata", title, "-metadata", "comment=" + "A" * 120_000)
    written = admit(file).probe.model_dump_json()
    assert "script" not in written
    assert len(written) < 2000
    assert "script" not in json.dumps(refused(file, Caps(seconds=1)).found)
