"""Open-set search: how often a person in the gallery is missed (FNIR) when so many strangers raise a candidate (FPIR).

It measures exact search; the approximate gallery's own loss is another benchmark's matter.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.comparisons import Floats, Ints
from benchmarks.intervals import Interval
from benchmarks.statistics import attainable, threshold_at

FPIR_TARGETS = (0.1, 0.01)


@dataclass(frozen=True, slots=True)
class SearchRates:
    """FNIR at each FPIR, averaged over the splits, and the least and most that a split gave.

    gallery_people, mated_searches and non_mated_searches are those of a split, on average.
    """

    fnir: dict[float, float]
    range: dict[float, Interval]
    splits: int
    gallery_people: int
    mated_searches: int
    non_mated_searches: int


def search_rates(
    references: Floats, probes: Floats, person: Ints, *, splits: int = 10, seed: int = 29794
) -> SearchRates:
    """Split the people in halves `splits` times; enrol one half, search for both.

    A person's reference is their first photograph; the mated searches are with their others, the non-mated ones with
    all photographs of the half that is not enrolled. A search is a miss when the person's own candidate scores below
    the threshold, whatever its rank (ISO/IEC 19795-1 FNIR(N, T), candidate lists of any length). Targets for which
    there are too few searches are left out. Arrays as in `comparisons.compare_all`.
    """
    generator = np.random.default_rng(seed)
    people = int(person[-1]) + 1
    first = np.searchsorted(person, np.arange(people))
    is_first = np.zeros(len(person), bool)
    is_first[first] = True
    own_score = np.einsum("nd,nd->n", references[first][person], probes)
    fnir: dict[float, list[float]] = {}
    counts: list[tuple[int, int, int]] = []
    for _ in range(splits):
        enrolled = np.zeros(people, bool)
        enrolled[generator.permutation(people)[: people // 2]] = True
        mated = own_score[enrolled[person] & ~is_first]
        non_mated = _best_candidates(probes[~enrolled[person]], references[first[enrolled]])
        counts.append((int(enrolled.sum()), len(mated), len(non_mated)))
        for target in FPIR_TARGETS:
            if len(mated) and attainable(target, len(non_mated)):
                threshold = threshold_at(target, -np.sort(-non_mated), len(non_mated))
                fnir.setdefault(target, []).append(float(np.mean(mated < threshold)))
    gallery, mates, strangers = np.mean(counts, axis=0).round().astype(int).tolist()
    return SearchRates(
        fnir={target: float(np.mean(values)) for target, values in fnir.items()},
        range={target: Interval(min(values), max(values)) for target, values in fnir.items()},
        splits=splits,
        gallery_people=gallery,
        mated_searches=mates,
        non_mated_searches=strangers,
    )


def _best_candidates(probes: Floats, gallery: Floats, block_rows: int = 1024) -> Floats:
    """The highest score of each probe against the gallery, shape (probes,)."""
    best = [(probes[at : at + block_rows] @ gallery.T).max(axis=1) for at in range(0, len(probes), block_rows)]
    return np.concatenate(best)
