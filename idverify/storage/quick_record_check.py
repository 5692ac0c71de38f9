"""Says at full speed whether all stored records agree with the audit log; it does not say which record differs.

`record_check.discrepancies` names it. On both sides a record is 48 bytes here (`quick_log_check.entry`), so that
millions fit in memory and are compared as arrays. Persons are read by ranges of key slots, in as many processes as
wanted.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, Select, func, select

from idverify.protection.canonical import record_digest
from idverify.protection.template import ProtectedTemplate
from idverify.storage.batched_queries import plain_batches
from idverify.storage.encounters import ENCOUNTERS, EncounterRow, Review
from idverify.storage.persons import PERSONS, PersonRow
from idverify.storage.quick_log_check import ENTRY_BYTES, entry
from idverify.storage.record_check import stored_records
from idverify.storage.tables.register import encounter_galleries, encounters, person_keys, templates
from idverify.storage.tables.register import persons as table
from idverify.storage.templates import TEMPLATES

_OF_EACH_PERSON = ("persons", "encounters", "templates")
"""The tables of which each person has rows; the others are small, or (images) rare."""
_FETCHED = 2_000
_REVIEWS = frozenset(Review)

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
    rest = stored_records(connection, but=_OF_EACH_PERSON)
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


# The values of the columns, as they are stored, are what goes into the digests of these three: no row is built.
def _persons(connection: Connection, first: int, last: int) -> Iterator[tuple[str, str]]:
    digested = PersonRow.digested_fields()
    pseudonym = digested.index("pseudonym")
    query = select(*PERSONS.columns_of(digested)).select_from(PERSONS.source)
    for row in _rows(connection, query, first, last):
        yield f"persons/{row[pseudonym]}", record_digest("persons", *row)


def _encounters(connection: Connection, first: int, last: int) -> Iterator[tuple[str, str] | None]:
    digested = EncounterRow.digested_fields()
    review = digested.index("review")
    joined = PERSONS.source.join(encounters, encounters.c.person == table.c.person)
    joined = joined.outerjoin(encounter_galleries, encounter_galleries.c.encounter == encounters.c.encounter)
    query = select(*ENCOUNTERS.columns_of(digested), encounter_galleries.c.gallery).select_from(joined)
    by_encounter = groupby(_rows(connection, query, first, last, encounters.c.encounter), key=itemgetter(0))
    for encounter, rows in by_encounter:
        once_per_gallery = list(rows)
        row = once_per_gallery[0]
        if row[review] not in _REVIEWS:
            yield None
            continue
        its_galleries = sorted(gallery for *_, gallery in once_per_gallery if gallery is not None)
        yield f"encounters/{encounter}", record_digest("encounters", *row[:-1], *its_galleries)


def _templates(connection: Connection, first: int, last: int) -> Iterator[tuple[str, str]]:
    columns = TEMPLATES.columns_of(ProtectedTemplate.digested_fields())
    query = select(*columns).select_from(PERSONS.source.join(templates, templates.c.person == table.c.person))
    for row in _rows(connection, query, first, last, templates.c.template):
        yield f"templates/{row[0]}", record_digest("templates", *row)


def _rows(
    connection: Connection, query: Select[*tuple[Any, ...]], first: int, last: int, then: Any = person_keys.c.slot
) -> Iterator[tuple[Any, ...]]:
    chosen = query.where(person_keys.c.slot.between(first, last)).order_by(person_keys.c.slot, then)
    for part in plain_batches(connection, chosen, _FETCHED):
        yield from part
