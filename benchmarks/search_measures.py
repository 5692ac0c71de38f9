"""The measurements behind `benchmarks.search`: of the gallery that ships, beside exact search in the same run."""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np

from api.server import keep_pauses_short
from benchmarks.comparisons import Floats
from benchmarks.enrolled import Enrolled, name_of
from benchmarks.simulated import Statistics
from idverify.embedding import Embedding
from idverify.ids import EncounterId, PersonId

SHORTLISTS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024)
MOST = 10
PAUSES_S = 20.0
WRITER_RESTS_S = 0.005
"""At most 200 people come and go a second, more than a nation enrols; a writer without rest would measure Python's own
turns between threads (5 ms each), not the gallery."""
_ROUNDS = 8
_BATCH = 256
_REST_S = 1.5


@dataclass(frozen=True, slots=True)
class Engine:
    """One way to search: for the probe of a number, and for a batch of probes."""

    one: Callable[[int], object]
    many: Callable[[Floats], object]
    times: int


def latency(enrolled: Enrolled, searches: int, *, undisturbed: bool) -> dict[str, Any]:
    """Times of single searches for the best ten, in turns of some each, and of 256 probes at once, a probe.

    `undisturbed` gives single searches real-time priority, a second or two at a time with a rest for the others in
    between: on a machine that is shared, medians are of the search then and not of waiting for a core. It takes root.
    """
    probes = enrolled.truth.probes
    engines = _engines(enrolled, searches)
    times: defaultdict[str, list[float]] = defaultdict(list)
    faiss.omp_set_num_threads(1)  # faiss gives a single query one thread, and waits for the others in vain
    for turn in range(_ROUNDS):
        with _real_time() if undisturbed else nullcontext():
            for name, engine in engines.items():
                for number in range(max(1, engine.times // _ROUNDS)):
                    times[name].append(_timed(engine.one, (turn * engine.times + number) % len(probes)))
    found = {}
    for name, engine in engines.items():
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        batch_s = min(_timed(engine.many, probes[:_BATCH]) for _ in range(3))
        found[name] = _in_ms(times[name]) | {"batch_ms": round(1000 * batch_s / min(_BATCH, len(probes)), 4)}
    return found


def _engines(enrolled: Enrolled, searches: int) -> dict[str, Engine]:
    probes, gallery = enrolled.truth.probes, enrolled.gallery
    engines = {
        "gallery": Engine(
            lambda at: gallery.search(enrolled.probes[at], most=MOST),
            lambda batch: gallery.search_many(enrolled.probes[: len(batch)], most=MOST),
            searches,
        )
    }
    if enrolled.vectors is not None:
        for name, search in plain_searches(enrolled.vectors).items():
            engines[name] = _plain(search, probes, searches // 4)
    return engines


def _plain(search: Callable[[Floats], object], probes: Floats, times: int) -> Engine:
    return Engine(lambda at: search(probes[at][None]), search, times)


def plain_searches(vectors: Floats) -> dict[str, Callable[[Floats], object]]:
    """The ten best of `vectors` (n, d) for each of `batch` (m, d), as it is done without a gallery of ours."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(vectors)
    return {
        "IndexFlatIP": lambda batch: index.search(batch, MOST),
        "NumPy": lambda batch: np.argpartition(batch @ vectors.T, -MOST, axis=1)[:, -MOST:],
    }


def recall(enrolled: Enrolled) -> dict[str, Any]:
    """Whether the gallery ranks first whom exact search ranks first, and how long a shortlist that takes."""
    truth = enrolled.truth
    found = enrolled.gallery.search_many(enrolled.probes, most=1)
    same = np.array([one[0].person == name_of(first) for one, first in zip(found, truth.first.tolist(), strict=True)])
    mated = truth.first == truth.mate
    return {
        "probes": len(same),
        "weak_probes": int(truth.weak.sum()),
        "mates_ranked_first_exactly": int(mated.sum()),
        "weak_mates_ranked_first_exactly": int((mated & truth.weak).sum()),
        "of_these_not_first_here": int((mated & ~same).sum()),
        "first_differs_over_all_probes": int((~same).sum()),
        "last_place_of_a_mate": int(truth.place[mated].max(initial=0)),
        "by_shortlist": [
            {
                "shortlist": shortlist,
                "mates": round(float((truth.place[mated] < shortlist).mean()), 6),
                "weak_mates": round(float((truth.place[mated & truth.weak] < shortlist).mean()), 6),
            }
            for shortlist in SHORTLISTS
        ],
    }


def pauses(enrolled: Enrolled, statistics: Statistics) -> dict[str, Any]:
    """The longest times of adding, removing and searching while all three go on and all codes are made anew."""
    keep_pauses_short()  # as the service does
    gallery, times, over = enrolled.gallery, defaultdict[str, list[float]](list), threading.Event()
    newcomers = statistics.people(4_096, seed=5)

    def learn() -> None:
        while not over.is_set():
            for shard in gallery._shards:
                times["code_shard"].append(_timed(shard.learn))

    def search() -> None:
        number = 0
        while not over.is_set():
            probe = enrolled.probes[number % len(enrolled.probes)]
            times["search"].append(_timed(gallery.search, probe, most=MOST))
            number += 1

    def write() -> None:
        number = 0
        while not over.is_set():
            person, vector = PersonId(f"X-{number}"), Embedding(newcomers[number % len(newcomers)], statistics.model)
            entry = (person, EncounterId(f"{number:032x}"), vector)
            times["add"].append(_timed(gallery.add, [entry]))
            times["remove"].append(_timed(gallery.remove, person))
            number += 1
            over.wait(WRITER_RESTS_S)

    workers = [threading.Thread(target=work) for work in (learn, search, write)]
    for worker in workers:
        worker.start()
    over.wait(PAUSES_S)
    over.set()
    for worker in workers:
        worker.join()
    return {name: _in_ms(taken) | {"longest_ms": round(1000 * max(taken), 3)} for name, taken in times.items()}


@contextmanager
def _real_time() -> Iterator[None]:
    _schedule(os.SCHED_RR, 1)
    try:
        yield
    finally:
        _schedule(os.SCHED_OTHER, 0)
        time.sleep(_REST_S)


def _schedule(policy: int, priority: int) -> None:
    for thread in Path("/proc/self/task").iterdir():
        os.sched_setscheduler(int(thread.name), policy, os.sched_param(priority))


def _timed(work: Callable[..., object], *given: object, **named: object) -> float:
    began_s = time.perf_counter()
    work(*given, **named)
    return time.perf_counter() - began_s


def _in_ms(times_s: list[float]) -> dict[str, Any]:
    p50, p99 = (float(value) for value in np.quantile(times_s, (0.5, 0.99)))
    return {"p50_ms": round(1000 * p50, 4), "p99_ms": round(1000 * p99, 4), "times": len(times_s)}
