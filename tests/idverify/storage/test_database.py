"""The schema is built by migrations alone, and transactions hold on both databases."""

import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, insert, inspect, text

from idverify.errors import ConfigurationInvalid, Conflict, SchemaOutdated, StorageUnavailable
from idverify.storage import deployment
from idverify.storage.database import Database
from idverify.storage.deployment import DeploymentRow
from idverify.storage.tables import metadata
from idverify.storage.tables.administration import jobs

both = pytest.mark.parametrize("empty_url", ["sqlite", "postgresql"], indirect=True)


@both
def test_migrations_build_exactly_the_declared_tables(empty_url: str) -> None:
    database = Database.open(empty_url)
    with pytest.raises(SchemaOutdated, match="found none; run `idverify database migrate`"):
        database.require_current()
    database.migrate()
    database.require_current()
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert _checks(connection) == {"ck_deployment_single", "ck_audit_head_single"}
    database.migrate()  # once more changes nothing
    database.require_current()
    database.close()


@both
def test_an_unknown_schema_is_refused(empty_url: str) -> None:
    database = Database.open(empty_url)
    database.migrate()
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(SchemaOutdated, match="found 9999"):
        database.require_current()
    database.close()


def test_what_raises_is_rolled_back(database: Database) -> None:
    def write_and_fail() -> None:
        with database.write() as connection:
            deployment.add(connection, DeploymentRow("d", "now"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    with database.read() as connection:
        assert deployment.find(connection) is None


def test_a_second_row_of_the_same_key_is_a_conflict_and_shows_no_values(database: Database) -> None:
    with database.write() as connection:
        deployment.add(connection, DeploymentRow("first-deployment", "now"))
    with pytest.raises(Conflict) as refused, database.write() as connection:
        deployment.add(connection, DeploymentRow("second-deployment", "now"))
    assert "second-deployment" not in str(refused.value)
    with database.read() as connection:
        assert deployment.find(connection) == DeploymentRow("first-deployment", "now")


def test_a_reader_sees_one_state_throughout(database: Database) -> None:
    with database.read() as reader:
        assert deployment.find(reader) is None
        with database.write() as writer:
            deployment.add(writer, DeploymentRow("d", "now"))
        assert deployment.find(reader) is None
    with database.read() as reader:
        assert deployment.find(reader) is not None


def test_threads_write_without_losing_a_row(database: Database) -> None:
    def work(number: int) -> None:
        for step in range(25):
            with database.write() as connection:
                connection.execute(insert(jobs).values(_job(f"{number}-{step}")))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM jobs")).scalar_one() == 100


def test_sqlite_is_set_to_keep_what_is_committed_and_to_forget_what_is_deleted(sqlite_database: Database) -> None:
    expected = {"journal_mode": "wal", "synchronous": 1, "secure_delete": 1, "foreign_keys": 1, "temp_store": 2}
    with sqlite_database.read() as connection:
        for pragma, value in expected.items():
            assert connection.execute(text(f"PRAGMA {pragma}")).scalar_one() == value


def test_the_files_of_sqlite_are_the_owners_alone(sqlite_path: Path, sqlite_database: Database) -> None:
    with sqlite_database.write() as connection:
        deployment.add(connection, DeploymentRow("d", "now"))
    files = list(sqlite_path.parent.glob("idverify.db*"))
    assert {path.suffix for path in files} == {".db", ".db-wal", ".db-shm"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_a_sqlite_file_open_to_others_is_closed_to_them(sqlite_path: Path) -> None:
    sqlite_path.touch(mode=0o644)
    Database.open(f"sqlite:///{sqlite_path}").close()
    assert stat.S_IMODE(sqlite_path.stat().st_mode) == 0o600


@pytest.mark.parametrize("url", ["", "idverify.db", "sqlite://", "sqlite:///:memory:", "mysql://db/idverify"])
def test_another_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationInvalid, match="expected sqlite:///PATH"):
        Database.open(url)


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationInvalid, match="absent"):
        Database.open(f"sqlite:///{tmp_path / 'absent' / 'idverify.db'}")


def test_a_file_that_is_no_database_is_named_as_such(sqlite_path: Path) -> None:
    sqlite_path.write_bytes(b"not a database at all" * 100)
    database = Database.open(f"sqlite:///{sqlite_path}")
    with pytest.raises(StorageUnavailable), database.read():
        pass


def test_a_server_that_is_not_there_is_unavailable_and_its_password_not_shown(tmp_path: Path) -> None:
    database = Database.open(f"postgresql+psycopg://user:sesame@/idverify?host={tmp_path}")
    assert "sesame" not in repr(database)
    with pytest.raises(StorageUnavailable) as unavailable, database.read():
        pass
    assert "sesame" not in str(unavailable.value)
    database.close()


def test_two_processes_append_to_one_sqlite_file(sqlite_path: Path, sqlite_database: Database) -> None:
    script = (
        "import sys\n"
        "from datetime import UTC, datetime\n"
        "from idverify.audit.checkpoint import CheckpointSigner\n"
        "from idverify.audit.events import EventKind, LeafDraft\n"
        "from idverify.storage import audit_log\n"
        "from idverify.storage.database import Database\n"
        "database = Database.open(sys.argv[1])\n"
        "signer = CheckpointSigner('idverify/test', bytes(32), bytes(32))\n"
        "for _ in range(50):\n"
        "    with database.write() as connection:\n"
        "        draft = LeafDraft(event=EventKind.SERVICE_STARTED)\n"
        "        audit_log.append(connection, draft, now=datetime.now(UTC), signer=signer)\n"
    )
    command = [sys.executable, "-c", script, f"sqlite:///{sqlite_path}"]
    processes = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    with sqlite_database.read() as connection:
        sequences = list(connection.execute(text("SELECT sequence FROM audit_leaves ORDER BY 1")).scalars())
    assert sequences == list(range(100))


def _job(name: str) -> dict[str, object]:
    return {"job": name, "kind": "test", "state": "running", "parameters": {}, "created_at": "", "updated_at": ""}


def _checks(connection: Connection) -> set[str | None]:
    """The names of the CHECK constraints, which Alembic does not compare."""
    inspector = inspect(connection)
    return {c["name"] for table in inspector.get_table_names() for c in inspector.get_check_constraints(table)}
