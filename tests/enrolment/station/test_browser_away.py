"""Captures while the service is away: kept sealed in the browser, and sent once each when it is back."""

import base64
from pathlib import Path

from playwright.sync_api import Page, Playwright, ViewportSize, expect

from staff.accounts.accounts import Role
from tests.browser import (
    LAPTOP,
    Served,
    Watched,
    activate,
    axe,
    camera_arguments,
    camera_file,
    camera_frame,
    chromium_path,
    fill_in,
    photographed,
    served,
    sign_in,
)
from tests.deployments import Register
from tests.laptops import CLERK, STATION, SUPERVISOR

PEOPLE = {"P-91": 91, "P-92": 92, "P-93": 93}


def test_three_people_captured_away_are_enrolled_once_each_when_the_service_is_back(
    playwright: Playwright, own_register: Register, tmp_path: Path, screenshots: Path | None
) -> None:
    profile = tmp_path / "profile"
    with served(own_register.engine) as site:
        port = int(site.url.rpartition(":")[2])
        with _browser(playwright, profile, site.url, tmp_path, 91) as first:
            _prepare(site, first.context.pages[0])
    # The service is gone. Each person comes to a browser that was closed in between, as over a long morning.
    for waiting, (number, seed) in enumerate(PEOPLE.items(), start=1):
        with _browser(playwright, profile, site.url, tmp_path, seed) as away:
            page = away.context.pages[0]
            page.goto("/staff/station/")
            expect(page).to_have_url(f"{site.url}/staff/station/away")
            expect(page.locator("#connection-text")).to_contain_text("cannot be reached")
            _capture(page, number)
            expect(page.locator("#count-waiting")).to_have_text(str(waiting))
            if waiting == len(PEOPLE):
                axe(page)
                photographed(page, screenshots, "station/16-away.jpg", full_page=True)
    _nothing_readable(profile)
    with (
        served(own_register.engine, port) as back,
        _browser(playwright, profile, back.url, tmp_path, 94) as again,
    ):
        page = again.context.pages[0]
        page.goto("/staff/station/away")
        # A browser that was closed has lost its session; what waits goes on waiting until somebody signs in.
        fill_in(page, CLERK)
        expect(page.locator("#count-sent")).to_have_text("3")
        expect(page.locator("#count-waiting")).to_have_text("0")
        axe(page)
        photographed(page, screenshots, "station/17-sent.jpg", full_page=True)
        again.check()
    stored = own_register.sql("SELECT person, source, clerk, station FROM encounters WHERE source = 'station-offline'")
    assert sorted(stored) == [(number, "station-offline", CLERK, STATION) for number in PEOPLE]


def _prepare(site: Served, page: Page) -> None:
    """A station whose browser has taken along what it needs."""
    site.add_clerk(CLERK)
    site.add_clerk(SUPERVISOR, Role.SUPERVISOR)
    sign_in(page, SUPERVISOR)
    activate(page, STATION, site.add_station(STATION))
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, CLERK)
    page.goto("/staff/station/")
    page.locator("body[data-ready]").wait_for()
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")


def _capture(page: Page, number: str) -> None:
    expect(page.get_by_role("button", name="Take and keep the photograph")).to_be_enabled()
    page.get_by_label("Person's number").fill(number)
    page.get_by_label("Legal basis").select_option("consent")
    page.get_by_role("button", name="Take and keep the photograph").click()
    expect(page.locator("#away-done")).to_be_visible()


class _browser(Watched):  # noqa: N801  read as a function
    """Chromium on a profile that outlives it."""

    def __init__(self, playwright: Playwright, profile: Path, url: str, folder: Path, seed: int) -> None:
        film = camera_file(folder / f"camera-{seed}.mjpeg", camera_frame(seed, 1))
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=chromium_path(),
            args=["--no-sandbox", "--disable-gpu", *camera_arguments(film)],
            viewport=ViewportSize(width=LAPTOP["width"], height=LAPTOP["height"]),
            base_url=url,
            locale="en-GB",
        )
        context.set_default_timeout(30_000)
        super().__init__(context, url)
        self.watch()

    def __enter__(self) -> "_browser":
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()


def _nothing_readable(profile: Path) -> None:
    """No number and no start of a JPEG of the camera's size stands in the browser's files."""
    files = [path.read_bytes() for path in profile.rglob("*") if path.is_file() and "IndexedDB" in str(path)]
    assert files
    for number in PEOPLE:
        for text in (number.encode(), number.encode("utf-16-le"), base64.b64encode(number.encode())):
            assert not any(text in content for content in files)
    assert not any(b"\xff\xd8\xff\xe0\x00\x10JFIF" in content for content in files)
