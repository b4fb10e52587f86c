"""Where clips may begin and end, and the stretches between: never inside a word, on the frame grid, at sentences and shot changes.

A cut lies in the silence between two words, with a little of it left on either side. Where no frame fits in between, there is no cut.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from videolab_assets.lib.clips.beginnings import points_back
from videolab_assets.lib.clips.evidence import Evidence
from videolab_assets.lib.clips.listening import CURVE_RATE
from videolab_assets.lib.summary.wording import hangs

LEAD, TAIL = 0.2, 0.25
"""Seconds of silence to keep before the first word and after the last one, where the silence is twice that long."""
SNAP = 0.8
"""A shot change this many seconds before the first word or after the last one is where the clip begins or ends."""
LAUGH_WAIT, LAUGH_REST = 1.0, 4.0
"""A laugh that begins this many seconds after the last word belongs to the clip, up to so many seconds after it."""
QUIET = 2.0
"""Seconds without words in which shot changes alone are places to cut."""
FAR = 10.0
"""Seconds without words and without a shot change, from which on the sound's quietest moments are places to cut."""
CLEAR = 0.5
"""An edge this clear is the end of a sentence or shot for certain enough."""
ENDS_TRIED = 8
"""Ends for one beginning, spread over the lengths that are allowed; bounds the candidates by a multiple of the words and shots."""

_STOPS = (".", "?", "!", "…")
_CLOSING = "\"'”’»)]}›"
_HUSH_DB_PER_SECOND = 60.0
_QUIETEST_DB = -50.0


@dataclass(frozen=True, slots=True)
class Edge:
    """A place to cut: the frame, the index of the first word after it, and from 0 to 1 how surely a sentence or shot changes there."""

    frame: int
    word: int
    clarity: float


@dataclass(frozen=True, slots=True)
class Stretch:
    """A candidate: from frame `start` up to but not including frame `end`, and from word `first` up to but not including word `last`.

    `opens` and `closes` are the clarity of its edges.
    """

    start: int
    end: int
    first: int
    last: int
    opens: float = 0.0
    closes: float = 0.0


def stretches_of(evidence: Evidence, shortest: float, longest: float, wanted: int) -> list[Stretch]:
    """The candidates; their number grows with that of words and shots, no faster.

    Clear edges alone where they leave room for `wanted` clips side by side; otherwise with those between any two words.

    Args:
        evidence: of a video with picture.
        shortest, longest: seconds a clip may last.
        wanted: how many clips are to be found.
    """
    edges = _Edges(evidence)
    least, most = evidence.first_frame_from(shortest), evidence.last_frame_by(longest)
    found = _paired(edges.openings(CLEAR), edges.closings(CLEAR), least, most)
    if _side_by_side(found) < min(wanted, evidence.frames // max(1, least)):
        found = _paired(edges.openings(0.0), edges.closings(0.0), least, most)
    return found


def stretch_between(evidence: Evidence, start: int, end: int) -> Stretch:
    """The stretch between two frames that somebody else chose; its words are those wholly inside."""
    edges = _Edges(evidence)
    inside = [
        index
        for index, word in enumerate(evidence.words)
        if evidence.first_frame_from(word.end) <= end and evidence.last_frame_by(word.start) >= start
    ]
    first, last = (inside[0], inside[-1] + 1) if inside else (bisect_left(edges.starts, evidence.time_of(start)),) * 2
    return Stretch(start, end, first, last, edges.clarity_at(start), edges.clarity_at(end))


def _paired(openings: Sequence[Edge], closings: Sequence[Edge], least: int, most: int) -> list[Stretch]:
    """Every opening with up to `ENDS_TRIED` closings, of like lengths the one with the clearest end."""
    frames = [closing.frame for closing in closings]
    found: list[Stretch] = []
    for opening in openings:
        shortest, longest = opening.frame + least, opening.frame + most
        best: dict[int, Edge] = {}
        for closing in closings[bisect_left(frames, shortest) : bisect_right(frames, longest)]:
            slot = (closing.frame - shortest) * ENDS_TRIED // (most - least + 1)
            if slot not in best or closing.clarity > best[slot].clarity:
                best[slot] = closing
        found += [
            Stretch(opening.frame, closing.frame, opening.word, closing.word, opening.clarity, closing.clarity) for closing in best.values()
        ]
    return found


def _side_by_side(stretches: Sequence[Stretch]) -> int:
    """How many of them fit in one after another."""
    count, reached = 0, -1
    for stretch in sorted(stretches, key=lambda one: one.end):
        if stretch.start >= reached:
            count, reached = count + 1, stretch.end
    return count


class _Edges:
    """The places to cut of one video."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._words = evidence.words
        self.starts = [word.start for word in self._words]
        self._said_until = [0.0, *accumulate((word.end for word in self._words), max)]
        self._sentence_starts = {0, *accumulate(len(sentence.tokens) for sentence in evidence.sentences)}
        self._changes = sorted({round(shot.start * evidence.frame_rate) for shot in evidence.shots[1:]})
        self._bursts = evidence.sound.bursts if evidence.sound else ()
        self._laughs = [burst.start for burst in self._bursts]

    def openings(self, clarity: float) -> list[Edge]:
        """Where a clip may begin, in order: not with words that point back, unless nothing was said before them."""
        edges = self._all(clarity, opening=True)
        return _in_order(edge for edge in edges if edge.word == 0 or not self._points_back(edge.word))

    def closings(self, clarity: float) -> list[Edge]:
        """Where a clip may end, in order: not after words that wait for more."""
        edges = self._all(clarity, opening=False)
        return _in_order(edge for edge in edges if not self._hangs(edge.word))

    def clarity_at(self, frame: int) -> float:
        """How surely a sentence or shot changes at a frame that may well lie inside a word."""
        time = self._evidence.time_of(frame)
        word = bisect_left(self.starts, time - 1 / self._evidence.frame_rate)
        if self._said_until[word] > time + 1 / self._evidence.frame_rate:
            return 0.0
        return max(self._clarity(word), 1.0 if frame in (0, *self._changes, self._evidence.frames) else 0.0)

    def _all(self, least: float, *, opening: bool) -> Iterator[Edge]:
        """Edges that are at least so clear, some more than once, in no order."""
        evidence = self._evidence
        for word in range(len(self._words) + 1):
            until = self.starts[word] if word < len(self._words) else evidence.duration
            first = evidence.first_frame_from(self._said_until[word])
            last = evidence.last_frame_by(min(until, evidence.duration))
            if first > last:
                continue
            clarity = self._clarity(word)
            if opening and word < len(self._words) and clarity >= least:
                yield Edge(self._opening_frame(word, first, last), word, clarity)
            if not opening and word and clarity >= least:
                yield Edge(self._closing_frame(word, first, last), word, clarity)
            if last - first >= QUIET * evidence.frame_rate:
                yield from self._quiet_edges(first, last, word)
            yield from (Edge(frame, word, 0.9) for frame in (0, evidence.frames) if first <= frame <= last)

    def _opening_frame(self, word: int, first: int, last: int) -> int:
        """A little before the word, or at the shot change before it."""
        silent, spoken = self._said_until[word], self.starts[word]
        changes = self._changes_within(max(first, self._evidence.first_frame_from(spoken - SNAP)), last)
        if changes:
            return changes[-1]
        return self._hushed(max(spoken - LEAD, (silent + spoken) / 2), first, last)

    def _closing_frame(self, word: int, first: int, last: int) -> int:
        """A little after the word before, or at the shot change after it, or after the laugh that follows."""
        silent = self._said_until[word]
        laugh = bisect_left(self._laughs, silent - 0.1)
        if laugh < len(self._laughs) and self._laughs[laugh] <= silent + LAUGH_WAIT:
            return min(last, max(first, self._evidence.first_frame_from(min(self._bursts[laugh].end + 0.1, silent + LAUGH_REST))))
        changes = self._changes_within(first, min(last, self._evidence.last_frame_by(silent + SNAP)))
        if changes:
            return changes[0]
        spoken = self.starts[word] if word < len(self._words) else self._evidence.duration
        return self._hushed(min(silent + TAIL, (silent + spoken) / 2), first, last)

    def _changes_within(self, first: int, last: int) -> list[int]:
        return self._changes[bisect_left(self._changes, first) : bisect_right(self._changes, last)]

    def _hushed(self, time: float, first: int, last: int, reach: float = 0.15) -> int:
        """The frame between the two that is near to `time` and where the sound is low: engines' times are off by more than a frame."""
        evidence = self._evidence
        aim = min(last, max(first, round(time * evidence.frame_rate)))
        if evidence.sound is None:
            return aim
        away = round(reach * evidence.frame_rate)
        levels = evidence.sound.levels
        per_second = _HUSH_DB_PER_SECOND * 0.15 / reach

        def noise(frame: int) -> float:
            moment = evidence.time_of(frame)
            place = int(moment * CURVE_RATE)
            around = levels[max(0, place - 1) : place + 2]
            heard = max(float(around.max()), _QUIETEST_DB) if len(around) else _QUIETEST_DB
            return heard + per_second * abs(frame - aim) / evidence.frame_rate

        return min(range(max(first, aim - away), min(last, aim + away) + 1), key=noise)

    def _quiet_edges(self, first: int, last: int, word: int) -> Iterator[Edge]:
        """Inside a stretch without words: shot changes, and quiet moments where those are far apart."""
        changes = self._changes_within(first, last)
        yield from (Edge(change, word, 1.0) for change in changes)
        rate = self._evidence.frame_rate
        for before, after in pairwise([first, *changes, last]):
            count = int((after - before) / (FAR / 2 * rate)) if after - before >= FAR * rate else 0
            for number in range(1, count):
                time = self._evidence.time_of(before) + number * (after - before) / rate / count
                yield Edge(self._hushed(time, before, after, reach=FAR / 5), word, CLEAR)

    def _clarity(self, word: int) -> float:
        """Of the gap before a word: by punctuation where it is to be trusted, and by the pause."""
        if word in (0, len(self._words)):
            return 1.0
        before = self._words[word - 1]
        pause = max(0.0, self.starts[word] - self._said_until[word])
        by_pause = min(1.0, pause / 0.7)
        if word not in self._sentence_starts:
            return 0.3 * by_pause
        stopped = before.text.rstrip(_CLOSING).endswith(_STOPS)
        if stopped and not self._evidence.draft:
            return 0.85 + 0.15 * by_pause
        return 0.4 + 0.6 * by_pause if stopped or before.closes_segment else by_pause

    def _points_back(self, word: int) -> bool:
        if word >= len(self._words):
            return False
        return points_back([token.text for token in self._words[word : word + 8]], self._evidence.wording)

    def _hangs(self, word: int) -> bool:
        if not word:
            return False
        text = self._words[word - 1].text
        vouched = text.rstrip(_CLOSING).endswith(_STOPS) and not self._evidence.draft
        return not vouched and hangs(text, self._evidence.wording)


def _in_order(edges: Iterable[Edge]) -> list[Edge]:
    """By frame; of several for one frame the clearest."""
    best: dict[int, Edge] = {}
    for edge in edges:
        if edge.frame not in best or edge.clarity > best[edge.frame].clarity:
            best[edge.frame] = edge
    return sorted(best.values(), key=lambda edge: edge.frame)
