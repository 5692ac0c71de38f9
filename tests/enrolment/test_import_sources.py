"""What an import reads: folders and CSV files as registers and spreadsheets really write them."""

from pathlib import Path

import pytest

from enrolment.import_sources import Entry, read_source
from idverify.errors import InvalidInput


def _csv(folder: Path, content: str | bytes) -> Path:
    path = folder / "list.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def _seen(entries: list[Entry]) -> list[tuple[str, str, str]]:
    return [(entry.place, entry.person, entry.photograph.name) for entry in entries]


def test_a_folder_a_person_and_files_named_by_person(tmp_path: Path) -> None:
    for name in ("B-2/second.JPG", "B-2/first.png", "A-1.jpeg", "B-2/deeper/third.jpg", "notes.txt", "B-2/.DS_Store"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert _seen(read_source(tmp_path)) == [
        ("A-1.jpeg", "A-1", "A-1.jpeg"),
        ("B-2/deeper/third.jpg", "B-2", "third.jpg"),
        ("B-2/first.png", "B-2", "first.png"),
        ("B-2/second.JPG", "B-2", "second.JPG"),
    ]


@pytest.mark.parametrize(
    "content",
    [
        "person,photograph\nA-1,a.jpg\nB-2,b.jpg\n",
        "person;photograph\r\nA-1;a.jpg\r\nB-2;b.jpg\r\n",
        b"\xef\xbb\xbfperson;photograph\r\nA-1;a.jpg\r\nB-2;b.jpg\r\n",
        'photograph,name,person\na.jpg,"Doe, Ann",A-1\nb.jpg,"Ben\tRoe",B-2',
        "person , photograph\n A-1 , a.jpg \nB-2,b.jpg\n",
        "Person,PHOTOGRAPH\nA-1,a.jpg\nB-2,b.jpg\n",
    ],
)
def test_csv_as_spreadsheets_write_it(tmp_path: Path, content: str | bytes) -> None:
    entries = read_source(_csv(tmp_path, content))
    assert _seen(entries) == [("line 2", "A-1", "a.jpg"), ("line 3", "B-2", "b.jpg")]
    assert entries[0].photograph == tmp_path / "a.jpg"


def test_empty_rows_are_passed_over_and_short_ones_kept(tmp_path: Path) -> None:
    content = "person,photograph\n\nA-1,a.jpg\n,\nB-2\n , \n"
    assert _seen(read_source(_csv(tmp_path, content))) == [
        ("line 3", "A-1", "a.jpg"),
        ("line 5", "B-2", tmp_path.name),
    ]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "lacks the column person and photograph; it has none"),
        ("person,photo\nA-1,a.jpg\n", "lacks the column photograph; it has person, photo"),
        ("A-1,a.jpg\n", "lacks the column person and photograph"),
        ("person,photograph\n", "found no photographs"),
        ("person,photograph\nJosé,a.jpg\n".encode("latin-1"), "not a CSV file in UTF-8"),
        ("person,photograph\nA-1,a.jpg\n".encode("utf-16"), "not a CSV file in UTF-8"),
        ("person,photograph\nA-1," + "a" * 200_000, "not a CSV file in UTF-8"),
    ],
)
def test_what_is_no_such_list_is_refused_in_words(tmp_path: Path, content: str | bytes, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        read_source(_csv(tmp_path, content))


def test_no_source_or_an_empty_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="found neither"):
        read_source(tmp_path / "absent")
    with pytest.raises(InvalidInput, match="found no photographs"):
        read_source(tmp_path)
