"""How good each measure must be: the least quality for enrolment, for verification, and below which to give advice.

Enrolment is strict, because a poor reference is paid for in every later comparison; verification refuses only what is
grossly unusable, because a refusal locks somebody out. Measures that follow skin tone (luminance mean and variance,
under-exposure, natural colour) refuse nobody: too dark and too bright are judged by the detail that is left, as dynamic
range and over-exposure. What cannot be asked of a person (background) or of five landmarks (head size) refuses nobody.
"""

from dataclasses import dataclass
from enum import StrEnum

from idverify.vision.quality.advice import Advice
from idverify.vision.quality.measure import MeasureName


class QualityGate(StrEnum):
    """How strict: ENROLMENT for references that live for years, VERIFICATION for probes, NONE to measure only."""

    ENROLMENT = "enrolment"
    VERIFICATION = "verification"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Limit:
    """Least quality, 0 to 100, for each gate (0: none), and the quality below which `advice` is given."""

    enrolment: int
    verification: int
    advise_below: int
    advice: Advice

    def least(self, gate: QualityGate) -> int:
        """The least quality that passes `gate`."""
        return {QualityGate.ENROLMENT: self.enrolment, QualityGate.VERIFICATION: self.verification}.get(gate, 0)


# In the order in which advice is given: what spoils a comparison most comes first. The native values behind the numbers
# (enrolment, verification): 35 px between the eyes, which is what the embedder's crop has, and 20; 30 and 63 degrees of
# rotation; sharpness 0.32 and 0.23 (FNMR 15 and 70 percent); dynamic range 3.6 and 1 bit, which the darkest rendered
# skin keeps down to half and to a tenth of good light; 28 and 66 percent of the face burnt out.
LIMITS = {
    MeasureName.SINGLE_FACE: Limit(64, 0, 90, Advice.ONE_PERSON_ONLY),
    MeasureName.INTER_EYE_DISTANCE: Limit(15, 8, 20, Advice.MOVE_CLOSER),
    MeasureName.SHARPNESS: Limit(30, 5, 60, Advice.HOLD_STILL),
    MeasureName.YAW: Limit(75, 20, 88, Advice.FACE_THE_CAMERA),
    MeasureName.PITCH: Limit(75, 20, 88, Advice.FACE_THE_CAMERA),
    MeasureName.ROLL: Limit(75, 20, 93, Advice.HOLD_HEAD_UPRIGHT),
    MeasureName.DYNAMIC_RANGE: Limit(45, 12, 55, Advice.MORE_LIGHT),
    MeasureName.OVER_EXPOSURE: Limit(4, 2, 10, Advice.LESS_LIGHT),
    MeasureName.ILLUMINATION_UNIFORMITY: Limit(0, 0, 50, Advice.LIGHT_FROM_THE_FRONT),
    MeasureName.MARGIN_LEFT: Limit(1, 0, 50, Advice.CENTRE_THE_FACE),
    MeasureName.MARGIN_RIGHT: Limit(1, 0, 50, Advice.CENTRE_THE_FACE),
    MeasureName.MARGIN_ABOVE: Limit(1, 0, 20, Advice.CENTRE_THE_FACE),
    MeasureName.MARGIN_BELOW: Limit(1, 0, 20, Advice.CENTRE_THE_FACE),
    MeasureName.COMPRESSION: Limit(20, 5, 40, Advice.SEND_THE_ORIGINAL),
}

# Measures that decide nothing but are worth a word.
ADVICE_ONLY = {
    MeasureName.BACKGROUND_UNIFORMITY: (50, Advice.PLAIN_BACKGROUND),
    MeasureName.NATURAL_COLOUR: (50, Advice.CHECK_THE_COLOURS),
}

# Only here does "not assessed" pass: the file is no JPEG, and another measure (sharpness) sees what it lost before.
MAY_BE_UNASSESSED = frozenset({MeasureName.COMPRESSION})
