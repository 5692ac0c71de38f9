"""What a report says, as frozen values: a snapshot of fixed inputs and what was found in them. It decides nothing.

A report is a head and parts. The head is signed and names each part by a salted digest, so that a part that went with
the erasure of a person leaves the rest of the report provable.
"""

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import rfc8785
from pydantic import TypeAdapter

from idverify.ids import EncounterId, GalleryId, ModelDigest, PersonId


class ReportKind(StrEnum):
    DUPLICATE_SEARCH = "duplicate-search"
    PAYROLL_CHECK = "payroll-check"


class ClusterKind(StrEnum):
    SAME_FACE = "same-face"
    """One face, several persons of the searched galleries or several payroll numbers."""
    OTHER_NUMBER = "other-number"
    """The face of a payroll entry is known to the register under another number."""


class PayrollFindingKind(StrEnum):
    NO_FACE = "no-face"
    """A payroll number without a usable face: no photograph, or one without a face that could be read."""
    UNKNOWN_FACE = "unknown-face"
    """A face that matches nobody, the person with the entry's own number included."""
    NOT_ENROLLED = "not-enrolled"
    """The entry refers to somebody who is not in the register: never enrolled, or erased, which leaves no trace."""
    DECEASED = "deceased"
    """The entry's person is marked as deceased."""


@dataclass(frozen=True, slots=True)
class GalleryInput:
    """A gallery as it was searched: people and references are counts of that moment."""

    gallery: GalleryId
    demonstration: bool
    keeps_images: bool
    people: int
    references: int


@dataclass(frozen=True, slots=True)
class RosterInput:
    """The roster's file: `sha256` (hex) of its bytes, rows that were read, rows that were not and why."""

    sha256: str
    rows: int
    defects: tuple["RosterDefect", ...]


@dataclass(frozen=True, slots=True)
class RosterDefect:
    """One cell or row that could not be used; `line` counts from 1 as a text editor does. It repeats no content."""

    line: int
    column: str
    told: str


@dataclass(frozen=True, slots=True)
class CalibrationInput:
    """One calibrated point that thresholds and rates of the report were worked out from."""

    fmr: float
    threshold: float
    threshold_low: float
    threshold_high: float
    non_mated_pairs: int
    dataset: str
    date: str


@dataclass(frozen=True, slots=True)
class Inputs:
    """What was fixed before the search ran.

    `pairs`: comparisons of references of different people. `expected_false_pairs` of them reach the threshold by
    chance, in 95 of 100 such searches between `false_pairs_low` and `false_pairs_high`. `audit_position`: how many
    leaves the audit log had. `extrapolated`: the rate lies beyond the calibrated ones.
    """

    kind: ReportKind
    galleries: tuple[GalleryInput, ...]
    roster: RosterInput | None
    audit_position: int
    model: ModelDigest
    population: str
    policy: str
    fmr: float
    threshold: float
    extrapolated: bool
    calibration: tuple[CalibrationInput, ...]
    pairs: int
    expected_false_pairs: float
    false_pairs_low: int
    false_pairs_high: int
    known_non_duplicates: int


@dataclass(frozen=True, slots=True)
class Histogram:
    """How pairs of different people score: `counts[k]` pairs lie in [lowest + k * width, lowest + (k + 1) * width).

    Below the threshold a count is estimated from `sampled` random pairs; from it upwards it is what was found.
    """

    lowest: float
    width: float
    counts: tuple[float, ...]
    sampled: int


@dataclass(frozen=True, slots=True)
class Member:
    """One identity in a cluster. `payroll` and `line` are of a roster entry; `image`: sha256 (hex) of the kept face."""

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
    """How alike two members are, by their positions in the cluster.

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
class Cluster:
    """Identities that look like one person. `evidence`: decades of improbability, see `clusters.evidence`."""

    number: int
    kind: ClusterKind
    members: tuple[Member, ...]
    links: tuple[Link, ...]
    evidence: float

    @property
    def strongest(self) -> Link:
        return max(self.links, key=lambda link: link.similarity)


@dataclass(frozen=True, slots=True)
class PayrollFinding:
    """A payroll entry that needs a look and shares no face; `told` says what is wrong, without a score."""

    number: int
    kind: PayrollFindingKind
    payroll: str
    person: PersonId | None
    line: int
    told: str


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
class ReportHead:
    """The signed part: everything but whom it is about. `totals` counts what was found by kind; `parts`: digests."""

    report: str
    deployment: str
    made_at: str
    inputs: Inputs
    histogram: Histogram
    patterns: tuple[Pattern, ...]
    totals: dict[str, int]
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """A cluster or a finding with the salt of its digest; without content when a person in it was erased."""

    salt: str
    content: Cluster | PayrollFinding | None = field(repr=False)

    @property
    def digest(self) -> str:
        """sha256 (hex) over the canonical JSON (RFC 8785) of salt and content."""
        return hashlib.sha256(rfc8785.dumps(plain(self))).hexdigest()


@dataclass(frozen=True, slots=True)
class Report:
    """A whole report; `signature` is a compact JWS over the digest of the head."""

    head: ReportHead
    parts: tuple[Part, ...]
    signature: str

    @property
    def clusters(self) -> tuple[Cluster, ...]:
        """The clusters that are still there, by strength of evidence."""
        return tuple(part.content for part in self.parts if isinstance(part.content, Cluster))

    @property
    def findings(self) -> tuple[PayrollFinding, ...]:
        """The other findings that are still there, by kind and line."""
        return tuple(part.content for part in self.parts if isinstance(part.content, PayrollFinding))

    @property
    def gone(self) -> int:
        """How many parts went with the erasure of a person."""
        return sum(part.content is None for part in self.parts)


def head_digest(head: ReportHead) -> str:
    """sha256 (hex) over the canonical JSON (RFC 8785) of the head: what is signed."""
    return hashlib.sha256(rfc8785.dumps(plain(head))).hexdigest()


def plain(value: Report | ReportHead | Part) -> Any:
    """As JSON values, ready for `rfc8785`."""
    return TypeAdapter(type(value)).dump_python(value, mode="json")
