"""Stores persons and their wrapped data keys and erases them, from every table; it unwraps no key."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from idverify.errors import PersonNotFound
from idverify.ids import PersonId, Pseudonym
from idverify.protection.envelope import WrappedKey
from idverify.protection.logged_row import LoggedRow, logged
from idverify.storage.batched_queries import rows_in_batches
from idverify.storage.rows import RowTable
from idverify.storage.tables.administration import job_items
from idverify.storage.tables.register import encounters, images, person_keys, templates
from idverify.storage.tables.register import persons as table


class PersonStatus(StrEnum):
    """What the register says of a person; whoever is erased is not there any more."""

    ACTIVE = "active"
    DECEASED = "deceased"


@logged(
    "persons",
    "pseudonym",
    digest=("person", "pseudonym", "wrapped.wrapping_version", "wrapped.sealed", "status", "created_at"),
)
@dataclass(frozen=True, slots=True)
class PersonRow(LoggedRow):
    """`created_at` is UTC text as `idverify.audit.events.utc_text` writes it.

    Its name in the audit log does not hold the person's number; a wrapped key that was rolled back shows in its digest.
    """

    person: PersonId
    pseudonym: Pseudonym
    wrapped: WrappedKey
    created_at: str
    status: str = PersonStatus.ACTIVE


PERSONS = RowTable(
    PersonRow,
    table,
    elsewhere={"wrapped.sealed": person_keys.c.wrapped_key},
    beside=["key_slot"],
    joined=table.join(person_keys, person_keys.c.slot == table.c.key_slot),
)


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure deleted beside the person's key."""

    pseudonym: Pseudonym
    encounters: int
    templates: int
    images: int


def person_log_name(pseudonym: Pseudonym) -> str:
    return PersonRow.log_name_of(pseudonym)


def add(connection: Connection, row: PersonRow) -> None:
    """Raises Conflict (at the end of the transaction) when the person or the pseudonym exists."""
    slot = connection.execute(insert(person_keys).values(wrapped_key=row.wrapped.sealed).returning(person_keys.c.slot))
    PERSONS.add(connection, row, key_slot=slot.scalar_one())


def find(connection: Connection, person: PersonId, *, lock: bool = False) -> PersonRow | None:
    """The person, or None. `lock` holds the row until the transaction ends (PostgreSQL; SQLite's writers are alone)."""
    row = connection.execute(_LOCKED if lock else _FOUND, {"number": person}).one_or_none()
    return None if row is None else PERSONS.row(row)


def get(connection: Connection, person: PersonId, *, lock: bool = False) -> PersonRow:
    """Raises PersonNotFound."""
    row = find(connection, person, lock=lock)
    if row is None:
        raise PersonNotFound("no such person")
    return row


def find_by_pseudonym(connection: Connection, pseudonym: Pseudonym) -> PersonRow | None:
    """The person whom the audit log calls so, or None (erased, or never there)."""
    return PERSONS.one(connection, PERSONS.select.where(table.c.pseudonym == pseudonym))


def numbers_of(
    connection: Connection, pseudonyms: Iterable[Pseudonym], *, batch: int = 500
) -> dict[Pseudonym, PersonId]:
    """The numbers behind these names of the audit log; who was erased is not among them."""
    wanted, numbers = sorted(pseudonyms), dict[Pseudonym, PersonId]()
    for start in range(0, len(wanted), batch):
        query = select(table.c.pseudonym, table.c.person).where(table.c.pseudonym.in_(wanted[start : start + batch]))
        numbers.update((Pseudonym(row.pseudonym), PersonId(row.person)) for row in connection.execute(query))
    return numbers


def count(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(table)).scalar_one()


def all_persons(connection: Connection, *, batch: int = 1000) -> Iterator[PersonRow]:
    """Every person, by number, fetched `batch` at a time."""
    yield from map(PERSONS.row, rows_in_batches(connection, PERSONS.select, table.c.person, batch))


def persons_wrapped_before(
    connection: Connection, version: int, *, after: PersonId | None = None, limit: int = 1000
) -> list[PersonRow]:
    """The next `limit` persons, by number and behind `after`, whose key a version older than `version` wraps."""
    query = PERSONS.select.where(table.c.wrapping_version < version).order_by(table.c.person).limit(limit)
    if after is not None:
        query = query.where(table.c.person > after)
    return PERSONS.all(connection, query)


def set_wrapped(connection: Connection, row: PersonRow, wrapped: WrappedKey) -> PersonRow:
    """Store a rewrapped key; `row` is the person as read before. Returns the new row.

    Raises PersonNotFound when the person is gone or was rewrapped meanwhile.
    """
    slot = select(table.c.key_slot).where(table.c.person == row.person).scalar_subquery()
    changed = connection.execute(
        update(person_keys)
        .where(person_keys.c.slot == slot, person_keys.c.wrapped_key == row.wrapped.sealed)
        .values(wrapped_key=wrapped.sealed)
    ).rowcount
    if not changed:
        raise PersonNotFound("the person to rewrap is gone or was rewrapped meanwhile")
    connection.execute(
        update(table).where(table.c.person == row.person).values(wrapping_version=wrapped.wrapping_version)
    )
    return replace(row, wrapped=wrapped)


def set_status(connection: Connection, row: PersonRow, status: PersonStatus) -> PersonRow:
    """Returns the new row, whose digest the caller must put into the audit log. Raises PersonNotFound."""
    if not connection.execute(update(table).where(table.c.person == row.person).values(status=status)).rowcount:
        raise PersonNotFound("no such person")
    return replace(row, status=status)


def erase_person(connection: Connection, person: PersonId) -> Erased:
    """Delete the person's key and everything sealed under it. Raises PersonNotFound.

    The bytes are gone from SQLite's files after the commit *and* `Database.scrub`.
    """
    row = get(connection, person, lock=True)
    counts = [
        connection.execute(select(func.count()).select_from(of).where(of.c.person == person)).scalar_one()
        for of in (encounters, templates, images)
    ]
    connection.execute(delete(job_items).where(job_items.c.person == person))
    gone = delete(table).where(table.c.person == person).returning(table.c.key_slot)  # the rest cascades
    slot = connection.execute(gone).scalar_one()
    # Zeros of the same length, so that SQLite writes them over the key where it lies. The slot is never used again.
    nothing = bytes(len(row.wrapped.sealed))
    connection.execute(update(person_keys).where(person_keys.c.slot == slot).values(wrapped_key=nothing))
    return Erased(row.pseudonym, *counts)


# Put together once, because every answer looks somebody up.
_FOUND = PERSONS.select.where(table.c.person == bindparam("number"))
_LOCKED = _FOUND.with_for_update()
