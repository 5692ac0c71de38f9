"""Works out, before all pairs are compared, how many they are, the threshold and how many false pairs to expect.

Pure arithmetic on calibrated rates; it reads no gallery.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from idverify.errors import InvalidInput
from idverify.ids import PersonId
from idverify.matching.operating_point import STRICTEST_RATE, Calibration, OperatingPoint

LEAST_BUDGET = 1e-3
"""False pairs: one in a thousand searches."""
QUANTILES = 400
TWO_SIDED_95 = 1.959964
"""Deviations of the normal distribution within which 95 % lie."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a search of `pairs` comparisons at `point` announces.

    `expected` pairs of different people reach the threshold; in 95 of 100 such searches `low` to `high` of them do.
    """

    pairs: int
    point: OperatingPoint
    expected: float
    low: int
    high: int


def pairs_within(references: Iterable[int]) -> int:
    """Comparisons of references of different people, where each person has so many: (N^2 - sum n^2) / 2."""
    counts = list(references)
    return (sum(counts) ** 2 - sum(count * count for count in counts)) // 2


def pairs_between(left: Mapping[PersonId, int], right: Mapping[PersonId, int]) -> int:
    """Comparisons between two galleries; those of a person with themself are none."""
    own = sum(count * right[person] for person, count in left.items() if person in right)
    return sum(left.values()) * sum(right.values()) - own


def expect(
    calibration: Calibration, pairs: int, *, fmr: float | None = None, budget: float | None = None
) -> Expectation:
    """The threshold for a stated false match rate, or for a stated number of false pairs that can be reviewed.

    A rate looser than the loosest calibrated one becomes that. Raises InvalidInput.
    """
    if (fmr is None) == (budget is None):
        raise InvalidInput("duplicate search: expected either a false match rate or a budget of false pairs")
    if fmr is None:
        assert budget is not None  # noqa: S101  one of the two is given
        if not LEAST_BUDGET <= budget < math.inf:
            raise InvalidInput(f"budget of false pairs: expected {LEAST_BUDGET:g} or more, got {budget:g}")
        fmr = min(budget / max(pairs, 1), 0.5)
    elif not STRICTEST_RATE <= fmr <= 0.5:
        raise InvalidInput(f"false match rate: expected {STRICTEST_RATE:g} to 0.5, got {fmr:g}")
    point = calibration.at_fmr(fmr)
    low, high = interval(calibration, pairs, point)
    return Expectation(pairs, point, pairs * point.fmr, low, high)


def interval(calibration: Calibration, pairs: int, point: OperatingPoint) -> tuple[int, int]:
    """The 95 % prediction interval of the number of false pairs.

    The number is Poisson about pairs x FMR (ISO/IEC 19795-1 treats comparisons as independent), and the FMR itself is
    known within the calibration's 95 % interval only, taken as log-normal to either side: a mixture of Poissons.
    """
    from scipy import stats  # takes a second: only who plans a search needs it

    rates = np.array(calibration.rate_interval(point.threshold))
    steps = stats.norm.ppf((np.arange(QUANTILES) + 0.5) / QUANTILES)
    below, above = np.abs(np.log(rates) - math.log(point.fmr)) / TWO_SIDED_95
    means = pairs * point.fmr * np.exp(np.where(steps < 0, steps * below, steps * above))
    return _quantile(means, 0.025), _quantile(means, 0.975)


def _quantile(means: np.typing.NDArray[np.float64], share: float) -> int:
    """The smallest number that a mixture of Poissons of these means does not exceed with probability `share`."""
    from scipy import stats

    low, high = -1, int(stats.poisson.ppf(1 - 1e-12, means.max())) + 1
    while high - low > 1:
        middle = (low + high) // 2
        if stats.poisson.cdf(middle, means).mean() >= share:
            high = middle
        else:
            low = middle
    return high
