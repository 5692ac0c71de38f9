"""The exact gallery against a brute-force oracle in numpy."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from idverify.embedding import Embedding, unit
from idverify.errors import EmbedderMismatch
from idverify.ids import EncounterId, GalleryId, ModelDigest, PersonId
from idverify.matching.gallery import Gallery

MODEL = ModelDigest("a" * 64)
DIMENSION = 32


def embeddings(count: int, seed: int) -> list[Embedding]:
    generator = np.random.default_rng(seed)
    return [unit(generator.normal(size=DIMENSION), MODEL) for _ in range(count)]


def person(number: int) -> PersonId:
    return PersonId(f"P{number}")


def filled(encounters_each: int, people: int = 60) -> tuple[Gallery, dict[PersonId, list[Embedding]]]:
    gallery = Gallery(GalleryId("register"), MODEL, DIMENSION)
    held: dict[PersonId, list[Embedding]] = {}
    for number in range(people):
        held[person(number)] = embeddings(encounters_each, seed=number)
        gallery.add((person(number), EncounterId(f"{number}-{i}"), one) for i, one in enumerate(held[person(number)]))
    return gallery, held


@pytest.mark.parametrize("encounters_each", [1, 3, 40])
def test_search_returns_the_best_encounter_of_each_of_the_best_people(encounters_each: int) -> None:
    gallery, held = filled(encounters_each)
    for probe in embeddings(20, seed=1_000):
        expected = sorted(((max(float(probe.vector @ e.vector) for e in own), name) for name, own in held.items()))
        found = gallery.search(probe, most=5)
        assert [candidate.person for candidate in found] == [name for _, name in reversed(expected[-5:])]
        assert [candidate.similarity for candidate in found] == pytest.approx(
            [score for score, _ in reversed(expected[-5:])], abs=1e-6
        )


def test_one_person_with_many_encounters_does_not_crowd_out_the_others() -> None:
    gallery = Gallery(GalleryId("register"), MODEL, DIMENSION)
    probe, other = embeddings(2, seed=5)
    gallery.add((person(1), EncounterId(str(i)), probe) for i in range(500))
    gallery.add([(person(2), EncounterId("other"), other)])
    assert [candidate.person for candidate in gallery.search(probe, most=2)] == [person(1), person(2)]


def test_an_empty_gallery_finds_nobody() -> None:
    gallery = Gallery(GalleryId("register"), MODEL, DIMENSION)
    assert list(gallery.search(embeddings(1, seed=0)[0], most=3)) == []


def test_a_removed_person_is_not_found_by_the_next_search_and_others_still_are() -> None:
    gallery, held = filled(encounters_each=2)
    assert gallery.remove(person(7)) == 2
    assert gallery.remove(person(7)) == 0
    for name, own in held.items():
        best = gallery.search(own[1], most=1)[0]
        assert (best.person == name) == (name != person(7))
    assert len(gallery) == 59
    assert gallery.references == 118


def test_embeddings_of_another_embedder_are_refused_and_add_nothing() -> None:
    gallery, _ = filled(encounters_each=1, people=2)
    stranger = unit(np.ones(DIMENSION), ModelDigest("b" * 64))
    good = embeddings(1, seed=9)[0]
    with pytest.raises(EmbedderMismatch, match="migrate"):
        gallery.add([(person(8), EncounterId("8"), good), (person(9), EncounterId("9"), stranger)])
    with pytest.raises(EmbedderMismatch):
        gallery.search(stranger, most=1)
    assert gallery.references == 2


def test_threads_may_add_remove_and_search_at_once() -> None:
    gallery, held = filled(encounters_each=1)
    extra = embeddings(200, seed=77)

    def churn(number: int) -> None:
        gallery.add([(PersonId(f"X{number}"), EncounterId(f"X{number}"), extra[number])])
        assert gallery.search(held[person(number % 60)][0], most=1)[0].person == person(number % 60)
        assert gallery.remove(PersonId(f"X{number}")) == 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(churn, range(200)))
    assert len(gallery) == 60
