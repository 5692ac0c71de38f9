"""The page that exports instructions in a batch, for the office that has a payroll or register."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from analysis.adjudication.dependencies import LeadAnalystRequest
from analysis.adjudication.instructions import as_file

router = APIRouter(prefix="/desk/instructions")
_OFFERED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class InstructionsPage:
    """`since`: the day that is offered."""

    since: str
    leads: bool = True


@router.get("", response_class=HTMLResponse)
def instructions(request: Request, analyst: LeadAnalystRequest) -> HTMLResponse:
    """From which day on."""
    since = analyst.parts.journal.now().date() - _OFFERED
    return analyst.pages.render(request, "desk/instructions.html", InstructionsPage(since.isoformat()))


@router.post("", response_class=Response)
def export(analyst: LeadAnalystRequest, since: Annotated[date, Form()]) -> Response:
    """All decisions since that day, signed one by one, as one file. Each person named gets a leaf."""
    signed = analyst.parts.instructions.batch(since.isoformat(), analyst.reviewer, analyst.access)
    headers = {"Content-Disposition": f'attachment; filename="instructions-{since.isoformat()}.json"'}
    return Response(as_file(signed), media_type="application/json", headers=headers)
