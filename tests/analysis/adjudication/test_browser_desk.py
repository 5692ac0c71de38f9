"""The desk in a real browser: analysts agree, disagree, try what they may not; every page without an axe violation."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from analysis.adjudication.findings import Finding
from analysis.adjudication.instructions import check
from idverify.audit.events import EventKind, utc_text
from idverify.ids import CaseId, EncounterId, PersonId, StaffId
from idverify.storage import case_opinions, cases, encounters
from idverify.storage.case_opinions import OpinionRow
from idverify.storage.cases import CaseMemberRow, CaseRow, CaseState
from idverify.storage.database import Connection
from idverify.storage.encounters import EncounterRow
from pages.browser import COOKIE
from tests.browser import ADMINISTRATION, TABLET, TABLET_ACROSS, Browsing, Served, axe, photographed
from tests.deployments import PAYROLL, REGISTER, access, photograph

if TYPE_CHECKING:
    from tests.analysis.adjudication.conftest import Office

PAGES_OF_THE_LEAD = ("", "/mine", "/searches", "/reports", "/figures", "/escalations", "/instructions")


@pytest.fixture
def case(site: Served, office: Office) -> CaseId:
    """The case of C-1 and GHOST, on a desk that is served."""
    return office.take_in()


def at_desk(browsing: Browsing, site: Served, name: str, **options: object) -> Page:
    """A page in a browser of its own, signed in: how one signs in is tested with the pages of staff."""
    page = browsing.page(site, **options)
    with site.engine.database.write() as connection:
        token = site.staff.sessions.start(connection, StaffId(name), by="password", station=None, access=ADMINISTRATION)
    page.context.add_cookies(
        [{"name": COOKIE, "value": token, "url": site.url.replace("http:", "https:"), "secure": True, "httpOnly": True}]
    )
    return page


def look(page: Page, case: CaseId) -> None:
    """Open the case; ends when its faces are there."""
    page.goto(f"/staff/desk/cases/{case}")
    for face in page.locator(".face img").all():
        face.evaluate("image => image.decode()")


def find(page: Page, case: CaseId, finding: str, note: str = "") -> None:
    look(page, case)
    page.get_by_role("radio", name=finding).check()
    page.get_by_label("Note").fill(note)
    page.get_by_role("button", name="Save my opinion").click()
    expect(page.get_by_text("Your opinion is saved.")).to_be_visible()


def refusals(office: Office) -> list[tuple[str | None, str | None]]:
    return [(event.clerk, event.reason) for event in office.events() if event.event is EventKind.CASE_REFUSED]


def test_two_analysts_agree_and_the_decision_leaves_signed(
    site: Served, office: Office, browsing: Browsing, screenshots: Path | None
) -> None:
    amara = at_desk(browsing, site, "analyst.one")
    amara.goto("/staff/desk")
    photographed(amara, screenshots, "desk/queue")
    amara.get_by_role("link", name="Open").click()
    case = CaseId(amara.url.rpartition("/")[2])
    look(amara, case)
    axe(amara)
    photographed(amara, screenshots, "desk/case.jpg", full_page=True)
    find(amara, case, "Same person", "The same ears and the same hairline.")
    axe(amara)
    binta = at_desk(browsing, site, "analyst.two", viewport=TABLET)
    find(binta, case, "Same person")
    expect(binta.locator(".decision-finding")).to_have_text("Same person")
    axe(binta)
    amara.goto("/staff/desk/mine")
    amara.get_by_label("Number of the case").fill(case[:8])
    amara.get_by_role("button", name="Open").click()
    expect(amara.locator(".opinions li")).to_have_count(2)
    photographed(amara, screenshots, "desk/decided.jpg", full_page=True)
    with amara.expect_download() as download:
        amara.get_by_role("button", name="Download the instruction").click()
    claims = check(download.value.path().read_text(), office.register.engine.receipts.jwks())
    assert (claims["action"], claims["persons"]) == ("treat_as_one_person", ["C-1", "GHOST"])


def test_the_second_review_is_blind(site: Served, case: CaseId, browsing: Browsing) -> None:
    """What the second analyst's browser gets of queue and case is the same, whether or not the first one has spoken."""
    binta = at_desk(browsing, site, "analyst.two")

    def seen() -> list[str]:
        shown = []
        for address in ("/staff/desk", f"/staff/desk/cases/{case}", "/staff/desk/mine", "/staff/desk/figures"):
            binta.goto(address)
            shown.append(binta.content())
        return shown

    before = seen()
    find(at_desk(browsing, site, "analyst.one"), case, "Twins or family", "A mole that only one of them has.")
    assert seen() == before


def test_two_who_disagree_leave_it_to_the_lead_analyst(
    site: Served, case: CaseId, browsing: Browsing, screenshots: Path | None
) -> None:
    amara = at_desk(browsing, site, "analyst.one")
    find(amara, case, "Same person", "The same ears.")
    find(at_desk(browsing, site, "analyst.two"), case, "Twins or family", "Other eyebrows.")
    lead = at_desk(browsing, site, "lead.one", viewport=TABLET_ACROSS)
    lead.goto("/staff/desk/escalations")
    axe(lead)
    lead.get_by_role("link", name="Open").click()
    expect(lead.locator(".opinions li")).to_have_count(2)
    look(lead, case)
    axe(lead)
    photographed(lead, screenshots, "desk/escalated.jpg", full_page=True)
    find(lead, case, "Twins or family")
    look(amara, case)
    expect(amara.locator(".decision-finding")).to_have_text("Twins or family")
    expect(amara.get_by_text("A lead analyst decided.")).to_be_visible()


def test_nobody_decides_twice(site: Served, office: Office, case: CaseId, browsing: Browsing) -> None:
    amara = at_desk(browsing, site, "analyst.one")
    twin = amara.context.new_page()
    look(twin, case)
    find(amara, case, "Same person")
    expect(amara.get_by_role("button", name="Save my opinion")).to_have_count(0)
    twin.get_by_role("radio", name="Different people").check()
    with twin.expect_response("**/opinion") as answered:
        twin.get_by_role("button", name="Save my opinion").click()
    assert answered.value.status == 409
    axe(twin)
    assert refusals(office) == [("analyst.one", "decided_before")]


def test_a_case_outside_the_analysts_galleries_is_forbidden_and_recorded(
    site: Served, office: Office, case: CaseId, browsing: Browsing
) -> None:
    emeka = at_desk(browsing, site, "emeka.obi")
    emeka.goto("/staff/desk")
    expect(emeka.get_by_text("Nothing waits for you")).to_be_visible()
    for address in (f"/staff/desk/cases/{case}", f"/staff/desk/cases/{case}/faces/0"):
        answer = emeka.goto(address)
        assert answer is not None
        assert answer.status == 403
        axe(emeka)
    assert refusals(office) == [("emeka.obi", "outside_galleries")] * 2


def test_a_face_goes_to_its_session_only_and_each_look_is_recorded(
    site: Served, office: Office, case: CaseId, browsing: Browsing
) -> None:
    amara = at_desk(browsing, site, "analyst.one")
    address = f"/staff/desk/cases/{case}/faces/0"
    face = amara.request.get(address)
    assert (face.status, face.headers["content-type"], face.headers["cache-control"]) == (200, "image/jpeg", "no-store")
    looks = [event for event in office.events("GHOST") if event.event is EventKind.FACE_VIEWED]
    assert [(event.clerk, event.purpose) for event in looks] == [("analyst.one", "duplicate-review")]
    stranger = browsing.page(site)
    assert "/staff/sign-in" in stranger.request.get(address).url
    clerk = at_desk(browsing, site, "thabo.clerk")
    assert clerk.request.get(address).status == 403
    amara.goto("/staff/")
    amara.get_by_role("button", name="Sign out").click()
    assert "/staff/sign-in" in amara.request.get(address).url
    assert len([event for event in office.events("GHOST") if event.event is EventKind.FACE_VIEWED]) == 1


def test_faces_are_enlarged_together_by_keyboard(site: Served, case: CaseId, browsing: Browsing) -> None:
    amara = at_desk(browsing, site, "analyst.one")
    look(amara, case)
    amara.get_by_label("Enlarge").focus()
    for _ in range(4):
        amara.keyboard.press("ArrowRight")
    amara.locator(".face").first.focus()
    amara.keyboard.press("ArrowUp")
    moved = [face.evaluate("image => image.style.transform") for face in amara.locator(".face img").all()]
    assert moved == ["translate(0%, 10%) scale(2)"] * 2


def test_a_person_is_told_and_contests(
    site: Served, office: Office, case: CaseId, browsing: Browsing, screenshots: Path | None
) -> None:
    amara = at_desk(browsing, site, "analyst.one")
    find(amara, case, "Same person")
    find(at_desk(browsing, site, "analyst.two"), case, "Same person")
    look(amara, case)
    amara.get_by_text("Tell the person").click()
    axe(amara)
    with amara.expect_download() as download:
        amara.get_by_role("button", name="PDF").click()
    assert download.value.path().read_bytes().startswith(b"%PDF")
    for language, heading in (
        ("Kiswahili", "Kama hukubaliani"),
        ("Sesotho", "Haeba u sa lumele"),
        ("English", "If you disagree"),
    ):
        look(amara, case)
        amara.get_by_text("Tell the person").click()
        amara.get_by_label("Language of the letter").select_option(language)
        amara.get_by_role("button", name="Show").click()
        expect(amara.get_by_role("heading", name=heading)).to_be_visible()
        expect(amara.get_by_text("C-1", exact=False)).to_have_count(0)
    axe(amara)
    photographed(amara, screenshots, "desk/letter", full_page=True)
    look(amara, case)
    amara.get_by_text("The person contests this").click()
    amara.get_by_label("What they say, in their words").fill("I was never at that office.")
    amara.get_by_role("button", name="Record the contest").click()
    expect(amara.get_by_text("The contest is on record")).to_be_visible()
    expect(amara.get_by_role("button", name="Save my opinion")).to_have_count(0)
    chanda = at_desk(browsing, site, "analyst.three")
    chanda.goto("/staff/desk")
    expect(chanda.get_by_text("Contested")).to_be_visible()
    look(chanda, case)
    expect(chanda.get_by_text("I was never at that office.")).to_be_visible()
    expect(chanda.locator(".opinions")).to_have_count(0)
    axe(chanda)
    told = [event.event for event in office.events("GHOST") if event.clerk == "analyst.one"]
    assert told.count(EventKind.CASE_NOTICE) == 4
    assert EventKind.CASE_CONTESTED in told


def test_a_search_says_what_to_expect_runs_and_becomes_cases(site: Served, office: Office, browsing: Browsing) -> None:
    office.register.enrol("R-2", photograph(2, 5), gallery=REGISTER)
    lead = at_desk(browsing, site, "lead.one")
    lead.goto("/staff/desk/searches")
    lead.get_by_label("Search in").select_option("payroll")
    lead.get_by_label("Compare with").select_option("civil-register")
    lead.get_by_label("False pairs that can be reviewed").fill("1")
    lead.get_by_role("button", name="What to expect").click()
    expect(lead.get_by_text("3 pairs of faces will be compared.")).to_be_visible()
    axe(lead)
    lead.get_by_role("button", name="Start the search").click()
    lead.get_by_role("link", name="Open the report").click()
    expect(lead.get_by_role("cell", name="C-2, R-2")).to_be_visible()
    axe(lead)
    lead.set_default_timeout(60_000)  # the first PDF of a process looks at every font
    for form in ("HTML", "PDF", "CSV", "JSON"):
        with lead.expect_download() as download:
            lead.get_by_role("button", name=form, exact=True).click()
        assert download.value.suggested_filename.endswith(f".{form.lower()}")
    lead.get_by_role("button", name="Make cases").click()
    expect(lead.get_by_text("1 new cases wait under Cases.")).to_be_visible()
    lead.get_by_role("button", name="Make cases").click()
    expect(lead.get_by_text("0 new cases wait under Cases.")).to_be_visible()
    lead.goto("/staff/desk/searches")
    amara = at_desk(browsing, site, "analyst.one")
    amara.goto("/staff/desk/searches")
    expect(amara.get_by_role("button", name="What to expect")).to_have_count(0)
    emeka = at_desk(browsing, site, "emeka.obi")
    emeka.goto("/staff/desk/searches")
    expect(emeka.get_by_text("No search yet")).to_be_visible()


def test_every_page_is_clean_also_in_the_language_with_the_longest_words(
    site: Served, case: CaseId, browsing: Browsing
) -> None:
    site.staff.accounts.set_language(StaffId("lead.one"), "sw")
    lead = at_desk(browsing, site, "lead.one")
    for part in (*PAGES_OF_THE_LEAD, f"/cases/{case}"):
        lead.goto(f"/staff/desk{part}")
        assert lead.locator("html").get_attribute("lang") == "sw"
        axe(lead)


def test_figures_of_a_busy_year(site: Served, office: Office, browsing: Browsing, screenshots: Path | None) -> None:
    busy_year(office)
    lead = at_desk(browsing, site, "lead.one", viewport={"width": 1280, "height": 1140})
    lead.goto("/staff/desk/figures?by=station")
    expect(lead.get_by_role("row", name="maseru-1").first).to_have_text(re.compile("maseru-1 *451 *26 *42 *21 *21"))
    expect(lead.get_by_text("Cohen's kappa is 0.7")).to_be_visible()
    axe(lead)
    photographed(lead, screenshots, "desk/figures.jpg")


def busy_year(office: Office) -> None:
    """Eleven months of visits at three stations, refusals, and cases that two analysts reviewed: rows to count."""
    engine, clock, today = office.register.engine, office.register.clock, office.register.clock.now
    number = 0
    with engine.database.write() as connection:
        for month in range(11):
            clock.now = today.replace(year=2025 + (month > 0), month=month or 12)
            when = utc_text(clock.now)
            for order, station in enumerate(("maseru-1", "leribe-1", "mokhotlong")):
                by = access("registration", client=None, clerk="thabo", station=station)
                for _ in range(1 + (month + order) % 4):
                    engine.journal.record(connection, EventKind.ENCOUNTER_REFUSED, by, gallery=PAYROLL)
                for _ in range(34 - 9 * order + 5 * (month % 4)):
                    visit = EncounterRow(
                        encounter=EncounterId(f"visit-{number}"),
                        person=PersonId("C-2"),
                        created_at=when,
                        source="station",
                        galleries=(PAYROLL,),
                        clerk="thabo",
                        station=station,
                    )
                    encounters.add(connection, visit)
                    if number % 11 == 0:
                        reviewed(connection, visit, number)
                    number += 1
    clock.now = today


def reviewed(connection: Connection, visit: EncounterRow, number: int) -> None:
    """A case of that visit, on which two analysts gave their opinions and mostly the same one."""
    first = Finding.SAME_PERSON if number % 2 else Finding.DIFFERENT_PEOPLE
    second = Finding.TWINS_OR_FAMILY if number % 7 == 0 else first
    decided = CaseRow(
        case=CaseId(f"case-{number}"),
        origin="search",
        source=f"report/{number}",
        strength="strong",
        members=1,
        galleries=(PAYROLL,),
        opened_at=visit.created_at,
        evidence=b"",
        state=CaseState.DECIDED,
        finding=first,
    )
    cases.add(connection, decided, [CaseMemberRow(decided.case, 0, visit.person, visit.encounter)])
    for analyst, finding in (("analyst.one", first), ("analyst.two", second)):
        case_opinions.add(connection, OpinionRow(decided.case, analyst, 1, False, finding, visit.created_at, b""))


def test_open_data_and_instructions_are_for_the_lead_analyst(
    site: Served, office: Office, case: CaseId, browsing: Browsing
) -> None:
    for analyst in ("amara", "binta"):
        office.casework.give_opinion(case, office.analyst(analyst), Finding.SAME_PERSON, "", office.by(analyst))
    lead = at_desk(browsing, site, "lead.one")
    lead.goto("/staff/desk/figures")
    with lead.expect_download() as download:
        lead.get_by_role("button", name="Download the CSV").click()
    assert download.value.path().read_text() == "month,by,group,measure,count\n"
    lead.goto("/staff/desk/instructions")
    with lead.expect_download() as download:
        lead.get_by_role("button", name="Download").click()
    assert len(json.loads(download.value.path().read_text())["instructions"]) == 1
    amara = at_desk(browsing, site, "analyst.one")
    for part in ("/instructions", "/escalations"):
        answer = amara.goto(f"/staff/desk{part}")
        assert answer is not None
        assert answer.status == 403
