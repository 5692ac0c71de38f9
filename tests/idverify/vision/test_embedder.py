"""Embeddings are unit vectors that tell people apart, and the mirrored one is steadier."""

from collections.abc import Callable

import numpy as np
import pytest

from idverify.embedding import Embedding
from idverify.vision.alignment import AlignedFace, align
from idverify.vision.image import decode
from idverify.vision.manifest import ModelSet
from idverify.vision.reader import Reader


def similarity(one: Embedding, other: Embedding) -> float:
    return float(one.vector @ other.vector)


@pytest.fixture(scope="module")
def crop(reader: Reader, portrait: Callable[[int, int], bytes]) -> Callable[[int, int], AlignedFace]:
    def cut(person: int, visit: int) -> AlignedFace:
        image = decode(portrait(person, visit))
        return align(image, reader.detector.detect(image)[0])

    return cut


def test_an_embedding_names_its_embedder(
    reader: Reader, model_set: ModelSet, crop: Callable[[int, int], AlignedFace]
) -> None:
    embedding = reader.embedder.embed(crop(0, 1))
    assert embedding.model == model_set.embedder_digest
    assert embedding.dimension == reader.dimension == 128


def test_a_person_is_nearer_to_themselves_than_to_others(
    reader: Reader, crop: Callable[[int, int], AlignedFace]
) -> None:
    first = [reader.embedder.embed(crop(person, 1)) for person in range(5)]
    second = [reader.embedder.embed(crop(person, 2)) for person in range(5)]
    scores = np.array([[similarity(one, other) for other in second] for one in first])
    assert (scores.argmax(axis=1) == np.arange(5)).all()


def test_a_mirrored_embedding_does_not_care_about_left_and_right(
    reader: Reader, crop: Callable[[int, int], AlignedFace]
) -> None:
    face = crop(3, 1)
    mirror = AlignedFace(np.ascontiguousarray(face.pixels[:, ::-1]))
    plain = similarity(reader.embedder.embed(face), reader.embedder.embed(mirror))
    mirrored = similarity(reader.embedder.embed(face, mirrored=True), reader.embedder.embed(mirror, mirrored=True))
    assert plain < 0.9999
    assert mirrored == pytest.approx(1, abs=1e-5)


def test_an_aligned_face_does_not_print_its_pixels(crop: Callable[[int, int], AlignedFace]) -> None:
    assert repr(crop(0, 1)) == "AlignedFace(112 x 112, pixels withheld)"
