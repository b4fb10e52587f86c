"""From a file on this machine into the inbox, and its answer back, with the daemon's part played by the test."""

import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import dagster as dg
import pytest

from videolab_assets import submit as submitting
from videolab_assets.lib.documents import VARIANTS
from videolab_assets.lib.errors import PermanentError, RejectedUpload
from videolab_assets.settings import Settings
from videolab_assets.submit import submit
from videolab_assets_tests.lab import ASSETS, Lab, variant


class Played:
    """Stands for `Sensors`: each look of the waiting command does what the daemon would have done meanwhile."""

    lab: Lab

    def __init__(self, settings: Settings) -> None:
        self.instance = self.lab.instance

    def __enter__(self) -> "Played":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def keep_running(self) -> None:
        for request in self.lab.tick():
            self.lab.run(request)


@pytest.fixture
def served(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    monkeypatch.setattr(submitting, "Sensors", Played)
    monkeypatch.setattr(submitting, "POLL_SECONDS", 0)
    monkeypatch.setattr(Played, "lab", lab, raising=False)
    yield lab


def test_a_file_is_answered_for(served: Lab, clips: Path) -> None:
    """The command says less, or something else, than what was made."""
    said: list[str] = []
    outcome = submit(clips / "silent.mp4", "acme", Settings(), said.append)
    assert (outcome.status, outcome.new, outcome.reason) == ("done", True, None)
    assert set(outcome.skipped) == {"audio", "waveform", "transcript", "subtitles", "summary", "search_entry", "clips", *VARIANTS}
    order = [output["asset"] for output in outcome.outputs]
    assert order == sorted(order, key=ASSETS.index)
    for output in outcome.outputs:
        found = served.library.store.stat(output["key"])
        assert found
        assert found.bytes == output["bytes"]
    assert (clips / "silent.mp4").exists(), "the person's own file is gone"
    assert any("attempt 1" in line for line in said)
    served.assert_tidy()

    runs = len(served.instance.get_runs())
    again = submit(clips / "silent.mp4", "acme", Settings(), said.append)
    assert (again.status, again.new, again.video_key) == ("done", False, outcome.video_key)
    assert again.outputs == outcome.outputs
    assert len(served.instance.get_runs()) == runs


def test_a_rejected_file(served: Lab, tmp_path: Path) -> None:
    """The reason for a rejection has to be looked for in the UI."""
    path = tmp_path / ("x" * 240 + ".mp4")
    path.write_text("text\n" * 100)
    outcome = submit(path, "acme", Settings(), lambda _: None)
    assert outcome.status == "rejected"
    assert outcome.reason == served.rejections()[0]["reason"]
    assert outcome.outputs == []


def test_two_files_of_one_name(served: Lab, clips: Path, tmp_path: Path) -> None:
    """The second file overwrites the first one in the inbox before that is taken."""
    paths = [tmp_path / folder / "clip.mp4" for folder in "ab"]
    for number, path in enumerate(paths):
        path.parent.mkdir()
        path.write_bytes(variant(clips / "silent.mp4", bytes([number])))
    taken = served.put(clips / "silent.mp4")
    (request,) = served.tick()
    outcome = submit(paths[0], "acme", Settings(), lambda _: None)
    assert outcome.new
    assert taken.exists() or served.library.store.stat(f"library/acme/{request.partition_key}/source.mp4")
    original = f"library/acme/{outcome.video_key}/source.mp4"
    assert served.library.store.read_bytes(original, 1 << 24) == paths[0].read_bytes()


def test_bad_arguments(home: Path, tmp_path: Path) -> None:
    """A wrong tenant leaves a file in an inbox that nobody looks into."""
    with pytest.raises(PermanentError, match="not a tenant"):
        submit(tmp_path / "x.mp4", "../other", Settings(), lambda _: None)
    with pytest.raises(RejectedUpload, match="cannot be read"):
        submit(tmp_path / "x.mp4", "acme", Settings(), lambda _: None)
    assert not (home / "store" / "inbox").exists()


@pytest.mark.parametrize(
    "name", ["talk.srt", "TALK.SRT", ".srt", "talk.prompt.txt", "x" * 200 + ".prompt.txt", "x" * 93 + ".prompt" + "x" * 20 + ".txt"]
)
def test_what_goes_beside_a_video_is_no_upload(name: str, home: Path, tmp_path: Path) -> None:
    """The command waits for ever for a video to come of corrected subtitles."""
    path = tmp_path / name
    path.write_bytes(b"1\n00:00:00,100 --> 00:00:00,900\nHello there.\n")
    with pytest.raises(RejectedUpload, match="inbox/acme/") as refused:
        submit(path, "acme", Settings(), lambda _: None)
    assert refused.value.code == "sidecar"
    assert not (home / "store" / "inbox").exists()


def test_threads_do_not_matter(served: Lab, clips: Path) -> None:
    """Two commands with the same file at the same moment process it twice."""
    outcomes = []
    lock = threading.Lock()
    played = Played.keep_running

    def one_at_a_time(self: Played) -> None:
        with lock:
            played(self)

    Played.keep_running = one_at_a_time  # type: ignore[method-assign]
    try:
        threads = [
            threading.Thread(target=lambda: outcomes.append(submit(clips / "silent.mp4", "acme", Settings(), lambda _: None)))
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        Played.keep_running = played  # type: ignore[method-assign]
    assert sorted(outcome.new for outcome in outcomes) == [False, True]
    assert len({outcome.video_key for outcome in outcomes}) == 1
    runs = served.instance.get_runs()
    assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}
