"""Stores the photographs that a gallery's policy says to keep; they stay sealed here and go with their person."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection

from idverify.ids import EncounterId, PersonId, Pseudonym
from idverify.protection.logged_row import LoggedRow, logged
from idverify.storage.batched_queries import rows_in_batches
from idverify.storage.rows import RowTable
from idverify.storage.tables.register import images as table
from idverify.storage.tables.register import persons


@logged("images", "image")
@dataclass(frozen=True, slots=True)
class ImageRow(LoggedRow):
    """One photograph. `media_type` is that of the plaintext."""

    image: str
    encounter: EncounterId
    person: PersonId
    generation: int
    media_type: str
    sealed: bytes = field(repr=False)


IMAGES = RowTable(ImageRow, table)


def add(connection: Connection, row: ImageRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists or its encounter does not."""
    IMAGES.add(connection, row)


def images_of(connection: Connection, person: PersonId) -> list[ImageRow]:
    """The person's images, still sealed."""
    return IMAGES.all(connection, IMAGES.select.where(table.c.person == person).order_by(table.c.image))


def all_images(connection: Connection, *, batch: int = 100) -> Iterator[tuple[Pseudonym, ImageRow]]:
    """Every image with its person's pseudonym, still sealed, fetched `batch` at a time."""
    query = IMAGES.select.join(persons, persons.c.person == table.c.person).add_columns(persons.c.pseudonym)
    for *columns, pseudonym in rows_in_batches(connection, query, table.c.image, batch):
        yield Pseudonym(pseudonym), IMAGES.row(columns)
