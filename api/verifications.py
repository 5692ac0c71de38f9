"""POST /v1/verifications: is this the person with this number? The answer must not tell who is enrolled."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api import idempotency
from api.dependencies import TheEngine, access_of
from api.idempotency import TheOnce
from api.openapi import CALLER_CODES, PHOTOGRAPH_CODES, problems, request_body
from api.receipts import claims, digest_of
from api.request_reading import AdmittedRequest, asked_of
from api.request_schemas import VerificationBody
from api.response_schemas import VerificationAnswer, advice_items
from idverify.audit.events import utc_text
from idverify.clients.agencies import Scope
from idverify.galleries.definitions import population_of
from idverify.verification import VerificationRequest
from idverify.verification import VerificationResult as Verified

router = APIRouter(tags=["verification"])


@router.post(
    "/v1/verifications",
    summary="Is this the person with this number?",
    responses=problems(*CALLER_CODES, *PHOTOGRAPH_CODES, *idempotency.CODES, "channel_locked"),
    response_description="The photograph was compared, or refused with advice.",
    response_model=VerificationAnswer,
    openapi_extra=request_body(VerificationBody),
)
def verify(
    request: Request,
    engine: TheEngine,
    asked: Annotated[AdmittedRequest[VerificationBody], Depends(asked_of(VerificationBody, Scope.VERIFY))],
    once: TheOnce,
) -> Response:
    """Compares the photograph with the templates of one person in one gallery.

    `outcome` is **match**, **no_match**, or **not_processed** when the photograph shows no usable face; `advice` then
    says what to change. A person who is not in the gallery answers like a non-match. Attempts are capped per person and
    day, over all clients and whatever their outcome (429); many failures in a row, or many answers that only just came
    out as they did, close this way in for the person until an administrator opens it again (423).
    """
    client, body = asked.client, asked.body
    client.require(Scope.VERIFY, gallery=body.gallery, purpose=body.purpose)
    probe = VerificationRequest(body.person, body.gallery, body.image, access_of(request, client, body.purpose))
    digest = digest_of(body.image)

    def present(answer: Verified) -> VerificationAnswer:
        receipt = claims(answer, client=client, body=body, request_digest=digest, about=body.person)
        return VerificationAnswer(
            outcome=answer.decision.outcome,
            reason=answer.decision.reason,
            gallery=answer.gallery,
            person=body.person,
            purpose=body.purpose,
            request_id=answer.request,
            nonce=body.nonce,
            policy=answer.policy,
            decided_at=utc_text(answer.decided_at),
            expires_at=utc_text(answer.expires_at),
            audit_position=answer.audit_position,
            demonstration=answer.demonstration,
            population=population_of(answer.demonstration),
            presentation_attack=answer.presentation_attack,
            advice=advice_items(answer.advice),
            similarity=answer.similarity if client.sees_scores else None,
            receipt=engine.receipts.sign(receipt),
        )

    answer = once.answer(
        client,
        lambda alongside: engine.verification.verify(probe, alongside),
        present,
        VerificationAnswer,
        body=body,
        names=lambda _: (body.person,),
    )
    return once.decided(answer)
