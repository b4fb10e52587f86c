from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib.documents import Cue
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.subtitles import parse_srt, read_srt, to_srt
from videolab_assets.lib.subtitles.srt import LONGEST_CUE, LONGEST_SRT_BYTES, MOST_CUES

SPANISH = "1\n00:00:01,000 --> 00:00:02,500\n¿Qué tal, señor Núñez?\n\n2\n00:00:03,000 --> 00:00:04,000\n«Bien» — ¡y tú…!\n"
SPANISH_CUES = [Cue(start=1.0, end=2.5, text="¿Qué tal, señor Núñez?"), Cue(start=3.0, end=4.0, text="«Bien» — ¡y tú…!")]


def srt(*cues: tuple[str, str, str]) -> bytes:
    return "\n".join(f"{number}\n{start} --> {end}\n{text}\n" for number, (start, end, text) in enumerate(cues, 1)).encode()


def test_srt_as_people_write_it_is_understood() -> None:
    """Prevents a corrected file from being refused over its line ends, numbers, dots or styling."""
    text = (
        "\ufeff1\r\n0:00:01.5 --> 0:00:03,25 X1:100\r\n<i>Hola,</i> {\\an8}¿qué tal?\r\n\r\n\r\n"
        "00:04,000-->00:05,000\r\n 7 \r\n3\r\n00:00:06,000 --> 00:00:07,000\r\nBien\r\n"
    )
    expected = [
        Cue(start=1.5, end=3.25, text="Hola, ¿qué tal?"),
        Cue(start=4.0, end=5.0, text="7"),
        Cue(start=6.0, end=7.0, text="Bien"),
    ]
    assert parse_srt(text) == expected
    assert read_srt(text.encode(), duration=7.0) == expected
    assert parse_srt("") == []


@pytest.mark.parametrize("text", ["Dear sirs,\nplease find attached", "1\n00:00:05,000 --> 00:00:04,000\nBackwards\n"])
def test_what_is_no_srt_is_refused_in_one_sentence(text: str) -> None:
    """Prevents a letter, or a file with mixed-up times, from replacing a video's subtitles with nothing."""
    with pytest.raises(PermanentError, match="SRT file"):
        parse_srt(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le-bom", "utf-16-be-bom"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_every_encoding_an_editor_saves_is_read(encoding: str, newline: str) -> None:
    """Prevents "Â¿QuÃ© tal" on screen: Windows editors save Windows-1252 or UTF-16 where nobody chooses."""
    text = SPANISH.replace("\n", newline)
    marked = {"utf-16-le-bom": b"\xff\xfe" + text.encode("utf-16-le"), "utf-16-be-bom": b"\xfe\xff" + text.encode("utf-16-be")}
    data = marked[encoding] if encoding in marked else text.encode(encoding)
    assert read_srt(data, duration=10.0) == SPANISH_CUES


def test_capitals_before_guillemets_in_windows_1252_are_not_taken_for_utf_8() -> None:
    """Prevents a chance pair of bytes ("É»" is one letter in UTF-8) from deciding against a file full of accents."""
    text = "1\n00:00:01,000 --> 00:00:02,000\n«CAFÉ», según él, así está más rico, señor\n"
    assert read_srt(text.encode("cp1252"), duration=10.0)[0].text == "«CAFÉ», según él, así está más rico, señor"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (SPANISH.encode()[:-5] + b"\xc2\n", "damaged UTF-8"),
        (b"\xff\xfe1\n0", "not"),
        (b"1\n00:00:01,000 --> 00:00:02,000\nse\xf1or \x81\x8d\n", "neither UTF-8 nor Windows-1252"),
        (b"", "no cue"),
        (b"\xef\xbb\xbf \r\n\r\n", "no cue"),
        (b"1\n00:00:01,000 --> 00:00:02,000\n\x00\x07 \n", "no cue"),
        (b"\x89PNG\r\n\x1a\n" + b"\x00\x00\x00\rIHDR" * 100, "not an SRT file"),
        (bytes(10_000_000), "larger than 5 MB"),
        (b"00:00:01,000 --> 00:00:02,000\n" + b"long " * 300, r"Cue 1 .* longer than 1000 characters"),
        (b"0:0:0-->0:0:1\na\n" * (MOST_CUES + 1), "more than 20,000 cues"),
        (srt(("00:00:01,000", "00:00:02,000", "a"), ("00:00:05,000", "00:00:05,000", "b")), r"Cue 2 \(at 00:00:05,000\).* ends where"),
        (
            srt(("00:00:01,000", "00:00:02,000", "a"), ("00:00:06,000", "00:00:05,000", "b")),
            r"Cue 2 \(at 00:00:06,000\).* before it starts",
        ),
        (srt(*[("00:00:01,000", "00:00:02,000", "x" * 900)] * 2), "Cue 2 .* at once"),
    ],
)
def test_what_cannot_be_a_correction_is_refused_in_one_sentence(data: bytes, says: str) -> None:
    """Prevents junk, half a file or the wrong bytes from taking the place of the machine's words, and a person who is not told why."""
    with pytest.raises(PermanentError, match=says) as refused:
        read_srt(data, duration=60.0)
    assert "\n" not in refused.value.sentence
    assert refused.value.sentence.endswith(".")


@pytest.mark.parametrize(
    ("start", "end", "fits"),
    [
        ("00:00:58,000", "00:00:59,900", True),
        ("00:00:58,000", "00:01:00,900", True),
        ("00:00:58,000", "00:01:01,100", False),
        ("00:01:00,000", "00:01:00,500", False),
        ("00:59:00,000", "00:59:02,000", False),
        ("9999:59:59,999", "9999:59:59,999", False),
    ],
)
def test_subtitles_of_another_video_are_refused_by_the_cue_that_shows_it(start: str, end: str, fits: bool) -> None:
    """Prevents the subtitles of a longer video from replacing this one's, and a rounded last cue from being refused."""
    data = srt(("00:00:01,000", "00:00:02,000", "a"), (start, end, "b"))
    if fits:
        assert read_srt(data, duration=60.0)[-1].end <= 60.0
    else:
        with pytest.raises(PermanentError, match="Cue 2"):
            read_srt(data, duration=60.0)


def test_cues_are_put_in_order_and_one_at_a_time() -> None:
    """Prevents words that are searched and shown twice or backwards: overlaps are trimmed, and two voices at once become one cue."""
    data = srt(
        ("00:00:10,000", "00:00:12,000", "third"),
        ("00:00:01,000", "00:00:03,100", "first"),
        ("00:00:03,000", "00:00:05,000", "second"),
        ("00:00:20,000", "00:00:22,000", "- Who?"),
        ("00:00:20,100", "00:00:23,000", "- Me."),
        ("00:00:30,000", "00:00:40,000", "long"),
        ("00:00:32,000", "00:00:33,000", "short"),
    )
    assert [(cue.start, cue.end, cue.text) for cue in read_srt(data, duration=60.0)] == [
        (1.0, 3.0, "first"),
        (3.0, 5.0, "second"),
        (10.0, 12.0, "third"),
        (20.0, 23.0, "- Who?\n- Me."),
        (30.0, 32.0, "long"),
        (32.0, 33.0, "short"),
    ]


def test_control_characters_are_dropped_and_letters_kept() -> None:
    """Prevents escape sequences in a terminal, and a NUL that ends the text in a player."""
    data = "1\n00:00:01,000 --> 00:00:02,000\nnul\x00 bell\x07 esc\x1b[0m tab\tvt\x0bnel\x85 ñandú 日本 👩‍🚀\n".encode()
    assert read_srt(data, duration=9.0)[0].text == "nul bell esc[0m tab vt nel ñandú 日本 👩‍🚀"


junk = st.binary(max_size=400) | st.lists(
    st.sampled_from(
        [
            b"1\n",
            b"\r\n",
            b"00:00:01,000 --> 00:00:02,000\n",
            b"0:00:01.2-->0:00:09\n",
            b"\x00",
            b"<i>",
            b"{\\an8}",
            b"se\xf1or ",
            "é ".encode(),
        ]
    )
    | st.binary(max_size=5),
    max_size=40,
).map(b"".join)


@given(junk | junk.map(lambda data: b"\xff\xfe" + data), st.floats(0, 20) | st.floats(0, 1e6))
def test_any_bytes_are_read_or_refused(data: bytes, duration: float) -> None:
    """Prevents a crash on an uploaded file that is no SRT, and cues that overlap, are empty or lie outside the recording."""
    try:
        cues = read_srt(data, duration=duration)
    except PermanentError:
        return
    assert cues
    assert all(0 <= cue.start < cue.end <= duration + 0.001 and cue.text.strip() for cue in cues)
    assert all(before.end <= after.start for before, after in pairwise(cues))
    assert all(len(cue.text) <= LONGEST_CUE for cue in cues)
    has_no_escape = any(sign in cue.text for cue in cues for sign in ("--", "<", "{"))
    assert has_no_escape or read_srt(to_srt(cues).encode(), duration=duration) == cues


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """Prevents a crash on text that is no SRT."""
    try:
        cues = parse_srt(text)
    except PermanentError:
        return
    assert all(cue.end >= cue.start >= 0 for cue in cues)


@pytest.mark.parametrize(
    "line", [b"<" * 40_000, b"{\\" * 40_000, b"-" * 80_000, b" " * 80_000, b"1:" * 40_000, b"00:00:01 --> " * 6000, b"\xc3" * 80_000]
)
def test_no_line_takes_a_reader_hours(line: bytes) -> None:
    """Prevents a pattern that backtracks: each of these would take minutes if the time grew with the square of its length."""
    data = b"00:00:01,000 --> 00:00:02,000\n" + b"\n".join([line] * (LONGEST_SRT_BYTES // len(line) - 1))
    with pytest.raises(PermanentError):
        read_srt(data, duration=60.0)
