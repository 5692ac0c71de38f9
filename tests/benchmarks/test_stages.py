"""The stage timings: they must be of the recipe that ships, and say what they compare it with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from benchmarks.recording import Recorder, RecordingRuntime
from benchmarks.stage_bars import Bar, Panel, write_stage_bars
from benchmarks.stage_report import SizeClass
from benchmarks.stages import main
from benchmarks.timing import policy, prepare
from benchmarks.tracing import STAGES, traced
from idverify.vision.manifest import ModelFiles, ModelSet, NetworkRole
from idverify.vision.reader import Reader, Reading


def size_class(name: str, small: bool) -> SizeClass:
    times = {"whole": 6.0, "networks": 5.0, "decode_bare": 1.0, "detector": 2.0, "embedder": 3.0}
    times |= dict.fromkeys(STAGES, 1.2)
    return SizeClass(name, 1, small, {key: np.array([value]) for key, value in times.items()})


@pytest.mark.parametrize(("small", "ratio"), [(True, 1.2), (False, 1.0)])
def test_a_small_photograph_is_held_against_networks_and_a_large_one_also_against_decoding(
    small: bool, ratio: float
) -> None:
    document = size_class("any", small).as_json()
    assert document["ratio"] == pytest.approx(ratio)
    assert document["ratio_to_networks"] == pytest.approx(1.2)
    assert document["ratio_to_networks_and_decode"] == pytest.approx(1.0)


def test_a_reading_is_traced_in_every_stage_and_in_none_afterwards(
    reader: Reader, portrait: Callable[[int, int], bytes]
) -> None:
    data = portrait(1, 1)
    with traced() as taken:
        traced_reading = reader.read(data, policy())
    before = dict(taken)
    reading = reader.read(data, policy())
    assert all(taken[stage] > 0 for stage in STAGES)
    assert taken == before
    assert isinstance(reading, Reading)
    assert isinstance(traced_reading, Reading)
    np.testing.assert_array_equal(traced_reading.embedding.vector, reading.embedding.vector)


def test_the_bare_networks_are_given_what_the_recipe_gave_them(
    model_set: ModelSet, model_files: ModelFiles, portrait: Callable[[int, int], bytes]
) -> None:
    recorder = Recorder()
    reader = Reader.open(model_set, model_files, RecordingRuntime(threads=1, recorder=recorder))
    photograph = prepare(portrait(1, 1), reader, recorder)
    assert photograph is not None
    *detections, embedding = photograph.calls
    assert {call.sha256 for call in detections} == {model_set.files[NetworkRole.DETECTOR].sha256}
    assert embedding.sha256 == model_set.files[NetworkRole.EMBEDDER].sha256
    assert embedding.inputs[0].shape == (1, 3, 112, 112)
    recorded = embedding.network.run(*embedding.inputs)[0][0]
    reading = reader.read(photograph.data, policy())
    assert isinstance(reading, Reading)
    np.testing.assert_allclose(recorded / np.linalg.norm(recorded), reading.embedding.vector, atol=1e-5)


def test_what_is_no_photograph_is_left_out(model_set: ModelSet, model_files: ModelFiles) -> None:
    recorder = Recorder()
    reader = Reader.open(model_set, model_files, RecordingRuntime(threads=1, recorder=recorder))
    assert prepare(b"no picture", reader, recorder) is None
    assert not recorder.on


def test_the_command_reports_both_sizes(
    model_dir: Path, portrait: Callable[[int, int], bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDVERIFY_MODEL_DIR", str(model_dir))
    for person in range(2):
        folder = tmp_path / "people" / f"citizen-{person}"
        folder.mkdir(parents=True)
        (folder / "1.jpg").write_bytes(portrait(person, 0))
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(
        app,
        ["--photos", str(tmp_path / "people"), "--json", str(tmp_path / "out.json"), "--enlarge", "2000", "--runs", "1",
         "--bars", str(tmp_path / "bars.svg")],
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    document: dict[str, Any] = json.loads((tmp_path / "out.json").read_text())
    assert [size["size"] for size in document["classes"]] == ["401 to 1,000 px", "1,001 to 2,500 px"]
    assert document["ratio"] == document["classes"][0]["ratio"]
    for size in document["classes"]:
        assert 0 < size["networks"]["p50_ms"] <= size["networks"]["p95_ms"]
        assert size["whole"]["p50_ms"] > size["stages"]["embed"]["p50_ms"]
        assert size["decode"]["p50_ms"] > 0
    ElementTree.parse(tmp_path / "bars.svg")


def test_the_bars_name_their_parts(tmp_path: Path) -> None:
    bars = [Bar("recipe", {"decode": 3.0, "quality": 0.1, "align": 0.1, "embed": 3.8}), Bar("bare", {"detect": 3.5})]
    write_stage_bars(tmp_path / "bars.svg", [Panel("small ones", bars)], "Title", "subtitle")
    text = "".join(ElementTree.parse(tmp_path / "bars.svg").getroot().itertext())
    for expected in ("Title", "small ones", "recipe", "decode", "quality + align 0.2", "7.0 ms", "3.5 ms"):
        assert expected in text
