"""Taking one upload in: from the inbox through the gate into the library, or to `rejected/` with the reason beside it.

    inbox ── private copy, hashed ── gate ── claim of the content ── library ── document ── inbox emptied

Each step may be the last one before a crash. The inbox object goes last, so a repetition finds either it or the finished document.
"""

import json
import re
import time
from dataclasses import dataclass
from pathlib import Path

from videolab_assets.lib import keys
from videolab_assets.lib.catalogue import Catalogue, State, Upload
from videolab_assets.lib.documents import SourceVideo, StoredFile
from videolab_assets.lib.errors import PermanentError, RejectedUpload, TransientError
from videolab_assets.lib.gate import Admission, Caps, admit
from videolab_assets.lib.library import Library
from videolab_assets.lib.processes import this_process
from videolab_assets.lib.recipe import recipe
from videolab_assets.lib.sandbox import printable
from videolab_assets.lib.scratch import scratch_folder
from videolab_assets.lib.store import AlreadyThere, Fetched, ObjectMissing, Store

CODE_VERSION = "1"
LONGEST_REASON = 16 * 1024**2

ENDINGS = {
    "mov": ("mp4", "video/mp4"),
    "matroska": ("mkv", "video/x-matroska"),
    "avi": ("avi", "video/x-msvideo"),
    "mpegts": ("ts", "video/mp2t"),
    "mpeg": ("mpg", "video/mpeg"),
    "flv": ("flv", "video/x-flv"),
    "ogg": ("ogg", "application/ogg"),
    "asf": ("wmv", "video/x-ms-asf"),
    "mp3": ("mp3", "audio/mpeg"),
    "wav": ("wav", "audio/wav"),
    "flac": ("flac", "audio/flac"),
    "aac": ("aac", "audio/aac"),
}
"""Ending and media type of an original, by what its bytes are; the uploaded name decides nothing."""


@dataclass(frozen=True)
class Duplicate:
    """The upload's bytes are already there, as the video `first`."""

    first: str
    sha256: str


def take_in(upload: Upload, library: Library, catalogue: Catalogue, scratch: Path, caps: Caps) -> SourceVideo | Duplicate:
    """Moves an upload into the library, if it is a video that can be worked with, and says what it is.

    May be called again at any time: a finished upload is found, an unfinished one continued.

    Raises:
        RejectedUpload: it is refused; by then it is in `rejected/` with a JSON of the reason beside it.
        TransientError: the machine failed, or the file is still changing.
    """
    existing = _finished(upload, library)
    if existing is None:
        if upload.state is State.REJECTED:
            raise RejectedUpload("rejected_before", upload.reason or "This upload was rejected.")
        if upload.state is State.DUPLICATE and upload.duplicate_of:
            return Duplicate(upload.duplicate_of, upload.sha256 or "")
    if upload.state is State.FAILED:
        catalogue.reopen(upload.upload_id)
    catalogue.set_owner(upload.upload_id, this_process())
    library.store.sweep_temporaries()
    if existing is not None:
        catalogue.claim_content(upload.upload_id, existing.sha256)
        catalogue.mark_accepted(upload.upload_id)
        library.store.delete(upload.inbox_key, upload.version)
        return existing
    try:
        with scratch_folder(scratch) as folder:
            return _admit_copy(upload, library, catalogue, folder / "source", caps)
    except RejectedUpload as rejection:
        set_aside(library.store, upload, rejection)
        catalogue.mark_rejected(upload.upload_id, rejection.sentence)
        raise


def _finished(upload: Upload, library: Library) -> SourceVideo | None:
    """What an earlier run made of this upload, if its original is still whole in the library."""
    document = library.readable(upload.video_key, SourceVideo)
    original = library.store.stat(document.source_key) if document else None
    return document if document and original and original.bytes == document.probe.bytes else None


def _admit_copy(upload: Upload, library: Library, catalogue: Catalogue, copy: Path, caps: Caps) -> SourceVideo | Duplicate:
    store, began = library.store, time.monotonic()
    fetched = _fetch(upload, library, copy, caps)
    holder = catalogue.holder(upload.tenant, fetched.sha256)
    if holder is None or holder.upload_id == upload.upload_id:
        admission = admit(copy, caps)
        holder = catalogue.claim_content(upload.upload_id, fetched.sha256)
        if holder is None:
            return _publish(upload, library, catalogue, copy, fetched, admission, began)
    if holder.state is State.QUEUED:
        raise TransientError(
            f"The same file is being taken in as {holder.video_key} at this moment: this one is looked at again afterwards."
        )
    catalogue.mark_duplicate(upload.upload_id, holder.video_key, fetched.sha256)
    store.delete(upload.inbox_key, upload.version)
    return Duplicate(holder.video_key, fetched.sha256)


def _fetch(upload: Upload, library: Library, copy: Path, caps: Caps) -> Fetched:
    """Copies the upload from the inbox, else from the library, where an earlier run may have got it whose document is unreadable now."""
    store = library.store
    try:
        fetched = store.fetch(upload.inbox_key, copy, longest=caps.bytes)
    except ObjectMissing as missing:
        gone = _refused_before(upload, store) or RejectedUpload(
            "vanished", "This file was deleted or renamed before it could be processed: upload it again."
        )
        gone.__cause__ = missing
    else:
        if fetched.version == upload.version:
            return fetched
        copy.unlink()
        gone = RejectedUpload(
            "replaced", "Another file was uploaded under this name before this one could be processed; that one is processed instead."
        )
    for ending, _ in ENDINGS.values():
        key = keys.library_key(upload.video_key, f"source.{ending}")
        if store.stat(key):
            return store.fetch(key, copy, longest=caps.bytes)
    raise gone


def _publish(
    upload: Upload, library: Library, catalogue: Catalogue, copy: Path, fetched: Fetched, admission: Admission, began: float
) -> SourceVideo:
    ending, media_type = ENDINGS[admission.probe.container]
    key = keys.library_key(upload.video_key, f"source.{ending}")
    library.store.put_file(copy, key, media_type=media_type, sha256=fetched.sha256)
    original = StoredFile(key=key, bytes=fetched.bytes, sha256=fetched.sha256, media_type=media_type)
    document = SourceVideo(
        recipe=recipe(asset="source_video", code=CODE_VERSION, source=fetched.sha256),
        video_key=upload.video_key,
        tenant=upload.tenant,
        original_name=shown_name(upload.inbox_key),
        upload=upload.upload_id,
        source_key=key,
        sha256=fetched.sha256,
        verdict=admission.verdict,
        missing=admission.missing,
        probe=admission.probe,
        files=[original],
        seconds=round(time.monotonic() - began, 3),
    )
    library.write(upload.video_key, document)
    catalogue.mark_accepted(upload.upload_id)
    library.store.delete(upload.inbox_key, upload.version)
    return document


def shown_name(inbox_key: str) -> str:
    """The name below the tenant's inbox as text that is safe to show: control characters and undecodable bytes escaped."""
    return printable(inbox_key.split("/", 2)[-1], 300)


def _refused_before(upload: Upload, store: Store) -> RejectedUpload | None:
    """The reason that a run left beside the moved file before it was killed."""
    key = _reason_key(upload.tenant, upload.video_key)
    if store.stat(key) is None:
        return None
    reason = json.loads(store.read_bytes(key, LONGEST_REASON))
    return RejectedUpload(reason["code"], reason["reason"], reason["found"])


def set_aside(store: Store, upload: Upload, rejection: RejectedUpload) -> str:
    """Moves what was uploaded to `rejected/<tenant>/`, under a name of ours, with a JSON of the reason beside it.

    An object that has been replaced since stays in the inbox: it is another upload.

    Returns:
        The key of the JSON.
    """
    return move_to_rejected(store, upload.tenant, upload.video_key, upload.inbox_key, upload.version, rejection)


def move_to_rejected(store: Store, folder: str, name: str, inbox_key: str, version: str, rejection: RejectedUpload) -> str:
    """As `set_aside`, for anything in the inbox; `folder` and `name` are ours."""
    target = f"{keys.REJECTED}/{folder}/{name}{_harmless_ending(inbox_key)}"
    present = store.stat(inbox_key)
    here = present is not None and present.version == version
    reason = {
        "name": shown_name(inbox_key),
        "code": rejection.code,
        "reason": rejection.sentence,
        "kept_as": target if here or store.stat(target) else None,
        "bytes": present.bytes if present and here else None,
        "found": rejection.found,
    }
    key = _reason_key(folder, name)
    store.write_bytes(key, json.dumps(reason, indent=1).encode(), media_type="application/json")
    if here:
        try:
            store.move(inbox_key, target)
        except AlreadyThere as taken:
            raise PermanentError(f"{target} is taken by another file: move that away, then run this again.", taken.sentence) from taken
    return key


def _reason_key(folder: str, name: str) -> str:
    return f"{keys.REJECTED}/{folder}/{name}.json"


def _harmless_ending(inbox_key: str) -> str:
    """The uploaded name's ending where it is short and plain, so that a person finds a program for it; `.json` is ours."""
    ending = re.search(r"\.[A-Za-z0-9]{1,5}$", inbox_key)
    return ending[0].lower() if ending and ending[0].lower() != ".json" else ".upload"
