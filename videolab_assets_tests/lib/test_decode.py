"""The one decode of odd sources: what comes out is compared with what the test put in, pixel and sample."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from videolab_assets.lib import decode as decoding
from videolab_assets.lib import gate, sandbox
from videolab_assets.lib.decode import decode
from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.shots import ShotDetector
from videolab_assets_tests import sources
from videolab_assets_tests.sources import BLUE, CORNERS, GREEN, H264, RED, WHITE, Frames, Result

AAC = ("-c:a", "aac", "-b:a", "96k")
EVENTS = {0.6, 1.6}
SMALL = (160, 90)
SYNC = 0.045
"""Seconds; EBU R37 allows sound 40 ms early and 60 ms late, and a frame at 25 a second lasts 40."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sources")


@pytest.fixture(scope="module")
def beeps(made: Path) -> Path:
    return sources.wav(made / "beeps.wav", sources.beeping(48_000, 2.4, EVENTS), 48_000)


@pytest.fixture(scope="module")
def plain(made: Path, beeps: Path) -> Path:
    """2.4 s at 25 frames a second; white flash and beep at each of `EVENTS`."""
    return flashes(made / "plain.mp4", beeps)


def flashes(path: Path, sound: Path, *options: str | Path, size: tuple[int, int] = SMALL, rate: float = 25) -> Path:
    frames = sources.flashing(*size, rate, 2.4, EVENTS)
    options = options or (*sources.in_yuv(), *H264, *AAC)
    return sources.video(path, frames, rate, "-map", "0:v", "-map", "1:a", *options, inputs=("-i", sound))


def near(found: list[tuple[int, int, int]], truth: tuple[tuple[int, int, int], ...], tolerance: int = 6) -> bool:
    return bool(np.abs(np.array(found) - np.array(truth)).max() <= tolerance)


def apart(first: list[float], second: list[float]) -> float:
    assert len(first) == len(second) == 2, (first, second)
    return max(abs(one - other) for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("turn", "upright"), [(90, (GREEN, WHITE, RED, BLUE)), (180, (WHITE, BLUE, GREEN, RED)), (270, (BLUE, RED, WHITE, GREEN))]
)
def test_rotation(turn: int, upright: tuple[tuple[int, int, int], ...], tmp_path: Path) -> None:
    """A phone's portrait video lies on its side. The display matrix counts counter-clockwise."""
    flat = sources.video(tmp_path / "flat.mp4", sources.still(sources.quadrants(320, 180), 0.4), 25, *sources.in_yuv(), *H264)
    sources.ffmpeg("-display_rotation", str(turn), "-i", flat, "-c", "copy", tmp_path / "turned.mp4")
    result = sources.run(tmp_path / "turned.mp4", tmp_path / "work", {"proxy", "thumbnail"})
    assert result.plan_size == ((320, 180) if turn == 180 else (180, 320))
    assert near(sources.corners(result.frames()[4]), upright)
    assert result.decoded.stills
    thumbnail = result.decoded.stills.thumbnail()
    assert (thumbnail.width, thumbnail.height) == result.plan_size


@pytest.mark.long
@pytest.mark.parametrize(
    ("width", "height", "shown"),
    [(355, 201, (354, 200)), (1080, 1920, (720, 1280)), (3840, 2160, (1280, 720)), (64, 48, (64, 48)), (900, 900, (720, 720))],
)
def test_sizes(width: int, height: int, shown: tuple[int, int], tmp_path: Path) -> None:
    """Odd sizes stop the encoder, large ones make large proxies, small ones are blown up."""
    frames = sources.still(sources.quadrants(width, height), 0.3, 10)
    path = sources.video(tmp_path / "a.mp4", frames, 10, *sources.in_yuv(pixels="yuv444p"), *H264)
    result = sources.run(path, tmp_path / "work", {"proxy"})
    assert result.plan_size == shown
    assert near(sources.corners(result.frames()[1]), CORNERS)


@pytest.mark.parametrize(("width", "height", "ratio", "shown"), [(160, 180, "2/1", (320, 180)), (360, 288, "16/15", (384, 288))])
def test_a_circle_stays_a_circle(width: int, height: int, ratio: str, shown: tuple[int, int], tmp_path: Path) -> None:
    """DV and DVD pictures, whose pixels are no squares, come out narrow."""
    across, down = (int(part) for part in ratio.split("/"))
    rows, columns = np.mgrid[:height, :width]
    inside = ((columns - width / 2) * across / down) ** 2 + (rows - height / 2) ** 2 < (height / 3) ** 2
    frames = sources.still(np.where(inside[..., None], 230, 20).repeat(3, 2).astype(np.uint8), 0.4)
    path = sources.video(tmp_path / "a.mp4", frames, 25, "-vf", f"{sources.in_yuv()[1]},setsar={ratio}", *H264)
    result = sources.run(path, tmp_path / "work", {"proxy"})
    assert result.plan_size == shown
    bright = result.frames()[4][..., 0] > 128
    assert abs(int(bright.any(0).sum()) - int(bright.any(1).sum())) <= 3


@pytest.mark.parametrize(
    ("pixels", "matrix", "full", "tags"),
    [
        ("yuv420p", "bt709", False, "bt709"),
        ("yuv420p", "bt601", False, "smpte170m"),
        ("yuv420p", "bt601", False, None),
        ("yuvj420p", "bt709", True, "bt709"),
        ("yuv422p", "bt709", False, "bt709"),
        ("yuv444p", "bt709", False, "bt709"),
        ("yuv420p10le", "bt709", False, "bt709"),
        ("yuv422p10le", "bt709", False, "bt709"),
    ],
)
def test_colours(pixels: str, matrix: str, full: bool, tags: str | None, tmp_path: Path) -> None:
    """Faces turn orange where BT.601 is taken for BT.709, and grey where full range is taken for limited."""
    space = f",setparams=colorspace={tags}:color_primaries={tags}:color_trc={tags}" if tags else ",setparams=colorspace=unknown"
    filters = sources.in_yuv(matrix=matrix, full=full, pixels=pixels)[1] + space
    path = sources.video(tmp_path / "a.mp4", sources.still(sources.quadrants(320, 180), 0.3), 25, "-vf", filters, *H264)
    result = sources.run(path, tmp_path / "work", {"proxy"})
    assert result.probe.video
    assert result.probe.video.pixel_format == pixels
    assert result.probe.video.color_space == tags
    assert near(sources.corners(result.frames()[3]), CORNERS)


def test_untagged_hd_is_bt709(tmp_path: Path) -> None:
    """Old cameras and screen recorders tag nothing: what every player takes for BT.709 is taken for BT.601."""
    filters = f"{sources.in_yuv()[1]},setparams=colorspace=unknown"
    path = sources.video(tmp_path / "a.mp4", sources.still(sources.quadrants(1280, 720), 0.3, 10), 10, "-vf", filters, *H264)
    result = sources.run(path, tmp_path / "work", {"proxy"})
    assert result.probe.video
    assert result.probe.video.color_space is None
    assert near(sources.corners(result.frames()[1]), CORNERS)


PATCHES = ((18, 18, 18), (203, 203, 203), (2, 2, 2), (50, 50, 50), (100, 0, 0), (0, 100, 0), (0, 0, 100), (1000, 1000, 1000))
"""Light in cd/m², BT.709 primaries: a grey card, paper white (ITU-R BT.2408), near black, mid grey, three colours, a highlight."""
TO_BT2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
"""ITU-R BT.2087."""

Light = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def pq(light: Light) -> Light:
    """SMPTE ST 2084."""
    powered = (light / 10_000) ** 0.1593017578125
    return ((0.8359375 + 18.8515625 * powered) / (1 + 18.6875 * powered)) ** 78.84375


def hlg(light: Light) -> Light:
    """ITU-R BT.2100 for a display of 1,000 cd/m²."""
    relative: Light = np.clip(light / 1000, 0, 1)
    luma = np.maximum(relative @ np.array([0.2627, 0.678, 0.0593]), 1e-9)[..., None]
    scene = relative * luma ** (1 / 1.2 - 1)
    logarithmic = 0.17883277 * np.log(np.maximum(12 * scene - 0.28466892, 1e-9)) + 0.55991073
    signal: Light = np.where(scene <= 1 / 12, np.sqrt(3 * scene), logarithmic)
    return signal


def gamma(light: Light) -> Light:
    """ITU-R BT.1886, paper white at the top."""
    signal: Light = np.clip(light / 203, 0, 1) ** (1 / 2.4)
    return signal


def wide(path: Path, curve: Callable[[Light], Light], tags: str, codec: tuple[str, ...] = H264) -> Path:
    """Two rows of four patches, BT.2020, 10 bits."""
    signal = curve(np.array(PATCHES, float).reshape(2, 4, 3) @ TO_BT2020.T)
    picture = (signal * 65_535).round().astype("<u2").repeat(90, 0).repeat(80, 1)
    raw = ("-f", "rawvideo", "-pix_fmt", "rgb48le", "-s", "320x180", "-r", "12", "-i", "pipe:0")
    filters = f"scale=out_color_matrix=bt2020:out_range=tv:flags=accurate_rnd,format=yuv420p10le,setparams={tags}"
    sources.ffmpeg(*raw, "-vf", filters, *codec, path, given=picture.tobytes() * 5)
    return path


def patches(frame: Frames) -> Light:
    """The middle of each patch."""
    return np.array([frame[row, column] for row in (45, 135) for column in (40, 120, 200, 280)], float)


BT2020 = "color_primaries=bt2020:colorspace=bt2020nc"
X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-crf", "8", "-tag:v", "hvc1")


@pytest.mark.parametrize(
    ("curve", "tags", "codec"),
    [
        (pq, f"{BT2020}:color_trc=smpte2084", (*X265, "-x265-params", "log-level=error:transfer=smpte2084")),
        (hlg, f"{BT2020}:color_trc=arib-std-b67", H264),
        (pq, "color_primaries=unknown:colorspace=unknown:color_trc=smpte2084", H264),
    ],
)
def test_hdr(curve: Callable[[Light], Light], tags: str, codec: tuple[str, ...], tmp_path: Path) -> None:
    """Telephones film HDR, and its proxy is grey and pale; or zscale fails because one of the tags is missing."""
    result = sources.run(wide(tmp_path / "a.mp4", curve, tags, codec), tmp_path / "work")
    assert result.probe.video
    assert result.probe.video.hdr
    card, white, black, grey, red, green, blue, highlight = patches(result.frames()[2])
    untouched = patches(sources.frames_of(result.source, 320, 180)[2])
    for neutral in (card, white, black, grey, highlight):
        assert np.ptp(neutral) <= 4
    assert 60 <= card.mean() <= 118
    assert 175 <= white.mean() <= 225
    assert black.mean() < 45
    assert highlight.mean() >= 240
    assert np.diff([black.mean(), card.mean(), grey.mean(), white.mean(), highlight.mean()]).min() > 15
    for channel, colour in enumerate((red, green, blue)):
        others = np.delete(colour, channel)
        assert colour[channel] > 120
        assert others.max() < 40
        assert np.ptp(colour) > 1.1 * np.ptp(untouched[4 + channel])


def test_wide_colour_without_hdr(tmp_path: Path) -> None:
    """BT.2020 shown as if it were BT.709 loses half of its colour."""
    path = wide(tmp_path / "a.mp4", gamma, f"{BT2020}:color_trc=bt2020-10")
    red, green, blue = patches(sources.run(path, tmp_path / "work", {"proxy"}).frames()[2])[4:7]
    for channel, colour in enumerate((red, green, blue)):
        assert colour[channel] == pytest.approx(255 * (100 / 203) ** (1 / 2.4), abs=12)
        assert np.delete(colour, channel).max() < 30


def moving_bar() -> Frames:
    """Fifty a second, a bar that goes 6 pixels each time."""
    frames = np.full((60, 240, 320, 3), 60, np.uint8)
    for number, frame in enumerate(frames):
        left = number * 4 % 250
        frame[60:180, left : left + 50] = 220
    return frames


def combing(frames: Frames) -> float:
    """How much lines differ from both neighbours."""
    luma = frames[..., 1].astype(int)
    above, line, below = luma[:, :-2], luma[:, 1:-1], luma[:, 2:]
    return float(np.maximum(0, (line - above) * (line - below) - 100).mean())


@pytest.mark.parametrize(
    ("weave", "flags"),
    [
        ("tinterlace=interleave_top,setfield=tff", ("-flags", "+ildct+ilme", "-x264-params", "tff=1")),
        ("tinterlace=interleave_bottom,setfield=bff", ("-flags", "+ildct+ilme", "-x264-params", "bff=1")),
        ("tinterlace=interleave_top,setfield=prog", ()),
    ],
)
def test_interlaced(weave: str, flags: tuple[str, ...], tmp_path: Path) -> None:
    """Camcorders' and broadcasters' fields stay woven: every motion has teeth."""
    path = sources.video(tmp_path / "a.mp4", moving_bar(), 50, "-vf", f"{weave},{sources.in_yuv()[1]}", *H264, *flags)
    result = sources.run(path, tmp_path / "work", {"proxy"})
    assert combing(sources.frames_of(path, 320, 240)) > 50
    assert combing(result.frames()) < 2
    assert len(result.frames()) == 30


def test_progressive_stays_sharp(tmp_path: Path) -> None:
    """Deinterlacing what isn't interlaced blurs fine lines."""
    lines = np.zeros((180, 320, 3), np.uint8)
    lines[::2] = 200
    path = sources.video(tmp_path / "a.mp4", sources.still(lines, 1.2), 25, *sources.in_yuv(), *H264)
    frame = sources.run(path, tmp_path / "work", {"proxy"}).frames()[5].astype(int)
    assert np.abs(np.diff(frame[..., 1], axis=0)).mean() > 150


def in_sync(result: Result, offset: float = 0.0, sound_offset: float = 0.0) -> None:
    """Flash and beep at their times, in the proxy and in audio.flac, on one clock; nothing lost at the end."""
    frame = 1 / result.rate
    flash, beep, heard = sources.flash_times(result), sources.beep_times(result.proxy_sound()), sources.beep_times(result.sound())
    assert apart(flash, sorted(event + offset for event in EVENTS)) <= frame + 0.025
    assert apart([time - offset for time in flash], [time - sound_offset for time in beep]) <= SYNC
    assert apart(heard, beep) <= 0.01
    decoded = result.decoded
    assert decoded.shots
    assert decoded.shots.duration == pytest.approx(len(result.frames()) / result.rate)
    longest = max(decoded.shots.duration, decoded.samples / 16_000)
    assert longest == pytest.approx(result.probe.duration, abs=2 * frame)
    assert decoded.waveform
    peaks = decoded.waveform.finish()
    loud = sources.beep_times(np.abs(peaks.pairs).max(axis=1).repeat(peaks.samples_per_pixel) / 128)
    assert apart(loud, heard) <= 2 * peaks.samples_per_pixel / 16_000


def test_frame_rates_are_kept(plain: Path, tmp_path: Path) -> None:
    """An ordinary file's frames and samples are moved."""
    result = sources.run(plain, tmp_path / "work")
    in_sync(result)
    assert len(result.frames()) == 60
    assert sources.flash_times(result) == pytest.approx(sorted(EVENTS))


@pytest.mark.parametrize("kept", ["if(lt(t,1),not(mod(n,2)),not(mod(n,5)))", "lt(n,3)+eq(n,36)+eq(n,44)+eq(n,96)+eq(n,104)+eq(n,143)"])
@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_variable_frame_rate(kept: str, container: str, made: Path, beeps: Path, tmp_path: Path) -> None:
    """Index divided by rate drifts away from the sound; a screen recording holds one frame for seconds."""
    options = ("-vf", f"select='{kept}',{sources.in_yuv()[1]}", "-fps_mode", "vfr", *H264, *AAC)
    path = flashes(tmp_path / f"a.{container}", beeps, *options, rate=60)
    result = sources.run(path, tmp_path / "work")
    assert result.probe.video
    assert result.probe.video.variable_frame_rate
    truth = sources.frames_of(path, *SMALL)
    assert len(result.frames()) >= len(truth)
    flash = sources.flash_times(result)
    assert len(flash) == 2
    assert flash == pytest.approx(sorted(EVENTS), abs=5 / 60 if "if" in kept else 1 / result.rate)


def test_a_thousand_frames_a_second(beeps: Path, tmp_path: Path) -> None:
    """A broken header or a high-speed camera makes a proxy of sixteen times the frames."""
    result = sources.run(flashes(tmp_path / "a.mp4", beeps, size=(64, 48), rate=1000), tmp_path / "work")
    assert (result.rate, len(result.frames())) == (60, 144)
    in_sync(result)


@pytest.mark.parametrize("container", ["ts", "mkv"])
@pytest.mark.parametrize("begins", [3600, 95_441])
def test_clocks_that_do_not_begin_at_0(begins: int, container: str, plain: Path, tmp_path: Path) -> None:
    """A recording of the second hour gets an hour of black before it. At 95,443.7 s a transport stream's clock wraps."""
    path = tmp_path / f"a.{container}"
    sources.ffmpeg("-i", plain, "-c", "copy", "-output_ts_offset", str(begins), path)
    in_sync(sources.run(path, tmp_path / "work"))


def test_a_cut_that_begins_before_its_start(plain: Path, tmp_path: Path) -> None:
    """Frames that an edit list hides, before time 0, are shown, and push the rest away from the sound."""
    sources.ffmpeg("-ss", "0.32", "-i", plain, "-c", "copy", tmp_path / "a.mp4")
    in_sync(sources.run(tmp_path / "a.mp4", tmp_path / "work"), -0.32, -0.32)


@pytest.mark.long
@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
@pytest.mark.parametrize("late", ["picture", "sound"])
def test_one_stream_begins_later(late: str, container: str, plain: Path, tmp_path: Path) -> None:
    """The second without picture, or sound, is cut off, and everything after it is a second out of sync."""
    path, shift = tmp_path / f"a.{container}", ("-itsoffset", "1", "-i", plain)
    inputs = (*shift, "-i", plain) if late == "picture" else ("-i", plain, *shift)
    sources.ffmpeg(*inputs, "-map", "0:v", "-map", "1:a", "-c", "copy", path)
    in_sync(sources.run(path, tmp_path / "work"), float(late == "picture"), float(late == "sound"))


@pytest.mark.parametrize("seconds", [1.9, 3.6])
def test_sound_shorter_or_longer_than_the_picture(seconds: float, tmp_path: Path) -> None:
    """The longer of the two is cut to the shorter."""
    sound = sources.wav(tmp_path / "a.wav", sources.beeping(48_000, seconds, EVENTS), 48_000)
    result = sources.run(flashes(tmp_path / "a.mp4", sound), tmp_path / "work")
    in_sync(result)
    assert len(result.frames()) == 60
    assert result.decoded.samples / 16_000 == pytest.approx(seconds, abs=0.03)


def part(path: Path, begins: float, size: tuple[int, int] = SMALL, channels: int = 1) -> bytes:
    """2.4 s of transport stream that begin at that time."""
    tone = sources.beeping(48_000, 2.4, EVENTS)[:, None].repeat(channels, axis=1)
    sound = sources.wav(path.with_suffix(".wav"), tone, 48_000)
    options = (*sources.in_yuv(), *H264, "-c:a", "mp2", "-output_ts_offset", str(begins))
    return flashes(path.with_suffix(".ts"), sound, *options, size=size).read_bytes()


@pytest.mark.long
@pytest.mark.parametrize("wanted", [sources.ALL, frozenset({"audio"}), frozenset({"shots"})])
@pytest.mark.parametrize("changed", ["size", "channels"])
def test_a_stream_that_changes_in_the_middle(changed: str, wanted: frozenset[str], tmp_path: Path) -> None:
    """Programme and advertisement differ in size or channels: ffmpeg begins its graph anew, and time with it. It was 2.4 s too much."""
    second = part(tmp_path / "second", 2.4, size=(320, 240)) if changed == "size" else part(tmp_path / "second", 2.4, channels=2)
    path = tmp_path / "joined.ts"
    path.write_bytes(part(tmp_path / "first", 0) + second)
    result = sources.run(path, tmp_path / "work", wanted)
    events = [*sorted(EVENTS), *(event + 2.4 for event in sorted(EVENTS))]
    if "shots" in wanted:
        assert result.decoded.shots
        assert result.decoded.shots.duration == pytest.approx(4.8, abs=0.05)
    if "audio" in wanted:
        assert sources.beep_times(result.sound()) == pytest.approx(events, abs=0.03)
    if "proxy" in wanted:
        assert sources.flash_times(result) == pytest.approx(events, abs=0.05)
        assert sources.beep_times(result.proxy_sound()) == pytest.approx(events, abs=0.03)
    assert sorted(file.name for file in result.work.iterdir()) == sorted({"proxy.mp4", "audio.flac"} & {*map(name_of, wanted)})


@pytest.mark.long
@pytest.mark.parametrize(
    ("begins", "size"), [((0, 0), SMALL), ((0, 0, 0), SMALL), ((0, 20), SMALL), ((0, 50), SMALL), ((0, 20, 0), SMALL), ((0, 0), (320, 240))]
)
def test_parts_whose_clocks_do_not_fit(begins: tuple[float, ...], size: tuple[int, int], tmp_path: Path) -> None:
    """Two recordings that were joined get a frozen picture between them, or a receiver's gap is cut out and the file called damaged."""
    path = tmp_path / "joined.ts"
    parts = [part(tmp_path / f"part{number}", clock, SMALL if number == 0 else size) for number, clock in enumerate(begins)]
    path.write_bytes(b"".join(parts))
    result = sources.run(path, tmp_path / "work")
    events, shift = [], 0.0
    for number, clock in enumerate(begins):
        if number:
            # A clock that goes on shows how long nothing was received; one that goes back shows nothing.
            shift += clock - begins[number - 1] if clock > begins[number - 1] else 2.4
        events += [event + shift for event in sorted(EVENTS)]
    assert result.probe.duration == pytest.approx(shift + 2.4, abs=0.05)
    assert len(result.frames()) / result.rate == pytest.approx(result.probe.duration, abs=0.08)
    assert result.decoded.samples / 16_000 == pytest.approx(result.probe.duration, abs=0.08)
    assert sources.flash_times(result) == pytest.approx(events, abs=SYNC)
    assert sources.beep_times(result.proxy_sound()) == pytest.approx(events, abs=0.03)
    assert sources.beep_times(result.sound()) == pytest.approx(events, abs=0.03)


def name_of(asset: str) -> str:
    return {"proxy": "proxy.mp4", "audio": "audio.flac"}.get(asset, "")


@pytest.mark.parametrize("rate", [8_000, 48_000, 96_000])
@pytest.mark.parametrize("channels", [1, 2])
def test_loudness(channels: int, rate: int, tmp_path: Path) -> None:
    """Loudness off by 3 dB for mono. A 1 kHz sine at -20 dBFS is -23.0 LUFS in one channel and -20.0 in two (ITU-R BS.1770)."""
    path = sources.wav(tmp_path / "a.wav", sources.sine(rate, 2, -20, channels), rate)
    result = sources.run(path, tmp_path / "work")
    assert result.decoded.loudness == pytest.approx(-23.0 if channels == 1 else -20.0, abs=0.3)
    assert result.decoded.peak == pytest.approx(-20, abs=0.3)
    assert np.abs(result.sound()[1000:-1000]).max() == pytest.approx(0.1, rel=0.02)
    assert result.decoded.proxy is None
    assert result.decoded.plan is None


@pytest.mark.parametrize("channel", range(6))
def test_every_channel_of_surround_is_heard_but_the_bass(channel: int, tmp_path: Path) -> None:
    """Speech of a film is in the centre channel; taking the first two loses it."""
    tone = np.zeros((48_000, 6), np.float32)
    tone[:, channel] = sources.sine(48_000, 1, -12)[:, 0]
    surround = sources.wav(tmp_path / "a.wav", tone, 48_000)
    sources.ffmpeg("-i", surround, "-af", "pan=5.1|c0=c0|c1=c1|c2=c2|c3=c3|c4=c4|c5=c5", "-c:a", "flac", tmp_path / "a.mkv")
    result = sources.run(tmp_path / "a.mkv", tmp_path / "work", {"audio"})
    assert result.probe.audio
    assert result.probe.audio.channels == 6
    assert bool(np.abs(result.sound()).max() > 0.08) is (channel != 3)


def test_silence_has_no_loudness(tmp_path: Path) -> None:
    """-70 LUFS taken for a loudness is raised by 56 dB later."""
    path = sources.wav(tmp_path / "a.wav", np.zeros(16_000, np.float32), 16_000)
    decoded = sources.run(path, tmp_path / "work").decoded
    assert (decoded.loudness, decoded.peak, decoded.samples) == (None, None, 16_000)


def test_peaks_follow_the_envelope(tmp_path: Path) -> None:
    """A waveform at half its height, or beside its sound."""
    steps = np.repeat([0.0, 0.25, 1.0, 0.5], 16_000)
    tone = (np.sin(2 * np.pi * 500 * np.arange(64_000) / 16_000) * steps * 0.99).astype(np.float32)
    decoded = sources.run(sources.wav(tmp_path / "a.wav", tone, 16_000), tmp_path / "work", {"waveform"}).decoded
    assert decoded.audio is None
    assert decoded.waveform
    pairs = decoded.waveform.finish().pairs
    for second, level in enumerate((0.0, 0.25, 1.0, 0.5)):
        middle = pairs[round((second + 0.2) * 62.5) : round((second + 0.8) * 62.5)]
        assert middle.max() == pytest.approx(127 * level, abs=3)
        assert middle.min() == pytest.approx(-127 * level, abs=3)


def test_picture_alone(made: Path, tmp_path: Path) -> None:
    """A silent film gets no proxy because its sound can't be mapped."""
    frames = sources.flashing(*SMALL, 25, 1.2, {0.6})
    result = sources.run(sources.video(tmp_path / "a.mp4", frames, 25, *sources.in_yuv(), *H264), tmp_path / "work")
    assert len(result.frames()) == 30
    assert (result.decoded.audio, result.decoded.waveform, result.decoded.loudness) == (None, None, None)


@pytest.mark.parametrize(("name", "codec"), [("a.mp3", "libmp3lame"), ("a.m4a", "aac")])
def test_a_cover_is_no_video(name: str, codec: str, beeps: Path, tmp_path: Path) -> None:
    """A song becomes a video of one frame."""
    cover = tmp_path / "cover.jpg"
    sources.video(cover, sources.quadrants(200, 200), 25, "-frames:v", "1")
    options = ("-map", "0", "-map", "1", "-c:a", codec, "-c:v", "copy", "-disposition:v", "attached_pic")
    sources.ffmpeg("-i", beeps, "-i", cover, *options, tmp_path / name)
    result = sources.run(tmp_path / name, tmp_path / "work")
    assert result.probe.video is None
    assert result.decoded.proxy is None
    assert apart(sources.beep_times(result.sound()), sorted(EVENTS)) <= 0.03


@pytest.fixture(scope="module")
def full_pass(plain: Path, made: Path) -> Result:
    return sources.run(plain, made / "full_pass")


@pytest.mark.parametrize("asset", sorted(sources.ALL))
def test_each_asset_alone_is_what_the_full_pass_makes(asset: str, full_pass: Result, tmp_path: Path) -> None:
    """Asked for one asset, all are made; or it differs from the one that is made with the others."""
    alone, together = decode(full_pass.source, full_pass.probe, {asset}, tmp_path), full_pass.decoded
    assert [file.name for file in tmp_path.iterdir()] == [name for name in (name_of(asset),) if name]
    assert (alone.shots is not None) is (asset == "shots")
    assert (alone.waveform is not None) is (asset == "waveform")
    if alone.audio and together.audio:
        assert alone.audio.read_bytes() == together.audio.read_bytes()
        assert (alone.loudness, alone.peak) == (together.loudness, together.peak)
    if alone.waveform and together.waveform:
        assert alone.waveform.finish().json_bytes() == together.waveform.finish().json_bytes()
    if alone.shots and together.shots:
        assert [(shot.start, shot.end) for shot in alone.shots.shots] == [(shot.start, shot.end) for shot in together.shots.shots]
        assert alone.shots.shots[0].motion == pytest.approx(together.shots.shots[0].motion, abs=0.01)
    if alone.stills and together.stills and asset != "shots":
        assert alone.stills.thumbnail().time == together.stills.thumbnail().time
        assert alone.stills.storyboard().vtt == together.stills.storyboard().vtt
    if alone.proxy:
        assert (sources.frames_of(alone.proxy, *SMALL) == full_pass.frames()).all()


@pytest.fixture(scope="module")
def noisy(made: Path) -> Path:
    """8 s that take a while."""
    sources.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=1280x720:d=8,noise=alls=40:allf=t", *H264, "-crf", "30", made / "noisy.mp4")
    return made / "noisy.mp4"


@pytest.mark.long
def test_an_analyser_that_fails_ends_the_pass(noisy: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its pipe is drained no more and the run hangs; or its error is lost, and an hour is decoded for nothing."""
    endings, wait = [], sandbox.Child.wait

    def broken(*_: object) -> None:
        raise ZeroDivisionError("analyser")

    def noted(child: sandbox.Child) -> sandbox.Ended:
        endings.append(wait(child))
        return endings[-1]

    probe = gate.admit(noisy).probe
    monkeypatch.setattr(ShotDetector, "feed", broken)
    monkeypatch.setattr(sandbox.Child, "wait", noted)
    with pytest.raises(ZeroDivisionError, match="analyser"):
        decode(noisy, probe, {"proxy", "shots"}, tmp_path)
    assert [ended.why for ended in endings] == ["signal"]


@pytest.mark.long
@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (sandbox.Limits(memory_bytes=4 << 30, cpu_seconds=1, open_files=128), "longer than the time"),
        (sandbox.Limits(memory_bytes=4 << 30, wall_seconds=0.3, open_files=128), "longer than the time"),
        (sandbox.Limits(memory_bytes=4 << 30, file_bytes=4096, open_files=128), "disk filled up"),
    ],
)
def test_the_machine_is_too_small(limits: sandbox.Limits, words: str, noisy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk or a busy machine is taken for a damaged file, which is never tried again."""
    probe = gate.admit(noisy).probe
    monkeypatch.setattr(decoding, "_limits", lambda _: limits)
    with pytest.raises(TransientError, match=words):
        decode(noisy, probe, {"proxy"}, tmp_path)


def test_a_source_that_is_damaged_throughout(full_pass: Result, tmp_path: Path) -> None:
    """ffmpeg ends with 0 and an empty file, and a proxy without a frame is published."""
    noise = bytearray(full_pass.source.read_bytes())
    start = noise.index(b"mdat") + 4
    noise[start : noise.index(b"moov") - 4] = bytes(noise.index(b"moov") - 4 - start)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(noise)
    with pytest.raises(PermanentError, match=r"^[A-Z][^\n]*[.](\n|$)"):
        decode(damaged, full_pass.probe, {"proxy"}, tmp_path)
