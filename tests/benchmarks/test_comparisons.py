"""Block products against every pair computed one by one."""

import numpy as np
import pytest

from benchmarks import comparisons
from benchmarks.comparisons import compare_all
from benchmarks.groups import rates_by_group
from benchmarks.identification import search_rates
from benchmarks.statistics import operating_rates


def random_population(people: int, seed: int, noise: float = 0.5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """References, probes (different from them) and person index of people with one to five photographs."""
    generator = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), generator.integers(1, 6, people)).astype(np.int32)
    centre = generator.normal(size=(people, 16))[person]
    made = [centre + noise * generator.normal(size=centre.shape) for _ in range(2)]
    references, probes = (
        (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32) for vectors in made
    )
    return references, probes, person


def test_each_pair_counts_once_as_reference_of_the_first_against_probe_of_the_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(comparisons, "BLOCK_ROWS", 7)
    references, probes, person = random_population(40, seed=1)
    found = compare_all(references, probes, person)
    first, second = np.triu_indices(len(person), k=1)
    scores = np.einsum("nd,nd->n", references[first], probes[second])
    same = person[first] == person[second]
    np.testing.assert_allclose(found.mated, np.sort(scores[same]), atol=1e-6)
    np.testing.assert_allclose(found.exceeding, -np.sort(-scores[~same]), atol=1e-6)
    assert found.non_mated_pairs == np.count_nonzero(~same)
    assert np.all(found.exceeding_people[:, 0] < found.exceeding_people[:, 1])


def test_only_the_highest_scores_are_kept_and_none_of_them_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparisons, "BLOCK_ROWS", 16)
    monkeypatch.setattr(comparisons, "KEEP_AT_LEAST", 50)
    references, probes, person = random_population(150, seed=2)
    found = compare_all(references, probes, person)
    first, second = np.triu_indices(len(person), k=1)
    scores = np.einsum("nd,nd->n", references[first], probes[second])[person[first] != person[second]]
    assert len(found.exceeding) == int(len(scores) * comparisons.LOOSEST_FMR * comparisons.MARGIN)
    np.testing.assert_allclose(found.exceeding, -np.sort(-scores)[: len(found.exceeding)], atol=1e-6)


def test_people_out_of_order_are_refused() -> None:
    vectors = np.eye(3, dtype=np.float32)
    with pytest.raises(ValueError, match="ascending"):
        compare_all(vectors, vectors, np.array([0, 1, 0], np.int32))


def test_groups_are_judged_at_the_threshold_of_all() -> None:
    references, probes, person = random_population(60, seed=3, noise=1.2)
    found = compare_all(references, probes, person)
    rates = operating_rates(found, (1e-2,), replicates=100)
    groups = rates_by_group(found, [index % 2 for index in range(60)], rates)
    first, second = np.triu_indices(len(person), k=1)
    scores = np.einsum("nd,nd->n", references[first], probes[second])
    accepted, same = scores >= rates[1e-2].threshold, person[first] == person[second]
    for name, group in groups.items():
        inside = (person[first] % 2 == name) & (person[second] % 2 == name)
        assert group.fmr[1e-2] == pytest.approx(np.mean(accepted[inside & ~same]))
        assert group.fnmr[1e-2] == pytest.approx(np.mean(~accepted[inside & same]))
        assert group.people == 30


def test_a_search_that_cannot_fail_misses_nobody_and_one_that_must_misses_everybody() -> None:
    references, probes, person = random_population(80, seed=4, noise=0.05)
    assert search_rates(references, probes, person).fnir == {0.1: 0.0, 0.01: 0.0}
    hopeless = search_rates(references, -references, person)
    assert set(hopeless.fnir.values()) == {1.0}


def test_a_search_rate_without_enough_strangers_is_left_out() -> None:
    references, probes, person = random_population(12, seed=5)
    rates = search_rates(references, probes, person)
    assert rates.non_mated_searches < 100
    assert set(rates.fnir) == {0.1}


def test_the_open_set_error_agrees_with_its_definition_on_one_split() -> None:
    references, probes, person = random_population(50, seed=6, noise=1.0)
    rates = search_rates(references, probes, person, splits=1, seed=9)
    enrolled = np.zeros(50, bool)
    enrolled[np.random.default_rng(9).permutation(50)[:25]] = True
    first = [int(np.flatnonzero(person == index)[0]) for index in range(50)]
    gallery = [first[index] for index in range(50) if enrolled[index]]
    strangers = [max(float(probes[row] @ references[g]) for g in gallery) for row in np.flatnonzero(~enrolled[person])]
    mated = [
        float(probes[row] @ references[first[person[row]]])
        for row in np.flatnonzero(enrolled[person])
        if row != first[person[row]]
    ]
    strictest_allowed = sorted(strangers, reverse=True)[int(0.1 * len(strangers))]
    assert rates.fnir[0.1] == pytest.approx(np.mean([score <= strictest_allowed for score in mated]), abs=1e-9)
