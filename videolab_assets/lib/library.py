"""A video's folder in the store: which documents and files exist, and how new ones appear there."""

import hashlib
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from videolab_assets.lib.documents import DOCUMENTS, Document, StoredFile
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.keys import library_key
from videolab_assets.lib.store import ObjectMissing, Store

LONGEST_DOCUMENT = 64 * 1024**2
"""Bytes; the transcript of four hours of speech with word times is about 6 MB."""

ASSETS = {kind: asset for asset, kind in DOCUMENTS.items()}

SomeDocument = TypeVar("SomeDocument", bound=Document)


def kept_name(name: str, data: bytes) -> str:
    """What an earlier version of a person's file is called once another one has taken its name."""
    return f"{Path(name).stem}.{hashlib.sha256(data).hexdigest()[:8]}{Path(name).suffix}"


class Library:
    """Documents and media files of videos, over any store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def document_key(self, video_key: str, kind: type[Document]) -> str:
        """Where a document of that kind is kept, whether it exists or not."""
        return library_key(video_key, f"{ASSETS[kind]}.json")

    def document(self, video_key: str, kind: type[SomeDocument]) -> SomeDocument | None:
        """The stored document of that kind; None when the asset has not been made.

        Raises:
            PermanentError: what is stored is not a document of this version.
        """
        key = self.document_key(video_key, kind)
        try:
            return kind.model_validate_json(self.store.read_bytes(key, LONGEST_DOCUMENT))
        except ObjectMissing:
            return None
        except ValidationError as error:
            raise PermanentError(f"{key} is not a {kind.__name__} document of this version: materialize it again.", str(error)) from error

    def readable(self, video_key: str, kind: type[SomeDocument]) -> SomeDocument | None:
        """As `document`, but None as well for one that this version cannot read: whoever asks is about to make it anew."""
        try:
            return self.document(video_key, kind)
        except PermanentError:
            return None

    def made(self, video_key: str, kind: type[SomeDocument], recipe: str) -> SomeDocument | None:
        """The stored document if it was made by `recipe` and each of its files is there at its size; otherwise None.

        A document is a claim: a person may have removed a file, or a killed run replaced one without writing the claim anew.
        """
        document = self.readable(video_key, kind)
        if document is None or document.recipe != recipe:
            return None
        return document if all(self.has(file) for file in document.files) else None

    def has(self, file: StoredFile) -> bool:
        """Whether the file is there at its size."""
        found = self.store.stat(file.key)
        return found is not None and found.bytes == file.bytes

    def add_file(self, video_key: str, path: Path, media_type: str, name: str | None = None) -> StoredFile:
        """Publishes `path` in the video's folder as `name`, its own where left out, whole or not at all, replacing an earlier version.

        The file must not be changed afterwards: a local store may keep the very same bytes.
        """
        with path.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
        key = library_key(video_key, name or path.name)
        self.store.put_file(path, key, media_type=media_type, sha256=sha256)
        return StoredFile(key=key, bytes=path.stat().st_size, sha256=sha256, media_type=media_type)

    def add_bytes(self, video_key: str, name: str, data: bytes, media_type: str) -> StoredFile:
        """Publishes `data` as a file of the video's folder, whole or not at all, replacing an earlier version."""
        key = library_key(video_key, name)
        self.store.write_bytes(key, data, media_type=media_type)
        return StoredFile(key=key, bytes=len(data), sha256=hashlib.sha256(data).hexdigest(), media_type=media_type)

    def replace_bytes(self, video_key: str, name: str, data: bytes, media_type: str) -> None:
        """Publishes what a person wrote; an earlier version stays, with eight digits of its hash in its name."""
        try:
            earlier = self.store.read_bytes(library_key(video_key, name), LONGEST_DOCUMENT)
        except ObjectMissing:
            earlier = None
        if earlier == data:
            return
        if earlier is not None:
            self.add_bytes(video_key, kept_name(name, earlier), earlier, media_type)
        self.add_bytes(video_key, name, data, media_type)

    def write(self, video_key: str, document: Document) -> str:
        """Writes the document, after its files, and returns its key."""
        key = self.document_key(video_key, type(document))
        self.store.write_bytes(key, document.model_dump_json(indent=1).encode(), media_type="application/json")
        return key
