"""The tables of visits at a station, while they are being recorded."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from idverify.storage.tables.schema import key, metadata, of

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
    key("visit"),
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
    key("capture"),
    of("visit", "visits.visit", index=True),
    Column("sealed", LargeBinary),
)
