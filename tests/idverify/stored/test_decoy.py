"""A number that nobody has costs the same operations as a known one: the decoy stands in for the missing person.

Nothing here looks at a clock; `python -m benchmarks.unknown_person` compares the times.
"""

import sys
from collections.abc import Callable
from types import FrameType

from sqlalchemy import event

from idverify import keys
from idverify.audit.events import Event
from idverify.ids import PersonId
from idverify.matching.decision import Outcome
from idverify.storage import audit_log
from idverify.stored.decoy import Decoy
from tests.deployments import PAYROLL, PEOPLE, REGISTER, Register, access, photograph, wall

ANNA, NOBODY = PEOPLE[0], PersonId("C-404")
COSTLY = ("sealing.py", "envelope.py", "template.py", "comparison.py", "counts.py", "caps.py", "audit_log.py")
"""The modules that do cryptography, compare, count and append."""


def test_an_unknown_number_costs_the_operations_of_a_known_non_match(register: Register) -> None:
    probe = photograph(2, 2)
    for number in (ANNA, NOBODY):
        register.verify(number, probe)  # so that each has its counters
    known = _operations(lambda: register.verify(ANNA, probe))
    unknown = _operations(lambda: register.verify(NOBODY, probe))
    elsewhere = _operations(lambda: register.verify(PEOPLE[1], photograph(1, 2), gallery=PAYROLL))
    assert known.count("template.py:reveal") == 1
    assert known.count("envelope.py:_unwrap") == 1
    assert known.count("envelope.py:seal") == 1
    assert unknown == known
    assert sorted(set(elsewhere)) == sorted(set(known))


def test_a_refused_photograph_costs_alike_too(register: Register) -> None:
    for number in (ANNA, NOBODY):
        register.verify(number, wall())
    assert _operations(lambda: register.verify(NOBODY, wall())) == _operations(lambda: register.verify(ANNA, wall()))


def test_the_statements_are_the_same_but_for_their_values(register: Register) -> None:
    register.verify(NOBODY, photograph(2, 2))
    register.verify(ANNA, photograph(2, 2))
    assert _statements(register, NOBODY) == _statements(register, ANNA)


def test_leaves_of_unknown_and_known_numbers_are_of_the_same_form(register: Register) -> None:
    """The detail is sealed under the decoy's key, which is never stored; the leaf names no person."""
    events: list[Event] = []
    for number in (ANNA, NOBODY):
        answer = register.verify(number, photograph(2, 2))
        with register.engine.database.read() as connection:
            events += audit_log.leaves_after(connection, answer.audit_position - 1)
    known, unknown = events
    assert known.person is not None
    assert unknown.person is None
    assert known.sealed_detail is not None
    assert unknown.sealed_detail is not None
    assert abs(len(known.sealed_detail) - len(unknown.sealed_detail)) < 30  # a score's digits, or null
    assert NOBODY not in unknown.leaf().decode()


def test_the_decoy_outlives_the_wrapping_key_of_the_start(own_register: Register) -> None:
    engine = own_register.engine
    keys.rotate(engine.database, own_register.settings.root_keys, engine.deployment.keys, engine.journal, access())
    keys.rewrap(engine.database, engine.deployment.keys, engine.journal, access(), lambda *_: None)
    assert own_register.verify(ANNA, photograph(1, 2)).decision.outcome is Outcome.MATCH
    assert own_register.verify(NOBODY, photograph(1, 2)).decision.outcome is Outcome.NO_MATCH
    own_register.enrol("C-7", photograph(7, 1))
    assert own_register.verify("C-7", photograph(7, 2)).decision.outcome is Outcome.MATCH  # drops version 1 from memory
    assert own_register.verify(NOBODY, photograph(1, 2)).decision.outcome is Outcome.NO_MATCH


def test_nobody_looks_like_the_decoy_and_each_start_has_another(own_register: Register) -> None:
    engine = own_register.engine
    decoys = [
        Decoy(engine.envelope, engine.stored_persons, own_register.reader.model, own_register.reader.dimension)
        for _ in range(2)
    ]
    first, second = (decoy.reference().vector for decoy in decoys)
    assert abs(float(first @ second)) < 0.5
    assert "numbers withheld" in repr(decoys[0].reference())


def test_no_score_of_the_decoy_leaves(register: Register) -> None:
    assert register.verify(NOBODY, photograph(1, 2)).similarity is None
    assert register.verify(ANNA, photograph(1, 2), gallery=PAYROLL).similarity is None


def _operations(act: Callable[[], object]) -> list[str]:
    """Every function of the costly modules that `act` calls, in order."""
    called = []

    def note(frame: FrameType, what: str, _argument: object) -> None:
        name = frame.f_code.co_filename.rpartition("/")[2]
        if what == "call" and name in COSTLY and not frame.f_code.co_name.startswith("<"):
            called.append(f"{name}:{frame.f_code.co_name}")

    sys.setprofile(note)
    try:
        act()
    finally:
        sys.setprofile(None)
    return called


def _statements(register: Register, number: PersonId) -> list[str]:
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    engine = register.engine.database._engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        register.verify(number, photograph(2, 2), gallery=REGISTER)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return seen
