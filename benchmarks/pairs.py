"""Labeled Faces in the Wild's pairs file, and its protocol: the accuracy of ten folds, each judged by the other nine.

It knows names and scores only; finding the photographs is the population's part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

DEFAULT_FOLDS = 10
NEVER_MATCHES = -np.inf
"""Score of a comparison with a photograph that could not be processed: it is a non-match (ISO/IEC 19795-1 counts a
failure to acquire so in its generalised rates), an error when the pair is mated and right when it is not."""


class PairsFileInvalid(ValueError):
    """The pairs file does not read as LFW's; the message names the line."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A person's photograph by its number in the file name: Name/Name_0001.jpg is number 1."""

    person: str
    number: int


@dataclass(frozen=True, slots=True)
class Pair:
    """The first picture is the reference, the second the probe."""

    reference: Picture
    probe: Picture

    @property
    def mated(self) -> bool:
        return self.reference.person == self.probe.person


Folds = tuple[tuple[Pair, ...], ...]


@dataclass(frozen=True, slots=True)
class FoldedAccuracy:
    """Mean over the folds, and its standard error as LFW's own pages give it: deviation / sqrt(folds)."""

    accuracy: float
    standard_error: float
    folds: tuple[float, ...]
    count: int


def read_pairs(path: Path) -> Folds:
    """Parse an LFW pairs file or any part of one: "Name n1 n2" for mated lines, "Name1 n1 Name2 n2" for others.

    A header of digits only ("10<tab>300") may stand first. Mated lines that follow non-mated ones open the next fold,
    as in LFW's file; where that gives no two folds, lines are dealt out to ten. Raises PairsFileInvalid.
    """
    pairs: list[Pair] = []
    starts: list[int] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fields = line.split("\t") if "\t" in line else line.split()
        if not line.strip() or (not pairs and all(field.strip().isdigit() for field in fields)):
            continue
        pair = _parse(fields, f"{path.name}, line {number}")
        if not pairs or (pair.mated and not pairs[-1].mated):
            starts.append(len(pairs))
        pairs.append(pair)
    if not pairs:
        raise PairsFileInvalid(f"{path.name}: expected lines such as 'Name 1 2', found none")
    if len(starts) < 2:
        return tuple(tuple(pairs[fold::DEFAULT_FOLDS]) for fold in range(min(DEFAULT_FOLDS, len(pairs))))
    return tuple(tuple(pairs[start:end]) for start, end in zip(starts, [*starts[1:], len(pairs)], strict=True))


def _parse(fields: Sequence[str], where: str) -> Pair:
    try:
        match [field.strip() for field in fields]:
            case [person, first, second]:
                return Pair(Picture(person, int(first)), Picture(person, int(second)))
            case [person, first, other, second]:
                return Pair(Picture(person, int(first)), Picture(other, int(second)))
    except ValueError:
        pass
    raise PairsFileInvalid(f"{where}: expected 'Name n1 n2' or 'Name1 n1 Name2 n2', got {len(fields)} fields")


def pictures_of(folds: Folds) -> tuple[Picture, ...]:
    """Every picture that the pairs name, with repetitions."""
    return tuple(picture for fold in folds for pair in fold for picture in (pair.reference, pair.probe))


def folded_accuracy(scores: Mapping[Pair, float], folds: Folds) -> FoldedAccuracy:
    """For each fold the share of right decisions at the threshold that is best on all the other folds.

    Raises PairsFileInvalid with fewer than two folds.
    """
    if len(folds) < 2:
        raise PairsFileInvalid(f"the protocol needs at least two folds, so two pairs; found {len(folds)}")
    values = [np.array([scores[pair] for pair in fold]) for fold in folds]
    mated = [np.array([pair.mated for pair in fold]) for fold in folds]
    accuracies = []
    for held_out in range(len(folds)):
        others = [fold for fold in range(len(folds)) if fold != held_out]
        threshold = best_threshold(
            np.concatenate([values[fold] for fold in others]), np.concatenate([mated[fold] for fold in others])
        )
        accuracies.append(float(np.mean((values[held_out] >= threshold) == mated[held_out])))
    return FoldedAccuracy(
        accuracy=float(np.mean(accuracies)),
        standard_error=float(np.std(accuracies, ddof=1) / np.sqrt(len(folds))),
        folds=tuple(accuracies),
        count=sum(map(len, folds)),
    )


def best_threshold(scores: npt.NDArray[np.float64], mated: npt.NDArray[np.bool_]) -> float:
    """The score at or above which calling a pair mated is most often right; the middle one where several are."""
    candidates = np.unique(np.append(scores[np.isfinite(scores)], np.inf))
    accepted = mated.sum() - np.searchsorted(np.sort(scores[mated]), candidates, side="left")
    rejected = np.searchsorted(np.sort(scores[~mated]), candidates, side="left")
    right = accepted + rejected
    best = np.flatnonzero(right == right.max())
    return float(candidates[best[len(best) // 2]])
