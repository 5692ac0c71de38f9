"""How much detail the picture holds: sharpness, compression and the quiet of the background.

ISO/IEC 29794-5 components 49, 4A and 42. OFIQ rates the first two with trained models; here they are a published blur
measure and the quantisation table, with a calibration of our own. All are approximations: no conformance is claimed.
"""

import cv2
import numpy as np
from cv2.typing import MatLike

from idverify.vision.alignment import AlignedFace
from idverify.vision.image import Image
from idverify.vision.quality.geometry import Geometry
from idverify.vision.quality.measure import Measure, MeasureName, measure, not_assessed, sigmoid
from idverify.vision.scaling import shrink

_FEATURES = np.s_[36:108, 20:92]  # of the crop: brow to chin, where there is something to be sharp
_SMEAR_PX = 9
_NOISE_PX = 0.7  # smoothed away first: noise is as sharp as can be

_BACKGROUND_EYE_DISTANCE_PX = 16.0
_MIN_BACKGROUND_PX = 200
# Of the head with its hair, in eye distances from the middle of the eyes: sideways, and up to the crown.
_HEAD_SIDE, _HEAD_ABOVE = 1.5, 2.3
_BACKGROUND_REACH = 3.0


def sharpness(face: AlignedFace) -> Measure:
    """How much of the detail between neighbouring pixels blurring would destroy, 0 (was blurred before) to 1.

    One less the blur effect of Crete, Dolmiere, Ladret and Nicolas 2007, on the crop that the embedder sees. A ratio of
    contrasts, so neither exposure nor skin tone moves it. The mapping is calibrated by what blur does to recognition on
    500 mated pairs of photographs: at native 0.50 (as taken), 0.36 and 0.28, FNMR at FMR 1e-4 is 3, 7 and 25 percent.
    """
    grey = cv2.cvtColor(face.pixels, cv2.COLOR_RGB2GRAY)[_FEATURES].astype(np.float32)
    grey = cv2.GaussianBlur(grey, (0, 0), _NOISE_PX)  # type: ignore[assignment]
    smeared_across, smeared_down = cv2.blur(grey, (_SMEAR_PX, 1)), cv2.blur(grey, (1, _SMEAR_PX))
    lost = (
        _lost(cv2.absdiff(grey[:, 1:], grey[:, :-1]), cv2.absdiff(smeared_across[:, 1:], smeared_across[:, :-1])),
        _lost(cv2.absdiff(grey[1:], grey[:-1]), cv2.absdiff(smeared_down[1:], smeared_down[:-1])),
    )
    native = min(lost)
    return measure(MeasureName.SHARPNESS, native, 100 * sigmoid(native, 0.35, 0.04))


def _lost(before: MatLike, after: MatLike) -> float:
    """Share of the contrast `before` that smearing took away; 0 where there was none."""
    contrast = cv2.sumElems(before)[0]
    return 1 - cv2.sumElems(cv2.min(before, after))[0] / contrast if contrast else 0.0


def compression(image: Image) -> Measure:
    """The libjpeg quality of the file, 1 to 100; not assessed for a PNG, whose pixels may have been a JPEG before."""
    if image.jpeg_quality is None:
        return not_assessed(MeasureName.COMPRESSION)
    return measure(MeasureName.COMPRESSION, image.jpeg_quality, image.jpeg_quality)


def background_uniformity(image: Image, geometry: Geometry) -> Measure:
    """Mean Sobel magnitude beside and above the head, with the eyes scaled to 16 px apart; OFIQ's mapping."""
    eye_distance = geometry.eye_distance_px
    x, y, reach = geometry.eyes.real, geometry.eyes.imag, _BACKGROUND_REACH * eye_distance
    view = shrink(
        image,
        min(1.0, _BACKGROUND_EYE_DISTANCE_PX / eye_distance),
        (x - reach, y - reach, x + reach, y + geometry.chin_px),
    )
    grey = cv2.cvtColor(view.pixels, cv2.COLOR_RGB2GRAY)
    edges = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    left_crown = view.similarity.apply(geometry.eyes - eye_distance * complex(_HEAD_SIDE, _HEAD_ABOVE))
    right_eye_line = view.similarity.apply(geometry.eyes + eye_distance * _HEAD_SIDE)
    head_left, head_right, crown = (
        max(0, int(edge)) for edge in (left_crown.real, right_eye_line.real, left_crown.imag)
    )
    zones = (edges[:, :head_left], edges[:, head_right:], edges[:crown, head_left:head_right])
    size = sum(zone.size for zone in zones)
    if size < _MIN_BACKGROUND_PX:
        return not_assessed(MeasureName.BACKGROUND_UNIFORMITY)
    mean = sum(float(zone.sum()) for zone in zones) / size
    return measure(MeasureName.BACKGROUND_UNIFORMITY, mean, 190 * (1 - sigmoid(mean, 10, 100)))
