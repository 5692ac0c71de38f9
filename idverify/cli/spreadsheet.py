"""Writes CSV files for spreadsheets in which no cell is taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path


def inert(text: str) -> str:
    """The cell with a quote before anything that a spreadsheet would calculate."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The whole file as text."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows([inert(cell) for cell in row] for row in rows)
    return text.getvalue()


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a file in UTF-8."""
    path.write_text(csv_text(header, rows), encoding="utf-8", newline="")
