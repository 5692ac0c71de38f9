"""Visits at a station, in a real browser with a camera that sees rendered citizens."""

import re
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from idverify.audit.events import EventKind, parse
from tests.browser import PASSWORD, TABLET, axe, fill_in, photographed, sign_in
from tests.deployments import Register
from tests.laptops import CLERK, SECOND, SUPERVISOR, Laptops, citizen, out_of_focus


@dataclass
class Hands:
    """Does what a person does, and counts it: a click, or something typed into one field."""

    page: Page
    actions: int = 0

    def click(self, target: Locator) -> None:
        self.actions += 1
        target.click()

    def fill(self, label: str, text: str) -> None:
        self.actions += 1
        self.page.get_by_label(label).fill(text)

    def press(self, name: str) -> None:
        """A button of that name."""
        self.click(self.page.get_by_role("button", name=name, exact=True))


def test_a_whole_enrolment_by_mouse_in_twelve_actions(laptop: Laptops, screenshots: Path | None) -> None:
    page = laptop(*citizen(77)).page
    page.get_by_role("button", name="Sign out").click()
    page.locator("body[data-ready]").wait_for()
    hands = Hands(page)
    hands.fill("Account name", CLERK)
    hands.fill("Password", PASSWORD)
    hands.press("Sign in")
    hands.click(page.get_by_role("link", name="Enrolment").first)
    _looked_at(page, screenshots, "1-person")
    hands.fill("Person's number", "P-1024-7")
    hands.press("Continue")
    _looked_at(page, screenshots, "2-basis")
    hands.click(page.get_by_label("The person has consented"))
    hands.press("Continue")
    expect(page.locator("#advice")).to_have_attribute("data-state", "good")
    _looked_at(page, screenshots, "3-capture")
    hands.press("Take the photograph")
    expect(page.get_by_role("heading", name="Is this photograph right?")).to_be_visible()
    _looked_at(page, screenshots, "4-review")
    hands.press("Enrol")
    expect(page.get_by_role("heading", name="Enrolled")).to_be_visible()
    _looked_at(page, screenshots, "5-receipt")
    assert hands.actions <= 12
    # A reload, or the way back, shows the receipt again and enrols nobody twice.
    page.reload()
    expect(page.get_by_role("heading", name="Receipt")).to_be_visible()


def test_a_whole_enrolment_by_keyboard_alone(laptop: Laptops, own_register: Register) -> None:
    page = laptop(*citizen(78)).page
    keys = page.keyboard
    _tab_to(page, page.get_by_role("link", name="Enrolment").first)
    keys.press("Enter")
    page.locator("#number:focus").wait_for()
    keys.type("P-78")
    keys.press("Enter")
    page.get_by_label("A law requires it").wait_for()
    keys.press("ArrowDown")  # the first choice has the focus
    keys.press("Enter")
    page.locator("#take:focus").wait_for()
    keys.press("Enter")
    page.get_by_role("button", name="Enrol", exact=True).and_(page.locator(":focus")).wait_for()
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Enrolled")).to_be_visible()
    leaf = own_register.sql("SELECT leaf FROM audit_leaves WHERE event = 'encounter.enrolled' ORDER BY sequence DESC")[
        0
    ]
    event = parse(leaf[0])
    assert (event.clerk, event.station, event.purpose) == (CLERK, "maseru-1", "legal-obligation")


def test_a_duplicate_goes_to_the_analysts_and_the_clerk_sees_nobody_else(
    laptop: Laptops, screenshots: Path | None
) -> None:
    page = laptop(*citizen(2)).page
    page.goto("/staff/station/")
    _to_camera(page, "P-79")
    page.get_by_role("button", name="Take the photograph").click()
    page.get_by_role("button", name="Enrol", exact=True).click()
    expect(page.get_by_role("heading", name="Enrolled; the case goes to the analysts")).to_be_visible()
    assert "C-2" not in page.content()
    _looked_at(page, screenshots, "6-analysts")
    # The number of the first person offers them a further visit.
    page.goto("/staff/station/")
    page.get_by_label("Person's number").fill("C-2")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("This person is in the register already")).to_be_visible()
    _looked_at(page, screenshots, "7-known")
    page.get_by_role("button", name="Another number").click()
    page.get_by_label("Person's number").fill("not a number!")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("This is not a number of this register")).to_be_visible()
    axe(page)


def test_a_refused_capture_has_its_advice_and_ends_as_an_exception_that_a_second_clerk_approves(
    laptop: Laptops, own_register: Register, screenshots: Path | None
) -> None:
    page = laptop(*out_of_focus(80)).page
    page.goto("/staff/station/")
    _to_camera(page, "P-80")
    for tries in range(1, 4):
        expect(page.locator("#advice-text")).to_have_text("Hold still. The picture is blurred.")
        page.get_by_role("button", name="Take the photograph").click()
        expect(page.get_by_text(f"Tries so far: {tries}")).to_be_visible()
        expect(page.get_by_text("The photograph is not good enough")).to_be_visible()
    page.get_by_text("The photograph does not succeed").click()
    expect(page.locator("#advice")).to_have_attribute("data-state", "change")
    _looked_at(page, screenshots, "8-refused")
    page.get_by_label("Camera or light are not good enough").check()
    page.get_by_role("button", name="Record the failure").click()
    expect(page.get_by_role("heading", name="A second person must decide")).to_be_visible()
    _looked_at(page, screenshots, "9-exception")
    _approve(page, CLERK)
    expect(page.get_by_text("Nobody approves their own exception")).to_be_visible()
    axe(page)
    _approve(page, SECOND, "not the password")
    expect(page.get_by_text("Name and password of the second person do not fit")).to_be_visible()
    _approve(page, SECOND)
    expect(page.get_by_role("heading", name="Enrolled")).to_be_visible()
    assert own_register.sql("SELECT source, clerk FROM encounters WHERE person = 'P-80'") == [("exception", CLERK)]
    events = [event for (event,) in own_register.sql("SELECT event FROM audit_leaves ORDER BY sequence")]
    assert events.count(EventKind.ENCOUNTER_REFUSED) == 3
    for once in (EventKind.ENROLMENT_FAILED, EventKind.EXCEPTION_REFUSED, EventKind.EXCEPTION_APPROVED):
        assert events.count(once) == 1


def test_a_supervisor_approves_from_a_session_of_their_own(laptop: Laptops, screenshots: Path | None) -> None:
    station = laptop(*out_of_focus(81))
    page = station.page
    page.goto("/staff/station/")
    _to_camera(page, "P-81")
    for tries in range(1, 4):
        page.get_by_role("button", name="Take the photograph").click()
        expect(page.get_by_text(f"Tries so far: {tries}")).to_be_visible()
    page.get_by_text("The photograph does not succeed").click()
    page.get_by_label("Injury or illness of the face").check()
    page.get_by_role("button", name="Record the failure").click()
    # The clerk finds no way to decide in the list either.
    page.goto("/staff/station/exceptions")
    expect(page.get_by_text("Your own visit")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, SUPERVISOR)
    page.get_by_role("link", name="Exceptions").first.click()
    _looked_at(page, screenshots, "10-exceptions")
    page.get_by_role("link", name="Decide").click()
    expect(page.get_by_role("img", name="The best photograph that was taken")).to_be_visible()
    _looked_at(page, screenshots, "11-decision")
    page.get_by_label("Without a face").check()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_text("Nothing is waiting")).to_be_visible()
    axe(page)


def test_a_session_that_ends_in_the_middle_of_a_visit_loses_nothing(laptop: Laptops, own_register: Register) -> None:
    page = laptop(*citizen(82)).page
    page.goto("/staff/station/")
    _to_camera(page, "P-82")
    address = page.url
    own_register.clock.advance(hours=11)
    page.wait_for_url(re.compile("/staff/sign-in"))  # the page that asks for advice notices by itself
    fill_in(page, CLERK)
    expect(page).to_have_url(address)
    page.get_by_role("button", name="Take the photograph").click()
    expect(page.get_by_role("heading", name="Is this photograph right?")).to_be_visible()
    own_register.clock.advance(hours=11)
    page.get_by_role("button", name="Enrol", exact=True).click()
    page.wait_for_url(re.compile("/staff/sign-in"))
    fill_in(page, CLERK)
    page.get_by_role("button", name="Enrol", exact=True).click()
    expect(page.get_by_role("heading", name="Enrolled")).to_be_visible()
    assert own_register.sql("SELECT count(*) FROM encounters WHERE person = 'P-82'") == [(1,)]


def test_everything_is_there_in_sesotho_also_on_a_tablet(laptop: Laptops, screenshots: Path | None) -> None:
    page = laptop(*citizen(83), viewport=TABLET).page
    page.goto("/staff/station/")
    page.get_by_role("button", name="Sesotho").click()
    expect(page.locator("html")).to_have_attribute("lang", "st")
    _looked_at(page, screenshots, "12-sesotho-person")
    page.get_by_label("Nomoro ea motho").fill("P-83")
    page.get_by_role("button", name="Tsoela pele").click()
    page.get_by_label("Motho o fane ka tumello").check()
    page.get_by_role("button", name="Tsoela pele").click()
    expect(page.locator("#advice-text")).to_have_text("Ho lokile. Nka senepe hona joale.")
    _looked_at(page, screenshots, "13-sesotho-capture")
    page.get_by_role("button", name="Nka senepe").click()
    page.get_by_role("button", name="Ngolisa", exact=True).click()
    expect(page.get_by_role("heading", name="O ngolisitsoe")).to_be_visible()
    _looked_at(page, screenshots, "14-sesotho-receipt")


def test_practice_is_marked_on_every_page_and_writes_nothing(
    laptop: Laptops, own_register: Register, screenshots: Path | None
) -> None:
    page = laptop(*citizen(84)).page
    page.goto("/staff/station/")
    page.locator("body[data-ready]").wait_for()  # stocked up for work without a connection
    tables = ("audit_leaves", "persons", "encounters", "templates", "visits", "visit_captures", "nonces")
    before = [own_register.sql(f"SELECT count(*) FROM {table}") for table in tables]
    page.get_by_role("link", name="Practise").click()
    _looked_at(page, screenshots, "15-practice")
    expect(page.get_by_text("Everything works as in earnest")).to_be_visible()
    _to_camera(page, "P-84")
    expect(page.get_by_text("Everything works as in earnest")).to_be_visible()
    page.get_by_role("button", name="Take the photograph").click()
    expect(page.get_by_text("Everything works as in earnest")).to_be_visible()
    page.get_by_role("button", name="Enrol", exact=True).click()
    expect(page.get_by_text("This receipt is worth nothing")).to_be_visible()
    axe(page)
    assert [own_register.sql(f"SELECT count(*) FROM {table}") for table in tables] == before


def _to_camera(page: Page, number: str) -> None:
    page.get_by_label("Person's number").fill(number)
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("The person has consented").check()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("button", name="Take the photograph")).to_be_enabled()


def _approve(page: Page, name: str, password: str = PASSWORD) -> None:
    page.get_by_label("Account name of the second person").fill(name)
    page.get_by_label("Password of the second person").fill(password)
    page.get_by_label("With the best photograph").check()
    page.get_by_role("button", name="Approve").click()


def _looked_at(page: Page, screenshots: Path | None, name: str) -> None:
    """axe finds nothing, and where pictures are wanted there is one."""
    axe(page)
    photographed(page, screenshots, f"station/{name}.jpg", full_page=True)


def _tab_to(page: Page, target: Locator) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError("forty presses of Tab do not get there")
