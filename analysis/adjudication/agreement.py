"""Measures how far two analysts who review the same case blindly agree beyond chance; pure arithmetic."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

_TWO_SIDED_95 = 1.959964
MIN_PAIRS = 10
"""Fewer double reviews than this say nothing worth a number."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """`share` of `pairs` double reviews in which both found the same, and Cohen's kappa, with 95 % intervals.

    Kappa is 1 for complete agreement and 0 for what two people who guess by the same habits would reach. `kappa` is
    None when everybody always found the same one thing: chance explains it as well as skill.
    """

    pairs: int
    share: float
    share_low: float
    share_high: float
    kappa: float | None
    kappa_low: float | None
    kappa_high: float | None


def agreement(reviews: Sequence[tuple[str, str]]) -> Agreement | None:
    """Agreement over pairs of findings (the first analyst's, the second's); None for fewer than MIN_PAIRS.

    Kappa after Cohen (1960); its interval by the large-sample variance of Fleiss, Cohen and Everitt (1969), eq. 13. The
    share's interval is Wilson's.
    """
    pairs = len(reviews)
    if pairs < MIN_PAIRS:
        return None
    share = sum(first == second for first, second in reviews) / pairs
    low, high = _wilson(share, pairs)
    firsts, seconds = Counter(first for first, _ in reviews), Counter(second for _, second in reviews)
    by_chance = sum(firsts[code] * seconds[code] for code in firsts) / pairs**2
    if by_chance == 1:
        return Agreement(pairs, share, low, high, None, None, None)
    kappa = (share - by_chance) / (1 - by_chance)
    deviation = _TWO_SIDED_95 * math.sqrt(_variance(Counter(reviews), firsts, seconds, share, by_chance))
    return Agreement(pairs, share, low, high, kappa, max(kappa - deviation, -1.0), min(kappa + deviation, 1.0))


def _variance(
    table: Counter[tuple[str, str]], firsts: Counter[str], seconds: Counter[str], share: float, by_chance: float
) -> float:
    pairs = table.total()
    kappa = (share - by_chance) / (1 - by_chance)
    on_diagonal = sum(
        table[code, code] / pairs * (1 - (firsts[code] + seconds[code]) / pairs * (1 - kappa)) ** 2 for code in firsts
    )
    beside_it = sum(
        number / pairs * ((seconds[first] + firsts[second]) / pairs) ** 2
        for (first, second), number in table.items()
        if first != second
    )
    total = on_diagonal + (1 - kappa) ** 2 * beside_it - (kappa - by_chance * (1 - kappa)) ** 2
    return max(total, 0.0) / (pairs * (1 - by_chance) ** 2)


def _wilson(share: float, number: int) -> tuple[float, float]:
    """Wilson's score interval of a proportion (1927)."""
    squared = _TWO_SIDED_95**2
    middle = share + squared / (2 * number)
    spread = _TWO_SIDED_95 * math.sqrt(share * (1 - share) / number + squared / (4 * number**2))
    return (middle - spread) / (1 + squared / number), (middle + spread) / (1 + squared / number)
