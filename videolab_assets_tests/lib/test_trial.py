"""The trial decode: damage told from a bad spot, combing from a flag, and the file's fault from the machine's."""

import random
import subprocess
from pathlib import Path

import pytest

from videolab_assets.lib import sandbox, trial
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.probe import probe
from videolab_assets.lib.trial import Trial, try_decoding

MEDIA = Path(__file__).parents[3] / "shared" / "media"
needs_media = pytest.mark.skipif(not MEDIA.is_dir(), reason="the real media are not beside this checkout")
H264 = ("-c:v", "libx264", "-preset", "ultrafast")


def make(path: Path, *arguments: str) -> Path:
    command = [str(binary()), "-nostdin", "-v", "error", "-y", *arguments, f"file:{path}"]
    subprocess.run(command, cwd=path.parent, check=True, timeout=60)
    return path


def tried(path: Path) -> Trial:
    return try_decoding(path, probe(path).facts)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    picture = ("-f", "lavfi", "-i", "testsrc2=s=320x180:d=3", "-f", "lavfi", "-i", "sine=d=3")
    return make(tmp_path / "a.mp4", *picture, *H264, "-c:a", "aac", "-movflags", "+faststart")


@pytest.mark.parametrize(("changed", "damaged"), [(0, None), (2, None), (400, "picture")])
def test_damage_is_told_from_a_bad_spot(changed: int, damaged: str | None, video: Path) -> None:
    """One bad byte refuses a whole recording, or noise passes because ffmpeg paints over it and exits with 0."""
    data = bytearray(video.read_bytes())
    media = data.index(b"mdat") + 4
    chance = random.Random(7)
    for _ in range(changed):
        data[chance.randrange(media, len(data))] = chance.randrange(256)
    video.write_bytes(data)
    assert tried(video).damaged == damaged


def test_damaged_sound(video: Path) -> None:
    """A file whose sound is noise passes because its picture is fine."""
    sound = make(video.with_name("sound.mp4"), "-i", f"file:{video}", "-map", "0:a", "-c", "copy", "-movflags", "+faststart")
    data = bytearray(sound.read_bytes())
    media = data.index(b"mdat") + 4
    data[media:] = random.Random(7).randbytes(len(data) - media)
    sound.write_bytes(data)
    assert tried(sound).damaged == "sound"


def test_joined_and_cut_recordings_pass(video: Path) -> None:
    """Broadcast recordings, which have a bad packet at each join and start in the middle of a group of pictures, are refused."""
    stream = make(video.with_suffix(".ts"), "-i", f"file:{video}", "-c:v", "libx264", "-preset", "ultrafast", "-g", "30", "-c:a", "aac")
    packets = stream.read_bytes()
    stream.write_bytes(packets[188 * 300 :] + packets)
    assert tried(stream).damaged is None


@needs_media
@pytest.mark.parametrize(
    ("weave", "flags", "interlaced"),
    [
        ("null", (), False),
        ("tinterlace=interleave_top", (), True),
        ("tinterlace=interleave_bottom,setfield=bff", ("-flags", "+ildct+ilme", "-x264-params", "bff=1"), True),
        ("setfield=tff", ("-flags", "+ildct+ilme", "-x264-params", "tff=1"), False),
    ],
)
def test_interlacing_is_seen_in_the_pixels(weave: str, flags: tuple[str, ...], interlaced: bool, tmp_path: Path) -> None:
    """The stream's flag lies both ways: combing stays in the proxy, or a sharp picture is blurred."""
    source = MEDIA / "big-buck-bunny-30s.webm"
    file = make(tmp_path / "a.mp4", "-ss", "3", "-i", f"file:{source}", "-t", "5", "-an", "-vf", f"scale=640:360,{weave}", *H264, *flags)
    assert tried(file).interlaced is interlaced


def test_moving_stripes_are_not_combing(video: Path) -> None:
    """idet alone calls an animation with fine stripes interlaced (88 % of testsrc2's frames)."""
    assert not tried(video).interlaced


def failing(monkeypatch: pytest.MonkeyPatch, returncode: int, why: str) -> None:
    done = sandbox.Completed(returncode, b"", "", why, 1.0, 1)  # type: ignore[arg-type]
    monkeypatch.setattr(sandbox, "run", lambda *_, **__: done)


@pytest.mark.parametrize(("returncode", "why"), [(-9, "wall"), (-9, "signal")])
def test_cut_short_by_the_machine(returncode: int, why: str, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine calls healthy uploads damaged."""
    facts = probe(video).facts
    failing(monkeypatch, returncode, why)
    with pytest.raises(TransientError):
        try_decoding(video, facts)


def test_an_ffmpeg_that_can_not(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An ffmpeg without a needed filter rejects every upload as damaged."""
    facts = probe(video).facts
    failing(monkeypatch, 8, "exit")
    monkeypatch.setattr(trial, "missing_features", lambda: ["filter idet"])
    with pytest.raises(PermanentError, match="filter idet"):
        try_decoding(video, facts)


def test_a_decoder_that_crashes_is_the_file_s_fault(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that crashes the decoder is tried again for ever."""
    facts = probe(video).facts
    failing(monkeypatch, -11, "signal")
    monkeypatch.setattr(trial, "missing_features", list)
    assert try_decoding(video, facts).damaged == "picture"
