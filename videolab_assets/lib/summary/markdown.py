"""Summaries as Markdown. What was said, and what a model made of it, is escaped: a page is shown in browsers, and neither decides links
or tags.

Addresses lose their scheme and their `www.`, because browsers' Markdown makes links of bare addresses whether escaped or not.
"""

import html
import re
import unicodedata
from collections.abc import Iterator

from videolab_assets.lib.documents import Summary
from videolab_assets.lib.summary.language import language_called

_MARKUP = re.compile(r"[\\`*_\[\]<>#|~]|&(?=#?\w+;)|^[-+](?=\s)")
_ORDERED = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")
_ADDRESS = re.compile(r"(?:https?|ftp)://|(?<![a-z])(?:mailto:|xmpp:|www\.)", re.IGNORECASE | re.ASCII)

_TAG = re.compile(r"<!--.*?-->|</?[a-zA-Z!?][^<>]*>", re.DOTALL)
_LINK = re.compile(r"!?\[([^\[\]]*)\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*\])")
_EMPHASIS = re.compile(r"(?<!\w)(\*{1,3}|__|~~|`{1,2})(?=\S)(.+?)(?<=\S)\1(?!\w)")
_HEADING = re.compile(r"\s{0,3}(#{1,6})\s+(.*?)[\s#]*$")
_BULLET = re.compile(r"(\s*)(?:[-*+•]|\d{1,3}[.)])\s+(.*)")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_JOINERS = "\u200c\u200d"


def to_markdown(summary: Summary) -> str:
    """The whole summary as one page: title, description, key points with times, show notes, tags."""
    key_points, show_notes, tags = language_called(summary.language).headings
    page = [f"# {escaped(summary.title)}", escaped(summary.description)]
    if summary.key_points:
        page += [f"## {key_points}", "\n".join(f"- **{clock(point.time)}** {escaped(point.text)}" for point in summary.key_points)]
    if summary.show_notes:
        page += [f"## {show_notes}", summary.show_notes.strip()]
    if summary.tags:
        page += [f"**{tags}:** {', '.join(escaped(tag) for tag in summary.tags)}"]
    return "\n\n".join(page) + "\n"


def escaped(text: str) -> str:
    """`text` on one line, shown by Markdown as it stands, but for what makes a link of an address."""
    return _ORDERED.sub(r"\1\\\2", _MARKUP.sub(r"\\\g<0>", _without_schemes(" ".join(text.split()))))


def _without_schemes(text: str) -> str:
    while (less := _ADDRESS.sub("", text)) != text:  # what is left of "http:https:////" is one again
        text = less
    return text


def plain(text: str) -> str:
    """Only the words of a text that may hold HTML or Markdown, on one line: no tags, links, emphasis or invisible characters."""
    return " ".join(_words_of(_untagged(text)).split())


def plain_notes(text: str) -> str:
    """Markdown by a stranger as headings, bullets (two levels within another at most) and paragraphs of escaped text, and nothing else."""
    blocks: list[str] = []
    depth = -1
    for line in _untagged(text).splitlines():
        kind, level, words = _read(line)
        if _FENCE.match(line) or not any(mark.isalnum() for mark in words):
            continue
        if kind == "bullet":
            level = min(level, depth + 1, 2)
            item = f"{'  ' * level}- {words}"
            if depth >= 0:
                blocks[-1] += f"\n{item}"
            else:
                blocks.append(item)
            depth = level
        else:
            blocks.append(f"{'#' * level} {words}" if kind == "heading" else words)
            depth = -1
    return "\n\n".join(blocks)


def _read(line: str) -> tuple[str, int, str]:
    """A line's kind, its level and its escaped words. Headings stand below the page's own."""
    if heading := _HEADING.fullmatch(line):
        return "heading", 3 if len(heading[1]) <= 3 else 4, escaped(_words_of(heading[2]))
    if bullet := _BULLET.fullmatch(line):
        return "bullet", len(bullet[1].expandtabs(2)) // 2, escaped(_words_of(bullet[2]))
    return "paragraph", 0, escaped(_words_of(line.lstrip("> \t")))


def _untagged(text: str) -> str:
    """Without tags, comments and characters that show nothing, entities resolved. What still looks like a tag is escaped later."""
    text = "".join(_visible(html.unescape(text)))
    for _ in range(10):
        text, found = _TAG.subn("", text)
        if not found:
            break
    return text


def _visible(text: str) -> Iterator[str]:
    for mark in text:
        if mark in "\n\t":
            yield mark
        elif mark in "\r\v\f\x85\u2028\u2029":
            yield "\n"
        elif unicodedata.category(mark)[0] != "C" or mark in _JOINERS:
            yield mark


def _words_of(text: str) -> str:
    """Links give way to their words, emphasis to what it stresses, addresses to their names."""
    for _ in range(10):
        text, links = _LINK.subn(r"\1", text)
        text, stressed = _EMPHASIS.subn(r"\2", text)
        if not links + stressed:
            break
    return _without_schemes(text)


def clock(seconds: float) -> str:
    """Seconds as `m:ss`, or `h:mm:ss` from an hour on; the second that has begun, so that a player lands before the words."""
    whole = int(max(0.0, seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
