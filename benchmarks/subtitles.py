"""One hour of words, Spanish and English, to SRT, WebVTT and ASS, and a person's SRT of them back to timed words: CPU seconds against
one second."""

import random
from collections.abc import Callable, Sequence
from typing import Any

from benchmarks.measure import cpu_seconds, in_turn, result
from videolab_assets.lib.documents import Segment, Transcript, Word
from videolab_assets.lib.speech.correction import corrected
from videolab_assets.lib.subtitles import breaches, cues_of, read_srt, to_ass, to_srt, to_webvtt

WORDS = 9000
SECONDS = 3600.0
LIMIT_SECONDS = 1.0
FRAME_RATE = 29.97
SECONDS_A_SHOT = 4.3

CLAUSES = {
    "es": (
        "La masa madre necesita tiempo,",
        "porque la levadura trabaja muy despacio en invierno.",
        "Los vecinos de la plaza prefieren el pan de centeno",
        "y compran las barras antes de las ocho de la mañana.",
        "¿Quién lo iba a decir?",
        "Según la Dra. Núñez, el horno debe llegar a 230 grados;",
        "después se baja hasta los 200",
        "para que la corteza no se queme.",
    ),
    "en": (
        "The old bridge carries a railway and two lanes of traffic,",
        "although the engineers had planned for neither of them.",
        "Every spring we measure the cables",
        "and compare the results with those of the year before.",
        "What did they find?",
        "According to Dr. Hale, the towers move by 3 centimetres,",
        "which is less than a gust of wind would explain.",
        "So nobody needs to worry.",
    ),
}


def run() -> list[dict[str, Any]]:
    """CPU seconds for each language, the limit beside them; reading back is a figure of its own."""
    return [line for language in CLAUSES for line in _measured(language)]


def _measured(language: str) -> list[dict[str, Any]]:
    transcript = _talk(language)
    shots = [SECONDS_A_SHOT * number for number in range(1, int(SECONDS / SECONDS_A_SHOT))]
    cues = cues_of(transcript, frame_rate=FRAME_RATE, shot_times=shots)
    edited = to_srt(cues).encode()

    def write() -> Sequence[str]:
        made = cues_of(transcript, frame_rate=FRAME_RATE, shot_times=shots)
        return to_srt(made), to_webvtt(made), to_ass(made, width=1920, height=1080)

    def read() -> Sequence[Segment]:
        return corrected(transcript.segments, read_srt(edited, duration=SECONDS))

    writing, reading = in_turn(_timed(write), _timed(read))
    broken = {rule: number for rule, number in breaches(cues, FRAME_RATE, shots).items() if number}
    unit = f"CPU s for {transcript.word_count:,} words in one hour"
    return [
        result(
            f"subtitles {language}", writing, LIMIT_SECONDS, f"{unit} to three formats; limit: 1 s", 1.0, cues=len(cues), breaches=broken
        ),
        result(f"subtitles {language} corrected", reading, LIMIT_SECONDS, f"{unit} from an SRT to timed words; limit: 1 s", 1.0),
    ]


def _timed(work: Callable[[], object]) -> Callable[[], float]:
    return lambda: cpu_seconds(work)


def _talk(language: str) -> Transcript:
    """Clauses in an order that chance decides, each word as long as its letters, with pauses after clauses and sentences."""
    chance = random.Random(language)
    texts: list[str] = []
    while len(texts) < WORDS:
        texts += chance.choice(CLAUSES[language]).split()
    paces = [len(text) + 1 + 4 * (text[-1] in ",;") + 9 * (text[-1] in ".?!") for text in texts]
    second = SECONDS / sum(paces)
    segments: list[Segment] = []
    words: list[Word] = []
    now = 0.0
    for text, pace in zip(texts, paces, strict=True):
        words.append(Word(text=text, start=now, end=now + len(text) * second, confidence=0.9))
        now += pace * second
        if text[-1] in ".?!":
            segments.append(_segment(words))
            words = []
    segments += [_segment(words)] if words else []
    return Transcript(engine="made", model="", language=language, draft=False, duration=SECONDS, segments=segments)


def _segment(words: list[Word]) -> Segment:
    return Segment(start=words[0].start, end=words[-1].end, text=" ".join(word.text for word in words), words=words)
