"""Turns a compared roster into the content of its report; it compares nothing itself.

It keeps nothing: `archive` numbers, signs and seals what comes of it.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from analysis.deduplication.clusters import ClusterKind, Vectors, clustered
from analysis.deduplication.inputs import ReportKind, inputs_of
from analysis.deduplication.members import enrolled_member
from analysis.deduplication.pairs import Pair, decided_pairs, entry_name, person_name
from analysis.deduplication.patterns import gallery_patterns
from analysis.deduplication.payroll_findings import payroll_findings
from analysis.deduplication.report import ReportContent
from analysis.deduplication.roster_comparison import ComparedRoster
from analysis.deduplication.score_histogram import Histogram, histogram
from idverify.ids import PersonId, Pseudonym
from idverify.storage import persons
from idverify.storage.database import Connection
from idverify.storage.persons import PersonRow
from idverify.stored.case_evidence import Member
from idverify.stored.joint_sealing import JointSealing
from idverify.stored.persons import StoredPersons


def outcome(
    connection: Connection, stored_persons: StoredPersons, joint_sealing: JointSealing, compared: ComparedRoster
) -> ReportContent:
    """What the comparison comes to, as of the caller's transaction: who was erased meanwhile is in none of it.

    Raises SealBroken.
    """
    gallery, expectation = compared.gallery, compared.expectation
    threshold, calibration = expectation.point.threshold, gallery.calibration
    known = _known(connection, compared)
    members = _members(connection, stored_persons, compared, known)
    # Pairs of somebody who was erased meanwhile go with them.
    among, register = (
        {key: score for key, score in pairs.items() if members.keys() >= set(key)}
        for pairs in (compared.among, compared.register)
    )
    decided = _decided(connection, joint_sealing, {*among, *register}, members, known)
    vectors = _vectors(compared)
    same = clustered(among.keys() - decided, vectors, threshold, ClusterKind.SAME_FACE, members, calibration)
    other = clustered(register.keys() - decided, vectors, threshold, ClusterKind.OTHER_NUMBER, members, calibration)
    return ReportContent(
        inputs=inputs_of(
            connection,
            ReportKind.PAYROLL_CHECK,
            [gallery],
            expectation,
            policy=f"{gallery.gallery}/payroll-check/{expectation.point.name}",
            position=compared.position,
            known_non_duplicates=len(decided),
            roster=compared.roster,
        ),
        histogram=_histogram(compared, [*among.values(), *register.values()]),
        patterns=gallery_patterns(connection, gallery.gallery, same.groups, members),
        clusters=[*same.clusters, *other.clusters],
        findings=payroll_findings(compared, known, {name for key in register for name in key}),
    )


def _known(connection: Connection, compared: ComparedRoster) -> dict[PersonId, PersonRow]:
    """Everybody whom the roster or a hit names and who is enrolled, in whatever gallery."""
    wanted = {face.entry.person for face in compared.faces} | set(compared.best)
    rows = (persons.find(connection, person) for person in wanted if person is not None)
    return {row.person: row for row in rows if row is not None}


def _members(
    connection: Connection,
    stored_persons: StoredPersons,
    compared: ComparedRoster,
    known: Mapping[PersonId, PersonRow],
) -> dict[str, Member]:
    """Whoever is in a pair, by name, and was not erased since."""
    wanted = {name for key in (*compared.among, *compared.register) for name in key}
    members: dict[str, Member] = {}
    for face in compared.faces:
        name, entry = entry_name(face.entry.payroll), face.entry
        if name not in wanted:
            continue
        row = None if entry.person is None else known.get(entry.person)
        if face.photographed:
            status = None if row is None else row.status
            members[name] = Member(entry.person, None, payroll=entry.payroll, line=entry.line, status=status)
        elif row is not None:
            shown = enrolled_member(connection, stored_persons, row.person, face.encounters[-1])
            if shown is not None:
                members[name] = replace(shown, payroll=entry.payroll, line=entry.line)
    for person, encounter in compared.best.items():
        shown = enrolled_member(connection, stored_persons, person, encounter)
        if shown is not None:
            members[person_name(person)] = shown
    return members


def _decided(
    connection: Connection,
    joint_sealing: JointSealing,
    pairs: set[Pair],
    members: Mapping[str, Member],
    known: Mapping[PersonId, PersonRow],
) -> set[Pair]:
    """The pairs of enrolled persons whom analysts held for different people before."""
    pseudonyms: dict[Pair, tuple[Pseudonym, Pseudonym]] = {}
    for key in pairs:
        one, other = (known.get(person) if (person := members[name].person) is not None else None for name in key)
        if one is not None and other is not None and one.person != other.person:
            pseudonyms[key] = (one.pseudonym, other.pseudonym)
    return decided_pairs(connection, joint_sealing, pseudonyms)


def _vectors(compared: ComparedRoster) -> dict[str, Vectors]:
    found: dict[str, Vectors] = {
        entry_name(face.entry.payroll): face.vectors for face in compared.faces if face.missing is None
    }
    for person, vectors in compared.enrolled.of_people(set(compared.best)).items():
        found[person_name(person)] = vectors
    return found


def _histogram(compared: ComparedRoster, similarities: list[float]) -> Histogram:
    """Of the entries with the register; a person with their own number's face is no pair of different people."""
    point, enrolled = compared.expectation.point, compared.enrolled
    faces = [face for face in compared.faces if len(face.vectors)]
    vectors = np.concatenate([face.vectors for face in faces]) if faces else enrolled.vectors[:0]
    number = {person: at for at, person in enumerate(enrolled.people)}
    own = [
        number.get(face.entry.person, len(number) + at) if face.entry.person is not None else len(number) + at
        for at, face in enumerate(faces)
    ]
    owners = np.repeat(np.array(own, np.int64), [len(face.vectors) for face in faces])
    return histogram(
        (vectors, owners),
        (enrolled.vectors, enrolled.owners),
        seed=compared.position,
        threshold=point.threshold,
        pairs=compared.expectation.pairs,
        found=similarities,
    )
