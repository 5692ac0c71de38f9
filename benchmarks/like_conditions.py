"""Operating points for rendered citizens captured in given conditions: other people than those whom a benchmark plants.

Thresholds hold for the conditions that they were calibrated in; these are for one run and stand in no manifest.
"""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from benchmarks import planted
from benchmarks.comparisons import compare_all
from benchmarks.planted import PAYROLL, Conditions
from benchmarks.statistics import TARGETS, operating_rates
from idverify.matching.operating_point import CalibratedPoint, OperatingPoints, Population
from idverify.vision.reader import Reader, ReadingPolicy

FIRST_SEED = 5_000_000
"""Nobody of these is planted (`planted.FIRST_SEED`) or stands in the manifest's calibration."""
VISITS = 2


def calibrate(
    reader: Reader,
    policy: ReadingPolicy,
    conditions: Conditions,
    *,
    people: int,
    frames: int,
    threads: int,
    cache: Path | None,
    replicates: int = 1000,
) -> OperatingPoints:
    """Compare `people` citizens at two visits each, reference with reference as a duplicate search does.

    FMR 1e-6 takes 30 false matches (the rule of 30), so 30 million pairs: 3,900 people. Raises PopulationInvalid.
    """
    visits = [
        planted.rendered(conditions, PAYROLL, f"K-{at}-{visit}", FIRST_SEED + at, visit)
        for at in range(people)
        for visit in range(VISITS)
    ]
    found = planted.vectors(visits, reader, policy, conditions=conditions, frames=frames, threads=threads, cache=cache)
    kept = [(one.face, row) for one, row in zip(visits, found, strict=True) if row is not None]
    references = np.stack([row for _, row in kept])
    _, person = np.unique([face for face, _ in kept], return_inverse=True)
    comparisons = compare_all(references, references, person.astype(np.int32))
    rates = operating_rates(comparisons, TARGETS, replicates=replicates)
    return OperatingPoints(
        CalibratedPoint(
            embedder=reader.model,
            population=Population.RENDERED,
            fmr=rate.target_fmr,
            threshold=rate.threshold,
            threshold_low=rate.threshold_interval.low,
            threshold_high=rate.threshold_interval.high,
            fnmr=rate.fnmr,
            mated_pairs=len(comparisons.mated),
            non_mated_pairs=comparisons.non_mated_pairs,
            dataset=f"{people} rendered citizens, {conditions}, best of {frames}",
            date=datetime.now(UTC).date().isoformat(),
        )
        for rate in rates.values()
    )
