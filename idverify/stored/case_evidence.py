"""What a case is made of, as values: the identities in it and what speaks for their being one person.

Evidence is a snapshot that is sealed with its case, so that all who decide see the same. It opens no row itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import TypeAdapter

from idverify.ids import EncounterId, GalleryId, PersonId
from idverify.storage.encounters import EncounterRow


class CaseOrigin(StrEnum):
    ENROLMENT = "enrolment"
    """An encounter that was marked for review when it was enrolled."""
    SEARCH = "search"
    """A cluster of a duplicate search."""
    PAYROLL = "payroll"
    """A cluster of a payroll check."""


class Strength(StrEnum):
    """How rarely two different people look so alike, in three bands; it says nothing finer, so it may be stored."""

    VERY_STRONG = "very_strong"
    """At most once in a million pairs."""
    STRONG = "strong"
    """At most once in ten thousand pairs."""
    MODERATE = "moderate"


_VERY_STRONG_FMR, _STRONG_FMR = 1e-6, 1e-4


@dataclass(frozen=True, slots=True)
class Member:
    """One identity in a cluster or case.

    `payroll` and `line` are of a roster entry; `image`: sha256 (hex) of the kept photograph; `quality`: 0 to 100.
    """

    person: PersonId | None
    gallery: GalleryId | None
    payroll: str | None = None
    line: int | None = None
    encounter: EncounterId | None = None
    captured_at: str | None = None
    source: str | None = None
    client: str | None = None
    clerk: str | None = None
    station: str | None = None
    quality: int | None = None
    status: str | None = None
    image: str | None = None

    @property
    def name(self) -> str:
        """The payroll number of a roster entry, the person's number otherwise."""
        return self.payroll or self.person or ""


@dataclass(frozen=True, slots=True)
class Link:
    """How alike two members are, by their positions among the members.

    `fmr`: share of pairs of different people that score as high, from the calibrated curve; `at_most`: the curve ends
    before, so that it is at most that. `found`: at or above the threshold.
    """

    left: int
    right: int
    similarity: float = field(repr=False)
    fmr: float = field(repr=False)
    at_most: bool
    found: bool


@dataclass(frozen=True, slots=True)
class Pattern:
    """What members have in common more often than chance would have it.

    `seen` of `among` have it where `expected` would; so many or more come about by chance with probability `chance`,
    all patterns that were looked at taken into account.
    """

    kind: str
    value: str
    seen: int
    among: int
    expected: float
    chance: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """`links` name members by their positions; `reasons`: of the enrolment check; `policy` says by which threshold."""

    members: tuple[Member, ...]
    links: tuple[Link, ...]
    patterns: tuple[Pattern, ...] = ()
    reasons: tuple[str, ...] = ()
    policy: str | None = None

    @property
    def strength(self) -> Strength:
        return strength_of(self.links)

    def as_json(self) -> bytes:
        """What `parse` takes."""
        return _ADAPTER.dump_json(self)

    @staticmethod
    def parse(stored: bytes) -> "Evidence":
        return _ADAPTER.validate_json(stored)


@dataclass(frozen=True, slots=True)
class CaseProposal:
    """A case to open; `source` is unique to its origin, so that nothing becomes two cases."""

    origin: CaseOrigin
    source: str
    galleries: tuple[GalleryId, ...]
    evidence: Evidence


def strength_of(links: Iterable[Link]) -> Strength:
    """Of the most alike pair."""
    fmr = min((link.fmr for link in links), default=1.0)
    if fmr <= _VERY_STRONG_FMR:
        return Strength.VERY_STRONG
    return Strength.STRONG if fmr <= _STRONG_FMR else Strength.MODERATE


def member_of_encounter(row: EncounterRow, detail: Mapping[str, object]) -> Member:
    """An encounter as reports and cases show it; `detail`: what is kept of it under its person's key, opened."""
    quality = detail.get("quality")
    return Member(
        person=row.person,
        gallery=row.galleries[0],
        encounter=row.encounter,
        captured_at=row.created_at,
        source=row.source,
        client=row.client,
        clerk=row.clerk,
        station=row.station,
        quality=quality if isinstance(quality, int) else None,
    )


_ADAPTER = TypeAdapter(Evidence)
