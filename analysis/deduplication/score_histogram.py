"""Draws up the histogram of the scores of pairs of different people, for a report; it names no pair."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.deduplication.references import NOBODY, Floats, Rows

BIN_WIDTH = 0.02
SAMPLED_PAIRS = 500_000


@dataclass(frozen=True, slots=True)
class Histogram:
    """How pairs of different people score: `counts[k]` pairs lie in [lowest + k * width, lowest + (k + 1) * width).

    Below the threshold a count is estimated from `sampled` random pairs; from it upwards it is what was found.
    """

    lowest: float
    width: float
    counts: tuple[float, ...]
    sampled: int


def histogram(
    left: tuple[Floats, Rows],
    right: tuple[Floats, Rows],
    *,
    seed: int,
    threshold: float,
    pairs: int,
    found: Sequence[float],
) -> Histogram:
    """How the `pairs` pairs across two sides score: by a random sample below the threshold, as found from it upwards.

    Each side is unit vectors (n, d) and owners (n,), by the same numbers on both sides. `seed` draws the sample.
    """
    sampled = sampled_scores(left, right, np.random.default_rng(seed))
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
