"""Writes every row of every table as lines of JSON, and reads them into an empty database; it encrypts nothing itself.

The lines do not depend on the kind of database: what SQLite held may be restored into PostgreSQL.
"""

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from itertools import islice
from typing import Any

from sqlalchemy import Connection, Date, LargeBinary, MetaData, Table, delete, func, insert, inspect, select, text
from sqlalchemy.types import TypeEngine

from idverify.audit.events import Event, EventKind, parse
from idverify.errors import Conflict, InvalidInput
from idverify.storage.database import schema_revision, upgrade
from idverify.storage.tables import metadata
from idverify.storage.tables.audit import audit_leaves

_BATCH = 1000


def dump(connection: Connection) -> Iterator[bytes]:
    """Each table as a line that names its columns and a line for each row; call it inside `Database.read`.

    Raises InvalidInput when SQLite holds a value that is not of its column's type.
    """
    for table in _tables_of(connection).sorted_tables:
        forms = [_form(column.type) for column in table.columns]
        yield _line({"table": table.name, "columns": [column.name for column in table.columns], "forms": forms})
        to_text = [_TO_TEXT[form] for form in forms]
        for row in connection.execute(select(table), execution_options={"yield_per": _BATCH}):
            try:
                values = [None if value is None else write(value) for write, value in zip(to_text, row, strict=True)]
            except (TypeError, AttributeError) as error:
                raise InvalidInput(f"table {table.name} holds a value that is not of its column's type") from error
            yield _line(values)


def count(connection: Connection) -> int:
    """How many rows all tables hold."""
    return sum(connection.scalar(select(func.count()).select_from(table)) or 0 for table in metadata.sorted_tables)


def load(connection: Connection, lines: Iterable[bytes], revision: str) -> int:
    """Build the schema of that revision, fill it with what `dump` wrote, bring it to this version's; how many rows.

    All in the caller's transaction. Raises Conflict when the database holds any table, SchemaOutdated when the revision
    is one of a newer version, InvalidInput for lines of another form.
    """
    if inspect(connection).get_table_names():
        raise Conflict("restoring takes an empty database, and this one has tables: name another one, or drop it first")
    upgrade(connection, revision)
    total = 0
    for table, rows in _tables(lines, _tables_of(connection)):
        connection.execute(delete(table))  # what migrations put in is in the backup, too
        while batch := list(islice(rows, _BATCH)):
            connection.execute(insert(table), batch)
            total += len(batch)
        _follow_counter(connection, table)
    upgrade(connection)
    return total


def revision(connection: Connection) -> str:
    """The schema's revision. Raises Conflict when there is none."""
    found = schema_revision(connection)
    if found is None:
        raise Conflict("the database has no schema; run `idverify database migrate`")
    return found


def last_backup(connection: Connection) -> Event | None:
    """The newest leaf that says that a backup was made."""
    query = select(audit_leaves.c.leaf).where(audit_leaves.c.event == EventKind.BACKUP_MADE)
    leaf = connection.execute(query.order_by(audit_leaves.c.sequence.desc()).limit(1)).scalar_one_or_none()
    return None if leaf is None else parse(leaf)


def _tables_of(connection: Connection) -> MetaData:
    """The tables that are there, at whatever revision, without the one that says which."""
    there = MetaData()
    there.reflect(connection, only=lambda name, _: name != "alembic_version")
    return there


def _tables(lines: Iterable[bytes], stored: MetaData) -> Iterator[tuple[Table, Iterator[dict[str, Any]]]]:
    """Each table with its rows, which must be read before the next table is asked for."""
    remaining = iter(lines)
    heading = next(remaining, None)
    while heading is not None:
        head = _parsed(heading)
        if not isinstance(head, dict) or head.get("table") not in stored.tables:
            raise InvalidInput("backup: expected the heading of a table of its schema")
        rows = _Rows(remaining, head["columns"], head["forms"])
        yield stored.tables[head["table"]], iter(rows)
        heading = rows.next_heading


class _Rows:
    """The rows up to the next heading, which it keeps."""

    def __init__(self, lines: Iterator[bytes], columns: list[str], forms: list[str]) -> None:
        self._lines = lines
        self._columns = columns
        self._from_text = [_FROM_TEXT[form] for form in forms]
        self.next_heading: bytes | None = None

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for line in self._lines:
            if line.startswith(b"{"):
                self.next_heading = line
                return
            values = zip(self._columns, self._from_text, _parsed(line), strict=True)
            yield {column: None if value is None else read(value) for column, read, value in values}


def _follow_counter(connection: Connection, table: Table) -> None:
    """PostgreSQL counts generated numbers apart from the rows: go on behind the highest."""
    if connection.dialect.name != "postgresql":
        return
    for column in table.primary_key:
        counter = connection.scalar(
            text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": table.name, "column": column.name}
        )
        if counter is not None:
            highest = connection.scalar(select(func.max(column))) or 0
            connection.execute(text("SELECT setval(:counter, :next, false)"), {"counter": counter, "next": highest + 1})


def _form(type_: TypeEngine[Any]) -> str:
    if isinstance(type_, LargeBinary):
        return "bytes"
    return "date" if isinstance(type_, Date) else "json"


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _same(value: Any) -> Any:
    return value


_TO_TEXT: dict[str, Callable[[Any], Any]] = {"bytes": _base64, "date": date.isoformat, "json": _same}
_FROM_TEXT: dict[str, Callable[[Any], Any]] = {"bytes": base64.b64decode, "date": date.fromisoformat, "json": _same}


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except ValueError as error:
        raise InvalidInput("backup: expected lines of JSON") from error
