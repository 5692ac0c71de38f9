"""Finds what is wrong with single roster entries: no face, an unknown one, nobody enrolled, somebody deceased.

These are for whoever keeps the payroll. What analysts find about a case is another matter: `adjudication.findings`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from analysis.deduplication.entry_faces import EntryFace
from analysis.deduplication.pairs import entry_name
from analysis.deduplication.roster_comparison import ComparedRoster
from idverify.ids import PersonId
from idverify.storage.persons import PersonRow, PersonStatus

_NOT_ENROLLED = "the person's number is not in the register: never enrolled, or erased"


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
class PayrollFinding:
    """A payroll entry that needs a look and shares no face; `told` says what is wrong, without a score."""

    number: int
    kind: PayrollFindingKind
    payroll: str
    person: PersonId | None
    line: int
    told: str


def payroll_findings(
    compared: ComparedRoster, known: Mapping[PersonId, PersonRow], hit: set[str]
) -> list[PayrollFinding]:
    """The findings by kind and line, not yet numbered.

    `known`: everybody enrolled whom the roster names. `hit`: the names of entries whose face is that of somebody with
    another number.
    """
    found = _findings(compared, known, hit)
    return sorted(found, key=lambda one: (list(PayrollFindingKind).index(one.kind), one.line))


def _findings(compared: ComparedRoster, known: Mapping[PersonId, PersonRow], hit: set[str]) -> Iterator[PayrollFinding]:
    for at, face in enumerate(compared.faces):
        row = None if face.entry.person is None else known.get(face.entry.person)
        if face.missing is not None:
            yield _finding(face, PayrollFindingKind.NO_FACE, face.missing)
        elif at not in compared.own and entry_name(face.entry.payroll) not in hit:
            against = ", and not like the person with its own number" if row is not None else ""
            yield _finding(face, PayrollFindingKind.UNKNOWN_FACE, f"looks like nobody in the register{against}")
        if face.entry.person is not None and row is None:
            yield _finding(face, PayrollFindingKind.NOT_ENROLLED, _NOT_ENROLLED)
        if row is not None and row.status == PersonStatus.DECEASED:
            yield _finding(face, PayrollFindingKind.DECEASED, "the register marks this person as deceased")


def _finding(face: EntryFace, kind: PayrollFindingKind, told: str) -> PayrollFinding:
    return PayrollFinding(0, kind, face.entry.payroll, face.entry.person, face.entry.line, told)
