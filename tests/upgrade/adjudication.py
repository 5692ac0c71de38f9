"""The analysts of the fixture: cases at every stage, and the reports of a duplicate search and of a payroll check."""

import time
from datetime import timedelta

from analysis.deduplication.composition import DeduplicationParts, payroll_check_of
from analysis.deduplication.roster import read_roster
from idverify.access import no_progress
from tests.deployments import PAYROLL, REGISTER, access
from tests.upgrade.callers import PURPOSE, agency
from tests.upgrade.casework import DESK, cases_on, figures_for_the_public, give
from tests.upgrade.making import Making
from tests.upgrade.staffing import ANALYSTS, LEAD

_ROSTER = "payroll;person\nE-1;C-1\nE-2;C-1\nE-3;C-5\n"


MONTH_OVER_DAYS = 14
_STAGES = {
    "open": ("GHOST-21 P-21", ()),
    "half": ("C-4 C-4", ("data_error",)),
    "decided": ("GHOST-22 P-22", ("same_person", "same_person")),
    "escalated": ("GHOST-23 P-23", ("same_person", "different_people")),
    "apart": ("GHOST-24 P-24", ("twins_or_family", "twins_or_family")),
    "contested": ("GHOST-25 P-25", ("same_person", "same_person")),
}
"""How far the case of whom is, and what the first analysts found in turn."""


def work_on_cases(making: Making) -> None:
    """A case at every stage; those that were decided have been instructed or contested."""
    with making.signed_in(LEAD) as lead:
        cases = cases_on(lead, DESK)
    assert sorted(cases) == sorted(people for people, _ in _STAGES.values())
    for turn, analyst in enumerate(ANALYSTS[:2]):
        with making.signed_in(analyst) as visitor:
            for people, findings in _STAGES.values():
                if len(findings) > turn:
                    assert give(visitor, cases[people], findings[turn]).status_code == 303
    made = {stage: {"case": cases[people], "people": people} for stage, (people, _) in _STAGES.items()}
    decided, contested = (f"{DESK}/cases/{made[stage]['case']}" for stage in ("decided", "contested"))
    statement = {"place": "1", "statement": "I have a brother."}
    with making.signed_in(ANALYSTS[0]) as visitor:
        instruction = visitor.post(f"{decided}/instruction", {}, page=decided)
        assert instruction.status_code == 200, instruction.text
        assert visitor.post(f"{contested}/contest", statement, page=contested).status_code == 303
        face = visitor.get(f"{DESK}/cases/{made['open']['case']}/faces/0")
        assert face.status_code == 200, face.text
    made["open"]["face"] = making.keep("face.jpg", face.content)
    made["decided"]["instruction"] = making.keep("instruction.jws", instruction.content)
    made["contested"]["statement"] = statement["statement"]
    making.facts["cases"] = made


def search_for_duplicates(making: Making) -> None:
    """The payroll against itself, by the auditor."""
    asked = {"gallery": PAYROLL, "purpose": PURPOSE, "fmr": 1e-5}
    with agency(making.site, making.facts["keys"]["auditor"]) as auditor:
        answer = auditor.post("/v1/duplicate-searches", json=asked)
        assert answer.status_code == 202, answer.text
        address = f"/v1/duplicate-searches/{answer.json()['search']}"
        while (told := auditor.get(address, params={"purpose": PURPOSE}).json())["progress"] == "running":
            time.sleep(0.05)
        report = auditor.get(f"{address}/report", params={"purpose": PURPOSE})
    assert report.status_code == 200, (told, report.text)
    kept = making.keep("duplicates.json", report.content)
    making.facts["search"] = {"search": told["search"], "report": told["report"], "file": kept}


def leave_a_search(making: Making) -> None:
    """One that was cut off before its first block."""
    searches = DeduplicationParts.of(making.register.engine.deployment).searches
    planned = searches.plan(PAYROLL, fmr=1e-5)
    by = access(PURPOSE, client="auditor")
    making.facts["cut_off"] = {"search": searches.start(planned, by)}


def check_payroll(making: Making) -> None:
    """A roster that names one person twice and somebody who is deceased, against the register."""
    roster = making.kept / "roster.csv"
    roster.write_text(_ROSTER)
    by = access("payroll-check", client=None, clerk=LEAD)
    check = payroll_check_of(making.register.engine)
    report = check.run(read_roster(roster), REGISTER, by, no_progress, fmr=1e-5)
    roster.unlink()
    address = f"{DESK}/reports/{report}"
    with making.signed_in(LEAD) as lead:
        answer = lead.post(f"{address}/file", {"form": "json"}, page=address)
    assert answer.status_code == 200, answer.text
    making.facts["payroll"] = {"report": report, "file": making.keep("payroll.json", answer.content)}


def publish(making: Making) -> None:
    """What the lead publishes once the month is over; call it on a copy, for the fixture ends before that."""
    making.register.clock.now += timedelta(days=MONTH_OVER_DAYS)
    with making.running(), making.signed_in(LEAD) as lead:
        making.facts["figures"] = {
            "file": making.keep("open-data.csv", figures_for_the_public(lead)),
            "days_later": MONTH_OVER_DAYS,
        }
