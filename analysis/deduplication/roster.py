"""Reads a payroll roster as spreadsheets write it, and names every row or cell that cannot be used by line and column.

It opens no photograph and asks no database; it repeats no cell's content in what it tells.
"""

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from idverify.errors import InvalidInput
from idverify.ids import PersonId, person_id

MAX_BYTES = 256 * 1024 * 1024
MAX_PAYROLL_CHARACTERS = 64
MOST_LINES_OF_A_ROW = 20
_ENCODINGS = ("utf-8", "cp1252")
_BOMS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_DELIMITERS = ",;\t|"
_SPREADSHEET_DATE = re.compile(r"(\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}-\d{2}-\d{2})([ T]\d{1,2}:\d{2}.*)?")
_SCIENTIFIC = re.compile(r"\d([.,]\d+)?[eE]\+\d+")
_FORMULA = re.compile(r"[=+@-]|[\t\r]")


class Column(StrEnum):
    """What the check needs to know. A photograph or a reference to an enrolled person; one of the two is enough."""

    PAYROLL = "payroll"
    PERSON = "person"
    PHOTOGRAPH = "photograph"


_HEADINGS = {
    Column.PAYROLL: "payroll payrollnumber payrollno employee employeenumber employeeid empno staffnumber",
    Column.PERSON: "person personnumber nationalid idnumber nin citizen citizennumber reference",
    Column.PHOTOGRAPH: "photograph photo image picture file photofile filename",
}
_PHOTOGRAPH_SUFFIX = re.compile(r"\.(jpe?g|png)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RosterDefect:
    """One cell or row that could not be used; `line` counts from 1 as a text editor does. It repeats no content."""

    line: int
    column: str
    told: str


@dataclass(frozen=True, slots=True)
class RosterEntry:
    """One payroll number. Without a photograph its face is that of the enrolled `person`, if there is one."""

    line: int
    payroll: str
    person: PersonId | None
    photograph: Path | None


@dataclass(frozen=True, slots=True)
class Roster:
    """What could be read and what not. `columns`: the file's own names of ours; `sha256` (hex) of the file."""

    sha256: str
    columns: dict[Column, str]
    encoding: str
    delimiter: str
    entries: tuple[RosterEntry, ...]
    defects: tuple[RosterDefect, ...]

    @property
    def told(self) -> str:
        """How the file was understood, for whoever can still say that it was misunderstood."""
        mapped = ", ".join(f"{ours} from column {theirs!r}" for ours, theirs in self.columns.items())
        delimiter = {"\t": "tab"}.get(self.delimiter, self.delimiter)
        return f"Read as {self.encoding}, separated by {delimiter}: {mapped}."


def read_roster(path: Path, named: Mapping[Column, str] | None = None) -> Roster:
    """Read the file. `named`: which of its columns is which; those that are not named are guessed by their headings.

    Raises InvalidInput when the file is no table or lacks a column.
    """
    if path.stat().st_size > MAX_BYTES:
        raise InvalidInput(f"roster: expected at most {MAX_BYTES:,} bytes, the file has {path.stat().st_size:,}")
    content = path.read_bytes()
    text, encoding = _text(content)
    if not text.strip():
        raise InvalidInput("roster: the file is empty; expected a line of headings and a line for each payroll number")
    delimiter = _delimiter(text)
    rows = _rows(text, delimiter)
    _, header = next(rows)
    if header is None:
        raise InvalidInput("roster: the first line does not read as CSV; expected headings, look for an open quote")
    columns = _columns(header, named or {})
    reading = _Reading(header, columns, path.parent)
    entries = tuple(entry for line, row in rows if (entry := reading.entry(line, row)) is not None)
    return Roster(
        sha256=hashlib.sha256(content).hexdigest(),
        columns={column: header[at] for column, at in columns.items()},
        encoding=encoding,
        delimiter=delimiter,
        entries=entries,
        defects=tuple(reading.defects),
    )


def _text(content: bytes) -> tuple[str, str]:
    """The text and its encoding: by the byte order mark, otherwise UTF-8, otherwise what Windows writes."""
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InvalidInput("roster: this is a spreadsheet's own file; save it as CSV (UTF-8) and give that")
    for mark, encoding in _BOMS.items():
        if content.startswith(mark):
            try:
                return content.decode(encoding), encoding
            except UnicodeDecodeError:
                raise InvalidInput(f"roster: it is marked as {encoding} and is not; save it as CSV (UTF-8)") from None
    for encoding in _ENCODINGS:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, encoding
    raise InvalidInput("roster: not a text file in UTF-8, UTF-16 or Windows-1252; save it as CSV (UTF-8)")


def _delimiter(text: str) -> str:
    """The separator that the first line has most of, outside quotes."""
    first = re.sub(r'"[^"]*"', "", text.lstrip("\r\n").splitlines()[0])
    return max(_DELIMITERS, key=first.count)


def _rows(text: str, delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """Each row with the number of the line on which it begins, None for one that does not read as CSV.

    An open quote would swallow all rows after it: where it is not closed within a few lines, its own line alone is
    given up. Rows of empty cells are left out.
    """
    lines = list(io.StringIO(text, newline=""))
    at, width = 0, None
    while at < len(lines):
        row, taken = _row(lines[at : at + MOST_LINES_OF_A_ROW], delimiter, width)
        width = width or (len(row) if row else None)
        if row is None or any(row):
            yield at + 1, row
        at += taken


def _row(lines: list[str], delimiter: str, width: int | None) -> tuple[list[str] | None, int]:
    """The row that begins with the first of these lines, and how many of them it takes."""
    alone = _cells(lines[0], delimiter)
    if alone is not None:
        return alone, 1
    for taken in range(2, len(lines) + 1):
        cells = _cells("".join(lines[:taken]), delimiter)
        if cells is not None:
            return (cells, taken) if width in (None, len(cells)) else (None, 1)
    return None, 1


def _cells(row: str, delimiter: str) -> list[str] | None:
    try:
        (cells,) = csv.reader(io.StringIO(row, newline=""), delimiter=delimiter, strict=True)
    except (csv.Error, ValueError):
        return [] if not row.strip() else None
    return [cell.strip() for cell in cells]


def _columns(header: list[str], named: Mapping[Column, str]) -> dict[Column, int]:
    """The position of each column. Raises InvalidInput for one that is missing, named twice or headed ambiguously."""
    columns: dict[Column, int] = {}
    plain = [re.sub(r"[^a-z]", "", cell.lower()) for cell in header]
    for column in Column:
        if column in named:
            places = [at for at, cell in enumerate(header) if cell.casefold() == named[column].strip().casefold()]
        else:
            places = [at for at, cell in enumerate(plain) if cell in _HEADINGS[column].split()]
        if len(places) > 1:
            raise InvalidInput(
                f"roster: {len(places)} columns could be {column} ({', '.join(str(at + 1) for at in places)}); "
                f"give the headings names of their own, or say which with --column {column}=HEADING"
            )
        if not places and column in named:
            raise InvalidInput(f"roster: no column is headed {named[column]!r}; it has {', '.join(header)}")
        if places:
            columns[column] = places[0]
    if Column.PAYROLL not in columns or len(columns) < 2:
        raise InvalidInput(
            "roster: expected a payroll number and a person number or a photograph in each row, under headings such as "
            f"payroll, person, photograph; the first line has {', '.join(header)}. "
            "Say which is which with --column payroll=HEADING"
        )
    return columns


class _Reading:
    """One pass over the rows, which collects what is wrong with them."""

    def __init__(self, header: list[str], columns: Mapping[Column, int], folder: Path) -> None:
        self._header = header
        self._columns = columns
        self._folder = folder.resolve()
        self._lines: dict[str, int] = {}
        self.defects: list[RosterDefect] = []

    def entry(self, line: int, row: list[str] | None) -> RosterEntry | None:
        """The row as an entry, None when it has no usable payroll number. A cell that is wrong counts as empty."""
        if row is None:
            self._tell(line, None, "does not read as CSV: look for an open quote")
            return None
        if len(row) > len(self._header):
            self._tell(line, None, f"{len(row)} cells under {len(self._header)} headings: a separator too many")
            return None
        cells = {column: row[at] if at < len(row) else "" for column, at in self._columns.items()}
        if self._swapped(line, cells):
            return None
        payroll = self._payroll(line, cells[Column.PAYROLL])
        if payroll is None:
            return None
        return RosterEntry(
            line, payroll, self._person(line, cells.get(Column.PERSON, "")), self._photograph(line, cells)
        )

    def _payroll(self, line: int, cell: str) -> str | None:
        if not cell:
            self._tell(line, Column.PAYROLL, "no payroll number")
        elif (wrong := _spoilt(cell)) is not None:
            self._tell(line, Column.PAYROLL, wrong)
        elif _FORMULA.match(cell) or not cell.isprintable() or len(cell) > MAX_PAYROLL_CHARACTERS:
            self._tell(line, Column.PAYROLL, f"expected 1 to {MAX_PAYROLL_CHARACTERS} characters that are no formula")
        elif cell in self._lines:
            self._tell(line, Column.PAYROLL, f"the same payroll number as on line {self._lines[cell]}")
        else:
            self._lines[cell] = line
            return cell
        return None

    def _person(self, line: int, cell: str) -> PersonId | None:
        if not cell:
            return None
        if (wrong := _spoilt(cell)) is not None:
            self._tell(line, Column.PERSON, wrong)
            return None
        try:
            return person_id(cell)
        except InvalidInput:
            self._tell(line, Column.PERSON, "not a person number: expected 1 to 64 letters, digits or . _ -")
            return None

    def _photograph(self, line: int, cells: Mapping[Column, str]) -> Path | None:
        cell = cells.get(Column.PHOTOGRAPH, "")
        if not cell:
            return None
        try:
            path = (self._folder / cell.replace("\\", "/")).resolve()
            inside = path.is_relative_to(self._folder)
            there = inside and path.is_file()
        except (OSError, ValueError):
            inside = there = False
        if there:
            return path
        problem = "no such file beside the roster" if inside else "expected the name of a file beside the roster"
        self._tell(line, Column.PHOTOGRAPH, problem)
        return None

    def _swapped(self, line: int, cells: Mapping[Column, str]) -> bool:
        """Whether a photograph's name is where a number belongs: the row's cells are in each other's place."""
        for column in (Column.PAYROLL, Column.PERSON):
            if _PHOTOGRAPH_SUFFIX.search(cells.get(column, "")):
                self._tell(line, column, "the name of a photograph where a number belongs: are two cells swapped?")
                return True
        return False

    def _tell(self, line: int, column: Column | None, told: str) -> None:
        heading = "" if column is None else self._header[self._columns[column]]
        self.defects.append(RosterDefect(line, heading, told))


def _spoilt(cell: str) -> str | None:
    """What a spreadsheet made of a number, if it did."""
    if _SPREADSHEET_DATE.fullmatch(cell):
        return (
            "a date where a number belongs: the spreadsheet turned it into one (such as 1900-01-05); format it as text"
        )
    if _SCIENTIFIC.fullmatch(cell):
        return "a number in scientific notation: the spreadsheet cut off digits; format the column as text"
    return None
