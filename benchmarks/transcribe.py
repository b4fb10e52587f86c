"""Speech to words: real-time factor and word error rate of each installed engine on speech whose words are known, and peak memory.

The words are those of the demo's sample and, where `../shared/media` is there, of a clear recording and of a noisy one of 1961. An engine
that is not installed, or whose weights are not on this machine, says so in its line; `VIDEOLAB_SPEECH_MODEL` names a model for the Whisper
engines, as for the product.

Memory is that of the embedded engine over 10 and over 60 minutes, in fresh processes. What could grow with the length (reading, cutting,
the words so far) is alike for every engine, and Whisper on a processor would take hours over it. The material is the sample's speech once
every ten minutes and silence between, which takes a minute or two.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import result, unmeasured
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.ffmpeg import binary
from videolab_assets.lib.speech.engine import ENGINES, Engine, SpeechOptions, open_engine
from videolab_assets.lib.speech.pieces import read
from videolab_assets.lib.speech.transcribe import transcribe
from videolab_assets.lib.speech.voice import SAMPLE_RATE

REPOSITORY = Path(__file__).resolve().parent.parent
SAMPLE = REPOSITORY / "samples" / "lighthouse.mp4"
SHARED_MEDIA = REPOSITORY.parent / "shared" / "media"
SPOKEN = {
    "speech-example.mp4": (
        "Hello, this is an example video. For your convenience and pleasure you are allowed to use this voice for any purpose, including "
        "commercial uses. On the bottom right you can see the time. When the time reaches forty seconds I will say banana. Banana."
    ),
    "jfk.flac": "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country.",
}
ONE_SPELLING = {"light house": "lighthouse", "40": "forty"}
"""What sounds the same and is written both ways."""

REAL_TIME = 1.0
MOST_GROWTH = 1.15
SHORT_MINUTES, LONG_MINUTES = 10, 60
TURN_MINUTES = 10

PEAK = """
import sys
from pathlib import Path
from videolab_assets.lib.speech.engine import open_engine
from videolab_assets.lib.speech.transcribe import transcribe
hearing = transcribe(Path(sys.argv[1]), open_engine("pocketsphinx"), duration=float(sys.argv[2]))
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(int(status["VmHWM"].split()[0]) / 1024, hearing.spoken.word_count, hearing.pieces)
"""
"""Peak resident memory from /proc: what getrusage calls a child's peak begins with its parent's."""


@dataclass(frozen=True)
class Recording:
    """A sound as the media step leaves it, and what is said in it."""

    name: str
    flac: Path
    seconds: float
    words: list[str]


def run() -> list[dict[str, Any]]:
    """One to three minutes with PocketSphinx alone; a Whisper model adds what its real-time factor says for two minutes of speech."""
    with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
        recordings = _recordings(Path(folder))
        return [*(_engine_line(name, recordings) for name in ENGINES), _memory_line(Path(folder))]


def _engine_line(name: str, recordings: list[Recording]) -> dict[str, Any]:
    engine = open_engine(name, _options(name))
    unit = "wall s for a second of recording; limit: real time"
    try:
        engine.check()
        missing = "" if engine.weights_are_here() else f"the weights of {engine.model} are not on this machine"
    except PermanentError as error:
        missing = error.sentence
    if missing:
        return unmeasured(f"transcribe_{name.replace('-', '_')}", missing)
    factors: dict[str, float] = {}
    rates: dict[str, float] = {}
    wall = 0.0
    _hear(engine, min(recordings, key=lambda recording: recording.seconds))  # loads the model
    for recording in recordings:
        began = time.perf_counter()
        heard = _hear(engine, recording)
        seconds = time.perf_counter() - began
        wall += seconds
        factors[recording.name] = round(seconds / recording.seconds, 3)
        rates[recording.name] = round(100 * word_errors(recording.words, heard) / len(recording.words), 1)
    total = sum(recording.seconds for recording in recordings)
    more = {"engine": engine.identity, "real_time_factors": factors, "percent_of_words_wrong": rates}
    return result(f"transcribe_{name.replace('-', '_')}", wall / total, REAL_TIME, unit, 1.0, **more)


def _options(name: str) -> SpeechOptions:
    model = os.environ.get("VIDEOLAB_SPEECH_MODEL", "")
    return SpeechOptions(model=model, language="en") if name != "pocketsphinx" else SpeechOptions()


def _hear(engine: Engine, recording: Recording) -> list[str]:
    segments = transcribe(recording.flac, engine, duration=recording.seconds).spoken.segments
    return compared(" ".join(segment.text for segment in segments))


def compared(text: str) -> list[str]:
    """Words as two transcripts are compared: no case, no punctuation, one spelling of what sounds the same."""
    plain = re.sub(r"[^a-z0-9 ]", "", text.lower().replace("-", " "))
    for written, alike in ONE_SPELLING.items():
        plain = re.sub(rf"\b{written}\b", alike, plain)
    return plain.split()


def word_errors(said: list[str], heard: list[str]) -> int:
    """Substitutions, insertions and deletions that make one of the other."""
    row = list(range(len(heard) + 1))
    for index, word in enumerate(said, 1):
        above, row = row, [index]
        for column, other in enumerate(heard, 1):
            row.append(min(above[column] + 1, row[-1] + 1, above[column - 1] + (word != other)))
    return row[-1]


def _recordings(folder: Path) -> list[Recording]:
    truth = json.loads(SAMPLE.with_suffix(".truth.json").read_text())
    known = {SAMPLE: " ".join(sentence["text"] for sentence in truth["sentences"])}
    known |= {SHARED_MEDIA / name: words for name, words in SPOKEN.items() if (SHARED_MEDIA / name).exists()}
    return [_recording(source, folder, words) for source, words in known.items()]


def _recording(source: Path, folder: Path, words: str) -> Recording:
    flac = folder / f"{source.stem}.flac"
    _run("-i", str(source), "-vn", "-ac", "1", "-ar", str(SAMPLE_RATE), str(flac))
    seconds = sum(len(block) for block in read(flac, 0)) / SAMPLE_RATE
    return Recording(source.name, flac, seconds, compared(words))


def _memory_line(folder: Path) -> dict[str, Any]:
    unit = f"peak MB over {LONG_MINUTES} min; peer: over {SHORT_MINUTES} min"
    if not Path("/proc/self/status").exists():
        return unmeasured("transcribe_memory", "this system does not tell a process's peak memory")
    (short, few), (long, many) = (_peak(minutes, folder) for minutes in (SHORT_MINUTES, LONG_MINUTES))
    return result("transcribe_memory", long, short, unit, MOST_GROWTH, words=[few, many], engine="pocketsphinx")


def _peak(minutes: int, folder: Path) -> tuple[float, int]:
    """Megabytes, and the words that were heard."""
    path = folder / f"{minutes}.flac"
    turn = folder / "turn.flac"
    if not turn.exists():
        filters = f"aresample={SAMPLE_RATE},apad=whole_dur={TURN_MINUTES * 60}"
        _run("-i", str(SAMPLE), "-vn", "-ac", "1", "-af", filters, "-t", str(TURN_MINUTES * 60), str(turn))
    _run("-stream_loop", "-1", "-i", str(turn), "-t", str(minutes * 60), str(path))
    done = subprocess.run([sys.executable, "-c", PEAK, str(path), str(minutes * 60)], check=True, capture_output=True, text=True)
    megabytes, words, _ = done.stdout.split()
    return float(megabytes), int(words)


def _run(*arguments: str) -> None:
    subprocess.run([str(binary()), "-nostdin", "-v", "error", "-y", *arguments], check=True, stdin=subprocess.DEVNULL)
