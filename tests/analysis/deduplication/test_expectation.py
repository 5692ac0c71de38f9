"""Pairs, expected false pairs and their interval, against closed forms and simulation."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from analysis.deduplication.expectation import LEAST_BUDGET, expect, interval, pairs_between, pairs_within
from idverify.errors import InvalidInput
from idverify.ids import ModelDigest, PersonId
from idverify.matching.operating_point import STRICTEST_RATE, CalibratedPoint, Calibration, Population


def calibration(spread: float = 0.0) -> Calibration:
    """A threshold of 0.1 a decade; `spread`: half the width of the points' intervals."""
    points = tuple(
        CalibratedPoint(
            ModelDigest("ab" * 32),
            Population.RENDERED,
            fmr=10.0**-decade,
            threshold=decade / 10,
            threshold_low=decade / 10 - spread,
            threshold_high=decade / 10 + spread,
            fnmr=0.01,
            mated_pairs=1_000,
            non_mated_pairs=100_000_000,
            dataset="a line",
            date="2026-11-21",
        )
        for decade in (3, 4, 5, 6)
    )
    return Calibration(points)


def test_pairs_within_a_gallery_are_those_of_different_people() -> None:
    people = [1, 3, 2, 1]
    owners = [person for person, count in enumerate(people) for _ in range(count)]
    assert pairs_within(people) == sum(one != other for one, other in itertools.combinations(owners, 2))


def test_57_000_people_are_1_624_million_pairs_and_1_624_false_ones_at_one_in_a_million() -> None:
    pairs = pairs_within([1] * 57_000)
    assert pairs == 57_000 * 56_999 // 2 == 1_624_471_500
    assert round(expect(calibration(), pairs, fmr=1e-6).expected) == 1_624
    assert round(expect(calibration(), pairs, fmr=1e-7).expected) == 162
    assert expect(calibration(), pairs, fmr=1e-7).point.extrapolated


def test_pairs_between_two_galleries_leave_out_a_person_with_themself() -> None:
    left, right = {PersonId("a"): 2, PersonId("b"): 1}, {PersonId("a"): 3, PersonId("c"): 1}
    assert pairs_between(left, right) == 3 * 4 - 2 * 3


def test_a_budget_gives_the_threshold_at_which_it_is_expected() -> None:
    asked = expect(calibration(), 2_000_000, budget=20)
    assert asked.expected == pytest.approx(20)
    assert asked.point.fmr == pytest.approx(1e-5)
    assert asked.point.threshold == pytest.approx(0.5)


def test_a_rate_looser_than_any_measured_is_the_loosest_measured() -> None:
    assert expect(calibration(), 1_000, budget=500).expected == pytest.approx(1)


@pytest.mark.parametrize("asked", [{"fmr": STRICTEST_RATE}, {"budget": LEAST_BUDGET}])
def test_the_strictest_search_that_may_be_asked_for_has_an_answer(asked: dict[str, float]) -> None:
    few, nation = expect(calibration(), 1, **asked), expect(calibration(), 5 * 10**13, **asked)
    assert (few.low, few.high) == (0, 0)
    assert nation.low <= int(nation.expected) <= nation.high
    assert nation.point.extrapolated


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"fmr": 1e-4, "budget": 3},
        {"fmr": 5e-324},
        {"fmr": 0.6},
        {"budget": 0},
        {"budget": 5e-324},
        {"budget": float("nan")},
    ],
)
def test_a_search_asks_for_one_sensible_thing(asked: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        expect(calibration(), 1_000, **asked)


@pytest.mark.parametrize("mean", [0.4, 10, 1_624])
def test_with_rates_known_exactly_the_interval_is_that_of_poisson(mean: float) -> None:
    exact = calibration()
    pairs = round(mean * 1e6)
    low, high = interval(exact, pairs, exact.at_fmr(1e-6))
    assert (low, high) == (stats.poisson.ppf(0.025, mean), stats.poisson.ppf(0.975, mean))


def test_the_interval_holds_95_of_100_simulated_searches_when_rates_are_uncertain() -> None:
    uncertain = calibration(spread=0.04)  # 0.4 decades to either side
    low, high = interval(uncertain, 20_000_000, uncertain.at_fmr(1e-6))
    random = np.random.default_rng(5)
    truth = 1e-6 * 10 ** (random.standard_normal(200_000) * 0.4 / 1.959964)
    seen = random.poisson(20_000_000 * truth)
    assert 0.945 <= np.mean((seen >= low) & (seen <= high)) <= 0.965
    assert low < 11 < 29 < high  # wider than Poisson's own interval about 20


def test_the_rate_of_a_score_reads_the_calibrated_line_backwards() -> None:
    line = calibration()
    for fmr in (1e-3, 3e-5, 1e-6, 1e-7):
        assert line.rate_of(line.at_fmr(fmr).threshold).fmr == pytest.approx(fmr)
    assert line.rate_of(0.35).fmr == pytest.approx(10**-3.5)


def test_no_score_is_said_to_be_rarer_than_was_measured() -> None:
    rate = calibration().rate_of(0.99)
    assert rate.at_most
    assert rate.fmr == pytest.approx(1e-8)
    few = Calibration(tuple(replace(point, non_mated_pairs=40_000_000) for point in calibration().points))
    assert few.rate_of(0.99).fmr == pytest.approx(1 / 40_000_000)
