"""Contact sheets and folders of rendered citizens, and the command that writes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from citizens import portrait_jpeg
from citizens.sheet import contact_sheet, write_folder, write_sheet


def test_a_sheet_shows_every_person_as_often_as_asked() -> None:
    sheet = contact_sheet(3, 2, tile_px=(60, 80), per_row=2)
    assert sheet.shape == (2 * 88 + 8, 2 * 128 + 8, 3)
    third = sheet[88 + 8 : 88 + 88, 8 : 8 + 120]
    assert third.std() > 10
    absent = sheet[88 + 8 : 88 + 88, 136 + 8 :]
    assert (absent == 255).all()


def test_a_sheet_is_written_in_true_colours(tmp_path: Path) -> None:
    sheet = contact_sheet(1, 1, tile_px=(60, 80))
    write_sheet(tmp_path / "sheet.png", sheet)
    read = cv2.imread(str(tmp_path / "sheet.png"))
    assert read is not None
    assert (read[..., ::-1] == sheet).all()


def test_a_sheet_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="does its folder exist"):
        write_sheet(tmp_path / "missing" / "sheet.png", contact_sheet(1, 1, tile_px=(60, 80)))


def test_a_folder_holds_a_folder_a_person(tmp_path: Path) -> None:
    paths = list(write_folder(tmp_path, people=2, portraits=2, seed=40))
    assert [str(path.relative_to(tmp_path)) for path in paths] == [
        "citizen-0001/citizen-0001_0001.jpg",
        "citizen-0001/citizen-0001_0002.jpg",
        "citizen-0002/citizen-0002_0001.jpg",
        "citizen-0002/citizen-0002_0002.jpg",
    ]
    assert paths[0].read_bytes() == portrait_jpeg(40, 1)
    assert len({path.read_bytes() for path in paths}) == 4


def test_the_command_writes_a_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "citizens", "folder", "--out", str(tmp_path), "--people", "1", "--portraits", "2"]
    subprocess.run(command, check=True, capture_output=True)
    assert sorted(path.name for path in tmp_path.rglob("*.jpg")) == ["citizen-0001_0001.jpg", "citizen-0001_0002.jpg"]
