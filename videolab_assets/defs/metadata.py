"""What a person sees of each document in the Dagster UI: a picture, tables, and numbers that make a curve over partitions."""

import functools
import itertools
from collections.abc import Mapping
from typing import Any

import dagster as dg

from videolab_assets.defs.display import picture, table
from videolab_assets.lib.documents import (
    Audio,
    ClipPlan,
    Clips,
    Document,
    Proxy,
    SearchEntry,
    Shots,
    SourceVideo,
    Storyboard,
    Subtitles,
    Summary,
    Thumbnail,
    Transcript,
    Variants,
    Waveform,
)
from videolab_assets.lib.library import ASSETS, Library, SomeDocument
from videolab_assets.lib.sandbox import printable
from videolab_assets.lib.variants.making import CONTACT_SHEET

ROWS_SHOWN = 25
SHEET_WIDEST = 800
SHEET_LONGEST = 48_000
"""Characters of a sheet's picture behind its button: legible, and small enough for the event log of many videos."""
Metadata = Mapping[str, Any]


def materialization(document: SomeDocument, library: Library, *, found: bool) -> dg.MaterializeResult[SomeDocument]:
    """The result of the asset that `document` is named after: its value, its metadata, and its recipe as the data version."""
    metadata = metadata_of(document, library, found=found)
    return dg.MaterializeResult(
        asset_key=ASSETS[type(document)], value=document, metadata=metadata, data_version=dg.DataVersion(document.recipe[:16])
    )


def metadata_of(document: Document, library: Library, *, found: bool) -> dict[str, Any]:
    """The metadata of one materialization.

    Args:
        found: nothing was made, because an earlier run had left the same.
    """
    files = {file.key.rpartition("/")[2]: dg.MetadataValue.path(library.store.uri(file.key)) for file in document.files}
    return {
        **_of(document, library),
        **files,
        "bytes": sum(file.bytes for file in document.files),
        "seconds": document.seconds,
        "found": found,
    }


@functools.singledispatch
def _of(document: Document, library: Library) -> dict[str, Any]:
    raise NotImplementedError(f"no metadata for {type(document).__name__}")


@_of.register
def _(document: SourceVideo, library: Library) -> dict[str, Any]:
    probe, shown = document.probe, dict[str, Any]()
    if probe.video:
        video = probe.video
        shown |= {
            "dimensions": f"{video.width}x{video.height}",
            "frame_rate": round(video.frame_rate, 3),
            "variable_frame_rate": video.variable_frame_rate,
            "video_codec": video.codec,
            "colour": " ".join(filter(None, [video.pixel_format, video.color_space, video.hdr and f"HDR ({video.hdr.upper()})"])),
        }
    if probe.audio:
        shown["sound"] = f"{probe.audio.codec}, {probe.audio.layout}, {probe.audio.sample_rate} Hz"
    if document.missing:
        shown["missing"] = " ".join(document.missing)
    return {
        "name": printable(document.original_name),
        "container": probe.container,
        "duration": round(probe.duration, 3),
        **shown,
        "sha256": document.sha256,
        "verdict": document.verdict,
    }


@_of.register
def _(document: Proxy, library: Library) -> dict[str, Any]:
    return {
        "dimensions": f"{document.width}x{document.height}",
        "duration": round(document.duration, 3),
        "frame_rate": document.frame_rate,
        "bit_rate": document.bit_rate,
    }


@_of.register
def _(document: Audio, library: Library) -> dict[str, Any]:
    heard = {"loudness_lufs": document.loudness, "peak_dbfs": document.peak} if document.loudness is not None else {"silent": True}
    return {"duration": round(document.duration, 3), **heard}


@_of.register
def _(document: Waveform, library: Library) -> dict[str, Any]:
    drawn = picture(_bytes_of(document, "image/png", library), 300, 24, "waveform")
    return {"preview": dg.MetadataValue.md(drawn), "points": document.length, "samples_per_pixel": document.samples_per_pixel}


@_of.register
def _(document: Thumbnail, library: Library) -> dict[str, Any]:
    return {
        "preview": dg.MetadataValue.md(picture(_bytes_of(document, "image/jpeg", library), 112, 112, "thumbnail")),
        "time": round(document.time, 3),
        "score": round(document.score, 3),
        "faces": document.faces,
    }


@_of.register
def _(document: Storyboard, library: Library) -> dict[str, Any]:
    return {"tiles": document.tiles, "interval": document.interval, "sheet": f"{document.columns}x{document.rows} tiles"}


@_of.register
def _(document: Shots, library: Library) -> dict[str, Any]:
    rows = (
        {
            "start": round(shot.start, 2),
            "seconds": round(shot.end - shot.start, 2),
            "opens with": shot.opens_with,
            "motion": round(shot.motion, 3),
            "brightness": round(shot.brightness, 2),
            "sharpness": round(shot.sharpness, 1),
            "faces": round(shot.faces, 2),
        }
        for shot in document.shots[:ROWS_SHOWN]
    )
    count = len(document.shots)
    return {"shots": count, "mean_shot_seconds": round(document.duration / max(1, count), 2), "table": table(rows)}


@_of.register
def _(document: Transcript, library: Library) -> dict[str, Any]:
    rows = ({"start": round(segment.start, 2), "text": segment.text} for segment in document.segments[:ROWS_SHOWN])
    shown = dict[str, Any]()
    if document.correction:
        shown["corrected"] = f"A person's words, in {len(document.correction.cues)} cues, in place of the engine's."
    elif document.draft:
        shown["draft"] = f"{document.engine} is a draft engine: read the words before you publish them."
    if document.speed:
        shown["times_real_time"] = document.speed
    words = document.word_count
    return {
        **shown,
        "words": words,
        "words_per_minute": round(words * 60 / document.duration, 1) if document.duration else 0.0,
        "language": document.language,
        "engine": f"{document.engine}: {document.model}",
        "pieces": document.pieces,
        "pieces_resumed": document.pieces_resumed,
        "table": table(rows),
    }


@_of.register
def _(document: Subtitles, library: Library) -> dict[str, Any]:
    rows = ({"start": round(cue.start, 2), "end": round(cue.end, 2), "text": cue.text} for cue in document.cues[:ROWS_SHOWN])
    return {"cues": len(document.cues), "language": document.language, "corrected": document.corrected, "table": table(rows)}


@_of.register
def _(document: Summary, library: Library) -> dict[str, Any]:
    rows = ({"time": round(point.time, 1), "key point": point.text} for point in document.key_points)
    return {
        "title": document.title,
        "description": document.description,
        "tags": ", ".join(document.tags),
        "key_points": table(rows),
        "engine": ": ".join(filter(None, (document.engine, document.model))),
        "language": document.language,
        **({"prompt": document.prompt} if document.prompt else {}),
        **_spent(document),
    }


def _spent(document: Summary) -> dict[str, Any]:
    """Nothing for an engine that costs nothing."""
    if not document.input_tokens:
        return {}
    tokens = {"input_tokens": document.input_tokens, "output_tokens": document.output_tokens}
    return {**tokens, "cost_usd": document.cost, "cached": document.cached}


@_of.register
def _(document: SearchEntry, library: Library) -> dict[str, Any]:
    return {"moments": document.moments, "language": document.language}


@_of.register
def _(document: ClipPlan, library: Library) -> dict[str, Any]:
    rows = (
        {
            "clip": clip.clip_id,
            "start": round(clip.start, 2),
            "seconds": round(clip.duration, 2),
            "score": round(clip.score, 3),
            "title": clip.title,
            "why": clip.reason,
            "by": clip.origin,
        }
        for clip in document.clips
    )
    parts = (
        {"clip": clip.clip_id, **{name.replace("_", " "): "–" if part is None else f"{part:.2f}" for name, part in clip.parts}}
        for clip in document.clips
    )
    shown = {"clips": len(document.clips), "best_score": max((round(clip.score, 3) for clip in document.clips), default=0.0)}
    told = {"reason": document.reason, "rules_problem": document.rules_problem}
    return {
        **shown,
        **{name: sentence for name, sentence in told.items() if sentence},
        **({"cost_usd": document.cost} if document.cost else {}),
        "rules_version": document.rules_version,
        "ranker": document.ranker,
        "table": table(rows),
        "score_parts": table(parts),
    }


@_of.register
def _(document: Clips, library: Library) -> dict[str, Any]:
    rows = (
        {
            "clip": clip.clip_id,
            "start": round(clip.start, 2),
            "seconds": round(clip.duration, 3),
            "frames": clip.frames,
            "size": f"{clip.width}x{clip.height}",
            "middle": clip.how,
            "why encoded": clip.why or "",
            "frames encoded": clip.frames_encoded,
            "sound later by": "–" if clip.audio_video_offset is None else f"{clip.audio_video_offset:.4f}",
        }
        for clip in document.clips
    )
    total = sum(clip.frames for clip in document.clips)
    encoded = sum(clip.frames_encoded for clip in document.clips)
    return {"clips": len(document.clips), "frames_copied_share": round(1 - encoded / max(1, total), 3), "table": table(rows)}


@_of.register
def _(document: Variants, library: Library) -> dict[str, Any]:
    rows = (
        {
            "clip": variant.name,
            "seconds": round(variant.duration, 2),
            "title": variant.title,
            "LUFS": "silent" if variant.loudness is None else f"{variant.loudness:.1f}",
            "faces kept": "–" if variant.faces_kept is None else f"{variant.faces_kept:.0%}",
            "captions": f"{variant.captions}, {variant.look.captions}",
            "framing": "; ".join(f"{framing.mode} on {framing.subject}" for framing in variant.framings[:4]),
            "MB": f"{variant.video.bytes / 1e6:.1f}",
        }
        for variant in document.clips
    )
    reasons = (
        {
            "clip": variant.name,
            "from": round(framing.start, 2),
            "to": round(framing.end, 2),
            "framing": f"{framing.mode} on {framing.subject}",
            "why": framing.why,
        }
        for variant in document.clips
        for framing in variant.framings
    )
    kept = [variant.faces_kept for variant in document.clips if variant.faces_kept is not None]
    pictures = {"contact_sheet": [file for file in document.files if file.key.endswith(f"/{CONTACT_SHEET}")]}
    pictures["reframing"] = [variant.drawing for variant in document.clips[:1]]
    sheets = {
        name: dg.MetadataValue.md(picture(library.store.read_bytes(file.key, file.bytes), SHEET_WIDEST, SHEET_WIDEST, name, SHEET_LONGEST))
        for name, files in pictures.items()
        for file in files
    }
    return {
        **sheets,
        "variants": len(document.clips),
        **({"faces_kept": round(min(kept), 3)} if kept else {}),
        **({"left_out": " ".join(document.left_out)} if document.left_out else {}),
        "table": table(rows),
        "framings": table(itertools.islice(reasons, ROWS_SHOWN)),
    }


def _bytes_of(document: Document, media_type: str, library: Library) -> bytes:
    file = next(file for file in document.files if file.media_type == media_type)
    return library.store.read_bytes(file.key, file.bytes)
