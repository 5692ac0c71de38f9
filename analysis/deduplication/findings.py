"""Turns groups of look-alikes into what a report shows of them; it decides nothing and shows no template."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from analysis.deduplication.clusters import Group, Tie, evidence
from analysis.deduplication.references import NOBODY, Floats, Rows
from analysis.deduplication.report import CalibrationInput, Cluster, ClusterKind, GalleryInput, Histogram, Link, Member
from idverify.administration.deployment import Deployment
from idverify.galleries.definitions import GalleryDefinition
from idverify.ids import EncounterId, PersonId
from idverify.matching.operating_point import Calibration
from idverify.storage import encounters, images
from idverify.storage import galleries as gallery_table
from idverify.storage.database import Connection
from idverify.storage.encounters import EncounterRow

BIN_WIDTH = 0.02
SAMPLED_PAIRS = 500_000


def member(connection: Connection, deployment: Deployment, person: PersonId, encounter: EncounterId) -> Member | None:
    """The identity as a report shows it, by the visit whose face it was found by; None when it was erased since.

    Raises SealBroken.
    """
    opened_person = deployment.stored_persons.find(connection, person)
    if opened_person is None:
        return None
    row = encounters.get(connection, encounter)
    kept = None
    for image in images.images_of(connection, person):
        if image.encounter == encounter:
            kept = hashlib.sha256(deployment.stored_persons.photograph(opened_person, image)).hexdigest()
    shown = as_member(row, deployment.stored_persons.detail(opened_person, row))
    return replace(shown, status=opened_person.row.status, image=kept)


def as_member(row: EncounterRow, detail: Mapping[str, object]) -> Member:
    """A visit, with what is kept of it under its person's key, as reports and cases show it."""
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


def as_clusters(
    groups: Iterable[Group], members: Mapping[str, Member], calibration: Calibration, kind: ClusterKind
) -> list[Cluster]:
    """The groups as clusters, not yet numbered; `members` by the names that the groups use."""
    return [
        Cluster(
            number=0,
            kind=kind,
            members=tuple(members[name] for name in group.members),
            links=tuple(_link(tie, group, calibration) for tie in group.ties),
            evidence=evidence(calibration.rate_of(tie.similarity).fmr for tie in group.spanning()),
        )
        for group in groups
    ]


def by_strength(clusters: Iterable[Cluster]) -> list[Cluster]:
    """The clusters, the strongest evidence first; of the same, the one with the higher similarity."""
    return sorted(clusters, key=lambda one: (-one.evidence, -one.strongest.similarity, one.members[0].name))


def histogram(threshold: float, sampled: Floats, pairs: int, found: Sequence[float]) -> Histogram:
    """How `pairs` pairs score, by a random sample of them below the threshold and as found from it upwards."""
    # Bins are counted from the threshold, so that it is an edge of one.
    first = int(np.floor((-1 - threshold) / BIN_WIDTH))
    last = int(np.ceil((1 - threshold) / BIN_WIDTH))
    edges = threshold + BIN_WIDTH * np.arange(first, last + 1)
    below, _ = np.histogram(sampled[sampled < threshold], edges)
    above, _ = np.histogram(np.array([score for score in found if score >= threshold]), edges)
    counts = below * (pairs / len(sampled)) + above if len(sampled) else above.astype(float)
    return Histogram(float(edges[0]), BIN_WIDTH, tuple(round(float(count), 1) for count in counts), len(sampled))


def sampled_scores(left: tuple[Floats, Rows], right: tuple[Floats, Rows], random: np.random.Generator) -> Floats:
    """Similarities of random pairs of different owners; each side is vectors (n, d) and owners (n,)."""
    (vectors, owners), (other_vectors, other_owners) = left, right
    if not len(owners) or not len(other_owners):
        return np.empty(0, np.float32)
    one = random.integers(len(owners), size=SAMPLED_PAIRS)
    other = random.integers(len(other_owners), size=SAMPLED_PAIRS)
    wanted = (owners[one] != other_owners[other]) & (owners[one] != NOBODY) & (other_owners[other] != NOBODY)
    return np.concatenate(
        [
            np.einsum("nd,nd->n", vectors[rows], other_vectors[columns])
            for rows, columns in zip(np.array_split(one[wanted], 20), np.array_split(other[wanted], 20), strict=True)
        ]
    )


def gallery_input(connection: Connection, gallery: GalleryDefinition) -> GalleryInput:
    """The gallery as it is now."""
    counted = gallery_table.counts(connection, gallery.gallery)
    return GalleryInput(
        gallery.gallery, gallery.demonstration, gallery.policy.keep_images, counted.persons, counted.templates
    )


def calibration_inputs(calibration: Calibration) -> tuple[CalibrationInput, ...]:
    return tuple(
        CalibrationInput(
            point.fmr,
            point.threshold,
            point.threshold_low,
            point.threshold_high,
            point.non_mated_pairs,
            point.dataset,
            point.date,
        )
        for point in calibration.points
    )


def _link(tie: Tie, group: Group, calibration: Calibration) -> Link:
    rate = calibration.rate_of(tie.similarity)
    left, right = group.members.index(tie.left), group.members.index(tie.right)
    return Link(left, right, round(tie.similarity, 6), rate.fmr, rate.at_most, tie.found)
