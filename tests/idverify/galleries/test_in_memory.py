"""The galleries in memory: the same after a restart and in every process, and no stored row is believed blindly."""

import sqlite3
from contextlib import closing

import pytest

from idverify import keys
from idverify.errors import LeafAltered, RecordRolledBack, SealBroken
from idverify.ids import PersonId
from tests.deployments import PEOPLE, REGISTER, Register, access, photograph


def test_a_restart_finds_everybody_again(own_register: Register) -> None:
    own_register.enrol("C-7", photograph(7, 1))
    own_register.enrol("C-7", photograph(7, 3))
    own_register.engine.persons.erase(PersonId("C-3"), access())
    before = [own_register.found(photograph(seed, 2)) for seed in range(1, 8)]
    people = own_register.identify(photograph(1, 2)).searched_people
    restarted = own_register.another()
    assert [own_register.found(photograph(seed, 2), engine=restarted) for seed in range(1, 8)] == before
    assert own_register.identify(photograph(1, 2), engine=restarted).searched_people == people


def test_loading_reports_progress(own_register: Register) -> None:
    told: list[tuple[str, int, int]] = []
    own_register.engine.galleries_in_memory.load(lambda *state: told.append(state))
    loading = [state for state in told if state[0] == "Loading gallery civil-register"]
    assert loading[0][1:] == (0, len(PEOPLE))
    assert loading[-1][1:] == (len(PEOPLE), len(PEOPLE))
    assert any(what == "Verifying the audit log" for what, _, _ in told)


def test_two_engines_see_each_others_enrolments_and_erasures_at_the_next_search(own_register: Register) -> None:
    one, two = own_register.engine, own_register.another()
    own_register.enrol("C-7", photograph(7, 1), engine=one)
    assert own_register.found(photograph(7, 2), engine=two) == ["C-7"]
    own_register.enrol("C-8", photograph(8, 1), engine=two)
    assert own_register.found(photograph(8, 2), engine=one) == ["C-8"]
    two.persons.erase(PersonId("C-7"), access())
    assert own_register.found(photograph(7, 2), engine=one) == []
    own_register.enrol("C-7", photograph(9, 1), engine=one)  # the number again, and another face
    assert own_register.found(photograph(7, 2), engine=two) == []
    assert own_register.found(photograph(9, 2), engine=two) == ["C-7"]


def test_what_is_followed_is_added_once(own_register: Register) -> None:
    assert own_register.engine.ready
    behind = own_register.another()
    own_register.enrol("C-7", photograph(7, 1))
    for _ in range(3):
        with behind.database.read() as connection:
            gallery = behind.galleries_in_memory.caught_up(connection, REGISTER)
    assert gallery.references == len(PEOPLE) + 1


def test_a_view_older_than_the_galleries_in_memory_follows_nothing_twice(own_register: Register) -> None:
    engine = own_register.engine
    with engine.database.read() as old:
        engine.galleries.find(old, REGISTER)  # the state that this transaction sees is fixed from here on
        own_register.enrol("C-7", photograph(7, 1))
        assert own_register.found(photograph(7, 2)) == ["C-7"]
        assert len(engine.galleries_in_memory.caught_up(old, REGISTER)) == len(PEOPLE) + 1
    with engine.database.read() as connection:
        assert engine.galleries_in_memory.caught_up(connection, REGISTER).references == len(PEOPLE) + 1


def test_a_row_that_does_not_open_stops_every_search_and_is_tried_again(own_register: Register) -> None:
    assert own_register.engine.ready
    behind = own_register.another()
    own_register.enrol("C-7", photograph(7, 1))
    encounter = own_register.enrol("C-8", photograph(8, 1)).encounter
    ((sealed,),) = own_register.sql("SELECT sealed FROM templates WHERE encounter = ?", encounter)
    own_register.sql("UPDATE templates SET sealed = ? WHERE encounter = ?", _flipped(sealed), encounter)
    for _ in range(2):
        with pytest.raises(SealBroken):
            own_register.found(photograph(1, 2), engine=behind)
    own_register.sql("UPDATE templates SET sealed = ? WHERE encounter = ?", sealed, encounter)
    assert own_register.found(photograph(8, 2), engine=behind) == ["C-8"]
    with behind.database.read() as connection:
        assert behind.galleries_in_memory.caught_up(connection, REGISTER).references == len(PEOPLE) + 2


def test_a_changed_template_is_named_when_the_galleries_load(own_register: Register) -> None:
    ((template, sealed),) = own_register.sql("SELECT template, sealed FROM templates WHERE person = 'C-1'")
    own_register.sql("UPDATE templates SET sealed = ? WHERE template = ?", _flipped(sealed), template)
    with pytest.raises(RecordRolledBack, match=f"rolled_back: templates/{template}"):
        own_register.another()


def test_another_persons_template_does_not_open_in_a_running_service(own_register: Register) -> None:
    """A running service reads rows that nobody held against the log since; the seal holds all the same."""
    assert own_register.engine.ready
    ((sealed,),) = own_register.sql("SELECT sealed FROM templates WHERE person = 'C-2'")
    own_register.sql("UPDATE templates SET sealed = ? WHERE person = 'C-1'", sealed)
    with pytest.raises(SealBroken, match="altered, moved"):
        own_register.verify("C-1", photograph(1, 2))


def test_an_old_copy_of_a_wrapped_key_is_named(own_register: Register) -> None:
    before = own_register.wrapped_key("C-1")
    ((old,),) = own_register.sql("SELECT sealed FROM service_keys WHERE kind = 'wrapping'")
    ((root_id,),) = own_register.sql("SELECT root_id FROM service_keys WHERE kind = 'wrapping'")
    engine = own_register.engine
    keys.rotate(engine.database, own_register.settings.root_keys, engine.deployment.keys, engine.journal, access())
    fresh = own_register.another().deployment
    keys.rewrap(fresh.database, fresh.keys, fresh.journal, access(), lambda *_: None)
    own_register.put_wrapped_key("C-1", *before)
    own_register.sql("INSERT INTO service_keys VALUES ('wrapping', 1, ?, ?, 'then')", root_id, old)
    ((pseudonym,),) = own_register.sql("SELECT pseudonym FROM persons WHERE person = 'C-1'")
    with pytest.raises(RecordRolledBack, match=f"rolled_back: persons/{pseudonym}"):
        own_register.another()


def test_an_encounter_put_back_to_an_older_review_is_named(own_register: Register) -> None:
    encounter = own_register.enrol("GHOST", photograph(1, 2)).encounter
    own_register.sql("UPDATE encounters SET review = 'none' WHERE encounter = ?", encounter)
    with pytest.raises(RecordRolledBack, match=f"rolled_back: encounters/{encounter}"):
        own_register.another()


def test_an_encounter_moved_to_another_gallery_is_named(own_register: Register) -> None:
    own_register.sql("UPDATE encounter_galleries SET gallery = 'payroll'")
    with pytest.raises(RecordRolledBack, match="rolled_back: encounters/"):
        own_register.another()


def test_a_missing_row_is_named(own_register: Register) -> None:
    ((template,),) = own_register.sql("SELECT template FROM templates WHERE person = 'C-1'")
    own_register.sql("DELETE FROM templates WHERE template = ?", template)
    with pytest.raises(RecordRolledBack, match=f"missing: templates/{template}"):
        own_register.another()


def test_a_row_that_the_log_never_heard_of_is_named(own_register: Register) -> None:
    own_register.sql(
        "INSERT INTO templates SELECT 'smuggled', encounter, person, generation, model, dimension, dtype, sealed "
        "FROM templates WHERE person = 'C-1'"
    )
    with pytest.raises(RecordRolledBack, match="unlogged: templates/smuggled"):
        own_register.another()


def test_an_erased_person_put_back_from_a_copy_is_named(own_register: Register) -> None:
    tables = ("persons", "encounters", "encounter_galleries", "templates")
    with closing(sqlite3.connect(own_register.path)) as connection:
        kept = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in tables}
    own_register.engine.persons.erase(PersonId("C-4"), access())
    with closing(sqlite3.connect(own_register.path)) as connection, connection:
        for table, rows in kept.items():
            places = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({places})", rows)
    with pytest.raises(RecordRolledBack, match=r"resurrected: persons/\w+, encounters/[\w-]+, templates/"):
        own_register.another()


def test_a_log_that_does_not_verify_stops_the_start(own_register: Register) -> None:
    own_register.sql(
        "UPDATE audit_leaves SET leaf = CAST(replace(leaf, 'enrolment', 'payroll') AS BLOB) WHERE sequence = 5"
    )
    with pytest.raises(LeafAltered, match="audit leaf 5"):
        own_register.another()


def test_many_faults_are_counted_and_not_all_listed(own_register: Register) -> None:
    for seed in range(7, 13):
        own_register.enrol(f"C-{seed}", photograph(seed, 1))
    own_register.sql("DELETE FROM templates")
    with pytest.raises(RecordRolledBack, match="and 2 more"):
        own_register.another()


def _flipped(sealed: bytes) -> bytes:
    return sealed[:40] + bytes([sealed[40] ^ 1]) + sealed[41:]
