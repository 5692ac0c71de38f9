"""Groups pairs into clusters, one face with several identities; no cluster is chained together by one weak link.

The rule is average linkage (UPGMA; Sokal and Michener, 1958) cut at the search's threshold: the two groups that are
most alike are joined first, and only while the mean similarity over *all* pairs of references across them reaches it.
A pair that joins no groups so is not lost: it becomes a cluster of two of its own. So each pair is in exactly one
cluster, and an identity that resembles two unlike ones is in two.
"""

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from analysis.deduplication.pairs import Pair
from idverify.matching.operating_point import Calibration
from idverify.stored.case_evidence import Link, Member

Vectors = npt.NDArray[np.float32]


class ClusterKind(StrEnum):
    SAME_FACE = "same-face"
    """One face, several persons of the searched galleries or several payroll numbers."""
    OTHER_NUMBER = "other-number"
    """The face of a payroll entry is known to the register under another number."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Identities that look like one person. `evidence`: decades of improbability, see `evidence`."""

    number: int
    kind: ClusterKind
    members: tuple[Member, ...]
    links: tuple[Link, ...]
    evidence: float

    @property
    def strongest(self) -> Link:
        return max(self.links, key=lambda link: link.similarity)


@dataclass(frozen=True, slots=True)
class Tie:
    """How alike two identities of a group are at best, -1 to 1, and whether the search found them."""

    left: str
    right: str
    similarity: float
    found: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Identities that look like one person, by name, with every tie between them."""

    members: tuple[str, ...]
    ties: tuple[Tie, ...]

    def spanning(self) -> tuple[Tie, ...]:
        """The n - 1 strongest ties that hold the group together (a maximum spanning tree)."""
        root = {member: member for member in self.members}

        def find(member: str) -> str:
            while root[member] != member:
                member = root[member]
            return member

        chosen = []
        for tie in sorted(self.ties, key=lambda tie: (-tie.similarity, tie.left, tie.right)):
            left, right = find(tie.left), find(tie.right)
            if left != right:
                root[left] = right
                chosen.append(tie)
        return tuple(chosen)


@dataclass(frozen=True, slots=True)
class ClusteredPairs:
    """The clusters of one kind, the strongest evidence first, and the groups of names that they were made of."""

    groups: tuple[Group, ...]
    clusters: tuple[Cluster, ...]


def clustered(
    found: Iterable[Pair],
    references: Mapping[str, Vectors],
    threshold: float,
    kind: ClusterKind,
    members: Mapping[str, Member],
    calibration: Calibration,
) -> ClusteredPairs:
    """Group the pairs that were found at `threshold` and show the groups as clusters, not yet numbered.

    `references`: unit vectors of each identity, shape (k, d); these and `members` by the names that the pairs use.
    """
    groups = cluster(found, references, threshold)
    shown = (
        Cluster(
            number=0,
            kind=kind,
            members=tuple(members[name] for name in group.members),
            links=tuple(_link(tie, group, calibration) for tie in group.ties),
            evidence=evidence(calibration.rate_of(tie.similarity).fmr for tie in group.spanning()),
        )
        for group in groups
    )
    # Of the same evidence, the one with the higher similarity comes first.
    strongest_first = sorted(shown, key=lambda one: (-one.evidence, -one.strongest.similarity, one.members[0].name))
    return ClusteredPairs(groups, tuple(strongest_first))


def cluster(found: Iterable[Pair], references: Mapping[str, Vectors], threshold: float) -> tuple[Group, ...]:
    """The clusters of the pairs that a search found at `threshold`.

    `references`: unit vectors of each identity, shape (k, d). Every pair is in exactly one of the groups.
    """
    pairs = set(found)
    joined = _joined(pairs, references, threshold)
    of = {member: group for group in joined for member in group}
    apart = [each for each in pairs if of[each[0]] is not of[each[1]]]
    groups = sorted(sorted(group) for group in [*joined, *apart] if len(group) > 1)
    return tuple(_group(members, references, pairs) for members in groups)


def evidence(fmrs: Iterable[float]) -> float:
    """Decades of improbability: the sum of log10(1 / FMR) over the ties that hold a group together.

    Each of them would have to be a coincidence of its own if all the group's people were different.
    """
    return float(sum(-math.log10(fmr) for fmr in fmrs))


def _joined(pairs: set[Pair], references: Mapping[str, Vectors], threshold: float) -> list[tuple[str, ...]]:
    """All identities in groups of one and more, by average linkage.

    Only groups that some pair ties are compared: where none does, every similarity across is below the threshold, and
    so is their mean.
    """
    names = sorted({name for each in pairs for name in each})
    # The mean over all pairs of references across two groups is the product of the groups' mean vectors.
    means: dict[int, tuple[npt.NDArray[np.float64], int]] = {
        at: (references[name].mean(axis=0, dtype=np.float64), len(references[name])) for at, name in enumerate(names)
    }
    members: dict[int, tuple[str, ...]] = {at: (name,) for at, name in enumerate(names)}
    number = {name: at for at, name in enumerate(names)}
    beside: defaultdict[int, set[int]] = defaultdict(set)
    heap: list[tuple[float, int, int]] = []

    def consider(one: int, other: int) -> None:
        beside[one].add(other)
        beside[other].add(one)
        mean = float(means[one][0] @ means[other][0])
        if mean >= threshold:
            heapq.heappush(heap, (-mean, min(one, other), max(one, other)))

    for left, right in sorted(pairs):
        consider(number[left], number[right])
    fresh = len(names)
    while heap:
        _, one, other = heapq.heappop(heap)
        if one not in members or other not in members:
            continue  # one of them was joined with a third since
        (left_mean, left_count), (right_mean, right_count) = means.pop(one), means.pop(other)
        total = left_count + right_count
        means[fresh] = ((left_mean * left_count + right_mean * right_count) / total, total)
        members[fresh] = members.pop(one) + members.pop(other)
        for neighbour in (beside.pop(one) | beside.pop(other)) - {one, other}:
            beside[neighbour] -= {one, other}
            consider(neighbour, fresh)
        fresh += 1
    return list(members.values())


def _group(members: list[str], references: Mapping[str, Vectors], pairs: set[Pair]) -> Group:
    ties = tuple(
        Tie(left, right, float((references[left] @ references[right].T).max()), (left, right) in pairs)
        for at, left in enumerate(members)
        for right in members[at + 1 :]
    )
    return Group(tuple(members), ties)


def _link(tie: Tie, group: Group, calibration: Calibration) -> Link:
    rate = calibration.rate_of(tie.similarity)
    left, right = group.members.index(tie.left), group.members.index(tie.right)
    return Link(left, right, round(tie.similarity, 6), rate.fmr, rate.at_most, tie.found)
