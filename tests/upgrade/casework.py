"""The analysts' pages, as the program and the tests use them."""

import re

import httpx

from tests.visitors import Visitor

DESK = "/staff/desk"
_CASE = re.compile(r"/staff/desk/cases/([0-9a-f-]{36})")
_NAME = re.compile(r'<span class="letter">[A-Z]</span> ([A-Za-z0-9-]+)</p>')


def names_in(page: str) -> list[str]:
    """Whom the page of a case shows."""
    return sorted(_NAME.findall(page))


def cases_on(visitor: Visitor, address: str) -> dict[str, str]:
    """The cases of that list: the numbers in each, joined by a space, and its id."""
    listed = visitor.get(address)
    assert listed.status_code == 200, listed.text
    found = dict.fromkeys(_CASE.findall(listed.text))
    return {" ".join(names_in(visitor.get(f"{DESK}/cases/{case}").text)): case for case in found}


def give(visitor: Visitor, case: str, finding: str) -> httpx.Response:
    """This analyst's opinion."""
    address = f"{DESK}/cases/{case}"
    return visitor.post(f"{address}/opinion", {"finding": finding, "note": "as I see it"}, page=address)


def figures_for_the_public(lead: Visitor) -> bytes:
    """The CSV of all complete months."""
    address = f"{DESK}/figures"
    answer = lead.post(f"{address}/open-data", {}, page=address)
    assert answer.status_code == 200, answer.text
    return answer.content
