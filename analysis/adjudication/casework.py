"""The desk: opens cases, hands one to whoever may see it, takes opinions and contests; all of it is audited.

No case acts on anybody by itself. What an opinion leads to is worked out by `findings`, who may do what by `reviewer`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from typing import TypeVar
from uuid import uuid4

from analysis.adjudication.evidence import CaseOrigin, CaseProposal, Evidence
from analysis.adjudication.findings import KEPT_APART, WITH_EFFECT, Finding, Opinion, settle
from analysis.adjudication.reviewer import Reviewer, ReviewRefusal, refuse_deciding, refuse_reading, refuse_scope
from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.engine import Engine
from idverify.errors import Conflict, InvalidInput
from idverify.ids import CaseId, EncounterId
from idverify.storage import case_opinions as opinions
from idverify.storage import cases, duplicates
from idverify.storage.case_opinions import ContestRow, OpinionRow
from idverify.storage.cases import CaseRow, CaseState, MemberRow
from idverify.storage.database import Connection
from idverify.storage.encounters import Review
from idverify.stored.persons import OpenedPerson

NOTE_MAX_CHARACTERS = 4000
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case in the hands of its transaction. `evidence` None: somebody in it was erased, and it is over."""

    row: CaseRow
    members: tuple[MemberRow, ...]
    opened_persons: tuple[OpenedPerson, ...]
    evidence: Evidence | None
    opinions: tuple[OpinionRow, ...]

    def of_round(self) -> list[Opinion]:
        """The opinions of the round that runs."""
        return [
            Opinion(one.analyst, Finding(one.finding), one.lead) for one in self.opinions if one.round == self.row.round
        ]


class Casework:
    """Cases and what analysts do with them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._joint_sealing = engine.deployment.joint_sealing

    def open(self, connection: Connection, proposal: CaseProposal, access: Access) -> CaseId:
        """Open a case in the caller's transaction. Raises Conflict (at its end) when it was opened before."""
        case = CaseId(str(uuid4()))
        members = tuple(
            MemberRow(case, place, member.person, member.encounter if member.person else None)
            for place, member in enumerate(proposal.evidence.members)
        )
        opened_persons = self._opened_persons(connection, members)
        record = _part(case, "evidence")
        row = CaseRow(
            case=case,
            origin=proposal.origin,
            source=proposal.source,
            strength=proposal.evidence.strength,
            members=len(members),
            galleries=tuple(sorted(proposal.galleries)),
            opened_at=utc_text(self._engine.journal.now()),
            evidence=self._joint_sealing.seal(opened_persons, proposal.evidence.as_json(), "cases", record),
        )
        cases.add(connection, row, members)
        nobodys = {member.log_name: member.digest for member in members if member.person is None}
        self.record(connection, EventKind.CASE_OPENED, row, access, records={row.log_name: row.digest, **nobodys})
        for opened_person in opened_persons:
            own = {one.log_name: one.digest for one in members if one.person == opened_person.row.person}
            self.record(connection, EventKind.CASE_OPENED, row, access, person=opened_person, records=own)
        return case

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
        with self._engine.database.write() as connection:
            opened = self._open(connection, cases.get(connection, case, lock=True))
            refusal = refuse_scope(opened.row, reviewer)
            if refusal is None and shown and opened.evidence is not None:
                refusal = refuse_reading(opened.row, opened.evidence, opened.opinions, reviewer)
            refusal = refusal or refuse(opened)
            if refusal is None:
                result = act(connection, opened)
            else:
                self.record(connection, EventKind.CASE_REFUSED, opened.row, access, reason=refusal.reason)
        if refusal is not None:
            raise refusal.error  # after the commit: the attempt is on record
        return result

    def give(self, case: CaseId, reviewer: Reviewer, finding: Finding, note: str, access: Access) -> CaseState:
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
                given_at=utc_text(self._engine.journal.now()),
                note=self._seal(opened, _part(row.case, "note", reviewer.name), note),
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
            self.record(connection, EventKind.CASE_OPINION, row, access, records=records)
            if round_state.finding is not None:
                self._conclude(connection, opened, round_state.finding, access)
            return round_state.state

        def refuse(opened: OpenCase) -> ReviewRefusal | None:
            return _erased(opened) or refuse_deciding(opened.row, opened.opinions, reviewer)

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
                recorded_at=utc_text(self._engine.journal.now()),
                statement=self._seal(opened, _part(row.case, "contest", str(row.round)), statement.strip()),
            )
            opinions.add_contest(connection, contest)
            changed = cases.change(connection, row, round_=row.round + 1, state=CaseState.OPEN)
            records = {contest.log_name: contest.digest, changed.log_name: changed.digest}
            self.record(connection, EventKind.CASE_CONTESTED, row, access, records=records)
            self.record(connection, EventKind.CASE_CONTESTED, row, access, person=opened_person)
            for pair in self._pairs(opened):
                duplicates.withdraw_decision(connection, pair)
            self._review(connection, opened, Review.PENDING, access)

        def refuse(opened: OpenCase) -> ReviewRefusal | None:
            if opened.row.state is CaseState.DECIDED:
                return _erased(opened)
            return ReviewRefusal("undecided", Conflict("only a decided case can be contested"))

        self.with_case(case, reviewer, access, act, refuse=refuse)

    def text(self, connection: Connection, opened: OpenCase, sealed: bytes, *part: str) -> str:
        """A note or statement of the case in the clear: ("note", analyst) or ("contest", round). Raises SealBroken."""
        plain = self._joint_sealing.open(connection, _first(opened), sealed, "cases", _part(opened.row.case, *part))
        return "" if plain is None else plain.decode()

    def _conclude(self, connection: Connection, opened: OpenCase, finding: Finding, access: Access) -> None:
        """What a decision changes here: the mark of the encounter, and what searches leave out. Nobody's rights."""
        if finding in KEPT_APART:
            for pair in self._pairs(opened):
                duplicates.decide_pair(connection, pair, finding, utc_text(self._engine.journal.now()))
        for opened_person in opened.opened_persons:
            self.record(connection, EventKind.CASE_DECIDED, opened.row, access, person=opened_person, reason=finding)
        review = Review.CONFIRMED if finding in WITH_EFFECT else Review.CLEARED
        self._review(connection, opened, review, access)

    def _review(self, connection: Connection, opened: OpenCase, review: Review, access: Access) -> None:
        if opened.row.origin == CaseOrigin.ENROLMENT:
            self._engine.encounters.mark(connection, EncounterId(opened.row.source), review, access)

    def _pairs(self, opened: OpenCase) -> Iterator[bytes]:
        for one, other in combinations(opened.opened_persons, 2):
            yield self._joint_sealing.pair(one.row.pseudonym, other.row.pseudonym)

    def _open(self, connection: Connection, row: CaseRow) -> OpenCase:
        members = tuple(cases.members_of(connection, row.case))
        said = tuple(opinions.opinions_of(connection, row.case))
        if len(members) < row.members:
            return OpenCase(row, members, (), None, said)
        opened = OpenCase(row, members, self._opened_persons(connection, members), None, said)
        plain = self._joint_sealing.open(connection, _first(opened), row.evidence, "cases", _part(row.case, "evidence"))
        return replace(opened, evidence=None if plain is None else Evidence.parse(plain))

    def _seal(self, opened: OpenCase, record: str, text: str) -> bytes:
        return self._joint_sealing.seal(opened.opened_persons, text.encode(), "cases", record)

    def _opened_persons(self, connection: Connection, members: tuple[MemberRow, ...]) -> tuple[OpenedPerson, ...]:
        """Each person of the case once, in the order of the members."""
        people = dict.fromkeys(member.person for member in members if member.person is not None)
        found = (self._engine.stored_persons.find(connection, person) for person in people)
        return tuple(opened_person for opened_person in found if opened_person is not None)

    def record(
        self,
        connection: Connection,
        event: EventKind,
        row: CaseRow,
        access: Access,
        *,
        person: OpenedPerson | None = None,
        reason: str | None = None,
        records: dict[str, str] | None = None,
    ) -> int:
        """Append a leaf about this case and return its position; about a person in it, when `person` is given."""
        # The case stands where other acts name their policy, so that a person can quote it.
        return self._engine.journal.record(
            connection,
            event,
            access,
            person=person,
            reason=reason,
            policy=f"case/{row.case}",
            gallery=row.galleries[0] if len(row.galleries) == 1 else None,
            records=records,
        )


def _erased(opened: OpenCase) -> ReviewRefusal | None:
    if opened.evidence is not None:
        return None
    return ReviewRefusal(
        "erased", Conflict("a person of this case was erased, and what was held against them with them")
    )


def _first(opened: OpenCase) -> OpenedPerson | None:
    return opened.opened_persons[0] if opened.opened_persons else None


def _part(case: CaseId, *part: str) -> str:
    return "/".join((case, *part))
