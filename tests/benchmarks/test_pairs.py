"""LFW's pairs file and protocol."""

from pathlib import Path

import pytest

from benchmarks.pairs import NEVER_MATCHES, Pair, PairsFileInvalid, Picture, folded_accuracy, read_pairs


def lfw_file(folds: int, each: int) -> str:
    lines = [f"{folds}\t{each}"]
    for fold in range(folds):
        lines += [f"Ann_{fold}_{row}\t1\t{row + 2}" for row in range(each)]
        lines += [f"Ann_{fold}_{row}\t1\tBob_{fold}\t{row + 1}" for row in range(each)]
    return "\n".join(lines) + "\n"


def test_an_lfw_file_reads_as_its_folds(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text(lfw_file(10, 300))
    folds = read_pairs(tmp_path / "pairs.txt")
    assert [len(fold) for fold in folds] == [600] * 10
    assert all(sum(pair.mated for pair in fold) == 300 for fold in folds)
    assert folds[3][0] == Pair(Picture("Ann_3_0", 1), Picture("Ann_3_0", 2))
    assert folds[3][300] == Pair(Picture("Ann_3_0", 1), Picture("Bob_3", 1))


def test_a_part_of_a_file_keeps_the_folds_that_it_has(tmp_path: Path) -> None:
    lines = lfw_file(3, 4).splitlines()
    (tmp_path / "pairs.txt").write_text("\n".join(line for number, line in enumerate(lines) if number % 3))
    assert len(read_pairs(tmp_path / "pairs.txt")) == 3


def test_a_file_without_folds_is_dealt_out_evenly(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text(lfw_file(1, 50))
    folds = read_pairs(tmp_path / "pairs.txt")
    assert [len(fold) for fold in folds] == [10] * 10
    assert all(sum(pair.mated for pair in fold) == 5 for fold in folds)


@pytest.mark.parametrize("line", ["Ann 1", "Ann one 2", "Ann 1 Bob 2 3"])
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "pairs.txt").write_text(f"10 300\nAnn 1 2\n{line}\n")
    with pytest.raises(PairsFileInvalid, match=r"pairs\.txt, line 3"):
        read_pairs(tmp_path / "pairs.txt")


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("10\t300\n\n")
    with pytest.raises(PairsFileInvalid, match="found none"):
        read_pairs(tmp_path / "pairs.txt")


def mated(number: int) -> Pair:
    return Pair(Picture(f"Ann_{number}", 1), Picture(f"Ann_{number}", 2))


def non_mated(number: int) -> Pair:
    return Pair(Picture(f"Ann_{number}", 1), Picture(f"Bob_{number}", 1))


def test_each_fold_is_judged_at_the_threshold_of_the_others() -> None:
    folds = ((mated(0), non_mated(0)), (mated(1), non_mated(1)), (mated(2), non_mated(2)))
    scores = {mated(0): 0.9, non_mated(0): 0.1, mated(1): 0.8, non_mated(1): 0.2, mated(2): 0.3, non_mated(2): 0.25}
    # Folds 0 and 1 set 0.8 or 0.9 for fold 2, whose mated pair then fails; fold 2's 0.3 serves the others.
    result = folded_accuracy(scores, folds)
    assert result.folds == (1.0, 1.0, 0.5)
    assert result.accuracy == pytest.approx(5 / 6)
    assert result.standard_error == pytest.approx(1 / 6)
    assert result.count == 6


def test_a_photograph_that_cannot_be_processed_never_matches() -> None:
    folds = tuple((mated(fold), non_mated(fold)) for fold in range(4))
    scores = dict.fromkeys((pair for fold in folds for pair in fold), NEVER_MATCHES)
    assert folded_accuracy(scores, folds).accuracy == 0.5  # every non-mated pair right, every mated one wrong


def test_one_fold_cannot_judge_itself() -> None:
    with pytest.raises(PairsFileInvalid, match="two folds"):
        folded_accuracy({mated(0): 0.5}, ((mated(0),),))
