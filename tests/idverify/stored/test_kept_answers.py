"""Kept answers: for whom they open, when they are refused, and that nothing of a person outlives the person in them."""

import threading

import pytest

from idverify.errors import SealBroken
from idverify.ids import ClientId, PersonId
from idverify.stored.kept_answers import AnswerErased, KeptAnswers, KeyReused, RequestInFlight
from tests.deployments import PEOPLE, Clock, Register, access, photograph
from tests.keyrings import fixed_keyring

REVENUE, TRANSPORT = ClientId("revenue-authority"), ClientId("transport-authority")
KEY = "8e03978e-40d5-43e8-bc93-6894a57f9324"
ANNA, BEN = PEOPLE[:2]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def stored(clock: Clock) -> KeptAnswers:
    return KeptAnswers(fixed_keyring(), clock)


def _find(
    register: Register, stored: KeptAnswers, *, client: ClientId = REVENUE, key: str = KEY, request: bytes = b"asked"
) -> bytes | None:
    with stored.turn(client, key, request) as slot, register.engine.database.read() as connection:
        return stored.find(connection, slot)


def _keep(
    register: Register,
    stored: KeptAnswers,
    *persons: PersonId,
    answer: bytes = b"answered",
    key: str = KEY,
    client: ClientId = REVENUE,
) -> None:
    with stored.turn(client, key, b"asked") as slot, register.engine.database.write() as connection:
        stored.keep(connection, slot, answer, persons)


def test_who_asks_again_hears_the_same_for_a_day(empty_register: Register, stored: KeptAnswers, clock: Clock) -> None:
    assert _find(empty_register, stored) is None
    _keep(empty_register, stored, ANNA)
    assert _find(empty_register, stored) == b"answered"
    clock.advance(hours=23, minutes=59)
    assert _find(empty_register, stored) == b"answered"
    clock.advance(minutes=1)
    assert _find(empty_register, stored) is None
    _keep(empty_register, stored, answer=b"answered anew")
    assert _find(empty_register, stored) == b"answered anew"


def test_another_request_under_the_same_key_is_refused(empty_register: Register, stored: KeptAnswers) -> None:
    _keep(empty_register, stored, ANNA)
    with pytest.raises(KeyReused, match="a new key for each request"):
        _find(empty_register, stored, request=b"asked otherwise")


def test_clients_do_not_meet_in_a_key(empty_register: Register, stored: KeptAnswers) -> None:
    _keep(empty_register, stored)
    assert _find(empty_register, stored, client=TRANSPORT, request=b"asked otherwise") is None
    _keep(empty_register, stored, client=TRANSPORT, answer=b"to transport")
    assert (_find(empty_register, stored), _find(empty_register, stored, client=TRANSPORT)) == (
        b"answered",
        b"to transport",
    )


def test_one_request_at_a_time_and_the_next_once_it_is_done(empty_register: Register, stored: KeptAnswers) -> None:
    with stored.turn(REVENUE, KEY, b"asked"):
        with pytest.raises(RequestInFlight), stored.turn(REVENUE, KEY, b"asked"):
            pass
        with stored.turn(TRANSPORT, KEY, b"asked"), stored.turn(REVENUE, KEY + "-2", b"asked"):
            pass
    _keep(empty_register, stored)
    with pytest.raises(ZeroDivisionError), stored.turn(REVENUE, KEY, b"asked"):
        raise ZeroDivisionError
    assert _find(empty_register, stored) == b"answered"


def test_of_two_processes_one_acts_and_the_work_of_the_other_falls(empty_register: Register, clock: Clock) -> None:
    here, there = (KeptAnswers(fixed_keyring(), clock) for _ in range(2))
    _keep(empty_register, here)

    def act_there() -> None:
        with there.turn(REVENUE, KEY, b"asked") as slot, empty_register.engine.database.write() as connection:
            connection.exec_driver_sql("DELETE FROM galleries")
            there.keep(connection, slot, b"answered twice", ())

    with pytest.raises(RequestInFlight):
        act_there()
    assert empty_register.sql("SELECT count(*) FROM galleries") == [(2,)]
    assert _find(empty_register, there) == b"answered"


def test_an_answer_goes_with_any_person_whom_it_names_and_is_not_given_anew(own_register: Register) -> None:
    stored = own_register.engine.kept_answers
    _keep(own_register, stored, ANNA, BEN)
    _keep(own_register, stored, BEN, key=KEY + "-2", answer=b"of Ben alone")
    own_register.engine.persons.erase(ANNA, access())
    with pytest.raises(AnswerErased):
        _find(own_register, stored)
    assert _find(own_register, stored, key=KEY + "-2") == b"of Ben alone"
    assert own_register.sql("SELECT count(*) FROM stored_answers WHERE sealed IS NULL") == [(1,)]


def test_an_erasure_that_falls_empties_nothing(own_register: Register) -> None:
    _keep(own_register, own_register.engine.kept_answers, ANNA)

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        own_register.engine.persons.erase(ANNA, access(), alongside=fail)
    assert _find(own_register, own_register.engine.kept_answers) == b"answered"
    assert own_register.found(photograph(1, 2)) == [ANNA]


def test_nothing_readable_is_stored_and_only_the_clients_key_opens_it(
    empty_register: Register, stored: KeptAnswers
) -> None:
    _keep(empty_register, stored, ANNA, answer=b"the answer about somebody")
    ((slot, request, sealed, _),) = empty_register.sql("SELECT * FROM stored_answers")
    ((_, opened_person),) = empty_register.sql("SELECT * FROM stored_answer_persons")
    for column in (slot, request, sealed, opened_person):
        assert all(text not in column for text in (b"about somebody", ANNA.encode(), KEY.encode(), REVENUE.encode()))
    # Somebody who holds database and service keys, moves the answer under a key of their own and asks:
    with stored.turn(REVENUE, KEY + "-guess", b"asked") as mine:
        empty_register.sql("UPDATE stored_answers SET slot = ?, request = ?", mine.name, mine.request)
    with pytest.raises(SealBroken):
        _find(empty_register, stored, key=KEY + "-guess")


def test_a_key_is_held_against_many_threads(empty_register: Register, stored: KeptAnswers) -> None:
    acted, refused, start = [], [], threading.Barrier(8)

    def ask() -> None:
        start.wait()
        try:
            with stored.turn(REVENUE, KEY, b"asked") as slot, empty_register.engine.database.write() as connection:
                if stored.find(connection, slot) is None:
                    acted.append(1)
                    stored.keep(connection, slot, b"answered", ())
        except RequestInFlight:
            refused.append(1)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(acted) == 1
    assert _find(empty_register, stored) == b"answered"
