"""The payroll check: a roster against itself and against a register, in one report. It keeps nothing but the report."""

from analysis.deduplication import entry_faces, references
from analysis.deduplication.archive import Reports
from analysis.deduplication.expectation import expect
from analysis.deduplication.payroll_outcome import outcome
from analysis.deduplication.roster import Roster
from analysis.deduplication.roster_comparison import compare, count_pairs
from idverify.access import Access, Progress
from idverify.engine import Engine
from idverify.ids import GalleryId
from idverify.storage import audit_log


class PayrollCheck:
    """Checks rosters against one gallery."""

    def __init__(self, engine: Engine, gallery: GalleryId) -> None:
        self._engine = engine
        self._deployment = engine.deployment
        self._gallery = gallery

    def run(
        self,
        roster: Roster,
        access: Access,
        progress: Progress,
        *,
        fmr: float | None = None,
        budget: float | None = None,
    ) -> str:
        """Read every face, compare, and publish the report; its id. The threshold follows as in a search.

        Raises GalleryNotFound, EmbedderMismatch, InvalidInput, DecoderUnavailable, SealBroken.
        """
        with self._engine.database.read() as connection:
            gallery = self._deployment.galleries.find(connection, self._gallery)
            position = audit_log.size(connection)
            enrolled = references.load(connection, self._deployment, gallery, position, progress)
        faces = entry_faces.faces(roster.entries, self._engine.reader, enrolled, progress)
        expectation = expect(gallery.calibration, count_pairs(faces, enrolled), fmr=fmr, budget=budget)
        compared = compare(roster, gallery, position, faces, enrolled, expectation)
        with self._engine.database.write() as connection:
            # From its turn on nobody is erased before the report is sealed for them too.
            audit_log.take_turn(connection)
            made = outcome(connection, self._deployment, compared)
            return Reports(self._deployment).publish(connection, made, access)
