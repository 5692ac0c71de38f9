"""Pages of reports: lists and shows them, exports files, opens cases of their clusters. Each reading is audited."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse

from analysis.adjudication.case_pages import one_in
from analysis.adjudication.dependencies import LeadAnalystRequest, TheAnalystRequest
from analysis.adjudication.search_pages import Expected, to_two_digits
from analysis.deduplication import report_files, report_page
from analysis.deduplication.archive import ReportView
from analysis.deduplication.inputs import Inputs
from analysis.deduplication.payroll_findings import PayrollFinding
from analysis.deduplication.report import Report
from idverify.stored.case_evidence import strength_of
from pages.browser import PREFIX

router = APIRouter(prefix="/desk/reports")


class FileForm(StrEnum):
    HTML = "html"
    PDF = "pdf"
    CSV = "csv"
    JSON = "json"


_MEDIA_TYPES = {
    FileForm.HTML: "text/html; charset=utf-8",
    FileForm.PDF: "application/pdf",
    FileForm.CSV: "text/csv; charset=utf-8",
    FileForm.JSON: "application/json",
}


@dataclass(frozen=True, slots=True)
class ReportsPage:
    items: tuple[ReportView, ...]
    leads: bool


@dataclass(frozen=True, slots=True)
class ClusterItem:
    """A cluster in the list; `rate`: of its most alike pair, one in so many pairs of different people."""

    number: int
    kind: str
    names: tuple[str, ...]
    strength: str
    one_in: int


@dataclass(frozen=True, slots=True)
class ReportPage:
    """`made`: how many cases were just made of it, "" when none were asked for."""

    report: str
    address: str
    made_at: str
    kind: str
    expected: Expected
    known: int
    clusters: tuple[ClusterItem, ...]
    findings: tuple[PayrollFinding, ...]
    gone: int
    forms: tuple[str, ...]
    made: str
    leads: bool


@router.get("", response_class=HTMLResponse)
def reports(request: Request, analyst: TheAnalystRequest) -> HTMLResponse:
    """Those about this analyst's galleries."""
    items = analyst.parts.reports.list(within=analyst.reviewer.galleries)
    return analyst.pages.render(request, "desk/reports.html", ReportsPage(tuple(items), analyst.reviewer.lead))


@router.get("/{report}", response_class=HTMLResponse)
def show_report(request: Request, analyst: TheAnalystRequest, report: str, made: str = "") -> HTMLResponse:
    """What was found, without faces: those are looked at in cases, or in the files."""
    found = analyst.parts.reports.read(report, analyst.access, within=analyst.reviewer.galleries)
    inputs = found.head.inputs
    context = ReportPage(
        report=report,
        address=f"{PREFIX}/desk/reports/{report}",
        made_at=found.head.made_at,
        kind=inputs.kind,
        expected=_expected(inputs),
        known=inputs.known_non_duplicates,
        clusters=_clusters(found),
        findings=found.findings,
        gone=found.gone,
        forms=tuple(FileForm),
        made=made if made.isdecimal() and len(made) < 7 else "",
        leads=analyst.reviewer.lead,
    )
    return analyst.pages.render(request, "desk/report.html", context)


@router.post("/{report}/file", response_class=Response)
def take_file(analyst: TheAnalystRequest, report: str, form: Annotated[FileForm, Form()]) -> Response:
    """The report as a file that can leave the system."""
    kept = analyst.parts.reports
    found = kept.read(report, analyst.access, within=analyst.reviewer.galleries)
    if form is FileForm.JSON:
        content = report_files.as_json(found)
    elif form is FileForm.CSV:
        content = report_files.as_csv(found).encode()
    else:
        faces = report_page.as_data(kept.faces(found), analyst.parts.decoder)
        content = report_page.html(found, faces).encode() if form is FileForm.HTML else report_page.pdf(found, faces)
    headers = {"Content-Disposition": f'attachment; filename="report-{found.head.report[:8]}.{form}"'}
    return Response(content, media_type=_MEDIA_TYPES[form], headers=headers)


@router.post("/{report}/cases")
def make_cases(analyst: LeadAnalystRequest, report: str) -> RedirectResponse:
    """Each cluster becomes a case."""
    found = analyst.parts.reports.opened(report, within=analyst.reviewer.galleries)
    made = analyst.parts.report_cases.open(found, analyst.access)
    return RedirectResponse(f"{PREFIX}/desk/reports/{report}?made={made}", 303)


def _clusters(found: Report) -> tuple[ClusterItem, ...]:
    return tuple(
        ClusterItem(
            cluster.number,
            cluster.kind,
            tuple(member.name for member in cluster.members),
            strength_of(cluster.links),
            one_in(min(link.fmr for link in cluster.links)),
        )
        for cluster in found.clusters
    )


def _expected(inputs: Inputs) -> Expected:
    return Expected(
        gallery=inputs.galleries[0].gallery,
        against=inputs.galleries[1].gallery if len(inputs.galleries) > 1 else "",
        pairs=inputs.pairs,
        expected=to_two_digits(inputs.expected_false_pairs),
        low=inputs.false_pairs_low,
        high=inputs.false_pairs_high,
        threshold=inputs.threshold,
        one_in=one_in(inputs.fmr),
        extrapolated=inputs.extrapolated,
    )
