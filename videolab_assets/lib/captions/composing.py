"""From words with times to a script: what is shown when, how it is laid out, and where it stands."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

from videolab_assets.lib.captions.layout import SMALLEST_SCALE, Block, Stage, block_of, fits, stage_of
from videolab_assets.lib.captions.phrases import break_costs, phrases_of, shown_tokens, transcript_of
from videolab_assets.lib.captions.placing import PLACES, FaceTrack, Taken, Wanted, places_of
from videolab_assets.lib.captions.script import Burnt, script_of
from videolab_assets.lib.captions.styles import HEADLINE, STYLES, Style
from videolab_assets.lib.documents import Cue, Word
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.platforms import Margins
from videolab_assets.lib.reframe.boxes import Box
from videolab_assets.lib.subtitles import cues_of, to_srt
from videolab_assets.lib.subtitles.rules import on_grid
from videolab_assets.lib.summary.language import language_of
from videolab_assets.lib.summary.sentences import Token, tokens_of
from videolab_assets.lib.summary.wording import cut

HEADLINE_HUNDREDTHS = 300
LONGEST_HEADLINE = 90
"""Characters; three lines hold no more at a size that a phone shows."""
GAP_HUNDREDTHS = 30
"""Shorter silences neither take a cue from the screen nor dim a word."""
LINGER_HUNDREDTHS = 30
SHORTEST_CUE_HUNDREDTHS = 20
SHORTEST_LIT_HUNDREDTHS = 10
ALWAYS_HUNDREDTHS = 360_000
"""An hour: a cover is one frame, whatever its time."""
TOLERANCE_PIXELS = 0.5


@dataclass(frozen=True)
class Captions:
    """What is burnt into one picture.

    Attributes:
        ass: the script for libass, in the picture's own pixels, naming no font but those in `fonts()`.
        cues: what is said and shown, in order, without the headline; times in seconds of the clip, whole hundredths.
        areas: the part of the picture that each cue paints at any time, as shares of it.
        headline: the headline's area, where there is one.
        outside: how many of all these reach out of the safe area.
        over_faces: how many of them lie over a face that was sampled meanwhile.
    """

    ass: str
    cues: list[Cue]
    areas: list[Box]
    headline: Box | None
    outside: int
    over_faces: int


def captions_of(
    words: Sequence[Word],
    language: str,
    size: tuple[int, int],
    safe: Margins,
    style: str,
    faces: Sequence[tuple[float, Sequence[Box]]] = (),
    headline: str | None = None,
) -> Captions:
    """Lays out what is said a few words at a time, the word being spoken lit, with the headline over the first three seconds.

    Text stands low in the safe area unless a face is there. Words of scripts that the typeface lacks, and emoji, are left out of the
    picture. Starts and ends round down to hundredths of a second, which is as exact as ASS is: what begins with a frame is in it.

    Args:
        words: in order, in seconds of the clip.
        language: ISO 639-1.
        size: of the picture, in pixels.
        safe: what the platform covers of it.
        style: a name out of `STYLES`.
        faces: for each sampled second of the clip, where the faces are, as shares of this picture.
        headline: shortened to what three lines hold.

    Raises:
        PermanentError: there is no such style.
        ValueError: the margins leave no room.
    """
    look, stage, track = _look_called(style), stage_of(size, safe), FaceTrack(faces)
    over = _headline_of(headline or "", language, stage, track, HEADLINE_HUNDREDTHS, fades=True)
    taken = Taken(_area(over, stage), over.end / 100) if over else None
    cues = _burnt_of(words, language, look, stage, track, taken)
    areas = [_area(cue, stage) for cue in cues]
    everything = [*zip(cues, areas, strict=True), *([(over, taken.box)] if over and taken else [])]
    return Captions(
        ass=script_of(stage, [*([over] if over else []), *cues]),
        cues=[Cue(start=cue.start / 100, end=cue.end / 100, text=cue.block.text) for cue in cues],
        areas=areas,
        headline=taken.box if taken else None,
        outside=sum(_is_outside(burnt, stage) for burnt, _ in everything),
        over_faces=sum(track.covered_by(area, burnt.start / 100, burnt.end / 100) for burnt, area in everything),
    )


def cover_ass(size: tuple[int, int], safe: Margins, headline: str, style: str, faces: Sequence[Box] = ()) -> str:
    """The script that puts a headline on a cover picture, off its faces where that can be.

    Raises:
        PermanentError: there is no such style.
        ValueError: the margins leave no room.
    """
    _look_called(style)
    stage = stage_of(size, safe)
    over = _headline_of(headline, "und", stage, FaceTrack([(0.0, faces)]), ALWAYS_HUNDREDTHS, fades=False)
    return script_of(stage, [over] if over else [])


def srt_of(words: Sequence[Word], language: str) -> str:
    """The same words as a SubRip file of full subtitles, for players and platforms that show their own; empty for no words."""
    return to_srt(cues_of(transcript_of(words, language)))


def _look_called(style: str) -> Style:
    if style not in STYLES:
        raise PermanentError(f"{style!r} is not a caption style: choose one of {', '.join(STYLES)}, or off.")
    return STYLES[style]


def _headline_of(text: str, language: str, stage: Stage, faces: FaceTrack, until: int, *, fades: bool) -> Burnt | None:
    known = language_of(text.split(), language)
    plain = cut(" ".join(text.split()), LONGEST_HEADLINE, known) if text.strip() else ""
    tokens = shown_tokens([Token(word, 0.0, 0.0) for word in plain.split()], HEADLINE.capitals, partial(_fits_at_all, HEADLINE, stage))
    if not tokens:
        return None
    while len(tokens) > 1 and not _fits_at_all(HEADLINE, stage, [token.text for token in tokens]):
        tokens = [*tokens[:-2], replace(tokens[-2], text=tokens[-2].text.rstrip("…-") + "…")]
    block = block_of([token.text for token in tokens], break_costs(tokens, known), HEADLINE, stage)
    heights = _heights([block], stage)[::-1]
    boxes = [_box_of(block, height, stage) for height in heights]
    [place] = places_of([Wanted(0.0, until / 100, boxes)], faces, None)
    return Burnt(block, HEADLINE, stage.centre, heights[place], 0, until, [(0, 0)] * len(tokens), fades)


def _burnt_of(words: Sequence[Word], language: str, style: Style, stage: Stage, faces: FaceTrack, taken: Taken | None) -> list[Burnt]:
    said = tokens_of(transcript_of(words, language))
    known = language_of((token.text for token in said), language)
    tokens = shown_tokens(said, style.capitals, partial(_fits_at_all, style, stage))
    if not tokens:
        return []
    costs = break_costs(tokens, known)
    phrases = phrases_of(tokens, costs, style.most_words, lambda words: fits(words, style, stage), partial(_fits_at_all, style, stage))
    blocks = [block_of([tokens[place].text for place in phrase], [costs[place] for place in phrase], style, stage) for phrase in phrases]
    spans = _spans([[tokens[place] for place in phrase] for phrase in phrases])
    heights = _heights(blocks, stage)
    wanted = [
        Wanted(start / 100, end / 100, [_box_of(block, height, stage) for height in heights])
        for block, (start, end) in zip(blocks, spans, strict=True)
    ]
    places = places_of(wanted, faces, taken)
    return [
        Burnt(block, style, stage.centre, heights[place], start, end, _lit([tokens[at] for at in phrase], start, end))
        for block, phrase, (start, end), place in zip(blocks, phrases, spans, places, strict=True)
    ]


def _fits_at_all(style: Style, stage: Stage, words: Sequence[str]) -> bool:
    return fits(words, style, stage, SMALLEST_SCALE)


def _hundredths(seconds: float) -> int:
    return on_grid(seconds) // 10


def _spans(phrases: Sequence[Sequence[Token]]) -> list[tuple[int, int]]:
    """From its first word to a little after its last, or to the next phrase where that follows soon. Phrases that come faster than
    anyone speaks are shown later than they are said."""
    starts: list[int] = []
    for phrase in phrases:
        start = _hundredths(phrase[0].start)
        starts.append(max(start, starts[-1] + SHORTEST_CUE_HUNDREDTHS) if starts else start)
    spans: list[tuple[int, int]] = []
    for place, (phrase, start) in enumerate(zip(phrases, starts, strict=True)):
        end = max(start + SHORTEST_CUE_HUNDREDTHS, _hundredths(phrase[-1].end) + LINGER_HUNDREDTHS)
        following = starts[place + 1] if place + 1 < len(starts) else None
        spans.append((start, following if following is not None and following - end < GAP_HUNDREDTHS else end))
    return spans


def _lit(tokens: Sequence[Token], start: int, end: int) -> list[tuple[int, int]]:
    """From when to when each word is lit: as long as it is said, and up to the next one where that follows soon."""
    starts = [min(end, max(start, _hundredths(token.start))) for token in tokens]
    lit: list[tuple[int, int]] = []
    for token, (begins, following) in zip(tokens, pairwise([*starts, end]), strict=True):
        ends = max(begins + SHORTEST_LIT_HUNDREDTHS, _hundredths(token.end))
        lit.append((begins, following if following - ends < GAP_HUNDREDTHS else ends))
    return lit


def _heights(blocks: Sequence[Block], stage: Stage) -> list[float]:
    """Where the middle of any of the blocks may be in pixels, lowest first."""
    highest, lowest = stage.top - min(block.ink.top for block in blocks), stage.bottom - max(block.ink.bottom for block in blocks)
    if highest > lowest:
        return [(highest + lowest) / 2]
    return [lowest + (highest - lowest) * place / (PLACES - 1) for place in range(PLACES)]


def _box_of(block: Block, height: float, stage: Stage) -> Box:
    left, top = stage.centre + block.ink.left, height + block.ink.top
    wide, high = block.ink.right - block.ink.left, block.ink.bottom - block.ink.top
    return Box(left / stage.width, top / stage.height, wide / stage.width, high / stage.height)


def _area(burnt: Burnt, stage: Stage) -> Box:
    return _box_of(burnt.block, burnt.y, stage)


def _is_outside(burnt: Burnt, stage: Stage) -> bool:
    ink = burnt.block.ink
    return (
        burnt.x + ink.left < stage.left - TOLERANCE_PIXELS
        or burnt.y + ink.top < stage.top - TOLERANCE_PIXELS
        or burnt.x + ink.right > stage.right + TOLERANCE_PIXELS
        or burnt.y + ink.bottom > stage.bottom + TOLERANCE_PIXELS
    )
