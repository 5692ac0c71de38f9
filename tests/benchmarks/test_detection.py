"""The detector's figures: counted from looks, over pictures that are the same each time."""

import numpy as np
import pytest

from benchmarks.detection import alarmed, look, rates
from benchmarks.faceless import HEIGHT_PX, KINDS, WIDTH_PX, faceless
from idverify.vision.reader import Reader


def test_rates_count_misses_inexact_landmarks_and_false_alarms() -> None:
    found = rates([(1, 0.01), (1, 0.03), (2, 0.05), (2, None)], [False, True, False, False])
    assert (found.portraits, found.found, found.exact) == (4, 0.75, 0.5)
    assert found.found_by_skin_tone == {1: 1.0, 2: 0.5}
    assert (found.faceless_pictures, found.false_alarms) == (4, 0.25)
    assert found.median_error == pytest.approx(0.03)


@pytest.mark.parametrize("kind", range(len(KINDS)))
def test_a_picture_of_nobody_is_made_from_its_seed(kind: int) -> None:
    pixels = faceless(kind)
    assert pixels.shape == (HEIGHT_PX, WIDTH_PX, 3)
    assert np.array_equal(pixels, faceless(kind))
    assert not np.array_equal(pixels, faceless(kind + len(KINDS)))


def test_a_rendered_face_is_found_where_the_renderer_put_it(reader: Reader) -> None:
    looks = [look(reader, seed, seed + 1) for seed in (21, 22, 23)]
    assert all(error is not None and error < 0.25 for _, error in looks)


def test_a_plain_gradient_is_no_face(reader: Reader) -> None:
    assert not alarmed(reader, 1)
