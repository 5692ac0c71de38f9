"""Counts one day's enrolments, refusals and failures at the stations from the audit log.

It must name no enrolled person: no number, name or face.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from idverify.access import Access
from idverify.audit.events import Event, EventKind, utc_text
from idverify.ids import EncounterId, GalleryId
from idverify.storage import audit_log, encounters
from idverify.storage.database import Connection, Database
from idverify.storage.encounters import Review
from idverify.stored.audit_journal import Journal


class CaptureOutcome(StrEnum):
    """The outcome of a visit, or of one capture of it."""

    ENROLLED = "enrolled"
    REFUSED = "refused"
    """One capture was not good enough; another one may have been."""
    FAILED = "failed"
    """The person could not be enrolled (failure to enrol)."""


_OUTCOMES = {
    EventKind.ENCOUNTER_ENROLLED: CaptureOutcome.ENROLLED,
    EventKind.ENCOUNTER_REFUSED: CaptureOutcome.REFUSED,
    EventKind.ENROLMENT_FAILED: CaptureOutcome.FAILED,
}


@dataclass(frozen=True, slots=True)
class StationAct:
    """One leaf of a station. `time` as `utc_text` writes it; `review` None: no encounter, or its person was erased."""

    time: str
    clerk: str
    station: str
    gallery: GalleryId
    outcome: CaptureOutcome
    reason: str
    review: Review | None

    @property
    def sent_to_review(self) -> bool:
        """Whether it was sent to analysts, also when they have decided since."""
        return self.review not in (None, Review.NONE)


@dataclass(slots=True)
class Tally:
    """Counts of one clerk, one station, or all."""

    name: str
    enrolled: int = 0
    refused: int = 0
    failed: int = 0
    reviewed: int = 0

    @property
    def tried(self) -> int:
        """Visits that came to an end: people enrolled, and people who could not be."""
        return self.enrolled + self.failed

    @property
    def failure_rate(self) -> float | None:
        """Failure-to-enrol rate (ISO/IEC 19795-1), 0 to 1, of this day's visits; None without any."""
        return self.failed / self.tried if self.tried else None

    def count(self, act: StationAct) -> None:
        setattr(self, act.outcome, getattr(self, act.outcome) + 1)
        self.reviewed += act.sent_to_review


@dataclass(frozen=True, slots=True)
class StationDay:
    """`acts`: the newest first."""

    total: Tally
    by_clerk: tuple[Tally, ...]
    by_station: tuple[Tally, ...]
    acts: tuple[StationAct, ...] = field(repr=False)


class StationDays:
    """Reads days for supervisors; each reading is on record."""

    def __init__(self, database: Database, journal: Journal, zone: ZoneInfo) -> None:
        """`zone`: where days begin and end at midnight."""
        self._database = database
        self._journal = journal
        self._zone = zone

    def today(self) -> date:
        return self._journal.now().astimezone(self._zone).date()

    def read(self, day: date, galleries: Collection[GalleryId], access: Access, what: str) -> StationDay:
        """The day of the stations of these galleries. `what`: "page" or "file", on record. Raises AuditBroken."""
        with self._database.write() as connection:
            found = station_day(connection, day, self._zone, galleries)
            self._journal.record(connection, EventKind.STAFF_LISTS_READ, access, reason=what)
        return found


def bounds(day: date, zone: ZoneInfo) -> tuple[str, str]:
    """When that day begins and ends in `zone`, as `utc_text` writes it."""
    begins = datetime.combine(day, time(), tzinfo=zone)
    ends = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone)
    return utc_text(begins), utc_text(ends)


def station_day(connection: Connection, day: date, zone: ZoneInfo, galleries: Collection[GalleryId]) -> StationDay:
    """The day of the stations of these galleries. Raises AuditBroken."""
    begins, ends = bounds(day, zone)
    events = list(_events(connection, begins, ends, galleries))
    reviews = encounters.reviews_of(connection, [name for event in events if (name := _encounter(event))])
    acts = [_act(event, reviews.get(EncounterId(_encounter(event)))) for event in events]
    total = Tally("")
    for act in acts:
        total.count(act)
    return StationDay(
        total=total,
        by_clerk=_tallies(acts, lambda act: act.clerk),
        by_station=_tallies(acts, lambda act: act.station),
        acts=tuple(reversed(acts)),
    )


def _events(connection: Connection, begins: str, ends: str, galleries: Collection[GalleryId]) -> Iterator[Event]:
    for event in audit_log.leaves_after(connection, audit_log.first_since(connection, begins) - 1, list(_OUTCOMES)):
        if event.time >= ends:
            return
        if event.station is not None and event.gallery in galleries:
            yield event


def _encounter(event: Event) -> EncounterId:
    """The encounter that the leaf says was written, "" for none."""
    names = (record.partition("/") for record in event.records)
    return EncounterId(next((name for table, _, name in names if table == "encounters"), ""))


def _act(event: Event, review: Review | None) -> StationAct:
    return StationAct(
        time=event.time,
        clerk=event.clerk or "",
        station=event.station or "",
        gallery=GalleryId(event.gallery or ""),
        outcome=_OUTCOMES[event.event],
        reason=event.reason or "",
        review=review,
    )


def _tallies(acts: Iterable[StationAct], name_of: Callable[[StationAct], str]) -> tuple[Tally, ...]:
    tallies: dict[str, Tally] = {}
    for act in acts:
        tallies.setdefault(name_of(act), Tally(name_of(act))).count(act)
    return tuple(tallies[name] for name in sorted(tallies))
