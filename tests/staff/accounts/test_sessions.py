"""A session locks when nobody is at it, and only its own person unlocks it."""

import pytest

from idverify.access import Access
from idverify.audit.events import EventKind
from idverify.ids import RequestId, StaffId, StationId
from staff.accounts.accounts import Role
from staff.accounts.refusals import GalleryForeign, RoleMissing, StationUnknown
from staff.accounts.sessions import StaffSession
from staff.accounts.stations import Station
from tests.browser import PASSWORD, Served
from tests.deployments import PAYROLL, REGISTER, Register
from tests.visitors import Visitor, told, visiting


def test_an_idle_session_locks_and_its_own_person_unlocks_it(
    site: Served, visitor: Visitor, empty_register: Register
) -> None:
    site.add_clerk("thabo")
    visitor.sign_in("thabo")
    empty_register.clock.advance(minutes=9)
    assert visitor.get("/staff/").status_code == 200
    empty_register.clock.advance(minutes=11)
    locked = visitor.get("/staff/account")
    assert (locked.status_code, locked.headers["location"]) == (303, "/staff/locked?next=/staff/account")
    script = visitor.get("/staff/", headers={"Accept": "application/json"})
    assert (script.status_code, script.json()["code"], script.json()["way_in"]) == (
        401,
        "session_locked",
        "/staff/locked",
    )
    page = visitor.get("/staff/locked?next=/staff/account")
    assert "This session is locked" in page.text
    assert visitor.post("/staff/unlock", {"password": "wrong wrong wrong"}).status_code == 401
    unlocked = visitor.post("/staff/unlock", {"password": PASSWORD, "next": "/staff/account"})
    assert unlocked.headers["location"] == "/staff/account"
    assert visitor.get("/staff/account").status_code == 200
    assert told(site.engine, EventKind.STAFF_LOCKED) == [("thabo", "idle")]
    assert told(site.engine, EventKind.STAFF_UNLOCKED) == [("thabo", "password")]


def test_the_lock_button_locks_at_once_and_the_way_out_stays_open(site: Served, visitor: Visitor) -> None:
    site.add_clerk("thabo")
    visitor.sign_in("thabo")
    assert visitor.post("/staff/lock", {"next": "/staff/account"}).headers["location"].startswith("/staff/locked")
    assert visitor.get("/staff/account").status_code == 303
    assert visitor.post("/staff/sign-out", {}).headers["location"] == "/staff/sign-in"
    assert told(site.engine, EventKind.STAFF_LOCKED) == [("thabo", "asked")]


def test_what_a_page_asks_by_itself_is_no_sign_of_life(
    site: Served, visitor: Visitor, empty_register: Register
) -> None:
    site.add_clerk("thabo")
    visitor.sign_in("thabo")
    token = visitor.token
    assert token is not None
    access = Access(RequestId("tests-watching"), "sign-in")
    for _ in range(3):
        empty_register.clock.advance(minutes=4)
        session = site.staff.sessions.find(token, access, alive=False)
    assert session is not None
    assert session.locked


def test_signing_in_again_ends_the_session_before(site: Served, visitor: Visitor) -> None:
    site.add_clerk("thabo")
    site.add_clerk("palesa")
    visitor.sign_in("thabo")
    before = visitor.token
    visitor.sign_in("palesa")
    with visiting(site) as other:
        assert before is not None
        other.bring(before)
        assert other.get("/staff/").status_code == 303


def test_a_session_may_do_what_its_account_may() -> None:
    station = Station(StationId("maseru-2"), REGISTER, suspended=False, activated=True)
    session = StaffSession(
        staff=StaffId("thabo"),
        display_name="Thabo",
        roles=frozenset({Role.CLERK}),
        galleries=frozenset({REGISTER}),
        station=station,
        language="en",
        provisional=False,
        locked=False,
        expires_at="",
        session=b"digest of a token",
        csrf_token="secret-csrf",
    )
    session.require_role(Role.CLERK, Role.SUPERVISOR)
    session.require_gallery(REGISTER)
    assert session.require_station() == station
    with pytest.raises(RoleMissing):
        session.require_role(Role.ANALYST)
    with pytest.raises(GalleryForeign):
        session.require_gallery(PAYROLL)
    assert "secret-csrf" not in repr(session)
    assert "digest" not in repr(session)


@pytest.mark.parametrize("station", [None, Station(StationId("maseru-2"), REGISTER, suspended=True, activated=True)])
def test_a_session_at_no_active_station_may_not_work_as_one(station: Station | None) -> None:
    session = StaffSession(
        staff=StaffId("thabo"),
        display_name="Thabo",
        roles=frozenset(Role),
        galleries=frozenset({REGISTER}),
        station=station,
        language="en",
        provisional=False,
        locked=False,
        expires_at="",
        session=b"",
        csrf_token="",
    )
    with pytest.raises(StationUnknown):
        session.require_station()
