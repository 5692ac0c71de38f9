"""GET /v1/galleries: the galleries that the calling client may use, and no other."""

from fastapi import APIRouter

from api.auth import Caller
from api.dependencies import TheEngine
from api.openapi import problems
from api.response_schemas import GalleriesAnswer, GalleryItem

router = APIRouter(tags=["galleries"])


@router.get(
    "/v1/galleries",
    summary="Galleries that this client may use",
    responses=problems("credential_invalid", "quota_exceeded", "storage_unavailable"),
)
def list_galleries(engine: TheEngine, client: Caller) -> GalleriesAnswer:
    """Names, sizes and what their answers are good for. Galleries of other clients are not listed."""
    return GalleriesAnswer(
        galleries=[
            GalleryItem(
                gallery=view.gallery,
                demonstration=view.demonstration,
                population=view.population,
                people=engine.people_in(view),
                model=view.model,
                verification_fmr=view.policy.verification_fmr,
                identification_fpir=view.policy.identification_fpir,
            )
            for view in engine.galleries.list()
            if view.gallery in client.galleries
        ]
    )
