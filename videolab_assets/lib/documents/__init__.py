"""The documents that flow between assets, and what a person or a program reads of a video afterwards.

Every document is written as `library/<tenant>/<video key>/<asset>.json`. Times are seconds from the first displayed frame (or
the first sample, where there is no picture); sizes are bytes unless a name says pixels.
"""

from pydantic import create_model

from videolab_assets.lib.documents.base import Document, Model, StoredFile
from videolab_assets.lib.documents.clips import (
    Clip,
    ClipFile,
    ClipOrigin,
    ClipPlan,
    Clips,
    Framing,
    Label,
    Look,
    PathPoint,
    ScoreParts,
    Variant,
    Variants,
)
from videolab_assets.lib.documents.media import (
    Audio,
    AudioStream,
    MediaStream,
    Probe,
    Proxy,
    Shot,
    Shots,
    SourceVideo,
    Storyboard,
    Thumbnail,
    VideoStream,
    Waveform,
)
from videolab_assets.lib.documents.words import Correction, Cue, KeyPoint, SearchEntry, Segment, Subtitles, Summary, Transcript, Word
from videolab_assets.lib.platforms import PLATFORMS

__all__ = [
    "DOCUMENTS",
    "VARIANTS",
    "Audio",
    "AudioStream",
    "Clip",
    "ClipFile",
    "ClipOrigin",
    "ClipPlan",
    "Clips",
    "Correction",
    "Cue",
    "Document",
    "Framing",
    "KeyPoint",
    "Label",
    "Look",
    "MediaStream",
    "Model",
    "PathPoint",
    "Probe",
    "Proxy",
    "ScoreParts",
    "SearchEntry",
    "Segment",
    "Shot",
    "Shots",
    "SourceVideo",
    "StoredFile",
    "Storyboard",
    "Subtitles",
    "Summary",
    "Thumbnail",
    "Transcript",
    "Variant",
    "Variants",
    "VideoStream",
    "Waveform",
    "Word",
]

VARIANTS: dict[str, type[Variants]] = {
    name: create_model(name.title().replace("_", ""), __base__=Variants, __module__=__name__) for name in PLATFORMS
}
"""Each platform's asset and its document."""

DOCUMENTS: dict[str, type[Document]] = {
    "source_video": SourceVideo,
    "proxy": Proxy,
    "audio": Audio,
    "waveform": Waveform,
    "thumbnail": Thumbnail,
    "storyboard": Storyboard,
    "shots": Shots,
    "transcript": Transcript,
    "subtitles": Subtitles,
    "summary": Summary,
    "search_entry": SearchEntry,
    "clip_plan": ClipPlan,
    "clips": Clips,
    **VARIANTS,
}
"""Each per-video asset and its document, in pipeline order."""
