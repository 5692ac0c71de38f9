"""Prints how long each part of the tests took, and which part is over its budget: a report, never a test.

`make test` writes what it reads. Seconds are those of pytest's two workers added up, so that 20 minutes on two cores
are 2,400 of them; they depend on the machine and on what else it does.
"""

import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Part:
    """Tests below these folders or files, named with dots; `budget_s` is in seconds of one worker."""

    name: str
    budget_s: int
    places: tuple[str, ...]


PARTS = (
    Part("library", 300, ("tests.idverify",)),
    Part("storage, SQLite and PostgreSQL", 240, ("tests.idverify.storage", "tests.idverify.stored")),
    Part("whole deployments, short forms of the long runs", 300, ("tests.system", "tests.soak")),
    Part("API", 180, ("tests.api",)),
    Part("staff and station pages, in a browser", 300, ("tests.enrolment", "tests.staff", "tests.pages")),
    Part("analysis, its pages in a browser", 180, ("tests.analysis",)),
    Part("upgrade", 60, ("tests.upgrade",)),
    Part("packaging", 60, ("tests.packaging", "tests.idverify_receipts")),
    Part(
        "pictures, benchmarks, story, models", 150, ("tests.benchmarks", "tests.citizens", "tests.demo", "tests.models")
    ),
    Part("documents, structure", 30, ("tests.docs", "tests.test_structure")),
)
"""CONTRIBUTING.md shows the same table."""
LINT_AND_SETUP_S = 240
TOTAL_S = 2_400
"""20 minutes on two cores."""
ELSEWHERE = Part("elsewhere", 0, ())


def part_of(test_module: str) -> Part:
    """The part with the longest place that the module is in: "tests.idverify.storage.test_sync" is storage."""

    def fit(part: Part) -> int:
        return max((len(place) for place in part.places if f"{test_module}.".startswith(f"{place}.")), default=0)

    return max(PARTS, key=fit) if any(map(fit, PARTS)) else ELSEWHERE


def seconds_by_part(report: Path) -> dict[str, float]:
    """From a JUnit XML file of pytest: set-up, test and tear-down of each test, added up by part."""
    seconds: dict[str, float] = defaultdict(float)
    for case in ET.parse(report).iter("testcase"):
        seconds[part_of(case.get("classname", "")).name] += float(case.get("time", 0))
    return seconds


def table_of(report: Path) -> Table:
    """Each part that was run, its seconds and its budget; then the slowest tests."""
    table = Table("part", "seconds", "budget", "", title="Seconds of the tests, all workers together")
    seconds = seconds_by_part(report)
    for part in (*PARTS, ELSEWHERE):
        if part.name in seconds:
            took_s = seconds[part.name]
            table.add_row(part.name, f"{took_s:.0f}", str(part.budget_s), "over" if took_s > part.budget_s else "")
    table.add_row("all", f"{sum(seconds.values()):.0f}", str(sum(part.budget_s for part in PARTS)))
    return table


def main(path: str) -> None:
    """Exit status 1 when there is no report yet; a part over its budget is told and changes nothing."""
    report = Path(path)
    if not report.is_file():
        sys.exit(f"{report} is not here: run `make test` first")
    Console().print(table_of(report))


if __name__ == "__main__":
    main(*sys.argv[1:])
