"""Whether the process lives, and whether it can answer: for the orchestrator, without a credential."""

from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.deps import TheEngine

router = APIRouter(tags=["operation"])


class Health(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether requests can be answered now, and which component says otherwise."""

    status: Literal["ready", "not_ready"]
    checks: dict[str, str]


@router.get("/healthz", summary="Is the process alive?")
async def alive() -> Health:
    """Always 200 while the process can answer at all."""
    return Health()


@router.get("/readyz", summary="Can it answer requests?", responses={503: {"model": Readiness}})
def ready_to_answer(engine: TheEngine, response: Response) -> Readiness:
    """200 when the database answers and the galleries are loaded, else 503 with what is missing.

    What exactly is wrong with the database (its address, its account) is not for everybody who asks.
    """
    checks = {part: result if result in ("ok", "loading") else "unavailable" for part, result in engine.check().items()}
    is_ready = all(result == "ok" for result in checks.values())
    response.status_code = 200 if is_ready else 503
    return Readiness(status="ready" if is_ready else "not_ready", checks=checks)
