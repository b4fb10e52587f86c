"""Words in lines: where each stands, how large, and which part of the picture they paint."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from videolab_assets.lib.captions.styles import Style
from videolab_assets.lib.captions.typeface import Ink, typeface
from videolab_assets.lib.platforms import Margins
from videolab_assets.lib.subtitles.cues import COST_AFTER_ARTICLE

LINE_PITCH = 1.22
"""Em from one baseline to the next."""
SMALLEST_SCALE = 0.75
"""Text shrinks so far to fit before a word is divided."""
SCALES = (1.0, 0.95, 0.9, 0.85, 0.8, SMALLEST_SCALE)
OFF_CENTRE_SHARE = 0.7
"""Text stands in the middle of the picture where that leaves it so much of the safe area's width, else in the middle of that."""
HIGHEST_SHARE = 1 / 6
"""Of the safe area's height, the em at most."""
SOFTNESS_PIXELS = 1.0
"""By which an edge's antialiasing reaches out of the outline proper."""
WEIGHT_OF_UNEVENNESS, WEIGHT_OF_BREAKS = 20.0, 0.08
ASCENDER, DESCENDER = 0.76, 0.24


@dataclass(frozen=True)
class Stage:
    """The picture and where text may stand in it, in pixels."""

    width: int
    height: int
    left: float
    top: float
    right: float
    bottom: float
    centre: float
    room: float
    """Width that text may take around `centre`."""

    def em(self, style: Style) -> float:
        return min(style.size * math.sqrt(self.width * self.height), (self.bottom - self.top) * HIGHEST_SHARE)


def stage_of(size: tuple[int, int], safe: Margins) -> Stage:
    """Raises ValueError where the margins leave nothing."""
    width, height = size
    left, top, right, bottom = float(safe.left), float(safe.top), float(width - safe.right), float(height - safe.bottom)
    if right <= left or bottom <= top:
        raise ValueError(f"margins {safe} leave no room in {width}x{height}")
    room = 2 * min(width / 2 - left, right - width / 2)
    if room >= OFF_CENTRE_SHARE * (right - left):
        return Stage(width, height, left, top, right, bottom, width / 2, room)
    return Stage(width, height, left, top, right, bottom, (left + right) / 2, right - left)


class PlacedWord(NamedTuple):
    """A word by the middle of its line box, in pixels from the middle of its block."""

    text: str
    x: float
    y: float
    line: int


@dataclass(frozen=True)
class Block:
    """The words of one cue; `ink` is all that they paint at any time, in pixels from the middle of the block."""

    em: float
    words: list[PlacedWord]
    ink: Ink

    @property
    def text(self) -> str:
        lines: dict[int, list[str]] = {}
        for word in self.words:
            lines.setdefault(word.line, []).append(word.text)
        return "\n".join(" ".join(words) for words in lines.values())


def fits(words: Sequence[str], style: Style, stage: Stage, scale: float = 1.0) -> bool:
    """Whether the words find room in the style's lines."""
    limit = _limit(style, stage, scale)
    widths = [typeface().width(word) for word in words]
    lines, used = 1, 0.0
    for width in widths:
        if width > limit:
            return False
        if used and used + style.gap + width > limit:
            lines, used = lines + 1, width
        else:
            used += width + (style.gap if used else 0.0)
    return lines <= style.most_lines


def block_of(words: Sequence[str], costs: Sequence[float], style: Style, stage: Stage) -> Block:
    """Lays the words out in as few lines as hold them, of like width, parted where it costs least; smaller where they are too long.

    Args:
        costs: for each word that of ending a line after it.
    """
    scale, lines = _scaled_lines(words, costs, style, stage)
    em = stage.em(style) * scale
    placed: list[PlacedWord] = []
    for number, line in enumerate(lines):
        widths = [typeface().width(words[place]) for place in line]
        pen = -(sum(widths) + style.gap * (len(line) - 1)) / 2
        baseline = (number - (len(lines) - 1) / 2) * LINE_PITCH + typeface().capital / 2
        middle = baseline + (typeface().descent - typeface().ascent) / 2
        for place, width in zip(line, widths, strict=True):
            placed.append(PlacedWord(words[place], (pen + width / 2) * em, middle * em, number))
            pen += width + style.gap
    return Block(em, placed, _painted(placed, style, em))


def backing_of(block: Block, style: Style) -> Ink:
    """The box behind the whole block, in pixels from its middle."""
    widths = [typeface().width(word.text) * block.em / 2 for word in block.words]
    pad = style.box_pad * block.em
    left = min(word.x - width for word, width in zip(block.words, widths, strict=True))
    right = max(word.x + width for word, width in zip(block.words, widths, strict=True))
    rises = [_backing_of_line(word, block.em) for word in (block.words[0], block.words[-1])]
    return Ink(left - pad, rises[0][0] - pad * 0.7, right + pad, rises[1][1] + pad * 0.7)


def backing_of_word(word: PlacedWord, style: Style, em: float) -> Ink:
    """The box behind one word, in pixels from the middle of its block, before it swells."""
    half, pad = typeface().width(word.text) * em / 2, style.box_pad * em
    top, bottom = _backing_of_line(word, em)
    return Ink(word.x - half - pad, top - pad * 0.5, word.x + half + pad, bottom + pad * 0.5)


def _backing_of_line(word: PlacedWord, em: float) -> tuple[float, float]:
    baseline = _baseline(word, em)
    return baseline - ASCENDER * em, baseline + DESCENDER * em


def _baseline(word: PlacedWord, em: float) -> float:
    return word.y + (typeface().ascent - typeface().descent) / 2 * em


def _painted(words: Sequence[PlacedWord], style: Style, em: float) -> Ink:
    parts = [_painted_by(word, style, em) for word in words]
    if style.box:
        parts.append(backing_of(Block(em, list(words), parts[0]), style))
    lefts, tops, rights, bottoms = zip(*parts, strict=True)
    soft = SOFTNESS_PIXELS
    return Ink(min(lefts) - soft, min(tops) - soft, max(rights) + soft, max(bottoms) + soft)


def _painted_by(word: PlacedWord, style: Style, em: float) -> Ink:
    """Letters, outline and shadow of one word, as large as it gets."""
    ink, start, baseline = typeface().ink(word.text), word.x - typeface().width(word.text) * em / 2, _baseline(word, em)
    letters = Ink(start + ink.left * em, baseline + ink.top * em, start + ink.right * em, baseline + ink.bottom * em)
    edge, shadow = style.outline * em, style.shadow * em
    parts = [Ink(letters.left - edge, letters.top - edge, letters.right + edge + shadow, letters.bottom + edge + shadow)]
    parts += [backing_of_word(word, style, em)] if style.spoken_box else []
    lefts, tops, rights, bottoms = zip(*(_grown(part, word, style.swell) for part in parts), strict=True)
    return Ink(min(lefts), min(tops), max(rights), max(bottoms))


def _grown(part: Ink, word: PlacedWord, swell: float) -> Ink:
    """About the middle of the word's line box, as players scale it."""
    across, down = word.x, word.y
    return Ink(
        across + (part.left - across) * swell,
        down + (part.top - down) * swell,
        across + (part.right - across) * swell,
        down + (part.bottom - down) * swell,
    )


def _limit(style: Style, stage: Stage, scale: float) -> float:
    """Em that a line's words may take in width."""
    room = stage.room / (stage.em(style) * scale)
    edge = style.box_pad + style.outline + style.shadow
    return (room - 2 * SOFTNESS_PIXELS / (stage.em(style) * scale)) / style.swell - 2 * edge


def _scaled_lines(words: Sequence[str], costs: Sequence[float], style: Style, stage: Stage) -> tuple[float, list[range]]:
    """The largest scale at which the words fit and no line ends on an article; else at which they fit; else the smallest."""
    widths = [typeface().width(word) for word in words]
    fitting: list[tuple[float, list[range]]] = []
    for scale in SCALES:
        if fits(words, style, stage, scale):
            lines = _lines(widths, costs, style, _limit(style, stage, scale))
            if all(costs[line[-1]] < COST_AFTER_ARTICLE for line in lines[:-1]):
                return scale, lines
            fitting.append((scale, lines))
    return fitting[0] if fitting else (SMALLEST_SCALE, [range(len(words))])


def _lines(widths: Sequence[float], costs: Sequence[float], style: Style, limit: float) -> list[range]:
    """The least uneven way to part the words into as few lines as hold them."""
    count = len(widths)
    for number in range(1, style.most_lines + 1):
        least: dict[tuple[int, int], tuple[float, list[range]]] = {(0, 0): (0.0, [])}
        for line in range(1, number + 1):
            for last in range(line, count + 1):
                ways = [
                    (before[0] + _unevenness(widths[first:last], style.gap, limit) + _price(costs, last), [*before[1], range(first, last)])
                    for first in range(line - 1, last)
                    if (before := least.get((line - 1, first)))
                ]
                best = min(ways, default=None, key=lambda way: way[0])
                if best and best[0] < math.inf:
                    least[line, last] = best
        if (number, count) in least:
            return least[number, count][1]
    return [range(count)]


def _unevenness(widths: Sequence[float], gap: float, limit: float) -> float:
    width = sum(widths) + gap * (len(widths) - 1)
    return (width / limit) ** 2 * WEIGHT_OF_UNEVENNESS if width <= limit else math.inf


def _price(costs: Sequence[float], last: int) -> float:
    return WEIGHT_OF_BREAKS * costs[last - 1] if last < len(costs) else 0.0
