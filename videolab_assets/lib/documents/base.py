"""What all documents have in common."""

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
