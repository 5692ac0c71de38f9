"""Opens the database and hands out transactions; it must let plaintext reach no temporary file and no error message.

SQLite is set so that a deleted key is gone from the live files: deleted content is overwritten (secure_delete) and
`scrub` empties the write-ahead log. Either alone leaves bytes behind, and both together leave those of rows that SQLite
moved to another page before: which is why `tables.person_keys` is a table of rows that never move.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self, TypeAlias, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, NotSupportedError, ProgrammingError

from idverify.errors import ConfigurationInvalid, Conflict, SchemaOutdated, StorageUnavailable
from idverify.storage.write_ahead_log import WriteAheadLogSync

__all__ = ["Alongside", "Connection", "Database"]

Result = TypeVar("Result")
Alongside: TypeAlias = Callable[[Connection, Result], None]
"""What else must stand or fall with an act, in its transaction; it is handed what the act came to."""

_MIGRATION_LOCK = 0x6964_7665_7269_6679
"""Any fixed number: the PostgreSQL advisory lock that keeps two migrations from running at once."""
_SCRUB_AGAIN_S = 0.01
_FORBIDDEN = frozenset({"SQLITE_CONSTRAINT_TRIGGER", "42501", "P0001"})
"""Errors by which an administrator's trigger or a right taken away refuses a change: nothing is wrong with the rows."""


class _Rehearsed(Exception):
    """Ends a transaction that must leave nothing."""


class Database:
    """One database, usable from several threads and processes; close it with `close`."""

    def __init__(self, engine: Engine, busy_timeout_s: float) -> None:
        self._engine = engine
        self._busy_timeout_s = busy_timeout_s
        self._is_sqlite = engine.dialect.name == "sqlite"
        self._writer = threading.Lock()
        self._log = WriteAheadLogSync(Path(f"{engine.url.database}-wal"))

    @classmethod
    def open(cls, url: str, *, busy_timeout_s: float = 30) -> Self:
        """Open "sqlite:///path" (made with mode 0600 if it is not there) or "postgresql+psycopg://…"; checks no schema.

        `busy_timeout_s` is how long to wait for SQLite's lock. Raises ConfigurationInvalid for any other address.
        """
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise ConfigurationInvalid("database address: expected sqlite:///PATH or postgresql+psycopg://…") from error
        if parsed.get_backend_name() == "postgresql":
            return cls(_open_postgresql(parsed), busy_timeout_s)
        if parsed.get_backend_name() == "sqlite":
            return cls(_open_sqlite(parsed, busy_timeout_s), busy_timeout_s)
        raise ConfigurationInvalid(
            f"database address: expected sqlite:///PATH or postgresql+psycopg://…, got {parsed.drivername}://"
        )

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One writing transaction: committed at the end of the block, rolled back when it raises.

        On SQLite writers go one at a time; never open one inside another. Others may read what was committed before it
        is on the disk; this returns only then, and nothing that they write upon it outlasts it. Raises Conflict when a
        row exists already or is still referred to, StorageUnavailable.
        """
        if not self._is_sqlite:
            with _translated(), self._engine.begin() as connection:
                yield connection
            return
        # SQLite's own lock is polled; this one makes the threads of a process wait their turn instead.
        with self._writer, _translated(), self._engine.connect() as connection:
            self._log.require_sound()
            connection.execution_options(idverify_begin="BEGIN IMMEDIATE")
            with connection.begin():
                yield connection
        self._log.wait()

    @contextmanager
    def rehearse(self) -> Iterator[Connection]:
        """A writing transaction of which nothing remains: it is rolled back at its end. Raises what `write` does."""
        with suppress(_Rehearsed), self.write() as connection:
            yield connection
            raise _Rehearsed

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One reading transaction that sees a single state of the database from its first query on; it never waits.

        Raises StorageUnavailable.
        """
        with _translated(), self._engine.connect() as connection:
            if not self._is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    def migrate(self) -> None:
        """Bring the schema to this version's, from whatever it is, in one transaction."""
        with self.write() as connection:
            if not self._is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
            upgrade(connection)

    def require_current(self) -> None:
        """Raises SchemaOutdated when the schema is not this version's."""
        expected = ScriptDirectory.from_config(_migrations()).get_current_head()
        with self.read() as connection:
            seen = schema_revision(connection)
        if seen != expected:
            raise SchemaOutdated(
                f"database schema: expected revision {expected}, found {seen or 'none'}; "
                "run `idverify database migrate`"
            )

    def scrub(self) -> bool:
        """Empty SQLite's write-ahead log into the database, so that no deleted byte stays in it; PostgreSQL: nothing.

        Call it after the commit of an erasure. False when a reader held an older state for all of the busy timeout: the
        log could not be emptied and the call must be repeated.
        """
        if not self._is_sqlite:
            return True
        until_s = time.monotonic() + self._busy_timeout_s
        # SQLite waits for readers by itself, but for somebody else who is emptying the log not a moment.
        while not (done := self._emptied()) and time.monotonic() < until_s:
            time.sleep(_SCRUB_AGAIN_S)
        return done

    def _emptied(self) -> bool:
        with self._writer, _translated(), self._engine.connect() as connection:
            busy: int = connection.execution_options(isolation_level="AUTOCOMMIT").scalar(
                text("PRAGMA wal_checkpoint(TRUNCATE)")
            )
            return busy == 0

    def __repr__(self) -> str:
        return f"Database({self._engine.url.render_as_string(hide_password=True)!r})"


def schema_revision(connection: Connection) -> str | None:
    """The revision of the schema that is there, None when there is none."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade(connection: Connection, revision: str = "head") -> None:
    """Bring the schema to that revision in the caller's transaction. Raises SchemaOutdated when it is a newer one's."""
    config = _migrations()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision != "head" and revision not in known:
        raise SchemaOutdated(f"schema revision {revision} is unknown to this version; use the version that wrote it")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _open_sqlite(url: URL, busy_timeout_s: float) -> Engine:
    if not url.database or url.database == ":memory:" or url.query:
        raise ConfigurationInvalid("database address: expected sqlite:///PATH, a file, without options")
    path = Path(url.database)
    try:
        # SQLite gives its log and index files the mode of the database itself.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise ConfigurationInvalid(f"database file {path} cannot be opened: {error.strerror}") from error
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": busy_timeout_s})
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _open_postgresql(url: URL) -> Engine:
    return create_engine(url.set(drivername="postgresql+psycopg"), hide_parameters=True, pool_pre_ping=True)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions by itself
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",  # the log is synced by `WriteAheadLogSync`, once for all who wait
        "secure_delete=ON",
        "foreign_keys=ON",
        "temp_store=MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("idverify_begin", "BEGIN"))


@contextmanager
def _translated() -> Iterator[None]:
    """Database errors in this library's own words, without the statement, whose values an error would quote."""
    try:
        yield
    except DatabaseError as error:
        raise _in_our_words(error) from None


def _in_our_words(error: DatabaseError) -> Exception:
    name = getattr(error.orig, "sqlite_errorname", None) or getattr(error.orig, "sqlstate", None)
    if name not in _FORBIDDEN:
        if isinstance(error, IntegrityError):
            return Conflict(f"database: a row exists already, or another one needs it ({_violated(error)})")
        if isinstance(error, (ProgrammingError, DataError, NotSupportedError)):
            return error  # a mistake of ours, and nothing that an operator could mend
    return StorageUnavailable(f"database unavailable: {_first_line(error)}")


def _violated(error: IntegrityError) -> str:
    """The constraint's name; PostgreSQL's whole message would quote the row."""
    name: str | None = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
    return name or _first_line(error)


def _first_line(error: DatabaseError) -> str:
    return str(error.orig).partition("\n")[0]


def _migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
