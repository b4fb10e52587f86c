"""From a transcript's timed words to sentences, in text with punctuation and without."""

import math
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from videolab_assets.lib.documents import Segment, Transcript, Word
from videolab_assets.lib.summary.language import Language, bare

LONGEST_SENTENCE = 40
"""Words. Past this a listener has heard a full stop, whatever the engine wrote."""
LONGEST_UTTERANCE = 24
"""Words, in text without punctuation, whose sentences have nothing else to end them; spoken ones have about twelve."""
SHORTEST_PIECE = 6
"""Words left on either side where an overlong sentence is divided."""
UTTERANCE_PAUSE = 0.7
"""Seconds of silence that end a sentence in text without punctuation."""
BREATH = 0.2
"""Seconds of silence without which the end of a segment ends no sentence: engines and subtitles divide running speech anywhere."""
SCENE_PAUSE = 3.0
"""Seconds of silence that end a sentence in any text."""
LATEST = 1e6
"""Seconds. No recording lasts eleven days: a later time is an engine's mistake."""
WORDS_PER_FULL_STOP = 50
"""Text with fewer full stops than one in so many words counts as unpunctuated."""

_CLOSING = "\"'”’»)]}›"
_OPENING = "\"'“‘«([{‹¿¡—–-"
_INITIAL = re.compile(r"[^\W\d_]")
_INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
_LIST_NUMBER = re.compile(r"\d{1,2}[.)]")


@dataclass(frozen=True, slots=True)
class Token:
    """One spoken word as written: no white space inside, punctuation attached. Times in seconds, never running backwards."""

    text: str
    start: float
    end: float
    confidence: float = 1.0
    closes_segment: bool = False


@dataclass(frozen=True, slots=True)
class Sentence:
    """Consecutive tokens that say one thing; never empty."""

    tokens: tuple[Token, ...]

    @property
    def text(self) -> str:
        return " ".join(token.text for token in self.tokens)

    @property
    def start(self) -> float:
        return self.tokens[0].start

    @property
    def end(self) -> float:
        return self.tokens[-1].end


def tokens_of(transcript: Transcript) -> list[Token]:
    """Every word of the transcript in order, fit to be shown.

    Control characters and white space are removed from inside words; times that are no number, later than `LATEST`, negative or before
    the word ahead are moved up to it. A segment without word times gets its text's words spread evenly over its length. Where its text
    has as many words as it has times, the text's are shown: they carry the capitals and full stops that an engine adds afterwards.
    """
    tokens: list[Token] = []
    reached = 0.0
    for segment in transcript.segments:
        opened_at = len(tokens)
        written = segment.text.split()
        as_written = len(written) == len(segment.words)
        for place, word in enumerate(segment.words or _spread(segment)):
            for text in _printable(written[place] if as_written else word.text).split():
                start = max(reached, word.start) if word.start < LATEST else reached
                end = max(start, word.end) if word.end < LATEST else start
                tokens.append(Token(text, start, end, word.confidence))
                reached = start
        if len(tokens) > opened_at:
            last = tokens[-1]
            tokens[-1] = Token(last.text, last.start, last.end, last.confidence, closes_segment=True)
    return tokens


def sentences_of(tokens: Sequence[Token], language: Language) -> list[Sentence]:
    """Divides tokens into sentences of at most `LONGEST_SENTENCE` words.

    Full stops decide where there are enough of them; otherwise segments and pauses do.
    """
    texts = [token.text for token in tokens]
    stops = sentence_ends(texts, language)
    punctuated = sum(stops) * WORDS_PER_FULL_STOP >= len(tokens) and any(text[-1:] in ".?!…" for text in texts)
    sentences: list[Sentence] = []
    opened_at = 0
    for index, token in enumerate(tokens):
        pause = tokens[index + 1].start - token.end if index + 1 < len(tokens) else math.inf
        utterance_over = not punctuated and pause >= (BREATH if token.closes_segment else UTTERANCE_PAUSE)
        if stops[index] or utterance_over or pause >= SCENE_PAUSE:
            longest = LONGEST_SENTENCE if punctuated else LONGEST_UTTERANCE
            sentences += [Sentence(piece) for piece in _pieces(tuple(tokens[opened_at : index + 1]), language, longest)]
            opened_at = index + 1
    return sentences


def sentence_ends(texts: Sequence[str], language: Language) -> list[bool]:
    """Says of each word, written with its punctuation, whether a full stop, question or exclamation mark ends a sentence there.

    Abbreviations, initials, list numbers, decimals and trailing dots before a lower-case word do not. The last word always does.
    """
    has_capitals = any(text[:1].isupper() for text in texts)
    around = zip(["", *texts], texts, texts[1:], strict=False)
    ends = [_ends_before(before, text, following, language, has_capitals) for before, text, following in around]
    for index, text in enumerate(texts[:-1]):
        opens_sentence = index == 0 or ends[index - 1]
        if opens_sentence and _LIST_NUMBER.fullmatch(text):
            ends[index] = False
    return [*ends, True] if texts else []


def _ends_before(before: str, text: str, following: str, language: Language, has_capitals: bool) -> bool:
    stripped = text.rstrip(_CLOSING)
    if stripped[-1:] not in (".", "?", "!", "…"):
        return False
    goes_on = has_capitals and following.lstrip(_OPENING)[:1].islower() and following[:1] not in "¿¡"
    if stripped[-1] != "." or stripped.endswith("..."):
        return not goes_on
    core = stripped.rstrip(".").lstrip(_OPENING).lower()
    if _INITIAL.fullmatch(core) and _INITIAL.fullmatch(first := before.rstrip(".").lstrip(_OPENING).lower()) and before.endswith("."):
        core = f"{first}.{core}"  # "p. m.", "a. C.", "S. A."
    if core in language.titles or (core in language.number_signs and following[:1].isdigit()):
        return False
    if core in language.last_words:
        return has_capitals and following.lstrip(_OPENING)[:1].isupper() and bare(following) not in language.never_tags
    if core in language.closers or _INITIALS.fullmatch(core):
        return _opens_sentence(following, language, has_capitals)
    looks_abbreviated = goes_on and len(core) <= 4
    return not looks_abbreviated


def _opens_sentence(text: str, language: Language, has_capitals: bool) -> bool:
    """Whether the word after an ambiguous dot begins a sentence: a function word with a capital does, a name or initial may not."""
    if text[:1] in "¿¡":
        return True
    if text.endswith(".") and _INITIAL.fullmatch(bare(text)):
        return False
    return has_capitals and text.lstrip(_OPENING)[:1].isupper() and bare(text) in language.stop_words


def _pieces(tokens: tuple[Token, ...], language: Language, longest: int) -> Iterator[tuple[Token, ...]]:
    """Divides an overlong run at its best places: longest pause, comma, segment end, or before a word that opens a sentence."""

    def worth(cut: int) -> float:
        before, after = tokens[cut - 1], tokens[cut]
        gain = min(after.start - before.end, 2.0) * 4
        gain += 3.0 if before.text[-1:] in ",;:" else 0.0
        gain += 2.0 if before.closes_segment and after.start - before.end >= BREATH else 0.0
        gain += 1.0 if bare(after.text) in language.openers else 0.0
        gain -= 2.0 if bare(before.text) in language.ties else 0.0
        return gain + (cut - opened_at) / longest

    opened_at = 0
    while len(tokens) - opened_at > longest:
        last = min(opened_at + longest, len(tokens) - SHORTEST_PIECE)
        cut = max(range(opened_at + SHORTEST_PIECE, last + 1), key=worth)
        yield tokens[opened_at:cut]
        opened_at = cut
    yield tokens[opened_at:]


def _spread(segment: Segment) -> list[Word]:
    texts = segment.text.split()
    step = (segment.end - segment.start) / len(texts) if texts else 0.0
    return [
        Word(text=text, start=segment.start + index * step, end=segment.start + (index + 1) * step, confidence=1.0)
        for index, text in enumerate(texts)
    ]


_UNPRINTABLE = {"Cc", "Cs"}


def _printable(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    shown = (mark for mark in text if mark.isspace() or unicodedata.category(mark) not in _UNPRINTABLE)
    return "".join(shown).replace("\ufeff", "")
