"""Offline captures are enrolled once each, answered alike, and refused in words."""

import pytest

from enrolment.station import composition
from enrolment.station.offline_captures import OfflineCapture, OfflineCaptures
from enrolment.station.visit import Ending
from enrolment.station.visit_steps import NumberMalformed, Workplace
from idverify.audit.events import EventKind
from idverify.engine import Engine
from idverify.errors import InvalidInput
from idverify.ids import RequestId
from idverify.reasons import Reason
from tests.deployments import REGISTER, Register, photograph, wall

SENDER = Workplace("clerk-2", "maseru-1", REGISTER, RequestId("request-9"))


def spent(_connection: object) -> None:
    """The nonce was good."""


def offline_captures(engine: Engine) -> OfflineCaptures:
    return composition.station_parts(engine).offline_captures


def sent(capture: str, *frames: bytes, person: str = "P-77", basis: str = "consent") -> OfflineCapture:
    return OfflineCapture.of(capture, {"clerk": "clerk-1", "person": person, "basis": basis}, frames)


def test_a_capture_that_waited_is_enrolled_once_for_the_clerk_who_made_it(own_register: Register) -> None:
    captures = offline_captures(own_register.engine)
    frames = photograph(77, 1), photograph(77, 2)
    first = captures.take(SENDER, sent("capture-1", *frames), spent)
    assert first.ending is Ending.ENROLLED
    assert offline_captures(own_register.another()).take(SENDER, sent("capture-1", *frames), spent) == first
    stored = own_register.sql("SELECT clerk, station, source FROM encounters WHERE person = 'P-77'")
    assert stored == [("clerk-1", "maseru-1", "station-offline")]


def test_one_that_is_not_good_enough_is_refused_with_its_reason_on_record(own_register: Register) -> None:
    captures = offline_captures(own_register.engine)
    outcome = captures.take(SENDER, sent("capture-1", wall()), spent)
    assert (outcome.ending, outcome.reason, outcome.encounter) == (Ending.REFUSED, Reason.NO_FACE, None)
    assert outcome.advice
    assert captures.take(SENDER, sent("capture-1", wall()), spent) == outcome
    events = [event for (event,) in own_register.sql("SELECT event FROM audit_leaves ORDER BY sequence")]
    assert events.count(EventKind.ENCOUNTER_REFUSED) == 1


def test_what_the_clerk_wrote_is_checked_when_it_comes(own_register: Register) -> None:
    captures = offline_captures(own_register.engine)
    with pytest.raises(NumberMalformed):
        captures.take(SENDER, sent("capture-1", photograph(77, 1), person="?"), spent)
    with pytest.raises(InvalidInput, match="legal basis"):
        captures.take(SENDER, sent("capture-1", photograph(77, 1), basis="because"), spent)
    with pytest.raises(InvalidInput, match="beside the frames"):
        OfflineCapture.of("capture-1", {"person": "P-77"}, [photograph(77, 1)])
    assert own_register.sql("SELECT count(*) FROM visits") == [(0,)]


def test_a_refused_nonce_leaves_nothing(own_register: Register) -> None:
    class Replayed(Exception):
        pass

    def replayed(_connection: object) -> None:
        raise Replayed

    with pytest.raises(Replayed):
        offline_captures(own_register.engine).take(SENDER, sent("capture-1", photograph(77, 1)), replayed)
    assert own_register.sql("SELECT count(*) FROM encounters WHERE person = 'P-77'") == [(0,)]
    assert own_register.sql("SELECT count(*) FROM visits") == [(0,)]
