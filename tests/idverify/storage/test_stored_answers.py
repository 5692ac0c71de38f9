"""Stored answers and rows of failures on both databases."""

import threading
from datetime import date

from idverify.storage import counts, stored_answers
from idverify.storage.database import Database
from idverify.storage.stored_answers import StoredAnswerRow

NOW, LATER, LATEST = "2026-11-21T09:30:00.000Z", "2026-11-22T09:30:00.000Z", "2026-11-23T09:30:00.000Z"
ANNA, BEN = b"a" * 32, b"b" * 32
TODAY = date(2026, 11, 21)


def row(slot: bytes, expires_at: str = LATER) -> StoredAnswerRow:
    return StoredAnswerRow(slot, b"request", b"sealed", expires_at)


def test_a_slot_is_taken_once_until_it_expires(database: Database) -> None:
    with database.write() as connection:
        assert stored_answers.add(connection, row(b"1"), {ANNA, BEN}, NOW)
        assert not stored_answers.add(connection, row(b"1", LATEST), {ANNA}, NOW)
        assert stored_answers.find(connection, b"1", NOW) == row(b"1")
        assert stored_answers.find(connection, b"1", LATER) is None
        assert stored_answers.find(connection, b"2", NOW) is None
        assert stored_answers.add(connection, row(b"1", LATEST), (), LATER)
        assert stored_answers.blank(connection, ANNA) == 0


def test_blanking_reaches_every_answer_that_names_the_person(database: Database) -> None:
    with database.write() as connection:
        for slot, subjects in ((b"1", {ANNA}), (b"2", {ANNA, BEN}), (b"3", {BEN})):
            stored_answers.add(connection, row(slot), subjects, NOW)
        assert stored_answers.blank(connection, ANNA) == 2
        found = [stored_answers.find(connection, slot, NOW) for slot in (b"1", b"2", b"3")]
        assert [one is not None and one.sealed for one in found] == [None, None, b"sealed"]
        assert not stored_answers.add(connection, row(b"1"), (), NOW)


def test_of_two_transactions_at_once_the_second_sees_the_slot_taken(database: Database) -> None:
    first_holds, taken = threading.Event(), []

    def second() -> None:
        first_holds.wait()
        with database.write() as connection:
            taken.append(stored_answers.add(connection, row(b"1"), (), NOW))

    thread = threading.Thread(target=second)
    thread.start()
    with database.write() as connection:
        taken.append(stored_answers.add(connection, row(b"1"), (), NOW))
        first_holds.set()
        thread.join(0.2)  # it waits for this transaction's end
        assert thread.is_alive()
    thread.join()
    assert taken == [True, False]


def test_failures_in_a_row_are_counted_and_forgotten(database: Database) -> None:
    with database.write() as connection:
        assert counts.standing(connection, ANNA, TODAY) == (0, 0)
        for expected in (1, 2, 3):
            counts.count_failure(connection, ANNA)
            assert counts.standing(connection, ANNA, TODAY) == (0, expected)
        assert counts.standing(connection, BEN, TODAY) == (0, 0)
        counts.forget_failures(connection, ANNA)
        assert counts.standing(connection, ANNA, TODAY) == (0, 0)
        assert counts.attempts_since(connection, ANNA, TODAY) == {}
