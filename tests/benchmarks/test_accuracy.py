"""The whole command, on real photographs where they are at hand and on rendered citizens where models are."""

import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.accuracy import main

PEOPLE = 40


def run(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(main)
    result = CliRunner().invoke(app, [*arguments, "--replicates", "100"])
    return result.exit_code, result.output


@pytest.fixture
def forty_people(lfw_dev: Path, tmp_path: Path) -> Path:
    """The first forty people of lfw-dev with at least three photographs, three of each."""
    folder = tmp_path / "people"
    several = (person for person in sorted(lfw_dev.iterdir()) if len(list(person.glob("*.jpg"))) >= 3)
    for person, _ in zip(several, range(PEOPLE), strict=False):
        (folder / person.name).mkdir(parents=True)
        for photograph in sorted(person.glob("*.jpg"))[:3]:
            shutil.copyfile(photograph, folder / person.name / photograph.name)
    return folder


@pytest.fixture(autouse=True)
def models(model_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDVERIFY_MODEL_DIR", str(model_dir))


def figures(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def test_real_photographs_give_every_figure_that_is_asked_for(forty_people: Path, tmp_path: Path) -> None:
    people = sorted(person.name for person in forty_people.iterdir())
    numbers = {name: [path.stem[-4:] for path in sorted((forty_people / name).iterdir())] for name in people}
    lines = ["2\t20"]
    for half in (people[:20], people[20:]):
        lines += [f"{name}\t{int(numbers[name][0])}\t{int(numbers[name][1])}" for name in half]
        lines += [
            f"{name}\t{int(numbers[name][0])}\t{other}\t{int(numbers[other][0])}"
            for name, other in zip(half, half[1:] + half[:1], strict=True)
        ]
    (tmp_path / "pairs.txt").write_text("\n".join(lines))
    code, output = run(
        "--photos", str(forty_people), "--pairs", str(tmp_path / "pairs.txt"),
        "--json", str(tmp_path / "out.json"), "--det", str(tmp_path / "det.svg"),
    )  # fmt: skip
    assert code == 0, output
    found = figures(tmp_path / "out.json")
    assert (found["people"], found["photographs"]) == (PEOPLE, 3 * PEOPLE)
    assert found["failure_to_enrol"] <= 0.05
    assert found["mated_pairs"] <= 3 * PEOPLE
    assert found["fnmr_at_fmr"]["1e-03"] < 0.2
    assert found["fnmr_at_fmr"]["1e-04"] is None  # 7,020 non-mated pairs are too few for it
    assert found["fnir_at_fpir"]["0.1"] < 0.2
    assert found["pairs"]["count"] == 80
    assert found["pairs"]["accuracy"] > 0.9
    assert ElementTree.parse(tmp_path / "det.svg").getroot().tag.endswith("svg")
    assert not any(name in (tmp_path / "out.json").read_text() for name in people)


def test_rendered_citizens_are_judged_by_skin_tone(tmp_path: Path) -> None:
    code, output = run(
        "--sample", "rendered", "--citizens", "24", "--portraits", "2", "--json", str(tmp_path / "out.json")
    )
    assert code == 0, output
    found = figures(tmp_path / "out.json")
    assert found["population"] == "rendered"
    assert sum(tone["people"] for tone in found["by_skin_tone"].values()) == 24
    assert found["fnmr_at_fmr"]["1e-03"] < 0.3


def test_a_pairs_file_of_other_people_is_refused_before_anything_is_read(forty_people: Path, tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_text("1\t1\nNobody_Here\t1\t2\n")
    code, output = run(
        "--photos", str(forty_people), "--pairs", str(tmp_path / "pairs.txt"), "--json", str(tmp_path / "out.json")
    )
    assert code == 2
    assert "Nobody_Here" in output
    assert not (tmp_path / "out.json").exists()


def test_a_photograph_that_does_not_decode_is_a_failure_to_enrol(forty_people: Path, tmp_path: Path) -> None:
    broken = next(forty_people.glob("*/*.jpg"))
    broken.write_bytes(broken.read_bytes()[:2000])
    code, output = run("--photos", str(forty_people), "--json", str(tmp_path / "out.json"))
    assert code == 0, output
    found = figures(tmp_path / "out.json")
    assert found["failure_to_enrol_reasons"]["image_corrupt"] == 1
    assert found["failure_to_enrol"] == found["failure_to_enrol_count"] / found["photographs"]
