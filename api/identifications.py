"""POST /v1/identifications: who in this gallery is this? Scores go to no client whose policy does not show them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api import idempotency
from api.dependencies import TheEngine, access_of
from api.idempotency import TheOnce
from api.openapi import CALLER_CODES, PHOTOGRAPH_CODES, problems, request_body
from api.receipts import claims, digest_of
from api.request_reading import AdmittedRequest, asked_of
from api.request_schemas import IdentificationBody
from api.response_schemas import IdentificationAnswer, advice_items, candidate_items
from idverify.audit.events import utc_text
from idverify.clients.agencies import Scope
from idverify.galleries.definitions import population_of
from idverify.identification import IdentificationRequest
from idverify.identification import IdentificationResult as Identified
from idverify.ids import PersonId

router = APIRouter(tags=["identification"])


@router.post(
    "/v1/identifications",
    summary="Who in this gallery is this?",
    responses=problems(*CALLER_CODES, *PHOTOGRAPH_CODES, *idempotency.CODES, "gallery_loading"),
    response_description="The gallery was searched, or the photograph refused with advice.",
    response_model=IdentificationAnswer,
    openapi_extra=request_body(IdentificationBody),
)
def identify(
    request: Request,
    engine: TheEngine,
    asked: Annotated[AdmittedRequest[IdentificationBody], Depends(asked_of(IdentificationBody, Scope.IDENTIFY))],
    once: TheOnce,
) -> Response:
    """Searches everybody in one gallery, at a false-positive identification rate that the caller may name.

    Candidates come best first. A candidate is a lead for a person to look at, never a reason to decline anyone.
    """
    client, body = asked.client, asked.body
    client.require(Scope.IDENTIFY, gallery=body.gallery, purpose=body.purpose)
    probe = IdentificationRequest(
        body.gallery, body.image, access_of(request, client, body.purpose), fpir=body.fpir, most=body.most
    )
    digest = digest_of(body.image)

    def present(answer: Identified) -> IdentificationAnswer:
        receipt = claims(answer, client=client, body=body, request_digest=digest, about=_found(answer))
        return IdentificationAnswer(
            outcome=answer.decision.outcome,
            reason=answer.decision.reason,
            gallery=answer.gallery,
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
            candidates=candidate_items(answer.candidates, client),
            enrolled=answer.searched_people,
            fpir=answer.fpir,
            receipt=engine.receipts.sign(receipt),
        )

    answer = once.answer(
        client,
        lambda alongside: engine.identification.identify(probe, alongside),
        present,
        IdentificationAnswer,
        body=body,
        names=_found,
    )
    return once.decided(answer)


def _found(answer: Identified) -> list[PersonId]:
    return [candidate.person for candidate in answer.candidates]
