"""Whose photograph it is."""

import numpy as np

from idverify.reasons import Reason
from idverify.vision.chosen_face import FaceChoice, choose
from idverify.vision.detector import Face
from idverify.vision.image import Image

IMAGE = Image(np.zeros((400, 600, 3), np.uint8), "png", None)


def face(x: float, y: float, side: float) -> Face:
    return Face((x - side / 2, y - side / 2, side, side), (0j, 0j, 0j, 0j, 0j), 0.9)


def test_without_faces_there_is_no_subject() -> None:
    assert choose((), IMAGE, FaceChoice.SINGLE) is Reason.NO_FACE
    assert choose((), IMAGE, FaceChoice.PROMINENT) is Reason.NO_FACE


def test_a_second_face_of_comparable_size_is_refused_when_one_was_asked_for() -> None:
    assert choose((face(100, 200, 60), face(300, 200, 100)), IMAGE, FaceChoice.SINGLE) is Reason.SEVERAL_FACES


def test_a_small_face_in_the_background_is_tolerated() -> None:
    subject = face(300, 200, 100)
    assert choose((face(100, 200, 55), subject), IMAGE, FaceChoice.SINGLE) is subject


def test_in_the_wild_the_central_face_wins_over_a_slightly_larger_one_at_the_side() -> None:
    central = face(300, 200, 100)
    assert choose((face(80, 200, 110), central), IMAGE, FaceChoice.PROMINENT) is central


def test_in_the_wild_a_much_larger_face_wins_over_a_tiny_central_one() -> None:
    large = face(200, 200, 200)
    assert choose((face(300, 200, 20), large), IMAGE, FaceChoice.PROMINENT) is large
