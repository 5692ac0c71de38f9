"""Searches before the audit log's turn, and makes sure of them in it: what is recorded is true when it is recorded.

A search takes milliseconds and the turn is everybody's, so the search comes first. In the turn the shelf is caught up
once more; if the gallery changed since the search began, the search is made again, now that nothing can change.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

from idverify.embedding import Embedding
from idverify.galleries.in_memory import Shelf
from idverify.ids import GalleryId
from idverify.matching.batching import Batching
from idverify.matching.decision import Candidate
from idverify.storage.database import Connection, Database

Found = list[Sequence[Candidate]]


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a search found, and the number of changes that the gallery had seen when it began."""

    gallery: GalleryId
    probes: tuple[Embedding, ...] = field(repr=False)
    most: int
    found: Found = field(repr=False)
    changes: int


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The best candidates of each probe among the `people` who are enrolled now."""

    found: Found = field(repr=False)
    people: int


class Searches:
    """1:N on the galleries of a shelf."""

    def __init__(self, shelf: Shelf, database: Database) -> None:
        self._shelf = shelf
        self._database = database
        self._batching: dict[GalleryId, Batching] = {}
        self._lock = threading.Lock()

    def ahead(self, gallery: GalleryId, probes: Sequence[Embedding], *, most: int) -> Ahead:
        """Search before the turn, together with whoever else is searching. Raises GalleryLoading, EmbedderMismatch."""
        with self._database.read() as connection:
            standing = self._shelf.standing(connection, gallery)
        with self._lock:
            batching = self._batching.setdefault(gallery, Batching(standing.people))
        found = batching.search_many(probes, most=most) if probes else []
        return Ahead(gallery, tuple(probes), most, found, standing.changes)

    def confirmed(self, connection: Connection, ahead: Ahead) -> Confirmed:
        """What the search finds now; call it in the turn (`audit_log.take_turn`), before anything is appended.

        Nobody who was erased before the turn is in it, and nobody who was enrolled is missing.
        """
        standing = self._shelf.standing(connection, ahead.gallery)
        found = ahead.found
        if standing.changes != ahead.changes and ahead.probes:
            found = standing.people.search_many(ahead.probes, most=ahead.most)
        return Confirmed(found, len(standing.people))
