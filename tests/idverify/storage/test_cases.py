"""Cases in both databases: who may see which, what an erasure leaves of them, and that nobody decides twice."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from idverify.errors import Conflict, NotFound
from idverify.ids import CaseId, EncounterId, GalleryId, PersonId
from idverify.storage import case_opinions, cases, encounter_counts, encounters, persons
from idverify.storage.case_opinions import ContestRow, OpinionRow
from idverify.storage.cases import AWAITING_OPINION, CaseFilter, CaseMemberRow, CaseRow, CaseState
from idverify.storage.encounter_counts import Dimension, EncounterCounts
from idverify.storage.encounters import Review

if TYPE_CHECKING:
    from idverify.storage.database import Connection
    from tests.idverify.storage.conftest import StoredDeployment

REGISTER, PAYROLL = GalleryId("civil-register"), GalleryId("payroll")
BOTH = (REGISTER, PAYROLL)
CASE = CaseId("c1ca5e00-0000-4000-8000-000000000001")
ROW = CaseRow(
    case=CASE,
    origin="enrolment",
    source="e-A-1",
    strength="strong",
    members=2,
    galleries=(REGISTER,),
    opened_at="2026-11-21T09:30:00.000Z",
    evidence=b"sealed",
)


@pytest.fixture
def people(deployed: StoredDeployment) -> tuple[str, str, str]:
    """A and B in the register, C in both galleries; A's encounter is marked."""
    deployed.enrol("A")
    deployed.enrol("B")
    deployed.enrol("C", in_galleries=BOTH)
    with deployed.database.write() as connection:
        encounters.set_review(connection, encounters.get(connection, EncounterId("e-A-1")), Review.PENDING)
    return ("A", "B", "C")


def add(connection: Connection, row: CaseRow = ROW, people: str = "AB") -> None:
    members = [
        CaseMemberRow(row.case, place, PersonId(person), EncounterId(f"e-{person}-1"))
        for place, person in enumerate(people)
    ]
    cases.add(connection, row, members)


def opinion(analyst: str, finding: str = "same_person", **others: object) -> OpinionRow:
    given = {"round": 1, "lead": False, "given_at": "2026-11-21T10:00:00.000Z", "note": b"sealed", **others}
    return OpinionRow(CASE, analyst, finding=finding, **given)  # type: ignore[arg-type]


def waiting(connection: Connection, analyst: str = "amara", within: tuple[GalleryId, ...] = BOTH) -> list[CaseId]:
    found = cases.awaiting(connection, AWAITING_OPINION, analyst, within, CaseFilter(), limit=10)
    return [row.case for row in found]


def escalated(connection: Connection, analyst: str) -> list[CaseId]:
    found = cases.awaiting(connection, [CaseState.ESCALATED], analyst, BOTH, CaseFilter(), limit=10)
    return [row.case for row in found]


def test_a_case_is_kept_as_it_was_opened(deployed: StoredDeployment, people: tuple[str, ...]) -> None:
    with deployed.database.write() as connection:
        add(connection)
    with deployed.database.read() as connection:
        assert cases.get(connection, CASE) == ROW
        assert [member.person for member in cases.members_of(connection, CASE)] == ["A", "B"]
        assert list(cases.all_cases(connection)) == [ROW]
        assert [(name, member.place) for name, member in cases.all_members(connection)] == [("p-A", 0), ("p-B", 1)]
        assert cases.known_sources(connection, "enrolment", ["e-A-1", "e-B-1"]) == {"e-A-1"}
        assert cases.named(connection, "c1ca5e00", BOTH) == [CASE]
        assert cases.named(connection, "c1ca5e00", (PAYROLL,)) == cases.named(connection, "%", BOTH) == []
        with pytest.raises(NotFound):
            cases.get(connection, CaseId("another"))


def test_one_source_becomes_one_case(deployed: StoredDeployment, people: tuple[str, ...]) -> None:
    with deployed.database.write() as connection:
        add(connection)
    with pytest.raises(Conflict), deployed.database.write() as connection:
        add(connection, replace(ROW, case=CaseId("another")))


def test_a_marked_encounter_waits_until_it_is_a_case(deployed: StoredDeployment, people: tuple[str, ...]) -> None:
    with deployed.database.write() as connection:
        assert cases.marked_without_case(connection, limit=10) == ["e-A-1"]
        add(connection)
        assert cases.marked_without_case(connection, limit=10) == []


def test_a_case_waits_for_whoever_has_not_spoken_and_covers_its_galleries(
    deployed: StoredDeployment, people: tuple[str, ...]
) -> None:
    with deployed.database.write() as connection:
        add(connection, replace(ROW, galleries=BOTH), "AC")
        assert waiting(connection) == [CASE]
        assert waiting(connection, within=(REGISTER,)) == waiting(connection, within=(PAYROLL,)) == []
        assert waiting(connection, "clerk-1") == []  # who enrolled them
        case_opinions.add(connection, opinion("amara"))
        assert (waiting(connection), waiting(connection, "binta")) == ([], [CASE])
        cases.change(connection, ROW, round_=1, state=CaseState.ESCALATED)
        assert waiting(connection, "binta") == []
        assert (escalated(connection, "chanda"), escalated(connection, "amara")) == ([CASE], [])


def test_nobody_decides_twice_in_any_round(deployed: StoredDeployment, people: tuple[str, ...]) -> None:
    with deployed.database.write() as connection:
        add(connection)
        case_opinions.add(connection, opinion("amara"))
    with pytest.raises(Conflict), deployed.database.write() as connection:
        case_opinions.add(connection, opinion("amara", round=2))


def test_an_erasure_ends_the_case_and_only_counts_stay(deployed: StoredDeployment, people: tuple[str, ...]) -> None:
    with deployed.database.write() as connection:
        add(connection)
        case_opinions.add(connection, opinion("amara"))
        assert cases.about(connection, [PersonId("A"), PersonId("B")]) == [CASE]
        assert cases.about(connection, [PersonId("A")]) == cases.about(connection, [PersonId("C")]) == []
        persons.erase_person(connection, PersonId("B"))
        assert waiting(connection, "binta") == []
        assert cases.about(connection, [PersonId("A")]) == []
        assert [member.person for member in cases.members_of(connection, CASE)] == ["A"]
        assert cases.over_by_erasure(connection, limit=10) == ["e-A-1"]
        assert [one.finding for one in case_opinions.opinions_of(connection, CASE)] == ["same_person"]


def test_decisions_since_a_day_and_contested_ones_are_to_be_exported(
    deployed: StoredDeployment, people: tuple[str, ...]
) -> None:
    with deployed.database.write() as connection:
        add(connection)
        assert cases.decided_since(connection, BOTH, "2026") == []
        decided = cases.change(
            connection,
            ROW,
            round_=1,
            state=CaseState.DECIDED,
            finding="same_person",
            decided_by="agreement",
            decided_at="2026-11-22T08:00:00.000Z",
        )
        assert cases.decided_since(connection, BOTH, "2026-11-22") == [decided]
        assert cases.decided_since(connection, BOTH, "2026-11-23") == []
        assert cases.decided_since(connection, (PAYROLL,), "2026") == []
        contest = ContestRow(CASE, 1, "amara", "2026-11-22T09:00:00.000Z", b"sealed")
        case_opinions.add_contest(connection, contest)
        reopened = cases.change(connection, decided, round_=2, state=CaseState.OPEN)
        assert cases.decided_since(connection, BOTH, "2026-11-23") == [reopened]
        assert case_opinions.contests_of(connection, CASE) == [contest] == list(case_opinions.all_contests(connection))


def test_blind_pairs_of_reviews_are_found_and_those_of_leads_left_out(
    deployed: StoredDeployment, people: tuple[str, ...]
) -> None:
    with deployed.database.write() as connection:
        add(connection)
        case_opinions.add(connection, opinion("amara"))
        assert case_opinions.reviewed_twice(connection, BOTH) == []
        case_opinions.add(connection, opinion("binta", "different_people", given_at="2026-11-21T11:00:00.000Z"))
        case_opinions.add(connection, opinion("chanda", lead=True))
        assert case_opinions.reviewed_twice(connection, BOTH) == [("same_person", "different_people")]
        assert case_opinions.reviewed_twice(connection, (PAYROLL,)) == []
        assert [one.case for one in case_opinions.opinions_by(connection, "binta", limit=10)] == [CASE]


def test_encounters_are_counted_once_each_by_period_and_group(
    deployed: StoredDeployment, people: tuple[str, ...], now: datetime
) -> None:
    def counted(
        connection: Connection, dimension: Dimension, within: tuple[GalleryId, ...] = BOTH
    ) -> list[EncounterCounts]:
        return encounter_counts.by_period(
            connection,
            dimension,
            within,
            period_characters=7,
            since="2026",
            confirming=["same_person"],
            rejecting=["different_people"],
        )

    with deployed.database.write() as connection:
        add(connection)
        add(connection, replace(ROW, case=CaseId("another"), source="e-A-2", finding="different_people"), "AC")
        assert counted(connection, Dimension.STATION) == [EncounterCounts("2026-11", None, 3, 3, 0, 2)]
        cases.change(connection, ROW, round_=1, state=CaseState.DECIDED, finding="same_person")
        assert counted(connection, Dimension.AGENCY) == [EncounterCounts("2026-11", None, 3, 3, 2, 1)]
        assert counted(connection, Dimension.GALLERY) == [
            EncounterCounts("2026-11", REGISTER, 3, 3, 2, 1),
            EncounterCounts("2026-11", PAYROLL, 1, 1, 0, 1),
        ]
        assert counted(connection, Dimension.STATION, (PAYROLL,)) == [EncounterCounts("2026-11", None, 1, 1, 0, 1)]
