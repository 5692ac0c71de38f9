"""Somebody with SQL and no key grants themselves something, with a leaf about it: nothing is recorded any more."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from idverify.administration.approvals import Act
from idverify.audit.events import EventKind, LeafDraft, utc_text
from idverify.audit.log import Frontier
from idverify.clients.credentials import CredentialKind
from idverify.errors import AuditBroken, LogForked
from idverify.ids import ClientId, StaffId, StationId
from idverify.storage import approvals, audit_log, clients, galleries, staff, stations
from idverify.storage.approvals import ProposalRow
from idverify.storage.clients import ClientRow, CredentialRow
from idverify.storage.database import Connection
from idverify.storage.staff import StaffCredentialRow, StaffRow
from idverify.storage.stations import StationRow
from tests.deployments import PEOPLE, REGISTER, Register, access, photograph
from tests.forging import forge, sign_head
from tests.quick_check import looks_sound

Grant = Callable[[Connection, Register], dict[str, str]]
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
AT = utc_text(NOW)


def client(connection: Connection, _register: Register) -> dict[str, str]:
    row = ClientRow(ClientId("forger"), ("verify",), (REGISTER,), ("tax-filing",), sees_scores=True, created_at=AT)
    clients.add(connection, row)
    return {row.log_name: row.digest}


def client_credential(connection: Connection, register: Register) -> dict[str, str]:
    own = client(connection, register)
    row = CredentialRow(ClientId("forger"), "k-1", CredentialKind.PUBLIC_KEY, b"a key of the forger's own", AT)
    clients.add_credential(connection, row)
    return {**own, row.log_name: row.digest}


def account(connection: Connection, _register: Register) -> dict[str, str]:
    row = StaffRow(StaffId("forger"), "F. Orger", ("lead_analyst",), (REGISTER,), AT, "en")
    staff.add(connection, row)
    return {row.log_name: row.digest}


def staff_credential(connection: Connection, register: Register) -> dict[str, str]:
    own = account(connection, register)
    row = StaffCredentialRow("c-1", StaffId("forger"), "password", "", b"$argon2id$...", AT)
    staff.add_credential(connection, row)
    return {**own, row.log_name: row.digest}


def station(connection: Connection, _register: Register) -> dict[str, str]:
    row = StationRow(StationId("forged-1"), REGISTER, AT, public_key=b"a key of the forger's own")
    stations.add(connection, row)
    return {row.log_name: row.digest}


def gallery(connection: Connection, register: Register) -> dict[str, str]:
    before = galleries.get(connection, REGISTER)
    galleries.set_policy(connection, REGISTER, {**before.policy, "verification_fmr": 0.5})
    row = galleries.get(connection, REGISTER)
    return {row.log_name: row.digest}


def approval(connection: Connection, _register: Register) -> dict[str, str]:
    row = ProposalRow(Act.EXPORT_AUDIT_LOG, '{"out":"/forged"}', "somebody-else", "request-1", AT, "2099-01-01")
    approvals.add(connection, row)
    return {row.log_name: row.digest}


@pytest.mark.parametrize("grant", [client, client_credential, account, staff_credential, station, gallery, approval])
def test_a_forged_grant_stops_every_act_and_is_named(own_register: Register, grant: Grant) -> None:
    engine = own_register.engine
    with engine.database.write() as connection:
        records = grant(connection, own_register)
        forge(connection, LeafDraft(event=EventKind.CLIENT_ADDED, records=records), NOW)
        size = audit_log.size(connection)
    # 1. Nothing is recorded any more, so that nothing is answered: the forged leaf never gets a signature over it.
    with pytest.raises(LogForked):
        own_register.verify("C-1", photograph(1, 2))
    with pytest.raises(LogForked):
        engine.persons.show(PEOPLE[1], access("administration"))
    with engine.database.read() as connection:
        assert audit_log.size(connection) == size
    assert engine.check()["database"].startswith("audit log: its head")  # so that readiness says so, too
    # 2. The quick look of a start does not pass it, and no service starts on it.
    assert not looks_sound(engine.database, engine.envelope, engine.deployment.keys.checkpoint_signer)
    with pytest.raises(AuditBroken):
        own_register.another()


def test_a_forged_leaf_with_the_real_ones_after_it_would_still_lack_its_mac(own_register: Register) -> None:
    # As if the service had not looked: the head is signed over the forged leaf by its own key.
    engine, signer = own_register.engine, own_register.engine.deployment.keys.checkpoint_signer
    with engine.database.write() as connection:
        forge(connection, LeafDraft(event=EventKind.CLIENT_ADDED, records=client(connection, own_register)), NOW)
        sign_head(connection, signer)
    own_register.verify("C-1", photograph(1, 2))
    assert not looks_sound(engine.database, engine.envelope, signer, records=False)
    with pytest.raises(AuditBroken, match="MAC"):
        own_register.another()


def test_what_stands_in_a_head_that_was_moved_is_not_followed(own_register: Register) -> None:
    engine, erased = own_register.engine, EventKind.PERSON_ERASED
    with engine.database.write() as connection:
        person = engine.stored_persons.find(connection, PEOPLE[0])
        assert person is not None
        forge(connection, LeafDraft(event=erased, person=person.row.pseudonym), NOW)
    with engine.database.read() as connection, pytest.raises(LogForked):
        engine.galleries_in_memory.catch_up(connection)
    own_register.sql("DELETE FROM audit_leaves WHERE event = ?", erased)
    frontier = audit_frontier(own_register)
    own_register.sql(
        "UPDATE audit_head SET size = ?, frontier = ?, root = ?", frontier.size, frontier.to_bytes(), frontier.root
    )
    assert own_register.found(photograph(1, 2)) == [PEOPLE[0]]
    # The number of leaves alone: nobody waits behind leaves that are not there.
    own_register.sql("UPDATE audit_head SET size = 1000000")
    with engine.database.read() as connection, pytest.raises(LogForked):
        engine.galleries_in_memory.catch_up(connection)
    own_register.sql("UPDATE audit_head SET size = ?", audit_frontier(own_register).size)
    own_register.enrol("C-50", photograph(50, 1))
    assert own_register.found(photograph(50, 2)) == ["C-50"]


_BACK = """DELETE FROM audit_leaves WHERE sequence = OLD.size;
UPDATE audit_head SET size = OLD.size, root = OLD.root, note = OLD.note, frontier = OLD.frontier"""


@pytest.mark.parametrize(
    "trigger",
    [
        "BEFORE INSERT ON audit_leaves BEGIN SELECT RAISE(IGNORE); END",
        "BEFORE UPDATE ON audit_head BEGIN SELECT RAISE(IGNORE); END",
        "AFTER INSERT ON audit_leaves BEGIN DELETE FROM audit_leaves WHERE sequence = NEW.sequence; END",
        f"AFTER UPDATE ON audit_head BEGIN {_BACK}; END",
    ],
)
def test_no_answer_leaves_where_a_trigger_swallows_its_leaf(own_register: Register, trigger: str) -> None:
    own_register.verify("C-1", photograph(1, 2))
    before = own_register.sql("SELECT size FROM audit_head")
    own_register.sql(f"CREATE TRIGGER swallow {trigger}")
    with pytest.raises(LogForked):
        own_register.verify("C-1", photograph(1, 2))
    with pytest.raises(LogForked):
        own_register.engine.persons.erase(PEOPLE[0], access("erasure"))
    own_register.sql("DROP TRIGGER swallow")
    assert own_register.sql("SELECT size FROM audit_head") == before
    own_register.verify("C-1", photograph(1, 2))


@pytest.mark.parametrize("damage", ["DELETE FROM audit_head", "UPDATE audit_head SET frontier = x'00'"])
def test_a_head_that_cannot_be_read_is_told_in_words(own_register: Register, damage: str) -> None:
    engine = own_register.engine
    own_register.sql(damage)
    assert "is gone or cannot be read" in engine.check()["database"]
    with pytest.raises(LogForked):
        own_register.verify("C-1", photograph(1, 2))


def audit_frontier(register: Register) -> Frontier:
    """The tree over the leaves that are stored."""
    frontier = Frontier()
    for (digest,) in register.sql("SELECT leaf_hash FROM audit_leaves ORDER BY sequence"):
        frontier = frontier.append(digest)
    return frontier
