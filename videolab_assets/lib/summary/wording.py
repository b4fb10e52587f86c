"""Sentences made fit to stand alone: without hesitations and openers, cut where a clause ends."""

import re
from itertools import pairwise

from videolab_assets.lib.summary.language import Language, bare
from videolab_assets.lib.summary.sentences import Sentence

LEAST_LEFT = 4
"""Words that a sentence keeps when its openers are taken away."""

_TRAILING = " ,;:—–-.…"


def tidied(sentence: Sentence, language: Language, punctuated: bool) -> str:
    """The sentence without hesitations, stammered function words and openers, with a capital and, where it has none, a full stop.

    Empty where nothing is left that is a word.
    """
    words: list[str] = []
    for token in sentence.tokens:
        plain = bare(token.text)
        repeated = bool(words) and plain in language.stop_words and plain == bare(words[-1])
        if plain in language.hesitations or (repeated and words[-1][-1:].isalnum()):
            continue
        words.append(token.text)
    while len(words) > LEAST_LEFT and _is_opener(words[0], language):
        words = words[1:]
    if not any(mark.isalnum() for word in words for mark in word):
        return ""
    if language.code == "en" and not punctuated:
        words = [_with_capital(word) if bare(word) in ("i", "i'm", "i've", "i'll", "i'd") else word for word in words]
    text = _with_capital(" ".join(words))
    return text if re.search(r"[.?!…][\"”»')]*$", text) else text.rstrip(_TRAILING) + "."


def _is_opener(word: str, language: Language) -> bool:
    plain = bare(word)
    return plain in language.openers or (word.endswith(",") and plain in language.asides)


def _with_capital(text: str) -> str:
    for index, mark in enumerate(text):
        if mark.isalnum():
            return text[:index] + mark.upper() + text[index + 1 :]
    return text


def dangles(text: str, language: Language) -> bool:
    """Whether the text's beginning points back at something that was said before."""
    return _begins_with(text, language.dangling)


def hangs(text: str, language: Language) -> bool:
    """Whether the text's end belongs to words that are missing ("thanks to the"), as where running speech was divided somewhere."""
    return bare(text.rsplit(maxsplit=1)[-1]) in language.ties


def _begins_with(text: str, words: frozenset[str]) -> bool:
    first, second, third = ([bare(word) for word in text.split(maxsplit=3)[:3]] + ["", "", ""])[:3]
    return not words.isdisjoint((first, first.partition("'")[0], f"{first}_{second}", f"{first}_{second}_{third}"))


def contains_any(text: str, words: frozenset[str]) -> bool:
    """Whether a word, or two neighbours joined by `_`, is among `words`."""
    plain = [bare(word) for word in text.split()]
    return any(word in words for word in plain) or any(f"{one}_{other}" in words for one, other in pairwise(plain))


def cut(text: str, longest: int, language: Language) -> str:
    """`text` in at most `longest` characters: whole, up to the end of a clause, or up to a word with an ellipsis; never inside a
    word unless a single word is longer."""
    if len(text) <= longest:
        return text
    ends = [end for end in clause_ends(text, language) if longest * 0.4 <= end <= longest]
    if ends:
        return text[: ends[-1]].rstrip(_TRAILING)
    words = text[:longest].rsplit(" ", 1)[0].split() if " " in text[:longest] else []
    while len(words) > 1 and bare(words[-1]) in language.ties:
        words.pop()
    kept = " ".join(words).rstrip(_TRAILING)
    return f"{kept}…" if kept and len(kept) < longest else text[: longest - 1] + "…"


def clause_ends(text: str, language: Language) -> list[int]:
    """Character positions, rising, where a clause ends: after a comma or its like, or before a word that opens another clause."""
    ends = [match.end(1) for match in re.finditer(r"(\S[,;:]|\s[—–])(?=\s)", text)]
    ends += [match.start() - 1 for match in re.finditer(r"(?<=\s)\S+", text) if bare(match.group()) in language.clause_openers]
    return sorted(ends)


def without_full_stop(text: str) -> str:
    """As a title is written: a question mark and the dot of an acronym ("U.S.") stay, a full stop goes."""
    return text if text.endswith("…") or re.search(r"\b\w\.\w\.$", text) else text.rstrip(_TRAILING)
