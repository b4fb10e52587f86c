"""Documents of the speech, editorial and search stages: what is said, and what is written about it."""

from pydantic import Field

from videolab_assets.lib.documents.base import Document, Model


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
