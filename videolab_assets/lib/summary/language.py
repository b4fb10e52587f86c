"""What the text methods know of a language, and which language a text is in."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, lru_cache

from videolab_assets.lib.summary import english, spanish

UNDETERMINED = "und"
CLEAR_SHARE = 0.33
"""Running Spanish and English are 50 to 60 % their own stop words; Italian is 30 % Spanish ones, French 16 %."""


@dataclass(frozen=True)
class Language:
    """Word lists and patterns of one language, all lower-case. Stop words count with and without their accents; `_` joins neighbours.

    Attributes:
        titles: abbreviations that a name or number always follows: they never end a sentence.
        number_signs: abbreviations before a number, and words of their own elsewhere ("fig. 3", "mar. 2").
        closers: abbreviations that may also end a sentence, and that a name may follow.
        last_words: abbreviations that no name follows: before a capital they end a sentence, but for "5 p.m. Monday".
        ties: words that belong to the word after them: no line and no cue ends on one.
        openers: words that a sentence can lose from its front without a change of meaning ("and", "well").
        asides: the same, where a comma follows ("now,").
        clause_openers: words that begin a clause: a good place to break before.
        hesitations: sounds that are not words.
        dangling: first words, up to three joined, that point back at something said before.
        speaker: words by which speaker and listener name themselves.
        emphasis: words by which a speaker marks what matters (Edmundson's cue words, 1969).
        housekeeping: words that show that a sentence greets, thanks or asks for a subscription.
        never_tags: days, months, numerals and measures of time.
        generic: nouns that say nothing by themselves.
        noun_markers, verb_markers: words that come right before a noun, or right before a verb.
        verb_ending, noun_ending: suffixes that say what a word is likely to be.
        adverb: matches what is an adverb and nothing else.
        announcement: matches "today we are going to talk about <topic>"; its group `topic` is what follows.
        plural: how a plural ends, where a word that describes a noun stands in the singular ("bridges fail" is no name of anything).
        head_first: the noun comes before what describes it.
        joints: words that may stand inside a tag ("de").
        headings: the words for key points, show notes and tags.
    """

    code: str
    stemmer: str = ""
    stop_words: frozenset[str] = frozenset()
    titles: frozenset[str] = frozenset()
    number_signs: frozenset[str] = frozenset()
    closers: frozenset[str] = frozenset()
    last_words: frozenset[str] = frozenset()
    ties: frozenset[str] = frozenset()
    openers: frozenset[str] = frozenset()
    asides: frozenset[str] = frozenset()
    clause_openers: frozenset[str] = frozenset()
    hesitations: frozenset[str] = frozenset()
    dangling: frozenset[str] = frozenset()
    speaker: frozenset[str] = frozenset()
    emphasis: frozenset[str] = frozenset()
    housekeeping: frozenset[str] = frozenset()
    never_tags: frozenset[str] = frozenset()
    generic: frozenset[str] = frozenset()
    noun_markers: frozenset[str] = frozenset()
    verb_markers: frozenset[str] = frozenset()
    verb_ending: re.Pattern[str] = field(default=re.compile(r"(?!)"))
    noun_ending: re.Pattern[str] = field(default=re.compile(r"(?!)"))
    adverb: re.Pattern[str] = field(default=re.compile(r"(?!)"))
    announcement: re.Pattern[str] = field(default=re.compile(r"(?!)"))
    plural: re.Pattern[str] = field(default=re.compile(r"(?!)"))
    head_first: bool = False
    joints: frozenset[str] = frozenset()
    headings: tuple[str, str, str] = ("Key points", "Show notes", "Tags")


def folded(word: str) -> str:
    """The word without accents: draft engines and hurried writers leave them out."""
    return "".join(mark for mark in unicodedata.normalize("NFD", word) if not unicodedata.combining(mark))


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


def _with_unaccented(listed: str) -> frozenset[str]:
    words = _words(listed)
    return words | {folded(word) for word in words}


SPANISH = Language(
    code="es",
    stemmer="spanish",
    stop_words=_with_unaccented(spanish.STOP_WORDS),
    titles=_words(spanish.TITLES),
    number_signs=_words(spanish.NUMBER_SIGNS),
    closers=_words(spanish.CLOSERS),
    last_words=_words(spanish.LAST_WORDS),
    ties=_words(spanish.TIES),
    openers=_words(spanish.OPENERS),
    asides=_words(spanish.ASIDES),
    clause_openers=_words(spanish.CLAUSE_OPENERS),
    hesitations=_words(spanish.HESITATIONS),
    dangling=_with_unaccented(spanish.DANGLING) - {"el"},  # without its accent "él" is the article
    speaker=_words(spanish.SPEAKER),
    emphasis=_words(spanish.EMPHASIS),
    housekeeping=_with_unaccented(spanish.HOUSEKEEPING),
    never_tags=_with_unaccented(spanish.NEVER_TAGS),
    generic=_with_unaccented(spanish.GENERIC),
    noun_markers=_words(spanish.NOUN_MARKERS),
    verb_markers=_words(spanish.VERB_MARKERS),
    verb_ending=re.compile(spanish.VERB_ENDING),
    noun_ending=re.compile(spanish.NOUN_ENDING),
    adverb=re.compile(spanish.ADVERB),
    announcement=re.compile(spanish.ANNOUNCEMENT, re.IGNORECASE),
    head_first=True,
    joints=_words("de del"),
    headings=("Puntos clave", "Notas del episodio", "Etiquetas"),
)

ENGLISH = Language(
    code="en",
    stemmer="english",
    stop_words=_words(english.STOP_WORDS),
    titles=_words(english.TITLES),
    number_signs=_words(english.NUMBER_SIGNS),
    closers=_words(english.CLOSERS),
    last_words=_words(english.LAST_WORDS),
    ties=_words(english.TIES),
    openers=_words(english.OPENERS),
    asides=_words(english.ASIDES),
    clause_openers=_words(english.CLAUSE_OPENERS),
    hesitations=_words(english.HESITATIONS),
    dangling=_words(english.DANGLING),
    speaker=_words(english.SPEAKER),
    emphasis=_words(english.EMPHASIS),
    housekeeping=_words(english.HOUSEKEEPING),
    never_tags=_words(english.NEVER_TAGS),
    generic=_words(english.GENERIC),
    noun_markers=_words(english.NOUN_MARKERS),
    verb_markers=_words(english.VERB_MARKERS),
    verb_ending=re.compile(english.VERB_ENDING),
    noun_ending=re.compile(english.NOUN_ENDING),
    announcement=re.compile(english.ANNOUNCEMENT, re.IGNORECASE),
    plural=re.compile(r"[^isu]s$"),
)

KNOWN = {language.code: language for language in (SPANISH, ENGLISH)}


@cache
def language_called(code: str) -> Language:
    """The language of an ISO 639-1 code; one that has no word lists takes those of both known languages as stop words."""
    return KNOWN.get(code) or Language(
        code=code,
        stop_words=SPANISH.stop_words | ENGLISH.stop_words,
        titles=SPANISH.titles | ENGLISH.titles,
        hesitations=SPANISH.hesitations | ENGLISH.hesitations,
    )


def language_of(words: Iterable[str], said: str = UNDETERMINED) -> Language:
    """The language of these words, by how many of them are stop words of one known language and not of the other.

    Args:
        words: the text; short texts give little evidence.
        said: what the speech engine calls it (ISO 639-1). It decides where the words do not, and outright where it names
            a language without word lists: an engine that can tell Portuguese from Spanish has heard more than these lists can.
    """
    if said not in KNOWN and said != UNDETERMINED:
        return language_called(said)
    lowered = [bare(word) for word in words]
    found = {code: sum(word in language.stop_words for word in lowered) for code, language in KNOWN.items()}
    best, second = sorted(found, key=lambda code: (-found[code], code != said))[:2]
    if found[best] > found[second] and found[best] >= CLEAR_SHARE * len(lowered):
        return KNOWN[best]
    return language_called(said)


_OUTSIDE_WORD = re.compile(r"^\W+|\W+$")


@lru_cache(maxsize=65536)
def bare(word: str) -> str:
    """Lower-case, without the punctuation around it, with a straight apostrophe."""
    return _OUTSIDE_WORD.sub("", word).lower().replace("’", "'")
