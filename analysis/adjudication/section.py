"""The pages of the desk, put together from the files beside this one."""

from pathlib import Path

from fastapi import APIRouter

from analysis.adjudication import (
    case_pages,
    figure_pages,
    instruction_pages,
    notice_pages,
    queue_pages,
    report_pages,
    search_pages,
)
from pages.section import MenuEntry, Section
from staff.accounts.accounts import Role

router = APIRouter()
for part in (queue_pages, case_pages, notice_pages, instruction_pages, search_pages, report_pages, figure_pages):
    router.include_router(part.router)

SECTION = Section(
    "desk",
    Path(__file__).parent,
    router,
    (MenuEntry("/desk", "desk.title", "desk.description", frozenset({Role.ANALYST, Role.LEAD_ANALYST})),),
)
