"""Cues as SubRip, WebVTT and Advanced SubStation Alpha. No text can end its cue, begin another or become an instruction."""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import pairwise

from videolab_assets.lib.documents import Cue

ASS_HEADER = """[Script Info]
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
WrapStyle: 0
ScaledBorderAndShadow: yes
YCbCr Matrix: None

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, \
ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,{size},&H00FFFFFF,&H00FFFFFF,&H00000000,&H80000000,0,0,0,0,100,100,0,0,1,{outline:.1f},0,2,{side},{side},{bottom},1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
LINES_PER_HEIGHT = 18
"""Text of a television's height: two lines take a ninth of the picture."""
LETTERS_PER_WIDTH = 24
"""Font size as a share of the width in which 42 characters of common width still fit: upright video is narrow."""
WIDE_GAP_MS = 1000
"""Nobody sees a hundredth less of a gap this long."""
OUTLINE_SHARE, SIDE_SHARE, BOTTOM_SHARE = 0.06, 0.05, 0.05
UNPRINTABLE = ("Cc", "Cs")
WORD_JOINER = "\u2060"
"""Invisible. After a backslash, it keeps a player from reading an instruction into what follows."""


def to_srt(cues: Sequence[Cue]) -> str:
    """SubRip, UTF-8 text with a blank line after each cue; empty for no cues. Cues without visible text are left out.

    The format has no escapes: an arrow in the text, which readers would take for times, loses its length.
    """
    blocks = [
        f"{number}\n{_stamp(cue.start, ',')} --> {_stamp(cue.end, ',')}\n{re.sub('-{2,}>', '->', text)}\n"
        for number, (cue, text) in enumerate(_shown(cues), 1)
    ]
    return "\n".join(blocks)


def to_webvtt(cues: Sequence[Cue]) -> str:
    """WebVTT, with `&`, `<` and `>` escaped; a header alone, which is a valid file, for no cues. Cues without visible text are left
    out."""
    blocks = [f"{_stamp(cue.start, '.')} --> {_stamp(cue.end, '.')}\n{html.escape(text, quote=False)}\n" for cue, text in _shown(cues)]
    return "\n".join(["WEBVTT\n", *blocks])


def to_ass(cues: Sequence[Cue], *, width: int, height: int) -> str:
    """Advanced SubStation Alpha, UTF-8: white with a black outline at the bottom centre. Cues without visible text are left out.

    The format's players share no escape for braces, so these become parentheses; a backslash is followed by an invisible character.
    Times are hundredths of a second: where a cue's are not, both edges move back, and as far that no gap becomes shorter.

    Args:
        cues: in order, not overlapping.
        width: pixels of the picture as displayed.
        height: the same.
    """
    shown = list(_shown(cues))
    size = max(1, round(min(height / LINES_PER_HEIGHT, width / LETTERS_PER_WIDTH)))
    margins = {"side": round(width * SIDE_SHARE), "bottom": round(height * BOTTOM_SHARE)}
    header = ASS_HEADER.format(width=width, height=height, size=size, outline=size * OUTLINE_SHARE, **margins)
    spans = _in_hundredths([cue for cue, _ in shown])
    events = [
        f"Dialogue: 0,{ass_stamp(start)},{ass_stamp(end)},Default,,0,0,0,,{_ass_text(text)}\n"
        for (start, end), (_, text) in zip(spans, shown, strict=True)
    ]
    return header + "".join(events)


def _shown(cues: Sequence[Cue]) -> Iterator[tuple[Cue, str]]:
    for cue in cues:
        text = _lines(cue.text)
        if text:
            yield cue, text


def _lines(text: str) -> str:
    """The lines without control characters; blank ones, which would end the cue, left out."""
    visible = ("".join(mark for mark in line if unicodedata.category(mark) not in UNPRINTABLE) for line in text.splitlines())
    return "\n".join(line for shown in visible if (line := shown.replace("\ufeff", "").strip()))


def _stamp(seconds: float, point: str) -> str:
    """Hours (two digits or more), minutes, seconds and milliseconds."""
    whole, milliseconds = divmod(max(0, round(seconds * 1000)), 1000)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours:02d}:{minute:02d}:{second:02d}{point}{milliseconds:03d}"


def ass_stamp(hundredths: int) -> str:
    """A time as ASS writes it."""
    seconds, hundredth = divmod(hundredths, 100)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02d}:{second:02d}.{hundredth:02d}"


def _in_hundredths(cues: Sequence[Cue]) -> list[tuple[int, int]]:
    """Starts round down, so that a cue on a shot change comes with the shot's first frame; ends by as much as the next start does
    at least."""
    spans = [(max(0, round(cue.start * 1000)), max(0, round(cue.end * 1000))) for cue in cues]
    rounded: list[tuple[int, int]] = []
    for (start, end), (following, _) in pairwise([*spans, (0, 0)]):
        earlier = following % 10 if 0 <= following - end < WIDE_GAP_MS else 0
        rounded.append((start // 10, max(start // 10, (end - earlier) // 10)))
    return rounded


def _ass_text(text: str) -> str:
    plain = text.replace("\\", "\\" + WORD_JOINER).replace("{", "(").replace("}", ")")
    return plain.replace("\n", "\\N")
