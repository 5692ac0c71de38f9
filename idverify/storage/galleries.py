"""Galleries and how many people, encounters and templates each holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import rfc8785
from sqlalchemy import Connection, Row, Select, bindparam, distinct, func, insert, select, update

from idverify.errors import GalleryNotFound
from idverify.ids import GalleryId, ModelDigest
from idverify.protection.canonical import record_digest
from idverify.storage.tables.register import encounter_galleries, encounters, templates
from idverify.storage.tables.register import galleries as table


@dataclass(frozen=True, slots=True)
class GalleryRow:
    """`model` is the embedder that the gallery belongs to; a `demonstration` holds people who do not exist.

    While the gallery moves to another embedder (`idverify.administration.migration`), `moving_to` names that one.
    """

    gallery: GalleryId
    demonstration: bool
    model: ModelDigest
    created_at: str
    policy: Mapping[str, Any] = field(default_factory=dict)
    moving_to: ModelDigest | None = None

    @property
    def log_name(self) -> str:
        """Its name in the audit log."""
        return f"galleries/{self.gallery}"

    @property
    def digest(self) -> str:
        """sha256 (hex) over all columns: a threshold loosened behind the service's back shows here."""
        policy = rfc8785.dumps(dict(self.policy))
        moving = () if self.moving_to is None else (self.moving_to,)  # logged digests are older than this column
        return record_digest(
            "galleries", self.gallery, self.demonstration, self.model, self.created_at, policy, *moving
        )


@dataclass(frozen=True, slots=True)
class GalleryCounts:
    """`numbers`: of how many numbers the vectors in all templates consist."""

    persons: int
    encounters: int
    templates: int
    numbers: int


def add(connection: Connection, row: GalleryRow) -> None:
    """Raises Conflict (at the end of the transaction) when it exists."""
    connection.execute(
        insert(table).values(
            gallery=row.gallery,
            demonstration=row.demonstration,
            model=row.model,
            policy=dict(row.policy),
            created_at=row.created_at,
        )
    )


def get(connection: Connection, gallery: GalleryId, *, lock: bool = False) -> GalleryRow:
    """`lock` holds the row until the transaction ends (SQLite's writers are alone anyway). Raises GalleryNotFound."""
    row = connection.execute(_LOCKED if lock else _FOUND, {"name": gallery}).one_or_none()
    if row is None:
        raise GalleryNotFound(f"no gallery {gallery}")
    return _row(row)


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
    return _select(connection, select(table).order_by(table.c.gallery))


def counts(connection: Connection, gallery: GalleryId) -> GalleryCounts:
    """How much the gallery holds, with templates of its own embedder; zero everywhere for one that does not exist."""
    visitors = (
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
        connection.execute(visitors).scalar_one(), count_encounters(connection, gallery), references, int(numbers)
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


def _select(connection: Connection, query: Select[*tuple[Any, ...]]) -> list[GalleryRow]:
    return [_row(row) for row in connection.execute(query)]


def _row(row: Row[*tuple[Any, ...]]) -> GalleryRow:
    return GalleryRow(
        GalleryId(row.gallery),
        row.demonstration,
        ModelDigest(row.model),
        row.created_at,
        row.policy,
        None if row.moving_to is None else ModelDigest(row.moving_to),
    )


# Put together once, because every answer looks its gallery up.
_FOUND = select(table).where(table.c.gallery == bindparam("name"))
_LOCKED = _FOUND.with_for_update()
