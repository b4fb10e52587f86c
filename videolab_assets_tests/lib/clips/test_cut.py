"""Clips of sources whose frames show their numbers: each clip must show exactly those that the proxy shows there, and click with them."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from videolab_assets.lib import gate, sandbox
from videolab_assets.lib.clips import passage
from videolab_assets.lib.clips.cut import Cut, cut
from videolab_assets.lib.decode import decode
from videolab_assets.lib.documents import Probe
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets_tests import sources
from videolab_assets_tests.lib.clips import numbered
from videolab_assets_tests.lib.clips.numbered import AAC, HEIGHT, WIDTH, X264, CutUp

CLICK_TOLERANCE = 0.002
"""Seconds. A tenth of what was promised: containers round to a millisecond."""
FADED = 0.034


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("numbered")


@pytest.fixture(scope="module")
def plain(made: Path) -> Path:
    """3.6 s, 30 frames a second, B-frames, a key frame every 40 frames."""
    return numbered.make(made / "plain.mp4", *X264, "-g", "40", *AAC)


@pytest.fixture(scope="module")
def copied(plain: Path, made: Path) -> CutUp:
    return numbered.cut_up(plain, made / "copied", (17, 105))


def shown(path: Path) -> list[int]:
    return numbered.numbers_in(numbered.luma(path))


def check_player(found: Cut, expected: list[int], rate: Fraction) -> None:
    """By libav's own decoder: every frame at its time, and reached by seeking to it."""
    with av.open(str(found.path)) as container:
        stream = container.streams.video[0]
        frames = [(place_of(frame, rate), frame.to_ndarray(format="gray")) for frame in container.decode(stream)]
        assert [place for place, _ in frames] == list(range(len(expected)))
        assert numbered.numbers_in([grey.astype(np.uint8) for _, grey in frames]) == expected
        for place in range(0, len(expected), 2):
            container.seek(round(place / rate * 1_000_000))
            reached = next(frame for frame in container.decode(stream) if place_of(frame, rate) >= place)
            assert numbered.numbers_in([reached.to_ndarray(format="gray").astype(np.uint8)]) == [expected[place]]


def place_of(frame: av.VideoFrame, rate: Fraction) -> int:
    assert frame.pts is not None
    assert frame.time_base is not None
    return round(frame.pts * frame.time_base * rate)


def test_the_middle_is_copied_and_every_frame_is_right(copied: CutUp) -> None:
    """A smart cut ends frames early or late, or players show garbage where the encoded head meets copied packets."""
    (found,) = copied.cuts
    assert (found.how, found.why) == ("copied", None)
    assert found.frames_encoded < found.frames == 88
    assert (found.width, found.height, found.frame_rate, found.duration) == (WIDTH, HEIGHT, 30.0, 88 / 30)
    assert shown(found.path) == list(range(17, 105))
    check_player(found, list(range(17, 105)), copied.rate)
    assert numbered.complaints(found.path) == ""


def test_clicks_stay_with_their_frames(copied: CutUp) -> None:
    """Without an edit list the encoder's priming makes sound 21 ms late."""
    (found,) = copied.cuts
    first = 17 / 30
    expected = [second - first for second in (1, 2, 3)]
    assert numbered.click_times(numbered.heard(found.path)) == pytest.approx(expected, abs=CLICK_TOLERANCE)
    assert found.audio_video_offset == pytest.approx(0, abs=0.001)


def test_no_edit_list_and_the_index_first(copied: CutUp) -> None:
    """Platforms stumble over edit lists, and browsers over an index at the end."""
    data = copied.cuts[0].path.read_bytes()
    assert b"elst" not in data
    assert data.index(b"moov") < data.index(b"mdat")


@pytest.mark.long
def test_sound_begins_and_ends_softly(made: Path) -> None:
    """Sound cut in the middle of a wave clicks."""
    tone = sources.wav(made / "tone.wav", sources.sine(48_000, 4, -3), 48_000)
    silent = numbered.make(made / "silent.mp4", *X264, "-g", "40", seconds=4, sound=None)
    sources.ffmpeg("-i", silent, "-f", "wav", "-i", tone, "-c:v", "copy", *AAC, made / "tone.mp4")
    found = numbered.cut_up(made / "tone.mp4", made / "soft", (31, 80)).cuts[0]
    sound = np.abs(numbered.heard(found.path))
    last = round(49 / 30 * 48_000)
    assert sound[:1100].max() < 0.1
    assert sound[last - 60 : last + 60].max() < 0.1
    assert sound[round(FADED * 48_000) : last - 700].max() > 0.6
    assert np.abs(np.diff(numbered.heard(found.path))).max() < 0.12


@pytest.mark.long
def test_irregular_frames_are_encoded_on_the_proxys_grid(made: Path) -> None:
    """Frame numbers divided by a rate drift by 41 ms within 10 s of a recording of variable rate."""
    path = numbered.make(made / "vfr.mp4", *X264[:-1], "select='not(between(mod(n,17),3,5))'", "-fps_mode", "vfr", *AAC, seconds=3)
    check(path, made / "vfr", (20, 60))


def check(path: Path, work: Path, *spans: tuple[int, int], how: str = "encoded") -> CutUp:
    """Clips against the proxy: frames, and clicks that are not faded."""
    probe = gate.admit(path).probe
    (work.parent / f"{work.name}.proxy").mkdir()
    proxy = decode(path, probe, {"proxy"}, work.parent / f"{work.name}.proxy").proxy
    assert proxy
    expected = shown(proxy)
    found = numbered.cut_up(path, work, *[(first, min(end, len(expected))) for first, end in spans])
    for span, one in zip(found.spans, found.cuts, strict=True):
        assert one.how == how, one.why
        assert shown(one.path) == expected[slice(*span)]
        assert one.frames == span[1] - span[0]
        check_player(one, expected[slice(*span)], found.rate)
        if probe.audio:
            check_clicks(one, span, found.rate, proxy)
    return found


def check_clicks(one: Cut, span: tuple[int, int], rate: Fraction, proxy: Path) -> None:
    begins, ends = (float(frame / rate) for frame in span)
    in_proxy = [time - begins for time in numbered.click_times(numbered.heard(proxy))]
    expected = [time for time in in_proxy if FADED < time < ends - begins - 0.02]
    clear = [time for time in numbered.click_times(numbered.heard(one.path)) if FADED < time < ends - begins - 0.02]
    assert clear == pytest.approx(expected, abs=CLICK_TOLERANCE)
    assert one.audio_video_offset == pytest.approx(0, abs=CLICK_TOLERANCE)


X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:keyint=40", "-pix_fmt", "yuv420p", "-tag:v", "hvc1")
COPIED: dict[str, Callable[[Path], Path]] = {
    "b-pyramid": lambda at: numbered.make(at / "a.mp4", *X264, "-g", "50", "-bf", "8", "-x264-params", "b-pyramid=normal:ref=6", *AAC),
    "29.97, 44.1 kHz": lambda at: numbered.make(at / "a.mp4", *X264, "-g", "45", *AAC, rate="30000/1001", sound=(44_100, 0.0)),
    "Matroska, MP3": lambda at: numbered.make(at / "a.mkv", *X264, "-g", "60", "-c:a", "libmp3lame", rate="60000/1001", seconds=3),
    "main profile, no sound": lambda at: numbered.make(at / "a.mp4", *X264, "-g", "40", "-profile:v", "main", sound=None),
    "baseline profile, late sound": lambda at: numbered.make(
        at / "a.mp4", *X264, "-g", "40", "-bf", "0", "-profile:v", "baseline", *AAC, sound=(48_000, 2.3)
    ),
    "edit list": lambda at: remuxed(at, "b.mp4", before=("-ss", "0.37")),
    "clock begins at 5.5 s": lambda at: remuxed(at, "b.mkv", before=("-itsoffset", "5.5")),
}
ENCODED: dict[str, Callable[[Path], Path]] = {
    "open groups": lambda at: numbered.make(at / "a.mp4", *X264, "-g", "40", "-bf", "4", "-x264-params", "open-gop=1", *AAC),
    "intra refresh": lambda at: numbered.make(at / "a.mp4", *X264, "-g", "40", "-x264-params", "intra-refresh=1", *AAC),
    "transport stream": lambda at: remuxed(at, "b.ts"),
    "two transport streams": lambda at: twice(remuxed(at, "b.ts")),
    "AVI": lambda at: numbered.make(at / "a.avi", "-c:v", "mpeg4", "-q:v", "3", "-bf", "2", "-c:a", "mp3", rate="25"),
    "WebM": lambda at: numbered.make(at / "a.webm", "-c:v", "libvpx", "-b:v", "2M", "-cpu-used", "8", "-c:a", "libopus", rate="25"),
    "HEVC": lambda at: numbered.make(at / "a.mp4", *X265, *AAC),
    "Ogg": lambda at: numbered.make(at / "a.ogv", "-c:v", "libtheora", "-q:v", "7", "-g", "50", "-c:a", "libvorbis", rate="25"),
}


def remuxed(at: Path, name: str, before: tuple[str, ...] = ()) -> Path:
    sources.ffmpeg(*before, "-i", numbered.make(at / "a.mp4", *X264, "-g", "40", *AAC), "-c", "copy", at / name)
    return at / name


def twice(path: Path) -> Path:
    path.write_bytes(path.read_bytes() * 2)
    return path


@pytest.mark.long
@pytest.mark.parametrize("kind", COPIED)
def test_sources_that_are_copied(kind: str, tmp_path: Path) -> None:
    """A kind of recording whose copied clips begin, join or end a frame off, or whose sound comes from somewhere else."""
    check(COPIED[kind](tmp_path), tmp_path / "clips", (37, 103), how="copied")


@pytest.mark.long
@pytest.mark.parametrize("kind", ENCODED)
def test_sources_that_are_encoded(kind: str, tmp_path: Path) -> None:
    """A kind of recording in which seeking lands elsewhere, or whose time only reading from the start knows."""
    spans = ((50, 9999),) if kind != "two transport streams" else ((90, 130), (124, 160))
    check(ENCODED[kind](tmp_path), tmp_path / "clips", *spans)


@pytest.mark.long
def test_a_telephones_clip_is_upright(tmp_path: Path) -> None:
    """A recording that lies on its side is copied as it lies."""
    flat = numbered.make(tmp_path / "a.mp4", *X264, *AAC)
    sources.ffmpeg("-display_rotation", "90", "-i", flat, "-c", "copy", tmp_path / "b.mp4")
    (found,) = numbered.cut_up(tmp_path / "b.mp4", tmp_path / "clips", (37, 97)).cuts
    assert (found.how, found.width, found.height) == ("encoded", HEIGHT, WIDTH)
    assert "rotated" in (found.why or "")
    assert numbered.numbers_in(numbered.luma(found.path, "transpose=1")) == list(range(37, 97))


@pytest.mark.long
@pytest.mark.parametrize("changed", ["size", "channels"])
def test_a_stream_that_changes_in_the_middle(changed: str, tmp_path: Path) -> None:
    """Programme and advertisement differ in size or channels: ffmpeg begins its graph anew, and pads with silence what was there."""
    first = numbered.make(tmp_path / "a.ts", *X264, "-c:a", "mp2", seconds=2.4)
    scale = (*X264[:-1], f"{X264[-1]},scale=160:90") if changed == "size" else X264
    channels = ("-ac", "2") if changed == "channels" else ()
    second = numbered.make(tmp_path / "b.ts", *scale, *channels, "-c:a", "mp2", "-output_ts_offset", "2.4", seconds=2.4)
    (tmp_path / "c.ts").write_bytes(first.read_bytes() + second.read_bytes())
    probe = gate.admit(tmp_path / "c.ts").probe
    (tmp_path / "proxy").mkdir()
    proxy = decode(tmp_path / "c.ts", probe, {"proxy"}, tmp_path / "proxy").proxy
    assert proxy
    (found,) = numbered.cut_up(tmp_path / "c.ts", tmp_path / "clips", (45, 120)).cuts
    # Two of ffmpeg's threads race for the moment of the change, so that no two runs agree on it to the frame.
    assert found.frames == 75
    assert np.abs(np.subtract(shown(found.path), shown(proxy)[45:120])).max() <= 2
    opening, *_, closing = numbered.click_times(numbered.heard(found.path))
    assert (opening, closing) == pytest.approx((0.5, 1.9), abs=0.09)


@pytest.mark.long
def test_a_large_picture_is_brought_down(tmp_path: Path) -> None:
    """4K clips are what nobody can post, and cost four times as much to reframe."""
    frames = sources.still(sources.quadrants(3840, 2160), 0.5, 10)
    path = sources.video(tmp_path / "a.mp4", frames, 10, *sources.in_yuv(), *sources.H264)
    (found,) = numbered.cut_up(path, tmp_path / "clips", (1, 4)).cuts
    assert (found.width, found.height, found.frames) == (1920, 1080, 3)


@pytest.mark.long
def test_untagged_colours_are_copied_too(tmp_path: Path) -> None:
    """The clip says BT.709, its source nothing: taken for two colour spaces, the same frames look different to the proof."""
    frames = sources.still(sources.quadrants(1280, 720), 3, 10)
    for number, frame in enumerate(frames):
        frame[:, 20 * number : 20 * number + 40] = 250
    path = sources.video(
        tmp_path / "a.mp4", frames, 10, "-vf", f"{sources.in_yuv()[1]},setparams=colorspace=unknown", *sources.H264, "-g", "10"
    )
    (found,) = numbered.cut_up(path, tmp_path / "clips", (3, 28)).cuts
    assert (found.how, found.why) == ("copied", None)


def test_sound_alone_has_no_clips(tmp_path: Path) -> None:
    """A podcast ends in a traceback."""
    probe = Probe(container="wav", duration=9, bytes=9, bit_rate=9, streams=1)
    with pytest.raises(PermanentError, match="sound only"):
        cut(tmp_path / "a.wav", probe, [], Fraction(30), tmp_path)


def test_a_busy_machine_is_not_the_files_fault(plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was too slow is never tried again, because the file counts as damaged."""
    monkeypatch.setattr(passage, "_limits", lambda *_: sandbox.Limits(wall_seconds=0.01))
    with pytest.raises(TransientError, match="less busy"):
        numbered.cut_up(plain, tmp_path / "clips", (10, 40))
