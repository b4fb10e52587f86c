"""One hash for everything that decides an asset's content."""

import hashlib
import json

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


def recipe(**parts: JsonValue) -> str:
    """SHA-256, as 64 hex digits, of the named parts: equal parts in any order give equal recipes.

    Parts are input hashes, settings, engine and code versions; never times, host names or paths.
    """
    return hashlib.sha256(json.dumps(parts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
