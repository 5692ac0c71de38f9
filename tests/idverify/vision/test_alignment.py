"""The crop has the landmarks where the embedder expects them."""

import cv2
import numpy as np

from idverify.vision.alignment import CANONICAL, SIDE_PX, align
from idverify.vision.detector import Face
from idverify.vision.image import Image


def test_landmarks_land_on_the_canonical_points() -> None:
    pixels = np.zeros((900, 1000, 3), np.uint8)
    right_eye, left_eye, nose, right_mouth, left_mouth = points = [4 * point + 300 + 150j for point in CANONICAL]
    for point in points:
        cv2.circle(pixels, (round(point.real), round(point.imag)), 8, (255, 255, 255), -1)
    face = Face((300, 150, 448, 448), (right_eye, left_eye, nose, right_mouth, left_mouth), 0.9)
    crop = align(Image(pixels, "png", None), face).pixels
    assert crop.shape == (SIDE_PX, SIDE_PX, 3)
    for point in CANONICAL:
        assert crop[round(point.imag), round(point.real)].min() > 200
    assert (crop > 128).mean() < 0.02
