"""POST /v1/persons/{person}/encounters: enrol a person in a gallery, or add an encounter to somebody who is in it.

Who looks the same is answered only to clients with the scope duplicates.read, scores only where a policy shows them.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from api import idempotency
from api.dependencies import TheEngine, access_of
from api.idempotency import TheOnce
from api.openapi import CALLER_CODES, PHOTOGRAPH_CODES, problems, request_body
from api.request_reading import AdmittedRequest, asked_of
from api.request_schemas import EncounterBody, PersonNumber
from api.response_schemas import EnrolmentAnswer, advice_items, candidate_items
from enrolment import composition
from enrolment.enroller import EnrolmentRequest
from enrolment.enroller import EnrolmentResult as Enrolled
from idverify.clients.agencies import Scope

router = APIRouter(tags=["enrolment"])


@router.post(
    "/v1/persons/{person}/encounters",
    status_code=201,
    summary="Enrol a person from the photographs of one capture",
    responses={
        200: {"model": EnrolmentAnswer, "description": "Refused: nothing was stored; `advice` says what would help."},
        **problems(*CALLER_CODES, *PHOTOGRAPH_CODES, *idempotency.CODES, "gallery_loading"),
    },
    response_description="Stored: enrolled, or enrolled and marked for review.",
    response_model=EnrolmentAnswer,
    openapi_extra=request_body(EncounterBody),
)
def enrol(
    request: Request,
    engine: TheEngine,
    person: Annotated[PersonNumber, Path()],
    asked: Annotated[AdmittedRequest[EncounterBody], Depends(asked_of(EncounterBody, Scope.ENROL))],
    once: TheOnce,
) -> Response:
    """Takes the best of one to five photographs, looks for the same face in the gallery, seals and stores the template.

    **201** with `enrolled`, or with `needs_review` when somebody else in the gallery looks the same: the person is
    enrolled all the same and an officer decides. **200** with `refused` when no photograph was good enough.
    """
    client, body = asked.client, asked.body
    client.require(Scope.ENROL, gallery=body.gallery, purpose=body.purpose)
    enrolment = EnrolmentRequest(
        person, body.gallery, body.images, access_of(request, client, body.purpose), source="api"
    )
    sees_duplicates = Scope.DUPLICATES_READ in client.scopes

    def present(answer: Enrolled) -> EnrolmentAnswer:
        return EnrolmentAnswer(
            outcome=answer.outcome,
            reason=answer.reason,
            review_reasons=list(answer.review_reasons),
            encounter=answer.encounter,
            quality=None if answer.verdict is None else answer.verdict.score,
            advice=advice_items(answer.advice),
            duplicates=candidate_items(answer.duplicates, client) if sees_duplicates else None,
            request_id=answer.request,
            policy=answer.policy,
            audit_position=answer.audit_position,
            demonstration=answer.demonstration,
        )

    answer = once.answer(
        client,
        lambda alongside: composition.enroller(engine).enrol(enrolment, alongside),
        present,
        EnrolmentAnswer,
        body=body,
        names=lambda answer: (person, *(one.person for one in answer.duplicates)),
    )
    return once.decided(answer, 200 if answer.encounter is None else 201)
