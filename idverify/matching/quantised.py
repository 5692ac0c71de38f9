"""Unit vectors as 4-bit product-quantised codes, scanned exhaustively for a shortlist; the only owner of faiss.

Scores of a shortlist are approximate: whoever asks compares the rows exactly. Each call works on its caller's core
alone: to use more, call from several threads. Nothing here touches a disk.
"""

import faiss
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

TRAINING_ROWS = 65_536
"""More rows do not make better centroids: there are 16 in each of 64 two-dimensional subspaces."""


def scan_exactly(vectors: Floats, probes: Floats, most: int) -> tuple[Floats, Rows]:
    """The `most` rows of `vectors` (n, d) with the highest inner product with each of `probes` (m, d), best first.

    What faiss' IndexFlatIP does. Returns scores and rows, (m, most) each; `most` is at most n.
    """
    _on_one_core()
    scores, rows = faiss.knn(probes, vectors, most, metric=faiss.METRIC_INNER_PRODUCT)
    return scores, rows


class Quantiser:
    """Codes for vectors of one distribution, faiss' PQ{d/2}x4: 4 bits for every two dimensions."""

    def __init__(self, sample: Floats) -> None:
        """Learn the centroids from `sample` (n, d); d is a multiple of 4."""
        _on_one_core()
        self._trained = _empty(sample.shape[1])
        self._trained.train(sample[:: -(-len(sample) // TRAINING_ROWS)])

    def stand_in(self, vectors: Floats) -> Floats:
        """What the codes of `vectors` (n, d) stand for: a scan gives the inner product with it, but for rounding."""
        _on_one_core()
        decoded: Floats = self._trained.sa_decode(self._trained.sa_encode(vectors))
        return decoded

    def index(self) -> "CodedRows":
        """An empty list of rows with this quantiser's centroids."""
        return CodedRows(self._trained)


class CodedRows:
    """Codes in the order that a fast scan reads them (faiss IndexPQFastScan). Not safe to use from several threads."""

    def __init__(self, trained: faiss.IndexPQFastScan) -> None:
        self._index = _empty(trained.d)
        self._index.pq = trained.pq
        self._index.is_trained = True

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def append(self, vectors: Floats) -> None:
        _on_one_core()
        self._index.add(vectors)

    def scan(self, probes: Floats, most: int) -> tuple[Floats, Rows]:
        """The `most` rows that look most alike to each of `probes` (m, d): approximate scores and rows, (m, most).

        Where there are fewer rows than asked for, the rest are rows -1.
        """
        _on_one_core()
        scores, rows = self._index.search(probes, most)
        return scores, rows


def _empty(dimension: int) -> faiss.IndexPQFastScan:
    return faiss.IndexPQFastScan(dimension, dimension // 2, 4, faiss.METRIC_INNER_PRODUCT)


def _on_one_core() -> None:
    """OpenMP keeps this a thread. Its teams wait for each other by spinning: on a busy machine a scan took ten times as
    long on two cores as on one."""
    faiss.omp_set_num_threads(1)
