"""Error rates of groups of people at the thresholds that all share: what is fair on average need not be fair to each.

The false match rate of a group is that of pairs within it, where strangers look most alike (NIST IR 8280).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.comparisons import Comparisons, non_mated_weight
from benchmarks.statistics import OperatingRate


@dataclass(frozen=True, slots=True)
class GroupRates:
    """One group: its pairs and, for each target of the whole, its own FMR and FNMR at the whole's threshold."""

    people: int
    mated_pairs: int
    non_mated_pairs: int
    fmr: dict[float, float]
    fnmr: dict[float, float]


def rates_by_group(
    comparisons: Comparisons, groups: Sequence[int], rates: dict[float, OperatingRate]
) -> dict[int, GroupRates]:
    """`groups`: the group of each person, by the comparisons' person index; groups without pairs are left out."""
    group = np.array(groups)
    both = group[comparisons.exceeding_people]
    within = both[:, 0] == both[:, 1]
    result = {}
    for name in sorted(set(groups)):
        mated = comparisons.mated[group[comparisons.mated_person] == name]
        impostors = comparisons.exceeding[within & (both[:, 0] == name)]
        pairs = int(non_mated_weight(np.where(group == name, comparisons.photographs, 0).astype(np.float64)))
        if len(mated) == 0 or pairs == 0:
            continue
        result[name] = GroupRates(
            people=int(np.count_nonzero(group == name)),
            mated_pairs=len(mated),
            non_mated_pairs=pairs,
            fmr={target: np.count_nonzero(impostors >= rate.threshold) / pairs for target, rate in rates.items()},
            fnmr={target: float(np.mean(mated < rate.threshold)) for target, rate in rates.items()},
        )
    return result
