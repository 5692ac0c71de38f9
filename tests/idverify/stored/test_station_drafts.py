"""Drafts survive what happens around them, say nothing in the database, and go with their key."""

import base64
from pathlib import Path

import pytest

from idverify import keys
from idverify.engine import Engine
from idverify.errors import Conflict, NotFound, SealBroken
from idverify.ids import PersonId
from idverify.storage.visits import VisitState
from idverify.stored.station_drafts import StationDraft
from tests.deployments import PEOPLE, REGISTER, Register, access

CONTENT = {"person": "P-1024-7", "step": "basis"}
CAPTURED = b"\xff\xd8 a photograph"


def test_a_draft_is_there_after_a_restart_and_reads_as_it_was_saved(own_register: Register) -> None:
    draft = _begun(own_register.engine)
    with own_register.engine.database.write() as connection:
        own_register.engine.drafts.put_capture(connection, draft, "capture-1", CAPTURED)
        own_register.engine.drafts.save(connection, draft, {**CONTENT, "step": "review"}, VisitState.OPEN)
    restarted = own_register.another()
    with restarted.database.read() as connection:
        found = restarted.drafts.get(connection, draft.visit)
        assert found.content == {**CONTENT, "step": "review"}
        assert (found.station, found.clerk, found.gallery) == ("maseru-1", "clerk-1", REGISTER)
        assert restarted.drafts.capture(connection, found, "capture-1") == CAPTURED
        assert [one.visit for one in restarted.drafts.of_clerk(connection, "maseru-1", "clerk-1")] == [draft.visit]
        assert restarted.drafts.of_clerk(connection, "maseru-1", "clerk-2") == []


def test_of_two_who_save_at_once_the_second_is_told(own_register: Register) -> None:
    draft, drafts = _begun(own_register.engine), own_register.engine.drafts
    with own_register.engine.database.write() as connection:
        drafts.save(connection, draft, {"step": "capture"}, VisitState.OPEN)
    with pytest.raises(Conflict, match="another window"), own_register.engine.database.write() as connection:
        drafts.save(connection, draft, {"step": "cancelled"}, VisitState.OPEN)
    with own_register.engine.database.read() as connection:
        assert drafts.get(connection, draft.visit).content == {"step": "capture"}


def test_nothing_that_a_draft_says_stands_in_the_database(own_register: Register) -> None:
    draft = _begun(own_register.engine)
    with own_register.engine.database.write() as connection:
        own_register.engine.drafts.put_capture(connection, draft, "capture-1", CAPTURED)
    for secret in (b"P-1024-7", CAPTURED):
        for notation in (secret, base64.b64encode(secret), secret.hex().encode()):
            assert notation not in _live_bytes(own_register.path)


def test_a_capture_counts_once_and_opens_in_its_visit_only(own_register: Register) -> None:
    engine, drafts = own_register.engine, own_register.engine.drafts
    draft, other = _begun(engine), _begun(engine)
    with engine.database.write() as connection:
        drafts.put_capture(connection, draft, "capture-1", CAPTURED)
    with pytest.raises(Conflict), engine.database.write() as connection:
        drafts.put_capture(connection, other, "capture-1", CAPTURED)
    with pytest.raises(NotFound), engine.database.read() as connection:
        drafts.capture(connection, other, "capture-1")
    own_register.sql("UPDATE visit_captures SET visit = ?", other.visit)
    with pytest.raises(SealBroken), engine.database.read() as connection:
        drafts.capture(connection, other, "capture-1")


def test_what_is_done_keeps_its_result_and_neither_capture_nor_old_key(own_register: Register) -> None:
    engine, drafts = own_register.engine, own_register.engine.drafts
    draft = _begun(engine)
    ((key,),) = own_register.sql("SELECT wrapped_key FROM visit_keys")
    with engine.database.write() as connection:
        drafts.put_capture(connection, draft, "capture-1", CAPTURED)
    ((sealed,),) = own_register.sql("SELECT sealed FROM visit_captures")
    with engine.database.write() as connection:
        drafts.save(connection, draft, {"outcome": "enrolled"}, VisitState.DONE)
    with engine.database.read() as connection:
        assert drafts.get(connection, draft.visit).content == {"outcome": "enrolled"}
        assert drafts.visit_of(connection, "capture-1") == draft.visit
        with pytest.raises(NotFound):
            drafts.capture(connection, draft, "capture-1")
    assert engine.database.scrub()
    live = _live_bytes(own_register.path)
    assert key not in live
    assert sealed not in live


def test_cancelled_expired_and_erased_visits_are_gone_with_their_keys(own_register: Register) -> None:
    engine, drafts = own_register.engine, own_register.engine.drafts
    cancelled = _begun(engine)
    with engine.database.write() as connection:
        drafts.erase(connection, cancelled)
    of_erased = _begun(engine, PEOPLE[0])
    engine.persons.erase(PEOPLE[0], access())
    expiring = _begun(engine)
    own_register.clock.advance(hours=24)
    with engine.database.read() as connection:
        for gone in (cancelled, of_erased, expiring):
            with pytest.raises(NotFound):
                drafts.get(connection, gone.visit)
    with engine.database.write() as connection:
        drafts.drop_expired(connection)
    assert own_register.sql("SELECT count(*) FROM visits") == [(0,)]
    assert all(not any(key) for (key,) in own_register.sql("SELECT wrapped_key FROM visit_keys"))
    # The next visit takes a blank row: the table does not grow with the years.
    rows = own_register.sql("SELECT count(*) FROM visit_keys")
    _begun(engine)
    assert own_register.sql("SELECT count(*) FROM visit_keys") == rows


def test_a_draft_opens_after_rotation_and_rewrapping_and_holds_no_old_key_back(own_register: Register) -> None:
    engine, at = own_register.engine, own_register.engine.deployment
    draft = _begun(engine)
    keys.rotate(at.database, own_register.settings.root_keys, at.keys, at.journal, access())
    later = own_register.another()
    keys.rewrap(later.database, later.deployment.keys, later.journal, access(), lambda _what, _done, _total: None)
    assert own_register.sql("SELECT version FROM service_keys WHERE kind = 'wrapping'") == [(2,)]
    with later.database.read() as connection:
        assert later.drafts.get(connection, draft.visit).content == CONTENT


def test_a_draft_moved_to_another_visit_does_not_open(own_register: Register) -> None:
    engine = own_register.engine
    draft, other = _begun(engine), _begun(engine)
    own_register.sql("UPDATE visits SET sealed = (SELECT sealed FROM visits WHERE visit = ?)", other.visit)
    with pytest.raises(SealBroken), engine.database.read() as connection:
        engine.drafts.get(connection, draft.visit)


def _begun(engine: Engine, person: str = "P-1024-7") -> StationDraft:
    with engine.database.write() as connection:
        return engine.drafts.add(connection, PersonId(person), REGISTER, "maseru-1", "clerk-1", CONTENT)


def _live_bytes(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
