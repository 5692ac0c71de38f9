"""A shard: removed references leave nothing behind, and codes made anew beside changes fit the rows that there are."""

from collections.abc import Sequence

import numpy as np
import pytest

from idverify.ids import EncounterId, PersonId
from idverify.matching import shard as module
from idverify.matching.quantised import CodedRows, Floats, Rows
from idverify.matching.shard import Shard

DIMENSION = 32
ROWS = 1_500


def vectors(rows: int, seed: int) -> Floats:
    drawn = np.random.default_rng(seed).normal(size=(rows, DIMENSION))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn.astype(np.float32)


def names(start: int, stop: int) -> tuple[list[PersonId], list[EncounterId]]:
    return [PersonId(f"P{row}") for row in range(start, stop)], [EncounterId(f"E{row}") for row in range(start, stop)]


@pytest.fixture
def held() -> Floats:
    return vectors(ROWS, seed=1)


@pytest.fixture(params=["exact", "coded"])
def shard(request: pytest.FixtureRequest, held: Floats) -> Shard:
    made = Shard(DIMENSION, 2_000)
    made.add(*names(0, ROWS), held)
    if request.param == "coded":
        made.learn()
    assert made.coded == (request.param == "coded")
    return made


def nearest(shard: Shard, probes: Floats) -> Sequence[str]:
    return [person.decode() for person in shard.best(probes, 1, 128).persons[:, 0].tolist()]


def check_codes(shard: Shard) -> None:
    """The codes are those of the rows, in their order, and there are no others."""
    assert shard._codes is not None
    length = len(shard)
    codes = shard._codes.codes()
    np.testing.assert_array_equal(codes[:length], shard._codes.quantiser.encode(shard._vectors[:length]))
    assert not codes[length:].any()


def test_every_row_is_found_by_itself_with_its_names_and_cosine(shard: Shard, held: Floats) -> None:
    best = shard.best(held[:50], 1, 128)
    assert best.persons[:, 0].tolist() == [f"P{row}".encode() for row in range(50)]
    assert best.encounters[:, 0].tolist() == [f"E{row}".encode() for row in range(50)]
    np.testing.assert_allclose(best.similarity[:, 0], 1, atol=1e-6)
    assert not best.all_rows
    assert repr(best) == "Best(withheld)"


def test_scores_are_exact_cosines_best_first(shard: Shard, held: Floats) -> None:
    probes = vectors(20, seed=2)
    best = shard.best(probes, 8, 128)
    rows = np.char.lstrip(best.persons, b"P").astype(int)
    np.testing.assert_allclose(best.similarity, np.einsum("md,mkd->mk", probes, held[rows]), atol=1e-6)
    assert np.all(np.diff(best.similarity, axis=1) <= 0)


@pytest.mark.parametrize("row", [0, 700, ROWS - 1])
def test_nothing_of_a_removed_reference_is_left_in_memory(shard: Shard, held: Floats, row: int) -> None:
    assert shard.remove(PersonId(f"P{row}")) == 1
    assert held[row].tobytes() not in shard._vectors.tobytes()
    kept = {name for of in (shard._persons, shard._encounters) for name in of.at(np.arange(2_000)).tolist()}
    assert kept.isdisjoint({f"P{row}".encode(), f"E{row}".encode()})
    assert hash(f"P{row}") not in shard._keys
    if shard._codes is not None:
        check_codes(shard)
        (code,) = shard._codes.quantiser.encode(held[row : row + 1])
        assert not np.all(shard._codes.codes() == code, axis=1).any()
    others = np.delete(np.arange(ROWS), row)[:: ROWS // 40]
    assert nearest(shard, held[others]) == [f"P{other}" for other in others]
    assert shard.remove(PersonId(f"P{row}")) == 0


def test_a_person_is_removed_whole_and_nobody_else(shard: Shard, held: Floats) -> None:
    shard.add([PersonId("P3")] * 4, names(0, 4)[1], vectors(4, seed=3))
    assert shard.remove(PersonId("P3")) == 5
    assert not shard.holds(PersonId("P3"))
    assert shard.holds(PersonId("P30"))
    assert len(shard) == ROWS - 1


def test_people_whose_names_hash_alike_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "hash", lambda _name: 7, raising=False)
    made = Shard(DIMENSION, 100)
    made.add(*names(0, 10), vectors(10, seed=4))
    assert made.remove(PersonId("P4")) == 1
    assert len(made) == 9
    assert made.holds(PersonId("P5"))
    assert not made.holds(PersonId("P4"))


def test_the_last_references_may_go_and_others_come(shard: Shard) -> None:
    for row in range(ROWS):
        shard.remove(PersonId(f"P{row}"))
    assert len(shard) == 0
    assert shard.best(vectors(2, seed=5), 3, 128).similarity.shape == (2, 0)
    shard.add(*names(0, 40), vectors(40, seed=6))
    assert nearest(shard, vectors(40, seed=6)) == [f"P{row}" for row in range(40)]


@pytest.mark.parametrize("learnt", [0, 800])
def test_codes_made_while_references_come_and_go_are_those_of_the_rows(
    monkeypatch: pytest.MonkeyPatch, held: Floats, learnt: int
) -> None:
    monkeypatch.setattr(module, "_PIECE_ROWS", 64)
    made = Shard(DIMENSION, 4_000)
    made.add(*names(0, learnt), held[:learnt])
    if learnt:
        made.learn()
    made.add(*names(learnt, ROWS), held[learnt:])
    generator, more = np.random.default_rng(7), vectors(3_000, seed=8)
    bring_up = module._bring_up
    removed, added = set(), [0]

    def disturbed(codes: CodedRows, kept: int, appended: Floats, changed: Rows, rewritten: Floats) -> None:
        bring_up(codes, kept, appended, changed, rewritten)
        if made._lock.locked() or added[0] > 600:  # the last piece is taken under the lock; it must be reached
            return
        for row in generator.integers(ROWS, size=25).tolist():
            if made.remove(PersonId(f"P{row}")):
                removed.add(row)
        start = added[0]
        made.add(*names(10_000 + start, 10_000 + start + 20), more[start : start + 20])
        added[0] += 20

    monkeypatch.setattr(module, "_bring_up", disturbed)
    made.learn()
    check_codes(made)
    assert len(made) == ROWS - len(removed) + added[0]
    assert len(removed) > 300
    assert added[0] > 300
    staying = [row for row in range(ROWS) if row not in removed][::20]
    assert nearest(made, held[staying]) == [f"P{row}" for row in staying]
    assert nearest(made, more[: added[0]]) == [f"P{10_000 + row}" for row in range(added[0])]


def test_codes_are_due_when_there_are_many_rows_and_again_when_they_outgrew_them(
    monkeypatch: pytest.MonkeyPatch, held: Floats
) -> None:
    monkeypatch.setattr(module, "EXACT_ROWS", 300)
    made = Shard(DIMENSION, 4_000)
    made.add(*names(0, 299), held[:299])
    assert not made.outgrown
    made.add(*names(299, 300), held[299:300])
    assert made.outgrown
    made.learn()
    assert not made.outgrown
    made.add(*names(300, 1_199), held[300:1_199])
    assert not made.outgrown
    made.add(*names(1_199, 1_200), held[1_199:1_200])
    assert made.outgrown


def test_memory_is_counted_by_the_rows_that_were_ever_there() -> None:
    made = Shard(DIMENSION, 4_000)
    assert made.memory_bytes == 0
    made.add(*names(0, 100), vectors(100, seed=9))
    full = made.memory_bytes
    assert full == 100 * (4 * DIMENSION + 8 + 16 + 16)
    made.remove(PersonId("P1"))
    assert made.memory_bytes == full
    made.add(*names(1, 2), vectors(1, seed=10))
    assert made.memory_bytes == full
