"""Error rates, the thresholds that give them and how sure we can be: the words and rules of ISO/IEC 19795-1.

A comparison matches when its score is at or above the threshold. Nothing is extrapolated: a false match rate that
takes more pairs than there are has no threshold here.
"""

from dataclasses import dataclass
from math import floor

import numpy as np
import numpy.typing as npt

from benchmarks.comparisons import LOOSEST_FMR, Comparisons, Floats, PopulationInvalid, non_mated_weight
from benchmarks.intervals import Doubles, Interval, percentiles, widened

TARGETS = (1e-3, 1e-4, 1e-5, 1e-6)
"""The false match rates that operating points are made for. NIST SP 800-63A asks for 1e-4 or less at 1:1; searches
among many people need smaller ones."""
TIGHTEST_FMR = TARGETS[-1]
POINTS_PER_DECADE = 10
"""Of a DET curve, between LOOSEST_FMR and TIGHTEST_FMR."""
STEPS_PER_UNIT = 1_000_000
"""Thresholds are whole millionths, so that the decimal which is written is the one that was tested."""
RULE_OF_30 = 30
"""Errors that it takes for the true rate to lie within 30 % of the observed one, 90 % sure (Doddington's rule)."""
ROUNDING = 1e-9
"""Added to "allowed pairs" so that 1e-3 x 1,000 allows one pair whatever the floating point makes of the product."""


@dataclass(frozen=True, slots=True)
class OperatingRate:
    """What one false match rate costs; `exceedances` non-mated pairs lie at or above the threshold."""

    target_fmr: float
    threshold: float
    threshold_interval: Interval
    fnmr: float
    fnmr_interval: Interval
    exceedances: int


def curve_targets() -> tuple[float, ...]:
    """The false match rates of a DET curve's points, ascending; TARGETS are among them, exactly."""
    decades = np.log10(LOOSEST_FMR / TIGHTEST_FMR)
    rates = np.logspace(np.log10(TIGHTEST_FMR), np.log10(LOOSEST_FMR), round(decades * POINTS_PER_DECADE) + 1)
    return tuple(next((target for target in TARGETS if np.isclose(target, rate)), float(rate)) for rate in rates)


def attainable(target: float, trials: float) -> bool:
    """Whether `target` of the trials is at least one of them; otherwise no threshold can be read off."""
    return target * trials + ROUNDING >= 1


def just_above(scores: npt.NDArray[np.floating]) -> Doubles:
    """For each score the smallest threshold (a whole number of STEPS_PER_UNIT-ths) that it does not reach."""
    return (np.floor(scores.astype(np.float64) * STEPS_PER_UNIT) + 1) / STEPS_PER_UNIT


def threshold_at(target: float, highest: Floats, trials: int) -> float:
    """The smallest threshold that at most `target` of the trials reach; equal scores stay out together.

    `highest`: the highest scores of the trials, descending; if all of them may match, the threshold lies above the
    lowest of them, which errs to the strict side. Raises ValueError when not attainable.
    """
    if not attainable(target, trials):
        raise ValueError(f"a rate of {target:g} needs at least {1 / target:,.0f} comparisons, got {trials:,}")
    first_out = floor(target * trials + ROUNDING)
    return float(just_above(highest[min(first_out, len(highest) - 1)][None])[0])


def below(ascending: Floats, threshold: float) -> int:
    """How many of the scores (ascending) miss the threshold."""
    return int(np.searchsorted(ascending, threshold, side="left"))


def operating_rates(
    comparisons: Comparisons, targets: tuple[float, ...], *, replicates: int = 1000, seed: int = 19795
) -> dict[float, OperatingRate]:
    """Threshold and FNMR at each attainable target FMR, with 95 % intervals from a bootstrap over people.

    Raises PopulationInvalid without any mated or non-mated pair.
    """
    mated, pairs = comparisons.mated, comparisons.non_mated_pairs
    if len(mated) == 0 or pairs == 0:
        raise PopulationInvalid("error rates need somebody with two processed photographs, and somebody else")
    reachable = tuple(target for target in targets if attainable(target, pairs))
    thresholds, fnmrs = bootstrap(comparisons, reachable, replicates=replicates, seed=seed)
    mated_people = len(np.unique(comparisons.mated_person))
    rates = {}
    for column, target in enumerate(reachable):
        threshold = threshold_at(target, comparisons.exceeding, pairs)
        misses = below(mated, threshold)
        failing_people = len(np.unique(comparisons.mated_person[:misses]))
        rates[target] = OperatingRate(
            target_fmr=target,
            threshold=threshold,
            threshold_interval=percentiles(thresholds[:, column]),
            fnmr=misses / len(mated),
            fnmr_interval=widened(percentiles(fnmrs[:, column]), failing_people, mated_people),
            exceedances=int(np.count_nonzero(comparisons.exceeding >= threshold)),
        )
    return rates


def bootstrap(
    comparisons: Comparisons, targets: tuple[float, ...], *, replicates: int, seed: int
) -> tuple[Doubles, Doubles]:
    """Thresholds and FNMRs at the targets in each replicate, both of shape (replicates, targets).

    People, not pairs, are drawn with replacement, because the pairs of one person are not independent (Bolle, Ratha and
    Pankanti, "Error analysis of pattern recognition systems: the subsets bootstrap", 2004; ISO/IEC 19795-1). A person
    drawn w times gives each mated pair the weight w; a pair of two people has the product of their weights (Owen,
    "The pigeonhole bootstrap", 2007, who shows it errs to the wide side). Each replicate finds its own thresholds, so
    the FNMR's interval covers that the threshold, too, was estimated. A replicate without any pair is NaN.
    """
    generator = np.random.default_rng(seed)
    thresholds = np.full((replicates, len(targets)), np.nan)
    fnmrs = np.full((replicates, len(targets)), np.nan)
    chances = np.full(comparisons.people, 1 / comparisons.people)
    first, second = comparisons.exceeding_people.T
    for replicate in range(replicates):
        drawn = generator.multinomial(comparisons.people, chances).astype(np.float64)
        missed_weight = np.concatenate([[0.0], np.cumsum(drawn[comparisons.mated_person])])
        all_pairs_weight = non_mated_weight(drawn * comparisons.photographs)
        if missed_weight[-1] == 0 or all_pairs_weight == 0:
            continue
        matched_weight = np.cumsum(drawn[first] * drawn[second])
        first_out = np.searchsorted(matched_weight, np.array(targets) * all_pairs_weight + ROUNDING, side="right")
        thresholds[replicate] = just_above(comparisons.exceeding[np.minimum(first_out, len(matched_weight) - 1)])
        misses = np.searchsorted(comparisons.mated, thresholds[replicate], side="left")
        fnmrs[replicate] = missed_weight[misses] / missed_weight[-1]
    return thresholds, fnmrs
