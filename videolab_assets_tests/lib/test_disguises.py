"""Files that are no videos, named for the person who sent them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib import disguises


@pytest.mark.parametrize(
    ("head", "code"),
    [
        (b"<html><body>403 Forbidden</body></html>", "web_page"),
        (b"\xef\xbb\xbf\r\n<!DOCTYPE html><title>Sign in</title>", "web_page"),
        (b"<?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "web_page"),
        (b"#EXTM3U\n#EXTINF:1,\na.ts\n", "playlist"),
        (b"ffconcat version 1.0\nfile 'a.mp4'\n", "playlist"),
        (b"<?xml version='1.0'?>\n<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'>", "playlist"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "picture"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "picture"),
        (b"\x89PNG\r\n\x1a\n", "picture"),
        (b"GIF89a", "picture"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "picture"),
        (b"BM\x36\0\0\0\0\0\0\0\x36\0", "picture"),
        (b"1\r\n00:00:00,000 --> 00:00:01,000\r\nHola\r\n", "subtitles"),
        (b"WEBVTT\n\n00:00.000 --> 00:01.000\nHola\n", "subtitles"),
        (b"[Script Info]\nTitle: x\n", "subtitles"),
        (b"%PDF-1.4\n", "document"),
        (b"PK\x03\x04\x14\0", "archive"),
        (b"Rar!\x1a\x07", "archive"),
        (b"\x7fELF\x02\x01", "program"),
        (b"MZ\x90\0", "program"),
        (b"\0\1\0\0\0\x0f\0\x80", "font"),
        (b"wOF2\0\1\0\0", "font"),
    ],
)
def test_disguises(head: bytes, code: str) -> None:
    """The commonest wrong uploads get 'Invalid data found when processing input' for an answer."""
    disguise = disguises.recognise(head)
    assert disguise is not None
    assert disguise.code == code
    assert disguise.what in disguises.sentence(head, disguise)


@pytest.mark.parametrize(
    "head",
    [
        b"\0\0\0\x20ftypisom\0\0\2\0",
        b"\0\0\0\x14ftypqt  \0\0\0\0",
        b"\x1a\x45\xdf\xa3\x01\0\0\0",
        b"RIFF\x10\0\0\0AVI LIST",
        b"RIFF\x10\0\0\0WAVEfmt ",
        b"fLaC\0\0\0\x22",
        b"OggS\0\x02",
        b"ID3\x04\0\0",
        b"\xff\xfb\x90\x64",
        b"FLV\x01\x05",
        b"\x47\x40\x11\x10\0B",
        b"\0\0\1\xba\x44\0",
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
    ],
)
def test_media_is_not_refused(head: bytes) -> None:
    """A healthy container is refused for its first bytes."""
    assert disguises.recognise(head) is None


def test_text_is_quoted_and_escaped() -> None:
    """The reason doesn't say what arrived, or carries the file's terminal codes into a log."""
    assert disguises.sentence(b"hello world\n" * 9) == (
        "This is a text file (it starts with 'hello world hello world hello world hel…'): upload a video or sound."
    )
    head = b"<html>\x1b[31m<script>"
    assert "(it starts with '<html>\\x1b[31m<script>')" in disguises.sentence(head, disguises.recognise(head))


@given(st.binary(max_size=300))
def test_any_bytes_give_one_printable_sentence(head: bytes) -> None:
    """A file makes the function fail, or its bytes reach the sentence."""
    said = disguises.sentence(head, disguises.recognise(head))
    assert said.isprintable()
    assert said.endswith(".")
