"""No withheld count can be worked out, not even by somebody who knows the rules by which counts are withheld."""

from collections import defaultdict
from itertools import permutations, product

import pytest

from analysis.adjudication.suppression import MIN_COUNT, publish


def by_name(group: str) -> bytes:
    return group.encode()


def test_large_counts_are_published_with_their_total() -> None:
    public = publish({"a": 10, "b": 250}, by_name)
    assert (dict(public.counts), public.total) == ({"a": 10, "b": 250}, 260)


def test_one_small_count_takes_another_along_by_lot() -> None:
    public = publish({"a": 3, "b": 250, "c": 40}, by_name)
    assert (dict(public.counts), public.total) == ({"a": None, "b": None, "c": 40}, 293)
    public = publish({"a": 3, "b": 250, "c": 40}, {"a": b"", "b": b"2", "c": b"1"}.__getitem__)
    assert (dict(public.counts), public.total) == ({"a": None, "b": 250, "c": None}, 293)


def test_two_small_counts_that_add_up_to_little_take_a_third_along() -> None:
    public = publish({"a": 0, "b": 1, "c": 40, "d": 41}, by_name)
    assert (dict(public.counts), public.total) == ({"a": None, "b": None, "c": None, "d": 41}, 82)


@pytest.mark.parametrize("counts", [{}, {"a": 9}, {"a": 0}, {"a": 4, "b": 5}])
def test_a_small_total_is_withheld_with_everything_in_it(counts: dict[str, int]) -> None:
    public = publish(counts, by_name)
    assert public.total is None
    assert set(public.counts.values()) <= {None}


@pytest.mark.parametrize(("groups", "below"), [(1, 40), (2, 40), (3, 28), (4, 16)])
def test_whoever_knows_the_rules_cannot_work_a_withheld_count_out(groups: int, below: int) -> None:
    """Of all tables of numbers under `below`, and all lots: those that publish alike differ widely where they withhold.

    Two tables that publish alike have the same total, so that a class of a total under `below` is complete.
    """
    alike: defaultdict[tuple[int | None, ...], set[tuple[int, ...]]] = defaultdict(set)
    names = "abcd"[:groups]
    for order in permutations(names):
        lot = {name: bytes([place]) for place, name in enumerate(order)}.__getitem__
        for table in product(range(below), repeat=groups):
            if sum(table) < below:
                public = publish(dict(zip(names, table, strict=True)), lot)
                alike[(*public.counts.values(), public.total)].add(table)
    withheld = 0
    for (*counts, _), tables in alike.items():
        for place, count in enumerate(counts):
            values = {table[place] for table in tables}
            if count is None:
                withheld += 1
                assert len(values) >= MIN_COUNT
            else:
                assert values == {count}
                assert count >= MIN_COUNT
    assert withheld
