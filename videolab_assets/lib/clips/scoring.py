"""How good candidates are: eight parts from 0 to 1 each, reckoned for all candidates at once, and how like one another they are.

Speech, motion, faces, loudness and laughter are means over time: each is one running total, and a clip's share a difference of two of
its values, so that the cost does not grow with the clips' lengths. A part is NaN here, and None in `ScoreParts`, where there is nothing
to judge by.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib.clips.beginnings import points_back
from videolab_assets.lib.clips.candidates import Stretch
from videolab_assets.lib.clips.evidence import Evidence
from videolab_assets.lib.clips.listening import CURVE_RATE
from videolab_assets.lib.documents import ScoreParts
from videolab_assets.lib.summary.language import bare
from videolab_assets.lib.summary.sentences import Token
from videolab_assets.lib.summary.terms import content_stems, stemmer_of
from videolab_assets.lib.summary.wording import contains_any

PARTS = tuple(ScoreParts.model_fields)
NOVELTY = PARTS.index("novelty")

HOOK_SECONDS = 3.0
BRIDGED = 0.3
"""Seconds between two words that still count as speech: nobody hears them as a pause."""
BLACK = 0.03
"""Mean brightness below which no face could be seen."""
MUCH_MOTION = 0.003
"""`Shot.motion` at which motion counts 0.63. Measured: a man talking and drawings that hardly move 0.0001 to 0.0002, people crossing a room
0.0018, film and animation 0.001 to 0.005."""
DB_TO_STAND_OUT = 6.0
GATE_DB = -10.0
"""Values so far below the recording's loudness are pauses and say nothing of how loud a clip is (the relative gate of BS.1770)."""
LAUGH_SECONDS = 1.5
FLASH = 0.3
"""Seconds: a shot this short at either end of a clip is a flash."""
TOPIC_SENTENCES = 4
MOST_STEMS = 4000

Numbers = NDArray[np.float64]

_QUESTION_WORDS = {
    "en": frozenset(("what", "why", "how", "who", "what's", "who's")),
    "es": frozenset(("qué", "cómo", "quién", "quiénes", "cuándo", "cuánto", "cuántos", "cuántas", "dónde", "cuál")),
}
_LISTENER = frozenset(("you", "your", "you're", "you've", "yourself", "tú", "tu", "tus", "te", "usted", "ustedes"))
_QUESTION = re.compile(r"\?[\"'”’»)]*$")


class _Total:
    """A quantity's running total over time."""

    def __init__(self, times: Numbers, totals: Numbers) -> None:
        """`times` in seconds, rising, and what there was by each; in a straight line between two."""
        self._times, self._totals = times, totals

    @classmethod
    def of(cls, spans: Iterable[tuple[float, float, float]]) -> "_Total":
        """`spans` in order, none overlapping: start, end, and how much a second."""
        times, totals = [0.0], [0.0]
        for start, end, rate in spans:
            times += [start, end]
            totals += [totals[-1], totals[-1] + (end - start) * rate]
        return cls(np.array(times), np.array(totals))

    def over(self, starts: Numbers, ends: Numbers) -> Numbers:
        return np.asarray(np.interp(ends, self._times, self._totals) - np.interp(starts, self._times, self._totals), np.float64)

    def mean(self, starts: Numbers, ends: Numbers) -> Numbers:
        return self.over(starts, ends) / np.maximum(ends - starts, 1e-9)


class Judge:
    """Scores the stretches of one video."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        shots = evidence.shots
        self.speech = _Total.of((start, end, 1.0) for start, end in _speech_spans(evidence))
        self.motion = _Total.of((shot.start, shot.end, shot.motion) for shot in shots)
        self.faces = _Total.of((shot.start, shot.end, min(1.0, shot.faces)) for shot in shots)
        self.brightness = _Total.of((shot.start, shot.end, shot.brightness) for shot in shots)
        self._sharpness = _Total.of((shot.start, shot.end, float(np.log1p(shot.sharpness))) for shot in shots)
        self.laughter = _Total.of((burst.start, burst.end, 1.0) for burst in (evidence.sound.bursts if evidence.sound else ()))
        self._changes = np.array([shot.start for shot in shots[1:]], np.float64)
        self._motion_everywhere = float(self.motion.mean(np.zeros(1), np.array([evidence.duration]))[0])
        sizes = [len(sentence.tokens) for sentence in evidence.sentences]
        self._sentence_of = np.repeat(np.arange(len(sizes)), sizes)
        self._sentence_ends = np.cumsum(sizes)

    def parts(self, stretches: Sequence[Stretch]) -> Numbers:
        """One row a stretch, columns as `PARTS`; novelty is 1, as if there were no other clip, or NaN where it could not be judged."""
        rate = self.evidence.frame_rate
        starts = np.array([stretch.start for stretch in stretches], np.float64) / rate
        ends = np.array([stretch.end for stretch in stretches], np.float64) / rate
        motion = self.motion.mean(starts, ends)
        columns = {
            "hook": self._hook(stretches, starts, ends),
            "completeness": self._completeness(stretches, starts, ends),
            "speech_density": self.speech.mean(starts, ends) if self.evidence.words else np.full(len(starts), np.nan),
            "motion": 1.0 - np.exp(-motion / MUCH_MOTION),
            "faces": np.where(self.brightness.mean(starts, ends) > BLACK, self.faces.mean(starts, ends), np.nan),
            "loudness": self._standing_out(starts, ends),
            "laughter": 1.0 - np.exp(-self.laughter.over(starts, ends) / LAUGH_SECONDS),
            "novelty": np.full(len(starts), 1.0 if self.evidence.words or len(self.evidence.shots) > 1 else np.nan),
        }
        if self.evidence.sound is None:
            columns["laughter"] = np.full(len(starts), np.nan)
        return np.asarray(np.clip(np.stack([columns[part] for part in PARTS], axis=1), 0.0, 1.0), np.float64)

    def louder(self, starts: Numbers, ends: Numbers) -> Numbers:
        """Decibels above the recording's loudness, pauses left out; -inf where all is pause, NaN without sound."""
        if self._sounding is None:
            return np.full(len(starts), np.nan)
        powers, seconds = (total.over(starts, ends) for total in self._sounding)
        with np.errstate(divide="ignore"):
            return np.asarray(10 * np.log10(np.where(seconds > 1e-6, powers / np.maximum(seconds, 1e-6), 0.0)), np.float64)

    def sentences_in(self, stretch: Stretch) -> range:
        """Indices of the sentences of which it holds a word."""
        if stretch.first >= stretch.last:
            return range(0)
        return range(int(self._sentence_of[stretch.first]), int(self._sentence_of[stretch.last - 1]) + 1)

    def likeness(self, stretches: Sequence[Stretch]) -> Numbers:
        """Of every two, 0 to 1: the cosine of their words' stems (TF-IDF), or how alike the shots look where one has no words.

        NaN where there are neither words nor more than one shot to tell them apart by.
        """
        words = self._vectors(stretches)
        has_words = words.any(axis=1)
        by_words = words.astype(np.float64) @ words.T.astype(np.float64)
        return np.clip(np.where(np.outer(has_words, has_words), by_words, self._look_alike(stretches)), 0.0, 1.0)

    @cached_property
    def _sounding(self) -> tuple[_Total, _Total] | None:
        """Power (1 is the recording's loudness) and seconds of all that is no pause."""
        sound = self.evidence.sound
        if sound is None:
            return None
        heard = sound.levels > GATE_DB
        powers = np.where(heard, 10 ** (np.clip(sound.levels, GATE_DB, 40).astype(np.float64) / 10), 0.0)
        times = np.arange(len(heard) + 1) / CURVE_RATE
        power, seconds = (_Total(times, np.concatenate([[0.0], np.cumsum(values)]) / CURVE_RATE) for values in (powers, heard))
        return power, seconds

    def _standing_out(self, starts: Numbers, ends: Numbers) -> Numbers:
        return np.asarray(np.clip(0.5 + self.louder(starts, ends) / (2 * DB_TO_STAND_OUT), 0.0, 1.0), np.float64)

    def _hook(self, stretches: Sequence[Stretch], starts: Numbers, ends: Numbers) -> Numbers:
        """What is said first, how soon, and how lively the first three seconds look and sound beside the rest."""
        until = np.minimum(starts + HOOK_SECONDS, ends)
        moving = self.motion.mean(starts, until)
        tells = len(self.evidence.shots) > 1 and self._motion_everywhere > 0
        lively = [moving / (moving + self._motion_everywhere) if tells else np.full(len(starts), np.nan)]
        lively += [self._standing_out(starts, until)]
        seen = _mean_of(lively)
        if not self.evidence.words:
            return seen
        said = {stretch.first: self.opening_worth(stretch.first) for stretch in stretches if stretch.first < stretch.last}
        speech = np.minimum(1.0, self.speech.mean(starts, until) / 0.7)
        texts = np.array([said.get(stretch.first, 0.0) for stretch in stretches]) * (speech > 0)
        return np.asarray(0.65 * texts + 0.15 * speech + 0.2 * np.nan_to_num(seen, nan=0.5), np.float64)

    def opening_worth(self, word: int) -> float:
        """0 to 1: how much the sentence from this word on makes one stay."""
        language = self.evidence.wording
        first = self.first_words(word)
        text = " ".join(first)
        of_something = len(set(self.stems_of(int(self._sentence_of[word])))) > 1  # unlike "Is this thing on?"
        worth = 0.35 + (0.3 if self.asks(word) and of_something else 0.0)
        worth += 0.15 if any(mark.isdigit() for mark in text) or any(bare(one) in language.never_tags for one in first) else 0.0
        worth += 0.15 if contains_any(text, language.emphasis) else 0.0
        worth += 0.1 if any(bare(one) in _LISTENER for one in first) else 0.0
        worth += 0.1 if 3 <= len(self._sentence_from(word)) <= 14 else 0.0
        worth -= 0.3 if contains_any(text, language.housekeeping) else 0.0
        worth -= 0.15 if first and bare(first[0]) in language.hesitations | language.asides | language.openers else 0.0
        worth -= 0.0 if of_something else 0.15
        return min(1.0, max(0.0, worth))

    def first_words(self, word: int) -> list[str]:
        """What is said of the sentence from this word on within three seconds."""
        tokens = self._sentence_from(word)
        return [token.text for token in tokens if token.start < tokens[0].start + HOOK_SECONDS]

    def first_word_of(self, sentence: int) -> int:
        return int(self._sentence_ends[sentence - 1]) if sentence else 0

    def shots_in(self, stretch: Stretch) -> int:
        start, end = self.evidence.time_of(stretch.start), self.evidence.time_of(stretch.end)
        return int(np.searchsorted(self._changes, end - 1e-6, "left") - np.searchsorted(self._changes, start + 1e-6, "right")) + 1

    def asks(self, word: int) -> bool:
        """Whether the sentence from this word on is a question, by its mark or, in a draft, by its first word."""
        tokens = self._sentence_from(word)
        marked = bool(_QUESTION.search(tokens[-1].text)) or tokens[0].text.startswith("¿")
        return marked or (self.evidence.draft and bare(tokens[0].text) in _QUESTION_WORDS.get(self.evidence.language, ()))

    def _sentence_from(self, word: int) -> tuple[Token, ...]:
        return self.evidence.words[word : int(self._sentence_ends[self._sentence_of[word]])]

    def _completeness(self, stretches: Sequence[Stretch], starts: Numbers, ends: Numbers) -> Numbers:
        edges = np.array([(stretch.opens + stretch.closes) / 2 for stretch in stretches])
        before = np.searchsorted(self._changes, starts + FLASH, "right") - np.searchsorted(self._changes, starts + 1e-6, "right")
        after = np.searchsorted(self._changes, ends - 1e-6, "left") - np.searchsorted(self._changes, ends - FLASH, "left")
        flashes = 0.1 * (before > 0) + 0.1 * (after > 0)
        if not self.evidence.words:
            return edges - flashes if len(self._changes) else np.full(len(starts), np.nan)
        unfinished = {stretch.last: self._unfinished(stretch.last) for stretch in stretches}
        whole = np.empty(len(starts))
        for row, stretch in enumerate(stretches):
            sentences = self.sentences_in(stretch)
            if not sentences:
                whole[row] = 0.8 * edges[row]
                continue
            topic = (self._topic_changes[sentences.start] + self._topic_changes[sentences.stop]) / 2
            whole[row] = 0.6 * edges[row] + 0.2 * topic + 0.2 * min(1.0, len(sentences) / 3) - unfinished[stretch.last]
            whole[row] -= 0.3 if stretch.first and self._points_back(stretch.first) else 0.0
            whole[row] -= 0.1 * min(3, self._greetings_by[sentences.stop] - self._greetings_by[sentences.start])
        return whole - flashes

    def _unfinished(self, word: int) -> float:
        """What it costs a clip to end before this word: a question left open, or a next sentence that goes on with "and this"."""
        if word in (0, len(self.evidence.words)):
            return 0.0
        asked = bool(_QUESTION.search(self.evidence.words[word - 1].text))
        return 0.2 * asked + 0.15 * self._points_back(word)

    def _points_back(self, word: int) -> bool:
        return points_back([token.text for token in self.evidence.words[word : word + 8]], self.evidence.wording)

    @cached_property
    def _greetings_by(self) -> NDArray[np.int64]:
        """How many sentences before each one greet, thank or say goodbye: those belong to the video, not to a thought."""
        greet = [contains_any(sentence.text, self.evidence.wording.housekeeping) for sentence in self.evidence.sentences]
        return np.asarray(np.concatenate([[0], np.cumsum(greet)]), np.int64)

    @cached_property
    def _topic_changes(self) -> Numbers:
        """For the gap before each sentence and the end: 1 where the words on both sides have least in common, 0 where most (TextTiling's
        idea, Hearst, 1997: sentences on either side are compared by their stems)."""
        stems, count = self._stems, len(self._stems)
        shared = np.zeros(count + 1)
        for gap in range(1, count):
            before = Counter(stem for one in stems[max(0, gap - TOPIC_SENTENCES) : gap] for stem in one)
            after = Counter(stem for one in stems[gap : gap + TOPIC_SENTENCES] for stem in one)
            norm = (sum(n * n for n in before.values()) * sum(n * n for n in after.values())) ** 0.5
            shared[gap] = sum(n * after[stem] for stem, n in before.items()) / norm if norm else 0.0
        if count < 2 * TOPIC_SENTENCES:
            return np.full(count + 1, 0.5)
        rank = np.searchsorted(np.sort(shared[1:count]), shared, "right") / max(1, count - 1)
        rank[[0, count]] = 0.0
        return np.asarray(1.0 - rank, np.float64)

    @cached_property
    def _stems(self) -> list[list[str]]:
        language = self.evidence.wording
        stem = stemmer_of(language)
        return [content_stems(sentence, language, stem) for sentence in self.evidence.sentences]

    @cached_property
    def stem_weights(self) -> dict[str, float]:
        """Of each stem: the rarer its sentences, the more it tells (inverse document frequency)."""
        spread = Counter(stem for one in self._stems for stem in set(one))
        return {stem: float(np.log(1.0 + len(self._stems) / count)) for stem, count in spread.items()}

    def stems_of(self, sentence: int) -> list[str]:
        return self._stems[sentence]

    def _vectors(self, stretches: Sequence[Stretch]) -> NDArray[np.float32]:
        counted = [Counter(stem for index in self.sentences_in(stretch) for stem in self._stems[index]) for stretch in stretches]
        used = Counter(stem for one in counted for stem in one)
        column = {stem: number for number, (stem, _) in enumerate(used.most_common(MOST_STEMS))}
        vectors = np.zeros((len(stretches), max(1, len(column))), np.float32)
        for row, one in enumerate(counted):
            for stem, count in one.items():
                if stem in column:
                    vectors[row, column[stem]] = count * self.stem_weights[stem]
        return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), np.float32)

    def _look_alike(self, stretches: Sequence[Stretch]) -> Numbers:
        if len(self.evidence.shots) < 2:
            return np.full((len(stretches), len(stretches)), np.nan)
        rate = self.evidence.frame_rate
        starts, ends = np.array([one.start for one in stretches]) / rate, np.array([one.end for one in stretches]) / rate
        totals = (self.motion, self.faces, self.brightness, self._sharpness)
        seen = np.stack([total.mean(starts, ends) for total in totals], axis=1)
        shot_starts, shot_ends = (np.array([getattr(shot, edge) for shot in self.evidence.shots]) for edge in ("start", "end"))
        spread = np.stack([total.mean(shot_starts, shot_ends) for total in totals], axis=1).std(axis=0)
        scaled = seen / np.maximum(spread, 1e-6)
        apart = ((scaled[:, None, :] - scaled[None, :, :]) ** 2).mean(axis=2)
        return np.asarray(np.exp(-apart), np.float64)


def _speech_spans(evidence: Evidence) -> list[tuple[float, float]]:
    """Where somebody speaks, short pauses bridged."""
    spans: list[tuple[float, float]] = []
    for word in evidence.words:
        if spans and word.start <= spans[-1][1] + BRIDGED:
            spans[-1] = (spans[-1][0], max(spans[-1][1], word.end))
        else:
            spans.append((word.start, word.end))
    return spans


def _mean_of(columns: Sequence[Numbers]) -> Numbers:
    """The mean of those that are not NaN; NaN where all are."""
    stacked = np.stack(columns)
    known = ~np.isnan(stacked)
    counts = known.sum(axis=0)
    return np.where(counts > 0, np.where(known, stacked, 0.0).sum(axis=0) / np.maximum(counts, 1), np.nan)


def weighed(parts: Numbers, weights: Numbers) -> Numbers:
    """The score of each row: the weighted mean of the parts that are not NaN; 0 where none of them counts."""
    known = ~np.isnan(parts)
    sums = (known * weights).sum(axis=-1)
    return np.asarray(np.where(sums > 0, (np.where(known, parts, 0.0) * weights).sum(axis=-1) / np.maximum(sums, 1e-12), 0.0))


def as_document(parts: Numbers) -> ScoreParts:
    """One row for storing."""
    return ScoreParts(**{name: None if np.isnan(value) else round(float(value), 4) for name, value in zip(PARTS, parts, strict=True)})
