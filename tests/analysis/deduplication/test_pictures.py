"""A report of a payroll with ghosts, from enrolment to a page in a browser; its pictures are those of the handbook."""

from pathlib import Path

import numpy as np

from analysis.deduplication import report_page
from analysis.deduplication.composition import DeduplicationParts
from enrolment import composition
from enrolment.enroller import EnrolmentRequest
from idverify.access import no_progress
from idverify.ids import PersonId
from tests.browser import Browsing
from tests.deployments import PAYROLL, Register, access, photograph

GHOSTS = {"E-1203": 301, "E-1204": 301, "E-1207": 301, "E-0044": 302, "E-0871": 302}
FEW, MANY = 5, 80
"""Honest people beside the ghosts: enough for a test, and enough for a picture."""


def enrol(register: Register, person: str, seed: int, day: int, clerk: str) -> None:
    register.clock.advance(hours=31)
    by = access("enrolment", clerk=clerk, station="north" if clerk > "clerk-04" else "south")
    request = EnrolmentRequest(PersonId(person), PAYROLL, [photograph(seed, day)], by, "station")
    composition.enroller(register.engine).enrol(request)


def test_a_report_of_ghosts_is_ready_to_be_put_before_a_minister(
    empty_register: Register, browsing: Browsing, tmp_path: Path, screenshots: Path | None
) -> None:
    register, random = empty_register, np.random.default_rng(7)
    for number in range(FEW if screenshots is None else MANY):
        enrol(register, f"E-{100 + 7 * number:04d}", 400 + number, 1, f"clerk-{random.integers(1, 9):02d}")
    for day, (person, seed) in enumerate(GHOSTS.items(), start=2):
        enrol(register, person, seed, day, "clerk-07")
    parts = DeduplicationParts.of(register.engine.deployment)
    searches, reports = parts.searches, parts.reports
    told = searches.plan(PAYROLL, budget=0.01)
    made = searches.run(searches.start(told, access("duplicate-review")), access("duplicate-review"), no_progress)
    report = reports.read(made, access("duplicate-review"))
    faces = report_page.as_data(reports.faces(report), register.reader.decoder)
    assert len(faces) == len(GHOSTS)
    file = tmp_path / "report.html"
    file.write_text(report_page.html(report, faces), encoding="utf-8")
    context = browsing.chromium.new_context(viewport={"width": 1280, "height": 720})
    shown = context.new_page()
    shown.goto(file.as_uri())
    clusters = shown.locator("article.cluster")
    assert clusters.count() == 2
    names = [name.split()[-1] for name in clusters.first.locator(".name").all_inner_texts()]
    assert names == ["E-1203", "E-1204", "E-1207"]
    if screenshots is not None:
        folder = screenshots / "report"
        folder.mkdir(parents=True, exist_ok=True)
        top = {"x": 140, "y": 0, "width": 1000, "height": 1070}
        shown.screenshot(path=folder / "summary.jpg", type="jpeg", quality=80, clip=top, full_page=True)  # type: ignore[arg-type]
        clusters.first.screenshot(path=folder / "cluster.jpg", type="jpeg", quality=80)
    context.close()
