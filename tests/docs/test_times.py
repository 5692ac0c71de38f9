"""The report on the time of tests: the part of each test, what is over its budget, and the table that people read."""

import re
from pathlib import Path

import pytest
from rich.console import Console

from tests.times import ELSEWHERE, LINT_AND_SETUP_S, PARTS, TOTAL_S, main, part_of, seconds_by_part, table_of

ROOT = Path(__file__).parents[2]


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """As pytest writes it."""
    path = tmp_path / "tests.xml"
    path.write_text(
        '<testsuites><testsuite tests="4">'
        '<testcase classname="tests.docs.test_links" name="a" time="1.5"/>'
        '<testcase classname="tests.docs.test_times" name="b" time="98765.0"/>'
        '<testcase classname="tests.idverify.storage.test_sync" name="c" time="2"><failure/></testcase>'
        '<testcase classname="nowhere" name="d" time="0.25"/>'
        "</testsuite></testsuites>",
        encoding="utf-8",
    )
    return path


def test_every_folder_of_tests_belongs_to_a_part() -> None:
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    modules = {str(file.relative_to(ROOT).with_suffix("")).replace("/", ".") for file in files}
    assert [module for module in sorted(modules) if part_of(module) is ELSEWHERE] == []


@pytest.mark.parametrize(
    ("module", "part"),
    [
        ("tests.idverify.storage.test_sync", "storage, SQLite and PostgreSQL"),
        ("tests.idverify.test_persons", "library"),
        ("tests.api.test_health", "API"),
        ("tests.apis.test_health", ELSEWHERE.name),
    ],
)
def test_the_nearest_place_names_the_part(module: str, part: str) -> None:
    assert part_of(module).name == part


def test_seconds_are_added_up_by_part(report: Path) -> None:
    assert seconds_by_part(report) == {
        "documents, structure": 98766.5,
        "storage, SQLite and PostgreSQL": 2.0,
        ELSEWHERE.name: 0.25,
    }


def test_what_is_over_its_budget_is_marked(report: Path) -> None:
    console = Console(width=120)
    with console.capture() as shown:
        console.print(table_of(report))
    lines = {line.split("│")[1].strip(): line for line in shown.get().splitlines() if line.count("│") == 5}
    assert "over" in lines["documents, structure"]
    assert "over" not in lines["storage, SQLite and PostgreSQL"]
    assert "API" not in lines


def test_without_a_report_the_command_to_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="make test"):
        main(str(tmp_path / "tests.xml"))


def test_people_read_the_same_budgets_and_all_of_them_fit() -> None:
    rows = re.findall(r"^\| ([^|]+) \| (\d+) \|", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.MULTILINE)
    told = {name: int(seconds) for name, seconds in rows}
    assert {part.name: part.budget_s for part in PARTS} == {name: told.get(name) for name in (p.name for p in PARTS)}
    assert sum(told.values()) == TOTAL_S
    assert sum(part.budget_s for part in PARTS) + LINT_AND_SETUP_S <= TOTAL_S
