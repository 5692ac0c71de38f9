"""Pages of statistics: what happened over time, how far analysts agree, and open data for the public."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from analysis.adjudication.charts import BarChart, bar_chart
from analysis.adjudication.dependencies import AnalystRequest, LeadAnalystRequest, TheAnalystRequest
from analysis.adjudication.statistics import MEASURES, Counts, Dashboard, Period
from idverify.cli.spreadsheet import csv_text
from idverify.storage.encounter_counts import Dimension

router = APIRouter(prefix="/desk/figures")


@dataclass(frozen=True, slots=True)
class TitledChart:
    """A chart and the message ids of its series, in order."""

    title: str
    chart: BarChart
    series: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FiguresPage:
    dimension: str
    dimensions: tuple[str, ...]
    period: str
    periods: tuple[str, ...]
    dashboard: Dashboard
    total: Counts
    charts: tuple[TitledChart, ...]
    measures: tuple[str, ...]
    leads: bool


@router.get("", response_class=HTMLResponse)
def figures(
    request: Request, analyst: TheAnalystRequest, by: Dimension = Dimension.GALLERY, period: Period = Period.MONTH
) -> HTMLResponse:
    """Of the galleries that this analyst works in."""
    dashboard = analyst.parts.statistics.dashboard(by, period, analyst.reviewer.galleries)
    context = FiguresPage(
        dimension=by,
        dimensions=tuple(Dimension),
        period=period,
        periods=tuple(Period),
        dashboard=dashboard,
        total=sum(dashboard.by_period.values(), Counts()),
        charts=tuple(
            _chart(request, analyst, dashboard, title, measures)
            for title, measures in (
                ("enrolments", ("enrolments", "refusals")),
                ("cases", ("found", "confirmed", "rejected")),
            )
        ),
        measures=MEASURES,
        leads=analyst.reviewer.lead,
    )
    return analyst.pages.render(request, "desk/figures.html", context)


@router.post("/open-data", response_class=Response)
def open_data(analyst: LeadAnalystRequest) -> Response:
    """The CSV for the public; a lead analyst takes it and publishes it."""
    rows = analyst.parts.statistics.open_data(analyst.access)
    content = csv_text(["month", "by", "group", "measure", "count"], rows)
    headers = {"Content-Disposition": 'attachment; filename="open-data.csv"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def _chart(
    request: Request, analyst: AnalystRequest, dashboard: Dashboard, title: str, measures: tuple[str, ...]
) -> TitledChart:
    names = {name: analyst.pages.text(request, f"desk.measure.{name}") for name in measures}
    counts = list(dashboard.by_period.values())
    numbers = {names[name]: [getattr(one, name) for one in counts] for name in measures}
    return TitledChart(title, bar_chart(dashboard.periods, numbers), measures)
