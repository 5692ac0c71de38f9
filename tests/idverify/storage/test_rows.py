"""Every table's rows are declared once, what grants or names something has a digest, and a bad declaration fails."""

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    create_engine,
)

from idverify import storage
from idverify.errors import RecordRolledBack
from idverify.protection.logged_row import LoggedRow
from idverify.storage.record_check import RECORD_TABLES
from idverify.storage.rows import RowTable
from idverify.storage.tables import metadata

LOGGED_TABLES = {
    # what grants something
    "galleries",
    "clients",
    "client_credentials",
    "staff",
    "staff_credentials",
    "stations",
    "approvals",
    # what names or shows a person, or says something of one
    "persons",
    "encounters",
    "templates",
    "images",
    "cases",
    "case_members",
    "case_opinions",
    "case_contests",
}
IN_THE_DIGEST_OF_ANOTHER_TABLE = {
    "person_keys": "persons",
    "encounter_galleries": "encounters",
    "case_galleries": "cases",
}
WITHOUT_A_DIGEST = {
    "deployment": "its name is in the associated data of every sealed value",
    "service_keys": "each is sealed by a root key with its kind and version",
    "audit_head": "the log itself: signed",
    "audit_leaves": "the log itself: hashed into the signed root",
    "audit_checkpoints": "the log itself: signed",
    "staff_sessions": "short-lived; found by a keyed hash",
    "staff_failures": "counts by keyed hash",
    "nonces": "short-lived; found by hash",
    "used_assertions": "short-lived; found by hash",
    "verification_counts": "counts by keyed hash",
    "verification_streaks": "counts by keyed hash",
    "stored_answers": "short-lived; sealed",
    "stored_answer_persons": "keyed hashes",
    "jobs": "progress of work; grants nothing",
    "job_items": "progress of work; grants nothing",
    "duplicate_pairs": "sealed",
    "decided_pairs": "keyed hashes",
    "reports": "signed",
    "report_parts": "sealed; digests are in the signed report",
    "visits": "short-lived; sealed",
    "visit_keys": "short-lived; wrapped",
    "visit_captures": "short-lived; sealed",
}


def declared_tables() -> dict[str, RowTable[Any]]:
    modules = [
        importlib.import_module(f"{storage.__name__}.{found.name}")
        for found in pkgutil.iter_modules(storage.__path__)
        if not found.ispkg
    ]
    return {
        value.table.name: value for module in modules for value in vars(module).values() if isinstance(value, RowTable)
    }


def test_every_table_has_logged_rows_or_a_reason_to_have_none() -> None:
    named = [*LOGGED_TABLES, *IN_THE_DIGEST_OF_ANOTHER_TABLE, *WITHOUT_A_DIGEST]
    assert sorted(named) == sorted(metadata.tables)
    assert set(IN_THE_DIGEST_OF_ANOTHER_TABLE.values()) <= LOGGED_TABLES


def test_the_rows_of_a_logged_table_are_declared_by_its_name() -> None:
    rows = declared_tables()
    logged_rows = {name: of.row_class for name, of in rows.items() if issubclass(of.row_class, LoggedRow)}
    assert set(logged_rows) == LOGGED_TABLES
    for name, row_class in logged_rows.items():
        assert row_class.log_name_of("key") == f"{name}/key"


def test_the_check_against_the_log_covers_every_logged_table_but_approvals() -> None:
    # What becomes of a proposal is in the log as events; its digest is compared when it is carried out.
    assert {*RECORD_TABLES, "approvals"} == LOGGED_TABLES


@dataclass(frozen=True, slots=True)
class Inner:
    version: int
    sealed: bytes


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Everything:
    """A field of each form that a table may store."""

    name: str
    colour: Colour
    words: tuple[str, ...]
    inner: Inner
    places: tuple[str, ...]
    rules: Mapping[str, Any]
    note: bytes | None = field(default=None, repr=False)


@pytest.fixture
def everything() -> Any:
    schema = MetaData()
    keys = Table("keys", schema, Column("slot", Integer, primary_key=True), Column("wrapped", LargeBinary))
    table = Table(
        "everything",
        schema,
        Column("name", String, primary_key=True),
        Column("slot", Integer, ForeignKey("keys.slot")),
        Column("version", Integer),
        Column("colour", String),
        Column("words", JSON),
        Column("rules", JSON),
        Column("note", LargeBinary),
    )
    places = Table(
        "places", schema, Column("name", String, primary_key=True), Column("place", String, primary_key=True)
    )
    rows = RowTable(
        Everything,
        table,
        elsewhere={"inner.sealed": keys.c.wrapped},
        lists={"places": places.c.place},
        beside=["slot"],
        joined=table.join(keys, keys.c.slot == table.c.slot),
    )
    engine = create_engine("sqlite://")
    schema.create_all(engine)
    with engine.connect() as connection:
        connection.execute(keys.insert().values(slot=7, wrapped=b"key"))
        yield connection, rows
    engine.dispose()


ROW = Everything("a", Colour.RED, ("one", "two"), Inner(3, b"key"), ("x", "y"), {"limit": 1}, b"note")


def test_a_row_comes_back_as_the_value_that_went_in(everything: tuple[Connection, RowTable[Everything]]) -> None:
    connection, rows = everything
    bare = replace(ROW, name="b", words=(), places=(), rules={}, note=None)
    rows.add(connection, ROW, slot=7)
    rows.add(connection, bare, slot=7)
    assert rows.all(connection, rows.select.order_by(rows.table.c.name)) == [ROW, bare]
    assert rows.one(connection, rows.select.where(rows.table.c.name == "b")) == bare
    assert rows.one(connection, rows.select.where(rows.table.c.name == "c")) is None
    assert rows.columns_of(["note", "inner.sealed", "places", "name"]) == (
        rows.table.c.note,
        rows.columns[4],
        rows.table.c.name,
    )


def test_a_stored_state_that_the_service_never_writes_is_named(everything: Any) -> None:
    connection, rows = everything
    rows.add(connection, ROW, slot=7)
    connection.execute(rows.table.update().values(colour="blue"))
    with pytest.raises(RecordRolledBack, match=r"^everything/a: its colour is not a state"):
        rows.all(connection, rows.select)


def test_a_table_with_a_column_that_no_field_holds_cannot_be_declared() -> None:
    table = Table("some", MetaData(), Column("version", Integer, primary_key=True), Column("sealed", LargeBinary))
    assert RowTable(Inner, table).columns == (table.c.version, table.c.sealed)
    wider = Table("more", MetaData(), *(Column(name, String) for name in ("version", "sealed", "added")))
    narrower = Table("less", MetaData(), Column("version", Integer, primary_key=True))
    for wrong in (wider, narrower):
        with pytest.raises(TypeError, match="are not the columns of"):
            RowTable(Inner, wrong)
    assert RowTable(Inner, wider, beside=["added"]).columns == (wider.c.version, wider.c.sealed)
