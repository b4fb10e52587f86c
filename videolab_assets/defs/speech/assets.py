"""From sound to words, from words to subtitles; and a person's word counts for more than the engine's."""

import time
from typing import Any

import dagster as dg

from videolab_assets.defs.engines import transcriber_of
from videolab_assets.defs.ingest.jobs import amend_video
from videolab_assets.defs.metadata import materialization
from videolab_assets.defs.outcomes import tell_owner, told
from videolab_assets.defs.partitions import OWNERS, videos
from videolab_assets.defs.resources import StoreResource, Workshop
from videolab_assets.lib.documents import Audio, Cue, Proxy, Shots, StoredFile, Subtitles, Transcript
from videolab_assets.lib.keys import library_key
from videolab_assets.lib.library import Library
from videolab_assets.lib.recipe import JsonValue, recipe
from videolab_assets.lib.sidecars import CORRECTED_SUBTITLES
from videolab_assets.lib.speech.transcribe import Progress, progress_lines
from videolab_assets.lib.subtitles import DEFAULT_FRAME_RATE, cues_of, to_ass, to_srt, to_webvtt
from videolab_assets.lib.transcript import make, version_of
from videolab_assets.settings import Settings

TRANSCRIBER = transcriber_of(Settings())
SUBTITLES_VERSION = "2"
SECONDS_BETWEEN_OBSERVATIONS = 60.0
SIZE_WITHOUT_PICTURE = (1280, 720)


corrected_subtitles = dg.AssetSpec(
    "corrected_subtitles",
    group_name="speech",
    partitions_def=videos,
    kinds={"srt"},
    owners=OWNERS,
    description="Subtitles that a person corrected and laid into the inbox as `<video key>.srt` or `<name of the video>.srt`.",
)


@dg.asset(
    group_name="speech",
    partitions_def=videos,
    deps=[corrected_subtitles],
    kinds={TRANSCRIBER.name, "json"},
    owners=OWNERS,
    code_version=version_of(TRANSCRIBER),
)
def transcript(
    context: dg.AssetExecutionContext, audio: Audio, store: StoreResource, workshop: Workshop
) -> dg.MaterializeResult[Transcript]:
    """What is said, word by word with times, by the engine that `VIDEOLAB_TRANSCRIBER` names; or as a person corrected it.

    The embedded engine, PocketSphinx, understands English and gives a draft: read it before you publish it, and lay the corrected
    `subtitles.srt` into the inbox under the video's name. A correction holds whatever engine hears the sound later.
    """
    video_key, library = context.partition_key, store.library()
    if context.run.job_name == amend_video.name:  # of process_video's runs the catalogue knows it
        tell_owner(context)
    with told(context):
        made = make(video_key, audio, library, TRANSCRIBER, workshop.folder, _tell_progress(context))
    theirs = made.transcript.correction
    if made.newly_corrected and theirs:
        uri = library.store.uri(library_key(video_key, CORRECTED_SUBTITLES))
        seen: dict[str, Any] = {"cues": len(theirs.cues), "sha256": theirs.sha256, "file": dg.MetadataValue.path(uri)}
        context.log_event(dg.AssetMaterialization(corrected_subtitles.key, partition=video_key, metadata=seen))
    return materialization(made.transcript, library, found=made.found)


def _tell_progress(context: dg.AssetExecutionContext) -> Progress:
    """Lines in the log, and every minute an observation on the asset, which a person sees without opening the run."""
    lines, last = progress_lines(context.log.info), time.monotonic()

    def tell(done: float, total: float, left: float | None) -> None:
        nonlocal last
        lines(done, total, left)
        if left is not None and done < total and time.monotonic() - last >= SECONDS_BETWEEN_OBSERVATIONS:
            last = time.monotonic()
            metadata = {"percent": round(100 * done / total, 1), "seconds_left": round(left)}
            context.log_event(dg.AssetObservation("transcript", partition=context.partition_key, metadata=metadata))

    return tell


@dg.asset(group_name="speech", partitions_def=videos, kinds={"srt", "vtt", "ass"}, owners=OWNERS, code_version=SUBTITLES_VERSION)
def subtitles(context: dg.AssetExecutionContext, transcript: Transcript, store: StoreResource) -> dg.MaterializeResult[Subtitles]:
    """SRT, WebVTT and ASS by broadcast rules: two lines of 42 characters, 1 to 7 seconds, broken at clauses, snapped to shot changes.

    Where a person corrected the subtitles, these are the person's cues as they are.
    """
    video_key, library = context.partition_key, store.library()
    # Not dependencies: a sound file has neither, and Dagster would then skip its subtitles.
    shots, proxy = library.readable(video_key, Shots), library.readable(video_key, Proxy)
    frame_rate = shots.frame_rate if shots else DEFAULT_FRAME_RATE
    shot_times = [shot.start for shot in shots.shots if shot.opens_with != "start"] if shots else []
    size = (proxy.width, proxy.height) if proxy else SIZE_WITHOUT_PICTURE
    theirs = transcript.correction
    said: list[JsonValue] = [spoken.model_dump(mode="json") for spoken in (theirs.cues if theirs else transcript.segments)]
    made_of = recipe(
        asset="subtitles",
        code=SUBTITLES_VERSION,
        language=transcript.language,
        said=said,
        corrected=theirs is not None,
        frame_rate=frame_rate,
        shot_times=[*shot_times],
        size=[*size],
    )
    found = library.made(video_key, Subtitles, made_of)
    if found is None:
        started = time.monotonic()
        with told(context):
            cues = theirs.cues if theirs else cues_of(transcript, frame_rate=frame_rate, shot_times=shot_times)
            files = _publish(video_key, cues, size, library)
        written = Subtitles(
            recipe=made_of,
            language=transcript.language,
            frame_rate=frame_rate,
            shot_times=shot_times,
            corrected=theirs is not None,
            cues=cues,
            files=files,
            seconds=round(time.monotonic() - started, 3),
        )
    document = found or written
    return materialization(document, library, found=bool(found))


def _publish(video_key: str, cues: list[Cue], size: tuple[int, int], library: Library) -> list[StoredFile]:
    ass = to_ass(cues, width=size[0], height=size[1])
    return [
        library.add_bytes(video_key, "subtitles.srt", to_srt(cues).encode(), "application/x-subrip"),
        library.add_bytes(video_key, "subtitles.vtt", to_webvtt(cues).encode(), "text/vtt"),
        library.add_bytes(video_key, "subtitles.ass", ass.encode(), "text/x-ssa"),
    ]
