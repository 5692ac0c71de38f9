"""Counts for dashboards and open data, from a register where things happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.adjudication.findings import Finding
from analysis.adjudication.statistics import Counts, Period
from idverify.audit.events import EventKind
from idverify.ids import CaseId
from idverify.storage.encounter_counts import Dimension
from tests.deployments import PAYROLL, REGISTER, access, wall

if TYPE_CHECKING:
    from tests.analysis.adjudication.conftest import Office


def _counts(office: Office, dimension: Dimension, period: Period = Period.MONTH) -> dict[tuple[str, str], Counts]:
    statistics = office.parts.statistics
    return dict(statistics.dashboard(dimension, period, {PAYROLL, REGISTER}).table)


def test_enrolments_refusals_and_what_became_of_cases_are_counted(office: Office, case: CaseId) -> None:
    office.register.enrol("C-9", wall(), gallery=PAYROLL, by=access("enrolment", station="maseru-1"))
    assert _counts(office, Dimension.GALLERY) == {("2026-11", PAYROLL): Counts(3, 1, 2, 0, 0)}
    assert _counts(office, Dimension.AGENCY) == {
        ("2026-11", ""): Counts(3, 0, 2, 0, 0),
        ("2026-11", "revenue-authority"): Counts(0, 1, 0, 0, 0),
    }
    assert _counts(office, Dimension.STATION) == {
        ("2026-11", "maseru-1"): Counts(2, 1, 1, 0, 0),
        ("2026-11", "maseru-2"): Counts(1, 0, 1, 0, 0),
    }
    for analyst in ("amara", "binta"):
        office.give(case, analyst, Finding.SAME_PERSON)
    by_day = _counts(office, Dimension.GALLERY, Period.DAY)
    assert len(by_day) == 19  # from the 3rd to the 21st, without gaps
    assert {day: counts for (day, _), counts in by_day.items() if counts != Counts()} == {
        "2026-11-03": Counts(1, 0, 1, 1, 0),
        "2026-11-12": Counts(1, 0, 0, 0, 0),
        "2026-11-17": Counts(1, 0, 1, 1, 0),
        "2026-11-21": Counts(0, 1, 0, 0, 0),
    }


def test_a_cleared_case_counts_as_rejected(office: Office, case: CaseId) -> None:
    for analyst in ("amara", "binta"):
        office.give(case, analyst, Finding.DIFFERENT_PEOPLE)
    assert _counts(office, Dimension.GALLERY) == {("2026-11", PAYROLL): Counts(3, 0, 2, 0, 2)}


def test_counts_stay_within_the_galleries_of_the_reader(office: Office, case: CaseId) -> None:
    for dimension in Dimension:
        assert office.parts.statistics.dashboard(dimension, Period.MONTH, {REGISTER}).table == {}


def test_open_data_has_complete_months_only_and_no_small_count(office: Office) -> None:
    statistics = office.parts.statistics
    assert statistics.open_data(office.by("chanda")) == []
    office.register.clock.advance(days=30)
    rows = statistics.open_data(office.by("chanda"))
    assert ("2026-11", "gallery", PAYROLL, "enrolments", "suppressed") in rows
    assert ("2026-11", "gallery", "all", "enrolments", "suppressed") in rows
    assert {row[-1] for row in rows} == {"suppressed"}
    assert office.events()[-1].event is EventKind.STATISTICS_EXPORTED


def test_open_data_shows_what_is_large_enough(office: Office) -> None:
    office.register.sql("UPDATE encounters SET station = 'maseru-1'")
    for number in range(12):
        office.register.sql(
            "INSERT INTO encounters SELECT ?, person, created_at, source, client, 'a clerk', 'leribe-1', review, "
            "detail "
            "FROM encounters WHERE person = 'C-2'",
            f"copy-{number}",
        )
        office.register.sql("INSERT INTO encounter_galleries VALUES (?, 'payroll')", f"copy-{number}")
        office.register.sql("UPDATE encounters SET person = 'C-1' WHERE encounter = ?", f"copy-{number}")
    office.register.clock.advance(days=30)
    rows = office.parts.statistics.open_data(office.by("chanda"))
    assert [row for row in rows if row[1] == "agency" and row[3] == "enrolments"] == [
        ("2026-11", "agency", "none", "enrolments", "15"),
        ("2026-11", "agency", "all", "enrolments", "15"),
    ]
    assert [row for row in rows if row[1] == "station" and row[3] == "enrolments"] == [
        ("2026-11", "station", "leribe-1", "enrolments", "suppressed"),
        ("2026-11", "station", "maseru-1", "enrolments", "suppressed"),
        ("2026-11", "station", "all", "enrolments", "15"),
    ]
    assert not [row for row in rows if "clerk" in str(row)]
