"""Lists the photographs of a bulk import, from a folder or a CSV file. It opens no photograph."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from idverify.errors import InvalidInput

PHOTOGRAPH_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
PERSON_COLUMN = "person"
PHOTOGRAPH_COLUMN = "photograph"


@dataclass(frozen=True, slots=True)
class Entry:
    """One photograph of one person. `place` is where it stands in the source ("line 12", a file's path)."""

    place: str
    person: str
    photograph: Path


def read_source(source: Path) -> list[Entry]:
    """All entries of a folder or a CSV file, in a stable order. Raises InvalidInput when there are none."""
    if source.is_dir():
        entries = sorted(_folder(source), key=lambda entry: entry.place)
    elif source.is_file():
        entries = list(_csv(source))
    else:
        raise InvalidInput(f"import source {source}: expected a folder or a CSV file, found neither")
    if not entries:
        raise InvalidInput(
            f"import source {source}: found no photographs; expected PERSON/PHOTO.jpg or PERSON.jpg in the folder, "
            f'or rows under the columns "{PERSON_COLUMN}" and "{PHOTOGRAPH_COLUMN}"'
        )
    return entries


def _folder(source: Path) -> Iterator[Entry]:
    for path in source.rglob("*"):
        if path.suffix.lower() in PHOTOGRAPH_SUFFIXES and path.is_file():
            person = path.stem if path.parent == source else path.relative_to(source).parts[0]
            yield Entry(path.relative_to(source).as_posix(), person, path)


def _csv(source: Path) -> Iterator[Entry]:
    try:
        # utf-8-sig: spreadsheets put a byte order mark in front.
        with source.open(encoding="utf-8-sig", newline="") as file:
            sample = file.read(64 * 1024)
            file.seek(0)
            delimiter = ";" if sample.partition("\n")[0].count(";") else ","
            rows = csv.DictReader(file, delimiter=delimiter)
            rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
            missing = {PERSON_COLUMN, PHOTOGRAPH_COLUMN} - set(rows.fieldnames or ())
            if missing:
                raise InvalidInput(
                    f"{source}: the first line lacks the column {' and '.join(sorted(missing))}; "
                    f"it has {', '.join(rows.fieldnames) or 'none'}"
                )
            for row in rows:
                person, photograph = ((row[column] or "").strip() for column in (PERSON_COLUMN, PHOTOGRAPH_COLUMN))
                if person or photograph:  # spreadsheets leave rows of empty cells behind
                    yield Entry(f"line {rows.line_num}", person, source.parent / photograph)
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(f"{source}: not a CSV file in UTF-8 ({error})") from error
