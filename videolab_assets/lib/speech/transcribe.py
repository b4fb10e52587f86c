"""A recording in, its words out: piece by piece, with bounded memory, progress, and a journal to go on from."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from videolab_assets.lib.speech.engine import Engine
from videolab_assets.lib.speech.pieces import Piece, pieces, read
from videolab_assets.lib.speech.plausible import without_echoes
from videolab_assets.lib.speech.spoken import Spoken, joined, words_by_language

LINE_EVERY_SHARE = 0.05
LINE_EVERY_SECONDS = 300.0
"""A line of progress comes with every twentieth of the recording, or after five minutes without one."""

Clock = Callable[[], float]


class Journal(Protocol):
    """Remembers what was heard in a piece, past the end of this process."""

    def recall(self, piece: Piece) -> Spoken | None:
        """What was kept of the very same piece; None where nothing was, or nothing that can be relied on."""

    def keep(self, piece: Piece, spoken: Spoken) -> None:
        """Keeps it, whole or not at all."""


Progress = Callable[[float, float, float | None], None]
"""Told after each piece and at the end: seconds of the recording done, seconds in all, and wall seconds left by the pace so far.

The last is None as long as every piece came from an earlier run: those say nothing of the pace.
"""


@dataclass(frozen=True)
class Hearing:
    """What was heard, in how many pieces, how many of them by an earlier run, and seconds of recording newly heard per wall second.

    The speed is 0 where nothing was heard anew.
    """

    spoken: Spoken
    pieces: int
    pieces_resumed: int
    speed: float


def transcribe(
    audio: Path,
    engine: Engine,
    *,
    duration: float,
    journal: Journal | None = None,
    progress: Progress | None = None,
    clock: Clock = time.monotonic,
) -> Hearing:
    """The words of a FLAC file that our own decode made, in order and within its duration.

    Memory holds one piece of sound and the words so far, whatever the length. With a journal, a run that was killed goes on at the
    piece it was at, and hears the same as a run that was not.

    Args:
        audio: mono 16 kHz FLAC, never an upload.
        engine: what hears the words.
        duration: seconds of sound in the file.
        journal: of this recording and this engine; only the caller knows when the words are safe elsewhere and it can be cleared.
        progress: told after each piece.
        clock: wall seconds.

    Raises:
        TransientError: the file could not be read to its end, or the model could not be downloaded.
        PermanentError: the engine cannot work on this machine, or not with these options.
    """
    heard: list[Spoken] = []
    words: Counter[str] = Counter()
    resumed = 0
    pace = _Pace(clock)
    with closing(read(audio, duration)) as blocks:
        for piece in pieces(blocks):
            spoken = journal.recall(piece) if journal else None
            anew = spoken is None
            if spoken is None:
                likely = words.most_common(1)[0][0] if words else None
                spoken = engine.transcribe(piece.samples, start=piece.start, likely=likely)
                if journal:
                    journal.keep(piece, spoken)
            resumed += not anew
            heard.append(spoken)
            words += words_by_language([spoken])
            pace.reached(min(piece.end, duration), anew=anew)
            if progress:
                progress(pace.done, duration, pace.seconds_for(duration - pace.done))
    if progress:
        progress(duration, duration, 0.0)
    return Hearing(joined(without_echoes(heard)), len(heard), resumed, pace.speed)


class _Pace:
    """Recording and wall seconds of the stretches that were heard anew; what was recalled counts in neither."""

    def __init__(self, clock: Clock) -> None:
        self.done = 0.0
        self._clock = clock
        self._at = clock()
        self._recording = 0.0
        self._wall = 0.0

    def reached(self, position: float, *, anew: bool) -> None:
        """The work is now at this second of the recording."""
        now = self._clock()
        if anew:
            self._recording += position - self.done
            self._wall += now - self._at
        self.done, self._at = position, now

    @property
    def speed(self) -> float:
        return self._recording / self._wall if self._wall else 0.0

    def seconds_for(self, recording: float) -> float | None:
        """Wall seconds that so much of the recording will take; None while there is no telling."""
        return recording * self._wall / self._recording if self._recording else None


def progress_lines(log: Callable[[str], None], clock: Clock = time.monotonic) -> Progress:
    """A `Progress` that logs lines as `transcribed 30 s of 90 s, about 20 s left`, from now on; some twenty for any recording."""
    began = clock()
    told_at = began
    told_done = float("-inf")
    resumed_to = 0.0

    def tell(done: float, total: float, left: float | None) -> None:
        nonlocal told_at, told_done, resumed_to
        now = clock()
        if done >= total:
            log(f"transcribed {total:.0f} s in {now - began:.0f} s")
        elif left is None:
            resumed_to = done
        elif done - told_done >= LINE_EVERY_SHARE * total or now - told_at >= LINE_EVERY_SECONDS:
            earlier = f", the first {resumed_to:.0f} s by an earlier run" if resumed_to and told_done < 0 else ""
            log(f"transcribed {done:.0f} s of {total:.0f} s{earlier}, about {left:.0f} s left")
            told_at, told_done = now, done

    return tell
