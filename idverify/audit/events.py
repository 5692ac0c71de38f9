"""Defines the events of the audit log and the canonical bytes of a leaf; a leaf names a person only by pseudonym.

A leaf is a JSON object in the form of RFC 8785, so that one event has one sequence of bytes and one hash.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

import rfc8785

from idverify.errors import AuditBroken
from idverify.ids import ClientId, GalleryId, ModelDigest, Pseudonym, RequestId


class EventKind(StrEnum):
    """Every kind of event that is audited; a code is never given a second meaning."""

    SERVICE_STARTED = "service.started"
    PERSON_ENROLLED = "person.enrolled"
    ENCOUNTER_ENROLLED = "encounter.enrolled"
    ENCOUNTER_REFUSED = "encounter.refused"
    ENCOUNTER_REVIEWED = "encounter.reviewed"
    PERSON_VERIFIED = "person.verified"
    PERSON_IDENTIFIED = "person.identified"
    PERSON_READ = "person.read"
    ACCESSES_READ = "person.accesses_read"
    PERSON_ERASED = "person.erased"
    KEYS_CREATED = "keys.created"
    LEAVES_AUTHENTICATED = "audit.leaves_authenticated"
    """From this leaf on, every leaf has a MAC: written once in a log that was begun before leaves had any."""
    KEYS_ADDED = "keys.added"
    KEYS_ROTATED = "keys.rotated"
    KEYS_REWRAPPED = "keys.rewrapped"
    ROOT_KEY_DESTROYED = "keys.root_destroyed"
    CLIENT_ADDED = "client.added"
    CLIENT_SUSPENDED = "client.suspended"
    CLIENT_RESUMED = "client.resumed"
    CLIENT_LIMITED = "client.limited"
    CLIENT_KEY_ADDED = "client.key_added"
    CLIENT_KEY_ROTATED = "client.key_rotated"
    CLIENT_KEY_REVOKED = "client.key_revoked"
    TOKEN_ISSUED = "token.issued"  # noqa: S105  a name
    GALLERY_CREATED = "gallery.created"
    GALLERY_SEARCHED = "gallery.searched"
    IMPORT_STARTED = "import.started"
    IMPORT_FINISHED = "import.finished"
    AUDIT_READ = "audit.read"
    AUDIT_EXPORTED = "audit.exported"
    BACKUP_MADE = "backup.made"
    BACKUP_RESTORED = "backup.restored"
    PERSON_RELEASED = "person.released"
    APPROVAL_PROPOSED = "approval.proposed"
    APPROVAL_CONFIRMED = "approval.confirmed"
    APPROVAL_WITHDRAWN = "approval.withdrawn"
    APPROVAL_REFUSED = "approval.refused"
    GALLERY_CHANGED = "gallery.changed"
    INCIDENT_REPORTED = "incident.reported"
    CONTAINMENT_STARTED = "incident.containment_started"
    CONTAINMENT_FINISHED = "incident.containment_finished"
    STAFF_ADDED = "staff.added"
    STAFF_CHANGED = "staff.changed"
    STAFF_SUSPENDED = "staff.suspended"
    STAFF_RESUMED = "staff.resumed"
    STAFF_RECOVERED = "staff.recovered"
    STAFF_CREDENTIAL_ADDED = "staff.credential_added"
    STAFF_CREDENTIAL_REVOKED = "staff.credential_revoked"
    STAFF_SIGNED_IN = "staff.signed_in"
    STAFF_SIGN_IN_FAILED = "staff.sign_in_failed"
    STAFF_SIGNED_OUT = "staff.signed_out"
    STAFF_LOCKED = "staff.locked"
    STAFF_UNLOCKED = "staff.unlocked"
    STAFF_REFUSED = "staff.refused"
    STAFF_LISTS_READ = "staff.lists_read"
    STATION_ADDED = "station.added"
    STATION_ACTIVATED = "station.activated"
    STATION_RENEWED = "station.renewed"
    STATION_SUSPENDED = "station.suspended"
    STATION_RESUMED = "station.resumed"
    ENROLMENT_FAILED = "encounter.failed_to_enrol"
    SEARCH_STARTED = "duplicates.search_started"
    SEARCH_FINISHED = "duplicates.search_finished"
    SEARCH_CANCELLED = "duplicates.search_cancelled"
    REPORT_MADE = "report.made"
    REPORT_READ = "report.read"
    PERSON_REPORTED = "person.reported"
    PERSON_STATUS_CHANGED = "person.status_changed"
    CASE_OPENED = "case.opened"
    CASE_READ = "case.read"
    CASE_OPINION = "case.opinion"
    CASE_DECIDED = "case.decided"
    CASE_CONTESTED = "case.contested"
    CASE_REFUSED = "case.refused"
    CASE_INSTRUCTED = "case.instructed"
    CASE_NOTICE = "case.notice"
    FACE_VIEWED = "person.face_viewed"
    STATISTICS_EXPORTED = "statistics.exported"
    ENCOUNTER_WITHOUT_FACE = "encounter.registered_without_face"
    VISIT_STARTED = "visit.started"
    VISIT_CANCELLED = "visit.cancelled"
    EXCEPTION_APPROVED = "exception.approved"
    EXCEPTION_REFUSED = "exception.refused"
    GALLERY_MOVE_STARTED = "gallery.move_started"
    ENCOUNTER_REEMBEDDED = "encounter.reembedded"
    GALLERY_MOVED = "gallery.moved"
    TEMPLATES_REMOVED = "templates.removed"


REMOVED = "00" * 32
"""Stands for the digest of a record that was deleted and is nobody's erasure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafDraft:
    """An event that has no position in the log and no time yet.

    `records` maps the names of the records that were written ("templates/<id>", "persons/<pseudonym>") to their digests
    (sha256, hex), against which the stored records are checked at a start; a deleted record maps to `REMOVED`.
    After a PERSON_ERASED event no record of that person may be stored.
    """

    event: EventKind
    client: ClientId | None = None
    clerk: str | None = None
    station: str | None = None
    person: Pseudonym | None = None
    gallery: GalleryId | None = None
    purpose: str | None = None
    request: RequestId | None = None
    decision: str | None = None
    reason: str | None = None
    policy: str | None = None
    model: ModelDigest | None = None
    records: Mapping[str, str] = field(default_factory=dict)

    def placed(self, sequence: int, now: datetime, detail: bytes | None = None) -> "Event":
        """The event as leaf `sequence` of the log; `detail` is sealed under the person's key already."""
        return Event(
            **{item.name: getattr(self, item.name) for item in fields(LeafDraft)},
            sequence=sequence,
            time=utc_text(now),
            detail=None if detail is None else base64.b64encode(detail).decode(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(LeafDraft):
    """A leaf of the log. `time` is UTC as in 2026-11-21T09:30:00.000Z; `detail` is base64 of sealed bytes."""

    sequence: int
    time: str
    detail: str | None = None

    def leaf(self) -> bytes:
        """The canonical JSON (RFC 8785) that is hashed and stored; every field is there, null where it says nothing."""
        return rfc8785.dumps({item.name: _plain(getattr(self, item.name)) for item in fields(self)})

    @property
    def sealed_detail(self) -> bytes | None:
        """The bytes to open with the person's key and `SealContext.of_audit_detail(person, sequence)`."""
        return None if self.detail is None else base64.b64decode(self.detail)


def parse(leaf: bytes) -> Event:
    """The event of a leaf. Raises AuditBroken when the bytes are not exactly what `Event.leaf` writes."""
    try:
        content: Any = json.loads(leaf)
        event = Event(**content | {"event": EventKind(content["event"])})
        if not _well_typed(event) or event.leaf() != leaf:
            raise ValueError
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        # ValueError takes in JSON, UTF-8 and canonicalisation errors; none of them is chained into what is shown.
        raise AuditBroken(f"audit leaf of {len(leaf)} bytes: not the canonical form of an event") from error
    return event


def parse_fields(leaf: bytes) -> Mapping[str, Any]:
    """The fields of a leaf by name, at a fraction of the cost of `parse`, and refused by the same rule.

    Python's own JSON writes what RFC 8785 does for the values that a leaf of ASCII may hold: texts, null, whole numbers
    below 2**53. Any other leaf is for `parse` to judge. Raises AuditBroken.
    """
    try:
        content: Any = json.loads(leaf)
        if leaf.isascii() and _plainly_typed(content) and _CANONICAL.encode(content).encode() == leaf:
            return content  # type: ignore[no-any-return]
    except (ValueError, RecursionError):
        pass
    event = parse(leaf)
    return {item.name: getattr(event, item.name) for item in fields(event)}


def utc_text(now: datetime) -> str:
    """`now` as UTC in ISO 8601 with milliseconds and Z. Raises ValueError when it names no time zone."""
    if now.tzinfo is None:
        raise ValueError("expected a time with a time zone")
    return now.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: object) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _well_typed(event: Event) -> bool:
    texts = [getattr(event, item.name) for item in fields(event) if item.name not in {"sequence", "records"}]
    return (
        type(event.sequence) is int
        and event.sequence >= 0
        and isinstance(event.time, str)
        and all(text is None or isinstance(text, str) for text in texts)
        and isinstance(event.records, dict)
        and all(isinstance(digest, str) for digest in event.records.values())
    )


_FIELDS = frozenset(item.name for item in fields(Event))
_KINDS = frozenset(map(str, EventKind))
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
_MOST_EXACT = 2**53
"""RFC 8785 writes no whole number from here on."""


def _plainly_typed(content: Any) -> bool:
    if type(content) is not dict or content.keys() != _FIELDS or content["event"] not in _KINDS:
        return False
    for name, value in content.items():
        if name == "sequence":
            if type(value) is not int or not 0 <= value < _MOST_EXACT:
                return False
        elif name == "records":
            if type(value) is not dict or not all(type(digest) is str for digest in value.values()):
                return False
        elif type(value) is not str and (value is not None or name in ("event", "time")):
            return False
    return True
