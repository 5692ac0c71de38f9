"""A liveness score, or a plain "not evaluated"."""

from pathlib import Path

import numpy as np
import pytest

from citizens import Capture, Identity, render
from idverify.vision.detector import Face
from idverify.vision.image import Image, decode
from idverify.vision.liveness import NOT_EVALUATED, AttackFinding, Liveness, PresentationAttack
from idverify.vision.reader import Reader
from tests.requirements import missing


def test_without_a_model_nothing_is_evaluated() -> None:
    image = Image(np.zeros((400, 400, 3), np.uint8), "png", None)
    face = Face((100.0, 100.0, 150.0, 150.0), (0j, 0j, 0j, 0j, 0j), 0.9)
    assert Liveness(None).score(image, face) is NOT_EVALUATED


@pytest.mark.parametrize(
    ("score", "finding"),
    [(None, AttackFinding.NOT_EVALUATED), (0.49, AttackFinding.SUSPECTED), (0.5, AttackFinding.LIVE)],
)
def test_the_finding_follows_the_score(score: float | None, finding: AttackFinding) -> None:
    attack = PresentationAttack(score)
    assert attack.finding is finding
    assert attack.evaluated == (score is not None)


def test_a_face_mostly_outside_the_picture_is_not_evaluated(reader: Reader) -> None:
    image = Image(np.zeros((400, 400, 3), np.uint8), "png", None)
    face = Face((-140.0, 100.0, 150.0, 150.0), (0j, 0j, 0j, 0j, 0j), 0.9)
    assert reader.liveness.score(image, face) is NOT_EVALUATED


def test_the_score_is_a_probability_where_the_set_has_a_liveness_network(reader: Reader) -> None:
    image = Image(render(Identity.from_seed(0), Capture.frontal()).pixels, "png", None)
    score = reader.liveness.score(image, reader.detector.detect(image)[0]).live_score
    if reader.liveness.network is None:
        assert score is None
        return
    assert score is not None
    assert 0 <= score <= 1


def test_most_photographs_of_living_people_are_live(reader: Reader, lfw_dev: Path) -> None:
    if reader.liveness.network is None:
        missing("the built-in set has no liveness network")
    findings = []
    for path in sorted(lfw_dev.glob("*/*.jpg"))[::80]:
        image = decode(path.read_bytes())
        face = max(reader.detector.detect(image), key=lambda each: each.area_px)
        findings.append(reader.liveness.score(image, face).finding)
    assert findings.count(AttackFinding.LIVE) / len(findings) > 0.85
