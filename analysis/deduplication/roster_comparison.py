"""Compares a roster's faces with each other and with a register; it finds pairs and judges none of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.deduplication.entry_faces import EntryFace
from analysis.deduplication.expectation import Expectation, expect, pairs_within
from analysis.deduplication.pairs import Pair, entry_name, pair, person_name
from analysis.deduplication.references import References
from analysis.deduplication.roster import Roster
from idverify.galleries.definitions import GalleryDefinition
from idverify.ids import EncounterId, PersonId
from idverify.matching import self_join
from idverify.matching.self_join import HeldVectors


@dataclass(frozen=True, slots=True, eq=False)
class ComparedRoster:
    """A roster's faces, compared. Similarities at or above the threshold by pairs of names.

    `among`: two entries. `register`: an entry and somebody with another number. `best`: the encounter by which that
    person was found. `own`: positions of the entries whose own person looks like them.
    """

    roster: Roster
    gallery: GalleryDefinition
    position: int
    faces: Sequence[EntryFace]
    enrolled: References
    expectation: Expectation
    among: dict[Pair, float]
    register: dict[Pair, float]
    best: dict[PersonId, EncounterId]
    own: frozenset[int]


def _count_pairs(faces: Sequence[EntryFace], enrolled: References) -> int:
    """Comparisons among the entries and of each entry with everybody in the register but its own person."""
    own = np.bincount(enrolled.owners[enrolled.owners >= 0], minlength=len(enrolled.people))
    number = {person: at for at, person in enumerate(enrolled.people)}
    between = 0
    for face in faces:
        at = None if face.entry.person is None else number.get(face.entry.person)
        between += len(face.vectors) * (int(own.sum()) - (0 if at is None else int(own[at])))
    return pairs_within(len(face.vectors) for face in faces) + between


def compare(
    roster: Roster,
    gallery: GalleryDefinition,
    position: int,
    faces: Sequence[EntryFace],
    enrolled: References,
    *,
    fmr: float | None = None,
    budget: float | None = None,
) -> ComparedRoster:
    """All pairs of entries, and of entries and enrolled persons, that reach the threshold.

    The threshold follows from a false match rate or from a number of false pairs, see `expect`. Raises InvalidInput.
    """
    expectation = expect(gallery.calibration, _count_pairs(faces, enrolled), fmr=fmr, budget=budget)
    vectors = np.concatenate([face.vectors for face in faces]) if faces else enrolled.vectors[:0]
    held = HeldVectors(vectors, np.repeat(np.arange(len(faces)), [len(face.vectors) for face in faces]))
    threshold = expectation.point.threshold
    among: dict[Pair, float] = {}
    register: dict[Pair, float] = {}
    best: dict[PersonId, tuple[float, EncounterId]] = {}
    own = set(_own(faces, enrolled, gallery))
    if len(vectors):
        for block in self_join.pairs(held, None, threshold):
            for left, right, similarity in _rows(block):
                key = pair(
                    entry_name(faces[held.owners[left]].entry.payroll),
                    entry_name(faces[held.owners[right]].entry.payroll),
                )
                among[key] = max(among.get(key, -1.0), similarity)
    if len(vectors) and len(enrolled.owners):
        for block in self_join.pairs(held, enrolled, threshold):
            for left, right, similarity in _rows(block):
                at, person = int(held.owners[left]), enrolled.people[enrolled.owners[right]]
                if person == faces[at].entry.person:
                    own.add(at)
                else:
                    key = pair(entry_name(faces[at].entry.payroll), person_name(person))
                    register[key] = max(register.get(key, -1.0), similarity)
                    best[person] = max(
                        best.get(person, (-1.0, EncounterId(""))), (similarity, enrolled.encounters[right])
                    )
    best_encounters = {person: encounter for person, (_, encounter) in best.items()}
    return ComparedRoster(
        roster, gallery, position, faces, enrolled, expectation, among, register, best_encounters, frozenset(own)
    )


def _own(faces: Sequence[EntryFace], enrolled: References, gallery: GalleryDefinition) -> list[int]:
    """The entries that look like the enrolled person with their own number, as a verification would say."""
    threshold = gallery.calibration.at_fmr(gallery.policy.verification_fmr).threshold
    known = enrolled.of_people({face.entry.person for face in faces if face.entry.person is not None})
    return [
        at
        for at, face in enumerate(faces)
        if face.missing is None
        and face.entry.person in known
        and float((face.vectors @ known[face.entry.person].T).max()) >= threshold
    ]


def _rows(block: self_join.Block) -> list[tuple[int, int, float]]:
    return list(zip(block.left.tolist(), block.right.tolist(), block.similarity.tolist(), strict=True))
