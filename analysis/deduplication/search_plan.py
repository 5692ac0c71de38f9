"""Plans a duplicate search: its galleries, its threshold and how many false pairs to expect; it opens no template."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from analysis.deduplication import references
from analysis.deduplication.expectation import Expectation, expect, pairs_between, pairs_within
from idverify.errors import InvalidInput
from idverify.galleries.definitions import Galleries, GalleryDefinition
from idverify.ids import GalleryId
from idverify.matching import self_join
from idverify.matching.operating_point import OperatingPoint, Population
from idverify.storage import audit_log
from idverify.storage.database import Connection, Database

TILE_ROWS = 8_192
"""A block's side while comparing exactly is fast: 57,000 references are 28 blocks of a second or less."""
LARGE = 250_000
"""From so many references on, blocks are as large as the scan behind `self_join` wants them."""


@dataclass(frozen=True, slots=True)
class SearchPlan:
    """A search as it is announced before it runs. `position`: how many leaves the audit log has; it sees no later ones.

    `against`: the gallery that `gallery` is compared with; None: with itself.
    """

    gallery: GalleryId
    against: GalleryId | None
    expectation: Expectation
    policy: str
    position: int
    tile_rows: int

    @property
    def galleries(self) -> frozenset[GalleryId]:
        return frozenset(one for one in (self.gallery, self.against) if one is not None)

    def as_json(self) -> dict[str, Any]:
        """What `parse` takes. Nothing in it is about a person."""
        point = self.expectation.point
        return {
            "gallery": self.gallery,
            "against": self.against,
            "policy": self.policy,
            "position": self.position,
            "tile_rows": self.tile_rows,
            "pairs": self.expectation.pairs,
            "expected": self.expectation.expected,
            "low": self.expectation.low,
            "high": self.expectation.high,
            "fmr": point.fmr,
            "threshold": point.threshold,
            "population": point.population,
            "extrapolated": point.extrapolated,
        }

    @classmethod
    def parse(cls, stored: Mapping[str, Any]) -> "SearchPlan":
        point = OperatingPoint(
            stored["fmr"], stored["threshold"], Population(stored["population"]), stored["extrapolated"]
        )
        return cls(
            gallery=GalleryId(stored["gallery"]),
            against=None if stored["against"] is None else GalleryId(stored["against"]),
            expectation=Expectation(stored["pairs"], point, stored["expected"], stored["low"], stored["high"]),
            policy=stored["policy"],
            position=stored["position"],
            tile_rows=stored["tile_rows"],
        )


def plan_search(
    database: Database,
    galleries: Galleries,
    gallery: GalleryId,
    *,
    against: GalleryId | None = None,
    fmr: float | None = None,
    budget: float | None = None,
    tile_rows: int | None = None,
) -> SearchPlan:
    """A search at a stated false match rate, or at the one that gives a stated number of false pairs (`budget`).

    Raises GalleryNotFound, EmbedderMismatch, InvalidInput.
    """
    with database.read() as connection:
        definition, other = searched(connection, galleries, gallery, against)
        left = references.counts(connection, gallery)
        if other is None:
            pairs = pairs_within(left.values())
        else:
            pairs = pairs_between(left, references.counts(connection, other.gallery))
        position = audit_log.size(connection)
    expectation = expect(definition.calibration, pairs, fmr=fmr, budget=budget)
    suffix = "" if against is None else f"/against-{against}"
    return SearchPlan(
        gallery=gallery,
        against=against,
        expectation=expectation,
        policy=f"{gallery}/duplicate-search{suffix}/{expectation.point.name}",
        position=position,
        tile_rows=tile_rows or (self_join.TILE_ROWS if left.total() >= LARGE else TILE_ROWS),
    )


def searched(
    connection: Connection, galleries: Galleries, gallery: GalleryId, against: GalleryId | None
) -> tuple[GalleryDefinition, GalleryDefinition | None]:
    """The galleries of a search. Raises GalleryNotFound, EmbedderMismatch, InvalidInput for two that do not mix."""
    definition = galleries.find(connection, gallery)
    if against is None:
        return definition, None
    if against == gallery:
        raise InvalidInput("duplicate search: expected another gallery to search against; without one, it is itself")
    other = galleries.find(connection, against)
    if other.population != definition.population:
        raise InvalidInput(
            f"galleries {gallery} and {against}: one is a demonstration and the other is not; "
            "no threshold holds between rendered and real faces"
        )
    return definition, other
