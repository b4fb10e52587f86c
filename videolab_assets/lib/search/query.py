"""Words as they are indexed, and what a person asks for: matched and ranked the same whatever database holds the index.

Nothing a person types is ever part of a statement's syntax: a query is taken apart into words of letters and digits here, and put
together anew for SQLite's FTS5 or for PostgreSQL.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from videolab_assets.lib.errors import PermanentError

LONGEST_QUERY = 300
"""Characters."""
MOST_TERMS = 32
LONGEST_WORD = 64
"""Characters; a longer one counts as several. PostgreSQL takes 2,046 bytes."""
MOST_WORDS = 1000
"""Words of a sentence that are indexed: nobody says more, and PostgreSQL keeps 16,383 positions."""

SATURATION, LENGTH_WEIGHT, USUAL_LENGTH = 1.2, 0.75, 15
"""BM25's k1 and b (Robertson and Zaragoza, 2009), and words in a usual sentence."""

_QUOTED = re.compile(r'"([^"]*)"?')
_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂", '"'))
_APART = re.compile(r"[\s,;|()\[\]{}]+")
_EDGES = re.compile(r"^\W+|\W+$")
_WORD = re.compile(rf"[^\W_]{{1,{LONGEST_WORD}}}")


class _Folding(dict[int, str]):
    """For `str.translate`: each character in lower case and without its accents, worked out once. An apostrophe joins: don't = dont."""

    def __missing__(self, code: int) -> str:
        if chr(code) in "'’‘ʼ":
            folded = ""
        else:
            parts = unicodedata.normalize("NFKD", chr(code).casefold())
            folded = "".join(mark for mark in parts if not unicodedata.combining(mark)).casefold()
        self[code] = folded
        return folded


_FOLDING = _Folding()


def words_in(text: str) -> list[str]:
    """The words of a text as they are indexed and compared: letters and digits only, case and accents folded, ñ among them.

    "También", "TAMBIEN" and "tambien" are one word, and so are "Ñandú" and "nandu", "año" and "ano": who types on a keyboard without
    ñ finds what was said, and `Query.worth` puts the spelling that was asked for first.
    """
    folded = text.lower().replace("'", "") if text.isascii() else text.translate(_FOLDING)  # the former is five times as fast
    return _WORD.findall(folded)[:MOST_WORDS]


@dataclass(frozen=True)
class Term:
    """What has to occur: a word, or several right after another.

    Attributes:
        words: folded; at least one.
        begins: the last word may go on ("beginn*").
        forms: for a single whole word, that word and its other number ("flor", "flores"); otherwise empty.
        spelling: finds the words as they were typed, in text without capitals.
    """

    words: tuple[str, ...]
    begins: bool
    forms: frozenset[str]
    spelling: re.Pattern[str]

    def for_fts5(self) -> str:
        """Every word is quoted, so that none is an operator."""
        if self.forms:
            return "(" + " OR ".join(f'"{form}"' for form in sorted(self.forms)) + ")"
        return f'"{" ".join(self.words)}"' + "*" * self.begins

    def for_tsquery(self) -> str:
        """Every word is quoted, so that none is an operator."""
        if self.forms:
            return "(" + " | ".join(f"'{form}'" for form in sorted(self.forms)) + ")"
        return "(" + " <-> ".join(f"'{word}'" for word in self.words) + ":*" * self.begins + ")"

    def places(self, words: Sequence[str]) -> list[int]:
        """Where the term begins among the words of a text."""
        if self.forms:
            return [place for place, word in enumerate(words) if word in self.forms]
        *whole, last = self.words
        ends = range(len(whole), len(words))
        return [
            end - len(whole)
            for end in ends
            if (words[end].startswith(last) if self.begins else words[end] == last) and list(words[end - len(whole) : end]) == whole
        ]


@dataclass(frozen=True)
class Query:
    """What a person asks for: terms that must all occur."""

    terms: tuple[Term, ...]

    @classmethod
    def of(cls, typed: str) -> "Query":
        """Takes apart what was typed: words, "words in this order", and `beginn*` of two letters or more.

        A word written as several ("3.5", "e-mail") is several in this order. Any other sign is ignored, and no word is an operator.

        Raises:
            PermanentError: there is no word in it, or it is too long.
        """
        if len(typed) > LONGEST_QUERY:
            raise PermanentError(f"That is too much to search for: use at most {LONGEST_QUERY} characters.")
        terms = tuple(dict.fromkeys(_terms(typed)))
        if not terms:
            raise PermanentError("There is no word to search for: give at least one letter or digit.")
        if len(terms) > MOST_TERMS:
            raise PermanentError(f"That is too much to search for: use at most {MOST_TERMS} different words.")
        return cls(terms)

    def for_fts5(self) -> str:
        """In the language of SQLite's MATCH."""
        return " AND ".join(term.for_fts5() for term in self.terms)

    def for_tsquery(self) -> str:
        """In the language of PostgreSQL's tsquery."""
        return " & ".join(term.for_tsquery() for term in self.terms)

    def worth(self, sentence: str, following: str) -> float:
        """How well a sentence answers: 0 not at all, above 0.5 by itself, up to 0.5 only together with the sentence that follows it.

        Within these halves BM25 counts how often the terms occur for the sentence's length, and it helps that they stand close together
        and are spelled as they were typed. All terms must occur, so that a term's rarity would change nothing: it is left out.
        """
        own = words_in(sentence)
        in_own = [term.places(own) for term in self.terms]
        if all(in_own):
            return 0.5 + 0.5 * self._merit(in_own, len(own), sentence)
        if len(self.terms) == len(self.terms[0].words) == 1:
            return 0.0  # one word never needs two sentences
        after = words_in(following)
        in_after = [term.places(after) for term in self.terms]
        if all(in_after):
            return 0.0  # the next sentence answers for itself
        together = own + after
        places = [
            term.places(together) if len(term.words) > 1 else here + [len(own) + place for place in there]
            for term, here, there in zip(self.terms, in_own, in_after, strict=True)
        ]
        return 0.5 * self._merit(places, len(together), f"{sentence} {following}") if all(places) else 0.0

    def _merit(self, places: Sequence[Sequence[int]], length: int, text: str) -> float:
        """Above 0, up to 1."""
        damping = SATURATION * (1 - LENGTH_WEIGHT + LENGTH_WEIGHT * length / USUAL_LENGTH)
        often = sum(len(found) / (len(found) + damping) for found in places) / len(places)
        lowered = text.lower()
        spelled = sum(bool(term.spelling.search(lowered)) for term in self.terms) / len(self.terms)
        return 0.4 * often + 0.3 * _closeness(places) + 0.3 * spelled


def _closeness(places: Sequence[Sequence[int]]) -> float:
    """1 where the terms stand side by side, towards 0 the further apart they are; measured from the places of the rarest."""
    if len(places) == 1:
        return 1.0
    rarest = min(places, key=len)
    spread = min(max(min(abs(place - other) for other in found) for found in places) for place in rarest)
    return min(1.0, (len(places) - 1) / max(1, spread))


def _terms(typed: str) -> Iterator[Term]:
    reached = 0
    evened = typed.translate(_QUOTES)
    for quoted in _QUOTED.finditer(evened):
        yield from _loose_terms(evened[reached : quoted.start()])
        reached = quoted.end()
        if term := _term(quoted.group(1), quoted=True):
            yield term
    yield from _loose_terms(evened[reached:])


def _loose_terms(typed: str) -> Iterator[Term]:
    for piece in _APART.split(typed):
        if term := _term(piece, quoted=False):
            yield term


def _term(typed: str, *, quoted: bool) -> Term | None:
    words = words_in(typed)
    if not words:
        return None
    begins = typed.rstrip().endswith("*") and len(words[-1]) > 1
    alone = len(words) == 1 and not begins and not quoted
    lowered = " ".join(_EDGES.sub("", unicodedata.normalize("NFC", typed)).lower().split())
    spelling = re.compile(rf"(?<!\w){re.escape(lowered)}" + ("" if begins else r"(?!\w)"))
    return Term(tuple(words), begins, _numbers(words[0]) if alone else frozenset(), spelling)


def _numbers(word: str) -> frozenset[str]:
    """The word and what may be its singular or plural in Spanish or English; what is no word there is never met and does no harm.

    More stemming would find what was not meant: it makes one word of "plan" and "plane", "casa" and "caso".
    """
    forms = {word}
    if len(word) < 3 or not word.isalpha():
        return frozenset(forms)
    if word.endswith("s"):
        forms.add(word[:-1])
        if word.endswith("ces"):
            forms.add(word[:-3] + "z")
        if word.endswith("ies"):
            forms.add(word[:-3] + "y")
        if word.endswith("es") and _takes_es(word[:-2]):
            forms.add(word[:-2])
    else:
        forms.add(word + "s")
    if _takes_es(word):
        forms.add(word + "es")
    if word.endswith("z"):
        forms.add(word[:-1] + "ces")
    if word.endswith("y"):
        forms.add(word[:-1] + "ies")
    return frozenset(forms)


def _takes_es(word: str) -> bool:
    return word.endswith(("d", "j", "l", "n", "r", "s", "x", "y", "z", "o", "ch", "sh", "i", "u"))
