"""Finds what members of clusters have in common more often than chance would have it; it names no member.

Two questions. Of everybody in clusters, do more than chance would have it come from one clerk, one station, one day?
Their number is hypergeometric: so many drawn from the gallery, so many of the gallery's by that clerk. And within
clusters, do identities of one face share a clerk, station, day or neighbourhood of numbers more often than two
identities of the gallery drawn at random? The number of ties that do is binomial. Each chance is multiplied by how many
patterns were looked at (Bonferroni), so that a long list of clerks makes nobody suspicious.
"""

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analysis.deduplication.clusters import Group
from idverify.ids import GalleryId, PersonId
from idverify.storage import duplicates
from idverify.storage.database import Connection
from idverify.stored.case_evidence import Member, Pattern

SURPRISING = 0.05
NEIGHBOURHOOD = 10
"""Numbers at most so far apart, with the same letters before them, are neighbours."""
_NUMBER = re.compile(r"(.*?)(\d{1,18})")


@dataclass(frozen=True, slots=True)
class EnrolmentOrigin:
    """By whom, where and when one identity of the gallery was enrolled; `day` is a date as in 2026-11-21."""

    person: PersonId
    clerk: str | None
    station: str | None
    day: str


_VALUES: dict[str, Callable[[EnrolmentOrigin], str | None]] = {
    "clerk": lambda origin: origin.clerk,
    "station": lambda origin: origin.station,
    "day": lambda origin: origin.day,
}


def gallery_patterns(
    connection: Connection, gallery: GalleryId, groups: Sequence[Group], members: Mapping[str, Member]
) -> tuple[Pattern, ...]:
    """What the groups' members of this gallery have in common, against the gallery's own rates."""
    encounters = list(duplicates.encounters_in(connection, gallery))
    origins = [
        EnrolmentOrigin(encounter.person, encounter.clerk, encounter.station, encounter.created_at[:10])
        for encounter in encounters
    ]
    position = {encounter.encounter: at for at, encounter in enumerate(encounters)}
    at = {
        name: position[one.encounter]
        for name, one in members.items()
        if one.encounter is not None and one.encounter in position
    }
    flagged = sorted({at[name] for group in groups for name in group.members if name in at})
    ties = [
        (at[tie.left], at[tie.right])
        for group in groups
        for tie in group.spanning()
        if tie.left in at and tie.right in at
    ]
    return patterns(origins, flagged, ties)


def patterns(
    gallery: Sequence[EnrolmentOrigin], members: Collection[int], ties: Collection[tuple[int, int]]
) -> tuple[Pattern, ...]:
    """The surprising patterns, the most surprising first.

    `gallery`: one origin an identity. `members`: positions in it of all who are in a cluster. `ties`: pairs of
    positions, for each cluster those n - 1 that hold its n members together.
    """
    seen = [*_concentrations(gallery, members), *_shared(gallery, ties)]
    corrected = [
        Pattern(one.kind, one.value, one.seen, one.among, one.expected, min(one.chance * len(seen), 1.0))
        for one in seen
    ]
    surprising = [one for one in corrected if one.chance < SURPRISING and one.seen > one.expected]
    return tuple(sorted(surprising, key=lambda one: (one.chance, one.kind, one.value)))


def share_of_pairs(counts: Collection[int], total: int) -> float:
    """The probability that two of `total` identities, drawn without replacement, are in one of these classes."""
    return sum(count * (count - 1) for count in counts) / (total * (total - 1)) if total > 1 else 0.0


def share_of_neighbours(people: Sequence[PersonId]) -> float:
    """The probability that two of these people, drawn without replacement, have neighbouring numbers."""
    by_letters: defaultdict[str, list[int]] = defaultdict(list)
    for person in people:
        if (found := _NUMBER.fullmatch(person)) is not None:
            by_letters[found[1]].append(int(found[2]))
    close = 0
    for numbers in by_letters.values():
        numbers.sort()
        close += sum(bisect_right(numbers, number + NEIGHBOURHOOD) - at - 1 for at, number in enumerate(numbers))
    return close / (len(people) * (len(people) - 1) / 2) if len(people) > 1 else 0.0


def neighbours(one: PersonId, other: PersonId) -> bool:
    """Whether the two numbers have the same letters in front and lie close together."""
    left, right = _NUMBER.fullmatch(one), _NUMBER.fullmatch(other)
    if left is None or right is None or left[1] != right[1]:
        return False
    return abs(int(left[2]) - int(right[2])) <= NEIGHBOURHOOD


def _concentrations(gallery: Sequence[EnrolmentOrigin], members: Collection[int]) -> Iterator[Pattern]:
    from scipy import stats  # takes a second: only who makes a report needs it

    for kind, value_of in _VALUES.items():
        everybody = Counter(map(value_of, gallery))
        flagged = Counter(value_of(gallery[at]) for at in members)
        for value, count in sorted((value, count) for value, count in everybody.items() if value is not None):
            seen = flagged[value]
            chance = float(stats.hypergeom.sf(seen - 1, len(gallery), count, len(members)))
            yield Pattern(kind, value, seen, len(members), len(members) * count / len(gallery), chance)


def _shared(gallery: Sequence[EnrolmentOrigin], ties: Collection[tuple[int, int]]) -> Iterator[Pattern]:
    for kind, value_of in _VALUES.items():
        counts = Counter(value for origin in gallery if (value := value_of(origin)) is not None)
        seen = sum(
            value_of(gallery[one]) is not None and value_of(gallery[one]) == value_of(gallery[other])
            for one, other in ties
        )
        yield _binomial(f"same-{kind}", seen, len(ties), share_of_pairs(counts.values(), len(gallery)))
    near = sum(neighbours(gallery[one].person, gallery[other].person) for one, other in ties)
    share = share_of_neighbours([origin.person for origin in gallery])
    yield _binomial("neighbouring-numbers", near, len(ties), share)


def _binomial(kind: str, seen: int, ties: int, share: float) -> Pattern:
    from scipy import stats

    return Pattern(kind, "", seen, ties, ties * share, float(stats.binom.sf(seen - 1, ties, share)))
