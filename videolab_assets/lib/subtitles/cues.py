"""From a transcript's timed words to cues: where a cue ends, where its line breaks, and when it is on screen."""

import math
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise

from videolab_assets.lib.documents import Cue, Transcript
from videolab_assets.lib.subtitles.rules import (
    CHARACTERS_PER_SECOND,
    DEFAULT_FRAME_RATE,
    GRID_MS,
    LONGEST_LINE,
    LONGEST_MS,
    SHORTEST_MS,
    SILENCE_MS,
    ends_on_article,
    gap_on_grid,
    on_grid,
    shots_on_grid,
)
from videolab_assets.lib.subtitles.timing import Said, spans_of
from videolab_assets.lib.summary.language import Language, bare, language_of
from videolab_assets.lib.summary.sentences import LATEST, SCENE_PAUSE, Token, sentences_of, tokens_of

COST_PER_CUE = 5.0
COST_INSIDE_PHRASE, COST_AT_PHRASE_END, COST_BEFORE_CLAUSE, COST_AT_CLAUSE, COST_AT_SENTENCE = 9.0, 4.0, 3.0, 2.0, 0.0
COST_AFTER_TIE = 25.0
COST_AFTER_ARTICLE = 1000.0
COST_OF_SENTENCE_INSIDE = 8.0
COST_PER_MISSING_SECOND = 12.0
COST_OF_SECOND_LINE = 1.0
LINE_SHARE = 0.6
"""A bad end of a line disturbs less than the same at the end of a cue."""
CLOSING_MARKS = "\"'”’»)]}›"
LONGEST_WORD_MS = 2500
"""A word that lasts longer is sung, or an engine's mistake: it must not part an article from its noun."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A word as it stands in a line, at most `LONGEST_LINE` characters; `cost` is that of ending a line or cue after it."""

    text: str
    start: int
    end: int
    cost: float
    ends_sentence: bool


def cues_of(transcript: Transcript, *, frame_rate: float = DEFAULT_FRAME_RATE, shot_times: Sequence[float] = ()) -> list[Cue]:
    """Every word of the transcript, in order, in cues that keep the rules wherever the words allow.

    Always: at most two lines of 42 characters, 1 to 7 seconds, no overlap, two frames apart, and every edge within half a second
    of a shot change on it, as far as these rules let it. As far as the speech allows: at most 17 characters a second, line and cue
    ends at clauses and never after an article, nothing after the recording's end. Words that come faster than anyone speaks are
    shown later than they are said. A word longer than a line is divided.

    Args:
        transcript: of any length; empty gives no cues. A duration of 0 is an unknown one.
        frame_rate: frames a second of the picture; 25 where it is not a usable number.
        shot_times: seconds of the shot changes.

    Returns:
        Cues at times of whole hundredths of a second, as ASS writes them, so that no format rounds.
    """
    pieces = _pieces_of(transcript)
    if not pieces:
        return []
    gap = gap_on_grid(frame_rate)
    closing = on_grid(transcript.duration) if 0 < transcript.duration < LATEST else None
    groups = [pieces[first:last] for first, last in pairwise(_divided(pieces, gap, closing))]
    texts = [_in_lines(group) for group in groups]
    said = [Said(group[0].start, group[-1].end, len(text)) for group, text in zip(groups, texts, strict=True)]
    spans = spans_of(said, gap=gap, shots=shots_on_grid(shot_times), closing=closing)
    return [Cue(start=span.start / 1000, end=span.end / 1000, text=text) for span, text in zip(spans, texts, strict=True)]


def _pieces_of(transcript: Transcript) -> list[_Piece]:
    pieces: list[_Piece] = []
    for tokens, language in _tokens_by_language(transcript):
        ends = [place == len(sentence.tokens) - 1 for sentence in sentences_of(tokens, language) for place in range(len(sentence.tokens))]
        costs = [break_cost(token, after, stops, language) for token, after, stops in zip(tokens, [*tokens[1:], None], ends, strict=True)]
        reached = pieces[-1].start if pieces else 0
        for token, (start, end), cost, stops in zip(tokens, _times_of(tokens, costs, reached), costs, ends, strict=True):
            parts = [token.text[at : at + LONGEST_LINE] for at in range(0, len(token.text), LONGEST_LINE)]
            edges = [start + (end - start) * place // len(parts) // GRID_MS * GRID_MS for place in range(len(parts))] + [end]
            for place, part in enumerate(parts[:-1]):
                pieces.append(_Piece(part, edges[place], edges[place + 1], COST_AFTER_TIE, False))
            pieces.append(_Piece(parts[-1], edges[-2], end, cost, stops and cost < COST_AFTER_TIE))
    return pieces


def _tokens_by_language(transcript: Transcript) -> Iterator[tuple[list[Token], Language]]:
    """Stretches of segments in one language each, for a recording whose speakers change theirs."""
    for code, segments in groupby(transcript.segments, lambda segment: segment.language or transcript.language):
        tokens = tokens_of(transcript.model_copy(update={"segments": list(segments)}))
        if tokens:
            yield tokens, language_of((token.text for token in tokens), code)


def break_cost(token: Token, after: Token | None, ends_sentence: bool, language: Language) -> float:
    """What it costs the reader when a line or a cue ends after this word."""
    if after is None:
        return COST_AT_SENTENCE
    pause = after.start - token.end
    last_mark = token.text.rstrip(CLOSING_MARKS)[-1:]
    if ends_sentence and last_mark and last_mark in ".?!…":
        return COST_AT_SENTENCE
    if ends_on_article(token.text) and pause <= SCENE_PAUSE:
        return COST_AFTER_ARTICLE
    if last_mark and last_mark in ",;:—–…?!":
        return COST_AT_CLAUSE
    rest = min(max(pause, 0.0), 1.0) * 6
    word = bare(token.text)
    if pause <= SCENE_PAUSE and (word in language.ties or word in language.titles or token.text[-1].isdigit()):
        return COST_AFTER_TIE - rest
    if ends_sentence:
        return COST_AT_SENTENCE
    if token.closes_segment:
        return COST_AT_CLAUSE
    following = bare(after.text)
    if following in language.clause_openers:
        opens = COST_BEFORE_CLAUSE
    else:
        opens = COST_AT_PHRASE_END if following in language.ties else COST_INSIDE_PHRASE
    return max(COST_AT_CLAUSE, opens - rest)


def _times_of(tokens: Sequence[Token], costs: Sequence[float], reached: int) -> list[tuple[int, int]]:
    """Milliseconds on the grid, none before `reached`; articles that are said long before their noun move up to it."""
    times: list[tuple[int, int]] = []
    noun = 0
    for token, cost in zip(reversed(tokens), reversed(costs), strict=True):
        start = max(reached, on_grid(token.start))
        end = min(max(start, on_grid(token.end)), start + LONGEST_WORD_MS)
        if cost < COST_AFTER_ARTICLE:
            noun = start
        elif noun - start > SILENCE_MS:
            start = end = times[-1][0]
        times.append((start, end))
    return times[::-1]


def _divided(pieces: Sequence[_Piece], gap: int, closing: int | None) -> list[int]:
    """Where cues begin, and the end: the division of least cost (dynamic programming over every cue that fits two lines)."""
    count = len(pieces)
    offsets = [0, *accumulate(len(piece.text) + 1 for piece in pieces)]
    least = [0.0] + [math.inf] * count
    came_from = [0] * (count + 1)
    for first in range(count):
        opened, so_far = pieces[first].start, least[first] + COST_PER_CUE
        easiest = _easiest_line_breaks(pieces, offsets, first)
        lower_line = first + 1
        for last in range(first, count):
            piece = pieces[last]
            if last > first:
                before = pieces[last - 1]
                if piece.end - opened > LONGEST_MS or piece.start - before.end > SILENCE_MS:
                    break
                so_far += COST_OF_SENTENCE_INSIDE if before.ends_sentence else 0.0
            cost = so_far + piece.cost
            characters = offsets[last + 1] - offsets[first] - 1
            if characters > LONGEST_LINE:
                while offsets[last + 1] - offsets[lower_line] - 1 > LONGEST_LINE:
                    lower_line += 1
                if lower_line not in easiest:
                    break
                cost += COST_OF_SECOND_LINE + LINE_SHARE * easiest[lower_line]
            leaves = pieces[last + 1].start - gap if last + 1 < count else closing
            room = LONGEST_MS if leaves is None else min(LONGEST_MS, leaves - opened)
            missing = max(SHORTEST_MS, characters * 1000 / CHARACTERS_PER_SECOND) - room
            cost += max(0.0, missing) / 1000 * COST_PER_MISSING_SECOND
            if cost < least[last + 1]:
                least[last + 1], came_from[last + 1] = cost, first
    edges = [count]
    while edges[-1] > 0:
        edges.append(came_from[edges[-1]])
    return edges[::-1]


def _easiest_line_breaks(pieces: Sequence[_Piece], offsets: Sequence[int], first: int) -> dict[int, float]:
    """By the earliest place where a lower line may begin: the least cost of parting a cue that begins at `first` there or later,
    while the upper line fits."""
    easiest: dict[int, float] = {}
    cost = math.inf
    for lower_line in range(bisect_right(offsets, offsets[first] + LONGEST_LINE + 1) - 1, first, -1):
        cost = min(cost, pieces[lower_line - 1].cost)
        easiest[lower_line] = cost
    return easiest


def _in_lines(group: Sequence[_Piece]) -> str:
    """The cue's text in one line, or in two of like length that part at a clause."""
    words = [piece.text for piece in group]
    whole = " ".join(words)
    if len(whole) <= LONGEST_LINE:
        return whole

    def cost(cut: int) -> float:
        upper = len(" ".join(words[:cut]))
        lower = len(whole) - upper - 1
        if upper > LONGEST_LINE or lower > LONGEST_LINE:
            return math.inf
        return group[cut - 1].cost + abs(upper - lower) / 6

    best = min(range(1, len(words)), key=cost)
    return " ".join(words[:best]) + "\n" + " ".join(words[best:])
