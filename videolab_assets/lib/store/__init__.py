"""Where every byte lives: one small interface over a local folder and over anything that speaks S3.

Keys are relative, `/`-separated names such as `inbox/acme/talk.mp4`. A key that came from a local listing may hold any byte but
NUL and `/`; bytes that are not UTF-8 travel as lone surrogates (`os.fsdecode`), so print keys with `{key!r}`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from videolab_assets.lib.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from videolab_assets.lib.store.s3 import S3Client

LONGEST_KEY = 1024
"""Bytes of UTF-8: what S3 allows, bucket prefix included."""

TEMPORARIES = ".tmp"
"""The store's own first folder, for half-written objects and probes: never listed, never a caller's."""


@dataclass(frozen=True, slots=True)
class StoreObject:
    """One entry of a listing.

    Attributes:
        key: relative to the store's root.
        bytes: its size; of an entry that is not regular, whatever the file system says.
        modified: when anything last touched it, in seconds since the epoch. Of a local file that is the inode's change time: copying
            programs set the modification time to the original's, and it may lie in the year 2159.
        version: opaque; changes whenever the bytes may have changed.
        regular: False for what is there but is no object: a link, pipe, socket, device or folder, or a key that this store would
            refuse. Such an entry can be moved, so that it can be rejected in sight; nothing else takes it.
    """

    key: str
    bytes: int
    modified: float
    version: str
    regular: bool = True


@dataclass(frozen=True, slots=True)
class Fetched:
    """What `Store.fetch` copied: size in bytes, SHA-256 as 64 hex digits, and the version that was read."""

    bytes: int
    sha256: str
    version: str


class ObjectMissing(PermanentError):
    """The object is not there: never made, or deleted or renamed between being noticed and being read."""


class AlreadyThere(PermanentError):
    """The target of a move is taken by something else; nothing was changed."""


class ChangedWhileRead(TransientError):
    """The object changed while it was read: it is still being uploaded; look again later."""


class Store(ABC):
    """Objects under one root. Writes appear whole or not at all; nothing outside the root is ever read or written.

    Every method raises PermanentError for a key that `checked_key` refuses and for missing rights to a bucket, and TransientError
    when the disk is full or the disk or service fails.
    """

    @abstractmethod
    def describe(self) -> str:
        """The place in words, for `videolab doctor` and error messages; without credentials."""

    @abstractmethod
    def uri(self, key: str) -> str:
        """`file://` (percent-encoded) or `s3://` (as it is) address of an object, whether it exists or not."""

    @property
    @abstractmethod
    def supports_conditional(self) -> bool:
        """Whether `only_if_absent` can be honoured. The first look at an S3 server costs two puts to a scratch key."""

    @property
    @abstractmethod
    def objects_are_whole(self) -> bool:
        """Whether an object can only be seen once it is complete, as in S3; a file in a folder is there from its first byte."""

    @abstractmethod
    def list(self, folder: str) -> Iterator[StoreObject]:
        """Everything below `folder` at any depth, in no promised order; the whole store for `""`; nothing if there is no such folder.

        Streams: the listing is never held as a whole. Entries made or removed meanwhile may or may not appear.
        """

    @abstractmethod
    def stat(self, key: str) -> StoreObject | None:
        """The entry under that very key, links not followed; None when there is none."""

    @abstractmethod
    def read_bytes(self, key: str, limit: int) -> bytes:
        """The whole object.

        Raises:
            ObjectMissing: there is no such object.
            PermanentError: it has more than `limit` bytes, or is not regular.
        """

    @abstractmethod
    def write_bytes(self, key: str, data: bytes, *, media_type: str, only_if_absent: bool = False) -> bool:
        """Writes an object; replaces an earlier one unless `only_if_absent`.

        Returns:
            True when the object is now these bytes; False when `only_if_absent` found something there. Of many concurrent
            callers with `only_if_absent` exactly one gets True.

        Raises:
            PermanentError: `only_if_absent` on a server that ignores conditions.
        """

    @abstractmethod
    def put_file(self, path: Path, key: str, *, media_type: str, sha256: str, only_if_absent: bool = False) -> bool:
        """Writes a finished file as an object; otherwise as `write_bytes`.

        The caller gives the file's content away: a local store on the same file system takes a hard link to it instead of a copy,
        so writing to `path` afterwards would change the object. Deleting `path` is fine.

        Args:
            path: a regular file that nobody writes to any more.
            key: where it goes.
            media_type: for S3's Content-Type.
            sha256: of the content, 64 hex digits; S3 keeps it as metadata, and `local` compares.
            only_if_absent: see `write_bytes`; on S3 limited to 5 GiB, the largest single put.
        """

    @abstractmethod
    def fetch(self, key: str, path: Path, *, longest: int) -> Fetched:
        """Copies an upload, which is hostile, to the new file `path` in a private folder, hashing while it copies.

        Nothing is left at `path` when it raises.

        Raises:
            RejectedUpload: code `symlink`, `not_a_file`, `empty`, `too_big` (over `longest` bytes), `sparse` or `unreadable`.
            ObjectMissing: it was deleted between being noticed and being read.
            ChangedWhileRead: its size or time changed during the copy.
            TransientError: no space for the copy, among the rest.
        """

    @abstractmethod
    def local(self, key: str, scratch: Path) -> AbstractContextManager[Path]:
        """A readable file with an object that we made or accepted; do not write to it.

        A local store yields the object itself; S3 downloads it into `scratch`, compares its SHA-256, and removes it at the end.

        Raises:
            ObjectMissing: there is no such object.
            TransientError: the download does not match the SHA-256 it was stored with.
        """

    @abstractmethod
    def move(self, source: str, target: str) -> None:
        """Moves an entry of any kind, never overwriting.

        May be repeated after a crash: a target that is there while the source is gone, or that is a finished copy of the same
        source, counts as moved. On a server that ignores conditions another writer of the same new key in the same moment could
        win; use targets that are unique.

        Raises:
            AlreadyThere: the target is something else.
            ObjectMissing: there is neither source nor target.
        """

    @abstractmethod
    def delete(self, key: str, version: str) -> bool:
        """Deletes an object of the inbox or of work in progress whose content is proven to be stored elsewhere, and nothing else, ever.

        Args:
            key: the object.
            version: the version whose bytes are safe. One that was uploaded over it since then stays.

        Returns:
            Whether it was there in that version, and so deleted.
        """

    @abstractmethod
    def sweep_temporaries(self) -> int:
        """Removes half-written files of processes of this machine that are gone, judged by identity and never by age.

        Returns:
            How many. On S3 always 0: nothing is visible there, and a lifecycle rule aborts multipart uploads older than a day.
        """


def checked_key(key: str, longest: int = LONGEST_KEY) -> str:
    """The key itself, if it can only ever name something below the store's root.

    Args:
        key: what to check.
        longest: bytes of its UTF-8 form.

    Raises:
        PermanentError: it is empty, absolute, over-long, holds NUL, an empty, `.` or `..` component, or is in the store's own `.tmp`.
    """
    parts = key.split("/")
    if "\0" in key or any(part in ("", ".", "..") for part in parts) or parts[0] == TEMPORARIES:
        raise PermanentError(f"{key!r} is not a key of the store: use plain names separated by single slashes.")
    try:
        size = len(key.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError as error:
        raise PermanentError(f"{key!r} is not a key of the store: it holds half a character.") from error
    if size > longest:
        raise PermanentError(f"{key[:80]!r}… is too long for a key of the store: at most {longest} bytes.")
    return key


def open_store(url: str, s3_client: "S3Client | None" = None) -> Store:
    """The store at `s3://bucket/prefix` or in a folder, which is made if missing.

    Args:
        url: an s3:// URL, or a folder's path (`~` is expanded).
        s3_client: a boto3 client with the endpoint, credentials and retries wanted; without one, boto3's own defaults with eight tries.

    Raises:
        PermanentError: an s3:// URL without a bucket, or another scheme.
        TransientError: the folder cannot be made.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        from videolab_assets.lib.store.local import LocalStore

        return LocalStore(Path(url).expanduser())
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise PermanentError(f"{url!r} is not a store: give a folder, or s3://bucket or s3://bucket/prefix.")
    from videolab_assets.lib.store.s3 import S3Store, default_client

    return S3Store(s3_client or default_client(), bucket, prefix.strip("/"))
