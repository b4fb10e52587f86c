"""Sound in, stretches of speech out: read as a stream, cut where nobody speaks, in memory that does not grow with the length."""

import subprocess
import tempfile
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from videolab_assets.lib.errors import TransientError
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.speech.voice import CONTEXT_SECONDS, FRAMES_PER_SECOND, SAMPLE_RATE, Activity, Samples, activity, runs

LONGEST_SECONDS = 30.0
"""What Whisper hears at once, and as much as PocketSphinx should be given in one utterance."""

BLOCK_SECONDS = 10
HOP = SAMPLE_RATE // FRAMES_PER_SECOND

_PAD = 25
_PAUSE_THAT_ENDS_A_PIECE = 150
_QUIET_STRETCH = 20

Span = tuple[int, int]


@dataclass(frozen=True)
class Piece:
    """A stretch in which somebody speaks: seconds from the beginning of the recording, and mono samples at 16 kHz."""

    start: float
    samples: Samples

    @property
    def end(self) -> float:
        return self.start + len(self.samples) / SAMPLE_RATE


def read(audio: Path, duration: float) -> Generator[Samples, None, None]:
    """The samples of a FLAC file that our own decode made, as mono 16 kHz, in blocks of `BLOCK_SECONDS`.

    Args:
        audio: the file; never an upload: that is opened behind the gate only.
        duration: seconds that the file must hold, to within a second.

    Raises:
        TransientError: the file is damaged or ends early; ffmpeg's exit code alone would not say so.
    """
    command = [str(binary()), "-nostdin", "-hide_banner", "-loglevel", "error", "-protocol_whitelist", "file,pipe", "-f", "flac"]
    command += ["-i", f"file:{audio}", "-map", "0:a:0", "-ac", "1", "-ar", str(SAMPLE_RATE), "-f", "s16le", "pipe:1"]
    block_bytes = BLOCK_SECONDS * SAMPLE_RATE * 2
    received = 0
    with tempfile.TemporaryFile() as complaints:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints)  # noqa: S603
        try:
            assert process.stdout is not None  # noqa: S101
            while block := process.stdout.read(block_bytes):
                received += len(block)
                yield np.frombuffer(block[: len(block) & ~1], "<i2").astype(np.int16, copy=False)
            process.wait()
        finally:
            process.kill()
            process.communicate()
        complaints.seek(0)
        said = complaints.read(4000).decode("utf-8", "replace")
    seconds = received / 2 / SAMPLE_RATE
    if process.returncode != 0 or seconds < duration - 1:
        raise TransientError(f"Only {seconds:.0f} of {duration:.0f} s of sound could be read back: the copy is damaged; try again.", said)


def pieces(blocks: Iterable[Samples], *, longest: float = LONGEST_SECONDS) -> Iterator[Piece]:
    """The stretches in which somebody speaks, in order, none longer than `longest` seconds.

    A piece ends at a pause of 1.5 s. If nobody pauses that long it ends at the widest pause in its second half; if nobody pauses at
    all, at the quietest moment of its last third. Neither the pieces nor their times depend on how the samples come in blocks.

    Args:
        blocks: mono samples at 16 kHz, one after the other, in any sizes.
        longest: seconds, at least 3.
    """
    held = np.zeros(0, np.int16)
    held_from = 0
    cut_to = 0
    most = round(longest * FRAMES_PER_SECOND)
    enough = (most + _PAUSE_THAT_ENDS_A_PIECE + (2 * CONTEXT_SECONDS + BLOCK_SECONDS) * FRAMES_PER_SECOND) * HOP
    for block in blocks:
        held = np.concatenate([held, block])
        if len(held) < enough:
            continue
        offset = cut_to - held_from
        found, taken = _cut(held, offset, most, final=False)
        yield from (Piece((held_from + start * HOP) / SAMPLE_RATE, held[start * HOP : end * HOP].copy()) for start, end in found)
        cut_to = held_from + taken * HOP
        dropped = max(0, taken // FRAMES_PER_SECOND - CONTEXT_SECONDS) * SAMPLE_RATE
        held = held[dropped:].copy()
        held_from += dropped
    found, _ = _cut(held, cut_to - held_from, most, final=True)
    yield from (Piece((held_from + start * HOP) / SAMPLE_RATE, held[start * HOP : end * HOP].copy()) for start, end in found)


def _cut(held: Samples, offset: int, most: int, *, final: bool) -> tuple[list[Span], int]:
    """The pieces that can be told for certain, as frames of `held`, and the frame up to which all is told.

    Args:
        held: samples, the first of them at a whole second.
        offset: the first sample that was not told before; those before it are context.
        most: frames in the longest piece.
        final: nothing comes after `held`. Otherwise its last seconds are context for what is before them.
    """
    heard = activity(held)
    count = len(heard.levels)
    told = offset // HOP
    horizon = count if final else count - CONTEXT_SECONDS * FRAMES_PER_SECOND
    spans = _padded(heard, told)
    found: list[Span] = []
    while spans:
        start = spans[0][0]
        if not final and start + most + _PAUSE_THAT_ENDS_A_PIECE > horizon:
            return found, max(told, min(start, horizon))
        told = _end_of_first(heard, spans, most)
        found.append((start, told))
        spans = _padded(heard, told)  # as a call that begins here would see them: pieces must not depend on where reads meet
    return found, max(told, horizon)


def _padded(heard: Activity, told: int) -> list[Span]:
    """Spans of speech after frame `told`, each with a little of what is around it, touching ones joined."""
    spans: list[Span] = []
    for first, last in runs(heard.speech):
        start, end = max(first - _PAD, told, 0), min(last + _PAD, len(heard.levels))
        if end <= start or last <= told:
            continue
        if spans and start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return spans


def _end_of_first(heard: Activity, spans: list[Span], most: int) -> int:
    """Where the piece that begins with the first span ends."""
    gaps = [after[0] - before[1] for before, after in pairwise(spans)]
    together = next((index + 1 for index, gap in enumerate(gaps) if gap >= _PAUSE_THAT_ENDS_A_PIECE), len(spans))
    start = spans[0][0]
    fitting = [index + 1 for index, (_, end) in enumerate(spans[:together]) if end - start <= most]
    if not fitting:
        return _quietest(heard, start, most)
    taken = fitting[-1]
    if taken < together:
        in_second_half = [count for count in fitting if spans[count - 1][1] - start >= most // 2]
        taken = max(in_second_half, key=lambda count: gaps[count - 1], default=taken)
    return spans[taken - 1][1]


def _quietest(heard: Activity, start: int, most: int) -> int:
    """The middle of the quietest fifth of a second in the last third of what fits into a piece from `start`."""
    first, last = start + 2 * most // 3, start + most
    loudness = 10 ** (heard.levels[first:last] / 10)
    around = np.convolve(loudness, np.ones(_QUIET_STRETCH) / _QUIET_STRETCH, mode="valid")
    return first + int(around.argmin()) + _QUIET_STRETCH // 2
