"""Moves a gallery from one embedder to another: reads every kept photograph again and stores its new template.

The old template stays beside it. Until all are there the gallery belongs to the old embedder. It decrypts no template.

Each encounter is a transaction of its own, and progress is read from the store alone: the next run continues one that
was interrupted at any point.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from uuid import uuid4

from idverify.access import Access, Progress
from idverify.administration.deployment import Deployment
from idverify.audit.events import REMOVED, EventKind
from idverify.errors import InvalidInput
from idverify.ids import EncounterId, GalleryId, PersonId, TemplateId
from idverify.protection.template import protect
from idverify.storage import audit_log, gallery_migration, images, templates
from idverify.storage.database import Connection
from idverify.vision.chosen_face import FaceChoice
from idverify.vision.manifest import ModelSet
from idverify.vision.quality import QualityGate
from idverify.vision.reader import AttackCheck, Reader, Reading, ReadingPolicy

_BATCH = 100
# The photographs were accepted once; here they only must show a face.
_POLICY = replace(
    ReadingPolicy.enrolment(),
    face_choice=FaceChoice.PROMINENT,
    quality=QualityGate.NONE,
    presentation_attack=AttackCheck.OFF,
)


@dataclass(frozen=True, slots=True)
class MigrationRun:
    """What a run came to: encounters that it moved, those whose photograph the new set cannot read, templates of the
    old embedder that it removed. The gallery is `done` when every encounter has moved.
    """

    moved: int
    unreadable: tuple[EncounterId, ...]
    removed: int

    @property
    def done(self) -> bool:
        return not self.unreadable


class Migration:
    """Moves galleries of a deployment to `target`, whose networks `reader` runs."""

    def __init__(self, deployment: Deployment, target: ModelSet, reader: Reader) -> None:
        self._deployment = deployment
        self._database = deployment.database
        self._target = target
        self._reader = reader

    def run(self, gallery: GalleryId, access: Access, progress: Progress) -> MigrationRun:
        """Move the gallery, or go on with it. Services may run meanwhile and enrol more, by the old embedder.

        Raises GalleryNotFound, DemonstrationOnly, OperatingPointMissing, Conflict when it moves elsewhere, InvalidInput
        when photographs of some encounters are not kept.
        """
        with self._database.write() as connection:
            self._require_images(connection, gallery)
            self._deployment.galleries.start_move(connection, gallery, self._target, access)
            left = gallery_migration.count_awaiting(connection, gallery, self._target.embedder_digest)
        moved = 0
        unreadable: list[EncounterId] = []
        while True:
            for encounter, person in self._awaiting(gallery):
                if self._move(gallery, encounter, person, access):
                    moved += 1
                else:
                    unreadable.append(encounter)
                progress(f"Moving gallery {gallery}", moved, max(left, moved))
            if unreadable:
                return MigrationRun(moved, tuple(unreadable), 0)
            if self._finish(gallery, access):
                return MigrationRun(moved, (), self._remove_old(gallery, access))

    def _require_images(self, connection: Connection, gallery: GalleryId) -> None:
        lost = gallery_migration.count_awaiting(connection, gallery, self._target.embedder_digest, without_image=True)
        if lost:
            raise InvalidInput(
                f"gallery {gallery}: of {lost} encounters no photograph is kept, so they cannot be read again; "
                "enrol those people again, into a gallery of the new set"
            )

    def _awaiting(self, gallery: GalleryId) -> Iterator[tuple[EncounterId, PersonId]]:
        last = ""
        while True:
            with self._database.read() as connection:
                model = self._target.embedder_digest
                page = gallery_migration.awaiting(connection, gallery, model, after=last, limit=_BATCH)
            if not page:
                return
            yield from page
            last = page[-1][0]

    def _move(self, gallery: GalleryId, encounter: EncounterId, person: PersonId, access: Access) -> bool:
        """Read the encounter's photograph and store its template; False when no face is found in it."""
        deployment = self._deployment
        with self._database.read() as connection:
            opened_person = deployment.stored_persons.find(connection, person)
            kept = [each for each in images.images_of(connection, person) if each.encounter == encounter]
        if opened_person is None or not kept:
            return True  # erased meanwhile; `_finish` counts what remains
        reading = self._reader.read(self._deployment.stored_persons.photograph(opened_person, kept[0]), _POLICY)
        if not isinstance(reading, Reading):
            return False
        template = protect(
            reading.embedding,
            template=TemplateId(str(uuid4())),
            encounter=encounter,
            key=opened_person.key,
            envelope=deployment.envelope,
        )
        with self._database.write() as connection:
            audit_log.take_turn(connection)
            present = deployment.stored_persons.find(connection, person)
            if present is None or gallery_migration.has_template(connection, encounter, reading.embedding.model):
                return True
            templates.add(connection, template)
            deployment.journal.record(
                connection,
                EventKind.ENCOUNTER_REEMBEDDED,
                access,
                person=present,
                gallery=gallery,
                model=template.model,
                records={template.log_name: template.digest},
            )
        return True

    def _finish(self, gallery: GalleryId, access: Access) -> bool:
        """Hand the gallery over, in one turn of the log with every enrolment; False when somebody came meanwhile."""
        with self._database.write() as connection:
            audit_log.take_turn(connection)
            if gallery_migration.count_awaiting(connection, gallery, self._target.embedder_digest):
                self._require_images(connection, gallery)
                return False
            self._deployment.galleries.finish_move(connection, gallery, access)
        return True

    def _remove_old(self, gallery: GalleryId, access: Access) -> int:
        """Delete the templates that no gallery needs any more: nothing biometric is kept for its own sake."""
        removed = 0
        while True:
            with self._database.write() as connection:
                batch = gallery_migration.remove_unneeded(connection, gallery, limit=_BATCH)
                if not batch:
                    break
                records = {f"templates/{template}": REMOVED for template in batch}
                self._deployment.journal.record(
                    connection, EventKind.TEMPLATES_REMOVED, access, gallery=gallery, records=records
                )
            removed += len(batch)
        self._database.scrub()
        return removed
