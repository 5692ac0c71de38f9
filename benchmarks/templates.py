"""Photographs into references and probes by the shipped recipe: the one place that says how each is made.

A reference is made as enrolment makes it (the mean of the crop's and its mirror's embedding), a probe as verification
does (the crop's alone). It takes no shortcut through the reader's parts, so what is measured is what ships.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from benchmarks.comparisons import Floats, Ints, PopulationInvalid
from benchmarks.population import Sample
from idverify.errors import ImageRejected
from idverify.vision.reader import Reader, Reading, ReadingPolicy


class Treatment(StrEnum):
    """How a photograph becomes an embedding."""

    PLAIN = "plain"
    MIRRORED = "mirrored"


@dataclass(frozen=True, slots=True, eq=False)
class Templates:
    """The photographs that could be processed. Row k is sample `kept[k]`; it never prints its numbers.

    references, probes: float32 (n, dimension); person: 0 .. people-1 ascending, counting people with a kept photograph.
    failures: how many samples were not processed, by reason code.
    """

    references: Floats
    probes: Floats
    person: Ints
    kept: npt.NDArray[np.int64]
    failures: Counter[str]

    def __repr__(self) -> str:
        return f"Templates({len(self.kept)} photographs, {sum(self.failures.values())} failures)"


def read_all(
    samples: Sequence[Sample], reader: Reader, *, probe: Treatment, threads: int, console: Console
) -> Templates:
    """Read every sample in `threads` threads with a progress bar. Raises PopulationInvalid if none can be."""
    rows: list[tuple[Floats, Floats]] = []
    kept: list[int] = []
    failures: Counter[str] = Counter()
    outcomes = _outcomes(samples, reader, probe, threads)
    with _progress(console) as progress:
        for index, outcome in enumerate(progress.track(outcomes, total=len(samples), description="Reading")):
            if isinstance(outcome, str):
                failures[outcome] += 1
            else:
                rows.append(outcome)
                kept.append(index)
    if not rows:
        raise PopulationInvalid(f"none of the {len(samples):,} photographs could be processed: {dict(failures)}")
    _, person = np.unique([samples[index].person for index in kept], return_inverse=True)
    references, probes = (np.stack(vectors) for vectors in zip(*rows, strict=True))
    return Templates(references, probes, person.astype(np.int32), np.array(kept), failures)


def _outcomes(
    samples: Sequence[Sample], reader: Reader, probe: Treatment, threads: int
) -> Iterator[tuple[Floats, Floats] | str]:
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(lambda sample: _read(sample, reader, probe), samples)


def _read(sample: Sample, reader: Reader, probe: Treatment) -> tuple[Floats, Floats] | str:
    """Reference and probe vector, or the code of why there are none."""
    data = sample.read()
    policy = ReadingPolicy.in_the_wild()
    vectors = {}
    try:
        for treatment in {Treatment.MIRRORED, probe}:
            reading = reader.read(data, replace(policy, mirrored=treatment is Treatment.MIRRORED))
            if not isinstance(reading, Reading):
                return str(reading.reason)
            vectors[treatment] = reading.embedding.vector
    except ImageRejected as rejected:
        return rejected.code
    return vectors[Treatment.MIRRORED], vectors[probe]


class _RateColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f} photos/s" if task.speed else "", style="progress.data.speed")


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _RateColumn(), TimeRemainingColumn(),
        console=console,
    )  # fmt: skip
