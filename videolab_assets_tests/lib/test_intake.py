"""What a look into the inbox decides, over a real store and catalogue, with the clock and Dagster's part played by the test."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videolab_assets.lib import intake
from videolab_assets.lib.catalogue import Catalogue, State, Upload
from videolab_assets.lib.errors import PermanentError
from videolab_assets.lib.intake import LONGEST_BACKOFF_SECONDS, Ask, Look, Rules, Run, RunState, backoff_seconds, look
from videolab_assets.lib.processes import ProcessIdentity, this_process
from videolab_assets.lib.store.local import LocalStore

IDENTITY = "from videolab_assets.lib.processes import this_process; print(this_process().token)"
START = 4e9
"""Epoch seconds far after any file's time, so that what is in the inbox has settled."""


class Inbox:
    """A look's surroundings: `runs` is what Dagster knows, by upload id."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "store"
        self.store = LocalStore(self.folder)
        self.now = START
        self.catalogue = Catalogue(f"sqlite:///{folder / 'videolab.db'}", lambda: self.now)
        self.rules = Rules(settle_seconds=5, max_in_flight=10, max_attempts=3)
        self.runs: dict[str, Run] = {}
        self.abandoned: list[tuple[str, str]] = []
        self.asked_about: list[int] = []

    def put(self, name: str = "clip.mp4", tenant: str = "acme", content: bytes = b"video") -> Path:
        path = self.folder / "inbox" / tenant / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def look(self, after: float = 0.0) -> Look:
        self.now += after
        return look(self.store, self.catalogue, self._latest, self._abandon, self.rules, self.now)

    def ask(self) -> Ask:
        (ask,) = self.look().asks
        return ask

    def end(self, ask: Ask, state: RunState, why: str | None = None) -> None:
        self.runs[ask.upload.upload_id] = Run(f"run {ask.attempt}", ask.attempt, state, self.now, why)

    def upload(self, ask: Ask) -> Upload:
        upload = self.catalogue.by_upload_id(ask.upload.upload_id)
        assert upload
        return upload

    def rejected(self) -> list[str]:
        return sorted(entry.key for entry in self.store.list("rejected"))

    def _latest(self, in_flight: Sequence[Upload]) -> Mapping[str, Run]:
        self.asked_about.append(len(in_flight))
        return {upload.upload_id: self.runs[upload.upload_id] for upload in in_flight if upload.upload_id in self.runs}

    def _abandon(self, run: Run, sentence: str) -> None:
        self.abandoned.append((run.run_id, sentence))


@pytest.fixture
def inbox(tmp_path: Path) -> Inbox:
    return Inbox(tmp_path)


def gone() -> ProcessIdentity:
    """The identity of a real process that has ended."""
    token = subprocess.run([sys.executable, "-c", IDENTITY], capture_output=True, text=True, check=True).stdout.strip()
    identity = ProcessIdentity.of_token(token)
    assert identity
    return identity


def test_a_whole_file_gets_one_run(inbox: Inbox) -> None:
    """An upload gets no run, or another one with each look."""
    inbox.put()
    ask = inbox.ask()
    assert (ask.attempt, ask.run_key) == (1, f"{ask.upload.upload_id}:1")
    inbox.end(ask, RunState.ALIVE)
    assert [inbox.look(10).asks for _ in range(3)] == [[], [], []]


def test_a_request_that_was_lost_is_made_again(inbox: Inbox) -> None:
    """The daemon dies between the look and storing the run: the upload stays queued for ever, or a second key starts a second run."""
    inbox.put()
    ask = inbox.ask()
    assert inbox.ask().run_key == ask.run_key
    inbox.end(ask, RunState.FAILED)
    inbox.look()
    second = inbox.look(60).asks[0]
    assert (second.attempt, inbox.ask().run_key) == (2, second.run_key)


def test_failures_are_tried_again_after_growing_pauses(inbox: Inbox) -> None:
    """A full disk is hammered, or an upload that failed once is never tried again, or tried for ever."""
    path = inbox.put()
    ask = inbox.ask()
    for attempt, pause in ((2, 10), (3, 30)):
        inbox.end(ask, RunState.FAILED, "The disk is full.")
        assert inbox.look(pause - 1).asks == []
        (ask,) = inbox.look(1).asks
        assert ask.attempt == attempt
    inbox.end(ask, RunState.FAILED, "The disk is full.")
    seen = inbox.look(10_000)
    assert seen.asks == []
    assert inbox.upload(ask).state is State.FAILED
    assert inbox.upload(ask).reason == "3 attempts failed. The last one: The disk is full."
    assert str(inbox.upload(ask).reason) in seen.notes[0]
    assert not path.exists()
    assert [Path(key).suffix for key in inbox.rejected()] == [".json", ".mp4"]
    assert inbox.look(10_000).asks == []


@given(st.integers(min_value=1, max_value=10_000))
def test_pauses_grow_to_a_limit(attempt: int) -> None:
    """An upload's tenth pause takes a year, or overflows."""
    assert backoff_seconds(attempt) <= backoff_seconds(attempt + 1) <= LONGEST_BACKOFF_SECONDS


@pytest.mark.parametrize(("state", "why"), [(RunState.FAILED_FOR_GOOD, "It is damaged."), (RunState.STOPPED, None)])
def test_some_ends_are_final(state: RunState, why: str | None, inbox: Inbox) -> None:
    """What a person stopped, or what can never work, starts again by itself."""
    inbox.put()
    ask = inbox.ask()
    inbox.end(ask, state, why)
    assert inbox.look(10_000).asks == []
    assert inbox.upload(ask).state is State.FAILED
    assert why is None or inbox.upload(ask).reason == why
    assert len(inbox.rejected()) == 2


def test_an_accepted_original_stays_where_it_is(inbox: Inbox) -> None:
    """Giving up on a video whose transcript fails moves its original, or what lies under its old name, into `rejected/`."""
    path = inbox.put()
    ask = inbox.ask()
    inbox.catalogue.claim_content(ask.upload.upload_id, "0" * 64)
    inbox.catalogue.mark_accepted(ask.upload.upload_id)
    inbox.end(ask, RunState.FAILED_FOR_GOOD, "It is damaged.")
    inbox.look()
    assert inbox.upload(ask).state is State.FAILED
    assert inbox.rejected() == []
    assert path.exists()


def test_a_run_whose_process_died_is_taken_over(inbox: Inbox) -> None:
    """After a power cut Dagster shows the run as started for ever, and the upload is never finished."""
    inbox.put()
    ask = inbox.ask()
    inbox.end(ask, RunState.ALIVE)
    inbox.catalogue.set_owner(ask.upload.upload_id, this_process())
    assert inbox.look().asks == []
    assert inbox.abandoned == []
    inbox.catalogue.set_owner(ask.upload.upload_id, gone())
    assert inbox.look().asks == []
    assert [run for run, _ in inbox.abandoned] == ["run 1"]
    inbox.end(ask, RunState.FAILED)
    assert inbox.look(9).asks == []
    (second,) = inbox.look(1).asks
    assert second.attempt == 2
    assert inbox.upload(second).owner is None, "the next attempt would be taken for dead before it begins"


def test_a_run_that_dies_each_time_is_given_up(inbox: Inbox) -> None:
    """An upload that kills its process does so for ever."""
    inbox.put()
    dead = gone()
    for _ in range(3):
        (ask,) = inbox.look(1000).asks
        inbox.end(ask, RunState.ALIVE)
        inbox.catalogue.set_owner(ask.upload.upload_id, dead)
        inbox.look()
        inbox.end(ask, RunState.FAILED, "Its process was killed.")
    inbox.look(1000)
    assert inbox.upload(ask).state is State.FAILED


def test_processes_of_other_machines_are_believed(inbox: Inbox) -> None:
    """One machine's sensor takes the work of all others for dead."""
    inbox.put()
    ask = inbox.ask()
    inbox.end(ask, RunState.ALIVE)
    inbox.catalogue.set_owner(ask.upload.upload_id, replace(gone(), host="elsewhere"))
    inbox.look(10_000)
    assert inbox.abandoned == []


def test_a_run_that_succeeded_without_its_upload(inbox: Inbox) -> None:
    """A run of a single asset succeeds, and its upload counts as done though nothing was taken in."""
    inbox.put()
    ask = inbox.ask()
    inbox.end(ask, RunState.SUCCEEDED)
    inbox.look()
    assert inbox.upload(ask).state is State.FAILED
    assert "source_video" in str(inbox.upload(ask).reason)


def test_only_so_many_at_once(inbox: Inbox) -> None:
    """A flood of uploads becomes a flood of runs, or a tick that runs into its time limit."""
    inbox.rules = replace(inbox.rules, max_in_flight=4, most_new=3)
    for number in range(7):
        inbox.put(f"{number}.mp4")
    first = inbox.look().asks
    assert len(first) == 3
    for ask in first:
        inbox.end(ask, RunState.ALIVE)
    (fourth,) = inbox.look().asks
    inbox.end(fourth, RunState.ALIVE)
    assert inbox.look().asks == []
    inbox.end(fourth, RunState.STOPPED)
    assert len(inbox.look().asks) == 1


def test_what_is_finished_is_not_asked_about(inbox: Inbox) -> None:
    """A tick grows slower with every video that was ever made."""
    inbox.put()
    ask = inbox.ask()
    inbox.catalogue.claim_content(ask.upload.upload_id, "0" * 64)
    inbox.catalogue.mark_accepted(ask.upload.upload_id)
    inbox.end(ask, RunState.SUCCEEDED)
    inbox.look()
    assert inbox.upload(ask).state is State.DONE
    inbox.asked_about.clear()
    inbox.look(100)
    assert inbox.asked_about == []


def test_a_file_settles(inbox: Inbox) -> None:
    """A file is taken while it grows; or, after the clock was set back, never."""
    changed = inbox.put().stat().st_ctime
    for now, waiting in ((changed + 4, 1), (changed - 4, 1), (changed + 6, 0)):
        inbox.now = now
        seen = inbox.look()
        assert (seen.waiting, len(seen.asks)) == (waiting, 1 - waiting)


def test_a_clock_set_back_does_not_stop_the_inbox(inbox: Inbox) -> None:
    """A file whose time lies a year ahead waits for a year."""
    inbox.now = inbox.put().stat().st_ctime - 3e7
    assert len(inbox.look().asks) == 1


def test_the_newer_file_under_a_name_is_another_upload(inbox: Inbox) -> None:
    """Whoever corrects a video under its old name is told that it is known."""
    inbox.put()
    first = inbox.ask()
    inbox.end(first, RunState.ALIVE)
    inbox.put(content=b"corrected")
    second = inbox.ask()
    assert second.upload.video_key != first.upload.video_key


def test_files_in_no_tenants_folder(inbox: Inbox) -> None:
    """Two files of the same name in no tenant's folder: the second overwrites the first in `rejected/`, or stops every look."""
    for content in (b"one", b"two"):
        (inbox.folder / "inbox").mkdir(exist_ok=True)
        (inbox.folder / "inbox" / "clip.mp4").write_bytes(content)
        assert len(inbox.look().notes) == 1
    kept = [key for key in inbox.rejected() if key.endswith(".mp4")]
    assert sorted(inbox.store.read_bytes(key, 10) for key in kept) == [b"one", b"two"]
    assert list(inbox.store.list("inbox")) == []


def test_what_cannot_be_moved_does_not_stop_the_inbox(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """One name that S3 takes and VideoLab does not, as `a//b.mp4`, and every look fails from then on."""
    inbox.put()
    ask = inbox.ask()
    inbox.end(ask, RunState.FAILED_FOR_GOOD, "This is not a key of the store.")

    def refuse(*_: object) -> None:
        raise PermanentError("This is not a key of the store.")

    with monkeypatch.context() as refusing:
        refusing.setattr(inbox.store, "stat", refuse)
        seen = inbox.look()
    assert len(seen.notes) == 2
    assert inbox.upload(ask).state is State.FAILED
    assert inbox.look(10_000).notes == []


def test_a_flood_is_looked_at_in_parts(inbox: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million files are dropped at once: a look holds them all in memory, or what lies behind the first ones is never reached."""
    monkeypatch.setattr(intake, "MOST_LISTED", 3)
    paths = {f"inbox/acme/{number}.mp4": inbox.put(f"{number}.mp4") for number in range(7)}
    asked = []
    for _ in range(7):
        new = inbox.look().asks
        assert len(new) <= 3
        for ask in new:
            inbox.end(ask, RunState.ALIVE)
            paths[ask.upload.inbox_key].unlink()
        asked += new
    assert {ask.upload.inbox_key for ask in asked} == paths.keys()
