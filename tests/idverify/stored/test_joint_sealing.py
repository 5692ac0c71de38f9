"""What concerns several persons opens only while all of them are there, and only in its place."""

import pytest

from idverify.errors import SealBroken
from idverify.ids import PersonId
from idverify.stored.persons import OpenedPerson
from tests.deployments import Register, access

PLACE = ("report_parts", "a-report/1")
SECRET = b"C-1, C-2 and C-3 are one face"


def opened_persons(register: Register, *people: str) -> list[OpenedPerson]:
    with register.engine.database.read() as connection:
        found = [register.engine.stored_persons.find(connection, PersonId(person)) for person in people]
    assert None not in found
    return [one for one in found if one is not None]


def opened(
    register: Register, first: OpenedPerson | None, sealed: bytes, place: tuple[str, str] = PLACE
) -> bytes | None:
    with register.engine.database.read() as connection:
        return register.engine.deployment.joint_sealing.open(connection, first, sealed, *place)


@pytest.mark.parametrize("people", [(), ("C-1",), ("C-1", "C-2"), ("C-1", "C-2", "C-3")])
def test_what_was_sealed_for_them_opens(register: Register, people: tuple[str, ...]) -> None:
    sealed_for = opened_persons(register, *people)
    sealed = register.engine.deployment.joint_sealing.seal(sealed_for, SECRET, *PLACE)
    assert opened(register, sealed_for[0] if sealed_for else None, sealed) == SECRET
    with pytest.raises(SealBroken):
        opened(register, sealed_for[0] if sealed_for else None, sealed, ("report_parts", "a-report/2"))


def test_it_shows_nobody_and_opens_under_no_other_first_key(register: Register) -> None:
    first, second = opened_persons(register, "C-1", "C-2")
    sealed = register.engine.deployment.joint_sealing.seal([first, second], SECRET, *PLACE)
    assert not any(name.encode() in sealed for name in ("C-1", "C-2", second.row.pseudonym))
    with pytest.raises(SealBroken):
        opened(register, second, sealed)


@pytest.mark.parametrize("gone", ["C-2", "C-3"])
def test_the_erasure_of_any_of_the_others_takes_it(own_register: Register, gone: str) -> None:
    sealed_for = opened_persons(own_register, "C-1", "C-2", "C-3")
    sealed = own_register.engine.deployment.joint_sealing.seal(sealed_for, SECRET, *PLACE)
    own_register.engine.persons.erase(PersonId(gone), access("erasure"))
    assert opened(own_register, sealed_for[0], sealed) is None


def test_a_pair_has_one_name_whichever_comes_first(register: Register) -> None:
    joint_sealing = register.engine.deployment.joint_sealing
    one, two, three = (opened_person.row.pseudonym for opened_person in opened_persons(register, "C-1", "C-2", "C-3"))
    assert joint_sealing.pair(one, two) == joint_sealing.pair(two, one)
    assert len({joint_sealing.pair(one, two), joint_sealing.pair(one, three), joint_sealing.pair(two, three)}) == 3
