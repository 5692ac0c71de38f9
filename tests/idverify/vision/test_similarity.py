"""The fitted similarity is the least-squares one, and every way back is the way there."""

import cmath

import numpy as np
import pytest

from idverify.vision.alignment import CANONICAL
from idverify.vision.similarity import Similarity

KNOWN = Similarity(cmath.rect(2.5, 0.4), 120 - 30j)


def test_a_known_similarity_is_recovered() -> None:
    fitted = Similarity.fit(CANONICAL, [KNOWN.apply(point) for point in CANONICAL])
    assert fitted.factor == pytest.approx(KNOWN.factor)
    assert fitted.shift == pytest.approx(KNOWN.shift)
    assert fitted.scale == pytest.approx(2.5)


def test_no_similarity_near_it_fits_better() -> None:
    rng = np.random.default_rng(5)
    target = [point * 1.7 + complex(*rng.normal(0, 3, 2)) for point in CANONICAL]
    best = Similarity.fit(CANONICAL, target)

    def squared_error(tried: Similarity) -> float:
        return sum(abs(tried.apply(a) - b) ** 2 for a, b in zip(CANONICAL, target, strict=True))

    for _ in range(200):
        a, b, x, y = rng.normal(0, [0.01, 0.01, 0.5, 0.5])
        other = Similarity(best.factor + complex(a, b), best.shift + complex(x, y))
        assert squared_error(other) > squared_error(best)


def test_the_way_back_is_the_way_there() -> None:
    assert KNOWN.source_of(KNOWN.apply(7 - 3j)) == pytest.approx(7 - 3j)


def test_the_matrix_does_the_same() -> None:
    assert KNOWN.matrix() @ [7, -3, 1] == pytest.approx([KNOWN.apply(7 - 3j).real, KNOWN.apply(7 - 3j).imag])


@pytest.mark.parametrize("halvings", [0, 1, 3])
def test_from_a_halved_source_the_target_stays(halvings: int) -> None:
    size = 1 << halvings
    covered = [complex(x, y) for x in range(size) for y in range(size)]  # the source pixels under halved pixel 0
    middle = sum(covered) / len(covered)
    assert KNOWN.from_halved(halvings).apply(0) == pytest.approx(KNOWN.apply(middle))
