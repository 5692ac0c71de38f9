"""What a report says, as frozen values: fixed inputs and what was found in them. It decides nothing.

A report is a head and parts. The head is signed and names each part by a salted digest, so that a part that went with
the erasure of a person leaves the rest of the report provable.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import rfc8785
from pydantic import TypeAdapter

from analysis.deduplication.clusters import Cluster
from analysis.deduplication.inputs import Inputs
from analysis.deduplication.payroll_findings import PayrollFinding
from analysis.deduplication.score_histogram import Histogram
from idverify.stored.case_evidence import Pattern


@dataclass(frozen=True, slots=True)
class ReportContent:
    """What a search or a payroll check came to, before it is numbered, signed and sealed as a report."""

    inputs: Inputs
    histogram: Histogram
    patterns: tuple[Pattern, ...]
    clusters: Sequence[Cluster]
    findings: Sequence[PayrollFinding] = ()


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
