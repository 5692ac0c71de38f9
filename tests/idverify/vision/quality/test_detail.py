"""Sharpness, compression and background."""

import cv2
import numpy as np
import pytest

from citizens import Capture, Identity, render
from idverify.vision.alignment import align
from idverify.vision.image import Image, decode
from idverify.vision.quality.detail import background_uniformity, compression, sharpness
from idverify.vision.quality.geometry import geometry_of
from idverify.vision.reader import Reader


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    return render(Identity.from_seed(4), Capture.frontal()).pixels


def sharpness_of(reader: Reader, pixels: np.ndarray) -> float:
    image = Image(np.ascontiguousarray(pixels), "png", None)
    native = sharpness(align(image, reader.detector.detect(image)[0])).native
    assert native is not None
    return native


def background_of(reader: Reader, pixels: np.ndarray) -> int | None:
    image = Image(np.ascontiguousarray(pixels), "png", None)
    return background_uniformity(image, geometry_of(reader.detector.detect(image)[0])).quality


def test_sharpness_falls_with_blur(reader: Reader, pixels: np.ndarray) -> None:
    natives = [sharpness_of(reader, cv2.GaussianBlur(pixels, (0, 0), sigma)) for sigma in (0.5, 3, 6, 9)]
    assert natives == sorted(natives, reverse=True)
    assert natives[0] > 0.5 > 0.4 > natives[-1]


def test_sharpness_does_not_follow_exposure_or_size(reader: Reader, pixels: np.ndarray) -> None:
    plain = sharpness_of(reader, pixels)
    assert sharpness_of(reader, (pixels * 0.4).astype(np.uint8)) == pytest.approx(plain, abs=0.05)
    double = cv2.resize(pixels, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert sharpness_of(reader, double) == pytest.approx(plain, abs=0.05)


@pytest.mark.parametrize("quality", [20, 60, 95])
def test_compression_is_the_files_own(pixels: np.ndarray, quality: int) -> None:
    data = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
    assert compression(decode(data)).quality == pytest.approx(quality, abs=3)


def test_compression_of_a_png_is_not_assessed(pixels: np.ndarray) -> None:
    assert not compression(decode(cv2.imencode(".png", pixels)[1].tobytes())).assessed


def test_a_busy_background_is_less_uniform_than_a_plain_one(reader: Reader, pixels: np.ndarray) -> None:
    busy = pixels.copy()
    bricks = (np.indices(busy.shape[:2]) // 40).sum(axis=0) % 2 * 160 + 40
    busy[:, :110] = bricks[:, :110, None]
    busy[:, -110:] = bricks[:, -110:, None]
    plain, patterned = background_of(reader, pixels), background_of(reader, busy)
    assert plain is not None
    assert patterned is not None
    assert plain > 85
    assert patterned < plain - 15


def test_without_background_there_is_nothing_to_assess(reader: Reader, pixels: np.ndarray) -> None:
    assert background_of(reader, pixels[230:480, 125:355]) is None
