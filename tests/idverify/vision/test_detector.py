"""Faces are found at any size, where an independent decoder finds them too."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from citizens import Capture, Identity, Portrait, render
from idverify.vision.detector import Detector, Face
from idverify.vision.image import Image, decode
from idverify.vision.manifest import ModelFiles, ModelSet, NetworkRole
from idverify.vision.reader import Reader


@pytest.fixture(scope="module")
def detector(reader: Reader) -> Detector:
    return reader.detector


@pytest.fixture(scope="module")
def citizen() -> Portrait:
    return render(Identity.from_seed(4), Capture.frontal())


def picture(pixels: np.ndarray) -> Image:
    return Image(np.ascontiguousarray(pixels), "png", None)


def landmark_error(face: Face, truth: np.ndarray) -> float:
    """Mean distance in eye distances."""
    return float(np.hypot(*(face.landmarks - truth).T).mean() / np.hypot(*(truth[1] - truth[0])))


def test_an_empty_scene_has_no_face(detector: Detector) -> None:
    noise = np.random.default_rng(0).integers(100, 140, (480, 640, 3), dtype=np.uint8)
    assert detector.detect(picture(noise)) == ()


def test_landmarks_are_the_subjects_right_eye_first(detector: Detector, citizen: Portrait) -> None:
    image = picture(citizen.pixels)
    (face,) = detector.detect(image)
    assert landmark_error(detector.refine(image, face), citizen.landmarks) < 0.12
    assert face.score > 0.7


@pytest.mark.parametrize("scale", [0.45, 1.0, 3.0, 6.0])
def test_landmarks_scale_with_the_picture(detector: Detector, citizen: Portrait, scale: float) -> None:
    pixels = cv2.resize(
        citizen.pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    )
    scaled, plain = picture(pixels), picture(citizen.pixels)
    (face,), (unscaled,) = detector.detect(scaled), detector.detect(plain)
    expected = (detector.refine(plain, unscaled).landmarks + 0.5) * scale - 0.5
    assert landmark_error(detector.refine(scaled, face), expected) < 0.05


@pytest.mark.parametrize(("width", "height"), [(4000, 3000), (5000, 1200), (700, 5000)])
def test_a_small_face_in_a_large_photograph_is_found_with_exact_landmarks(
    detector: Detector, citizen: Portrait, width: int, height: int
) -> None:
    small = cv2.resize(citizen.pixels, (150, 200), interpolation=cv2.INTER_AREA)
    wide = np.full((height, width, 3), 190, np.uint8)
    left, top = width // 3, height // 2
    wide[top : top + 200, left : left + 150] = small
    image = picture(wide)
    faces = detector.detect(image)
    assert len(faces) == 1
    truth = (citizen.landmarks + 0.5) * [150 / 480, 200 / 640] - 0.5 + [left, top]
    assert landmark_error(detector.refine(image, faces[0]), truth) < 0.13


def test_a_face_that_fills_the_picture_is_found(detector: Detector, citizen: Portrait) -> None:
    left, top, right, bottom = (round(edge) for edge in citizen.face_box)
    close = cv2.resize(citizen.pixels[top:bottom, left:right], (1500, 1800), interpolation=cv2.INTER_CUBIC)
    assert len(detector.detect(picture(close))) == 1


def test_two_people_are_two_faces(detector: Detector) -> None:
    both = np.hstack([render(Identity.from_seed(seed), Capture.frontal()).pixels for seed in (1, 2)])
    assert len(detector.detect(picture(both))) == 2


@pytest.mark.parametrize("tilt_deg", [-30, 20, 35])
def test_a_second_look_sees_a_tilted_head_as_tilted_as_it_is(detector: Detector, tilt_deg: float) -> None:
    tilted = render(Identity.from_seed(4), replace(Capture.frontal(), roll_deg=tilt_deg))
    image = picture(tilted.pixels)
    (first,) = detector.detect(image)
    second = detector.refine(image, first)
    seen, looked_again = (landmark_error(face, tilted.landmarks) for face in (first, second))
    assert looked_again < max(0.7 * seen, 0.03)  # the built-in detector is as exact as that at first sight
    assert second.roll_deg == pytest.approx(tilt_deg, abs=10)


def test_our_decoding_agrees_with_opencvs(
    detector: Detector, model_set: ModelSet, model_files: ModelFiles, portrait: Callable[[int, int], bytes]
) -> None:
    """OpenCV's own YuNet decoder is the oracle. With one candidate let through, the mean is that candidate."""
    path = model_files.locate(model_set.files[NetworkRole.DETECTOR])
    oracle = cv2.FaceDetectorYN.create(str(path), "", (120, 160), 0.6, 0.3)
    for seed in range(6):
        image = decode(portrait(seed, 1))
        pixels = cv2.resize(image.pixels, (120, 160), interpolation=cv2.INTER_AREA)
        oracle.setInputSize((120, 160))
        _, (theirs,) = oracle.detect(pixels[..., ::-1])
        best = Detector(detector.network, min_score=float(theirs[14]) - 1e-5).detect(picture(pixels))[0]
        assert best.landmarks == pytest.approx(theirs[4:14].reshape(5, 2), abs=0.02)
        assert best.box == pytest.approx(tuple(theirs[:4]), abs=0.02)


def test_a_face_is_found_in_every_real_photograph(detector: Detector, lfw_dev: Path) -> None:
    photographs = sorted(lfw_dev.glob("*/*.jpg"))[::60]
    assert all(detector.detect(decode(each.read_bytes())) for each in photographs)
