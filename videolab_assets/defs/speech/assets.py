"""From sound to words, and from words to subtitles."""

import time

import dagster as dg

from videolab_assets.defs.metadata import materialization
from videolab_assets.defs.outcomes import told
from videolab_assets.defs.partitions import OWNERS, videos
from videolab_assets.defs.resources import StoreResource, Workshop
from videolab_assets.lib.documents import Audio, Subtitles, Transcript
from videolab_assets.lib.recipe import JsonValue, recipe
from videolab_assets.lib.scratch import scratch_folder
from videolab_assets.lib.speech.engine import open_engine
from videolab_assets.lib.speech.transcribe import progress_lines, transcribe
from videolab_assets.lib.subtitles import cues_of, to_srt, to_webvtt
from videolab_assets.settings import Settings

ENGINE = open_engine(Settings().transcriber)
TRANSCRIPT_VERSION = f"1 {ENGINE.identity}"
SUBTITLES_VERSION = "1"


@dg.asset(group_name="speech", partitions_def=videos, kinds={ENGINE.name, "json"}, owners=OWNERS, code_version=TRANSCRIPT_VERSION)
def transcript(
    context: dg.AssetExecutionContext, audio: Audio, store: StoreResource, workshop: Workshop
) -> dg.MaterializeResult[Transcript]:
    """What is said, word by word with times, by the engine that `VIDEOLAB_TRANSCRIBER` names.

    The embedded engine, PocketSphinx, understands English and gives a draft: read it before you publish it.
    """
    video_key, library = context.partition_key, store.library()
    sound = audio.files[0]
    made_of = recipe(asset="transcript", code=TRANSCRIPT_VERSION, audio=sound.sha256)
    found = library.made(video_key, Transcript, made_of)
    if found is None:
        started = time.monotonic()
        with told(context), scratch_folder(workshop.folder) as folder, library.store.local(sound.key, folder) as recording:
            spoken = transcribe(recording, ENGINE, duration=audio.duration, progress=progress_lines(context.log.info))
        heard = Transcript(
            recipe=made_of,
            engine=ENGINE.name,
            model=ENGINE.model,
            language=spoken.language,
            draft=ENGINE.draft,
            duration=audio.duration,
            segments=spoken.segments,
            seconds=round(time.monotonic() - started, 3),
        )
    document = found or heard
    return materialization(document, library, found=bool(found))


@dg.asset(group_name="speech", partitions_def=videos, kinds={"srt", "vtt"}, owners=OWNERS, code_version=SUBTITLES_VERSION)
def subtitles(context: dg.AssetExecutionContext, transcript: Transcript, store: StoreResource) -> dg.MaterializeResult[Subtitles]:
    """SRT and WebVTT by broadcast rules: two lines of 42 characters, 1 to 7 seconds, broken at clauses, never overlapping."""
    video_key, library = context.partition_key, store.library()
    said: list[JsonValue] = [segment.model_dump(mode="json") for segment in transcript.segments]
    made_of = recipe(asset="subtitles", code=SUBTITLES_VERSION, language=transcript.language, said=said)
    found = library.made(video_key, Subtitles, made_of)
    if found is None:
        started = time.monotonic()
        with told(context):
            cues = cues_of(transcript)
            files = [
                library.add_bytes(video_key, "subtitles.srt", to_srt(cues).encode(), "application/x-subrip"),
                library.add_bytes(video_key, "subtitles.vtt", to_webvtt(cues).encode(), "text/vtt"),
            ]
        seconds = round(time.monotonic() - started, 3)
        written = Subtitles(recipe=made_of, language=transcript.language, cues=cues, files=files, seconds=seconds)
    document = found or written
    return materialization(document, library, found=bool(found))
