"""kill -9 in the middle of each asset: nothing half-made under a final name, and the next run finishes."""

import importlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from videolab_assets.instance import open_instance
from videolab_assets.lib import intake
from videolab_assets.lib.catalogue import State
from videolab_assets.lib.documents import VARIANTS
from videolab_assets.settings import Settings
from videolab_assets_tests.lab import ASSETS, Lab, failures_of, materialized

WORKER = """
import os, signal, sys
from videolab_assets.instance import open_instance
from videolab_assets.settings import Settings
from videolab_assets_tests.defs.ingest.test_crashes import owner_of
from videolab_assets_tests.lab import Lab

owner, name = owner_of(sys.argv[1])
calls, real = int(sys.argv[2]), getattr(owner, name)

def deadly(*arguments, **options):
    global calls
    calls -= 1
    if calls == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments, **options)

setattr(owner, name, deadly)
with open_instance(Settings()) as instance:
    lab = Lab(instance)
    (request,) = lab.tick()
    lab.run(request)
print("survived")
"""
"""Ticks, and does the run that follows until the n-th call of a function, before which it is killed."""

PLACES = {
    "source_video, copy in scratch": ("videolab_assets.lib.ingest.admit", 1),
    "source_video, original without document": ("videolab_assets.lib.library:Library.write", 1),
    "media, ffmpeg at work": ("videolab_assets.lib.waveform:WaveformReader.feed", 1),
    "media, proxy published alone": ("videolab_assets.lib.library:Library.add_file", 2),
    "media, files without documents": ("videolab_assets.lib.library:Library.write", 2),
    "store, temporary not yet renamed": ("videolab_assets.lib.store.local:LocalStore._publish", 4),
    "transcript": ("videolab_assets.lib.transcript.transcribe", 1),
    "transcript, written with its pieces still there": ("videolab_assets.lib.speech.journal:StoreJournal.clear", 1),
    "subtitles, SRT without WebVTT": ("videolab_assets.defs.speech.assets.to_webvtt", 1),
    "search_entry, indexed without JSON": ("videolab_assets.defs.search.assets.materialization", 1),
    "summary, Markdown without JSON": ("videolab_assets.defs.editorial.assets.materialization", 1),
    "clip_plan, timeline without JSON": ("videolab_assets.defs.clips.assets.metadata_of", 1),
    "clips, cut in scratch": ("videolab_assets.lib.clips.cutting._published", 1),
    "clips, published without document": ("videolab_assets.defs.clips.assets.materialization", 1),
}
FEW = ("media, ffmpeg at work",)


def owner_of(place: str) -> tuple[Any, str]:
    """The module or class that a place names a function of, and that function's name."""
    owner, _, name = place.rpartition(".")
    module, _, kind = owner.partition(":")
    imported = importlib.import_module(module)
    return (getattr(imported, kind) if kind else imported), name


@pytest.mark.parametrize("place", PLACES)
def test_every_place_exists(place: str) -> None:
    """A renamed function is noticed in minutes of long tests, or not at all."""
    owner, name = owner_of(PLACES[place][0])
    assert callable(getattr(owner, name))


@pytest.fixture
def lasting(home: Path) -> Iterator[Lab]:
    """A VideoLab whose runs are kept in files, as the daemon's are."""
    home.mkdir()
    with open_instance(Settings()) as instance:
        yield Lab(instance)


@pytest.mark.parametrize("place", [pytest.param(place, marks=() if place in FEW else pytest.mark.long) for place in PLACES])
def test_a_killed_run_leaves_nothing_half_made(place: str, lasting: Lab, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A power cut leaves half a proxy that looks whole, a run that is started for ever, gigabytes of scratch, or a lost upload."""
    monkeypatch.setattr(intake, "FIRST_BACKOFF_SECONDS", 0)
    talks = place.startswith(("summary", "clip"))
    expected = set(ASSETS) - VARIANTS.keys() - (set() if talks else {"summary", "clips"})
    lasting.put(clips / ("talk.mp4" if talks else "clip.mp4"))
    function, calls = PLACES[place]
    worker = subprocess.run(
        [sys.executable, "-c", WORKER, function, str(calls)],
        cwd=Path(__file__).parents[3],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert worker.returncode == -signal.SIGKILL, worker.stderr[-2000:]
    lasting.assert_nothing_is_half_there()
    (run,) = lasting.instance.get_runs()
    assert run.status is dg.DagsterRunStatus.STARTED

    (result,) = lasting.work()
    assert result.success, failures_of(result)
    assert set(materialized(result)) == expected
    dead = lasting.instance.get_run_by_id(run.run_id)
    assert dead
    assert dead.status is dg.DagsterRunStatus.FAILURE
    assert (lasting.upload_of(result).state, lasting.upload_of(result).attempt) == (State.DONE, 2)
    assert len(lasting.partitions) == 1
    lasting.library.store.sweep_temporaries()
    lasting.assert_tidy()
    lasting.assert_nothing_is_half_there()
