"""Finds what a gallery that moves to another embedder still lacks, and deletes templates that nothing needs any more.

It computes no template.
"""

from sqlalchemy import Connection, Select, delete, exists, func, select

from idverify.ids import EncounterId, GalleryId, ModelDigest, PersonId, TemplateId
from idverify.storage.tables.register import encounter_galleries, encounters, galleries, images, templates


def awaiting(
    connection: Connection, gallery: GalleryId, model: ModelDigest, *, after: str, limit: int
) -> list[tuple[EncounterId, PersonId]]:
    """The gallery's encounters beyond `after`, by id, that have a template and none of that embedder."""
    query = _awaiting(gallery, model).where(encounters.c.encounter > after).order_by(encounters.c.encounter)
    return [(EncounterId(row.encounter), PersonId(row.person)) for row in connection.execute(query.limit(limit))]


def count_awaiting(
    connection: Connection, gallery: GalleryId, model: ModelDigest, *, without_image: bool = False
) -> int:
    """How many encounters `awaiting` names in all; `without_image`: of those, the ones without a kept photograph."""
    query = _awaiting(gallery, model)
    if without_image:
        query = query.where(~exists().where(images.c.encounter == encounters.c.encounter))
    return connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()


def has_template(connection: Connection, encounter: EncounterId, model: ModelDigest) -> bool:
    """Whether the encounter has a template of that embedder."""
    query = select(templates.c.template).where(templates.c.encounter == encounter, templates.c.model == model)
    return connection.execute(query.limit(1)).first() is not None


def remove_unneeded(connection: Connection, gallery: GalleryId, *, limit: int) -> list[TemplateId]:
    """Delete up to `limit` templates of the gallery's encounters whose embedder no gallery of theirs has or moves to.

    The caller must put each into the audit log as removed.
    """
    needed = (
        exists()
        .where(encounter_galleries.c.encounter == templates.c.encounter)
        .where(encounter_galleries.c.gallery == galleries.c.gallery)
        .where((galleries.c.model == templates.c.model) | (galleries.c.moving_to == templates.c.model))
    )
    of_gallery = select(encounter_galleries.c.encounter).where(encounter_galleries.c.gallery == gallery)
    query = select(templates.c.template).where(templates.c.encounter.in_(of_gallery), ~needed)
    found = [TemplateId(row.template) for row in connection.execute(query.order_by(templates.c.template).limit(limit))]
    if found:
        connection.execute(delete(templates).where(templates.c.template.in_(found)))
    return found


def _awaiting(gallery: GalleryId, model: ModelDigest) -> Select[tuple[str, str]]:
    has_one = exists().where(templates.c.encounter == encounters.c.encounter)  # some were registered without a face
    moved = has_one.where(templates.c.model == model)
    return (
        select(encounters.c.encounter, encounters.c.person)
        .join(encounter_galleries, encounter_galleries.c.encounter == encounters.c.encounter)
        .where(encounter_galleries.c.gallery == gallery, has_one, ~moved)
    )
