"""A record put back to an older state, an unlogged, a resurrected and a missing one are each named."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, update

from idverify.audit.events import EventKind, LeafDraft, utc_text
from idverify.ids import ClientId, EncounterId, GalleryId, PersonId
from idverify.protection.envelope import WrappedKey
from idverify.storage import audit_log, clients, encounters, galleries, images, persons, templates
from idverify.storage.encounters import Review
from idverify.storage.images import ImageRow
from idverify.storage.record_check import Discrepancy, RecordFault, discrepancies, latest_record_digests
from idverify.storage.tables.callers import clients as client_table
from idverify.storage.tables.register import encounter_galleries, person_keys
from idverify.storage.tables.register import encounters as encounter_table
from idverify.storage.tables.register import templates as template_table
from tests.quick_check import looks_sound


@pytest.fixture(autouse=True)
def _galleries_are_logged(deployed: Any) -> None:
    deployed.log_galleries()


def test_a_threshold_loosened_behind_our_back_is_named(deployed: Any) -> None:
    with deployed.database.write() as connection:
        galleries.set_policy(connection, GalleryId("payroll"), {"verification_fmr": 0.5})
    assert _found(deployed) == [Discrepancy("galleries/payroll", RecordFault.ROLLED_BACK)]


def test_a_client_that_nobody_added_and_rights_that_nobody_gave_are_named(deployed: Any, now: datetime) -> None:
    row = clients.ClientRow(ClientId("revenue"), ("verify",), (GalleryId("payroll"),), ("tax",), False, utc_text(now))
    key = clients.CredentialRow(row.client, "secret-1", "secret", b"hmac", utc_text(now))
    with deployed.database.write() as connection:
        clients.add(connection, row)
        clients.add_credential(connection, key)
    assert _found(deployed) == [Discrepancy(each.log_name, RecordFault.UNLOGGED) for each in (row, key)]
    with deployed.database.write() as connection:
        draft = LeafDraft(event=EventKind.CLIENT_ADDED, records={row.log_name: row.digest, key.log_name: key.digest})
        audit_log.append(connection, draft, now=now, signer=deployed.signer)
    assert _found(deployed) == []
    with deployed.database.write() as connection:
        connection.execute(update(client_table).values(scopes=["verify", "admin"]))
    assert _found(deployed) == [Discrepancy(row.log_name, RecordFault.ROLLED_BACK)]


def test_records_as_they_were_logged_are_in_order(deployed: Any) -> None:
    for name in ("anna", "ben", "chloe"):
        deployed.enrol(name, in_galleries=("civil-register", "payroll"))
    with deployed.database.read() as connection:
        assert list(discrepancies(connection, batch=2)) == []
        logged = latest_record_digests(connection, ["templates"])
    assert set(logged.digests) == {"templates/t-anna-1", "templates/t-ben-1", "templates/t-chloe-1"}


def test_a_rewrapped_key_put_back_is_named(deployed: Any, now: datetime) -> None:
    row = deployed.enrol("anna").row
    with deployed.database.write() as connection:
        rewrapped = persons.set_wrapped(
            connection, row, deployed.envelope.rewrap(row.person, row.pseudonym, row.wrapped)
        )
        draft = LeafDraft(event=EventKind.KEYS_REWRAPPED, records={rewrapped.log_name: rewrapped.digest})
        audit_log.append(connection, draft, now=now, signer=deployed.signer)
    assert _found(deployed) == []
    with deployed.database.write() as connection:
        persons.set_wrapped(connection, rewrapped, row.wrapped)
    assert _found(deployed) == [Discrepancy("persons/p-anna", RecordFault.ROLLED_BACK)]


def test_an_older_template_put_back_is_named(deployed: Any) -> None:
    template = deployed.enrol("anna").template
    with deployed.database.write() as connection:
        connection.execute(update(template_table).values(generation=template.generation + 1))
    assert _found(deployed) == [Discrepancy("templates/t-anna-1", RecordFault.ROLLED_BACK)]


@pytest.mark.parametrize("column", ["review", "created_at", "source", "clerk"])
def test_any_altered_column_of_an_encounter_is_named(deployed: Any, column: str) -> None:
    deployed.enrol("anna")
    with deployed.database.write() as connection:
        connection.execute(update(encounter_table).values({column: "cleared"}))
    assert _found(deployed) == [Discrepancy("encounters/e-anna-1", RecordFault.ROLLED_BACK)]


def test_an_encounter_slipped_into_another_gallery_is_named(deployed: Any) -> None:
    deployed.enrol("anna")
    with deployed.database.write() as connection:
        connection.execute(encounter_galleries.insert().values(encounter="e-anna-1", gallery="payroll"))
    assert _found(deployed) == [Discrepancy("encounters/e-anna-1", RecordFault.ROLLED_BACK)]


def test_a_review_that_was_logged_is_in_order(deployed: Any, now: datetime) -> None:
    anna = deployed.enrol("anna")
    with deployed.database.write() as connection:
        reviewed = encounters.set_review(connection, anna.encounter, Review.PENDING)
        draft = LeafDraft(
            event=EventKind.ENCOUNTER_REVIEWED,
            person=anna.row.pseudonym,
            records={reviewed.log_name: reviewed.digest},
        )
        audit_log.append(connection, draft, now=now, signer=deployed.signer)
    assert _found(deployed) == []


def test_what_was_never_logged_is_named(deployed: Any) -> None:
    anna = deployed.enrol("anna")
    image = ImageRow("i-1", EncounterId("e-anna-1"), anna.row.person, 1, "image/jpeg", b"sealed")
    with deployed.database.write() as connection:
        images.add(connection, image)
    assert _found(deployed) == [Discrepancy("images/i-1", RecordFault.UNLOGGED)]


def test_a_record_that_is_gone_is_named(deployed: Any) -> None:
    deployed.enrol("anna")
    with deployed.database.write() as connection:
        connection.execute(delete(template_table))
    assert _found(deployed) == [Discrepancy("templates/t-anna-1", RecordFault.MISSING)]


def test_an_erased_person_is_not_missing_and_is_named_when_put_back(deployed: Any, now: datetime) -> None:
    anna = deployed.enrol("anna")
    with deployed.database.write() as connection:
        persons.erase_person(connection, anna.row.person)
        draft = LeafDraft(event=EventKind.PERSON_ERASED, person=anna.row.pseudonym)
        audit_log.append(connection, draft, now=now, signer=deployed.signer)
    assert _found(deployed) == []
    with deployed.database.write() as connection:
        persons.add(connection, anna.row)
        encounters.add(connection, anna.encounter)
        templates.add(connection, anna.template)
    assert set(_found(deployed)) == {
        Discrepancy(record, RecordFault.RESURRECTED)
        for record in ("persons/p-anna", "encounters/e-anna-1", "templates/t-anna-1")
    }


def test_a_key_blanked_behind_our_back_is_named(deployed: Any) -> None:
    deployed.enrol("anna")
    with deployed.database.write() as connection:
        connection.execute(update(person_keys).values(wrapped_key=b"nothing"))
        row = persons.get(connection, PersonId("anna"))
        assert row.wrapped == WrappedKey(1, b"nothing")
        assert connection.execute(select(person_keys.c.wrapped_key)).scalar_one() == b"nothing"
    assert _found(deployed) == [Discrepancy("persons/p-anna", RecordFault.ROLLED_BACK)]


def _found(deployed: Any) -> list[Discrepancy]:
    connection: Connection
    with deployed.database.read() as connection:
        found = list(discrepancies(connection))
    assert looks_sound(deployed.database, deployed.envelope, deployed.signer) == (not found)
    return found
