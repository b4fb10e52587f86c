"""What the prober says of files whose truth is known, because the tests made them."""

import json
import subprocess
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib import sandbox
from videolab_assets.lib.documents import Probe
from videolab_assets.lib.errors import TransientError
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.probe import Facts, Unreadable, probe
from videolab_assets.lib.probe_child import Clock

MEDIA = Path(__file__).parents[3] / "shared" / "media"
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def make(path: Path, *arguments: str) -> Path:
    command = [str(binary()), "-nostdin", "-v", "error", "-y", *arguments, f"file:{path}"]
    subprocess.run(command, cwd=path.parent, check=True, timeout=60)
    return path


def lavfi(graph: str) -> tuple[str, ...]:
    return ("-f", "lavfi", "-i", graph)


@pytest.mark.skipif(not MEDIA.is_dir(), reason="the real media are not beside this checkout")
def test_a_real_recording() -> None:
    """The one file that every user has looks different from what players say."""
    found = probe(MEDIA / "speech-example.mp4").probe
    assert found.duration == pytest.approx(42.4, abs=0.05)
    assert found.video is not None
    assert found.audio is not None
    assert (found.container, found.streams, found.video.codec, found.audio.codec) == ("mov", 2, "h264", "aac")
    assert (found.video.width, found.video.height, found.video.frame_rate) == (1280, 720, 30.0)
    assert (found.video.variable_frame_rate, found.video.hdr, found.video.rotation) == (False, None, 0)
    assert (found.audio.sample_rate, found.audio.channels, found.audio.layout) == (48000, 2, "stereo")


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "ts", "avi", "flv", "webm"])
def test_duration_and_rate_in_every_container(suffix: str, tmp_path: Path) -> None:
    """Containers with coarse clocks, or whose clock doesn't start at 0, give wrong durations or a variable rate."""
    codecs = ("-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus") if suffix == "webm" else (*H264, "-bf", "2", "-c:a", "aac")
    file = make(tmp_path / f"a.{suffix}", *lavfi("testsrc2=s=128x72:r=30000/1001:d=4"), *lavfi("sine=d=4"), *codecs)
    found = probe(file).probe
    assert found.duration == pytest.approx(4.0, abs=0.1)
    assert found.video is not None
    assert found.video.frame_rate == pytest.approx(30000 / 1001, rel=1e-6)
    assert not found.video.variable_frame_rate


def video_of(found: Probe) -> tuple[int, int, int]:
    assert found.video is not None
    return found.video.width, found.video.height, found.video.rotation


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_rotation_is_that_which_ffmpeg_applies(turn: int, tmp_path: Path) -> None:
    """Phone videos lie on their side: the size is the stored one, or the turn goes the wrong way."""
    # Left half white, right half black: which side the white is on after ffmpeg's own turn says what the turn was.
    picture = lavfi("color=white:s=64x64:d=0.4[l];color=black:s=64x64:d=0.4[r];[l][r]hstack")
    plain = make(tmp_path / "plain.mp4", *picture, *H264)
    turned = make(tmp_path / "turned.mp4", "-display_rotation", str(-turn), "-i", f"file:{plain}", "-c", "copy")
    assert video_of(probe(turned).probe) == ((128, 64, turn) if turn in (0, 180) else (64, 128, turn))
    shown = make(tmp_path / "shown.gray", "-i", f"file:{turned}", "-frames:v", "1", "-f", "rawvideo", "-pix_fmt", "gray").read_bytes()
    width, height = (128, 64) if turn in (0, 180) else (64, 128)
    picture_shown = np.frombuffer(shown, np.uint8).reshape(height, width)
    halves = np.array_split(picture_shown, 2, 1) + np.array_split(picture_shown, 2, 0)
    brightness = dict(zip(("left", "right", "top", "bottom"), (half.mean() for half in halves), strict=True))
    # Turned clockwise, what was left comes to the top, then to the right, then to the bottom.
    assert max(brightness, key=brightness.__getitem__) == {0: "left", 90: "top", 180: "right", 270: "bottom"}[turn]


def test_anamorphic_pixels(tmp_path: Path) -> None:
    """DV and DVD pictures come out squeezed."""
    file = make(tmp_path / "a.mp4", *lavfi("testsrc2=s=720x576:d=0.4"), "-vf", "setsar=64/45", *H264)
    found = probe(file).probe
    assert video_of(found) == (1024, 576, 0)
    assert found.video is not None
    assert (found.video.coded_width, found.video.sample_aspect_ratio) == (720, "64:45")


def test_hdr_and_depth(tmp_path: Path) -> None:
    """HDR is taken for SDR and looks grey."""
    colours = ("-color_primaries", "bt2020", "-color_trc", "arib-std-b67", "-colorspace", "bt2020nc")
    setting = "setparams=color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc,format=yuv420p10le"
    source = lavfi("testsrc2=s=128x72:d=0.4")
    file = make(tmp_path / "a.mp4", *source, "-vf", setting, "-c:v", "libx265", "-x265-params", "log-level=error:pools=1", *colours)
    video = probe(file).probe.video
    assert video is not None
    assert (video.hdr, video.bit_depth, video.color_primaries, video.pixel_format) == ("hlg", 10, "bt2020", "yuv420p10le")


def test_variable_rate(tmp_path: Path) -> None:
    """Screen recordings drift out of sync because their frame number is taken for time."""
    choose = "select='lt(n\\,30)+not(mod(n\\,4))'"
    file = make(tmp_path / "a.mp4", *lavfi("testsrc2=s=128x72:r=30:d=4"), "-vf", choose, "-fps_mode", "vfr", *H264)
    found = probe(file)
    assert found.probe.video is not None
    assert found.probe.video.variable_frame_rate
    assert found.facts.video is not None
    assert found.facts.video.longest_gap == pytest.approx(4 / 30, abs=0.01)
    assert found.probe.video.frame_rate == pytest.approx((30 + 90 / 4) / 4, rel=0.02)


def test_one_odd_interval(tmp_path: Path) -> None:
    """A short AVI of 25 frames a second is taken for 24.6, because the second frame comes one frame late."""
    inputs = (*lavfi("testsrc2=s=128x72:r=25:d=2.4"), *lavfi("sine=d=2.4"))
    file = make(tmp_path / "a.avi", *inputs, "-c:v", "mpeg4", "-c:a", "libmp3lame")
    found, facts = probe(file).probe, probe(file).facts
    assert found.video is not None
    assert facts.video is not None
    assert facts.video.longest_gap == pytest.approx(2 / 25)
    assert found.video.frame_rate == 25
    assert not found.video.variable_frame_rate


def test_each_stream_has_its_own_span(tmp_path: Path) -> None:
    """Picture that ends early passes for whole because the sound lasts longer, and the other way round."""
    inputs = (*lavfi("testsrc2=s=64x64:r=25:d=2"), "-itsoffset", "1", *lavfi("sine=d=3"))
    found = probe(make(tmp_path / "a.mkv", *inputs, *H264, "-c:a", "flac")).probe
    assert found.video is not None
    assert found.audio is not None
    assert (found.video.start, found.video.duration, found.video.end) == pytest.approx((0, 2, 2), abs=0.01)
    assert (found.audio.start, found.audio.duration, found.audio.end) == pytest.approx((1, 3, 4), abs=0.01)
    assert found.clock_jump == 0


def test_clock_that_starts_late_or_jumps_back(tmp_path: Path) -> None:
    """A recording that starts at one hour lasts an hour, and two that were glued together last as long as one."""
    late = make(tmp_path / "late.mkv", *lavfi("testsrc2=s=64x64:d=2"), *H264, "-output_ts_offset", "3600")
    assert probe(late).probe.duration == pytest.approx(2.0, abs=0.1)
    part = make(tmp_path / "part.ts", *lavfi("testsrc2=s=64x64:d=2"), *lavfi("sine=d=2"), *H264, "-c:a", "aac")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(part.read_bytes() * 2)
    found = probe(joined)
    assert found.probe.duration == pytest.approx(4.0, abs=0.1)
    assert found.facts.video is not None
    assert found.facts.video.clock_jumps == 1
    assert found.probe.clock_jump == pytest.approx(2.0, abs=0.1)


def test_cut_by_an_edit_list(tmp_path: Path) -> None:
    """A phone's trimmed video, which keeps the cut frames in the file, counts as longer than it plays, or as truncated."""
    whole = make(tmp_path / "whole.mp4", *lavfi("testsrc2=s=64x64:r=25:d=6"), *lavfi("sine=d=6"), *H264, "-g", "250", "-c:a", "aac")
    cut = make(tmp_path / "cut.mp4", "-ss", "2.5", "-i", f"file:{whole}", "-c", "copy")
    assert cut.stat().st_size > whole.stat().st_size * 0.7
    facts = probe(cut).facts
    assert probe(cut).probe.duration == pytest.approx(3.5, abs=0.1)
    assert facts.video is not None
    assert facts.video.declared == pytest.approx(3.5, abs=0.1)


def test_streams_that_do_not_count(tmp_path: Path) -> None:
    """A song's cover becomes a video of one frame; subtitles or an attachment make the whole file unreadable."""
    (tmp_path / "lines.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nHola\n")
    cover = make(tmp_path / "cover.png", *lavfi("color=red:s=64x64"), "-frames:v", "1")
    inputs = (*lavfi("testsrc2=s=64x64:d=2"), *lavfi("sine=d=2"), "-i", "lines.srt", "-attach", str(cover))
    maps = ("-map", "0", "-map", "1", "-map", "2", "-metadata:s:t", "mimetype=image/png", "-metadata:s:t", "filename=../cover.png")
    found = probe(make(tmp_path / "a.mkv", *inputs, *maps, *H264, "-c:a", "aac", "-c:s", "ass"))
    assert (found.probe.streams, found.facts.stills, found.facts.unsupported_pictures) == (4, 1, [])
    assert found.probe.video is not None
    assert found.probe.video.codec == "h264"
    inputs = (*lavfi("sine=d=2"), "-i", str(cover), "-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v", "attached_pic")
    song = probe(make(tmp_path / "song.mp3", *inputs, "-c:a", "libmp3lame")).probe
    assert song.video is None
    assert song.audio is not None
    assert song.audio.codec == "mp3"


def test_the_default_stream_is_chosen(tmp_path: Path) -> None:
    """The commentary track is transcribed instead of the film's own sound."""
    sounds = (*lavfi("sine=r=8000:d=1"), *lavfi("sine=r=16000:d=1"), "-map", "0", "-map", "1", "-c:a", "flac")
    file = make(tmp_path / "a.mkv", *sounds, "-disposition:a:0", "0", "-disposition:a:1", "default")
    audio = probe(file).probe.audio
    assert audio is not None
    assert (audio.index, audio.sample_rate) == (1, 16000)


def test_more_streams_than_allowed_are_only_counted(tmp_path: Path) -> None:
    """A stream bomb is read from end to end before it is refused."""
    file = make(tmp_path / "a.mkv", *lavfi("sine=d=0.2"), *["-map", "0:a"] * 5, "-c:a", "flac")
    found = probe(file, most_streams=4)
    assert (found.facts.streams, found.facts.audio) == (5, None)


def answering(monkeypatch: pytest.MonkeyPatch, **changes: object) -> None:
    """Replaces the sandbox's answer by that of a child that was taken over, crashed or starved."""
    usual = {
        "returncode": 0,
        "stdout": b'{"pyav": "18"}\n{}\n',
        "stderr_tail": "",
        "why": "exit",
        "cpu_seconds": 1.0,
        "peak_memory_bytes": 1,
    }
    monkeypatch.setattr(sandbox, "run", lambda *_, **__: sandbox.Completed(**(usual | changes)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"returncode": -11, "why": "signal", "stdout": b"{}\n"}, "crashes"),
        ({"returncode": -9, "why": "cpu", "stdout": b"{}\n"}, "too_slow"),
        ({"returncode": -9, "why": "output", "stdout": b"{}\nx"}, "crashes"),
        ({"returncode": 1, "stderr_tail": "MemoryError", "stdout": b"{}\n"}, "too_much_memory"),
        ({"stdout": b'{}\n{"refused": "MemoryError"}\n'}, "too_much_memory"),
        ({"stdout": b"{}\nnot json\n"}, "crashes"),
        ({"stdout": b"{}\n[1]\n"}, "crashes"),
        ({"stdout": b'{}\n{"container": "mov"}\n'}, "crashes"),
    ],
)
def test_what_the_file_did(changes: dict[str, object], why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that takes the prober down is tried again for ever, or what its prober says is believed unseen."""
    answering(monkeypatch, **changes)
    with pytest.raises(Unreadable) as raised:
        probe(Path(__file__))
    assert raised.value.why == why


def test_not_a_number_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """NaN is neither above nor below a cap, so a file with such times passes all of them."""
    file = make(tmp_path / "a.flac", *lavfi("sine=d=1"))
    facts: Facts = probe(file).facts
    answer = facts.model_dump() | {"audio": facts.audio.model_dump() | {"end": float("nan")} if facts.audio else None}
    answering(monkeypatch, stdout=b"{}\n" + json.dumps(answer).encode() + b"\n")
    with pytest.raises(Unreadable, match="no sense"):
        probe(file)


@pytest.mark.parametrize(
    "changes",
    [
        {"returncode": 1, "stdout": b"", "stderr_tail": "ModuleNotFoundError: No module named 'av'"},
        {"returncode": -9, "why": "wall", "stdout": b"{}\n"},
        {"returncode": -9, "why": "signal", "stdout": b"{}\n"},
        {"stdout": b'{}\n{"refused": "PermissionError"}\n'},
    ],
)
def test_what_the_machine_did(changes: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy or half-installed machine rejects every upload."""
    answering(monkeypatch, **changes)
    with pytest.raises(TransientError):
        probe(Path(__file__))


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=40), st.integers(-100_000, 100_000), st.integers(1, 3))
def test_clock_keeps_every_duration(steps: list[int], start: int, copies: int) -> None:
    """Negative starts and joined recordings change the duration or invent gaps."""
    clock = Clock(Fraction(1, 10))
    for _ in range(copies):
        time = start
        for step in steps:
            clock.add(SimpleNamespace(pts=time, dts=time, duration=step, is_discard=False))  # type: ignore[arg-type]
            time += step
    total = sum(steps)
    joins = copies - 1 if total > 10 + steps[-1] else 0
    if copies == 1 or joins:
        assert clock.end - min(clock.times) == total * copies
        assert clock.jumps == joins
        assert clock.gaps().longest == max(steps)
