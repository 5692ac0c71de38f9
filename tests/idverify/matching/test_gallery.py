"""The gallery against a brute-force oracle in numpy: small ones, and ones of several shards, scanned by codes."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from uuid import uuid4

import numpy as np
import pytest

from idverify.embedding import Embedding, unit
from idverify.errors import EmbedderMismatch, InvalidInput
from idverify.ids import EncounterId, GalleryId, ModelDigest, PersonId
from idverify.matching import gallery as module
from idverify.matching import shard
from idverify.matching.gallery import Gallery, expected_bytes
from idverify.matching.quantised import Floats
from idverify.matching.shard import Shard

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


def block(people: int, seed: int) -> Floats:
    return np.stack([embedding.vector for embedding in embeddings(people, seed)])


def people_named(start: int, stop: int) -> tuple[list[PersonId], list[EncounterId]]:
    return [person(number) for number in range(start, stop)], [EncounterId(f"E{row}") for row in range(start, stop)]


def probes_like(references: Floats, cosine: float) -> list[Embedding]:
    generator = np.random.default_rng(11)
    return [
        unit(cosine * reference + np.sqrt(1 - cosine**2) * unit(generator.normal(size=DIMENSION), MODEL).vector, MODEL)
        for reference in references
    ]


@pytest.fixture
def held() -> Floats:
    return block(5_000, seed=3)


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch, held: Floats) -> Gallery:
    """5,000 people in five shards of at most 1,200 rows, each scanned by codes."""
    monkeypatch.setattr(module, "Shard", partial(Shard, rows=1_200))
    monkeypatch.setattr(shard, "EXACT_ROWS", 150)
    gallery = Gallery(GalleryId("register"), MODEL, DIMENSION, threads=2)
    for start in range(0, 5_000, 700):
        stop = min(start + 700, 5_000)
        gallery.add_block(*people_named(start, stop), held[start:stop])
    gallery.settle()
    assert [one.coded for one in gallery._shards] == [True] * 5
    return gallery


def test_a_large_gallery_finds_whom_an_exact_comparison_ranks_first_with_the_exact_cosine(
    large: Gallery, held: Floats
) -> None:
    probes = probes_like(held[::10], cosine=0.75)
    for probe in probes:
        scores = held @ probe.vector
        (found,) = large.search(probe, most=1)
        assert found.person == person(int(scores.argmax()))
        assert found.encounter == f"E{scores.argmax()}"
        assert found.similarity == pytest.approx(float(scores.max()), abs=1e-6)


def test_many_probes_at_once_get_what_each_gets_alone(large: Gallery, held: Floats) -> None:
    probes = probes_like(held[:77], cosine=0.6)
    together = large.search_many(probes, most=4)
    assert [[one.person for one in found] for found in together] == [
        [one.person for one in large.search(probe, most=4)] for probe in probes
    ]
    assert large.search_many([], most=4) == []


def test_more_people_may_be_asked_for_than_a_shortlist_holds(large: Gallery, held: Floats) -> None:
    found = large.search(probes_like(held[:1], cosine=0.6)[0], most=2_500)
    assert len({one.person for one in found}) == 2_500
    assert [one.similarity for one in found] == sorted((one.similarity for one in found), reverse=True)


def test_in_a_large_gallery_too_one_person_with_many_encounters_does_not_crowd_out_the_others(
    large: Gallery, held: Floats
) -> None:
    probe = unit(held[0], MODEL)
    large.add((PersonId("often"), EncounterId(f"often-{visit}"), probe) for visit in range(600))
    large.settle()
    assert [one.person for one in large.search(probe, most=3)][:2] in (["P0", "often"], ["often", "P0"])


def test_a_person_removed_from_a_large_gallery_is_gone_from_every_shard(large: Gallery, held: Floats) -> None:
    large.add_block([person(7)] * 900, people_named(9_000, 9_900)[1], block(900, seed=5))
    assert large.remove(person(7)) == 901
    assert large.remove(person(7)) == 0
    assert held[7].tobytes() not in b"".join(one._vectors.tobytes() for one in large._shards)
    assert large.references == 4_999
    assert large.search(unit(held[7], MODEL), most=1)[0].person != person(7)


def test_people_are_counted_once_however_they_came(large: Gallery) -> None:
    assert len(large) == 5_000
    large.add([(person(3), EncounterId("again"), embeddings(1, seed=8)[0])])
    large.add([(person(5_000), EncounterId("new"), embeddings(1, seed=9)[0])])
    assert len(large) == 5_001
    large.add_block(*people_named(4_990, 5_100), block(110, seed=10))
    assert len(large) == 5_100
    large.remove(person(4_999))
    assert len(large) == 5_099
    assert large.references == 5_000 + 2 + 110 - 2


def test_room_that_removals_left_is_used_again(large: Gallery) -> None:
    for number in range(200):
        large.remove(person(number))
    before = large.memory_bytes
    large.add_block(*people_named(6_000, 6_200), block(200, seed=12))
    assert large.memory_bytes == before
    assert len(large._shards) == 5


def test_the_memory_that_a_gallery_takes_is_what_was_expected_of_it() -> None:
    gallery = Gallery(GalleryId("register"), MODEL, DIMENSION)
    names = people_named(0, 20_000)[0]
    gallery.add_block(names, [EncounterId(str(uuid4())) for _ in names], block(20_000, seed=13))
    gallery.settle()
    assert gallery.memory_bytes == pytest.approx(expected_bytes(20_000, 20_000 * DIMENSION), rel=0.1)


@pytest.mark.parametrize(
    "vectors",
    [block(2, seed=1), block(3, seed=1).astype(np.float64), 2 * block(3, seed=1), np.zeros((3, DIMENSION), np.float32)],
    ids=["too few", "float64", "not of length 1", "zeros"],
)
def test_a_block_that_is_no_embeddings_is_refused_and_adds_nothing(vectors: Floats) -> None:
    gallery = Gallery(GalleryId("register"), MODEL, DIMENSION)
    with pytest.raises(InvalidInput, match="expected"):
        gallery.add_block(*people_named(0, 3), vectors)
    assert gallery.references == len(gallery) == 0


def test_codes_are_made_beside_searches_as_people_are_enrolled_one_by_one(
    monkeypatch: pytest.MonkeyPatch, held: Floats
) -> None:
    monkeypatch.setattr(shard, "EXACT_ROWS", 100)
    gallery = Gallery(GalleryId("register"), MODEL, DIMENSION)
    for number in range(450):
        gallery.add([(person(number), EncounterId(str(number)), unit(held[number], MODEL))])
        assert gallery.search(unit(held[number], MODEL), most=1)[0].person == person(number)
    gallery.settle()
    (only,) = gallery._shards
    assert only.coded
    assert len(gallery) == 450


def test_a_register_that_comes_in_blocks_has_its_codes_made_once_as_soon_as_they_will_last(
    monkeypatch: pytest.MonkeyPatch, held: Floats
) -> None:
    monkeypatch.setattr(module, "Shard", partial(Shard, rows=1_200))
    monkeypatch.setattr(shard, "EXACT_ROWS", 150)
    gallery = Gallery(GalleryId("register"), MODEL, DIMENSION)
    gallery.add_block(*people_named(0, 300), held[:300])
    (only,) = gallery._shards
    assert gallery._learning is None  # 300 rows' codes would be outgrown by 1,200
    gallery.add_block(*people_named(300, 310), held[300:310])
    assert gallery._learning is not None
    gallery._learning.result()
    assert only._learnt_from == 310
    gallery.add_block(*people_named(310, 1_200), held[310:1_200])
    gallery.settle()
    assert (only._learnt_from, only.room) == (310, 0)
    assert [gallery.search(unit(one, MODEL), most=1)[0].person for one in held[:1_200:50]] == [
        person(number) for number in range(0, 1_200, 50)
    ]


def test_searches_stay_right_while_people_come_and_go_and_codes_are_made(large: Gallery, held: Floats) -> None:
    """Four threads at once; each one's own people are there from its `add` to its `remove` and not a moment longer."""
    extra = block(400, seed=21)
    failures: list[str] = []
    over = threading.Event()

    def relearn() -> None:
        while not over.is_set():
            for one in large._shards:
                one.learn()

    def churn(worker: int) -> None:
        for number in range(worker, 400, 3):
            name, probe = PersonId(f"X{number}"), unit(extra[number], MODEL)
            large.add([(name, EncounterId(f"X{number}"), probe)])
            if large.search(probe, most=1)[0].person != name:
                failures.append(f"{name} was not found")
            large.remove(name)
            if large.search(probe, most=1)[0].person == name:
                failures.append(f"{name} was found after its removal")
            if large.search(unit(held[number], MODEL), most=1)[0].person != person(number):
                failures.append(f"{person(number)} was lost")

    learner = threading.Thread(target=relearn)
    learner.start()
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(churn, range(3)))
    over.set()
    learner.join()
    assert failures == []
    assert len(large) == large.references == 5_000
