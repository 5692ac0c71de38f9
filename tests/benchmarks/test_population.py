"""Finding people in a tree, and rendered citizens that stay apart from everybody else's seeds."""

from pathlib import Path

import pytest

from benchmarks.comparisons import PopulationInvalid
from benchmarks.pairs import Picture
from benchmarks.population import CALIBRATION_SEEDS_FROM, find_pictures, photographs_under, rendered_citizens


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("Bob/Bob_0001.jpg", "Ann/Ann_0002.jpg", "Ann/Ann_0001.JPG", "Ann/notes.txt", "Cid/passport.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path


def test_a_tree_is_read_by_person_and_takes_any_file_name(tree: Path) -> None:
    samples = photographs_under(tree)
    assert [(sample.person, sample.name) for sample in samples] == [
        ("Ann", "Ann_0001"), ("Ann", "Ann_0002"), ("Bob", "Bob_0001"), ("Cid", "passport"),
    ]  # fmt: skip
    assert samples[0].read() == b"Ann/Ann_0001.JPG"


def test_an_empty_folder_and_a_missing_one_are_said_so(tmp_path: Path) -> None:
    with pytest.raises(PopulationInvalid, match="found none"):
        photographs_under(tmp_path)
    with pytest.raises(PopulationInvalid, match="a folder for each person"):
        photographs_under(tmp_path / "nowhere")


def test_the_pairs_files_pictures_are_found_by_number(tree: Path) -> None:
    wanted = [Picture("Ann", 2), Picture("Bob", 1)]
    assert find_pictures(photographs_under(tree), wanted) == dict(zip(wanted, (1, 2), strict=True))


def test_pictures_that_are_missing_are_counted_and_named(tree: Path) -> None:
    wanted = [Picture("Ann", 1), Picture("Dan", 1), Picture("Ann", 3), Picture("Dan", 1)]
    with pytest.raises(PopulationInvalid, match=r"2 photographs .*Dan/Dan_0001, Ann/Ann_0003"):
        find_pictures(photographs_under(tree), wanted)


def test_rendered_citizens_differ_in_every_picture_and_keep_their_skin_tone() -> None:
    samples = rendered_citizens(6, 2)
    people = [f"citizen-{CALIBRATION_SEEDS_FROM + person}" for person in range(6)]
    assert [sample.person for sample in samples] == [person for person in people for _ in range(2)]
    assert len({sample.name for sample in samples}) == 12
    assert len({sample.read() for sample in samples[:2]}) == 2
    assert all(1 <= (sample.skin_tone or 0) <= 6 for sample in samples)


def test_rendered_citizens_of_other_seeds_are_other_people() -> None:
    calibrating, fresh = rendered_citizens(3, 2), rendered_citizens(3, 2, first_seed=9_000_000)
    assert [sample.person for sample in fresh[::2]] == ["citizen-9000000", "citizen-9000001", "citizen-9000002"]
    assert fresh[0].read() != calibrating[0].read()
