"""Transcripts made word by word, and what of them is shown."""

from collections.abc import Sequence

from videolab_assets.lib.documents import Cue, Segment, Transcript, Word

RULES = (
    *("too_many_lines", "line_too_long", "too_short", "too_long", "too_fast", "overlapping", "too_close", "article_parted", "off_shot"),
)
NO_BREACH = dict.fromkeys(RULES, 0)


def segment_of(words: Sequence[Word], language: str | None = None) -> Segment:
    text = " ".join(word.text for word in words)
    return Segment(start=words[0].start, end=words[-1].end, text=text, words=list(words), language=language)


def transcript_of(words: Sequence[Word], language: str = "en", duration: float = 0.0) -> Transcript:
    segments = [segment_of(words)] if words else []
    return Transcript(engine="made", model="", language=language, draft=False, duration=duration, segments=segments)


def timed(*texts_and_times: tuple[str, float, float], language: str = "en", duration: float = 0.0) -> Transcript:
    words = [Word(text=text, start=start, end=end, confidence=1.0) for text, start, end in texts_and_times]
    return transcript_of(words, language, duration)


def evenly(text: str, start: float, end: float, language: str = "en", duration: float = 0.0) -> Transcript:
    """The text's words one after the other, each as long as the next."""
    texts = text.split()
    step = (end - start) / len(texts)
    said = [(text, start + index * step, start + (index + 1) * step) for index, text in enumerate(texts)]
    return timed(*said, language=language, duration=duration)


def words_in(cues: Sequence[Cue]) -> list[str]:
    return [word for cue in cues for word in cue.text.split()]


def lines_of(cues: Sequence[Cue]) -> list[str]:
    return [line for cue in cues for line in cue.text.split("\n")]
