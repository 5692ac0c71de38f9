"""The similarity is the least-squares one, and puts the landmarks where the embedder expects them."""

import cv2
import numpy as np
import pytest

from idverify.vision.alignment import CANONICAL, SIDE_PX, align, similarity
from idverify.vision.detector import Face
from idverify.vision.image import Image


def test_a_known_similarity_is_recovered() -> None:
    angle, scale, shift = 0.4, 2.5, np.array([120.0, -30.0])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = similarity(CANONICAL, CANONICAL @ turn.T + shift)
    assert matrix == pytest.approx(np.column_stack([turn, shift]))


def test_no_similarity_near_it_fits_better() -> None:
    rng = np.random.default_rng(5)
    target = CANONICAL * 1.7 + rng.normal(0, 3, CANONICAL.shape)
    best = similarity(CANONICAL, target)

    def squared_error(matrix: np.ndarray) -> float:
        return float(((CANONICAL @ matrix[:, :2].T + matrix[:, 2] - target) ** 2).sum())

    for _ in range(200):
        a, b, x, y = rng.normal(0, [0.01, 0.01, 0.5, 0.5])
        assert squared_error(best + np.array([[a, -b, x], [b, a, y]])) > squared_error(best)


def test_landmarks_land_on_the_canonical_points() -> None:
    landmarks = (CANONICAL * 4 + [300, 150]).astype(np.float32)
    pixels = np.zeros((900, 1000, 3), np.uint8)
    for x, y in landmarks:
        cv2.circle(pixels, (round(float(x)), round(float(y))), 8, (255, 255, 255), -1)
    crop = align(Image(pixels, "png", None), Face((300, 150, 448, 448), landmarks, 0.9)).pixels
    assert crop.shape == (SIDE_PX, SIDE_PX, 3)
    for x, y in CANONICAL:
        assert crop[round(y), round(x)].min() > 200
    assert (crop > 128).mean() < 0.02
