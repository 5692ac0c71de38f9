"""The galleries in memory: a cache of the store, checked against the audit log when it loads, caught up ever after.

Every process sees what any process enrolled or erased, because each search first reads the leaves that were written
since the last one. Embeddings in the clear live here, in memory only.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import islice

from idverify.audit.checkpoint import VerifierKey
from idverify.audit.events import Event, EventKind
from idverify.errors import GalleryLoading, RecordRolledBack
from idverify.ids import GalleryId, ModelDigest, PersonId, Pseudonym
from idverify.matching.gallery import Entry, Gallery
from idverify.protection.envelope import Envelope
from idverify.protection.template import ProtectedTemplate, reveal
from idverify.storage import audit_log, audit_verification, galleries, persons, record_check, templates
from idverify.storage.database import Connection, Database
from idverify.storage.persons import PersonRow
from idverify.subjects import Subject, Subjects

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many items of it are done and how many there are."""

_BATCH = 1_000
_NAMED = 10
_FOLLOWED = (EventKind.ENCOUNTER_ENROLLED, EventKind.ENCOUNTER_REEMBEDDED, EventKind.PERSON_ERASED)


class Shelf:
    """All galleries of one embedder, ready to search."""

    def __init__(
        self,
        database: Database,
        envelope: Envelope,
        subjects: Subjects,
        verifier: VerifierKey,
        model: ModelDigest,
        dimension: int,
    ) -> None:
        self._database = database
        self._envelope = envelope
        self._subjects = subjects
        self._verifier = verifier
        self._model = model
        self._dimension = dimension
        self._galleries: dict[GalleryId, Gallery] = {}
        self._people: dict[Pseudonym, PersonId] = {}
        self._position = 0
        self._loaded = False
        self._lock = threading.Lock()

    @property
    def loaded(self) -> bool:
        return self._loaded

    def load(self, progress: Progress) -> None:
        """Rebuild every gallery from the store.

        Raises AuditBroken when the log does not verify, RecordRolledBack naming the records that are not as the log
        last saw them, SealBroken for one that does not open.
        """
        with self._database.read() as connection:
            # 1. The log itself, since everything below believes it.
            audit_verification.verify(
                connection,
                self._verifier,
                progress=lambda done, total: progress("Verifying the audit log", done, total),
            )
            # 2. Every stored record is the one that the log saw last.
            _refuse_discrepancies(connection)
            # 3. Only then are templates opened.
            for row in galleries.all_galleries(connection):
                if self._model in (row.model, row.moving_to):
                    self._fill(connection, row.gallery, progress)
            self._position = audit_log.size(connection)
        self._loaded = True

    def caught_up(self, connection: Connection, gallery: GalleryId) -> Gallery:
        """The gallery as of all committed enrolments and erasures; call it before you append to the log yourself.

        Raises GalleryLoading before `load` is through.
        """
        self.catch_up(connection)
        return self._gallery(gallery)

    def catch_up(self, connection: Connection) -> None:
        """Follow the log from where the shelf stands. Raises GalleryLoading."""
        if not self._loaded:
            raise GalleryLoading("the galleries are still being loaded; try again in a moment")
        with self._lock:
            size = audit_log.size(connection)
            if size <= self._position:
                return  # also when this transaction sees an older state than the shelf has
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
                    gallery.remove(person)
            return
        row = persons.find_by_pseudonym(connection, event.person)
        if row is None or event.gallery is None or event.model != self._model:
            return  # erased since (its own leaf follows), or not for this shelf
        added = [
            template
            for template in templates.templates_of(connection, row.person, event.gallery, self._model)
            if template.record in event.records
        ]
        self._gallery(event.gallery).add(self._entries((row, template) for template in added))

    def _fill(self, connection: Connection, gallery: GalleryId, progress: Progress) -> None:
        total = galleries.counts(connection, gallery).templates
        stored = templates.templates_in_gallery(connection, gallery, model=self._model, batch=_BATCH)
        done = 0
        progress(f"Loading gallery {gallery}", done, total)
        while batch := list(islice(stored, _BATCH)):
            self._gallery(gallery).add(self._entries(iter(batch)))
            done += len(batch)
            progress(f"Loading gallery {gallery}", done, total)

    def _entries(self, stored: Iterator[tuple[PersonRow, ProtectedTemplate]]) -> Iterator[Entry]:
        subject: Subject | None = None
        for row, template in stored:
            if subject is None or subject.row != row:  # rows come by person: one key serves all of a person's templates
                subject = self._subjects.open(row)
                self._people[row.pseudonym] = row.person
            yield row.person, template.encounter, reveal(template, subject.key, self._envelope)

    def _gallery(self, gallery: GalleryId) -> Gallery:
        return self._galleries.setdefault(gallery, Gallery(gallery, self._model, self._dimension))


def _refuse_discrepancies(connection: Connection) -> None:
    by_fault: defaultdict[str, list[str]] = defaultdict(list)
    for found in record_check.discrepancies(connection):
        by_fault[found.fault].append(found.record)
    if by_fault:
        named = "; ".join(
            f"{fault}: {', '.join(records[:_NAMED])}{f' and {len(records) - _NAMED} more' * (len(records) > _NAMED)}"
            for fault, records in sorted(by_fault.items())
        )
        raise RecordRolledBack(
            f"stored records are not as the audit log last saw them ({named}); "
            "restore them from a backup that `idverify audit verify` accepts"
        )
