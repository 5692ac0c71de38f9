"""Shows what is held of a person and who looked at it, and erases persons; it must never show biometric data.

`forget_person` is the only place that knows everything that is kept of a person. What is kept anew must be forgotten
there, and `tests/system/test_erasure.py` fails until it is.
"""

from dataclasses import dataclass

from idverify.access import Access
from idverify.audit.events import Event, EventKind
from idverify.clients.limits import AttemptLimits
from idverify.errors import Conflict, ErasureUnscrubbed, NotPermitted, PersonNotFound
from idverify.galleries.in_memory import GalleriesInMemory
from idverify.ids import EncounterId, GalleryId, PersonId
from idverify.storage import audit_log
from idverify.storage import encounters as encounter_table
from idverify.storage import persons as table
from idverify.storage.database import Alongside, Connection, Database
from idverify.storage.encounters import EncounterRow
from idverify.storage.persons import PersonStatus
from idverify.stored.audit_journal import Journal
from idverify.stored.kept_answers import KeptAnswers
from idverify.stored.persons import OpenedPerson, StoredPersons
from idverify.stored.station_drafts import StationDrafts


@dataclass(frozen=True, slots=True)
class EncounterView:
    """One encounter without its biometric data; `source` is what enrolled it, `quality` is 0 to 100."""

    encounter: EncounterId
    created_at: str
    source: str
    galleries: tuple[GalleryId, ...]
    review: str
    quality: int | None


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as the service knows them."""

    person: PersonId
    status: str
    created_at: str
    encounters: tuple[EncounterView, ...]


@dataclass(frozen=True, slots=True)
class AccessView:
    """One entry of a person's access log: who, when, why, with what outcome. It holds no scores."""

    sequence: int
    time: str
    event: str
    client: str | None
    clerk: str | None
    station: str | None
    purpose: str | None
    gallery: str | None
    outcome: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """How many records were erased, and the position of the leaf that records it."""

    encounters: int
    templates: int
    images: int
    audit_position: int


def forget_person(
    connection: Connection,
    opened_person: OpenedPerson,
    access: Access,
    *,
    journal: Journal,
    kept_answers: KeptAnswers,
    drafts: StationDrafts,
) -> ErasureReceipt:
    """Delete everything that is kept of the person and write the tombstone leaf, in the caller's transaction.

    What stays says nothing of them without the key that goes here: the log's leaves under their pseudonym, the counters
    of attempts under an HMAC of the number, and rows of cases, which are sealed under the keys of all their persons.
    Raises PersonNotFound when somebody else erased the person meanwhile.
    """
    person = opened_person.row.person
    erased = table.erase_person(connection, person)
    kept_answers.forget(connection, person)
    drafts.forget(connection, person)
    position = journal.record(connection, EventKind.PERSON_ERASED, access, person=opened_person)
    return ErasureReceipt(erased.encounters, erased.templates, erased.images, position)


class Persons:
    """Shows and erases persons. `within` names the galleries that the caller may use; None: all of them."""

    def __init__(
        self,
        database: Database,
        stored_persons: StoredPersons,
        journal: Journal,
        galleries_in_memory: GalleriesInMemory | None,
        attempt_limits: AttemptLimits,
        kept_answers: KeptAnswers,
        drafts: StationDrafts,
    ) -> None:
        self._database = database
        self._stored_persons = stored_persons
        self._journal = journal
        self._galleries_in_memory = galleries_in_memory
        self._attempt_limits = attempt_limits
        self._kept_answers = kept_answers
        self._drafts = drafts

    def show(self, person: PersonId, access: Access, *, within: frozenset[GalleryId] | None = None) -> PersonView:
        """The person and their encounters; the look itself is recorded. Raises PersonNotFound."""
        with self._database.write() as connection:
            opened_person, encounters = self._visible(connection, person, within)
            self._journal.record(connection, EventKind.PERSON_READ, access, person=opened_person)
            return PersonView(
                person=person,
                status=opened_person.row.status,
                created_at=opened_person.row.created_at,
                encounters=tuple(
                    self._view(opened_person, encounter)
                    for encounter in encounters
                    if within is None or within.intersection(encounter.galleries)
                ),
            )

    def accesses(
        self, person: PersonId, access: Access, *, within: frozenset[GalleryId] | None = None
    ) -> tuple[AccessView, ...]:
        """Everything that the log says about the person, oldest first, this look included. Raises PersonNotFound."""
        with self._database.write() as connection:
            opened_person, _ = self._visible(connection, person, within)
            self._journal.record(connection, EventKind.ACCESSES_READ, access, person=opened_person)
            return tuple(map(_access_view, audit_log.accesses(connection, opened_person.row.pseudonym)))

    def erase(
        self,
        person: PersonId,
        access: Access,
        *,
        within: frozenset[GalleryId] | None = None,
        alongside: Alongside[ErasureReceipt] | None = None,
    ) -> ErasureReceipt:
        """Call `forget_person`, with `alongside` in the same transaction; then forget in memory and scrub the files.

        When this returns, nothing of the person opens any more here and no search of any process finds them. Backups
        open until the root key of their day is destroyed. Raises PersonNotFound, NotPermitted when the person is in
        galleries beyond `within` too, and ErasureUnscrubbed when the erasure is done but its bytes could not be
        scrubbed from the live files yet: run `idverify database scrub`. Raises GalleryLoading in a service that is
        starting: what it reads until then keeps the files from being scrubbed.
        """
        if self._galleries_in_memory is not None:
            self._galleries_in_memory.require_loaded()
        with self._database.write() as connection:
            opened_person, encounters = self._visible(connection, person, within)
            if within is not None and not all(within.issuperset(encounter.galleries) for encounter in encounters):
                raise NotPermitted("the person also stands in galleries of others; ask the administrator to erase them")
            receipt = forget_person(
                connection,
                opened_person,
                access,
                journal=self._journal,
                kept_answers=self._kept_answers,
                drafts=self._drafts,
            )
            if alongside is not None:
                alongside(connection, receipt)
        self.finish_erasure()
        return receipt

    def finish_erasure(self) -> None:
        """Done after an erasure's commit, and may be repeated: forget in memory, scrub the files.

        Raises ErasureUnscrubbed when bytes could not be scrubbed yet.
        """
        if self._galleries_in_memory is not None and self._galleries_in_memory.loaded:
            with self._database.read() as connection:
                self._galleries_in_memory.catch_up(connection)
        if not self._database.scrub():
            raise ErasureUnscrubbed(
                "the person is erased, but a long reader kept old bytes in the write-ahead log; "
                "run `idverify database scrub`"
            )

    def release(self, person: PersonId, access: Access) -> None:
        """Open the verification channel again that failures or close calls had locked, for a person who came in person.

        Raises PersonNotFound, Conflict when it is not locked.
        """
        with self._database.write() as connection:
            opened_person, _ = self._visible(connection, person, None)
            if not self._attempt_limits.release(connection, person, self._journal.now()):
                raise Conflict("verification is not locked for this number; caps by day and month open by themselves")
            self._journal.record(connection, EventKind.PERSON_RELEASED, access, person=opened_person)

    def set_status(self, person: PersonId, status: PersonStatus, access: Access) -> None:
        """Mark the person as deceased, or as active again. Nothing else changes: a payroll check reports it.

        Raises PersonNotFound, Conflict when that is their status already.
        """
        with self._database.write() as connection:
            opened_person, _ = self._visible(connection, person, None)
            if opened_person.row.status == status:
                raise Conflict(f"this person's status is {status} already")
            row = table.set_status(connection, opened_person.row, status)
            self._journal.record(
                connection,
                EventKind.PERSON_STATUS_CHANGED,
                access,
                person=opened_person,
                reason=status,
                records={row.log_name: row.digest},
            )

    def _visible(
        self, connection: Connection, person: PersonId, within: frozenset[GalleryId] | None
    ) -> tuple[OpenedPerson, list[EncounterRow]]:
        """The person and all their encounters; outside the caller's galleries they count as unknown."""
        opened_person = self._stored_persons.find(connection, person)
        encounters = encounter_table.encounters_of(connection, person)
        if opened_person is None or (
            within is not None and not any(within.intersection(encounter.galleries) for encounter in encounters)
        ):
            raise PersonNotFound("no person with this number in your galleries")
        return opened_person, encounters

    def _view(self, opened_person: OpenedPerson, encounter: EncounterRow) -> EncounterView:
        return EncounterView(
            encounter=encounter.encounter,
            created_at=encounter.created_at,
            source=encounter.source,
            galleries=encounter.galleries,
            review=encounter.review,
            quality=self._quality(opened_person, encounter),
        )

    def _quality(self, opened_person: OpenedPerson, encounter: EncounterRow) -> int | None:
        quality = self._stored_persons.detail(opened_person, encounter).get("quality")
        return None if quality is None else int(quality)


def _access_view(event: Event) -> AccessView:
    return AccessView(
        sequence=event.sequence,
        time=event.time,
        event=event.event,
        client=event.client,
        clerk=event.clerk,
        station=event.station,
        purpose=event.purpose,
        gallery=event.gallery,
        outcome=event.decision,
        reason=event.reason,
    )
