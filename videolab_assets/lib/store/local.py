"""The store in a folder.

New objects are written in `.tmp`, made durable, and then renamed to their names, so that a killed process or a power cut leaves a
whole object or none.
"""

import errno
import os
import secrets
import stat
from collections.abc import Generator, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from videolab_assets.lib.errors import PermanentError, RejectedUpload
from videolab_assets.lib.keys import WORK
from videolab_assets.lib.processes import ProcessIdentity, this_process
from videolab_assets.lib.store import (
    TEMPORARIES,
    AlreadyThere,
    ChangedWhileRead,
    Fetched,
    ObjectMissing,
    Store,
    StoreObject,
    beneath,
    checked_key,
)
from videolab_assets.lib.store.copies import CHUNK, NOT_A_FOLDER, copy_hashed, disk_errors_explained

DEEPEST = 64
"""Levels of folders that a listing descends: it keeps two descriptors open for each."""

SPARSE_FROM = 1024**2
"""Bytes; below it, block counts say nothing."""


class LocalStore(Store):
    """Objects as plain files below `root`, which is made if missing and may itself be a link: it is the operator's."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        with self._errors_explained():
            self.root.mkdir(parents=True, exist_ok=True)

    def describe(self) -> str:
        return f"folder {self.root}"

    def uri(self, key: str) -> str:
        return (self.root / _checked(key)).as_uri()

    @property
    def supports_conditional(self) -> bool:
        return True

    @property
    def objects_are_whole(self) -> bool:
        return False

    def list(self, folder: str) -> Iterator[StoreObject]:
        names = PurePosixPath(_checked(folder.rstrip("/"))).parts if folder.strip("/") else ()
        with ExitStack() as stack, self._errors_explained():
            try:
                descriptor = stack.enter_context(beneath.opened_folder(self.root, names))
            except OSError as error:
                if error.errno in (errno.ENOENT, *NOT_A_FOLDER):
                    return
                raise
            yield from _walk(descriptor, "".join(f"{name}/" for name in names), DEEPEST)

    def stat(self, key: str) -> StoreObject | None:
        *folders, name = _checked(key).split("/")
        with self._errors_explained():
            try:
                with beneath.opened_folder(self.root, folders) as folder:
                    return _object(key, os.stat(name, dir_fd=folder, follow_symlinks=False))
            except OSError as error:
                if error.errno in (errno.ENOENT, *NOT_A_FOLDER):
                    return None
                raise

    def read_bytes(self, key: str, limit: int) -> bytes:
        with self._opened(key) as descriptor, self._errors_explained(), os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise PermanentError(f"{key!r} is larger than the {limit} bytes that are read of such an object.")
        return data

    def write_bytes(self, key: str, data: bytes, *, media_type: str, only_if_absent: bool = False) -> bool:
        with self._errors_explained(), self._temporary() as (temporaries, temporary):
            beneath.write_new(temporaries, temporary, (data,))
            return self._publish(temporaries, temporary, key, only_if_absent)

    def put_file(self, path: Path, key: str, *, media_type: str, sha256: str, only_if_absent: bool = False) -> bool:
        with self._errors_explained(), self._temporary() as (temporaries, temporary):
            if not beneath.link_in(path, temporaries, temporary):
                with path.open("rb") as source:
                    beneath.write_new(temporaries, temporary, iter(lambda: source.read(CHUNK), b""))
            return self._publish(temporaries, temporary, key, only_if_absent)

    def fetch(self, key: str, path: Path, *, longest: int) -> Fetched:
        with self._opened_upload(key) as descriptor:
            before = os.fstat(descriptor)
            _refuse_unfit(before, longest)
            with self._errors_explained():
                size, sha256 = copy_hashed(iter(lambda: os.read(descriptor, CHUNK), b""), path, before.st_size)
                after = os.fstat(descriptor)
        if (size, before.st_size, before.st_mtime_ns) != (after.st_size, after.st_size, after.st_mtime_ns):
            path.unlink()
            raise ChangedWhileRead(f"{key!r} changed while it was read: it is looked at again once it stops changing.")
        return Fetched(size, sha256, _version(before))

    @contextmanager
    def local(self, key: str, scratch: Path) -> Iterator[Path]:
        with self._opened(key):
            pass
        yield self.root / key

    def move(self, source: str, target: str) -> None:
        *source_folders, source_name = _checked(source).split("/")
        *target_folders, target_name = _checked(target).split("/")
        if source == target:
            raise AlreadyThere(f"{source!r} cannot be moved onto itself.")
        with self._errors_explained(), beneath.opened_folder(self.root, target_folders, make=True) as target_folder:
            try:
                with beneath.opened_folder(self.root, source_folders) as source_folder:
                    beneath.rename_into_place(source_folder, source_name, target_folder, target_name)
            except FileNotFoundError as error:
                if beneath.status(target_folder, target_name) is None:
                    raise _missing(source) from error
            except FileExistsError as error:
                raise AlreadyThere(f"{source!r} cannot be moved: {target!r} is already there.") from error

    def delete(self, key: str, version: str) -> bool:
        *folders, name = _checked(key).split("/")
        with self._errors_explained():
            try:
                with beneath.opened_folder(self.root, folders) as folder:
                    found = os.lstat(name, dir_fd=folder)
                    if not stat.S_ISREG(found.st_mode) or _version(found) != version:
                        return False
                    os.unlink(name, dir_fd=folder)
                    os.fsync(folder)
                self._prune(folders)
                return True
            except FileNotFoundError:
                return False

    def _prune(self, folders: Sequence[str]) -> None:
        """Removes the folders of one video's work that are empty now; a tenant's stay, because other runs write there."""
        for depth in range(len(folders), 2, -1) if folders[0] == WORK else ():
            try:
                with beneath.opened_folder(self.root, folders[: depth - 1]) as parent:
                    os.rmdir(folders[depth - 1], dir_fd=parent)
            except OSError:  # not empty, or gone already
                return

    def sweep_temporaries(self) -> int:
        swept = 0
        with (
            self._errors_explained(),
            beneath.opened_folder(self.root, (TEMPORARIES,), make=True) as temporaries,
            os.scandir(temporaries) as entries,
        ):
            for entry in entries:
                owner = ProcessIdentity.of_token(entry.name.rpartition("_")[0])
                if owner is not None and owner.is_gone():
                    with suppress(FileNotFoundError):  # another sweeper was faster
                        os.unlink(entry.name, dir_fd=temporaries)
                        swept += 1
        return swept

    def _errors_explained(self) -> AbstractContextManager[None]:
        return disk_errors_explained(f"the store {self.root}")

    @contextmanager
    def _opened(self, key: str) -> Iterator[int]:
        """A descriptor of a regular file that we made or accepted."""
        *folders, name = _checked(key).split("/")
        with self._errors_explained():
            try:
                with beneath.opened_folder(self.root, folders) as folder:
                    descriptor = os.open(name, beneath.FILE, dir_fd=folder)
            except FileNotFoundError as error:
                raise _missing(key) from error
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise PermanentError(f"{key!r} in {self.describe()} is {beneath.kind(os.fstat(descriptor))}, not a file.")
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _opened_upload(self, key: str) -> Iterator[int]:
        """A descriptor of what an uploader put there, whatever it is; what cannot be opened is their fault and says so."""
        *folders, name = _checked(key).split("/")
        with self._errors_explained():
            try:
                with beneath.opened_folder(self.root, folders) as folder:
                    descriptor = os.open(name, beneath.FILE, dir_fd=folder)
            except FileNotFoundError as error:
                raise ObjectMissing(f"{key!r} was deleted or renamed before it could be read: upload it again.") from error
            except PermissionError as error:
                raise RejectedUpload("unreadable", "The file cannot be read: its permissions forbid it.", {"kind": "file"}) from error
            except OSError as error:
                if error.errno in NOT_A_FOLDER:
                    raise RejectedUpload("symlink", "This is a link, not a file: upload the file itself.", {"kind": "link"}) from error
                if error.errno in (errno.ENXIO, errno.ENODEV, errno.EOPNOTSUPP):
                    raise RejectedUpload("not_a_file", "This is a socket or device, not a file.", {"kind": "socket or device"}) from error
                raise
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    @contextmanager
    def _temporary(self) -> Iterator[tuple[int, str]]:
        """The descriptor of `.tmp` and a name in it that carries this process; what is left under the name is removed."""
        temporary = f"{this_process().token}_{secrets.token_hex(8)}"
        with beneath.opened_folder(self.root, (TEMPORARIES,), make=True) as temporaries:
            try:
                yield temporaries, temporary
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(temporary, dir_fd=temporaries)

    def _publish(self, temporaries: int, temporary: str, key: str, only_if_absent: bool) -> bool:
        """Gives a finished, durable temporary its name; the folder is synced too, or a power cut would lose the name."""
        *folders, name = _checked(key).split("/")
        with beneath.opened_folder(self.root, folders, make=True) as folder:
            if only_if_absent:
                try:
                    beneath.rename_without_replacing(temporaries, temporary, folder, name)
                except FileExistsError:
                    return False
            else:
                os.replace(temporary, name, src_dir_fd=temporaries, dst_dir_fd=folder)
            os.fsync(folder)
        return True


def _checked(key: str) -> str:
    # S3's limit on keys does not bind here: an upload in deep folders must still be listed, fetched and rejected.
    return checked_key(key, longest=DEEPEST * 256)


def _missing(key: str) -> ObjectMissing:
    return ObjectMissing(f"{key!r} is not in the store: it was never made, or somebody deleted or renamed it.")


def _version(found: os.stat_result) -> str:
    return f"{found.st_size}-{found.st_mtime_ns}-{found.st_ino}"


def _object(key: str, found: os.stat_result) -> StoreObject:
    return StoreObject(key, found.st_size, found.st_ctime, _version(found), stat.S_ISREG(found.st_mode))


def _walk(folder: int, prefix: str, levels: int) -> Generator[StoreObject, None, bool]:
    """Yields what is below the open `folder`; returns whether that was nothing at all."""
    empty = True
    with os.scandir(folder) as entries:
        for entry in entries:
            empty = False
            key = prefix + entry.name
            if key == TEMPORARIES:
                continue
            found = beneath.status(folder, entry.name)
            if found is None:  # taken away since the folder was read
                continue
            if stat.S_ISDIR(found.st_mode):
                yield from _walk_below(folder, entry.name, _object(key, found), levels - 1)
            else:
                yield _object(key, found)
    return empty


def _walk_below(parent: int, name: str, itself: StoreObject, levels: int) -> Generator[StoreObject, None, None]:
    """What is below one folder; or the folder itself, as not regular, where a person has to be told about it.

    That is: a folder too deep to descend into, one that may not be read, and an empty one that is named like a file (`clip.mp4`).
    """
    if levels <= 0:
        yield itself
        return
    try:
        descriptor = os.open(name, beneath.BELOW, dir_fd=parent)
    except PermissionError:
        yield itself
        return
    except OSError as error:
        if error.errno in (errno.ENOENT, *NOT_A_FOLDER):  # swapped for something else since then: the next listing sees it
            return
        raise
    try:
        empty = yield from _walk(descriptor, itself.key + "/", levels)
    finally:
        os.close(descriptor)
    if empty and PurePosixPath(name).suffix:
        yield itself


def _refuse_unfit(found: os.stat_result, longest: int) -> None:
    facts: dict[str, Any] = {"kind": "file", "bytes": found.st_size}
    if not stat.S_ISREG(found.st_mode):
        kind = beneath.kind(found)
        raise RejectedUpload("not_a_file", f"This is {kind}, not a file.", {"kind": kind.partition(" ")[2]})
    if found.st_size == 0:
        raise RejectedUpload("empty", "The file is empty: the upload was cut off, or there was nothing in it.", facts)
    if found.st_size > longest:
        raise RejectedUpload(
            "too_big", f"The file has {found.st_size:,} bytes; at most {longest:,} are taken.", {**facts, "longest": longest}
        )
    if found.st_size > SPARSE_FROM and found.st_blocks * 512 < found.st_size / 2:
        stored = found.st_blocks * 512
        raise RejectedUpload(
            "sparse", "Most of the file is holes: the upload is incomplete or made up.", {**facts, "bytes_on_disk": stored}
        )
