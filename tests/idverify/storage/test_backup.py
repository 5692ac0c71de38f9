"""Rows out of one database and into another, of either kind."""

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select

from idverify.audit.events import EventKind
from idverify.errors import Conflict, InvalidInput, SchemaOutdated
from idverify.storage import audit_verification, backup, record_check, verification_counts
from idverify.storage.database import Database, upgrade
from idverify.storage.tables import metadata
from idverify.storage.tables.administration import jobs
from idverify.storage.tables.register import galleries, person_keys
from tests.idverify.storage.conftest import Server, StoredDeployment


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database without any table."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'restored.db'}"
    else:
        server: Server = request.getfixturevalue("postgresql")
        url = server.new_database("restored")
    database = Database.open(url)
    yield database
    database.close()


def dumped(database: Database) -> list[bytes]:
    with database.read() as connection:
        return list(backup.dump(connection))


def load(database: Database, lines: list[bytes], revision: str = "0001") -> int:
    with database.write() as connection:
        return backup.load(connection, lines, revision)


def revision(database: Database) -> str:
    with database.read() as connection:
        return backup.revision(connection)


def test_every_row_of_one_kind_of_database_comes_back_in_any_other(deployed: StoredDeployment, empty: Database) -> None:
    deployed.log_galleries()
    for number in range(3):
        deployed.enrol(f"C-{number}")
    with deployed.database.write() as connection:
        verification_counts.count_attempt(connection, b"\x00\xff subject", date(2026, 11, 21))
    with deployed.database.read() as connection:
        expected = backup.count(connection)
    assert load(empty, dumped(deployed.database), revision(deployed.database)) == expected
    assert sorted(dumped(empty)) == sorted(dumped(deployed.database))
    with empty.read() as connection:
        assert audit_verification.verify(connection, deployed.signer).size == 4
        assert list(record_check.discrepancies(connection)) == []
    empty.require_current()


def test_a_restored_database_goes_on_counting_behind_its_rows(deployed: StoredDeployment, empty: Database) -> None:
    for number in range(3):
        deployed.enrol(f"C-{number}")
    load(empty, dumped(deployed.database), revision(deployed.database))
    with empty.write() as connection:
        highest = connection.execute(select(func.max(person_keys.c.slot))).scalar_one()
        added = insert(person_keys).values(wrapped_key=b"x").returning(person_keys.c.slot)
        assert connection.execute(added).scalar_one() == highest + 1


def test_a_database_with_tables_is_not_filled(deployed: StoredDeployment) -> None:
    with pytest.raises(Conflict, match="empty"):
        load(deployed.database, dumped(deployed.database), revision(deployed.database))


def test_what_an_older_version_backed_up_is_brought_to_this_schema(tmp_path: Path, empty: Database) -> None:
    old = Database.open(f"sqlite:///{tmp_path / 'old.db'}")
    with old.write() as connection:
        upgrade(connection, "0001")
        connection.exec_driver_sql("INSERT INTO galleries VALUES ('g', 1, 'm', '{}', 'then')")
        connection.exec_driver_sql("INSERT INTO jobs VALUES ('j', 'k', 's', '{\"a\": [1, null]}', 'then', 'now')")
    load(empty, dumped(old), revision(old))
    old.close()
    empty.require_current()
    with empty.read() as connection:
        rows = connection.execute(select(galleries.c.gallery, galleries.c.demonstration, galleries.c.policy)).all()
        assert [tuple(row) for row in rows] == [("g", True, {})]
        assert connection.execute(select(jobs.c.parameters)).scalar_one() == {"a": [1, None]}


def test_a_schema_of_a_newer_version_is_refused(empty: Database) -> None:
    with pytest.raises(SchemaOutdated, match="9999"):
        load(empty, [], "9999")
    load(empty, [])  # and left nothing behind


@pytest.mark.parametrize("line", [b"no json", b"[1]", b'{"table":"alembic_version2","columns":[],"forms":[]}'])
def test_lines_of_another_form_leave_an_empty_database(empty: Database, line: bytes) -> None:
    with pytest.raises(InvalidInput):
        load(empty, [line])
    load(empty, [])


def test_a_value_of_another_type_than_its_column_is_not_backed_up(sqlite_deployed: StoredDeployment) -> None:
    sqlite_deployed.enrol("C-1")
    with sqlite_deployed.database.write() as connection:
        connection.exec_driver_sql("UPDATE templates SET sealed = 'text'")
    with pytest.raises(InvalidInput, match="templates"):
        dumped(sqlite_deployed.database)


def test_every_table_is_in_it(sqlite_deployed: StoredDeployment) -> None:
    headings = [json.loads(line)["table"] for line in dumped(sqlite_deployed.database) if line.startswith(b"{")]
    assert sorted(headings) == sorted(metadata.tables)


def test_the_newest_backup_is_found_in_the_log(sqlite_deployed: StoredDeployment) -> None:
    with sqlite_deployed.database.read() as connection:
        assert backup.last_backup(connection) is None
    sqlite_deployed.append(EventKind.BACKUP_MADE, times=2)
    sqlite_deployed.append()
    with sqlite_deployed.database.read() as connection:
        found = backup.last_backup(connection)
    assert found is not None
    assert found.sequence == 1
