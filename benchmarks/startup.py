"""Times a start: the audit log verified, every record compared, every template opened, the galleries built.

`python -m benchmarks.startup` makes deployments of simulated people (see `benchmarks.register`), or takes those that it
made before, and loads each as the service would, in a process of its own. Beside it, in the same run, stand the
templates opened one by one, and plain FAISS and NumPy taking in the same vectors.
"""

import json
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated

import faiss
import numpy as np
import typer
from rich.console import Console
from rich.progress import track

from benchmarks.machine import provenance
from benchmarks.register import REGISTER, Vectors, found, populate, unlimited
from benchmarks.simulated import Statistics, measured
from idverify.administration.deployment import Deployment
from idverify.galleries.in_memory import GalleriesInMemory
from idverify.matching.gallery import Gallery
from idverify.protection.template import reveal
from idverify.startup.tasks import PEOPLE, StartupTasks, pieces
from idverify.startup.workers import DeploymentLocation, StartupWorkers
from idverify.storage import persons, templates

ALONE = 5_000
"""Templates that are opened one by one, for comparison."""
_BLOCK = 10_000
_OPENING, _REST = "Opening templates and building", "Starting workers"


@dataclass(frozen=True, slots=True)
class Start:
    """One start. `steps_s`: elapsed seconds of each step of the whole start, in their order.

    `opened_a_second`: templates opened and built into a gallery, measured by itself, workers ready; and by a second of
    processor time of all processes together, which other work on the machine does not stretch. Likewise
    `opened_alone_a_second` (one core, as the running service opens them) and what FAISS and NumPy take in.
    """

    people: int
    workers: int
    whole_s: float
    steps_s: dict[str, float]
    opened_a_second: float
    opened_a_processor_second: float
    opened_alone_a_second: float
    flat_index_a_second: float
    numpy_copy_a_second: float
    gallery_bytes_a_person: float
    peak_memory_mib: int


def measure(folder: Path) -> Start:
    """Time the start of the deployment in `folder`."""
    settings = unlimited(folder)
    with Deployment.open(settings) as deployment:
        model = deployment.model_set.embedder_digest
        location = DeploymentLocation(settings.database, settings.root_keys)
        opening_s, processor_s, workers, vectors, each_bytes = _opening(deployment, location)
        alone_s, alone = _one_by_one(deployment)
        dimension = vectors.shape[1]
        steps: dict[str, float] = {}
        signer = deployment.keys.checkpoint_signer
        database, envelope, stored_persons = deployment.database, deployment.envelope, deployment.stored_persons
        galleries_in_memory = GalleriesInMemory(database, envelope, stored_persons, signer, model, dimension, location)
        began_s = last_s = time.perf_counter()
        step = _REST

        def told(what: str, _done: int, _total: int) -> None:
            nonlocal step, last_s
            now_s = time.perf_counter()
            # A step's first word comes when its first piece of work is done.
            step = _OPENING if what.startswith("Loading") else what
            steps[step] = steps.get(step, 0) + now_s - last_s
            last_s = now_s

        galleries_in_memory.load(told)
        whole_s = time.perf_counter() - began_s
        steps[_OPENING] += time.perf_counter() - last_s
    return Start(
        people=len(vectors),
        workers=workers,
        whole_s=round(whole_s, 2),
        steps_s={name: round(taken_s, 2) for name, taken_s in steps.items()},
        opened_a_second=round(len(vectors) / opening_s),
        opened_a_processor_second=round(len(vectors) / processor_s),
        opened_alone_a_second=round(alone / alone_s),
        flat_index_a_second=round(len(vectors) / _flat_index_s(vectors)),
        numpy_copy_a_second=round(len(vectors) / _copy_s(vectors)),
        gallery_bytes_a_person=round(each_bytes, 1),
        peak_memory_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    )


def _opening(deployment: Deployment, location: DeploymentLocation) -> tuple[float, float, int, Vectors, float]:
    """Seconds, elapsed and of the processor, to open everybody and build the gallery with workers that are ready.

    And how many workers, the vectors, and the bytes of the gallery for each.
    """
    model = deployment.model_set.embedder_digest
    dimension = _dimension(deployment)
    leaf_key = deployment.keys.checkpoint_signer.leaf_key
    here = StartupTasks(deployment.database, deployment.envelope, leaf_key, model, dimension)
    gallery = Gallery(REGISTER, model, dimension)
    with StartupWorkers.gather(here, deployment.database, location, model, dimension, worth=0) as workers:
        before_s, began_s = _processor_s(workers.pids), time.perf_counter()
        for _, parts in workers.each("opened", pieces(here.connection)):
            for part in parts:
                gallery.add_block(part.persons, part.encounters, part.vectors)
                part.vectors[:] = 0  # as `GalleriesInMemory` does
        gallery.settle()
        taken_s = time.perf_counter() - began_s
        processor_s = _processor_s(workers.pids) - before_s
        processes = len(workers.pids)
    vectors = np.concatenate([shard._vectors[: len(shard)] for shard in gallery._shards])
    return taken_s, processor_s, processes, vectors, gallery.memory_bytes / len(vectors)


def _processor_s(workers: Sequence[int]) -> float:
    """Processor time of this process and of the workers, which have one thread each (Linux: /proc/PID/schedstat)."""
    nanoseconds = (int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in workers)
    return time.process_time() + sum(nanoseconds) / 1e9


def _dimension(deployment: Deployment) -> int:
    with deployment.database.read() as connection:
        _, template = next(templates.all_templates(connection, batch=1))
    return template.dimension


def _one_by_one(deployment: Deployment) -> tuple[float, int]:
    """Seconds for reading and opening ALONE templates as a running service opens one, and how many they were."""
    opened = 0
    with deployment.database.read() as connection:
        began_s = time.perf_counter()
        for row in persons.all_persons(connection):
            opened_person = deployment.stored_persons.open(row)
            for template in templates.templates_of(connection, row.person, REGISTER):
                reveal(template, opened_person.key, deployment.envelope)
                opened += 1
            if opened >= ALONE:
                break
        return time.perf_counter() - began_s, opened


def _flat_index_s(vectors: Vectors) -> float:
    index = faiss.IndexFlatIP(vectors.shape[1])
    began_s = time.perf_counter()
    for start in range(0, len(vectors), PEOPLE):
        index.add(vectors[start : start + PEOPLE])
    return time.perf_counter() - began_s


def _copy_s(vectors: Vectors) -> float:
    began_s = time.perf_counter()
    vectors.copy()
    return time.perf_counter() - began_s


def main(
    photos: Annotated[Path, typer.Option(help="Folder of photographs, a folder a person: what people are like.")],
    folder: Annotated[Path, typer.Option(help="Where the deployments are, or are made: a folder for each size.")],
    json_path: Annotated[Path, typer.Option("--json", help="Where the figures go.")],
    plot: Annotated[Path | None, typer.Option(help="Where the picture (SVG) goes.")] = None,
    people: Annotated[list[int] | None, typer.Option(help="Sizes; may be given several times.")] = None,
) -> None:
    """Time the start of deployments of several sizes."""
    console = Console(stderr=True)
    sizes = sorted(people or [50_000, 200_000])
    _prepare(sizes, folder, photos, console)
    starts = []
    for size in sizes:
        # A process for each, so that none finds the memory of the one before.
        with get_context("spawn").Pool(1) as process:
            starts.append(process.apply(measure, (folder / str(size),)))
        console.print(starts[-1])
    with Deployment.open(unlimited(folder / str(sizes[-1]))) as deployment:
        model = deployment.model_set.embedder_digest
    document = {
        "starts": [asdict(start) for start in starts],
        "model": model,
        "measured": provenance(datetime.now(UTC)),
    }
    json_path.parent.mkdir(parents=True, exist_ok=True)
    json_path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    if plot is not None:
        from benchmarks.startup_plot import write_starts  # drawing is the only part that needs matplotlib

        write_starts(plot, [(start.people, start.steps_s) for start in starts])


def _prepare(sizes: Sequence[int], folder: Path, photos: Path, console: Console) -> None:
    missing = [size for size in sizes if not (folder / str(size) / "root.key").exists()]
    statistics = measured(photos, console) if missing else None
    for size in missing:
        assert statistics is not None  # noqa: S101  measured when any is missing
        settings = unlimited(folder / str(size))
        settings.data_dir.mkdir(parents=True)
        found(settings)
        with Deployment.open(settings) as deployment:
            blocks = track(_blocks(statistics, size), f"Enrolling {size:,}", total=-(-size // _BLOCK), console=console)
            populate(deployment, blocks)


def _blocks(statistics: Statistics, people: int) -> Iterator[Vectors]:
    vectors = statistics.people(people, seed=6)
    for start in range(0, people, _BLOCK):
        yield vectors[start : start + _BLOCK]


if __name__ == "__main__":
    typer.run(main)
