"""Visits at a station, in a real browser with a camera that sees rendered citizens."""

from pathlib import Path

from playwright.sync_api import expect

from tests.browser import axe, photographed
from tests.enrolment.station.conftest import Laptops, citizen


def test_a_whole_enrolment_by_mouse(laptop: Laptops, screenshots: Path | None) -> None:
    page = laptop(*citizen(77)).page
    page.get_by_role("link", name="Enrolment").first.click()
    axe(page)
    photographed(page, screenshots, "1-person")
    page.get_by_label("Person's number").fill("P-1024-7")
    page.get_by_role("button", name="Continue").click()
    axe(page)
    photographed(page, screenshots, "2-basis")
    page.get_by_label("The person has consented").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#advice")).to_have_attribute("data-state", "good")
    axe(page)
    photographed(page, screenshots, "3-capture")
    page.get_by_role("button", name="Take the photograph").click()
    expect(page.get_by_role("heading", name="Is this photograph right?")).to_be_visible()
    axe(page)
    photographed(page, screenshots, "4-review")
    page.get_by_role("button", name="Enrol", exact=True).click()
    expect(page.get_by_role("heading", name="Enrolled")).to_be_visible()
    axe(page)
    photographed(page, screenshots, "5-done", full_page=True)
