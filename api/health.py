"""Says whether the process lives, and whether it can answer: for the orchestrator, without a credential.

It must not say what exactly is wrong with the database: anybody may ask.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.dependencies import TheEngine
from api.openapi import problems

router = APIRouter(tags=["operation"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Loading(BaseModel):
    """How far the galleries are."""

    step: str = Field(examples=["Verifying the audit log"])
    percent: int = Field(ge=0, le=100)


class Readiness(BaseModel):
    """Whether requests can be answered now, and which component says otherwise."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, str]
    loading: Loading | None = Field(None, description="While the galleries are being loaded.")


@router.get("/healthz", summary="Is the process alive?")
async def alive() -> Health:
    """Always 200 while the process can answer at all."""
    return Health()


@router.get(
    "/readyz",
    summary="Can it answer requests?",
    responses={**problems("request_invalid"), 503: {"model": Readiness}},
    response_model_exclude_none=True,
)
def ready_to_answer(
    engine: TheEngine,
    response: Response,
    to: Annotated[
        Literal["everything", "verify"], Query(description="`verify` asks for 1:1 alone, which waits for no gallery.")
    ] = "everything",
) -> Readiness:
    """200 when the database answers and the galleries are loaded, else 503 with what is missing and how far it is.

    What exactly is wrong with the database (its address, its account) is not for everybody who asks.
    """
    checks = {part: result if result in ("ok", "loading") else "unavailable" for part, result in engine.check().items()}
    is_ready = all(result == "ok" or (to == "verify" and result == "loading") for result in checks.values())
    response.status_code = 200 if is_ready else 503
    state = engine.follower.state if checks.get("galleries") == "loading" else None
    return Readiness(
        status="ready" if is_ready else "not_ready",
        checks=checks,
        loading=None if state is None else Loading(step=state.step, percent=int(100 * state.share)),
    )
