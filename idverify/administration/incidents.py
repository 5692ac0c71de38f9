"""Reads from the audit log whose data an incident touched and lists the people to notify; it changes nothing else.

The report is recorded, with the sha256 of its document, before anybody sees it.
"""

import hashlib
import json
from collections import Counter
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime

from idverify.access import Access, Progress
from idverify.administration.deployment import Deployment
from idverify.audit.events import Event, EventKind, parse, utc_text
from idverify.errors import AuditBroken, InvalidInput
from idverify.ids import ClientId, GalleryId, PersonId, Pseudonym
from idverify.storage import audit_log, audit_verification, persons
from idverify.storage.database import Connection

_WRAPS = frozenset({EventKind.PERSON_ENROLLED, EventKind.ENCOUNTER_ENROLLED, EventKind.KEYS_REWRAPPED})
_PROGRESS_EVERY = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentQuery:
    """What is suspected: events from `since` up to but without `until` that fit everything named here.

    `key_version` stands alone: everybody whose key was ever wrapped by that wrapping key. Raises InvalidInput.
    """

    since: datetime | None = None
    until: datetime | None = None
    client: ClientId | None = None
    gallery: GalleryId | None = None
    station: str | None = None
    clerk: str | None = None
    key_version: int | None = None

    def __post_init__(self) -> None:
        named = [item.name for item in fields(self) if getattr(self, item.name) is not None]
        if not named:
            raise InvalidInput("incident: expected a client, gallery, station, clerk, key version or a time")
        if self.key_version is not None and len(named) > 1:
            raise InvalidInput("incident: a key version is reported by itself, without other conditions")
        if self.since is not None and self.until is not None and self.since >= self.until:
            raise InvalidInput("incident: expected the start of the time before its end")

    @property
    def asked(self) -> dict[str, str | int]:
        """The conditions in plain values."""
        named = {item.name: getattr(self, item.name) for item in fields(self)}
        return {
            name: utc_text(value) if isinstance(value, datetime) else value
            for name, value in named.items()
            if value is not None
        }

    def fits(self, event: Event) -> bool:
        return (
            (self.since is None or event.time >= utc_text(self.since))
            and (self.until is None or event.time < utc_text(self.until))
            and self.client in (None, event.client)
            and self.gallery in (None, event.gallery)
            and self.station in (None, event.station)
            and self.clerk in (None, event.clerk)
        )


@dataclass(frozen=True, slots=True)
class Touched:
    """Somebody to notify: when first and last (UTC), by how many events of each kind, and by whom."""

    person: PersonId
    first: str
    last: str
    events: dict[str, int]
    by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IncidentReport:
    """`erased` people were touched and are known to nobody any more; `unresolved` ones are gone without an erasure.

    `other_events` fit but name nobody, such as a search as a whole or a claim on a number that nobody has. `fault`: why
    the log does not verify, then the list may lack people; `unreadable` leaves could not be read at all.
    """

    incident: str
    made_at: str
    asked: dict[str, str | int]
    persons: tuple[Touched, ...]
    erased: int
    unresolved: int
    other_events: dict[str, int]
    leaves: int
    unreadable: int
    fault: str | None

    @property
    def document(self) -> bytes:
        """The report as JSON; its sha256 stands in the audit log as `incident-reports/<incident>`."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False).encode() + b"\n"


def report(deployment: Deployment, query: IncidentQuery, access: Access, progress: Progress) -> IncidentReport:
    """Read the whole log once, verify it, and name those whose data was touched. Memory grows with them alone.

    A log that does not verify is reported, not refused: that is when a list is needed. Raises InvalidInput for a key
    version that never was.
    """
    trail = _Trail(query)
    with deployment.database.read() as connection:
        leaves = audit_log.size(connection)
        for done, leaf in enumerate(audit_log.export(connection), start=1):
            trail.follow(leaf)
            if done % _PROGRESS_EVERY == 0 or done == leaves:
                progress("Reading the audit log", done, leaves)
        trail.follow_stored_keys(connection)
        numbers = persons.numbers_of(connection, trail.touches)
        fault = _fault(deployment, connection, progress)
    missing = trail.touches.keys() - numbers.keys()
    finished = IncidentReport(
        incident=access.request,
        made_at=utc_text(deployment.journal.now()),
        asked=query.asked,
        persons=tuple(sorted((trail.touches[name].of(number) for name, number in numbers.items()), key=_number)),
        erased=len(missing & trail.erased),
        unresolved=len(missing - trail.erased),
        other_events=dict(sorted(trail.others.items())),
        leaves=leaves,
        unreadable=trail.unreadable,
        fault=fault,
    )
    records = {f"incident-reports/{access.request}": hashlib.sha256(finished.document).hexdigest()}
    with deployment.database.write() as connection:
        deployment.journal.record(connection, EventKind.INCIDENT_REPORTED, access, records=records)
    return finished


@dataclass(slots=True)
class _Touch:
    first: str
    last: str
    events: Counter[str] = field(default_factory=Counter)
    by: set[str] = field(default_factory=set)

    def of(self, person: PersonId) -> Touched:
        return Touched(person, self.first, self.last, dict(sorted(self.events.items())), tuple(sorted(self.by)))


class _Trail:
    """What is known after so many leaves, in order."""

    def __init__(self, query: IncidentQuery) -> None:
        self._query = query
        self._version = 0
        self.touches: dict[Pseudonym, _Touch] = {}
        self.erased: set[Pseudonym] = set()
        self.others: Counter[str] = Counter()
        self.unreadable = 0

    def follow(self, leaf: bytes) -> None:
        try:
            event = parse(leaf)
        except (AuditBroken, TypeError):  # SQLite keeps whatever type it was given
            self.unreadable += 1
            return
        if event.event is EventKind.PERSON_ERASED and event.person is not None:
            self.erased.add(event.person)
        if self._query.key_version is not None:
            self._follow_key(event)
        elif self._query.fits(event):
            if event.person is None:
                self.others[event.event] += 1
            else:
                self._touch(event.person, event)

    def _follow_key(self, event: Event) -> None:
        """Wrapping versions count rotations; whoever is enrolled or rewrapped is so by the newest."""
        if event.event in (EventKind.KEYS_CREATED, EventKind.KEYS_ROTATED):
            self._version += 1
        elif event.event in _WRAPS and self._version == self._query.key_version:
            for record in event.records:
                table, _, name = record.partition("/")
                if table == "persons":
                    self._touch(Pseudonym(name), event)

    def follow_stored_keys(self, connection: Connection) -> None:
        """For a key version: whoever the database says it wraps, should the log have lost them."""
        if self._query.key_version is None:
            return
        if not 1 <= self._query.key_version <= self._version:
            raise InvalidInput(f"key version: expected 1 to {self._version}, got {self._query.key_version}")
        for row in persons.all_persons(connection):
            if row.wrapped.wrapping_version == self._query.key_version and row.pseudonym not in self.touches:
                self.touches[row.pseudonym] = _Touch(row.created_at, row.created_at)

    def _touch(self, person: Pseudonym, event: Event) -> None:
        touch = self.touches.setdefault(person, _Touch(event.time, event.time))
        touch.last = event.time
        touch.events[event.event] += 1
        by = event.client or event.clerk or "the service"
        touch.by.add(f"{by} at {event.station}" if event.station else by)


def _fault(deployment: Deployment, connection: Connection, progress: Progress) -> str | None:
    try:
        audit_verification.verify(
            connection,
            deployment.keys.checkpoint_signer,
            progress=lambda done, total: progress("Verifying it", done, total),
        )
    except AuditBroken as error:
        return str(error)
    return None


def _number(touched: Touched) -> PersonId:
    return touched.person
