"""GET and DELETE /v1/persons/{person}, and GET …/accesses: show a person, erase them, list who used their data.

Nothing here answers a photograph or a template.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from api import idempotency
from api.auth import AgreedPurpose, client_with
from api.dependencies import TheEngine, access_of
from api.idempotency import TheOnce
from api.openapi import CALLER_CODES, problems
from api.request_schemas import PersonNumber
from api.response_schemas import AccessesAnswer, AccessItem, EncounterItem, ErasureAnswer, PersonAnswer
from idverify.clients.agencies import Client, Scope
from idverify.persons import ErasureReceipt

router = APIRouter(
    tags=["persons"],
    responses=problems(*CALLER_CODES, "person_not_found", "request_invalid"),
)
_may_show = client_with(Scope.ENROL, Scope.AUDIT_READ)
_may_read_accesses = client_with(Scope.AUDIT_READ)
_may_erase = client_with(Scope.PERSONS_ERASE)
Person = Annotated[PersonNumber, Path()]


@router.get("/v1/persons/{person}", summary="What is kept about a person", response_model_exclude_none=True)
def show_person(
    request: Request,
    engine: TheEngine,
    person: Person,
    purpose: AgreedPurpose,
    client: Annotated[Client, Depends(_may_show)],
) -> PersonAnswer:
    """The person's encounters: when, from where, in which galleries. No photograph, no template. The read is audited.

    A person in none of the galleries that this client may use answers like one who does not exist.
    """
    view = engine.persons.show(person, access_of(request, client, purpose), within=client.galleries)
    return PersonAnswer(
        person=view.person,
        status=view.status,
        created_at=view.created_at,
        encounters=[
            EncounterItem(
                encounter=encounter.encounter,
                created_at=encounter.created_at,
                source=encounter.source,
                galleries=sorted(encounter.galleries),
                review=encounter.review,
                quality=encounter.quality,
            )
            for encounter in view.encounters
        ],
    )


@router.get("/v1/persons/{person}/accesses", summary="Who has used this person's data")
def list_accesses(
    request: Request,
    engine: TheEngine,
    person: Person,
    purpose: AgreedPurpose,
    client: Annotated[Client, Depends(_may_read_accesses)],
) -> AccessesAnswer:
    """Every use of the person's data, oldest first: which agency, when, why, what came of it. Reading it is one too."""
    views = engine.persons.accesses(person, access_of(request, client, purpose), within=client.galleries)
    return AccessesAnswer(
        person=person,
        accesses=[
            AccessItem(
                audit_position=view.sequence,
                time=view.time,
                event=view.event,
                client=view.client,
                clerk=view.clerk,
                station=view.station,
                purpose=view.purpose,
                outcome=view.outcome,
                reason=view.reason,
                gallery=view.gallery,
            )
            for view in views
        ],
    )


@router.delete(
    "/v1/persons/{person}",
    summary="Erase a person",
    responses=problems("person_not_found", "request_invalid", *idempotency.CODES, "gallery_loading"),
)
def erase_person(
    request: Request,
    engine: TheEngine,
    person: Person,
    purpose: AgreedPurpose,
    client: Annotated[Client, Depends(_may_erase)],
    once: TheOnce,
) -> ErasureAnswer:
    """Destroys the person's key and everything sealed under it, in every gallery, at once and for good.

    The audit log keeps a tombstone; nothing in it leads to the person any more. Backups follow when the root key
    version of their day is destroyed.
    """
    access = access_of(request, client, purpose)

    def present(receipt: ErasureReceipt) -> ErasureAnswer:
        return ErasureAnswer(
            person=person,
            request_id=access.request,
            audit_position=receipt.audit_position,
            encounters=receipt.encounters,
            templates=receipt.templates,
        )

    answer = once.answer(
        client,
        lambda alongside: engine.persons.erase(person, access, within=client.galleries, alongside=alongside),
        present,
        ErasureAnswer,
        unkept={"person": person},
    )
    if once.replayed:
        engine.persons.finish_erasure()  # which may be what failed the first time
    return answer
