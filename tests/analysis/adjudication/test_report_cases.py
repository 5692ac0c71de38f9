"""What a search found becomes cases: each cluster once, with its evidence, and none about whom there is one already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from analysis.adjudication.findings import Finding
from analysis.deduplication.composition import DeduplicationParts
from analysis.deduplication.report import Report
from idverify.access import no_progress
from idverify.ids import GalleryId, PersonId
from idverify.storage.cases import CaseFilter, CaseState
from idverify.stored.case_evidence import CaseOrigin, Strength
from tests.deployments import PAYROLL, REGISTER, access, photograph

if TYPE_CHECKING:
    from tests.analysis.adjudication.conftest import Office


def searched(office: Office, gallery: GalleryId, against: GalleryId | None = None) -> Report:
    parts = DeduplicationParts.of(office.register.engine.deployment)
    search = parts.searches.start(parts.searches.plan(gallery, against=against, fmr=1e-6), access())
    return parts.reports.opened(parts.searches.run(search, access(), no_progress))


@pytest.fixture
def across(office: Office) -> Report:
    """Payroll against register, where C-2's face stands under another number; no enrolment check looks across."""
    office.register.enrol("R-2", photograph(2, 5), gallery=REGISTER)
    return searched(office, PAYROLL, REGISTER)


def test_a_cluster_becomes_a_case_for_whoever_covers_all_its_galleries(office: Office, across: Report) -> None:
    assert office.parts.report_cases.open(across, office.by("lerato")) == 1
    (case,) = office.waiting(origin=CaseOrigin.SEARCH)
    view = office.show(case, "amara")
    assert view.evidence is not None
    assert {member.person for member in view.evidence.members} == {"C-2", "R-2"}
    assert view.evidence.policy == across.head.inputs.policy
    assert (view.item.galleries, view.item.strength) == ((REGISTER, PAYROLL), Strength.VERY_STRONG)
    places = {member.person: place for place, member in enumerate(view.evidence.members)}
    assert view.faces == {places[PersonId("C-2")]}  # the register keeps no pictures
    assert office.waiting("emeka", origin=CaseOrigin.SEARCH) == [case]
    payroll_only = office.analyst("emeka", galleries=frozenset({PAYROLL}))
    assert case not in [item.case for item in office.reading.queue(payroll_only, FILTER, 0)[0]]


def test_a_cluster_becomes_no_second_case(office: Office, across: Report) -> None:
    assert office.parts.report_cases.open(across, office.by("lerato")) == 1
    assert office.parts.report_cases.open(across, office.by("lerato")) == 0
    assert office.parts.report_cases.open(searched(office, PAYROLL, REGISTER), office.by("lerato")) == 0


def test_who_is_in_a_case_from_enrolment_is_in_no_other(office: Office) -> None:
    report = searched(office, PAYROLL)
    assert len(report.clusters) == 1
    assert office.parts.report_cases.open(report, office.by("lerato")) == 0
    assert len(office.waiting(origin=CaseOrigin.ENROLMENT)) == 1


def test_people_held_for_different_are_not_found_again(office: Office, across: Report) -> None:
    office.parts.report_cases.open(across, office.by("lerato"))
    (case,) = office.waiting(origin=CaseOrigin.SEARCH)
    for analyst in ("amara", "binta"):
        state = office.give(case, analyst, Finding.TWINS_OR_FAMILY)
    assert state is CaseState.DECIDED
    again = searched(office, PAYROLL, REGISTER)
    assert (again.clusters, again.head.inputs.known_non_duplicates) == ((), 1)
    office.casework.contest(case, office.analyst("amara"), 0, "We are one and the same.", office.by("amara"))
    assert len(searched(office, PAYROLL, REGISTER).clusters) == 1


FILTER = CaseFilter()
