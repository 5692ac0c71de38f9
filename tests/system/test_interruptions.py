"""The database fails in the middle of a flow, at every table that it writes: nothing stays, and a second try works."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import pytest

from enrolment.enroller import EnrolmentOutcome
from idverify import keys
from idverify.clients.agencies import Scope
from idverify.errors import IdverifyError
from idverify.galleries.definitions import GalleryPolicy
from idverify.ids import ClientId, GalleryId, PersonId
from idverify.matching.decision import Outcome
from tests.deployments import PAYROLL, REGISTER, Register, access, photograph, wall


@dataclass(frozen=True)
class Flow:
    """An act, the statements that may fail within it, and how many rows of which table one success adds."""

    act: Callable[[Register], object]
    failing: tuple[str, ...]
    adds: dict[str, int]


LOGGED = ("INSERT ON audit_leaves", "UPDATE ON audit_head")


def _enrol(register: Register) -> None:
    assert register.enrol("C-7", photograph(7, 1), gallery=PAYROLL).outcome is EnrolmentOutcome.ENROLLED


def _refuse(register: Register) -> None:
    assert register.enrol("C-7", wall()).outcome is EnrolmentOutcome.REFUSED


def _verify(register: Register) -> None:
    assert register.verify("C-1", photograph(1, 2)).decision.outcome is Outcome.MATCH


def _identify(register: Register) -> None:
    assert register.found(photograph(1, 2)) == ["C-1"]


def _rotate(register: Register) -> None:
    deployment = register.engine.deployment
    keys.rotate(deployment.database, register.settings.root_keys, deployment.keys, deployment.journal, access())


FLOWS = {
    "enrol": Flow(
        _enrol,
        (
            "INSERT ON person_keys",
            "INSERT ON persons",
            "INSERT ON encounters",
            "INSERT ON encounter_galleries",
            "INSERT ON templates",
            "INSERT ON images",
            *LOGGED,
        ),
        {"persons": 1, "encounters": 1, "templates": 1, "images": 1, "audit_leaves": 1},
    ),
    "refuse": Flow(_refuse, LOGGED, {"audit_leaves": 1}),
    "verify": Flow(_verify, ("INSERT ON verification_counts", *LOGGED), {"verification_counts": 1, "audit_leaves": 1}),
    "identify": Flow(
        _identify,
        ("INSERT ON verification_counts", *LOGGED, "INSERT ON audit_leaves WHEN NEW.event = 'person.identified'"),
        {"verification_counts": 1, "audit_leaves": 2},
    ),
    "show": Flow(lambda register: register.engine.persons.show(PersonId("C-1"), access()), LOGGED, {"audit_leaves": 1}),
    "accesses": Flow(
        lambda register: register.engine.persons.accesses(PersonId("C-1"), access()), LOGGED, {"audit_leaves": 1}
    ),
    "erase": Flow(
        lambda register: register.engine.persons.erase(PersonId("C-1"), access()),
        ("DELETE ON persons", "DELETE ON templates", "UPDATE ON person_keys", *LOGGED),
        {"persons": -1, "encounters": -1, "templates": -1, "audit_leaves": 1},
    ),
    "rotate": Flow(_rotate, ("DELETE ON service_keys", *LOGGED), {"service_keys": 3, "audit_leaves": 1}),
    "add a gallery": Flow(
        lambda register: register.engine.galleries.add(
            GalleryId("licences"), demonstration=True, policy=GalleryPolicy(), access=access()
        ),
        ("INSERT ON galleries", *LOGGED),
        {"galleries": 1, "audit_leaves": 1},
    ),
    "add a client": Flow(
        lambda register: register.engine.clients.add(
            "agency",
            scopes=[Scope.VERIFY],
            galleries=[REGISTER],
            purposes=["tax-filing"],
            sees_scores=False,
            access=access(),
        ),
        ("INSERT ON clients", *LOGGED),
        {"clients": 1, "client_credentials": 1, "audit_leaves": 1},
    ),
}
CASES = [
    pytest.param(flow, statement, id=f"{name}: {statement}")
    for name, flow in FLOWS.items()
    for statement in flow.failing
]


@pytest.mark.parametrize(("flow", "statement"), CASES)
def test_half_a_flow_is_none_and_trying_again_is_one(own_register: Register, flow: Flow, statement: str) -> None:
    register = own_register
    assert register.engine.ready
    before = _content(register)
    kind, _, place = statement.partition(" ON ")
    table, _, condition = place.partition(" WHEN ")
    when = f"WHEN {condition}" if condition else ""
    register.sql(f"CREATE TRIGGER fault AFTER {kind} ON {table} {when} BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(IdverifyError, match="disk full"):
        flow.act(register)
    register.sql("DROP TRIGGER fault")
    assert _content(register) == before
    flow.act(register)
    rows, now = _rows(before), _rows(_content(register))
    assert {name: now[name] - rows[name] for name in now if now[name] != rows[name]} == flow.adds
    assert register.another().ready


def test_a_client_is_suspended_wholly_or_not_at_all(own_register: Register) -> None:
    FLOWS["add a client"].act(own_register)
    before = _content(own_register)
    own_register.sql("CREATE TRIGGER fault AFTER INSERT ON audit_leaves BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    with pytest.raises(IdverifyError, match="disk full"):
        own_register.engine.clients.suspend(ClientId("agency"), access())
    own_register.sql("DROP TRIGGER fault")
    assert _content(own_register) == before


def _content(register: Register) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table."""
    with closing(sqlite3.connect(register.path)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name != 'alembic_version'")
        return {
            name: connection.execute(f"SELECT * FROM {name} ORDER BY 1, 2").fetchall() for (name,) in names.fetchall()
        }


def _rows(content: dict[str, list[tuple[object, ...]]]) -> dict[str, int]:
    counted = {name: len(rows) for name, rows in content.items()}
    counted.pop("person_keys")  # a slot is never given back
    counted.pop("encounter_galleries")
    return counted
