"""Stores encounters and the galleries that they belong to; it opens none of their sealed details."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, select, update

from idverify.errors import NotFound
from idverify.ids import ClientId, EncounterId, GalleryId, PersonId, Pseudonym
from idverify.protection.logged_row import LoggedRow, logged, sorted_elements
from idverify.storage.rows import RowTable, unknown_state
from idverify.storage.tables.register import encounter_galleries, persons
from idverify.storage.tables.register import encounters as table

_AT_ONCE = 500
"""Names in one query: SQLite takes no more than some thousands."""


class Review(StrEnum):
    """What the duplicate check made of an encounter."""

    NONE = "none"
    PENDING = "pending"
    CLEARED = "cleared"
    CONFIRMED = "confirmed"


@logged("encounters", "encounter", at_end=[sorted_elements("galleries")])
@dataclass(frozen=True, slots=True)
class EncounterRow(LoggedRow):
    """One encounter of a person. `source` says what it came through; `detail` is sealed (quality, candidates).

    A change of review or gallery is a new digest to log.
    """

    encounter: EncounterId
    person: PersonId
    created_at: str
    source: str
    galleries: tuple[GalleryId, ...]
    client: ClientId | None = None
    clerk: str | None = None
    station: str | None = None
    review: Review = Review.NONE
    detail: bytes | None = field(default=None, repr=False)


ENCOUNTERS = RowTable(EncounterRow, table, lists={"galleries": encounter_galleries.c.gallery})


def add(connection: Connection, row: EncounterRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists, or its person or a gallery does not."""
    ENCOUNTERS.add(connection, row)


def get(connection: Connection, encounter: EncounterId) -> EncounterRow:
    """Raises NotFound."""
    rows = _select(connection, table.c.encounter == encounter)
    if not rows:
        raise NotFound(f"no encounter {encounter}")
    return rows[0]


def encounters_of(connection: Connection, person: PersonId) -> list[EncounterRow]:
    """The person's encounters, oldest first."""
    return _select(connection, table.c.person == person)


def reviews_of(connection: Connection, encounters: Iterable[EncounterId]) -> dict[EncounterId, Review]:
    """What the duplicate check made of each; those of people who were erased since are not there."""
    reviews: dict[EncounterId, Review] = {}
    named = list(encounters)
    for first in range(0, len(named), _AT_ONCE):
        some = named[first : first + _AT_ONCE]
        rows = connection.execute(select(table.c.encounter, table.c.review).where(table.c.encounter.in_(some)))
        reviews.update((EncounterId(row.encounter), _review(row.encounter, row.review)) for row in rows)
    return reviews


def set_review(connection: Connection, row: EncounterRow, review: Review) -> EncounterRow:
    """Returns the new row, whose digest the caller must put into the audit log. Raises NotFound."""
    changed = connection.execute(update(table).where(table.c.encounter == row.encounter).values(review=review)).rowcount
    if not changed:
        raise NotFound(f"no encounter {row.encounter}")
    return replace(row, review=review)


def all_encounters(connection: Connection, *, batch: int = 1000) -> Iterator[tuple[Pseudonym, EncounterRow]]:
    """Every encounter with its person's pseudonym, by id, fetched `batch` at a time."""
    last = ""
    while rows := _select(connection, table.c.encounter > last, limit=batch, by_id=True):
        of_batch = select(persons.c.person, persons.c.pseudonym).where(
            persons.c.person.in_({row.person for row in rows})
        )
        pseudonyms = dict(connection.execute(of_batch).all())
        for row in rows:
            if row.person in pseudonyms:  # one that was moved to nobody is missing, as a template would be
                yield Pseudonym(pseudonyms[row.person]), row
        last = rows[-1].encounter


def _review(encounter: str, stored: str) -> Review:
    try:
        return Review(stored)
    except ValueError:
        raise unknown_state(EncounterRow.log_name_of(encounter), "review") from None


def _select(
    connection: Connection, condition: ColumnElement[bool], *, limit: int | None = None, by_id: bool = False
) -> list[EncounterRow]:
    order = (table.c.encounter,) if by_id else (table.c.created_at, table.c.encounter)
    query = ENCOUNTERS.select.where(condition).order_by(*order).limit(limit)
    return ENCOUNTERS.all(connection, query)
