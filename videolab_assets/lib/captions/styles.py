"""How burnt-in text looks: a few presets, each legible over bright and dark pictures alike."""

from dataclasses import dataclass

WHITE, BLACK, NIGHT, YELLOW, GREEN, VIOLET = "FFFFFF", "000000", "14141A", "FFD91A", "3DF25B", "7A2BFF"


@dataclass(frozen=True)
class Style:
    """One look. Colours are RRGGBB; lengths are in em unless named otherwise.

    Attributes:
        size: the em, as a share of the geometric mean of the picture's width and height.
        most_words: in one cue; `most_lines` likewise.
        capitals: everything in capital letters.
        spoken: the colour of the word being spoken.
        shadow: how far the shadow falls to the right and down.
        box: colour of a box behind the whole cue, `box_pad` wider on every side than its words.
        spoken_box: colour of a box behind the word being spoken.
        swell: how much larger the word being spoken grows at most; 1 where it does not.
        gap: between two words.
    """

    size: float
    most_words: int
    most_lines: int = 2
    capitals: bool = False
    text: str = WHITE
    spoken: str = YELLOW
    outline: float = 0.0
    shadow: float = 0.0
    box: str | None = None
    box_pad: float = 0.0
    spoken_box: str | None = None
    swell: float = 1.0
    gap: float = 0.26


STYLES: dict[str, Style] = {
    "clear": Style(size=0.048, most_words=5, outline=0.075, shadow=0.04),
    "bold": Style(size=0.056, most_words=4, capitals=True, spoken=GREEN, outline=0.11, shadow=0.05, gap=0.3),
    "boxed": Style(size=0.043, most_words=6, box=NIGHT, box_pad=0.3),
    "pop": Style(size=0.058, most_words=3, most_lines=1, spoken=WHITE, outline=0.09, box_pad=0.17, spoken_box=VIOLET, swell=1.08, gap=0.4),
}
"""The presets by the name that a look gives. `off` is none of them."""

HEADLINE = Style(size=0.046, most_words=24, most_lines=3, text=NIGHT, spoken=NIGHT, box=WHITE, box_pad=0.4)
