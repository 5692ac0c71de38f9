"""The audit log grows by one writer at a time inside the caller's transaction, and reads back what was written."""

import threading
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import text

from idverify.audit import checkpoint as checkpoints
from idverify.audit.checkpoint import CheckpointSigner
from idverify.audit.events import EventKind, LeafDraft, parse
from idverify.audit.log import leaf_hash, tree_root
from idverify.errors import LogForked, SealBroken
from idverify.ids import Pseudonym
from idverify.protection.envelope import SealContext
from idverify.storage import audit_log
from idverify.storage.audit_verification import verify
from tests.forging import forge

STARTED = LeafDraft(event=EventKind.SERVICE_STARTED)


def test_a_leaf_is_there_when_and_only_when_its_transaction_commits(deployed: Any, now: datetime) -> None:
    def append_and_fail() -> None:
        with deployed.database.write() as connection:
            audit_log.append(connection, STARTED, now=now, signer=deployed.signer)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        append_and_fail()
    with deployed.database.write() as connection:
        assert audit_log.append(connection, STARTED, now=now, signer=deployed.signer).sequence == 0
        assert audit_log.append(connection, STARTED, now=now, signer=deployed.signer).sequence == 1
    with deployed.database.read() as connection:
        assert audit_log.size(connection) == 2


def test_a_position_is_signed_and_is_the_root_of_the_leaves(deployed: Any, now: datetime) -> None:
    for _ in range(5):
        with deployed.database.write() as connection:
            position = audit_log.append(connection, STARTED, now=now, signer=deployed.signer)
    with deployed.database.read() as connection:
        leaves = list(audit_log.export(connection))
        assert audit_log.checkpoint(connection) == position.checkpoint
    checkpoint = checkpoints.verify(position.checkpoint, deployed.signer.verifier)
    assert checkpoint.size == len(leaves) == 5
    assert checkpoint.root == tree_root([leaf_hash(leaf) for leaf in leaves])
    assert checkpoint.root.hex() == position.root
    assert [parse(leaf).sequence for leaf in leaves] == list(range(5))


@pytest.mark.parametrize("note", ["kept", "removed", "of another log"])
def test_a_head_that_somebody_else_moved_is_never_extended(deployed: Any, now: datetime, note: str) -> None:
    deployed.append(times=3)
    with deployed.database.write() as connection:
        forge(connection, STARTED, now)
        if note == "removed":
            connection.execute(text("UPDATE audit_head SET note = NULL"))
        elif note == "of another log":
            other = CheckpointSigner(deployed.signer.origin, bytes(32), bytes(32))
            head = connection.execute(text("SELECT size, root FROM audit_head")).one()
            signed = other.sign(head.size, bytes(head.root))
            connection.execute(text("UPDATE audit_head SET note = :note"), {"note": signed})
    with pytest.raises(LogForked, match="signature") as forked:
        deployed.append()
    assert forked.value.sequence == 3
    with deployed.database.read() as connection:
        assert audit_log.size(connection) == 4  # nothing was added to what was forged


def test_threads_append_densely_and_without_a_fork(deployed: Any, now: datetime) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(100):
                with deployed.database.write() as connection:
                    audit_log.append(connection, STARTED, now=now, signer=deployed.signer)
        except Exception as error:  # noqa: BLE001 - whatever it was, the test must show it
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with deployed.database.read() as connection:
        assert verify(connection, deployed.signer).size == 200
        assert [parse(leaf).sequence for leaf in audit_log.export(connection)] == list(range(200))


def test_a_checkpoint_is_kept_every_1024_leaves(sqlite_deployed: Any) -> None:
    sqlite_deployed.append(times=2 * audit_log.LEAVES_PER_CHECKPOINT + 1)
    with sqlite_deployed.database.read() as connection:
        kept = connection.execute(text("SELECT size, note FROM audit_checkpoints ORDER BY size")).all()
        assert [row.size for row in kept] == [1024, 2048]
        for row in kept:
            assert checkpoints.verify(row.note, sqlite_deployed.signer.verifier).size == row.size
        assert verify(connection, sqlite_deployed.signer).size == 2049


def test_a_detail_opens_in_its_own_leaf_only(deployed: Any, now: datetime) -> None:
    anna = deployed.enrol("anna")
    draft = LeafDraft(event=EventKind.PERSON_VERIFIED, person=anna.row.pseudonym)

    def seal(sequence: int) -> bytes:
        context = SealContext.of_audit_detail(anna.row.person, sequence)
        sealed: bytes = deployed.envelope.seal(anna.key, b"score withheld", context)
        return sealed

    with deployed.database.write() as connection:
        audit_log.append(connection, draft, now=now, signer=deployed.signer, seal_detail=seal)
    with deployed.database.read() as connection:
        *_, event = audit_log.accesses(connection, anna.row.pseudonym)
    context = SealContext.of_audit_detail(anna.row.person, event.sequence)
    assert deployed.envelope.open(anna.key, event.sealed_detail, context) == b"score withheld"
    elsewhere = SealContext.of_audit_detail(anna.row.person, event.sequence + 1)
    with pytest.raises(SealBroken):
        deployed.envelope.open(anna.key, event.sealed_detail, elsewhere)


def test_a_person_is_shown_every_event_about_them_and_no_other(deployed: Any) -> None:
    deployed.append(EventKind.PERSON_VERIFIED, person="anna")
    deployed.append(EventKind.PERSON_VERIFIED, person="ben")
    deployed.append(EventKind.SERVICE_STARTED)
    deployed.append(EventKind.PERSON_READ, person="anna")
    with deployed.database.read() as connection:
        events = list(audit_log.accesses(connection, Pseudonym("p-anna"), batch=1))
    assert [(event.sequence, event.event) for event in events] == [
        (0, EventKind.PERSON_VERIFIED),
        (3, EventKind.PERSON_READ),
    ]


def test_a_follower_gets_what_came_after_and_only_its_kinds(deployed: Any) -> None:
    kinds = [EventKind.SERVICE_STARTED, EventKind.PERSON_READ, EventKind.SERVICE_STARTED, EventKind.PERSON_ERASED]
    for kind in kinds:
        deployed.append(kind)
    with deployed.database.read() as connection:
        assert [event.event for event in audit_log.leaves_after(connection, -1)] == kinds
        assert [event.sequence for event in audit_log.leaves_after(connection, 1)] == [2, 3]
        followed = audit_log.leaves_after(connection, 0, [EventKind.PERSON_ERASED, EventKind.PERSON_READ])
        assert [event.sequence for event in followed] == [1, 3]
