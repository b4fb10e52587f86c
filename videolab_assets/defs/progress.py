"""How far long work is, for the run's log."""

import time
from collections.abc import Callable

import dagster as dg

SECONDS_BETWEEN_LOG_LINES = 10.0


def log_progress(context: dg.AssetExecutionContext, duration: float, verb: str) -> Callable[[float], None]:
    """A callback that takes the seconds of video done so far and writes a line every ten seconds, with an estimate of what is left."""
    started = last = time.monotonic()

    def progress(done: float) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= SECONDS_BETWEEN_LOG_LINES and 0 < done < duration:
            last = now
            left = (now - started) * (duration - done) / done
            context.log.info(f"{verb} {done:.0f} of {duration:.0f} s; about {left:.0f} s left.")

    return progress
