"""Stores the pairs that a search found, sealed, and those that analysts hold for two people; it opens nothing."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, fields

from sqlalchemy import Connection, delete, insert, select

from idverify.ids import EncounterId, GalleryId, PersonId
from idverify.storage.batched_queries import rows_in_batches
from idverify.storage.rows import RowTable
from idverify.storage.tables.duplicates import decided_pairs as decided
from idverify.storage.tables.duplicates import duplicate_pairs as table
from idverify.storage.tables.register import encounter_galleries, encounters

_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class DuplicatePairRow:
    """One pair of one search, beside the first of its two persons."""

    pair: str
    person: PersonId
    sealed: bytes = field(repr=False)


PAIRS = RowTable(DuplicatePairRow, table, beside=["search"])


@dataclass(frozen=True, slots=True)
class SearchedEncounterRow:
    """When, by whom and where one encounter of a gallery was made; times are UTC text."""

    encounter: EncounterId
    person: PersonId
    created_at: str
    clerk: str | None
    station: str | None


def add_pairs(connection: Connection, search: str, rows: Iterable[DuplicatePairRow]) -> None:
    """Raises Conflict (at the end of the transaction) when the search has one of them already."""
    PAIRS.add_all(connection, rows, search=search)


def pairs(connection: Connection, search: str, *, batch: int = 1000) -> Iterator[DuplicatePairRow]:
    """Every pair that the search found and whose first person is still there."""
    query = PAIRS.select.where(table.c.search == search)
    yield from map(PAIRS.row, rows_in_batches(connection, query, table.c.pair, batch))


def drop_pairs(connection: Connection, search: str) -> None:
    """Delete what the search found; its report keeps what it needs."""
    connection.execute(delete(table).where(table.c.search == search))


def encounters_in(connection: Connection, gallery: GalleryId, *, batch: int = 5000) -> Iterator[SearchedEncounterRow]:
    """Every encounter of the gallery, by id, fetched `batch` at a time."""
    columns = [encounters.c[column.name] for column in fields(SearchedEncounterRow)]
    query = select(*columns).join(encounter_galleries, encounter_galleries.c.encounter == encounters.c.encounter)
    query = query.where(encounter_galleries.c.gallery == gallery)
    for row in rows_in_batches(connection, query, encounters.c.encounter, batch):
        yield SearchedEncounterRow(*row)


def decide_pair(connection: Connection, pair: bytes, reason: str, decided_at: str) -> None:
    """From now on searches leave this pair out: analysts hold the two for different people, say for twins.

    `pair` is the name that `JointSealing.pair` gives the two. A second decision replaces the first.
    """
    withdraw_decision(connection, pair)
    connection.execute(insert(decided).values(pair=pair, reason=reason, decided_at=decided_at))


def withdraw_decision(connection: Connection, pair: bytes) -> None:
    """Searches find the pair again: what was decided about it was contested."""
    connection.execute(delete(decided).where(decided.c.pair == pair))


def decided_pairs(connection: Connection, names: Collection[bytes]) -> set[bytes]:
    """Which of these pairs analysts hold for different people."""
    wanted, found = sorted(names), set[bytes]()
    for start in range(0, len(wanted), _AT_ONCE):
        query = select(decided.c.pair).where(decided.c.pair.in_(wanted[start : start + _AT_ONCE]))
        found.update(connection.execute(query).scalars())
    return found
