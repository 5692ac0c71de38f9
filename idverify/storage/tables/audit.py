"""The tables of the audit log: its head, its leaves and the checkpoints that are kept for good."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, String, Table, Text

from idverify.storage.tables.schema import metadata

_COUNT = BigInteger().with_variant(Integer, "sqlite")
"""A log may outgrow 2**31 leaves; SQLite's integers have 64 bits anyway."""

audit_head = Table(
    "audit_head",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="single"), primary_key=True, autoincrement=False),
    Column("size", _COUNT, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    Column("note", Text),
)

audit_leaves = Table(
    "audit_leaves",
    metadata,
    Column("sequence", _COUNT, primary_key=True, autoincrement=False),
    # Copies of two of the leaf's fields, to search by; verification compares them with the leaf.
    Column("event", String, nullable=False),
    Column("person", String),
    Column("leaf", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary, nullable=False),
    Column("root", LargeBinary, nullable=False),
    # None in leaves that were written before leaves had a MAC; see EventKind.LEAVES_AUTHENTICATED.
    Column("mac", LargeBinary),
    Index(None, "person", "sequence"),
    Index(None, "event", "sequence"),
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("size", _COUNT, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)
