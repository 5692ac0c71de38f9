"""Galleries move from one embedder to another: nobody is lost on the way, whatever happens meanwhile."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest

from idverify.administration.migration import MigrationRun
from idverify.audit.events import EventKind
from idverify.engine import Engine
from idverify.errors import Conflict, DemonstrationOnly, EmbedderMismatch, InvalidInput, RecordRolledBack
from idverify.galleries.definitions import GalleryPolicy
from idverify.ids import GalleryId, ModelDigest, PersonId
from idverify.matching.decision import Outcome
from idverify.protection.envelope import SealContext
from idverify.storage import galleries, gallery_migration
from idverify.vision.manifest import BUILTIN, Manifest, ModelSet
from idverify.vision.reader import Reader
from tests.commands import Commands
from tests.deployments import KEEPING, POLICY, access, copied, photograph, wall
from tests.moving import OLDER, PEOPLE, VETERANS, Move, found_veterans, killed_at, older_engine


@pytest.fixture(scope="module")
def veterans_files(
    tmp_path_factory: pytest.TempPathFactory,
    empty_register_files: Path,
    reader: Reader,
    manifest: Manifest,
    model_set: ModelSet,
) -> Path:
    """The files of a deployment with veterans of the older embedder; copy before use."""
    folder = tmp_path_factory.mktemp("veterans")
    register = copied(empty_register_files, folder, reader)
    with older_engine(register, manifest, model_set) as older:
        found_veterans(register, older)
    register.close()
    return folder


@pytest.fixture
def move(
    tmp_path: Path, veterans_files: Path, reader: Reader, manifest: Manifest, model_set: ModelSet
) -> Iterator[Move]:
    register = copied(veterans_files, tmp_path, reader)
    with older_engine(register, manifest, model_set) as older:
        yield Move(register, older, model_set)
    register.close()


def found_by(engine: Engine, move: Move, seed: int) -> list[PersonId]:
    return move.register.found(photograph(seed, 2), engine=engine, gallery=VETERANS)


def test_everybody_moves_and_the_old_templates_go(move: Move) -> None:
    before = move.vectors()
    assert move.run() == MigrationRun(moved=len(PEOPLE), unreadable=(), removed=len(PEOPLE))
    after = move.vectors()
    assert {person for person, _ in before} == {person for person, _ in after} == set(PEOPLE)
    assert {model for _, model in before} == {OLDER}
    assert {model for _, model in after} == {move.register.reader.model}
    # The same photograph through the same network: the embedding, not the old template under a new name.
    assert {person: vector for (person, _), vector in before.items()} == {
        person: vector for (person, _), vector in after.items()
    }
    assert move.register.verify("V-11", photograph(11, 2), gallery=VETERANS).decision.outcome is Outcome.MATCH
    assert found_by(move.newer, move, 12) == ["V-12"]


def test_a_moved_gallery_loads_again_and_counts_once(move: Move) -> None:
    move.run()
    again = move.register.another()  # which holds every record against the log
    assert found_by(again, move, 13) == ["V-13"]
    (view,) = (each for each in again.galleries.list() if each.gallery == VETERANS)
    size = again.galleries.size(view.gallery)
    assert (size.people, size.references, view.model) == (len(PEOPLE), len(PEOPLE), move.register.reader.model)


def test_until_it_is_done_both_search_and_only_the_old_one_decides(move: Move) -> None:
    searched: list[int] = []

    def look() -> None:
        assert found_by(move.older, move, 11) == ["V-11"]
        answer = move.register.identify(photograph(11, 2), gallery=VETERANS)
        searched.append(answer.searched_people)
        with pytest.raises(EmbedderMismatch):
            move.register.verify("V-11", photograph(11, 2), gallery=VETERANS)
        with pytest.raises(EmbedderMismatch):
            move.register.enrol("V-90", photograph(90, 1), gallery=VETERANS)

    assert move.newer.ready
    move.run(look)
    assert searched == list(range(1, len(PEOPLE) + 1))
    with pytest.raises(EmbedderMismatch):
        found_by(move.older, move, 11)


def test_who_is_enrolled_meanwhile_moves_too_and_who_is_erased_is_gone(move: Move) -> None:
    acts: Iterator[Callable[[], object]] = iter(
        [
            lambda: move.register.enrol("V-17", photograph(17, 1), gallery=VETERANS, engine=move.older),
            lambda: move.older.persons.erase(PEOPLE[0], access()),
            lambda: move.older.persons.erase(PEOPLE[-1], access()),
        ]
    )

    def act() -> None:
        for do in islice(acts, 1):
            do()

    assert move.run(act).done
    people = {person for person, _ in move.vectors()}
    assert people == {*PEOPLE[1:-1], "V-17"}
    assert found_by(move.register.another(), move, 17) == ["V-17"]


def test_every_step_is_on_record(move: Move) -> None:
    (before,) = move.register.sql("SELECT size FROM audit_head")
    move.run()
    written = move.register.sql("SELECT event FROM audit_leaves WHERE sequence >= ? ORDER BY sequence", before[0])
    assert [event for (event,) in written] == [
        EventKind.GALLERY_MOVE_STARTED,
        *[EventKind.ENCOUNTER_REEMBEDDED] * len(PEOPLE),
        EventKind.GALLERY_MOVED,
        EventKind.TEMPLATES_REMOVED,
    ]
    seen = move.newer.persons.accesses(PEOPLE[0], access())
    assert EventKind.ENCOUNTER_REEMBEDDED in [each.event for each in seen]


def test_a_second_run_finds_nothing_to_do(move: Move) -> None:
    move.run()
    assert move.run() == MigrationRun(moved=0, unreadable=(), removed=0)


def test_an_old_template_put_back_is_found_out(move: Move) -> None:
    columns = "template, encounter, person, generation, model, dimension, dtype, sealed"
    (row, *_) = move.register.sql(f"SELECT {columns} FROM templates WHERE model = ?", OLDER)
    move.run()
    move.register.sql(f"INSERT INTO templates ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *row)
    with pytest.raises(RecordRolledBack, match=f"unlogged: templates/{row[0]}"):
        move.register.another()


def test_a_photograph_without_a_face_keeps_the_gallery_where_it_is(move: Move) -> None:
    """As one that an older, more generous detector accepted."""
    _put_photograph(move, PEOPLE[2], wall())
    result = move.run()
    assert (result.moved, len(result.unreadable), result.done) == (len(PEOPLE) - 1, 1, False)
    assert move.model() == OLDER
    assert found_by(move.older, move, 13) == ["V-13"]
    move.older.persons.erase(PEOPLE[2], access())
    assert move.run().done
    assert move.model() == move.register.reader.model


def test_without_photographs_nothing_starts(move: Move) -> None:
    name = GalleryId("tourists")
    move.older.galleries.add(name, demonstration=True, policy=POLICY, access=access())
    move.register.enrol("T-1", photograph(21, 1), gallery=name, engine=move.older)
    with pytest.raises(InvalidInput, match="of 1 encounters no photograph is kept"):
        move.run(gallery=name)
    with move.newer.database.read() as connection:
        assert galleries.get(connection, name).moving_to is None


def test_a_gallery_of_real_people_does_not_move_to_the_built_in_set(move: Move, manifest: Manifest) -> None:
    voters = GalleryId("voters")
    row = galleries.GalleryRow(voters, False, OLDER, "2026-11-21T09:30:00.000Z", GalleryPolicy().as_json())
    with move.newer.database.write() as connection:
        galleries.add(connection, row)
    move.model_set = manifest.set(BUILTIN)
    with pytest.raises(DemonstrationOnly, match="gallery voters is of real people"):
        move.run(gallery=voters)


def test_one_move_at_a_time(move: Move, model_set: ModelSet) -> None:
    with move.newer.database.write() as connection:
        galleries.set_model(connection, VETERANS, OLDER, ModelDigest("ab" * 32))
    with pytest.raises(Conflict, match="it is moving to embedder abababababab"):
        move.run()


def test_a_template_that_another_gallery_needs_stays(move: Move) -> None:
    ((encounter,),) = move.register.sql("SELECT encounter FROM encounters WHERE person = ?", PEOPLE[0])
    other = GalleryId("pensioners")
    move.older.galleries.add(other, demonstration=True, policy=KEEPING, access=access())
    assert move.newer.ready  # loaded before this, which the log is not told of
    move.register.sql("INSERT INTO encounter_galleries (encounter, gallery) VALUES (?, ?)", encounter, other)
    assert move.run().removed == len(PEOPLE) - 1
    with move.newer.database.read() as connection:
        assert gallery_migration.has_template(connection, encounter, OLDER)
    assert move.run(gallery=other) == MigrationRun(moved=0, unreadable=(), removed=1)


def test_killed_at_any_moment_it_ends_as_if_it_had_not_been(
    veterans_files: Path, move: Move, commands: Commands, tmp_path_factory: pytest.TempPathFactory, reader: Reader
) -> None:
    whole = copied(veterans_files, tmp_path_factory.mktemp("whole"), reader)
    uninterrupted = Move(whole, move.older, move.model_set)
    uninterrupted.run()
    move.older.close()
    move.register.close()
    # The leaf of each run at which it is killed, and how many people have moved when the next one begins.
    for leaf, moved in ((1, 0), (3, 1), (3, 3), (4, 6), (2, 6)):
        killed_at(move, leaf)
        assert len(move.register.sql("SELECT template FROM templates WHERE model <> ?", OLDER)) == moved
    finished = commands.process("idverify", "galleries", "migrate", VETERANS, "--to", move.model_set.name)
    assert finished.status == 0, finished.err
    assert "The gallery belongs to it now; 6 old templates are removed." in finished.out
    assert move.vectors() == uninterrupted.vectors()
    assert move.model() == uninterrupted.model() == reader.model
    assert found_by(move.newer, move, 14) == ["V-14"]
    whole.close()


def _put_photograph(move: Move, person: PersonId, photograph_: bytes) -> None:
    """Seal another photograph where the person's own was kept; the log is not told, so load no galleries after it."""
    engine = move.newer
    with engine.database.read() as connection:
        opened_person = engine.stored_persons.find(connection, person)
    assert opened_person is not None
    ((image, encounter, media_type),) = move.register.sql(
        "SELECT image, encounter, media_type FROM images WHERE person = ?", person
    )
    context = SealContext.of_image(person, encounter, image, media_type)
    sealed = engine.envelope.seal(opened_person.key, photograph_, context)
    move.register.sql("UPDATE images SET sealed = ? WHERE image = ?", sealed, image)
