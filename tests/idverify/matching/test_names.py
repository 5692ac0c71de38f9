"""Names of rows: kept as they are, moved, and found."""

import numpy as np

from idverify.matching.names import Names


def test_names_of_any_length_and_alphabet_are_kept() -> None:
    names = Names(4)
    names.put(0, ["C-1", "x" * 64])
    names.put(2, ["Žofie"])
    assert [name.decode() for name in names.at(np.arange(4)).tolist()] == ["C-1", "x" * 64, "Žofie", ""]
    assert names.row_bytes == 64


def test_a_moved_name_leaves_nothing_behind() -> None:
    names = Names(3)
    names.put(0, ["a", "b", "c"])
    names.move(2, 0)
    assert names.at(np.arange(3)).tolist() == [b"c", b"b", b""]
    names.move(1, 1)  # a row that takes its own place is one that goes
    assert names.at(np.arange(3)).tolist() == [b"c", b"", b""]


def test_only_rows_of_exactly_that_name_are_found() -> None:
    names = Names(4)
    names.put(0, ["C-1", "C-10", "C-1", "c-1"])
    assert names.rows_named("C-1", np.array([0, 1, 3])).tolist() == [0]
