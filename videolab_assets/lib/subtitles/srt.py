"""Subtitles that a person wrote or corrected: SRT in whatever encoding, order and style their editor leaves it."""

import codecs
import math
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from videolab_assets.lib.documents import Cue
from videolab_assets.lib.errors import PermanentError

LONGEST_SRT_BYTES = 5_000_000
"""Ten times three hours of talk in UTF-16."""
MOST_CUES = 20_000
LONGEST_CUE = 1000
"""Characters; two full lines are 84."""
END_SLACK = 1.0
"""Seconds by which a cue may outlast the recording: editors round, and containers disagree about where sound ends."""
SHORTEST_LEFT_MS = 500
"""A cue of which the next one leaves less than this is not trimmed but joined with it: two people who speak at once."""

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[,.](\d{1,3}))?"
_TIMING = re.compile(rf"\s*{_TIME}\s*-{{2,}}>\s*{_TIME}(?:\s.*)?")
_MARKUP = re.compile(r"</?[A-Za-z][^<>]*>|\{\\[^{}]*\}")


@dataclass(slots=True)
class _Entry:
    """A cue as it stands in the file: its place there, from 1, and times in milliseconds."""

    number: int
    start: int
    end: int
    text: str

    def __str__(self) -> str:
        return f"Cue {self.number} (at {_clock(self.start)})"


def read_srt(data: bytes, *, duration: float) -> list[Cue]:
    """A person's SRT as the cues of one recording: in order, none empty, none overlapping, all within it.

    UTF-8 with or without its mark, UTF-16 with its mark, else Windows-1252. Numbers are not believed and styling is left out, as in
    `parse_srt`; control characters are dropped. Cues in any order are put in order of their starts. One that overlaps the next is
    trimmed to the next one's start, and where that leaves it less than half a second, the two become one cue with the lines of
    both. An end up to a second after the recording's is moved back to it.

    Args:
        data: the file.
        duration: seconds of the recording.

    Raises:
        PermanentError: the file is no SRT, too large, in an unknown encoding or without a cue; or the one named cue in it is too long,
            ends before it starts, or lies after the recording's end, as in subtitles of another video.
    """
    if len(data) > LONGEST_SRT_BYTES:
        raise PermanentError(f"This SRT file is larger than {LONGEST_SRT_BYTES // 1_000_000} MB: subtitles of a day are smaller.")
    entries = [entry for entry in _entries(_decoded(data)) if entry.text]
    if not entries:
        raise PermanentError("This SRT file holds no cue: each needs a line of times, as in 00:00:01,000 --> 00:00:02,500, and a text.")
    for entry in entries:
        if entry.end == entry.start:
            raise PermanentError(f"{entry} of the SRT file ends where it starts: correct its times.")
        if entry.start >= duration * 1000 or entry.end > (duration + END_SLACK) * 1000:
            raise PermanentError(
                f"{entry} of the SRT file lies after the recording's end at {_clock(round(duration * 1000))}: "
                "correct its times, or look whether the file belongs to another video.",
                f"{_clock(entry.start)} --> {_clock(entry.end)}",
            )
        entry.end = max(entry.start + 1, min(entry.end, math.floor(duration * 1000)))
    return [_cue(entry) for entry in _one_at_a_time(sorted(entries, key=lambda entry: entry.start))]


def parse_srt(text: str) -> list[Cue]:
    """Cues as people write them: any line ends, numbers missing or wrong, dots for commas, no hours, styling (left out).

    Cues keep the file's order and times; empty cues are left out.

    Raises:
        PermanentError: there is text but not one line of times, more than `MOST_CUES` cues, one of more than `LONGEST_CUE` characters,
            or one that ends before it starts.
    """
    return [_cue(entry) for entry in _entries(text) if entry.text]


def _decoded(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as problem:
            raise PermanentError("This SRT file says that it is UTF-16 but is not: save it as UTF-8.", str(problem)) from problem
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        survivors = sum(not mark.isascii() for mark in data.decode("utf-8", "ignore"))
        lost = sum(mark == "\ufffd" for mark in data.decode("utf-8", "replace"))
        if survivors > lost:
            raise PermanentError("This SRT file is damaged UTF-8: save it as UTF-8 again.", str(problem)) from problem
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError as problem:
        raise PermanentError("This SRT file is neither UTF-8 nor Windows-1252: save it as UTF-8.", str(problem)) from problem


def _entries(text: str) -> list[_Entry]:
    lines = _without_controls(text).split("\n")
    timed = list(_timing_lines(lines))
    if not timed and text.strip("\ufeff \r\n\t"):
        raise PermanentError("This is not an SRT file: no line of it gives times, as in 00:00:01,000 --> 00:00:02,500.")
    entries: list[_Entry] = []
    for place, (line, match) in enumerate(timed):
        following = timed[place + 1][0] if place + 1 < len(timed) else len(lines)
        body = lines[line + 1 : following]
        if body and following < len(lines) and body[-1].strip().isdigit():
            body.pop()
        shown = "\n".join(plain for written in body if (plain := " ".join(_MARKUP.sub("", written).split())))
        entry = _Entry(place + 1, _milliseconds(match.groups()[:4]), _milliseconds(match.groups()[4:]), shown)
        if entry.end < entry.start:
            raise PermanentError(f"{entry} of the SRT file ends before it starts: correct its times.", lines[line])
        if len(shown) > LONGEST_CUE:
            raise PermanentError(f"{entry} of the SRT file is longer than {LONGEST_CUE} characters: divide it.", shown[:LONGEST_CUE])
        entries.append(entry)
    return entries


def _without_controls(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")
    controls = {mark for mark in set(text) if mark != "\n" and unicodedata.category(mark) in ("Cc", "Cs")}
    return text.translate({ord(mark): " " if mark.isspace() else None for mark in controls})


def _timing_lines(lines: Iterable[str]) -> Iterable[tuple[int, re.Match[str]]]:
    found = 0
    for number, line in enumerate(lines):
        match = _TIMING.fullmatch(line)
        if match:
            found += 1
            if found > MOST_CUES:
                raise PermanentError(f"This SRT file holds more than {MOST_CUES:,} cues: divide the recording.")
            yield number, match


def _milliseconds(parts: Sequence[str | None]) -> int:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return int(hours) * 3_600_000 + int(minutes) * 60_000 + int(seconds) * 1000 + int(fraction.ljust(3, "0"))


def _one_at_a_time(entries: Sequence[_Entry]) -> list[_Entry]:
    alone: list[_Entry] = []
    for entry in entries:
        before = alone[-1] if alone else None
        if before is None or entry.start >= before.end:
            alone.append(entry)
        elif entry.start - before.start >= SHORTEST_LEFT_MS:
            before.end = entry.start
            alone.append(entry)
        else:
            before.end, before.text = max(before.end, entry.end), f"{before.text}\n{entry.text}"
            if len(before.text) > LONGEST_CUE:
                raise PermanentError(f"{entry} of the SRT file is on screen at once with too many others: correct its times.")
    return alone


def _cue(entry: _Entry) -> Cue:
    return Cue(start=entry.start / 1000, end=entry.end / 1000, text=entry.text)


def _clock(milliseconds: int) -> str:
    seconds, fraction = divmod(milliseconds, 1000)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02d}:{minute:02d}:{second:02d},{fraction:03d}"
