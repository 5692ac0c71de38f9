"""Credentials over time: beside each other, rotated with grace, expired, revoked; every change on record."""

import json
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa, x25519

from idverify.audit.events import EventKind
from idverify.clients.agencies import Client, Scope
from idverify.clients.credentials import Credential, CredentialKind
from idverify.clients.keys import ClientKeys
from idverify.errors import ClientNotFound, Conflict, CredentialInvalid, InvalidInput, NotFound
from idverify.ids import ClientId
from tests.deployments import REGISTER, Register, access
from tests.proofs import authority, issued, key_of, pem, private_pem

AGENCY = ClientId("revenue-authority")
HOUR = timedelta(hours=1)


def test_a_rotated_key_works_beside_the_new_one_until_its_grace_ends(own_register: Register) -> None:
    old = _add(own_register)
    new = _keys(own_register).rotate_secret(AGENCY, access(), grace=HOUR)
    _lets_in(own_register, old, new)
    own_register.clock.advance(minutes=59)
    _lets_in(own_register, old, new)
    own_register.clock.advance(minutes=1)
    _lets_in(own_register, new)
    _refuses(own_register, old)
    assert _events(own_register) == [EventKind.CLIENT_ADDED, EventKind.CLIENT_KEY_ROTATED]


def test_rotation_never_lengthens_a_life(own_register: Register) -> None:
    old = _add(own_register, lifetime=HOUR)
    _keys(own_register).rotate_secret(AGENCY, access(), grace=24 * HOUR)
    own_register.clock.advance(hours=1)
    _refuses(own_register, old)


def test_rotation_without_grace_is_immediate(own_register: Register) -> None:
    old = _add(own_register)
    new = _keys(own_register).rotate_secret(AGENCY, access(), grace=timedelta())
    _refuses(own_register, old)
    _lets_in(own_register, new)


def test_a_key_expires_by_itself(own_register: Register) -> None:
    key = _add(own_register, lifetime=24 * HOUR)
    own_register.clock.advance(hours=23, minutes=59)
    _lets_in(own_register, key)
    own_register.clock.advance(minutes=1)
    _refuses(own_register, key)


def test_several_keys_are_valid_at_once_and_one_is_revoked_alone(own_register: Register) -> None:
    first, second = _add(own_register), _keys(own_register).add_secret(AGENCY, access())
    own_register.clock.advance(seconds=1)
    third = _keys(own_register).add_secret(AGENCY, access())
    _lets_in(own_register, first, second, third)
    newest = _keys(own_register).list(AGENCY)[-1]
    _keys(own_register).revoke(AGENCY, newest.credential, access())
    _lets_in(own_register, first, second)
    _refuses(own_register, third)
    assert _events(own_register) == [
        EventKind.CLIENT_ADDED,
        EventKind.CLIENT_KEY_ADDED,
        EventKind.CLIENT_KEY_ADDED,
        EventKind.CLIENT_KEY_REVOKED,
    ]


def test_a_suspended_client_is_refused_by_every_key_until_it_is_resumed(own_register: Register) -> None:
    first, second = _add(own_register), _keys(own_register).add_secret(AGENCY, access())
    own_register.engine.clients.suspend(AGENCY, access())
    _refuses(own_register, first, second)
    own_register.engine.clients.resume(AGENCY, access())
    _lets_in(own_register, first, second)
    assert _events(own_register)[-2:] == [EventKind.CLIENT_SUSPENDED, EventKind.CLIENT_RESUMED]


def test_the_leaf_names_every_credential_that_changed_and_no_secret(own_register: Register) -> None:
    key = _add(own_register)
    _keys(own_register).rotate_secret(AGENCY, access(), grace=HOUR)
    ((leaf,),) = own_register.sql("SELECT leaf FROM audit_leaves ORDER BY sequence DESC LIMIT 1")
    keys = {f"client_credentials/{AGENCY}/{row.credential}" for row in _keys(own_register).list(AGENCY)}
    assert json.loads(leaf)["records"].keys() == {f"clients/{AGENCY}"} | keys
    assert key.rpartition(".")[2].encode() not in leaf


def test_a_client_that_had_a_certificate_never_comes_without_one(own_register: Register) -> None:
    root = authority()
    first, second = (Credential.of_certificate(issued(root, name).pem) for name in ("first", "second"))
    key = _add(own_register, proofs=[first])
    clients = own_register.engine.clients
    assert clients.authenticate(key, first.name).certificates == frozenset({first.name})
    _refuses(own_register, key)
    with pytest.raises(CredentialInvalid):
        clients.authenticate(key, second.name)
    _keys(own_register).rotate(AGENCY, second, access(), HOUR)
    assert clients.authenticate(key, first.name) == clients.authenticate(key, second.name)
    own_register.clock.advance(hours=1)
    with pytest.raises(CredentialInvalid):
        clients.authenticate(key, first.name)
    _keys(own_register).revoke(AGENCY, second.name, access())
    # The last one is gone: that signs nobody in.
    for shown in (None, first.name, second.name):
        with pytest.raises(CredentialInvalid):
            clients.authenticate(key, shown)


def test_a_credential_is_given_once_and_what_is_unknown_is_named(own_register: Register) -> None:
    proof = Credential.of_public_key(pem(key_of("EdDSA")))
    keys = _keys(own_register)
    for act in (
        lambda: keys.add(AGENCY, proof, access()),
        lambda: keys.rotate_secret(AGENCY, access(), HOUR),
        lambda: keys.revoke(AGENCY, "x", access()),
        lambda: keys.list(AGENCY),
        lambda: own_register.engine.clients.resume(AGENCY, access()),
    ):
        with pytest.raises(ClientNotFound, match="idverify clients list"):
            act()
    _add(own_register)
    keys.add(AGENCY, proof, access())
    with pytest.raises(Conflict, match="make another one"):
        keys.add(AGENCY, proof, access())
    keys.revoke(AGENCY, proof.name, access())
    with pytest.raises(Conflict, match="make another one"):
        keys.rotate(AGENCY, proof, access(), HOUR)
    with pytest.raises(NotFound, match="clients keys list"):
        keys.revoke(AGENCY, "x", access())
    assert len(keys.list(AGENCY)) == 2


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "PS256"])
def test_a_public_key_is_the_same_as_pem_and_as_jwk(algorithm: str) -> None:
    key = key_of(algorithm).public_key()
    jwk = jwt.get_algorithm_by_name(algorithm).to_jwk(key, as_dict=True)
    dressed = {**jwk, "alg": "HS256", "use": "sig", "kid": "another"}
    proofs = [Credential.of_public_key(form) for form in (pem(key_of(algorithm)), json.dumps(dressed).encode())]
    assert proofs[0] == proofs[1]
    assert proofs[0].kind is CredentialKind.PUBLIC_KEY


def test_a_thumbprint_is_that_of_rfc_8037() -> None:
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
    proof = Credential.of_public_key(json.dumps(jwk).encode())
    assert proof.name == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_private_weak_and_foreign_keys_are_refused() -> None:
    private_jwk = jwt.get_algorithm_by_name("EdDSA").to_jwk(key_of("EdDSA"), as_dict=True)
    for content in (
        b"",
        b"{",
        b"[]",
        b"{}",
        b"\xff\xfe",
        b'{"kty": "oct", "k": "c2VjcmV0"}',
        b'{"kty": ["OKP"]}',
        b'{"kty": "OKP", "crv": "Ed25519", "x": "AA"}',
        json.dumps(private_jwk).encode(),
        private_pem(key_of("EdDSA")),
        private_pem(key_of("PS256")),
        pem(rsa.generate_private_key(65_537, 1024)),
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(ed448.Ed448PrivateKey.generate()),  # type: ignore[arg-type]
        pem(x25519.X25519PrivateKey.generate()),  # type: ignore[arg-type]
        authority().pem,
    ):
        with pytest.raises(InvalidInput, match="public key: expected"):
            Credential.of_public_key(content)
    for content in (b"", pem(key_of("EdDSA")), private_pem(key_of("EdDSA"))):
        with pytest.raises(InvalidInput, match="certificate: expected"):
            Credential.of_certificate(content)


def _add(register: Register, *, proofs: list[Credential] | None = None, lifetime: timedelta | None = None) -> str:
    _, key = register.engine.clients.add(
        AGENCY,
        scopes=[Scope.VERIFY],
        galleries=[REGISTER],
        purposes=["tax-filing"],
        sees_scores=False,
        access=access(),
        proofs=proofs or [],
        lifetime=lifetime,
    )
    return key


def _keys(register: Register) -> ClientKeys:
    return register.engine.deployment.client_keys


def _lets_in(register: Register, *keys: str) -> None:
    for key in keys:
        client: Client = register.engine.clients.authenticate(key)
        assert client.client == AGENCY


def _refuses(register: Register, *keys: str) -> None:
    for key in keys:
        with pytest.raises(CredentialInvalid):
            register.engine.clients.authenticate(key)


def _events(register: Register) -> list[str]:
    """What happened to clients, oldest first."""
    return [
        name for (name,) in register.sql("SELECT event FROM audit_leaves WHERE event LIKE 'client.%' ORDER BY sequence")
    ]
