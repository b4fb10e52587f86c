"""Words with known times, and what libass paints of them inside the sandbox."""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from videolab_assets.lib import ffmpeg, sandbox
from videolab_assets.lib.captions import fonts
from videolab_assets.lib.documents import Word
from videolab_assets.lib.platforms import Margins
from videolab_assets.lib.reframe.boxes import Box

SIZE = (360, 640)
SAFE = Margins(left=20, top=73, right=46, bottom=140)
GREY = 128
TALK = (
    "Most people think the battery dies because of the cold. In fact, it's the alternator, which nobody ever checks until winter! "
    "¿Y cómo lo arreglas? MAÑANA te enseño la solución en tres pasos muy sencillos, con una herramienta que ya tienes en casa."
)

Frames = npt.NDArray[np.uint8]


def said(text: str, *, each: float = 0.3, start: float = 0.0, pause: float = 0.5) -> list[Word]:
    """Words one after the other, each as long as the next, with a pause after each sentence."""
    words: list[Word] = []
    for one in text.split():
        words.append(Word(text=one, start=start, end=start + each, confidence=1.0))
        start += each + (pause if one[-1] in ".?!" else 0.0)
    return words


def painted(script: str, folder: Path, *, size: tuple[int, int] = SIZE, rate: int = 10, seconds: float = 1.0) -> Frames:
    """Frames over plain grey: frame, row, column, and red, green, blue."""
    file = folder / "script.ass"
    file.write_text(script, encoding="utf-8")
    source = f"color=0x808080:size={size[0]}x{size[1]}:rate={rate}:duration={seconds},format=rgb24"
    command = [str(ffmpeg.binary()), "-v", "verbose", "-nostdin", "-f", "lavfi", "-i", source]
    command += ["-vf", "ass=in/script:fontsdir=in/fonts", "-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1"]
    inputs = {"script": file, "fonts": fonts()}
    done = sandbox.run(command, inputs=inputs, limits=sandbox.Limits(), stdout_limit=1 << 29)
    assert done.returncode == 0, done.stderr_tail
    assert "not found" not in done.stderr_tail.replace("Cannot load default config file: File not found", ""), done.stderr_tail
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, size[1], size[0], 3)


def is_painted(frames: Frames) -> npt.NDArray[np.bool_]:
    """Which pixels are not the grey of the background."""
    return np.asarray(np.abs(frames.astype(np.int16) - GREY).max(axis=-1) > 6)


def bounds(mask: npt.NDArray[np.bool_]) -> Box | None:
    """Of the true pixels of all frames together, as shares of the picture."""
    flat = np.any(mask, axis=0) if mask.ndim == 3 else mask
    rows, columns = np.flatnonzero(np.any(flat, axis=1)), np.flatnonzero(np.any(flat, axis=0))
    if not len(rows):
        return None
    height, width = flat.shape
    left, top, right, bottom = columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height
    return Box(float(left), float(top), float(right - left), float(bottom - top))


def texts_of(script: str) -> list[str]:
    """The drawn texts of a script, without instructions and without boxes."""
    events = [line.split(",", 9) for line in script.splitlines() if line.startswith("Dialogue:")]
    return [event[9].split("}", 1)[1] for event in events if event[3] == "Text"]
