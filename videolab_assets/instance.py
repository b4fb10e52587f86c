"""Dagster's instance and daemon as the command line needs them: one home, one daemon, whoever starts it."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import dagster as dg

from videolab_assets.settings import Settings

PROJECT = Path(__file__).resolve().parent.parent
SENSOR_DAEMON = "SENSOR"
SECONDS_TO_STOP = 20

POSTGRES_STORAGE = """
storage:
  postgres:
    postgres_url:
      env: VIDEOLAB_DAGSTER_POSTGRES_URL
"""
"""Names the variable, never the URL: it holds a password, and instance files are shown in the UI."""


def prepare_home(settings: Settings) -> Path:
    """Makes Dagster's home with the project's `dagster.yaml` in it, and points `DAGSTER_HOME` there unless it is set already."""
    home = Path(os.environ.setdefault("DAGSTER_HOME", str(settings.dagster_home)))
    home.mkdir(parents=True, exist_ok=True)
    configuration = (PROJECT / "dagster.yaml").read_text() + (POSTGRES_STORAGE if settings.dagster_postgres_url else "")
    target = home / "dagster.yaml"
    if not target.exists() or (home == settings.dagster_home and target.read_text() != configuration):
        target.write_text(configuration)
    return home


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """The instance in Dagster's home."""
    prepare_home(settings)
    return dg.DagsterInstance.get()


def lock_daemon(settings: Settings) -> IO[str] | None:
    """The right to run this home's daemon, held until the file is closed; None while another process of this machine holds it.

    Dagster wants exactly one daemon: two of them evaluate every sensor twice.
    """
    lock = (settings.home / "daemon.lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def daemon_runs(instance: dg.DagsterInstance) -> bool:
    """Whether some daemon, here or elsewhere, looks after this instance's sensors right now."""
    return bool(instance.get_daemon_statuses(daemon_types=[SENSOR_DAEMON])[SENSOR_DAEMON].healthy)


@dataclass(frozen=True)
class Sensors:
    """A daemon that evaluates the sensors.

    Attributes:
        alive: whether it still may; always true of one that somebody else started.
        log: where the one that was started here writes.
    """

    instance: dg.DagsterInstance
    alive: Callable[[], bool]
    log: Path


@contextmanager
def sensors_running(settings: Settings) -> Iterator[Sensors]:
    """Sees to it that a daemon evaluates the sensors: the one that runs already, or one for the time being."""
    instance = open_instance(settings)
    log = settings.home / "daemon.log"
    lock = lock_daemon(settings)
    if lock is None or daemon_runs(instance):
        with lock or nullcontext():
            yield Sensors(instance, lambda: True, log)
        return
    command = [sys.executable, "-m", "dagster._daemon", "run", "-w", str(PROJECT / "workspace.yaml")]
    with lock, log.open("ab") as written:
        daemon = subprocess.Popen(  # noqa: S603 - our own interpreter and workspace
            command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=written, stderr=written, start_new_session=True
        )
        try:
            yield Sensors(instance, lambda: daemon.poll() is None, log)
        finally:
            daemon.send_signal(signal.SIGINT)
            try:
                daemon.wait(timeout=SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                os.killpg(daemon.pid, signal.SIGKILL)
                daemon.wait()


def serve(settings: Settings, port: int) -> None:
    """Becomes Dagster's development server on loopback, daemon included. Does not return.

    Raises:
        BlockingIOError: a daemon of this home runs already.
    """
    prepare_home(settings)
    lock = lock_daemon(settings)
    if lock is None:
        raise BlockingIOError("another VideoLab process runs this home's daemon")
    os.set_inheritable(lock.fileno(), True)
    program = str(Path(sys.executable).parent / "dg")
    os.chdir(PROJECT)
    os.execv(program, [program, "dev", "--host", "127.0.0.1", "--port", str(port)])  # noqa: S606 - no shell is the point
