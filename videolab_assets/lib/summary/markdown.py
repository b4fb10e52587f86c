"""Summaries as Markdown. Everything that was said is escaped: a page is shown in browsers, and speech decides no links or tags."""

import re

from videolab_assets.lib.documents import Summary
from videolab_assets.lib.summary.language import language_called

_MARKUP = re.compile(r"[\\`*_\[\]<>#|~]|&(?=#?\w+;)|^[-+](?=\s)|(?<=^\d)[.)]|(?<=^\d\d)[.)]")


def to_markdown(summary: Summary) -> str:
    """The whole summary as one page: title, description, key points with times, show notes, tags."""
    key_points, show_notes, tags = language_called(summary.language).headings
    page = [f"# {escaped(summary.title)}", escaped(summary.description)]
    if summary.key_points:
        page += [f"## {key_points}", "\n".join(f"- **{clock(point.time)}** {escaped(point.text)}" for point in summary.key_points)]
    if summary.show_notes:
        page += [f"## {show_notes}", summary.show_notes.strip()]
    if summary.tags:
        page += [f"**{tags}:** {', '.join(escaped(tag) for tag in summary.tags)}"]
    return "\n\n".join(page) + "\n"


def escaped(text: str) -> str:
    """`text` on one line, shown by Markdown as it stands."""
    return _MARKUP.sub(r"\\\g<0>", " ".join(text.split()))


def clock(seconds: float) -> str:
    """Seconds as `m:ss`, or `h:mm:ss` from an hour on; the second that has begun, so that a player lands before the words."""
    whole = int(max(0.0, seconds))
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
