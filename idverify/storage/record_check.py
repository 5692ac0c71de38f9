"""Compares the stored records with the audit log and names those that differ; it changes neither.

A sealed record that was exchanged does not open. One put back *whole* to an older state does, and only the log knows.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from idverify.audit.events import REMOVED, EventKind
from idverify.ids import Pseudonym
from idverify.storage import (
    case_opinions,
    cases,
    clients,
    encounters,
    galleries,
    images,
    persons,
    staff,
    stations,
    templates,
)
from idverify.storage.audit_log import leaves_after
from idverify.storage.persons import person_log_name

RECORD_TABLES = (
    "galleries",
    "clients",
    "client_credentials",
    "staff",
    "staff_credentials",
    "stations",
    "persons",
    "encounters",
    "templates",
    "images",
    "cases",
    "case_members",
    "case_opinions",
    "case_contests",
)


class RecordFault(StrEnum):
    ROLLED_BACK = "rolled_back"
    """The log knows a later state than the stored one."""
    UNLOGGED = "unlogged"
    """The log never heard of it."""
    RESURRECTED = "resurrected"
    """It belongs to somebody who was erased."""
    MISSING = "missing"
    """The log knows it and the database does not have it."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """`log_name` is a name as the log writes it: "templates/<id>", "persons/<pseudonym>"."""

    log_name: str
    fault: RecordFault


@dataclass(frozen=True, slots=True)
class LoggedRecords:
    """What the log says is alive: the last digest (sha256, hex) of each record, and who was erased."""

    digests: dict[str, str]
    erased: frozenset[Pseudonym]

    def fault(self, log_name: str, digest: str, owner: Pseudonym | None) -> RecordFault | None:
        """What is wrong with a stored record of that digest, or None; `owner` is None for what is nobody's."""
        if owner in self.erased:
            return RecordFault.RESURRECTED
        logged = self.digests.get(log_name)
        if logged is None:
            return RecordFault.UNLOGGED
        return None if logged == digest else RecordFault.ROLLED_BACK


def latest_record_digests(connection: Connection, tables: Collection[str] = RECORD_TABLES) -> LoggedRecords:
    """Read the log for the last digest of every living record of `tables`. Verify the log first: this trusts it.

    Takes about 200 bytes of memory a record; ask only for the tables that you check. Raises AuditBroken.
    """
    # Two passes, because pseudonyms are never used again: whoever was erased at any time has no living record.
    erasures = leaves_after(connection, -1, [EventKind.PERSON_ERASED])
    erased = frozenset(event.person for event in erasures if event.person is not None)
    gone = {person_log_name(pseudonym) for pseudonym in erased}
    digests: dict[str, str] = {}
    for event in leaves_after(connection, -1):
        if event.person in erased:
            continue
        digests.update(
            (log_name, digest)
            for log_name, digest in event.records.items()
            if log_name.partition("/")[0] in tables and log_name not in gone
        )
    living = {log_name: digest for log_name, digest in digests.items() if digest != REMOVED}
    return LoggedRecords(living, erased)


def discrepancies(connection: Connection, *, batch: int = 1000) -> Iterator[Discrepancy]:
    """Compare every stored record with the log, table by table; empty when all is well. Raises AuditBroken."""
    logged = latest_record_digests(connection)
    unseen = set(logged.digests)
    for log_name, digest, owner in stored_records(connection, batch=batch):
        unseen.discard(log_name)
        fault = logged.fault(log_name, digest, owner)
        if fault is not None:
            yield Discrepancy(log_name, fault)
    for log_name in sorted(unseen):
        yield Discrepancy(log_name, RecordFault.MISSING)


def stored_records(
    connection: Connection, *, batch: int = 1000, but: Collection[str] = ()
) -> Iterator[tuple[str, str, Pseudonym | None]]:
    """(name, digest, owner's pseudonym) of every record of RECORD_TABLES in the database, `but` those of some tables of
    persons, encounters and templates."""
    for record, digest in _nobodys_records(connection):
        yield record, digest, None
    if "persons" not in but:
        for person in persons.all_persons(connection, batch=batch):
            yield person.log_name, person.digest, person.pseudonym
    if "encounters" not in but:
        for pseudonym, encounter in encounters.all_encounters(connection, batch=batch):
            yield encounter.log_name, encounter.digest, pseudonym
    if "templates" not in but:
        for person, template in templates.all_templates(connection, batch=batch):
            yield template.log_name, template.digest, person.pseudonym
    for pseudonym, image in images.all_images(connection, batch=batch):
        yield image.log_name, image.digest, pseudonym
    yield from _case_records(connection, batch)


def _case_records(connection: Connection, batch: int) -> Iterator[tuple[str, str, Pseudonym | None]]:
    for case in cases.all_cases(connection, batch=batch):
        yield case.log_name, case.digest, None
    for pseudonym, member in cases.all_members(connection, batch=batch):
        yield member.log_name, member.digest, pseudonym
    for opinion in case_opinions.all_opinions(connection):
        yield opinion.log_name, opinion.digest, None
    for contest in case_opinions.all_contests(connection):
        yield contest.log_name, contest.digest, None


def _nobodys_records(connection: Connection) -> Iterator[tuple[str, str]]:
    """What belongs to no person: galleries, clients, staff and stations, which are few."""
    yield from ((row.log_name, row.digest) for row in galleries.all_galleries(connection))
    yield from ((row.log_name, row.digest) for row in clients.all_clients(connection))
    yield from ((row.log_name, row.digest) for row in clients.all_credentials(connection))
    yield from ((row.log_name, row.digest) for row in staff.all_staff(connection))
    yield from ((row.log_name, row.digest) for row in staff.all_credentials(connection))
    yield from ((row.log_name, row.digest) for row in stations.all_stations(connection))
