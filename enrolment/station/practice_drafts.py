"""Keeps the drafts of practice visits, in the memory of this process for an hour. It writes nothing anywhere."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from idverify.audit.events import utc_text
from idverify.errors import Conflict, NotFound
from idverify.ids import GalleryId, PersonId, VisitId
from idverify.storage.database import Connection
from idverify.storage.visits import VisitState
from idverify.stored.station_drafts import StationDraft

LIFETIME = timedelta(hours=1)
MOST = 200
"""Visits at once, over all stations; beyond that, the oldest is dropped."""


class PracticeDrafts:
    """A `DraftStore` that does not use the connections it is given."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._drafts: dict[VisitId, StationDraft] = {}
        self._captures: dict[VisitId, tuple[str, bytes | None]] = {}
        self._lock = threading.Lock()

    def add(
        self,
        _connection: Connection,
        _person: PersonId,
        gallery: GalleryId,
        station: str,
        clerk: str,
        content: Mapping[str, Any],
    ) -> StationDraft:
        now = utc_text(self._clock())
        draft = StationDraft(VisitId(str(uuid4())), gallery, station, clerk, VisitState.OPEN, now, 1, content)
        with self._lock:
            while len(self._drafts) >= MOST:
                self._forget(next(iter(self._drafts)))
            self._drafts[draft.visit] = draft
        return draft

    def get(self, _connection: Connection, visit: VisitId) -> StationDraft:
        draft = self._drafts.get(visit)
        if draft is None or draft.created_at <= self._oldest():
            raise NotFound("there is no such practice visit any more; begin a new one")
        return draft

    def of_clerk(self, _connection: Connection, station: str, clerk: str) -> list[StationDraft]:
        return [draft for draft in self._unexpired()[::-1] if (draft.station, draft.clerk) == (station, clerk)]

    def awaiting(self, _connection: Connection, gallery: GalleryId) -> list[StationDraft]:
        waiting = VisitState.EXCEPTION
        return [draft for draft in self._unexpired() if (draft.gallery, draft.state) == (gallery, waiting)]

    def save(
        self, connection: Connection, draft: StationDraft, content: Mapping[str, Any], state: VisitState
    ) -> StationDraft:
        with self._lock:
            if self.get(connection, draft.visit).revision != draft.revision:
                raise Conflict("the visit was changed in another window meanwhile; open it again")
            saved = replace(draft, content=content, state=state, revision=draft.revision + 1)
            self._drafts[draft.visit] = saved
            if state is VisitState.DONE:
                self._captures.pop(draft.visit, None)
        return saved

    def put_capture(self, _connection: Connection, draft: StationDraft, capture: str, content: bytes | None) -> None:
        if content is not None:
            self._captures[draft.visit] = (capture, content)

    def capture(self, _connection: Connection, draft: StationDraft, capture: str) -> bytes:
        kept, content = self._captures.get(draft.visit, ("", None))
        if kept != capture or content is None:
            raise NotFound("there is no such capture any more; take the picture again")
        return content

    def visit_of(self, _connection: Connection, capture: str) -> VisitId | None:
        return next((visit for visit, (kept, _) in self._captures.items() if kept == capture), None)

    def erase(self, _connection: Connection, draft: StationDraft) -> None:
        with self._lock:
            self._forget(draft.visit)

    def drop_expired(self, _connection: Connection) -> None:
        oldest = self._oldest()
        with self._lock:
            for visit in [visit for visit, draft in self._drafts.items() if draft.created_at <= oldest]:
                self._forget(visit)

    def _unexpired(self) -> list[StationDraft]:
        oldest = self._oldest()
        return [draft for draft in list(self._drafts.values()) if draft.created_at > oldest]

    def _oldest(self) -> str:
        return utc_text(self._clock() - LIFETIME)

    def _forget(self, visit: VisitId) -> None:
        self._drafts.pop(visit, None)
        self._captures.pop(visit, None)
