"""CSV files: nothing in them is calculated, and everything comes back."""

import csv
from pathlib import Path

import pytest

from idverify.cli.spreadsheet import inert, write_csv


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_is_a_formula(start: str) -> None:
    assert inert(f"{start}HYPERLINK(1)") == f"'{start}HYPERLINK(1)"


def test_other_cells_stay_as_they_are(tmp_path: Path) -> None:
    rows = [["C-1", 'a "quoted", cell', "ünïcode", ""], ["2026-11-21", "x=1", "line\nbreak", "'"]]
    write_csv(tmp_path / "list.csv", ["a", "b", "c", "d"], rows)
    with (tmp_path / "list.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [["a", "b", "c", "d"], *rows]
