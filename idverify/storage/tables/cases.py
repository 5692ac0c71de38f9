"""The tables of cases, of the opinions on them and of what persons said against a decision."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, String, Table, UniqueConstraint

from idverify.storage.tables.schema import key, metadata, of

# A case of several records that may be one person. What it says about them is sealed under the keys of all of them.
cases = Table(
    "cases",
    metadata,
    key("case"),
    Column("origin", String, nullable=False),
    Column("source", String, nullable=False),
    Column("strength", String, nullable=False),
    Column("members", Integer, nullable=False),
    Column("opened_at", String, nullable=False, index=True),
    Column("evidence", LargeBinary, nullable=False),
    Column("round", Integer, nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("finding", String),
    Column("decided_by", String),
    Column("decided_at", String),
    UniqueConstraint("origin", "source"),
)

case_galleries = Table(
    "case_galleries",
    metadata,
    of("case", "cases.case", primary_key=True),
    Column("gallery", String, ForeignKey("galleries.gallery"), primary_key=True, index=True),
)

# A member goes with its person: a case with fewer of them than it was opened with is over.
case_members = Table(
    "case_members",
    metadata,
    of("case", "cases.case", primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    # None: a line of a payroll whose face is not enrolled.
    Column("person", String, ForeignKey("persons.person", ondelete="CASCADE"), index=True),
    Column("encounter", String, ForeignKey("encounters.encounter", ondelete="CASCADE"), index=True),
)

case_opinions = Table(
    "case_opinions",
    metadata,
    of("case", "cases.case", primary_key=True),
    # Part of the key: nobody decides on a case twice, in whatever round.
    key("analyst"),
    Column("round", Integer, nullable=False),
    Column("lead", Boolean, nullable=False),
    Column("finding", String, nullable=False),
    Column("given_at", String, nullable=False),
    Column("note", LargeBinary, nullable=False),
    Index(None, "analyst", "given_at"),
)

case_contests = Table(
    "case_contests",
    metadata,
    of("case", "cases.case", primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("recorded_by", String, nullable=False),
    Column("recorded_at", String, nullable=False),
    Column("statement", LargeBinary, nullable=False),
)
