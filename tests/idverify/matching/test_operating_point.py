"""Thresholds: interpolation, extrapolation that says so, and the arithmetic of FPIR."""

import pytest

from idverify.errors import ConfigurationInvalid, InvalidInput, OperatingPointMissing
from idverify.ids import ModelDigest
from idverify.matching.operating_point import OperatingPoints, Population

EMBEDDER = ModelDigest("c" * 64)


def table(fmr: float, threshold: float, population: str = "photographs") -> dict[str, object]:
    return {
        "embedder": EMBEDDER,
        "population": population,
        "fmr": fmr,
        "threshold": threshold,
        "threshold_low": threshold - 0.01,
        "threshold_high": threshold + 0.01,
        "fnmr": 0.01,
        "mated_pairs": 100,
        "non_mated_pairs": 10_000_000,
        "dataset": "test",
        "date": "2026-01-01",
    }


POINTS = OperatingPoints.parse([table(1e-3, 0.3), table(1e-4, 0.4), table(1e-5, 0.6), table(1e-3, 0.7, "rendered"),
                                table(1e-4, 0.8, "rendered")])  # fmt: skip


@pytest.mark.parametrize(
    ("fmr", "threshold", "extrapolated"),
    [(1e-4, 0.4, False), (1e-5, 0.6, False), (10**-4.5, 0.5, False), (10**-3.5, 0.35, False), (1e-6, 0.8, True)],
)
def test_thresholds_follow_log_fmr(fmr: float, threshold: float, extrapolated: bool) -> None:
    point = POINTS.of(EMBEDDER, Population.PHOTOGRAPHS).at_fmr(fmr)
    assert point.threshold == pytest.approx(threshold)
    assert point.extrapolated is extrapolated
    assert ("extrapolated" in point.name) is extrapolated


@pytest.mark.parametrize(("fmr", "margin"), [(0.1, 0.1), (1e-3, 0.1), (1e-4, 0.2), (10**-3.5, 0.15), (1e-6, 0.2)])
def test_a_close_call_is_within_a_tenth_of_the_false_match_rate(fmr: float, margin: float) -> None:
    assert POINTS.of(EMBEDDER, Population.PHOTOGRAPHS).margin(fmr) == pytest.approx(margin)


def test_a_threshold_that_three_pairs_set_is_not_used_but_extrapolated_over() -> None:
    mislabelled = table(1e-6, 0.95) | {"non_mated_pairs": 3_000_000}
    points = OperatingPoints.parse([table(1e-4, 0.4), table(1e-5, 0.5), mislabelled])
    point = points.of(EMBEDDER, Population.PHOTOGRAPHS).at_fmr(1e-6)
    assert point.threshold == pytest.approx(0.6)
    assert point.extrapolated


def test_a_rate_looser_than_calibrated_gets_the_loosest_threshold_and_says_its_rate() -> None:
    point = POINTS.of(EMBEDDER, Population.PHOTOGRAPHS).at_fmr(0.1)
    assert (point.fmr, point.threshold) == (1e-3, 0.3)


def test_each_population_has_its_own_thresholds() -> None:
    assert POINTS.of(EMBEDDER, Population.RENDERED).at_fmr(1e-4).threshold == 0.8


def test_a_search_of_n_people_uses_a_rate_n_times_stricter() -> None:
    calibration = POINTS.of(EMBEDDER, Population.PHOTOGRAPHS)
    assert calibration.at_fpir(1e-2, enrolled=1_000) == calibration.at_fmr(1e-5)
    assert calibration.at_fpir(1e-3, enrolled=0) == calibration.at_fmr(1e-3)


@pytest.mark.parametrize("rate", [0.0, -1.0, 0.51, float("nan")])
def test_impossible_rates_are_refused(rate: float) -> None:
    calibration = POINTS.of(EMBEDDER, Population.PHOTOGRAPHS)
    with pytest.raises(InvalidInput, match="expected"):
        calibration.at_fmr(rate)
    with pytest.raises(InvalidInput, match="expected"):
        calibration.at_fpir(rate, 10)


def test_an_embedder_without_calibration_says_how_to_calibrate() -> None:
    with pytest.raises(OperatingPointMissing, match=r"benchmarks\.accuracy"):
        POINTS.of(ModelDigest("d" * 64), Population.PHOTOGRAPHS)


@pytest.mark.parametrize("broken", [{"fmr": "often"}, {"population": "robots"}, {"threshold": None}])
def test_a_malformed_table_is_named(broken: dict[str, object]) -> None:
    with pytest.raises(ConfigurationInvalid, match="operating_point"):
        OperatingPoints.parse([table(1e-3, 0.3) | broken])
