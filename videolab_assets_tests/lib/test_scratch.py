"""Private folders, and what a killed process leaves of them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from videolab_assets.lib.processes import ProcessIdentity, this_process
from videolab_assets.lib.scratch import scratch_folder, sweep

HOLD = """
import sys, time
from pathlib import Path
from videolab_assets.lib.scratch import scratch_folder
with scratch_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_bytes(b"x")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_the_folder_is_private_and_goes_away(tmp_path: Path) -> None:
    """Uploads of one tenant must not be readable by other users, nor fill the disk after a failure."""
    with pytest.raises(RuntimeError), scratch_folder(tmp_path) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "file").write_bytes(b"x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_is_swept_and_a_living_one_is_not(tmp_path: Path) -> None:
    """kill -9 leaves gigabytes behind; a sweep by age would take them from a process that still works on them."""
    with subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        folder = Path(holder.stdout.readline().strip())
        assert sweep(tmp_path) == []
        assert (folder / "half").exists()
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    assert sweep(tmp_path) == [folder]
    assert not folder.exists()


def test_other_folders_stay(tmp_path: Path) -> None:
    """Scratch may be configured to be a folder that somebody else uses as well."""
    (tmp_path / "photos").mkdir()
    (tmp_path / "elsewhere.00000000.1.1_abc").mkdir()
    assert sweep(tmp_path) == []


def test_a_reused_pid_is_not_the_same_process() -> None:
    """After a reboot, or 4 million processes later, the number belongs to somebody else and the owner is gone all the same."""
    me = this_process()
    assert not me.is_gone()
    assert ProcessIdentity(me.host, me.boot, me.pid, me.started + 1).is_gone()
    assert ProcessIdentity(me.host, "ffffffff", me.pid, me.started).is_gone()
    assert not ProcessIdentity("another-host", me.boot, me.pid, me.started + 1).is_gone()
    assert ProcessIdentity.of_token(me.token) == me
    assert me.pid == os.getpid()


def test_any_random_name_is_swept(tmp_path: Path) -> None:
    """The random part of one name in five holds an underscore, and such folders were never removed."""
    gone = ProcessIdentity(this_process().host, "00000000", 1, 1)
    folder = tmp_path / f"{gone.token}_ab_cd_12"
    folder.mkdir()
    assert sweep(tmp_path) == [folder]
