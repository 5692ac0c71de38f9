"""The tables of the database, as SQLAlchemy Core; `migrations/` builds exactly these, nothing else is ever stored."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


_COUNT = BigInteger().with_variant(Integer, "sqlite")
"""A log may outgrow 2**31 leaves; SQLite's integers have 64 bits anyway."""


def _key(name: str) -> Column[str]:
    return Column(name, String, primary_key=True)


def _of(name: str, target: str, *, primary_key: bool = False, index: bool = False) -> Column[str]:
    """A column that points at another table's row and goes with it."""
    return Column(
        name, String, ForeignKey(target, ondelete="CASCADE"), nullable=False, primary_key=primary_key, index=index
    )


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
    _key("kind"),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("root_id", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", String, nullable=False),
)

galleries = Table(
    "galleries",
    metadata,
    _key("gallery"),
    Column("demonstration", Boolean, nullable=False),
    Column("model", String, nullable=False),
    Column("policy", JSON, nullable=False),
    Column("created_at", String, nullable=False),
    Column("moving_to", String),
)

# The wrapped data keys, apart from their persons: a row here is overwritten in place and never deleted, because SQLite
# may copy the neighbours of a deleted row to another page and leave the old copies, out of reach of secure_delete.
person_keys = Table(
    "person_keys",
    metadata,
    Column("slot", Integer, primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=False),
)

persons = Table(
    "persons",
    metadata,
    _key("person"),
    Column("pseudonym", String, nullable=False, unique=True),
    Column("key_slot", Integer, ForeignKey("person_keys.slot"), nullable=False, unique=True),
    Column("wrapping_version", Integer, nullable=False, index=True),
    Column("status", String, nullable=False),
    Column("created_at", String, nullable=False),
)

encounters = Table(
    "encounters",
    metadata,
    _key("encounter"),
    _of("person", "persons.person", index=True),
    Column("created_at", String, nullable=False),
    Column("source", String, nullable=False),
    Column("client", String),
    Column("clerk", String),
    Column("station", String),
    Column("review", String, nullable=False, index=True),
    Column("detail", LargeBinary),
)

encounter_galleries = Table(
    "encounter_galleries",
    metadata,
    _of("encounter", "encounters.encounter", primary_key=True),
    Column("gallery", String, ForeignKey("galleries.gallery"), primary_key=True, index=True),
)

templates = Table(
    "templates",
    metadata,
    _key("template"),
    _of("encounter", "encounters.encounter", index=True),
    _of("person", "persons.person", index=True),
    Column("generation", Integer, nullable=False),
    Column("model", String, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("dtype", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

images = Table(
    "images",
    metadata,
    _key("image"),
    _of("encounter", "encounters.encounter", index=True),
    _of("person", "persons.person", index=True),
    Column("generation", Integer, nullable=False),
    Column("media_type", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

clients = Table(
    "clients",
    metadata,
    _key("client"),
    Column("scopes", JSON, nullable=False),
    Column("galleries", JSON, nullable=False),
    Column("purposes", JSON, nullable=False),
    Column("sees_scores", Boolean, nullable=False),
    Column("status", String, nullable=False),
    Column("created_at", String, nullable=False),
)

# What a client proves itself by; a secret as HMAC, a public key as it is, a certificate as its digest.
client_credentials = Table(
    "client_credentials",
    metadata,
    _of("client", "clients.client", primary_key=True),
    _key("credential"),
    Column("kind", String, nullable=False),
    Column("stored", LargeBinary, nullable=False),
    Column("created_at", String, nullable=False),
    Column("expires_at", String),
)

used_assertions = Table(
    "used_assertions",
    metadata,
    _of("client", "clients.client", primary_key=True),
    Column("assertion", LargeBinary, primary_key=True),
    Column("expires_at", String, nullable=False, index=True),
)

approvals = Table(
    "approvals",
    metadata,
    _key("proposal"),
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

verification_counts = Table(
    "verification_counts",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("day", Date, primary_key=True, index=True),
    Column("attempts", Integer, nullable=False),
)

verification_streaks = Table(
    "verification_streaks",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("failures", Integer, nullable=False),
)

# Answers to requests with an Idempotency-Key. An answer that names an erased person stays as a row without content.
stored_answers = Table(
    "stored_answers",
    metadata,
    Column("slot", LargeBinary, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("sealed", LargeBinary),
    Column("expires_at", String, nullable=False, index=True),
)

stored_answer_persons = Table(
    "stored_answer_persons",
    metadata,
    Column("slot", LargeBinary, ForeignKey("stored_answers.slot", ondelete="CASCADE"), primary_key=True),
    Column("subject", LargeBinary, primary_key=True, index=True),
)

jobs = Table(
    "jobs",
    metadata,
    _key("job"),
    Column("kind", String, nullable=False),
    Column("state", String, nullable=False),
    Column("parameters", JSON, nullable=False),
    Column("created_at", String, nullable=False),
    Column("updated_at", String, nullable=False),
)

job_items = Table(
    "job_items",
    metadata,
    _of("job", "jobs.job", primary_key=True),
    _key("item"),
    # No foreign key: an item may be recorded of somebody who was refused; erasure deletes by this column.
    Column("person", String, index=True),
    Column("outcome", String, nullable=False),
    Column("reason", String),
    Column("detail", Text),
)

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
    Index(None, "person", "sequence"),
    Index(None, "event", "sequence"),
)

audit_checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("size", _COUNT, primary_key=True, autoincrement=False),
    Column("note", Text, nullable=False),
)
