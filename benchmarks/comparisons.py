"""Every comparison between the photographs of a population, in blocks, keeping what error rates need and no more.

All mated scores are kept; of the non-mated ones only the highest, so 88 million pairs fit in well under 2 GiB.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]

BLOCK_ROWS = 256
LOOSEST_FMR = 1e-2
"""The highest false match rate that can be read off the kept scores."""
MARGIN = 1.5
"""How far beyond LOOSEST_FMR scores are kept: a bootstrap replicate's threshold falls below that of the whole."""
KEEP_AT_LEAST = 200_000
"""Scores of a small population, where a margin of a few pairs would be too little."""


class PopulationInvalid(ValueError):
    """The pictures are not there, not those that the pairs file names, or too few for any rate."""


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """The outcome of comparing a population with itself.

    mated: scores, ascending, shape (m,); mated_person: index of the person of each.
    exceeding: the highest non-mated scores, descending, shape (k,); exceeding_people: the two people of each, (k, 2).
    photographs: how many each person has, shape (people,).
    """

    mated: Floats
    mated_person: Ints
    exceeding: Floats
    exceeding_people: Ints
    photographs: Ints

    @property
    def people(self) -> int:
        return len(self.photographs)

    @property
    def non_mated_pairs(self) -> int:
        return int(non_mated_weight(self.photographs.astype(np.float64)))


def non_mated_weight(weights: npt.NDArray[np.float64]) -> float:
    """Sum over all pairs of different people p < q of weights[p] * weights[q]."""
    return float((weights.sum() ** 2 - (weights**2).sum()) / 2)


def compare_all(references: Floats, probes: Floats, person: Ints) -> Comparisons:
    """Score every pair i < j of n photographs as references[i] . probes[j], shapes (n, d); each pair counts once.

    `person` holds each photograph's person as 0 .. people-1, ascending: the photographs of one person stand together.
    Raises ValueError when they do not.
    """
    if len(person) == 0 or person[0] != 0 or np.any((np.diff(person) != 0) & (np.diff(person) != 1)):
        raise ValueError("person: expected indices 0, 0, 1, 2, 2, ... ascending without gaps")
    photographs = np.bincount(person).astype(np.int32)
    mated, mated_person = _mated(references, probes, photographs)
    pairs = int(non_mated_weight(photographs.astype(np.float64)))
    keep = min(pairs, max(int(pairs * LOOSEST_FMR * MARGIN), KEEP_AT_LEAST))
    exceeding, exceeding_people = _highest_non_mated(references, probes, person, photographs, keep)
    return Comparisons(mated, mated_person, exceeding, exceeding_people, photographs)


def _mated(references: Floats, probes: Floats, photographs: Ints) -> tuple[Floats, Ints]:
    scores: list[Floats] = [np.empty(0, np.float32)]
    owners: list[Ints] = [np.empty(0, np.int32)]
    end = 0
    for index, count in enumerate(photographs):
        start, end = end, end + int(count)
        upper = np.triu_indices(int(count), k=1)
        scores.append((references[start:end] @ probes[start:end].T)[upper])
        owners.append(np.full(len(upper[0]), index, np.int32))
    all_scores, all_owners = np.concatenate(scores), np.concatenate(owners)
    order = np.argsort(all_scores, kind="stable")
    return all_scores[order], all_owners[order]


def _highest_non_mated(
    references: Floats, probes: Floats, person: Ints, photographs: Ints, keep: int
) -> tuple[Floats, Ints]:
    """The `keep` highest scores between different people: a floor rises as the buffer fills, so one pass is enough."""
    scores, people, floor = np.empty(0, np.float32), np.empty((0, 2), np.int32), -np.inf
    for block_scores, block_people in _non_mated_blocks(references, probes, person, photographs):
        above = block_scores >= floor
        scores = np.concatenate([scores, block_scores[above]])
        people = np.concatenate([people, block_people[above]])
        if len(scores) > 2 * keep:
            best = np.argpartition(scores, len(scores) - keep)[-keep:] if keep else slice(0)
            scores, people = scores[best], people[best]
            floor = float(scores.min(initial=np.inf))
    order = np.argsort(-scores, kind="stable")[:keep]
    return scores[order], people[order]


def _non_mated_blocks(
    references: Floats, probes: Floats, person: Ints, photographs: Ints
) -> Iterator[tuple[Floats, Ints]]:
    first_of_the_next_person = np.cumsum(photographs)[person]
    for start in range(0, len(person), BLOCK_ROWS):
        rows = slice(start, start + BLOCK_ROWS)
        block = references[rows] @ probes[start:].T
        columns = np.arange(start, len(person))
        row, column = np.nonzero(columns[None, :] >= first_of_the_next_person[rows, None])
        pair_people = np.stack([person[rows][row], person[start:][column]], axis=1)
        yield block[row, column], pair_people
