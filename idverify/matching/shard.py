"""Holds up to 262,144 references of a gallery, with their vectors, names and codes; it writes nothing to disk.

Each shard has a lock of its own, held for a few milliseconds at most, so that one thread can add or remove references
while others search.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
import numpy.typing as npt

from idverify.ids import EncounterId, PersonId
from idverify.matching.names import Names
from idverify.matching.quantised import CodedRows, Floats, Quantiser, Rows, compare_rows, scan_exactly

SHARD_ROWS = 262_144
EXACT_ROWS = 16_384
"""A shard of fewer rows is compared exactly, row by row: a scan for a shortlist would save little there."""
OUTGROWN = 4
_PIECE_ROWS = 2_048
_FEW_ROWS = 64


@dataclass(frozen=True, slots=True, eq=False)
class Best:
    """The best rows of a shard for m probes, best first: exact cosines and names, (m, k) each; `all_rows`: no more."""

    similarity: Floats
    persons: npt.NDArray[np.bytes_]
    encounters: npt.NDArray[np.bytes_]
    all_rows: bool

    def __repr__(self) -> str:
        return "Best(withheld)"


class Shard:
    """References in rows 0 .. len - 1 without gaps: where one is removed, the last takes its place.

    Everything that is of a removed reference is overwritten: vector, names and code. One thread at a time may add or
    remove, one may learn and any number may search, all of them at once.
    """

    def __init__(self, dimension: int, rows: int = SHARD_ROWS) -> None:
        self._lock = threading.Lock()
        # Reserved at once and never moved: the system gives memory to the pages that are written to.
        self._vectors: Floats = np.empty((rows, dimension), np.float32)
        self._keys: Rows = np.zeros(rows, np.int64)  # hash of the person, to find them by
        self._persons = Names(rows)
        self._encounters = Names(rows)
        self._length = 0
        self._most = 0
        self._codes: CodedRows | None = None
        self._learnt_from = 0
        self._copied = 0  # rows that `learn` has read so far, at most `_length`
        self._changed: set[int] = set()  # those among them that became another reference since

    def __len__(self) -> int:
        return self._length

    @property
    def room(self) -> int:
        return len(self._vectors) - self._length

    @property
    def coded(self) -> bool:
        return self._codes is not None

    @property
    def outgrown(self) -> bool:
        """Whether it has too many rows to be compared exactly, or four times those that its codes were learnt from."""
        return self._length >= max(EXACT_ROWS, OUTGROWN * self._learnt_from)

    @property
    def full_enough(self) -> bool:
        """Whether codes learnt now will not be outgrown, however many rows come yet."""
        return OUTGROWN * self._length > len(self._vectors)

    @property
    def memory_bytes(self) -> int:
        """What was ever written to: memory is not given back when people are removed."""
        row = self._vectors.strides[0] + self._keys.itemsize + self._persons.row_bytes + self._encounters.row_bytes
        return self._most * row + (0 if self._codes is None else self._codes.memory_bytes)

    def keys(self) -> Rows:
        """A copy of the hash of each row's person."""
        with self._lock:
            return self._keys[: self._length].copy()

    def holds(self, person: PersonId) -> bool:
        with self._lock:
            return len(self._rows_of(person)) > 0

    def add(self, persons: Sequence[PersonId], encounters: Sequence[EncounterId], vectors: Floats) -> None:
        """Append references, at most `room` of them, a piece at a time."""
        for start in range(0, len(vectors), _PIECE_ROWS):
            piece = slice(start, min(start + _PIECE_ROWS, len(vectors)))
            with self._lock:
                row, end = self._length, self._length + piece.stop - piece.start
                self._vectors[row:end] = vectors[piece]
                self._keys[row:end] = np.fromiter(map(hash, persons[piece]), np.int64, end - row)
                self._persons.put(row, persons[piece])
                self._encounters.put(row, encounters[piece])
                if self._codes is not None:
                    self._codes.append(self._vectors[row:end])
                self._length, self._most = end, max(self._most, end)

    def remove(self, person: PersonId) -> int:
        """Overwrite every reference of a person; returns how many there were."""
        with self._lock:
            rows = self._rows_of(person)
            for row in sorted(rows.tolist(), reverse=True):
                self._drop(row)
            return len(rows)

    def best(self, probes: Floats, most: int, shortlist: int) -> Best:
        """The `most` rows most alike to each of `probes` (m, d); a scan by codes brings `shortlist` rows or more."""
        with self._lock:
            rows_asked = min(most, self._length)
            if rows_asked == 0:
                similarity, rows = np.empty((len(probes), 0), np.float32), np.empty((len(probes), 0), np.int64)
            elif self._codes is None:
                similarity, rows = scan_exactly(self._vectors[: self._length], probes, rows_asked)
            else:
                similarity, rows = self._best_of_shortlist(self._codes, probes, rows_asked, shortlist)
            return Best(similarity, self._persons.at(rows), self._encounters.at(rows), rows_asked == self._length)

    def learn(self) -> None:
        """Make codes that fit the rows as they are now, beside the searches, and use them from then on."""
        with self._lock:
            self._learnt_from = self._length
            step = max(1, self._length // _PIECE_ROWS // 8)
            sample = self._vectors[: self._length : step].copy()
            self._copied, self._changed = 0, set()
        fresh = Quantiser(sample).index()
        while not self._taken_over(fresh):
            pass

    def _taken_over(self, fresh: CodedRows) -> bool:
        """Bring `fresh` a piece nearer to the rows; the last few are done under the lock, and the codes changed."""
        with self._lock:
            kept = self._copied
            new = np.arange(kept, min(self._length, kept + _PIECE_ROWS))
            changed = np.array(list(islice(self._changed, _PIECE_ROWS)), np.int64)
            appended, rewritten = self._vectors[new], self._vectors[changed]
            self._copied += len(new)
            self._changed.difference_update(changed.tolist())
            last = self._copied == self._length and not self._changed and len(new) + len(changed) <= _FEW_ROWS
            if last:
                _bring_up(fresh, kept, appended, changed, rewritten)
                self._codes, self._copied, self._changed = fresh, 0, set()
        if not last:
            _bring_up(fresh, kept, appended, changed, rewritten)
        return last

    def _best_of_shortlist(self, codes: CodedRows, probes: Floats, most: int, shortlist: int) -> tuple[Floats, Rows]:
        _, rows = codes.scan(probes, min(max(shortlist, 2 * most), len(codes)))
        similarity = compare_rows(self._vectors, rows, probes)
        best = np.arange(len(probes))[:, np.newaxis], np.argsort(-similarity, axis=1)[:, :most]
        return similarity[best], rows[best]

    def _rows_of(self, person: PersonId) -> Rows:
        return self._persons.rows_named(person, np.flatnonzero(self._keys[: self._length] == hash(person)))

    def _drop(self, row: int) -> None:
        last = self._length - 1
        self._vectors[row], self._keys[row] = self._vectors[last], self._keys[last]
        self._persons.move(last, row)
        self._encounters.move(last, row)
        self._vectors[last], self._keys[last] = 0, 0
        self._length = last
        if self._codes is not None:
            if row != last:
                self._codes.overwrite(np.array([row]), self._vectors[row : row + 1])
            self._codes.truncate(last)
        self._copied = min(self._copied, last)
        self._changed.discard(last)
        if row < self._copied:
            self._changed.add(row)


def _bring_up(codes: CodedRows, kept: int, appended: Floats, changed: Rows, rewritten: Floats) -> None:
    codes.truncate(kept)
    codes.append(appended)
    codes.overwrite(changed, rewritten)
