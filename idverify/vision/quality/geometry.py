"""Where the head is and how it is held: inter-eye distance, head size, margins and pose, from five landmarks.

Formulas are OFIQ 1.0.3's (ISO/IEC 29794-5 components 4C and 52 to 5A). Single face is exact, and roll as far
as the landmarks follow the head. The others rest on five landmarks where OFIQ has dense ones: they are approximations,
and no conformance is claimed for them.
"""

import cmath
import math
from dataclasses import dataclass

from idverify.vision.detector import Face
from idverify.vision.image import Image
from idverify.vision.quality.measure import Measure, MeasureName, measure, sigmoid

# T, eye midpoint to chin, per eye midpoint to mouth midpoint; measured on 40 rendered citizens, whose chins are known
# (mean 1.79, deviation 0.07).
_CHIN_PER_MOUTH = 1.8
# The nose tip's shift per tangent of the angle. Yaw in eye distances, measured on rendered citizens turned by up to 45
# degrees (0.43 to 0.49); pitch in eye-mouth lengths, from a nose's depth, because the landmarks hardly follow pitch.
_NOSE_SHIFT_YAW, _NOSE_SHIFT_PITCH = 0.47, 0.3
# Where the nose tip lies between eye line (0) and mouth line (1) of a frontal face: 0.55 on photographs, 0.60 rendered.
_NOSE_HEIGHT_FRONTAL = 0.57


@dataclass(frozen=True, slots=True)
class Geometry:
    """A face's proportions in px, as they appear, and its pose in degrees.

    `eyes` is their midpoint x + iy; `chin_px` is T. Yaw is positive when the face turns to the picture's right, pitch
    when it looks down, roll when the head tilts clockwise in the picture. Yaw and pitch are rough.
    """

    eyes: complex
    eye_distance_px: float
    chin_px: float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float


def geometry_of(face: Face) -> Geometry:
    """Proportions, and a rough pose from where the nose tip lies between the middles of eyes and mouth."""
    right_eye, left_eye, nose, right_mouth, left_mouth = face.points
    eyes, mouth = (right_eye + left_eye) / 2, (right_mouth + left_mouth) / 2
    across, down = left_eye - right_eye, mouth - eyes
    eye_distance, length = max(abs(across), 1e-6), max(abs(down), 1e-6)
    # The nose tip from the middle of the eyes: real towards the mouth, imaginary towards the picture's left.
    tip = (nose - eyes) * down.conjugate() / length
    yaw = math.atan2(-tip.imag, _NOSE_SHIFT_YAW * eye_distance)
    pitch = math.atan2(tip.real - _NOSE_HEIGHT_FRONTAL * length, _NOSE_SHIFT_PITCH * length)
    return Geometry(
        eyes,
        eye_distance,
        _CHIN_PER_MOUTH * length,
        *(math.degrees(angle) for angle in (yaw, pitch, cmath.phase(across))),
    )


def geometry_measures(image: Image, face: Face, faces: tuple[Face, ...], geometry: Geometry) -> tuple[Measure, ...]:
    """Single face, inter-eye distance, head size, margins, yaw, pitch and roll."""
    second = max((other.area_px for other in faces if other is not face), default=0.0) / face.area_px
    eye_distance = geometry.eye_distance_px / max(math.cos(math.radians(geometry.yaw_deg)), 0.1)
    head = abs(geometry.chin_px / image.height_px - 0.45)
    x, y = geometry.eyes.real, geometry.eyes.imag
    half = geometry.eye_distance_px / 2
    return (
        measure(MeasureName.SINGLE_FACE, second, 100 * (1 - second)),
        measure(MeasureName.INTER_EYE_DISTANCE, eye_distance, 100 * sigmoid(eye_distance, 70, 20)),
        measure(MeasureName.HEAD_SIZE, head, 200 * (1 - sigmoid(head, 0, 0.05))),
        _margin(MeasureName.MARGIN_LEFT, (x - half) / geometry.eye_distance_px, 0.9),
        _margin(MeasureName.MARGIN_RIGHT, (image.width_px - x - half) / geometry.eye_distance_px, 0.9),
        _margin(MeasureName.MARGIN_ABOVE, y / geometry.chin_px, 1.4),
        _margin(MeasureName.MARGIN_BELOW, (image.height_px - y) / geometry.chin_px, 1.8),
        _angle(MeasureName.YAW, geometry.yaw_deg),
        _angle(MeasureName.PITCH, geometry.pitch_deg),
        _angle(MeasureName.ROLL, geometry.roll_deg),
    )


def _margin(name: MeasureName, native: float, x0: float) -> Measure:
    return measure(name, native, 100 * sigmoid(native, x0, 0.1))


def _angle(name: MeasureName, degrees: float) -> Measure:
    """100 cos^2, and 0 beyond a right angle."""
    return measure(name, degrees, 100 * max(math.cos(math.radians(degrees)), 0.0) ** 2)
