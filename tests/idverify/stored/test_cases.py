"""Cases in the store: opened with a leaf for everybody in them, and readable only while all of them are there."""

import pytest

from idverify.audit.events import EventKind
from idverify.errors import Conflict, SealBroken
from idverify.ids import CaseId, PersonId
from idverify.storage import audit_log, cases, encounters, persons
from idverify.storage.database import Connection
from idverify.stored.case_evidence import CaseOrigin, CaseProposal, Evidence, Link, Member
from idverify.stored.cases import StoredCases, galleries_of
from tests.deployments import PAYROLL, REGISTER, Register, access, photograph


def stored_cases(register: Register) -> StoredCases:
    deployment = register.engine.deployment
    return StoredCases(deployment.stored_persons, deployment.joint_sealing, deployment.journal)


def proposal(connection: Connection, *people: str, source: str = "a-report/1") -> CaseProposal:
    """Enrolled people and one line of a payroll."""
    rows = [encounters.encounters_of(connection, PersonId(person))[-1] for person in people]
    members = [Member(row.person, row.galleries[0], encounter=row.encounter) for row in rows]
    evidence = Evidence((*members, Member(None, None, payroll="E-9", line=9)), (Link(0, 1, 0.9, 1e-6, False, True),))
    return CaseProposal(CaseOrigin.PAYROLL, source, galleries_of(connection, evidence.members), evidence)


def add(register: Register, *people: str) -> CaseId:
    with register.engine.database.write() as connection:
        return stored_cases(register).add(connection, proposal(connection, *people), access("duplicate-review"))


def evidence_of(register: Register, case: CaseId) -> Evidence | None:
    with register.engine.database.read() as connection:
        row = cases.get(connection, case)
        opened_persons = stored_cases(register).persons(connection, cases.members_of(connection, case))
        return stored_cases(register).evidence(connection, row, opened_persons)


def test_everybody_in_a_case_gets_a_leaf_and_the_case_one_of_its_own(own_register: Register) -> None:
    case = add(own_register, "C-1", "C-2")
    with own_register.engine.database.read() as connection:
        leaves = [event for event in audit_log.leaves_after(connection, -1) if event.event is EventKind.CASE_OPENED]
        people = [persons.get(connection, PersonId(person)).pseudonym for person in ("C-1", "C-2")]
    assert [leaf.person for leaf in leaves] == [None, *people]
    assert all((leaf.policy, leaf.gallery) == (f"case/{case}", REGISTER) for leaf in leaves)
    assert [sorted(leaf.records) for leaf in leaves] == [
        [f"case_members/{case}/2", f"cases/{case}"],
        [f"case_members/{case}/0"],
        [f"case_members/{case}/1"],
    ]


def test_the_evidence_opens_as_it_was_proposed_until_one_of_them_is_erased(own_register: Register) -> None:
    case = add(own_register, "C-1", "C-2")
    with own_register.engine.database.read() as connection:
        assert evidence_of(own_register, case) == proposal(connection, "C-1", "C-2").evidence
    own_register.engine.persons.erase(PersonId("C-2"), access("erasure"))
    assert evidence_of(own_register, case) is None


def test_one_source_becomes_no_second_case(own_register: Register) -> None:
    add(own_register, "C-1", "C-2")
    with pytest.raises(Conflict):
        add(own_register, "C-3", "C-4")


def test_a_text_opens_only_in_its_place(own_register: Register) -> None:
    case, stored = add(own_register, "C-1", "C-2"), stored_cases(own_register)
    with own_register.engine.database.read() as connection:
        opened_persons = stored.persons(connection, cases.members_of(connection, case))
        sealed = stored.seal_text(case, opened_persons, "the same scar", "note", "amara")
        assert b"scar" not in sealed
        assert stored.text(connection, case, opened_persons, sealed, "note", "amara") == "the same scar"
        with pytest.raises(SealBroken):
            stored.text(connection, case, opened_persons, sealed, "note", "binta")


def test_a_pair_has_one_name_whichever_comes_first(register: Register) -> None:
    with register.engine.database.read() as connection:
        found = [register.engine.stored_persons.find(connection, PersonId(person)) for person in ("C-1", "C-2", "C-3")]
    opened_persons = [one for one in found if one is not None]
    names = list(stored_cases(register).pair_names(opened_persons))
    assert len(set(names)) == 3
    assert set(names) == set(stored_cases(register).pair_names(opened_persons[::-1]))


def test_a_case_is_of_all_galleries_of_its_encounters(own_register: Register) -> None:
    own_register.enrol("C-9", photograph(9, 1), gallery=PAYROLL)
    with own_register.engine.database.read() as connection:
        assert proposal(connection, "C-1", "C-9").galleries == (REGISTER, PAYROLL)
