"""The one typeface of burnt-in text: its files, what it can draw, and how much room that takes.

Open Sans ExtraBold of the `ttf-opensans` package: Latin, Greek and Cyrillic. libass finds no other font inside the sandbox, and
would draw an empty frame for each character that this one lacks: so nothing else may reach it.
"""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

FAMILY = "Open Sans ExtraBold"
SPACE = " "
_STAND_INS = {"{": "(", "}": ")", "\\": "/"}
"""Characters that begin an instruction in ASS, whose players share no escape for them."""


class Ink(NamedTuple):
    """What a text paints, in em: rightwards from its pen's start, downwards from its baseline."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Typeface:
    """Measures in em: one em is the font's design size, not the line height that ASS calls font size.

    Attributes:
        advances: by character, how far the pen moves; without kerning, as libass sets text.
        glyphs: by character, what it paints; characters that paint nothing are left out.
        ascent, descent: of libass's line box, the baseline to its top and to its bottom.
        capital: the height of capital letters.
    """

    advances: dict[str, float]
    glyphs: dict[str, Ink]
    ascent: float
    descent: float
    capital: float

    def width(self, text: str) -> float:
        return sum(self.advances[mark] for mark in text)

    def ink(self, text: str) -> Ink:
        """All zeros where the text paints nothing."""
        pen, painted = 0.0, list[Ink]()
        for mark in text:
            if glyph := self.glyphs.get(mark):
                painted.append(Ink(pen + glyph.left, glyph.top, pen + glyph.right, glyph.bottom))
            pen += self.advances[mark]
        if not painted:
            return Ink(0.0, 0.0, 0.0, 0.0)
        lefts, tops, rights, bottoms = zip(*painted, strict=True)
        return Ink(min(lefts), min(tops), max(rights), max(bottoms))


def fonts() -> Path:
    """The folder with the font files, to be handed to the sandbox as it is."""
    import ttf_opensans

    return Path(ttf_opensans.TTF_BIN_FOLDER)


@cache
def typeface() -> Typeface:
    """The typeface's measures, read once a process."""
    from fontTools.ttLib import TTFont

    with TTFont(fonts() / "OpenSans-ExtraBold.ttf", lazy=True) as font:
        em = font["head"].unitsPerEm
        system = font["OS/2"]
        advances: dict[str, float] = {}
        glyphs: dict[str, Ink] = {}
        for point, name in font.getBestCmap().items():
            advances[chr(point)] = font["hmtx"][name][0] / em
            outline = font["glyf"][name]
            if outline.numberOfContours:
                glyphs[chr(point)] = Ink(outline.xMin / em, -outline.yMax / em, outline.xMax / em, -outline.yMin / em)
        return Typeface(advances, glyphs, system.usWinAscent / em, system.usWinDescent / em, system.sCapHeight / em)


@lru_cache(maxsize=65536)
def drawable(text: str) -> str:
    """`text` as the typeface can draw it, empty where it can draw nothing of it.

    Characters that it lacks become what they are compatible with (full width, ligatures, letters of mathematics), else lose their
    marks, else go, as do emoji, invisible characters and those that steer the direction of writing. None begins an instruction.
    """
    known = typeface()
    kept, before = text, None
    while kept != before:  # a letter that lost a mark may be joined by the next one
        before = kept
        kept = "".join(mark for one in unicodedata.normalize("NFC", kept) for mark in _drawn_for(one, known))
    shown = " ".join(kept.split())
    return shown if any(mark in known.glyphs for mark in shown) else ""


def _drawn_for(mark: str, known: Typeface) -> Iterator[str]:
    if mark.isspace():
        yield SPACE
        return
    if unicodedata.category(mark) == "Cf":
        return  # the font has a soft hyphen, and libass does not show it
    for form in (mark, unicodedata.normalize("NFKC", mark), unicodedata.normalize("NFKD", mark)[:1]):
        stand_ins = [_STAND_INS.get(one, one) for one in form]
        if stand_ins and all(one in known.glyphs for one in stand_ins):
            yield from stand_ins
            return
