"""A person's corrected subtitles, word by word, at the times at which the engine heard the words."""

import math
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from videolab_assets.lib.documents import Cue, Segment, Transcript, Word
from videolab_assets.lib.speech.spoken import NO_LANGUAGE
from videolab_assets.lib.summary.sentences import tokens_of

MOST_DISAGREEMENT = 1.0
"""Seconds. A word that the engine heard further outside its cue was moved by the person, and the cue holds."""
MOST_INTO_NEIGHBOUR = 1 / 3
"""The part of the cue before or after that such a word may reach into: the rest belongs to that cue's own words."""
MOST_PAIRS = 16
"""With how many places of the same word in the recording a word is compared, the nearest in time."""
NEIGHBOUR_WORTH = 0.5
"""Added to a pair of equal words for each side on which their neighbours are equal too: it decides between two equal words."""
TELLING_LETTERS = 4
"""A shorter word that is equal by itself, between words that are not, says nothing: "de" is everywhere."""
SHORTEST_WORD = 0.01
"""Seconds. Engines that know only when a segment is said give all its words one moment."""
FASTEST_LETTER = 0.03
"""Seconds. Nobody speaks faster: words with less room share that of the word beside them."""

_NOT_LETTERS = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class _Heard:
    """A word as the engine heard it; each ends before the next starts. Seconds."""

    key: str
    start: float
    end: float

    @property
    def middle(self) -> float:
        return (self.start + self.end) / 2


@dataclass(frozen=True, slots=True)
class _Place:
    """When a word is said, in seconds, and which of the heard words it is, if it is one."""

    start: float
    end: float
    heard: int | None = None


def corrected(heard: Sequence[Segment], cues: Sequence[Cue]) -> list[Segment]:
    """The person's words, as they spell and punctuate them, with a time each: one segment for every cue that has words.

    Words that the engine heard too, whatever their case, accents and punctuation, keep its times, as long as these lie within a
    second of their cue: a person who moves a cue further than that is believed. Between them, as many words as the engine misheard
    take the times of those, one by one; others share the room by their letters, within what the engine heard there or else within
    the cue. All words are in order, none overlap, and none lies before the first cue's start or after the last one's end. Their
    confidence is 1.0: it says how sure the words are, not their times, and a person is sure.

    The work grows with the number of words times `MOST_PAIRS`, whatever the engine heard: three hours take about a second.

    Args:
        heard: what the engine heard, in order; may be empty.
        cues: in order and not overlapping, as `read_srt` gives them.

    Returns:
        Segments that start with their first word and end with their last; in the language of what was heard at that moment.
    """
    cues = [cue for cue in cues if cue.text.split()]
    if not cues:
        return []
    tokens = _heard_words(heard)
    texts = [cue.text.split() for cue in cues]
    reaches = _reaches(cues)
    chain = _chain(texts, cues, reaches, tokens)
    believed = [_anchored(found, cue, reach, tokens) for found, cue, reach in zip(chain, cues, reaches, strict=True)]
    anchors = [places or [None] * len(written) for places, written in zip(believed, texts, strict=True)]
    middles = [token.middle for token in tokens]
    opens = [segment.start for segment in heard]
    segments: list[Segment] = []
    for index, (written, places, cue, (low, high)) in enumerate(zip(texts, anchors, cues, _rooms(cues, anchors), strict=True)):
        moved = believed[index] is None
        own = range(0) if moved else range(bisect_left(middles, max(low, cue.start)), bisect_right(middles, min(high, cue.end)))
        timed = _Line([_letters(text) for text in written], places, low, high, tokens, own).places()
        language = heard[max(0, bisect_right(opens, (cue.start + cue.end) / 2) - 1)].language if heard else None
        segments.append(_segment(written, timed, language))
    return segments


def _segment(texts: Sequence[str], places: Sequence[_Place], language: str | None) -> Segment:
    words = [
        Word(text=text, start=round(place.start, 3), end=round(place.end, 3), confidence=1.0)
        for text, place in zip(texts, places, strict=True)
    ]
    return Segment(start=words[0].start, end=words[-1].end, text=" ".join(texts), words=words, language=language)


def _key(word: str) -> str:
    """What stays of a word without case, accents and punctuation; may be nothing."""
    lowered = word.casefold()
    if not lowered.isascii():
        lowered = "".join(mark for mark in unicodedata.normalize("NFKD", lowered) if not unicodedata.combining(mark))
    return _NOT_LETTERS.sub("", lowered)


def _letters(word: str) -> int:
    return max(1, len(_key(word)))


def _heard_words(heard: Sequence[Segment]) -> list[_Heard]:
    """The words in order; one without length says nothing of when it was said, and equals none."""
    said = Transcript(engine="", model="", language=NO_LANGUAGE, draft=False, duration=0.0, segments=list(heard))
    tokens = tokens_of(said)
    starts = [token.start for token in tokens] + [math.inf]
    spans = [(token.start, min(token.end, after)) for token, after in zip(tokens, starts[1:], strict=True)]
    return [
        _Heard(_key(token.text) if end - start >= SHORTEST_WORD else "", start, end)
        for token, (start, end) in zip(tokens, spans, strict=True)
    ]


def _reaches(cues: Sequence[Cue]) -> list[tuple[float, float]]:
    """From when to when the words of each cue may be said."""
    reaches = []
    for place, cue in enumerate(cues):
        low, high = cue.start, cue.end
        if place:
            before = cues[place - 1]
            low = max(cue.start - MOST_DISAGREEMENT, before.end - (before.end - before.start) * MOST_INTO_NEIGHBOUR)
        if place + 1 < len(cues):
            after = cues[place + 1]
            high = min(cue.end + MOST_DISAGREEMENT, after.start + (after.end - after.start) * MOST_INTO_NEIGHBOUR)
        reaches.append((low, high))
    return reaches


def _chain(
    texts: Sequence[Sequence[str]], cues: Sequence[Cue], reaches: Sequence[tuple[float, float]], tokens: Sequence[_Heard]
) -> list[list[int | None]]:
    """For each word of each cue, which heard word it is: of all pairs of equal words that are in order on both sides and in reach of
    the cue, the set worth most (a heaviest increasing subsequence, found with a Fenwick tree of the best chain up to each place)."""
    keys = [[_key(text) for text in written] for written in texts]
    flat = [key for written in keys for key in written]
    pairs: list[tuple[int, int, int]] = []
    worths: list[float] = []
    tree = [(0.0, -1)] * (len(tokens) + 1)
    index = -1
    for candidates in _candidates(keys, cues, reaches, tokens):
        index += 1
        fresh: list[tuple[int, float, int]] = []
        for heard in candidates:
            best, came_from = 0.0, -1
            at = heard
            while at > 0:
                if tree[at][0] > best:
                    best, came_from = tree[at]
                at &= at - 1
            worth = best + 1.0 + NEIGHBOUR_WORTH * _equal_neighbours(flat, index, tokens, heard)
            pairs.append((index, heard, came_from))
            worths.append(worth)
            fresh.append((heard, worth, len(pairs) - 1))
        for heard, worth, pair in fresh:
            at = heard + 1
            while at < len(tree):
                if tree[at][0] < worth:
                    tree[at] = (worth, pair)
                at += at & -at
    matched: dict[int, int] = {}
    pair = max(range(len(pairs)), key=worths.__getitem__, default=-1)
    while pair >= 0:
        word, heard, pair = pairs[pair]
        matched[word] = heard
    firsts = accumulate((len(written) for written in keys), initial=0)
    return [[matched.get(word) for word in range(first, last)] for first, last in pairwise(firsts)]


def _equal_neighbours(flat: Sequence[str], index: int, tokens: Sequence[_Heard], heard: int) -> int:
    before = index > 0 and heard > 0 and flat[index - 1] == tokens[heard - 1].key
    after = index + 1 < len(flat) and heard + 1 < len(tokens) and flat[index + 1] == tokens[heard + 1].key
    return before + after


def _candidates(
    keys: Sequence[Sequence[str]], cues: Sequence[Cue], reaches: Sequence[tuple[float, float]], tokens: Sequence[_Heard]
) -> Iterator[list[int]]:
    """For each word, the heard words equal to it and in reach of its cue, in order; where there are many, those nearest to where the
    word would be if its cue were read evenly."""
    indexes: dict[str, list[int]] = defaultdict(list)
    middles: dict[str, list[float]] = defaultdict(list)
    for index, token in enumerate(tokens):
        if token.key:
            indexes[token.key].append(index)
            middles[token.key].append(token.middle)
    for written, cue, (low, high) in zip(keys, cues, reaches, strict=True):
        for place, key in enumerate(written):
            found = middles.get(key, [])
            first, last = bisect_left(found, low), bisect_right(found, high)
            if last - first > MOST_PAIRS:
                expected = cue.start + (cue.end - cue.start) * (place + 0.5) / len(written)
                first = min(max(first, bisect_left(found, expected) - MOST_PAIRS // 2), last - MOST_PAIRS)
                last = first + MOST_PAIRS
            yield indexes[key][first:last] if last > first else []


def _anchored(found: Sequence[int | None], cue: Cue, reach: tuple[float, float], tokens: Sequence[_Heard]) -> list[_Place | None] | None:
    """The places of those words of a cue that were heard and can be believed; None where a person moved the whole cue.

    A word outside the cue can be where all from there on was heard outside, as in a cue that came early or late. Otherwise only the
    edge of a moved cue is still in reach of what was said: where that is half of what was found, nothing of it counts. A short word
    alone in a cue mostly rewritten is there by chance.
    """
    matched = [index is not None for index in found]
    rewritten = 2 * sum(matched) < len(matched)
    low, high = reach
    places: list[_Place | None] = []
    astray = 0
    for place, index in enumerate(found):
        if index is None:
            places.append(None)
            continue
        token = tokens[index]
        alone = not any(matched[max(0, place - 1) : place] + matched[place + 1 : place + 2])
        too_early = token.middle < cue.start and not all(matched[:place])
        too_late = token.middle > cue.end and not all(matched[place:])
        astray += too_early or too_late
        dropped = too_early or too_late or (rewritten and alone and len(token.key) < TELLING_LETTERS)
        places.append(None if dropped else _Place(min(max(token.start, low), high), min(max(token.end, low), high), index))
    return None if astray and 2 * astray >= sum(matched) else places


def _rooms(cues: Sequence[Cue], anchors: Sequence[Sequence[_Place | None]]) -> list[tuple[float, float]]:
    """From when to when the words of each cue are said: on screen, and as far before and after as the engine heard its words."""
    spans = []
    for cue, places in zip(cues, anchors, strict=True):
        known = [place for place in places if place]
        spans.append((min(cue.start, known[0].start) if known else cue.start, max(cue.end, known[-1].end) if known else cue.end))
    rooms = []
    for place, (low, high) in enumerate(spans):
        last_before = next((known.end for known in reversed(anchors[place - 1]) if known), 0.0) if place else 0.0
        first_after = next((known.start for known in anchors[place + 1] if known), high) if place + 1 < len(cues) else high
        rooms.append((max(low, last_before), min(high, first_after)))
    return rooms


@dataclass(frozen=True, slots=True)
class _Line:
    """The words of one cue: their letters, the places of those that were heard, the room for all, and what was heard on screen."""

    letters: Sequence[int]
    anchors: Sequence[_Place | None]
    low: float
    high: float
    tokens: Sequence[_Heard]
    own: range

    def places(self) -> list[_Place]:
        """Every word's place: the anchors, and between them runs of words that share the room there."""
        done: list[_Place] = []
        while len(done) < len(self.anchors):
            anchor = self.anchors[len(done)]
            if anchor:
                done.append(anchor)
            else:
                self._place_run(done)
        return done

    def _place_run(self, done: list[_Place]) -> None:
        """Adds the words up to the next anchor; where they have no room, anchors on either side share theirs, the longer first."""
        last = self._run_end(len(done))
        run = self._misheard(done, last)
        if run is None:
            opened, closed = self._room(done, last)
            while closed - opened < sum(self.letters[len(done) : last]) * FASTEST_LETTER and (done or last < len(self.anchors)):
                after = self.anchors[last] if last < len(self.anchors) else None
                if after is None or (done and done[-1].end - done[-1].start > after.end - after.start):
                    opened = done.pop().start
                else:
                    beside, last = last + 1, self._run_end(last + 1)
                    closed = after.end if last == beside else self._room(done, last)[1]
            run = _shared(self.letters[len(done) : last], opened, closed)
        done += run

    def _run_end(self, first: int) -> int:
        return next((index for index in range(first, len(self.anchors)) if self.anchors[index]), len(self.anchors))

    def _room(self, done: Sequence[_Place], last: int) -> tuple[float, float]:
        after = self.anchors[last] if last < len(self.anchors) else None
        return done[-1].end if done else self.low, after.start if after else self.high

    def _misheard(self, done: Sequence[_Place], last: int) -> list[_Place] | None:
        """The run at the times of what the engine heard in its stead; None where that is nothing, or too short for these words."""
        opened, closed = self._room(done, last)
        before = done[-1].heard if done else None
        after = self.anchors[last] if last < len(self.anchors) else None
        first_heard = self.own.start if before is None else max(self.own.start, before + 1)
        last_heard = self.own.stop if after is None or after.heard is None else min(self.own.stop, after.heard)
        instead = self.tokens[first_heard : max(first_heard, last_heard)]
        spans = [(min(max(token.start, opened), closed), min(max(token.end, opened), closed)) for token in instead]
        letters = self.letters[len(done) : last]
        if not spans or spans[-1][1] - spans[0][0] < sum(letters) * FASTEST_LETTER:
            return None
        if len(spans) == len(letters):
            return [_Place(start, end) for start, end in spans]
        return _shared(letters, spans[0][0], spans[-1][1])


def _shared(letters: Sequence[int], start: float, end: float) -> list[_Place]:
    total = sum(letters)
    edges = [start + (end - start) * done / total for done in accumulate(letters, initial=0)]
    return [_Place(opened, closed) for opened, closed in pairwise(edges)]
