"""Pieces: all of the speech, in bounded lengths and memory, cut where nobody speaks."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from videolab_assets.lib.errors import TransientError
from videolab_assets.lib.speech.pieces import Piece, pieces, read
from videolab_assets.lib.speech.voice import SAMPLE_RATE, Samples
from videolab_assets_tests.lib.speech import sounds


def recording(stretches: list[tuple[float, float]], gains: Sequence[float] = (1.0,)) -> Samples:
    """Syllables and silences, in seconds, one pair after the other, each pair at its own level."""
    parts = []
    for index, (speech, rest) in enumerate(stretches):
        voice = sounds.syllables(speech, index) * gains[index % len(gains)]
        parts += [voice, np.random.default_rng(index).normal(size=round(rest * SAMPLE_RATE)) * 20]
    return sounds.mixed(np.concatenate(parts))


def in_blocks(samples: Samples, seconds: float) -> list[Samples]:
    size = round(seconds * SAMPLE_RATE)
    return [samples[first : first + size] for first in range(0, len(samples), size)]


def shape(found: list[Piece]) -> list[tuple[float, float]]:
    return [(piece.start, round(piece.end, 4)) for piece in found]


STRETCHES = st.lists(st.tuples(st.floats(3, 14), st.sampled_from([0.1, 0.4, 0.9, 1.6, 4.0, 12.0])), min_size=6, max_size=9)
GAINS = st.lists(st.sampled_from([0.1, 0.3, 1.0, 3.0]), min_size=1, max_size=5)


@pytest.mark.long
@settings(max_examples=15)
@example(stretches=[(3.0, 0.1), (3.0, 12.0), (6.4375, 0.4), (3.0, 0.1), (3.0, 0.1), (3.0, 0.1)], gains=[0.1], block=3.0, longest=4.0)
@given(stretches=STRETCHES, gains=GAINS, block=st.floats(3, 25), longest=st.sampled_from([4.0, 9.0]))
def test_pieces_cover_speech_whatever_the_blocks(
    stretches: list[tuple[float, float]], gains: list[float], block: float, longest: float
) -> None:
    """Prevents words lost, told twice or moved in time where two reads meet, and pieces longer than an engine takes."""
    sound = recording(stretches, gains)
    found = list(pieces(in_blocks(sound, block), longest=longest))
    assert shape(found) == shape(list(pieces([sound], longest=longest)))
    covered = np.zeros(len(sound), np.bool_)
    for piece in found:
        first = round(piece.start * SAMPLE_RATE)
        assert len(piece.samples) <= longest * SAMPLE_RATE
        assert not covered[first : first + len(piece.samples)].any()
        assert np.array_equal(piece.samples, sound[first : first + len(piece.samples)])
        covered[first : first + len(piece.samples)] = True
    begin = 0.0
    for speech, rest in stretches:
        spoken = slice(round((begin + 0.1) * SAMPLE_RATE), round((begin + speech - 0.1) * SAMPLE_RATE))
        assert covered[spoken].mean() > 0.98
        begin += speech + rest


def test_sentences_stay_whole(sample_sound: Samples, sample_truth: dict[str, Any]) -> None:
    """Prevents a cut through a word: no piece may begin or end inside a sentence when there are pauses to use."""
    found = list(pieces(in_blocks(sample_sound, 10), longest=12))
    edges = [edge for piece in found for edge in (piece.start, piece.end)]
    assert len(found) >= 6
    assert not [edge for edge in edges for said in sample_truth["sentences"] if said["start"] < edge < said["end"]]


def test_someone_who_never_pauses_is_cut_at_the_quietest_moment() -> None:
    """Prevents a piece without end, or a cut at an arbitrary sample in the middle of a syllable."""
    voice = sounds.syllables(70)
    voice[round(26.0 * SAMPLE_RATE) : round(26.2 * SAMPLE_RATE)] *= 0.2
    first, *others = pieces([sounds.mixed(voice)])
    assert 26.0 <= first.end <= 26.2
    assert others[0].start == first.end
    assert others[-1].end == pytest.approx(70, abs=0.1)


def test_the_widest_pause_of_the_second_half_is_used() -> None:
    """Prevents a cut at a breath where a sentence's end is near, and crumbs where a pause comes early."""
    first, *_ = pieces([recording([(6, 1.4), (10, 0.6), (3, 1.2), (4, 0.6), (8, 1)])])
    assert first.end == pytest.approx(21.0, abs=0.5)


def test_a_long_pause_ends_a_piece() -> None:
    """Prevents silences being sent to an engine."""
    found = list(pieces([recording([(3, 5), (4, 1)])]))
    assert [round(piece.start) for piece in found] == [0, 8]


@pytest.mark.parametrize("blocks", [[], [np.zeros(0, np.int16)], [np.zeros(100, np.int16)], [np.zeros(90 * SAMPLE_RATE, np.int16)]])
def test_nothing_said_gives_no_pieces(blocks: list[Samples]) -> None:
    """Prevents an empty buffer reaching an engine, which PocketSphinx answers with an exception."""
    assert list(pieces(blocks)) == []


def test_reading_gives_back_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prevents lost or repeated samples where blocks meet, and names that ffmpeg would take for an option or a protocol."""
    sound = recording([(23.4567, 0.0)])
    plain = sounds.flac_from(sound, tmp_path / "plain.flac").read_bytes()
    monkeypatch.chdir(tmp_path)
    for name in ("-odd.flac", "http:a.flac", "concat:b|c.flac", "niño %d.flac"):
        Path(name).write_bytes(plain)
        assert np.array_equal(np.concatenate(list(read(Path(name), 23.4567))), sound)


def test_a_damaged_copy_is_an_error(tmp_path: Path) -> None:
    """Prevents a transcript of the first half being taken for the whole: ffmpeg reads a cut file and exits with 0."""
    whole = sounds.flac_from(recording([(20, 0)]), tmp_path / "whole.flac")
    (tmp_path / "half.flac").write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    (tmp_path / "text.flac").write_text("#EXTM3U\n")
    for name in ("half.flac", "text.flac"):
        with pytest.raises(TransientError, match="could be read back"):
            list(read(tmp_path / name, 20))


def test_stopping_early_leaves_no_process(tmp_path: Path) -> None:
    """Prevents an ffmpeg that waits for ever on a pipe nobody reads, after an engine fails."""
    blocks = read(sounds.flac_from(recording([(30, 0)]), tmp_path / "voice.flac"), 30)
    next(blocks)
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    if not children.exists():
        pytest.skip("This system does not list a process's children.")
    before = children.read_text().split()
    blocks.close()
    assert len(children.read_text().split()) == len(before) - 1


_PEAK_OF_READING = """
import sys
from pathlib import Path
from videolab_assets.lib.speech.pieces import pieces, read
assert sum(1 for _ in pieces(read(Path(sys.argv[1]), float(sys.argv[2])))) > 0
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(status["VmHWM"].split()[0])
"""
"""Peak resident kilobytes from /proc: what getrusage calls a child's peak begins with its parent's."""


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="This system does not tell a process's peak memory.")
def test_memory_does_not_grow_with_the_length(tmp_path: Path) -> None:
    """Prevents a three-hour recording from being held whole: 20 minutes more sound may cost 8 MB, their samples are 38."""
    peaks = []
    for minutes in (2, 22):
        path = sounds.flac_from(np.tile(recording([(24, 6)]), 2 * minutes), tmp_path / f"{minutes}.flac")
        command = [sys.executable, "-c", _PEAK_OF_READING, str(path), str(minutes * 60)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(done.stdout))
    assert peaks[1] - peaks[0] < 8_000
