"""What was said: the value that engines return for a piece and `transcribe` for a whole recording."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from videolab_assets.lib.documents import Segment

NO_LANGUAGE = "und"
"""The language, in ISO 639's words "undetermined", of a recording in which nothing is said."""


@dataclass(frozen=True)
class Spoken:
    """Segments in time order and their language: ISO 639-1, or `und` where nothing was said."""

    language: str = NO_LANGUAGE
    segments: list[Segment] = field(default_factory=list)

    @property
    def word_count(self) -> int:
        return sum(len(segment.words) for segment in self.segments)


def joined(parts: Iterable[Spoken]) -> Spoken:
    """The parts one after the other, in the language that most words are in; segments in another one say so."""
    parts = list(parts)
    words = words_by_language(parts)
    most = words.most_common(1)[0][0] if words.total() else NO_LANGUAGE
    segments = [
        segment.model_copy(update={"language": language if language != most else None})
        for part in parts
        for segment in part.segments
        for language in [segment.language or part.language]
    ]
    return Spoken(most, segments)


def words_by_language(parts: Iterable[Spoken]) -> Counter[str]:
    """How many words of the parts are in each language."""
    words: Counter[str] = Counter()
    for part in parts:
        for segment in part.segments:
            words[segment.language or part.language] += len(segment.words)
    return words
