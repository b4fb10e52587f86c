"""VideoLab's tables, reached by many processes at once."""

import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from videolab_assets.lib.database import Database
from videolab_assets.lib.errors import PermanentError, TransientError

SECRET = "hunter2-secret"  # noqa: S105 - what must never be printed

_metadata = sa.MetaData()
_notes = sa.Table("notes", _metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("text", sa.Text, index=True))


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/videolab.db" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


def count(database: Database) -> int:
    with database.connect() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(_notes)).scalar_one()


def test_a_file_that_another_process_is_making(tmp_path: Path) -> None:
    """Daemon, code server and runs start together on a new machine, and one of them fails with a locked database."""
    path = tmp_path / "videolab.db"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")  # SQLite refuses the switch of journals at once, whatever the busy timeout
    threading.Timer(0.3, lambda: other.execute("COMMIT")).start()
    database = Database(f"sqlite:///{path}")
    database.make(_metadata)
    assert count(database) == 0
    other.close()


def test_many_start_at_once(url: str) -> None:
    """Making the same table in two processes fails one of them."""

    def start(_: int) -> None:
        database = Database(url)
        database.make(_metadata)
        database.dispose()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, range(8)))


def test_a_transaction_is_whole_or_nothing(url: str) -> None:
    """Half of a change stays when its process fails in the middle."""
    database = Database(url)
    database.make(_metadata)
    with pytest.raises(KeyboardInterrupt), database.transaction() as connection:
        connection.execute(database.insert(_notes).values(id=1, text="half"))
        raise KeyboardInterrupt
    assert count(database) == 0
    with database.transaction() as connection:
        connection.execute(database.insert(_notes).values(id=1, text="whole"))
    assert count(database) == 1
    database.dispose()


def test_transactions_do_not_lose_each_others_changes(url: str) -> None:
    """Two runs read the same sum and both add to it: a cap on spending holds neither back."""
    database = Database(url)
    database.make(_metadata)
    with database.connect() as connection:
        connection.execute(database.insert(_notes).values(id=1, text="0"))

    def add(_: int) -> None:
        with database.transaction() as connection:
            row = connection.execute(sa.select(_notes.c.text).where(_notes.c.id == 1).with_for_update()).scalar_one()
            connection.execute(sa.update(_notes).where(_notes.c.id == 1).values(text=str(int(row) + 1)))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, range(40)))
    with database.connect() as connection:
        assert connection.execute(sa.select(_notes.c.text)).scalar_one() == "40"
    database.dispose()


@pytest.mark.parametrize("address", [f"not a url {SECRET}", f"mysql://u:{SECRET}@h/d", f"postgresql+nosuch://u:{SECRET}@h/d"])
def test_an_address_that_cannot_be_used(address: str) -> None:
    """The error quotes the password in the address."""
    with pytest.raises(PermanentError) as caught:
        Database(address)
    assert SECRET not in str(caught.value)


def test_a_server_that_is_away() -> None:
    """A server that restarts fails a video for good, or its password ends in the log."""
    database = Database(f"postgresql+psycopg2://videolab:{SECRET}@127.0.0.1:1/videolab")
    with pytest.raises(TransientError) as caught, database.connect():
        pass
    assert SECRET not in str(caught.value)
    assert SECRET not in database.describe()
