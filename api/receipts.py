"""Puts together what a receipt claims, and publishes the keys that anybody checks it with. No claim is a score."""

import hashlib
from datetime import datetime
from typing import Protocol

from fastapi import APIRouter, Response

from api.dependencies import TheEngine
from api.request_schemas import IdentificationBody, VerificationBody
from api.response_schemas import JwkSet
from idverify.clients.agencies import Client
from idverify.galleries.definitions import population_of
from idverify.ids import GalleryId, PersonId, RequestId
from idverify.matching.decision import Decision
from idverify.vision.liveness import AttackFinding

_JWKS_MAX_AGE_S = 300

router = APIRouter(tags=["receipts"])


class SignableAnswer(Protocol):
    """What the library's verification and identification answers have in common."""

    @property
    def decision(self) -> Decision: ...
    @property
    def gallery(self) -> GalleryId: ...
    @property
    def policy(self) -> str: ...
    @property
    def request(self) -> RequestId: ...
    @property
    def decided_at(self) -> datetime: ...
    @property
    def expires_at(self) -> datetime: ...
    @property
    def presentation_attack(self) -> AttackFinding: ...
    @property
    def audit_position(self) -> int: ...
    @property
    def demonstration(self) -> bool: ...


def digest_of(photograph: bytes) -> str:
    """The claim `request_digest`: of the bytes as they were sent."""
    return f"sha256:{hashlib.sha256(photograph).hexdigest()}"


def claims(
    answer: SignableAnswer,
    *,
    client: Client,
    body: VerificationBody | IdentificationBody,
    request_digest: str,
    about: PersonId | list[PersonId],
) -> dict[str, object]:
    """The claims of one answer (names of RFC 7519 where it has them); the signer adds `iss`. No score is among them.

    `request_digest`: of the photograph by `digest_of`, made before the act, whose transaction keeps other writers
    waiting while claims are put together. `about`: the person asked for (claim `sub`), or the people found (claim
    `candidates`).
    """
    return {
        "aud": client.client,
        "jti": answer.request,
        "iat": int(answer.decided_at.timestamp()),
        "exp": int(answer.expires_at.timestamp()),
        "outcome": answer.decision.outcome,
        "reason": answer.decision.reason,
        "gallery": answer.gallery,
        "purpose": body.purpose,
        "policy": answer.policy,
        "request_digest": request_digest,
        "audit_position": answer.audit_position,
        "presentation_attack": answer.presentation_attack,
        "demonstration": answer.demonstration,
        "population": population_of(answer.demonstration),
        **({} if body.nonce is None else {"nonce": body.nonce}),
        **({"candidates": about} if isinstance(about, list) else {"sub": about}),
    }


@router.get("/.well-known/jwks.json", summary="Keys that receipts are checked with")
def receipt_keys(engine: TheEngine, response: Response) -> JwkSet:
    """A JWK set (RFC 7517). Choose the key by the receipt's `kid`; accept no algorithm but EdDSA."""
    response.headers["Cache-Control"] = f"public, max-age={_JWKS_MAX_AGE_S}"
    return JwkSet.model_validate(engine.receipts.jwks())
