"""What release 0.1 stored of cases, decisions and reports means the same after the upgrade."""

import json
import time

import pytest

from tests.commands import Commands
from tests.upgrade.callers import PURPOSE
from tests.upgrade.casework import DESK, cases_on, figures_for_the_public, give, names_in
from tests.upgrade.upgrading import Upgraded
from tests.visitors import Visitor

ONE, TWO, THREE, LEAD = "analyst.one", "analyst.two", "analyst.three", "lead.one"
_DECISION = '<p class="decision-finding">'


def page_of(upgraded: Upgraded, visitor: Visitor, stage: str) -> str:
    answer = visitor.get(f"{DESK}/cases/{upgraded.facts['cases'][stage]['case']}")
    assert answer.status_code == 200, answer.text
    return answer.text


def test_what_waits_for_an_analyst_is_what_waited_and_what_was_marked_before(shared: Upgraded) -> None:
    with shared.signed_in(THREE) as visitor:
        waiting = cases_on(visitor, DESK)
    marked = waiting.pop("C-6 GHOST-6")  # at enrolment, and nobody looked at the list since
    assert marked not in {case["case"] for case in shared.facts["cases"].values()}
    stages = ("open", "half", "contested")
    assert waiting == {case["people"]: case["case"] for case in map(shared.facts["cases"].get, stages)}


def test_the_faces_of_a_case_are_those_that_were_kept(shared: Upgraded) -> None:
    case = shared.facts["cases"]["open"]
    with shared.signed_in(ONE) as visitor:
        face = visitor.get(f"{DESK}/cases/{case['case']}/faces/0")
    assert face.content == shared.file(case["face"])


@pytest.mark.parametrize("stage", ["open", "half", "decided", "escalated", "apart", "contested"])
def test_a_case_shows_whom_it_is_about(shared: Upgraded, stage: str) -> None:
    with shared.signed_in(LEAD) as visitor:
        assert " ".join(names_in(page_of(shared, visitor, stage))) == shared.facts["cases"][stage]["people"]


def test_an_open_case_is_decided_by_two_analysts(own: Upgraded) -> None:
    case = own.facts["cases"]["open"]["case"]
    for analyst in (ONE, TWO):
        with own.signed_in(analyst) as visitor:
            assert _DECISION not in page_of(own, visitor, "open")
            assert give(visitor, case, "same_person").status_code == 303
            assert (_DECISION in page_of(own, visitor, "open")) is (analyst == TWO)


def test_an_opinion_of_before_is_hidden_from_the_second_analyst_and_counts(own: Upgraded) -> None:
    case = own.facts["cases"]["half"]["case"]
    with own.signed_in(ONE) as visitor:
        assert "as I see it" in page_of(own, visitor, "half")
        assert give(visitor, case, "data_error").status_code == 409
    with own.signed_in(TWO) as visitor:
        assert "as I see it" not in page_of(own, visitor, "half")
        assert give(visitor, case, "data_error").status_code == 303
        assert _DECISION in page_of(own, visitor, "half")


def test_an_escalated_case_is_decided_by_the_lead_with_the_analyst_who_found_the_same(own: Upgraded) -> None:
    escalated = own.facts["cases"]["escalated"]
    with own.signed_in(LEAD) as visitor:
        assert cases_on(visitor, f"{DESK}/escalations") == {escalated["people"]: escalated["case"]}
        assert give(visitor, escalated["case"], "same_person").status_code == 303
        assert _DECISION in page_of(own, visitor, "escalated")


def test_a_decision_is_instructed_again_and_its_letter_written(own: Upgraded) -> None:
    decided = own.facts["cases"]["decided"]
    address = f"{DESK}/cases/{decided['case']}"
    with own.signed_in(ONE) as visitor:
        assert _DECISION in page_of(own, visitor, "decided")
        assert visitor.post(f"{address}/instruction", {}, page=address).text.count(".") == 2
        asked = {"place": "0", "notice_language": "st", "form": "html"}
        letter = visitor.post(f"{address}/notice", asked, page=address)
    assert letter.status_code == 200
    assert decided["case"][:8] in letter.text


def test_an_instruction_of_before_is_genuine(shared: Upgraded, commands: Commands) -> None:
    told = commands("analysis", "instruction", "verify", shared.kept / shared.facts["cases"]["decided"]["instruction"])
    assert (told.status, told.out.endswith("GENUINE\n")) == (0, True), told
    assert "GHOST-22" in told.out


def test_a_contest_is_read_and_goes_to_other_analysts(own: Upgraded) -> None:
    contested = own.facts["cases"]["contested"]
    with own.signed_in(THREE) as visitor:
        assert contested["statement"] in page_of(own, visitor, "contested")
        assert give(visitor, contested["case"], "different_people").status_code == 303
    with own.signed_in(ONE) as visitor:
        assert give(visitor, contested["case"], "different_people").status_code == 409


def test_a_search_that_was_cut_off_goes_on_and_leaves_out_who_was_held_apart(own: Upgraded) -> None:
    address = f"/v1/duplicate-searches/{own.facts['cut_off']['search']}"
    with own.agency("auditor") as auditor:
        assert auditor.get(address, params={"purpose": PURPOSE}).json()["progress"] == "stopped"
        assert auditor.post(f"{address}/run", params={"purpose": PURPOSE}).status_code == 202
        while auditor.get(address, params={"purpose": PURPOSE}).json()["progress"] == "running":
            time.sleep(0.05)
        report = auditor.get(f"{address}/report", params={"purpose": PURPOSE})
    assert report.status_code == 200, report.text
    assert "GHOST-24" not in report.text
    assert all(f"GHOST-{seed}" in report.text for seed in (21, 22, 23, 25))


def test_the_report_of_a_search_is_the_same_to_the_byte(own: Upgraded, commands: Commands) -> None:
    kept = own.facts["search"]
    with own.agency("auditor") as auditor:
        report = auditor.get(f"/v1/duplicate-searches/{kept['search']}/report", params={"purpose": PURPOSE})
    assert report.content == own.file(kept["file"])
    told = commands("analysis", "report", "verify", own.kept / kept["file"])
    assert (told.status, "5 clusters" in told.out) == (0, True), told


def test_the_report_of_a_payroll_check_is_the_same_to_the_byte(own: Upgraded, commands: Commands) -> None:
    kept = own.facts["payroll"]
    address = f"{DESK}/reports/{kept['report']}"
    with own.signed_in(LEAD) as lead:
        report = lead.post(f"{address}/file", {"form": "json"}, page=address)
    assert report.content == own.file(kept["file"])
    assert "deceased" in report.text
    assert commands("analysis", "report", "verify", own.kept / kept["file"]).status == 0
    altered = own.kept / "altered.json"
    altered.write_text(json.dumps(json.loads(report.text)).replace("E-1", "E-9"))
    assert commands("analysis", "report", "verify", altered).status == 20


def test_the_figures_for_the_public_are_the_same(own: Upgraded) -> None:
    figures = own.facts["figures"]
    own.register.clock.advance(days=figures["days_later"])
    with own.signed_in(LEAD) as lead:
        assert figures_for_the_public(lead) == own.file(figures["file"])
