"""Size, place and pose of the head, on constructed landmarks and on rendered heads whose pose is known."""

import cmath
import math
from dataclasses import replace

import numpy as np
import pytest

from citizens import Capture, Identity, render
from idverify.vision.detector import Face
from idverify.vision.image import Image
from idverify.vision.quality.geometry import geometry_measures, geometry_of
from idverify.vision.quality.measure import Measure, MeasureName
from idverify.vision.reader import Reader
from idverify.vision.similarity import Similarity

FRONTAL = (-50 + 0j, 50 + 0j, 57j, -40 + 100j, 40 + 100j)
"""Eyes 100 px apart, mouth 100 px below, nose tip where a frontal face has it."""


def face_at(x: float, y: float, *, roll_deg: float = 0.0, eye_distance_px: float = 100.0) -> Face:
    place = Similarity(cmath.rect(eye_distance_px / 100, math.radians(roll_deg)), complex(x, y))
    right_eye, left_eye, nose, right_mouth, left_mouth = map(place.apply, FRONTAL)
    return Face((x - 90, y - 80, 180, 230), (right_eye, left_eye, nose, right_mouth, left_mouth), 0.9)


def measures_of(
    face: Face, width: int = 800, height: int = 1000, others: tuple[Face, ...] = ()
) -> dict[MeasureName, Measure]:
    image = Image(np.zeros((height, width, 3), np.uint8), "png", None)
    return {each.name: each for each in geometry_measures(image, face, (face, *others), geometry_of(face))}


def test_a_frontal_face_has_no_angles() -> None:
    geometry = geometry_of(face_at(400, 400))
    assert geometry.eyes == 400 + 400j
    assert geometry.eye_distance_px == 100
    assert geometry.chin_px == pytest.approx(180)
    assert (geometry.yaw_deg, geometry.pitch_deg, geometry.roll_deg) == pytest.approx((0, 0, 0), abs=1e-6)


@pytest.mark.parametrize("degrees", [-40, -10, 5, 25])
def test_roll_is_exact_and_leaves_the_other_angles_alone(degrees: float) -> None:
    geometry = geometry_of(face_at(400, 400, roll_deg=degrees))
    assert geometry.roll_deg == pytest.approx(degrees, abs=1e-3)
    assert geometry.yaw_deg == pytest.approx(0, abs=1e-3)
    assert geometry.pitch_deg == pytest.approx(0, abs=1e-3)


def test_angles_lower_quality_by_their_squared_cosine() -> None:
    quality = measures_of(face_at(400, 400, roll_deg=30))[MeasureName.ROLL].quality
    assert quality == 75


@pytest.mark.parametrize(("distance_px", "quality"), [(70, 50), (110, 88), (30, 12)])
def test_eye_distance_maps_as_in_ofiq(distance_px: float, quality: int) -> None:
    measure = measures_of(face_at(400, 400, eye_distance_px=distance_px))[MeasureName.INTER_EYE_DISTANCE]
    assert measure.native == pytest.approx(distance_px)
    assert measure.quality == quality


def test_margins_are_read_on_the_right_sides() -> None:
    measures = measures_of(face_at(150, 250))
    natives = [
        measures[name].native
        for name in (
            MeasureName.MARGIN_LEFT,
            MeasureName.MARGIN_RIGHT,
            MeasureName.MARGIN_ABOVE,
            MeasureName.MARGIN_BELOW,
        )
    ]
    assert natives == pytest.approx([1.0, 6.0, 250 / 180, 750 / 180])
    assert (measures[MeasureName.MARGIN_LEFT].quality, measures[MeasureName.MARGIN_RIGHT].quality) == (73, 100)


def test_head_size_is_best_where_the_head_takes_its_share_of_the_height() -> None:
    assert measures_of(face_at(400, 180), height=400)[MeasureName.HEAD_SIZE].quality == 100
    assert measures_of(face_at(400, 400), height=2000)[MeasureName.HEAD_SIZE].quality == 0


def test_a_second_face_counts_by_its_area() -> None:
    small = Face((0, 0, 90, 115), FRONTAL, 0.9)
    assert measures_of(face_at(400, 400))[MeasureName.SINGLE_FACE].quality == 100
    assert measures_of(face_at(400, 400), others=(small,))[MeasureName.SINGLE_FACE].native == pytest.approx(0.25)
    assert measures_of(face_at(400, 400), others=(small,))[MeasureName.SINGLE_FACE].quality == 75


def mean_angle(reader: Reader, capture: Capture, name: str) -> float:
    angles = []
    for seed in range(6):
        image = Image(render(Identity.from_seed(seed), capture).pixels, "png", None)
        face = reader.detector.refine(image, reader.detector.detect(image)[0])
        angles.append(getattr(geometry_of(face), name))
    return float(np.mean(angles))


@pytest.mark.parametrize("degrees", [-40, -20, 0, 20, 40])
def test_yaw_of_rendered_heads_is_found_roughly(reader: Reader, degrees: float) -> None:
    found = mean_angle(reader, replace(Capture.frontal(), yaw_deg=degrees), "yaw_deg")
    assert found == pytest.approx(degrees, abs=7)


@pytest.mark.parametrize("degrees", [-15, 10])
def test_roll_of_rendered_heads_is_found_roughly(reader: Reader, degrees: float) -> None:
    found = mean_angle(reader, replace(Capture.frontal(), roll_deg=degrees), "roll_deg")
    assert found == pytest.approx(degrees, abs=5)


def test_pitch_of_rendered_heads_has_the_right_order(reader: Reader) -> None:
    found = [mean_angle(reader, replace(Capture.frontal(), pitch_deg=pitch), "pitch_deg") for pitch in (-30, 0, 30)]
    assert found == sorted(found)
    assert found[2] - found[0] > 10
