"""The photographs that a gallery's policy says to keep: sealed bytes here, deleted with their person."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select

from idverify.ids import EncounterId, PersonId, Pseudonym
from idverify.protection.canonical import record_digest
from idverify.storage.paging import pages
from idverify.storage.tables.register import images as table
from idverify.storage.tables.register import persons


@dataclass(frozen=True, slots=True)
class ImageRow:
    """One photograph. `media_type` is that of the plaintext."""

    image: str
    encounter: EncounterId
    person: PersonId
    generation: int
    media_type: str
    sealed: bytes = field(repr=False)

    @property
    def log_name(self) -> str:
        """Its name in the audit log."""
        return f"images/{self.image}"

    @property
    def digest(self) -> str:
        """sha256 (hex) over all columns."""
        return record_digest(
            "images", self.image, self.encounter, self.person, self.generation, self.media_type, self.sealed
        )


def add(connection: Connection, row: ImageRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists or its encounter does not."""
    connection.execute(
        insert(table).values(
            image=row.image,
            encounter=row.encounter,
            person=row.person,
            generation=row.generation,
            media_type=row.media_type,
            sealed=row.sealed,
        )
    )


def images_of(connection: Connection, person: PersonId) -> list[ImageRow]:
    """The person's images, still sealed."""
    query = select(*_IMAGE_COLUMNS).where(table.c.person == person).order_by(table.c.image)
    return [_image(*row) for row in connection.execute(query)]


def all_images(connection: Connection, *, batch: int = 100) -> Iterator[tuple[Pseudonym, ImageRow]]:
    """Every image with its person's pseudonym, still sealed, fetched `batch` at a time."""
    query = select(persons.c.pseudonym, *_IMAGE_COLUMNS).join_from(table, persons, persons.c.person == table.c.person)
    for pseudonym, *columns in pages(connection, query, table.c.image, batch):
        yield Pseudonym(pseudonym), _image(*columns)


_IMAGE_COLUMNS = (
    table.c.image,
    table.c.encounter,
    table.c.person,
    table.c.generation,
    table.c.media_type,
    table.c.sealed,
)


def _image(image: str, encounter: str, person: str, generation: int, media_type: str, sealed: bytes) -> ImageRow:
    return ImageRow(image, EncounterId(encounter), PersonId(person), generation, media_type, sealed)
