"""Puts limits on this process, then becomes the command. Run as a script: standard library only, and nothing of the package.

A `preexec_fn` would do the same in fewer lines, but it runs Python between fork and exec and can deadlock where other threads
hold a lock at that moment, as they do in Dagster's processes.

Arguments: parent's pid, status descriptor, "keep" or "close" for that descriptor, address space bytes, CPU seconds, file bytes,
open files, then the command with an absolute path.
"""

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1


def confine(parent: int, memory_bytes: int, cpu_seconds: int, file_bytes: int, open_files: int) -> None:
    """Limits that the command inherits.

    Raises:
        OSError, ValueError: this machine refuses one of them.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        raise OSError("the parent ended before its child began")
    # Soft and hard CPU limit are equal so that the kernel sends SIGKILL: ffmpeg takes the soft limit's SIGXCPU for a polite
    # request to stop, and leaves a valid but shorter file.
    for kind, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_CPU, cpu_seconds),
        (resource.RLIMIT_FSIZE, file_bytes),
        (resource.RLIMIT_NOFILE, open_files),
        (resource.RLIMIT_AS, memory_bytes),
    ):
        _, hard = resource.getrlimit(kind)
        allowed = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (allowed, allowed))
    # When the machine runs out of memory, this process is to go before the orchestrator.
    Path("/proc/self/oom_score_adj").write_text("1000")


def main() -> None:
    parent, status, inherit = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    command = sys.argv[8:]
    try:
        confine(parent, *(int(argument) for argument in sys.argv[4:8]))
        os.umask(0o077)
        os.set_inheritable(status, inherit == "keep")
        os.execve(command[0], command, {})  # noqa: S606 - no shell is the point
    except (OSError, ValueError) as problem:
        os.write(status, f"not started: {problem}\n".encode(errors="replace"))
        os._exit(127)


if __name__ == "__main__":
    main()
