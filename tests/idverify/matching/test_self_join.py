"""All pairs above a threshold against every pair compared in numpy: in blocks, resumed, in one gallery and two."""

from collections.abc import Iterable

import numpy as np
import pytest

from idverify.errors import InvalidInput
from idverify.matching import self_join
from idverify.matching.prefilter import Prefilter, exact_pairs
from idverify.matching.quantised import Floats
from idverify.matching.self_join import Block, HeldVectors, block_count, pairs

DIMENSION = 64
Pair = tuple[int, int]


def vectors(rows: int, seed: int, alike: float = 0.0) -> Floats:
    """Random unit vectors; with `alike`, every odd one lies at about that cosine from the one before it."""
    generator = np.random.default_rng(seed)
    drawn = generator.normal(size=(rows, DIMENSION))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    if alike:
        drawn[1::2] = alike * drawn[: rows - rows % 2 : 2] + np.sqrt(1 - alike**2) * drawn[1::2]
        drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn.astype(np.float32)


def held(values: Floats, owners: Iterable[int] | None = None) -> HeldVectors:
    numbers = range(len(values)) if owners is None else owners
    return HeldVectors(values, np.array(list(numbers), np.int64))


def found(blocks: Iterable[Block]) -> dict[Pair, float]:
    listed = [
        ((int(one), int(other)), float(similarity))
        for block in blocks
        for one, other, similarity in zip(block.left, block.right, block.similarity, strict=True)
    ]
    assert len(dict(listed)) == len(listed), "a pair was given twice"
    return dict(listed)


def oracle(left: HeldVectors, right: HeldVectors | None, threshold: float) -> set[Pair]:
    scores = left.vectors @ (left if right is None else right).vectors.T
    wanted = scores >= threshold
    if right is None:
        wanted &= (left.owners[:, None] != left.owners[None, :]) & np.triu(np.ones(scores.shape, bool), 1)
    return {(int(one), int(other)) for one, other in zip(*np.nonzero(wanted), strict=True)}


@pytest.mark.parametrize("tile_rows", [1_000, 150, 64])
def test_a_gallery_gives_each_pair_once_whatever_the_tiles(tile_rows: int) -> None:
    gallery = held(vectors(400, seed=1, alike=0.7), owners=(row // 4 for row in range(400)))
    given = found(pairs(gallery, None, 0.3, tile_rows=tile_rows))
    assert set(given) == oracle(gallery, None, 0.3)
    assert len(given) > 50
    for (one, other), similarity in given.items():
        assert similarity == pytest.approx(float(gallery.vectors[one] @ gallery.vectors[other]), abs=1e-6)


def test_a_persons_own_references_are_no_pair() -> None:
    values = vectors(40, seed=2, alike=0.9)
    assert found(pairs(held(values, (row // 2 for row in range(40))), None, 0.8)) == {}
    assert set(found(pairs(held(values), None, 0.8))) == {(row, row + 1) for row in range(0, 40, 2)}


def test_two_galleries_give_all_pairs_between_them_and_none_within() -> None:
    register, payroll = held(vectors(300, seed=3, alike=0.9)), held(vectors(300, seed=3)[:90])
    given = found(pairs(payroll, register, 0.35, tile_rows=70))
    assert set(given) == oracle(payroll, register, 0.35)
    assert {(row, row) for row in range(0, 90, 2)} <= set(given)


def test_a_join_that_was_stopped_goes_on_where_it_was() -> None:
    gallery = held(vectors(500, seed=4, alike=0.7))
    before = []
    for block in pairs(gallery, None, 0.3, tile_rows=120):
        before.append(block)
        if len(before) == 7:
            break
    after = list(pairs(gallery, None, 0.3, tile_rows=120, done={block.number for block in before}))
    assert len(before) + len(after) == block_count(500, None, tile_rows=120) == 15
    assert set(found([*before, *after])) == oracle(gallery, None, 0.3)


def test_a_gallery_that_grew_keeps_the_numbers_of_its_full_tiles() -> None:
    values = vectors(500, seed=5, alike=0.7)
    early = {block.number: found([block]) for block in pairs(held(values[:300]), None, 0.3, tile_rows=100)}
    late = {block.number: found([block]) for block in pairs(held(values), None, 0.3, tile_rows=100)}
    assert early == {number: late[number] for number in early}


def test_the_pairs_compared_add_up_to_all_there_are() -> None:
    gallery = held(vectors(250, seed=6))
    assert sum(block.compared for block in pairs(gallery, None, 0.9, tile_rows=100)) == 250 * 249 // 2
    assert sum(block.compared for block in pairs(gallery, gallery, 0.9, tile_rows=100)) == 250 * 250


def test_who_was_erased_is_in_no_pair() -> None:
    values = vectors(100, seed=7, alike=0.9)
    values[10:20] = 0
    assert {row for pair in found(pairs(held(values), None, 0.2)) for row in pair}.isdisjoint(range(10, 20))


@pytest.mark.parametrize("threshold", [0.0, -0.2, 1.0, float("nan")])
def test_a_threshold_that_means_nothing_is_refused(threshold: float) -> None:
    with pytest.raises(InvalidInput, match="more than 0"):
        list(pairs(held(vectors(4, seed=8)), None, threshold))


def test_a_block_and_its_source_print_no_scores() -> None:
    gallery = held(vectors(40, seed=2, alike=0.9))
    (block,) = pairs(gallery, None, 0.8)
    assert repr(block) == "Block(0, 20 pairs withheld)"
    assert repr(gallery) == "HeldVectors(40 withheld)"


@pytest.fixture(scope="module")
def crowd() -> Floats:
    """12,000 vectors in pairs at cosine 0.6, and one with 99 copies of it."""
    values = vectors(12_000, seed=9, alike=0.6)
    values[-100:] = values[-1]
    return values


@pytest.mark.parametrize(("threshold", "shortlist"), [(0.75, 64), (0.45, 256), (0.3, None)])
def test_the_prefilter_finds_what_an_exact_comparison_finds(
    crowd: Floats, threshold: float, shortlist: int | None
) -> None:
    prefilter = Prefilter(crowd, threshold, threads=2)
    assert prefilter._shortlist == shortlist
    exactly = set(zip(*(column.tolist() for column in exact_pairs(crowd[-1_000:], crowd, threshold)[:2]), strict=True))
    given = set(zip(*(column.tolist() for column in prefilter.pairs(crowd[-1_000:])[:2]), strict=True))
    assert len(exactly) > 10_000
    assert given <= exactly
    assert len(given) >= 0.9999 * len(exactly)


def test_a_large_tile_is_prefiltered_and_a_small_one_is_not(crowd: Floats, monkeypatch: pytest.MonkeyPatch) -> None:
    gallery = held(crowd[:3_000])
    exactly = found(pairs(gallery, None, 0.75, tile_rows=2_000))
    monkeypatch.setattr(self_join, "EXACT_ROWS", 1_500)
    used: list[int] = []

    def prefilter(tile: Floats, threshold: float, *, threads: int) -> Prefilter:
        used.append(len(tile))
        return Prefilter(tile, threshold, threads=threads)

    monkeypatch.setattr(self_join, "Prefilter", prefilter)
    assert set(found(pairs(gallery, None, 0.75, tile_rows=2_000))) == set(exactly)
    assert used == [2_000]
