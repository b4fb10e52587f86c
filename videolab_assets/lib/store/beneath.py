"""Work below a root that others may write to: every path is walked from an open descriptor, one component at a time, without links.

A link planted by an uploader leads nowhere, and swapping a folder for a link half-way changes nothing.
"""

import ctypes
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from videolab_assets.lib.errors import PermanentError, TransientError
from videolab_assets.lib.store import TEMPORARIES
from videolab_assets.lib.store.copies import write_all

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
BELOW = _FOLDER | os.O_NOFOLLOW
"""For opening a folder that an uploader may have swapped for a link."""

FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""For opening what may be anything: without O_NONBLOCK, a pipe that nobody writes to would be waited for for ever."""

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

_NO_HARD_LINK = (errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS)
_NO_RENAMEAT2 = (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP)

_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFDIR: "a folder",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@contextmanager
def opened_folder(root: Path, names: Iterable[str], make: bool = False) -> Iterator[int]:
    """A descriptor of a folder below the root, each component opened without following links.

    Raises:
        TransientError: the root itself is gone; taken for an empty store, an unmounted disk would make everything look deleted.
        OSError: as `os.open`.
    """
    try:
        descriptor = os.open(root, _FOLDER)
    except FileNotFoundError as error:
        raise TransientError(f"The folder {root} of the store is gone: is its disk mounted?") from error
    try:
        for name in names:
            if make:
                _make_folder(descriptor, name)
            below = os.open(name, BELOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = below
        yield descriptor
    finally:
        os.close(descriptor)


def _make_folder(parent: int, name: str) -> None:
    mode = 0o700 if name == TEMPORARIES else 0o777
    with suppress(FileExistsError):
        os.mkdir(name, mode, dir_fd=parent)
        os.fsync(parent)


def status(folder: int, name: str) -> os.stat_result | None:
    """What is under that very name in an open folder, links not followed; None when nothing is."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def kind(entry: os.stat_result) -> str:
    """In words, for a sentence: `a link`, `a folder`, …"""
    return _KINDS.get(stat.S_IFMT(entry.st_mode), "something unknown")


def write_new(folder: int, name: str, chunks: Iterable[bytes]) -> None:
    """A new durable file; its mode is the operator's umask's business, since `.tmp` itself is closed to others."""
    descriptor = os.open(name, _NEW_FILE, 0o666, dir_fd=folder)
    try:
        for chunk in chunks:
            write_all(descriptor, chunk)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def link_in(path: Path, folder: int, name: str) -> bool:
    """Whether `path` could be hard-linked into `folder`, durable; False where only a copy will do.

    A file that already has a second name stays apart: whoever holds that name may write to it.
    """
    entry = path.lstat()
    if not stat.S_ISREG(entry.st_mode):
        raise PermanentError(f"{path.name!r} is {kind(entry)}: only plain files can be stored.")
    if entry.st_nlink != 1:
        return False
    try:
        os.link(path, name, dst_dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno in _NO_HARD_LINK:
            return False
        raise
    descriptor = os.open(name, FILE, dir_fd=folder)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    return True


def rename_into_place(source_folder: int, source: str, target_folder: int, target: str) -> None:
    """`rename_without_replacing`, durable, and finishing one that was cut off between its link and its unlink."""
    try:
        rename_without_replacing(source_folder, source, target_folder, target)
    except FileExistsError:
        there = os.stat(target, dir_fd=target_folder, follow_symlinks=False)
        if not os.path.samestat(os.stat(source, dir_fd=source_folder, follow_symlinks=False), there):
            raise
        os.unlink(source, dir_fd=source_folder)
    os.fsync(target_folder)
    os.fsync(source_folder)


def rename_without_replacing(source_folder: int, source: str, target_folder: int, target: str) -> None:
    """Renames an entry of any kind; FileExistsError where the target is taken.

    renameat2 needs no more than write access to both folders. A hard link is the way elsewhere (macOS, old file systems): Linux
    may refuse that for other people's files (protected_hardlinks), and it cannot move a folder.
    """
    if _renameat2 is not None:
        if _renameat2(source_folder, os.fsencode(source), target_folder, os.fsencode(target), _RENAME_NOREPLACE) == 0:
            return
        failure = ctypes.get_errno()
        if failure not in _NO_RENAMEAT2:
            raise OSError(failure, os.strerror(failure), source, None, target)
    os.link(source, target, src_dir_fd=source_folder, dst_dir_fd=target_folder, follow_symlinks=False)
    os.unlink(source, dir_fd=source_folder)


_RENAME_NOREPLACE = 1
_renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
