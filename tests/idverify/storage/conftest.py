"""Real databases for the storage tests: a SQLite file, and a PostgreSQL server of our own, and a deployment in each."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import psycopg
import pytest
from sqlalchemy import insert, text

from idverify.audit.checkpoint import CheckpointSigner
from idverify.audit.events import EventKind, LeafDraft, utc_text
from idverify.audit.log import Frontier
from idverify.embedding import Embedding, unit
from idverify.ids import EncounterId, GalleryId, ModelDigest, PersonId, Pseudonym, TemplateId
from idverify.protection.envelope import Envelope, PersonKey, SealContext
from idverify.protection.keyring import Keyring, RootKeyFile, ServiceKeyKind, first_service_keys
from idverify.protection.template import ProtectedTemplate, protect
from idverify.storage import audit_log, deployment, encounters, galleries, persons, service_keys, templates
from idverify.storage.database import Database
from idverify.storage.encounters import EncounterRow
from idverify.storage.persons import PersonRow
from idverify.storage.tables import metadata
from idverify.storage.tables.audit import audit_head

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
MODEL = ModelDigest("ab" * 32)
DEPLOYMENT = "5f3b9a52-6f0e-4a4e-9d4b-0c9f3d1a7e11"


@dataclass(frozen=True)
class Enrolled:
    """Somebody who was enrolled, with what the database must never show of them."""

    row: PersonRow
    encounter: EncounterRow
    template: ProtectedTemplate
    key: PersonKey
    embedding: Embedding


@dataclass(frozen=True)
class StoredDeployment:
    """A deployment in `database`: keys, two galleries, and a way to enrol people as the service does."""

    database: Database
    root: RootKeyFile
    keyring: Keyring
    envelope: Envelope
    signer: CheckpointSigner

    def log_galleries(self) -> None:
        """The leaf about the galleries, for tests that hold every record against the log."""
        with self.database.write() as connection:
            records = {row.log_name: row.digest for row in galleries.all_galleries(connection)}
            draft = LeafDraft(event=EventKind.GALLERY_CREATED, records=records)
            audit_log.append(connection, draft, now=NOW, signer=self.signer)

    def enrol(self, person: str, *, visit: int = 1, in_galleries: Sequence[str] = ("civil-register",)) -> Enrolled:
        """A new person with one encounter and one template, and the leaf about it, in one transaction."""
        key, wrapped = self.envelope.new_person_key(PersonId(person), Pseudonym(f"p-{person}"))
        row = PersonRow(PersonId(person), Pseudonym(f"p-{person}"), wrapped, utc_text(NOW))
        context = SealContext.of_encounter_detail(row.person, EncounterId(f"e-{person}-{visit}"))
        encounter = EncounterRow(
            encounter=EncounterId(f"e-{person}-{visit}"),
            person=row.person,
            created_at=utc_text(NOW),
            source="station",
            galleries=tuple(map(GalleryId, sorted(in_galleries))),
            clerk="clerk-1",
            detail=self.envelope.seal(key, b'{"quality": 87}', context),
        )
        embedding = unit(np.random.default_rng(len(person) + visit).standard_normal(128), MODEL)
        template = protect(
            embedding,
            template=TemplateId(f"t-{person}-{visit}"),
            encounter=encounter.encounter,
            key=key,
            envelope=self.envelope,
        )
        with self.database.write() as connection:
            persons.add(connection, row)
            encounters.add(connection, encounter)
            templates.add(connection, template)
            records = {item.log_name: item.digest for item in (row, encounter, template)}
            draft = LeafDraft(event=EventKind.PERSON_ENROLLED, person=row.pseudonym, records=records)
            audit_log.append(connection, draft, now=NOW, signer=self.signer)
        return Enrolled(row, encounter, template, key, embedding)

    def append(self, kind: EventKind = EventKind.SERVICE_STARTED, *, person: str | None = None, times: int = 1) -> None:
        """Append that many events about that person (or nobody), in one transaction."""
        draft = LeafDraft(event=kind, person=None if person is None else Pseudonym(f"p-{person}"))
        with self.database.write() as connection:
            for _ in range(times):
                audit_log.append(connection, draft, now=NOW, signer=self.signer)


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def model() -> ModelDigest:
    return MODEL


@pytest.fixture
def sqlite_path(tmp_path: Path) -> Path:
    return tmp_path / "idverify.db"


@pytest.fixture
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database; parametrise it indirectly with "sqlite" and "postgresql"."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'idverify.db'}"
    server: Server = request.getfixturevalue("postgresql")
    return server.new_database("empty")


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A migrated database, once on SQLite and once on PostgreSQL."""
    on_sqlite = request.param == "sqlite"
    url: str = request.getfixturevalue("sqlite_url" if on_sqlite else "postgresql_url")
    database = Database.open(url)
    yield database
    database.close()


@pytest.fixture
def sqlite_url(sqlite_path: Path, migrated_sqlite: bytes) -> str:
    sqlite_path.write_bytes(migrated_sqlite)
    return f"sqlite:///{sqlite_path}"


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A migrated database file, made once: migrating for each test would cost more than the test."""
    path = tmp_path_factory.mktemp("migrated") / "idverify.db"
    _migrate(f"sqlite:///{path}")
    return path.read_bytes()


@pytest.fixture
def postgresql_url(migrated_postgresql: str) -> str:
    """The one migrated database of the server, emptied to what the migrations leave."""
    database = Database.open(migrated_postgresql)
    with database.write() as connection:
        tables = ", ".join(table.name for table in metadata.sorted_tables)
        connection.execute(text(f"TRUNCATE {tables}"))
        head = {"id": 1, "size": 0, "frontier": Frontier().to_bytes(), "root": Frontier().root}
        connection.execute(insert(audit_head).values(head))
    database.close()
    return migrated_postgresql


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: "Server") -> str:
    url = postgresql.new_database("migrated")
    _migrate(url)
    return url


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """A migrated database on SQLite, for what only a file can show."""
    database = Database.open(sqlite_url)
    yield database
    database.close()


@pytest.fixture
def deployed(database: Database, tmp_path: Path) -> StoredDeployment:
    return _deployed(database, tmp_path)


@pytest.fixture
def sqlite_deployed(sqlite_database: Database, tmp_path: Path) -> StoredDeployment:
    return _deployed(sqlite_database, tmp_path)


def _migrate(url: str) -> None:
    database = Database.open(url)
    database.migrate()
    assert database.scrub()
    database.close()


def _deployed(database: Database, tmp_path: Path) -> StoredDeployment:
    root = RootKeyFile.create(tmp_path / "root-keys.json")
    stored = first_service_keys(root, DEPLOYMENT)
    keyring = Keyring.open(stored, root, DEPLOYMENT)
    with database.write() as connection:
        deployment.add(connection, deployment.DeploymentRow(DEPLOYMENT, utc_text(NOW)))
        service_keys.put(connection, stored, utc_text(NOW))
        for name in ("civil-register", "payroll"):
            galleries.add(connection, galleries.GalleryRow(GalleryId(name), False, MODEL, utc_text(NOW)))
    signer = CheckpointSigner("idverify/test", keyring.service_key(ServiceKeyKind.AUDIT_SIGNING), bytes(32))
    return StoredDeployment(database, root, keyring, Envelope(DEPLOYMENT, keyring), signer)


@dataclass(frozen=True)
class Server:
    """A PostgreSQL server on a socket in a folder of its own."""

    socket_dir: Path

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://tester@/{name}?host={self.socket_dir}"

    def new_database(self, name: str) -> str:
        """The address of a new, empty database."""
        server = psycopg.connect(host=str(self.socket_dir), user="tester", dbname="postgres", autocommit=True)
        with closing(server):
            server.execute(f"DROP DATABASE IF EXISTS {name}".encode())
            server.execute(f"CREATE DATABASE {name}".encode())
        return self.url(name)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """The server, started once; skipped without its programs, unless IDVERIFY_REQUIRE_ALL=1 forbids skipping."""
    programs = _postgresql_programs()
    if programs is None:
        reason = "PostgreSQL's initdb and pg_ctl are not installed"
        if os.environ.get("IDVERIFY_REQUIRE_ALL") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    account = _account()
    folder = Path(tempfile.mkdtemp(prefix="idv-pg-"))  # short: a socket's path has at most 107 bytes
    if account is not None:
        shutil.chown(folder, account)

    def run(program: str, *arguments: str) -> None:
        command: list[str | Path] = [programs / program, "-D", folder / "data", *arguments]
        subprocess.run(command, user=account, cwd=folder, check=True, stdout=subprocess.DEVNULL, timeout=60)

    try:
        run("initdb", "--username=tester", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        settings = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c max_connections=40"
        run("pg_ctl", "start", "-w", "-l", str(folder / "log"), "-o", settings)
        try:
            yield Server(folder)
        finally:
            run("pg_ctl", "stop", "-w", "-m", "immediate")
    finally:
        shutil.rmtree(folder)


def _postgresql_programs() -> Path | None:
    places = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    if config := shutil.which("pg_config"):
        answer = subprocess.run([config, "--bindir"], check=True, capture_output=True, text=True).stdout
        places.insert(0, Path(answer.strip()))
    if found := shutil.which("initdb"):
        places.append(Path(found).resolve().parent)
    return next((place for place in places if (place / "initdb").exists() and (place / "pg_ctl").exists()), None)


def _account() -> str | None:
    """PostgreSQL refuses to run as root: the account to run it as then."""
    if os.geteuid() != 0:
        return None
    known = {line.split(":")[0] for line in Path("/etc/passwd").read_text().splitlines()}
    return "postgres" if "postgres" in known else "nobody"
