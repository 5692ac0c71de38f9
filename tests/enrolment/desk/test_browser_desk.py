"""The desk in a real browser: analysts agree, disagree, try what they may not; every page without an axe violation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from enrolment.desk.findings import Finding
from enrolment.desk.instructions import check
from idverify.audit.events import EventKind
from idverify.ids import CaseId
from tests.browser import TABLET, TABLET_ACROSS, Browsing, Served, axe, photographed, sign_in

if TYPE_CHECKING:
    from tests.enrolment.desk.conftest import Office

PAGES = ("", "/mine", "/searches", "/reports", "/figures")
PAGES_OF_THE_LEAD = (*PAGES, "/escalations", "/instructions")


@pytest.fixture
def case(site: Served, office: Office) -> CaseId:
    """The case of C-1 and GHOST, on a desk that is served."""
    return office.take_in()


def at_desk(browsing: Browsing, site: Served, name: str, **options: object) -> Page:
    page = browsing.page(site, **options)
    sign_in(page, name)
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
    amara = at_desk(browsing, site, "amara.okafor")
    amara.goto("/staff/desk")
    photographed(amara, screenshots, "desk/queue")
    amara.get_by_role("link", name="Open").click()
    case = CaseId(amara.url.rpartition("/")[2])
    look(amara, case)
    axe(amara)
    photographed(amara, screenshots, "desk/case", full_page=True)
    find(amara, case, "Same person", "The same ears and the same hairline.")
    axe(amara)
    binta = at_desk(browsing, site, "binta.sow", viewport=TABLET)
    find(binta, case, "Same person")
    expect(binta.locator(".decision-finding")).to_have_text("Same person")
    axe(binta)
    amara.goto("/staff/desk/mine")
    amara.get_by_label("Number of the case").fill(case[:8])
    amara.get_by_role("button", name="Open").click()
    expect(amara.locator(".opinions li")).to_have_count(2)
    photographed(amara, screenshots, "desk/decided", full_page=True)
    with amara.expect_download() as download:
        amara.get_by_role("button", name="Download the instruction").click()
    claims = check(download.value.path().read_text(), office.town.engine.receipts.jwks())
    assert (claims["action"], claims["persons"]) == ("treat_as_one_person", ["C-1", "GHOST"])


def test_the_second_review_is_blind(site: Served, case: CaseId, browsing: Browsing) -> None:
    """What the second analyst's browser gets of queue and case is the same, whether or not the first one has spoken."""
    binta = at_desk(browsing, site, "binta.sow")

    def seen() -> list[str]:
        shown = []
        for address in ("/staff/desk", f"/staff/desk/cases/{case}", "/staff/desk/mine", "/staff/desk/figures"):
            binta.goto(address)
            shown.append(binta.content())
        return shown

    before = seen()
    find(at_desk(browsing, site, "amara.okafor"), case, "Twins or family", "A mole that only one of them has.")
    assert seen() == before


def test_two_who_disagree_leave_it_to_the_lead_analyst(
    site: Served, case: CaseId, browsing: Browsing, screenshots: Path | None
) -> None:
    amara = at_desk(browsing, site, "amara.okafor")
    find(amara, case, "Same person", "The same ears.")
    find(at_desk(browsing, site, "binta.sow"), case, "Twins or family", "Other eyebrows.")
    lead = at_desk(browsing, site, "lerato.nthane", viewport=TABLET_ACROSS)
    lead.goto("/staff/desk/escalations")
    axe(lead)
    lead.get_by_role("link", name="Open").click()
    expect(lead.locator(".opinions li")).to_have_count(2)
    look(lead, case)
    axe(lead)
    photographed(lead, screenshots, "desk/escalated", full_page=True)
    find(lead, case, "Twins or family")
    look(amara, case)
    expect(amara.locator(".decision-finding")).to_have_text("Twins or family")
    expect(amara.get_by_text("A lead analyst decided.")).to_be_visible()


def test_nobody_decides_twice(site: Served, office: Office, case: CaseId, browsing: Browsing) -> None:
    amara = at_desk(browsing, site, "amara.okafor")
    twin = amara.context.new_page()
    look(twin, case)
    find(amara, case, "Same person")
    expect(amara.get_by_role("button", name="Save my opinion")).to_have_count(0)
    twin.get_by_role("radio", name="Different people").check()
    with twin.expect_response("**/opinion") as answered:
        twin.get_by_role("button", name="Save my opinion").click()
    assert answered.value.status == 409
    axe(twin)
    assert refusals(office) == [("amara.okafor", "decided_before")]


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
    amara = at_desk(browsing, site, "amara.okafor")
    address = f"/staff/desk/cases/{case}/faces/0"
    face = amara.request.get(address)
    assert (face.status, face.headers["content-type"], face.headers["cache-control"]) == (200, "image/jpeg", "no-store")
    looks = [event for event in office.events("GHOST") if event.event is EventKind.FACE_VIEWED]
    assert [(event.clerk, event.purpose) for event in looks] == [("amara.okafor", "duplicate-review")]
    stranger = browsing.page(site)
    assert "/staff/sign-in" in stranger.request.get(address).url
    site.add_clerk("thabo.clerk")
    clerk = at_desk(browsing, site, "thabo.clerk")
    assert clerk.request.get(address).status == 403
    amara.goto("/staff/")
    amara.get_by_role("button", name="Sign out").click()
    assert "/staff/sign-in" in amara.request.get(address).url
    assert len([event for event in office.events("GHOST") if event.event is EventKind.FACE_VIEWED]) == 1


def test_faces_are_enlarged_together_by_keyboard(site: Served, case: CaseId, browsing: Browsing) -> None:
    amara = at_desk(browsing, site, "amara.okafor")
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
    amara = at_desk(browsing, site, "amara.okafor")
    find(amara, case, "Same person")
    find(at_desk(browsing, site, "binta.sow"), case, "Same person")
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
    chanda = at_desk(browsing, site, "chanda.mwale")
    chanda.goto("/staff/desk")
    expect(chanda.get_by_text("Contested")).to_be_visible()
    look(chanda, case)
    expect(chanda.get_by_text("I was never at that office.")).to_be_visible()
    expect(chanda.locator(".opinions")).to_have_count(0)
    axe(chanda)
    told = [event.event for event in office.events("GHOST") if event.clerk == "amara.okafor"]
    assert told.count(EventKind.CASE_NOTICE) == 4
    assert EventKind.CASE_CONTESTED in told


def test_a_search_says_what_to_expect_runs_and_becomes_cases(
    site: Served, office: Office, browsing: Browsing, screenshots: Path | None
) -> None:
    lead = at_desk(browsing, site, "lerato.nthane")
    lead.goto("/staff/desk/searches")
    axe(lead)
    lead.get_by_label("Search in").select_option("payroll")
    lead.get_by_label("False pairs that can be reviewed").fill("1")
    lead.get_by_role("button", name="What to expect").click()
    expect(lead.get_by_text("3 pairs of faces will be compared.")).to_be_visible()
    axe(lead)
    photographed(lead, screenshots, "desk/plan")
    lead.get_by_role("button", name="Start the search").click()
    lead.get_by_role("link", name="Open the report").click()
    expect(lead.get_by_text("C-1, GHOST")).to_be_visible()
    axe(lead)
    photographed(lead, screenshots, "desk/report", full_page=True)
    for form in ("HTML", "PDF", "CSV", "JSON"):
        with lead.expect_download() as download:
            lead.get_by_role("button", name=form, exact=True).click()
        assert download.value.suggested_filename.endswith(f".{form.lower()}")
    lead.get_by_role("button", name="Make cases").click()
    expect(lead.get_by_text("1 new cases wait under Cases.")).to_be_visible()
    lead.get_by_role("button", name="Make cases").click()
    expect(lead.get_by_text("0 new cases wait under Cases.")).to_be_visible()
    lead.goto("/staff/desk/searches")
    axe(lead)
    photographed(lead, screenshots, "desk/searches")
    amara = at_desk(browsing, site, "amara.okafor")
    amara.goto("/staff/desk/searches")
    expect(amara.get_by_role("button", name="What to expect")).to_have_count(0)
    emeka = at_desk(browsing, site, "emeka.obi")
    emeka.goto("/staff/desk/searches")
    expect(emeka.get_by_text("No search yet")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "st", "sw"])
def test_every_page_is_clean_in_every_language(
    site: Served, case: CaseId, browsing: Browsing, screenshots: Path | None, language: str
) -> None:
    lead = at_desk(browsing, site, "lerato.nthane")
    for part in (*PAGES_OF_THE_LEAD, f"/cases/{case}"):
        lead.goto(f"/staff/desk{part}")
        if part == "" and language != "en":
            lead.locator(f"button[name=language][value={language}]").click()
        assert lead.locator("html").get_attribute("lang") == language
        axe(lead)
        name = part.strip("/").partition("/")[0] or "queue"
        photographed(lead, screenshots, f"desk/{language}/{name}", full_page=True)


def test_open_data_and_instructions_are_for_the_lead_analyst(
    site: Served, office: Office, case: CaseId, browsing: Browsing
) -> None:
    for analyst in ("amara", "binta"):
        office.desk.give(case, office.analyst(analyst), Finding.SAME_PERSON, "", office.by(analyst))
    lead = at_desk(browsing, site, "lerato.nthane")
    lead.goto("/staff/desk/figures")
    with lead.expect_download() as download:
        lead.get_by_role("button", name="Download the CSV").click()
    assert download.value.path().read_text() == "month,by,group,measure,count\n"
    lead.goto("/staff/desk/instructions")
    with lead.expect_download() as download:
        lead.get_by_role("button", name="Download").click()
    assert len(json.loads(download.value.path().read_text())["instructions"]) == 1
    amara = at_desk(browsing, site, "amara.okafor")
    for part in ("/instructions", "/escalations"):
        answer = amara.goto(f"/staff/desk{part}")
        assert answer is not None
        assert answer.status == 403
