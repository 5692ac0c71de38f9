"""An embedding is a unit vector that does not give its numbers away."""

import pickle

import numpy as np
import pytest

from idverify.embedding import Embedding, unit
from idverify.errors import InvalidInput
from idverify.ids import ModelDigest

MODEL = ModelDigest("e" * 64)


def test_unit_scales_to_length_one() -> None:
    embedding = unit(np.array([3.0, 4.0]), MODEL)
    assert embedding.vector.tolist() == pytest.approx([0.6, 0.8])
    assert embedding.vector.dtype == np.float32


@pytest.mark.parametrize("vector", [np.zeros(4), np.array([np.nan, 1.0]), np.array([np.inf, 1.0])])
def test_a_vector_without_direction_is_refused(vector: np.ndarray) -> None:
    with pytest.raises(InvalidInput):
        unit(vector, MODEL)


@pytest.mark.parametrize(
    "vector",
    [np.ones(4, np.float32), np.array([1.0], np.float64), np.eye(2, dtype=np.float32), np.array([np.nan], np.float32)],
)
def test_only_finite_unit_float32_vectors_are_embeddings(vector: np.ndarray) -> None:
    with pytest.raises(InvalidInput):
        Embedding(vector, MODEL)


def test_repr_errors_and_pickles_do_not_carry_the_numbers() -> None:
    embedding = unit(np.array([0.123456, 0.987654]), MODEL)
    assert "0.12" not in repr(embedding)
    assert "0.98" not in f"{embedding}"
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(embedding)


def test_an_embedding_cannot_be_changed() -> None:
    embedding = unit(np.array([3.0, 4.0]), MODEL)
    with pytest.raises(ValueError, match="read-only"):
        embedding.vector[0] = 1.0
