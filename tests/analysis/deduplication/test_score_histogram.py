"""The histogram counts every pair: an estimate below the threshold, what was found from it upwards."""

import numpy as np
import pytest

from analysis.deduplication.references import NOBODY
from analysis.deduplication.score_histogram import SAMPLED_PAIRS, Histogram, histogram, sampled_scores

THRESHOLD = 0.5
VECTORS = np.array([[1, 0], [0, 1], [0.6, 0.8], [1, 0]], np.float32)
OWNERS = np.array([0, 1, 2, NOBODY])


def of_all(found: list[float], owners: np.ndarray = OWNERS) -> Histogram:
    side = (VECTORS, owners)
    return histogram(side, side, seed=7, threshold=THRESHOLD, pairs=3, found=found)


def above(drawn: Histogram) -> float:
    """How many pairs lie at or above the threshold, which is an edge between two bins."""
    first = round((THRESHOLD - drawn.lowest) / drawn.width)
    return sum(drawn.counts[first:])


def test_what_was_found_is_counted_and_what_lies_below_is_estimated() -> None:
    drawn = of_all([0.8, 0.6])  # and a third pair at 0
    assert above(drawn) == 2
    assert sum(drawn.counts) == pytest.approx(3, abs=0.1)


def test_neither_erased_people_nor_a_person_with_themself_are_sampled() -> None:
    scores = sampled_scores((VECTORS, OWNERS), (VECTORS, OWNERS), np.random.default_rng(7))
    assert np.unique(scores) == pytest.approx([0.0, 0.6, 0.8])
    assert 0 < len(scores) < SAMPLED_PAIRS


def test_the_same_seed_draws_the_same_sample() -> None:
    assert of_all([0.6]) == of_all([0.6])


def test_nobody_to_sample_leaves_what_was_found() -> None:
    drawn = of_all([0.8], np.full(4, NOBODY))
    assert (drawn.sampled, sum(drawn.counts)) == (0, 1)
