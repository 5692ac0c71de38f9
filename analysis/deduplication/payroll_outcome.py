"""From a compared roster to what its report says: look-alikes among the entries and in the register, and the rest."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from analysis.deduplication.archive import Found
from analysis.deduplication.clusters import Pair, Vectors, cluster
from analysis.deduplication.entry_faces import EntryFace
from analysis.deduplication.findings import (
    as_clusters,
    by_strength,
    calibration_inputs,
    gallery_input,
    histogram,
    member,
    sampled_scores,
)
from analysis.deduplication.report import (
    ClusterKind,
    Histogram,
    Inputs,
    Member,
    PayrollFinding,
    PayrollFindingKind,
    ReportKind,
    RosterInput,
)
from analysis.deduplication.roster_comparison import PERSON, ComparedRoster, entry_name
from analysis.deduplication.search_outcome import gallery_patterns
from idverify.administration.deployment import Deployment
from idverify.ids import PersonId
from idverify.storage import duplicates, persons
from idverify.storage.database import Connection
from idverify.storage.persons import PersonRow, PersonStatus

_NOT_ENROLLED = "the person's number is not in the register: never enrolled, or erased"


def outcome(connection: Connection, deployment: Deployment, compared: ComparedRoster) -> Found:
    """What the comparison comes to, as of the caller's transaction: who was erased meanwhile is in none of it."""
    calibration, threshold = compared.gallery.calibration, compared.expectation.point.threshold
    known = _known(connection, compared)
    members = _members(connection, deployment, compared, known)
    # Pairs of somebody who was erased meanwhile go with them.
    among, register = (
        {key: score for key, score in pairs.items() if members.keys() >= set(key)}
        for pairs in (compared.among, compared.register)
    )
    decided = _decided(connection, deployment, {*among, *register}, members, known)
    vectors = _vectors(compared)
    same = cluster(among.keys() - decided, vectors, threshold)
    other = cluster(register.keys() - decided, vectors, threshold)
    findings = _findings(compared, known, {name for key in register for name in key})
    return Found(
        inputs=_inputs(connection, compared, len(decided)),
        histogram=_histogram(compared, [*among.values(), *register.values()]),
        patterns=gallery_patterns(connection, compared.gallery.gallery, same, members),
        clusters=[
            *by_strength(as_clusters(same, members, calibration, ClusterKind.SAME_FACE)),
            *by_strength(as_clusters(other, members, calibration, ClusterKind.OTHER_NUMBER)),
        ],
        findings=sorted(findings, key=lambda one: (list(PayrollFindingKind).index(one.kind), one.line)),
    )


def _known(connection: Connection, compared: ComparedRoster) -> dict[PersonId, PersonRow]:
    """Everybody whom the roster or a hit names and who is enrolled, in whatever gallery."""
    wanted = {face.entry.person for face in compared.faces} | set(compared.best)
    rows = (persons.find(connection, person) for person in wanted if person is not None)
    return {row.person: row for row in rows if row is not None}


def _members(
    connection: Connection, deployment: Deployment, compared: ComparedRoster, known: Mapping[PersonId, PersonRow]
) -> dict[str, Member]:
    """Whoever stands in a pair, by name, and is still there."""
    wanted = {name for key in (*compared.among, *compared.register) for name in key}
    members: dict[str, Member] = {}
    for face in compared.faces:
        name, entry = entry_name(face), face.entry
        if name not in wanted:
            continue
        row = None if entry.person is None else known.get(entry.person)
        if face.photographed:
            status = None if row is None else row.status
            members[name] = Member(entry.person, None, payroll=entry.payroll, line=entry.line, status=status)
        elif row is not None:
            shown = member(connection, deployment, row.person, face.encounters[-1])
            if shown is not None:
                members[name] = replace(shown, payroll=entry.payroll, line=entry.line)
    for person, encounter in compared.best.items():
        shown = member(connection, deployment, person, encounter)
        if shown is not None:
            members[f"{PERSON}{person}"] = shown
    return members


def _decided(
    connection: Connection,
    deployment: Deployment,
    pairs: set[Pair],
    members: Mapping[str, Member],
    known: Mapping[PersonId, PersonRow],
) -> set[Pair]:
    """The pairs of enrolled persons whom analysts held for different people before."""
    names: dict[Pair, bytes] = {}
    for key in pairs:
        one, other = (known.get(person) if (person := members[name].person) is not None else None for name in key)
        if one is not None and other is not None and one.person != other.person:
            names[key] = deployment.joint_sealing.pair(one.pseudonym, other.pseudonym)
    decided = duplicates.decided_pairs(connection, names.values())
    return {key for key, name in names.items() if name in decided}


def _vectors(compared: ComparedRoster) -> dict[str, Vectors]:
    found: dict[str, Vectors] = {entry_name(face): face.vectors for face in compared.faces if face.missing is None}
    for person, vectors in compared.enrolled.of_people(set(compared.best)).items():
        found[f"{PERSON}{person}"] = vectors
    return found


def _findings(compared: ComparedRoster, known: Mapping[PersonId, PersonRow], hit: set[str]) -> Iterator[PayrollFinding]:
    for at, face in enumerate(compared.faces):
        row = None if face.entry.person is None else known.get(face.entry.person)
        if face.missing is not None:
            yield _finding(face, PayrollFindingKind.NO_FACE, face.missing)
        elif at not in compared.own and entry_name(face) not in hit:
            against = ", and not like the person with its own number" if row is not None else ""
            yield _finding(face, PayrollFindingKind.UNKNOWN_FACE, f"looks like nobody in the register{against}")
        if face.entry.person is not None and row is None:
            yield _finding(face, PayrollFindingKind.NOT_ENROLLED, _NOT_ENROLLED)
        if row is not None and row.status == PersonStatus.DECEASED:
            yield _finding(face, PayrollFindingKind.DECEASED, "the register marks this person as deceased")


def _finding(face: EntryFace, kind: PayrollFindingKind, told: str) -> PayrollFinding:
    return PayrollFinding(0, kind, face.entry.payroll, face.entry.person, face.entry.line, told)


def _inputs(connection: Connection, compared: ComparedRoster, known_non_duplicates: int) -> Inputs:
    expectation, roster = compared.expectation, compared.roster
    point = expectation.point
    return Inputs(
        kind=ReportKind.PAYROLL_CHECK,
        galleries=(gallery_input(connection, compared.gallery),),
        roster=RosterInput(roster.sha256, len(roster.entries), roster.defects),
        audit_position=compared.position,
        model=compared.gallery.model,
        population=compared.gallery.population,
        policy=f"{compared.gallery.gallery}/payroll-check/{point.name}",
        fmr=point.fmr,
        threshold=point.threshold,
        extrapolated=point.extrapolated,
        calibration=calibration_inputs(compared.gallery.calibration),
        pairs=expectation.pairs,
        expected_false_pairs=expectation.expected,
        false_pairs_low=expectation.low,
        false_pairs_high=expectation.high,
        known_non_duplicates=known_non_duplicates,
    )


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
    sampled = sampled_scores(
        (vectors, owners), (enrolled.vectors, enrolled.owners), np.random.default_rng(compared.position)
    )
    return histogram(point.threshold, sampled, compared.expectation.pairs, similarities)
