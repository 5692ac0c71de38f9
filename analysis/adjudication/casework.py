"""Adjudication: opens a case to those who may see it, takes their opinions and persons' contests; all is audited.

No case acts on anybody by itself. What an opinion leads to is worked out by `findings`, who may do what by `reviewer`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from analysis.adjudication.findings import KEPT_APART, WITH_EFFECT, Finding, Opinion, settle
from analysis.adjudication.reviewer import Reviewer, ReviewRefusal, refuse_deciding, refuse_reading, refuse_scope
from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.encounters.register import Encounters
from idverify.errors import Conflict, InvalidInput
from idverify.ids import CaseId, EncounterId
from idverify.storage import case_opinions as opinions
from idverify.storage import cases, duplicates
from idverify.storage.case_opinions import ContestRow, OpinionRow
from idverify.storage.cases import CaseMemberRow, CaseRow, CaseState
from idverify.storage.database import Connection, Database
from idverify.storage.encounters import Review
from idverify.stored.audit_journal import Journal
from idverify.stored.case_evidence import CaseOrigin, Evidence
from idverify.stored.cases import StoredCases
from idverify.stored.persons import OpenedPerson

NOTE_MAX_CHARACTERS = 4000
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case as read in one transaction. `evidence` None: somebody in it was erased, and it is over."""

    row: CaseRow
    members: tuple[CaseMemberRow, ...]
    opened_persons: tuple[OpenedPerson, ...]
    evidence: Evidence | None
    opinions: tuple[OpinionRow, ...]

    def of_round(self) -> list[Opinion]:
        """The opinions of the round that runs."""
        return [
            Opinion(one.analyst, Finding(one.finding), one.lead) for one in self.opinions if one.round == self.row.round
        ]


class Casework:
    """Takes what analysts do with cases; every act is a leaf."""

    def __init__(self, database: Database, journal: Journal, stored_cases: StoredCases, encounters: Encounters) -> None:
        self._database = database
        self._journal = journal
        self._stored_cases = stored_cases
        self._encounters = encounters

    def with_case(
        self,
        case: CaseId,
        reviewer: Reviewer,
        access: Access,
        act: Callable[[Connection, OpenCase], Result],
        *,
        refuse: Callable[[OpenCase], ReviewRefusal | None] = lambda _: None,
        shown: bool = True,
    ) -> Result:
        """Do `act` with a case that the reviewer may read, in one transaction; what is refused is audited and raised.

        `shown` False: nothing of the case is shown to the reviewer, so that only its galleries count.
        Raises NotFound, NotPermitted, Conflict and what `act` raises.
        """
        with self._database.write() as connection:
            opened = self._open(connection, cases.get(connection, case, lock=True))
            refusal = refuse_scope(opened.row, reviewer)
            if refusal is None and shown and opened.evidence is not None:
                refusal = refuse_reading(opened.row, opened.evidence, opened.opinions, reviewer)
            refusal = refusal or refuse(opened)
            if refusal is None:
                result = act(connection, opened)
            else:
                self._stored_cases.record(connection, EventKind.CASE_REFUSED, opened.row, access, reason=refusal.reason)
        if refusal is not None:
            raise refusal.error  # after the commit: the attempt is recorded
        return result

    def give_opinion(self, case: CaseId, reviewer: Reviewer, finding: Finding, note: str, access: Access) -> CaseState:
        """Take an opinion and let follow what follows; returns how far the case is now.

        Raises NotFound, NotPermitted, Conflict, and InvalidInput for a note longer than NOTE_MAX_CHARACTERS.
        """
        if len(note) > NOTE_MAX_CHARACTERS:
            raise InvalidInput(f"note: expected at most {NOTE_MAX_CHARACTERS} characters, got {len(note)}")

        def act(connection: Connection, opened: OpenCase) -> CaseState:
            row = opened.row
            opinion = OpinionRow(
                case=row.case,
                analyst=reviewer.name,
                round=row.round,
                lead=row.state is CaseState.ESCALATED,
                finding=finding,
                given_at=utc_text(self._journal.now()),
                note=self._stored_cases.seal_text(row.case, opened.opened_persons, note, "note", reviewer.name),
            )
            opinions.add(connection, opinion)
            round_state = settle([*opened.of_round(), Opinion(reviewer.name, finding, opinion.lead)])
            decided = round_state.state is CaseState.DECIDED
            changed = cases.change(
                connection,
                row,
                round_=row.round,
                state=round_state.state,
                finding=round_state.finding,
                decided_by=round_state.decided_by,
                decided_at=opinion.given_at if decided else None,
            )
            records = {opinion.log_name: opinion.digest, changed.log_name: changed.digest}
            # Who, when and that; not what: the digest commits to the finding and the log does not tell it to anybody.
            self._stored_cases.record(connection, EventKind.CASE_OPINION, row, access, records=records)
            if round_state.finding is not None:
                self._conclude(connection, opened, round_state.finding, access)
            return round_state.state

        def refuse(opened: OpenCase) -> ReviewRefusal | None:
            return refuse_erased(opened) or refuse_deciding(opened.row, opened.opinions, reviewer)

        return self.with_case(case, reviewer, access, act, refuse=refuse)

    def contest(self, case: CaseId, reviewer: Reviewer, place: int, statement: str, access: Access) -> None:
        """Write down that the person at `place` contests the decision: the case goes to other analysts.

        Raises NotFound, NotPermitted, Conflict, InvalidInput.
        """
        if not 0 < len(statement.strip()) <= NOTE_MAX_CHARACTERS:
            raise InvalidInput(f"statement: expected 1 to {NOTE_MAX_CHARACTERS} characters, got {len(statement)}")

        def act(connection: Connection, opened: OpenCase) -> None:
            row = opened.row
            member = next((one for one in opened.members if one.place == place and one.person), None)
            opened_person = next(
                (one for one in opened.opened_persons if member and one.row.person == member.person), None
            )
            if opened_person is None:
                raise InvalidInput("person: expected one of those in the case")
            contest = ContestRow(
                case=row.case,
                round=row.round,
                recorded_by=reviewer.name,
                recorded_at=utc_text(self._journal.now()),
                statement=self._stored_cases.seal_text(
                    row.case, opened.opened_persons, statement.strip(), "contest", str(row.round)
                ),
            )
            opinions.add_contest(connection, contest)
            changed = cases.change(connection, row, round_=row.round + 1, state=CaseState.OPEN)
            records = {contest.log_name: contest.digest, changed.log_name: changed.digest}
            self._stored_cases.record(connection, EventKind.CASE_CONTESTED, row, access, records=records)
            self._stored_cases.record(connection, EventKind.CASE_CONTESTED, row, access, person=opened_person)
            for pair in self._stored_cases.pair_names(opened.opened_persons):
                duplicates.withdraw_decision(connection, pair)
            self._review(connection, opened, Review.PENDING, access)

        def refuse(opened: OpenCase) -> ReviewRefusal | None:
            if opened.row.state is CaseState.DECIDED:
                return refuse_erased(opened)
            return ReviewRefusal("undecided", Conflict("only a decided case can be contested"))

        self.with_case(case, reviewer, access, act, refuse=refuse)

    def text(self, connection: Connection, opened: OpenCase, sealed: bytes, *part: str) -> str:
        """A note or statement of the case in the clear: ("note", analyst) or ("contest", round). Raises SealBroken."""
        return self._stored_cases.text(connection, opened.row.case, opened.opened_persons, sealed, *part)

    def record(
        self,
        connection: Connection,
        event: EventKind,
        opened: OpenCase,
        access: Access,
        person: OpenedPerson | None = None,
    ) -> int:
        """Append a leaf about this case, or about one of its persons, and return its position."""
        return self._stored_cases.record(connection, event, opened.row, access, person=person)

    def _conclude(self, connection: Connection, opened: OpenCase, finding: Finding, access: Access) -> None:
        """What a decision changes here: the mark of the encounter, and what searches leave out. Nobody's rights."""
        if finding in KEPT_APART:
            for pair in self._stored_cases.pair_names(opened.opened_persons):
                duplicates.decide_pair(connection, pair, finding, utc_text(self._journal.now()))
        for opened_person in opened.opened_persons:
            self._stored_cases.record(
                connection, EventKind.CASE_DECIDED, opened.row, access, person=opened_person, reason=finding
            )
        review = Review.CONFIRMED if finding in WITH_EFFECT else Review.CLEARED
        self._review(connection, opened, review, access)

    def _review(self, connection: Connection, opened: OpenCase, review: Review, access: Access) -> None:
        if opened.row.origin == CaseOrigin.ENROLMENT:
            self._encounters.mark(connection, EncounterId(opened.row.source), review, access)

    def _open(self, connection: Connection, row: CaseRow) -> OpenCase:
        members = tuple(cases.members_of(connection, row.case))
        said = tuple(opinions.opinions_of(connection, row.case))
        if len(members) < row.members:
            return OpenCase(row, members, (), None, said)
        opened_persons = self._stored_cases.persons(connection, members)
        evidence = self._stored_cases.evidence(connection, row, opened_persons)
        return OpenCase(row, members, opened_persons, evidence, said)


def refuse_erased(opened: OpenCase) -> ReviewRefusal | None:
    """Why nothing is done with a case whose evidence went with the erasure of a person in it."""
    if opened.evidence is not None:
        return None
    return ReviewRefusal(
        "erased", Conflict("a person of this case was erased, and what was held against them with them")
    )
