"""Stores sealed templates and reads them by person and by gallery, in bounded memory; it opens none."""

from collections.abc import Iterator
from typing import Any, cast

from sqlalchemy import ColumnElement, Connection, Select, String, bindparam, literal, select

from idverify.ids import GalleryId, ModelDigest, PersonId
from idverify.protection.bulk_opening import SealedRow
from idverify.protection.template import ProtectedTemplate
from idverify.storage.batched_queries import plain_batches, rows_in_batches
from idverify.storage.persons import PERSONS, PersonRow
from idverify.storage.rows import RowTable
from idverify.storage.tables.register import encounter_galleries, person_keys
from idverify.storage.tables.register import persons as person_table
from idverify.storage.tables.register import templates as table

TEMPLATES = RowTable(ProtectedTemplate, table)

_OF_PERSON = TEMPLATES.select.where(table.c.person == bindparam("person")).order_by(table.c.template)
_OF_PERSON_IN_GALLERY = _OF_PERSON.join(
    encounter_galleries, encounter_galleries.c.encounter == table.c.encounter
).where(encounter_galleries.c.gallery == bindparam("gallery"))


def add(connection: Connection, template: ProtectedTemplate) -> None:
    """Raises Conflict (at the end of the transaction) when it exists or its encounter does not."""
    TEMPLATES.add(connection, template)


def templates_of(
    connection: Connection, person: PersonId, gallery: GalleryId | None = None, model: ModelDigest | None = None
) -> list[ProtectedTemplate]:
    """The person's templates, in one gallery or in all, of one embedder or of any."""
    if gallery is None:
        rows = connection.execute(_OF_PERSON, {"person": person})
    else:
        rows = connection.execute(_OF_PERSON_IN_GALLERY, {"person": person, "gallery": gallery})
    return [TEMPLATES.row(row) for row in rows if model in (None, row.model)]


def sealed_between(
    connection: Connection, first: int, last: int, model: ModelDigest, *, only: GalleryId | None = None, batch: int
) -> Iterator[list[SealedRow]]:
    """Every template of that embedder whose person has a key slot from `first` to `last`, as the plain values that are
    opened in bulk, once for each gallery that its encounter is in; `batch` at a time.

    `only` says that every encounter is in that gallery and in no other (`galleries.holding_everybody`): looking each
    of them up would take about as long as reading the rest of its row.
    """
    key = person_keys.c
    columns = (table.c.person, person_table.c.pseudonym, person_table.c.wrapping_version, key.wrapped_key)
    rest = [column for column in TEMPLATES.columns if column is not table.c.person]
    held = PERSONS.source.join(table, table.c.person == person_table.c.person)
    gallery: ColumnElement[str] = literal(only, String)
    if only is None:
        # An outer join, because from an inner one SQLite would read the gallery first and then sort everybody.
        held = held.outerjoin(encounter_galleries, encounter_galleries.c.encounter == table.c.encounter)
        gallery = encounter_galleries.c.gallery
    query = (
        select(*columns, *rest, gallery)
        .select_from(held)
        .where(key.slot.between(first, last), table.c.model == model)
        .order_by(key.slot)
    )
    for part in plain_batches(connection, query, batch):
        yield [cast(SealedRow, row) for row in part if row[-1] is not None]


def templates_in_gallery(
    connection: Connection, gallery: GalleryId, *, model: ModelDigest | None = None, batch: int = 1000
) -> Iterator[tuple[PersonRow, ProtectedTemplate]]:
    """Every template of the gallery, or those of one embedder, with its person's row, `batch` rows at a time."""
    query = _with_person().join(encounter_galleries, encounter_galleries.c.encounter == table.c.encounter)
    if model is not None:
        query = query.where(table.c.model == model)
    return _pairs(connection, query.where(encounter_galleries.c.gallery == gallery), batch)


def all_templates(connection: Connection, *, batch: int = 1000) -> Iterator[tuple[PersonRow, ProtectedTemplate]]:
    """Every template with its person's row, fetched `batch` rows at a time."""
    return _pairs(connection, _with_person(), batch)


def _with_person() -> Select[*tuple[Any, ...]]:
    columns = (*PERSONS.columns, *TEMPLATES.columns)
    return select(*columns).join_from(table, PERSONS.source, person_table.c.person == table.c.person)


def _pairs(
    connection: Connection, query: Select[*tuple[Any, ...]], batch: int
) -> Iterator[tuple[PersonRow, ProtectedTemplate]]:
    split = len(PERSONS.columns)
    for row in rows_in_batches(connection, query, table.c.template, batch):
        yield PERSONS.row(row[:split]), TEMPLATES.row(row[split:])
