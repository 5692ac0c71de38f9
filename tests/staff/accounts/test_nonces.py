"""One-use values count once, for what and whom they were given."""

import threading
from datetime import timedelta

import pytest

from idverify.ids import StaffId, StationId
from staff.accounts.nonces import NonceKind, Nonces
from staff.accounts.refusals import NonceForeign, NonceReplayed, NonceUnknown
from tests.deployments import Register

WEEK = timedelta(days=7)
HERE = StationId("maseru-2")


def test_a_nonce_is_spent_once_and_says_whose_it_was(empty_register: Register) -> None:
    nonces, database = Nonces(empty_register.engine.journal), empty_register.engine.database
    with database.write() as connection:
        text = nonces.issue(connection, NonceKind.CAPTURE, WEEK, staff=StaffId("thabo"), station=HERE)
        row = nonces.spend(connection, text, NonceKind.CAPTURE, station=HERE)
        assert (row.staff, row.station, len(text)) == ("thabo", "maseru-2", 43)
        with pytest.raises(NonceReplayed):
            nonces.spend(connection, text, NonceKind.CAPTURE, station=HERE)
    assert text.encode() not in empty_register.path.read_bytes()


def test_a_nonce_is_nobody_elses(empty_register: Register) -> None:
    nonces, database = Nonces(empty_register.engine.journal), empty_register.engine.database
    with database.write() as connection:
        of_station = nonces.issue(connection, NonceKind.CAPTURE, WEEK, station=HERE)
        of_session = nonces.issue(connection, NonceKind.PASSKEY, WEEK, session=b"session")
        for text, kind, error, where in (
            (of_station, NonceKind.CAPTURE, NonceForeign, {"station": StationId("elsewhere")}),
            (of_station, NonceKind.CAPTURE, NonceForeign, {}),
            (of_station, NonceKind.STATION, NonceUnknown, {"station": HERE}),
            (of_session, NonceKind.PASSKEY, NonceForeign, {"session": b"another"}),
            (of_session[:-1] + "x", NonceKind.PASSKEY, NonceUnknown, {"session": b"session"}),
        ):
            with pytest.raises(error):
                nonces.spend(connection, text, kind, **where)
        nonces.spend(connection, of_station, NonceKind.CAPTURE, station=HERE)
        nonces.spend(connection, of_session, NonceKind.PASSKEY, session=b"session")


def test_a_nonce_expires_and_is_forgotten(empty_register: Register) -> None:
    nonces, database = Nonces(empty_register.engine.journal), empty_register.engine.database
    with database.write() as connection:
        text = nonces.issue(connection, NonceKind.CAPTURE, WEEK)
    empty_register.clock.advance(days=7)
    with database.write() as connection:
        with pytest.raises(NonceUnknown):
            nonces.spend(connection, text, NonceKind.CAPTURE)
        nonces.issue(connection, NonceKind.CAPTURE, WEEK)
    assert empty_register.sql("SELECT count(*) FROM nonces") == [(1,)]


def test_a_use_that_is_rolled_back_was_none(empty_register: Register) -> None:
    nonces, database = Nonces(empty_register.engine.journal), empty_register.engine.database
    with database.write() as connection:
        text = nonces.issue(connection, NonceKind.CAPTURE, WEEK)

    def spend_and_fail() -> None:
        with database.write() as connection:
            nonces.spend(connection, text, NonceKind.CAPTURE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        spend_and_fail()
    with database.write() as connection:
        nonces.spend(connection, text, NonceKind.CAPTURE)


def test_of_many_who_use_one_at_once_one_succeeds(empty_register: Register) -> None:
    nonces, database = Nonces(empty_register.engine.journal), empty_register.engine.database
    with database.write() as connection:
        text = nonces.issue(connection, NonceKind.CAPTURE, WEEK)
    outcomes: list[str] = []

    def use() -> None:
        try:
            with database.write() as connection:
                nonces.spend(connection, text, NonceKind.CAPTURE)
            outcomes.append("spent")
        except NonceReplayed:
            outcomes.append("replayed")

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["replayed"] * 7 + ["spent"]
