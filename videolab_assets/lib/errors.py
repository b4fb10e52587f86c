"""What can go wrong, said once: a sentence for the person, then the detail for the engineer."""

from typing import Any


class VideoLabError(Exception):
    """An error whose first line a person can act on.

    Args:
        sentence: what is wrong with their file or request and what to do, in one sentence.
        detail: what an engineer needs beside it (exit code, last lines of stderr); may be empty.
    """

    def __init__(self, sentence: str, detail: str = "") -> None:
        super().__init__(f"{sentence}\n{detail}" if detail else sentence)
        self.sentence = sentence
        self.detail = detail


class PermanentError(VideoLabError):
    """Trying again cannot help: the file, the request or the configuration has to change."""


class TransientError(VideoLabError):
    """The machine or a service failed, not the file: trying again later may help."""


class RejectedUpload(PermanentError):
    """An upload that the gate refuses.

    Args:
        code: a stable snake_case word for the kind of reason, for example `not_a_video`.
        sentence: the reason in words that an uploader understands.
        found: what was measured, as plain JSON values; written beside the rejected file.
    """

    def __init__(self, code: str, sentence: str, found: dict[str, Any] | None = None) -> None:
        super().__init__(sentence)
        self.code = code
        self.found = found or {}
