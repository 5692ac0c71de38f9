"""Counts encounters by period and group, and what analysts found about them; no count names anybody."""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Connection, case, exists, func, select

from idverify.ids import GalleryId
from idverify.storage.tables.cases import case_members, cases
from idverify.storage.tables.register import encounter_galleries, encounters


class Dimension(StrEnum):
    """What counts are grouped by."""

    GALLERY = "gallery"
    AGENCY = "agency"
    STATION = "station"


@dataclass(frozen=True, slots=True)
class EncounterCounts:
    """Encounters of one period and group: all, those that came into a case, those confirmed and those cleared there.

    `group` is None for encounters without an agency (the command line) or without a station. An encounter in several
    cases is confirmed when any of them is.
    """

    period: str
    group: str | None
    enrolled: int
    found: int
    confirmed: int
    rejected: int


def by_period(
    connection: Connection,
    dimension: Dimension,
    within: Collection[GalleryId],
    *,
    period_characters: int,
    since: str,
    confirming: Collection[str],
    rejecting: Collection[str],
) -> list[EncounterCounts]:
    """Counts over encounters in these galleries made at or after `since` (UTC text), by the head of their time.

    `period_characters`: 7 counts by month, 10 by day. `confirming` and `rejecting`: findings of decided cases. By
    gallery, an encounter in two galleries counts in both.
    """
    judged = _judged(confirming, rejecting)
    group = _group(dimension)
    period = func.substr(encounters.c.created_at, 1, period_characters)
    confirmed = func.coalesce(judged.c.confirmed, 0)
    rejected = case((confirmed == 1, 0), else_=func.coalesce(judged.c.rejected, 0))
    query = (
        select(
            period.label("period"),
            group.label("group"),
            func.count().label("enrolled"),
            func.count(judged.c.encounter).label("found"),
            func.sum(confirmed).label("confirmed"),
            func.sum(rejected).label("rejected"),
        )
        .select_from(encounters)
        .outerjoin(judged, judged.c.encounter == encounters.c.encounter)
        .where(encounters.c.created_at >= since)
        .group_by(period, group)
        .order_by(period, group)
    )
    held = encounter_galleries.c.encounter == encounters.c.encounter
    inside = encounter_galleries.c.gallery.in_(within)
    if dimension is Dimension.GALLERY:
        query = query.join(encounter_galleries, held).where(inside)
    else:
        query = query.where(exists().where(held, inside))
    return [
        EncounterCounts(row.period, row.group, row.enrolled, row.found, int(row.confirmed), int(row.rejected))
        for row in connection.execute(query)
    ]


def _judged(confirming: Collection[str], rejecting: Collection[str]):  # type: ignore[no-untyped-def]
    """What the cases of each encounter came to."""
    return (
        select(
            case_members.c.encounter,
            func.max(case((cases.c.finding.in_(confirming), 1), else_=0)).label("confirmed"),
            func.max(case((cases.c.finding.in_(rejecting), 1), else_=0)).label("rejected"),
        )
        .join(cases, cases.c.case == case_members.c.case)
        .where(case_members.c.encounter.is_not(None))
        .group_by(case_members.c.encounter)
        .subquery()
    )


def _group(dimension: Dimension) -> ColumnElement[str | None]:
    if dimension is Dimension.GALLERY:
        return encounter_galleries.c.gallery
    return encounters.c.client if dimension is Dimension.AGENCY else encounters.c.station
