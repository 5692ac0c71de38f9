"""Containment: one command suspends, rotates and rewraps; cut off anywhere, it goes on; it is one act on record."""

import json
from collections.abc import Callable, Sequence

import pytest

from idverify import keys
from idverify.access import Access, no_progress
from idverify.administration.containment import Containment
from idverify.audit.events import EventKind
from idverify.errors import ClientNotFound, CredentialInvalid, IdverifyError, InvalidInput
from idverify.ids import ClientId, RequestId
from idverify.protection.keyring import RootKeyFile
from tests.deployments import PEOPLE, REGISTER, Register, access, photograph

THIEF, OTHER = ClientId("stolen-key"), ClientId("revenue-authority")
STEPS = (
    "suspend the client stolen-key",
    "rotate the root key and the wrapping key",
    "rewrap everybody's key by the new wrapping key",
)


def test_an_incident_is_contained_in_one_act(own_register: Register) -> None:
    stolen, other = _client(own_register, THIEF), _client(own_register, OTHER)
    old = RootKeyFile.load(own_register.settings.root_keys).current_id
    containment = _begin(own_register, [THIEF], request="first")
    assert containment.remaining == STEPS
    containment.run()
    assert not containment.remaining
    with pytest.raises(CredentialInvalid):
        own_register.engine.clients.authenticate(stolen)
    assert own_register.engine.clients.authenticate(other).client == OTHER
    assert own_register.sql("SELECT wrapping_version, count(*) FROM persons GROUP BY 1") == [(2, len(PEOPLE))]
    assert containment.roots_to_destroy() == (old,)
    act = [leaf for leaf in _leaves(own_register) if leaf["request"] == "first"]
    assert [leaf["event"] for leaf in act] == [
        EventKind.CONTAINMENT_STARTED,
        EventKind.CLIENT_SUSPENDED,
        EventKind.KEYS_ROTATED,
        EventKind.KEYS_REWRAPPED,
        EventKind.CONTAINMENT_FINISHED,
    ]
    assert {leaf["clerk"] for leaf in act} == {"amara"}
    assert own_register.found(photograph(2, 2), engine=own_register.another()) == ["C-2"]


@pytest.mark.parametrize("failing", ["client.suspended", "keys.rotated", "keys.rewrapped", "containment_finished"])
def test_a_containment_that_was_cut_off_goes_on_where_it_stopped(own_register: Register, failing: str) -> None:
    _client(own_register, THIEF)
    own_register.sql(
        f"CREATE TRIGGER cut BEFORE INSERT ON audit_leaves WHEN NEW.event LIKE '%{failing}' "
        "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
    )
    first = _begin(own_register, [THIEF], request="first")
    with pytest.raises(IdverifyError):
        first.run()
    remaining = {"client.suspended": 3, "keys.rotated": 2, "keys.rewrapped": 1, "containment_finished": 0}[failing]
    assert first.remaining == STEPS[3 - remaining :]
    own_register.sql("DROP TRIGGER cut")
    second = _begin(own_register, [THIEF], request="second", clerk="binta")
    second.run()
    assert second.remaining == ()
    act = [(leaf["event"], leaf["clerk"]) for leaf in _leaves(own_register) if leaf["request"] == "first"]
    kinds = [event for event, _ in act]
    assert kinds[0] == EventKind.CONTAINMENT_STARTED
    assert kinds.count(EventKind.CLIENT_SUSPENDED) == kinds.count(EventKind.KEYS_ROTATED) == 1
    assert act[-1] == (EventKind.CONTAINMENT_FINISHED, "binta")
    assert not [leaf for leaf in _leaves(own_register) if leaf["request"] == "second"]
    assert own_register.sql("SELECT DISTINCT wrapping_version FROM persons") == [(2,)]
    assert own_register.another().ready


def test_a_rewrapping_cut_off_between_batches_goes_on(own_register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "REWRAP_BATCH", 2)

    class PowerCut(Exception):
        pass

    def cut(_what: str, done: int, _total: int) -> None:
        if done == 4:
            raise PowerCut

    with pytest.raises(PowerCut):
        _begin(own_register, [], request="first", progress=cut).run()
    assert own_register.sql("SELECT wrapping_version, count(*) FROM persons GROUP BY 1") == [(1, 2), (2, 4)]
    second = _begin(own_register, [], request="second")
    assert second.remaining == STEPS[2:]
    second.run()
    assert own_register.sql("SELECT DISTINCT wrapping_version FROM persons") == [(2,)]


def test_a_finished_containment_is_not_taken_up_again(own_register: Register) -> None:
    for request, version in (("first", 2), ("second", 3)):
        _begin(own_register, [], request=request).run()
        assert own_register.sql("SELECT DISTINCT wrapping_version FROM persons") == [(version,)]


def test_suspending_alone_leaves_the_keys(own_register: Register) -> None:
    _client(own_register, THIEF)
    _client(own_register, OTHER)
    containment = _begin(own_register, [THIEF, OTHER], rotate=False)
    containment.run()
    assert [client.suspended for client in own_register.engine.clients.list()] == [True, True]
    assert own_register.sql("SELECT DISTINCT wrapping_version FROM persons") == [(1,)]
    assert containment.roots_to_destroy() == ()


def test_nothing_begins_without_something_to_do_or_with_an_unknown_client(own_register: Register) -> None:
    _client(own_register, THIEF)
    before = _leaves(own_register)
    with pytest.raises(InvalidInput, match="expected a client to suspend"):
        _begin(own_register, [], rotate=False)
    with pytest.raises(ClientNotFound, match="no client nobody"):
        _begin(own_register, [THIEF, ClientId("nobody")])
    assert _leaves(own_register) == before


def _begin(
    register: Register,
    clients: Sequence[ClientId],
    *,
    rotate: bool = True,
    request: str = "request",
    clerk: str = "amara",
    progress: Callable[[str, int, int], None] = no_progress,
) -> Containment:
    by = Access(RequestId(request), "administration", clerk=clerk)
    return Containment.begin(register.another().deployment, clients, rotate, by, progress)


def _client(register: Register, name: ClientId) -> str:
    _, key = register.engine.clients.add(
        name, scopes=["verify"], galleries=[REGISTER], purposes=["tax-filing"], sees_scores=False, access=access()
    )
    return key


def _leaves(register: Register) -> list[dict[str, object]]:
    return [json.loads(leaf) for (leaf,) in register.sql("SELECT leaf FROM audit_leaves ORDER BY sequence")]
