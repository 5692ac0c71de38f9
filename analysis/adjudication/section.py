"""Puts the pages of adjudication together, from the modules beside this one."""

from pathlib import Path

from fastapi import APIRouter

from analysis.adjudication import (
    case_pages,
    instruction_pages,
    notice_pages,
    queue_pages,
    report_pages,
    search_pages,
    statistics_pages,
)
from analysis.adjudication.composition import AdjudicationParts
from analysis.adjudication.dependencies import SECTION_NAME
from pages.section import MenuEntry, Section
from staff.accounts.accounts import Role

router = APIRouter()
for part in (queue_pages, case_pages, notice_pages, instruction_pages, search_pages, report_pages, statistics_pages):
    router.include_router(part.router)

SECTION = Section(
    SECTION_NAME,
    Path(__file__).parent,
    router,
    (MenuEntry("/desk", "desk.title", "desk.description", frozenset({Role.ANALYST, Role.LEAD_ANALYST})),),
    prepare=AdjudicationParts.of,
)
