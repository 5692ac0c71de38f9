"""The rules of adjudication, on the real store: two analysts, blind, once each, in their galleries; all audited."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from analysis.adjudication.findings import Finding
from idverify.audit.events import EventKind
from idverify.encounters.case_opening import NOTHING_LEFT
from idverify.errors import Conflict, InvalidInput, NotFound, NotPermitted
from idverify.ids import CaseId, PersonId
from idverify.storage import cases, duplicates, record_check
from idverify.storage.cases import CaseState
from tests.deployments import PAYROLL, REGISTER, access, photograph

if TYPE_CHECKING:
    from tests.analysis.adjudication.conftest import Office


def _decided_pairs(office: Office) -> set[bytes]:
    engine = office.register.engine
    with engine.database.read() as connection:
        one, other = (engine.stored_persons.find(connection, PersonId(who)) for who in ("C-1", "GHOST"))
        assert one is not None
        assert other is not None
        name = engine.deployment.joint_sealing.pair(one.row.pseudonym, other.row.pseudonym)
        return duplicates.decided_pairs(connection, [name])


def _review(office: Office) -> str:
    ((mark,),) = office.register.sql("SELECT review FROM encounters WHERE person = 'GHOST'")
    return str(mark)


def test_a_marked_encounter_becomes_one_case_with_its_evidence(office: Office) -> None:
    case = office.take_in()
    assert office.case_opening.open_marked(office.by("amara")) == 0
    view = office.show(case, "amara")
    assert view.evidence is not None
    assert [member.person for member in view.evidence.members] == ["GHOST", "C-1"]
    (link,) = view.evidence.links
    assert (link.left, link.right) == (0, 1)
    assert 0 < link.fmr < 1e-3
    assert view.evidence.reasons == ("possible_duplicate",)
    assert view.faces == {0, 1}
    assert (view.item.origin, view.item.galleries, view.item.state) == ("enrolment", (PAYROLL,), "awaiting")


def test_two_analysts_who_agree_decide_the_case(office: Office, case: CaseId) -> None:
    assert office.give(case, "amara", Finding.SAME_PERSON, "same scar") is CaseState.HALF
    assert _review(office) == "pending"
    assert office.give(case, "binta", Finding.SAME_PERSON) is CaseState.DECIDED
    assert _review(office) == "confirmed"
    view = office.show(case, "amara")
    assert (view.finding, view.decided_by) == (Finding.SAME_PERSON, "agreement")
    assert [(one.analyst, one.note) for one in view.opinions] == [("amara", "same scar"), ("binta", "")]
    assert not _decided_pairs(office)
    assert office.waiting("chanda") == []


def test_twins_are_left_out_of_later_searches_until_it_is_contested(office: Office, case: CaseId) -> None:
    for analyst in ("amara", "binta"):
        office.give(case, analyst, Finding.TWINS_OR_FAMILY)
    assert len(_decided_pairs(office)) == 1
    assert _review(office) == "cleared"
    office.casework.contest(case, office.analyst("amara"), 1, "He is not my brother.", office.by("amara"))
    assert _decided_pairs(office) == set()
    assert _review(office) == "pending"


def test_two_who_disagree_leave_it_to_a_lead_analyst(office: Office, case: CaseId) -> None:
    office.give(case, "amara", Finding.SAME_PERSON, "nose and ears")
    assert office.give(case, "binta", Finding.DIFFERENT_PEOPLE) is CaseState.ESCALATED
    lead = office.lead("chanda")
    items, more = office.reading.escalations(lead, 0)
    assert ([item.case for item in items], more) == ([case], False)
    assert [one.finding for one in office.show(case, lead).opinions] == ["same_person", "different_people"]
    with pytest.raises(NotPermitted, match="colleagues are dealing with this case"):
        office.give(case, "dayo", Finding.SAME_PERSON)
    assert office.give(case, lead, Finding.DIFFERENT_PEOPLE) is CaseState.DECIDED
    assert office.show(case, "amara").decided_by == "lead"


def test_the_second_review_is_blind(office: Office, case: CaseId) -> None:
    """Whatever the second analyst can ask for is the same before and after the first one spoke."""
    before = (
        office.waiting("binta"),
        office.show(case, "binta"),
        office.reading.queue(office.analyst("binta"), FILTER, 0),
    )
    office.give(case, "amara", Finding.SAME_PERSON, "the same scar over the left eye")
    after = (
        office.waiting("binta"),
        office.show(case, "binta"),
        office.reading.queue(office.analyst("binta"), FILTER, 0),
    )
    assert before == after
    leaves = [event for event in office.events() if event.event is EventKind.CASE_OPINION]
    assert [(event.clerk, event.person, event.reason, event.detail) for event in leaves] == [
        ("amara", None, None, None)
    ]


def test_a_lead_analyst_sees_no_opinion_before_it_is_their_turn(office: Office, case: CaseId) -> None:
    office.give(case, "amara", Finding.SAME_PERSON, "x")
    assert office.show(case, office.lead("chanda")).opinions == ()
    with pytest.raises(NotPermitted, match="two analysts look at this case"):
        office.give(case, office.analyst("chanda", lead=True, analyst=False), Finding.SAME_PERSON)


def test_nobody_decides_twice(office: Office, case: CaseId) -> None:
    office.give(case, "amara", Finding.SAME_PERSON)
    with pytest.raises(Conflict, match="nobody decides twice"):
        office.give(case, "amara", Finding.SAME_PERSON)
    assert office.state(case) is CaseState.HALF
    office.give(case, "binta", Finding.DIFFERENT_PEOPLE)
    with pytest.raises(Conflict, match="nobody decides twice"):
        office.give(case, office.lead("binta"), Finding.DIFFERENT_PEOPLE)
    refused = [event for event in office.events() if event.event is EventKind.CASE_REFUSED]
    assert [(event.clerk, event.reason) for event in refused] == [
        ("amara", "decided_before"),
        ("binta", "decided_before"),
    ]
    assert all(event.policy == f"case/{case}" for event in refused)


def test_a_case_outside_the_analysts_galleries_is_refused_and_recorded(office: Office, case: CaseId) -> None:
    stranger = office.analyst("emeka", galleries=frozenset({REGISTER}))
    assert office.reading.queue(stranger, FILTER, 0) == ([], False)
    for attempt in (
        lambda: office.show(case, stranger),
        lambda: office.give(case, stranger, Finding.SAME_PERSON),
        lambda: office.reading.face(case, 0, stranger, office.by("emeka")),
    ):
        with pytest.raises(NotPermitted, match="a gallery that your account does not cover"):
            attempt()
    refused = [event for event in office.events() if event.event is EventKind.CASE_REFUSED]
    assert [(event.clerk, event.reason) for event in refused] == [("emeka", "outside_galleries")] * 3


def test_nobody_judges_an_enrolment_of_their_own(office: Office) -> None:
    office.register.enrol("GHOST-2", photograph(2, 2), gallery=PAYROLL, by=access("enrolment", clerk="amara"))
    office.case_opening.open_marked(office.by("binta"))
    own = set(office.waiting("binta")) - set(office.waiting("amara"))
    (case,) = own
    with pytest.raises(NotPermitted, match="you enrolled somebody in this case"):
        office.show(case, "amara")


def test_who_had_no_part_in_a_decided_case_stays_fit_to_review_it(office: Office, case: CaseId) -> None:
    for analyst in ("amara", "binta"):
        office.give(case, analyst, Finding.SAME_PERSON)
    with pytest.raises(NotPermitted, match="you have no part in it"):
        office.show(case, "dayo")
    office.casework.contest(case, office.analyst("amara"), 0, "I am not C-1.", office.by("amara"))
    view = office.show(case, "dayo")
    assert (view.item.reopened, view.opinions, view.finding) == (True, (), None)
    assert [one.statement for one in view.contests] == ["I am not C-1."]


def test_a_contested_case_goes_to_other_analysts(office: Office, case: CaseId) -> None:
    for analyst in ("amara", "binta"):
        office.give(case, analyst, Finding.SAME_PERSON)
    office.casework.contest(case, office.analyst("amara"), 0, "I am not C-1.", office.by("amara"))
    assert office.waiting("amara") == office.waiting("binta") == []
    with pytest.raises(Conflict, match="nobody decides twice"):
        office.give(case, "amara", Finding.SAME_PERSON)
    office.give(case, "chanda", Finding.DIFFERENT_PEOPLE)
    assert office.give(case, "dayo", Finding.DIFFERENT_PEOPLE) is CaseState.DECIDED
    assert [one.round for one in office.show(case, "chanda").opinions] == [1, 1, 2, 2]
    contested = [event for event in office.events("GHOST") if event.event is EventKind.CASE_CONTESTED]
    assert len(contested) == 1
    assert not [event for event in office.events("C-1") if event.event is EventKind.CASE_CONTESTED]


@pytest.mark.parametrize(("place", "statement"), [(0, " "), (0, "x" * 4001), (7, "I am not C-1.")])
def test_a_contest_needs_a_person_of_the_case_and_a_statement(
    office: Office, case: CaseId, place: int, statement: str
) -> None:
    for analyst in ("amara", "binta"):
        office.give(case, analyst, Finding.SAME_PERSON)
    with pytest.raises(InvalidInput):
        office.casework.contest(case, office.analyst("amara"), place, statement, office.by("amara"))
    assert office.state(case) is CaseState.DECIDED


def test_an_undecided_case_cannot_be_contested(office: Office, case: CaseId) -> None:
    with pytest.raises(Conflict, match="only a decided case"):
        office.casework.contest(case, office.analyst("amara"), 0, "No.", office.by("amara"))


def test_every_look_is_in_the_persons_own_list_of_accesses(office: Office, case: CaseId) -> None:
    office.show(case, "amara")
    face = office.reading.face(case, 1, office.analyst("amara"), office.by("amara"))
    assert (face.media_type, face.content) == ("image/jpeg", photograph(1, 3))
    views = office.register.engine.persons.accesses(PersonId("C-1"), access())
    seen = [(view.event, view.clerk, view.purpose) for view in views if view.clerk == "amara"]
    assert seen == [
        (EventKind.CASE_OPENED, "amara", "duplicate-review"),
        (EventKind.CASE_READ, "amara", "duplicate-review"),
        (EventKind.FACE_VIEWED, "amara", "duplicate-review"),
    ]
    assert EventKind.FACE_VIEWED not in [event.event for event in office.events("GHOST")]


def test_a_record_without_a_kept_photograph_has_no_face(office: Office) -> None:
    for person, day in (("R-1", 1), ("R-2", 2)):
        office.register.enrol(person, photograph(3, day), gallery=REGISTER)
    office.case_opening.open_marked(office.by("amara"))
    register = office.waiting("amara", gallery=REGISTER)
    (case,) = register
    assert office.show(case, "amara").faces == frozenset()
    with pytest.raises(NotFound, match="no photograph is kept"):
        office.reading.face(case, 0, office.analyst("amara"), office.by("amara"))


def test_an_erased_person_takes_the_content_of_the_case_along(office: Office, case: CaseId) -> None:
    office.give(case, "amara", Finding.SAME_PERSON, "a note about C-1")
    office.register.engine.persons.erase(PersonId("C-1"), access())
    view = office.show(case, "amara")
    assert (view.evidence, view.opinions, view.may_decide) == (None, (), False)
    assert office.waiting("binta") == []
    with pytest.raises(Conflict, match="was erased"):
        office.give(case, "binta", Finding.SAME_PERSON)
    assert office.case_opening.open_marked(office.by("binta")) == 0
    assert _review(office) == "cleared"
    assert office.events("GHOST")[-1].reason == NOTHING_LEFT
    office.register.another()  # which holds every record against the log


def test_a_mark_whose_other_person_is_gone_becomes_no_case(office: Office) -> None:
    office.register.engine.persons.erase(PersonId("C-1"), access())
    assert office.case_opening.open_marked(office.by("amara")) == 1
    assert (office.waiting(), _review(office)) == ([], "cleared")


def test_somebody_who_looks_otherwise_than_before_is_a_case_of_two_visits(office: Office) -> None:
    office.register.clock.advance(days=1)
    office.take_in()
    office.register.enrol("C-2", photograph(4, 1), gallery=PAYROLL)
    case = office.take_in()
    evidence = office.show(case, "amara").evidence
    assert evidence is not None
    assert [member.person for member in evidence.members] == ["C-2", "C-2"]
    assert evidence.reasons == ("differs_from_earlier_encounter",)
    assert [
        office.reading.face(case, place, office.analyst("amara"), office.by("amara")).content for place in (0, 1)
    ] == [
        photograph(4, 1),
        photograph(2, 12),
    ]
    for analyst in ("amara", "binta"):
        state = office.give(case, analyst, Finding.DATA_ERROR)
    assert state is CaseState.DECIDED


def test_the_queue_is_filtered_and_told_in_pages(office: Office, case: CaseId) -> None:
    strength = office.show(case, "amara").item.strength
    asked = {"gallery": PAYROLL, "origin": "enrolment", "strength": strength, "opened_before": "2026-11-22"}
    assert office.waiting(**asked) == [case]
    for name, other in (
        ("gallery", REGISTER),
        ("origin", "payroll"),
        ("strength", "none"),
        ("opened_before", "2026-11-20"),
    ):
        assert office.waiting(**{**asked, name: other}) == []
    assert office.reading.queue(office.analyst("amara"), FILTER, 1) == ([], False)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE cases SET state = 'decided', finding = 'same_person'",
        "UPDATE case_opinions SET finding = 'different_people'",
        "UPDATE case_members SET person = 'C-2' WHERE place = 1",
        "DELETE FROM case_opinions",
        "DELETE FROM case_contests",
        "UPDATE case_contests SET recorded_by = 'binta'",
    ],
)
def test_a_case_altered_by_hand_is_noticed(office: Office, case: CaseId, statement: str) -> None:
    for analyst in ("amara", "binta"):
        office.give(case, analyst, Finding.SAME_PERSON)
    office.casework.contest(case, office.analyst("amara"), 0, "I am not C-1.", office.by("amara"))
    office.register.sql(statement)
    with office.register.engine.database.read() as connection:
        assert list(record_check.discrepancies(connection))


def test_notes_do_not_stand_in_the_database_in_the_clear(office: Office, case: CaseId) -> None:
    office.give(case, "amara", Finding.SAME_PERSON, "the same scar over the left eye")
    for file in office.register.settings.data_dir.iterdir():
        assert b"left eye" not in file.read_bytes()


def test_a_note_has_a_limit(office: Office, case: CaseId) -> None:
    with pytest.raises(InvalidInput, match="at most 4000 characters"):
        office.give(case, "amara", Finding.SAME_PERSON, "x" * 4001)


def test_an_unknown_case_is_not_found(office: Office) -> None:
    with pytest.raises(NotFound):
        office.show(CaseId("no-such-case"), "amara")


def test_a_decided_case_knows_when(office: Office, case: CaseId) -> None:
    office.register.clock.now += timedelta(days=2)
    for analyst in ("amara", "binta"):
        office.give(case, analyst, Finding.SAME_PERSON)
    assert office.show(case, "amara").decided_at == "2026-11-23T09:30:00.000Z"


FILTER = cases.CaseFilter()
