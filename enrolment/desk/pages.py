"""The pages of the desk, put together from the files beside this one."""

from pathlib import Path

from fastapi import APIRouter

from enrolment.desk import (
    case_pages,
    figure_pages,
    instruction_pages,
    notice_pages,
    queue_pages,
    report_pages,
    search_pages,
)
from enrolment.pages.room import Entrance, Room
from enrolment.staff.accounts import Role

router = APIRouter()
for part in (queue_pages, case_pages, notice_pages, instruction_pages, search_pages, report_pages, figure_pages):
    router.include_router(part.router)

ROOM = Room(
    "desk",
    Path(__file__).parent,
    router,
    (Entrance("/desk", "desk.title", "desk.entrance", frozenset({Role.ANALYST, Role.LEAD_ANALYST})),),
)
