"""Signing in, in a real browser."""

from pathlib import Path

from playwright.sync_api import expect

from enrolment.staff.accounts import Role
from tests.browser import Browsing, Served, activate, axe, photographed, sign_in


def test_a_clerk_signs_in_at_an_activated_station(site: Served, browsing: Browsing, screenshots: Path | None) -> None:
    site.add_clerk("thabo.mokoena")
    site.add_clerk("palesa", Role.SUPERVISOR)
    code = site.add_station("maseru-2")
    page = browsing.page(site)
    page.goto("/")
    expect(page).to_have_url(f"{site.url}/staff/sign-in?next=/staff/")
    axe(page)
    photographed(page, screenshots, "sign-in")
    sign_in(page, "palesa")
    axe(page)
    activate(page, "maseru-2", code)
    axe(page)
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "thabo.mokoena")
    expect(page.get_by_text("Station maseru-2")).to_be_visible()
    axe(page)
    photographed(page, screenshots, "home")
    page.get_by_role("link", name="My account").first.click()
    axe(page)
    photographed(page, screenshots, "account")
