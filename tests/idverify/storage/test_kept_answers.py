"""Stored answers and rows of failures on both databases."""

import threading
from datetime import date

from idverify.storage import kept_answers, verification_counts
from idverify.storage.database import Database
from idverify.storage.kept_answers import KeptAnswerRow

NOW, LATER, LATEST = "2026-11-21T09:30:00.000Z", "2026-11-22T09:30:00.000Z", "2026-11-23T09:30:00.000Z"
ANNA, BEN = b"a" * 32, b"b" * 32
TODAY = date(2026, 11, 21)


def row(slot: bytes, expires_at: str = LATER) -> KeptAnswerRow:
    return KeptAnswerRow(slot, b"request", b"sealed", expires_at)


def test_a_slot_is_taken_once_until_it_expires(database: Database) -> None:
    with database.write() as connection:
        assert kept_answers.add(connection, row(b"1"), {ANNA, BEN}, NOW)
        assert not kept_answers.add(connection, row(b"1", LATEST), {ANNA}, NOW)
        assert kept_answers.find(connection, b"1", NOW) == row(b"1")
        assert kept_answers.find(connection, b"1", LATER) is None
        assert kept_answers.find(connection, b"2", NOW) is None
        assert kept_answers.add(connection, row(b"1", LATEST), (), LATER)
        assert kept_answers.blank(connection, ANNA) == 0


def test_blanking_reaches_every_answer_that_names_the_person(database: Database) -> None:
    with database.write() as connection:
        for slot, subjects in ((b"1", {ANNA}), (b"2", {ANNA, BEN}), (b"3", {BEN})):
            kept_answers.add(connection, row(slot), subjects, NOW)
        assert kept_answers.blank(connection, ANNA) == 2
        found = [kept_answers.find(connection, slot, NOW) for slot in (b"1", b"2", b"3")]
        assert [one is not None and one.sealed for one in found] == [None, None, b"sealed"]
        assert not kept_answers.add(connection, row(b"1"), (), NOW)


def test_of_two_transactions_at_once_the_second_sees_the_slot_taken(database: Database) -> None:
    first_holds, taken = threading.Event(), []

    def second() -> None:
        first_holds.wait()
        with database.write() as connection:
            taken.append(kept_answers.add(connection, row(b"1"), (), NOW))

    thread = threading.Thread(target=second)
    thread.start()
    with database.write() as connection:
        taken.append(kept_answers.add(connection, row(b"1"), (), NOW))
        first_holds.set()
        thread.join(0.2)  # it waits for this transaction's end
        assert thread.is_alive()
    thread.join()
    assert taken == [True, False]


def test_failures_in_a_row_are_counted_and_forgotten(database: Database) -> None:
    with database.write() as connection:
        assert verification_counts.standing(connection, ANNA, TODAY) == (0, 0)
        for expected in (1, 2, 3):
            verification_counts.count_failure(connection, ANNA)
            assert verification_counts.standing(connection, ANNA, TODAY) == (0, expected)
        assert verification_counts.standing(connection, BEN, TODAY) == (0, 0)
        verification_counts.forget_failures(connection, ANNA)
        assert verification_counts.standing(connection, ANNA, TODAY) == (0, 0)
        assert verification_counts.attempts_since(connection, ANNA, TODAY) == {}
