"""Opens cases for adjudication and reads what is sealed in them, in the caller's transaction; opening one is audited.

It decides nothing: who may read a case, and what follows from an opinion, are rules of those who call.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from uuid import uuid4

from idverify.access import Access
from idverify.audit.events import EventKind, utc_text
from idverify.ids import CaseId, GalleryId
from idverify.storage import cases, encounters
from idverify.storage.cases import CaseMemberRow, CaseRow
from idverify.storage.database import Connection
from idverify.stored.audit_journal import Journal
from idverify.stored.case_evidence import CaseProposal, Evidence, Member
from idverify.stored.joint_sealing import JointSealing
from idverify.stored.persons import OpenedPerson, StoredPersons

_TABLE = "cases"


class StoredCases:
    """Cases whose content is sealed under the keys of all persons in them: the erasure of one of them takes it."""

    def __init__(self, stored_persons: StoredPersons, joint_sealing: JointSealing, journal: Journal) -> None:
        self._stored_persons = stored_persons
        self._joint_sealing = joint_sealing
        self._journal = journal

    def add(self, connection: Connection, proposal: CaseProposal, access: Access) -> CaseId:
        """Open a case, with a leaf for itself and one for each person in it.

        Raises Conflict (at the end of the transaction) when a case of that origin and source exists.
        """
        case = CaseId(str(uuid4()))
        members = tuple(
            CaseMemberRow(case, place, member.person, member.encounter if member.person else None)
            for place, member in enumerate(proposal.evidence.members)
        )
        opened_persons = self.persons(connection, members)
        sealed = self._joint_sealing.seal(
            opened_persons, proposal.evidence.as_json(), _TABLE, _place_of(case, "evidence")
        )
        row = CaseRow(
            case=case,
            origin=proposal.origin,
            source=proposal.source,
            strength=proposal.evidence.strength,
            members=len(members),
            galleries=tuple(sorted(proposal.galleries)),
            opened_at=utc_text(self._journal.now()),
            evidence=sealed,
        )
        cases.add(connection, row, members)
        without_person = {member.log_name: member.digest for member in members if member.person is None}
        records = {row.log_name: row.digest, **without_person}
        self.record(connection, EventKind.CASE_OPENED, row, access, records=records)
        for opened_person in opened_persons:
            own = {one.log_name: one.digest for one in members if one.person == opened_person.row.person}
            self.record(connection, EventKind.CASE_OPENED, row, access, person=opened_person, records=own)
        return case

    def persons(self, connection: Connection, members: Sequence[CaseMemberRow]) -> tuple[OpenedPerson, ...]:
        """Each person of the case once, in the order of the members. Raises SealBroken."""
        people = dict.fromkeys(member.person for member in members if member.person is not None)
        found = (self._stored_persons.find(connection, person) for person in people)
        return tuple(opened_person for opened_person in found if opened_person is not None)

    def evidence(self, connection: Connection, row: CaseRow, opened_persons: Sequence[OpenedPerson]) -> Evidence | None:
        """The case's evidence; None when one of its persons was erased. Raises SealBroken.

        `opened_persons`: all of them, as `persons` gives them.
        """
        opened = self._joint_sealing.open(
            connection, _first(opened_persons), row.evidence, _TABLE, _place_of(row.case, "evidence")
        )
        return None if opened is None else Evidence.parse(opened)

    def seal_text(self, case: CaseId, opened_persons: Sequence[OpenedPerson], text: str, *part: str) -> bytes:
        """Seal a text for its place in the case: ("note", analyst) or ("contest", round)."""
        return self._joint_sealing.seal(opened_persons, text.encode(), _TABLE, _place_of(case, *part))

    def text(
        self, connection: Connection, case: CaseId, opened_persons: Sequence[OpenedPerson], sealed: bytes, *part: str
    ) -> str:
        """What `seal_text` sealed; "" when one of the persons was erased. Raises SealBroken."""
        opened = self._joint_sealing.open(connection, _first(opened_persons), sealed, _TABLE, _place_of(case, *part))
        return "" if opened is None else opened.decode()

    def pair_names(self, opened_persons: Sequence[OpenedPerson]) -> Iterator[bytes]:
        """The name of each pair of these persons, under which decisions about two people are kept."""
        for one, other in combinations(opened_persons, 2):
            yield self._joint_sealing.pair(one.row.pseudonym, other.row.pseudonym)

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
        # The case is named where other acts name their policy, so that a person can quote it.
        return self._journal.record(
            connection,
            event,
            access,
            person=person,
            reason=reason,
            policy=f"case/{row.case}",
            gallery=row.galleries[0] if len(row.galleries) == 1 else None,
            records=records,
        )


def galleries_of(connection: Connection, members: Sequence[Member]) -> tuple[GalleryId, ...]:
    """All galleries that any of these encounters is in: whoever decides must be allowed to see all of them."""
    found: set[GalleryId] = set()
    for member in members:
        if member.encounter is not None:
            found.update(encounters.get(connection, member.encounter).galleries)
    return tuple(sorted(found))


def _first(opened_persons: Sequence[OpenedPerson]) -> OpenedPerson | None:
    return opened_persons[0] if opened_persons else None


def _place_of(case: CaseId, *part: str) -> str:
    return "/".join((case, *part))
