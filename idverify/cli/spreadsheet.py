"""CSV files that people open in spreadsheets: no cell of them is taken for a formula."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path


def inert(text: str) -> str:
    """The cell with a quote before anything that a spreadsheet would calculate."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a file in UTF-8."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([inert(cell) for cell in row] for row in rows)
