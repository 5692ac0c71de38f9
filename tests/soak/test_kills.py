"""kill -9 of the service under load, again and again, on SQLite and on PostgreSQL (docs/security.md)."""

import os
import random
import signal
import time
from collections import Counter
from contextlib import closing

import psycopg
import pytest

from idverify.administration.deployment import Deployment
from idverify.audit.events import Event, EventKind
from idverify.ids import PersonId
from idverify.settings import Settings
from idverify.storage import audit_log, audit_verification, encounters, persons, record_check
from tests.deployments import REGISTER
from tests.soak.load import Acknowledged, Book, Load, enrolled_at_the_end
from tests.soak.running import Services

KINDS = {
    "enrolled": EventKind.ENCOUNTER_ENROLLED,
    "verified": EventKind.PERSON_VERIFIED,
    "erased": EventKind.PERSON_ERASED,
}
CYCLES = [pytest.param(5, id="some"), pytest.param(200, id="all", marks=pytest.mark.soak)]


@pytest.mark.parametrize("cycles", CYCLES)
def test_what_was_answered_is_there_once_after_a_kill(
    deployment: tuple[dict[str, str | int], str], services: Services, cycles: int
) -> None:
    settings, key = deployment
    book, chance = Book(), random.Random(cycles)
    checked = 0
    for cycle in range(cycles):
        load = Load(services.start(), key, REGISTER, book, cycle)
        try:
            load.wait_for(3)
            time.sleep(chance.uniform(0, 0.2))
        finally:
            services.kill()
            load.end()
        fresh = book.acknowledged[checked:]
        checked = len(book.acknowledged)
        check(settings, book, fresh)
    # The next start verifies log, records and galleries, and everything from the first cycle on is there.
    load = Load(services.start(), key, REGISTER, book, cycles)
    load.wait_for(1)
    load.end()
    services.kill()
    check(settings, book, book.acknowledged, whole=True)
    acts = Counter(one.act for one in book.acknowledged)
    print(f"\n{cycles} kills, {book.requests} answers, acknowledged {dict(acts)}, in doubt {len(book.in_doubt)}")
    assert book.refused == []


@pytest.mark.parametrize("deployment", ["postgresql"], indirect=True)
def test_a_killed_database_backend_loses_nothing_and_the_service_recovers(
    deployment: tuple[dict[str, str | int], str], services: Services
) -> None:
    settings, key = deployment
    book = Book()
    load = Load(services.start(), key, REGISTER, book, 0)
    try:
        load.wait_for(10)
        kill_a_backend(str(settings["database_url"]))
        load.wait_for(10)
    finally:
        load.end()
        services.kill()
    check(settings, book, book.acknowledged, whole=True)
    assert set(book.refused) <= {503}, book.refused


def kill_a_backend(url: str) -> None:
    """kill -9 of a connection's server process: PostgreSQL then ends all others, too, and recovers from its log."""
    with closing(psycopg.connect(url.replace("postgresql+psycopg", "postgresql"), autocommit=True)) as connection:
        (row,) = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() LIMIT 1"
        ).fetchall()
        os.kill(row[0], signal.SIGKILL)


def check(settings: dict[str, str | int], book: Book, acknowledged: list[Acknowledged], *, whole: bool = False) -> None:
    """Each of these answers has its one leaf, and each person who should be there is there with one encounter."""
    with (
        Deployment.open(Settings.read(**settings)) as deployment,
        deployment.database.read() as connection,
    ):
        if whole:
            audit_verification.verify(connection, deployment.keys.checkpoint_signer)
            assert list(record_check.discrepancies(connection)) == []
        first = min((one.position for one in acknowledged), default=0)
        leaves: dict[str, list[Event]] = {}
        for leaf in audit_log.leaves_after(connection, first - 1):
            leaves.setdefault(str(leaf.request), []).append(leaf)
        for one in acknowledged:
            (leaf,) = leaves[one.request]
            assert (leaf.sequence, leaf.event) == (one.position, KINDS[one.act]), one
            if one.act == "enrolled":
                assert f"encounters/{one.encounter}" in leaf.records
        for person, encounter in enrolled_at_the_end(acknowledged).items():
            if person not in book.in_doubt:
                visits = encounters.encounters_of(connection, PersonId(person))
                assert [visit.encounter for visit in visits] == [encounter], person
        for one in acknowledged:
            if one.act == "erased":
                assert persons.find(connection, PersonId(one.person)) is None
