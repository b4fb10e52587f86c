"""Dagster's instance and daemon as the command line needs them: one home, one daemon, whoever starts it."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, Self

import dagster as dg

from videolab_assets.lib.errors import TransientError
from videolab_assets.settings import Settings

PROJECT = Path(__file__).resolve().parent.parent
SENSOR_DAEMON = "SENSOR"
DAEMON_LOCK = "daemon.lock"
SECONDS_TO_STOP = 20
SECONDS_OF_LIFE = 75
"""A heartbeat comes every 30 s; after two and a half of them have failed to come, the daemon is dead."""

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
    lock = (settings.home / DAEMON_LOCK).open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    return lock


def daemon_runs(instance: dg.DagsterInstance) -> bool:
    """Whether some daemon, here or elsewhere, looks after this instance's sensors right now, by its latest heartbeat.

    Dagster itself calls a daemon healthy for half an hour after its last one.
    """
    heartbeat = instance.get_daemon_statuses(daemon_types=[SENSOR_DAEMON])[SENSOR_DAEMON].last_heartbeat
    return heartbeat is not None and time.time() - heartbeat.timestamp < SECONDS_OF_LIFE


class Sensors:
    """Sees to it that a daemon evaluates the sensors: one that runs already, or one of its own for the time being.

    A context manager. Somebody else's daemon may end at any moment, so `keep_running` is called again and again.
    """

    def __init__(self, settings: Settings) -> None:
        self.instance = open_instance(settings)
        self.log = settings.home / "daemon.log"
        self._settings = settings
        self._daemon: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self._waiting_since: float | None = None

    def __enter__(self) -> Self:
        self.keep_running()
        return self

    def keep_running(self) -> None:
        """Starts a daemon if there is none.

        Raises:
            TransientError: the one that was started here ended by itself; or another process holds the right to run one and does not.
        """
        if self._daemon is not None:
            if self._daemon.poll() is not None:
                raise TransientError(f"Dagster's daemon ended by itself: its log is {self.log}.")
            return
        if daemon_runs(self.instance):
            self._waiting_since = None
            return
        self._lock = lock_daemon(self._settings)
        if self._lock is None:
            self._wait_for_other()
            return
        command = [sys.executable, "-m", "dagster._daemon", "run", "-w", str(PROJECT / "workspace.yaml")]
        with self.log.open("ab") as log:
            self._daemon = subprocess.Popen(  # noqa: S603 - our own interpreter and workspace
                command, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def _wait_for_other(self) -> None:
        """Another process of this machine is just starting a daemon; or it hangs, as one may that was ended half-way."""
        self._waiting_since = self._waiting_since or time.monotonic()
        if time.monotonic() - self._waiting_since > SECONDS_OF_LIFE:
            raise TransientError(
                f"Another VideoLab process holds {self._settings.home / DAEMON_LOCK}, but no daemon has been heard of for "
                f"{SECONDS_OF_LIFE} s: end that process, then run this again."
            )

    def __exit__(self, *_: object) -> None:
        if self._daemon is not None and self._daemon.poll() is None:
            self._daemon.send_signal(signal.SIGINT)
            try:
                self._daemon.wait(timeout=SECONDS_TO_STOP)
            except subprocess.TimeoutExpired:
                os.killpg(self._daemon.pid, signal.SIGKILL)
                self._daemon.wait()
        if self._daemon is not None:
            # Otherwise the next command would wait for a daemon that is gone.
            self.instance.wipe_daemon_heartbeats()
        if self._lock is not None:
            self._lock.close()


def serve(settings: Settings, port: int) -> None:
    """Becomes Dagster's development server on loopback, daemon included. Does not return.

    Raises:
        TransientError: another process runs a daemon for this home.
    """
    prepare_home(settings)
    lock = lock_daemon(settings)
    if lock is None:
        raise TransientError(f"Another VideoLab process is at work in {settings.home}: wait until it is done, or stop it.")
    os.set_inheritable(lock.fileno(), True)
    program = str(Path(sys.executable).parent / "dg")
    os.chdir(PROJECT)
    os.execv(program, [program, "dev", "--host", "127.0.0.1", "--port", str(port)])  # noqa: S606 - no shell is the point
