"""A connection to VideoLab's own tables, in SQLite or PostgreSQL: the same statements over both."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, InterfaceError, InternalError, OperationalError
from sqlalchemy.schema import CreateIndex, CreateTable

from videolab_assets.lib.errors import PermanentError, TransientError

_BUSY_SECONDS = 30
_PAUSE_SECONDS = 0.02


class Database:
    """Connections whose every statement commits by itself, and whose errors are sentences.

    Args:
        url: an SQLAlchemy URL of SQLite or PostgreSQL, such as `sqlite:////data/videolab.db`.

    Raises:
        PermanentError: the URL is not one of these.
        TransientError: the folder of an SQLite file cannot be made.
    """

    def __init__(self, url: str) -> None:
        try:
            self._engine = _engine(sa.make_url(url))
        except (ArgumentError, ImportError) as error:
            raise PermanentError(  # without the URL, which may hold a password
                "The database's address cannot be used: give sqlite:///… or postgresql+psycopg2://user:password@host/name.",
                type(error).__name__,
            ) from None
        except OSError as error:
            raise TransientError("The folder of the database cannot be made: check its path, owner and mount.", str(error)) from error

    @property
    def is_sqlite(self) -> bool:
        return self._engine.dialect.name == "sqlite"

    def describe(self) -> str:
        """The place in words, without credentials."""
        return self._engine.url.render_as_string(hide_password=True)

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that understands `on_conflict_do_…`."""
        return sqlite.insert(table) if self.is_sqlite else postgresql.insert(table)

    @contextmanager
    def connect(self) -> Iterator[sa.Connection]:
        """A connection in which each statement is a transaction.

        Raises:
            TransientError: the database cannot be reached, stays locked or is full.
        """
        try:
            with self._engine.connect() as connection:
                yield connection
        except (OperationalError, InterfaceError, InternalError) as error:
            raise TransientError(
                f"The database {self.describe()} cannot be used now: it is unreachable, locked or full.", str(error.orig)
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[sa.Connection]:
        """A connection whose statements take effect together when the block ends, or not at all. In SQLite it is the only writer.

        Raises:
            TransientError: as `connect`.
        """
        with self.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE" if self.is_sqlite else "BEGIN")
            try:
                yield connection
            except BaseException:
                connection.exec_driver_sql("ROLLBACK")
                raise
            connection.exec_driver_sql("COMMIT")

    def make(self, metadata: sa.MetaData) -> None:
        """Makes the tables and indexes that are missing; any number of processes may do so at once."""
        statements: list[sa.Executable] = []
        for table in metadata.sorted_tables:
            statements += [CreateTable(table, if_not_exists=True), *(CreateIndex(index, if_not_exists=True) for index in table.indexes)]
        with self.connect() as connection, self.alone(connection):
            for statement in statements:
                connection.execute(statement)

    @contextmanager
    def alone(self, connection: sa.Connection) -> Iterator[None]:
        """For statements that change the schema: one process at a time."""
        if self.is_sqlite:
            _write_ahead(connection)
            yield
            return
        connection.exec_driver_sql("SELECT pg_advisory_lock(hashtext('videolab tables'))")  # IF NOT EXISTS races there
        try:
            yield
        finally:
            connection.exec_driver_sql("SELECT pg_advisory_unlock(hashtext('videolab tables'))")

    def dispose(self) -> None:
        """Closes idle connections."""
        self._engine.dispose()


def _write_ahead(connection: sa.Connection) -> None:
    """Switches the file to a journal with which readers do not wait for writers; the file remembers it.

    The switch takes the whole file for itself and does not wait for others who want the same, as several processes do at their first
    start: SQLite's own busy timeout does not hold there.
    """
    give_up = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
        except OperationalError:
            if time.monotonic() > give_up:
                raise
            time.sleep(_PAUSE_SECONDS)
        else:
            return


def _engine(url: sa.URL) -> sa.Engine:
    """Every statement commits by itself. SQLite waits for a lock instead of giving up at once; PostgreSQL connections are checked."""
    backend = url.get_backend_name()
    if backend == "sqlite":
        if url.database:
            Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        return sa.create_engine(url, isolation_level="AUTOCOMMIT", connect_args={"timeout": _BUSY_SECONDS})
    if backend == "postgresql":
        # One idle connection: every process of Dagster brings its own, and a server takes about a hundred in all.
        return sa.create_engine(url, isolation_level="AUTOCOMMIT", pool_size=1, max_overflow=9, pool_pre_ping=True)
    raise PermanentError(f"{backend} is not a database that VideoLab works with: use sqlite:// or postgresql://.")
