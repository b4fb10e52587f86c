import html
import re
import subprocess
import unicodedata
from itertools import pairwise
from pathlib import Path

import imageio_ffmpeg
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from videolab_assets.lib.documents import Cue, Segment, Transcript, Word
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.subtitles import LONGEST_LINE, breaches, cues_of, parse_srt, to_srt, to_webvtt
from videolab_assets_tests.lib.summary.spoken import TALK_NAMES, spoken, talk

NO_BREACH = dict.fromkeys(
    ("too_many_lines", "line_too_long", "too_short", "too_long", "too_fast", "overlapping", "too_close"),
    0,
)
ARTICLES_AND_PREPOSITIONS = {
    "es": re.compile(r"\b(el|la|los|las|una?|unos|unas|al|del?|a|ante|con|desde|en|entre|hacia|para|por|según|sin|sobre|sus?|mi|y)$", re.I),
    "en": re.compile(r"\b(an?|the|of|to|in|on|at|by|for|with|from|into|its|our|their|my|your|and)$", re.IGNORECASE),
}


def transcript_of(words: list[Word], language: str = "en") -> Transcript:
    text = " ".join(word.text for word in words)
    segments = [Segment(start=words[0].start, end=words[-1].end, text=text, words=words)] if words else []
    return Transcript(engine="made", model="", language=language, draft=False, duration=0.0, segments=segments)


def timed(*texts_and_times: tuple[str, float, float]) -> Transcript:
    return transcript_of([Word(text=text, start=start, end=end, confidence=1.0) for text, start, end in texts_and_times])


def words_in(cues: list[Cue]) -> list[str]:
    return [word for cue in cues for word in cue.text.split()]


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


@pytest.mark.parametrize("draft", [False, True])
@pytest.mark.parametrize("name", TALK_NAMES)
def test_a_talk_becomes_cues_that_break_no_rule(name: str, draft: bool) -> None:
    """Prevents cues that are too long, too short, too fast or too close at an ordinary speaker's pace, and words lost on the way."""
    said = talk(name)
    transcript = spoken(said["utterances"], said["language"], draft=draft, pause=0.4)
    cues = cues_of(transcript, frame_rate=25)
    assert breaches(cues, 25) == NO_BREACH
    assert words_in(cues) == transcript.text.split()


@pytest.mark.parametrize("draft", [False, True])
@pytest.mark.parametrize("name", TALK_NAMES)
def test_lines_never_end_between_an_article_and_its_noun(name: str, draft: bool) -> None:
    """Prevents "the / lamp" and "de / barro", at line ends and at cue ends."""
    said = talk(name)
    cues = cues_of(spoken(said["utterances"], said["language"], draft=draft, pause=0.4))
    lines = [line for cue in cues for line in cue.text.split("\n")]
    assert [line for line in lines if ARTICLES_AND_PREPOSITIONS[said["language"]].search(line)] == []


@pytest.mark.parametrize("name", TALK_NAMES)
def test_cues_end_where_sentences_and_clauses_do(name: str) -> None:
    """Prevents cues cut anywhere: a sentence's end followed by the next one's beginning makes a reader stumble."""
    said = talk(name)
    cues = cues_of(spoken(said["utterances"], said["language"], pause=0.4))
    ends_well = [cue for cue in cues if cue.text[-1] in ".?!,;:"]
    assert len(ends_well) >= 0.8 * len(cues)
    ends = {text.split()[-1] for text in said["utterances"]}
    starts_late = [cue for cue in cues if any(word in ends for word in cue.text.split()[:-1]) and cue.text.split()[-1] not in ends]
    assert len(starts_late) <= 0.05 * len(cues)


def test_two_lines_are_of_like_length() -> None:
    """Prevents a full line above a single word."""
    (cue,) = cues_of(spoken(["Bright lamps guide tired sailors past dangerous northern reefs."]))
    assert cue.text == "Bright lamps guide tired sailors\npast dangerous northern reefs."


def test_words_appear_when_they_are_said() -> None:
    """Prevents subtitles that drift: each cue starts within a quarter of a second of its first word."""
    transcript = spoken(talk("bridges_en")["utterances"], pause=0.4)
    words = [word for segment in transcript.segments for word in segment.words]
    at = 0
    for cue in cues_of(transcript):
        assert cue.start == pytest.approx(words[at].start, abs=0.25)
        at += len(cue.text.split())
        assert cue.end >= words[at - 1].end - 0.25


def test_a_quick_word_in_silence_stays_long_enough_to_read() -> None:
    """Prevents "Yes." from flashing for a fifth of a second."""
    cues = cues_of(timed(("Yes.", 5.0, 5.2), ("No.", 9.0, 9.1)))
    assert [(cue.start, cue.text) for cue in cues] == [(5.0, "Yes."), (9.0, "No.")]
    assert all(1.0 <= cue.end - cue.start <= 2.0 for cue in cues)


def test_no_cue_stands_through_a_long_silence() -> None:
    """Prevents words from being shown seconds before they are said."""
    cues = cues_of(timed(("Wait", 1.0, 1.4), ("here.", 4.0, 4.4)))
    assert [cue.start for cue in cues] == [1.0, 4.0]
    assert cues[0].end < 3.0


@pytest.mark.parametrize("frame_rate", [10.0, 23.976, 25.0, 60.0, 0.0, float("nan")])
def test_cues_are_two_frames_apart(frame_rate: float) -> None:
    """Prevents cues that touch: players then show one text change instead of two, and delivery checks refuse the file."""
    cues = cues_of(spoken(talk("bakery_es")["utterances"], "es", pause=0.0), frame_rate=frame_rate)
    frames = 2 / (frame_rate if frame_rate > 0 else 25.0)
    assert min(after.start - before.end for before, after in pairwise(cues)) >= frames - 0.0005
    assert breaches(cues, frame_rate)["too_close"] == 0


def test_edges_near_a_shot_change_move_onto_it() -> None:
    """Prevents a cue that hangs over a cut for a few frames."""
    said = timed(("First", 1.0, 1.5), ("shot.", 1.5, 3.0), ("Second", 5.2, 5.8), ("shot.", 5.8, 7.5))
    first, second = cues_of(said, frame_rate=25, shot_times=[3.1, 5.0, 60.0])
    assert first.end == pytest.approx(3.1 - 0.08)
    assert second.start == pytest.approx(5.0)


def test_hours_and_rounding_are_written_as_the_formats_want() -> None:
    """Prevents 00:59:60,000 and hours cut to two digits."""
    cues = [Cue(start=3599.9996, end=3601.5, text="a"), Cue(start=360_000.001, end=360_001.0, text="b")]
    assert "01:00:00,000 --> 01:00:01,500\na\n" in to_srt(cues)
    assert "100:00:00.001 --> 100:00:01.000\nb\n" in to_webvtt(cues)


def test_nothing_said_gives_empty_valid_files() -> None:
    """Prevents a missing or broken file for a video in which nobody speaks."""
    cues = cues_of(transcript_of([]))
    assert cues == []
    assert to_srt(cues) == ""
    assert to_webvtt(cues) == "WEBVTT\n"
    assert parse_srt("") == []
    assert breaches([]) == NO_BREACH


def test_text_never_becomes_timing_or_markup_in_webvtt() -> None:
    """Prevents a spoken or uploaded "-->" or tag from ending the cue or changing the page."""
    cues = [Cue(start=0.0, end=2.0, text="a --> b\n<c.red>R&D</c>"), Cue(start=3.0, end=5.0, text="00:01.000 --> 00:02.000\n\nx")]
    assert [cue.text for cue in read_webvtt(to_webvtt(cues))] == ["a --> b\n<c.red>R&D</c>", "00:01.000 --> 00:02.000\nx"]
    assert [cue.text for cue in parse_srt(to_srt(cues))][1] == "00:01.000 -> 00:02.000\nx"


def test_control_characters_and_overlong_words_are_made_showable() -> None:
    """Prevents invisible characters in players, and a word that runs out of the picture."""
    cues = cues_of(timed(("be\x07ll\u2028tower\x00", 0.0, 2.0), ("x" * 100, 2.0, 6.0)))
    assert words_in(cues)[:2] == ["bell", "tower"]
    assert "".join(words_in(cues)[2:]) == "x" * 100
    assert max(len(line) for cue in cues for line in cue.text.split("\n")) <= LONGEST_LINE


@pytest.mark.parametrize("form", ["srt", "webvtt"])
def test_ffmpeg_reads_what_was_written(form: str, tmp_path: Path) -> None:
    """Prevents files that only our own parser understands."""
    cues = cues_of(spoken(talk("balcony_es")["utterances"], "es"))
    source = tmp_path / f"subtitles.{form}"
    source.write_text(to_srt(cues) if form == "srt" else to_webvtt(cues), encoding="utf-8")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", form, "-i", str(source), "-f", "srt", "-"]
    read = subprocess.run(command, capture_output=True, check=True, text=True, encoding="utf-8")
    assert read.stderr == ""
    assert parse_srt(read.stdout) == cues


def test_srt_as_people_write_it_is_understood() -> None:
    """Prevents a corrected file from being refused over its line ends, numbers, dots or styling."""
    text = (
        "\ufeff1\r\n0:00:01.5 --> 0:00:03,25 X1:100\r\n<i>Hola,</i> {\\an8}¿qué tal?\r\n\r\n\r\n"
        "00:04,000-->00:05,000\r\n 7 \r\n3\r\n00:00:06,000 --> 00:00:07,000\r\nBien\r\n"
    )
    assert parse_srt(text) == [
        Cue(start=1.5, end=3.25, text="Hola, ¿qué tal?"),
        Cue(start=4.0, end=5.0, text="7"),
        Cue(start=6.0, end=7.0, text="Bien"),
    ]


@pytest.mark.parametrize("text", ["Dear sirs,\nplease find attached", "1\n00:00:05,000 --> 00:00:04,000\nBackwards\n"])
def test_what_is_no_srt_is_refused_in_one_sentence(text: str) -> None:
    """Prevents a letter, or a file with mixed-up times, from replacing a video's subtitles with nothing."""
    with pytest.raises(PermanentError, match="SRT file"):
        parse_srt(text)


def test_breaches_name_the_rule() -> None:
    """Prevents a check that counts nothing: each rule is broken once here."""
    fine = "Short enough"
    cues = [
        Cue(start=0.0, end=5.0, text="a\nb\nc"),
        Cue(start=6.0, end=12.0, text="x" * 43),
        Cue(start=13.0, end=13.9, text=fine),
        Cue(start=15.0, end=22.001, text=fine),
        Cue(start=24.0, end=26.0, text="x" * 35),
        Cue(start=25.0, end=28.0, text=fine),
        Cue(start=28.079, end=30.0, text=fine),
    ]
    assert breaches(cues, 25.0) == dict.fromkeys(NO_BREACH, 1)


anything = st.text(max_size=60) | st.sampled_from(["the", "de", "-->", "&amp;", "<b>", "end.", "uno,"])


@settings(deadline=None)
@given(
    st.lists(st.tuples(anything, st.floats(), st.floats()) | st.tuples(anything, st.floats(0, 60), st.floats(0, 60)), max_size=80),
    st.sampled_from(["en", "es", "und"]),
    st.floats(),
    st.lists(st.floats(), max_size=10),
)
def test_any_words_give_cues_within_the_rules(
    words: list[tuple[str, float, float]], language: str, frame_rate: float, shots: list[float]
) -> None:
    """Prevents overlaps, long lines, flashes, negative times and lost or reordered words, whatever an engine returns."""
    said = [Word(text=text, start=start, end=end, confidence=1.0) for text, start, end in words]
    cues = cues_of(transcript_of(said, language), frame_rate=frame_rate, shot_times=shots)
    found = breaches(cues, frame_rate)
    found.pop("too_fast")
    assert not any(found.values()), found
    assert all(0 <= cue.start < cue.end for cue in cues)
    shown = "".join(words_in(cues))
    said_aloud = "".join("".join(word.split()) for word, _, _ in words)
    assert shown == "".join(mark for mark in said_aloud if unicodedata.category(mark) != "Cc" and mark != "\ufeff")
    assert [cue.text for cue in read_webvtt(to_webvtt(cues))] == [cue.text for cue in cues]


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
    assert read_webvtt(to_webvtt(written)) == written
    assume(not any(re.search(r"-{2,}>|<|\{|\ufeff", cue.text) for cue in written))
    assume(not any(cue.text.split("\n")[-1].isdigit() for cue in written))
    assert parse_srt(to_srt(written)) == written


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """Prevents a crash on an uploaded file that is no SRT."""
    try:
        cues = parse_srt(text)
    except PermanentError:
        return
    assert all(cue.end >= cue.start >= 0 for cue in cues)
