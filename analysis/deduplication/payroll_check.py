"""Checks a payroll roster against itself and against a register, in one report. It keeps nothing but the report."""

from analysis.deduplication import entry_faces, references
from analysis.deduplication.archive import Reports
from analysis.deduplication.payroll_outcome import outcome
from analysis.deduplication.roster import Roster
from analysis.deduplication.roster_comparison import compare
from idverify.access import Access, Progress
from idverify.galleries.definitions import Galleries
from idverify.ids import GalleryId
from idverify.storage import audit_log
from idverify.storage.database import Database
from idverify.stored.joint_sealing import JointSealing
from idverify.stored.persons import StoredPersons
from idverify.vision.reader import PhotographReader


class PayrollCheck:
    """Checks rosters against a gallery."""

    def __init__(
        self,
        database: Database,
        galleries: Galleries,
        stored_persons: StoredPersons,
        joint_sealing: JointSealing,
        reader: PhotographReader,
        reports: Reports,
    ) -> None:
        """`reader` reads the roster's photographs; it runs the embedder that the galleries belong to."""
        self._database = database
        self._galleries = galleries
        self._stored_persons = stored_persons
        self._joint_sealing = joint_sealing
        self._reader = reader
        self._reports = reports

    def run(
        self,
        roster: Roster,
        gallery: GalleryId,
        access: Access,
        progress: Progress,
        *,
        fmr: float | None = None,
        budget: float | None = None,
    ) -> str:
        """Read every face, compare, and publish the report; its id. The threshold follows as in a search.

        Raises GalleryNotFound, EmbedderMismatch, InvalidInput, DecoderUnavailable, SealBroken.
        """
        with self._database.read() as connection:
            definition = self._galleries.find(connection, gallery)
            position = audit_log.size(connection)
            enrolled = references.load(connection, self._stored_persons, definition, position, progress)
        faces = entry_faces.faces(roster.entries, self._reader, enrolled, progress)
        compared = compare(roster, definition, position, faces, enrolled, fmr=fmr, budget=budget)
        with self._database.write() as connection:
            # From its turn on nobody is erased before the report is sealed for them too.
            audit_log.take_turn(connection)
            content = outcome(connection, self._stored_persons, self._joint_sealing, compared)
            return self._reports.publish(connection, content, access)
