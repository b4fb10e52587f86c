"""Whose wish a summary follows: that of the video, else that of its tenant."""

from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.keys import library_key, tenant_of
from videolab_assets.lib.library import Library
from videolab_assets.lib.sidecars import LONGEST_PROMPT, SUMMARY_PROMPT
from videolab_assets.lib.store import ObjectMissing

PROMPTS = "prompts"


def tenant_prompt_key(tenant: str) -> str:
    """Where a tenant keeps the wish for all of its summaries, as UTF-8 text."""
    return f"{PROMPTS}/{tenant}/summary.txt"


def prompt_for(video_key: str, library: Library) -> str | None:
    """The video's own prompt, which somebody laid beside it into the inbox; else its tenant's; None without either.

    Raises:
        PermanentError: it is too long, or no UTF-8 text.
    """
    for key in (library_key(video_key, SUMMARY_PROMPT), tenant_prompt_key(tenant_of(video_key))):
        try:
            text = library.store.read_bytes(key, LONGEST_PROMPT).decode("utf-8-sig").strip()
        except ObjectMissing:
            continue
        except UnicodeDecodeError as error:
            raise PermanentError(f"{key} is no UTF-8 text: save it as UTF-8.", str(error)) from error
        if text:
            return text
    return None
