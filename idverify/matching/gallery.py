"""Holds a gallery in memory and searches it 1:N, with exact cosines at any size; it never writes a vector to disk.

Its references are split into shards, which one thread or several threads search; see `idverify.matching.shard`.
"""

import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from idverify.embedding import UNIT_TOLERANCE, Embedding
from idverify.errors import EmbedderMismatch, InvalidInput
from idverify.ids import EncounterId, GalleryId, ModelDigest, PersonId
from idverify.matching.decision import Candidate
from idverify.matching.quantised import Floats
from idverify.matching.shard import Best, Shard

Entry = tuple[PersonId, EncounterId, Embedding]

SHORTLIST = 1_024
LEAST_OF_A_SHARD = 128
"""Rows that are compared exactly, shared by the shards, but no fewer than this from each. What exact search ranks first
stands further ahead in a scan the more people there are; `benchmarks.search` measures how far."""
_NAMES_BYTES = 8 + 16 + 36
"""A row's key, a person's number of up to 16 characters and an encounter's UUID."""
_PROBES_AT_ONCE = 32
_LOOKED_UP_ONE_BY_ONE = 32


def expected_bytes(references: int, numbers: int) -> int:
    """About the memory that a gallery will take, of so many references whose vectors have so many numbers together.

    Each number is there as a float of four bytes, for the exact comparison, and as two bits of a code, for the scan.
    """
    return references * _NAMES_BYTES + numbers * 4 + numbers // 4


class Gallery:
    """All references of one gallery in memory; safe to use from several threads.

    Small galleries are compared row by row. In large ones, all rows are scanned as 4-bit codes for a shortlist, which
    is compared exactly: scores are exact cosines always. Every encounter of a person counts: a person's score is that
    of the best one. What `add` and `remove` did is seen by the next `search`.
    """

    def __init__(self, gallery: GalleryId, model: ModelDigest, dimension: int, *, threads: int | None = None) -> None:
        """`dimension` is a multiple of 4. `threads` share a search of a large gallery; None: one for each core."""
        self.gallery = gallery
        self.model = model
        self.dimension = dimension
        self._threads = _cores() if threads is None else threads
        self._shards: list[Shard] = []
        self._people: int | None = 0  # None: not counted since many were added
        self._writing = threading.Lock()
        self._scanners = ThreadPoolExecutor(max(1, self._threads - 1))
        self._learner = ThreadPoolExecutor(1)
        self._learning: Future[None] | None = None

    def __len__(self) -> int:
        """How many people are enrolled."""
        return self._counted()

    @property
    def references(self) -> int:
        """How many references (encounters) are searchable."""
        return sum(len(shard) for shard in list(self._shards))

    @property
    def memory_bytes(self) -> int:
        """Memory that vectors, codes and names take; it stays taken when people are removed, for those to come."""
        return sum(shard.memory_bytes for shard in list(self._shards))

    def add(self, entries: Iterable[Entry]) -> None:
        """Make references searchable, all or none. Raises EmbedderMismatch."""
        batch = list(entries)
        for _, _, embedding in batch:
            self._check(embedding)
        if batch:
            persons, encounters, embeddings = zip(*batch, strict=True)
            with self._writing:
                self._append(persons, encounters, np.stack([embedding.vector for embedding in embeddings]))
                self._learn_beside()

    def add_block(self, persons: Sequence[PersonId], encounters: Sequence[EncounterId], vectors: Floats) -> None:
        """Make many references searchable: unit vectors of this gallery's embedder, float32 (n, dimension).

        Codes are made once they will last; call `settle` after the last block. Raises InvalidInput.
        """
        if vectors.dtype != np.float32 or vectors.shape != (len(persons), self.dimension):
            raise InvalidInput(
                f"gallery {self.gallery}: expected float32 vectors of shape ({len(persons)}, {self.dimension}), "
                f"got {vectors.dtype} {vectors.shape}"
            )
        if not np.all(np.abs(np.einsum("ij,ij->i", vectors, vectors) - 1) <= 2 * UNIT_TOLERANCE):
            raise InvalidInput(f"gallery {self.gallery}: expected unit vectors")
        with self._writing:
            self._append(persons, encounters, vectors)
            if any(shard.outgrown and shard.full_enough for shard in self._shards):
                self._learn_beside()

    def remove(self, person: PersonId) -> int:
        """Remove and overwrite every reference of a person, so that no search finds it; returns how many there were."""
        with self._writing:
            removed = sum(shard.remove(person) for shard in self._shards)
            if removed and self._people is not None:
                self._people -= 1
            return removed

    def search(self, probe: Embedding, *, most: int) -> Sequence[Candidate]:
        """The `most` people most alike to the probe, best first. Raises EmbedderMismatch."""
        return self.search_many([probe], most=most)[0]

    def search_many(self, probes: Sequence[Embedding], *, most: int) -> list[Sequence[Candidate]]:
        """`search` for each of many probes, in less time than one after the other."""
        for probe in probes:
            self._check(probe)
        vectors = [probe.vector for probe in probes]
        return [
            candidates
            for start in range(0, len(vectors), _PROBES_AT_ONCE)
            for candidates in self._search(np.stack(vectors[start : start + _PROBES_AT_ONCE]), most)
        ]

    def settle(self) -> None:
        """Make the codes and the count of people that are due after many references were added."""
        with self._writing:
            learning = self._learn_beside()
        learning.result()
        self._counted()

    def _counted(self) -> int:
        with self._writing:
            if self._people is None:
                # By sorting: np.unique takes a second a million.
                keys = np.sort(np.concatenate([shard.keys() for shard in self._shards]))
                self._people = int(np.count_nonzero(keys[1:] != keys[:-1])) + bool(len(keys))
            return self._people

    def _append(self, persons: Sequence[PersonId], encounters: Sequence[EncounterId], vectors: Floats) -> None:
        if len(persons) > _LOOKED_UP_ONE_BY_ONE:
            self._people = None
        elif self._people is not None:
            self._people += sum(not any(shard.holds(one) for shard in self._shards) for one in set(persons))
        start = 0
        while start < len(persons):
            shard = next((shard for shard in self._shards if shard.room), None)
            if shard is None:
                shard = Shard(self.dimension)
                self._shards.append(shard)
            piece = slice(start, start + shard.room)
            shard.add(persons[piece], encounters[piece], vectors[piece])
            start = piece.stop

    def _learn_beside(self) -> Future[None]:
        if self._learning is None or self._learning.done():
            self._learning = self._learner.submit(self._learn)
        return self._learning

    def _learn(self) -> None:
        while (shard := next((shard for shard in list(self._shards) if shard.outgrown), None)) is not None:
            shard.learn()

    def _search(self, probes: Floats, most: int) -> list[Sequence[Candidate]]:
        found: list[Sequence[Candidate]] = [()] * len(probes)
        unfinished = np.arange(len(probes))
        # A person may own several of the best rows, so more rows are asked for until enough people are found.
        rows_asked = max(4 * most, 16)
        while len(unfinished):
            bests = self._best_of_shards(probes[unfinished], rows_asked)
            complete = np.ones(len(unfinished), bool)
            for place, number in enumerate(unfinished.tolist()):
                found[number], complete[place] = _merged(bests, place, most)
            unfinished, rows_asked = unfinished[~complete], 4 * rows_asked
        return found

    def _best_of_shards(self, probes: Floats, most: int) -> list[Best]:
        shards = list(self._shards)
        waiting = iter(shards)
        shortlist = max(LEAST_OF_A_SHARD, SHORTLIST // max(1, len(shards)))

        def scan() -> list[Best]:
            return [
                shard.best(probes, most, shortlist) for shard in waiting
            ]  # each takes the next one that nobody took

        others = [self._scanners.submit(scan) for _ in range(min(self._threads, len(shards)) - 1)]
        bests = scan()
        for other in others:
            if not other.cancel():  # one that found no core until now is not waited for
                bests += other.result()
        return bests

    def _check(self, embedding: Embedding) -> None:
        if embedding.model != self.model or embedding.dimension != self.dimension:
            raise EmbedderMismatch(
                f"gallery {self.gallery} holds templates of embedder {self.model[:12]}, got one of "
                f"{embedding.model[:12]}; use the gallery's model set or migrate the gallery"
            )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _merged(bests: Sequence[Best], place: int, most: int) -> tuple[Sequence[Candidate], bool]:
    """The best `most` people for one probe, and whether no row that a shard kept back could change that."""
    kept_back = max((float(best.similarity[place, -1]) for best in bests if not best.all_rows), default=-np.inf)
    similarity = np.concatenate([best.similarity[place] for best in bests] or [np.empty(0, np.float32)])
    persons = [person for best in bests for person in best.persons[place].tolist()]
    encounters = np.concatenate([best.encounters[place] for best in bests] or [np.empty(0, np.bytes_)])
    found: dict[bytes, Candidate] = {}
    for row in np.argsort(-similarity, kind="stable").tolist():
        score = float(similarity[row])
        if len(found) == most or score < kept_back:
            break
        if persons[row] not in found:
            person, encounter = persons[row].decode(), bytes(encounters[row]).decode()
            found[persons[row]] = Candidate(PersonId(person), EncounterId(encounter), score)
    return list(found.values()), len(found) == most or kept_back == -np.inf
