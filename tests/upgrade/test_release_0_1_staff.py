"""What release 0.1 stored of staff, stations and visits means the same after the upgrade."""

import pytest

from tests.commands import Commands
from tests.upgrade.callers import PURPOSE, STATION, Parcel, StationBrowser, StationKey
from tests.upgrade.upgrading import Upgraded
from tests.visitors import visiting


def test_staff_sign_in_with_their_passwords_and_with_no_other(own: Upgraded) -> None:
    passwords = own.facts["passwords"]
    for name in sorted(set(passwords) - {own.facts["mistaken"]["name"]}):
        with visiting(own.site) as visitor:
            assert visitor.sign_in(name, passwords[name] + "x").status_code == 401
            assert visitor.sign_in(name, passwords[name]).status_code == 303
    assert len(passwords) == 7


def test_wrong_passwords_of_before_make_the_next_try_wait(own: Upgraded) -> None:
    mistaken = own.facts["mistaken"]
    password = own.facts["passwords"][mistaken["name"]]
    with visiting(own.site) as visitor:
        refused = visitor.sign_in(mistaken["name"], password)
        assert refused.status_code == 429
        left_s = int(refused.headers["retry-after"])
        assert mistaken["wait_s"] - 200 < left_s < mistaken["wait_s"] - 170
        own.register.clock.advance(seconds=left_s)
        assert visitor.sign_in(mistaken["name"], password).status_code == 303


def test_a_session_of_before_goes_on(shared: Upgraded) -> None:
    with visiting(shared.site) as visitor:
        assert visitor.get("/staff/").status_code == 303
        visitor.bring(shared.facts["session"]["cookie"])
        page = visitor.get("/staff/")
    assert page.status_code == 200
    assert "Supervisor One" in page.text


def test_a_one_time_code_of_before_lets_a_newcomer_in_once(own: Upgraded) -> None:
    with visiting(own.site) as visitor, visiting(own.site) as another:
        first = visitor.post("/staff/first-sign-in", own.facts["newcomer"], page="/staff/first-sign-in")
        assert first.status_code == 303
        new = {"new": "nine slow ferries", "again": "nine slow ferries"}
        assert visitor.post("/staff/account/password", new, page="/staff/account").status_code == 303
        again = another.post("/staff/first-sign-in", own.facts["newcomer"], page="/staff/first-sign-in")
        assert again.status_code == 401


def test_a_station_is_known_by_its_key_and_by_no_other(own: Upgraded) -> None:
    with own.at_station() as browser:
        assert "Station maseru-1" in browser.visitor.get("/staff/").text
    with visiting(own.site) as visitor:
        other = StationBrowser(own.site, visitor, "maseru-1", StationKey.new())
        with pytest.raises(AssertionError):
            other.sign_in("clerk.one", own.facts["passwords"]["clerk.one"])
        assert "Not at a station" in visitor.get("/staff/").text


def test_an_activation_code_of_before_makes_a_browser_a_station(own: Upgraded) -> None:
    spare = own.facts["spare_station"]
    with own.signed_in("supervisor.one") as visitor:
        StationBrowser(own.site, visitor, spare["name"], StationKey.new()).activate(spare["code"])


def test_a_printed_receipts_code_still_fits(shared: Upgraded, commands: Commands) -> None:
    receipt = shared.facts["receipt"]
    asked = ("receipt", receipt["code"], "--visit", receipt["visit"])
    assert commands("enrolment", *asked, "--person", receipt["person"]).status == 0
    assert commands("enrolment", *asked, "--person", "V-32").status == 3


def test_an_unfinished_visit_goes_on(own: Upgraded) -> None:
    begun = own.facts["begun"]
    with own.at_station() as browser:
        assert begun["visit"] in browser.visitor.get(STATION).text
        photograph = browser.visitor.get(f"{STATION}visits/{begun['visit']}/photograph")
        assert photograph.content == own.file(begun["photograph"])
        browser.act(begun["visit"], "commit")
        assert "The person is enrolled" in browser.page(begun["visit"])
    assert own.register.found(own.file(begun["photograph"])) == ["V-32"]


def test_an_unfinished_visit_goes_with_its_person(own: Upgraded) -> None:
    begun = own.facts["begun"]
    with own.agency("registration-office") as office:
        form = {"gallery": "civil-register", "purpose": PURPOSE}
        photograph = own.file(begun["photograph"])
        enrolled = office.post(f"/v1/persons/{begun['person']}/encounters", data=form, files={"images": photograph})
        assert enrolled.status_code == 201
        assert office.delete(f"/v1/persons/{begun['person']}", params={"purpose": PURPOSE}).status_code == 200
    with own.at_station() as browser:
        assert browser.visitor.get(f"{STATION}visits/{begun['visit']}").status_code == 404


def test_an_exception_that_waited_is_approved_by_a_second_person(own: Upgraded) -> None:
    waiting = own.facts["exception"]
    address = f"{STATION}exceptions/{waiting['visit']}"
    with own.signed_in("supervisor.one") as visitor:
        assert waiting["visit"] in visitor.get(f"{STATION}exceptions").text
        assert visitor.get(f"{address}/photograph").content == own.file(waiting["photograph"])
        assert visitor.post(address, {"way": "despite_quality"}, page=address).status_code == 303
        assert waiting["visit"] not in visitor.get(f"{STATION}exceptions").text
    assert [one["source"] for one in own.held_of("V-33").json()["encounters"]] == ["exception"]


def test_a_capture_that_was_sealed_before_is_taken_once(own: Upgraded) -> None:
    waiting = own.facts["waiting_capture"]
    parcel = Parcel(waiting["headers"], own.file(waiting["sealed"]))
    altered = Parcel(waiting["headers"], parcel.sealed[:-1] + bytes([parcel.sealed[-1] ^ 1]))
    with own.at_station() as browser:
        assert browser.send(altered, f"{STATION}captures").status_code == 403
        answers = [browser.send(parcel, f"{STATION}captures") for _ in range(2)]
    assert [answer.json()["ending"] for answer in answers] == ["enrolled", "enrolled"], answers[0].text
    assert [one["source"] for one in own.held_of("V-34").json()["encounters"]] == ["station-offline"]
