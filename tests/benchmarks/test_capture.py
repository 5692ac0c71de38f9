"""The capture benchmark runs the station's own steps, and counts what was read."""

import json
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.capture import FRAMES, main
from idverify.vision.manifest import BUILTIN


def test_a_short_run_says_what_a_visit_took_and_how_often_each_stage_ran(
    model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDVERIFY_MODEL_DIR", str(model_dir))
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(app, ["--json", str(tmp_path / "out.json"), "--visits", "1", "--set", BUILTIN])
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads((tmp_path / "out.json").read_text())
    (figures,) = document["model_sets"].values()
    for clock in ("processor_ms", "wall_ms"):
        assert 0 < figures[clock]["commit"] < figures[clock]["whole"]
    assert (figures["stages"]["decode"], figures["stages"]["embed"]) == (FRAMES + 1, 1)


def test_a_set_that_does_not_exist_is_not_measured(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(app, ["--json", str(tmp_path / "out.json"), "--visits", "1", "--set", "absent"])
    assert result.exit_code == 2
    assert not (tmp_path / "out.json").exists()
