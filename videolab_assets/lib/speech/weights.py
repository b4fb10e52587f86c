"""A model by name or by path: what it is called, and what tells its content from another's."""

import hashlib
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_PATH_BEGINNINGS = ("/", "./", "../", "~")
_END_BYTES = 1024**2


@dataclass(frozen=True)
class Weights:
    """The setting of `SpeechOptions.model`, or an engine's default."""

    setting: str

    @property
    def path(self) -> Path | None:
        """The file or folder, whether it exists or not; None for a name that the engine's own library looks up.

        A plain `small` is always a name, even beside a folder of that name, and so is `owner/model`, unless such a folder is there.
        """
        path = Path(self.setting).expanduser()
        meant = self.setting.startswith(_PATH_BEGINNINGS) or path.suffix == ".pt"
        return path if meant or (os.sep in self.setting and path.exists()) else None

    @property
    def name(self) -> str:
        """For people and documents; of a path the last part alone, which tells nothing of this machine."""
        return self.setting if self.path is None else self.path.name

    @cached_property
    def identity(self) -> str:
        """The name and, of a path, a fingerprint of its content: sizes, and the first and last MiB of each file.

        Released models never change under their names. Neither path nor time of a file counts: the same weights on another machine,
        or copied again, hear the same words. Looked up once: an engine keeps the weights it has loaded.
        """
        return self.setting if self.path is None else f"{self.name} {_fingerprint(self.path)}"


def _fingerprint(path: Path) -> str:
    try:
        files = sorted(entry for entry in path.iterdir() if entry.is_file()) if path.is_dir() else [path]
        found = hashlib.sha256()
        for file in files:
            found.update(f"{'' if file == path else file.name}\0{file.stat().st_size}\0".encode("utf-8", "surrogateescape"))
            with file.open("rb") as opened:
                found.update(opened.read(_END_BYTES))
                opened.seek(max(opened.tell(), file.stat().st_size - _END_BYTES))
                found.update(opened.read(_END_BYTES))
    except OSError:
        return "missing"  # hearing tells the person; a definition that names the engine must load all the same
    return found.hexdigest()[:12]
