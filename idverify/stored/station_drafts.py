"""Stores drafts of visits at a station, each sealed under a key of its own, so that a crash loses nothing.

It must know nothing of the steps of a visit: what a draft says is the caller's mapping. Erasing a person erases the
drafts about them.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from idverify.audit.events import utc_text
from idverify.errors import NotFound
from idverify.ids import GalleryId, PersonId, VisitId
from idverify.protection.canonical import length_prefixed
from idverify.protection.keyring import Keyring, SecretPurpose
from idverify.protection.visit_key import VisitKeys
from idverify.storage import service_keys
from idverify.storage import visits as table
from idverify.storage.database import Connection
from idverify.storage.visits import VisitRow, VisitState

UNFINISHED = timedelta(hours=24)
"""How long a draft that nobody touches is kept."""
FINISHED = timedelta(days=31)
"""How long what became of a visit can be asked for: longer than a capture may wait in a browser to be sent."""
_CONTENT = "content"


@dataclass(frozen=True, slots=True)
class StationDraft:
    """An opened draft; `content` is what the last `save` was given."""

    visit: VisitId
    gallery: GalleryId
    station: str
    clerk: str
    state: VisitState
    created_at: str
    revision: int
    content: Mapping[str, Any] = field(repr=False)


class StationDrafts:
    """Stores, opens and erases drafts, in the caller's transactions."""

    def __init__(self, keys: VisitKeys, keyring: Keyring, clock: Callable[[], datetime]) -> None:
        self._keys = keys
        self._hash_key = keyring.derived(SecretPurpose.STATION_DRAFTS)
        self._clock = clock

    def add(
        self,
        connection: Connection,
        person: PersonId,
        gallery: GalleryId,
        station: str,
        clerk: str,
        content: Mapping[str, Any],
    ) -> StationDraft:
        """A new draft about that person."""
        visit = VisitId(str(uuid4()))
        key, wrapped = self._keys.new(visit, service_keys.current_wrapping_version(connection))
        sealed = key.seal(_bytes(content), _CONTENT)
        now = self._clock()
        subject, state = self._person_hash(person), VisitState.OPEN
        times = utc_text(now), utc_text(now + UNFINISHED)
        row = VisitRow(visit, wrapped, subject, gallery, station, clerk, state, 1, sealed, *times)
        table.add(connection, row)
        return _draft(row, content)

    def get(self, connection: Connection, visit: VisitId) -> StationDraft:
        """Raises NotFound when there is none or its time is over, SealBroken."""
        row = self._row(connection, visit)
        return self._opened(row)

    def of_clerk(self, connection: Connection, station: str, clerk: str) -> list[StationDraft]:
        """What this clerk has begun at this station, the newest first."""
        return self._living(table.of_clerk(connection, station, clerk))

    def awaiting(self, connection: Connection, gallery: GalleryId) -> list[StationDraft]:
        """What waits for approval in a gallery, the oldest first."""
        return self._living(table.awaiting(connection, gallery))

    def save(
        self, connection: Connection, draft: StationDraft, content: Mapping[str, Any], state: VisitState
    ) -> StationDraft:
        """The next revision. Raises NotFound, and Conflict when somebody else saved one since `draft` was read.

        A visit that is done gets a new key, so that neither captures nor earlier revisions open any more.
        """
        row = replace(self._row(connection, draft.visit), revision=draft.revision)
        version = row.wrapped.wrapping_version
        if state is VisitState.DONE:
            key, wrapped = self._keys.new(draft.visit, version)
            table.empty_captures(connection, draft.visit)
        else:
            key, wrapped = self._keys.open(draft.visit, row.wrapped), row.wrapped
        expires_at = utc_text(self._clock() + (FINISHED if state is VisitState.DONE else UNFINISHED))
        sealed = key.seal(_bytes(content), _CONTENT)
        after = replace(row, wrapped=wrapped, state=state, sealed=sealed, expires_at=expires_at)
        return _draft(table.save(connection, row, after), content)

    def put_capture(self, connection: Connection, draft: StationDraft, capture: str, content: bytes | None) -> None:
        """Keep what was captured, in place of what was before; without content, keep only that the id was used.

        Raises NotFound, and Conflict for an id that was used before.
        """
        if content is None:
            table.put_capture(connection, draft.visit, capture, None)
            return
        key = self._keys.open(draft.visit, self._row(connection, draft.visit).wrapped)
        table.empty_captures(connection, draft.visit)
        table.put_capture(connection, draft.visit, capture, key.seal(content, capture))

    def capture(self, connection: Connection, draft: StationDraft, capture: str) -> bytes:
        """The bytes that were captured under that id in this visit. Raises NotFound, SealBroken."""
        found = table.find_capture(connection, capture)
        if found is None or found[0] != draft.visit or found[1] is None:
            raise NotFound("there is no such capture any more; take the picture again")
        return self._keys.open(draft.visit, self._row(connection, draft.visit).wrapped).open(found[1], capture)

    def visit_of(self, connection: Connection, capture: str) -> VisitId | None:
        """The visit to which a capture of that id was added, None when there was none."""
        found = table.find_capture(connection, capture)
        return None if found is None else found[0]

    def erase(self, connection: Connection, draft: StationDraft) -> None:
        """Delete the visit with everything that was captured, and its key."""
        table.erase(connection, [draft.visit])

    def forget(self, connection: Connection, person: PersonId) -> None:
        """Erase every draft about this person."""
        table.erase(connection, table.of_subject(connection, self._person_hash(person)))

    def drop_expired(self, connection: Connection) -> None:
        """Erase what has expired."""
        table.erase(connection, table.expired(connection, utc_text(self._clock())))

    def _row(self, connection: Connection, visit: VisitId) -> VisitRow:
        row = table.find(connection, visit)
        if row is None or row.expires_at <= utc_text(self._clock()):
            raise NotFound("there is no such visit any more; begin a new one")
        return row

    def _living(self, rows: list[VisitRow]) -> list[StationDraft]:
        now = utc_text(self._clock())
        return [self._opened(row) for row in rows if row.expires_at > now]

    def _opened(self, row: VisitRow) -> StationDraft:
        return _draft(row, json.loads(self._keys.open(row.visit, row.wrapped).open(row.sealed, _CONTENT)))

    def _person_hash(self, person: PersonId) -> bytes:
        return hmac.digest(self._hash_key, length_prefixed("person", person), hashlib.sha256)


def _bytes(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content).encode()


def _draft(row: VisitRow, content: Mapping[str, Any]) -> StationDraft:
    return StationDraft(
        row.visit, row.gallery, row.station, row.clerk, row.state, row.created_at, row.revision, content
    )
