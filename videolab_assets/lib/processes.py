"""Which process made something, told apart from a later one that got the same number."""

import functools
import os
import re
import socket
from dataclasses import dataclass
from pathlib import Path

_TOKEN = re.compile(r"(?P<host>[0-9a-z-]+)\.(?P<boot>[0-9a-f]{8})\.(?P<pid>\d+)\.(?P<started>\d+)")


@dataclass(frozen=True)
class ProcessIdentity:
    """A process on a host since a boot; `started` is clock ticks after boot (field 22 of /proc/<pid>/stat), 0 where unknown."""

    host: str
    boot: str
    pid: int
    started: int

    @property
    def token(self) -> str:
        """One word for file names and database rows: `<host>.<boot>.<pid>.<started>`."""
        return f"{self.host}.{self.boot}.{self.pid}.{self.started}"

    @classmethod
    def of_token(cls, token: str) -> "ProcessIdentity | None":
        """The identity that `token` writes down; None when it is not a token."""
        match = _TOKEN.fullmatch(token)
        return cls(match["host"], match["boot"], int(match["pid"]), int(match["started"])) if match else None

    def is_gone(self) -> bool:
        """True when the process certainly ended: on this host, in an earlier boot, or with its number free or taken by another.

        A process of another host is never called gone: nothing here can know.
        """
        if self.host != _host():
            return False
        return self.boot != _boot() or _started(self.pid) != self.started


def this_process() -> ProcessIdentity:
    """The identity of the calling process."""
    pid = os.getpid()
    return ProcessIdentity(_host(), _boot(), pid, _started(pid) or 0)


@functools.cache
def _host() -> str:
    return re.sub(r"[^0-9a-z-]", "-", socket.gethostname().lower()) or "localhost"


@functools.cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text()[:8]
    except OSError:
        return "00000000"


def _started(pid: int) -> int | None:
    """When `pid` started, in clock ticks after boot; 0 where /proc does not exist but the process does; None when there is none."""
    try:
        after_name = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        if Path("/proc/self").exists():
            return None
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            return 0
        return 0
    return None if after_name[0] in "ZX" else int(after_name[19])
