"""Turns the pairs that a duplicate search found into the content of its report. It keeps nothing."""

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.deduplication.clusters import ClusterKind, Vectors, clustered
from analysis.deduplication.found_pairs import FoundPair
from analysis.deduplication.inputs import ReportKind, inputs_of
from analysis.deduplication.members import enrolled_member
from analysis.deduplication.pairs import Pair
from analysis.deduplication.patterns import gallery_patterns
from analysis.deduplication.references import NOBODY, References, Rows
from analysis.deduplication.report import ReportContent
from analysis.deduplication.score_histogram import Histogram, histogram
from analysis.deduplication.search_plan import SearchPlan
from idverify.galleries.definitions import GalleryDefinition
from idverify.ids import PersonId
from idverify.storage.database import Connection
from idverify.stored.case_evidence import Member
from idverify.stored.persons import StoredPersons


def outcome(
    connection: Connection,
    stored_persons: StoredPersons,
    plan: SearchPlan,
    galleries: tuple[GalleryDefinition, GalleryDefinition | None],
    sides: tuple[References, References | None],
    found: Mapping[Pair, FoundPair],
    known_non_duplicates: int,
) -> ReportContent:
    """What `found` comes to. `galleries` and `sides`: what was compared, the second None for one with itself.

    Raises SealBroken.
    """
    definition, point = galleries[0], plan.expectation.point
    members = _members(connection, stored_persons, found)
    vectors = _vectors(members, sides)
    same = clustered(found, vectors, point.threshold, ClusterKind.SAME_FACE, members, definition.calibration)
    return ReportContent(
        inputs=inputs_of(
            connection,
            ReportKind.DUPLICATE_SEARCH,
            [one for one in galleries if one is not None],
            plan.expectation,
            policy=plan.policy,
            position=plan.position,
            known_non_duplicates=known_non_duplicates,
        ),
        histogram=_histogram(plan, sides, [one.similarity for one in found.values()]),
        patterns=gallery_patterns(connection, plan.gallery, same.groups, members),
        clusters=same.clusters,
    )


def _members(
    connection: Connection, stored_persons: StoredPersons, found: Mapping[Pair, FoundPair]
) -> dict[str, Member]:
    """Everybody in a pair, by the encounter that is most alike to somebody else's."""
    best: dict[PersonId, FoundPair] = {}
    for one in found.values():
        for person in (one.left, one.right):
            if person not in best or best[person].similarity < one.similarity:
                best[person] = one
    members: dict[str, Member] = {}
    for person, one in sorted(best.items()):
        encounter = one.left_encounter if one.left == person else one.right_encounter
        shown = enrolled_member(connection, stored_persons, person, encounter)
        assert shown is not None  # noqa: S101  a pair of somebody who was erased does not open
        members[person] = shown
    return members


def _vectors(people: Mapping[str, Member], sides: tuple[References, References | None]) -> dict[str, Vectors]:
    """All references of these people on both sides."""
    wanted = {PersonId(name) for name in people}
    found: dict[str, list[Vectors]] = {}
    for side in sides:
        if side is not None:
            for person, vectors in side.of_people(wanted).items():
                found.setdefault(person, []).append(vectors)
    return {person: np.concatenate(vectors) for person, vectors in found.items()}


def _histogram(
    plan: SearchPlan, sides: tuple[References, References | None], similarities: Sequence[float]
) -> Histogram:
    left, right = sides
    other = left.owners if right is None else _numbered_alike(right, left)
    return histogram(
        (left.vectors, left.owners),
        ((right or left).vectors, other),
        seed=plan.position,
        threshold=plan.expectation.point.threshold,
        pairs=plan.expectation.pairs,
        found=similarities,
    )


def _numbered_alike(right: References, left: References) -> Rows:
    """The owners of `right` by the numbers that the same persons have in `left`; others by numbers of their own."""
    numbers = {person: at for at, person in enumerate(left.people)}
    own = [numbers.get(person, len(numbers) + at) for at, person in enumerate(right.people)]
    return np.array([*own, NOBODY], np.int64)[right.owners]
