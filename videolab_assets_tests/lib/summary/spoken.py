"""Transcripts made from known words, as a good engine and as a draft engine would give them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from videolab_assets.lib.documents import Segment, Transcript, Word

TALKS = Path(__file__).parents[2] / "fixtures" / "transcripts"
TALK_NAMES = sorted(path.stem for path in TALKS.glob("*.json"))


def talk(name: str) -> dict[str, Any]:
    """A hand-written talk with what a good summary of it must hold; see the README beside it."""
    return dict(json.loads((TALKS / f"{name}.json").read_text(encoding="utf-8")))


def spoken(utterances: Sequence[str], language: str = "en", *, draft: bool = False, pause: float = 0.8, rate: float = 2.6) -> Transcript:
    """The utterances said one after another, `rate` words a second; a draft has neither capitals nor punctuation."""
    segments: list[Segment] = []
    now = 0.5
    for utterance in utterances:
        texts = utterance.split()
        if draft:
            texts = ["".join(mark for mark in text.lower() if mark.isalnum() or mark == "'") for text in texts]
        words = [
            Word(text=text, start=now + index / rate, end=now + (index + 0.95) / rate, confidence=0.9) for index, text in enumerate(texts)
        ]
        segments.append(Segment(start=now, end=now + len(texts) / rate, text=" ".join(texts), words=words))
        now += len(texts) / rate + pause
    return Transcript(engine="made", model="made", language=language, draft=draft, duration=now, segments=segments)


def recut(transcript: Transcript, length: int) -> Transcript:
    """The same words at the same times in segments of `length` words: Whisper's end anywhere."""
    words = [word for segment in transcript.segments for word in segment.words]
    pieces = [words[at : at + length] for at in range(0, len(words), length)]
    segments = [
        Segment(start=piece[0].start, end=piece[-1].end, text=" " + " ".join(word.text for word in piece), words=piece) for piece in pieces
    ]
    return transcript.model_copy(update={"segments": segments})
