"""One quality measure: its native value and its quality 0 to 100, or that it was not assessed."""

import math
from dataclasses import dataclass
from enum import StrEnum


class MeasureName(StrEnum):
    """The components of ISO/IEC 29794-5 that are assessed here, in the standard's order (its ids 42 to 5A)."""

    BACKGROUND_UNIFORMITY = "background_uniformity"
    ILLUMINATION_UNIFORMITY = "illumination_uniformity"
    LUMINANCE_MEAN = "luminance_mean"
    LUMINANCE_VARIANCE = "luminance_variance"
    UNDER_EXPOSURE = "under_exposure"
    OVER_EXPOSURE = "over_exposure"
    DYNAMIC_RANGE = "dynamic_range"
    SHARPNESS = "sharpness"
    COMPRESSION = "compression"
    NATURAL_COLOUR = "natural_colour"
    SINGLE_FACE = "single_face"
    INTER_EYE_DISTANCE = "inter_eye_distance"
    HEAD_SIZE = "head_size"
    MARGIN_LEFT = "margin_left"
    MARGIN_RIGHT = "margin_right"
    MARGIN_ABOVE = "margin_above"
    MARGIN_BELOW = "margin_below"
    YAW = "yaw"
    PITCH = "pitch"
    ROLL = "roll"


@dataclass(frozen=True, slots=True)
class Measure:
    """`native` is in the unit that its formula states, `quality` 0 (worst) to 100; both None when not assessed."""

    name: MeasureName
    native: float | None
    quality: int | None

    @property
    def assessed(self) -> bool:
        return self.quality is not None


def not_assessed(name: MeasureName) -> Measure:
    """A measure that could not be computed: ISO/IEC 29794-5's "failure to assess", never counted as good."""
    return Measure(name, None, None)


def measure(name: MeasureName, native: float, quality: float) -> Measure:
    """A measure with its quality rounded and clamped to 0..100."""
    return Measure(name, native, min(max(round(quality), 0), 100))


def sigmoid(x: float, x0: float, w: float) -> float:
    """The logistic curve that OFIQ maps native values with: 1 / (1 + exp(-(x - x0) / w)), 0 to 1."""
    return 1.0 / (1.0 + math.exp(min(-(x - x0) / w, 700.0)))
