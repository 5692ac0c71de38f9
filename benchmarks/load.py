"""Verifications and identifications a second through HTTP, against the bare recipe on the same cores in the same run.

`python -m benchmarks.load` enrols people from real photographs, serves them as `python -m api` does, and takes turns:
the recipe alone, the recipe and a plain search by faiss' IndexFlatIP or NumPy (1:N), an endpoint that does nothing but
read (1:1), and the service, with callers who wait for each answer. Then the service at 70 % of what it could.
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import faiss
import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from benchmarks.callers import Answers, call, request
from benchmarks.comparisons import Floats
from benchmarks.machine import provenance
from benchmarks.models import open_reader
from benchmarks.population import Sample, photographs_under
from benchmarks.register import ACCESS, PURPOSE, REGISTER, found, number, unlimited
from benchmarks.search_measures import plain_searches
from benchmarks.simulated import measured
from enrolment import composition
from enrolment.enroller import EnrolmentOutcome, EnrolmentRequest
from idverify.clients.agencies import Scope
from idverify.engine import Engine
from idverify.vision.reader import Reader, Reading, ReadingPolicy
from idverify.vision.runtime import Runtime

CALLERS = 4
LOAD = 0.7
"""Of what the service can do: the load at which its times are taken."""
SERVICE, ONLY_READS = "service", "endpoint that only reads"
KINDS = {"verification": "/v1/verifications", "identification": "/v1/identifications"}


@dataclass(frozen=True)
class _Bare:
    """The recipe, and a search by what it read where there is one, on every core: no service, nothing recorded."""

    reader: Reader
    photographs: Sequence[bytes]
    search: Callable[[Floats], object] | None = None

    def per_second(self, duration_s: float) -> float:
        cores = len(os.sched_getaffinity(0))
        policy = ReadingPolicy.verification()
        began_s = time.perf_counter()

        def work(first: int) -> int:
            faiss.omp_set_num_threads(1)
            done = 0
            while time.perf_counter() - began_s < duration_s:
                reading = self.reader.read(self.photographs[(first + done) % len(self.photographs)], policy)
                if self.search is not None and isinstance(reading, Reading):
                    self.search(reading.embedding.vector[np.newaxis])
                done += 1
            return done

        with ThreadPoolExecutor(cores) as threads:
            done = sum(threads.map(work, range(cores)))
        return done / (time.perf_counter() - began_s)


def _enrolled(folder: Path, samples: Sequence[Sample], most: int, console: Console) -> tuple[str, dict[str, list[Any]]]:
    """A deployment with up to `most` people who have two photographs or more; a key, and the probes by number."""
    settings = unlimited(folder)
    found(settings)
    by_person: dict[str, list[Sample]] = {}
    for sample in samples:
        by_person.setdefault(sample.person, []).append(sample)
    several = [photographs for photographs in by_person.values() if len(photographs) > 1][:most]
    probes: dict[str, list[Any]] = {}
    with Engine.open(settings) as engine:
        for index, (first, *others) in enumerate(track(several, "Enrolling", console=console)):
            visit = EnrolmentRequest(number(index), REGISTER, [first.read()], ACCESS, source="cli")
            if composition.enroller(engine).enrol(visit).outcome is not EnrolmentOutcome.REFUSED:
                probes[number(index)] = [other.read() for other in others]
        _, key = engine.clients.add(
            "agency",
            scopes=[Scope.VERIFY, Scope.IDENTIFY],
            galleries=[REGISTER],
            purposes=[PURPOSE],
            sees_scores=False,
            access=ACCESS,
        )
    return key, probes


@contextmanager
def _served(folder: Path, strangers: Path) -> Iterator[str]:
    """The address of the service in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load_service", str(folder), str(strangers)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603  our own module
        try:
            url = _address(process)
            # Its log is read, as it would be, and dropped.
            with subprocess.Popen(["/bin/cat"], stdin=process.stderr, stdout=subprocess.DEVNULL):
                try:
                    yield url
                finally:
                    process.terminate()
        finally:
            process.terminate()


@contextmanager
def _empty() -> Iterator[str]:
    """The address of an endpoint that only reads, in a process of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        command = [sys.executable, "-m", "benchmarks.load_empty", str(number)]
        with subprocess.Popen(command, pass_fds=[number], stderr=subprocess.DEVNULL) as process:  # noqa: S603  our own
            try:
                yield f"http://127.0.0.1:{listening.getsockname()[1]}"
            finally:
                process.terminate()


def _address(process: "subprocess.Popen[str]") -> str:
    assert process.stderr is not None  # noqa: S101  a pipe was asked for
    said = ""
    while "running on" not in said:
        line = process.stderr.readline()
        if not line:
            raise RuntimeError(f"the service ended before it listened: {said}")
        said += line
    (url,) = re.findall(r"http://[0-9.]+:\d+", said)
    return str(url)


def _kind(
    url: str,
    empty: str | None,
    requests: Sequence[bytes],
    bare: Mapping[str, _Bare],
    slice_s: float,
    turns: int,
    latency_s: float,
) -> Any:
    """Capacity against what is bare, in turns; then times at LOAD of it, evenly paced."""

    def answered(address: str, duration_s: float) -> float:
        return _all_answered(call(address, requests, callers=CALLERS, duration_s=duration_s)).per_second

    measures: dict[str, Callable[[float], float]] = {name: one.per_second for name, one in bare.items()}
    if empty is not None:
        measures[ONLY_READS] = lambda duration_s: answered(empty, duration_s)
    measures[SERVICE] = lambda duration_s: answered(url, duration_s)
    for measure in measures.values():
        measure(slice_s / 2)
    rates: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(turns):
        for name, measure in measures.items():
            rates[name].append(measure(slice_s))
    capacity = float(np.median(rates[SERVICE]))
    paced = call(url, requests, callers=4 * CALLERS, duration_s=latency_s, pace_s=1 / (LOAD * capacity))
    _all_answered(paced)
    return {
        "a_second": {name: round(float(np.median(each)), 1) for name, each in rates.items()},
        "ratio_of_service": {
            name: round(float(np.median(np.array(rates[SERVICE]) / np.array(each))), 3)
            for name, each in rates.items()
            if name != SERVICE
        },
        "a_second_by_turn": {name: [round(one, 1) for one in each] for name, each in rates.items()},
        "at_70_percent": {
            "requests": len(paced.latency_s),
            "p50_ms": round(paced.quantile_ms(0.5), 2),
            "p90_ms": round(paced.quantile_ms(0.9), 2),
            "p99_ms": round(paced.quantile_ms(0.99), 2),
            "p99_over_p50": round(paced.quantile_ms(0.99) / paced.quantile_ms(0.5), 2),
        },
    }


def _all_answered(answers: Answers) -> Answers:
    if answers.failed:
        raise RuntimeError(f"{answers.failed} of {len(answers.latency_s)} requests were not answered with 200")
    return answers


def main(
    photos: Annotated[Path, typer.Option(help="Folder of photographs, a folder a person.")],
    json_path: Annotated[Path, typer.Option("--json", help="Where the figures go.")],
    plot: Annotated[Path | None, typer.Option(help="Where the picture (SVG) goes.")] = None,
    strangers: Annotated[int, typer.Option(help="Simulated people in the gallery for 1:N.")] = 1_000_000,
    people: Annotated[int, typer.Option(help="Most people enrolled from the photographs.")] = 200,
    slice_s: Annotated[float, typer.Option(help="Seconds of each turn.")] = 5.0,
    turns: Annotated[int, typer.Option(help="Turns of recipe and service.")] = 5,
    latency_s: Annotated[float, typer.Option(help="Seconds at 70 % of the capacity.")] = 20.0,
) -> None:
    """Measure 1:1, then 1:N."""
    console = Console(stderr=True)
    samples = photographs_under(photos)
    document: dict[str, Any] = {"callers": CALLERS, "strangers": strangers}
    with tempfile.TemporaryDirectory() as temporary:
        folder, gallery_file = Path(temporary) / "deployment", Path(temporary) / "strangers.npy"
        folder.mkdir()
        key, probes = _enrolled(folder, samples, people, console)
        photographs = [probe for several in probes.values() for probe in several]
        bare = {"recipe": _Bare(open_reader(Runtime(threads=1)), photographs)}
        document |= {"people": len(probes), "photographs": len(photographs), "model": bare["recipe"].reader.model}
        for kind, path in KINDS.items():
            fields = {"gallery": str(REGISTER), "purpose": PURPOSE}
            requests = [
                request(path, key, fields | ({"person": person} if kind == "verification" else {}), probe)
                for person, several in probes.items()
                for probe in several
            ]
            if kind == "identification" and strangers:
                vectors = measured(photos, console).people(strangers, seed=6)
                np.save(gallery_file, vectors)
                for name, search in plain_searches(vectors).items():
                    bare[f"recipe and {name}"] = replace(bare["recipe"], search=search)
            with _served(folder, gallery_file) as url, _empty() if kind == "verification" else nullcontext() as empty:
                document[kind] = _kind(url, empty, requests, bare, slice_s, turns, latency_s)
            console.print(kind, document[kind])
    document["measured"] = provenance(datetime.now(UTC))
    json_path.parent.mkdir(parents=True, exist_ok=True)
    json_path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if plot is not None:
        from benchmarks.load_plot import write_loads  # drawing is the only part that needs matplotlib

        write_loads(plot, document, highlighted=SERVICE)


if __name__ == "__main__":
    typer.run(main)
