"""The search as a job: found, told beforehand, resumed, cancelled, on record; and what is kept of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.deduplication.archive import Reports, check
from analysis.deduplication.composition import DeduplicationParts
from analysis.deduplication.search import DuplicateSearches, SearchCancelled
from idverify.access import no_progress
from idverify.audit.events import EventKind
from idverify.errors import Conflict, InvalidInput, NotFound
from idverify.ids import PersonId
from idverify.storage import audit_log, duplicates
from idverify.storage.jobs import JobState
from idverify.vision.reader import Reader
from idverify_receipts.errors import ReceiptInvalid
from tests.commands import ROOT
from tests.deployments import PAYROLL, REGISTER, Register, access, copied, photograph

GHOSTS = {"E-11": 1, "E-12": 1, "E-13": 1, "E-40": 9, "E-41": 9}
HONEST = {"E-2": 2, "E-5": 5, "E-20": 20, "E-21": 21, "E-22": 22, "E-23": 23}


@pytest.fixture(scope="module")
def ministry_files(tmp_path_factory: pytest.TempPathFactory, register_files: Path, reader: Reader) -> Path:
    """A payroll in which citizen 1 stands under three numbers and citizen 9 under two; some are in the register."""
    folder = tmp_path_factory.mktemp("ministry")
    register = copied(register_files, folder, reader)
    for day, (person, seed) in enumerate({**GHOSTS, **HONEST}.items(), start=2):
        register.enrol(person, photograph(seed, day), gallery=PAYROLL)
    register.close()
    return folder


@pytest.fixture
def ministry(tmp_path: Path, ministry_files: Path, reader: Reader) -> Iterator[Register]:
    opened = copied(ministry_files, tmp_path, reader)
    yield opened
    opened.close()


def searches(register: Register) -> DuplicateSearches:
    return DeduplicationParts.of(register.engine.deployment).searches


def reports_of(register: Register) -> Reports:
    return DeduplicationParts.of(register.engine.deployment).reports


def started(register: Register, **asked: object) -> str:
    told = searches(register).plan(PAYROLL, **({"fmr": 1e-5, "tile_rows": 4} | asked))  # type: ignore[arg-type]
    return searches(register).start(told, access("duplicate-review"))


def run(register: Register, search: str) -> str:
    return searches(register).run(search, access("duplicate-review"), no_progress)


def clusters(register: Register, report: str) -> set[tuple[str, ...]]:
    shown = reports_of(register).read(report, access("duplicate-review"))
    return {tuple(member.name for member in one.members) for one in shown.clusters}


def test_a_search_is_told_before_it_runs(ministry: Register) -> None:
    told = searches(ministry).plan(PAYROLL, budget=0.01)
    assert told.expectation.pairs == 11 * 10 // 2
    assert told.expectation.expected == pytest.approx(0.01)
    assert told.policy == "payroll/duplicate-search/fmr-2e-04-rendered"
    assert searches(ministry).plan(PAYROLL, against=REGISTER, fmr=1e-4).expectation.pairs == 11 * 6
    with pytest.raises(InvalidInput):
        searches(ministry).plan(PAYROLL, against=PAYROLL, fmr=1e-4)


def test_every_face_under_several_numbers_is_one_cluster(ministry: Register) -> None:
    report = run(ministry, started(ministry))
    assert clusters(ministry, report) == {("E-11", "E-12", "E-13"), ("E-40", "E-41")}
    shown = reports_of(ministry).read(report, access("duplicate-review"))
    strongest = shown.clusters[0]
    assert [one.found for one in strongest.links] == [True] * 3
    assert strongest.evidence > shown.clusters[1].evidence
    assert all(one.image is not None and one.quality is not None for one in strongest.members)
    assert sum(shown.head.histogram.counts) == pytest.approx(55, abs=1)
    faces = reports_of(ministry).faces(shown)
    assert faces.keys() == {one.image for each in shown.clusters for one in each.members}
    assert all(data.startswith(b"\xff\xd8") for _, data in faces.values())


def test_between_two_galleries_a_person_is_no_duplicate_of_themself(ministry: Register) -> None:
    ministry.enrol("C-2", photograph(2, 14), gallery=PAYROLL)
    report = run(ministry, started(ministry, against=REGISTER))
    together = clusters(ministry, report)
    assert ("C-1", "E-11", "E-12", "E-13") in together
    assert ("C-2", "E-2") in together
    assert ("C-5", "E-5") in together
    assert not any("E-40" in each for each in together)


def test_a_decided_pair_is_left_out_and_counted(ministry: Register) -> None:
    deployment = ministry.engine.deployment
    with deployment.database.write() as connection:
        left, right = (deployment.stored_persons.find(connection, PersonId(one)) for one in ("E-41", "E-40"))
        assert left is not None
        assert right is not None
        name = deployment.joint_sealing.pair(left.row.pseudonym, right.row.pseudonym)
        duplicates.decide_pair(connection, name, "twins_or_family", "2026-11-21T09:30:00.000Z")
    report = run(ministry, started(ministry))
    assert clusters(ministry, report) == {("E-11", "E-12", "E-13")}
    shown = reports_of(ministry).read(report, access("duplicate-review"))
    assert shown.head.inputs.known_non_duplicates == 1


class Stopped(Exception):
    """The machine stops here."""


def test_what_was_enrolled_or_erased_meanwhile_moves_no_block(ministry: Register) -> None:
    search = started(ministry)

    def stop(what: str, done: int, _total: int) -> None:
        if what == "Comparing" and done == 3:
            raise Stopped

    with pytest.raises(Stopped):
        searches(ministry).run(search, access("duplicate-review"), stop)
    assert searches(ministry).show(search).blocks_done == 3
    ministry.enrol("E-99", photograph(9, 30), gallery=PAYROLL)
    ministry.engine.persons.erase(PersonId("E-12"), access("erasure"))
    seen = []
    report = searches(ministry).run(search, access("duplicate-review"), lambda *told: seen.append(told))
    assert [told[1:] for told in seen if told[0] == "Comparing"] == [(done, 6) for done in (4, 5, 6)]
    assert clusters(ministry, report) == {("E-11", "E-13"), ("E-40", "E-41")}


def test_a_search_that_is_through_is_not_done_again(ministry: Register) -> None:
    search = started(ministry)
    report = run(ministry, search)
    assert run(ministry, search) == report
    view = searches(ministry).show(search)
    assert (view.state, view.blocks_done, view.blocks, view.report) == (JobState.FINISHED, 6, 6, report)
    with pytest.raises(Conflict):
        searches(ministry).cancel(search, access("duplicate-review"))


def test_cancelling_leaves_nothing_behind_and_stops_a_running_search(ministry: Register) -> None:
    search = started(ministry)

    def cancel(what: str, done: int, _total: int) -> None:
        if what == "Comparing" and done == 4:
            searches(ministry).cancel(search, access("duplicate-review"))

    before = content(ministry)
    with pytest.raises(SearchCancelled):
        searches(ministry).run(search, access("duplicate-review"), cancel)
    with pytest.raises(NotFound):
        searches(ministry).show(search)
    left = content(ministry)
    assert left.pop("jobs") == []
    before.pop("jobs")
    assert left == before
    assert searches(ministry).list() == ()


def content(register: Register) -> dict[str, list[object]]:
    tables = ("jobs", "job_items", "duplicate_pairs", "reports", "report_parts", "persons", "encounters")
    return {table: register.sql(f"SELECT * FROM {table}") for table in tables}


def test_searches_and_reports_are_audited_for_everybody_whom_they_show(ministry: Register) -> None:
    search = started(ministry)
    report = run(ministry, search)
    with ministry.engine.database.read() as connection:
        kinds = [event.event for event in audit_log.leaves_after(connection, -1)][-3:]
    assert kinds == [EventKind.SEARCH_STARTED, EventKind.REPORT_MADE, EventKind.SEARCH_FINISHED]
    clusters(ministry, report)
    lines = {
        person: [line.event for line in ministry.engine.persons.accesses(PersonId(person), access("subject-access"))]
        for person in ("E-12", "E-20")
    }
    assert EventKind.PERSON_REPORTED in lines["E-12"]
    assert EventKind.PERSON_REPORTED not in lines["E-20"]


def test_a_search_of_another_agencys_gallery_is_like_none(ministry: Register) -> None:
    search = started(ministry, against=REGISTER)
    report = run(ministry, search)
    theirs = frozenset({PAYROLL})
    with pytest.raises(NotFound):
        searches(ministry).show(search, within=theirs)
    with pytest.raises(NotFound):
        reports_of(ministry).read(report, access(), within=theirs)
    assert searches(ministry).list(within=theirs) == ()
    assert reports_of(ministry).list(within=frozenset({PAYROLL, REGISTER}))[0].report == report


def test_nothing_of_a_pair_is_in_the_clear_but_one_of_the_two(ministry: Register) -> None:
    search = started(ministry)
    kept = []

    def look(what: str, done: int, total: int) -> None:
        if what == "Comparing" and done == total:
            kept.extend(ministry.sql("SELECT person, sealed FROM duplicate_pairs"))

    report = searches(ministry).run(search, access("duplicate-review"), look)
    stored = [*kept, *ministry.sql("SELECT person, sealed FROM report_parts WHERE report = ?", report)]
    assert len(kept) == 4
    for person, sealed in stored:
        assert person in GHOSTS
        assert not any(other.encode() in sealed for other in GHOSTS)
        assert b"similarity" not in sealed


def test_erasing_one_of_a_cluster_takes_the_cluster_and_leaves_the_rest_provable(ministry: Register) -> None:
    report = run(ministry, started(ministry))
    reports = reports_of(ministry)
    whole = reports.read(report, access("duplicate-review"))
    claims = check(whole, reports.jwks())
    assert claims["jti"] == report
    ministry.engine.persons.erase(PersonId("E-41"), access("erasure"))
    rest = reports.read(report, access("duplicate-review"))
    assert rest.gone == 1
    assert [tuple(member.name for member in one.members) for one in rest.clusters] == [("E-11", "E-12", "E-13")]
    assert check(rest, reports.jwks()) == claims


def test_a_report_that_was_altered_does_not_check(ministry: Register) -> None:
    reports = reports_of(ministry)
    whole = reports.read(run(ministry, started(ministry)), access("duplicate-review"))
    head = replace(whole.head, totals={"same-face": 9})
    part = replace(whole.parts[0], content=replace(whole.clusters[0], evidence=1.0))
    for altered in (
        replace(whole, head=head),
        replace(whole, parts=(part, *whole.parts[1:])),
        replace(whole, parts=whole.parts[:1]),
        replace(whole, parts=whole.parts[::-1]),
    ):
        with pytest.raises(ReceiptInvalid):
            check(altered, reports.jwks())


KILLED = """
import os, signal, sys
from analysis.deduplication.composition import DeduplicationParts
from idverify.access import Access
from idverify.administration.deployment import Deployment
from idverify.ids import RequestId
from idverify.settings import Settings

def progress(what, done, total):
    if what == "Comparing":
        print(done, flush=True)
        if done == 3:
            os.kill(os.getpid(), signal.SIGKILL)

with Deployment.open(Settings.read()) as administration:
    searches = DeduplicationParts.of(administration).searches
    searches.run(sys.argv[1], Access(RequestId("killed"), "duplicate-review"), progress)
"""


def test_killed_it_goes_on_without_repeating_a_block_or_losing_a_pair(ministry: Register) -> None:
    search = started(ministry)
    environment = {**os.environ, "IDVERIFY_DATA_DIR": str(ministry.settings.data_dir)}
    command = [sys.executable, "-c", KILLED, search]
    killed = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    done = {item for (item,) in ministry.sql("SELECT item FROM job_items WHERE job = ?", search)}
    assert len(done) == 3
    again: list[int] = []
    report = searches(ministry).run(
        search, access("duplicate-review"), lambda what, at, _: again.append(at) if what == "Comparing" else None
    )
    assert again == [4, 5, 6]
    assert clusters(ministry, report) == {("E-11", "E-12", "E-13"), ("E-40", "E-41")}
    assert ministry.sql("SELECT * FROM duplicate_pairs") == []
