"""Surprise against chance, against closed forms and simulation."""

import itertools
from math import comb

import numpy as np
import pytest

from analysis.deduplication import patterns as module
from analysis.deduplication.patterns import EnrolmentOrigin, neighbours, patterns, share_of_neighbours, share_of_pairs
from idverify.ids import PersonId


def register(people: int = 1_000, *, clerks: int = 10, days: int = 50, seed: int = 1) -> list[EnrolmentOrigin]:
    """Every identity by a clerk, at a station, on a day, all by chance; every seventh clerk is not known."""
    random = np.random.default_rng(seed)
    return [
        EnrolmentOrigin(
            PersonId(f"P-{number}"),
            clerk=None if (clerk := int(random.integers(clerks + 1))) == clerks else f"clerk-{clerk}",
            station=f"station-{random.integers(4)}",
            day=f"2026-{1 + random.integers(days) % 12:02d}-{1 + random.integers(28):02d}",
        )
        for number in random.permutation(people * 30)[:people].tolist()
    ]


def test_the_chance_of_a_clerks_share_is_hypergeometric() -> None:
    gallery = [EnrolmentOrigin(PersonId(f"P-{at * 100}"), f"clerk-{at < 4}", None, "2026-01-01") for at in range(20)]
    flagged = [0, 1, 2, 10, 11]  # three of the four that clerk-True made, among five
    found = [one for one in module._concentrations(gallery, flagged) if one.value == "clerk-True"]
    exact = sum(comb(4, k) * comb(16, 5 - k) for k in (3, 4)) / comb(20, 5)
    assert found[0].chance == pytest.approx(exact)
    assert (found[0].seen, found[0].among, found[0].expected) == (3, 5, 1.0)


def test_shared_traits_are_counted_as_pairs_without_replacement() -> None:
    counts = [4, 3, 1]
    owners = [clerk for clerk, count in enumerate(counts) for _ in range(count)]
    same = [one == other for one, other in itertools.combinations(owners, 2)]
    assert share_of_pairs(counts, 8) == pytest.approx(np.mean(same))


def test_neighbouring_numbers_are_counted_as_every_pair_would_be() -> None:
    people = [
        PersonId(f"{'AB'[at % 2]}-{number}") for at, number in enumerate(np.random.default_rng(3).permutation(400)[:90])
    ]
    people += [PersonId("no-number"), PersonId("00017")]
    close = [neighbours(one, other) for one, other in itertools.combinations(people, 2)]
    assert sum(close) > 0
    assert share_of_neighbours(people) == pytest.approx(np.mean(close))


def test_a_clerk_behind_half_of_the_ghosts_is_named_and_nobody_else() -> None:
    gallery = register()
    by_clerk = [at for at, origin in enumerate(gallery) if origin.clerk == "clerk-3"]
    others = [at for at, origin in enumerate(gallery) if origin.clerk != "clerk-3"]
    flagged = by_clerk[:30] + others[:30]
    found = patterns(gallery, flagged, list(zip(by_clerk[:30:2], by_clerk[1:30:2], strict=True)))
    assert {(one.kind, one.value) for one in found} == {("same-clerk", ""), ("clerk", "clerk-3")}
    assert all(one.chance < 1e-6 for one in found)


def test_numbers_given_out_one_after_another_are_noticed() -> None:
    gallery = [EnrolmentOrigin(PersonId(f"P-{number}"), None, None, f"day-{number}") for number in range(0, 60_000, 60)]
    gallery += [
        EnrolmentOrigin(PersonId(f"P-{number}"), None, None, "day-x") for number in (100_000, 100_001, 100_002, 100_003)
    ]
    (found,) = (one for one in patterns(gallery, [], [(1000, 1001), (1002, 1003)]) if "numbers" in one.kind)
    assert (found.seen, found.among) == (2, 2)


def test_chance_alone_is_called_surprising_in_less_than_one_register_in_twenty() -> None:
    random = np.random.default_rng(11)
    gallery = register(400, clerks=6, days=20)
    alarms = 0
    for _ in range(200):
        flagged = random.permutation(len(gallery))[:60].tolist()
        alarms += bool(patterns(gallery, flagged, list(zip(flagged[::2], flagged[1::2], strict=True))))
    assert alarms <= 12


def test_a_gallery_of_one_and_a_search_without_clusters_have_no_pattern() -> None:
    assert patterns(register(1), [], []) == ()
    assert patterns(register(), [], []) == ()
