"""Videos that exist only as documents: sentences, shots and sounds whose truth is known because it was put there."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from videolab_assets.lib.clips.evidence import Evidence
from videolab_assets.lib.clips.listening import CURVE_RATE, Burst, Sound
from videolab_assets.lib.documents import Segment, Shot, Shots, Transcript, Word
from videolab_assets.lib.speech.voice import SAMPLE_RATE

Wave = NDArray[np.float64]


def shots(
    cuts: Sequence[float],
    duration: float,
    rate: float = 25.0,
    *,
    motion: Callable[[int], float] = lambda _: 0.002,
    faces: Callable[[int], float] = lambda _: 0.0,
    brightness: float = 0.5,
) -> Shots:
    """Shots between the cuts; motion and faces by the shot's number."""
    edges = [0.0, *cuts, duration]
    return Shots(
        frame_rate=rate,
        duration=duration,
        shots=[
            Shot(
                start=start,
                end=end,
                opens_with="cut" if number else "start",
                motion=motion(number),
                brightness=brightness,
                sharpness=100.0,
                faces=faces(number),
            )
            for number, (start, end) in enumerate(pairwise(edges))
        ],
    )


def said(sentences: Sequence[tuple[float, str]], duration: float, *, language: str = "en", draft: bool = False) -> Transcript:
    """Sentences from the seconds at which they begin, three words a second with no pause between words; a segment each."""
    segments = []
    for start, text in sentences:
        words = [
            Word(text=word, start=round(start + number / 3, 3), end=round(start + (number + 1) / 3, 3), confidence=0.9)
            for number, word in enumerate(text.split())
        ]
        segments.append(Segment(start=words[0].start, end=words[-1].end, text=text, words=words))
    return Transcript(engine="made", model="", language=language, draft=draft, duration=duration, segments=segments)


def evidence(
    pictures: Shots, transcript: Transcript | None = None, *, levels: NDArray[np.float32] | None = None, laughs: Sequence[Burst] = ()
) -> Evidence:
    """Evidence with sound curves as given, or an even hum where there are laughs alone."""
    found = Evidence.of(pictures, transcript, None)
    if levels is None and laughs:
        levels = np.zeros(round(pictures.duration * CURVE_RATE), np.float32)
    sound = Sound(levels, tuple(laughs)) if levels is not None else None
    return Evidence(found.frame_rate, found.duration, found.language, found.draft, found.sentences, found.shots, sound)


def applause(seconds: float, claps: float, chance: np.random.Generator) -> Wave:
    """So many claps a second, each a few milliseconds of decaying noise around 500 to 5,000 Hz, no two equally loud."""
    count = round(seconds * SAMPLE_RATE)
    wave = np.zeros(count + SAMPLE_RATE)
    for at in chance.uniform(0, seconds, round(claps * seconds)):
        first, fall = round(at * SAMPLE_RATE), round(chance.uniform(0.006, 0.02) * SAMPLE_RATE)
        wave[first : first + 3 * fall] += chance.normal(size=3 * fall) * np.exp(-np.arange(3 * fall) / fall) * chance.lognormal(0, 0.5)
    return _loud(_coloured(wave, 500, 5000)[:count])


def laugh(seconds: float, chance: np.random.Generator, *, beat: float = 4.6, pitch: float = 230.0, breath: float = 0.4) -> Wave:
    """One person's "ha ha ha": harmonics of a falling pitch, and of its power a share of breath."""
    count, at = round(seconds * SAMPLE_RATE), 0.0
    wave = np.zeros(count)
    while at < seconds - 0.15:
        first, length = round(at * SAMPLE_RATE), round(0.6 / beat * SAMPLE_RATE)
        time = np.arange(length) / SAMPLE_RATE
        falling = pitch * chance.uniform(0.95, 1.05) * (1 - 0.1 * time * beat)
        voice = np.sum([np.sin(2 * np.pi * number * falling * time) / number for number in range(1, 20)], axis=0)
        voice, noise = _coloured(voice, 400, 2500), _coloured(chance.normal(size=length), 600, 4000)
        mixed = voice / voice.std() * (1 - breath) ** 0.5 + noise / noise.std() * breath**0.5
        room = min(length, count - first)
        wave[first : first + room] += (mixed * np.sin(np.pi * np.arange(length) / length))[:room]
        at += chance.uniform(0.95, 1.05) / beat
    return _loud(wave)


def laughing_crowd(seconds: float, chance: np.random.Generator) -> Wave:
    """A dozen people, each with a beat and a pitch of their own."""
    people = [
        laugh(seconds, chance, beat=chance.uniform(3.8, 5.8), pitch=chance.uniform(120, 320)) * chance.lognormal(0, 0.4) for _ in range(12)
    ]
    return _loud(np.sum(people, axis=0))


def _coloured(wave: Wave, low: float, high: float) -> Wave:
    frequencies = np.maximum(np.fft.rfftfreq(len(wave), 1 / SAMPLE_RATE), 1.0)
    shape = np.exp(-0.5 * (np.log(frequencies / np.sqrt(low * high)) / (np.log(high / low) / 2)) ** 2)
    return np.asarray(np.fft.irfft(np.fft.rfft(wave) * shape, len(wave)), np.float64)


def _loud(wave: Wave) -> Wave:
    return np.asarray(wave / np.sqrt((wave**2).mean()) * 3000, np.float64)
