"""From a sound file to its words, with real recordings."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videolab_assets.lib.errors import TransientError
from videolab_assets.lib.speech.engine import Engine
from videolab_assets.lib.speech.pieces import Piece
from videolab_assets.lib.speech.spoken import NO_LANGUAGE, Spoken, joined
from videolab_assets.lib.speech.transcribe import Hearing, progress_lines, transcribe
from videolab_assets.lib.speech.voice import SAMPLE_RATE, Samples
from videolab_assets_tests.lib.speech import sounds
from videolab_assets_tests.lib.speech.engines import Noting, line

EXAMPLE = (
    "Hello, this is an example video. For your convenience and pleasure you are allowed to use this voice for any purpose, including "
    "commercial uses. On the bottom right you can see the time. When the time reaches forty seconds I will say banana. Banana."
)
KENNEDY = "And so, my fellow Americans, ask not what your country can do for you, ask what you can do for your country."


def heard_in(name: str, engine: Engine, folder: Path) -> Spoken:
    flac = sounds.flac_of(sounds.shared(name), folder)
    return transcribe(flac, engine, duration=len(sounds.samples_of(flac)) / SAMPLE_RATE).spoken


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "said", "most_errors"),
    [("speech-example.mp4", EXAMPLE, 0.08), pytest.param("jfk.flac", KENNEDY, 0.45, marks=pytest.mark.long)],
)
def test_real_voices(name: str, said: str, most_errors: float, engine: Engine, tmp_path: Path) -> None:
    """Prevents an engine tuned to synthetic voices: a clear recording (2 % wrong when written), a noisy one of 1961 (23 %)."""
    spoken = heard_in(name, engine, tmp_path)
    assert spoken.language == "en"
    assert sounds.word_error_rate(said, spoken.segments) <= most_errors


@pytest.mark.long
@pytest.mark.parametrize("name", ["big-buck-bunny-30s.webm", "chaplin.mp4"])
def test_music_gives_hardly_a_word(name: str, engine: Engine, tmp_path: Path) -> None:
    """Prevents summaries and tags made of words that nobody said."""
    assert heard_in(name, engine, tmp_path).word_count <= 6


@pytest.mark.long
def test_the_language_and_the_progress_of_the_sample(
    sample_hearing: Hearing, sample_progress: list[tuple[float, float, float | None]], sample_truth: dict[str, Any]
) -> None:
    """Prevents a progress that stands still, runs back or never ends."""
    duration = sample_truth["video"]["duration"]
    done = [seconds for seconds, _, _ in sample_progress]
    assert sample_hearing.spoken.language == "en"
    assert len(done) == sample_hearing.pieces + 1 > 3
    assert done == sorted(done)
    assert sample_progress[-1] == (duration, duration, 0.0)
    assert sample_hearing.pieces_resumed == 0
    assert sample_hearing.speed > 0


@pytest.mark.parametrize("seconds", [0.0, 0.05, 3.0, 65.0])
def test_silence_gives_no_words(seconds: float, engine: Engine, tmp_path: Path) -> None:
    """Prevents a failed run for a video that has a sound track with nothing on it."""
    flac = sounds.flac_from(np.zeros(round(seconds * SAMPLE_RATE), np.int16), tmp_path / "silence.flac")
    assert transcribe(flac, engine, duration=seconds) == Hearing(Spoken(NO_LANGUAGE, []), 0, 0, 0.0)


def test_sound_that_ends_early_is_no_transcript(engine: Engine, tmp_path: Path) -> None:
    """Prevents half a transcript being published as the whole."""
    flac = sounds.flac_from(np.zeros(SAMPLE_RATE, np.int16), tmp_path / "short.flac")
    with pytest.raises(TransientError):
        transcribe(flac, engine, duration=60)


class Remembered:
    """A journal in memory."""

    def __init__(self) -> None:
        self.kept: dict[float, Spoken] = {}

    def recall(self, piece: Piece) -> Spoken | None:
        return self.kept.get(piece.start)

    def keep(self, piece: Piece, spoken: Spoken) -> None:
        self.kept[piece.start] = spoken


def turns(count: int, folder: Path) -> Path:
    return sounds.flac_from(sounds.turns(count), folder / "turns.flac")


def test_the_estimate_is_right_after_a_resume(tmp_path: Path) -> None:
    """Prevents "about 3 s left" of an hour's work: recalled pieces take no time and say nothing of the pace."""
    audio, journal = turns(8, tmp_path), Remembered()
    transcribe(audio, Noting(), duration=48, journal=journal)
    for start in sorted(journal.kept)[4:]:
        del journal.kept[start]
    now = [0.0]

    class Slow(Noting):
        def transcribe(self, samples: Samples, *, start: float, likely: str | None) -> Spoken:
            now[0] += 2 * sounds.TURN
            return super().transcribe(samples, start=start, likely=likely)

    told: list[tuple[float, float | None]] = []
    hearing = transcribe(
        audio, Slow(), duration=48, journal=journal, progress=lambda done, _, left: told.append((done, left)), clock=lambda: now[0]
    )
    assert hearing.speed == pytest.approx(0.5, abs=0.05)
    assert [left for _, left in told[:4]] == [None] * 4
    for done, left in told[4:]:
        assert left == pytest.approx((48 - done) / 0.5, abs=6)


def test_each_piece_is_told_the_language_of_most_words_so_far(tmp_path: Path) -> None:
    """Prevents a short unsure piece from being heard in a language that nobody has spoken, and another answer after a resume."""
    audio, journal = turns(6, tmp_path), Remembered()
    engine = Noting(language_at=lambda start: "es" if start < 2 * sounds.TURN - 1 else "en")
    heard = transcribe(audio, engine, duration=36, journal=journal)
    assert engine.likely[:3] == [None, "es", "es"]
    assert engine.likely[5] == "en"
    del journal.kept[max(journal.kept)]
    again = Noting(language_at=lambda _: "en")
    assert transcribe(audio, again, duration=36, journal=journal).spoken == heard.spoken
    assert again.likely == engine.likely[5:]


def test_a_language_that_changes_midway_is_marked(tmp_path: Path) -> None:
    """Prevents an English guest in a Spanish podcast from being subtitled and searched as Spanish."""
    engine = Noting(language_at=lambda start: "en" if 11 < start < 20 else "es")
    spoken = transcribe(turns(6, tmp_path), engine, duration=36).spoken
    assert spoken.language == "es"
    assert [segment.language for segment in spoken.segments] == [None, None, "en", "en", None, None]


def test_a_line_repeated_over_the_pieces_is_said_once(tmp_path: Path) -> None:
    """Prevents an engine's one invented line a piece from filling the transcript of a film's music."""

    class Thanking(Noting):
        def transcribe(self, samples: Samples, *, start: float, likely: str | None) -> Spoken:
            return Spoken("en", [line("Thank you.", start, start + 1)])

    hearing = transcribe(turns(6, tmp_path), Thanking(), duration=36)
    assert [segment.text for segment in hearing.spoken.segments] == ["Thank you."]
    assert hearing.pieces == 6


def test_progress_lines_estimate_what_is_left() -> None:
    """Prevents a log that leaves one guessing how long a long video will take."""
    now = iter([100.0, 110.0, 130.0])
    lines: list[str] = []
    tell = progress_lines(lines.append, clock=lambda: next(now))
    tell(30, 90, 20.4)
    tell(90, 90, 0)
    assert lines == ["transcribed 30 s of 90 s, about 20 s left", "transcribed 90 s in 30 s"]


def test_progress_lines_say_what_an_earlier_run_did() -> None:
    """Prevents a resumed run from looking like a miracle of speed, or a line for each piece that was only read back."""
    lines: list[str] = []
    tell = progress_lines(lines.append, clock=lambda: 0.0)
    for done in range(10, 610, 10):
        tell(done, 1000, None)
    tell(630, 1000, 185)
    tell(700, 1000, 150)
    assert lines == [
        "transcribed 630 s of 1000 s, the first 600 s by an earlier run, about 185 s left",
        "transcribed 700 s of 1000 s, about 150 s left",
    ]


@pytest.mark.parametrize(("speed", "least", "most"), [(20.0, 20, 22), (0.5, 70, 95)])
def test_progress_lines_of_three_hours_can_be_read(speed: float, least: int, most: int) -> None:
    """Prevents thousands of lines in the log, and silence for an hour where the machine is slow."""
    now = [0.0]
    lines: list[str] = []
    tell = progress_lines(lines.append, clock=lambda: now[0])
    for done in range(5, 10_801, 5):
        now[0] = done / speed
        tell(done, 10_800, (10_800 - done) / speed)
    assert least <= len(lines) <= most


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="This system does not tell a process's peak memory.")
def test_three_hours_take_the_memory_of_ten_minutes(tmp_path: Path) -> None:
    """Prevents a long recording from ending a run for want of memory: 170 minutes more are 326 MB of samples."""
    short = sounds.flac_from(sounds.mixed(np.concatenate([sounds.syllables(24), np.zeros(6 * SAMPLE_RATE)])), tmp_path / "short.flac")
    peaks = []
    for minutes in (10, 180):
        path = tmp_path / f"{minutes}.flac"
        sounds.run_ffmpeg("-stream_loop", "-1", "-i", str(short), "-t", str(minutes * 60), "-compression_level", "0", str(path))
        done = subprocess.run(
            [sys.executable, "-c", _PEAK, str(path), str(minutes * 60)], cwd=sounds.REPOSITORY, capture_output=True, text=True, check=True
        )
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 8_000


_PEAK = """
import sys
from pathlib import Path
from videolab_assets.lib.speech.transcribe import transcribe
from videolab_assets_tests.lib.speech.engines import Noting
hearing = transcribe(Path(sys.argv[1]), Noting(), duration=float(sys.argv[2]))
assert hearing.pieces >= float(sys.argv[2]) / 31
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(status["VmHWM"].split()[0])
"""


def test_the_language_is_that_of_most_words() -> None:
    """Prevents one short aside, or a silent last piece, from naming the language of an hour."""

    def part(language: str, count: int) -> Spoken:
        return Spoken(language, [line("so " * count, 0, count)])

    heard = joined([part("es", 2), part("en", 9), part("es", 3), Spoken()])
    assert heard.language == "en"
    assert [segment.language for segment in heard.segments] == ["es", None, "es"]
    assert joined([heard]) == heard
    assert joined([Spoken(), Spoken()]) == Spoken(NO_LANGUAGE, [])
