"""Makes 4-bit product-quantised codes of unit vectors and scans all of them for a shortlist; it writes no file.

No other module imports faiss. Scores of a shortlist are approximate: the caller compares the rows exactly. Each call
runs on its caller's core alone: to use more cores, call from several threads.
"""

import faiss
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

TRAINING_ROWS = 16_384
"""faiss draws 256 of them for each of the 16 centroids; four times as many made the error 1 % smaller."""


def scan_exactly(vectors: Floats, probes: Floats, most: int) -> tuple[Floats, Rows]:
    """The `most` rows of `vectors` (n, d) with the highest inner product with each of `probes` (m, d), best first.

    What faiss' IndexFlatIP does. Returns scores and rows, (m, most) each; `most` is at most n.
    """
    _on_one_core()
    scores, rows = faiss.knn(probes, vectors, most, metric=faiss.METRIC_INNER_PRODUCT)
    return scores, rows


def compare_rows(vectors: Floats, rows: Rows, probes: Floats) -> Floats:
    """Inner products (m, k) of each of `probes` (m, d) with those of `vectors` (n, d) that its `rows` (m, k) name.

    Where they lie: a copy of them would take as long again, and keep other threads from running meanwhile.
    """
    _on_one_core()
    found: Floats = np.empty(rows.shape, np.float32)
    vectors, rows, probes = np.ascontiguousarray(vectors), np.ascontiguousarray(rows), np.ascontiguousarray(probes)
    pointers = (faiss.swig_ptr(array) for array in (found, probes, vectors, rows))
    faiss.fvec_inner_products_by_idx(*pointers, vectors.shape[1], *rows.shape)  # type: ignore[attr-defined]
    return found


class Quantiser:
    """Codes for vectors of one distribution, faiss' PQ{d/2}x4: 4 bits for every two dimensions."""

    def __init__(self, sample: Floats) -> None:
        """Learn the centroids from `sample` (n, d); d is a multiple of 4."""
        _on_one_core()
        self._trained = _empty(sample.shape[1])
        self._trained.train(sample[:: -(-len(sample) // TRAINING_ROWS)])
        self._trained.pq.sync_transposed_centroids()  # the same codes in four fifths of the time

    def encode(self, vectors: Floats) -> npt.NDArray[np.uint8]:
        """(n, d) to (n, d / 4) bytes."""
        _on_one_core()
        codes: npt.NDArray[np.uint8] = self._trained.sa_encode(vectors)
        return codes

    def stand_in(self, vectors: Floats) -> Floats:
        """What the codes of `vectors` (n, d) stand for: a scan gives the inner product with it, but for rounding."""
        decoded: Floats = self._trained.sa_decode(self.encode(vectors))
        return decoded

    def index(self) -> "CodedRows":
        """An empty list of rows with this quantiser's centroids."""
        return CodedRows(self, self._trained)


class CodedRows:
    """Codes in the order that a fast scan reads them (faiss IndexPQFastScan). Not safe to use from several threads."""

    def __init__(self, quantiser: Quantiser, trained: faiss.IndexPQFastScan) -> None:
        self.quantiser = quantiser
        self._index = _empty(trained.d)
        self._index.pq = trained.pq
        self._index.is_trained = True
        self._packer = self._index.get_CodePacker()  # type: ignore[attr-defined]

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def memory_bytes(self) -> int:
        return int(self._index.codes.size())

    def append(self, vectors: Floats) -> None:
        """Put (n, d) vectors behind the last row."""
        _on_one_core()
        self._index.add(vectors)

    def overwrite(self, rows: Rows, vectors: Floats) -> None:
        """Let `rows` (k,) be those of `vectors` (k, d) instead."""
        for row, code in zip(rows.tolist(), self.quantiser.encode(vectors), strict=True):
            self._packer.pack_1(code, row % self._packer.nvec, self._block_of(row))

    def truncate(self, length: int) -> None:
        """Forget all rows from `length` on and overwrite their codes, so that no scan and no later row meets them."""
        nothing = np.zeros(self._packer.code_size, np.uint8)
        for row in range(length, len(self)):
            self._packer.pack_1(nothing, row % self._packer.nvec, self._block_of(row))
        self._index.ntotal = min(length, len(self))

    def codes(self) -> npt.NDArray[np.uint8]:
        """A copy of every code that is in memory, those of no row too: (n, d / 4) with n at least len(self)."""
        rows = self.memory_bytes // self._packer.code_size
        unpacked = [self._packer.unpack_1(self._block_of(row), row % self._packer.nvec) for row in range(rows)]
        return np.array(unpacked, np.uint8).reshape(rows, self._packer.code_size)

    def scan(self, probes: Floats, most: int) -> tuple[Floats, Rows]:
        """The `most` rows that look most alike to each of `probes` (m, d): approximate scores and rows, (m, most).

        Where there are fewer rows than asked for, the rest are rows -1.
        """
        _on_one_core()
        scores, rows = self._index.search(probes, most)
        return scores, rows

    def _block_of(self, row: int) -> npt.NDArray[np.uint8]:
        """The bytes in which 32 rows' codes lie interleaved, (1, block_size), as faiss holds them."""
        codes = faiss.rev_swig_ptr(self._index.codes.get(), self._index.codes.size())
        block: npt.NDArray[np.uint8] = codes.reshape(-1, self._packer.block_size)[row // self._packer.nvec][np.newaxis]
        return block


def _empty(dimension: int) -> faiss.IndexPQFastScan:
    return faiss.IndexPQFastScan(dimension, dimension // 2, 4, faiss.METRIC_INNER_PRODUCT)


def _on_one_core() -> None:
    """Let faiss use one thread. OpenMP keeps this setting for each thread.

    Threads of OpenMP wait for each other by spinning: on a busy machine a scan took ten times as long on two cores as
    on one.
    """
    faiss.omp_set_num_threads(1)
