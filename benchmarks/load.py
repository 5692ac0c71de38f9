"""Verifications and identifications a second through HTTP, against the bare recipe on the same cores in the same run.

`python -m benchmarks.load` enrols people from real photographs, serves them as `python -m api` does, and takes turns:
the recipe alone, an endpoint that does nothing but read (1:1), and the service, with callers who wait for each answer.
Then the service at 70 % of what it could.
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from benchmarks.callers import Answers, call, request
from benchmarks.machine import provenance
from benchmarks.models import open_reader
from benchmarks.population import Sample, photographs_under
from benchmarks.register import ACCESS, PURPOSE, REGISTER, found, number, unlimited
from benchmarks.simulated import measured
from enrolment.enroller import Enroller, EnrolmentOutcome, EnrolmentRequest
from idverify.clients import Scope
from idverify.engine import Engine
from idverify.vision.reader import Reader, ReadingPolicy
from idverify.vision.runtime import Runtime

CALLERS = 4
LOAD = 0.7
"""Of what the service can do: the load at which its times are taken."""
KINDS = {"verification": "/v1/verifications", "identification": "/v1/identifications"}


class _Bare:
    """The recipe and nothing else, on every core."""

    def __init__(self, reader: Reader, photographs: Sequence[bytes]) -> None:
        self._reader = reader
        self._photographs = photographs

    def per_second(self, duration_s: float) -> float:
        cores = len(os.sched_getaffinity(0))
        policy = ReadingPolicy.verification()
        began_s = time.perf_counter()

        def work(first: int) -> int:
            done = 0
            while time.perf_counter() - began_s < duration_s:
                self._reader.read(self._photographs[(first + done) % len(self._photographs)], policy)
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
            if Enroller(engine).enrol(visit).outcome is not EnrolmentOutcome.REFUSED:
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
    url: str, empty: str | None, requests: Sequence[bytes], bare: _Bare, slice_s: float, turns: int, latency_s: float
) -> Any:
    """Capacity against the bare recipe, in turns; then times at LOAD of it, evenly paced."""
    for each in filter(None, (url, empty)):
        call(each, requests, callers=CALLERS, duration_s=slice_s / 2)
    recipe, service, only_read = [], [], []
    for _ in range(turns):
        recipe.append(bare.per_second(slice_s))
        if empty is not None:
            only_read.append(_all_answered(call(empty, requests, callers=CALLERS, duration_s=slice_s)).per_second)
        service.append(_all_answered(call(url, requests, callers=CALLERS, duration_s=slice_s)).per_second)
    capacity = float(np.median(service))
    paced = call(url, requests, callers=4 * CALLERS, duration_s=latency_s, pace_s=1 / (LOAD * capacity))
    _all_answered(paced)
    return {
        "bare_recipe_a_second": round(float(np.median(recipe)), 1),
        "through_http_a_second": round(capacity, 1),
        "ratio": round(float(np.median(np.array(service) / np.array(recipe))), 3),
        "empty_endpoint_ratio": round(float(np.median(np.array(only_read) / np.array(recipe))), 3) if empty else None,
        "ratios": [round(one / other, 3) for one, other in zip(service, recipe, strict=True)],
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
        bare = _Bare(open_reader(Runtime(threads=1)), photographs)
        document |= {"people": len(probes), "photographs": len(photographs)}
        for kind, path in KINDS.items():
            fields = {"gallery": str(REGISTER), "purpose": PURPOSE}
            requests = [
                request(path, key, fields | ({"person": person} if kind == "verification" else {}), probe)
                for person, several in probes.items()
                for probe in several
            ]
            if kind == "identification" and strangers:
                np.save(gallery_file, measured(photos, console).people(strangers, seed=6))
            with _served(folder, gallery_file) as url, _empty() if kind == "verification" else nullcontext() as empty:
                document[kind] = _kind(url, empty, requests, bare, slice_s, turns, latency_s)
            console.print(kind, document[kind])
    document["measured"] = provenance(datetime.now(UTC))
    json_path.parent.mkdir(parents=True, exist_ok=True)
    json_path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
