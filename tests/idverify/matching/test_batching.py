"""Searches at once are made together, each answered as if it were alone; one alone waits for nobody."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from idverify.embedding import Embedding, unit
from idverify.errors import EmbedderMismatch
from idverify.ids import EncounterId, GalleryId, ModelDigest, PersonId
from idverify.matching.batching import MOST_AT_ONCE, BatchedSearch
from idverify.matching.decision import Candidate
from idverify.matching.gallery import Gallery

MODEL = ModelDigest("ab" * 32)
PEOPLE = [unit(row, MODEL) for row in np.random.default_rng(0).standard_normal((200, 16))]


class Held(Gallery):
    """A gallery whose searches wait for leave, and that counts the probes of each."""

    def __init__(self) -> None:
        super().__init__(GalleryId("register"), MODEL, 16)
        self.add([(PersonId(f"C-{n}"), EncounterId(f"e-{n}"), one) for n, one in enumerate(PEOPLE)])
        self.leave = threading.Semaphore(0)
        self.sizes: list[int] = []
        self.begun = threading.Event()

    def search_many(self, probes: Sequence[Embedding], *, most: int) -> list[Sequence[Candidate]]:
        self.sizes.append(len(probes))
        self.begun.set()
        self.leave.acquire()
        return super().search_many(probes, most=most)


def first(found: Sequence[Candidate]) -> str:
    return found[0].person


def test_those_who_come_during_a_search_are_served_by_the_next_one() -> None:
    people = Held()
    batching = BatchedSearch(people)
    with ThreadPoolExecutor(30) as callers:
        leader = callers.submit(batching.search, PEOPLE[0], most=3)
        people.begun.wait()
        others = [callers.submit(batching.search, PEOPLE[n], most=1 + n % 5) for n in range(1, 21)]
        while len(batching._waiting) < 20:
            threading.Event().wait(0.001)
        people.leave.release(2)
        assert first(leader.result()) == "C-0"
        found = [other.result() for other in others]
    assert people.sizes == [1, 20]
    assert [first(one) for one in found] == [f"C-{n}" for n in range(1, 21)]
    assert [len(one) for one in found] == [1 + n % 5 for n in range(1, 21)]


def test_one_alone_is_answered_by_one_search() -> None:
    people = Held()
    people.leave.release()
    assert first(BatchedSearch(people).search(PEOPLE[7], most=1)) == "C-7"
    assert people.sizes == [1]


def test_many_probes_of_one_caller_go_in_bounded_pieces() -> None:
    people = Held()
    people.leave.release(10)
    found = BatchedSearch(people).search_many(PEOPLE, most=1)
    assert [first(one) for one in found] == [f"C-{n}" for n in range(len(PEOPLE))]
    assert sum(people.sizes) == len(PEOPLE)
    assert max(people.sizes) == MOST_AT_ONCE


def test_what_one_search_raises_each_of_its_callers_gets_and_the_next_is_served() -> None:
    people = Held()
    people.leave.release(10)
    batching = BatchedSearch(people)
    stranger = unit(np.ones(16), ModelDigest("cd" * 32))
    with pytest.raises(EmbedderMismatch):
        batching.search(stranger, most=1)
    assert first(batching.search(PEOPLE[3], most=1)) == "C-3"
