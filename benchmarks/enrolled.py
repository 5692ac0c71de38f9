"""A gallery of simulated people with probes for it, and what exact search says about each probe."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt

from benchmarks.comparisons import Floats
from benchmarks.simulated import WEAK, Statistics
from idverify.embedding import Embedding
from idverify.ids import EncounterId, GalleryId, PersonId
from idverify.matching.gallery import Gallery
from idverify.matching.quantised import Quantiser
from idverify.matching.shard import EXACT_ROWS, SHARD_ROWS

LONGEST_SHORTLIST = 1_024

Rows = npt.NDArray[np.int64]


@dataclass(slots=True, eq=False, repr=False)
class Truth:
    """Probes, every other one weak, and whom exact search ranks first for each, updated block by block.

    `mate`, `first` (m,): numbers of the probe's own person and of whom exact search ranks first, at cosine `best`.
    `place`: where that one stands in the scan of its shard, LONGEST_SHORTLIST when further behind.
    """

    probes: Floats
    mate: Rows
    weak: npt.NDArray[np.bool_]
    first: Rows = field(init=False)
    best: Floats = field(init=False)
    place: Rows = field(init=False)

    def __post_init__(self) -> None:
        self.first, self.place = (np.zeros(len(self.mate), np.int64) for _ in range(2))
        self.best = np.full(len(self.mate), -2, np.float32)

    @classmethod
    def about(cls, statistics: Statistics, block: Floats, probes: int) -> "Truth":
        """Probes for people of this block: weak ones, and ones as alike to their reference as real ones are."""
        generator = np.random.default_rng(1)
        mate = generator.integers(len(block), size=probes)
        weak = np.arange(probes) % 2 == 0
        cosines = np.where(weak, generator.uniform(*WEAK, size=probes), statistics.mated_cosines(probes, seed=2))
        vectors = statistics.mates(block[mate], cosines.astype(np.float32), seed=3)
        return cls(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), mate, weak)

    def meet(self, block: Floats, start: int) -> None:
        """Compare every probe with a shard's people, the first of whom has number `start`."""
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        scores, rows = faiss.knn(self.probes, block, 1, metric=faiss.METRIC_INNER_PRODUCT)
        better = np.flatnonzero(scores[:, 0] > self.best)
        self.best[better], self.first[better] = scores[better, 0], rows[better, 0] + start
        self.place[better] = _places(block, self.probes[better], rows[better])


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Enrolled:
    """`vectors`: everybody's, or None where they are too many to be kept twice. `build_s` is the gallery's own time."""

    gallery: Gallery
    truth: Truth
    probes: tuple[Embedding, ...]
    vectors: Floats | None
    build_s: float
    resident_bytes: int


def enrol(statistics: Statistics, people: int, probes: int, *, keep: bool) -> Enrolled:
    """Enrol simulated people a shard at a time."""
    gallery = Gallery(GalleryId("simulated"), statistics.model, statistics.dimension)
    truth: Truth | None = None
    kept, build_s = [], 0.0
    for start in range(0, people, SHARD_ROWS):
        block = statistics.people(min(SHARD_ROWS, people - start), seed=10 + start)
        numbers = range(start, start + len(block))
        names = [name_of(number) for number in numbers], [EncounterId(f"{number:032x}") for number in numbers]
        began_s = time.perf_counter()
        gallery.add_block(*names, block)
        gallery.settle()
        build_s += time.perf_counter() - began_s
        truth = truth or Truth.about(statistics, block, probes)
        truth.meet(block, start)
        if keep:
            kept.append(block)
    if truth is None:
        raise ValueError("expected at least one person")
    embeddings = tuple(Embedding(probe, statistics.model) for probe in truth.probes)
    vectors = np.concatenate(kept) if keep else None
    return Enrolled(gallery, truth, embeddings, vectors, build_s, _resident_bytes())


def name_of(number: int) -> PersonId:
    return PersonId(f"C-{number:08d}")


def _places(block: Floats, probes: Floats, rows: Rows) -> Rows:
    if len(block) < EXACT_ROWS or len(probes) == 0:
        return np.zeros(len(probes), np.int64)
    codes = Quantiser(block).index()
    codes.append(block)
    hit = codes.scan(probes, LONGEST_SHORTLIST)[1] == rows
    return np.where(hit.any(axis=1), hit.argmax(axis=1), LONGEST_SHORTLIST)


def _resident_bytes() -> int:
    """Of this process, from /proc."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
