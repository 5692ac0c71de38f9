"""Accounts, sessions, stations and nonces on both databases, and held against the audit log."""

from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import update

from idverify.audit.events import EventKind, LeafDraft, utc_text
from idverify.errors import Conflict
from idverify.ids import GalleryId, StaffId, StationId
from idverify.storage import audit_log, nonces, staff, staff_sessions, stations, tables
from idverify.storage.database import Database
from idverify.storage.nonces import NonceRow
from idverify.storage.record_check import Discrepancy, RecordFault, discrepancies
from idverify.storage.staff import StaffCredentialRow, StaffRow
from idverify.storage.staff_sessions import StaffSessionRow
from idverify.storage.stations import StationRow

BEFORE, NOW, LATER = "2026-11-21T09:00:00.000Z", "2026-11-21T09:30:00.000Z", "2026-11-21T19:30:00.000Z"
THABO, HERE = StaffId("thabo"), StationId("maseru-2")
ACCOUNT = StaffRow(THABO, "Thabo", ("clerk",), (GalleryId("civil-register"),), NOW, "st")
PASSWORD = StaffCredentialRow("password-1", THABO, "password", "", b"$argon2id$", NOW)


def _session(name: bytes, expires_at: str = LATER) -> StaffSessionRow:
    return StaffSessionRow(name, THABO, None, False, NOW, NOW, expires_at)


def test_an_account_and_its_credentials_come_back_as_they_were(database: Database) -> None:
    passkey = StaffCredentialRow("passkey-1", THABO, "passkey", "my phone", b"cose", NOW, uses=3)
    with database.write() as connection:
        staff.add(connection, ACCOUNT)
        for row in (PASSWORD, passkey):
            staff.add_credential(connection, row)
        staff.end_credential(connection, PASSWORD, NOW)
        staff.count_use(connection, passkey, 4)
        staff.set_language(connection, THABO, "sw")
    with database.read() as connection:
        found = staff.find(connection, THABO)
        assert found is not None
        assert (found.language, found.digest) == ("sw", ACCOUNT.digest)
        password, used = staff.credentials_of(connection, THABO)[::-1]
        assert (password.live(BEFORE), password.live(NOW)) == (True, False)
        assert (used.uses, used.digest) == (4, passkey.digest)
        assert staff.credential(connection, "passkey-1") == used
    with pytest.raises(Conflict), database.write() as connection:
        staff.add(connection, ACCOUNT)
    assert "argon2id" not in repr(PASSWORD)


def test_a_session_is_locked_once_and_ended_for_good(database: Database) -> None:
    with database.write() as connection:
        staff.add(connection, ACCOUNT)
        for name in (b"one", b"two"):
            staff_sessions.add(connection, _session(name))
        staff_sessions.add(connection, _session(b"past", expires_at=NOW))
        assert staff_sessions.lock(connection, b"one", NOW)
        assert not staff_sessions.lock(connection, b"one", LATER)
        staff_sessions.unlock(connection, b"one", LATER)
        found = staff_sessions.find(connection, b"one")
        assert found is not None
        assert (found.locked_at, found.seen_at) == (None, LATER)
        staff_sessions.end(connection, b"one", BEFORE)
        staff_sessions.end_all(connection, THABO, NOW)
        ended = [staff_sessions.find(connection, name) for name in (b"one", b"two")]
        assert [one is not None and one.ended_at for one in ended] == [BEFORE, NOW]
        staff_sessions.drop_expired(connection, NOW)
        assert staff_sessions.find(connection, b"past") is None
        assert staff_sessions.find(connection, b"two") is not None


def test_failures_are_counted_in_a_row_and_forgotten(database: Database) -> None:
    with database.write() as connection:
        for _ in range(3):
            staff_sessions.count_failure(connection, b"thabo", NOW)
        staff_sessions.count_failure(connection, b"palesa", BEFORE)
        assert staff_sessions.failures(connection, b"thabo") == (3, NOW)
        staff_sessions.forget_failures_before(connection, NOW)
        assert staff_sessions.failures(connection, b"palesa") is None
        staff_sessions.forget_failures(connection, b"thabo")
        assert staff_sessions.failures(connection, b"thabo") is None


def test_a_nonce_is_spent_by_one_statement(database: Database) -> None:
    row = NonceRow(b"nonce", "capture", NOW, LATER, b"session", THABO, HERE)
    with database.write() as connection:
        nonces.add(connection, row)
        assert nonces.find(connection, b"nonce") == row
        assert nonces.spend(connection, b"nonce", NOW)
        assert not nonces.spend(connection, b"nonce", NOW)
        assert not nonces.spend(connection, b"never issued", NOW)
        nonces.drop_expired(connection, LATER)
        assert nonces.find(connection, b"nonce") is None


def test_rights_and_keys_that_nobody_gave_are_named(deployed: Any, now: datetime) -> None:
    deployed.log_galleries()
    station = StationRow(HERE, GalleryId("civil-register"), utc_text(now), public_key=b"der")
    rows = (ACCOUNT, PASSWORD, station)
    with deployed.database.write() as connection:
        staff.add(connection, ACCOUNT)
        staff.add_credential(connection, PASSWORD)
        stations.add(connection, station)
    assert _found(deployed) == [Discrepancy(row.log_name, RecordFault.UNLOGGED) for row in rows]
    with deployed.database.write() as connection:
        draft = LeafDraft(event=EventKind.STAFF_ADDED, records={row.log_name: row.digest for row in rows})
        audit_log.append(connection, draft, now=now, signer=deployed.signer)
    assert _found(deployed) == []
    with deployed.database.write() as connection:
        connection.execute(update(tables.staff.staff).values(roles=["clerk", "supervisor"]))
        connection.execute(update(tables.staff.staff_credentials).values(stored=b"another hash"))
        stations.change(connection, station, public_key=b"another key")
    assert _found(deployed) == [Discrepancy(row.log_name, RecordFault.ROLLED_BACK) for row in rows]


def _found(deployed: Any) -> list[Discrepancy]:
    with deployed.database.read() as connection:
        return list(discrepancies(connection))
