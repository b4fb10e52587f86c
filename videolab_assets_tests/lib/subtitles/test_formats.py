import html
import re
import subprocess
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from videolab_assets.lib import ffmpeg
from videolab_assets.lib.documents import Cue
from videolab_assets.lib.subtitles import breaches, cues_of, parse_srt, to_ass, to_srt, to_webvtt
from videolab_assets_tests.lib.summary.spoken import TALK_NAMES, spoken, talk


def to_full_hd_ass(cues: Sequence[Cue]) -> str:
    return to_ass(cues, width=1920, height=1080)


WRITERS: dict[str, Callable[[Sequence[Cue]], str]] = {"srt": to_srt, "webvtt": to_webvtt, "ass": to_full_hd_ass}
WORD_JOINER = "\u2060"
INSTRUCTION = r"{\pos(10,10)\p1}m 0 0 l 300 0 300 300 0 300{\p0}"
NASTY = [
    r"{\p1}m 0 0 l 100 0 100 100{\p0}",
    r"{\an8\fs200}big",
    r"\Nnew\nline\hspace\{brace\}",
    "ends in a backslash\\",
    "\\\n\\N",
    "Dialogue: 0,0:00:00.00,0:00:09.00,Default,,0,0,0,,no",
    "[Events]\nFormat: Text",
    "; comment\n!: no",
    "00:00:01,000 --> 00:00:02,000\nno",
    "1\n\n2\n00:00:01.000 ---> 00:00:02.000",
    "NOTE no\nSTYLE\nREGION",
    "<b>R&D</b> <c.red> &lrm; -->",
    "nul\x00, bell\x07, escape\x1b[0m, vertical\x0btab, \u2028 and \x85",
    "a, b,, c,",
    "7",
]


def ffmpeg_run(*arguments: str, folder: Path) -> bytes:
    command = [str(ffmpeg.binary()), "-v", "error", "-nostdin", *arguments]
    done = subprocess.run(command, capture_output=True, check=True, cwd=folder)
    assert done.stderr == b""
    return done.stdout


def packets(form: str, written: str, folder: Path) -> int:
    """How many cues ffmpeg finds in the file."""
    (folder / "subtitles").write_text(written, encoding="utf-8")
    listed = ffmpeg_run("-f", form, "-i", "subtitles", "-map", "0:s", "-c", "copy", "-f", "framecrc", "-", folder=folder).decode()
    return sum(not line.startswith("#") for line in listed.splitlines())


def rendered(width: int, height: int, *, rate: int, seconds: int, folder: Path) -> npt.NDArray[np.int64]:
    """The brightness of `subtitles.ass` over plain grey: frames, rows, columns."""
    filters = subprocess.run([str(ffmpeg.binary()), "-v", "quiet", "-filters"], capture_output=True, check=True, text=True).stdout
    if not re.search(r"^ *\S+ ass ", filters, re.MULTILINE):
        pytest.skip("this ffmpeg has no filter that draws subtitles")
    source = f"color=gray:size={width}x{height}:rate={rate}:duration={seconds}"
    raw = ffmpeg_run("-f", "lavfi", "-i", source, "-vf", "ass=subtitles.ass", "-pix_fmt", "gray", "-f", "rawvideo", "-", folder=folder)
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width).astype(np.int64)


def read_webvtt(text: str) -> list[Cue]:
    """A reader of its own, after the W3C's grammar: header, blank line, cues of a timing line and escaped text."""
    header, *blocks = re.split(r"\n\n+", text.rstrip("\n"))
    assert header == "WEBVTT"
    cues: list[Cue] = []
    for block in blocks:
        timing, *lines = block.split("\n")
        match = re.fullmatch(r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3}) --> (\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})", timing)
        assert match, timing
        assert "-->" not in "".join(lines)
        assert not re.search(r"<|&(?!amp;|lt;|gt;)", "".join(lines))
        parts = [int(part) for part in match.groups()]
        start, end = (
            (((hours * 60 + minutes) * 60 + seconds) * 1000 + milliseconds) / 1000
            for hours, minutes, seconds, milliseconds in (parts[:4], parts[4:])
        )
        cues.append(Cue(start=start, end=end, text=html.unescape("\n".join(lines))))
    return cues


def read_ass(text: str) -> list[tuple[int, int, str]]:
    """Hundredths of a second and plain text, by a reader that refuses anything that is not plain text."""
    header, events = text.split("\n[Events]\n")
    assert [line for line in header.split("\n") if line.startswith("[")] == ["[Script Info]", "[V4+ Styles]"]
    names, *lines = events.removesuffix("\n").split("\n")
    assert names == "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
    found = []
    for line in lines:
        match = re.fullmatch(r"Dialogue: 0,(\d+):([0-5]\d):([0-5]\d)\.(\d\d),(\d+):([0-5]\d):([0-5]\d)\.(\d\d),Default,,0,0,0,,(.+)", line)
        assert match, line
        parts = [int(part) for part in match.groups()[:8]]
        start, end = (((hours * 60 + minutes) * 60 + seconds) * 100 + rest for hours, minutes, seconds, rest in (parts[:4], parts[4:]))
        shown = match.group(9)
        assert not re.search(rf"[{{}}]|\\(?![N{WORD_JOINER}])", shown)
        found.append((start, end, shown.replace("\\N", "\n").replace(WORD_JOINER, "")))
    return found


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("name", TALK_NAMES)
def test_ffmpeg_reads_what_was_written(form: str, name: str, tmp_path: Path) -> None:
    """Prevents files that only our own parser understands: number, times and text of the cues all come back, in every format."""
    said = talk(name)
    cues = cues_of(spoken(said["utterances"], said["language"]), frame_rate=24000 / 1001, shot_times=[2.002 * at for at in range(100)])
    (tmp_path / "subtitles").write_text(WRITERS[form](cues), encoding="utf-8")
    read = ffmpeg_run("-f", form, "-i", "subtitles", "-f", "srt", "-", folder=tmp_path).decode()
    assert parse_srt(read) == cues
    assert packets(form, WRITERS[form](cues), tmp_path) == len(cues)


@pytest.mark.parametrize(("width", "height"), [(320, 180), (180, 320)])
def test_ass_shows_white_text_at_the_bottom_while_a_cue_lasts(width: int, height: int, tmp_path: Path) -> None:
    """Prevents a style that players draw off the picture, in the middle of it, too small to see, or not at all."""
    cues = [
        Cue(start=1.0, end=2.0, text="The quick brown foxes jump over lazy dogs,\nand then sleep all the long afternoon."),
        Cue(start=3.0, end=4.0, text=INSTRUCTION),
    ]
    (tmp_path / "subtitles.ass").write_text(to_ass(cues, width=width, height=height), encoding="utf-8")
    frames = rendered(width, height, rate=10, seconds=5, folder=tmp_path)
    plain = frames[0]
    drawn = np.abs(frames - plain) > 40
    assert [index for index, frame in enumerate(drawn) if frame.any()] == [*range(10, 20), *range(30, 40)]
    rows, columns = (np.flatnonzero(drawn[15].any(axis=axis)) for axis in (1, 0))
    assert rows.min() > height * 0.75
    assert rows.max() < height * 0.99
    assert abs((columns.min() + columns.max()) / 2 - width / 2) < width * 0.02
    assert columns.min() > width * 0.01
    assert frames[15].max() > 220
    assert frames[15].min() < 60


def test_a_spoken_instruction_is_drawn_as_letters_at_the_bottom(tmp_path: Path) -> None:
    """Prevents text that moves itself, draws a shape or hides: the real renderer is asked, not our idea of it."""
    nasty = [Cue(start=at, end=at + 1.0, text=text) for at, text in enumerate([INSTRUCTION, *NASTY[:3]])]
    (tmp_path / "subtitles.ass").write_text(to_ass(nasty, width=640, height=360), encoding="utf-8")
    for frame in rendered(640, 360, rate=2, seconds=len(nasty), folder=tmp_path):
        drawn = np.abs(frame - frame[0, 0]) > 40
        assert drawn.any()
        assert not drawn[:200].any()


def test_hours_and_rounding_are_written_as_the_formats_want() -> None:
    """Prevents 00:59:60,000 and hours cut to two digits."""
    cues = [Cue(start=3599.9996, end=3601.5, text="b"), Cue(start=360_000.001, end=360_001.0, text="c")]
    assert "01:00:00,000 --> 01:00:01,500\nb\n" in to_srt(cues)
    assert "100:00:00.001 --> 100:00:01.000\nc\n" in to_webvtt(cues)
    ass = to_ass(cues, width=1920, height=1080)
    assert "Dialogue: 0,1:00:00.00,1:00:01.50,Default,,0,0,0,,b\n" in ass
    assert "Dialogue: 0,100:00:00.00,100:00:01.00,Default,,0,0,0,,c\n" in ass


def test_nothing_said_gives_empty_valid_files(tmp_path: Path) -> None:
    """Prevents a missing or broken file for a video in which nobody speaks."""
    assert to_srt([]) == ""
    assert to_webvtt([]) == "WEBVTT\n"
    assert packets("webvtt", to_webvtt([]), tmp_path) == 0
    assert packets("ass", to_ass([], width=1280, height=720), tmp_path) == 0


def test_text_never_becomes_timing_or_markup_in_webvtt() -> None:
    """Prevents a spoken or uploaded "-->" or tag from ending the cue or changing the page."""
    cues = [Cue(start=0.0, end=2.0, text="a --> b\n<c.red>R&D</c>"), Cue(start=3.0, end=5.0, text="00:01.000 --> 00:02.000\n\nx")]
    assert [cue.text for cue in read_webvtt(to_webvtt(cues))] == ["a --> b\n<c.red>R&D</c>", "00:01.000 --> 00:02.000\nx"]
    assert [cue.text for cue in parse_srt(to_srt(cues))][1] == "00:01.000 -> 00:02.000\nx"


@settings(max_examples=12)
@given(st.lists(st.text(max_size=40) | st.lists(st.sampled_from(NASTY), max_size=3).map("\n".join), max_size=40))
def test_no_text_makes_ffmpeg_find_more_or_fewer_cues(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    """Prevents words that end their cue, hide it, or begin another, in a player's reader rather than in ours."""
    cues = [Cue(start=2.0 * at, end=2.0 * at + 1.5, text=text) for at, text in enumerate([*texts, *NASTY])]
    visible = [read.text for read in read_webvtt(to_webvtt(cues))]
    folder = tmp_path_factory.mktemp("packets")
    assert {form: packets(form, write(cues), folder) for form, write in WRITERS.items()} == dict.fromkeys(WRITERS, len(visible))


@given(st.lists(st.text() | st.sampled_from(NASTY), max_size=20))
def test_every_format_shows_the_same_cues(texts: list[str]) -> None:
    """Prevents a cue that one file has and another lacks, and any brace or backslash that a player of ASS would obey."""
    cues = [Cue(start=2.0 * at, end=2.0 * at + 1.5, text=text) for at, text in enumerate(texts)]
    webvtt = read_webvtt(to_webvtt(cues))
    ass = read_ass(to_ass(cues, width=640, height=360))
    assert [text for _, _, text in ass] == [cue.text.replace("{", "(").replace("}", ")").replace(WORD_JOINER, "") for cue in webvtt]
    assert [(start, end) for start, end, _ in ass] == [(round(cue.start * 100), round(cue.end * 100)) for cue in webvtt]


milliseconds_apart = st.lists(st.tuples(st.integers(0, 5000), st.integers(1, 8000)), min_size=1, max_size=30)


@given(milliseconds_apart)
def test_rounding_to_hundredths_never_makes_an_overlap_or_a_shorter_gap(steps: list[tuple[int, int]]) -> None:
    """Prevents two of a person's cues, a frame or two apart, from touching or being on screen at once in the ASS file alone."""
    cues, at = [], 0
    for pause, length in steps:
        cues.append(Cue(start=(at + pause) / 1000, end=(at + pause + length) / 1000, text="b"))
        at += pause + length
    written = read_ass(to_ass(cues, width=640, height=360))
    for (cue, following), ((start, end, _), (next_start, _, _)) in zip(pairwise(cues), pairwise(written), strict=True):
        assert 0 <= round(cue.start * 1000) - start * 10 < 10
        assert 0 <= round(cue.end * 1000) - end * 10 < 20 or start == end
        assert start <= end <= next_start
        if cue.end - cue.start >= 0.02:
            assert (next_start - end) * 10 >= min(990, round((following.start - cue.end) * 1000))
            assert end > start


def test_our_own_cues_are_the_same_in_hundredths() -> None:
    """Prevents an ASS file whose cues break the rules that the check found kept."""
    cues = cues_of(spoken(talk("balcony_es")["utterances"], "es", pause=0.1), frame_rate=30000 / 1001, shot_times=[1.1, 5.7, 9.476])
    written = [Cue(start=start / 100, end=end / 100, text=text) for start, end, text in read_ass(to_ass(cues, width=640, height=360))]
    assert written == cues
    assert breaches(written, 30000 / 1001)["too_close"] == 0


showable = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=20)


@given(
    st.lists(
        st.tuples(st.integers(0, 400_000_000), st.integers(0, 7000), st.lists(showable, min_size=1, max_size=2)),
        max_size=20,
    )
)
def test_what_is_written_is_read_back(cues: list[tuple[int, int, list[str]]]) -> None:
    """Prevents texts and milliseconds that change on the way through a file."""
    written = [Cue(start=start / 1000, end=(start + length) / 1000, text="\n".join(lines)) for start, length, lines in cues]
    assume(not any("\ufeff" in cue.text for cue in written))
    assert read_webvtt(to_webvtt(written)) == written
    assume(not any(re.search(r"-{2,}>|<|\{", cue.text) for cue in written))
    assume(not any(cue.text.split("\n")[-1].isdigit() for cue in written))
    assert parse_srt(to_srt(written)) == written
