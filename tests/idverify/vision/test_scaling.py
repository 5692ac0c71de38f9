"""Views and crops show the right part of the picture, at the right place, without aliasing."""

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from idverify.vision.image import Image
from idverify.vision.scaling import shrink, warp
from idverify.vision.similarity import Similarity


def dot_at(x: int, y: int, width: int = 1600, height: int = 1200) -> Image:
    """A soft white spot on black, centred on the pixel (x, y)."""
    grid_y, grid_x = np.mgrid[0:height, 0:width]
    spot = 255 * np.exp(-((grid_x - x) ** 2 + (grid_y - y) ** 2) / (2 * 20.0**2))
    return Image(np.repeat(spot.astype(np.uint8)[..., None], 3, axis=2), "png", None)


def centre_of(pixels: npt.NDArray[np.uint8]) -> complex:
    weights = pixels[..., 0].astype(float)
    y, x = np.indices(weights.shape)
    return complex((x * weights).sum(), (y * weights).sum()) / float(weights.sum())


@pytest.mark.parametrize("scale", [1.0, 0.7, 0.5, 0.2, 0.09])
def test_a_view_knows_the_way_back_to_the_source(scale: float) -> None:
    view = shrink(dot_at(701, 333), scale)
    assert view.similarity.source_of(centre_of(view.pixels)) == pytest.approx(701 + 333j, abs=0.5)


@pytest.mark.parametrize("scale", [1.0, 0.3, 0.1])
def test_a_window_is_cut_to_the_picture_and_knows_its_origin(scale: float) -> None:
    view = shrink(dot_at(1500, 90), scale, (1301.0, -200.0, 1900.0, 303.0))
    assert view.pixels.shape[1] == pytest.approx(300 * scale, abs=6 * scale + 1)
    assert view.similarity.source_of(centre_of(view.pixels)) == pytest.approx(1500 + 90j, abs=0.5 / scale)


@pytest.mark.parametrize("scale", [1.0, 0.6, 0.5, 0.24, 0.06])
def test_a_warped_crop_has_its_centre_where_the_similarity_says(scale: float) -> None:
    quarter_turn = Similarity(1j * scale, 50 + 60j - 1j * scale * (701 + 333j))
    crop = warp(dot_at(701, 333), quarter_turn, 112).pixels
    assert centre_of(crop) == pytest.approx(50 + 60j, abs=0.6)


def test_shrinking_a_fine_pattern_gives_its_mean_and_not_a_moire() -> None:
    checks = np.indices((1024, 1024)).sum(axis=0) % 2 * 255
    image = Image(np.repeat(checks.astype(np.uint8)[..., None], 3, axis=2), "png", None)
    assert shrink(image, 0.3).pixels.std() < 2
    assert warp(image, Similarity(0.21, 0), 112).pixels[2:, 2:].std() < 2


def test_outside_the_picture_the_border_is_as_asked() -> None:
    image = Image(np.full((300, 300, 3), 200, np.uint8), "png", None)
    away = Similarity(1, 200)
    assert not warp(image, away, 112).pixels.any()
    assert (warp(image, away, 112, cv2.BORDER_REFLECT_101).pixels == 200).all()
