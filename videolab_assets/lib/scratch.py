"""Private folders for work in progress: always removed, and swept when their process was killed."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from videolab_assets.lib.processes import ProcessIdentity, this_process


@contextmanager
def scratch_folder(parent: Path) -> Iterator[Path]:
    """A new empty folder below `parent`, mode 0700, removed at the end whatever happens.

    Its name carries the process's identity, so that `sweep` can tell an abandoned folder from one in use. Abandoned ones of
    processes that were killed are swept on entry.
    """
    parent.mkdir(parents=True, exist_ok=True)
    sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=f"{this_process().token}_", dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def sweep(parent: Path) -> list[Path]:
    """Removes the folders below `parent` whose process is gone, by identity and never by age; returns them.

    Folders of other machines that share the disk, and anything not named by `scratch_folder`, stay.
    """
    swept = []
    for entry in os.scandir(parent):
        owner = ProcessIdentity.of_token(entry.name.partition("_")[0])
        if owner is not None and entry.is_dir(follow_symlinks=False) and owner.is_gone():
            shutil.rmtree(entry.path, ignore_errors=True)
            swept.append(Path(entry.path))
    return swept
