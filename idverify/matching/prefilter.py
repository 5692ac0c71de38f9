"""Finds the pairs of two blocks of vectors whose cosine reaches a threshold; it returns no approximate score.

A scan of 4-bit codes may first leave out most pairs. It may miss a pair; how rarely is measured on the data itself.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from idverify.matching.quantised import CodedRows, Floats, Quantiser, Rows

Pairs = tuple[Rows, Rows, Floats]
"""Row in the first block, row in the second, cosine; (k,) each."""

SHORTLISTS = (64, 256)
MOST_CROWDED = 0.05
MISSED_AT_THRESHOLD = 1e-4
_TRIALS = 65_536
_SAMPLED_ROWS = 512
_PROBES_AT_ONCE = 2_048
_EXACT_SHAPE = (1_024, 4_096)
_SCAN_ROUNDING = 0.005
"""A scan adds 64 numbers that were rounded to 8 bits: its sum is off by at most 0.0043 (measured on 65,536 scores)."""


class Prefilter:
    """Finds the pairs of any block with `tile` (n, d) that reach `threshold`, by a 4-bit scan and an exact comparison.

    The scan's scores are too low by an amount that differs from pair to pair. All rows that score `cut` are compared
    exactly, where `cut` is the score that all but one in 10,000 pairs reach that lie just at the threshold, measured on
    65,536 pairs made of rows of the tile. A pair above the threshold is missed more rarely than that. Rows with more
    neighbours above `cut` than a shortlist holds are compared with the whole tile, and so are all where that is common.
    """

    def __init__(self, tile: Floats, threshold: float, *, threads: int) -> None:
        self._tile = tile
        self._threshold = threshold
        self._threads = threads
        quantiser = Quantiser(tile)
        self._coded: CodedRows = quantiser.index()
        self._coded.append(tile)
        self._cut = _scanned_at(tile, quantiser, threshold) - _SCAN_ROUNDING
        self._shortlist = self._shortlist_that_holds()

    def pairs(self, rows: Floats) -> Pairs:
        """Every pair of a row of `rows` (m, d) with one of the tile at or above the threshold."""
        shortlist = self._shortlist
        if shortlist is None:
            return exact_pairs(rows, self._tile, self._threshold)
        starts = range(0, len(rows), _PROBES_AT_ONCE)
        with ThreadPoolExecutor(self._threads) as pool:
            found = list(pool.map(lambda start: self._scanned(rows, start, shortlist), starts))
        crowded = np.concatenate([rest for _, rest in found])
        first, second, similarity = exact_pairs(rows[crowded], self._tile, self._threshold)
        return _joined([*(pairs for pairs, _ in found), (crowded[first], second, similarity)])

    def _scanned(self, rows: Floats, start: int, shortlist: int) -> tuple[Pairs, Rows]:
        """The pairs of some rows from `start`, and the rows among them for which the shortlist was too short."""
        probes = rows[start : start + _PROBES_AT_ONCE]
        scores, candidates = self._coded.scan(probes, shortlist)
        above = scores >= self._cut
        crowded = above[:, -1]
        row, place = np.nonzero(above & ~crowded[:, None])
        candidate = candidates[row, place]
        similarity = np.einsum("ij,ij->i", probes[row], self._tile[candidate])
        reached = similarity >= self._threshold
        return (row[reached] + start, candidate[reached], similarity[reached]), np.flatnonzero(crowded) + start

    def _shortlist_that_holds(self) -> int | None:
        """The shortest at which few rows are crowded; None when none is long enough to save work."""
        probes = self._tile[:: -(-len(self._tile) // _SAMPLED_ROWS)]
        for shortlist in SHORTLISTS:
            scores, _ = self._coded.scan(probes, shortlist)
            if float((scores[:, -1] >= self._cut).mean()) <= MOST_CROWDED:
                return shortlist
        return None


def exact_pairs(left: Floats, right: Floats, threshold: float) -> Pairs:
    """Every pair of a row of `left` (m, d) with one of `right` (n, d) whose inner product is at least `threshold`."""
    height, width = _EXACT_SHAPE
    room = np.empty(height * width, np.float32)
    found = []
    for row in range(0, len(left), height):
        for column in range(0, len(right), width):
            rows, columns = left[row : row + height], right[column : column + width]
            scores = room[: len(rows) * len(columns)].reshape(len(rows), len(columns))
            np.matmul(rows, columns.T, out=scores)
            first, second = np.divmod(np.flatnonzero(scores >= threshold), len(columns))
            found.append((first + row, second + column, scores[first, second]))
    return _joined(found)


def _scanned_at(tile: Floats, quantiser: Quantiser, threshold: float) -> float:
    """The score that a scan gives to all but MISSED_AT_THRESHOLD of the pairs whose cosine is the threshold.

    Each such pair is a row of the tile and that row turned towards another, as one more photograph might turn it.
    """
    generator = np.random.default_rng(len(tile))
    present = np.flatnonzero(tile.any(axis=1))  # rows of zeros stand for people who were erased
    scanned = []
    for _ in range(0, _TRIALS, _PROBES_AT_ONCE):
        one, other = (tile[generator.choice(present, _PROBES_AT_ONCE)] for _ in range(2))
        away = other - np.einsum("ij,ij->i", one, other)[:, None] * one
        length = np.linalg.norm(away, axis=1)
        turned = length > 1e-3  # not a row with itself or with its copy
        mate = threshold * one[turned] + np.sqrt(1 - threshold**2) * away[turned] / length[turned, None]
        scanned.append(np.einsum("ij,ij->i", mate, quantiser.stand_in(one[turned])))
    return float(np.quantile(np.concatenate(scanned), MISSED_AT_THRESHOLD))


def _joined(found: list[Pairs]) -> Pairs:
    nothing = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    first, second, similarity = (np.concatenate(column) for column in zip(nothing, *found, strict=True))
    return first, second, similarity
