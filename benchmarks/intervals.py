"""Confidence intervals: the percentile bootstrap's, and the exact binomial one where errors are few."""

from dataclasses import dataclass
from math import exp, lgamma, log, log1p

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

CONFIDENCE = 0.95
FEW_PEOPLE = 10
"""Where fewer people than this ever fail, a percentile bootstrap is too narrow, and Clopper-Pearson widens it."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % confidence interval."""

    low: float
    high: float


def percentiles(replicates: Doubles) -> Interval:
    """The percentile bootstrap's interval; NaN replicates are left out."""
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(replicates, [tail, 1 - tail])
    return Interval(float(low), float(high))


def widened(interval: Interval, failing_people: int, people: int) -> Interval:
    """With few failing people, the hull of the interval and Clopper-Pearson's, so that it never claims [0, 0].

    People are the trials there ("does this person ever fail?"), because with so few errors nothing tells how alike the
    pairs of one person are; that errs to the wide side.
    """
    if failing_people >= FEW_PEOPLE:
        return interval
    exact = clopper_pearson(failing_people, people)
    return Interval(min(interval.low, exact.low), max(interval.high, exact.high))


def clopper_pearson(errors: int, trials: int) -> Interval:
    """The exact binomial interval for `errors` in `trials`; without errors its upper end is (1 - 0.025^(1/trials)).

    That is ISO/IEC 19795-1's "rule of 3" at a two-sided 95 %: 3.7 / trials.
    """
    tail = (1 - CONFIDENCE) / 2
    low = 0.0 if errors == 0 else _rate_where_at_most(errors - 1, trials, 1 - tail)
    high = 1.0 if errors == trials else _rate_where_at_most(errors, trials, tail)
    return Interval(low, high)


def _rate_where_at_most(errors: int, trials: int, wanted: float) -> float:
    """The error rate at which P(at most `errors` in `trials`) is `wanted`, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        rate = (low + high) / 2
        logs = (
            lgamma(trials + 1) - lgamma(k + 1) - lgamma(trials - k + 1) + k * log(rate) + (trials - k) * log1p(-rate)
            for k in range(errors + 1)
        )
        low, high = (rate, high) if sum(map(exp, logs)) > wanted else (low, rate)
    return (low + high) / 2
