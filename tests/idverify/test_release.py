"""Failures in a row close a way in, for known and unknown numbers alike, and an administrator opens it again."""

from pathlib import Path

import pytest

from idverify.audit.events import EventKind
from idverify.errors import ChannelLocked, Conflict, PersonNotFound, QuotaExceeded
from idverify.ids import PersonId
from idverify.matching.decision import Outcome
from idverify.vision.reader import Reader
from tests.deployments import PEOPLE, REGISTER, Register, access, copied, photograph

ANNA = PEOPLE[0]
NOBODY = PersonId("C-404")


@pytest.fixture
def locking(tmp_path: Path, register_files: Path, reader: Reader) -> Register:
    """A register where two failures in a row lock."""
    return copied(register_files, tmp_path, reader, consecutive_failures_per_person=2)


def test_a_lock_holds_against_the_person_themselves_and_tells_nobody_apart(locking: Register) -> None:
    told = set()
    for number in (ANNA, NOBODY):
        for _ in range(2):
            assert locking.verify(number, photograph(2, 2)).decision.outcome is Outcome.NO_MATCH
        with pytest.raises(ChannelLocked) as refused:
            locking.verify(number, photograph(1, 2))
        told.add(str(refused.value))
    assert len(told) == 1
    assert locking.found(photograph(1, 2)) == [ANNA]  # the channel is closed, the person is not
    last = locking.engine.persons.accesses(ANNA, access())[-2]
    assert (last.event, last.outcome) == (EventKind.PERSON_IDENTIFIED, Outcome.MATCH)
    locking.close()


def test_a_release_is_on_record_and_opens_the_channel(locking: Register) -> None:
    for _ in range(2):
        locking.verify(ANNA, photograph(2, 2))
    by = access("administration", clerk="officer-7")
    locking.engine.persons.release(ANNA, by)
    leaf = locking.engine.persons.accesses(ANNA, access())[-2]
    assert (leaf.event, leaf.clerk) == (EventKind.PERSON_RELEASED, "officer-7")
    assert locking.verify(ANNA, photograph(1, 2)).decision.outcome is Outcome.MATCH
    locking.close()


def test_there_is_nothing_to_release_where_nothing_is_locked(register: Register) -> None:
    before = register.sql("SELECT size FROM audit_head")
    with pytest.raises(Conflict, match="not locked"):
        register.engine.persons.release(ANNA, access())
    with pytest.raises(PersonNotFound):
        register.engine.persons.release(NOBODY, access())
    assert register.sql("SELECT size FROM audit_head") == before


def test_a_search_beyond_the_days_quota_leaves_no_candidates(
    tmp_path: Path, register_files: Path, reader: Reader
) -> None:
    register = copied(register_files, tmp_path, reader, identifications_per_client_per_day=1)
    assert register.found(photograph(1, 2), gallery=REGISTER) == [ANNA]
    with pytest.raises(QuotaExceeded, match="1 a day") as refused:
        register.identify(photograph(1, 2))
    register.clock.advance(seconds=refused.value.retry_after_s)
    assert register.found(photograph(1, 2)) == [ANNA]
    register.close()
