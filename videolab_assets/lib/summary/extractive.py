"""The embedded engine: a summary made of the speaker's own sentences, with no model and no network."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from videolab_assets.lib.documents import KeyPoint, Summary, Transcript
from videolab_assets.lib.summary.engine import NothingSaid
from videolab_assets.lib.summary.language import Language, bare, language_of
from videolab_assets.lib.summary.markdown import clock, escaped
from videolab_assets.lib.summary.ranking import Likeness, Scores, centrality, chosen
from videolab_assets.lib.summary.sentences import Sentence, sentences_of, tokens_of
from videolab_assets.lib.summary.terms import Stem, content_stems, stemmer_of, tags_of
from videolab_assets.lib.summary.wording import clause_ends, contains_any, cut, dangles, hangs, tidied, without_full_stop

VERSION = "2"

LONGEST_TITLE = 70
LONGEST_DESCRIPTION = 300
LONGEST_KEY_POINT = 220
FEWEST_KEY_POINTS, MOST_KEY_POINTS = 3, 7
SENTENCES_PER_KEY_POINT = 3
SECTION_SECONDS = 240.0
MOST_SECTIONS = 12


@dataclass(frozen=True)
class _Text:
    """A transcript as the steps below need it; lists run over sentences. `clean` sentences can stand alone."""

    language: Language
    sentences: list[Sentence]
    texts: list[str]
    stems: list[list[str]]
    scores: Scores
    likeness: Likeness
    clean: list[int]
    tags: list[str]
    stem: Stem

    @property
    def times(self) -> Scores:
        return np.array([sentence.start for sentence in self.sentences], np.float64)

    def best(self, wanted: int, among: Sequence[int] | None = None) -> list[int]:
        """Up to `wanted` different sentences, best first; those that cannot stand alone only where the others do not suffice."""
        allowed = range(len(self.sentences)) if among is None else among
        clean = set(self.clean)
        first = chosen(self.scores, self.likeness, self.times, wanted, allowed=[index for index in allowed if index in clean])
        rest = [index for index in allowed if index not in clean]
        return first + chosen(self.scores, self.likeness, self.times, wanted - len(first), already=first, allowed=rest)


class ExtractiveEngine:
    """Chooses sentences by LexRank, position and wording, and tags by how nouns are used. Spanish and English; other languages
    get the same with less knowledge."""

    name = "extractive"
    model = ""
    follows_prompts = False

    def complaints(self) -> list[str]:
        """None: it needs nothing."""
        return []

    @property
    def identity(self) -> str:
        return f"{self.name}-{VERSION}"

    def summary_of(self, transcript: Transcript, prompt: str | None = None, *, tenant: str = "") -> Summary:
        """The summary. A prompt is ignored: this engine quotes, and cannot follow a wish; it is free, so that no tenant matters.

        From about eight different sentences on there are 3 to 7 key points and 5 to 10 tags. Shorter texts give fewer, and one
        that fits into the description whole gives no key points and no notes, rather than the same words twice.

        Raises:
            NothingSaid: the transcript holds no words.
        """
        text = _read(transcript)
        points = _key_points(text)
        return Summary(
            engine=self.name,
            model=self.model,
            language=text.language.code,
            title=_title(text),
            description=_description(text),
            tags=text.tags,
            key_points=points,
            show_notes=_show_notes(text) if points else "",
        )


def _read(transcript: Transcript) -> _Text:
    tokens = tokens_of(transcript)
    if not tokens:
        raise NothingSaid
    language = language_of((token.text for token in tokens), transcript.language)
    punctuated = any(token.text[-1:] in ".?!," for token in tokens)
    stem = stemmer_of(language)
    # Said again word for word, a sentence counts once: speech engines caught in a loop write one a hundred times.
    first_said: dict[tuple[str, ...], tuple[Sentence, str]] = {}
    for sentence in sentences_of(tokens, language):
        if text := tidied(sentence, language, punctuated):
            first_said.setdefault(tuple(bare(word) for word in text.split()), (sentence, text))
    if not first_said:
        raise NothingSaid
    sentences, texts = [sentence for sentence, _ in first_said.values()], [text for _, text in first_said.values()]
    stems = [content_stems(sentence, language, stem) for sentence in sentences]
    likeness = Likeness(stems)
    scores = _scores(sentences, texts, stems, likeness, language)
    announced = [bool(language.announcement.search(text)) for text in texts]
    return _Text(
        language=language,
        sentences=sentences,
        texts=texts,
        stems=stems,
        scores=scores,
        likeness=likeness,
        clean=[index for index, text in enumerate(texts) if _stands_alone(text, language) and len(set(stems[index])) > 1],
        tags=tags_of(sentences, language, stem, np.where(announced, 1.0, scores)),
        stem=stem,
    )


def _stands_alone(text: str, language: Language) -> bool:
    return not dangles(text, language) and not hangs(text, language)


def _scores(
    sentences: Sequence[Sentence], texts: Sequence[str], stems: Sequence[Sequence[str]], likeness: Likeness, language: Language
) -> Scores:
    """0 to 1: centrality and frequent words, times what position, length, wording and the engine's confidence say."""
    weights = _stem_weights(stems)
    topical = np.array([sum(weights[stem] for stem in set(one)) / max(3, len(set(one))) ** 0.5 for one in stems])
    base = 0.5 * centrality(likeness.cosine) + 0.5 * topical / max(float(topical.max()), 1e-9)
    place = np.arange(len(sentences)) / max(1, len(sentences) - 1)
    base *= 1.0 + 0.3 * np.exp(-place / 0.1) + 0.1 * (place > 0.9)
    for index, (sentence, text) in enumerate(zip(sentences, texts, strict=True)):
        base[index] *= _plainness(text, len(set(stems[index])), language)
        base[index] *= 0.5 + 0.5 * sum(token.confidence for token in sentence.tokens) / len(sentence.tokens)
    return np.asarray(base / max(float(base.max()), 1e-9), np.float64)


def _plainness(text: str, different_stems: int, language: Language) -> float:
    """A factor: statements of some length that speak of the matter, not of the video; "the second enemy is rust" only leads to one."""
    words = text.split()
    factor = 0.4 if different_stems < 3 else 0.7 if different_stems < 5 else 1.0
    factor *= 0.8 if len(words) > 30 else 1.0
    factor *= 0.5 if text.endswith("?") else 1.0
    factor *= 0.2 if contains_any(text, language.housekeeping) else 1.0
    factor *= 0.4 if language.announcement.search(text) else 1.0
    factor *= 0.85 if contains_any(text, language.speaker) else 1.0
    factor *= 1.2 if contains_any(text, language.emphasis) else 1.0
    return factor * (1.15 if any(word[:1].isdigit() or word.strip(".,;").lower() in language.never_tags for word in words) else 1.0)


def _stem_weights(stems: Sequence[Sequence[str]]) -> dict[str, float]:
    """Of each stem, 0 to 1: how many sentences use it, damped so that one word does not decide everything."""
    spread = Counter(stem for one in stems for stem in set(one))
    most = max(spread.values(), default=1)
    return {stem: (count / most) ** 0.5 if count > 1 else 0.5 / most**0.5 for stem, count in spread.items()}


def _key_points(text: _Text) -> list[KeyPoint]:
    if len(text.texts) == 1 or (len(text.texts) <= FEWEST_KEY_POINTS and len(" ".join(text.texts)) <= LONGEST_DESCRIPTION):
        return []
    wanted = min(MOST_KEY_POINTS, max(FEWEST_KEY_POINTS, len(text.texts) // SENTENCES_PER_KEY_POINT))
    points = sorted(text.best(wanted))
    return [
        KeyPoint(time=round(text.sentences[index].start, 3), text=cut(text.texts[index], LONGEST_KEY_POINT, text.language))
        for index in points
    ]


def _description(text: _Text) -> str:
    """Up to three sentences that fit, in the order they were said."""
    if len(text.texts) <= 3 and len(" ".join(text.texts)) <= LONGEST_DESCRIPTION:
        return " ".join(text.texts)
    taken: list[int] = []
    for index in text.best(6):
        if len(taken) < 3 and sum(len(text.texts[one]) + 1 for one in [*taken, index]) <= LONGEST_DESCRIPTION:
            taken.append(index)
    if not taken:
        return cut(text.texts[text.best(1)[0]], LONGEST_DESCRIPTION, text.language)
    return " ".join(text.texts[index] for index in sorted(taken))


def _title(text: _Text) -> str:
    """What the speaker announces as the topic; otherwise the most telling sentence or clause that fits."""
    for sentence in text.texts[: max(12, len(text.texts) // 10)]:
        announced = text.language.announcement.search(sentence)
        topic = announced.group("topic") if announced else ""
        if len(topic.split()) > 1 and not dangles(topic, text.language):
            return without_full_stop(cut(topic[0].upper() + topic[1:], LONGEST_TITLE, text.language))
    weights = _stem_weights(text.stems)
    rated = [
        (_stands_alone(title, text.language), worth, title)
        for index in text.best(12)
        for end in _title_ends(text.texts[index], text.language)
        if (title := without_full_stop(text.texts[index][:end])) and len(title) <= LONGEST_TITLE
        if (worth := _title_worth(text, index, end, weights))
    ]
    best = text.best(1)[0]
    stands_alone, _, title = max(rated, default=(False, 0.0, ""))
    if stands_alone or (title and best not in text.clean):
        return title
    return without_full_stop(cut(text.texts[best], LONGEST_TITLE, text.language))


def _title_ends(sentence: str, language: Language) -> list[int]:
    """Where a title may end: with a clause, but not inside a list ("the light, the lens, and the clock")."""
    ends = [*clause_ends(sentence, language), len(sentence)]
    return ends[:1] + [end for before, end in pairwise(ends) if len(sentence[before:end].strip(" ,;:").split()) > 2]


def _title_worth(text: _Text, index: int, end: int, weights: dict[str, float]) -> float:
    whole = text.texts[index]
    share = len(whole[:end].split()) / len(whole.split())
    stems = text.stems[index][: max(1, round(share * len(text.stems[index])))]
    if len(set(stems)) < 2 or len(whole[:end].split()) < 3:
        return 0.0
    worth = sum(weights[stem] for stem in set(stems)) / len(set(stems)) ** 0.5 * (0.3 + float(text.scores[index]))
    worth *= 1.0 if end == len(whole) else 0.9 if whole[end - 1] in ",;:" else 0.6
    worth *= 0.7 if contains_any(whole[:end], text.language.speaker) else 1.0
    return float(worth * (1.2 if index < len(text.texts) / 4 else 1.0))


def _show_notes(text: _Text) -> str:
    """A walk through the video: one section every few minutes, each under its own words, with its best sentences and their times."""
    length = text.sentences[-1].end - text.sentences[0].start
    count = int(min(MOST_SECTIONS, max(1, length // SECTION_SECONDS), max(1, len(text.texts) // 5)))
    edges = _section_edges(text, count)
    named: set[str] = set()
    parts: list[str] = []
    for opened_at, closed_at in pairwise(edges):
        inside = range(opened_at, closed_at)
        lines = [
            f"- {clock(text.sentences[index].start)} {escaped(text.texts[index])}"
            for index in sorted(text.best(3 if count > 1 else 5, inside))
        ]
        if count > 1:
            own = [
                tag
                for tag in tags_of(text.sentences[opened_at:closed_at], text.language, text.stem, text.scores[opened_at:closed_at])
                if tag not in named
            ][:3]
            named |= set(own)
            heading = f"{clock(text.sentences[opened_at].start)} {escaped(', '.join(own))}".strip()
            parts.append(f"### {heading}\n\n" + "\n".join(lines))
        else:
            parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _section_edges(text: _Text, count: int) -> list[int]:
    """First sentences of `count` sections of about equal length, moved to the longest pause nearby, and the end."""
    starts = text.times
    edges = [0]
    for section in range(1, count):
        aim = int(np.searchsorted(starts, starts[0] + (text.sentences[-1].end - starts[0]) * section / count))
        near = [index for index in range(aim - 2, aim + 3) if edges[-1] + 1 < index < len(starts) - 1]
        if near:
            edges.append(max(near, key=lambda index: text.sentences[index].start - text.sentences[index - 1].end))
    return [*edges, len(starts)]
