"""`python -m benchmarks [NAME …]`: one JSON line each. Exit code 1 when a ratio is over its limit."""

import importlib
import json
import sys

from benchmarks.measure import machine

NAMES = (
    *("one_decode", "shots", "overhead", "sensor", "transcribe", "subtitles", "summary", "search"),
    *("clips", "variants", "moviepy", "reframe", "learning", "insights"),
)


def main(names: list[str]) -> int:
    """Runs the named benchmarks, or all of them, and prints what they measured."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        sys.stderr.write(f"There is no benchmark called {', '.join(unknown)}: choose from {', '.join(NAMES)}.\n")
        return 2
    within = True
    for name in names or NAMES:
        for result in importlib.import_module(f"benchmarks.{name}").run():
            sys.stdout.write(json.dumps({**result, "machine": machine()}) + "\n")
            sys.stdout.flush()
            within = within and ("not_measured" in result or result["ratio"] <= result["limit_ratio"])
    return 0 if within else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
