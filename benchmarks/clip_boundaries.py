"""Where clips begin and end, against where sentences and shots truly do: ours, and what simple tools do, on the same recordings.

The recordings are made from a seed: sentences with known times of every word, said in noise that sounds at exactly those times, and cuts
of which half lie between sentences, as editors lay them, and half anywhere. The planner sees them as engines do: word times off by 50 ms
and now and then by much more, short pauses swallowed by the words beside them, one cut in twenty missed and one in thirty invented.

An edge's error is its distance from the nearest silence between two sentences, or without speech from the nearest cut. The peers are
windows of 30 s; the same, moved to the nearest shot change; and the engine's segments joined up to 30 s and cut at their times as they are.
"""

import random
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import cpu_seconds, result
from videolab_assets.lib.clips.evidence import Evidence
from videolab_assets.lib.clips.plan import Planned, plan_of
from videolab_assets.lib.clips.rules import Rules, default_rules
from videolab_assets.lib.documents import Segment, Shot, Shots, Transcript, Word

RECORDINGS = 6
SECONDS = 600.0
FRAME_RATE = 30000 / 1001
SAMPLE_RATE = 16_000
WINDOW = 30.0
CLIPS = 5
LIMIT = 0.25
SYLLABLES = "ka ro ti men sol da vi ber lu pan tor es cal mi".split()  # noqa: SIM905

Edges = list[float]
Spans = list[tuple[float, float]]


@dataclass(frozen=True)
class Recording:
    """What is true: words sentence by sentence, and cuts; and what engines make of it."""

    sentences: list[list[Word]]
    cuts: list[float]
    shots: Shots
    transcript: Transcript | None

    @property
    def words(self) -> list[Word]:
        return [word for sentence in self.sentences for word in sentence]

    @property
    def silences(self) -> Spans:
        """From the end of one sentence to the start of the next, and before and after all."""
        edges = [(0.0, 0.0), *((sentence[0].start, sentence[-1].end) for sentence in self.sentences), (SECONDS, SECONDS)]
        return [(before[1], after[0]) for before, after in pairwise(edges)]


def boundaries() -> list[dict[str, Any]]:
    """The 95th percentile of the error in seconds, ours over the nearest shot change's, or without speech over the fixed windows'."""
    kinds: dict[str, Callable[[random.Random], Recording]] = {
        "punctuated": lambda chance: _talk(chance, draft=False),
        "draft": lambda chance: _talk(chance, draft=True),
        "speechless": _footage,
    }
    return [_compared(kind, make) for kind, make in kinds.items()]


def _compared(kind: str, make: Callable[[random.Random], Recording]) -> dict[str, Any]:
    rules = default_rules().rules
    errors: dict[str, list[float]] = {}
    in_words: dict[str, list[bool]] = {}
    seconds = 0.0
    for seed in range(RECORDINGS):
        recording = make(random.Random(f"{kind} {seed}"))
        planned: list[Planned] = []
        with tempfile.TemporaryDirectory(prefix="videolab-bench-") as folder:
            sound = _sound(recording, Path(folder), seed)
            seconds += cpu_seconds(lambda: planned.append(_plan(recording, sound, rules)))  # noqa: B023 - called at once
        sides = {"ours": [edge for clip in planned[0].clips for edge in (clip.start, clip.end)], **_peers(recording)}
        truths = recording.silences if recording.sentences else [(cut, cut) for cut in (0.0, *recording.cuts, SECONDS)]
        for side, edges in sides.items():
            errors.setdefault(side, []).extend(_distance(edge, truths) for edge in edges)
            in_words.setdefault(side, []).extend(any(word.start < edge < word.end for word in recording.words) for edge in edges)
    peer = "windows" if kind == "speechless" else "nearest_shot"
    p95 = {side: float(np.percentile(found, 95)) for side, found in errors.items()}
    more: dict[str, Any] = {f"median_{side}": round(float(np.median(found)), 3) for side, found in errors.items()}
    more |= {f"p95_{side}": round(value, 3) for side, value in p95.items()}
    more |= {f"worst_{side}": round(max(found), 3) for side, found in errors.items()}
    if kind != "speechless":
        more |= {f"inside_a_word_{side}": round(float(np.mean(found)), 3) for side, found in in_words.items()}
    unit = f"s off the true boundary, 95th percentile; peer: {peer.replace('_', ' ')}"
    more |= {"edges": len(errors["ours"]), "cpu_seconds_for_an_hour": round(seconds / (RECORDINGS * SECONDS) * 3600, 2)}
    return result(f"clip boundaries {kind}", p95["ours"], p95[peer], unit, LIMIT, **more)


def _plan(recording: Recording, sound: Path | None, rules: Rules) -> Planned:
    return plan_of(Evidence.of(recording.shots, recording.transcript, sound), rules)


def _peers(recording: Recording) -> dict[str, Edges]:
    starts = [SECONDS * (number + 0.5) / CLIPS - WINDOW / 2 for number in range(CLIPS)]
    windows = [edge for start in starts for edge in (start, start + WINDOW)]
    changes = [shot.start for shot in recording.shots.shots] + [SECONDS]
    peers = {"windows": windows, "nearest_shot": [min(changes, key=lambda change: abs(change - edge)) for edge in windows]}
    if recording.transcript:
        segments = recording.transcript.segments
        peers["segments"] = []
        for start in starts:
            first = min(segments, key=lambda segment: abs(segment.start - start))
            inside = [segment.end for segment in segments if first.start < segment.end <= first.start + WINDOW] or [first.end]
            peers["segments"] += [first.start, inside[-1]]
    return peers


def _distance(edge: float, truths: Spans) -> float:
    return min(max(start - edge, edge - end, 0.0) for start, end in truths)


def _talk(chance: random.Random, *, draft: bool) -> Recording:
    """Sentences of 4 to 16 words, 14 letters a second, pauses of 0.15 to 1.5 s between them and of 0.05 to 0.2 s at commas."""
    sentences: list[list[Word]] = []
    now = 0.6
    while now < SECONDS - 12:
        words: list[Word] = []
        for _ in range(chance.randint(4, 16)):
            text = "".join(chance.choices(SYLLABLES, k=chance.randint(1, 4)))
            words.append(Word(text=text, start=now, end=now + len(text) / 14, confidence=0.9))
            now = words[-1].end + (chance.uniform(0.05, 0.2) if chance.random() < 0.12 else 0.0)
        sentences.append(words)
        now = words[-1].end + min(1.5, max(0.15, chance.lognormvariate(-0.8, 0.6)))
    pauses = [(before[-1].end + after[0].start) / 2 for before, after in pairwise(sentences)]
    cuts = sorted([*chance.sample(pauses, 40), *(chance.uniform(5, SECONDS - 5) for _ in range(40))])
    heard = _heard(sentences, chance, draft=draft)
    return Recording(sentences, cuts, _seen(cuts, chance), heard)


def _heard(sentences: list[list[Word]], chance: random.Random, *, draft: bool) -> Transcript:
    """The words as an engine times them; a draft has no punctuation and segments that end at pauses of 0.3 s, commas among them."""
    flat = [(word, place == 0, place == len(sentence) - 1) for sentence in sentences for place, word in enumerate(sentence)]
    times: list[list[float]] = []
    for word, _, _ in flat:
        shift = chance.gauss(0, 0.05) + (chance.choice((-0.3, 0.3)) if chance.random() < 0.02 else 0.0)
        start = max(times[-1][1] if times else 0.0, word.start + shift)
        times.append([start, max(start + 0.04, word.end + chance.gauss(0, 0.05))])
    for before, after in pairwise(times):
        if 0 < after[0] - before[1] < 0.15:
            before[1] = after[0]
    segments: list[Segment] = []
    words: list[Word] = []
    for number, ((word, opens, ends), (start, end)) in enumerate(zip(flat, times, strict=True)):
        text = word.text if draft else (word.text.capitalize() if opens else word.text) + ("." if ends else "")
        words.append(Word(text=text, start=round(start, 2), end=round(end, 2), confidence=0.9))
        pause = times[number + 1][0] - end if number + 1 < len(times) else 1.0
        if (pause >= 0.3) if draft else ends:
            said = " ".join(one.text for one in words)
            segments.append(Segment(start=words[0].start, end=words[-1].end, text=said + "." * draft, words=words))
            words = []
    return Transcript(engine="made", model="", language="und", draft=draft, duration=SECONDS, segments=segments)


def _footage(chance: random.Random) -> Recording:
    cuts: list[float] = []
    while (following := (cuts[-1] if cuts else 0.0) + chance.lognormvariate(1.7, 0.7)) < SECONDS - 2:
        cuts.append(following)
    return Recording([], cuts, _seen(cuts, chance), None)


def _seen(cuts: Sequence[float], chance: random.Random) -> Shots:
    """Shots as a detector finds them, on the frame grid."""
    found = [cut for cut in cuts if chance.random() > 0.05] + [chance.uniform(1, SECONDS - 1) for _ in range(len(cuts) // 30)]
    frames = sorted({0, *(round(cut * FRAME_RATE) for cut in found)})
    duration = int(SECONDS * FRAME_RATE) / FRAME_RATE
    shots = [
        Shot(
            start=start / FRAME_RATE,
            end=end / FRAME_RATE,
            opens_with="cut" if start else "start",
            motion=chance.uniform(0.0002, 0.006),
            brightness=chance.uniform(0.2, 0.8),
            sharpness=chance.uniform(10, 400),
            faces=chance.choice((0.0, 0.5, 1.0)),
        )
        for start, end in pairwise([*frames, round(duration * FRAME_RATE)])
    ]
    return Shots(frame_rate=FRAME_RATE, duration=duration, shots=shots)


def _sound(recording: Recording, folder: Path, seed: int) -> Path | None:
    """A room's noise, and over it, at exactly the true times, noise that swells with each syllable."""
    if not recording.sentences:
        return None
    noise = np.random.default_rng(seed)
    samples: NDArray[np.float64] = noise.normal(size=int(SECONDS * SAMPLE_RATE)) * 25
    for word in recording.words:
        first, last = int(word.start * SAMPLE_RATE), int(word.end * SAMPLE_RATE)
        swell = np.abs(np.sin(np.pi * np.linspace(0, max(1, len(word.text) // 3), last - first))) + 0.15
        samples[first:last] += np.cumsum(noise.normal(size=last - first)) * swell * 80
    path = folder / "sound.flac"
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-f",
        "s16le",
        "-ar",
        str(SAMPLE_RATE),
        "-ac",
        "1",
        "-i",
        "pipe:0",
        str(path),
    ]
    subprocess.run(command, input=np.clip(samples, -32768, 32767).astype("<i2").tobytes(), check=True)
    return path
