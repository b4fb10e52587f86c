"""What a file that is no video is instead, by its first bytes: for refusing it before any demuxer sees it, and in plain words."""

import re
from dataclasses import dataclass

from videolab_assets.lib.sandbox import printable

SHOWN_BYTES = 40


@dataclass(frozen=True)
class Disguise:
    """Something that is certainly not a video: a stable code, what it is, and what its sender should do."""

    code: str
    what: str
    advice: str


_WEB_PAGE = Disguise("web_page", "a web page saved as a video", "download the video itself and upload that")
_PLAYLIST = Disguise("playlist", "a playlist, which only points to a video", "upload the video itself")
_PICTURE = Disguise("picture", "a picture", "upload a video or sound")
_SUBTITLES = Disguise("subtitles", "a subtitle file", "upload the video that it belongs to")
_DOCUMENT = Disguise("document", "a document", "upload a video or sound")
_ARCHIVE = Disguise("archive", "an archive", "unpack it and upload the video inside")
_PROGRAM = Disguise("program", "a program", "upload a video or sound")
_FONT = Disguise("font", "a font", "upload a video or sound")
_TEXT = Disguise("text", "a text file", "upload a video or sound")

_STARTS: tuple[tuple[bytes, Disguise], ...] = (
    (b"#EXTM3U", _PLAYLIST),
    (b"ffconcat", _PLAYLIST),
    (b"[playlist]", _PLAYLIST),
    (b"%PDF", _DOCUMENT),
    (b"{\\rtf", _DOCUMENT),
    (b"\xd0\xcf\x11\xe0", _DOCUMENT),
    (b"PK\x03\x04", _ARCHIVE),
    (b"PK\x05\x06", _ARCHIVE),
    (b"Rar!", _ARCHIVE),
    (b"7z\xbc\xaf\x27\x1c", _ARCHIVE),
    (b"\x1f\x8b", _ARCHIVE),
    (b"BZh", _ARCHIVE),
    (b"\xfd7zXZ", _ARCHIVE),
    (b"(\xb5/\xfd", _ARCHIVE),
    (b"\x7fELF", _PROGRAM),
    (b"MZ", _PROGRAM),
    (b"\xcf\xfa\xed\xfe", _PROGRAM),
    (b"\xca\xfe\xba\xbe", _PROGRAM),
    (b"#!", _PROGRAM),
    (b"\xff\xd8\xff", _PICTURE),
    (b"\x89PNG", _PICTURE),
    (b"GIF8", _PICTURE),
    (b"II*\0", _PICTURE),
    (b"MM\0*", _PICTURE),
    (b"8BPS", _PICTURE),
    (b"wOFF", _FONT),
    (b"wOF2", _FONT),
    (b"OTTO", _FONT),
    (b"ttcf", _FONT),
    (b"\0\1\0\0\0", _FONT),
    (b"WEBVTT", _SUBTITLES),
    (b"[Script Info]", _SUBTITLES),
)
_MARKUP: tuple[tuple[bytes, Disguise], ...] = (
    (b"<mpd", _PLAYLIST),
    (b"<smil", _PLAYLIST),
    (b"<svg", _PICTURE),
    (b"<tt ", _SUBTITLES),
    (b"<!doctype", _WEB_PAGE),
    (b"<html", _WEB_PAGE),
    (b"<head", _WEB_PAGE),
    (b"<body", _WEB_PAGE),
    (b"<error", _WEB_PAGE),
)
_PICTURE_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif")
_SUBRIP = re.compile(rb"\d+\r?\n\d+:\d\d:\d\d[,.]\d{3} -->")
_BITMAP = re.compile(rb"BM.{4}\0\0\0\0", re.DOTALL)


def recognise(head: bytes) -> Disguise | None:
    """What the file is, if its first bytes settle that it is no video; None for everything else, videos among it."""
    if head[4:8] == b"ftyp" and head[8:12] in _PICTURE_BRANDS:
        return _PICTURE
    if (head[:4] == b"RIFF" and head[8:12] == b"WEBP") or _BITMAP.match(head):
        return _PICTURE
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for start, disguise in _STARTS:
        if (head if start[0] < 32 or start[0] > 126 else text).startswith(start):
            return disguise
    if _SUBRIP.match(text):
        return _SUBTITLES
    if text.startswith(b"<"):
        markup = text[:2048].lower()
        return next((disguise for mark, disguise in _MARKUP if mark in markup), _TEXT)
    return None


def looks_like_text(head: bytes) -> bool:
    """Whether the first bytes are text in UTF-8, escape codes and all: for naming a file that no demuxer knew."""
    try:
        text = head.decode()
    except UnicodeDecodeError as problem:
        if problem.start < len(head) - 3:
            return False
        text = head[: problem.start].decode()
    return bool(text) and all(character.isprintable() or character in "\r\n\t\f\x1b" for character in text)


def sentence(head: bytes, disguise: Disguise | None = None) -> str:
    """The reason for the person who sent a file with this head; the text that it starts with is quoted, escaped and cut."""
    disguise = disguise or (_TEXT if looks_like_text(head) else None)
    if disguise is None:
        return "This is not a video or sound in a format that VideoLab reads: export it as MP4 and upload that."
    quoted = ""
    if looks_like_text(head):
        first_words = " ".join(head.decode(errors="ignore").split())
        quoted = f" (it starts with '{printable(first_words, SHOWN_BYTES)}')"
    return f"This is {disguise.what}{quoted}: {disguise.advice}."
