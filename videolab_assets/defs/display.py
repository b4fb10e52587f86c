"""Pictures and tables as the Dagster UI renders them.

Markdown under 1,000 characters is shown in line, longer text hides behind a button, and only `data:` pictures work everywhere; so
a preview is made small enough to be seen at once.
"""

import base64
import functools
from collections.abc import Iterable
from typing import Any

import dagster as dg

LONGEST_INLINE = 980


def table(rows: Iterable[dict[str, Any]]) -> dg.TableMetadataValue | str:
    """A table that renders in line; Dagster needs a row to know its columns."""
    records = [dg.TableRecord(row) for row in rows]
    return dg.MetadataValue.table(records) if records else "none"


@functools.lru_cache(maxsize=4)  # platforms that share a file show the same sheet
def picture(encoded: bytes, widest: int, highest: int, alternative: str, longest: int = LONGEST_INLINE) -> str:
    """Markdown of the picture, shrunk and recompressed until it has at most `longest` characters.

    The picture is one that this project made.
    """
    import cv2
    import numpy as np

    picture = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    if picture is None:
        return alternative
    shrink = min(widest / picture.shape[1], highest / picture.shape[0], 1.0)
    for quality in (60, 40, 25, 12, 5, 1):
        size = (max(1, round(picture.shape[1] * shrink)), max(1, round(picture.shape[0] * shrink)))
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        _, webp = cv2.imencode(".webp", small, [cv2.IMWRITE_WEBP_QUALITY, quality])
        text = f"![{alternative}](data:image/webp;base64,{base64.b64encode(webp.tobytes()).decode()})"
        if len(text) <= longest:
            return text
        shrink *= 0.9
    return alternative
