"""Rosters as real files are: encodings, separators, headings, and every kind of spoilt row, each told by its line."""

from pathlib import Path

import pytest

from analysis.deduplication.roster import Column, Roster, read_roster
from idverify.errors import InvalidInput

PLAIN = "payroll,person,photograph\nE-1,C-1,one.jpg\nE-2,C-2,\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("one.jpg", "two.jpg", "Zoë.jpg"):
        (tmp_path / name).write_bytes(b"a photograph")
    return tmp_path


def read(folder: Path, content: str | bytes, **named: str) -> Roster:
    path = folder / "roster.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_roster(path, {Column(column): heading for column, heading in named.items()})


def told(roster: Roster) -> list[tuple[int, str]]:
    return [(defect.line, defect.column) for defect in roster.defects]


def test_a_clean_roster_is_read_whole(folder: Path) -> None:
    roster = read(folder, PLAIN)
    assert [(one.line, one.payroll, one.person) for one in roster.entries] == [(2, "E-1", "C-1"), (3, "E-2", "C-2")]
    assert roster.entries[0].photograph == folder / "one.jpg"
    assert roster.entries[1].photograph is None
    assert roster.defects == ()
    assert "payroll from column 'payroll'" in roster.told


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-bom", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_what_spreadsheets_write_is_understood(folder: Path, encoding: str, delimiter: str, newline: str) -> None:
    text = PLAIN.replace("one.jpg", "Zoë.jpg").replace(",", delimiter).replace("\n", newline)
    content = b"\xfe\xff" + text.encode("utf-16-be") if encoding == "utf-16-be-bom" else text.encode(encoding)
    roster = read(folder, content)
    assert [one.payroll for one in roster.entries] == ["E-1", "E-2"]
    assert roster.entries[0].photograph == folder / "Zoë.jpg"
    assert (roster.delimiter, roster.defects) == (delimiter, ())


def test_columns_are_guessed_by_their_headings_or_named(folder: Path) -> None:
    roster = read(folder, "Surname;Emp. No.;National ID;Photo\nx;E-1;C-1;one.jpg\n")
    assert roster.columns == {Column.PAYROLL: "Emp. No.", Column.PERSON: "National ID", Column.PHOTOGRAPH: "Photo"}
    named = read(folder, "A,B\nE-1,C-1\n", payroll="a", person="B")
    assert (named.entries[0].payroll, named.entries[0].person) == ("E-1", "C-1")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("name,grade\nx,1\n", "expected a payroll number"),
        ("payroll\nE-1\n", "expected a payroll number"),
        ("payroll,payroll,person\nE-1,E-2,C-1\n", "2 columns could be payroll"),
        ("payroll,EmpNo,person\nE-1,E-2,C-1\n", "--column payroll=HEADING"),
        ('payroll,"person\nE-1,C-1\n', "open quote"),
        (b"PK\x03\x04 a workbook", "save it as CSV"),
        ("payroll,person\nE-1,C-1\n".encode("utf-16-le"), "not a text file"),
        (b"\xff\xfe\x00", "is marked as utf-16 and is not"),
    ],
    ids=[
        "empty",
        "blank",
        "no-columns",
        "one-column",
        "twice",
        "two-guesses",
        "open-quote",
        "xlsx",
        "bare-utf16",
        "cut",
    ],
)
def test_a_file_that_is_no_roster_is_refused_with_what_to_do(folder: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        read(folder, content)


def test_a_column_that_is_named_and_not_there_is_told_with_those_that_are(folder: Path) -> None:
    with pytest.raises(InvalidInput, match="no column is headed 'Nr'; it has payroll, person, photograph"):
        read(folder, PLAIN, payroll="Nr")


def test_each_spoilt_row_is_told_by_line_and_column_and_nothing_else_is_lost(folder: Path) -> None:
    rows = [
        "E-1,C-1,one.jpg",
        ",C-2,two.jpg",  # 3: no payroll number
        "E-3,C-3,missing.jpg",  # 4: no such photograph; the entry stays
        "C-4.jpg,E-4,C-4",  # 5: cells in each other's place
        "E-5,1900-01-05,one.jpg",  # 6: a date; the entry stays
        "05/01/1900,C-6,one.jpg",  # 7: a date for a payroll number
        "=HYPERLINK(1),C-7,one.jpg",  # 8: a formula
        "E-1,C-8,one.jpg",  # 9: twice
        "E-9,C-9,one.jpg,more",  # 10: too many cells
        '"E-10","C 10",one.jpg',  # 11: no person number; the entry stays
        "",
        ",,",
        '"E-',  # 14: a line break within a number
        '13",C-13,one.jpg',
        "E-15,1.23E+11,one.jpg",  # 16: digits cut off; the entry stays
        "E-16,C-16,../one.jpg",  # 17: outside the folder; the entry stays
        "E-17,C-17",  # 18: short, and fine
        "E-18,C-18,one.jpg\x01",  # 19: a control character in a name; the entry stays
        '"E-19,C-19,one.jpg',  # 20: a quote that nobody closes
        'E-20,C-"20",two.jpg',  # 21: no person number; the entry stays
        '"E-21" ,C-21,two.jpg',  # 22: text behind a closed quote
        '"E-22","C-22","two.jpg"',
    ]
    roster = read(folder, "payroll,person,photograph\n" + "\n".join(rows) + "\n")
    assert told(roster) == [
        (3, "payroll"),
        (4, "photograph"),
        (5, "payroll"),
        (6, "person"),
        (7, "payroll"),
        (8, "payroll"),
        (9, "payroll"),
        (10, ""),
        (11, "person"),
        (14, "payroll"),
        (16, "person"),
        (17, "photograph"),
        (19, "photograph"),
        (20, ""),
        (21, "person"),
        (22, ""),
    ]
    kept = {one.line: one.payroll for one in roster.entries}
    assert list(kept) == [2, 4, 6, 11, 16, 17, 18, 19, 21, 23]
    assert list(kept.values()) == [f"E-{number}" for number in (1, 3, 5, 10, 15, 16, 17, 18, 20, 22)]
    assert not any(cell in defect.told for defect in roster.defects for cell in ("HYPERLINK", "C-4", "missing.jpg"))


def test_a_row_that_was_swapped_whole_loses_no_neighbour(folder: Path) -> None:
    roster = read(folder, "photograph,payroll,person\none.jpg,E-1,C-1\nE-2,one.jpg,C-2\ntwo.jpg,E-3,C-3\n")
    assert [one.payroll for one in roster.entries] == ["E-1", "E-3"]
    assert told(roster) == [(3, "payroll")]


def test_two_open_quotes_swallow_nothing_between_them(folder: Path) -> None:
    rows = ['"E-1,C-1,one.jpg', "E-2,C-2,one.jpg", "E-3,C-3,one.jpg", '"E-4,C-4,one.jpg', "E-5,C-5,one.jpg"]
    roster = read(folder, "payroll,person,photograph\n" + "\n".join(rows))
    assert [one.payroll for one in roster.entries] == ["E-2", "E-3", "E-5"]
    assert told(roster) == [(2, ""), (5, "")]
