"""What the extractive summary of an hour of speech costs without a network, and how many facts it tells of hand-written talks."""

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import ROUNDS, in_turn, result
from videolab_assets.lib.documents import Segment, Transcript, Word
from videolab_assets.lib.summary import open_engine
from videolab_assets.lib.summary.language import KNOWN, bare
from videolab_assets.lib.summary.terms import content_word

TALKS = Path(__file__).resolve().parent.parent / "videolab_assets_tests" / "fixtures" / "transcripts"
WORDS_AN_HOUR = 9000
WORDS_A_SECOND = 2.5
CPU_SECONDS_ALLOWED = 1.0
SHARE_MISSED_ALLOWED = 0.7

# Python tells this hook of every name looked up and every socket made or connected, whichever library does it.
WITHOUT_NETWORK = """
import sys
def refuse(event, arguments):
    if event.startswith("socket."):
        raise PermissionError(event)
sys.addaudithook(refuse)
import json, time
from videolab_assets.lib.documents import Transcript
from videolab_assets.lib.summary import open_engine
transcript = Transcript.model_validate_json(sys.stdin.read())
before = time.process_time()
summary = open_engine("extractive").summary_of(transcript)
spent = time.process_time() - before
assert len(summary.key_points) == 7 and summary.tags, summary
try:
    import socket
    socket.create_connection(("localhost", 9))
except PermissionError:
    print(json.dumps(spent))
"""


def run() -> list[dict[str, Any]]:
    """CPU seconds of an hour's summary in a process that may open no socket, and the facts missed in as many sentences."""
    hours = {language: _hour(language).model_dump_json() for language in KNOWN}
    spanish, english = in_turn(lambda: _spent(hours["es"]), lambda: _spent(hours["en"]))
    unit = f"CPU s for {WORDS_AN_HOUR:,} words, no socket allowed; limit: what the project allows"
    told, first, possible = _facts()
    facts = f"facts of {possible} in the hand-written talks that the key points miss; peer: as many of the first sentences"
    return [
        result(
            "summary",
            max(spanish, english),
            CPU_SECONDS_ALLOWED,
            unit,
            1.0,
            spanish=round(spanish, 3),
            english=round(english, 3),
            rounds=ROUNDS,
        ),
        result("summary_facts", possible - told, possible - first, facts, SHARE_MISSED_ALLOWED, told=told, told_by_first_sentences=first),
    ]


def _spent(transcript: str) -> float:
    """CPU seconds of the summary in a fresh process, imports of the engine's libraries included."""
    done = subprocess.run([sys.executable, "-c", WITHOUT_NETWORK], input=transcript, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout))


def _facts() -> tuple[int, int, int]:
    """Facts told by the key points, by as many first sentences, and by the talks as a whole."""
    told = first = possible = 0
    for path in sorted(TALKS.glob("*.json")):
        talk = json.loads(path.read_text(encoding="utf-8"))
        if not talk.get("facts"):
            continue
        points = [point.text for point in open_engine("extractive").summary_of(_transcript(talk["utterances"], "und")).key_points]
        told += _told(talk["facts"], points)
        first += _told(talk["facts"], talk["utterances"][: len(points)])
        possible += len(talk["facts"])
    return told, first, possible


def _told(facts: list[list[str]], sentences: list[str]) -> int:
    return sum(any(all(word.lower() in sentence.lower() for word in fact) for sentence in sentences) for fact in facts)


def _hour(language: str) -> Transcript:
    """The talks of one language again and again; each time other words carry the meaning, a fifth of them new."""
    chance = random.Random(7)
    talks = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(TALKS.glob("*.json"))]
    sentences = [sentence for talk in talks if talk["language"] == language for sentence in talk["utterances"]]
    meaningful = sorted({word for sentence in sentences for text in sentence.split() if (word := content_word(text, KNOWN[language]))})
    said: list[str] = []
    while sum(len(sentence.split()) for sentence in said) < WORDS_AN_HOUR:
        others = {word: _other(word, meaningful, chance) for word in meaningful}
        said += [" ".join(_replaced(text, others) for text in sentence.split()) for sentence in sentences]
    return _transcript(said, language)


def _other(word: str, words: list[str], chance: random.Random) -> str:
    luck = chance.random()
    return word if luck < 0.5 else chance.choice(words) if luck < 0.8 else chance.choice(words)[:4] + word[2:]


def _replaced(text: str, others: dict[str, str]) -> str:
    word = bare(text)
    return text.lower().replace(word, others[word]) if word in others else text


def _transcript(sentences: list[str], language: str) -> Transcript:
    segments: list[Segment] = []
    now = 0.0
    for sentence in sentences:
        texts = sentence.split()
        words = [
            Word(text=text, start=now + place / WORDS_A_SECOND, end=now + (place + 0.9) / WORDS_A_SECOND, confidence=0.9)
            for place, text in enumerate(texts)
        ]
        segments.append(Segment(start=now, end=words[-1].end, text=sentence, words=words))
        now = words[-1].end + 0.8
    return Transcript(engine="made", model="", language=language, draft=False, duration=now, segments=segments)
