"""The commands as a person runs them: answers, exit codes and one-sentence errors."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from videolab_assets.cli import app
from videolab_assets.lib.documents import DOCUMENTS, VARIANTS
from videolab_assets_tests.lab import Lab, video_key_of

SECONDS = 150
SECRET = "hunter2-secret"  # noqa: S105 - what must never be printed


def videolab(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the real program in a process of its own."""
    command = [sys.executable, "-c", "from videolab_assets.cli import main; main()", *arguments]
    plain = {"NO_COLOR": "1", "COLUMNS": "200", "TERM": "dumb"}
    return subprocess.run(
        command,
        env={**os.environ, **plain, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def assert_one_sentence(done: subprocess.CompletedProcess[str], exit_code: int) -> str:
    assert done.returncode == exit_code, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr.strip()


@pytest.mark.long
def test_process_through_the_real_daemon(home: Path, clips: Path, tmp_path: Path) -> None:
    """The first command of the README does not work; or the second one does everything again."""
    environment = {"VIDEOLAB_SENSOR_SECONDS": "1"}
    first = videolab("process", str(clips / "clip.mp4"), "--tenant", "acme", "--json", environment=environment)
    assert first.returncode == 0, first.stderr[-3000:]
    answer = json.loads(first.stdout)
    assert answer.keys() == {"video_key", "status", "new", "reason", "outputs", "skipped"}
    assert (answer["status"], answer["new"], answer["reason"]) == ("done", True, None)
    assert answer["video_key"].startswith("acme.clip.")
    assert answer["skipped"] == ["summary", "clips", *VARIANTS]
    assert {output["asset"] for output in answer["outputs"]} == DOCUMENTS.keys() - {"summary", "clips", *VARIANTS}
    for output in answer["outputs"]:
        assert output.keys() == {"asset", "key", "bytes", "sha256", "seconds"}
        assert (home / "store" / output["key"]).stat().st_size == output["bytes"]
    assert "run " in first.stderr, "no word of progress"

    second = videolab("process", str(clips / "clip.mp4"), "--tenant", "acme", "--json", environment=environment)
    assert second.returncode == 0, second.stderr[-3000:]
    again = json.loads(second.stdout)
    assert (again["status"], again["new"]) == ("done", False)
    assert again["outputs"] == answer["outputs"]

    text = tmp_path / "text.mp4"
    text.write_text("no video\n" * 100)
    refused = videolab("process", str(text), "--tenant", "acme", "--json", environment=environment)
    assert refused.returncode == 2, refused.stderr[-3000:]
    rejection = json.loads(refused.stdout)
    assert rejection["status"] == "rejected"
    assert "video" in rejection["reason"]
    assert "Traceback" not in refused.stderr


def test_help() -> None:
    """A command cannot be found out about, or asking about it does its work."""
    whole = videolab("--help")
    assert whole.returncode == 0
    for command, words in {
        "process": "--tenant",
        "show": "--json",
        "search": "--tenant",
        "doctor": "Check ffmpeg",
        "dev": "--port",
    }.items():
        assert command in whole.stdout
        done = CliRunner(env={"COLUMNS": "200", "TERM": "dumb"}).invoke(app, [command, "--help"])
        assert done.exit_code == 0
        assert words in done.output


@pytest.mark.long
@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (("process", "missing.mp4", "--tenant", "Acme Inc"), 1, "is not a tenant"),
        (("show", "acme.clip.00000000"), 2, "No video is known"),
        (("show", "../etc/passwd"), 1, "is not a video key"),
    ],
)
def test_wrong_arguments(arguments: tuple[str, ...], exit_code: int, said: str, home: Path) -> None:
    """A typing mistake is answered with a traceback."""
    assert said in assert_one_sentence(videolab(*arguments), exit_code)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["missing", "folder", "pipe"])
def test_what_is_no_file_is_rejected(kind: str, home: Path, tmp_path: Path) -> None:
    """A pipe hangs the command, and a missing file is a traceback."""
    path = tmp_path / "x.mp4"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    done = videolab("process", str(path), "--json")
    assert done.returncode == 2
    answer = json.loads(done.stdout)
    assert answer["status"] == "rejected"
    assert str(path) in answer["reason"]


@pytest.mark.long
def test_show(lab: Lab, clips: Path) -> None:
    """What is known of a video can only be found out in the UI."""
    key = video_key_of(lab.process(clips / "silent.mp4", "[bold]x.mp4"))
    shown = videolab("show", key, "--json")
    assert shown.returncode == 0, shown.stderr
    answer = json.loads(shown.stdout)
    assert answer["upload"]["state"] == "done"
    assert answer["documents"].keys() == {"source_video", "proxy", "thumbnail", "storyboard", "shots", "clip_plan"}
    assert answer["missing"] == ["audio", "waveform", "transcript", "subtitles", "summary", "search_entry", "clips", *VARIANTS]
    words = videolab("show", key)
    assert words.returncode == 0, words.stderr
    assert "state: done" in words.stdout
    assert "[bold]x.mp4" in words.stdout
    assert "proxy.mp4" in words.stdout


def test_doctor(home: Path) -> None:
    """A machine that lacks something finds out half-way through its first video."""
    done = videolab("doctor")
    assert done.returncode in (0, 1), done.stderr
    lines = done.stdout.splitlines()
    for what in ("ffmpeg", "sandbox", "store", "database", "disk", "speech", "summary", "search"):
        assert any(f" {what}: " in line for line in lines), what
    assert not [line for line in lines if line.startswith("FAIL") and "disk" not in line]


@pytest.mark.long
def test_search(lab: Lab, clips: Path) -> None:
    """What was said in a video cannot be found again, or is found in one that was deleted."""
    key = video_key_of(lab.process(clips / "sound.m4a", "sound.m4a"))
    found = videolab("search", "SAILOR", "--tenant", "acme", "--json")
    assert found.returncode == 0, found.stderr
    (moment,) = json.loads(found.stdout)["moments"]
    assert (moment["video_key"], "sailor" in moment["sentence"].lower()) == (key, True)
    shown = videolab("search", "sailor").stdout
    assert shown.startswith("0:0")
    assert key in shown
    assert "Nobody says that" in videolab("search", "sailor", "--tenant", "other").stdout
    assert_one_sentence(videolab("search", "..."), 1)
    (Path(lab.settings.store_location) / f"library/acme/{key}/transcript.json").unlink()
    assert "Nobody says that" in videolab("search", "sailor").stdout


def test_doctor_finds_what_is_missing(home: Path) -> None:
    """Something needed is missing and the doctor is content; or it prints a password for all to see."""
    url = f"postgresql+psycopg2://videolab:{SECRET}@127.0.0.1:1/videolab"
    done = videolab("doctor", environment={"VIDEOLAB_FFMPEG": "/nonexistent", "VIDEOLAB_DATABASE_URL": url})
    assert done.returncode == 1, done.stdout
    failing = [line for line in done.stdout.splitlines() if line.startswith("FAIL")]
    assert [what for what in ("ffmpeg", "database") if any(f" {what}: " in line for line in failing)] == ["ffmpeg", "database"]
    assert "Traceback" not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr


def test_a_database_that_is_away(home: Path) -> None:
    """The error of a command names the database's password."""
    url = f"postgresql+psycopg2://videolab:{SECRET}@127.0.0.1:1/videolab"
    done = videolab("show", "acme.clip.00000000", environment={"VIDEOLAB_DATABASE_URL": url})
    assert done.returncode == 1
    assert "cannot be used now" in done.stderr
    assert SECRET not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [("VIDEOLAB_MAX_BYTES", f"{SECRET}"), ("VIDEOLAB_DATABASE_URL", f"not a url {SECRET}")],
)
def test_wrong_settings(variable: str, value: str, home: Path) -> None:
    """A mistyped environment variable is answered with a traceback."""
    done = videolab("doctor", environment={variable: value})
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr
