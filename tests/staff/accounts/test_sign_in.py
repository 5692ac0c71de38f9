"""Signing in: what is let in, what must wait, what is told and what is put on record."""

from collections import Counter

import pytest

from idverify.access import Access
from idverify.audit.events import EventKind
from idverify.errors import QuotaExceeded
from idverify.ids import RequestId, StaffId
from staff.accounts.accounts import Role, StaffCredentialKind
from staff.accounts.composition import Staff
from staff.accounts.one_time_codes import new_code, stored_code
from staff.accounts.passwords import Passwords
from staff.accounts.refusals import SignInRefused
from staff.accounts.throttle import FREE_TRIES
from tests.browser import ADMINISTRATION, PASSWORD, Served
from tests.deployments import REGISTER, Register
from tests.visitors import Visitor, told

SIGN_IN = Access(RequestId("tests-sign-in"), "sign-in")


@pytest.fixture
def staff(empty_register: Register) -> Staff:
    return Staff.of(empty_register.engine.deployment)


def _add(staff: Staff, name: str) -> str:
    return staff.accounts.add(
        StaffId(name),
        display_name=name.title(),
        roles=[Role.CLERK],
        galleries=[REGISTER],
        language="en",
        access=ADMINISTRATION,
    )


def test_a_password_signs_in_its_account_only(staff: Staff, empty_register: Register) -> None:
    for name in ("thabo", "palesa"):
        _add(staff, name)
    staff.credentials.set_password(StaffId("thabo"), PASSWORD, ADMINISTRATION)
    assert staff.sign_in.by_password(" Thabo ", PASSWORD, SIGN_IN).staff == "thabo"
    for name, password in (("palesa", PASSWORD), ("thabo", PASSWORD + "x"), ("nobody", PASSWORD), ("no body!", "x")):
        with pytest.raises(SignInRefused):
            staff.sign_in.by_password(name, password, SIGN_IN)
    assert told(empty_register.engine, EventKind.STAFF_SIGN_IN_FAILED) == [
        ("palesa", "wrong_password"),
        ("thabo", "wrong_password"),
        (None, "unknown_name"),
        (None, "unknown_name"),
    ]


def test_an_unknown_name_costs_the_same_work_and_gets_the_same_answer(
    site: Served, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add_clerk("thabo")
    asked: Counter[bool] = Counter()
    real = Passwords.fits

    def counted(self: Passwords, stored: bytes | None, password: str) -> bool:
        asked[stored is None] += 1
        return real(self, stored, password)

    monkeypatch.setattr(Passwords, "fits", counted)
    known = visitor.post("/staff/sign-in", {"name": "thabo", "password": "not this password"})
    unknown = visitor.post("/staff/sign-in", {"name": "thuli", "password": "not this password"})
    assert asked == {True: 1, False: 1}
    assert (known.status_code, unknown.status_code) == (401, 401)
    assert known.text.replace("thabo", "thuli") == unknown.text


@pytest.mark.parametrize("name", ["thabo", "nobody-of-that-name"])
def test_wrong_tries_in_a_row_make_the_next_one_wait(
    staff: Staff, empty_register: Register, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(staff, "thabo")
    staff.credentials.set_password(StaffId("thabo"), PASSWORD, ADMINISTRATION)
    monkeypatch.setattr(Passwords, "fits", lambda _self, stored, password: bool(stored) and password == PASSWORD)
    for _ in range(FREE_TRIES):
        with pytest.raises(SignInRefused):
            staff.sign_in.by_password(name, "wrong wrong wrong", SIGN_IN)
    waits = []
    for _ in range(8):
        with pytest.raises(QuotaExceeded) as throttled:
            staff.sign_in.by_password(name, PASSWORD, SIGN_IN)  # the right one must wait, too
        waits.append(throttled.value.retry_after_s)
        empty_register.clock.advance(seconds=waits[-1])
        with pytest.raises(SignInRefused):
            staff.sign_in.by_password(name, "wrong wrong wrong", SIGN_IN)
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    clerk = "thabo" if name == "thabo" else None
    reasons = Counter(told(empty_register.engine, EventKind.STAFF_SIGN_IN_FAILED))
    if clerk:
        assert reasons == {(clerk, "wrong_password"): 13, (clerk, "throttled"): 8}
    else:
        assert reasons == {(None, "unknown_name"): 21}


def test_a_right_password_after_the_wait_starts_the_count_anew(
    staff: Staff, empty_register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(staff, "thabo")
    staff.credentials.set_password(StaffId("thabo"), PASSWORD, ADMINISTRATION)
    monkeypatch.setattr(Passwords, "fits", lambda _self, stored, password: bool(stored) and password == PASSWORD)
    for _ in range(2):
        for _ in range(FREE_TRIES):
            with pytest.raises(SignInRefused):
                staff.sign_in.by_password("thabo", "wrong wrong wrong", SIGN_IN)
        empty_register.clock.advance(seconds=30)
        staff.sign_in.by_password("thabo", PASSWORD, SIGN_IN)


def test_a_suspended_account_is_like_an_unknown_one(staff: Staff, empty_register: Register) -> None:
    code = _add(staff, "thabo")
    staff.credentials.set_password(StaffId("thabo"), PASSWORD, ADMINISTRATION)
    staff.accounts.suspend(StaffId("thabo"), ADMINISTRATION)
    with pytest.raises(SignInRefused):
        staff.sign_in.by_password("thabo", PASSWORD, SIGN_IN)
    with pytest.raises(SignInRefused):
        staff.sign_in.by_code("thabo", code, SIGN_IN)
    staff.accounts.resume(StaffId("thabo"), ADMINISTRATION)
    assert staff.sign_in.by_password("thabo", PASSWORD, SIGN_IN).staff == "thabo"
    assert told(empty_register.engine, EventKind.STAFF_SUSPENDED)[0][1] == "thabo"


def test_a_one_time_code_is_good_once_for_a_day_and_however_it_is_typed(staff: Staff, empty_register: Register) -> None:
    code = _add(staff, "thabo")
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert staff.sign_in.by_code("thabo", typed, SIGN_IN).kind is StaffCredentialKind.CODE
    with pytest.raises(SignInRefused):
        staff.sign_in.by_code("thabo", code[:-1], SIGN_IN)
    with pytest.raises(SignInRefused):
        staff.sign_in.by_password("thabo", code, SIGN_IN)
    staff.credentials.set_password(StaffId("thabo"), PASSWORD, ADMINISTRATION)
    with pytest.raises(SignInRefused):  # used up by the password that was set
        staff.sign_in.by_code("thabo", code, SIGN_IN)
    other = _add(staff, "palesa")
    empty_register.clock.advance(hours=24)
    with pytest.raises(SignInRefused):
        staff.sign_in.by_code("palesa", other, SIGN_IN)


def test_codes_are_never_the_same_and_only_digests_are_kept() -> None:
    codes = {new_code() for _ in range(100)}
    assert len(codes) == 100
    assert all(stored == stored_code(code) and code.encode() not in stored for code, stored in codes)


def test_recovery_ends_sessions_and_credentials_and_begins_again(site: Served, visitor: Visitor) -> None:
    site.add_clerk("thabo")
    visitor.sign_in("thabo")
    code = site.staff.accounts.recover(StaffId("thabo"), ADMINISTRATION)
    assert visitor.get("/staff/").status_code == 303
    assert visitor.sign_in("thabo").status_code == 401
    assert visitor.post("/staff/first-sign-in", {"name": "thabo", "code": code}).headers["location"] == "/staff/account"
    before = visitor.token
    # With a code only, nothing but the account page opens.
    assert visitor.get("/staff/").headers["location"] == "/staff/account?next=/staff/"
    weak = {"new": "Password2026!", "again": "Password2026!"}
    assert visitor.post("/staff/account/password", weak, page="/staff/account").status_code == 422
    good = {"new": "nine brave otters", "again": "nine brave otters"}
    assert visitor.post("/staff/account/password", good, page="/staff/account").status_code == 303
    assert visitor.token != before
    assert visitor.get("/staff/").status_code == 200
    assert visitor.post("/staff/first-sign-in", {"name": "thabo", "code": code}).status_code == 401
    assert told(site.engine, EventKind.STAFF_RECOVERED)[0][1] == "thabo"


def test_a_password_is_changed_only_by_who_knows_the_present_one(site: Served, visitor: Visitor) -> None:
    site.add_clerk("thabo")
    visitor.sign_in("thabo")
    elsewhere = Visitor(site)
    elsewhere.sign_in("thabo")
    new = {"new": "nine brave otters", "again": "nine brave otters"}
    for fields in ({**new, "current": "wrong wrong wrong"}, {**new, "current": PASSWORD, "again": "nine brave otter"}):
        assert visitor.post("/staff/account/password", fields, page="/staff/account").status_code == 422
    done = visitor.post("/staff/account/password", {**new, "current": PASSWORD}, page="/staff/account")
    assert done.status_code == 303
    assert visitor.get("/staff/account").status_code == 200
    assert elsewhere.get("/staff/").status_code == 303  # whoever had the old password is out
    elsewhere.http.close()
    assert visitor.sign_in("thabo").status_code == 401
    assert visitor.sign_in("thabo", "nine brave otters").status_code == 303
