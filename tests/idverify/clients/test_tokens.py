"""Times and single use of assertions and tokens, to the second, by a clock that the test turns."""

from datetime import timedelta
from typing import Any

import pytest

from idverify.audit.events import EventKind
from idverify.clients.agencies import Scope
from idverify.clients.credentials import Credential
from idverify.clients.tokens import AccessToken, issuer_of
from idverify.engine import Engine
from idverify.errors import CredentialInvalid, NotPermitted
from idverify.ids import ClientId, RequestId
from tests.deployments import REGISTER, Register, access
from tests.proofs import assertion, key_of, pem

AGENCY = "pension-fund"


@pytest.fixture
def agency_register(own_register: Register) -> Register:
    own_register.engine.clients.add(
        AGENCY,
        scopes=[Scope.VERIFY, Scope.ENROL],
        galleries=[REGISTER],
        purposes=["tax-filing"],
        sees_scores=False,
        access=access(),
        proofs=[Credential.of_public_key(pem(key_of("EdDSA")))],
    )
    return own_register


def test_a_token_lives_for_five_minutes_exactly(agency_register: Register) -> None:
    token = _exchange(agency_register).token
    agency_register.clock.advance(seconds=299)
    assert agency_register.engine.tokens.open(token).client == AGENCY
    agency_register.clock.advance(seconds=1)
    with pytest.raises(CredentialInvalid, match="expired"):
        agency_register.engine.tokens.open(token)


@pytest.mark.parametrize(
    ("expires_in_s", "begins_in_s", "good"),
    [(300, 0, True), (330, 0, True), (331, 0, False), (-29, 0, True), (-30, 0, False), (60, 30, True), (60, 31, False)],
)
def test_an_assertion_has_half_a_minute_of_leeway(
    agency_register: Register, expires_in_s: int, begins_in_s: int, good: bool
) -> None:
    now_s = int(agency_register.clock.now.timestamp())
    claims: dict[str, Any] = {"exp": now_s + expires_in_s, "nbf": now_s + begins_in_s}
    if good:
        _exchange(agency_register, **claims)
        return
    with pytest.raises(CredentialInvalid):
        _exchange(agency_register, **claims)


def test_an_assertion_is_remembered_for_as_long_as_it_would_pass_and_then_forgotten(agency_register: Register) -> None:
    now_s = int(agency_register.clock.now.timestamp())
    claims: dict[str, Any] = {"jti": "the-same", "exp": now_s + 120}
    _exchange(agency_register, **claims)
    for _ in range(10):
        with pytest.raises(CredentialInvalid):
            _exchange(agency_register, **claims)
        agency_register.clock.advance(seconds=16)
    assert agency_register.sql("SELECT count(*) FROM used_assertions") == [(1,)]
    agency_register.clock.advance(minutes=5)
    _exchange(agency_register)
    assert agency_register.sql("SELECT count(*) FROM used_assertions") == [(1,)]


def test_another_process_of_the_service_knows_what_was_used_and_takes_the_tokens(agency_register: Register) -> None:
    other = agency_register.another()
    first = _exchange(agency_register, jti="the-same")
    with pytest.raises(CredentialInvalid):
        _exchange(agency_register, engine=other, jti="the-same")
    assert other.tokens.open(first.token).scopes == {Scope.VERIFY, Scope.ENROL}


def test_every_token_is_on_record_and_no_refusal_is(agency_register: Register) -> None:
    _exchange(agency_register)
    with pytest.raises(CredentialInvalid):
        _exchange(agency_register, aud="https://elsewhere.example")
    with pytest.raises(NotPermitted):
        agency_register.engine.tokens.exchange(_assertion(agency_register), request=RequestId("r"), scopes=["admin"])
    leaves = agency_register.sql("SELECT leaf FROM audit_leaves WHERE event = ?", EventKind.TOKEN_ISSUED)
    assert len(leaves) == 1
    assert f'"client":"{AGENCY}"'.encode() in leaves[0][0]


def test_a_new_key_signs_beside_the_old_one_until_its_grace_ends(agency_register: Register) -> None:
    keys = agency_register.engine.deployment.client_keys
    keys.rotate(ClientId(AGENCY), Credential.of_public_key(pem(key_of("ES256"))), access(), timedelta(hours=1))
    by_new: dict[str, Any] = {"key": key_of("ES256"), "algorithm": "ES256"}
    old = _exchange(agency_register).token
    agency_register.engine.tokens.open(_exchange(agency_register, **by_new).token)
    agency_register.clock.advance(minutes=58)
    old = _exchange(agency_register).token
    agency_register.clock.advance(minutes=2)
    with pytest.raises(CredentialInvalid):
        _exchange(agency_register)
    with pytest.raises(CredentialInvalid, match="not valid any more"):
        agency_register.engine.tokens.open(old)
    agency_register.engine.tokens.open(_exchange(agency_register, **by_new).token)


def test_a_token_gives_no_more_than_the_client_still_has(agency_register: Register) -> None:
    token = _exchange(agency_register).token
    agency_register.sql("UPDATE clients SET scopes = ? WHERE client = ?", '["verify"]', AGENCY)
    assert agency_register.engine.tokens.open(token).scopes == {Scope.VERIFY}


def test_the_issuer_is_the_chosen_name_or_the_deployment() -> None:
    assert issuer_of("https://idverify.example", "d") == "https://idverify.example"
    assert issuer_of("", "d") == "urn:idverify:d"


def _assertion(register: Register, **changes: Any) -> str:
    key = changes.pop("key", key_of("EdDSA"))
    return assertion(key, AGENCY, register.engine.tokens.issuer, now_s=register.clock.now.timestamp(), **changes)


def _exchange(register: Register, *, engine: Engine | None = None, **changes: Any) -> AccessToken:
    return (engine or register.engine).tokens.exchange(
        _assertion(register, **changes), request=RequestId("request-token")
    )
