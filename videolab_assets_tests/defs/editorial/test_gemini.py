"""Gemini in the graph: the environment names it, a tenant pays for it, and its key is nowhere to be found."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from videolab_assets.lib.documents import Summary
from videolab_assets_tests.gemini_server import ANSWER, COST, gemini_server, refused, wrote
from videolab_assets_tests.lab import Lab
from videolab_assets_tests.scripted_server import ScriptedServer

KEY = "canary-Qw73-never-to-be-seen"

WORKER = """
import json, logging, sys
from videolab_assets.instance import open_instance
from videolab_assets.settings import Settings
from videolab_assets_tests.lab import Lab, failures_of, materialized, video_key_of

logging.basicConfig(level=logging.DEBUG)
with open_instance(Settings()) as instance:
    lab = Lab(instance)
    results = lab.work()
    print(json.dumps([[video_key_of(result), failures_of(result), sorted(materialized(result))] for result in results]))
"""
"""Does what the daemon would, in a process that was told of Gemini from its beginning."""


def work(server: ScriptedServer, **environment: str) -> tuple[list[Any], str]:
    """What the runs came to, and everything that was printed."""
    gemini = {"VIDEOLAB_SUMMARIZER": "gemini", "VIDEOLAB_GEMINI_ENDPOINT": server.endpoint, "GEMINI_API_KEY": KEY}
    command = [sys.executable, "-c", WORKER]
    done = subprocess.run(command, env={**os.environ, **gemini, **environment}, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1]), done.stdout + done.stderr


def assert_key_nowhere(home: Path, printed: str) -> None:
    assert KEY not in printed
    for path in home.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


@pytest.mark.long
def test_a_summary_is_bought_once(lab: Lab, home: Path, clips: Path) -> None:
    """The key ends in the event log; a second run pays again; or nobody can see what it cost."""
    lab.put(clips / "talk.mp4", "talk.mp4")
    lab.put(b"Write for children.", "talk.prompt.txt")
    with gemini_server() as server:
        ((video_key, failures, made), *_), printed = work(server)
        assert not failures
        assert "summary" in made
        summary = lab.library.document(video_key, Summary)
        assert summary
        assert (summary.title, summary.engine, summary.prompt) == (ANSWER["title"], "gemini", "Write for children.")
        assert summary.input_tokens > 0
        assert abs(summary.cost - COST) < 1e-6
        assert "Write for children." in json.dumps(server.received[0].body)
        assert server.received[0].headers["x-goog-api-key"] == KEY
        lab.put(b"Write for children. ", "talk.prompt.txt")
        again, printed_again = work(server)
        assert [failures for _, failures, _ in again] == [{}]
        assert len(server.received) == 1
    assert_key_nowhere(home, printed + printed_again)


@pytest.mark.long
def test_what_goes_wrong_is_said_without_the_key(lab: Lab, home: Path, clips: Path) -> None:
    """A refused key is quoted in the failure that everybody sees, or half a summary is published."""
    lab.put(clips / "talk.mp4", "talk.mp4")
    with gemini_server() as server:
        server.script = [refused(403, f"API key {KEY} is not valid"), wrote(json.dumps(ANSWER)[:80], "MAX_TOKENS")]
        ((video_key, failures, _), *_), printed = work(server)
        assert list(failures) == ["summary"]
        assert "key" in failures["summary"]
        assert lab.library.document(video_key, Summary) is None
    assert_key_nowhere(home, printed)
