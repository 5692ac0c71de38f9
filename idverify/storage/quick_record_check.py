"""Holds all stored records against the audit log at full speed: do they agree, or not? It names no record that differs.

`record_check.discrepancies` names them. Here a record is 48 bytes (`log_sweep.entry`), on both sides, so that millions
fit in memory and are compared as arrays; people are swept in ranges of their key slots, by as many processes as wanted.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Select, func, select

from idverify.ids import EncounterId, GalleryId, PersonId, Pseudonym
from idverify.protection.canonical import record_digest
from idverify.storage import persons
from idverify.storage.encounters import EncounterRow, Review
from idverify.storage.paging import parts
from idverify.storage.persons import person_log_name
from idverify.storage.quick_log_check import ENTRY_BYTES, entry
from idverify.storage.record_check import stored_records
from idverify.storage.tables.register import encounter_galleries, encounters, person_keys, templates
from idverify.storage.tables.register import persons as table

SWEPT = ("persons", "encounters", "templates")
"""The tables of which each person has rows; the others are small, or (images) rare."""
_FETCHED = 2_000
_REVIEWS = {str(review): review for review in Review}

Words = npt.NDArray[np.uint64]


def ranges(connection: Connection, people: int) -> list[tuple[int, int]]:
    """(first, last) key slots that cover everybody, about `people` in each."""
    last = connection.execute(select(func.max(person_keys.c.slot))).scalar_one() or 0
    return [(first, min(first + people, last + 1) - 1) for first in range(1, last + 1, people)]


def entries_of_people(connection: Connection, first: int, last: int, secret: bytes) -> bytes | None:
    """The entries of persons, encounters and templates whose person has a key slot of this range; None when a row
    holds what the service never writes.
    """
    digests = (
        *_persons(connection, first, last),
        *_encounters(connection, first, last),
        *_templates(connection, first, last),
    )
    return None if None in digests else b"".join(entry(*record, secret) for record in digests if record is not None)


def entries_of_the_rest(connection: Connection, secret: bytes) -> bytes:
    """The entries of every other record."""
    rest = stored_records(connection, but=SWEPT)
    return b"".join(entry(record, digest, secret) for record, digest, _ in rest)


def agree(logged: Iterable[bytes], stored: Iterable[bytes]) -> bool:
    """Whether each record that the log speaks of last as alive is stored as it says, and no other is stored.

    `logged` in the order of the log. Of somebody who was erased, the log's side has no record; one of theirs that is
    stored again has nothing that it agrees with.
    """
    alive, kept = _sorted(logged), _sorted(stored)
    is_last = np.ones(len(alive), bool)
    is_last[:-1] = (alive[:-1, :2] != alive[1:, :2]).any(axis=1)
    is_last &= alive[:, 2:].any(axis=1)  # a digest of zeros (`events.REMOVED`): the record was deleted
    return np.array_equal(alive[is_last], kept)


def _sorted(entries: Iterable[bytes]) -> Words:
    """Six words a record, by the first word of its name's digest; entries of one name stay in their order.

    Two names with one first word, a chance of one in a million for six million records, would look like a difference,
    for which `record_check.discrepancies` then looks in vain.
    """
    words = np.frombuffer(b"".join(entries), np.uint64).reshape(-1, ENTRY_BYTES // 8)
    return words[np.argsort(words[:, 0], kind="stable")]


def _persons(connection: Connection, first: int, last: int) -> Iterator[tuple[str, str]]:
    query = select(*persons.COLUMNS).select_from(persons.STORED)
    for person, pseudonym, version, wrapped, created_at, status in _rows(connection, query, first, last):
        digest = record_digest("persons", person, pseudonym, version, wrapped, status, created_at)
        yield person_log_name(Pseudonym(pseudonym)), digest


def _encounters(connection: Connection, first: int, last: int) -> Iterator[tuple[str, str] | None]:
    of = encounters.c
    columns = (of.encounter, of.person, of.created_at, of.source, of.client, of.clerk, of.station, of.review, of.detail)
    joined = persons.STORED.join(encounters, of.person == table.c.person)
    joined = joined.outerjoin(encounter_galleries, encounter_galleries.c.encounter == of.encounter)
    query = select(*columns, encounter_galleries.c.gallery).select_from(joined)
    encounter_row: tuple[Any, ...] | None = None
    its_galleries: list[str] = []
    for *row, gallery in _rows(connection, query, first, last, of.encounter):
        if encounter_row is not None and row[0] == encounter_row[0]:
            its_galleries.append(gallery)
            continue
        if encounter_row is not None:
            yield _encounter(encounter_row, its_galleries)
        encounter_row, its_galleries = tuple(row), [] if gallery is None else [gallery]
    if encounter_row is not None:
        yield _encounter(encounter_row, its_galleries)


def _encounter(encounter_row: tuple[Any, ...], its_galleries: list[str]) -> tuple[str, str] | None:
    encounter, person, created_at, source, client, clerk, station, review, detail = encounter_row
    if review not in _REVIEWS:
        return None
    row = EncounterRow(
        EncounterId(encounter),
        PersonId(person),
        created_at,
        source,
        tuple(map(GalleryId, its_galleries)),
        client,
        clerk,
        station,
        _REVIEWS[review],
        detail,
    )
    return row.log_name, row.digest


def _templates(connection: Connection, first: int, last: int) -> Iterator[tuple[str, str]]:
    of = templates.c
    columns = (of.template, of.encounter, of.person, of.generation, of.model, of.dimension, of.dtype, of.sealed)
    query = select(*columns).select_from(persons.STORED.join(templates, of.person == table.c.person))
    for row in _rows(connection, query, first, last, of.template):
        yield f"templates/{row[0]}", record_digest("templates", *row)


def _rows(
    connection: Connection, query: Select[*tuple[Any, ...]], first: int, last: int, then: Any = person_keys.c.slot
) -> Iterator[tuple[Any, ...]]:
    chosen = query.where(person_keys.c.slot.between(first, last)).order_by(person_keys.c.slot, then)
    for part in parts(connection, chosen, _FETCHED):
        yield from part
