"""The documents that flow between assets, and what a person or a program reads of a video afterwards.

Every document is written as `library/<tenant>/<video key>/<asset>.json`. Times are seconds from the first displayed frame (or
the first sample, where there is no picture); sizes are bytes unless a name says pixels.
"""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Model(BaseModel):
    """Strict base: an unknown field in a stored document is an error, not something to ignore."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StoredFile(Model):
    """One object in the store."""

    key: str
    bytes: int
    sha256: str
    media_type: str


class Document(Model):
    """What every asset leaves behind.

    Attributes:
        recipe: hash of everything that decides the content: input hashes, settings, engine, code version. A second run that
            computes the same recipe finds its work done.
        files: the media files of this asset, without the document itself.
        seconds: wall seconds spent; assets of one decode share one pass and all carry its time.
    """

    recipe: str = ""
    files: list[StoredFile] = Field(default_factory=list)
    seconds: float = 0.0


class MediaStream(Model):
    """What picture and sound have in common."""

    index: int = Field(description="the stream's absolute index in the file: a cover picture may well be the first video stream")
    codec: str
    start: float = Field(default=0.0, description="seconds, of its first packet, from the first of any used stream")
    duration: float = Field(default=0.0, description="seconds, from its first to the end of its last packet")

    @property
    def end(self) -> float:
        """Seconds from the first packet of any used stream."""
        return self.start + self.duration


class VideoStream(MediaStream):
    """The chosen video stream as a viewer sees it."""

    profile: str | None = None
    width: int = Field(description="pixels as displayed: rotation and sample aspect ratio applied")
    height: int
    coded_width: int
    coded_height: int
    rotation: Literal[0, 90, 180, 270] = 0
    sample_aspect_ratio: str = "1:1"
    frame_rate: float = Field(description="frames a second, from packet times: the regular rate where there is one, else the mean")
    variable_frame_rate: bool = False
    interlaced: bool = False
    pixel_format: str
    bit_depth: int = 8
    color_primaries: str | None = None
    color_transfer: str | None = None
    color_space: str | None = None
    color_range: str | None = None
    hdr: Literal["pq", "hlg"] | None = None


class AudioStream(MediaStream):
    """The chosen audio stream."""

    sample_rate: int
    channels: int
    layout: str


class Probe(Model):
    """What a file is, by its packets rather than by its name or header."""

    container: str
    duration: float = Field(description="seconds, from the first to the end of the last packet of any used stream")
    bytes: int
    bit_rate: int
    streams: int
    clock_jump: float = Field(
        default=0.0,
        description="seconds of the file clock's smallest jump back, as where two recordings were joined; 0 where it has none",
    )
    video: VideoStream | None = None
    audio: AudioStream | None = None


class SourceVideo(Document):
    """The original, accepted."""

    video_key: str
    tenant: str
    original_name: str = Field(description="as uploaded, undecodable bytes percent-encoded; data to show, never a path")
    upload: str
    source_key: str
    sha256: str
    verdict: Literal["accept", "accept_partial"]
    missing: list[str] = Field(default_factory=list, description="sentences: what cannot be made of this file, and why")
    probe: Probe


class Proxy(Document):
    width: int
    height: int
    frame_rate: float
    duration: float
    bit_rate: int
    audio_video_offset: float = Field(description="seconds by which the sound starts after the picture; 0 without sound")


class Audio(Document):
    duration: float
    sample_rate: int
    loudness: float | None = Field(description="integrated LUFS of the stereo sound (EBU R128); None when silent throughout")
    peak: float | None = Field(description="highest sample in dBFS; None when silent throughout")


class Waveform(Document):
    duration: float
    samples_per_pixel: int
    length: int = Field(description="points, each a min/max pair")


class Thumbnail(Document):
    time: float
    width: int
    height: int
    score: float
    contrast: float = Field(description="standard deviation of the luma, 0..1")
    faces: int


class Storyboard(Document):
    interval: float
    tiles: int
    columns: int
    rows: int
    tile_width: int
    tile_height: int


class Shot(Model):
    """A stretch between two cuts.

    motion, brightness, sharpness are means over the shot: motion 0..1 (mean absolute change of the small frames), brightness
    0..1 (mean luma), sharpness >= 0 (variance of the Laplacian of the stills); faces is the mean count on the stills.
    """

    start: float
    end: float
    opens_with: Literal["start", "cut", "fade", "dissolve"]
    motion: float
    brightness: float
    sharpness: float
    faces: float


class Shots(Document):
    frame_rate: float
    duration: float
    shots: list[Shot]


class Word(Model):
    text: str
    start: float
    end: float
    confidence: float = Field(ge=0.0, le=1.0)


class Segment(Model):
    """An utterance: the words between two pauses, or what the engine calls a segment."""

    start: float
    end: float
    text: str
    words: list[Word]
    language: str | None = Field(default=None, description="ISO 639-1, where it is not the transcript's")


class Cue(Model):
    """One subtitle on screen; lines joined by a newline."""

    start: float
    end: float
    text: str


class Correction(Model):
    """The subtitles that a person put in place of the engine's words, and what the engine had heard."""

    sha256: str = Field(description="of the SRT file as it was uploaded")
    cues: list[Cue]
    heard: list[Segment]
    heard_language: str


class Transcript(Document):
    """The words that hold: the engine's, or a person's where a correction is there."""

    heard_recipe: str = Field(default="", description="hash of what decides the engine's words alone: sound, engine, model, settings")
    engine: str
    model: str
    language: str = Field(description="ISO 639-1 of most words, or `und` where nothing was said")
    draft: bool = Field(description="true where the engine is too weak for the words to be published unread")
    duration: float
    segments: list[Segment]
    correction: Correction | None = None
    pieces: int = Field(default=0, description="stretches of speech that the engine heard one by one")
    pieces_resumed: int = Field(default=0, description="those of them that an earlier, killed run had left")
    speed: float = Field(default=0.0, description="seconds of recording per second of work; 0 where nothing was heard anew")

    @property
    def text(self) -> str:
        return " ".join(segment.text for segment in self.segments)

    @property
    def word_count(self) -> int:
        return sum(len(segment.words) for segment in self.segments)


class Subtitles(Document):
    language: str
    frame_rate: float = Field(default=25.0, description="frames a second that the gaps between cues were reckoned with")
    shot_times: list[float] = Field(default_factory=list, description="seconds of the shot changes that the cues were laid by")
    corrected: bool = Field(default=False, description="the cues are a person's")
    cues: list[Cue]


class KeyPoint(Model):
    time: float
    text: str


class Summary(Document):
    engine: str
    model: str
    language: str
    title: str
    description: str
    tags: list[str]
    key_points: list[KeyPoint]
    show_notes: str = Field(description="Markdown")
    prompt: str | None = Field(default=None, description="the tenant's or the request's own wish, where the engine followed one")
    input_tokens: int = 0
    output_tokens: int = Field(default=0, description="those of thinking included, which are paid for alike")
    cost: float = Field(default=0.0, description="US dollars paid for this summary; 0 where it came from the cache or is free")
    cached: bool = Field(default=False, description="an identical answer had been paid for before")


class SearchEntry(Document):
    """A video's moments in the search index."""

    language: str
    moments: int


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
}
"""Each per-video asset and its document, in pipeline order."""
