"""An in-memory gallery with exact 1:N search; the only owner of faiss. It never writes an index to disk."""

import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence

import faiss
import numpy as np
import numpy.typing as npt

from idverify.embedding import Embedding
from idverify.errors import EmbedderMismatch
from idverify.ids import EncounterId, GalleryId, ModelDigest, PersonId
from idverify.matching.decision import Candidate

Entry = tuple[PersonId, EncounterId, Embedding]


class Gallery:
    """All references of one gallery in memory, safe to use from several threads.

    Search is an exhaustive inner product over unit vectors (faiss IndexFlatIP), so scores are exact cosines. Every
    encounter of a person counts: a person's score is that of the best one. What `add` and `remove` did is seen by the
    next `search`.
    """

    def __init__(self, gallery: GalleryId, model: ModelDigest, dimension: int) -> None:
        self.gallery = gallery
        self.model = model
        self.dimension = dimension
        self._index = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
        self._owners: dict[int, tuple[PersonId, EncounterId]] = {}
        self._rows: defaultdict[PersonId, list[int]] = defaultdict(list)
        self._next_row = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many people are enrolled."""
        with self._lock:
            return len(self._rows)

    @property
    def references(self) -> int:
        """How many references (encounters) are searchable."""
        with self._lock:
            return len(self._owners)

    def add(self, entries: Iterable[Entry]) -> None:
        """Make references searchable, all or none. Raises EmbedderMismatch."""
        batch = list(entries)
        for _, _, embedding in batch:
            self._check(embedding)
        if not batch:
            return
        vectors = np.stack([embedding.vector for _, _, embedding in batch])
        self.add_block([person for person, _, _ in batch], [encounter for _, encounter, _ in batch], vectors)

    def add_block(
        self, persons: Sequence[PersonId], encounters: Sequence[EncounterId], vectors: npt.NDArray[np.float32]
    ) -> None:
        """The same for unit vectors of this gallery's embedder, float32 (n, dimension)."""
        with self._lock:
            rows = np.arange(self._next_row, self._next_row + len(persons), dtype=np.int64)
            self._index.add_with_ids(vectors, rows)
            self._next_row += len(persons)
            for row, person, encounter in zip(rows.tolist(), persons, encounters, strict=True):
                self._owners[row] = (person, encounter)
                self._rows[person].append(row)

    def remove(self, person: PersonId) -> int:
        """Take every reference of a person out of reach; returns how many there were."""
        with self._lock:
            rows = self._rows.pop(person, [])
            if rows:
                self._index.remove_ids(faiss.IDSelectorBatch(np.array(rows, dtype=np.int64)))
                for row in rows:
                    del self._owners[row]
            return len(rows)

    def search(self, probe: Embedding, *, most: int) -> Sequence[Candidate]:
        """The `most` people most alike to the probe, best first. Raises EmbedderMismatch."""
        self._check(probe)
        with self._lock:
            # A person may own several of the best rows, so ask for more rows until enough people are found.
            wanted = min(most, len(self._rows))
            rows_asked = min(max(4 * most, 16), len(self._owners))
            while True:
                best = self._best_of_rows(probe, rows_asked)
                if len(best) >= wanted or rows_asked == len(self._owners):
                    return best[:most]
                rows_asked = min(4 * rows_asked, len(self._owners))

    def search_many(self, probes: Sequence[Embedding], *, most: int) -> list[Sequence[Candidate]]:
        """The same for many probes."""
        return [self.search(probe, most=most) for probe in probes]

    @property
    def memory_bytes(self) -> int:
        """Memory that the references take."""
        return 4 * self.dimension * self.references

    def _best_of_rows(self, probe: Embedding, rows_asked: int) -> list[Candidate]:
        if rows_asked == 0:
            return []
        scores, rows = self._index.search(probe.vector[np.newaxis], rows_asked)
        best: dict[PersonId, Candidate] = {}
        for score, row in zip(scores[0].tolist(), rows[0].tolist(), strict=True):
            person, encounter = self._owners[row]
            best.setdefault(person, Candidate(person, encounter, score))
        return list(best.values())

    def _check(self, embedding: Embedding) -> None:
        if embedding.model != self.model or embedding.dimension != self.dimension:
            raise EmbedderMismatch(
                f"gallery {self.gallery} holds templates of embedder {self.model[:12]}, got one of "
                f"{embedding.model[:12]}; use the gallery's model set or migrate the gallery"
            )
