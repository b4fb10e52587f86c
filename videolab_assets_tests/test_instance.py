"""Dagster's home, and one daemon for it."""

import os
from pathlib import Path

import dagster as dg
import pytest

from videolab_assets import instance
from videolab_assets.instance import PROJECT, Sensors, daemon_runs, lock_daemon, open_instance, prepare_home
from videolab_assets.lib.errors import TransientError
from videolab_assets.settings import Settings


def test_the_home_gets_the_projects_configuration(home: Path) -> None:
    """Dagster runs with its defaults: telemetry on, ten whole videos at once, no end to a hanging run."""
    settings = Settings().pinned()
    assert prepare_home(settings) == home / "dagster"
    with open_instance(settings) as opened:
        assert not opened.telemetry_enabled
        assert opened.run_monitoring_enabled
        assert not opened.run_retries_enabled
    (home / "dagster" / "dagster.yaml").write_text("telemetry: {enabled: true}")
    prepare_home(settings)
    assert (home / "dagster" / "dagster.yaml").read_text() == (PROJECT / "dagster.yaml").read_text()


def test_somebody_elses_home_keeps_its_configuration(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command overwrites the operator's own dagster.yaml."""
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "dagster.yaml").write_text("telemetry: {enabled: false}\n")
    monkeypatch.setenv("DAGSTER_HOME", str(theirs))
    assert prepare_home(Settings().pinned()) == theirs
    assert (theirs / "dagster.yaml").read_text() == "telemetry: {enabled: false}\n"
    assert os.environ["DAGSTER_HOME"] == str(theirs)


def test_a_secret_is_not_written_down(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database's password stands in a file that the UI shows."""
    monkeypatch.setenv("VIDEOLAB_DAGSTER_POSTGRES_URL", "postgresql://u:hunter2@127.0.0.1:1/d")
    written = (prepare_home(Settings().pinned()) / "dagster.yaml").read_text()
    assert "VIDEOLAB_DAGSTER_POSTGRES_URL" in written
    assert "hunter2" not in written


def test_only_one_daemon(home: Path) -> None:
    """Two commands at once start two daemons, which evaluate every sensor twice."""
    settings = Settings().pinned()
    held = lock_daemon(settings)
    assert held
    assert lock_daemon(settings) is None
    held.close()
    again = lock_daemon(settings)
    assert again
    again.close()


def test_a_daemon_that_ends_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command waits for ever for a daemon that could not start."""
    monkeypatch.setattr("videolab_assets.instance.sys.executable", "/bin/false")
    with Sensors(Settings().pinned()) as sensors:
        assert sensors._daemon
        sensors._daemon.wait(timeout=30)
        with pytest.raises(TransientError, match=r"daemon\.log"):
            sensors.keep_running()
    settings = Settings().pinned()
    released = lock_daemon(settings)
    assert released, "the next command would wait for this one's daemon"
    released.close()


def test_a_daemon_elsewhere_is_left_to_do_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second daemon is started beside the one of `make dev`."""
    monkeypatch.setattr(instance, "daemon_runs", lambda _: True)
    with Sensors(Settings().pinned()) as sensors:
        assert sensors._daemon is None


def test_no_heartbeat_is_no_daemon(home: Path) -> None:
    """A command waits for a daemon that never was."""
    home.mkdir()
    with dg.DagsterInstance.local_temp(str(home)) as empty:
        assert not daemon_runs(empty)


def test_a_process_that_hangs_on_the_lock_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A daemon that was ended half-way keeps the lock, and every later command waits for it for ever without a word."""
    settings = Settings().pinned()
    held = lock_daemon(settings)
    assert held
    with Sensors(settings) as sensors:
        sensors.keep_running()
        monkeypatch.setattr(instance, "SECONDS_OF_LIFE", -1)
        with pytest.raises(TransientError, match=r"daemon\.lock"):
            sensors.keep_running()
    held.close()
