"""Which words stand on the screen together: a few at a time, as they are said, parted where a reader would part them."""

import math
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise

from videolab_assets.lib.captions.typeface import drawable
from videolab_assets.lib.documents import Segment, Transcript, Word
from videolab_assets.lib.subtitles.cues import break_cost
from videolab_assets.lib.subtitles.rules import ends_on_article
from videolab_assets.lib.summary.language import Language
from videolab_assets.lib.summary.sentences import Token, sentences_of

LONGEST_WORD = 60
"""Characters. A longer one is no word, and each further piece of it would keep the next from the screen."""
MARK_REACH = 3
"""Characters by which a division may miss the middle to follow a mark."""
PAUSE, LONGEST_PAUSE = 0.7, 1.5
"""Seconds of silence across which no phrase reaches; the longer where it would part an article from its noun."""
LONGEST = 3.5
"""Seconds that a phrase of several words lasts at most."""
COST_PER_PHRASE = 4.0
COST_OF_FEW_WORDS = {1: 6.0, 2: 2.0}
COST_OF_SENTENCE_INSIDE = 15.0

COST_OF_SHRINKING = 14.0
"""Less than it costs to end on an article or a preposition, or to have a word flicker by alone."""

Fits = Callable[[Sequence[str]], bool]
"""Whether these words can stand on the screen together."""


def transcript_of(words: Sequence[Word], language: str) -> Transcript:
    """The words alone as one segment, for what is written for whole transcripts."""
    said = [word for word in words if word.text.strip()]
    segments: list[Segment] = []
    if said:
        text = " ".join(word.text for word in said)
        segments = [Segment(start=said[0].start, end=said[-1].end, text=text, words=said)]
    return Transcript(engine="", model="", language=language, draft=False, duration=0.0, segments=segments)


def shown_tokens(tokens: Sequence[Token], capitals: bool, fits: Fits) -> list[Token]:
    """The tokens as they will be drawn: marks that stand alone put to their words, what cannot be drawn left out, words that do not
    fit in one piece divided."""
    shown: list[Token] = []
    opening = ""
    for token in tokens:
        text = drawable(token.text.upper() if capitals else token.text)
        if not text:
            continue
        if not any(mark.isalnum() for mark in text):
            if unicodedata.category(text[-1]) in ("Ps", "Pi") or text[-1] in "¿¡" or not shown:
                opening += text
            else:
                shown[-1] = replace(shown[-1], text=shown[-1].text + text)
            continue
        shown.append(replace(token, text=opening + text))
        opening = ""
    return [piece for token in shown for piece in _in_pieces(token, fits)]


def _in_pieces(token: Token, fits: Fits) -> list[Token]:
    text = token.text if len(token.text) <= LONGEST_WORD else token.text[: LONGEST_WORD - 1] + "…"
    count, pieces = 1, [text]
    while not all(fits([piece]) for piece in pieces) and count < len(text):
        count += 1
        pieces = _divided(text, count)
    length = (token.end - token.start) / count
    edges = [token.start + length * place for place in range(count)] + [token.end]
    return [replace(token, text=piece, start=start, end=end) for piece, (start, end) in zip(pieces, pairwise(edges), strict=True)]


def _divided(text: str, count: int) -> list[str]:
    """Pieces of like length: parted where the word has a mark nearby, as addresses do, else by a hyphen."""
    reach = min(MARK_REACH, (len(text) // count - 1) // 2)
    edges = [0, *(_edge_near(text, len(text) * place // count, reach) for place in range(1, count)), len(text)]
    parts = [text[first:last] for first, last in pairwise(edges)]
    hyphens = ["-" if one[-1].isalpha() and other[0].isalpha() else "" for one, other in pairwise(parts)]
    return [part + hyphen for part, hyphen in zip(parts, [*hyphens, ""], strict=True)]


def _edge_near(text: str, place: int, reach: int) -> int:
    nearest_first = sorted(range(place - reach, place + reach + 1), key=lambda edge: abs(edge - place))
    return next((edge for edge in nearest_first if not text[edge - 1].isalnum()), place)


def break_costs(tokens: Sequence[Token], language: Language) -> list[float]:
    """For each token what it costs the reader when a line or a phrase ends after it, as for subtitles; 0 where a sentence ends."""
    stops = [place == len(sentence.tokens) - 1 for sentence in sentences_of(tokens, language) for place in range(len(sentence.tokens))]
    return [break_cost(token, after, ends, language) for token, after, ends in zip(tokens, [*tokens[1:], None], stops, strict=True)]


def phrases_of(tokens: Sequence[Token], costs: Sequence[float], most_words: int, fits: Fits, fits_at_all: Fits) -> list[range]:
    """The tokens' places phrase by phrase: the division of least cost (dynamic programming).

    No phrase reaches across a pause or lasts longer than `LONGEST`; as far as that allows, none ends on an article or flickers by,
    and all end where clauses do.

    Args:
        costs: for each token that of ending after it.
        fits: at full size; `fits_at_all` at the smallest.
    """
    count = len(tokens)
    least = [0.0] + [math.inf] * count
    came_from = [0] * (count + 1)
    for first in range(count):
        inside = 0.0
        for last in range(first, min(count, first + most_words)):
            words = last - first + 1
            texts = [token.text for token in tokens[first : last + 1]]
            if words > 1:
                if not _reaches(tokens, first, last) or not fits_at_all(texts):
                    break
                inside += COST_OF_SENTENCE_INSIDE if costs[last - 1] == 0.0 else 0.0
            cost = least[first] + COST_PER_PHRASE + COST_OF_FEW_WORDS.get(words, 0.0) + inside
            cost += costs[last] + (0.0 if words == 1 or fits(texts) else COST_OF_SHRINKING)
            if cost < least[last + 1]:
                least[last + 1], came_from[last + 1] = cost, first
    edges = [count]
    while edges[-1] > 0:
        edges.append(came_from[edges[-1]])
    return [range(first, last) for first, last in pairwise(edges[::-1])]


def _reaches(tokens: Sequence[Token], first: int, last: int) -> bool:
    """Whether a phrase that begins at `first` may go on to `last`."""
    before, token = tokens[last - 1], tokens[last]
    pause = LONGEST_PAUSE if ends_on_article(before.text) else PAUSE
    return token.start - before.end <= pause and token.end - tokens[first].start <= LONGEST
