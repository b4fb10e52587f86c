"""Clips with known pixels and samples, rendered: what a player shows is compared with what was put in."""

import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from videolab_assets.lib.captions import fonts
from videolab_assets.lib.documents import Framing, PathPoint
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.platforms import Margins
from videolab_assets.lib.probe import probe
from videolab_assets.lib.variants.render import MOST_MEMORY, Rendered, Take, render
from videolab_assets.lib.variants.renditions import Rendition, renditions_of
from videolab_assets.lib.variants.sound import levelled
from videolab_assets_tests import sources
from videolab_assets_tests.sources import BLUE, GREEN, H264, RED, Frames

SIZE = (320, 180)
VERTICAL = Rendition(
    platforms=("vertical",),
    width=180,
    height=320,
    frame_rate=Fraction(30),
    safe=Margins(0, 0, 0, 0),
    video_bit_rate=4_000_000,
    audio_bit_rate=128_000,
    loudness=-14.0,
    true_peak=-1.0,
    largest_bytes=100_000_000,
)
SQUARE = replace(VERTICAL, platforms=("square",), width=160, height=160)
NARROW = 180 * 180 / 320 / 320
"""Share of the frame's width that a vertical crop of its whole height shows."""
BOX = (60, 200, 60, 40)
"""Left, top, width and height of the caption, which is drawn as a green rectangle."""
CAPTION = """[Script Info]
ScriptType: v4.00+
YCbCr Matrix: TV.709
PlayResX: 180
PlayResY: 320

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, ScaleX, ScaleY, BorderStyle, Outline, Shadow, Alignment
Style: Default,Open Sans ExtraBold,20,&H003CB428,0,100,100,1,0,0,7

[Events]
Format: Layer, Start, End, Style, Text
Dialogue: 0,0:00:00.50,0:00:02.50,Default,{\\pos(60,200)\\p1}m 0 0 l 60 0 60 40 0 40
"""
FIRST_CUT, SECOND_CUT, FRAMES = 27, 60, 90
FLASH = 45


def framing(start: float, end: float, mode: str, width: float, *path: tuple[float, float], height: float = 1.0) -> Framing:
    points = [PathPoint(time=time, x=x, y=0.5 - height / 2) for time, x in path]
    fields = {"start": start, "end": end, "mode": mode, "subject": "frame", "why": "test", "width": width, "height": height, "path": points}
    return Framing.model_validate(fields)


def three_shots(width: float, height: float) -> list[Framing]:
    """The left, the right, and all of it."""
    return [
        framing(0, FIRST_CUT / 30, "still", width, (0, 0.05), height=height),
        framing(FIRST_CUT / 30, SECOND_CUT / 30, "still", width, (FIRST_CUT / 30, 0.95 - width), height=height),
        framing(SECOND_CUT / 30, FRAMES / 30, "fit", 1.0, (SECOND_CUT / 30, 0)),
    ]


def take(name: str, rendition: Rendition = VERTICAL, width: float = NARROW, height: float = 1.0, **changes: object) -> Take:
    plain = Take(rendition, "a", three_shots(width, height), None, 0.5, name)
    return replace(plain, **changes)  # type: ignore[arg-type]


def halves(lit: Sequence[int] = (), frames: int = FRAMES) -> Frames:
    """Red on the left, blue on the right, white in the frames of `lit`."""
    picture = np.empty((SIZE[1], SIZE[0], 3), np.uint8)
    picture[:, : SIZE[0] // 2], picture[:, SIZE[0] // 2 :] = RED, BLUE
    film = np.repeat(picture[None], frames, axis=0)
    film[list(lit)] = 255
    return film


def rendered(clip: Path, takes: list[Take], work: Path, sound: bool = False) -> list[Rendered]:
    found = probe(clip).probe
    return render(clip, found, takes, levelled(clip, found, -14, -1, 128_000, work) if sound else None, work, fonts())


def is_near(pixels: Frames, colour: tuple[int, int, int]) -> bool:
    return bool(np.abs(pixels.reshape(-1, 3).mean(axis=0) - colour).max() < 12)


@dataclass(frozen=True)
class Made:
    """Four takes of one clip."""

    files: list[Rendered]
    plain: Frames
    captioned: Frames
    square: Frames


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Three seconds with a flash and a beep at 1.5 s, for two platforms, one of them in two looks and once more in the same."""
    folder = tmp_path_factory.mktemp("render")
    beep = sources.wav(folder / "beep.wav", sources.beeping(48_000, 3.0, {FLASH / 30}), 48_000)
    sound = ("-map", "0:v", "-map", "1:a", "-c:a", "aac", "-metadata", "comment=+40-003/")
    clip = folder / "clip.mp4"
    sources.video(clip, halves(range(FLASH, FLASH + 4)), 30, *sound, *sources.in_yuv(), *H264, inputs=("-i", beep))
    assert b"+40-003" in clip.read_bytes()
    takes = [
        take("0a"),
        take("0b", ass=CAPTION, headline_cover_ass=CAPTION),
        take("1a", SQUARE, 0.4, 0.4 * 320 / 180),
        take("2a", replace(VERTICAL, platforms=("another",))),
    ]
    work = folder / "work"
    work.mkdir()
    files = rendered(clip, takes, work, sound=True)
    shown = [sources.frames_of(file.video, *size) for file, size in zip(files[:3], ((180, 320), (180, 320), (160, 160)), strict=True)]
    return Made(files, *shown)


def test_framings_switch_on_the_frame_of_the_cut(made: Made) -> None:
    """One frame of the next shot in this shot's crop is a flash of an empty wall; one frame lost puts all sound late."""
    for film, middle in ((made.plain, 160), (made.square, 80)):
        assert len(film) == FRAMES
        for n in sorted({*range(FRAMES)} - {*range(FLASH - 1, FLASH + 5)}):
            left, right = film[n, middle - 8 : middle + 8, 8:40], film[n, middle - 8 : middle + 8, -40:-8]
            wanted = (RED, RED) if n < FIRST_CUT else (BLUE, BLUE) if n < SECOND_CUT else (RED, BLUE)
            assert is_near(left, wanted[0]), n
            assert is_near(right, wanted[1]), n


def test_fit_shows_all_of_it_over_a_darker_background(made: Made) -> None:
    """A fit that crops is no fit, and black bars look like a mistake."""
    frame = made.plain[-1].astype(int)
    high = round(180 * 180 / 320)
    top = (320 - high) // 2
    edge = int(np.argmax(frame[160, :, 2] > frame[160, :, 0]))
    assert abs(edge - 90) <= 2
    brightness = frame.sum(axis=(1, 2))
    assert abs(int(np.argmax(brightness > 0.9 * brightness[160])) - top) <= 2
    assert 0.5 < brightness[20] / brightness[160] < 0.85
    red, _, blue = made.plain[-1][20:40, 5:40].reshape(-1, 3).mean(axis=0)
    assert red > 2 * blue


def test_sound_stays_with_the_picture(made: Made) -> None:
    """AAC begins with 21 ms of nothing, which only an edit list tells a player to skip, and platforms want none."""
    flash = int(np.argmax(made.plain.mean(axis=(1, 2, 3)) > 200)) / 30
    raw = sources.ffmpeg("-i", made.files[0].video, "-map", "0:a", "-f", "f32le", "-ac", "1", "pipe:1")
    beep = sources.beep_times(np.frombuffer(raw, "<f4"), 48_000)
    assert flash == FLASH / 30
    assert beep == pytest.approx([flash], abs=0.005)
    for file in made.files:
        data = file.video.read_bytes()
        assert b"elst" not in data
        assert data.index(b"moov") < data.index(b"mdat")


def test_files_are_what_platforms_take(made: Made) -> None:
    """A wrong profile, pixel format, colour tag or rate gets a post refused, or shown in wrong colours; a place written by a phone
    gives its owner away."""
    for file, (width, height) in zip(made.files, ((180, 320), (180, 320), (160, 160), (180, 320)), strict=True):
        found = probe(file.video).probe
        video, audio = found.video, found.audio
        assert video is not None
        assert audio is not None
        assert (video.codec, video.profile, video.pixel_format) == ("h264", "High", "yuv420p")
        assert (video.width, video.height, video.frame_rate, video.variable_frame_rate) == (width, height, 30, False)
        assert (video.color_primaries, video.color_transfer, video.color_space, video.color_range) == ("bt709", "bt709", "bt709", "tv")
        assert (audio.codec, audio.sample_rate, audio.channels) == ("aac", 48_000, 2)
        assert video.start == audio.start == 0
        assert found.duration == pytest.approx(3, abs=0.022)
        assert b"+40-003" not in file.video.read_bytes()
        assert file.cover.read_bytes()[:2] == b"\xff\xd8"


def test_captions_are_burnt_where_and_when_they_belong(made: Made) -> None:
    """Drawn before the crop, captions are cut off with the picture; a look that differs in captions must differ in nothing else."""
    left, top, width, height = BOX
    with_box = [is_near(frame[top + 4 : top + height - 4, left + 4 : left + width - 4], GREEN) for frame in made.captioned]
    assert with_box == [15 <= n < 75 for n in range(FRAMES)]
    difference = np.abs(made.captioned.astype(int) - made.plain).max(axis=3)
    difference[:, top - 16 : top + height + 16, left - 16 : left + width + 16] = 0
    assert np.percentile(difference, 99.9) < 12


def test_cover_is_the_frame_without_captions_and_with_its_headline(made: Made) -> None:
    """A cover with half a sentence on it; or one in colours that are not the video's, as a JPEG that ignores BT.709 has them."""
    plain, headline = (sources.frames_of(made.files[n].cover, 180, 320)[0] for n in (0, 1))
    left, top, width, height = BOX
    assert is_near(plain[top:, left : left + width], RED)
    assert is_near(headline[top + 4 : top + height - 4, left + 4 : left + width - 4], GREEN)
    assert is_near(headline[:100], RED)


def test_takes_that_look_the_same_are_made_once(made: Made) -> None:
    """Encoding is what rendering costs."""
    assert made.files[3] == made.files[0]
    assert len({file.video for file in made.files}) == 3


def test_follow_moves_smoothly_at_the_output(tmp_path: Path) -> None:
    """Crops at whole source pixels judder when enlarged; a path that is off shows a wall beside the face."""
    across = np.arange(SIZE[0])
    line = 40 + 190 * np.exp(-(((across - 160) / 3.0) ** 2))
    film = np.repeat(np.repeat(line.astype(np.uint8)[None, None, :, None], SIZE[1], axis=1), 3, axis=3)
    film = np.repeat(film, 60, axis=0)
    clip = sources.video(tmp_path / "line.mp4", film, 30, *sources.in_yuv(), *H264)
    path = [(0.0, 0.28), (1.0, 0.40), (2.0, 0.43)]
    work = tmp_path / "work"
    work.mkdir()
    moving = take("0a", framings=[framing(0, 2, "follow", NARROW, *path)])
    (file,) = rendered(clip, [moving], work)
    profile = sources.frames_of(file.video, 180, 320)[..., 1].mean(axis=1) - 40
    profile[profile < 20] = 0
    found = (profile * (np.arange(180) + 0.5)).sum(axis=1) / profile.sum(axis=1)
    times, shares = zip(*path, strict=True)
    left = np.interp(np.arange(60) / 30, times, shares) * SIZE[0]
    truth = (160.5 - left) * 320 / 180
    assert np.abs(found - truth).max() < 1.2
    steps = np.diff(found)
    assert np.abs(np.diff(steps)).max() < 2.2


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        ("60", Fraction(30)),
        pytest.param("10", Fraction(30), marks=pytest.mark.long),
        pytest.param("30000/1001", Fraction(30_000, 1001), marks=pytest.mark.long),
    ],
)
def test_frame_rates(rate: str, shown: Fraction, tmp_path: Path) -> None:
    """The rate that a platform does not take becomes one that it does, without a frame out of place."""
    frames = round(2 * Fraction(rate))
    film = halves(frames=frames)
    film[frames // 2 :] = 255
    sources.video(tmp_path / "clip.mp4", film, float(Fraction(rate)), "-r", rate, *sources.in_yuv(), *H264)
    work = tmp_path / "work"
    work.mkdir()
    (file,) = rendered(tmp_path / "clip.mp4", [take("0a", replace(VERTICAL, frame_rate=shown))], work)
    found = probe(file.video).facts.video
    assert found is not None
    assert found.packets == round(frames / Fraction(rate) * shown)
    assert found.regular_rate == pytest.approx(float(shown), rel=1e-6)
    bright = sources.frames_of(file.video, 180, 320).mean(axis=(1, 2, 3)) > 200
    assert int(np.argmax(bright)) == round(frames // 2 / Fraction(rate) * shown)


def test_a_clip_that_is_no_video_is_refused(tmp_path: Path) -> None:
    """A damaged clip must name itself, not leave an empty file to be posted."""
    clip = sources.video(tmp_path / "clip.mp4", halves(frames=30), 30, *sources.in_yuv(), *H264)
    found = probe(clip).probe
    clip.write_bytes(clip.read_bytes()[:300] + bytes(5000))
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(PermanentError, match="clip could not be rendered"):
        render(clip, found, [take("0a")], None, work, tmp_path)


def test_names_that_would_overwrite_each_other_are_refused(tmp_path: Path) -> None:
    """Two takes of one name leave one file, and nobody sees which."""
    clip = sources.video(tmp_path / "clip.mp4", halves(frames=15), 30, *sources.in_yuv(), *H264)
    found = probe(clip).probe
    for names in (["0a", "0a"], ["../0a"]):
        with pytest.raises(ValueError, match="names of their own"):
            render(clip, found, [take(name) for name in names], None, tmp_path, tmp_path)


@pytest.mark.long
def test_all_platforms_in_two_looks_stay_within_memory(tmp_path: Path) -> None:
    """Four encoders of full size at once are what a small machine can hold; a fifth is one too many."""
    clip = tmp_path / "clip.mp4"
    sources.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=30:d=3,noise=alls=20:allf=t", *H264, "-pix_fmt", "yuv420p", clip)
    work = tmp_path / "work"
    work.mkdir()
    shot = [framing(0, 1, "still", 0.31, (0, 0.2)), framing(1, 2, "fit", 1.0, (1, 0)), framing(2, 3, "follow", 0.31, (2, 0.1), (3, 0.5))]
    takes = [
        Take(rendition, label, shot, CAPTION if label == "b" else None, 1.5, f"{number}{label}")
        for number, rendition in enumerate(renditions_of(30))
        for label in ("a", "b")
    ]
    # In a process of its own: Linux counts what the parent has at the fork as the child's, and other tests leave a gigabyte.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as fresh:
        files = fresh.submit(rendered, clip, takes, work).result()
    assert max(file.peak_memory for file in files) <= MOST_MEMORY
    assert len({file.video for file in files}) == 4
