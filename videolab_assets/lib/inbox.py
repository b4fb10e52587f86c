"""What lies in the tenants' inboxes: whose it is, and whether it is whole yet."""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from videolab_assets.lib.keys import INBOX, TENANT_PATTERN
from videolab_assets.lib.store import Store, StoreObject
from videolab_assets.lib.store.copies import disk_errors_explained

_UNFINISHED_NAME = re.compile(
    r"(?P<browsers>[^/]*)\.(?:part|partial|tmp|temp|crdownload|download|filepart|opdownload)|\.(?P<rsync>[^/]+)\.[a-z0-9]{6}|~(?P<office>.*)",
    re.IGNORECASE | re.DOTALL,
)
"""Names that browsers, rsync and other programs give to what they have not finished, around the name that it is going to have."""

_NOBODYS = frozenset({".ds_store", "thumbs.db", "desktop.ini", ".keep", ".gitkeep", ".directory"})
"""What file managers leave in folders."""


@dataclass(frozen=True)
class Entry:
    """One object of the inbox.

    Attributes:
        tenant: whose folder it is in; None where that is no tenant's.
        final_key: the key that it has, or is going to have once the program that writes it has finished.
        age: seconds since anything touched it.
        is_whole: whether it has its final name and nothing has touched it for long enough.
    """

    found: StoreObject
    tenant: str | None
    final_key: str
    age: float
    is_whole: bool


def entries(store: Store, settle_seconds: float, now: float) -> Iterator[Entry]:
    """Everything in the inbox that a person or a program of theirs put there.

    Args:
        settle_seconds: an object counts as whole when nothing has touched it for so long; objects of S3 are whole at once.
        now: epoch seconds.
    """
    settle = 0.0 if store.objects_are_whole else settle_seconds
    for found in store.list(INBOX):
        folders, _, name = found.key.rpartition("/")
        if name.lower() in _NOBODYS:
            continue
        tenant = folders.partition("/")[2].partition("/")[0]
        # A clock that was set back makes a time look like the future; such a file is not waited for longer than any other.
        age = abs(now - found.modified)
        final_name = _final_name(name)
        is_whole = final_name == name and age >= settle
        yield Entry(found, tenant if TENANT_PATTERN.fullmatch(tenant) else None, f"{folders}/{final_name}", age, is_whole)


def read_small(store: Store, found: StoreObject, longest: int) -> bytes | None:
    """The bytes of a small file of a person's; None when it changed since it was listed, being another one then that has to settle first.

    Args:
        longest: bytes.

    Raises:
        RejectedUpload: as `Store.fetch`.
        ObjectMissing: it is gone.
        TransientError: the store or the disk failed.
    """
    with disk_errors_explained("the system's temporary files"), tempfile.TemporaryDirectory(prefix="videolab-") as folder:
        copy = Path(folder, "copy")
        fetched = store.fetch(found.key, copy, longest=longest)
        return copy.read_bytes() if fetched.version == found.version else None


def _final_name(name: str) -> str:
    """The name without what a program adds to it until it has finished the file."""
    match = _UNFINISHED_NAME.fullmatch(name)
    return match[match.lastgroup or 0] if match else name
