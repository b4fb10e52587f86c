"""Documents of the ingest and media stages: what a file is, and what one decode makes of it."""

from typing import Literal

from pydantic import Field

from videolab_assets.lib.documents.base import Document, Model


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
