"""Says where visits are kept: in the database, or for practice in memory with every transaction rolled back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from enrolment.enroller import Transaction
from idverify.ids import GalleryId, PersonId, VisitId
from idverify.storage.database import Connection, Database
from idverify.storage.visits import VisitState
from idverify.stored.station_drafts import StationDraft


class DraftStore(Protocol):
    """What a visit needs of its drafts: `idverify.stored.station_drafts.StationDrafts`, and `PracticeDrafts`."""

    def add(
        self,
        connection: Connection,
        person: PersonId,
        gallery: GalleryId,
        station: str,
        clerk: str,
        content: Mapping[str, Any],
    ) -> StationDraft: ...
    def get(self, connection: Connection, visit: VisitId) -> StationDraft: ...
    def of_clerk(self, connection: Connection, station: str, clerk: str) -> list[StationDraft]: ...
    def awaiting(self, connection: Connection, gallery: GalleryId) -> list[StationDraft]: ...
    def save(
        self, connection: Connection, draft: StationDraft, content: Mapping[str, Any], state: VisitState
    ) -> StationDraft: ...
    def put_capture(self, connection: Connection, draft: StationDraft, capture: str, content: bytes | None) -> None: ...
    def capture(self, connection: Connection, draft: StationDraft, capture: str) -> bytes: ...
    def visit_of(self, connection: Connection, capture: str) -> VisitId | None: ...
    def erase(self, connection: Connection, draft: StationDraft) -> None: ...
    def drop_expired(self, connection: Connection) -> None: ...


@dataclass(frozen=True, slots=True)
class VisitStorage:
    """`transaction` begins what each step is written in; in practice nothing of it remains."""

    database: Database
    transaction: Transaction
    drafts: DraftStore
