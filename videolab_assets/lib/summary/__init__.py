"""Summaries of what is said: an engine by name, and the page that a person reads."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, overload

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.summary.engine import NothingSaid, SummaryEngine, SummaryOptions
from videolab_assets.lib.summary.markdown import to_markdown

if TYPE_CHECKING:
    from videolab_assets.lib.summary.extractive import ExtractiveEngine

__all__ = ["ENGINES", "NothingSaid", "SummaryEngine", "SummaryOptions", "open_engine", "to_markdown"]


def _extractive(_: SummaryOptions) -> SummaryEngine:
    from videolab_assets.lib.summary.extractive import ExtractiveEngine

    return ExtractiveEngine()


def _gemini(options: SummaryOptions) -> SummaryEngine:
    from videolab_assets.lib.summary.gemini import GeminiEngine

    return GeminiEngine(options)


ENGINES: dict[str, Callable[[SummaryOptions], SummaryEngine]] = {"extractive": _extractive, "gemini": _gemini}
"""Every engine by the name that `VIDEOLAB_SUMMARIZER` takes."""


@overload
def open_engine(name: Literal["extractive"] = "extractive") -> "ExtractiveEngine": ...
@overload
def open_engine(name: str, options: SummaryOptions | None = None) -> SummaryEngine: ...
def open_engine(name: str = "extractive", options: SummaryOptions | None = None) -> SummaryEngine:
    """The engine of that name, ready for any number of transcripts. Opening costs nothing: no model, no network, no database.

    Raises:
        PermanentError: there is none.
    """
    if name not in ENGINES:
        raise PermanentError(f"{name!r} is not a summary engine: set VIDEOLAB_SUMMARIZER to one of {', '.join(sorted(ENGINES))}.")
    return ENGINES[name](options or SummaryOptions())
