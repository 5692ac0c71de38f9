"""Recomputes the whole audit log and names the leaf that is altered, missing, reordered or forked; it repairs nothing.

One pass, in bounded memory; call it inside `Database.read`, which shows one state of the database throughout.
"""

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from idverify.audit import checkpoint as checkpoints
from idverify.audit.checkpoint import Checkpoint, CheckpointSigner, LeafKey, VerifierKey
from idverify.audit.events import Event, parse
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
from idverify.storage.audit_log import LEAVES, LEAVES_PER_CHECKPOINT, LeafRow, begins_authentication
from idverify.storage.batched_queries import rows_in_batches
from idverify.storage.rows import RowTable
from idverify.storage.tables.audit import audit_checkpoints, audit_head, audit_leaves

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class VerifiedLog:
    """A log that verified: its size, root (hex) and newest signed checkpoint (None while it is empty)."""

    size: int
    root: str
    checkpoint: str | None


@dataclass(frozen=True, slots=True)
class HeadRow:
    """How the log ends: its size, frontier and root, and the newest signed checkpoint."""

    size: int
    frontier: bytes
    root: bytes
    note: str | None


HEAD = RowTable(HeadRow, audit_head, beside=["id"])


def verify(
    connection: Connection,
    signer: CheckpointSigner,
    *,
    kept: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> VerifiedLog:
    """Recompute every hash, MAC and root and compare them with every signed checkpoint, `kept` elsewhere or stored.

    `progress` is told (leaves done, leaves in all). Raises CheckpointInvalid when `kept` is not signed by this log's
    key, and for the first thing wrong with the log LeafAltered, LeafMissing, LeafReordered or LogForked.
    """
    verifier = signer.verifier
    # 1. What was signed. A kept checkpoint comes from outside: if it is not ours that says nothing of the log.
    signed = [] if kept is None else [checkpoints.verify(kept, verifier)]
    head = _head(connection)
    signed += _stored_checkpoints(connection, verifier, head)
    expected: dict[int, set[bytes]] = {}
    for checkpoint in signed:
        expected.setdefault(checkpoint.size, set()).add(checkpoint.root)

    # 2. Every leaf in its place, with its MAC, and every root after it.
    frontier, vouched, authenticated = Frontier(), 0, False
    foreign: int | None = None
    for row in _rows(connection):
        event = _checked(connection, row, frontier, head.size)
        authenticated = authenticated or begins_authentication(event)
        if foreign is None and not _authentic(row, signer.leaf_key, required=authenticated):
            foreign = row.sequence
        frontier = frontier.append(row.leaf_hash)
        if row.root != frontier.root:
            raise LeafAltered(
                f"audit leaf {row.sequence}: it is not the leaf that the log's root was computed with",
                sequence=row.sequence,
            )
        # 3. Every signed checkpoint that ends here.
        if roots := expected.pop(frontier.size, None):
            if roots != {frontier.root}:
                raise _forked(vouched, frontier.size)
            vouched = frontier.size
        if progress is not None and (frontier.size % _BATCH == 0 or frontier.size == head.size):
            progress(frontier.size, head.size)

    # 4. The end: as many leaves as the head counts, and no checkpoint beyond it.
    _check_end(frontier, head, expected)
    # 5. Leaves that fit the tree and that this service did not write. Last, for every fault above says more.
    if foreign is not None:
        raise LeafAltered(f"audit leaf {foreign}: its MAC is missing or not by this service", sequence=foreign)
    return VerifiedLog(frontier.size, frontier.root.hex(), head.note)


def signed_roots(connection: Connection, verifier: VerifierKey) -> dict[int, bytes] | None:
    """Every root that was signed, by the size it was signed for; None when two were signed for one size.

    Raises LogForked when a checkpoint that must be there is not, or is not ours.
    """
    signed: dict[int, bytes] = {}
    for checkpoint in _stored_checkpoints(connection, verifier, _head(connection)):
        if signed.setdefault(checkpoint.size, checkpoint.root) != checkpoint.root:
            return None
    return signed


def ends_with(connection: Connection, frontier: Frontier) -> bool:
    """Whether the head speaks of exactly this tree."""
    head = _head(connection)
    return (head.size, head.root, head.frontier) == (frontier.size, frontier.root, frontier.to_bytes())


def _check_end(frontier: Frontier, head: HeadRow, unmet: dict[int, set[bytes]]) -> None:
    if frontier.size < head.size:
        raise LeafMissing(
            f"audit leaf {frontier.size}: missing; the log counts {head.size} leaves", sequence=frontier.size
        )
    if frontier.size > head.size or frontier.root != head.root or frontier.to_bytes() != head.frontier:
        raise LogForked(
            f"audit log: its head speaks of {head.size} leaves and another tree than its {frontier.size} leaves make",
            sequence=min(frontier.size, head.size),
        )
    beyond = max(unmet, default=0)
    if beyond > frontier.size:
        raise LogForked(
            f"audit log: a checkpoint was signed at {beyond} leaves but the log has {frontier.size}: "
            f"it was cut back and leaf {frontier.size} is gone",
            sequence=frontier.size,
        )


def _head(connection: Connection) -> HeadRow:
    head = HEAD.one(connection, HEAD.select)
    if head is None:
        raise LogForked("audit log: its head is gone", sequence=0)
    # SQLite keeps whatever type it was given.
    if not isinstance(head.size, int):
        raise LogForked("audit log: its head does not say how many leaves there are", sequence=0)
    return head


def _stored_checkpoints(connection: Connection, verifier: VerifierKey, head: HeadRow) -> Iterator[Checkpoint]:
    """Every checkpoint that the database must hold. Raises LogForked when one is absent or not signed by our key."""
    kept = {row.size: row.note for row in connection.execute(select(audit_checkpoints))}
    due = {at: kept.pop(at, None) for at in range(LEAVES_PER_CHECKPOINT, head.size + 1, LEAVES_PER_CHECKPOINT)}
    newest = [(head.size, head.note)] if head.size else []
    for at, note in (*due.items(), *kept.items(), *newest):
        try:
            checkpoint = checkpoints.verify(note if isinstance(note, str) else "", verifier)
        except CheckpointInvalid:
            checkpoint = None
        if checkpoint is None or checkpoint.size != at:
            raise LogForked(
                f"audit log: the stored checkpoint at {at} leaves is missing or not one that this service signed",
                sequence=max(at - 1, 0),
            )
        yield checkpoint


def _rows(connection: Connection) -> Iterator[LeafRow]:
    yield from map(LEAVES.row, rows_in_batches(connection, LEAVES.select, audit_leaves.c.sequence, _BATCH))


def _authentic(row: LeafRow, key: LeafKey, *, required: bool) -> bool:
    """Whether this service wrote the leaf. Those from before leaves had a MAC are held by the signed roots alone."""
    if row.mac is None:
        return not required
    return isinstance(row.mac, bytes) and hmac.compare_digest(row.mac, key.mac(row.leaf_hash))


def _checked(connection: Connection, row: LeafRow, frontier: Frontier, counted: int) -> Event:
    """The event of this leaf, if it is the leaf of its place. The frontier says which place it is."""
    place = frontier.size
    if row.sequence != place:
        raise LeafMissing(f"audit leaf {place}: missing; the next one there is {row.sequence}", sequence=place)
    if not isinstance(row.leaf, bytes):  # SQLite keeps whatever type it was given
        raise LeafAltered(f"audit leaf {place}: its content is not stored as bytes", sequence=place)
    event = _parsed(row.leaf)
    if event is not None and event.sequence != place:
        raise _displaced(connection, row, event, counted)
    if leaf_hash(row.leaf) != row.leaf_hash:
        raise LeafAltered(f"audit leaf {place}: its content does not have the hash that was stored", sequence=place)
    if event is None:
        raise LeafAltered(f"audit leaf {place}: not the canonical form of an event", sequence=place)
    if (row.event, row.person) != (event.event, event.person):
        raise LeafAltered(f"audit leaf {place}: the columns to search it by are not what it says", sequence=place)
    return event


def _displaced(connection: Connection, row: LeafRow, event: Event, counted: int) -> LeafBroken:
    """Why the leaf at this place says another sequence: moved here whole, shifted into a gap, or edited in place."""
    place, home = row.sequence, event.sequence
    hash_at_home = None
    home_holds_its_own = place_is_elsewhere = False
    rows = 0
    for other in _rows(connection):
        rows += 1
        claim = _parsed(other.leaf)
        if other.sequence == home:
            hash_at_home = other.leaf_hash
            home_holds_its_own = claim is not None and claim.sequence == home
        place_is_elsewhere |= claim is not None and claim.sequence == place
    if rows < counted and not place_is_elsewhere:
        return LeafMissing(f"audit leaf {place}: missing; leaf {home} was moved into its place", sequence=place)
    digest = leaf_hash(row.leaf)
    if digest == hash_at_home or (digest == row.leaf_hash and not home_holds_its_own):
        return LeafReordered(f"audit leaf {place}: in its place stands leaf {home}", sequence=place)
    return LeafAltered(f"audit leaf {place}: it was made to say that it is leaf {home}", sequence=place)


def _parsed(leaf: bytes) -> Event | None:
    try:
        return parse(leaf)
    except AuditBroken:
        return None


def _forked(vouched: int, size: int) -> LogForked:
    return LogForked(
        f"audit log: agrees with itself, but leaves {vouched} to {size - 1} are not those that the checkpoint at "
        f"{size} leaves was signed for",
        sequence=vouched,
    )
