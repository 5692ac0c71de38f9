"""What a case is made of when it is opened: the records in it and what speaks for their being one person, as values.

It is a snapshot: sealed with the case, so that both analysts decide on the same evidence.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from pydantic import TypeAdapter

from analysis.deduplication.report import Link, Member, Pattern
from idverify.ids import GalleryId


class CaseOrigin(StrEnum):
    ENROLMENT = "enrolment"
    """Marked when somebody was enrolled."""
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


def strength_of(links: Iterable[Link]) -> Strength:
    """Of the most alike pair."""
    fmr = min((link.fmr for link in links), default=1.0)
    if fmr <= _VERY_STRONG_FMR:
        return Strength.VERY_STRONG
    return Strength.STRONG if fmr <= _STRONG_FMR else Strength.MODERATE


@dataclass(frozen=True, slots=True)
class CaseProposal:
    """A case to open; `source` is unique to its origin, so that nothing becomes two cases."""

    origin: CaseOrigin
    source: str
    galleries: tuple[GalleryId, ...]
    evidence: Evidence


_ADAPTER = TypeAdapter(Evidence)
