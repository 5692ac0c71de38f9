"""Tokens: given to who proves to hold a registered key, worth nothing in any other form, and gone with their key."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from idverify.access import Access
from idverify.clients.agencies import Scope
from idverify.clients.credentials import Credential
from idverify.clients.tokens import Tokens
from idverify.ids import ClientId, GalleryId, RequestId
from idverify.stored.audit_journal import Journal
from tests.proofs import PrivateKey, assertion, flipped, key_of, pem

if TYPE_CHECKING:
    from tests.api.conftest import Problem, Service

ADMINISTRATION = Access(RequestId("tests-api"), "administration")
PURPOSE, GALLERY = "tax-filing", GalleryId("demo-register")
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_numbers = count(1)


@dataclass(frozen=True)
class Agency:
    """A client with a registered key, at a service."""

    service: Service
    name: str
    key: PrivateKey
    algorithm: str = "EdDSA"

    @property
    def issuer(self) -> str:
        return self.service.engine.tokens.issuer

    def assertion(self, **changes: Any) -> str:
        key = changes.pop("key", self.key)
        return assertion(key, self.name, self.issuer, **{"algorithm": self.algorithm, **changes})

    def ask(self, proof: str | None = None, **fields: str) -> httpx.Response:
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion() if proof is None else proof,
            **fields,
        }
        return self.service.stranger().post("/oauth/token", data=form)

    def token(self, **fields: str) -> str:
        answer = self.ask(**fields)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def use(self, token: str) -> httpx.Response:
        return self.service.stranger({"Authorization": f"Bearer {token}"}).get("/v1/galleries")


def registered(service: Service, *scopes: Scope, algorithm: str = "EdDSA", key: PrivateKey | None = None) -> Agency:
    name, key = f"ministry-{next(_numbers)}", key or key_of(algorithm)
    _, secret = service.engine.clients.add(
        name,
        scopes=scopes or [Scope.VERIFY],
        galleries=[GALLERY],
        purposes=[PURPOSE],
        sees_scores=False,
        access=ADMINISTRATION,
        proofs=[Credential.of_public_key(pem(key))],
    )
    assert secret == ""
    return Agency(service, name, key, algorithm)


@pytest.fixture(scope="module")
def agency(service: Service) -> Agency:
    return registered(service, Scope.VERIFY, Scope.AUDIT_READ)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "PS256"])
def test_who_holds_the_key_gets_a_token_and_is_let_in_by_it(service: Service, algorithm: str) -> None:
    agency = registered(service, algorithm=algorithm)
    answer = agency.ask()
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert told.keys() == {"access_token", "token_type", "expires_in", "scope"}
    assert (told["token_type"], told["expires_in"], told["scope"]) == ("Bearer", 300, "verify")
    assert [one["gallery"] for one in agency.use(told["access_token"]).json()["galleries"]] == [GALLERY]


def test_a_token_has_the_form_of_rfc_9068(agency: Agency) -> None:
    token = agency.token()
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (header["typ"], header["alg"]) == ("at+jwt", "EdDSA")
    assert claims["iss"] == claims["aud"] == agency.issuer
    assert claims["sub"] == claims["client_id"] == agency.name
    assert claims["exp"] - claims["iat"] == 300
    assert claims["scope"] == "audit.read verify"
    assert "cnf" not in claims


def test_fewer_scopes_may_be_asked_for_and_more_may_not(agency: Agency, problem: Problem) -> None:
    narrow = agency.token(scope="audit.read")
    forbidden = agency.service.stranger({"Authorization": f"Bearer {narrow}"}).post("/v1/verifications", json={})
    problem(forbidden, 403, "not_permitted")
    for scope in ("admin", "verify admin", "everything"):
        refused(agency.ask(scope=scope), 400, "invalid_scope")


def hs256(public_key: bytes, token: str) -> str:
    """The classic confusion: the public key as the secret of a MAC. PyJWT refuses to make one, so by hand."""

    head, payload, _ = token.split(".")
    header = {**json.loads(base64.urlsafe_b64decode(head + "==")), "alg": "HS256"}
    signed = f"{encoded(json.dumps(header).encode())}.{payload}"
    return f"{signed}.{encoded(hmac.digest(public_key, signed.encode(), hashlib.sha256))}"


def with_own_key(agency: Agency) -> str:
    key = Ed25519PrivateKey.generate()
    jwk = jwt.get_algorithm_by_name("EdDSA").to_jwk(key.public_key(), as_dict=True)
    return agency.assertion(key=key, header={"jwk": jwk})


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


# What an attacker sends in the place of a good assertion.
ASSERTIONS: dict[str, Callable[[Agency], str]] = {
    "no JWT": lambda agency: "a.b.c",
    "signed by nobody": lambda agency: agency.assertion(key=None, algorithm="none"),
    "HS256 with the public key": lambda agency: hs256(pem(agency.key), agency.assertion()),
    "another key": lambda agency: agency.assertion(key=Ed25519PrivateKey.generate()),
    "another algorithm": lambda agency: agency.assertion(key=key_of("ES256"), algorithm="ES256"),
    "one bit of the signature": lambda agency: flipped(agency.assertion()),
    "another audience": lambda agency: agency.assertion(aud="https://elsewhere.example"),
    "several audiences": lambda agency: agency.assertion(aud=[agency.issuer, "https://elsewhere.example"]),
    "another issuer": lambda agency: agency.assertion(iss="somebody-else"),
    "another subject": lambda agency: agency.assertion(sub="agency-0"),
    "a client that does not exist": lambda agency: agency.assertion(iss="nobody", sub="nobody"),
    "a subject that is no name": lambda agency: agency.assertion(sub="../etc"),
    "expired": lambda agency: agency.assertion(exp=int(time.time()) - 60),
    "valid too long": lambda agency: agency.assertion(exp=int(time.time()) + 3_600),
    "valid for ever": lambda agency: agency.assertion(exp=10**300),
    "not yet valid": lambda agency: agency.assertion(nbf=int(time.time()) + 100),
    "expiry of another kind": lambda agency: agency.assertion(exp="tomorrow"),
    "without expiry": lambda agency: agency.assertion(exp=None),
    "without id": lambda agency: agency.assertion(jti=None),
    "empty id": lambda agency: agency.assertion(jti=""),
    "endless id": lambda agency: agency.assertion(jti="x" * 1_000),
    "id of another kind": lambda agency: agency.assertion(jti=7),
    "an access token": lambda agency: agency.token(),
    "type of an access token": lambda agency: agency.assertion(header={"typ": "at+jwt"}),
    "crit": lambda agency: agency.assertion(header={"crit": ["exp"], "exp": 1}),
    "jku": lambda agency: agency.assertion(header={"jku": "https://elsewhere.example/jwks.json"}),
    "its own key in the header": with_own_key,
    "x5u": lambda agency: agency.assertion(header={"x5u": "https://elsewhere.example/chain.pem"}),
    "kid that leads elsewhere": lambda agency: agency.assertion(header={"kid": "../../dev/null"}),
    "huge": lambda agency: agency.assertion(note="x" * 5_000),
}


@pytest.mark.parametrize("attack", ASSERTIONS)
def test_a_false_assertion_is_refused_in_the_same_words(agency: Agency, attack: str) -> None:
    answer = refused(agency.ask(ASSERTIONS[attack](agency)), 401, "invalid_client")
    assert answer["error_description"].startswith("expected an unused assertion")


def test_an_assertion_is_used_once(agency: Agency) -> None:
    proof = agency.assertion()
    assert agency.ask(proof).status_code == 200
    refused(agency.ask(proof), 401, "invalid_client")
    # The same jti of another client is another assertion.
    other = registered(agency.service)
    claims = jwt.decode(proof, options={"verify_signature": False})
    assert other.ask(other.assertion(jti=claims["jti"])).status_code == 200


def test_a_jti_of_half_a_character_is_no_failure(agency: Agency) -> None:
    assert agency.ask(agency.assertion(jti="\ud800")).status_code == 200


def test_one_client_does_not_speak_for_another(service: Service, agency: Agency) -> None:
    other = registered(service, Scope.ADMIN, key=Ed25519PrivateKey.generate())
    # The other's key under this one's name, and this one's assertion beside the other's name.
    refused(agency.ask(agency.assertion(key=other.key)), 401, "invalid_client")
    refused(agency.ask(client_id=other.name), 401, "invalid_client")
    assert agency.ask(client_id=agency.name).status_code == 200


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": ""}, "invalid_request"),
        ({"client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"}, "invalid_request"),
        ({"client_assertion": ""}, "invalid_request"),
        ({"client_secret": "hunter2"}, "invalid_request"),
    ],
)
def test_another_kind_of_request_is_refused(agency: Agency, change: dict[str, str], error: str) -> None:
    refused(agency.ask(**change), 400, error)


def test_fields_that_nobody_knows_are_ignored_and_no_field_stands_twice(agency: Agency) -> None:
    """RFC 6749 section 3.2."""
    assert agency.ask(resource="https://elsewhere.example", audience="", scope="", client_id="").status_code == 200
    form = f"grant_type=client_credentials&client_assertion_type={ASSERTION_TYPE}&client_assertion={agency.assertion()}"
    for twice in ("resource=a&resource=b", "resource=a&resource=a", "scope=verify&scope=verify"):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = agency.service.stranger().post("/oauth/token", content=f"{form}&{twice}", headers=headers)
        refused(answer, 400, "invalid_request")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("application/x-www-form-urlencoded", b""),
        ("application/x-www-form-urlencoded", b"grant_type=client_credentials&grant_type=client_credentials"),
        ("application/x-www-form-urlencoded", b"grant_type=client_credentials\xff"),
        ("application/x-www-form-urlencoded", b"grant_type"),
        ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % number for number in range(1_000))),
    ],
)
def test_a_body_that_is_no_form_is_refused(service: Service, content_type: str, body: bytes) -> None:
    answer = service.stranger().post("/oauth/token", content=body, headers={"Content-Type": content_type})
    refused(answer, 400, "invalid_request")


def test_a_body_beyond_the_cap_is_not_read(service: Service, problem: Problem) -> None:
    huge = service.stranger().post("/oauth/token", data={"grant_type": "x" * 100_000})
    problem(huge, 413, "body_too_large")


def our_tokens(agency: Agency, *, at: datetime | None = None, issuer: str | None = None) -> Tokens:
    """A service with the very keys of the real one, at another time or under another name."""
    engine = agency.service.engine
    signer = engine.deployment.keys.checkpoint_signer
    journal = Journal(engine.envelope, signer, (lambda: at) if at else engine.journal.now)
    return Tokens(engine.database, journal, engine.deployment.keys.keyring, issuer or agency.issuer)


def given(agency: Agency, tokens: Tokens) -> str:
    now_s = tokens._journal.now().timestamp()
    proof = assertion(agency.key, agency.name, tokens.issuer, now_s=now_s)
    return tokens.exchange(proof, request=RequestId("tests-api")).token


def resigned(agency: Agency, *, header: dict[str, Any] | None = None, **claims: Any) -> str:
    """The worst case: somebody got our own signing key to sign this."""
    tokens = agency.service.engine.tokens
    good = jwt.decode(agency.token(), options={"verify_signature": False})
    chosen = {name: value for name, value in {**good, **claims}.items() if value is not None}
    return jwt.encode(chosen, tokens._key, algorithm="EdDSA", headers={**tokens._header, **(header or {})})


def at(seconds_from_now: float) -> datetime:
    return datetime.fromtimestamp(time.time() + seconds_from_now, UTC)


def unsigned(agency: Agency) -> str:
    _, payload, _ = agency.token().split(".")
    return f"{encoded(json.dumps({'alg': 'none', 'typ': 'at+jwt'}).encode())}.{payload}."


def our_public_key(agency: Agency) -> bytes:
    return pem(agency.service.engine.tokens._key)


TOKENS: dict[str, Callable[[Agency], str]] = {
    "none": unsigned,
    "HS256 with the public key": lambda agency: hs256(our_public_key(agency), agency.token()),
    "another key": lambda agency: jwt.encode(
        jwt.decode(agency.token(), options={"verify_signature": False}),
        Ed25519PrivateKey.generate(),
        algorithm="EdDSA",
        headers=agency.service.engine.tokens._header,
    ),
    "one bit of the signature": lambda agency: flipped(agency.token()),
    "wrong audience": lambda agency: resigned(agency, aud="https://elsewhere.example"),
    "several audiences": lambda agency: resigned(agency, aud=[agency.issuer, "https://elsewhere.example"]),
    "no audience": lambda agency: resigned(agency, aud=None),
    "wrong issuer": lambda agency: resigned(agency, iss="https://elsewhere.example"),
    "another deployment": lambda agency: given(agency, our_tokens(agency, issuer="urn:idverify:another")),
    "wrong type": lambda agency: resigned(agency, header={"typ": "JWT"}),
    "type of a receipt": lambda agency: resigned(agency, header={"typ": "idverify-receipt+jwt"}),
    "another key's id": lambda agency: resigned(agency, header={"kid": "0"}),
    "expired": lambda agency: given(agency, our_tokens(agency, at=at(-301))),
    "from the future": lambda agency: given(agency, our_tokens(agency, at=at(60))),
    "crit": lambda agency: resigned(agency, header={"crit": ["exp"]}),
    "jku": lambda agency: resigned(agency, header={"jku": "https://elsewhere.example/jwks.json"}),
    "jwk": lambda agency: resigned(agency, header={"jwk": {"kty": "OKP"}}),
    "x5u": lambda agency: resigned(agency, header={"x5u": "https://elsewhere.example/chain.pem"}),
    "a client that does not exist": lambda agency: resigned(agency, sub="nobody"),
    "a credential that it does not have": lambda agency: resigned(agency, credential="x"),
    "other client's certificate": lambda agency: resigned(agency, cnf={"x5t#S256": "A" * 43}),
    "an assertion": lambda agency: agency.assertion(),
    "huge": lambda agency: resigned(agency, note="x" * 5_000),
    "no JWT": lambda agency: "a.b.c",
}


@pytest.mark.parametrize("attack", TOKENS)
def test_a_false_token_is_refused(agency: Agency, problem: Problem, attack: str) -> None:
    answer = agency.use(TOKENS[attack](agency))
    problem(answer, 401, "credential_invalid")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_receipt_is_no_token(service: Service, agency: Agency, problem: Problem) -> None:
    problem(agency.use(service.engine.receipts.sign({"sub": agency.name})), 401, "credential_invalid")


def test_a_token_of_the_last_second_is_good(agency: Agency) -> None:
    assert agency.use(given(agency, our_tokens(agency, at=at(-290)))).status_code == 200


def test_a_token_goes_with_its_client_and_with_its_key(service: Service, problem: Problem) -> None:
    agency = registered(service)
    name, token = ClientId(agency.name), agency.token()
    service.engine.clients.suspend(name, ADMINISTRATION)
    problem(agency.use(token), 401, "credential_invalid")
    refused(agency.ask(), 401, "invalid_client")
    service.engine.clients.resume(name, ADMINISTRATION)
    assert agency.use(token).status_code == 200
    (credential,) = service.engine.deployment.client_keys.list(name)
    service.engine.deployment.client_keys.revoke(name, credential.credential, ADMINISTRATION)
    problem(agency.use(token), 401, "credential_invalid")
    refused(agency.ask(), 401, "invalid_client")


def test_a_scope_that_was_taken_from_the_client_is_gone_from_its_tokens(agency: Agency, problem: Problem) -> None:
    token = resigned(agency, scope="verify persons.erase")
    client = agency.service.stranger({"Authorization": f"Bearer {token}"})
    problem(client.delete("/v1/persons/C-1", params={"purpose": PURPOSE}), 403, "not_permitted")


def refused(answer: httpx.Response, status: int, error: str) -> dict[str, str]:
    """An error in the form of RFC 6749 section 5.2."""
    told: dict[str, str] = answer.json()
    assert (answer.status_code, told.get("error")) == (status, error), answer.text
    assert answer.headers["content-type"] == "application/json"
    assert told.keys() == {"error", "error_description", "request_id"}
    return told
