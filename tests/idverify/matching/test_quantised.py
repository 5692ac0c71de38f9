"""Codes of vectors: what a scan finds, and that changing rows in place leaves the codes that making them anew would."""

import numpy as np
import pytest

from idverify.matching.quantised import CodedRows, Floats, Quantiser, compare_rows, scan_exactly

DIMENSION = 32


def vectors(rows: int, seed: int) -> Floats:
    drawn = np.random.default_rng(seed).normal(size=(rows, DIMENSION))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn.astype(np.float32)


@pytest.fixture(scope="module")
def quantiser() -> Quantiser:
    return Quantiser(vectors(3_000, seed=1))


def coded(quantiser: Quantiser, rows: Floats) -> CodedRows:
    made = quantiser.index()
    made.append(rows)
    return made


def test_an_exact_scan_gives_the_highest_inner_products_best_first() -> None:
    rows, probes = vectors(300, seed=2), vectors(7, seed=3)
    scores, found = scan_exactly(rows, probes, 5)
    expected = np.argsort(-(probes @ rows.T), axis=1)[:, :5]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_allclose(scores, np.take_along_axis(probes @ rows.T, expected, 1), atol=1e-6)


def test_named_rows_are_compared_with_their_own_probe_however_the_arrays_lie_in_memory() -> None:
    rows, probes = vectors(300, seed=2), vectors(7, seed=3)
    named = np.random.default_rng(4).integers(0, 300, (40, 7)).T  # not one row after the other
    expected = np.take_along_axis(probes @ rows.T, named, 1)
    np.testing.assert_allclose(compare_rows(rows, named, probes), expected, atol=1e-6)
    turned = probes[::-1]
    expected = np.take_along_axis(turned @ rows.T, named, 1)
    np.testing.assert_allclose(compare_rows(np.asfortranarray(rows), named, turned), expected, atol=1e-6)
    assert compare_rows(rows, named[:, :0], probes).shape == (7, 0)


def test_a_scan_finds_a_row_by_a_probe_like_it(quantiser: Quantiser) -> None:
    rows = vectors(2_000, seed=4)
    probes = 0.8 * rows[:200] + 0.6 * vectors(200, seed=5)
    _, found = coded(quantiser, rows).scan((probes / np.linalg.norm(probes, axis=1, keepdims=True)), 20)
    assert np.any(found == np.arange(200)[:, None], axis=1).sum() >= 198


def test_a_scan_gives_the_inner_product_with_the_stand_in(quantiser: Quantiser) -> None:
    rows, probes = vectors(500, seed=6), vectors(10, seed=7)
    scores, found = coded(quantiser, rows).scan(probes, 50)
    exact = np.einsum("md,mkd->mk", probes, quantiser.stand_in(rows)[found])
    np.testing.assert_allclose(scores, exact, atol=0.02)


def test_fewer_rows_than_asked_for_are_filled_up_with_none(quantiser: Quantiser) -> None:
    _, found = coded(quantiser, vectors(3, seed=8)).scan(vectors(1, seed=9), 5)
    assert sorted(found[0].tolist()) == [-1, -1, 0, 1, 2]


def test_rows_changed_in_place_are_as_if_they_had_been_made_so(quantiser: Quantiser) -> None:
    generator = np.random.default_rng(10)
    held = vectors(500, seed=11)
    rows = coded(quantiser, held)
    for step in range(60):
        match int(generator.integers(3)):
            case 0:
                added = vectors(int(generator.integers(1, 70)), seed=100 + step)
                rows.append(added)
                held = np.concatenate([held, added])
            case 1:
                length = int(generator.integers(len(held) // 2, len(held) + 1))
                rows.truncate(length)
                held = held[:length].copy()
            case _:
                chosen = generator.choice(len(held), size=min(20, len(held)), replace=False)
                held[chosen] = vectors(len(chosen), seed=200 + step)
                rows.overwrite(chosen, held[chosen])
        assert len(rows) == len(held)
        np.testing.assert_array_equal(rows.codes()[: len(held)], quantiser.encode(held))
        assert not rows.codes()[len(held) :].any(), "a code was left behind the last row"


def test_what_was_cut_off_is_not_found(quantiser: Quantiser) -> None:
    held = vectors(100, seed=12)
    rows = coded(quantiser, held)
    rows.truncate(60)
    _, found = rows.scan(held[60:], 100)
    assert found.max() == 59
