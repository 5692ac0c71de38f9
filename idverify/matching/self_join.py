"""Finds all pairs of references at or above a threshold, within one gallery or between two, block by block.

A block depends on nothing but its two tiles, so a join may stop after any block and go on later, or elsewhere. It holds
two tiles and one block's pairs in memory, whatever the size of the galleries, and misses pairs no more often than
`Prefilter` says.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from idverify.errors import InvalidInput
from idverify.matching.prefilter import Prefilter, exact_pairs
from idverify.matching.quantised import Floats, Rows

TILE_ROWS = 131_072
EXACT_ROWS = 20_000
"""A tile of fewer rows is compared exactly at once: making codes for it would cost more than they save."""


class Vectors(Protocol):
    """References in an order that stays the same for as long as a join may be resumed.

    `owners` (n,) numbers the person of each: references of one person have the same number. One that was erased since
    is a row of zeros, which is alike to nobody.
    """

    @property
    def owners(self) -> Rows: ...

    def tile(self, start: int, stop: int) -> Floats:
        """Unit vectors of the references from `start` up to `stop`, float32 (stop - start, d)."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class HeldVectors:
    """References that lie in memory: unit vectors, float32 (n, d), and the number of each one's person, int64 (n,)."""

    vectors: Floats
    owners: Rows

    def __repr__(self) -> str:
        return f"HeldVectors({len(self.owners)} withheld)"

    def tile(self, start: int, stop: int) -> Floats:
        return self.vectors[start:stop]


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Every pair of one tile with another: reference `left[k]` with `right[k]`, at cosine `similarity[k]`.

    Within one gallery each pair stands once, left before right. `compared` counts the pairs that were looked at.
    """

    number: int
    left: Rows
    right: Rows
    similarity: npt.NDArray[np.float32]
    compared: int

    def __repr__(self) -> str:
        return f"Block({self.number}, {len(self.left)} pairs withheld)"


def block_count(left_rows: int, right_rows: int | None, *, tile_rows: int = TILE_ROWS) -> int:
    """How many blocks there are to do; `right_rows` is None within one gallery."""
    return sum(1 for _ in _blocks(left_rows, right_rows, tile_rows))


def pairs(
    left: Vectors,
    right: Vectors | None,
    threshold: float,
    *,
    done: Collection[int] = frozenset(),
    tile_rows: int = TILE_ROWS,
    threads: int = 2,
) -> Iterator[Block]:
    """Yield every block but those numbered in `done`, each as soon as it is through, in order of their numbers.

    With `right` None: all pairs within `left`, but never a reference with itself or with another of the same owner.
    With two galleries: all pairs of one with the other, those of one person with themselves too, since owners are
    numbered in each gallery apart. Numbers hold for the same sizes, order and `tile_rows`; a gallery that only grew at
    its end keeps those of its full tiles. Raises InvalidInput for a threshold that is not between 0 and 1.
    """
    if not 0.0 < threshold < 1.0:
        raise InvalidInput(f"threshold of a search for pairs: expected more than 0 and less than 1, got {threshold:g}")
    other = left if right is None else right
    prefilter: Prefilter | None = None
    column_of_prefilter = -1
    for number, row, column in _blocks(len(left.owners), None if right is None else len(right.owners), tile_rows):
        if number in done:
            continue
        columns = slice(column, min(column + tile_rows, len(other.owners)))
        rows = slice(row, min(row + tile_rows, len(left.owners)))
        if column != column_of_prefilter:
            tile = other.tile(columns.start, columns.stop)
            worth_it = np.count_nonzero(tile.any(axis=1)) >= EXACT_ROWS
            prefilter = Prefilter(tile, threshold, threads=threads) if worth_it else None
            column_of_prefilter = column
        queries = tile if right is None and row == column else left.tile(rows.start, rows.stop)
        found = exact_pairs(queries, tile, threshold) if prefilter is None else prefilter.pairs(queries)
        yield _block(number, left, other, rows, columns, found, within=right is None)


def _blocks(left_rows: int, right_rows: int | None, tile_rows: int) -> Iterator[tuple[int, int, int]]:
    """Number, first left row and first right row of each block: column by column, so that codes are made once."""
    number = 0
    for column in range(0, left_rows if right_rows is None else right_rows, tile_rows):
        for row in range(0, column + 1 if right_rows is None else left_rows, tile_rows):
            yield number, row, column
            number += 1


def _block(
    number: int,
    left: Vectors,
    right: Vectors,
    rows: slice,
    columns: slice,
    found: tuple[Rows, Rows, Floats],
    *,
    within: bool,
) -> Block:
    first, second = found[0] + rows.start, found[1] + columns.start
    height, width = rows.stop - rows.start, columns.stop - columns.start
    compared = height * width
    if within:
        wanted = (first < second) & (left.owners[first] != right.owners[second])
        compared = height * (height - 1) // 2 if rows == columns else compared
    else:
        wanted = np.ones(len(first), bool)
    return Block(number, first[wanted], second[wanted], found[2][wanted], compared)
