"""The search of all pairs as a job: done block by block, resumed after a crash, cancelled without a trace of its pairs.

Each block's pairs, sealed, and the note that it is done are one transaction. When all are done, one more makes the
report and drops the pairs. What the search found acts on nobody.
"""

from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from analysis.deduplication import references
from analysis.deduplication.archive import Reports
from analysis.deduplication.found_pairs import FoundPairs
from analysis.deduplication.references import References
from analysis.deduplication.search_outcome import outcome
from analysis.deduplication.search_plan import SearchPlan, plan_search, searched
from idverify.access import Access, Progress
from idverify.audit.events import EventKind, utc_text
from idverify.errors import Conflict, NotFound
from idverify.galleries.definitions import Galleries
from idverify.ids import GalleryId
from idverify.matching import self_join
from idverify.storage import audit_log, duplicates, jobs, reports
from idverify.storage.database import Alongside, Connection, Database
from idverify.storage.jobs import JobItemRow, JobRow, JobState
from idverify.stored.audit_journal import Journal
from idverify.stored.persons import StoredPersons

KIND = "duplicate-search"


class SearchCancelled(Conflict):
    """The search was cancelled while it ran; nothing of it is left."""

    code = "search_cancelled"


@dataclass(frozen=True, slots=True)
class SearchView:
    """How far a search is; `blocks`: 0 until it is known. `report`: the id of what it found, once it is through."""

    search: str
    plan: SearchPlan
    state: JobState
    started_at: str
    blocks_done: int
    blocks: int
    report: str | None


class DuplicateSearches:
    """Plans, starts, runs, shows and cancels searches. `within`: the galleries of the caller; None: all of them."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        galleries: Galleries,
        stored_persons: StoredPersons,
        found_pairs: FoundPairs,
        reports: Reports,
    ) -> None:
        self._database = database
        self._journal = journal
        self._galleries = galleries
        self._stored_persons = stored_persons
        self._found_pairs = found_pairs
        self._reports = reports

    def plan(
        self,
        gallery: GalleryId,
        *,
        against: GalleryId | None = None,
        fmr: float | None = None,
        budget: float | None = None,
        tile_rows: int | None = None,
    ) -> SearchPlan:
        """What a search would do and announce; nothing is started. Raises what `plan_search` does."""
        return plan_search(
            self._database, self._galleries, gallery, against=against, fmr=fmr, budget=budget, tile_rows=tile_rows
        )

    def start(self, plan: SearchPlan, access: Access, alongside: Alongside[str] | None = None) -> str:
        """Store the search as a job, with `alongside` in the same transaction; `run` does it. Returns its id."""
        search, now = str(uuid4()), utc_text(self._journal.now())
        with self._database.write() as connection:
            searched(connection, self._galleries, plan.gallery, plan.against)
            jobs.add(connection, JobRow(search, KIND, plan.as_json(), now, now))
            self._record(connection, EventKind.SEARCH_STARTED, search, plan, access)
            if alongside is not None:
                alongside(connection, search)
        return search

    def run(self, search: str, access: Access, progress: Progress) -> str:
        """Do what is not done yet of a started search and make its report; the report's id.

        Blocks that an earlier run finished are not done again. Raises NotFound, SearchCancelled, SealBroken, and
        Conflict when another process does them at the same time.
        """
        with self._database.read() as connection:
            view = _view(connection, _job(connection, search, None))
            if view.report is not None:
                return view.report
            definition, other = searched(connection, self._galleries, view.plan.gallery, view.plan.against)
            load = partial(references.load, connection, self._stored_persons)
            left = load(definition, view.plan.position, progress)
            right = None if other is None else load(other, view.plan.position, progress)
            done = {int(item) for item in jobs.done_items(connection, search)}
        total = self._count_blocks(search, view.plan, left, right)
        threshold = view.plan.expectation.point.threshold
        joined = self_join.pairs(left, right, threshold, done=done, tile_rows=view.plan.tile_rows)
        for count, block in enumerate(joined, start=len(done) + 1):
            with self._database.write() as connection:
                self._require(connection, search)
                self._found_pairs.keep(connection, search, block, left, right or left)
                jobs.add_item(connection, search, JobItemRow(str(block.number), "done"))
            progress("Comparing", count, total)
        return self._finish(search, view.plan, access, (left, right))

    def cancel(self, search: str, access: Access, *, within: frozenset[GalleryId] | None = None) -> None:
        """Delete the search and all that it found so far. Raises NotFound, Conflict when it is through already."""
        with self._database.write() as connection:
            # The turn before the job, as `run` takes them when it ends: two transactions must not wait for each other.
            audit_log.take_turn(connection)
            view = _view(connection, _job(connection, search, within))
            if view.state is JobState.FINISHED:
                raise Conflict("the search is through, and its report stands")
            jobs.drop(connection, search)
            self._record(connection, EventKind.SEARCH_CANCELLED, search, view.plan, access)
        self._database.scrub()

    def show(self, search: str, *, within: frozenset[GalleryId] | None = None) -> SearchView:
        """Raises NotFound, also for a search of a gallery beyond `within`."""
        with self._database.read() as connection:
            return _view(connection, _job(connection, search, within))

    def list(self, *, within: frozenset[GalleryId] | None = None) -> tuple[SearchView, ...]:
        """Every search, the newest first."""
        with self._database.read() as connection:
            views = (_view(connection, job) for job in jobs.of_kind(connection, KIND))
            return tuple(view for view in views if within is None or view.plan.galleries <= within)

    def _finish(
        self, search: str, plan: SearchPlan, access: Access, sides: tuple[References, References | None]
    ) -> str:
        with self._database.write() as connection:
            # From its turn on nobody is erased before the report is sealed for them too.
            audit_log.take_turn(connection)
            self._require(connection, search)
            found = self._found_pairs.kept(connection, search)
            undecided = self._found_pairs.undecided(connection, found)
            known = len(found) - len(undecided)
            galleries = searched(connection, self._galleries, plan.gallery, plan.against)
            content = outcome(connection, self._stored_persons, plan, galleries, sides, undecided, known)
            report = self._reports.publish(connection, content, access, search=search)
            duplicates.drop_pairs(connection, search)
            jobs.set_state(connection, search, JobState.FINISHED, utc_text(self._journal.now()))
            self._record(connection, EventKind.SEARCH_FINISHED, search, plan, access)
        self._database.scrub()
        return report

    def _count_blocks(self, search: str, plan: SearchPlan, left: References, right: References | None) -> int:
        rows = None if right is None else len(right.owners)
        blocks = self_join.block_count(len(left.owners), rows, tile_rows=plan.tile_rows)
        with self._database.write() as connection:
            jobs.set_parameters(connection, search, {**plan.as_json(), "blocks": blocks})
        return blocks

    def _require(self, connection: Connection, search: str) -> None:
        """The search, held until the transaction ends. Raises SearchCancelled."""
        if jobs.find(connection, search, lock=True) is None:
            raise SearchCancelled("the search was cancelled; nothing of it is left")

    def _record(self, connection: Connection, event: EventKind, search: str, plan: SearchPlan, access: Access) -> None:
        self._journal.record(connection, event, access, gallery=plan.gallery, policy=plan.policy, reason=search)


def _job(connection: Connection, search: str, within: frozenset[GalleryId] | None) -> JobRow:
    job = jobs.find(connection, search)
    if (
        job is None
        or job.kind != KIND
        or (within is not None and not SearchPlan.parse(job.parameters).galleries <= within)
    ):
        raise NotFound(f"no duplicate search {search}")
    return job


def _view(connection: Connection, job: JobRow) -> SearchView:
    return SearchView(
        search=job.job,
        plan=SearchPlan.parse(job.parameters),
        state=job.state,
        started_at=job.created_at,
        blocks_done=jobs.count_items(connection, job.job),
        blocks=job.parameters.get("blocks", 0),
        report=reports.of_search(connection, job.job),
    )
