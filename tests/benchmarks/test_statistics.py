"""The rates, thresholds and intervals against distributions whose answers are known in closed form."""

from statistics import NormalDist

import numpy as np
import pytest

from benchmarks.comparisons import Comparisons, PopulationInvalid
from benchmarks.intervals import clopper_pearson
from benchmarks.statistics import TARGETS, curve_targets, operating_rates, threshold_at

MATED_MEAN = 4.0


def gaussian_population(people: int, photographs: int, seed: int, person_spread: float = 0.0) -> Comparisons:
    """Mated scores N(MATED_MEAN, 1), of which `person_spread` is the share of variance that a person's pairs have in
    common; non-mated scores N(0, 1)."""
    generator = np.random.default_rng(seed)
    each = photographs * (photographs - 1) // 2
    own = np.repeat(generator.normal(size=people), each) * np.sqrt(person_spread)
    mated = MATED_MEAN + own + generator.normal(size=people * each) * np.sqrt(1 - person_spread)
    order = np.argsort(mated)
    first, second = np.triu_indices(people, k=1)
    pairs = np.repeat(np.stack([first, second], 1), photographs**2, axis=0)
    scores = generator.normal(size=len(pairs)).astype(np.float32)
    high = np.argsort(-scores)
    return Comparisons(
        mated=mated[order].astype(np.float32),
        mated_person=np.repeat(np.arange(people), each)[order].astype(np.int32),
        exceeding=scores[high],
        exceeding_people=pairs[high].astype(np.int32),
        photographs=np.full(people, photographs, np.int32),
    )


def test_gaussian_scores_give_the_closed_form_threshold_and_fnmr() -> None:
    rate = operating_rates(gaussian_population(300, 3, seed=1), (1e-3,), replicates=100)[1e-3]
    expected = NormalDist().inv_cdf(1 - 1e-3)
    assert rate.threshold == pytest.approx(expected, abs=0.03)
    assert rate.fnmr == pytest.approx(NormalDist(MATED_MEAN).cdf(expected), abs=0.03)
    assert rate.threshold_interval.low < expected < rate.threshold_interval.high
    assert rate.fnmr_interval.low < rate.fnmr < rate.fnmr_interval.high


def test_a_target_below_one_pair_has_no_figure() -> None:
    comparisons = gaussian_population(20, 3, seed=2)  # 1,710 non-mated pairs
    rates = operating_rates(comparisons, TARGETS, replicates=100)
    assert set(rates) == {1e-3}
    assert rates[1e-3].exceedances == 1


@pytest.mark.parametrize(("target", "expected"), [(0.2, 0.600001), (0.3, 0.500001), (0.4, 0.500001), (0.5, 0.300001)])
def test_a_threshold_is_the_smallest_that_keeps_the_rate_and_ties_stay_out_together(
    target: float, expected: float
) -> None:
    scores = np.array([0.9, 0.8, 0.6, 0.5, 0.5, 0.3, 0.2, 0.1, 0.0, -0.1])
    assert threshold_at(target, scores, 10) == pytest.approx(expected, abs=1e-9)
    assert np.mean(scores >= threshold_at(target, scores, 10)) <= target


def test_a_rate_without_enough_trials_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1,000 comparisons"):
        threshold_at(1e-3, np.array([0.5], np.float32), 999)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    truth = NormalDist(MATED_MEAN).cdf(NormalDist().inv_cdf(1 - 1e-2))
    covered = 0
    for seed in range(60):
        comparisons = gaussian_population(60, 3, seed=100 + seed, person_spread=0.8)
        interval = operating_rates(comparisons, (1e-2,), replicates=200, seed=seed)[1e-2].fnmr_interval
        covered += interval.low <= truth <= interval.high
    assert covered / 60 >= 0.85


def test_pairs_that_share_a_person_widen_the_interval() -> None:
    alone, shared = (
        operating_rates(gaussian_population(150, 5, seed=5, person_spread=spread), (1e-2,), replicates=200)[1e-2]
        for spread in (0.0, 0.9)
    )
    assert shared.fnmr_interval.high - shared.fnmr_interval.low > 1.4 * (
        alone.fnmr_interval.high - alone.fnmr_interval.low
    )


def test_no_error_at_all_is_never_certainty() -> None:
    comparisons = gaussian_population(40, 2, seed=6)
    perfect = Comparisons(
        comparisons.mated + 20,
        comparisons.mated_person,
        comparisons.exceeding,
        comparisons.exceeding_people,
        comparisons.photographs,
    )
    rate = operating_rates(perfect, (1e-2,), replicates=100)[1e-2]
    assert rate.fnmr == 0
    assert rate.fnmr_interval.low == 0
    assert rate.fnmr_interval.high == pytest.approx(1 - 0.025 ** (1 / 40), rel=1e-6)


def test_clopper_pearson_gives_the_published_limits() -> None:
    ten = clopper_pearson(1, 10)  # Clopper and Pearson 1934, any table of exact binomial limits
    assert ten.low == pytest.approx(0.002529, abs=1e-6)
    assert ten.high == pytest.approx(0.445016, abs=1e-6)
    assert clopper_pearson(10, 10).high == 1
    assert clopper_pearson(0, 3000).high == pytest.approx(3.689 / 3000, rel=1e-3)


def test_the_same_seed_gives_the_same_intervals() -> None:
    comparisons = gaussian_population(50, 3, seed=7)
    first, second = (operating_rates(comparisons, (1e-2,), replicates=100) for _ in range(2))
    assert first == second


def test_nobody_with_two_photographs_is_said_so() -> None:
    comparisons = gaussian_population(50, 1, seed=8)
    with pytest.raises(PopulationInvalid, match="two processed photographs"):
        operating_rates(comparisons, TARGETS)


def test_the_curve_runs_through_every_operating_point() -> None:
    targets = curve_targets()
    assert set(TARGETS) < set(targets)
    assert list(targets) == sorted(targets)
