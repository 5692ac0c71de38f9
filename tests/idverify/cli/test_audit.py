"""`idverify audit …` against somebody who edits the database file: each kind of damage has its own exit status."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from idverify.audit.checkpoint import VerifierKey, verify
from idverify.audit.log import Frontier, leaf_hash
from tests.commands import Commands
from tests.deployments import Register

ALTERED, MISSING, REORDERED, FORKED, RECORDS = 10, 11, 12, 13, 15


def test_a_log_that_nobody_touched_verifies(own_register: Register, commands: Commands) -> None:
    ((size,),) = own_register.sql("SELECT size FROM audit_head")
    assert f"verifies: {size} leaves" in commands.done("audit", "verify")


@pytest.mark.parametrize(
    ("statement", "status", "leaf"),
    [
        ("UPDATE audit_leaves SET leaf = CAST(replace(leaf, 'enrolment', 'x') AS BLOB) WHERE sequence = 4", ALTERED, 4),
        ("UPDATE audit_leaves SET leaf = 'text' WHERE sequence = 4", ALTERED, 4),
        ("UPDATE audit_leaves SET leaf = x'' WHERE sequence = 4", ALTERED, 4),
        ("UPDATE audit_leaves SET person = 'somebody' WHERE sequence = 4", ALTERED, 4),
        ("UPDATE audit_leaves SET leaf_hash = zeroblob(32) WHERE sequence = 4", ALTERED, 4),
        ("DELETE FROM audit_leaves WHERE sequence = 4", MISSING, 4),
        ("DELETE FROM audit_leaves WHERE sequence = (SELECT max(sequence) FROM audit_leaves)", MISSING, 8),
        ("DELETE FROM audit_leaves", MISSING, 0),
        ("UPDATE audit_leaves SET sequence = 11 - sequence + 100 WHERE sequence IN (5, 6)", MISSING, 5),
        ("UPDATE audit_head SET root = zeroblob(32)", FORKED, None),
        ("UPDATE audit_head SET note = replace(note, 'idverify', 'idverifY')", FORKED, None),
        ("UPDATE audit_head SET note = x'00'", FORKED, None),
        ("UPDATE audit_head SET size = 'many'", FORKED, None),
        ("DELETE FROM audit_head", FORKED, None),
    ],
)
def test_each_kind_of_damage_has_its_own_exit_status(
    own_register: Register, commands: Commands, statement: str, status: int, leaf: int | None
) -> None:
    own_register.sql(statement)
    told = commands.idverify("audit", "verify")
    assert (told.status, told.out) == (status, "")
    assert told.err.startswith("error (audit_")
    assert leaf is None or f"audit leaf {leaf}:" in told.err


def test_leaves_in_each_others_place_are_reordered(own_register: Register, commands: Commands) -> None:
    for sequence, place in ((5, 1_000), (6, 5), (1_000, 6)):
        own_register.sql("UPDATE audit_leaves SET sequence = ? WHERE sequence = ?", place, sequence)
    told = commands.idverify("audit", "verify")
    assert told.status == REORDERED
    assert "audit leaf 5: in its place stands leaf 6" in told.err


def test_a_log_rebuilt_as_a_whole_is_forked(own_register: Register, commands: Commands, tmp_path: Path) -> None:
    kept = tmp_path / "kept.checkpoint"
    kept.write_text(commands.done("audit", "checkpoint"), encoding="utf-8")
    commands.done("galleries", "add", "licences", "--demonstration")
    assert commands.idverify("audit", "verify", "--checkpoint", kept).status == 0
    with closing(sqlite3.connect(own_register.path)) as connection, connection:
        frontier = Frontier()
        rows = connection.execute("SELECT sequence, leaf FROM audit_leaves ORDER BY sequence").fetchall()
        for sequence, genuine in rows:
            leaf = genuine.replace(b'"purpose":"enrolment"', b'"purpose":"invention"')
            frontier = frontier.append(leaf_hash(leaf))
            connection.execute(
                "UPDATE audit_leaves SET leaf = ?, leaf_hash = ?, root = ? WHERE sequence = ?",
                (leaf, leaf_hash(leaf), frontier.root, sequence),
            )
        connection.execute("UPDATE audit_head SET root = ?, frontier = ?", (frontier.root, frontier.to_bytes()))
    assert commands.idverify("audit", "verify").status == FORKED
    assert commands.idverify("audit", "verify", "--checkpoint", kept).status == FORKED


def test_a_log_cut_back_to_an_older_copy_is_caught_by_a_kept_checkpoint(
    own_register: Register, commands: Commands, tmp_path: Path
) -> None:
    before = own_register.path.read_bytes()
    commands.done("galleries", "add", "licences", "--demonstration")
    kept = tmp_path / "kept.checkpoint"
    kept.write_text(commands.done("audit", "checkpoint"), encoding="utf-8")
    own_register.path.write_bytes(before)
    own_register.path.with_name(f"{own_register.path.name}-wal").unlink(missing_ok=True)
    assert commands.idverify("audit", "verify").status == 0  # an honest older state, as far as it can tell
    told = commands.idverify("audit", "verify", "--checkpoint", kept)
    assert told.status == FORKED
    assert "cut back" in told.err


def test_a_checkpoint_that_is_not_ours_or_not_there_is_told_apart_from_damage(
    own_register: Register, commands: Commands, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong.checkpoint"
    wrong.write_text("another log\n1\nAAAA\n\n— another log AAAA\n", encoding="utf-8")
    assert commands.idverify("audit", "verify", "--checkpoint", wrong).status == 14
    wrong.write_bytes(b"\xff\xfe")
    assert "checkpoint file" in commands.refused("audit", "verify", "--checkpoint", wrong)
    assert "checkpoint file" in commands.refused("audit", "verify", "--checkpoint", tmp_path / "absent")


def test_records_that_differ_from_the_log_are_named(own_register: Register, commands: Commands) -> None:
    ((template,),) = own_register.sql("SELECT template FROM templates WHERE person = 'C-1'")
    own_register.sql("UPDATE templates SET generation = 2 WHERE template = ?", template)
    told = commands.idverify("audit", "verify")
    assert told.status == RECORDS
    assert told.err == f"templates/{template}: rolled_back\n"
    assert commands.idverify("audit", "verify", "--no-records").status == 0
    ((encounter,),) = own_register.sql("SELECT encounter FROM encounters WHERE person = 'C-1'")
    own_register.sql("UPDATE encounters SET review = 'forgiven' WHERE encounter = ?", encounter)
    told = commands.idverify("audit", "verify")
    assert told.status == RECORDS
    assert f"encounters/{encounter}" in told.err


def test_an_export_can_be_checked_without_the_database(
    own_register: Register, commands: Commands, tmp_path: Path
) -> None:
    out = tmp_path / "audit.jsonl"
    told = commands.confirmed(commands.done("audit", "export", "--out", out))
    leaves = out.read_bytes().splitlines()
    assert f"{len(leaves)} leaves in {out}" in told
    frontier = Frontier()
    for leaf in leaves:
        frontier = frontier.append(leaf_hash(leaf))
    key = VerifierKey.parse(told.rpartition("verifier key: ")[2])
    checkpoint = verify((tmp_path / "audit.jsonl.checkpoint").read_text(encoding="utf-8"), key)
    assert (checkpoint.size, checkpoint.root) == (len(leaves), frontier.root)
    assert b'"audit.exported"' in leaves[-1]
    assert b"C-1" not in out.read_bytes()


def test_an_export_that_cannot_be_written_is_refused_and_not_recorded(
    own_register: Register, commands: Commands, tmp_path: Path
) -> None:
    before = own_register.sql("SELECT size FROM audit_head")
    taken = tmp_path / "taken.jsonl"
    taken.write_text("mine")
    for place in (taken, tmp_path / "absent" / "x"):
        assert f"{place}: expected a file that does not exist yet" in commands.refused(
            "audit", "export", "--out", place
        )
    assert taken.read_text() == "mine"
    assert own_register.sql("SELECT size FROM audit_head") == before


def test_a_damaged_log_stops_a_process_with_its_status(own_register: Register, commands: Commands) -> None:
    own_register.sql("DELETE FROM audit_leaves WHERE sequence = 3")
    told = commands.process("idverify", "audit", "verify")
    assert told.status == MISSING
    assert told.err.startswith("error (audit_leaf_missing): audit leaf 3: missing")
    assert "Traceback" not in told.err
