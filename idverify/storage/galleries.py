"""Stores the galleries and counts the people, encounters and templates in each; it opens none of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, bindparam, distinct, func, select, update

from idverify.errors import GalleryNotFound
from idverify.ids import GalleryId, ModelDigest
from idverify.protection.logged_row import LoggedRow, canonical_json, logged, unless_none
from idverify.storage.rows import RowTable
from idverify.storage.tables.register import encounter_galleries, encounters, templates
from idverify.storage.tables.register import galleries as table


@logged("galleries", "gallery", at_end=[canonical_json("policy"), unless_none("moving_to")])
@dataclass(frozen=True, slots=True)
class GalleryRow(LoggedRow):
    """`model` is the embedder that the gallery belongs to; a `demonstration` holds people who do not exist.

    While the gallery moves to another embedder (`idverify.administration.migration`), `moving_to` names that one.
    A threshold that was loosened behind the service's back shows in the digest.
    """

    gallery: GalleryId
    demonstration: bool
    model: ModelDigest
    created_at: str
    policy: Mapping[str, Any] = field(default_factory=dict)
    moving_to: ModelDigest | None = None


GALLERIES = RowTable(GalleryRow, table)


@dataclass(frozen=True, slots=True)
class GalleryCounts:
    """`numbers`: of how many numbers the vectors in all templates consist."""

    persons: int
    encounters: int
    templates: int
    numbers: int


def add(connection: Connection, row: GalleryRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists."""
    GALLERIES.add(connection, row)


def get(connection: Connection, gallery: GalleryId, *, lock: bool = False) -> GalleryRow:
    """`lock` holds the row until the transaction ends (SQLite's writers are alone anyway). Raises GalleryNotFound."""
    row = GALLERIES.one(connection, _LOCKED if lock else _FOUND, {"name": gallery})
    if row is None:
        raise GalleryNotFound(f"no gallery {gallery}")
    return row


def set_policy(connection: Connection, gallery: GalleryId, policy: Mapping[str, Any]) -> None:
    """Raises GalleryNotFound."""
    if not connection.execute(update(table).where(table.c.gallery == gallery).values(policy=dict(policy))).rowcount:
        raise GalleryNotFound(f"no gallery {gallery}")


def set_model(connection: Connection, gallery: GalleryId, model: ModelDigest, moving_to: ModelDigest | None) -> None:
    """Raises GalleryNotFound."""
    values = {"model": model, "moving_to": moving_to}
    if not connection.execute(update(table).where(table.c.gallery == gallery).values(values)).rowcount:
        raise GalleryNotFound(f"no gallery {gallery}")


def all_galleries(connection: Connection) -> list[GalleryRow]:
    """Every gallery, by name."""
    return GALLERIES.all(connection, GALLERIES.select.order_by(table.c.gallery))


def counts(connection: Connection, gallery: GalleryId) -> GalleryCounts:
    """How much the gallery holds, with templates of its own embedder; zero everywhere for one that does not exist."""
    people = (
        select(func.count(distinct(encounters.c.person)))
        .join(encounter_galleries, encounter_galleries.c.encounter == encounters.c.encounter)
        .where(encounter_galleries.c.gallery == gallery)
    )
    held = (
        select(func.count(), func.coalesce(func.sum(templates.c.dimension), 0))
        .select_from(templates)
        .join(encounter_galleries, encounter_galleries.c.encounter == templates.c.encounter)
        .join(table, table.c.gallery == encounter_galleries.c.gallery)
        .where(encounter_galleries.c.gallery == gallery, templates.c.model == table.c.model)
    )
    references, numbers = connection.execute(held).one()
    return GalleryCounts(
        connection.execute(people).scalar_one(), count_encounters(connection, gallery), references, int(numbers)
    )


def count_encounters(connection: Connection, gallery: GalleryId) -> int:
    """How many encounters are in the gallery: from an index alone, where `counts` takes seconds for a million."""
    within = select(func.count()).where(encounter_galleries.c.gallery == gallery)
    return connection.execute(within).scalar_one()


def holding_everybody(connection: Connection) -> GalleryId | None:
    """The gallery that every encounter is in, and no encounter in another; None when there is no such gallery."""
    held = encounter_galleries.c.gallery
    # Each for itself: then both ends of an index are looked at, and all are only counted.
    only, another, within, everybody = (
        connection.execute(query).scalar_one()
        for query in (
            select(func.min(held)),
            select(func.max(held)),
            select(func.count()).select_from(encounter_galleries),
            select(func.count()).select_from(encounters),
        )
    )
    return GalleryId(only) if only is not None and only == another and within == everybody else None


# Put together once, because every answer looks its gallery up.
_FOUND = GALLERIES.select.where(table.c.gallery == bindparam("name"))
_LOCKED = _FOUND.with_for_update()
