"""Checks parts of the audit log at full speed and lists the records that they speak of; it does not say what is wrong.

A part that fails is for `audit_verification.verify` to judge, which takes three times as long and names the leaf. Parts
may be checked in any order, and by several processes that see one state of the database.
"""

import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import Any

from sqlalchemy import Connection, func, select

from idverify.audit.checkpoint import LeafKey
from idverify.audit.events import EventKind, parse_fields
from idverify.audit.log import Frontier
from idverify.errors import AuditBroken
from idverify.ids import Pseudonym
from idverify.storage.audit_log import LEAVES
from idverify.storage.batched_queries import plain_batches
from idverify.storage.persons import person_log_name
from idverify.storage.record_check import RECORD_TABLES
from idverify.storage.tables.audit import audit_head, audit_leaves

NOTHING = Frontier()
STRETCH = 1 << 14
"""Leaves of a stretch: a power of two, so that each whole one is one subtree."""
ENTRY_BYTES = 48
"""What is kept of a record: 16 bytes of a keyed digest of its name, and the 32 bytes of its own digest."""
_FETCHED = 2_000


@dataclass(frozen=True, slots=True)
class CheckedStretch:
    """A sound stretch: the tree behind it, and an entry for each record it speaks of, in the order of its leaves."""

    frontier: Frontier
    entries: bytes


def stretches(size: int) -> list[tuple[int, int]]:
    """(first leaf, number of leaves) of each stretch of a log of that size."""
    return [(first, min(STRETCH, size - first)) for first in range(0, size, STRETCH)]


def starts(subtrees: list[bytes]) -> Iterator[Frontier]:
    """The tree before each stretch, by the subtrees of the stretches, whole but for the last."""
    frontier = Frontier()
    for subtree in subtrees:
        yield Frontier(frontier.size * STRETCH, frontier.subtrees)
        frontier = frontier.append(subtree)


def subtree(connection: Connection, first: int, leaves: int) -> bytes:
    """The root over the stored leaf hashes of a stretch; they are held against the leaves in `check_stretch`."""
    query = select(audit_leaves.c.leaf_hash).where(_within(first, leaves)).order_by(audit_leaves.c.sequence)
    frontier = Frontier()
    for (digest,) in connection.execute(query):
        frontier = frontier.append(digest)
    return frontier.root


def size_said(connection: Connection) -> int:
    """How many leaves the head says there are; 0 without a head."""
    return connection.execute(select(audit_head.c.size)).scalar_one_or_none() or 0


def counted(connection: Connection) -> int:
    """How many leaves are stored."""
    return connection.execute(select(func.count()).select_from(audit_leaves)).scalar_one()


def erased_ever(connection: Connection) -> frozenset[Pseudonym]:
    """Everybody who was erased, by a column that `check_stretch` holds against the leaves."""
    query = select(audit_leaves.c.person).where(audit_leaves.c.event == EventKind.PERSON_ERASED)
    return frozenset(Pseudonym(person) for (person,) in connection.execute(query) if person is not None)


def check_stretch(
    connection: Connection,
    first: int,
    leaves: int,
    before: Frontier,
    signed: Mapping[int, bytes],
    erased: Collection[Pseudonym],
    secret: bytes,
    *,
    leaf_key: LeafKey,
    authenticated_from: int | None,
) -> CheckedStretch | None:
    """Check a stretch as `audit_verification.verify` does; None when any leaf of it is not as it should be.

    `before`: the tree before its first leaf; `signed`: roots by the size that they were signed for; `erased`: whose
    records are left out; `secret`: for the entries, the same for all that will be compared. From leaf
    `authenticated_from` on, each must have a MAC by `leaf_key`.
    """
    gone = frozenset(person_log_name(pseudonym) for pseudonym in erased)
    entries: list[bytes] = []
    tree = _Tree(before)
    required_from = math.inf if authenticated_from is None else authenticated_from
    for sequence, event, person, leaf, stored_hash, stored_root, mac in _rows(connection, first, leaves):
        # 1. The leaf is an event in its canonical form, of this place, and the columns say what it says.
        if sequence != tree.size or not _says(leaf_fields := _fields_of(leaf), sequence, event, person):
            return None
        # 2. Its hash, the root of the tree that it makes, and what was signed of it.
        digest = sha256(b"\x00" + leaf).digest()
        if digest != stored_hash or tree.append(digest) != stored_root:
            return None
        if signed.get(tree.size, stored_root) != stored_root:
            return None
        # 3. Its MAC.
        if mac != leaf_key.mac(digest) and (mac is not None or sequence >= required_from):
            return None
        # 4. What it says of records, unless of somebody who was erased.
        if leaf_fields["records"] and person not in erased:
            try:
                entries += _entries(leaf_fields["records"], gone, secret)
            except ValueError:  # a digest that is none: no stored record will have it
                return None
    return CheckedStretch(tree.frontier, b"".join(entries)) if tree.size == first + leaves else None


class _Tree:
    """A `Frontier` that grows in place, for millions of leaves."""

    __slots__ = ("size", "subtrees")

    def __init__(self, frontier: Frontier) -> None:
        self.size = frontier.size
        self.subtrees = list(frontier.subtrees)

    @property
    def frontier(self) -> Frontier:
        return Frontier(self.size, tuple(self.subtrees))

    def append(self, digest: bytes) -> bytes:
        """The root with one more leaf, given by its hash."""
        subtrees, size = self.subtrees, self.size
        while size & 1:
            digest = sha256(b"\x01" + subtrees.pop() + digest).digest()
            size >>= 1
        subtrees.append(digest)
        self.size += 1
        root = digest
        for left in subtrees[-2::-1]:
            root = sha256(b"\x01" + left + root).digest()
        return root


def _fields_of(leaf: object) -> Mapping[str, Any]:
    """Nothing for what is no leaf."""
    if not isinstance(leaf, bytes):  # SQLite keeps whatever type it was given
        return {}
    try:
        return parse_fields(leaf)
    except AuditBroken:
        return {}


def _says(fields: Mapping[str, Any], sequence: int, event: str, person: str | None) -> bool:
    return bool(fields) and (fields["sequence"], fields["event"], fields["person"]) == (sequence, event, person)


def _entries(records: Mapping[str, str], gone: Collection[str], secret: bytes) -> list[bytes]:
    return [
        entry(log_name, digest, secret)
        for log_name, digest in records.items()
        if log_name.partition("/")[0] in RECORD_TABLES and log_name not in gone
    ]


def entry(log_name: str, digest: str, secret: bytes) -> bytes:
    """A record in ENTRY_BYTES. The name's digest is keyed, so that nobody can look for two names that have the same."""
    content = bytes.fromhex(digest)
    if len(content) != 32:
        raise ValueError("a record's digest has 32 bytes")
    return blake2b(log_name.encode(), digest_size=16, key=secret).digest() + content


def _rows(connection: Connection, first: int, leaves: int) -> Iterator[tuple[Any, ...]]:
    query = LEAVES.select.where(_within(first, leaves)).order_by(audit_leaves.c.sequence)
    for part in plain_batches(connection, query, _FETCHED):
        yield from part


def _within(first: int, leaves: int) -> Any:
    return audit_leaves.c.sequence.between(first, first + leaves - 1)
