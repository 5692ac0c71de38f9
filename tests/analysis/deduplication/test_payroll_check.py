"""The payroll check: a roster with every kind of finding against a register of rendered citizens."""

from pathlib import Path

import pytest

from analysis.deduplication import report_files, report_page
from analysis.deduplication.archive import check
from analysis.deduplication.clusters import ClusterKind
from analysis.deduplication.composition import DeduplicationParts, payroll_check_of
from analysis.deduplication.payroll_findings import PayrollFindingKind
from analysis.deduplication.report import Report
from analysis.deduplication.roster import read_roster
from idverify.access import no_progress
from idverify.ids import PersonId
from idverify.storage import duplicates
from idverify.storage.persons import PersonStatus
from tests.deployments import REGISTER, Register, access, photograph, wall

ROSTER = """payroll;person;photograph
E-01;C-1;1-9.jpg
E-02;C-2;
E-03;C-2;
E-04;C-3;70-2.jpg
E-05;;70-3.jpg
E-06;C-5;4-2.jpg
E-07;;
E-08;C-6;wall.jpg
E-09;C-6;80-1.jpg
E-10;X-99;81-1.jpg
E-11;C-4;
E-12;C-5;broken.jpg
E-13;C-1;gone.jpg
"""


@pytest.fixture
def checked(own_register: Register, tmp_path: Path) -> Report:
    for seed, day in ((1, 9), (70, 2), (70, 3), (4, 2), (80, 1), (81, 1)):
        (tmp_path / f"{seed}-{day}.jpg").write_bytes(photograph(seed, day))
    (tmp_path / "wall.jpg").write_bytes(wall())
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8 no picture")
    (tmp_path / "roster.csv").write_text(ROSTER)
    own_register.engine.persons.set_status(PersonId("C-4"), PersonStatus.DECEASED, access())
    return report(own_register, tmp_path)


def report(register: Register, folder: Path) -> Report:
    roster = read_roster(folder / "roster.csv")
    made = payroll_check_of(register.engine).run(roster, REGISTER, access("payroll-check"), no_progress, fmr=1e-5)
    return DeduplicationParts.of(register.engine.deployment).reports.read(made, access("payroll-check"))


def test_each_of_the_five_findings_is_made_and_no_other(own_register: Register, checked: Report) -> None:
    clusters = {(one.kind, tuple(member.name for member in one.members)) for one in checked.clusters}
    assert clusters == {
        (ClusterKind.SAME_FACE, ("E-01", "E-13")),
        (ClusterKind.SAME_FACE, ("E-02", "E-03")),  # one person referred to twice
        (ClusterKind.SAME_FACE, ("E-04", "E-05")),  # one face, two payroll numbers
        (ClusterKind.SAME_FACE, ("E-06", "E-11")),
        (ClusterKind.OTHER_NUMBER, ("E-06", "C-4")),  # it says C-5 and looks like C-4
    }
    found = {(one.kind, one.payroll) for one in checked.findings}
    assert found == {
        (PayrollFindingKind.NO_FACE, "E-07"),
        (PayrollFindingKind.NO_FACE, "E-08"),
        (PayrollFindingKind.NO_FACE, "E-12"),
        (PayrollFindingKind.UNKNOWN_FACE, "E-04"),
        (PayrollFindingKind.UNKNOWN_FACE, "E-05"),
        (PayrollFindingKind.UNKNOWN_FACE, "E-09"),
        (PayrollFindingKind.UNKNOWN_FACE, "E-10"),
        (PayrollFindingKind.NOT_ENROLLED, "E-10"),
        (PayrollFindingKind.DECEASED, "E-11"),
    }
    assert [(one.line, one.column) for one in checked.head.inputs.roster.defects] == [(14, "photograph")]  # type: ignore[union-attr]
    jwks = DeduplicationParts.of(own_register.engine.deployment).reports.jwks()
    assert check(checked, jwks)["jti"] == checked.head.report


def test_what_is_announced_counts_the_comparisons_that_were_made(checked: Report) -> None:
    faces = 10  # of thirteen entries three have none; E-13 lost its photograph and refers to C-1
    among = faces * (faces - 1) // 2
    own = 8  # entries with a face whose own person is one of the six
    assert checked.head.inputs.pairs == among + faces * 6 - own


def test_an_erased_person_is_not_enrolled_any_more_and_takes_the_clusters(
    own_register: Register, checked: Report, tmp_path: Path
) -> None:
    own_register.engine.persons.erase(PersonId("C-4"), access("erasure"))
    rest = DeduplicationParts.of(own_register.engine.deployment).reports.read(
        checked.head.report, access("payroll-check")
    )
    assert rest.gone == 3  # both clusters with the face of C-4, and the finding about the deceased
    again = report(own_register, tmp_path)
    assert (PayrollFindingKind.NOT_ENROLLED, "E-11") in {(one.kind, one.payroll) for one in again.findings}
    assert (PayrollFindingKind.NO_FACE, "E-11") in {(one.kind, one.payroll) for one in again.findings}


def test_a_pair_that_analysts_held_for_different_people_is_left_out(
    own_register: Register, checked: Report, tmp_path: Path
) -> None:
    deployment = own_register.engine.deployment
    with deployment.database.write() as connection:
        one, other = (deployment.stored_persons.find(connection, PersonId(each)) for each in ("C-4", "C-5"))
        assert one is not None
        assert other is not None
        name = deployment.joint_sealing.pair(one.row.pseudonym, other.row.pseudonym)
        duplicates.decide_pair(connection, name, "twins_or_family", "2026-11-21T09:30:00.000Z")
    again = report(own_register, tmp_path)
    assert all(one.kind is ClusterKind.SAME_FACE for one in again.clusters)
    assert again.head.inputs.known_non_duplicates == 2


def test_the_files_show_it_all_and_hold_no_live_formula(own_register: Register, checked: Report) -> None:
    table = report_files.as_csv(checked)
    assert table.count("\n") == 1 + 10 + 9
    shown = report_page.html(checked, {})
    for words in (
        "Payroll check",
        "E-11",
        "deceased",
        "Rows of the roster that could not be used",
        "keeps no photographs",
    ):
        assert words in shown
    assert not any(cell.startswith(("=", "+", "-", "@")) for line in table.splitlines() for cell in line.split(","))
    assert report_files.parse(shown.encode()) == checked == report_files.parse(report_files.as_json(checked))
