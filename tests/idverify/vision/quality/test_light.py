"""Light on the face: each measure answers to what it names, and none to the skin alone."""

from dataclasses import replace

import numpy as np
import pytest

from citizens import Capture, Identity, render
from idverify.vision.alignment import AlignedFace, align
from idverify.vision.image import Image
from idverify.vision.quality.light import light_measures, linear_luminance, natural_colour
from idverify.vision.quality.measure import Measure, MeasureName
from idverify.vision.reader import Reader


def by_name(pixels: np.ndarray) -> dict[MeasureName, Measure]:
    face = AlignedFace(pixels.astype(np.uint8))
    return {each.name: each for each in (*light_measures(face), natural_colour(face))}


def flat(red: int, green: int, blue: int) -> np.ndarray:
    return np.full((112, 112, 3), (red, green, blue), np.uint8)


def lit(reader: Reader, seed: int, capture: Capture) -> dict[MeasureName, Measure]:
    image = Image(render(Identity.from_seed(seed), capture).pixels, "png", None)
    return by_name(align(image, reader.detector.detect(image)[0]).pixels)


def test_luminance_is_of_linear_light() -> None:
    assert linear_luminance(flat(255, 255, 255)).max() >= 254
    assert linear_luminance(flat(0, 0, 0)).max() == 0
    assert linear_luminance(flat(188, 188, 188))[0, 0] == pytest.approx(128, abs=2)  # half the light is code 188
    assert linear_luminance(flat(255, 0, 0))[0, 0] == pytest.approx(0.2126 * 255, abs=1)


def test_luminance_mean_maps_as_in_ofiq() -> None:
    assert by_name(flat(124, 124, 124))[MeasureName.LUMINANCE_MEAN].quality == pytest.approx(50, abs=4)
    assert by_name(flat(188, 188, 188))[MeasureName.LUMINANCE_MEAN].quality == 100
    assert (by_name(flat(255, 255, 255))[MeasureName.LUMINANCE_MEAN].quality or 0) <= 2


def test_a_flat_face_has_no_dynamic_range() -> None:
    assert by_name(flat(90, 90, 90))[MeasureName.DYNAMIC_RANGE].native == 0


def test_burnt_out_and_black_shares_are_counted() -> None:
    half = flat(120, 120, 120)
    half[:, :56] = 255
    assert by_name(half)[MeasureName.OVER_EXPOSURE].native == pytest.approx(0.5)
    half[:, :56] = 0
    assert by_name(half)[MeasureName.UNDER_EXPOSURE].native == pytest.approx(0.5)


def test_light_from_one_side_is_uneven() -> None:
    ramp = flat(0, 0, 0) + np.linspace(20, 240, 112).astype(np.uint8)[None, :, None]
    assert (by_name(ramp)[MeasureName.ILLUMINATION_UNIFORMITY].quality or 0) < 10
    assert by_name(flat(150, 120, 100))[MeasureName.ILLUMINATION_UNIFORMITY].quality == 100


def test_a_lamp_at_the_side_lowers_illumination_uniformity(reader: Reader) -> None:
    front = lit(reader, 0, replace(Capture.frontal(), light_contrast=0.9))
    side = lit(reader, 0, replace(Capture.frontal(), light_azimuth_deg=75.0, light_contrast=0.9))
    name = MeasureName.ILLUMINATION_UNIFORMITY
    assert (side[name].quality or 0) < (front[name].quality or 0) - 20


@pytest.mark.parametrize("rgb", [(245, 205, 175), (200, 140, 110), (120, 75, 50), (70, 42, 30)])
def test_skin_of_any_tone_is_a_natural_colour(rgb: tuple[int, int, int]) -> None:
    assert (by_name(flat(*rgb))[MeasureName.NATURAL_COLOUR].quality or 0) > 80


@pytest.mark.parametrize("rgb", [(90, 90, 230), (80, 220, 80)])
def test_blue_and_green_skin_is_not(rgb: tuple[int, int, int]) -> None:
    assert (by_name(flat(*rgb))[MeasureName.NATURAL_COLOUR].quality or 0) < 20


def test_more_light_is_more_luminance_for_every_skin_tone(reader: Reader) -> None:
    for seed in range(6):
        dim, bright = (
            lit(reader, seed, replace(Capture.frontal(), light_strength=strength))[MeasureName.LUMINANCE_MEAN].native
            or 0
            for strength in (0.4, 1.0)
        )
        assert bright > 1.5 * dim > 0
