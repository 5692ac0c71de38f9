"""A service answers 1:1 while its galleries load; 1:N waits, and a deployment that is not sound is never searched."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from idverify.access import no_progress
from idverify.administration.deployment import Deployment
from idverify.audit.events import EventKind
from idverify.engine import Engine
from idverify.errors import GalleryLoading, RecordRolledBack
from idverify.ids import PersonId
from idverify.matching.decision import Outcome
from idverify.storage import persons
from idverify.verification import VerificationRequest
from tests.deployments import PEOPLE, REGISTER, Register, access, photograph
from tests.processes import eventually

PATIENCE_S = 30


@dataclass
class Gate:
    """A progress callback that holds the loading until it is opened."""

    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def __call__(self, _what: str, _done: int, _total: int) -> None:
        self.reached.set()
        assert self.opened.wait(PATIENCE_S)


@pytest.fixture
def starting(own_register: Register) -> Iterator[Engine]:
    """An engine on the register whose galleries are not loaded."""
    with Engine(Deployment.open(own_register.settings, clock=own_register.clock), own_register.reader) as engine:
        yield engine


def nothing() -> None:
    """Done when a start is refused, where none is expected to be."""
    pytest.fail("refused")


def test_1_to_1_is_answered_while_the_galleries_load_and_1_to_n_is_not(
    own_register: Register, starting: Engine
) -> None:
    gate = Gate()
    starting.follower.start(gate, refused=nothing)
    assert gate.reached.wait(PATIENCE_S)
    asked = VerificationRequest(PEOPLE[0], REGISTER, photograph(1, 2), access())
    assert starting.verification.verify(asked).decision.outcome is Outcome.MATCH
    state = starting.follower.state
    assert state is not None
    assert 0 <= state.share <= 1
    assert not starting.follower.await_loaded(0)
    with pytest.raises(GalleryLoading):
        own_register.identify(photograph(1, 2), engine=starting)
    with pytest.raises(GalleryLoading):
        own_register.enrol("C-9", photograph(9, 1), engine=starting)
    with pytest.raises(GalleryLoading):
        starting.persons.erase(PEOPLE[0], access())
    gate.opened.set()
    assert starting.follower.await_loaded()
    assert starting.follower.state is None
    assert own_register.found(photograph(1, 2), engine=starting) == ["C-1"]


def test_a_deployment_that_is_not_sound_is_refused_and_never_searched(own_register: Register, starting: Engine) -> None:
    own_register.sql("UPDATE encounter_galleries SET gallery = 'payroll'")
    refused = threading.Event()
    starting.follower.start(no_progress, refused=refused.set)
    with pytest.raises(RecordRolledBack, match="rolled_back: encounters/"):
        starting.follower.await_loaded()
    assert refused.wait(PATIENCE_S)
    with pytest.raises(GalleryLoading):
        own_register.identify(photograph(1, 2), engine=starting)


def test_who_is_erased_while_another_service_loads_is_not_in_its_galleries(
    own_register: Register, starting: Engine
) -> None:
    loaded = own_register.engine
    gate = Gate()
    starting.follower.start(gate, refused=nothing)
    assert gate.reached.wait(PATIENCE_S)
    with loaded.database.write() as connection:  # without the scrub, which would wait for the loading
        opened_person = loaded.stored_persons.find(connection, PEOPLE[0])
        own_register.engine.journal.record(connection, EventKind.PERSON_ERASED, access(), person=opened_person)
        persons.erase_person(connection, PEOPLE[0])
    gate.opened.set()
    assert starting.follower.await_loaded()
    (gallery,) = starting.galleries_in_memory.galleries()
    assert gallery.references == len(PEOPLE) - 1


def test_a_service_that_is_stopped_while_it_loads_ends(starting: Engine) -> None:
    gate = Gate()
    starting.follower.start(gate, refused=nothing)
    assert gate.reached.wait(PATIENCE_S)
    closing = threading.Thread(target=starting.close)
    closing.start()
    gate.opened.set()
    closing.join(PATIENCE_S)
    assert not closing.is_alive()
    assert not starting.ready


def test_what_others_enrol_and_erase_is_followed_without_a_search(own_register: Register, starting: Engine) -> None:
    starting.follower.start(no_progress, refused=nothing)
    assert starting.follower.await_loaded()
    (gallery,) = starting.galleries_in_memory.galleries()
    own_register.enrol("C-7", photograph(7, 1))
    assert eventually(lambda: gallery.references == len(PEOPLE) + 1)
    own_register.engine.persons.erase(PersonId("C-7"), access())
    assert eventually(lambda: gallery.references == len(PEOPLE))


def test_a_row_that_can_not_be_followed_does_not_end_the_following(own_register: Register, starting: Engine) -> None:
    starting.follower.start(no_progress, refused=nothing)
    assert starting.follower.await_loaded()
    (gallery,) = starting.galleries_in_memory.galleries()
    with starting.galleries_in_memory._lock:  # until the row is broken
        encounter = own_register.enrol("C-7", photograph(7, 1)).encounter
        ((sealed,),) = own_register.sql("SELECT sealed FROM templates WHERE encounter = ?", encounter)
        own_register.sql("UPDATE templates SET sealed = ? WHERE encounter = ?", sealed[:-1] + b"\0", encounter)
    time.sleep(1)
    assert gallery.references == len(PEOPLE)
    own_register.sql("UPDATE templates SET sealed = ? WHERE encounter = ?", sealed, encounter)
    assert eventually(lambda: gallery.references == len(PEOPLE) + 1)
