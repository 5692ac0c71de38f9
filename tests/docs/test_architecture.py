"""The walks of ARCHITECTURE.md are the way that the code goes: every module is there, once, and runs."""

import re
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import pytest

from enrolment.station import composition
from enrolment.station.visit_steps import Workplace
from idverify.clients.agencies import Scope
from idverify.ids import PersonId, RequestId
from tests.browser import served
from tests.deployments import REGISTER, Register, access, photograph

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
IN_ITS_OWN_PROCESS = {
    "idverify/vision/reader_pool.py",
    "idverify/vision/reader_worker.py",
    "idverify/vision/decoder_pool.py",
}
"""Seen at work by their own tests; here the networks run in the process of the test."""
OF_A_BROWSER = {"enrolment/station/capture_pages.py", "enrolment/station/received_captures.py"}
"""Seen at work by the tests of the station's pages."""
OF_LARGE_GALLERIES = {"idverify/matching/prefilter.py"}
OF_PAPER = {"enrolment/station/receipt_codes.py"}
ASKED_BEFORE = {
    "idverify/stored/audit_journal.py",  # for the time
    "idverify/galleries/in_memory.py",  # whether it is loaded
    "idverify/storage/audit_log.py",  # how many leaves there are
    "idverify/storage/encounters.py",  # what the person has already
    "idverify/vision/liveness.py",  # the answer of a policy without the check
    "api/receipts.py",  # for the digest of the request
}
"""Does its own work at its place in a walk, but something small is asked of it before."""

_MODULE = re.compile(r"`([\w/]+\.py)`")


def walks() -> dict[str, list[list[str]]]:
    """Of each walk, by its heading: the modules that each of its lines names."""
    chapter = PAGE.partition("## Six walks")[2].partition("\n## ")[0]
    parts = chapter.split("\n### ")[1:]
    return {
        part.splitlines()[0]: [_MODULE.findall(line) for line in part.splitlines() if re.match(r"\d+\. ", line)]
        for part in parts
    }


@contextmanager
def calls() -> Iterator[dict[str, None]]:
    """The files of the project whose functions are called here or in a thread that is begun here, by first call."""
    seen: dict[str, None] = {}

    def note(frame: FrameType, event: str, _argument: object) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(str(ROOT)):
            seen.setdefault(file)

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        yield seen
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def test_there_are_six_walks() -> None:
    assert len(walks()) == 6
    assert min(map(len, walks().values())) >= 7


@pytest.mark.parametrize("walk", walks())
def test_every_line_names_modules_that_are_there_and_none_stands_twice(walk: str) -> None:
    named = [module for line in walks()[walk] for module in line]
    assert all(walks()[walk])
    assert [module for module in named if not (ROOT / module).is_file()] == []
    assert [module for module in named if named.count(module) > 1] == []


def test_every_package_has_a_line() -> None:
    tables = PAGE.partition("## Six walks")[0]
    packages = {path.parent for top in ("idverify", "enrolment", "analysis", "staff") for path in _packages(top)}
    names = {f"{package.relative_to(ROOT).as_posix()}/" for package in packages}
    inside = {"idverify/vision/quality/", "idverify/storage/tables/", "idverify/", "analysis/", "staff/"}
    assert sorted(name for name in names - inside if f"`{name}`" not in tables) == []


def test_a_verified_photograph_goes_the_way_that_is_told(own_register: Register) -> None:
    answer, called = asked(own_register, Scope.VERIFY, "/v1/verifications", person="C-1")
    assert answer["outcome"] == "match"
    _assert_told("A photograph is verified", called, IN_ITS_OWN_PROCESS)


def test_a_face_that_is_searched_for_goes_the_way_that_is_told(own_register: Register) -> None:
    answer, called = asked(own_register, Scope.IDENTIFY, "/v1/identifications")
    assert [candidate["person"] for candidate in answer["candidates"]] == ["C-1"]
    _assert_told("A face is searched for in a gallery", called, OF_LARGE_GALLERIES)


def asked(register: Register, scope: Scope, path: str, **form: str) -> tuple[dict[str, Any], list[str]]:
    """The answer to C-1's photograph, and the files that took part in it."""
    _, key = register.engine.clients.add(
        "tax", scopes=[scope], galleries=[REGISTER], purposes=["tax"], sees_scores=False, access=access()
    )
    with calls() as called, served(register.engine) as site, httpx.Client(base_url=site.url) as caller:
        called.clear()  # what a start calls
        answer = caller.post(
            path,
            data={"gallery": REGISTER, "purpose": "tax", **form},
            files={"image": photograph(1, 2)},
            headers={"Authorization": f"Bearer {key}", "Idempotency-Key": "a-walk-through-it"},
            timeout=60,
        )
        passed = list(called)
    assert answer.status_code == 200, answer.text
    return answer.json(), passed


def test_a_person_enrolled_at_a_station_goes_the_way_that_is_told(own_register: Register) -> None:
    visits = composition.station_parts(own_register.engine).work.visits
    clerk = Workplace("clerk-1", "maseru-1", REGISTER, RequestId("request-clerk-1"))
    with calls() as called:
        visit = visits.start(clerk, "P-77").visit
        visits.choose_basis(clerk, visit, "consent")
        frames = [photograph(77, day) for day in range(1, 6)]
        visits.capture(clerk, visit, "capture-1", frames, "station", lambda _: None)
        visits.commit(clerk, visit)
    _assert_told("A person is enrolled at a station", called, OF_A_BROWSER | OF_PAPER)


def test_an_erased_person_goes_the_way_that_is_told(own_register: Register) -> None:
    engine = own_register.engine
    with calls() as called:
        engine.persons.erase(PersonId("C-1"), access("erasure"))
    _assert_told("A person is erased", called, {"api/persons.py", "idverify/cli/persons.py"})


def _packages(top: str) -> Iterator[Path]:
    return (path for path in (ROOT / top).rglob("__init__.py"))


def _assert_told(walk: str, files: Iterable[str], elsewhere: set[str]) -> None:
    """Every module of the walk ran, unless it runs elsewhere, and began its work in the order that the page gives."""
    called = [Path(file).relative_to(ROOT).as_posix() for file in files]
    told = [module for line in walks()[walk] for module in line if module not in elsewhere]
    assert [module for module in told if module not in called] == []
    told = [module for module in told if module not in ASKED_BEFORE]
    assert [module for module in called if module in told] == told
