"""What a text is about: stems of its content words, and noun-like words and phrases that can stand as tags.

No tagger is at hand, so a word's neighbours and its ending say whether it is used as a noun: an article or preposition before it
speaks for, a subject pronoun or a verb's ending against.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import snowballstemmer
from numpy.typing import NDArray

from videolab_assets.lib.summary.language import Language, bare
from videolab_assets.lib.summary.sentences import Sentence

MOST_TAGS = 10
ENOUGH_TAGS = 5
NOUN_LIKE = 0.3
LONGEST_TAG = 40
PHRASE_WEIGHT = 1.7
"""A phrase said as often as a word says more: RAKE (Rose et al., 2010) gives two words up to twice the score."""

_TERM = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_POSSESSIVE = re.compile(r"'s?$")
_CLAUSE_END = re.compile(r"[,;:.?!…)\]\"”»]$")
_GENDERS = {"a": "feminine", "o": "masculine"}
_GENDERLESS = re.compile(r"(?:[mtp]as?|días?|manos?|fotos?|radios?|motos?|aguas?|almas?|áreas?|aulas?)$")
_NUMBERLESS = re.compile(r"[iu]s$")

Stem = Callable[[str], str]


def stemmer_of(language: Language) -> Stem:
    """Snowball's stemmer for the language, remembering words; the word itself where Snowball has none."""
    if not language.stemmer:
        return lambda word: word
    snowball = snowballstemmer.stemmer(language.stemmer)
    known: dict[str, str] = {}

    def stem(word: str) -> str:
        if word not in known:
            known[word] = str(snowball.stemWord(word))
        return known[word]

    return stem


def content_word(text: str, language: Language) -> str:
    """The bare word if it carries meaning of its own; empty for stop words, contractions of them, numbers and single letters."""
    word = bare(text)
    if word in language.titles or word in language.closers or word in language.last_words:
        return ""
    if "'" in word:
        word = _POSSESSIVE.sub("", word) if word.partition("'")[0] not in language.stop_words else ""
    carries = len(word) > 1 and len(word) <= LONGEST_TAG and _TERM.fullmatch(word) and word not in language.stop_words
    return word if carries and word not in language.hesitations else ""


def content_stems(sentence: Sentence, language: Language, stem: Stem) -> list[str]:
    """The stems of the sentence's content words, in order, with repetitions."""
    return [stem(word) for token in sentence.tokens if (word := content_word(token.text, language))]


@dataclass
class _Usage:
    """How a word form is used: how often, and the evidence that it is a noun (at most one a use, may be negative)."""

    uses: int = 0
    evidence: float = 0.0
    surfaces: Counter[str] = field(default_factory=Counter)

    def noun_likeness(self, word: str, language: Language) -> float:
        ending = 0.4 if language.noun_ending.search(word) else 0.0
        ending -= 0.6 if language.verb_ending.search(word) else 0.0
        return self.evidence / self.uses + ending


@dataclass
class _Run:
    """Neighbouring words of one clause, stop words between them left out only at the ends."""

    words: list[str]
    surfaces: list[str]
    before: str
    weight: float


def tags_of(sentences: Sequence[Sentence], language: Language, stem: Stem, weights: Sequence[float] | NDArray[np.float64]) -> list[str]:
    """Up to `MOST_TAGS` noun-like words and phrases, most telling first; fewer than `ENOUGH_TAGS` only where the text has no more.

    Never stop words, weekdays, months, numerals or measures of time; names keep their capitals.

    Args:
        sentences: the text.
        language: its language.
        stem: that language's stemmer.
        weights: of each sentence, 0 to 1: a greeting's words tell less than a statement's.
    """
    runs = [run for sentence, weight in zip(sentences, weights, strict=True) for run in _runs(sentence, language, float(weight))]
    usage = _usage_of(runs, language)
    likeness = {word: used.noun_likeness(word, language) for word, used in usage.items()}
    candidates = _without_fragments(_candidates(runs, likeness, language, stem))
    often = [candidate for candidate in candidates if candidate.uses > 1]
    once = [candidate for candidate in candidates if candidate.uses == 1]
    tags: list[str] = []
    covered: set[str] = set()
    for most, ranked in ((MOST_TAGS, often), (ENOUGH_TAGS, once)):
        for candidate in sorted(ranked, key=lambda one: -one.score):
            if len(tags) >= most:
                break
            if candidate.stems <= covered:
                continue
            tags.append(" ".join(_as_written(word, usage) for word in candidate.words))
            covered |= candidate.stems
    return tags


def _runs(sentence: Sentence, language: Language, weight: float) -> Iterator[_Run]:
    """Stretches of content words, in Spanish with an inner "de" or "del"."""
    words: list[str] = []
    surfaces: list[str] = []
    before = previous = ""
    tokens = sentence.tokens
    for index, token in enumerate(tokens):
        word = content_word(token.text, language)
        plain = bare(token.text)
        after = content_word(tokens[index + 1].text, language) if index + 1 < len(tokens) else ""
        if word or (words and plain in language.joints and after):
            before = before if words else previous
            words.append(word or plain)
            # A sentence's first word has a capital whatever it is.
            surfaces.append(token.text if index else plain)
        if words and (not (word or (plain in language.joints and after)) or _CLAUSE_END.search(token.text)):
            yield _Run(words, surfaces, before, weight)
            words, surfaces = [], []
        previous = plain
    if words:
        yield _Run(words, surfaces, before, weight)


def _usage_of(runs: Sequence[_Run], language: Language) -> dict[str, _Usage]:
    usage: dict[str, _Usage] = defaultdict(_Usage)
    for run in runs:
        marked = run.before in language.noun_markers
        for place, (word, surface) in enumerate(zip(run.words, run.surfaces, strict=True)):
            if word in language.joints:
                continue
            used = usage[word]
            used.uses += 1
            used.surfaces[surface.strip("\"'“”‘’«»()[]¿¡.,;:?!…—–-")] += 1
            used.evidence += _evidence(run, place, marked, language)
            if place == 0 and run.before in language.verb_markers:
                used.evidence -= 0.8
    return usage


def _evidence(run: _Run, place: int, marked: bool, language: Language) -> float:
    """Between 0 and 1: how much this place in the run is a noun's. The head is first in Spanish, last in English."""
    neighbours = run.words[max(0, place - 1) : place + 2]
    if any(word in language.joints for word in neighbours) or run.surfaces[place][:1].isupper():
        return 1.0
    first, last = place == 0, place == len(run.words) - 1
    if marked and first and (last or language.head_first):
        return 1.0
    if marked:
        return 0.6 if (first or last) and not language.head_first else 0.2
    return 0.3 if first or last else 0.1


@dataclass(frozen=True)
class _Candidate:
    words: tuple[str, ...]
    stems: frozenset[str]
    uses: int
    score: float


def _candidates(runs: Sequence[_Run], likeness: dict[str, float], language: Language, stem: Stem) -> list[_Candidate]:
    """Single words and phrases of two (in Spanish also "a de b"), grouped by their stems, under their most used form."""
    forms: dict[tuple[str, ...], Counter[tuple[str, ...]]] = defaultdict(Counter)
    weight: dict[tuple[str, ...], float] = defaultdict(float)
    for run in runs:
        for phrase in _phrases(run, language):
            forms[tuple(stem(word) for word in phrase)][phrase] += 1
            weight[phrase] += 0.3 + run.weight
    candidates: list[_Candidate] = []
    for stems, phrases in forms.items():
        worth = {phrase: _worth(phrase, likeness, language) for phrase in phrases}
        fit = {phrase: count for phrase, count in phrases.items() if worth[phrase] > 0}
        if not fit:
            continue
        words = max(fit, key=lambda phrase: (fit[phrase] * worth[phrase], -len(phrase[0]), phrase))
        uses = sum(fit.values())
        if len(words) > 1 and uses == 1 and min(likeness.get(word, 1.0) for word in words) < NOUN_LIKE:
            continue
        candidates.append(_Candidate(words, frozenset(stems) - language.joints, uses, sum(weight[phrase] for phrase in fit) * worth[words]))
    return candidates


def _without_fragments(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Leaves out single words that are mostly said inside one phrase: "support" where it is nearly always "support team"."""
    within: Counter[str] = Counter()
    for candidate in candidates:
        if len(candidate.words) > 1 and candidate.uses > 1:
            for stem in candidate.stems:
                within[stem] = max(within[stem], candidate.uses)
    return [one for one in candidates if len(one.words) > 1 or 3 * within[next(iter(one.stems))] < 2 * one.uses]


def _phrases(run: _Run, language: Language) -> Iterator[tuple[str, ...]]:
    words = run.words
    for index, word in enumerate(words):
        if word in language.joints:
            continue
        yield (word,)
        following = words[index + 1 : index + 3]
        if following and following[0] not in language.joints:
            yield (word, following[0])
        elif len(following) == 2:
            yield (word, *following)


def _worth(phrase: tuple[str, ...], likeness: dict[str, float], language: Language) -> float:
    """How good a tag this makes, above 0; 0 where it makes none."""
    words = [word for word in phrase if word not in language.joints]
    if any(word in language.never_tags or language.adverb.search(word) for word in words) or len(" ".join(phrase)) > LONGEST_TAG:
        return 0.0
    head, other = (words[0], words[-1]) if language.head_first else (words[-1], words[0])
    if (head in language.generic and len(words) == 1) or other in language.generic or len(set(words)) < len(words):
        return 0.0
    if likeness[head] < NOUN_LIKE or likeness[other] <= 0.0:
        return 0.0
    if len(words) == 1:
        return likeness[head]
    # Neighbours that are no phrase: what describes a noun ends like no verb.
    if language.head_first and len(phrase) == 2 and not _agree(head, other):
        return 0.0
    if language.plural.search(other) or (language.verb_ending.search(other) and not language.noun_ending.search(other)):
        return 0.0
    return PHRASE_WEIGHT * (2 * likeness[head] + max(likeness[other], 0.3)) / 3


def _agree(noun: str, other: str) -> bool:
    """Whether a Spanish word may describe the noun before it by gender and number; "cerebro limpia" and "vecinos vigilan" are no names.

    Ends that tell no gender, as in "problema" and "mano", agree with any.
    """
    if not _NUMBERLESS.search(noun) and noun.endswith("s") != other.endswith("s"):
        return False
    genders = {_GENDERS.get(word.rstrip("s")[-1:]) for word in (noun, other)}
    return bool(_GENDERLESS.search(noun)) or None in genders or len(genders) == 1


def _as_written(word: str, usage: dict[str, _Usage]) -> str:
    """The word in lower case, unless it is written otherwise nearly always, as names are."""
    if word not in usage:
        return word
    surface, count = usage[word].surfaces.most_common(1)[0]
    return surface if surface.lower() == word and surface != word and count * 5 >= usage[word].uses * 4 else word
