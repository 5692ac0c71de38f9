"""Values, ranges and "not assessed"."""

import pytest

from idverify.vision.quality.measure import Measure, MeasureName, measure, not_assessed, sigmoid


@pytest.mark.parametrize(("value", "quality"), [(-3.0, 0), (0.4, 0), (0.6, 1), (99.6, 100), (180.0, 100)])
def test_quality_is_rounded_and_clamped(value: float, quality: int) -> None:
    assert measure(MeasureName.YAW, 1.0, value).quality == quality


def test_not_assessed_has_neither_value_nor_quality() -> None:
    nothing = not_assessed(MeasureName.COMPRESSION)
    assert nothing == Measure(MeasureName.COMPRESSION, None, None)
    assert not nothing.assessed


def test_the_sigmoid_is_logistic_and_never_overflows() -> None:
    assert sigmoid(3.0, 3.0, 1.0) == 0.5
    assert sigmoid(4.0, 3.0, 1.0) == pytest.approx(0.731, abs=1e-3)
    assert sigmoid(-1e9, 0.0, 1e-3) == pytest.approx(0)
    assert sigmoid(1e9, 0.0, 1e-3) == pytest.approx(1)
