"""The index and the library side by side: what was deleted from one leaves the other."""

from collections.abc import Callable, Iterable

from videolab_assets.lib.documents import Transcript
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.library import Library
from videolab_assets.lib.search.index import Index, Moment

FEW_VIDEOS = 10
"""So many may all have been deleted; that all of more are gone says that the wrong library was looked into."""


def present(moments: Iterable[Moment], library: Library) -> list[Moment]:
    """Those moments whose video still has its transcript, in the same order. A look into the store for each different video."""
    there: dict[str, bool] = {}
    kept = []
    for moment in moments:
        if moment.video_key not in there:
            there[moment.video_key] = _has_transcript(moment.video_key, library)
        if there[moment.video_key]:
            kept.append(moment)
    return kept


def forget_missing(index: Index, library: Library, has_partition: Callable[[str], bool]) -> list[str]:
    """Takes the videos out of the index whose partition or whose transcript is gone, and returns their keys in order.

    Raises:
        PermanentError: not one of more than `FEW_VIDEOS` is there: then nothing is taken out.
        TransientError: the store or the database cannot be reached; what was found gone before is left in.
    """
    gone: list[str] = []
    looked_at = 0
    after = ""
    while page := index.video_keys(after):
        gone += [key for key in page if not (has_partition(key) and _has_transcript(key, library))]
        looked_at += len(page)
        after = page[-1]
    if looked_at > FEW_VIDEOS and len(gone) == looked_at:
        raise PermanentError(f"Not one of the {looked_at} videos in the search index is in this library: check the store's address.")
    return [key for key in gone if index.remove(key)]


def _has_transcript(video_key: str, library: Library) -> bool:
    return library.store.stat(library.document_key(video_key, Transcript)) is not None
