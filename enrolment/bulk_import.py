"""Imports a folder or a list of photographs: each becomes one encounter, or is noted as refused or failed.

Running it again on the same source enrols no photograph twice.
"""

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from enrolment.enroller import Enroller, EnrolmentOutcome, EnrolmentRequest, EnrolmentResult
from enrolment.import_sources import Entry, read_source
from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.errors import ImageTooLarge, InvalidInput
from idverify.galleries.definitions import Galleries
from idverify.ids import GalleryId, PersonId, person_id
from idverify.storage import jobs
from idverify.storage.database import Connection, Database
from idverify.storage.jobs import JobItemRow, JobRow, JobState
from idverify.stored.audit_journal import Journal
from idverify.vision.image import ImageLimits

KIND = "import"
FAILED = "failed"
NOT_DONE = frozenset({EnrolmentOutcome.REFUSED.value, FAILED})
WORKERS = 2
LARGEST_BYTES = ImageLimits().max_bytes


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """How many photographs had which outcome, over all runs of this import; `skipped` were done by an earlier run."""

    total: int
    skipped: int
    outcomes: dict[tuple[str, str | None], int]

    def count(self, outcome: str) -> int:
        return sum(number for (each, _), number in self.outcomes.items() if each == outcome)


class BulkImport:
    """Imports one source into one gallery; each photograph and the note that it is done are one transaction."""

    def __init__(
        self,
        database: Database,
        galleries: Galleries,
        journal: Journal,
        enroller: Enroller,
        *,
        gallery: GalleryId,
        source: Path,
        access: Access,
    ) -> None:
        """`source`: a folder or a CSV file, as `import_sources` reads them."""
        self._database = database
        self._galleries = galleries
        self._journal = journal
        self._enroller = enroller
        self._gallery = gallery
        self._source = source.resolve()
        self._access = access
        self._job = hashlib.sha256(f"{gallery}\n{self._source}".encode()).hexdigest()[:32]
        self._claimed: set[str] = set()
        self._lock = threading.Lock()

    def run(self, progress: Callable[[str, int, int], None]) -> ImportSummary:
        """Import what no earlier run imported; what was refused or failed before is tried again.

        Raises InvalidInput for an unusable source, GalleryNotFound, and whatever stops the service as a whole.
        """
        with self._database.read() as connection:
            self._galleries.find(connection, self._gallery)
        entries = read_source(self._source)
        self._begin()
        skipped = 0
        pool = ThreadPoolExecutor(WORKERS)
        try:
            for number, imported in enumerate(pool.map(self._import, entries), start=1):
                skipped += not imported
                progress("Importing photographs", number, len(entries))
        finally:
            pool.shutdown(cancel_futures=True)
        return self._finish(len(entries), skipped)

    def refused(self) -> Iterator[JobItemRow]:
        """Every photograph that did not become an encounter; `detail` says where in the source it is and what to do."""
        with self._database.read() as connection:
            for item in jobs.items(connection, self._job):
                if item.outcome in NOT_DONE:
                    yield item

    def _begin(self) -> None:
        now = utc_text(self._journal.now())
        parameters = {"gallery": self._gallery, "source": str(self._source)}
        with self._database.write() as connection:
            if jobs.find(connection, self._job) is None:
                jobs.add(connection, JobRow(self._job, KIND, parameters, now, now))
            jobs.set_state(connection, self._job, JobState.RUNNING, now)
            jobs.forget_items(connection, self._job, NOT_DONE)
            self._claimed = jobs.done_items(connection, self._job)
            self._journal.record(connection, EventKind.IMPORT_STARTED, self._access, gallery=self._gallery)

    def _finish(self, total: int, skipped: int) -> ImportSummary:
        with self._database.write() as connection:
            jobs.set_state(connection, self._job, JobState.FINISHED, utc_text(self._journal.now()))
            self._journal.record(connection, EventKind.IMPORT_FINISHED, self._access, gallery=self._gallery)
            return ImportSummary(total, skipped, jobs.outcomes(connection, self._job))

    def _import(self, entry: Entry) -> bool:
        """Imports one photograph; False when it was done before."""
        item, person = f"{entry.place}: {entry.person}", None
        try:
            person = person_id(entry.person)
            photograph = _photograph(entry.photograph)
            item = f"{person}: sha256 {hashlib.sha256(photograph).hexdigest()}"
            if not self._claim(item):
                return False
            self._enrol(entry, item, person, photograph)
        except (InvalidInput, OSError) as error:
            self._note_failure(entry, item, person, error)
        return True

    def _claim(self, item: str) -> bool:
        with self._lock:
            fresh = item not in self._claimed
            self._claimed.add(item)
            return fresh

    def _enrol(self, entry: Entry, item: str, person: PersonId, photograph: bytes) -> None:
        def note(connection: Connection, answer: EnrolmentResult) -> None:
            advice = " ".join(one.text for one in answer.advice)
            row = JobItemRow(item, answer.outcome, answer.reason, f"{entry.place}\t{advice}", person)
            jobs.add_item(connection, self._job, row)

        self._enroller.enrol(
            EnrolmentRequest(person, self._gallery, [photograph], self._access, source=KIND), alongside=note
        )

    def _note_failure(self, entry: Entry, item: str, person: PersonId | None, error: InvalidInput | OSError) -> None:
        code = error.code if isinstance(error, InvalidInput) else "file_unreadable"
        told = str(error) if isinstance(error, InvalidInput) else f"{entry.photograph.name}: {error.strerror}"
        with self._database.write() as connection:
            jobs.add_item(connection, self._job, JobItemRow(item, FAILED, code, f"{entry.place}\t{told}", person))


def _photograph(path: Path) -> bytes:
    """The file's bytes. Raises OSError, InvalidInput for what is no file's name, ImageTooLarge before it is read."""
    if "\0" in str(path):
        raise InvalidInput("photograph: expected a file's name, got one with a zero byte in it")
    size = path.stat().st_size
    if size > LARGEST_BYTES:
        raise ImageTooLarge(f"photograph: at most {LARGEST_BYTES} bytes, the file has {size}")
    return path.read_bytes()
