"""The lists of cases: those that await an opinion, the analyst's own opinions, and what waits for a lead analyst."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from analysis.adjudication.case_reading import CaseItem, OwnItem
from analysis.adjudication.dependencies import LeadAnalystRequest, TheAnalystRequest
from idverify.audit.events import utc_text
from idverify.ids import GalleryId
from idverify.storage.cases import CaseFilter
from idverify.stored.case_evidence import CaseOrigin, Strength
from pages.browser import PREFIX

router = APIRouter(prefix="/desk")
Page = Annotated[int, Query(ge=1, le=10_000)]
AGES_DAYS = (1, 7, 30)


@dataclass(frozen=True, slots=True)
class QueueFilter:
    """What the queue is filtered by, as the form shows it; "" for everything."""

    gallery: str
    origin: str
    strength: str
    age_days: str

    @property
    def query(self) -> str:
        """As the head of the address of another page of the same list."""
        return urlencode(asdict(self))


@dataclass(frozen=True, slots=True)
class QueuePage:
    """`page` counts from 1; `more`: there is another one behind it."""

    items: tuple[CaseItem, ...]
    asked: QueueFilter
    galleries: tuple[str, ...]
    origins: tuple[str, ...]
    strengths: tuple[str, ...]
    ages_days: tuple[int, ...]
    page: int
    more: bool
    leads: bool


@dataclass(frozen=True, slots=True)
class OwnPage:
    items: tuple[OwnItem, ...]
    page: int
    more: bool
    leads: bool


@dataclass(frozen=True, slots=True)
class EscalationsPage:
    items: tuple[CaseItem, ...]
    page: int
    more: bool
    leads: bool = True


@router.get("", response_class=HTMLResponse)
def queue(
    request: Request,
    analyst: TheAnalystRequest,
    gallery: str = "",
    origin: CaseOrigin | str = "",
    strength: Strength | str = "",
    age_days: str = "",
    page: Page = 1,
) -> HTMLResponse:
    """What waits for an opinion of this analyst, the oldest first."""
    analyst.parts.case_opening.open_marked(analyst.access)
    before = None
    if age_days in map(str, AGES_DAYS):
        before = utc_text(analyst.parts.journal.now() - timedelta(days=int(age_days)))
    asked = CaseFilter(GalleryId(gallery) if gallery else None, origin or None, strength or None, before)
    items, more = analyst.parts.reading.queue(analyst.reviewer, asked, page - 1)
    context = QueuePage(
        items=tuple(items),
        asked=QueueFilter(gallery, origin, strength, age_days),
        galleries=tuple(sorted(analyst.reviewer.galleries)),
        origins=tuple(CaseOrigin),
        strengths=tuple(Strength),
        ages_days=AGES_DAYS,
        page=page,
        more=more,
        leads=analyst.reviewer.lead,
    )
    return analyst.pages.render(request, "desk/queue.html", context)


@router.get("/mine", response_class=HTMLResponse)
def own_opinions(request: Request, analyst: TheAnalystRequest, page: Page = 1) -> HTMLResponse:
    """What this analyst said, and what became of it."""
    items, more = analyst.parts.reading.own(analyst.reviewer, page - 1)
    return analyst.pages.render(request, "desk/mine.html", OwnPage(tuple(items), page, more, analyst.reviewer.lead))


@router.get("/find")
def find_case(analyst: TheAnalystRequest, number: Annotated[str, Query(max_length=64)]) -> RedirectResponse:
    """The case whose number is on a letter."""
    return RedirectResponse(f"{PREFIX}/desk/cases/{analyst.parts.reading.find(number.strip(), analyst.reviewer)}", 303)


@router.get("/escalations", response_class=HTMLResponse)
def escalations(request: Request, analyst: LeadAnalystRequest, page: Page = 1) -> HTMLResponse:
    """What two analysts could not settle."""
    items, more = analyst.parts.reading.escalations(analyst.reviewer, page - 1)
    return analyst.pages.render(request, "desk/escalations.html", EscalationsPage(tuple(items), page, more))
