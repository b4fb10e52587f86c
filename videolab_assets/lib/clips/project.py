"""A clip plan as one JSON document that an editor or a front end opens by itself: what is cut, out of which files, and why."""

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from videolab_assets.lib.documents import Clip, ClipOrigin, ClipPlan, Label, Look, Model, Proxy, ScoreParts, SourceVideo, Word
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.graph import constant_rate
from videolab_assets.lib.store import Store
from videolab_assets.lib.yaml_text import clock


class ProjectVideo(Model):
    """One source of clips.

    Attributes:
        id: the video key.
        name: as uploaded; data to show, never a path.
        source: store key of the original; `proxy` of what plays in a browser.
        duration: seconds of the picture.
        frame_rate: frames a second; exactly the first of `timebase` over its second.
        width, height: pixels as displayed.
    """

    id: str
    name: str
    source: str
    proxy: str | None
    sha256: str
    duration: float = Field(gt=0, allow_inf_nan=False)
    frame_rate: float = Field(gt=0, allow_inf_nan=False)
    timebase: tuple[int, int]
    width: int = Field(gt=0)
    height: int = Field(gt=0)


class ProjectClip(Model):
    """One clip: seconds of its video, and the same as frames, from `first_frame` up to but not including `end_frame`."""

    id: str
    video: str
    start: float = Field(ge=0, allow_inf_nan=False)
    end: float = Field(allow_inf_nan=False)
    first_frame: int = Field(ge=0)
    end_frame: int
    title: str
    origin: ClipOrigin
    score: float = Field(ge=0, le=1)
    parts: ScoreParts
    reason: str
    words: list[Word] = Field(default_factory=list, description="those spoken within it, times in the video")


class Project(Model):
    """`clip_plan.project.json`: the clips, the best first."""

    kind: Literal["videolab.project"] = "videolab.project"
    schema_version: Literal[1] = 1
    rules_version: str
    language: str
    looks: dict[Label, Look]
    videos: list[ProjectVideo]
    clips: list[ProjectClip]


def project_of(plan: ClipPlan, source: SourceVideo, proxy: Proxy | None = None) -> Project:
    """The project of a plan.

    Raises:
        PermanentError: the source has no picture.
    """
    picture = source.probe.video
    if picture is None:
        raise PermanentError(f"{source.video_key} has no picture, and so no clips: there is nothing to open in an editor.")
    rate = constant_rate(plan.frame_rate)
    video = ProjectVideo(
        id=source.video_key,
        name=source.original_name,
        source=source.source_key,
        proxy=next((file.key for file in proxy.files if file.media_type.startswith("video/")), None) if proxy else None,
        sha256=source.sha256,
        duration=plan.duration,
        frame_rate=plan.frame_rate,
        timebase=rate.as_integer_ratio(),
        width=picture.width,
        height=picture.height,
    )

    def planned(clip: Clip) -> ProjectClip:
        return ProjectClip(
            id=clip.clip_id,
            video=video.id,
            start=clip.start,
            end=clip.end,
            first_frame=round(clip.start * rate),
            end_frame=round(clip.end * rate),
            title=clip.title,
            origin=clip.origin,
            score=clip.score,
            parts=clip.parts,
            reason=clip.reason,
            words=clip.words,
        )

    clips = [planned(clip) for clip in plan.clips]
    return Project(rules_version=plan.rules_version, language=plan.language, looks=plan.looks, videos=[video], clips=clips)


def validated(project: Project, store: Store) -> Project:
    """The project itself, if it can be opened: names are unique, times lie inside the videos, and every file is in the store.

    Raises:
        PermanentError: it cannot; one sentence says what is wrong.
    """
    videos = {video.id: video for video in project.videos}
    _check_unique("video", [video.id for video in project.videos])
    _check_unique("clip", [clip.id for clip in project.clips])
    for clip in project.clips:
        video = videos.get(clip.video)
        if video is None:
            raise PermanentError(f"Clip {clip.id} of this project is of {clip.video!r}, which is none of its videos.")
        frame = 1 / video.frame_rate
        if clip.start >= clip.end or clip.first_frame >= clip.end_frame:
            raise PermanentError(f"Clip {clip.id} of this project ends at {clock(clip.end)}, where it starts or before.")
        if clip.end > video.duration + frame / 2:
            raise PermanentError(
                f"Clip {clip.id} of this project ends at {clock(clip.end)}, after its video, which ends at {clock(video.duration)}."
            )
        if abs(clip.first_frame * frame - clip.start) > frame or abs(clip.end_frame * frame - clip.end) > frame:
            raise PermanentError(f"The frames of clip {clip.id} of this project are not those of its times.")
    for video in project.videos:
        for key in (video.source, video.proxy):
            found = store.stat(key) if key else None
            if key and (found is None or not found.regular):
                raise PermanentError(f"{key}, which this project refers to, is not in the store: materialize its asset again.")
    return project


def _check_unique(what: str, names: Sequence[str]) -> None:
    twice = next((name for place, name in enumerate(names) if name in names[:place]), None)
    if twice is not None:
        raise PermanentError(f"This project has two {what}s called {twice!r}.")
