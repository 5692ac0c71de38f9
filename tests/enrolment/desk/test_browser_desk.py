"""The desk in a real browser: analysts agree, disagree, try what they may not; every page without an axe violation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Page, expect

from idverify.ids import CaseId
from tests.browser import TABLET, Browsing, Served, axe, photographed, sign_in

if TYPE_CHECKING:
    from tests.enrolment.desk.conftest import Office


def at_desk(browsing: Browsing, site: Served, name: str, **options: object) -> Page:
    page = browsing.page(site, **options)
    sign_in(page, name)
    page.goto("/staff/desk")
    return page


def look(page: Page, case: CaseId) -> None:
    page.goto(f"/staff/desk/cases/{case}")
    for face in page.locator(".face img").all():
        expect(face).to_have_js_property("complete", True)


def find(page: Page, case: CaseId, finding: str, note: str = "") -> None:
    look(page, case)
    page.get_by_role("radio", name=finding).check()
    page.get_by_label("Note").fill(note)
    page.get_by_role("button", name="Save my opinion").click()
    expect(page.get_by_text("Your opinion is saved.")).to_be_visible()


def test_two_analysts_agree(
    site: Served, office: Office, browsing: Browsing, screenshots: Path | None, tmp_path: Path
) -> None:
    amara = at_desk(browsing, site, "amara.okafor")
    axe(amara)
    photographed(amara, screenshots, "desk/queue")
    amara.get_by_role("link", name="Open").click()
    case = CaseId(amara.url.rpartition("/")[2])
    look(amara, case)
    axe(amara)
    photographed(amara, screenshots, "desk/case", full_page=True)
    find(amara, case, "Same person", "The same scar and the same ears.")
    axe(amara)
    photographed(amara, screenshots, "desk/case-given", full_page=True)
    binta = at_desk(browsing, site, "binta.sow", viewport=TABLET)
    look(binta, case)
    expect(binta.get_by_text("scar")).to_have_count(0)
    axe(binta)
    photographed(binta, screenshots, "desk/case-tablet", full_page=True)
    find(binta, case, "Same person")
    expect(binta.locator(".decision-finding")).to_have_text("Same person")
    axe(binta)
    amara.goto("/staff/desk/mine")
    axe(amara)
    photographed(amara, screenshots, "desk/mine")
    look(amara, case)
    photographed(amara, screenshots, "desk/case-decided", full_page=True)
    with amara.expect_download() as download:
        amara.get_by_role("button", name="Download the instruction").click()
    assert download.value.suggested_filename == f"instruction-{case}.jws"
    amara.get_by_text("Tell the person").click()
    amara.get_by_role("button", name="Show").click()
    expect(amara.get_by_role("heading", name="If you disagree")).to_be_visible()
    axe(amara)
    photographed(amara, screenshots, "desk/letter", full_page=True)
    amara.go_back()
    amara.get_by_text("Tell the person").click()
    with amara.expect_download() as download:
        amara.get_by_role("button", name="PDF").click()
    letter = tmp_path / "letter.pdf"
    download.value.save_as(letter)
    if screenshots:
        (screenshots / "desk").mkdir(exist_ok=True, parents=True)
        download.value.save_as(screenshots / "desk" / "letter.pdf")
    assert letter.read_bytes().startswith(b"%PDF")
    for who, page in (("figures", amara),):
        page.goto(f"/staff/desk/{who}")
        axe(page)
        photographed(page, screenshots, f"desk/{who}", full_page=True)
