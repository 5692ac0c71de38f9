"""A trigger in the database fails one row change of a flow, whichever it is, and the flow is tried again."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, select, text

from enrolment import composition
from idverify import keys
from idverify.access import no_progress
from idverify.administration.deployment import Deployment
from idverify.errors import StorageUnavailable
from idverify.ids import GalleryId, PersonId
from idverify.storage.database import Database
from idverify.storage.tables import metadata
from idverify.vision.reader import Reader
from tests.deployments import PAYROLL, POLICY, REGISTER, Register, access, create_register, photograph, wall
from tests.idverify.storage.conftest import Server

Flow = Callable[[Register], object]
State = dict[str, list[Any]]

PERSON = {"persons": 1, "person_keys": 1}
LEAVES = {"identification": 2}
"""How many it leaves, where it is not one: a search has one more for each person that it names."""
UNCOUNTED = {"audit_leaves", "audit_checkpoints", "service_keys"}
VISIT = {"encounters": 1, "encounter_galleries": 1, "templates": 1}


def _import(register: Register) -> object:
    folder = register.settings.data_dir / "photographs"
    folder.mkdir(exist_ok=True)
    for seed in (21, 22):
        (folder / f"I-{seed}.jpg").write_bytes(photograph(seed, 1))
    return composition.bulk_import(register.engine, REGISTER, folder, access()).run(no_progress)


def _rotate(register: Register) -> object:
    return keys.rotate(
        register.engine.database,
        register.settings.root_keys,
        register.engine.deployment.keys,
        register.engine.journal,
        access(),
    )


def _rewrap(register: Register) -> object:
    # As the next command line would: it opens the deployment anew.
    with Deployment.open(register.settings, clock=register.clock) as opened:
        return keys.rewrap(opened.database, opened.keys, opened.journal, access(), no_progress)


def _add_client(register: Register) -> object:
    return register.engine.clients.add(
        "agency", scopes=[], galleries=[], purposes=[], sees_scores=False, access=access()
    )


ONE_TRANSACTION: dict[str, tuple[Flow, dict[str, int]]] = {
    "enrolment": (lambda register: register.enrol("N-1", photograph(11, 1)), VISIT | PERSON),
    "enrolment with the image kept": (
        lambda register: register.enrol("N-2", photograph(12, 1), gallery=PAYROLL),
        VISIT | PERSON | {"images": 1},
    ),
    "second visit": (lambda register: register.enrol("C-1", photograph(1, 2)), VISIT),
    "refused enrolment": (lambda register: register.enrol("N-3", wall()), {}),
    "verification": (lambda register: register.verify("C-1", photograph(1, 2)), {"verification_counts": 1}),
    "identification": (lambda register: register.identify(photograph(1, 2)), {"verification_counts": 1}),
    "look at a person": (lambda register: register.engine.persons.show(PersonId("C-1"), access()), {}),
    "access log": (lambda register: register.engine.persons.accesses(PersonId("C-1"), access()), {}),
    "erasure": (
        lambda register: register.engine.persons.erase(PersonId("C-2"), access()),
        dict.fromkeys(VISIT | {"persons": 1}, -1),
    ),
    "rotation": (_rotate, {}),
    "new gallery": (
        lambda register: register.engine.galleries.add(
            GalleryId("licences"), demonstration=True, policy=POLICY, access=access()
        ),
        {"galleries": 1},
    ),
    "new client": (_add_client, {"clients": 1, "client_credentials": 1}),
}
SEVERAL: dict[str, tuple[Flow, dict[str, int]]] = {
    "import": (
        _import,
        {table: 2 * number for table, number in (VISIT | PERSON | {"job_items": 1}).items()} | {"jobs": 1},
    ),
    "rewrap": (_rewrap, {}),
}
"""Flows of several transactions: cut off between two of them they stand half done, and go on from there."""


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def place(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, reader: Reader
) -> Iterator[Register]:
    """A register of two people whose database fails on demand (`failing`)."""
    database = {}
    if request.param == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        database["database_url"] = server.new_database("statements")
    founded = create_register(tmp_path_factory.mktemp("statements"), reader, **database)
    for seed in (1, 2):
        founded.enrol(f"C-{seed}", photograph(seed, 1))
    with founded.engine.database.write() as connection:
        _install(connection)
    yield founded
    founded.close()


@pytest.mark.parametrize("name", [*ONE_TRANSACTION, *SEVERAL])
def test_a_failed_row_change_undoes_the_flow_and_trying_again_does_it_once(place: Register, name: str) -> None:
    flow, grows = (ONE_TRANSACTION | SEVERAL)[name]
    if name == "rewrap":
        _rotate(place)
    database = place.engine.database
    before = state(database)
    at = 0
    while True:
        at += 1
        failing(database, at)
        try:
            flow(place)
        except StorageUnavailable:
            if name in ONE_TRANSACTION:
                assert state(database) == before, f"change {at} failed and left something"
            continue
        break
    failing(database, 0)
    assert at > 2, "a flow changes at least the leaves and the head of the log"
    after = state(database)
    grown = {table: len(after[table]) - len(rows) for table, rows in before.items() if table not in UNCOUNTED}
    assert {table: number for table, number in grown.items() if number} == grows
    if name in ONE_TRANSACTION:
        assert len(after["audit_leaves"]) - len(before["audit_leaves"]) == LEAVES.get(name, 1)
    # A start verifies the log, holds every record against it and opens every template.
    place.another().close()
    place.engines.pop()


def state(database: Database) -> State:
    """Every row of every table."""
    with database.read() as connection:
        return {
            table.name: sorted(tuple(row) for row in connection.execute(select(table)))
            for table in metadata.sorted_tables
        }


def failing(database: Database, at: int) -> None:
    """Have the `at`-th row change from now on fail; 0: none."""
    with database.write() as connection:
        connection.execute(text("UPDATE soak_fault SET remaining = :at"), {"at": at})


def _install(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE soak_fault (remaining INTEGER)"))
    connection.execute(text("INSERT INTO soak_fault VALUES (0)"))
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("""
            CREATE FUNCTION soak_fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                UPDATE soak_fault SET remaining = remaining - 1;
                IF (SELECT remaining FROM soak_fault) = 0 THEN
                    RAISE EXCEPTION 'told to fail' USING ERRCODE = 'disk_full';
                END IF;
                IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                RETURN NEW;
            END $$""")
        )
    for table in metadata.sorted_tables:
        if connection.dialect.name == "postgresql":
            connection.execute(
                text(
                    f"CREATE TRIGGER soak_{table.name} BEFORE INSERT OR UPDATE OR DELETE ON {table.name} "
                    "FOR EACH ROW EXECUTE FUNCTION soak_fail()"
                )
            )
            continue
        for change in ("INSERT", "UPDATE", "DELETE"):
            connection.execute(
                text(
                    f"CREATE TRIGGER soak_{table.name}_{change} BEFORE {change} ON {table.name} BEGIN "
                    "UPDATE soak_fault SET remaining = remaining - 1; "
                    "SELECT RAISE(ABORT, 'told to fail') WHERE (SELECT remaining FROM soak_fault) = 0; END"
                )
            )
