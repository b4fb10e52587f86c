"""Heard pieces, kept: a killed run goes on where it was, and nothing that cannot be relied on is taken."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from videolab_assets.lib.speech.journal import StoreJournal
from videolab_assets.lib.speech.pieces import Piece
from videolab_assets.lib.speech.spoken import Spoken
from videolab_assets.lib.speech.transcribe import transcribe
from videolab_assets.lib.speech.voice import SAMPLE_RATE
from videolab_assets.lib.store import Store, open_store
from videolab_assets_tests.lib.speech import sounds
from videolab_assets_tests.lib.speech.engines import Noting, line

VIDEO_KEY = "acme.long-talk.1a2b3c4d"
RECIPE = "5e" * 32
KEY = f"work/acme/{VIDEO_KEY}/transcript/{RECIPE[:16]}/48000-32000.json"
PIECE = Piece(3.0, np.zeros(2 * SAMPLE_RATE, np.int16))
SPOKEN = Spoken("es", [line("hasta mañana", 3.1, 4.9)])


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store(str(tmp_path / "store"))
    return open_store(f"s3://{request.getfixturevalue('s3_bucket')}/below", request.getfixturevalue("s3_client"))


def test_what_is_kept_is_recalled(store: Store) -> None:
    """Prevents a resumed transcript from differing from one made in one go, be it by a rounded time."""
    journal = StoreJournal(store, VIDEO_KEY, RECIPE)
    assert journal.recall(PIECE) is None
    journal.keep(PIECE, SPOKEN)
    assert [entry.key for entry in store.list("work")] == [KEY]
    assert StoreJournal(store, VIDEO_KEY, RECIPE).recall(PIECE) == SPOKEN
    silent = Piece(9.0, PIECE.samples)
    journal.keep(silent, Spoken())
    assert journal.recall(silent) == Spoken()


def test_another_recipe_or_piece_is_not_this_one(store: Store) -> None:
    """Prevents words of another engine, another sound or another cut from slipping into a transcript."""
    StoreJournal(store, VIDEO_KEY, RECIPE).keep(PIECE, SPOKEN)
    alike = RECIPE[:16] + "0" * 48
    assert StoreJournal(store, VIDEO_KEY, alike).recall(PIECE) is None
    assert StoreJournal(store, "acme.other.1a2b3c4d", RECIPE).recall(PIECE) is None
    longer = Piece(3.0, np.zeros(2 * SAMPLE_RATE + 1, np.int16))
    assert StoreJournal(store, VIDEO_KEY, RECIPE).recall(longer) is None


@pytest.mark.parametrize(
    "damage",
    [
        lambda good: b"",
        lambda good: good[:-7],
        lambda good: b"null",
        lambda good: b"\xff" + good,
        lambda good: good.replace(b'"segments"', b'"sentences"'),
        lambda good: good.replace(b'"start":3.1', b'"start":2.1'),
        lambda good: good.replace(b'"end":4.9', b'"end":5.9'),
        lambda good: good.replace(b'"start":4.0', b'"start":3.2'),
        lambda good: good.replace(b'"samples":32000', b'"samples":32001'),
        lambda good: good + b" " * 1024**2,
    ],
)
def test_what_is_damaged_is_heard_again(damage: Callable[[bytes], bytes], store: Store) -> None:
    """Prevents a run that fails over its own leftovers for ever, and words at times where their piece is not."""
    journal = StoreJournal(store, VIDEO_KEY, RECIPE)
    journal.keep(PIECE, SPOKEN)
    good = store.read_bytes(KEY, 10_000)
    assert damage(good) != good
    store.write_bytes(KEY, damage(good), media_type="application/json")
    assert journal.recall(PIECE) is None
    journal.keep(PIECE, SPOKEN)
    assert journal.recall(PIECE) == SPOKEN


def test_clearing_leaves_nothing_of_this_video_and_all_of_others(store: Store) -> None:
    """Prevents the store from filling with pieces of finished transcripts, and a video's end from costing another's work."""
    for video_key, recipe in ((VIDEO_KEY, RECIPE), (VIDEO_KEY, "0" * 64), ("acme.long-talk.1a2b3c4e", RECIPE)):
        StoreJournal(store, video_key, recipe).keep(PIECE, SPOKEN)
    StoreJournal(store, VIDEO_KEY, RECIPE).clear()
    assert [entry.key.split("/")[2] for entry in store.list("work") if entry.regular] == ["acme.long-talk.1a2b3c4e"]
    StoreJournal(store, VIDEO_KEY, RECIPE).clear()


KILLED = """
import sys
from pathlib import Path
from videolab_assets.lib.speech.journal import StoreJournal
from videolab_assets.lib.speech.transcribe import transcribe
from videolab_assets.lib.store import open_store
from videolab_assets_tests.lib.speech.engines import Noting
audio, store, notes, video_key, recipe = sys.argv[1:]
journal = StoreJournal(open_store(store), video_key, recipe)
transcribe(Path(audio), Noting(Path(notes), stops_at=5), duration=48, journal=journal)
"""


def test_a_killed_run_goes_on_at_the_piece_it_was_at(tmp_path: Path) -> None:
    """Prevents hours of work lost to a restarted machine, and a resumed transcript that differs from one made in one go."""
    audio = sounds.flac_from(sounds.turns(8), tmp_path / "talk.flac")
    whole = Noting()
    in_one_go = transcribe(audio, whole, duration=48)
    notes, folder = tmp_path / "notes", tmp_path / "store"
    command = [sys.executable, "-c", KILLED, str(audio), str(folder), str(notes), VIDEO_KEY, RECIPE]
    worker = subprocess.Popen(command, cwd=sounds.REPOSITORY)
    try:
        while worker.poll() is None and not (notes.exists() and notes.read_text().count("\n") == 5):
            time.sleep(0.02)
    finally:
        worker.kill()
    assert worker.wait() == -signal.SIGKILL

    told: list[float | None] = []
    journal = StoreJournal(open_store(str(folder)), VIDEO_KEY, RECIPE)
    second = Noting()
    hearing = transcribe(audio, second, duration=48, journal=journal, progress=lambda done, total, left: told.append(left))
    assert len(whole.heard) == 8
    assert second.heard == whole.heard[4:]
    assert (hearing.pieces, hearing.pieces_resumed) == (8, 4)
    assert hearing.spoken == in_one_go.spoken
    assert told[:4] == [None] * 4
    assert None not in told[4:]

    third = Noting()
    again = transcribe(audio, third, duration=48, journal=journal)
    assert third.heard == []
    assert (again.pieces_resumed, again.speed) == (8, 0.0)
    assert again.spoken == in_one_go.spoken
