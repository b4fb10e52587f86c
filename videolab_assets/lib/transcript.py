"""A video's transcript: what the engine hears, and what a person says was said."""

import hashlib
import time
from dataclasses import dataclass
from pathlib import Path

from videolab_assets.lib.documents import Audio, Correction, Transcript
from videolab_assets.lib.keys import library_key
from videolab_assets.lib.library import Library
from videolab_assets.lib.recipe import recipe
from videolab_assets.lib.scratch import scratch_folder
from videolab_assets.lib.sidecars import CORRECTED_SUBTITLES
from videolab_assets.lib.speech.correction import corrected
from videolab_assets.lib.speech.engine import Engine
from videolab_assets.lib.speech.journal import StoreJournal
from videolab_assets.lib.speech.transcribe import Hearing, Progress, transcribe
from videolab_assets.lib.store import ObjectMissing
from videolab_assets.lib.subtitles import read_srt
from videolab_assets.lib.subtitles.srt import LONGEST_SRT_BYTES
from videolab_assets.lib.summary.language import language_of

CODE_VERSION = "2"
"""Raised with the cutting into pieces, the filters and the alignment of corrections; engines name themselves."""


@dataclass(frozen=True)
class Made:
    """A transcript, whether an earlier run had `found` it finished, and whether its correction is one that was not there before."""

    transcript: Transcript
    found: bool
    newly_corrected: bool = False


def version_of(engine: Engine) -> str:
    """What decides the words beside the sound: changing it makes transcripts stale, and nothing else."""
    return f"{CODE_VERSION} {engine.identity}"


def make(video_key: str, audio: Audio, library: Library, engine: Engine, scratch: Path, progress: Progress | None = None) -> Made:
    """The transcript that holds for a video, written to the library.

    Words come from the engine unless a person laid corrected subtitles into the inbox: then the words are the person's, at the times
    that the engine heard them, for as long as that file stays in the library, whatever engine hears the sound later. Nothing is heard
    twice: neither when a correction comes or changes, nor the pieces that a killed run left.

    Raises:
        PermanentError: the engine cannot work here, or the correction is no longer readable.
        TransientError: the sound could not be read to its end.
    """
    sound = audio.files[0]
    heard_recipe = recipe(asset="transcript", code=version_of(engine), audio=sound.sha256)
    srt = _correction(video_key, library)
    sha256 = hashlib.sha256(srt).hexdigest() if srt else None
    made_of = recipe(asset="transcript", heard=heard_recipe, correction=sha256)
    existing = library.made(video_key, Transcript, made_of)
    if existing:
        return Made(existing, found=True)
    started = time.monotonic()
    before = library.readable(video_key, Transcript)
    journal = StoreJournal(library.store, video_key, heard_recipe)
    if before and before.heard_recipe == heard_recipe:
        written = _as_heard(before, engine)
    else:
        with scratch_folder(scratch) as folder, library.store.local(sound.key, folder) as recording:
            hearing = transcribe(recording, engine, duration=audio.duration, journal=journal, progress=progress)
        written = _transcript(hearing, engine, audio, heard_recipe)
    if srt:
        cues = read_srt(srt, duration=audio.duration)
        segments = corrected(written.segments, cues)
        # An engine that knows English alone calls Spanish English: a person's words say better what they are in.
        language = language_of((word.text for segment in segments for word in segment.words), written.language).code
        correction = Correction(sha256=str(sha256), cues=cues, heard=written.segments, heard_language=written.language)
        written = written.model_copy(update={"segments": segments, "language": language, "correction": correction, "draft": False})
    seconds = round(time.monotonic() - started, 3)
    written = written.model_copy(update={"recipe": made_of, "seconds": seconds})
    library.write(video_key, written)
    journal.clear()  # not before the words are safe elsewhere
    known = before.correction.sha256 if before and before.correction else None
    return Made(written, found=False, newly_corrected=sha256 not in (None, known))


def _correction(video_key: str, library: Library) -> bytes | None:
    try:
        return library.store.read_bytes(library_key(video_key, CORRECTED_SUBTITLES), LONGEST_SRT_BYTES)
    except ObjectMissing:
        return None


def _as_heard(transcript: Transcript, engine: Engine) -> Transcript:
    """The transcript with the engine's own words."""
    theirs = transcript.correction
    if theirs is None:
        return transcript
    update = {"segments": theirs.heard, "language": theirs.heard_language, "correction": None, "draft": engine.draft}
    return transcript.model_copy(update=update)


def _transcript(hearing: Hearing, engine: Engine, audio: Audio, heard_recipe: str) -> Transcript:
    return Transcript(
        heard_recipe=heard_recipe,
        engine=engine.name,
        model=engine.model,
        language=hearing.spoken.language,
        draft=engine.draft,
        duration=audio.duration,
        segments=hearing.spoken.segments,
        pieces=hearing.pieces,
        pieces_resumed=hearing.pieces_resumed,
        speed=round(hearing.speed, 2),
    )
