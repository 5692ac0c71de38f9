"""Somebody edits the live database file: 2,000 flipped bits and 2,000 swapped values, and every one is refused."""

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from idverify import keys
from idverify.errors import KeyUnavailable, RecordRolledBack, SealBroken
from idverify.ids import EncounterId, PersonId, TemplateId
from idverify.protection.envelope import SealContext
from idverify.protection.template import protect, reveal
from idverify.storage import encounters, images, persons, record_check, templates
from idverify.storage.database import Connection
from tests.deployments import PAYROLL, REGISTER, Register, access, photograph
from tests.quick_check import looks_sound

FLIPS = SWAPS = 2_000
WHOLE_STARTS = 25
SEALED = {"person_keys": "wrapped_key", "encounters": "detail", "templates": "sealed", "images": "sealed"}
TABLES = ("persons", "person_keys", "encounters", "encounter_galleries", "templates", "images")
REFUSED = (SealBroken, KeyUnavailable)
"""What opening raises; a state that no version writes is RecordRolledBack even before anything is opened."""


@dataclass(frozen=True)
class Cell:
    table: str
    rowid: int
    column: str
    value: Any


@pytest.fixture
def target(empty_register: Register) -> Register:
    """Three people with two visits each, in a gallery that keeps images, one of them with a review pending."""
    for seed in (1, 2, 4):  # numbers that differ by more than one bit, so that no flip makes one of another
        for day in (1, 2):
            empty_register.enrol(f"C-{seed}", photograph(seed, day), gallery=PAYROLL)
    empty_register.enrol("GHOST", photograph(1, 3), gallery=REGISTER)
    return empty_register


def test_every_flipped_bit_is_refused(target: Register) -> None:
    generator = random.Random(20261121)
    flipped: Counter[tuple[str, str]] = Counter()
    by_seal = whole_starts = 0
    with _thief(target) as thief:
        cells = _cells(thief)
        for number in range(FLIPS):
            cell = generator.choice(cells)
            with _altered(thief, cell, _flipped(cell.value, generator)):
                sealed = _seal_refuses(target)
                by_seal += sealed
                assert sealed or _log_refuses(target), f"{cell.table}.{cell.column} was believed"
                if number % (FLIPS // WHOLE_STARTS) == 0:
                    whole_starts += 1
                    with pytest.raises((RecordRolledBack, *REFUSED)):
                        target.another()
            flipped[cell.table, cell.column] += 1
    assert flipped.total() == FLIPS
    assert {table for table, _ in flipped} == set(TABLES)
    assert by_seal > FLIPS / 4
    assert whole_starts == WHOLE_STARTS
    assert target.another().ready  # everything is as it was


def test_every_swapped_value_is_refused_by_its_seal(target: Register) -> None:
    generator = random.Random(20261122)
    between: Counter[str] = Counter()
    with _thief(target) as thief:
        cells = [cell for cell in _cells(thief) if SEALED.get(cell.table) == cell.column]
        owner = _owners(thief)
        other_generations = _other_generations(target)
        for _ in range(SWAPS):
            one = generator.choice(cells)
            if one.table == "templates" and generator.random() < 0.3:
                foreign = other_generations[one.rowid]
                between["generations"] += 1
            else:
                other = generator.choice([cell for cell in cells if cell != one])
                foreign = other.value
                between["kinds"] += one.table != other.table
                mine, theirs = owner[one.table, one.rowid], owner[other.table, other.rowid]
                between["persons" if mine != theirs else "records"] += 1
            with _altered(thief, one, foreign):
                assert _seal_refuses(target), f"{one.table} opened with another's value"
    assert min(between[kind] for kind in ("persons", "kinds", "records", "generations")) > 50
    assert target.another().ready


def test_two_rows_swapped_whole_are_refused(target: Register) -> None:
    """Both values swapped at once, so that every sealed value is genuine and only its place is wrong."""
    with _thief(target) as thief:
        for table, column in SEALED.items():
            first, second = _first_two(thief, table, column)
            with _altered(thief, first, second.value), _altered(thief, second, first.value):
                assert _seal_refuses(target)
                with pytest.raises((RecordRolledBack, *REFUSED)):
                    target.another()


def test_the_same_persons_older_wrapped_key_and_rows_are_named_at_the_start(target: Register) -> None:
    """A value put back whole opens, so only the log can tell."""
    before = target.wrapped_key("C-1")
    kept = target.sql("SELECT kind, version, root_id, sealed, created_at FROM service_keys WHERE kind = 'wrapping'")
    deployment = target.engine.deployment
    keys.rotate(deployment.database, target.settings.root_keys, deployment.keys, deployment.journal, access())
    fresh = target.another().deployment
    keys.rewrap(fresh.database, fresh.keys, fresh.journal, access(), lambda *_: None)
    assert target.another().ready
    target.put_wrapped_key("C-1", *before)
    target.sql("INSERT INTO service_keys VALUES (?, ?, ?, ?, ?)", *kept[0])
    with pytest.raises(RecordRolledBack, match="rolled_back: persons/"):
        target.another()


def _seal_refuses(register: Register) -> bool:
    """Open what the flows open of everybody in the database."""
    try:
        with register.engine.database.read() as connection:
            for row in persons.all_persons(connection):
                _open_all(register, connection, row)
    except (RecordRolledBack, *REFUSED):
        return True
    return False


def _open_all(register: Register, connection: Connection, row: persons.PersonRow) -> None:
    envelope = register.engine.envelope
    opened_person = register.engine.stored_persons.open(row)
    for visit in encounters.encounters_of(connection, row.person):
        assert visit.detail is not None
        envelope.open(opened_person.key, visit.detail, SealContext.of_encounter_detail(row.person, visit.encounter))
    for template in templates.templates_of(connection, row.person):
        reveal(template, opened_person.key, envelope)
    for image in images.images_of(connection, row.person):
        context = SealContext.of_image(row.person, image.encounter, image.image, image.media_type, image.generation)
        envelope.open(opened_person.key, image.sealed, context)


def _log_refuses(register: Register) -> bool:
    engine = register.engine
    with engine.database.read() as connection:
        differs = any(record_check.discrepancies(connection))
    looked = looks_sound(engine.database, engine.envelope, engine.deployment.keys.checkpoint_signer)
    assert looked == (not differs), "the quick look and the slow one differ"
    return differs


@contextmanager
def _thief(register: Register) -> Iterator[sqlite3.Connection]:
    assert register.engine.ready
    with closing(sqlite3.connect(register.path, isolation_level=None)) as connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        connection.execute("PRAGMA synchronous=OFF")
        yield connection


@contextmanager
def _altered(thief: sqlite3.Connection, cell: Cell, value: Any) -> Iterator[None]:
    """The database with that cell altered; put back afterwards."""
    thief.execute(f"UPDATE {cell.table} SET {cell.column} = ? WHERE rowid = ?", (value, cell.rowid))
    try:
        yield
    finally:
        rowid = value if cell.column == "slot" else cell.rowid  # that column is the row's id
        thief.execute(f"UPDATE {cell.table} SET {cell.column} = ? WHERE rowid = ?", (cell.value, rowid))


def _cells(thief: sqlite3.Connection) -> list[Cell]:
    """Every value of the sealed tables that is not null."""
    cells = []
    for table in TABLES:
        cursor = thief.execute(f"SELECT rowid AS at, * FROM {table}")
        columns = [column for column, *_ in cursor.description][1:]
        for rowid, *values in cursor:
            cells += [
                Cell(table, rowid, column, value)
                for column, value in zip(columns, values, strict=True)
                if value is not None
            ]
    return cells


def _first_two(thief: sqlite3.Connection, table: str, column: str) -> tuple[Cell, Cell]:
    first, second, *_ = (cell for cell in _cells(thief) if (cell.table, cell.column) == (table, column))
    return first, second


def _owners(thief: sqlite3.Connection) -> dict[tuple[str, int], str]:
    """Whose each row is."""
    owned = {
        (table, rowid): person
        for table in ("encounters", "templates", "images")
        for rowid, person in thief.execute(f"SELECT rowid, person FROM {table}")
    }
    slots = thief.execute("SELECT key_slot, person FROM persons")
    return owned | {("person_keys", slot): person for slot, person in slots}


def _other_generations(register: Register) -> dict[int, bytes]:
    """For each template's row the same template sealed as its second generation, by the same key."""
    engine = register.engine
    rows = register.sql("SELECT rowid, template, encounter, person FROM templates")
    sealed = {}
    with engine.database.read() as connection:
        for rowid, template, encounter, person in rows:
            opened_person = engine.stored_persons.find(connection, PersonId(person))
            assert opened_person is not None
            own = templates.templates_of(connection, PersonId(person))
            (stored,) = (one for one in own if one.template == template)
            sealed[rowid] = protect(
                reveal(stored, opened_person.key, engine.envelope),
                template=TemplateId(template),
                encounter=EncounterId(encounter),
                key=opened_person.key,
                envelope=engine.envelope,
                generation=2,
            ).sealed
    return sealed


def _flipped(value: Any, generator: random.Random) -> Any:
    if isinstance(value, int):
        return value ^ 1 << generator.randrange(4, 16)  # a number that no other row has
    content = bytearray(value if isinstance(value, bytes) else value.encode("ascii"))
    bits = 8 if isinstance(value, bytes) else 7
    content[generator.randrange(len(content))] ^= 1 << generator.randrange(bits)
    return bytes(content) if isinstance(value, bytes) else content.decode("ascii")
