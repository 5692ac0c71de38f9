"""The tables of the staff, of what they sign in with, and of the stations where they work."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table

from idverify.storage.tables.schema import key, metadata, of

staff = Table(
    "staff",
    metadata,
    key("staff"),
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
    key("credential"),
    of("staff", "staff.staff", index=True),
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
    key("station"),
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
    of("staff", "staff.staff", index=True),
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
