"""The lists of the desk: cases that wait, one's own opinions, and what waits for a lead analyst."""

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse

from analysis.adjudication.case_opening import Intake
from analysis.adjudication.case_reading import CaseItem, OwnItem
from analysis.adjudication.dependencies import LeadingSeat, TheSeat
from analysis.adjudication.evidence import CaseOrigin, Strength
from idverify.audit.events import utc_text
from idverify.ids import GalleryId
from idverify.storage.cases import CaseFilter
from pages.browser import PREFIX

router = APIRouter(prefix="/desk")
Page = Annotated[int, Query(ge=1, le=10_000)]
AGES_DAYS = (1, 7, 30)


@dataclass(frozen=True, slots=True)
class Asked:
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
    asked: Asked
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
    seat: TheSeat,
    gallery: str = "",
    origin: CaseOrigin | str = "",
    strength: Strength | str = "",
    age_days: str = "",
    page: Page = 1,
) -> HTMLResponse:
    """What waits for an opinion of this analyst, the oldest first."""
    Intake(seat.engine, seat.desk).marked(seat.access)
    before = None
    if age_days in map(str, AGES_DAYS):
        before = utc_text(seat.engine.journal.now() - timedelta(days=int(age_days)))
    asked = CaseFilter(GalleryId(gallery) if gallery else None, origin or None, strength or None, before)
    items, more = seat.reading.queue(seat.reviewer, asked, page - 1)
    context = QueuePage(
        items=tuple(items),
        asked=Asked(gallery, origin, strength, age_days),
        galleries=tuple(sorted(seat.reviewer.galleries)),
        origins=tuple(CaseOrigin),
        strengths=tuple(Strength),
        ages_days=AGES_DAYS,
        page=page,
        more=more,
        leads=seat.reviewer.lead,
    )
    return seat.pages.render(request, "desk/queue.html", context)


@router.get("/mine", response_class=HTMLResponse)
def own_opinions(request: Request, seat: TheSeat, page: Page = 1) -> HTMLResponse:
    """What this analyst said, and what became of it."""
    items, more = seat.reading.own(seat.reviewer, page - 1)
    return seat.pages.render(request, "desk/mine.html", OwnPage(tuple(items), page, more, seat.reviewer.lead))


@router.get("/find")
def find_case(seat: TheSeat, number: Annotated[str, Query(max_length=64)]) -> RedirectResponse:
    """Somebody comes with a letter."""
    return RedirectResponse(f"{PREFIX}/desk/cases/{seat.reading.find(number.strip(), seat.reviewer)}", 303)


@router.get("/escalations", response_class=HTMLResponse)
def escalations(request: Request, seat: LeadingSeat, page: Page = 1) -> HTMLResponse:
    """What two analysts could not settle."""
    items, more = seat.reading.escalations(seat.reviewer, page - 1)
    return seat.pages.render(request, "desk/escalations.html", EscalationsPage(tuple(items), page, more))
