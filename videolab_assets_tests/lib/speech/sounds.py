"""Sounds whose content is known: the sample's truth, files as our decode writes them, and signals made here."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from videolab_assets.lib.documents import Segment
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.speech.pieces import read
from videolab_assets.lib.speech.voice import SAMPLE_RATE, Samples

REPOSITORY = Path(__file__).parents[3]
SHARED_MEDIA = REPOSITORY.parent / "shared" / "media"
SAMPLE = REPOSITORY / "samples" / "lighthouse.mp4"


def truth() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SAMPLE.with_suffix(".truth.json").read_text())
    return loaded


def shared(name: str) -> Path:
    path = SHARED_MEDIA / name
    if not path.exists():
        pytest.skip(f"{name} is not in the shared media folder beside the checkout.")
    return path


def flac_of(source: Path, folder: Path) -> Path:
    """The sound of a file as the media step leaves it: mono 16 kHz FLAC."""
    target = folder / f"{source.stem}.flac"
    run_ffmpeg("-i", str(source), "-vn", "-ac", "1", "-ar", str(SAMPLE_RATE), str(target))
    return target


def flac_from(samples: Samples, target: Path) -> Path:
    run_ffmpeg("-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", "pipe:0", str(target), sent=samples.tobytes())
    return target


def run_ffmpeg(*arguments: str, sent: bytes = b"") -> None:
    subprocess.run([str(binary()), "-loglevel", "error", "-y", *arguments], check=True, input=sent)


def samples_of(flac: Path) -> Samples:
    return np.concatenate(list(read(flac, 0)))


def mixed(*parts: NDArray[np.floating[Any]] | Samples) -> Samples:
    return np.asarray(np.clip(np.round(np.sum(parts, axis=0)), -32768, 32767), np.int16)


def syllables(seconds: float, seed: int = 0) -> NDArray[np.floating[Any]]:
    """Bursts of noise, five a second, with no pause between them: moves as speech does and never rests."""
    count = round(seconds * SAMPLE_RATE)
    time = np.arange(count) / SAMPLE_RATE
    envelope = 0.03 + np.sin(np.pi * 5 * time) ** 2
    return np.asarray(np.random.default_rng(seed).normal(size=count) * envelope * 3000)


TURN = 6
"""Seconds of one turn of `turns`."""


def turns(count: int) -> Samples:
    """Three seconds of speech and three of near-silence, so many times: a piece each."""
    spoken = [mixed(syllables(TURN / 2, seed)) for seed in range(count)]
    rests = [mixed(np.random.default_rng(seed).normal(size=TURN * SAMPLE_RATE // 2) * 20) for seed in range(count)]
    return np.concatenate([part for turn in zip(spoken, rests, strict=True) for part in turn])


def words(text: str) -> list[str]:
    """Words as two transcripts are compared: no case, no punctuation, and one spelling of what sounds the same."""
    return re.sub(r"[^a-z ]", "", text.lower()).replace("light house", "lighthouse").split()


def word_error_rate(said: str, segments: list[Segment]) -> float:
    """Substitutions, insertions and deletions, as a share of the words said."""
    reference, heard = words(said), words(" ".join(segment.text for segment in segments))
    row = list(range(len(heard) + 1))
    for index, word in enumerate(reference, 1):
        above, row = row, [index]
        for column, other in enumerate(heard, 1):
            row.append(min(above[column] + 1, row[-1] + 1, above[column - 1] + (word != other)))
    return row[-1] / len(reference)
