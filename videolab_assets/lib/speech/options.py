"""What a person may choose of a speech engine."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class SpeechOptions:
    """Choices that every engine is offered; `Engine.check` says which of them an engine cannot follow.

    Attributes:
        model: a model's name, or the path of its file or folder, told by its beginning (`/`, `./`, `../`, `~`) or its end (`.pt`);
            empty for the engine's default.
        device: `auto`, `cpu` or `cuda`. It decides the speed and never what is stale.
        language: of what is spoken, ISO 639-1; None to find out, piece by piece.
        task: `translate` gives the words in English, whatever is spoken.
    """

    model: str = ""
    device: str = "auto"
    language: str | None = None
    task: Literal["transcribe", "translate"] = "transcribe"


DEFAULT_OPTIONS = SpeechOptions()
