"""Incident reports: everybody who was touched and nobody else, from the log alone, and the report is on record."""

import hashlib
import json
from datetime import UTC, datetime

import pytest

from idverify import keys
from idverify.access import Access, no_progress
from idverify.administration import incidents
from idverify.administration.deployment import Deployment
from idverify.administration.incidents import IncidentQuery, IncidentReport
from idverify.audit.events import EventKind
from idverify.errors import InvalidInput
from idverify.identification import IdentificationRequest
from idverify.ids import ClientId, GalleryId, PersonId, RequestId
from tests.deployments import PAYROLL, PEOPLE, REGISTER, Register, access, photograph

OPERATOR = Access(RequestId("request-of-amara"), "administration", clerk="amara")
THIEF = ClientId("stolen-key")


def test_a_client_touched_those_it_asked_about_and_nobody_else(own_register: Register) -> None:
    own_register.verify("C-1", photograph(1, 2), by=access(client=THIEF))
    own_register.clock.advance(hours=1)
    own_register.verify("C-1", photograph(2, 2), by=access(client=THIEF, station="window-3"))
    own_register.verify("C-2", photograph(2, 2), by=access(client="revenue-authority"))
    own_register.engine.persons.show(PersonId("C-3"), access(client=THIEF))
    own_register.verify("C-404", photograph(3, 2), by=access(client=THIEF))
    found = _report(own_register, client=THIEF)
    assert [one.person for one in found.persons] == ["C-1", "C-3"]
    first, third = found.persons
    assert (first.first, first.last) == ("2026-11-21T09:30:00.000Z", "2026-11-21T10:30:00.000Z")
    assert first.events == {EventKind.PERSON_VERIFIED: 2}
    assert first.by == ("stolen-key", "stolen-key at window-3")
    assert third.events == {EventKind.PERSON_READ: 1}
    assert found.other_events == {EventKind.PERSON_VERIFIED: 1}  # the claim on a number that nobody has
    assert (found.erased, found.unresolved, found.unreadable, found.fault) == (0, 0, 0, None)


def test_a_search_touches_those_whom_it_named(own_register: Register) -> None:
    request = IdentificationRequest(REGISTER, photograph(4, 2), access("fraud-inquiry", THIEF))
    assert [one.person for one in own_register.engine.identification.identify(request).candidates] == ["C-4"]
    found = _report(own_register, client=THIEF)
    assert [(one.person, one.events) for one in found.persons] == [("C-4", {EventKind.PERSON_IDENTIFIED: 1})]
    assert found.other_events == {EventKind.GALLERY_SEARCHED: 1}


def test_the_time_takes_in_its_start_and_not_its_end(own_register: Register) -> None:
    for hour, person in enumerate(("C-1", "C-2", "C-3", "C-4")):
        own_register.clock.now = datetime(2026, 11, 22, hour, tzinfo=UTC)
        own_register.verify(person, photograph(5, 2), by=access(client=THIEF))
    since, until = (datetime(2026, 11, 22, hour, tzinfo=UTC) for hour in (1, 3))
    assert _people(_report(own_register, client=THIEF, since=since, until=until)) == ["C-2", "C-3"]
    assert _people(_report(own_register, since=since)) == ["C-2", "C-3", "C-4"]
    assert _people(_report(own_register, client=THIEF, until=since)) == ["C-1"]


def test_gallery_station_and_clerk_are_conditions_that_all_hold(own_register: Register) -> None:
    own_register.enrol("P-7", photograph(7, 1), gallery=PAYROLL)
    for person, circumstances in {
        "C-1": {"station": "window-1", "clerk": "dayo"},
        "C-2": {"station": "window-2", "clerk": "dayo"},
        "C-3": {"station": "window-1", "clerk": "efe"},
    }.items():
        own_register.verify(person, photograph(5, 2), by=access(**circumstances))
    assert _people(_report(own_register, gallery=PAYROLL)) == ["P-7"]
    assert _people(_report(own_register, gallery=REGISTER)) == list(PEOPLE)
    assert _people(_report(own_register, station="window-1")) == ["C-1", "C-3"]
    assert _people(_report(own_register, clerk="dayo")) == ["C-1", "C-2"]
    assert _people(_report(own_register, clerk="dayo", station="window-1")) == ["C-1"]
    assert _people(_report(own_register, gallery=GalleryId("voters"))) == []


def test_who_was_erased_is_counted_and_not_named(own_register: Register) -> None:
    for person in ("C-1", "C-2"):
        own_register.verify(person, photograph(5, 2), by=access(client=THIEF))
    own_register.engine.persons.erase(PersonId("C-1"), access())
    found = _report(own_register, client=THIEF)
    assert (_people(found), found.erased, found.unresolved) == (["C-2"], 1, 0)
    assert b"C-1" not in found.document


def test_who_is_gone_without_an_erasure_is_told_apart(own_register: Register) -> None:
    own_register.verify("C-1", photograph(5, 2), by=access(client=THIEF))
    own_register.sql("DELETE FROM persons WHERE person = 'C-1'")
    found = _report(own_register, client=THIEF)
    assert (_people(found), found.erased, found.unresolved) == ([], 0, 1)


def test_a_key_version_concerns_everybody_whom_it_ever_wrapped(own_register: Register) -> None:
    at = own_register.engine.deployment
    keys.rotate(at.database, own_register.settings.root_keys, at.keys, at.journal, OPERATOR)
    own_register.enrol("C-7", photograph(7, 1), engine=own_register.another())
    assert _people(_report(own_register, key_version=1)) == list(PEOPLE)
    assert _people(_report(own_register, key_version=2)) == ["C-7"]
    opened = keys.open_keys(at.database, own_register.settings.root_keys)
    keys.rewrap(at.database, opened, at.journal, OPERATOR, no_progress)
    before = _report(own_register, key_version=1)
    assert _people(before) == list(PEOPLE)  # older copies of theirs still open with it
    assert before.persons[0].events == {EventKind.ENCOUNTER_ENROLLED: 1}
    after = _report(own_register, key_version=2)
    assert _people(after) == [*PEOPLE, "C-7"]
    assert after.persons[0].events == {EventKind.KEYS_REWRAPPED: 1}
    own_register.engine.persons.erase(PersonId("C-7"), access())
    assert _report(own_register, key_version=2).erased == 1
    for never in (0, 3):
        with pytest.raises(InvalidInput, match="expected 1 to 2"):
            _report(own_register, key_version=never)


def test_a_key_version_also_concerns_whom_only_the_database_knows(own_register: Register) -> None:
    own_register.sql(
        "UPDATE audit_leaves SET leaf = x'00' WHERE person = (SELECT pseudonym FROM persons WHERE person='C-3')"
    )
    found = _report(own_register, key_version=1)
    assert _people(found) == list(PEOPLE)
    assert found.unreadable == 1


@pytest.mark.parametrize("damage", ["substr(leaf, 1, 40)", "'text'", "5", "zeroblob(9)"])
def test_a_log_that_was_tampered_with_is_reported_with_what_is_left(own_register: Register, damage: str) -> None:
    for person in ("C-1", "C-2"):
        own_register.verify(person, photograph(5, 2), by=access(client=THIEF))
    ((last,),) = own_register.sql("SELECT max(sequence) FROM audit_leaves")
    own_register.sql(f"UPDATE audit_leaves SET leaf = {damage} WHERE sequence = ?", last - 1)
    found = _report(own_register, client=THIEF)
    assert (_people(found), found.unreadable) == (["C-2"], 1)
    assert found.fault is not None
    assert f"audit leaf {last - 1}" in found.fault


def test_a_report_is_on_record_by_the_digest_of_its_document(own_register: Register) -> None:
    found = _report(own_register, client=ClientId("revenue-authority"))
    ((leaf,),) = own_register.sql("SELECT leaf FROM audit_leaves ORDER BY sequence DESC LIMIT 1")
    event = json.loads(leaf)
    assert (event["event"], event["clerk"]) == (EventKind.INCIDENT_REPORTED, "amara")
    digest = hashlib.sha256(found.document).hexdigest()
    assert event["records"] == {f"incident-reports/{OPERATOR.request}": digest}
    document = json.loads(found.document)
    assert document["asked"] == {"client": "revenue-authority"}
    assert [one["person"] for one in document["persons"]] == list(PEOPLE)


def test_nothing_is_shown_that_cannot_be_recorded(own_register: Register) -> None:
    own_register.sql("CREATE TRIGGER full BEFORE INSERT ON audit_leaves BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(Exception, match="disk full"):
        _report(own_register, client=THIEF)


@pytest.mark.parametrize(
    ("conditions", "message"),
    [
        ({}, "expected a client"),
        ({"key_version": 1, "client": THIEF}, "by itself"),
        ({"since": datetime(2026, 1, 2, tzinfo=UTC), "until": datetime(2026, 1, 2, tzinfo=UTC)}, "before its end"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(conditions: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        IncidentQuery(**conditions)  # type: ignore[arg-type]


def _report(register: Register, **conditions: object) -> IncidentReport:
    query = IncidentQuery(**conditions)  # type: ignore[arg-type]
    with Deployment.open(register.settings, clock=register.clock) as deployment:  # as the command line does
        return incidents.report(deployment, query, OPERATOR, no_progress)


def _people(found: IncidentReport) -> list[str]:
    return [one.person for one in found.persons]
