"""Copying an upload into a private file, and saying what a failing disk means; shared by the stores."""

import errno
import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.store import ChangedWhileRead

CHUNK = 1024**2

_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)
NOT_A_FOLDER = (errno.ENOTDIR, errno.ELOOP)
"""What opening a link or a file as a folder gives with O_DIRECTORY and O_NOFOLLOW: ENOTDIR on Linux, ELOOP elsewhere."""


@contextmanager
def disk_errors_explained(place: str) -> Iterator[None]:
    """Turns an OSError about `place`, which completes "the disk that holds …", into an error that a person can act on."""
    try:
        yield
    except OSError as error:
        detail = str(error)
        if error.errno in _FULL:
            raise TransientError(f"The disk that holds {place} is full: free some space, then try again.", detail) from error
        if error.errno in _FORBIDDEN:
            raise TransientError(
                f"The system refuses access to {place}: check the owner, mode and mount of that folder.", detail
            ) from error
        if error.errno == errno.ENAMETOOLONG:
            raise PermanentError(f"A name is too long for the disk that holds {place}: shorten it to 255 bytes.", detail) from error
        if error.errno == errno.EISDIR:
            raise PermanentError(f"A folder in {place} has the name that a file is to have: choose another name.", detail) from error
        if error.errno in NOT_A_FOLDER:
            raise PermanentError(
                f"Something in {place} is a link or a file where a folder is needed; links are not followed.", detail
            ) from error
        raise TransientError(f"The disk that holds {place} failed.", detail) from error


def copy_hashed(chunks: Iterable[bytes], path: Path, longest: int) -> tuple[int, str]:
    """Writes `chunks` to the new file `path`; returns its size in bytes and its SHA-256. Leaves nothing there when it raises.

    Raises:
        ChangedWhileRead: more than `longest` bytes came, though the object was announced smaller.
        TransientError: no space, or another failure to write.
    """
    place = f"the scratch folder {path.parent}"
    digest = hashlib.sha256()
    size = 0
    with disk_errors_explained(place):
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as copy:
            for chunk in chunks:
                size += len(chunk)
                if size > longest:
                    raise ChangedWhileRead("The upload grew while it was read: it is looked at again once it stops changing.")
                digest.update(chunk)
                with disk_errors_explained(place):
                    write_all(copy.fileno(), chunk)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return size, digest.hexdigest()


def write_all(descriptor: int, data: bytes) -> None:
    """`os.write` until nothing is left: a nearly full disk takes a part and reports the error only on the next call."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]
