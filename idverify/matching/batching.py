"""Answers the searches of several callers of one gallery together; it never delays a search to make a batch larger.

A caller that finds no search in progress searches at once, for itself and for every caller that waits at that moment.
The others wait until their answer is there or the search in progress has ended.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from idverify.embedding import Embedding
from idverify.matching.decision import Candidate
from idverify.matching.gallery import Gallery

MOST_AT_ONCE = 64
"""Most probes of one batch: more would make each of them wait longer and save no time."""


@dataclass(slots=True, eq=False, repr=False)
class _Asked:
    probe: Embedding
    most: int
    found: Sequence[Candidate] | None = None
    failed: BaseException | None = None


class BatchedSearch:
    """Searches one gallery for callers on several threads."""

    def __init__(self, people: Gallery) -> None:
        self._people = people
        self._waiting: list[_Asked] = []
        self._searching = False
        self._changed = threading.Condition()

    def search(self, probe: Embedding, *, most: int) -> Sequence[Candidate]:
        """As `Gallery.search`."""
        (found,) = self.search_many([probe], most=most)
        return found

    def search_many(self, probes: Sequence[Embedding], *, most: int) -> list[Sequence[Candidate]]:
        """As `Gallery.search_many`."""
        mine = [_Asked(probe, most) for probe in probes]
        with self._changed:
            self._waiting += mine
        while batch := self._next(mine):
            self._answer(batch)
        for asked in mine:
            if asked.failed is not None:
                raise asked.failed
        return [asked.found for asked in mine if asked.found is not None]

    def _next(self, mine: list[_Asked]) -> list[_Asked]:
        """The probes to search for, once the gallery is free; none when others have answered all of `mine`."""
        with self._changed:
            while self._searching and not _answered(mine):
                self._changed.wait()
            if _answered(mine):
                return []
            self._searching = True
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            return batch

    def _answer(self, batch: list[_Asked]) -> None:
        try:
            # Best first: the first few of a longer list are the shorter list.
            found = self._people.search_many([asked.probe for asked in batch], most=max(asked.most for asked in batch))
            for asked, candidates in zip(batch, found, strict=True):
                asked.found = candidates[: asked.most]
        except BaseException as error:  # noqa: BLE001  each caller gets it
            for asked in batch:
                asked.failed = error
        finally:
            with self._changed:
                self._searching = False
                self._changed.notify_all()


def _answered(asked: list[_Asked]) -> bool:
    return all(one.found is not None or one.failed is not None for one in asked)
