"""`python -m enrolment staff` and `stations`, as an administrator runs them."""

import pytest

from idverify.access import Access
from idverify.ids import RequestId
from staff.accounts.composition import Staff
from tests.commands import Commands, Told
from tests.deployments import Register


@pytest.fixture
def run(commands: Commands, empty_register: Register) -> Commands:
    empty_register.close()
    return commands


def _done(told: Told) -> str:
    assert told.status == 0, told.err
    return told.out


def _add(run: Commands, name: str, *options: str) -> Told:
    chosen = options or ("--role", "clerk", "--gallery", "civil-register", "--display-name", "Clerk One")
    return run("enrolment", "staff", "add", name, *chosen)


def test_an_account_is_added_listed_suspended_and_recovered(run: Commands, empty_register: Register) -> None:
    told = _add(run, "clerk.one")
    code = _done(told).strip()
    assert len(code) == 19
    assert "valid for 24 hours, shown this once" in told.err
    staff = Staff.of(empty_register.another().deployment)
    assert staff.sign_in.by_code("clerk.one", code, Access(RequestId("r"), "sign-in")).staff == "clerk.one"
    assert "clerk.one │ Clerk One │ active │ clerk │ civil-register │ code" in _listed(run, "staff")
    _done(run("enrolment", "staff", "change", "clerk.one", "--role", "supervisor", "--role", "clerk"))
    _done(run("enrolment", "staff", "change", "clerk.one", "--gallery", "payroll"))
    assert "active │ clerk, supervisor │ payroll │ code" in _listed(run, "staff")
    _done(run("enrolment", "staff", "suspend", "clerk.one"))
    assert "suspended" in _listed(run, "staff")
    _done(run("enrolment", "staff", "resume", "clerk.one"))
    other = _done(run("enrolment", "staff", "recover", "clerk.one")).strip()
    assert other != code
    assert "active" in _listed(run, "staff")


def test_a_station_is_added_listed_suspended_and_renewed(run: Commands) -> None:
    code = _done(run("enrolment", "stations", "add", "maseru-2", "--gallery", "civil-register")).strip()
    assert len(code) == 19
    assert "maseru-2 │ civil-register │ active │ no" in _listed(run, "stations")
    _done(run("enrolment", "stations", "suspend", "maseru-2"))
    assert "suspended" in _listed(run, "stations")
    _done(run("enrolment", "stations", "resume", "maseru-2"))
    assert _done(run("enrolment", "stations", "renew", "maseru-2")).strip() != code


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (
            ("staff", "add", "Thabo!", "--role", "clerk", "--gallery", "x", "--display-name", "T"),
            "account name: expected",
        ),
        (("staff", "suspend", "nobody"), "no account nobody"),
        (("staff", "recover", "nobody"), "no account nobody"),
        (("staff", "change", "nobody", "--role", "clerk"), "no account nobody"),
        (("stations", "add", "maseru-2", "--gallery", "nowhere"), "no gallery nowhere"),
        (("stations", "renew", "maseru-9"), "no station maseru-9"),
    ],
)
def test_what_does_not_fit_is_one_clear_line(run: Commands, arguments: tuple[str, ...], complaint: str) -> None:
    told = run("enrolment", *arguments)
    assert (told.status, told.out) == (2, "")
    assert complaint in told.err
    assert "Traceback" not in told.err


def test_a_name_is_given_once(run: Commands) -> None:
    _done(_add(run, "thabo"))
    assert "exists already" in _add(run, "thabo").err
    _done(run("enrolment", "stations", "add", "maseru-2", "--gallery", "civil-register"))
    assert "exists already" in run("enrolment", "stations", "add", "maseru-2", "--gallery", "payroll").err


def _listed(run: Commands, what: str) -> str:
    return " ".join(_done(run("enrolment", what, "list")).split())
