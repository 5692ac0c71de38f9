"""The tables of the clients, of what they asked so far, and of the answers kept for those who ask again."""

from sqlalchemy import JSON, Boolean, Column, Date, ForeignKey, Integer, LargeBinary, String, Table

from idverify.storage.tables.schema import key, metadata, of

clients = Table(
    "clients",
    metadata,
    key("client"),
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
    of("client", "clients.client", primary_key=True),
    key("credential"),
    Column("kind", String, nullable=False),
    Column("stored", LargeBinary, nullable=False),
    Column("created_at", String, nullable=False),
    Column("expires_at", String),
)

used_assertions = Table(
    "used_assertions",
    metadata,
    of("client", "clients.client", primary_key=True),
    Column("assertion", LargeBinary, primary_key=True),
    Column("expires_at", String, nullable=False, index=True),
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
