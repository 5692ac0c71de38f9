"""Searches a gallery (1:N), and makes sure that the result is still true in the transaction that records it.

A search takes milliseconds, and only one transaction at a time may append to the audit log. So the search comes first;
once the transaction has its turn to append, the gallery is brought up to date, and if it changed since the search began
the search is repeated.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from idverify.embedding import Embedding
from idverify.galleries.in_memory import GalleriesInMemory
from idverify.ids import GalleryId
from idverify.matching.batching import BatchedSearch
from idverify.matching.decision import Candidate
from idverify.storage.database import Connection, Database

Found = list[Sequence[Candidate]]


@dataclass(frozen=True, slots=True)
class ProvisionalSearch:
    """What a search found, and the number of changes that the gallery had seen when it began."""

    gallery: GalleryId
    probes: tuple[Embedding, ...] = field(repr=False)
    most: int
    found: Found = field(repr=False)
    changes: int


@dataclass(frozen=True, slots=True)
class ConfirmedSearch:
    """The best candidates of each probe among the `people` who are enrolled now."""

    found: Found = field(repr=False)
    people: int


class GallerySearch:
    """1:N on the galleries in memory."""

    def __init__(self, galleries_in_memory: GalleriesInMemory, database: Database) -> None:
        self._galleries_in_memory = galleries_in_memory
        self._database = database
        self._batching: dict[GalleryId, BatchedSearch] = {}
        self._lock = threading.Lock()

    def provisional(self, gallery: GalleryId, probes: Sequence[Embedding], *, most: int) -> ProvisionalSearch:
        """Search before the turn, together with whoever else is searching. Raises GalleryLoading, EmbedderMismatch."""
        with self._database.read() as connection:
            state_of = self._galleries_in_memory.state_of(connection, gallery)
        with self._lock:
            batching = self._batching.setdefault(gallery, BatchedSearch(state_of.people))
        found = batching.search_many(probes, most=most) if probes else []
        return ProvisionalSearch(gallery, tuple(probes), most, found, state_of.changes)

    def confirmed(self, connection: Connection, provisional: ProvisionalSearch) -> ConfirmedSearch:
        """What the search finds now; call it in the turn (`audit_log.take_turn`), before anything is appended.

        Nobody who was erased before the turn is in it, and nobody who was enrolled is missing.
        """
        state_of = self._galleries_in_memory.state_of(connection, provisional.gallery)
        found = provisional.found
        if state_of.changes != provisional.changes and provisional.probes:
            found = state_of.people.search_many(provisional.probes, most=provisional.most)
        return ConfirmedSearch(found, len(state_of.people))
