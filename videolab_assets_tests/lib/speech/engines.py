"""Engines whose words are known beforehand."""

import time
from collections.abc import Callable
from pathlib import Path

from videolab_assets.lib.documents import Segment, Word
from videolab_assets.lib.speech.spoken import Spoken
from videolab_assets.lib.speech.voice import SAMPLE_RATE, Samples


def line(text: str, start: float, end: float, confidence: float = 0.9) -> Segment:
    """A segment whose words share its time evenly."""
    spoken = text.split()
    step = (end - start) / len(spoken)
    words = [
        Word(text=word, start=start + number * step, end=start + (number + 1) * step, confidence=confidence)
        for number, word in enumerate(spoken)
    ]
    return Segment(start=start, end=end, text=text, words=words)


class Noting:
    """Hears the second at which each piece begins, and notes it.

    Args:
        notes: a file that gets a line for each piece, before it is heard.
        stops_at: how many pieces it notes before it hears no more and never returns.
        language_at: the language that is spoken at a second of the recording.
    """

    name = model = identity = "noting"
    draft = False
    languages = frozenset[str]()

    def __init__(
        self, notes: Path | None = None, stops_at: int | None = None, language_at: Callable[[float], str] = lambda _: "en"
    ) -> None:
        self.heard: list[float] = []
        self.likely: list[str | None] = []
        self._notes = notes
        self._stops_at = stops_at
        self._language_at = language_at

    def check(self) -> None:
        """It can always hear."""

    def weights_are_here(self) -> bool:
        return True

    def transcribe(self, samples: Samples, *, start: float, likely: str | None) -> Spoken:
        self.heard.append(start)
        self.likely.append(likely)
        if self._notes:
            with self._notes.open("a") as notes:
                notes.write(f"{start:.2f}\n")
        while len(self.heard) == self._stops_at:
            time.sleep(60)
        language = self._language_at(start)
        return Spoken(language, [line(f"at {start:.2f}", start, start + len(samples) / SAMPLE_RATE)])
