"""The search and self-join benchmarks, small: what they write is complete, and the rules that it reports hold."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from benchmarks import search, self_join
from benchmarks.simulated import learnt
from benchmarks.templates import Templates
from idverify.ids import ModelDigest
from idverify.vision.manifest import REFERENCE, NetworkRole, load_manifest


@pytest.fixture
def photos(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Statistics as of 300 people in two photographs each; which embedder made them decides the threshold."""
    generator = np.random.default_rng(1)
    people = np.repeat(generator.normal(size=(300, 128)), 2, axis=0)
    rows = [people + generator.normal(0, spread, people.shape) for spread in (0, 0.8)]
    references, probes = ((row / np.linalg.norm(row, axis=1, keepdims=True)).astype(np.float32) for row in rows)
    templates = Templates(references, probes, np.repeat(np.arange(300), 2).astype(np.int32), np.arange(600), Counter())
    model = ModelDigest(load_manifest().set(REFERENCE).files[NetworkRole.EMBEDDER].sha256)
    for program in (search, self_join):
        monkeypatch.setattr(program, "measured", lambda _photos, _console: learnt(templates, model))
    return tmp_path


def run(main: Callable[..., None], *arguments: object) -> str:
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_both_report_what_they_measured(photos: Path, tmp_path: Path) -> None:
    sizes = ("--people", 1_000, "--people", 20_000)
    out = ("--json", tmp_path / "search.json", "--plots", tmp_path)
    run(search.main, "--photos", photos, *out, *sizes, "--probes", 40, "--searches", 16)
    document: dict[str, Any] = json.loads((tmp_path / "search.json").read_text())
    assert [size["people"] for size in document["sizes"]] == [1_000, 20_000]
    for size in document["sizes"]:
        assert set(size["latency"]) == {"gallery", "IndexFlatIP", "NumPy"}
        assert 0 < size["latency"]["gallery"]["p50_ms"] <= size["latency"]["gallery"]["p99_ms"]
        assert size["recall"]["of_these_not_first_here"] == 0
        assert size["recall"]["probes"] == 40
    for name in ("search-latency", "search-recall", "search-cost"):
        ElementTree.parse(tmp_path / f"{name}.svg")

    out = ("--json", tmp_path / "join.json", "--plot", tmp_path / "join.svg")
    run(self_join.main, "--photos", photos, *out, *sizes)
    document = json.loads((tmp_path / "join.json").read_text())
    for size in document["sizes"]:
        assert size["measured_on"] == "all pairs"
        assert size["recall"] == 1
        assert size["pairs_at_or_above_threshold"] > 20
    ElementTree.parse(tmp_path / "join.svg")


def test_photographs_that_are_not_there_are_told_in_one_line(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(search.main)
    result = CliRunner().invoke(app, ["--photos", str(tmp_path / "none"), "--json", str(tmp_path / "out.json")])
    assert result.exit_code == 2
    assert "Not measured" in result.output
