"""Erasure forgets a person in every table: each is named here, filled by real acts, and looked through afterwards.

A table that is new and not named here fails by its name, and so does one that names persons and that no act fills.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, select

from analysis.adjudication.composition import AdjudicationParts
from analysis.adjudication.findings import Finding
from analysis.adjudication.reviewer import Reviewer
from analysis.deduplication.composition import DeduplicationParts
from enrolment import composition
from idverify.access import no_progress
from idverify.ids import ClientId, PersonId
from idverify.storage import cases, persons
from idverify.storage.cases import CaseState
from idverify.storage.tables import metadata
from idverify.storage.visits import VisitState
from idverify.vision.manifest import Manifest, ModelSet
from tests.backups import back_up, bring_back, kept_log
from tests.deployments import KEEPING, PAYROLL, REGISTER, Register, access, photograph
from tests.moving import VETERANS, Move, older_engine

REPOSITORY = Path(__file__).resolve().parents[2]
ANNA = PersonId("A-1234567")
"""Whose face is that of C-1 too, and whose number comes first: what is kept of the two stands beside her."""
GALLERIES = frozenset({PAYROLL, REGISTER})

NAMING_COLUMNS = {"person", "pseudonym", "subject", "person_hash", "pair"}
"""Columns that hold a person's number or pseudonym, or a keyed hash of one or two of them."""
SUBJECTS_OF_STAFF = {"staff_failures"}
"""Tables with such a column that is about members of staff."""
SEALED_ABOUT = {
    "cases": ("case", "case_members"),
    "stored_answers": ("slot", "stored_answer_persons"),
}
"""Tables whose content is about the persons that another table names: the column that both have, and that table."""
KEYS_OF = {"person_keys": "persons", "visit_keys": "visits"}
"""Tables of wrapped keys, and the tables whose rows point at them."""
WITHOUT_PERSONS = {
    "approvals": "acts that wait for a second administrator: thresholds, root keys, exports of the whole log",
    "audit_checkpoints": "signed roots of the log",
    "audit_head": "size, root and checkpoint of the log",
    "client_credentials": "what agencies prove themselves by",
    "clients": "agencies",
    "deployment": "the name of the deployment",
    "galleries": "galleries and their policies",
    "jobs": "what a long piece of work was asked to do; what it did for whom stands in job_items",
    "nonces": "one-use numbers of sessions and stations",
    "reports": "head and signature of a report; what it says of whom stands in report_parts",
    "service_keys": "the service's own keys",
    "staff": "accounts of those who work here",
    "staff_credentials": "what staff sign in by",
    "staff_failures": "wrong passwords in a row, by a keyed hash of an account's name",
    "staff_sessions": "sessions of staff",
    "stations": "enrolment stations",
    "used_assertions": "hashes of assertions that agencies signed",
}
"""Tables that hold nothing of the persons in the register, and what they hold."""
STAYS = {
    "audit_leaves": "the log stays whole, under a pseudonym that nothing links to the person any more",
    "verification_counts": "attempts count for the number, known or not: an erasure gives a thief no new ones",
    "verification_streaks": "failures in a row, likewise",
    "decided_pairs": "a keyed hash of two pseudonyms, of which one belongs to nobody any more",
}
"""Tables whose rows about an erased person stay as they are, and why they may."""
STAYS_UNREADABLE = {
    "cases": "sealed under the keys of all its persons, of which one is gone",
    "case_galleries": "galleries of such a case",
    "case_opinions": "sealed like their case",
    "case_contests": "sealed like their case",
    "stored_answers": "emptied; the slot stays taken until it expires, so that nothing is done twice",
    "person_keys": "the slot of a key, zeroed and never used again",
    "visit_keys": "the slot of a key, blank until the next draft takes it",
}
"""Tables whose rows stay without anything that names the person or still opens, and why."""

Rows = dict[str, dict[tuple[Any, ...], Mapping[str, Any]]]


def test_every_table_is_known_to_hold_persons_or_to_hold_none() -> None:
    tables = set(metadata.tables)
    naming = names_persons()
    assert naming & set(WITHOUT_PERSONS) == set(), "these tables name persons by a column, or by what they point at"
    assert tables - naming - set(WITHOUT_PERSONS) == set(), "say in this module whether these tables name persons"
    listed = {*WITHOUT_PERSONS, *STAYS, *STAYS_UNREADABLE, *SEALED_ABOUT, *KEYS_OF}
    assert listed <= tables, "these tables are gone; take them off the lists"
    assert set(STAYS) | set(STAYS_UNREADABLE) <= naming


def test_no_module_but_one_erases_persons() -> None:
    erasing = set()
    for folder in ("idverify", "staff", "pages", "enrolment", "analysis", "api"):
        for source in (REPOSITORY / folder).rglob("*.py"):
            calls = (node for node in ast.walk(ast.parse(source.read_text())) if isinstance(node, ast.Call))
            if any(ast.unparse(call.func).endswith(".erase_person") for call in calls):
                erasing.add(source.relative_to(REPOSITORY).as_posix())
    assert erasing == {"idverify/persons.py"}


@pytest.fixture
def known(own_register: Register, tmp_path: Path, manifest: Manifest, model_set: ModelSet) -> Register:
    """A register in which every table that can name a person names ANNA."""
    begin_to_move_a_gallery(own_register, manifest, model_set)
    enrol_twice(own_register)
    import_from_a_folder(own_register, tmp_path)
    ask(own_register)
    keep_an_answer(own_register)
    leave_a_draft(own_register)
    search_for_duplicates(own_register)
    decide_and_contest(own_register)
    return own_register


@pytest.mark.parametrize("way", ["by Persons.erase", "by a restoration"])
def test_an_erasure_leaves_nothing_of_the_person_in_any_table(known: Register, tmp_path: Path, way: str) -> None:
    before = all_rows(known)
    marks = marks_of(known)
    about = about_the_person(before, marks)
    unfilled = {table for table in names_persons() if not about.get(table)}
    assert unfilled == set(), "no act in this module writes a row about the person into these tables"

    backup = tmp_path / "before.backup"
    back_up(known, backup)
    known.engine.persons.erase(ANNA, access("erasure", "ombudsman"))
    if way == "by Persons.erase":
        after = all_rows(known)
    else:
        restored, told = bring_back(known, backup, tmp_path / "new", kept_log(known, tmp_path / "audit.jsonl"))
        assert told.erased_again == (ANNA,)
        after = all_rows(restored)
        restored.close()

    found = {(table, name) for table, rows in after.items() for row in rows.values() for name in named_in(row, marks)}
    assert {table for table, _ in found} <= set(STAYS), found
    assert {name for _, name in found} == {"pseudonym", "counter of attempts", "pair of persons"}
    still_there = {table for table, rows in about.items() if rows.keys() & after[table].keys()}
    assert still_there <= {*STAYS, *STAYS_UNREADABLE}
    answers = about["stored_answers"].keys() & after["stored_answers"].keys()
    assert [after["stored_answers"][key]["sealed"] for key in answers] == [None]


def test_what_stays_of_a_case_opens_no_more(known: Register) -> None:
    case = the_case(known)
    known.engine.persons.erase(ANNA, access("erasure", "ombudsman"))
    with known.engine.database.read() as connection:
        row = cases.get(connection, case)
        opened = AdjudicationParts.of(known.engine).casework._open(connection, row)
    assert opened.evidence is None


# What is done with ANNA, so that each table holds something of her.


def enrol_twice(register: Register) -> None:
    """On the payroll, where photographs are kept and C-1 stands with the same face."""
    register.enrol("C-1", photograph(1, 2), gallery=PAYROLL)
    register.enrol(ANNA, photograph(1, 3), gallery=PAYROLL)


def begin_to_move_a_gallery(register: Register, manifest: Manifest, model_set: ModelSet) -> None:
    """From an older embedder to the one in use, until she has a template of each."""
    with older_engine(register, manifest, model_set) as older:
        older.galleries.add(VETERANS, demonstration=True, policy=KEEPING, access=access())
        register.enrol(ANNA, photograph(1, 6), gallery=VETERANS, engine=older)

        def cut_off() -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            Move(register, older, model_set).run(cut_off)
    ((models,),) = register.sql("SELECT count(DISTINCT model) FROM templates WHERE person = ?", ANNA)
    assert models == 2


def import_from_a_folder(register: Register, folder: Path) -> None:
    (source := folder / "photographs").mkdir()
    (source / f"{ANNA}.jpg").write_bytes(photograph(1, 4))
    composition.bulk_import(register.engine, REGISTER, source, access()).run(no_progress)


def ask(register: Register) -> None:
    """Once with her photograph and once with somebody else's, which begins a row of failures."""
    for seed in (1, 2):
        register.verify(ANNA, photograph(seed, 5))


def keep_an_answer(register: Register) -> None:
    answers = register.engine.kept_answers
    with (
        answers.turn(ClientId("revenue-authority"), "a key", b"a request") as slot,
        register.engine.database.write() as on,
    ):
        answers.keep(on, slot, b"an answer that names her", [ANNA])


def leave_a_draft(register: Register) -> None:
    """At a station, with a photograph taken, and one that is done with."""
    drafts = register.engine.drafts
    with register.engine.database.write() as connection:
        for state in (VisitState.OPEN, VisitState.DONE):
            draft = drafts.add(connection, ANNA, REGISTER, "maseru-1", "thabo", {"person": ANNA})
            drafts.put_capture(connection, draft, f"capture-{state}", b"a photograph")
            drafts.save(connection, draft, {"person": ANNA}, state)


def search_for_duplicates(register: Register) -> None:
    """To the end, which makes a report, and once more until the first block is compared."""
    deployment, by = register.engine.deployment, access("duplicate-review")
    searches = DeduplicationParts.of(deployment).searches
    planned = searches.plan(PAYROLL, fmr=1e-5, tile_rows=4)
    searches.run(searches.start(planned, by), by, no_progress)

    def cut_off(what: str, _done: int, _of: int) -> None:
        if what == "Comparing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        searches.run(searches.start(planned, by), by, cut_off)


def decide_and_contest(register: Register) -> None:
    """Held for twins, contested, and held for twins again by other analysts."""
    casework, by, case = (
        AdjudicationParts.of(register.engine).casework,
        access("adjudication", client=None),
        the_case(register),
    )
    for names in (("amara", "ben"), ("chanda", "dineo")):
        for name in names:
            state = casework.give_opinion(case, Reviewer(name, GALLERIES), Finding.TWINS_OR_FAMILY, "a mole", by)
        assert state is CaseState.DECIDED
        if names[0] == "amara":
            casework.contest(case, Reviewer("lead", GALLERIES, lead=True), 0, "I have a sister.", by)


def the_case(register: Register) -> Any:
    """The one about ANNA on the payroll; it is opened when there is none yet."""
    AdjudicationParts.of(register.engine).case_opening.open_marked(access("adjudication", client=None))
    with register.engine.database.read() as connection:
        found = cases.about(connection, [ANNA, PersonId("C-1")])
        return next(case for case in found if PAYROLL in cases.get(connection, case).galleries)


# What the tables hold, and what of it is about her.


@dataclass(frozen=True)
class Mark:
    """Something that names the person, as it may stand in a column or within one."""

    name: str
    value: bytes


def names_persons() -> set[str]:
    """The tables with a column that names persons, those whose rows belong to rows of such a table, and those of
    SEALED_ABOUT and KEYS_OF."""
    naming = {table.name for table in metadata.sorted_tables if NAMING_COLUMNS & set(table.c.keys())}
    naming = (naming - SUBJECTS_OF_STAFF) | set(SEALED_ABOUT) | set(KEYS_OF)
    for table in metadata.sorted_tables:  # after the tables that its rows point at
        if any(parent in naming - set(KEYS_OF) for parent, _, _ in parents(table)):
            naming.add(table.name)
    return naming


def parents(table: Table) -> Iterator[tuple[str, str, str]]:
    """The tables that a table's rows point at: their name, the pointing column and the column pointed at."""
    for key in table.foreign_keys:
        yield key.column.table.name, key.parent.name, key.column.name


def all_rows(register: Register) -> Rows:
    """Every row of every table, by its primary key."""
    with register.engine.database.read() as connection:
        return {
            table.name: {
                tuple(row[column.name] for column in table.primary_key): dict(row)
                for row in connection.execute(select(table)).mappings()
            }
            for table in metadata.sorted_tables
        }


def marks_of(register: Register) -> list[Mark]:
    """ANNA's number and pseudonym, every keyed hash that the service makes of them, and her wrapped keys."""
    engine, deployment = register.engine, register.engine.deployment
    with engine.database.read() as connection:
        anna, twin = (persons.get(connection, one) for one in (ANNA, PersonId("C-1")))
        rows = all_rows(register)
    draft_hash = deployment.drafts._person_hash(ANNA)
    drafts = [row for row in rows["visits"].values() if draft_hash in row.values()]
    return [
        Mark("number", ANNA.encode()),
        Mark("pseudonym", anna.pseudonym.encode()),
        Mark("counter of attempts", deployment.attempt_limits._hash(ANNA)),
        Mark("person of a kept answer", deployment.kept_answers._person_hash(ANNA)),
        Mark("person of a draft", draft_hash),
        Mark("pair of persons", deployment.joint_sealing.pair(anna.pseudonym, twin.pseudonym)),
        Mark("wrapped key", anna.wrapped.sealed),
        *(Mark("wrapped key of a draft", rows["visit_keys"][row["key_slot"],]["wrapped_key"]) for row in drafts),
    ]


def named_in(row: Mapping[str, Any], marks: list[Mark]) -> set[str]:
    """Which marks stand in a row, as bytes, as text or in hexadecimal digits."""
    content = b"\0".join(value if isinstance(value, bytes) else str(value).encode() for value in row.values())
    return {mark.name for mark in marks if mark.value in content or mark.value.hex().encode() in content}


def about_the_person(before: Rows, marks: list[Mark]) -> Rows:
    """The rows that a mark stands in, what they seal, and the rows that point at any of them and are nobody else's."""
    about: Rows = {}
    for table, rows in before.items():
        about[table] = {key: row for key, row in rows.items() if named_in(row, marks)}
    for table, (column, naming) in SEALED_ABOUT.items():
        hers = {row[column] for row in about[naming].values()}
        about[table] |= {key: row for key, row in before[table].items() if row[column] in hers}
    for pointing in metadata.sorted_tables:
        for parent, column, target in parents(pointing):
            hers = {row[target] for row in about[parent].values()} if parent not in KEYS_OF else set()
            about[pointing.name] |= {
                key: row
                for key, row in before[pointing.name].items()
                if row[column] in hers and row.get("person") in {None, ANNA}
            }
    return about
