"""Shows the letter to a person in a case, as a page to print or as a PDF."""

from typing import Annotated, Literal

from fastapi import APIRouter, Form, Request, Response

from analysis.adjudication.case_pages import one_in
from analysis.adjudication.dependencies import TheAnalystRequest
from analysis.adjudication.notices import as_pdf, compose
from idverify.ids import CaseId
from pages.formats import Formats

router = APIRouter(prefix="/desk/cases")


@router.post("/{case}/notice", response_class=Response)
def write_notice(
    request: Request,
    analyst: TheAnalystRequest,
    case: CaseId,
    place: Annotated[int, Form()],
    notice_language: Annotated[Literal["en", "st", "sw"], Form()],
    form: Annotated[Literal["html", "pdf"], Form()],
) -> Response:
    """In the person's language, which need not be the analyst's."""
    facts = analyst.parts.notices.facts(case, place, analyst.reviewer, analyst.access)
    text = analyst.pages.catalogues[notice_language].text
    formats = Formats.of(notice_language, analyst.parts.time_zone)
    rate = None if facts.fmr is None else one_in(facts.fmr)
    page = analyst.pages.render(request, "desk/letter.html", compose(facts, notice_language, text, formats, rate))
    if form == "html":
        return page
    headers = {"Content-Disposition": f'attachment; filename="notice-{case[:8]}.pdf"'}
    return Response(as_pdf(bytes(page.body).decode()), media_type="application/pdf", headers=headers)
