"""A recording in, its words out: piece by piece, with bounded memory and progress."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from videolab_assets.lib.speech.engine import Engine
from videolab_assets.lib.speech.pieces import pieces, read
from videolab_assets.lib.speech.spoken import Spoken, joined

Progress = Callable[[float, float], None]
"""Told the seconds done and the seconds in all, after each piece and at the end."""


def transcribe(audio: Path, engine: Engine, *, duration: float, language: str | None = None, progress: Progress | None = None) -> Spoken:
    """The words of a FLAC file that our own decode made.

    Memory holds one piece of sound and the words so far, whatever the length.

    Args:
        audio: mono 16 kHz FLAC, never an upload.
        engine: what hears the words.
        duration: seconds of sound in the file.
        language: ISO 639-1 if known. An engine that does not know it hears what it can: PocketSphinx hears English in everything.
        progress: told after each piece.

    Raises:
        TransientError: the file could not be read to its end.
        PermanentError: the engine cannot work on this machine.
    """
    heard: list[Spoken] = []
    with closing(read(audio, duration)) as blocks:
        for piece in pieces(blocks):
            heard.append(engine.transcribe(piece.samples, start=piece.start, language=language))
            if progress:
                progress(min(piece.end, duration), duration)
    if progress:
        progress(duration, duration)
    return joined(heard)


def progress_lines(log: Callable[[str], None], clock: Callable[[], float] = time.monotonic) -> Progress:
    """A `Progress` that logs lines as `transcribed 30 s of 90 s, about 20 s left`, from now on."""
    began = clock()

    def tell(done: float, total: float) -> None:
        if done >= total:
            log(f"transcribed {total:.0f} s in {clock() - began:.0f} s")
            return
        left = (clock() - began) * (total - done) / done
        log(f"transcribed {done:.0f} s of {total:.0f} s, about {left:.0f} s left")

    return tell
