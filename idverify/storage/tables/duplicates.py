"""The tables of duplicate searches and of their reports."""

from sqlalchemy import JSON, Column, ForeignKey, Integer, LargeBinary, String, Table, Text

from idverify.storage.tables.schema import key, metadata, of

# What a search found so far: each pair beside its first person only, the rest is sealed under both persons' keys.
duplicate_pairs = Table(
    "duplicate_pairs",
    metadata,
    of("search", "jobs.job", primary_key=True),
    key("pair"),
    of("person", "persons.person", index=True),
    Column("sealed", LargeBinary, nullable=False),
)

# Pairs that analysts looked at and held for different people; the name of a pair leads to nobody by itself.
decided_pairs = Table(
    "decided_pairs",
    metadata,
    Column("pair", LargeBinary, primary_key=True),
    Column("reason", String, nullable=False),
    Column("decided_at", String, nullable=False),
)

reports = Table(
    "reports",
    metadata,
    key("report"),
    Column("kind", String, nullable=False),
    Column("galleries", JSON, nullable=False),
    # The search that it closes; no foreign key, for the job may be dropped and the report stays.
    Column("search", String, unique=True),
    Column("made_at", String, nullable=False),
    Column("head", LargeBinary, nullable=False),
    Column("signature", Text, nullable=False),
)

report_parts = Table(
    "report_parts",
    metadata,
    of("report", "reports.report", primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    # The first of the persons whom the part is about; it goes with them. None: nobody who is enrolled.
    Column("person", String, ForeignKey("persons.person", ondelete="CASCADE"), index=True),
    Column("sealed", LargeBinary, nullable=False),
)
