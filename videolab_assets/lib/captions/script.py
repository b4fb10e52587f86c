"""What libass reads: one event for each word and state, so that a word is lit without moving its neighbours."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from videolab_assets.lib.captions.layout import Block, PlacedWord, Stage, backing_of, backing_of_word
from videolab_assets.lib.captions.styles import Style
from videolab_assets.lib.captions.typeface import FAMILY, Ink, typeface
from videolab_assets.lib.subtitles.formats import ass_stamp

HEADER = """[Script Info]
ScriptType: v4.00+
PlayResX: {width}
PlayResY: {height}
WrapStyle: 2
ScaledBorderAndShadow: yes
YCbCr Matrix: None

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, StrikeOut, \
ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Text,{family},100,&H00FFFFFF,&H00FFFFFF,&H00000000,&H{shadow_alpha}000000,0,0,0,0,100,100,0,0,1,0,0,5,0,0,0,1
Style: Box,{family},100,&H{box_alpha}FFFFFF,&H00FFFFFF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,0,0,7,0,0,0,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""
SHADOW_ALPHA, BOX_ALPHA = "70", "18"
"""00 is opaque."""
BOX_LAYER, TEXT_LAYER, SPOKEN_BOX_LAYER, SPOKEN_LAYER = range(4)
SWELL_MS = 90
"""What the word being spoken takes to swell, and again to settle."""
SETTLED_SHARE = 0.5
"""Of the swelling, what stays."""
ROUNDNESS = 0.26
"""Em, of a box's corners."""
CIRCLE = 0.5523
"""Where a cubic curve's control points lie to draw a quarter of a circle of radius 1."""
FADE_MS = 200


@dataclass(frozen=True)
class Burnt:
    """A block on screen, in hundredths of a second and pixels.

    Attributes:
        x, y: the middle of the block in the picture.
        spoken: for each word from when to when it is lit, between `start` and `end`; an empty span lights nothing.
        fades: whether it fades out.
    """

    block: Block
    style: Style
    x: float
    y: float
    start: int
    end: int
    spoken: Sequence[tuple[int, int]]
    fades: bool = False


def script_of(stage: Stage, burnt: Sequence[Burnt]) -> str:
    """An ASS script in the picture's own pixels. Each event begins in the hundredth in which the one before it ends: none flickers."""
    header = HEADER.format(width=stage.width, height=stage.height, family=FAMILY, shadow_alpha=SHADOW_ALPHA, box_alpha=BOX_ALPHA)
    return header + "".join(line for one in burnt for line in _events(one))


def _events(burnt: Burnt) -> Iterator[str]:
    style, em = burnt.style, burnt.block.em
    fade = f"\\fad(0,{FADE_MS})" if burnt.fades else ""
    if style.box:
        box = backing_of(burnt.block, style)
        yield _event(BOX_LAYER, burnt.start, burnt.end, "Box", _box(box, burnt, style.box, fade))
    for word, (lit, dimmed) in zip(burnt.block.words, burnt.spoken, strict=True):
        unlit = ((burnt.start, lit), (dimmed, burnt.end)) if lit < dimmed else ((burnt.start, burnt.end),)
        for start, end in unlit:
            if start < end:
                yield _event(TEXT_LAYER, start, end, "Text", _word(word, burnt, style.text, style.outline, fade))
        if lit < dimmed:
            swelling = _swelling(style.swell)
            if style.spoken_box:
                box = backing_of_word(word, style, em)
                yield _event(SPOKEN_BOX_LAYER, lit, dimmed, "Box", _box(box, burnt, style.spoken_box, swelling))
            outline = 0.0 if style.spoken_box else style.outline
            yield _event(SPOKEN_LAYER, lit, dimmed, "Text", _word(word, burnt, style.spoken, outline, swelling))


def _event(layer: int, start: int, end: int, style: str, text: str) -> str:
    return f"Dialogue: {layer},{ass_stamp(start)},{ass_stamp(end)},{style},,0,0,0,,{text}\n"


def _word(word: PlacedWord, burnt: Burnt, colour: str, outline: float, more: str) -> str:
    """ASS calls the height of the line box font size: libass scales the font until its ascent and descent fill that."""
    em, style = burnt.block.em, burnt.style
    height = em * (typeface().ascent + typeface().descent)
    tags = f"\\pos({burnt.x + word.x:.1f},{burnt.y + word.y:.1f})\\fs{height:.2f}{_colour(colour)}"
    if outline:
        tags += f"\\bord{outline * em:.2f}"
    if style.shadow:
        tags += f"\\shad{style.shadow * em:.2f}"
    return f"{{{tags}{more}}}{word.text}"


def _box(box: Ink, burnt: Burnt, colour: str, more: str) -> str:
    """A box with round corners, drawn about its middle so that it swells about that."""
    wide, high = box.right - box.left, box.bottom - box.top
    round_ = min(ROUNDNESS * burnt.block.em, wide / 2, high / 2)
    bend = round_ * (1 - CIRCLE)
    across, down = (0.0, bend, round_, wide - round_, wide - bend, wide), (0.0, bend, round_, high - round_, high - bend, high)
    corners = (
        ("m", ((2, 0),)),
        ("l", ((3, 0),)),
        ("b", ((4, 0), (5, 1), (5, 2))),
        ("l", ((5, 3),)),
        ("b", ((5, 4), (4, 5), (3, 5))),
        ("l", ((2, 5),)),
        ("b", ((1, 5), (0, 4), (0, 3))),
        ("l", ((0, 2),)),
        ("b", ((0, 1), (1, 0), (2, 0))),
    )
    path = " ".join(f"{move} " + " ".join(f"{across[x]:.1f} {down[y]:.1f}" for x, y in points) for move, points in corners)
    middle = f"\\an5\\pos({burnt.x + (box.left + box.right) / 2:.1f},{burnt.y + (box.top + box.bottom) / 2:.1f})"
    return f"{{{middle}{_colour(colour)}{more}\\p1}}{path}{{\\p0}}"


def _swelling(swell: float) -> str:
    if swell == 1.0:
        return ""
    peak, settled = swell * 100, 100 + (swell - 1) * 100 * SETTLED_SHARE
    grow = f"\\t(0,{SWELL_MS},\\fscx{peak:.0f}\\fscy{peak:.0f})"
    return f"{grow}\\t({SWELL_MS},{2 * SWELL_MS},\\fscx{settled:.0f}\\fscy{settled:.0f})"


def _colour(rgb: str) -> str:
    """ASS writes blue, green, red."""
    return f"\\1c&H{rgb[4:]}{rgb[2:4]}{rgb[:2]}&"
