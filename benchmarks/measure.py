"""How the benchmarks measure: CPU seconds of this process and its children, sides in turn, medians."""

import os
import platform
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROUNDS = 3


def cpu_seconds(work: Callable[[], object]) -> float:
    """User and system seconds that `work` costs this process and the children it waits for."""
    before = _used()
    work()
    return _used() - before


def _used() -> float:
    usages = (resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def wall_seconds(work: Callable[[], object]) -> float:
    """Elapsed seconds of `work`."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turn(*sides: Callable[[], float], rounds: int = ROUNDS) -> list[float]:
    """The median of each side's figures, the sides taking turns so that a drift of the machine's speed hits all alike."""
    figures: list[list[float]] = [[] for _ in sides]
    for _ in range(rounds):
        for side, found in zip(sides, figures, strict=True):
            found.append(side())
    return [statistics.median(found) for found in figures]


def result(name: str, ours: float, peer: float, unit: str, limit_ratio: float, **more: Any) -> dict[str, Any]:
    """One line of output; `ratio` is ours over the peer's or the limit's figure and may be at most `limit_ratio`."""
    figures = {"name": name, "ours": round(ours, 3), "peer_or_limit": round(peer, 3), "ratio": round(ours / peer, 3)}
    return {**figures, "limit_ratio": limit_ratio, "unit": unit, **more}


def unmeasured(name: str, why: str) -> dict[str, Any]:
    """One line of output where there is nothing to measure here; it is within every limit."""
    return {"name": name, "not_measured": why}


def machine() -> str:
    """Processor, cores and Python, as far as the system tells."""
    model = next((line.partition(":")[2].strip() for line in _cpu_lines() if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def _cpu_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []
