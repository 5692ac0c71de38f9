"""Appends events to the audit log in the caller's transaction and reads them back; it never changes or deletes a leaf.

`idverify.storage.audit_verification` recomputes the whole log.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from idverify.audit.checkpoint import CheckpointSigner
from idverify.audit.events import Event, EventKind, LeafDraft, parse
from idverify.audit.log import Frontier, leaf_hash
from idverify.errors import LogForked
from idverify.ids import Pseudonym
from idverify.storage.batched_queries import rows_in_batches
from idverify.storage.rows import RowTable
from idverify.storage.tables.audit import audit_checkpoints, audit_head, audit_leaves

LEAVES_PER_CHECKPOINT = 1024
"""After so many leaves a checkpoint is kept for good; the newest one always stands in the head."""

AUTHENTICATED = "leaves_authenticated"
"""The reason of a KEYS_CREATED leaf in a log whose leaves had MACs from the first on."""


@dataclass(frozen=True, slots=True)
class LeafRow:
    """One leaf: what it is searched by, its hash, the root of the log that ends with it, and its MAC, of 32 bytes each.

    `mac` is None in a leaf that was written before leaves had one.
    """

    sequence: int
    event: str
    person: str | None
    leaf: bytes
    leaf_hash: bytes
    root: bytes
    mac: bytes | None


LEAVES = RowTable(LeafRow, audit_leaves)
_LEAVES = select(audit_leaves.c.sequence, audit_leaves.c.leaf)
# Put together once: every answer appends and follows, and building a statement costs three times its execution.
_HEAD = select(audit_head.c.size, audit_head.c.root, audit_head.c.frontier, audit_head.c.note)
_HEAD_LOCKED = _HEAD.with_for_update()
_NEWEST = select(
    audit_head.c.note,
    select(audit_leaves.c.leaf_hash).where(audit_leaves.c.sequence == audit_head.c.size - 1).scalar_subquery(),
)
_TURN = select(audit_head.c.id).with_for_update()
_SIZE = select(audit_head.c.size)
_ADD_LEAF = insert(audit_leaves)
_MOVE_HEAD = update(audit_head)
_BEHIND = (
    _LEAVES.where(audit_leaves.c.sequence > bindparam("behind"))
    .order_by(audit_leaves.c.sequence)
    .limit(bindparam("most"))
)
_BEHIND_OF_KINDS = _BEHIND.where(audit_leaves.c.event.in_(bindparam("kinds", expanding=True)))


@dataclass(frozen=True, slots=True)
class LeafPosition:
    """Where a leaf went: its sequence, and the root (hex) and signed checkpoint of the log that ends with it."""

    sequence: int
    root: str
    checkpoint: str


def append(
    connection: Connection,
    draft: LeafDraft,
    *,
    now: datetime,
    signer: CheckpointSigner,
    seal_detail: Callable[[int], bytes] | None = None,
) -> LeafPosition:
    """Append one event; it is in the log when, and only when, the caller's transaction commits.

    The head is locked until then, so append last. `seal_detail` is given the sequence, which is in the seal's context.
    Raises LogForked when the log is not what this service signed last: it is never extended then.
    """
    frontier = _signed_frontier(connection.execute(_HEAD_LOCKED).one_or_none(), signer)
    sequence = frontier.size
    event = draft.placed(sequence, now, None if seal_detail is None else seal_detail(sequence))
    leaf = event.leaf()
    digest = leaf_hash(leaf)
    frontier = frontier.append(digest)
    note = signer.sign(frontier.size, frontier.root)
    row = {"sequence": sequence, "event": event.event, "person": event.person, "leaf": leaf, "leaf_hash": digest}
    connection.execute(_ADD_LEAF, {**row, "root": frontier.root, "mac": signer.leaf_key.mac(digest)})
    moved = {"size": frontier.size, "frontier": frontier.to_bytes(), "root": frontier.root, "note": note}
    connection.execute(_MOVE_HEAD, moved)
    if connection.execute(_NEWEST).one_or_none() != (note, digest):
        raise _forked("did not take what was recorded, as where a trigger keeps it away", sequence)
    if frontier.size % LEAVES_PER_CHECKPOINT == 0:
        connection.execute(insert(audit_checkpoints).values(size=frontier.size, note=note))
    return LeafPosition(sequence, frontier.root.hex(), note)


def require_signed(connection: Connection, signer: CheckpointSigner) -> None:
    """Raises LogForked when the log is not what this service signed last; nothing can be recorded then."""
    _signed_frontier(connection.execute(_HEAD).one_or_none(), signer)


def _signed_frontier(head: Row[Any, Any, Any, Any] | None, signer: CheckpointSigner) -> Frontier:
    """The tree that ends with the head. Whoever can write to the database could move it, but not sign the note with it.

    Raises LogForked.
    """
    try:
        frontier = Frontier.from_bytes(head.frontier) if head is not None else None
    except ValueError:
        frontier = None
    if head is None or frontier is None:
        raise _forked("is gone or cannot be read", 0)
    expected = signer.sign(frontier.size, frontier.root) if frontier.size else None
    if (head.size, head.root, head.note) != (frontier.size, frontier.root, expected):
        raise _forked("does not carry this service's signature", frontier.size)
    return frontier


def _forked(problem: str, size: int) -> LogForked:
    return LogForked(
        f"audit log: its head of {size} leaves {problem}, so somebody else wrote to it; nothing is recorded any more: "
        "run `idverify audit verify` and restore a backup",
        sequence=max(size - 1, 0),
    )


def authenticated_from(connection: Connection) -> int | None:
    """The sequence of the first leaf from which on every leaf has a MAC; None while the log does not say so."""
    kinds = [EventKind.KEYS_CREATED, EventKind.LEAVES_AUTHENTICATED]
    beginning = (event for event in leaves_after(connection, -1, kinds) if begins_authentication(event))
    return next((event.sequence for event in beginning), None)


def begins_authentication(event: Event) -> bool:
    """Whether from this leaf on every leaf must have a MAC."""
    return event.event is EventKind.LEAVES_AUTHENTICATED or (
        event.event is EventKind.KEYS_CREATED and event.reason == AUTHENTICATED
    )


def take_turn(connection: Connection) -> None:
    """Lock the head until the transaction ends: nobody else appends after what is read from here on."""
    connection.execute(_TURN).scalar_one()


def checkpoint(connection: Connection) -> str | None:
    """The newest signed checkpoint, None while the log is empty. Keep it elsewhere: forks are found by it."""
    note: str | None = connection.execute(select(audit_head.c.note)).scalar_one()
    return note


def accesses(connection: Connection, pseudonym: Pseudonym, *, batch: int = 1000) -> Iterator[Event]:
    """Every event about that person, oldest first. Raises AuditBroken for a malformed leaf."""
    query = _LEAVES.where(audit_leaves.c.person == pseudonym)
    for row in rows_in_batches(connection, query, audit_leaves.c.sequence, batch):
        yield parse(row.leaf)


def leaves_after(
    connection: Connection, sequence: int, kinds: Collection[EventKind] | None = None, *, batch: int = 1000
) -> Iterator[Event]:
    """Events behind leaf `sequence` (-1: from the first), of these kinds or all, in order. Raises AuditBroken."""
    query, wanted = (_BEHIND, {}) if kinds is None else (_BEHIND_OF_KINDS, {"kinds": list(kinds)})
    while rows := connection.execute(query, {**wanted, "behind": sequence, "most": batch}).all():
        for row in rows:
            yield parse(row.leaf)
        if len(rows) < batch:
            return
        sequence = rows[-1].sequence


def first_since(connection: Connection, time: str) -> int:
    """The sequence of the first leaf at or after `time`, as `utc_text` writes it; the log's size when there is none.

    Halves the log again and again, for its times do not run back: 21 leaves are read of two million.
    """
    low, high = 0, size(connection)
    while low < high:
        middle = (low + high) // 2
        leaf = connection.execute(_LEAVES.where(audit_leaves.c.sequence == middle)).one().leaf
        low, high = (middle + 1, high) if parse(leaf).time < time else (low, middle)
    return low


def size(connection: Connection) -> int:
    """How many leaves the log has."""
    leaves: int = connection.execute(_SIZE).scalar_one()
    return leaves


def export(connection: Connection, *, batch: int = 1000) -> Iterator[bytes]:
    """The whole log as lines: each leaf as it was hashed, in order. `checkpoint` of the same transaction signs them."""
    for row in rows_in_batches(connection, _LEAVES, audit_leaves.c.sequence, batch):
        yield row.leaf
