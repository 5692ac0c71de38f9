"""How the face is lit: luminance, exposure, dynamic range, evenness and colour, from the embedder's 112 x 112 crop.

Mappings are OFIQ 1.0.3's (ISO/IEC 29794-5 components 43 to 48 and 4B), on a fixed zone where OFIQ segments the face:
approximations, and no conformance is claimed. Luminance is of linearised sRGB, as in OFIQ, so these values say how much
light came back from the skin, and dark skin sends back less of good light: no gate may rest on them as they are.
"""

import math

import cv2
import numpy as np

from idverify.vision.alignment import AlignedFace
from idverify.vision.image import Pixels
from idverify.vision.quality.measure import Measure, MeasureName, measure, sigmoid

# Rows and columns of the crop (eyes 35 px apart at row 52, mouth at row 92), and of the face in it.
_FACE = np.s_[40:106, 26:86]
_RIGHT_CHEEK, _LEFT_CHEEK = np.s_[22:44, :18], np.s_[22:44, -18:]

_LEVELS = 256
_UNDER_TO, _OVER_FROM = 25, 247
_BIN_BITS = 4  # a cheek has 396 pixels here, too few for OFIQ's 256 bins: 16 levels a bin

_SRGB = np.arange(_LEVELS) / (_LEVELS - 1)
# IEC 61966-2-1, from a code 0 to 255 to linear light 0 to 255; and the luminance weights of ITU-R BT.709.
_LINEAR = (255 * np.where(_SRGB <= 0.04045, _SRGB / 12.92, ((_SRGB + 0.055) / 1.055) ** 2.4)).astype(np.float32)
_WEIGHTS = np.array([[0.2126, 0.7152, 0.0722]])


def light_measures(face: AlignedFace) -> tuple[Measure, ...]:
    """Illumination uniformity, luminance mean and variance, under- and over-exposure, dynamic range."""
    luminance = linear_luminance(face.pixels[_FACE])
    counts = np.bincount(luminance.ravel(), minlength=_LEVELS)
    shares = counts / counts.sum()
    mean = float(shares @ _SRGB)
    variance = float(shares @ _SRGB**2) - mean**2
    under, over = float(shares[: _UNDER_TO + 1].sum()), float(shares[_OVER_FROM:].sum())
    present = shares[counts > 0]
    entropy_bits = -float(present @ np.log2(present))
    return (
        _illumination_uniformity(luminance),
        measure(MeasureName.LUMINANCE_MEAN, mean, 100 * sigmoid(mean, 0.2, 0.05) * (1 - sigmoid(mean, 0.8, 0.05))),
        measure(
            MeasureName.LUMINANCE_VARIANCE, variance, 100 * math.sin(math.pi * 60 * variance / (60 * variance + 1))
        ),
        measure(MeasureName.UNDER_EXPOSURE, under, 120 * (0.832 - sigmoid(under, 0.92, 0.05))),
        measure(MeasureName.OVER_EXPOSURE, over, 1 / (over + 0.01)),
        measure(MeasureName.DYNAMIC_RANGE, entropy_bits, 12.5 * entropy_bits),
    )


def linear_luminance(pixels: Pixels) -> Pixels:
    """Luminance of linearised sRGB, uint8 0 to 255, shape (H, W), of uint8 RGB."""
    return cv2.transform(cv2.LUT(pixels, _LINEAR), _WEIGHTS).astype(np.uint8)


def _illumination_uniformity(luminance: Pixels) -> Measure:
    """Intersection of the cheeks' histograms, 0 to 1; 100 x^0.3."""
    right, left = (
        np.bincount((luminance[cheek] >> _BIN_BITS).ravel(), minlength=_LEVELS >> _BIN_BITS)
        for cheek in (_RIGHT_CHEEK, _LEFT_CHEEK)
    )
    shared = float(np.minimum(right, left).sum()) / float(right.sum())
    return measure(MeasureName.ILLUMINATION_UNIFORMITY, shared, 100 * shared**0.3)


def natural_colour(face: AlignedFace) -> Measure:
    """Distance of the cheeks' mean colour from a* 5..25, b* 5..35 of CIELAB. Advice only: never a reason to refuse."""
    pixels = face.pixels[_FACE]
    right, left = cv2.mean(pixels[_RIGHT_CHEEK]), cv2.mean(pixels[_LEFT_CHEEK])
    mean = np.array([[[(one + other) / 510 for one, other in zip(right[:3], left[:3], strict=True)]]], np.float32)
    _, a, b = cv2.cvtColor(mean, cv2.COLOR_RGB2Lab).ravel().tolist()
    distance = math.hypot(max(5 - a, 0, a - 25), max(5 - b, 0, b - 35))
    return measure(MeasureName.NATURAL_COLOUR, distance, 200 * (1 - sigmoid(distance, 0, 10)))
