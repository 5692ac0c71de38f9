"""Whatever is done to the log behind the service's back is named exactly: altered, missing, reordered or forked."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, bindparam, delete, insert, select, text, update

from idverify.audit.checkpoint import CheckpointSigner
from idverify.audit.events import EventKind, parse
from idverify.audit.log import Frontier, leaf_hash
from idverify.errors import (
    AuditBroken,
    CheckpointInvalid,
    LeafAltered,
    LeafBroken,
    LeafMissing,
    LeafReordered,
    LogForked,
)
from idverify.storage import audit_log
from idverify.storage.audit_verification import verify
from idverify.storage.tables.audit import audit_checkpoints, audit_head, audit_leaves
from tests.quick_check import looks_sound

SIZE = 12


@pytest.fixture
def log(deployed: Any) -> Any:
    """A deployed with a log of twelve leaves, three of them about Anna."""
    deployed.append(times=4)
    deployed.append(EventKind.PERSON_VERIFIED, person="anna", times=3)
    deployed.append(times=SIZE - 7)
    return deployed


def test_a_log_that_nobody_touched_verifies(log: Any) -> None:
    seen: list[tuple[int, int]] = []
    with log.database.read() as connection:
        kept = audit_log.checkpoint(connection)
        verified = verify(connection, log.signer, kept=kept, progress=lambda *done: seen.append(done))
    assert verified.size == SIZE
    assert verified.checkpoint == kept
    assert looks_sound(log.database, log.envelope, log.signer, records=False)
    assert seen == [(SIZE, SIZE)]


def test_an_empty_log_verifies(deployed: Any) -> None:
    with deployed.database.read() as connection:
        assert verify(connection, deployed.signer).size == 0


def test_an_altered_leaf_is_named(log: Any) -> None:
    def alter(connection: Connection) -> None:
        leaf = _leaf(connection, 5).replace(b'"decision":null', b'"decision":"match"')
        _set(connection, 5, leaf=leaf)

    assert _broken(log, alter, LeafAltered) == 5


def test_an_altered_leaf_with_its_hash_recomputed_is_named(log: Any) -> None:
    def alter(connection: Connection) -> None:
        leaf = _leaf(connection, 5).replace(b'"decision":null', b'"decision":"match"')
        _set(connection, 5, leaf=leaf, leaf_hash=leaf_hash(leaf))

    assert _broken(log, alter, LeafAltered) == 5


@pytest.mark.parametrize(
    "change",
    [
        {"leaf": b"not an event"},
        {"leaf": b"not an event", "leaf_hash": leaf_hash(b"not an event")},
        {"leaf_hash": bytes(32)},
        {"root": bytes(32)},
        {"person": None},
        {"person": "p-ben"},
        {"event": "person.read"},
    ],
)
def test_any_altered_column_is_named(log: Any, change: dict[str, Any]) -> None:
    assert _broken(log, lambda connection: _set(connection, 5, **change), LeafAltered) == 5


def test_a_leaf_made_to_claim_another_place_is_altered_and_not_reordered(log: Any) -> None:
    def alter(connection: Connection) -> None:
        leaf = _leaf(connection, 5).replace(b'"sequence":5', b'"sequence":9')
        _set(connection, 5, leaf=leaf, leaf_hash=leaf_hash(leaf))

    assert _broken(log, alter, LeafAltered) == 5


@pytest.mark.parametrize("sequence", [0, 5, SIZE - 1])
def test_a_deleted_leaf_is_named(log: Any, sequence: int) -> None:
    assert _broken(log, lambda connection: _delete(connection, sequence), LeafMissing) == sequence


def test_a_deleted_leaf_whose_gap_was_closed_is_named(log: Any) -> None:
    def close_the_gap(connection: Connection) -> None:
        _delete(connection, 5)
        for sequence in range(6, SIZE):
            _set(connection, sequence, sequence=sequence - 1)

    assert _broken(log, close_the_gap, LeafMissing) == 5


def test_swapped_leaves_are_named(log: Any) -> None:
    def swap(connection: Connection) -> None:
        third, eighth = _leaf(connection, 3), _leaf(connection, 8)
        _set(connection, 3, leaf=eighth)
        _set(connection, 8, leaf=third)

    assert _broken(log, swap, LeafReordered) == 3


def test_swapped_rows_are_named(log: Any) -> None:
    def swap(connection: Connection) -> None:
        _set(connection, 3, sequence=100)
        _set(connection, 8, sequence=3)
        _set(connection, 100, sequence=8)

    assert _broken(log, swap, LeafReordered) == 3


def test_a_leaf_copied_over_another_is_reordered(log: Any) -> None:
    def copy(connection: Connection) -> None:
        _set(connection, 3, leaf=_leaf(connection, 8), leaf_hash=leaf_hash(_leaf(connection, 8)))

    assert _broken(log, copy, LeafReordered) == 3


def test_a_rebuilt_log_is_forked_because_its_checkpoint_cannot_be_signed(log: Any) -> None:
    assert _broken(log, lambda connection: _rebuild(connection, 5), LogForked) == 0


def test_a_rebuilt_log_signed_with_another_key_is_forked(log: Any) -> None:
    def rebuild(connection: Connection) -> None:
        frontier = _rebuild(connection, 5)
        thief = CheckpointSigner(log.signer.origin, bytes(32), bytes(32))
        connection.execute(update(audit_head).values(note=thief.sign(frontier.size, frontier.root)))

    assert _broken(log, rebuild, LogForked) == SIZE - 1


def test_a_rebuilt_log_signed_with_the_stolen_key_is_caught_by_a_kept_checkpoint(log: Any) -> None:
    with log.database.read() as connection:
        kept = audit_log.checkpoint(connection)

    def rebuild(connection: Connection) -> None:
        frontier = _rebuild(connection, 5)
        connection.execute(update(audit_head).values(note=log.signer.sign(frontier.size, frontier.root)))
        _set(connection, 5, mac=log.signer.leaf_key.mac(leaf_hash(_leaf(connection, 5))))

    with log.database.write() as connection:
        rebuild(connection)
    with log.database.read() as connection:
        assert verify(connection, log.signer).size == SIZE  # it agrees with itself and with its signature
        with pytest.raises(LogForked) as forked:
            verify(connection, log.signer, kept=kept)
    assert forked.value.sequence == 0


def _authenticated(log: Any) -> None:
    log.append(EventKind.LEAVES_AUTHENTICATED)
    log.append(times=3)


@pytest.mark.parametrize("mac", [None, b"", bytes(32)])
def test_a_leaf_without_a_mac_of_ours_is_named(log: Any, mac: object) -> None:
    _authenticated(log)
    assert _broken(log, lambda connection: _set(connection, SIZE + 2, mac=mac), LeafAltered) == SIZE + 2


def test_a_leaf_from_before_leaves_had_macs_needs_none_but_no_other_service_writes_one(log: Any) -> None:
    with log.database.write() as connection:
        _set(connection, 3, mac=None)
    _authenticated(log)
    with log.database.read() as connection:
        assert verify(connection, log.signer).size == SIZE + 4
    assert looks_sound(log.database, log.envelope, log.signer, records=False)
    assert _broken(log, lambda connection: _set(connection, 4, mac=bytes(32)), LeafAltered) == 4


def test_a_log_cut_back_to_an_older_head_is_caught_by_a_kept_checkpoint(log: Any) -> None:
    with log.database.read() as connection:
        head = connection.execute(select(audit_head)).one()
    log.append(times=3)
    with log.database.read() as connection:
        kept = audit_log.checkpoint(connection)
    with log.database.write() as connection:
        connection.execute(delete(audit_leaves).where(audit_leaves.c.sequence >= SIZE))
        connection.execute(update(audit_head).values(**head._mapping))
    with log.database.read() as connection:
        assert verify(connection, log.signer).size == SIZE
        with pytest.raises(LogForked, match="cut back") as forked:
            verify(connection, log.signer, kept=kept)
    assert forked.value.sequence == SIZE


def test_leaves_behind_the_head_are_a_fork(log: Any) -> None:
    with log.database.read() as connection:
        head = connection.execute(select(audit_head)).one()
    log.append()
    put_back = lambda connection: connection.execute(update(audit_head).values(**head._mapping))  # noqa: E731
    assert _broken(log, put_back, LogForked) == SIZE


@pytest.mark.parametrize("change", [{"root": bytes(32)}, {"frontier": bytes(8)}, {"note": None}, {"note": "nonsense"}])
def test_an_altered_head_is_a_fork(log: Any, change: dict[str, Any]) -> None:
    _broken(log, lambda connection: connection.execute(update(audit_head).values(**change)), LogForked)


def test_a_head_that_is_gone_is_a_fork(log: Any) -> None:
    assert _broken(log, lambda connection: connection.execute(delete(audit_head)), LogForked) == 0


def test_a_fork_is_placed_behind_the_last_checkpoint_that_agrees(sqlite_deployed: Any) -> None:
    deployed = sqlite_deployed
    deployed.append(times=audit_log.LEAVES_PER_CHECKPOINT + 20)
    late = audit_log.LEAVES_PER_CHECKPOINT + 7
    assert (
        _broken(deployed, lambda connection: _rebuild(connection, late), LogForked) == audit_log.LEAVES_PER_CHECKPOINT
    )


def test_a_stored_checkpoint_that_was_dropped_or_added_is_a_fork(sqlite_deployed: Any) -> None:
    deployed = sqlite_deployed
    deployed.append(times=audit_log.LEAVES_PER_CHECKPOINT + 1)
    with deployed.database.read() as connection:
        note = connection.execute(select(audit_checkpoints.c.note)).scalar_one()
    drop = lambda connection: connection.execute(delete(audit_checkpoints))  # noqa: E731
    assert _broken(deployed, drop, LogForked) == audit_log.LEAVES_PER_CHECKPOINT - 1
    with deployed.database.write() as connection:
        connection.execute(insert(audit_checkpoints), [{"size": 1024, "note": note}, {"size": 9, "note": note}])
    with deployed.database.read() as connection, pytest.raises(LogForked):
        verify(connection, deployed.signer)


def test_a_kept_checkpoint_of_another_log_says_nothing_of_this_one(log: Any) -> None:
    other = CheckpointSigner("another/log", bytes(32), bytes(32)).sign(3, bytes(32))
    with log.database.read() as connection, pytest.raises(CheckpointInvalid):
        verify(connection, log.signer, kept=other)


def test_every_way_to_break_the_log_has_its_own_code() -> None:
    codes = {error.code for error in (LeafAltered, LeafMissing, LeafReordered, LogForked, CheckpointInvalid)}
    assert len(codes | {AuditBroken.code}) == 6


def _broken(deployed: Any, damage: Callable[[Connection], Any], expected: type[LeafBroken]) -> int:
    """Do the damage, expect to be told exactly this, and return the leaf that was named."""
    with deployed.database.write() as connection:
        damage(connection)
    with deployed.database.read() as connection, pytest.raises(expected) as broken:
        verify(connection, deployed.signer)
    assert type(broken.value) is expected
    assert not looks_sound(deployed.database, deployed.envelope, deployed.signer, records=False)
    return broken.value.sequence


def _rebuild(connection: Connection, altered: int) -> Frontier:
    """Change one leaf and recompute every hash, root and the head after it, as somebody could who owns the database."""
    frontier = Frontier()
    rows = connection.execute(select(audit_leaves).order_by(audit_leaves.c.sequence)).all()
    changes = []
    for row in rows:
        leaf = row.leaf
        if row.sequence == altered:
            leaf = leaf.replace(b'"reason":null', b'"reason":"invented"')
            assert parse(leaf).reason == "invented"
        frontier = frontier.append(leaf_hash(leaf))
        changes.append({"at": row.sequence, "leaf": leaf, "leaf_hash": leaf_hash(leaf), "root": frontier.root})
    connection.execute(update(audit_leaves).where(audit_leaves.c.sequence == bindparam("at")), changes)
    connection.execute(update(audit_head).values(frontier=frontier.to_bytes(), root=frontier.root))
    return frontier


def _leaf(connection: Connection, sequence: int) -> bytes:
    query = text("SELECT leaf FROM audit_leaves WHERE sequence = :sequence")
    return bytes(connection.execute(query, {"sequence": sequence}).scalar_one())


def _set(connection: Connection, at: int, **change: Any) -> None:
    connection.execute(update(audit_leaves).where(audit_leaves.c.sequence == at).values(**change))


def _delete(connection: Connection, sequence: int) -> None:
    connection.execute(delete(audit_leaves).where(audit_leaves.c.sequence == sequence))
