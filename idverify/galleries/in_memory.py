"""The galleries in memory: a cache of the store, checked against the audit log when it loads and kept up to date.

Before each search it reads the leaves that were written since the last one, so that every process sees what any process
enrolled or erased. Embeddings are in the clear here, in memory only.
"""

import threading
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from idverify.access import Progress
from idverify.audit.checkpoint import CheckpointSigner
from idverify.audit.events import Event, EventKind
from idverify.errors import GalleryLoading
from idverify.ids import GalleryId, ModelDigest, PersonId, Pseudonym
from idverify.matching.gallery import Entry, Gallery
from idverify.protection.envelope import Envelope
from idverify.protection.template import ProtectedTemplate, reveal
from idverify.startup.integrity import require_sound
from idverify.startup.tasks import OpenedReferences, StartupTasks, pieces
from idverify.startup.workers import DeploymentLocation, StartupWorkers
from idverify.storage import audit_log, galleries, persons, templates
from idverify.storage.database import Connection, Database
from idverify.storage.persons import PersonRow
from idverify.stored.persons import OpenedPerson, StoredPersons

_FOLLOWED = (EventKind.ENCOUNTER_ENROLLED, EventKind.ENCOUNTER_REEMBEDDED, EventKind.PERSON_ERASED)


class LoadingStopped(Exception):
    """The service ends before its galleries are loaded."""


@dataclass(frozen=True, slots=True)
class GalleryState:
    """A gallery as of all committed enrolments and erasures, and how many changes it had seen by then."""

    people: Gallery
    changes: int


class GalleriesInMemory:
    """All galleries of one embedder, ready to search."""

    def __init__(
        self,
        database: Database,
        envelope: Envelope,
        stored_persons: StoredPersons,
        signer: CheckpointSigner,
        model: ModelDigest,
        dimension: int,
        location: DeploymentLocation,
    ) -> None:
        self._database = database
        self._envelope = envelope
        self._stored_persons = stored_persons
        self._signer = signer
        self._model = model
        self._dimension = dimension
        self._location = location
        self._galleries: dict[GalleryId, Gallery] = {}
        self._changes: defaultdict[GalleryId, int] = defaultdict(int)
        self._people: dict[Pseudonym, PersonId] = {}
        self._position = 0
        self._loaded = False
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    @property
    def loaded(self) -> bool:
        return self._loaded

    def load(self, progress: Progress) -> None:
        """Rebuild every gallery from the store.

        Raises AuditBroken when the log does not verify, RecordRolledBack naming the records that are not as the log
        last saw them, SealBroken for one that does not open, LoadingStopped after `stop`.
        """

        def told(what: str, done: int, total: int) -> None:
            if self._stopped.is_set():
                raise LoadingStopped
            progress(what, done, total)

        here = StartupTasks(self._database, self._envelope, self._signer.leaf_key, self._model, self._dimension)
        with StartupWorkers.gather(here, self._database, self._location, self._model, self._dimension) as workers:
            # 1. The log and every record, and only then
            require_sound(workers, self._signer, told)
            # 2. templates are opened.
            self._fill(workers, told)
            self._position = audit_log.size(here.connection)
        # 3. Nobody who was erased meanwhile stays a moment longer than the loading.
        with self._database.read() as connection, self._lock:
            self._follow_all(connection)
        self._loaded = True

    def stop(self) -> None:
        """Let a `load` that is going on end soon."""
        self._stopped.set()

    def caught_up(self, connection: Connection, gallery: GalleryId) -> Gallery:
        """The gallery as of all committed enrolments and erasures; call it before you append to the log yourself.

        Raises GalleryLoading before `load` is through.
        """
        return self.state_of(connection, gallery).people

    def state_of(self, connection: Connection, gallery: GalleryId) -> GalleryState:
        """The same, with the number of its changes: as long as it stays the same, so does what a search finds."""
        self.require_loaded()
        with self._lock:
            self._follow_all(connection)
            return GalleryState(self._gallery(gallery), self._changes[gallery])

    def catch_up(self, connection: Connection) -> None:
        """Follow the log from where these galleries stand. Raises GalleryLoading."""
        self.require_loaded()
        with self._lock:
            self._follow_all(connection)

    def require_loaded(self) -> None:
        """Raises GalleryLoading before `load` is through."""
        if not self._loaded:
            raise GalleryLoading("the galleries are still being loaded; try again in a moment")

    def galleries(self) -> list[Gallery]:
        """Those that hold somebody, or did."""
        with self._lock:
            return [self._galleries[name] for name in sorted(self._galleries)]

    def _follow_all(self, connection: Connection) -> None:
        size = audit_log.size(connection)
        if size <= self._position:
            return  # also when this transaction sees an older state than these galleries have
        audit_log.require_signed(connection, self._signer)  # or leaves that somebody else wrote would be followed
        for event in audit_log.leaves_after(connection, self._position - 1, _FOLLOWED):
            self._follow(connection, event)
            self._position = event.sequence + 1  # so that one that fails is tried again alone
        self._position = size

    def _follow(self, connection: Connection, event: Event) -> None:
        if event.person is None:
            return
        if event.event is EventKind.PERSON_ERASED:
            person = self._people.pop(event.person, None)
            if person is not None:
                for gallery in self._galleries.values():
                    if gallery.remove(person):
                        self._changes[gallery.gallery] += 1
            return
        row = persons.find_by_pseudonym(connection, event.person)
        if row is None or event.gallery is None or event.model != self._model:
            return  # erased since (its own leaf follows), or of another embedder
        added = [
            template
            for template in templates.templates_of(connection, row.person, event.gallery, self._model)
            if template.log_name in event.records
        ]
        self._gallery(event.gallery).add(self._entries((row, template) for template in added))
        self._changes[event.gallery] += 1

    def _fill(self, workers: StartupWorkers, progress: Progress) -> None:
        connection = workers.here.connection
        totals = {
            # Each encounter has one template of an embedder, but for those of a gallery that is on its way to this one.
            row.gallery: galleries.count_encounters(connection, row.gallery)
            for row in galleries.all_galleries(connection)
            if self._model in (row.model, row.moving_to)
        }
        done = dict.fromkeys(totals, 0)
        for gallery, total in totals.items():
            progress(f"Loading gallery {gallery}", 0, total)
        for _, parts in workers.each("opened", pieces(connection)):
            for part in parts:
                if part.gallery in totals:
                    self._add(part)
                    done[part.gallery] += len(part.persons)
                    progress(f"Loading gallery {part.gallery}", done[part.gallery], totals[part.gallery])
        for people in self.galleries():
            people.settle()

    def _add(self, part: OpenedReferences) -> None:
        self._people.update(zip(part.pseudonyms, part.persons, strict=True))
        self._gallery(part.gallery).add_block(part.persons, part.encounters, part.vectors)
        part.vectors[:] = 0

    def _entries(self, stored: Iterator[tuple[PersonRow, ProtectedTemplate]]) -> Iterator[Entry]:
        opened_person: OpenedPerson | None = None
        for row, template in stored:
            # Rows come by person: one key serves all of a person's templates.
            if opened_person is None or opened_person.row != row:
                opened_person = self._stored_persons.open(row)
                self._people[row.pseudonym] = row.person
            yield row.person, template.encounter, reveal(template, opened_person.key, self._envelope)

    def _gallery(self, gallery: GalleryId) -> Gallery:
        if gallery not in self._galleries:
            self._galleries[gallery] = Gallery(gallery, self._model, self._dimension)
        return self._galleries[gallery]
