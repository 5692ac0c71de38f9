"""From the pairs of a search to what its report says: clusters, their members, patterns, the distribution of scores."""

from collections.abc import Mapping, Sequence

import numpy as np

from analysis.deduplication.archive import Found
from analysis.deduplication.clusters import Group, Pair, Vectors, cluster
from analysis.deduplication.findings import (
    as_clusters,
    by_strength,
    calibration_inputs,
    gallery_input,
    histogram,
    member,
    sampled_scores,
)
from analysis.deduplication.found_pairs import FoundPair
from analysis.deduplication.patterns import Trait, patterns
from analysis.deduplication.plan import Plan, searched
from analysis.deduplication.references import NOBODY, References, Rows
from analysis.deduplication.report import ClusterKind, Histogram, Inputs, Member, Pattern, ReportKind
from idverify.administration.deployment import Deployment
from idverify.ids import GalleryId, PersonId
from idverify.storage import duplicates
from idverify.storage.database import Connection


def outcome(
    connection: Connection,
    deployment: Deployment,
    plan: Plan,
    sides: tuple[References, References | None],
    found: Mapping[Pair, FoundPair],
    known_non_duplicates: int,
) -> Found:
    """What `found` comes to. `sides`: the galleries that were compared, the second None for one with itself."""
    definition, other = searched(connection, deployment, plan.gallery, plan.against)
    point = plan.expectation.point
    members = _members(connection, deployment, found)
    groups = cluster(found, _vectors(members, sides), point.threshold)
    return Found(
        inputs=Inputs(
            kind=ReportKind.DUPLICATE_SEARCH,
            galleries=tuple(gallery_input(connection, one) for one in (definition, other) if one is not None),
            roster=None,
            audit_position=plan.position,
            model=definition.model,
            population=definition.population,
            policy=plan.policy,
            fmr=point.fmr,
            threshold=point.threshold,
            extrapolated=point.extrapolated,
            calibration=calibration_inputs(definition.calibration),
            pairs=plan.expectation.pairs,
            expected_false_pairs=plan.expectation.expected,
            false_pairs_low=plan.expectation.low,
            false_pairs_high=plan.expectation.high,
            known_non_duplicates=known_non_duplicates,
        ),
        histogram=_histogram(plan, sides, [one.similarity for one in found.values()]),
        patterns=gallery_patterns(connection, plan.gallery, groups, members),
        clusters=by_strength(as_clusters(groups, members, definition.calibration, ClusterKind.SAME_FACE)),
    )


def gallery_patterns(
    connection: Connection, gallery: GalleryId, groups: Sequence[Group], members: Mapping[str, Member]
) -> tuple[Pattern, ...]:
    """What the groups' members of this gallery have in common, against the gallery's own rates."""
    encounters = list(duplicates.encounters_in(connection, gallery))
    traits = [
        Trait(encounter.person, encounter.clerk, encounter.station, encounter.created_at[:10])
        for encounter in encounters
    ]
    position = {encounter.encounter: at for at, encounter in enumerate(encounters)}
    at = {
        name: position[one.encounter]
        for name, one in members.items()
        if one.encounter is not None and one.encounter in position
    }
    flagged = sorted({at[name] for group in groups for name in group.members if name in at})
    ties = [
        (at[tie.left], at[tie.right])
        for group in groups
        for tie in group.spanning()
        if tie.left in at and tie.right in at
    ]
    return patterns(traits, flagged, ties)


def _members(connection: Connection, deployment: Deployment, found: Mapping[Pair, FoundPair]) -> dict[str, Member]:
    """Everybody in a pair, by the visit that is most alike to somebody else's."""
    best: dict[PersonId, FoundPair] = {}
    for one in found.values():
        for person in (one.left, one.right):
            if person not in best or best[person].similarity < one.similarity:
                best[person] = one
    members: dict[str, Member] = {}
    for person, one in sorted(best.items()):
        encounter = one.left_encounter if one.left == person else one.right_encounter
        shown = member(connection, deployment, person, encounter)
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


def _histogram(plan: Plan, sides: tuple[References, References | None], similarities: Sequence[float]) -> Histogram:
    left, right = sides
    random = np.random.default_rng(plan.position)
    other = left.owners if right is None else _numbered_alike(right, left)
    sampled = sampled_scores((left.vectors, left.owners), ((right or left).vectors, other), random)
    return histogram(plan.expectation.point.threshold, sampled, plan.expectation.pairs, similarities)


def _numbered_alike(right: References, left: References) -> Rows:
    """The owners of `right` by the numbers that the same persons have in `left`; others by numbers of their own."""
    numbers = {person: at for at, person in enumerate(left.people)}
    own = [numbers.get(person, len(numbers) + at) for at, person in enumerate(right.people)]
    return np.array([*own, NOBODY], np.int64)[right.owners]
