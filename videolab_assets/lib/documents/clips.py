"""Documents of the clips and variants stages: what is worth posting, and what is posted."""

from typing import Literal

from pydantic import Field

from videolab_assets.lib.documents.base import Document, Model, StoredFile
from videolab_assets.lib.documents.words import Word


class ScoreParts(Model):
    """What speaks for a clip, each 0..1; None where there is nothing to judge by, as the faces of a video that is all black.

    The score is their mean, weighted by `platform_rules`, over those that are not None.
    """

    hook: float | None = Field(description="the first three seconds: something is said or shown that makes one stay")
    completeness: float | None = Field(description="a whole thought: begins and ends with a sentence, needs nothing said before")
    speech_density: float | None = Field(description="share of the time in which somebody speaks")
    motion: float | None
    faces: float | None
    loudness: float | None = Field(description="how it stands out from the rest of the recording")
    laughter: float | None = Field(description="bursts that sound like laughter or applause")
    novelty: float | None = Field(description="how little it repeats of the clips ranked before it")


class Look(Model):
    """What may differ between two variants of the same clip.

    Attributes:
        captions: a caption style's name, or `off`.
        hook: `headline` shows a line of text over the first three seconds.
        headline: that line; the clip's title where it is None.
        cover: the best picture with a face where there is one, the first one, or the best one with the headline on it.
    """

    captions: str = "clear"
    hook: Literal["none", "headline"] = "none"
    headline: str | None = None
    cover: Literal["best", "first", "headline"] = "best"


Label = Literal["a", "b"]
ClipOrigin = Literal["found", "pinned", "retimed", "timeline"]


class Clip(Model):
    """One stretch of the source to post: found by VideoLab, or as a person wants it.

    `start` and `end` lie on the plan's frames.
    """

    clip_id: str = Field(pattern=r"c[0-9]{2}")
    start: float
    end: float
    score: float = Field(ge=0.0, le=1.0)
    parts: ScoreParts
    reason: str = Field(description="a sentence: why this stretch")
    title: str
    words: list[Word] = Field(description="those spoken within it, times in the source")
    words_cut: int = Field(default=0, description="words that begin or end outside, as only a person's own times can have it")
    origin: ClipOrigin = "found"

    @property
    def duration(self) -> float:
        return self.end - self.start


class ClipPlan(Document):
    """Which clips to cut, the best first; they do not overlap unless a person wants it so."""

    frame_rate: float = Field(description="frames a second of the clips: the source's, made constant")
    duration: float
    language: str
    rules_version: str
    rules_sha256: str
    rules_problem: str | None = Field(default=None, description="why the rules file as it stands is not the one that was used")
    ranker: str = Field(description="who had the last word on the order: `rules`, or a model's name")
    cost: float = Field(default=0.0, description="US dollars paid for the order")
    clips: list[Clip]
    reason: str | None = Field(default=None, description="why there are fewer clips than the rules ask for")
    looks: dict[Label, Look] = Field(description="`a`, and `b` where two variants of each clip are wanted")


class ClipFile(Model):
    """One clip as cut; `how` says whether its middle was copied or all of it encoded again, `why` the reason for the latter."""

    clip_id: str
    recipe: str
    start: float
    end: float
    file: StoredFile
    width: int
    height: int
    frame_rate: float
    frames: int
    duration: float
    how: Literal["copied", "encoded"]
    why: str | None = None
    frames_encoded: int
    audio_video_offset: float | None = Field(description="seconds by which the sound starts after the picture; None without sound")


class Clips(Document):
    clips: list[ClipFile]


class PathPoint(Model):
    """Where the crop's left upper corner is at a time, as shares 0..1 of the frame's width and height."""

    time: float
    x: float
    y: float


class Framing(Model):
    """How one shot is shown: which part of the frame, and why. Times are seconds of the clip.

    Attributes:
        mode: `still`, `follow` (the path moves), or `fit`: more than fits the target's shape, over a blurred background.
        width: of what is shown, as a share of the frame's; `height` likewise. For `still` and `follow` it has the target's shape.
        path: at least one point; between two, the crop moves in a straight line.
    """

    start: float
    end: float
    mode: Literal["still", "follow", "fit"]
    subject: Literal["faces", "people", "motion", "saliency", "frame"]
    why: str
    width: float
    height: float
    path: list[PathPoint]


class Variant(Model):
    """One clip as made for one platform.

    Attributes:
        label: `a`, or `b` for the other look of an A/B test.
        drawing: what each shape shows of the source, drawn over it.
        loudness: LUFS, of the sound as encoded; None for silence. true_peak in dBTP likewise.
        loudness_missed: a sentence where the platform's target could not be reached.
        faces_kept: share of the sampled faces that are whole in the picture; None where there are none.
        black, frozen: seconds of black or standing picture that the source has not.
        encoded_for: all platforms that share this very rendition.
    """

    clip_id: str
    label: Label
    recipe: str
    video: StoredFile
    cover: StoredFile
    subtitles: StoredFile | None
    post: StoredFile
    drawing: StoredFile
    title: str
    description: str
    width: int
    height: int
    frame_rate: float
    variable_frame_rate: bool
    codec: str
    pixel_format: str
    fast_start: bool
    duration: float
    planned_duration: float
    loudness: float | None
    true_peak: float | None
    loudness_missed: str | None = None
    faces_kept: float | None
    look: Look
    captions: int = Field(description="cues burnt in")
    captions_outside: int = Field(description="cues that reach out of the platform's safe area")
    captions_over_faces: int
    black: float
    frozen: float
    framings: list[Framing]
    encoded_for: list[str]

    @property
    def name(self) -> str:
        """As its files are called, without the ending: `c01`, or `c01.b`."""
        return self.clip_id if self.label == "a" else f"{self.clip_id}.{self.label}"


class Variants(Document):
    """All clips as made for one platform; each platform has a document class of its own by its name (see `VARIANTS`)."""

    clips: list[Variant]
    left_out: list[str] = Field(default_factory=list, description="sentences: clips that this platform does not take, and why")
