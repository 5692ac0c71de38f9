"""Signing in, in a real browser: stations, passkeys, first sign-in and recovery, the idle lock; each page under axe."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from idverify.audit.events import EventKind
from idverify.ids import StaffId
from staff.accounts.accounts import Role
from tests.browser import (
    ADMINISTRATION,
    LAPTOP,
    PASSWORD,
    TABLET,
    TABLET_ACROSS,
    Browsing,
    Served,
    activate,
    axe,
    fill_in,
    photographed,
    sign_in,
)
from tests.visitors import told


def add_authenticator(page: Page) -> None:
    """A platform authenticator that verifies its user, as a laptop's fingerprint reader would."""
    devices = page.context.new_cdp_session(page)
    devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_clerk_signs_in_at_an_activated_station(site: Served, browsing: Browsing, screenshots: Path | None) -> None:
    site.add_clerk("clerk.one")
    site.add_clerk("supervisor.one", Role.SUPERVISOR)
    code = site.add_station("maseru-2")
    page = browsing.page(site)
    page.goto("/")
    expect(page).to_have_url(f"{site.url}/staff/sign-in?next=/staff/")
    axe(page)
    sign_in(page, "supervisor.one")
    axe(page)
    page.goto("/staff/stations/activate")
    axe(page)
    photographed(page, screenshots, "staff/activate")
    activate(page, "maseru-2", code)
    axe(page)
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("This computer is station maseru-2.")).to_be_visible()
    fill_in(page, "clerk.one")
    expect(page.get_by_text("Station maseru-2")).to_be_visible()
    axe(page)


def test_the_stations_private_key_cannot_be_read_from_its_browser(site: Served, browsing: Browsing) -> None:
    site.add_clerk("palesa", Role.SUPERVISOR)
    page = browsing.page(site)
    sign_in(page, "palesa")
    activate(page, "maseru-2", site.add_station("maseru-2"))
    told_by_browser = page.evaluate(
        """async () => {
            const open = indexedDB.open("idverify-station", 1);
            await new Promise((done) => (open.onsuccess = done));
            const request = open.result.transaction("key").objectStore("key").get("current");
            await new Promise((done) => (request.onsuccess = done));
            const key = request.result.privateKey;
            const outcome = await crypto.subtle.exportKey("pkcs8", key).then(() => "exported", (error) => error.name);
            return { extractable: key.extractable, usages: key.usages, outcome };
        }"""
    )
    assert told_by_browser == {"extractable": False, "usages": ["sign"], "outcome": "InvalidAccessError"}


def test_a_first_sign_in_ends_with_a_passkey_that_signs_in_and_unlocks(site: Served, browsing: Browsing) -> None:
    site.add_clerk("thabo")
    code = site.staff.accounts.recover(StaffId("thabo"), ADMINISTRATION)
    page = browsing.page(site)
    add_authenticator(page)
    page.goto("/staff/sign-in")
    page.get_by_role("link", name="I was given a one-time code").click()
    page.locator("body[data-ready]").wait_for()
    axe(page)
    page.get_by_label("Account name").fill("thabo")
    page.get_by_label("One-time code").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_text("One more step")).to_be_visible()
    axe(page)
    page.get_by_label("What do you call it?").fill("station laptop")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("The passkey was added.")).to_be_visible()
    axe(page)
    # It signs in without a name.
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("Good day, Thabo")).to_be_visible()
    # And it unlocks.
    page.get_by_role("button", name="Lock").click()
    expect(page.get_by_role("heading", name="This session is locked")).to_be_visible()
    axe(page)
    page.get_by_role("button", name="Unlock with a passkey").click()
    expect(page.get_by_text("Good day, Thabo")).to_be_visible()
    assert told(site.engine, EventKind.STAFF_SIGNED_IN) == [
        ("thabo", "code"),
        ("thabo", "passkey"),
        ("thabo", "passkey"),
    ]
    assert told(site.engine, EventKind.STAFF_UNLOCKED) == [("thabo", "passkey")]


def test_a_passkey_of_a_recovered_account_opens_nothing(site: Served, browsing: Browsing) -> None:
    site.add_clerk("thabo")
    page = browsing.page(site)
    add_authenticator(page)
    sign_in(page, "thabo")
    page.goto("/staff/account")
    page.get_by_label("What do you call it?").fill("my phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("The passkey was added.")).to_be_visible()
    site.staff.accounts.recover(StaffId("thabo"), ADMINISTRATION)
    page.goto("/staff/sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("#script-problem")).to_contain_text("That did not work")
    axe(page)
    assert ("thabo", "wrong_passkey") in told(site.engine, EventKind.STAFF_SIGN_IN_FAILED)


def test_another_persons_passkey_does_not_unlock(site: Served, browsing: Browsing) -> None:
    site.add_clerk("thabo")
    site.add_clerk("palesa")
    page = browsing.page(site)
    add_authenticator(page)
    sign_in(page, "palesa")
    page.goto("/staff/account")
    page.get_by_label("What do you call it?").fill("my phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_text("The passkey was added.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    fill_in(page, "thabo")
    page.get_by_role("button", name="Lock").click()
    page.get_by_role("button", name="Unlock with a passkey").click()
    expect(page.locator("#script-problem")).to_contain_text("That did not work")
    assert told(site.engine, EventKind.STAFF_UNLOCKED) == []


def test_a_page_that_nobody_touches_locks_itself(site: Served, browsing: Browsing) -> None:
    site.add_clerk("thabo")
    page = browsing.page(site)
    page.clock.install()
    sign_in(page, "thabo")
    page.goto("/staff/account")
    page.clock.fast_forward("09:00")
    page.mouse.move(10, 10)
    page.clock.fast_forward("09:00")
    expect(page.get_by_role("heading", name="My account")).to_be_visible()
    page.clock.fast_forward("02:00")
    expect(page.get_by_role("heading", name="This session is locked")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Unlock", exact=True).click()
    expect(page).to_have_url(f"{site.url}/staff/account")
    assert told(site.engine, EventKind.STAFF_LOCKED) == [("thabo", "idle")]


@pytest.mark.parametrize(
    ("language", "viewport"), [("en", LAPTOP), ("st", TABLET), ("sw", TABLET_ACROSS)], ids=["en", "st", "sw"]
)
def test_every_page_speaks_each_language_and_fits_the_screen(
    site: Served, browsing: Browsing, language: str, viewport: dict[str, int]
) -> None:
    site.add_clerk("palesa", Role.SUPERVISOR, Role.CLERK)
    page = browsing.page(site, viewport=viewport)
    sign_in(page, "palesa")
    page.locator(f"button[value={language}]").click()
    for path in ("/", "/account", "/stations/activate", "/supervisor", "/nowhere"):
        page.goto(f"/staff{path}")
        assert page.locator("html").get_attribute("lang") == language
        axe(page)
        sideways_px = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert sideways_px == 0, path
        small = page.evaluate(
            """() => [...document.querySelectorAll("a.button, button, input:not([type=hidden]):not(.unseen), nav a")]
                .filter((one) => one.checkVisibility() && one.getBoundingClientRect().height < 44)
                .map((one) => one.outerHTML)"""
        )
        assert small == [], path


def test_the_keyboard_alone_signs_in(site: Served, browsing: Browsing) -> None:
    site.add_clerk("thabo")
    page = browsing.page(site)
    page.goto("/staff/sign-in")
    page.locator("body[data-ready]").wait_for()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("thabo")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Good day, Thabo")).to_be_visible()
