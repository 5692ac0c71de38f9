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
    UniqueConstraint,
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
    # Quotas of this client's own; null: the settings'.
    Column("requests_per_minute", Integer),
    Column("identifications_per_day", Integer),
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

staff = Table(
    "staff",
    metadata,
    _key("staff"),
    Column("display_name", String, nullable=False),
    Column("roles", JSON, nullable=False),
    Column("galleries", JSON, nullable=False),
    Column("status", String, nullable=False),
    Column("created_at", String, nullable=False),
    Column("language", String, nullable=False),
)

# A password as its argon2id hash, a passkey as its public key, a one-time code as its digest; revoked by an end, kept.
staff_credentials = Table(
    "staff_credentials",
    metadata,
    _key("credential"),
    _of("staff", "staff.staff", index=True),
    Column("kind", String, nullable=False),
    Column("label", String, nullable=False),
    Column("stored", LargeBinary, nullable=False),
    Column("created_at", String, nullable=False),
    Column("expires_at", String),
    Column("uses", Integer, nullable=False),
)

stations = Table(
    "stations",
    metadata,
    _key("station"),
    Column("gallery", String, ForeignKey("galleries.gallery"), nullable=False),
    Column("status", String, nullable=False),
    Column("public_key", LargeBinary),
    Column("code", LargeBinary),
    Column("code_expires_at", String),
    Column("created_at", String, nullable=False),
)

# A session by the HMAC of its token, which only the browser holds.
staff_sessions = Table(
    "staff_sessions",
    metadata,
    Column("session", LargeBinary, primary_key=True),
    _of("staff", "staff.staff", index=True),
    Column("station", String, ForeignKey("stations.station", ondelete="CASCADE")),
    Column("provisional", Boolean, nullable=False),
    Column("started_at", String, nullable=False),
    Column("seen_at", String, nullable=False),
    Column("expires_at", String, nullable=False, index=True),
    Column("locked_at", String),
    Column("ended_at", String),
)

staff_failures = Table(
    "staff_failures",
    metadata,
    Column("subject", LargeBinary, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", String, nullable=False, index=True),
)

nonces = Table(
    "nonces",
    metadata,
    Column("nonce", LargeBinary, primary_key=True),
    Column("kind", String, nullable=False),
    Column("session", LargeBinary),
    Column("staff", String),
    Column("station", String),
    Column("issued_at", String, nullable=False),
    Column("expires_at", String, nullable=False, index=True),
    Column("spent_at", String),
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
    # How many of them were answered close to the threshold.
    Column("close_calls", Integer, nullable=False, server_default="0"),
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

# The wrapped keys of visits, overwritten in place like `person_keys`; a blank row serves the next visit.
visit_keys = Table(
    "visit_keys",
    metadata,
    Column("slot", Integer, primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=False),
)

# Visits at a station: sealed drafts, and for a while what became of them. `subject` is a keyed hash of the number.
visits = Table(
    "visits",
    metadata,
    _key("visit"),
    Column("key_slot", Integer, ForeignKey("visit_keys.slot"), nullable=False, unique=True),
    Column("wrapping_version", Integer, nullable=False, index=True),
    Column("subject", LargeBinary, nullable=False, index=True),
    Column("gallery", String, nullable=False),
    Column("station", String, nullable=False),
    Column("clerk", String, nullable=False),
    Column("state", String, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("created_at", String, nullable=False),
    Column("expires_at", String, nullable=False, index=True),
    Index(None, "station", "clerk"),
)

# What a station sent, by the id that it chose; the id outlives the content, so that nothing that comes again counts.
visit_captures = Table(
    "visit_captures",
    metadata,
    _key("capture"),
    _of("visit", "visits.visit", index=True),
    Column("sealed", LargeBinary),
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

# What a search found so far: each pair beside its first person only, the rest is sealed under both persons' keys.
duplicate_pairs = Table(
    "duplicate_pairs",
    metadata,
    _of("search", "jobs.job", primary_key=True),
    _key("pair"),
    _of("person", "persons.person", index=True),
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
    _key("report"),
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
    _of("report", "reports.report", primary_key=True),
    Column("part", Integer, primary_key=True, autoincrement=False),
    # The first of the persons whom the part is about; it goes with them. None: nobody who is enrolled.
    Column("person", String, ForeignKey("persons.person", ondelete="CASCADE"), index=True),
    Column("sealed", LargeBinary, nullable=False),
)

# A case of several records that may be one person. What it says about them is sealed under the keys of all of them.
cases = Table(
    "cases",
    metadata,
    _key("case"),
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
    _of("case", "cases.case", primary_key=True),
    Column("gallery", String, ForeignKey("galleries.gallery"), primary_key=True, index=True),
)

# A member goes with its person: a case with fewer of them than it was opened with is over.
case_members = Table(
    "case_members",
    metadata,
    _of("case", "cases.case", primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    # None: a line of a payroll whose face is not enrolled.
    Column("person", String, ForeignKey("persons.person", ondelete="CASCADE"), index=True),
    Column("encounter", String, ForeignKey("encounters.encounter", ondelete="CASCADE"), index=True),
)

case_opinions = Table(
    "case_opinions",
    metadata,
    _of("case", "cases.case", primary_key=True),
    # Part of the key: nobody decides on a case twice, in whatever round.
    _key("analyst"),
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
    _of("case", "cases.case", primary_key=True),
    Column("round", Integer, primary_key=True, autoincrement=False),
    Column("recorded_by", String, nullable=False),
    Column("recorded_at", String, nullable=False),
    Column("statement", LargeBinary, nullable=False),
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
