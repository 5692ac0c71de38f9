"""The supervisor's day counts what happened at the stations of their registers, and nothing else."""

import csv
import io
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from enrolment import composition
from enrolment.enroller import EnrolmentRequest
from enrolment.supervision.day import Tally, bounds, station_day
from idverify.access import Access
from idverify.audit.events import EventKind
from idverify.ids import GalleryId, PersonId, RequestId
from idverify.storage import audit_log
from staff.accounts.accounts import Role
from tests.browser import LAPTOP, TABLET, Browsing, Served, axe, photographed, sign_in
from tests.deployments import PAYROLL, REGISTER, Register, photograph, wall
from tests.visitors import Visitor, told

UTC = ZoneInfo("UTC")


def _visit(
    register: Register, person: str, *frames: bytes, clerk: str, station: str, gallery: GalleryId = REGISTER
) -> None:
    access = Access(RequestId(f"visit-of-{person}"), "registration", clerk=clerk, station=station)
    request = EnrolmentRequest(PersonId(person), gallery, frames, access, source="station")
    composition.enroller(register.engine).enrol(request)


def _fail(register: Register, *, clerk: str, station: str, reason: str) -> None:
    access = Access(RequestId("visit-of-somebody"), "registration", clerk=clerk, station=station)
    with register.engine.database.write() as connection:
        register.engine.journal.record(connection, EventKind.ENROLMENT_FAILED, access, gallery=REGISTER, reason=reason)


def _a_day(register: Register) -> None:
    """Two clerks at two stations; C-1 to C-6 were enrolled on the day before, at no station."""
    register.clock.advance(days=1)
    _visit(register, "P-20", photograph(20, 1), clerk="thabo", station="maseru-1")
    register.clock.advance(minutes=20)
    _visit(register, "P-21", wall(), clerk="thabo", station="maseru-1")
    _visit(register, "P-21", photograph(21, 1), clerk="thabo", station="maseru-2")
    register.clock.advance(minutes=20)
    _visit(register, "P-22", photograph(1, 2), clerk="palesa", station="maseru-2")  # looks like C-1
    _fail(register, clerk="palesa", station="maseru-2", reason="quality_too_low")
    _visit(register, "P-23", photograph(23, 1), clerk="neo", station="treasury-1", gallery=PAYROLL)
    register.clock.advance(days=1)
    _visit(register, "P-24", photograph(24, 1), clerk="thabo", station="maseru-1")


def test_counts_by_clerk_and_station_are_of_that_day_and_of_those_registers(own_register: Register) -> None:
    _a_day(own_register)
    with own_register.engine.database.read() as connection:
        found = station_day(connection, date(2026, 11, 22), UTC, {REGISTER})
        everything = station_day(connection, date(2026, 11, 22), UTC, {REGISTER, PAYROLL})
        before = station_day(connection, date(2026, 11, 21), UTC, {REGISTER})
    assert found.total == Tally("", enrolled=3, refused=1, failed=1, reviewed=1)
    assert found.by_clerk == (
        Tally("palesa", enrolled=1, refused=0, failed=1, reviewed=1),
        Tally("thabo", enrolled=2, refused=1, failed=0, reviewed=0),
    )
    assert [(tally.name, tally.failure_rate) for tally in found.by_station] == [("maseru-1", 0.0), ("maseru-2", 1 / 3)]
    assert [act.time for act in found.acts] == sorted((act.time for act in found.acts), reverse=True)
    assert everything.total.enrolled == 4
    assert before.total == Tally("")
    assert before.total.failure_rate is None


def test_who_was_erased_still_counts_as_enrolled(own_register: Register) -> None:
    _a_day(own_register)
    own_register.engine.persons.erase(PersonId("P-22"), Access(RequestId("erasure"), "administration"))
    with own_register.engine.database.read() as connection:
        found = station_day(connection, date(2026, 11, 22), UTC, {REGISTER})
    assert found.total == Tally("", enrolled=3, refused=1, failed=1, reviewed=0)


def test_a_day_begins_at_midnight_of_the_deployment() -> None:
    assert bounds(date(2026, 11, 22), ZoneInfo("Africa/Maseru")) == (
        "2026-11-21T22:00:00.000Z",
        "2026-11-22T22:00:00.000Z",
    )


def test_the_first_leaf_of_a_day_is_found_by_halving(own_register: Register) -> None:
    _a_day(own_register)
    with own_register.engine.database.read() as connection:
        times = [event.time for event in audit_log.leaves_after(connection, -1)]
        for time in ("", "2026-11-22T00:00:00.000Z", "2026-11-22T09:50:00.000Z", "2026-11-23T00:00:00.000Z", "2027"):
            assert audit_log.first_since(connection, time) == sum(one < time for one in times)


def test_the_file_has_every_act_and_no_live_formula(own_register: Register, site: Served, visitor: Visitor) -> None:
    _a_day(own_register)
    _fail(own_register, clerk="thabo", station="maseru-1", reason="=HYPERLINK(1)")
    site.add_clerk("mpho", Role.SUPERVISOR)
    visitor.sign_in("mpho")
    answer = visitor.get("/staff/supervisor/day.csv?day=2026-11-22")
    assert answer.headers["content-disposition"] == 'attachment; filename="stations-2026-11-22.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(row["clerk"], row["outcome"], row["review"]) for row in rows] == [
        ("palesa", "failed", ""),
        ("palesa", "enrolled", "pending"),
        ("thabo", "enrolled", "none"),
        ("thabo", "refused", ""),
        ("thabo", "enrolled", "none"),
    ]
    today = visitor.get("/staff/supervisor/day.csv").text
    assert "'=HYPERLINK(1)" in today
    assert told(site.engine, EventKind.STAFF_LISTS_READ) == [("mpho", "file"), ("mpho", "file")]
    assert "P-2" not in answer.text


@pytest.mark.parametrize("language", ["en", "st"])
def test_the_page_of_a_day(
    own_register: Register, site: Served, browsing: Browsing, screenshots: Path | None, language: str
) -> None:
    _a_day(own_register)
    site.add_clerk("mpho", Role.SUPERVISOR, language=language)
    page = browsing.page(site, viewport=TABLET if language == "st" else LAPTOP)
    sign_in(page, "mpho")
    page.goto("/staff/supervisor?day=2026-11-22")
    assert page.locator(".figure-value").all_inner_texts() == ["3", "1", "1", "25.0%", "1"]
    axe(page)
    if language == "en":
        photographed(page, screenshots, "staff/supervisor")
    page.goto("/staff/supervisor?day=2020-01-01")
    axe(page)
