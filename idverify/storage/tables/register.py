"""The tables of galleries, of persons and of what is kept of their encounters."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Integer, LargeBinary, String, Table

from idverify.storage.tables.schema import key, metadata, of

galleries = Table(
    "galleries",
    metadata,
    key("gallery"),
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
    key("person"),
    Column("pseudonym", String, nullable=False, unique=True),
    Column("key_slot", Integer, ForeignKey("person_keys.slot"), nullable=False, unique=True),
    Column("wrapping_version", Integer, nullable=False, index=True),
    Column("status", String, nullable=False),
    Column("created_at", String, nullable=False),
)

encounters = Table(
    "encounters",
    metadata,
    key("encounter"),
    of("person", "persons.person", index=True),
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
    of("encounter", "encounters.encounter", primary_key=True),
    Column("gallery", String, ForeignKey("galleries.gallery"), primary_key=True, index=True),
)

templates = Table(
    "templates",
    metadata,
    key("template"),
    of("encounter", "encounters.encounter", index=True),
    of("person", "persons.person", index=True),
    Column("generation", Integer, nullable=False),
    Column("model", String, nullable=False),
    Column("dimension", Integer, nullable=False),
    Column("dtype", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)

images = Table(
    "images",
    metadata,
    key("image"),
    of("encounter", "encounters.encounter", index=True),
    of("person", "persons.person", index=True),
    Column("generation", Integer, nullable=False),
    Column("media_type", String, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
)
