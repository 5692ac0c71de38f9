"""The tables of the deployment itself: its name, its keys, long jobs, and proposals that wait for approval."""

from sqlalchemy import JSON, CheckConstraint, Column, Integer, LargeBinary, String, Table, Text

from idverify.storage.tables.schema import key, metadata, of

deployment = Table(
    "deployment",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="single"), primary_key=True, autoincrement=False),
    Column("deployment", String, nullable=False),
    Column("created_at", String, nullable=False),
)

service_keys = Table(
    "service_keys",
    metadata,
    key("kind"),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("root_id", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", String, nullable=False),
)

approvals = Table(
    "approvals",
    metadata,
    key("proposal"),
    Column("act", String, nullable=False),
    # Text, not JSON: its bytes are in the digest that the audit log keeps.
    Column("parameters", Text, nullable=False),
    Column("proposer", String, nullable=False),
    Column("request", String, nullable=False),
    Column("proposed_at", String, nullable=False),
    Column("expires_at", String, nullable=False),
    Column("state", String, nullable=False),
    Column("decider", String),
    Column("decided_at", String),
)

jobs = Table(
    "jobs",
    metadata,
    key("job"),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("created_at", String, nullable=False),
    Column("updated_at", String, nullable=False),
)

job_items = Table(
    "job_items",
    metadata,
    of("job", "jobs.job", primary_key=True),
    key("item"),
    # No foreign key: an item may be recorded of somebody who was refused; erasure deletes by this column.
    Column("person", String, index=True),
    Column("outcome", String, nullable=False),
    Column("reason", String),
    Column("detail", Text),
)
