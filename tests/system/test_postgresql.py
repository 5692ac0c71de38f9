"""The flows on PostgreSQL, where transactions really run side by side: the log gives them one order."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from analysis.deduplication.composition import DeduplicationParts
from analysis.deduplication.search import SearchCancelled
from idverify import keys
from idverify.access import no_progress
from idverify.administration.backup import make_backup
from idverify.administration.migration import MigrationRun
from idverify.administration.restoration import restore
from idverify.audit.events import EventKind
from idverify.embedding import Embedding
from idverify.errors import PersonNotFound
from idverify.ids import PersonId
from idverify.matching.decision import Candidate, Outcome
from idverify.startup.tasks import StartupTasks
from idverify.startup.workers import DeploymentLocation, StartupWorkers
from idverify.storage import audit_log, audit_verification, record_check
from idverify.storage.database import Database
from idverify.vision.manifest import Manifest, ModelSet
from idverify.vision.reader import Reader
from tests.deployments import PAYROLL, REGISTER, Register, access, create_register, photograph, settings_of
from tests.idverify.storage.conftest import Server
from tests.moving import OLDER, PEOPLE, VETERANS, Move, found_veterans, killed_at, older_engine


@pytest.fixture
def two_services(tmp_path: Path, reader: Reader, postgresql: Server) -> Iterator[Register]:
    """A register on PostgreSQL with two running services and two people."""
    register = create_register(tmp_path, reader, database_url=postgresql.new_database("register"))
    register.another()
    register.another()
    for seed in (1, 2):
        register.enrol(f"C-{seed}", photograph(seed, 1))
    yield register
    register.close()


def test_the_main_job(two_services: Register) -> None:
    one, two = two_services.engines
    assert two_services.verify("C-1", photograph(1, 2)).decision.outcome is Outcome.MATCH
    assert two_services.verify("C-1", photograph(2, 2)).decision.outcome is Outcome.NO_MATCH
    assert two_services.found(photograph(2, 2), engine=two) == ["C-2"]
    two_services.enrol("C-3", photograph(3, 1), engine=two, gallery=PAYROLL)
    assert two_services.found(photograph(3, 2), gallery=PAYROLL) == ["C-3"]
    assert [visit.galleries for visit in one.persons.show(PersonId("C-3"), access()).encounters] == [(PAYROLL,)]
    assert two.persons.erase(PersonId("C-3"), access()).images == 1
    assert two_services.found(photograph(3, 2), gallery=PAYROLL) == []
    _check(two_services)


def test_a_duplicate_search_is_cancelled_from_beside_or_ends_in_a_report(two_services: Register) -> None:
    one, two = (DeduplicationParts.of(engine.deployment).searches for engine in two_services.engines)
    two_services.enrol("GHOST", photograph(1, 3))
    told = one.plan(REGISTER, fmr=1e-5, tile_rows=2)

    def cancel(what: str, _done: int, _total: int) -> None:
        if what == "Comparing":
            two.cancel(search, access("duplicate-review"))

    search = one.start(told, access("duplicate-review"))
    with pytest.raises(SearchCancelled):
        one.run(search, access("duplicate-review"), cancel)
    assert two.list() == ()
    report = one.run(two.start(told, access("duplicate-review")), access("duplicate-review"), no_progress)
    shown = DeduplicationParts.of(two_services.engines[1].deployment).reports.read(report, access("duplicate-review"))
    assert [[member.name for member in cluster.members] for cluster in shown.clusters] == [["C-1", "GHOST"]]
    two_services.engines[1].persons.erase(PersonId("GHOST"), access("erasure"))
    rest = DeduplicationParts.of(two_services.engines[0].deployment).reports
    assert rest.read(report, access("duplicate-review")).gone == 1
    _check(two_services)


def test_workers_of_a_start_reach_the_database_by_the_variables_of_the_service(
    tmp_path: Path, reader: Reader, postgresql: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    address, _, host = postgresql.new_database("register").partition("?host=")
    monkeypatch.setenv("PGHOST", host)
    register = create_register(tmp_path, reader, database_url=address)
    database, model, dimension = register.engine.database, reader.model, reader.dimension
    leaf_key = register.engine.deployment.keys.checkpoint_signer.leaf_key
    here = StartupTasks(database, register.engine.envelope, leaf_key, model, dimension)
    location = DeploymentLocation(register.settings.database, register.settings.root_keys)
    with StartupWorkers.gather(here, database, location, model, dimension, worth=0) as workers:
        assert len(workers.pids) == len(os.sched_getaffinity(0))
        assert sorted(workers.each("opened", [(0, 9, None)] * 4)) == [(place, []) for place in range(4)]
    register.close()


def test_of_visits_with_one_face_at_once_each_sees_those_before(two_services: Register) -> None:
    engines = two_services.engines
    answers = []

    def visit(number: int) -> None:
        answers.append(two_services.enrol(f"GHOST-{number}", photograph(9, number), engine=engines[number % 2]))

    _at_once(lambda: visit(1), lambda: visit(2), lambda: visit(3), lambda: visit(4))
    answers.sort(key=lambda answer: answer.audit_position)
    assert [len(answer.duplicates) for answer in answers] == [0, 1, 2, 3]
    for engine in engines:
        with engine.database.write() as connection:
            assert engine.galleries_in_memory.caught_up(connection, REGISTER).references == 6
    _check(two_services)


def test_nobody_is_named_after_their_erasure(two_services: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search is made before the turn in the log, and again in it when somebody was enrolled or erased meanwhile."""
    one, two = two_services.engines
    with one.database.read() as connection:
        people = one.galleries_in_memory.caught_up(connection, REGISTER)
    search_many = people.search_many
    eraser = threading.Thread(target=lambda: two.persons.erase(PersonId("C-1"), access()))
    searches: list[int] = []

    def interrupted(probes: Sequence[Embedding], *, most: int) -> list[Sequence[Candidate]]:
        found = search_many(probes, most=most)
        searches.append(len(found[0]))
        if len(searches) == 1:  # nobody's turn yet
            two.persons.erase(PersonId("C-2"), access())
        else:
            eraser.start()
            eraser.join(timeout=0.5)  # time enough, were it not for the turn
        return found

    with monkeypatch.context() as patched:
        patched.setattr(people, "search_many", interrupted)
        answer = two_services.identify(photograph(1, 2), engine=one, fpir=0.5)
    eraser.join()
    assert searches == [2, 1]
    assert "C-1" in [candidate.person for candidate in answer.candidates]
    assert answer.searched_people == 1
    with one.database.read() as connection:
        of_the_second, of_the_first = (
            leaf.sequence for leaf in audit_log.leaves_after(connection, -1, [EventKind.PERSON_ERASED])
        )
    assert of_the_second < answer.audit_position < of_the_first
    assert two_services.found(photograph(1, 2), engine=one) == []
    _check(two_services)


def test_keys_are_rotated_and_rewrapped_under_running_services(two_services: Register) -> None:
    one, two = two_services.engines
    operator = two_services.another()
    ceremony = (operator.database, two_services.settings.root_keys, operator.deployment.keys, operator.journal)

    def enrol() -> None:
        for seed in (11, 12, 13):
            two_services.enrol(f"C-{seed}", photograph(seed, 1), engine=one)

    def rotate() -> None:
        keys.rotate(*ceremony, access("rotation"))
        fresh = two_services.another()
        deployment = fresh.deployment
        keys.rewrap(fresh.database, deployment.keys, fresh.journal, access("rotation"), lambda *_: None)

    _at_once(enrol, rotate)
    keys.rewrap(operator.database, keys.open_keys(operator.database, ceremony[1]), operator.journal, access(), _silent)
    for seed in (1, 2, 11, 12, 13):
        assert two_services.found(photograph(seed, 2), engine=two) == [f"C-{seed}"]
        assert two_services.verify(f"C-{seed}", photograph(seed, 2)).decision.outcome is Outcome.MATCH
    _check(two_services)


def test_a_person_erased_twice_at_once_is_erased_once(two_services: Register) -> None:
    outcomes: list[str] = []

    def erase(number: int) -> None:
        try:
            two_services.engines[number].persons.erase(PersonId("C-1"), access())
            outcomes.append("erased")
        except PersonNotFound:
            outcomes.append("not found")

    _at_once(lambda: erase(0), lambda: erase(1))
    assert sorted(outcomes) == ["erased", "not found"]
    _check(two_services)


def _silent(_what: str, _done: int, _total: int) -> None:
    """No progress."""


def _at_once(*acts: Callable[[], object]) -> None:
    start = threading.Barrier(len(acts))
    failed: list[BaseException] = []

    def run(act: Callable[[], object]) -> None:
        start.wait()
        try:
            act()
        except BaseException as error:  # noqa: BLE001  (told by the assertion below)
            failed.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_a_backup_goes_back_into_either_kind_of_database(
    two_services: Register, postgresql: Server, tmp_path: Path, kind: str
) -> None:
    opened, file = two_services.engine.deployment, tmp_path / "of-the-day.backup"
    written = threading.Event()

    def write_meanwhile(what: str, _done: int, _total: int) -> None:
        if what == "Writing rows" and not written.is_set():
            two_services.enrol("C-3", photograph(3, 1))
            written.set()

    root_keys = two_services.settings.root_keys
    make_backup(opened.database, root_keys, opened.keys, opened.journal, access(), file, write_meanwhile)
    assert written.is_set()
    url = postgresql.new_database("restored") if kind == "postgresql" else f"sqlite:///{tmp_path}/restored.sqlite3"
    database = Database.open(url)
    restore(database, root_keys, file, two_services.clock, access(), no_progress)
    database.close()
    again = Register(
        settings_of(tmp_path, two_services.reader, database_url=url), two_services.reader, two_services.clock
    )
    assert again.verify("C-1", photograph(1, 2)).decision.outcome is Outcome.MATCH
    assert again.found(photograph(3, 2)) == []
    again.enrol("C-3", photograph(3, 1))
    assert again.found(photograph(3, 2)) == ["C-3"]
    _check(again)
    again.close()


def _check(register: Register) -> None:
    """The log verifies, every record is as it says, and a new service starts."""
    engine = register.engine
    with engine.database.read() as connection:
        audit_verification.verify(connection, engine.deployment.keys.checkpoint_signer)
        assert list(record_check.discrepancies(connection)) == []
    assert register.another().ready


def test_a_gallery_moves_to_another_embedder_though_its_move_is_killed(
    tmp_path: Path, reader: Reader, postgresql: Server, manifest: Manifest, model_set: ModelSet
) -> None:
    register = create_register(tmp_path, reader, database_url=postgresql.new_database("moving"))
    with older_engine(register, manifest, model_set) as older:
        found_veterans(register, older)
        move = Move(register, older, model_set)
        before = move.vectors()
        killed_at(move, 3)  # one person has moved, the second was about to
        assert {model for _, model in move.vectors()} == {OLDER, reader.model}
        searched = (
            register.identify(photograph(11, 2), engine=each, gallery=VETERANS) for each in (older, register.engine)
        )
        assert [answer.searched_people for answer in searched] == [len(PEOPLE), 1]
        assert move.run() == MigrationRun(moved=len(before) - 1, unreadable=(), removed=len(before))
    after = {person: vector for (person, model), vector in move.vectors().items() if model == reader.model}
    assert after == {person: vector for (person, _), vector in before.items()}
    assert register.found(photograph(11, 2), engine=register.another(), gallery=VETERANS) == PEOPLE[:1]
    register.close()
