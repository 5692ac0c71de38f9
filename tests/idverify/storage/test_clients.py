"""Credentials in the store: keys survive the migration to several of them, and an assertion is used once, by one."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic import command
from sqlalchemy import text

from idverify.errors import CredentialInvalid
from idverify.ids import ClientId
from idverify.storage import clients
from idverify.storage.clients import ClientRow
from idverify.storage.database import Database, _migrations

both = pytest.mark.parametrize("empty_url", ["sqlite", "postgresql"], indirect=True)
AGENCY = ClientId("revenue-authority")


@both
def test_the_key_of_a_client_of_revision_0001_stays_valid(empty_url: str) -> None:
    database = Database.open(empty_url)
    with database.write() as connection:
        config = _migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        old = "INSERT INTO clients VALUES (:client, :hmac, '[\"verify\"]', '[]', '[]', :scores, 'active', :since)"
        values = {"client": AGENCY, "hmac": b"h" * 32, "scores": False, "since": "2026-11-01T00:00:00.000Z"}
        connection.execute(text(old), values)
    database.migrate()
    with database.read() as connection:
        row = clients.find(connection, AGENCY)
        (credential,) = clients.credentials_of(connection, AGENCY)
    assert row == ClientRow(AGENCY, ("verify",), (), (), False, "2026-11-01T00:00:00.000Z")
    assert (credential.kind, credential.stored, credential.expires_at) == ("secret", b"h" * 32, None)
    database.close()


@both
def test_of_many_uses_of_an_assertion_at_once_one_succeeds(empty_url: str) -> None:
    database = Database.open(empty_url)
    database.migrate()
    with database.write() as connection:
        clients.add(connection, ClientRow(AGENCY, (), (), (), False, "2026-11-01T00:00:00.000Z"))

    def use(_: int) -> bool:
        try:
            with database.write() as connection:
                clients.use_assertion(connection, AGENCY, b"digest", now="1", expires_at="2")
        except CredentialInvalid:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        successes = sum(threads.map(use, range(40)))
    assert successes == 1
    with database.write() as connection:
        clients.use_assertion(connection, AGENCY, b"digest", now="2", expires_at="3")
    database.close()
