"""Summaries of what is said: an engine by name, and the page that a person reads."""

from collections.abc import Callable

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.summary.engine import NothingSaid, SummaryEngine
from videolab_assets.lib.summary.markdown import to_markdown

__all__ = ["ENGINES", "NothingSaid", "SummaryEngine", "open_engine", "to_markdown"]


def _extractive() -> SummaryEngine:
    from videolab_assets.lib.summary.extractive import ExtractiveEngine

    return ExtractiveEngine()


ENGINES: dict[str, Callable[[], SummaryEngine]] = {"extractive": _extractive}
"""Every engine by the name that `VIDEOLAB_SUMMARIZER` takes."""


def open_engine(name: str = "extractive") -> SummaryEngine:
    """The engine of that name, ready for any number of transcripts.

    Raises:
        PermanentError: there is none.
    """
    if name not in ENGINES:
        raise PermanentError(f"{name!r} is not a summary engine: set VIDEOLAB_SUMMARIZER to one of {', '.join(sorted(ENGINES))}.")
    return ENGINES[name]()
