"""States what was fixed before a search or a payroll check ran, for its report; it searches nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from analysis.deduplication.expectation import Expectation
from analysis.deduplication.roster import Roster, RosterDefect
from idverify.galleries.definitions import GalleryDefinition
from idverify.ids import GalleryId, ModelDigest
from idverify.matching.operating_point import Calibration
from idverify.storage import galleries as gallery_table
from idverify.storage.database import Connection


class ReportKind(StrEnum):
    DUPLICATE_SEARCH = "duplicate-search"
    PAYROLL_CHECK = "payroll-check"


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


def inputs_of(
    connection: Connection,
    kind: ReportKind,
    galleries: Sequence[GalleryDefinition],
    expectation: Expectation,
    *,
    policy: str,
    position: int,
    known_non_duplicates: int,
    roster: Roster | None = None,
) -> Inputs:
    """The inputs of a report; the first of `galleries` gives model and calibration, which all of them share.

    `position`: how many leaves the audit log had. `known_non_duplicates`: pairs left out because analysts decided that
    they are different people.
    """
    gallery, point = galleries[0], expectation.point
    return Inputs(
        kind=kind,
        galleries=tuple(_gallery_input(connection, one) for one in galleries),
        roster=None if roster is None else RosterInput(roster.sha256, len(roster.entries), roster.defects),
        audit_position=position,
        model=gallery.model,
        population=gallery.population,
        policy=policy,
        fmr=point.fmr,
        threshold=point.threshold,
        extrapolated=point.extrapolated,
        calibration=_calibration_inputs(gallery.calibration),
        pairs=expectation.pairs,
        expected_false_pairs=expectation.expected,
        false_pairs_low=expectation.low,
        false_pairs_high=expectation.high,
        known_non_duplicates=known_non_duplicates,
    )


def _gallery_input(connection: Connection, gallery: GalleryDefinition) -> GalleryInput:
    """The gallery as it is now."""
    counted = gallery_table.counts(connection, gallery.gallery)
    return GalleryInput(
        gallery.gallery, gallery.demonstration, gallery.policy.keep_images, counted.persons, counted.templates
    )


def _calibration_inputs(calibration: Calibration) -> tuple[CalibrationInput, ...]:
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
