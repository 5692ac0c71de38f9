"""Credentials: shown once, stored as HMAC, one message for every fault; and what a client may do, in fixed order."""

import base64

import pytest

from idverify.audit.events import EventKind
from idverify.clients.agencies import Client, Scope
from idverify.errors import ClientNotFound, Conflict, CredentialInvalid, InvalidInput, NotPermitted
from idverify.ids import ClientId, GalleryId
from idverify.storage.record_check import discrepancies
from tests.deployments import PAYROLL, REGISTER, Register, access


def test_the_key_is_shown_once_and_its_bytes_are_nowhere(own_register: Register) -> None:
    client, key = _add(own_register, "revenue-authority")
    prefix, name, secret = key.split(".")
    assert (prefix, name) == ("idv", "revenue-authority")
    raw = base64.urlsafe_b64decode(secret + "=")
    assert len(raw) == 32
    for file in own_register.path.parent.glob(f"{own_register.path.name}*"):
        content = file.read_bytes()
        assert all(form not in content for form in (raw, secret.encode(), raw.hex().encode(), key.encode()))
    assert own_register.engine.clients.authenticate(key) == client
    assert own_register.engine.clients.list() == (client,)
    assert secret not in repr(client)


def test_every_wrong_key_is_refused_in_the_same_words(own_register: Register) -> None:
    clients = own_register.engine.clients
    _, key = _add(own_register, "revenue-authority")
    _, other = _add(own_register, "pension-fund")
    _, suspended = _add(own_register, "closed-agency")
    clients.suspend(ClientId("closed-agency"), access())
    secret = key.rpartition(".")[2]
    garbage = [
        "",
        "idv",
        "idv.",
        "idv..",
        "...",
        f"idv.revenue-authority.{other.rpartition('.')[2]}",
        f"idv.nobody.{secret}",
        f"xyz.revenue-authority.{secret}",
        f"idv.revenue-authority.{secret[:-2]}",
        f"idv.revenue-authority.{secret}AA",
        f"idv.revenue-authority.{secret}.x",
        f"IDV.revenue-authority.{secret}",
        f"idv.Revenue-Authority.{secret}",
        "idv.revenue-authority.",
        "idv.revenue-authority.ä",
        f"idv.revenue-authority\0.{secret}",
        f"idv.\udcff.{secret}",
        f"idv.' OR 1=1 --.{secret}",
        f"idv.{'a' * 100_000}.{secret}",
        f"idv.revenue-authority.{'A' * 100_000}",
        suspended,
    ]
    told = set()
    for wrong in garbage:
        with pytest.raises(CredentialInvalid) as refused:
            clients.authenticate(wrong)
        told.add(str(refused.value))
        assert refused.value.__cause__ is None
    assert len(told) == 1
    assert secret not in told.pop()
    assert clients.authenticate(key).client == "revenue-authority"


def test_a_client_is_suspended_at_once_and_on_record(own_register: Register) -> None:
    clients = own_register.engine.clients
    _, key = _add(own_register, "revenue-authority")
    clients.suspend(ClientId("revenue-authority"), access())
    with pytest.raises(CredentialInvalid):
        own_register.another().clients.authenticate(key)
    assert [client.suspended for client in clients.list()] == [True]
    events = [event for (event,) in own_register.sql("SELECT event FROM audit_leaves ORDER BY sequence DESC LIMIT 2")]
    assert events == [EventKind.CLIENT_SUSPENDED, EventKind.CLIENT_ADDED]
    with pytest.raises(ClientNotFound, match="idverify clients list"):
        clients.suspend(ClientId("nobody"), access())


def test_quotas_of_its_own_are_audited_and_taken_back(own_register: Register) -> None:
    clients, name = own_register.engine.clients, ClientId("revenue-authority")
    _, key = _add(own_register, name)
    clients.limit(name, access(), requests_per_minute=30, identifications_per_day=None)
    known = own_register.another().clients.authenticate(key)
    assert (known.requests_per_minute, known.identifications_per_day) == (30, None)
    ((event,),) = own_register.sql("SELECT event FROM audit_leaves ORDER BY sequence DESC LIMIT 1")
    assert event == EventKind.CLIENT_LIMITED
    with own_register.engine.database.read() as connection:
        assert list(discrepancies(connection)) == []
    own_register.sql("UPDATE clients SET requests_per_minute = 1000")
    with own_register.engine.database.read() as connection:
        assert [one.log_name for one in discrepancies(connection)] == ["clients/revenue-authority"]
    clients.limit(name, access(), requests_per_minute=None, identifications_per_day=None)
    with own_register.engine.database.read() as connection:
        assert list(discrepancies(connection)) == []
    assert clients.authenticate(key).requests_per_minute is None


def test_a_quota_of_nothing_or_of_nobody_is_refused(register: Register) -> None:
    for quota in (0, -1, 10**10):
        with pytest.raises(InvalidInput, match="suspend a client"):
            register.engine.clients.limit(
                ClientId("nobody"), access(), requests_per_minute=quota, identifications_per_day=None
            )
    with pytest.raises(ClientNotFound, match="idverify clients list"):
        register.engine.clients.limit(ClientId("nobody"), access(), requests_per_minute=1, identifications_per_day=1)


def test_what_a_client_lacks_is_named_in_fixed_order(register: Register) -> None:
    client, _ = _add(register, "orderly-agency", purposes=["tax-filing"])
    client.require(Scope.VERIFY)
    client.require(Scope.VERIFY, gallery=REGISTER, purpose="tax-filing")
    for scope, gallery, purpose, lacking in (
        (Scope.ADMIN, PAYROLL, "hunting", "lacks the scope admin"),
        (Scope.VERIFY, PAYROLL, "hunting", "that gallery"),
        (Scope.VERIFY, GalleryId("atlantis"), None, "that gallery"),
        (Scope.VERIFY, REGISTER, "hunting", "that purpose"),
        (Scope.VERIFY, None, "hunting", "that purpose"),
    ):
        with pytest.raises(NotPermitted, match=lacking):
            client.require(scope, gallery=gallery, purpose=purpose)


@pytest.mark.parametrize("scope", list(Scope))
def test_a_scope_gives_itself_and_no_other(register: Register, scope: Scope) -> None:
    client, _ = _add(register, f"agency-{scope.replace('.', '-')}", scopes=[scope])
    client.require(scope)
    for other in set(Scope) - {scope}:
        with pytest.raises(NotPermitted, match=other):
            client.require(other)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"name": "Revenue Authority"}, "client: expected"),
        ({"scopes": ["everything"]}, "scope: expected one of verify"),
        ({"purposes": ["tax filing"]}, "purpose: expected"),
    ],
)
def test_a_client_of_wrong_form_is_refused(register: Register, change: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        _add(register, **{"name": "wellformed", **change})  # type: ignore[arg-type]
    assert "wellformed" not in [client.client for client in register.engine.clients.list()]


def test_a_name_is_given_once(register: Register) -> None:
    _, key = _add(register, "twice-asked")
    with pytest.raises(Conflict, match="exists already"):
        _add(register, "twice-asked")
    register.engine.clients.authenticate(key)


def _add(
    register: Register, name: str, *, scopes: list[str] | None = None, purposes: list[str] | None = None
) -> tuple[Client, str]:
    return register.engine.clients.add(
        name,
        scopes=scopes or [Scope.VERIFY],
        galleries=[REGISTER],
        purposes=purposes or ["tax-filing"],
        sees_scores=False,
        access=access("administration"),
    )
