"""The staff of the fixture and their station: accounts, passwords, codes, visits that are done, begun or waiting."""

import re
from contextlib import AbstractContextManager

from idverify.ids import GalleryId, StaffId, StationId
from staff.accounts.accounts import Role
from staff.accounts.composition import Staff
from tests.deployments import PAYROLL, REGISTER
from tests.upgrade.callers import STATION, StationBrowser, StationKey, at_station
from tests.upgrade.making import Making, administrator
from tests.upgrade.photographs import dark, portrait
from tests.visitors import visiting

CLERK, SUPERVISOR, LEAD = "clerk.one", "supervisor.one", "lead.one"
ANALYSTS = ("analyst.one", "analyst.two", "analyst.three")
MISTAKEN, NEWCOMER = "clerk.two", "clerk.new"
_STATION, _SPARE = "maseru-1", "maseru-2"
_CODES = re.compile(r'<dd class="code">([^<]+)</dd>')
_ROLES = {
    CLERK: Role.CLERK,
    MISTAKEN: Role.CLERK,
    NEWCOMER: Role.CLERK,
    SUPERVISOR: Role.SUPERVISOR,
    LEAD: Role.LEAD_ANALYST,
    **dict.fromkeys(ANALYSTS, Role.ANALYST),
}


def found_staff(making: Making) -> None:
    """Everybody but the newcomer comes with their one-time code and sets a password."""
    accounts = Staff.of(making.register.engine.deployment).accounts
    passwords: dict[str, str] = {}
    for name, role in _ROLES.items():
        code = accounts.add(
            StaffId(name),
            display_name=name.replace(".", " ").title(),
            roles=(role,),
            galleries=(GalleryId(REGISTER), GalleryId(PAYROLL)),
            language="en",
            access=administrator(),
        )
        if name == NEWCOMER:
            making.facts["newcomer"] = {"name": name, "code": code}
            continue
        passwords[name] = f"{len(passwords) + 2} quiet herons"
        with visiting(making.site) as visitor:
            visitor.post("/staff/first-sign-in", {"name": name, "code": code}, page="/staff/first-sign-in")
            new = {"new": passwords[name], "again": passwords[name]}
            answer = visitor.post("/staff/account/password", new, page="/staff/account")
            assert answer.status_code == 303, answer.text
    making.facts["passwords"] = passwords


def found_stations(making: Making) -> None:
    """One that its supervisor activated in a browser, and one whose code nobody has used yet."""
    stations, key = Staff.of(making.register.engine.deployment).stations, StationKey.new()
    code = stations.add(StationId(_STATION), GalleryId(REGISTER), administrator())
    with making.signed_in(SUPERVISOR) as visitor:
        StationBrowser(making.site, visitor, _STATION, key).activate(code)
    spare = stations.add(StationId(_SPARE), GalleryId(REGISTER), administrator())
    making.facts["station"] = {"name": _STATION, "private_key": key.pem, "clerk": CLERK, "supervisor": SUPERVISOR}
    making.facts["spare_station"] = {"name": _SPARE, "code": spare}


def _at_station(making: Making) -> AbstractContextManager[StationBrowser]:
    return at_station(making.site, making.facts["station"], making.facts["passwords"][CLERK])


def enrol_at_station(making: Making) -> None:
    """V-31 goes home with a receipt; V-32 is photographed and not enrolled yet; V-34 waits out of reach."""
    with _at_station(making) as browser:
        done = browser.begin("V-31")
        browser.capture(done, portrait(31, 1))
        browser.act(done, "commit")
        encounter, code = _CODES.findall(browser.page(done))
        begun = browser.begin("V-32")
        photograph = portrait(32, 1)
        browser.capture(begun, photograph)
        about = {"clerk": CLERK, "person": "V-34", "basis": "consent"}
        parcel = browser.supplies().parcel(browser.key, [portrait(34, 1)], about)
    making.facts["receipt"] = {"person": "V-31", "visit": encounter, "code": code}
    making.facts["begun"] = {"person": "V-32", "visit": begun, "photograph": making.keep("V-32.jpg", photograph)}
    sealed = making.keep("V-34.sealed", parcel.sealed)
    making.facts["waiting_capture"] = {"person": "V-34", "headers": parcel.headers, "sealed": sealed}


def fail_at_station(making: Making) -> None:
    """Of V-33 no photograph is good enough; somebody else must decide."""
    with _at_station(making) as browser:
        visit = browser.begin("V-33")
        for _ in range(3):
            browser.capture(visit, dark(33))
        browser.act(visit, "failure", reason="equipment")
        kept = browser.visitor.get(f"{STATION}visits/{visit}/photograph").content
    making.facts["exception"] = {"person": "V-33", "visit": visit, "photograph": making.keep("V-33.jpg", kept)}


def mistype(making: Making) -> None:
    """Nine wrong passwords in a row, each as soon as it is looked at: the next try must wait eight minutes."""
    with visiting(making.site) as visitor:
        for waited_s in (0, 0, 0, 0, 0, 31, 61, 121, 241):
            making.register.clock.advance(seconds=waited_s)
            assert visitor.sign_in(MISTAKEN, "forgotten it, alas").status_code == 401
    making.facts["mistaken"] = {"name": MISTAKEN, "wait_s": 480}


def stay_signed_in(making: Making) -> None:
    """A session that nobody ended."""
    with making.signed_in(SUPERVISOR) as visitor:
        making.facts["session"] = {"name": SUPERVISOR, "cookie": visitor.token}
