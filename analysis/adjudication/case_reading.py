"""Shows an analyst lists of cases, one case, one face. Each case and face shown is a leaf in its persons' logs.

Lists tell nothing of what others found: a case with one opinion and a case with none look the same.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

from analysis.adjudication.casework import Casework, OpenCase
from analysis.adjudication.reviewer import Reviewer, refuse_deciding, shown_to
from idverify.access import Access
from idverify.audit.events import EventKind
from idverify.errors import NotFound
from idverify.ids import CaseId, GalleryId
from idverify.storage import case_opinions, cases, images
from idverify.storage.cases import AWAITING_OPINION, CaseFilter, CaseRow, CaseState
from idverify.storage.database import Connection, Database
from idverify.storage.images import ImageRow
from idverify.stored.case_evidence import Evidence
from idverify.stored.persons import StoredPersons

PURPOSE = "duplicate-review"
PAGE = 20
NUMBER_CHARACTERS = 8
"""How much of a case's id is on letters and in lists."""


@dataclass(frozen=True, slots=True)
class CaseItem:
    """A line of a list. `state` is "awaiting", "escalated" or "decided"; `reopened`: a person contested it."""

    case: CaseId
    origin: str
    strength: str
    members: int
    galleries: tuple[GalleryId, ...]
    opened_at: str
    state: str
    reopened: bool


@dataclass(frozen=True, slots=True)
class OwnItem:
    """A line of an analyst's own opinions."""

    item: CaseItem
    finding: str
    given_at: str
    decision: str | None


@dataclass(frozen=True, slots=True)
class OpinionView:
    """One opinion in the clear, for those who may see it."""

    analyst: str
    round: int
    lead: bool
    finding: str
    given_at: str
    note: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ContestView:
    """What a person said against the decision of a round."""

    round: int
    recorded_by: str
    recorded_at: str
    statement: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CaseView:
    """One case as this analyst may see it; `evidence` None: somebody in it was erased. `faces`: places with a picture.

    `finding`, `decided_by` and `decided_at` are of the decision that holds, if there is one.
    """

    item: CaseItem
    evidence: Evidence | None = field(repr=False)
    faces: frozenset[int]
    opinions: tuple[OpinionView, ...]
    contests: tuple[ContestView, ...]
    may_decide: bool
    finding: str | None
    decided_by: str | None
    decided_at: str | None


@dataclass(frozen=True, slots=True)
class ShownPhotograph:
    """A kept photograph in the clear; it is shown once and kept nowhere."""

    media_type: str
    content: bytes = field(repr=False)


class CaseReading:
    """Shows cases and faces to analysts."""

    def __init__(self, database: Database, stored_persons: StoredPersons, casework: Casework) -> None:
        self._database = database
        self._stored_persons = stored_persons
        self._casework = casework

    def queue(self, reviewer: Reviewer, asked: CaseFilter, page: int) -> tuple[list[CaseItem], bool]:
        """Page `page` (from 0) of the cases that this analyst may give an opinion on, and whether more follow."""
        return self._awaiting(AWAITING_OPINION, reviewer, asked, page)

    def escalations(self, reviewer: Reviewer, page: int) -> tuple[list[CaseItem], bool]:
        """Page `page` of the cases that wait for this lead analyst, and whether more follow."""
        return self._awaiting((CaseState.ESCALATED,), reviewer, CaseFilter(), page)

    def own(self, reviewer: Reviewer, page: int) -> tuple[list[OwnItem], bool]:
        """What this analyst said, the newest first, and whether more follows; the decision where there is one."""
        with self._database.read() as connection:
            said = case_opinions.opinions_by(connection, reviewer.name, limit=PAGE + 1, offset=page * PAGE)
            rows = [(opinion, cases.get(connection, opinion.case)) for opinion in said[:PAGE]]
        items = [OwnItem(_item(row), one.finding, one.given_at, row.finding) for one, row in rows]
        return items, len(said) > PAGE

    def find(self, number: str, reviewer: Reviewer) -> CaseId:
        """The case whose id begins with this number, as letters give it. Raises NotFound, also for several."""
        with self._database.read() as connection:
            found = cases.named(connection, number, reviewer.galleries) if len(number) >= NUMBER_CHARACTERS else []
        if len(found) != 1:
            raise NotFound("no case of that number in your galleries")
        return found[0]

    def case(self, case: CaseId, reviewer: Reviewer, access: Access) -> CaseView:
        """One case; each person in it gets a leaf. Raises NotFound, NotPermitted."""

        def act(connection: Connection, opened: OpenCase) -> CaseView:
            for opened_person in opened.opened_persons:
                self._casework.record(connection, EventKind.CASE_READ, opened, access, opened_person)
            return self._view(connection, opened, reviewer)

        return self._casework.with_case(case, reviewer, access, act)

    def face(self, case: CaseId, place: int, reviewer: Reviewer, access: Access) -> ShownPhotograph:
        """The photograph of the member at `place`; its person gets a leaf. Raises NotFound, NotPermitted."""

        def act(connection: Connection, opened: OpenCase) -> ShownPhotograph:
            image = self._images(connection, opened).get(place)
            opened_person = next(
                (one for one in opened.opened_persons if image and one.row.person == image.person), None
            )
            if image is None or opened_person is None:
                raise NotFound("no photograph is kept of this record")
            content = self._stored_persons.photograph(opened_person, image)
            self._casework.record(connection, EventKind.FACE_VIEWED, opened, access, opened_person)
            return ShownPhotograph(image.media_type, content)

        return self._casework.with_case(case, reviewer, access, act)

    def _awaiting(
        self, states: Collection[CaseState], reviewer: Reviewer, asked: CaseFilter, page: int
    ) -> tuple[list[CaseItem], bool]:
        within, limit, offset = reviewer.galleries, PAGE + 1, page * PAGE
        with self._database.read() as connection:
            rows = cases.awaiting(connection, states, reviewer.name, within, asked, limit=limit, offset=offset)
        return [_item(row) for row in rows[:PAGE]], len(rows) > PAGE

    def _view(self, connection: Connection, opened: OpenCase, reviewer: Reviewer) -> CaseView:
        row, intact = opened.row, opened.evidence is not None
        shown = shown_to(row, opened.opinions, reviewer) if intact else []
        contests = case_opinions.contests_of(connection, row.case) if intact else []
        text = self._casework.text
        return CaseView(
            item=_item(row),
            evidence=opened.evidence,
            faces=frozenset(self._images(connection, opened)),
            opinions=tuple(
                OpinionView(
                    one.analyst,
                    one.round,
                    one.lead,
                    one.finding,
                    one.given_at,
                    text(connection, opened, one.note, "note", one.analyst),
                )
                for one in shown
            ),
            contests=tuple(
                ContestView(
                    one.round,
                    one.recorded_by,
                    one.recorded_at,
                    text(connection, opened, one.statement, "contest", str(one.round)),
                )
                for one in contests
            ),
            may_decide=intact and refuse_deciding(row, opened.opinions, reviewer) is None,
            finding=row.finding,
            decided_by=row.decided_by,
            decided_at=row.decided_at,
        )

    def _images(self, connection: Connection, opened: OpenCase) -> dict[int, ImageRow]:
        """The kept photograph of each place that has one."""
        if opened.evidence is None:
            return {}
        found: dict[int, ImageRow] = {}
        for member in opened.members:
            if member.person is not None:
                for image in images.images_of(connection, member.person):
                    if image.encounter == member.encounter:
                        found[member.place] = image
        return found


def _item(row: CaseRow) -> CaseItem:
    return CaseItem(
        case=row.case,
        origin=row.origin,
        strength=row.strength,
        members=row.members,
        galleries=row.galleries,
        opened_at=row.opened_at,
        state="awaiting" if row.state in AWAITING_OPINION else str(row.state),
        reopened=row.round > 1 and row.state is not CaseState.DECIDED,
    )
