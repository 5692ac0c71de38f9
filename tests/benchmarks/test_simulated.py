"""Simulated embeddings must have the statistics of those that they were learnt from."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.comparisons import Floats
from benchmarks.enrolled import enrol, name_of
from benchmarks.simulated import Statistics, learnt
from benchmarks.templates import Templates
from idverify.ids import ModelDigest

DIMENSION = 16
MODEL = ModelDigest("a" * 64)


def unit_rows(vectors: npt.NDArray[np.float64]) -> Floats:
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float32)


@pytest.fixture(scope="module")
def real() -> Templates:
    """4,000 people with an uneven spread, each in two photographs."""
    generator = np.random.default_rng(1)
    spread = np.linspace(0.2, 2, DIMENSION)
    people = generator.normal(0.3, spread, size=(4_000, DIMENSION))
    references = unit_rows(np.repeat(people, 2, axis=0))
    probes = unit_rows(np.repeat(people, 2, axis=0) + generator.normal(0, 0.5, (8_000, DIMENSION)))
    return Templates(references, probes, np.repeat(np.arange(4_000), 2).astype(np.int32), np.arange(8_000), Counter())


@pytest.fixture(scope="module")
def statistics(real: Templates) -> Statistics:
    return learnt(real, MODEL)


def test_people_have_the_mean_and_the_covariance_of_real_ones(real: Templates, statistics: Statistics) -> None:
    drawn = statistics.people(20_000, seed=3)
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=1), 1, atol=1e-6)
    assert drawn.dtype == np.float32
    np.testing.assert_allclose(drawn.mean(axis=0), real.references.mean(axis=0), atol=0.03)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(real.references.T), atol=0.02)


def test_the_same_seed_draws_the_same_people_and_another_others(statistics: Statistics) -> None:
    np.testing.assert_array_equal(statistics.people(70_000, seed=4)[:10], statistics.people(70_000, seed=4)[:10])
    assert not np.allclose(statistics.people(10, seed=4), statistics.people(10, seed=5))


def test_mates_lie_at_the_cosine_that_was_asked_for(statistics: Statistics) -> None:
    references = statistics.people(500, seed=6)
    cosines = np.linspace(0.3, 0.95, 500, dtype=np.float32)
    mates = statistics.mates(references, cosines, seed=7)
    np.testing.assert_allclose(np.einsum("ij,ij->i", references, mates), cosines, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(mates, axis=1), 1, atol=1e-5)


def test_mated_cosines_are_those_measured(real: Templates, statistics: Statistics) -> None:
    own = np.einsum("ij,ij->i", real.references, real.probes)
    assert np.median(statistics.mated_cosines(20_000, seed=8)) == pytest.approx(np.median(own), abs=0.01)
    assert statistics.likeness()["mated_pairs"] == 8_000


def test_exact_search_is_remembered_while_people_are_enrolled(statistics: Statistics) -> None:
    enrolled = enrol(statistics, 3_000, 60, keep=True)
    assert enrolled.vectors is not None
    scores = enrolled.truth.probes @ enrolled.vectors.T
    np.testing.assert_array_equal(enrolled.truth.first, scores.argmax(axis=1))
    np.testing.assert_allclose(enrolled.truth.best, scores.max(axis=1), atol=1e-6)
    own = np.take_along_axis(scores, enrolled.truth.mate[:, None], axis=1)[:, 0]
    assert np.all((own[enrolled.truth.weak] > 0.39) & (own[enrolled.truth.weak] < 0.51))
    assert len(enrolled.gallery) == 3_000
    assert enrolled.gallery.search(enrolled.probes[0], most=1)[0].person == name_of(int(enrolled.truth.first[0]))
