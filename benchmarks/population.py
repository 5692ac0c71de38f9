"""The people that are measured: a folder-a-person tree of photographs, or citizens rendered from seeds.

A picture's bytes are read when they are needed, so a population of any size takes no memory.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from benchmarks.comparisons import PopulationInvalid
from benchmarks.pairs import Picture
from citizens.identity import Identity
from citizens.portrait import portrait_jpeg

SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
CALIBRATION_SEEDS_FROM = 1_000_000
"""Seeds from here up are for calibration: nothing that is decided with these thresholds (demo, tests of decisions) may
use them."""


class Population(StrEnum):
    """What an operating point may be used for; one of photographs does not hold for rendered
    portraits, nor the other way round, because faces of different people are alike to another degree in each."""

    PHOTOGRAPHS = "photographs"
    RENDERED = "rendered"


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of one person; `read` gives its bytes. `skin_tone` (1 to 6) is known of rendered citizens only."""

    person: str
    name: str
    read: Callable[[], bytes]
    skin_tone: int | None = None


def photographs_under(folder: Path) -> tuple[Sample, ...]:
    """Every JPEG and PNG of a folder-a-person tree (one level deep), by person, then by file name.

    Raises PopulationInvalid when there are none.
    """
    if not folder.is_dir():
        raise PopulationInvalid(f"{folder}: expected a folder that holds a folder for each person")
    files = (path for path in folder.glob("*/*") if path.suffix.lower() in SUFFIXES)
    ordered = sorted(files, key=lambda path: (path.parent.name, path.name))
    if not ordered:
        raise PopulationInvalid(f"{folder}: expected photographs such as Name/Name_0001.jpg, found none")
    return tuple(Sample(path.parent.name, path.stem, path.read_bytes) for path in ordered)


def rendered_citizens(people: int, portraits: int, first_seed: int = CALIBRATION_SEEDS_FROM) -> tuple[Sample, ...]:
    """`portraits` pictures each of `people` rendered citizens, every one with capture conditions of its own."""
    pictures = range(people * portraits)
    return tuple(_citizen(first_seed + picture // portraits, first_seed + picture) for picture in pictures)


def _citizen(identity_seed: int, capture_seed: int) -> Sample:
    return Sample(
        person=f"citizen-{identity_seed}",
        name=f"citizen-{identity_seed}_{capture_seed}",
        read=lambda: portrait_jpeg(identity_seed, capture_seed),
        skin_tone=Identity.from_seed(identity_seed).skin_tone,
    )


def find_pictures(samples: tuple[Sample, ...], wanted: Iterable[Picture]) -> dict[Picture, int]:
    """The index of each wanted picture among the samples: number 1 of "Ann" is the file Ann/Ann_0001.*.

    Raises PopulationInvalid that says how many are missing and names the first.
    """
    indices = {(sample.person, sample.name): index for index, sample in enumerate(samples)}
    found, missing = {}, []
    for picture in dict.fromkeys(wanted):
        index = indices.get((picture.person, f"{picture.person}_{picture.number:04d}"))
        if index is None:
            missing.append(picture)
        else:
            found[picture] = index
    if missing:
        names = ", ".join(f"{picture.person}/{picture.person}_{picture.number:04d}" for picture in missing[:3])
        raise PopulationInvalid(
            f"the pairs file names {len(missing):,} photographs that --photos does not hold, such as {names}; "
            "expected the tree that the file was made for"
        )
    return found
