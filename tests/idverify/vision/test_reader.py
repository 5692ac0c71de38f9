"""The recipe from bytes to a reading, and every reason to refuse."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from citizens import Capture, Identity, Portrait, render
from idverify.errors import ImageRejected, InvalidInput, ModelAltered
from idverify.reasons import Reason
from idverify.vision.liveness import AttackFinding, Liveness
from idverify.vision.manifest import ModelFiles, ModelSet, NetworkRole
from idverify.vision.quality import Advice, QualityGate
from idverify.vision.reader import Assessment, AttackCheck, Reader, Reading, ReadingPolicy, Refusal
from idverify.vision.runtime import Network, Runtime
from idverify.vision.stages import Stage, Stages
from tests.deployments import wall

ENROLMENT, VERIFICATION, WILD = (
    ReadingPolicy.enrolment(),
    ReadingPolicy.verification(),
    ReadingPolicy.in_the_wild(),
)


def jpeg(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes()


def refusal(answer: Reading | Refusal) -> Refusal:
    assert isinstance(answer, Refusal)
    return answer


def reading(answer: Reading | Refusal) -> Reading:
    assert isinstance(answer, Reading)
    return answer


@pytest.fixture(scope="module")
def citizen() -> Portrait:
    return render(Identity.from_seed(4), Capture.frontal())


@pytest.mark.parametrize("policy", [ENROLMENT, VERIFICATION, WILD], ids=["enrolment", "verification", "wild"])
def test_a_good_portrait_is_read(reader: Reader, model_set: ModelSet, citizen: Portrait, policy: ReadingPolicy) -> None:
    answer = reading(reader.read(jpeg(citizen.pixels), policy))
    assert answer.embedding.model == reader.model == model_set.embedder_digest
    assert (answer.width_px, answer.height_px) == (480, 640)
    assert answer.verdict.score > 60


def test_liveness_is_evaluated_only_when_the_policy_asks(reader: Reader, citizen: Portrait) -> None:
    data = jpeg(citizen.pixels)
    has_liveness = reader.liveness.network is not None
    assert reading(reader.read(data, ENROLMENT)).presentation_attack.evaluated == has_liveness
    assert not reading(reader.read(data, VERIFICATION)).presentation_attack.evaluated


def test_a_reading_prints_no_number_of_the_embedding(reader: Reader, citizen: Portrait) -> None:
    text = repr(reading(reader.read(jpeg(citizen.pixels), VERIFICATION)))
    assert "withheld" in text
    assert "array" not in text


def test_bytes_that_are_no_photograph_are_an_error_and_not_a_refusal(reader: Reader) -> None:
    with pytest.raises(ImageRejected):
        reader.read(b"not a photograph", VERIFICATION)


def test_an_empty_scene_is_refused(reader: Reader) -> None:
    answer = refusal(reader.read(jpeg(np.full((400, 400, 3), 127, np.uint8)), WILD))
    assert answer.reason is Reason.NO_FACE
    assert answer.verdict is None
    assert answer.advice


def test_two_people_are_refused_unless_the_wild_is_allowed(reader: Reader) -> None:
    both = jpeg(np.hstack([render(Identity.from_seed(seed), Capture.frontal()).pixels for seed in (1, 2)]))
    assert refusal(reader.read(both, VERIFICATION)).reason is Reason.SEVERAL_FACES
    assert refusal(reader.read(both, ENROLMENT)).advice == (Advice.ONE_PERSON_ONLY,)
    assert isinstance(reader.read(both, WILD), Reading)


@pytest.mark.parametrize("side", ["left", "right", "top"])
def test_a_face_cut_by_the_border_is_refused(reader: Reader, citizen: Portrait, side: str) -> None:
    left, top, right, bottom = (round(edge) for edge in citizen.face_box)
    third = (right - left) // 3
    cut = {
        "left": citizen.pixels[:, left + third :],
        "right": citizen.pixels[:, : right - third],
        "top": citizen.pixels[top + (bottom - top) // 3 :],
    }[side]
    assert refusal(reader.read(jpeg(cut), VERIFICATION)).reason is Reason.FACE_AT_EDGE


def test_a_face_of_few_pixels_is_refused(reader: Reader, citizen: Portrait) -> None:
    scene = np.full((400, 600, 3), 190, np.uint8)
    scene[100:200, 200:275] = cv2.resize(citizen.pixels, (75, 100), interpolation=cv2.INTER_AREA)
    answer = refusal(reader.read(jpeg(scene), VERIFICATION))
    assert answer.reason is Reason.FACE_TOO_SMALL
    assert answer.advice == (Advice.MOVE_CLOSER,)


def test_a_blurred_face_is_refused_at_enrolment_with_its_verdict(reader: Reader, citizen: Portrait) -> None:
    answer = refusal(reader.read(jpeg(cv2.GaussianBlur(citizen.pixels, (0, 0), 7)), ENROLMENT))
    assert answer.reason is Reason.QUALITY_TOO_LOW
    assert answer.verdict is not None
    assert answer.advice[0] is Advice.HOLD_STILL


def test_verification_takes_what_enrolment_refuses(reader: Reader, citizen: Portrait) -> None:
    soft = jpeg(cv2.GaussianBlur(citizen.pixels, (0, 0), 7))
    assert refusal(reader.read(soft, ENROLMENT)).reason is Reason.QUALITY_TOO_LOW
    assert isinstance(reader.read(soft, VERIFICATION), Reading)


def test_required_liveness_that_was_not_evaluated_is_refused(reader: Reader, citizen: Portrait) -> None:
    without = replace(reader, liveness=Liveness(None))
    data = jpeg(citizen.pixels)
    required = replace(VERIFICATION, presentation_attack=AttackCheck.REQUIRE)
    assert refusal(without.read(data, required)).reason is Reason.PRESENTATION_ATTACK_NOT_EVALUATED
    advised = reading(without.read(data, replace(required, presentation_attack=AttackCheck.ADVISE)))
    assert advised.presentation_attack.finding is AttackFinding.NOT_EVALUATED


class Suspicious(Network):
    """A liveness network that always sees an attack."""

    def run(self, *_: object) -> list[np.ndarray]:
        return [np.array([[-3.0, 3.0]], np.float32)]


def test_a_suspected_attack_is_refused_or_told_as_the_policy_says(reader: Reader, citizen: Portrait) -> None:
    session = reader.detector.network.session  # of any kind: it does not run
    suspicious = replace(reader, liveness=Liveness(Suspicious(session, ("input",), ("output",))))
    data = jpeg(citizen.pixels)
    required = replace(VERIFICATION, presentation_attack=AttackCheck.REQUIRE)
    answer = refusal(suspicious.read(data, required))
    assert answer.reason is Reason.PRESENTATION_ATTACK_SUSPECTED
    assert answer.presentation_attack.finding is AttackFinding.SUSPECTED
    advised = reading(suspicious.read(data, replace(required, presentation_attack=AttackCheck.ADVISE)))
    assert advised.advice[0] is Advice.LIVE_PERSON


def test_measuring_only_never_refuses_for_quality(reader: Reader, citizen: Portrait) -> None:
    soft = jpeg(cv2.GaussianBlur(citizen.pixels, (0, 0), 7))
    assert WILD.quality is QualityGate.NONE
    assert isinstance(reader.read(soft, WILD), Reading)


def test_an_altered_model_stops_the_start(model_set: ModelSet, model_files: ModelFiles, tmp_path: Path) -> None:
    for altered in model_set.files.values():
        for each in model_set.files.values():
            content = bytearray(model_files.open_checked(each))
            if each is altered:
                content[len(content) // 2] ^= 1
            (tmp_path / each.name).write_bytes(content)
        with pytest.raises(ModelAltered, match=altered.name):
            Reader.open(model_set, ModelFiles(tmp_path, tmp_path), Runtime())


def test_a_set_without_a_liveness_model_reads_and_evaluates_nothing(
    model_set: ModelSet, model_files: ModelFiles, citizen: Portrait
) -> None:
    bare = replace(
        model_set, files={role: file for role, file in model_set.files.items() if role is not NetworkRole.LIVENESS}
    )
    answer = reading(Reader.open(bare, model_files, Runtime()).read(jpeg(citizen.pixels), ENROLMENT))
    assert answer.presentation_attack.finding is AttackFinding.NOT_EVALUATED


def test_the_same_bytes_give_the_same_embedding(reader: Reader, portrait: Callable[[int, int], bytes]) -> None:
    data = portrait(2, 1)
    digests = {
        hashlib.sha256(reading(reader.read(data, WILD)).embedding.vector.tobytes()).hexdigest() for _ in range(2)
    }
    assert len(digests) == 1


def test_real_photographs_are_verified_almost_always_and_enrolled_mostly(reader: Reader, lfw_dev: Path) -> None:
    photographs = [each.read_bytes() for each in sorted(lfw_dev.glob("*/*.jpg"))[::50]]

    def too_low(policy: ReadingPolicy) -> int:
        answers = [reader.read(data, policy) for data in photographs]
        return sum(isinstance(each, Refusal) and each.reason is Reason.QUALITY_TOO_LOW for each in answers)

    assert too_low(VERIFICATION) == 0
    assert too_low(ENROLMENT) <= len(photographs) // 8


def test_a_look_says_what_reading_would_say_and_where_the_face_is(
    reader: Reader, portrait: Callable[[int, int], bytes]
) -> None:
    policy = ReadingPolicy.enrolment()
    look, reading = reader.look(portrait(1, 1), policy), reader.read(portrait(1, 1), policy)
    assert isinstance(reading, Reading)
    assert look.reason is None
    assert look.face is not None
    assert (look.face.box, look.verdict, look.advice) == (reading.face_box, reading.verdict, reading.verdict.advice)


def test_a_look_at_nobody_gives_advice_and_no_face(reader: Reader) -> None:
    look = reader.look(wall(), ReadingPolicy.enrolment())
    assert (look.reason, look.face, look.verdict) == (Reason.NO_FACE, None, None)
    assert look.advice


def counting(reader: Reader) -> tuple[Reader, Counter[Stage]]:
    """The reader, and how often it has run each stage since."""
    stages: Counter[Stage] = Counter()
    counted = replace(reader, stages=Stages())
    counted.stages.listen(lambda stage, _duration_s: stages.update([stage]))
    return counted, stages


def blurred(citizen: Portrait, sigma_px: float) -> bytes:
    return jpeg(cv2.GaussianBlur(citizen.pixels, (0, 0), sigma_px))


def test_the_best_of_several_is_the_acceptable_one_of_highest_quality(reader: Reader, citizen: Portrait) -> None:
    good, softer, refused = jpeg(citizen.pixels), blurred(citizen, 4), blurred(citizen, 7)
    alone = [reading(reader.read(data, ENROLMENT)) for data in (good, softer)]
    assert alone[0].verdict.score > alone[1].verdict.score
    counted, stages = counting(reader)
    index, best = counted.read_best([refused, softer, good, wall(), good], ENROLMENT)
    assert index == 2  # the first of equals
    assert reading(best).verdict == alone[0].verdict
    assert reading(best).presentation_attack == alone[0].presentation_attack
    np.testing.assert_allclose(reading(best).embedding.vector, alone[0].embedding.vector, atol=1e-6)
    assert (stages[Stage.DECODE], stages[Stage.QUALITY], stages[Stage.EMBED]) == (5, 4, 1)
    assert stages[Stage.LIVENESS] == 1  # it decides nothing here: the best one's is told


def test_of_several_that_are_refused_the_reason_is_that_of_the_best(reader: Reader, citizen: Portrait) -> None:
    poor, worse = blurred(citizen, 7), blurred(citizen, 12)
    counted, stages = counting(reader)
    index, best = counted.read_best([wall(), worse, poor], ENROLMENT)
    scores = [verdict.score for data in (worse, poor) if (verdict := refusal(reader.read(data, ENROLMENT)).verdict)]
    assert index == 1 + scores.index(max(scores))
    assert refusal(best) == refusal(reader.read([worse, poor][index - 1], ENROLMENT))
    assert stages[Stage.EMBED] == 0


def test_an_assessment_chooses_alike_says_the_same_and_embeds_nothing(reader: Reader, citizen: Portrait) -> None:
    frames = [wall(), blurred(citizen, 4), jpeg(citizen.pixels)]
    index, best = reader.read_best(frames, ENROLMENT)
    counted, stages = counting(reader)
    chosen, assessed = counted.assess_best(frames, ENROLMENT)
    assert isinstance(assessed, Assessment)
    assert (chosen, assessed.verdict, assessed.advice) == (index, reading(best).verdict, reading(best).advice)
    assert assessed.presentation_attack == reading(best).presentation_attack
    assert stages[Stage.EMBED] == 0
    assert counted.assess_best([wall()], ENROLMENT) == counted.read_best([wall()], ENROLMENT)


def test_a_required_attack_check_is_run_on_every_photograph_that_is_otherwise_acceptable(
    reader: Reader, citizen: Portrait
) -> None:
    session = reader.detector.network.session  # of any kind: it does not run
    suspicious = Liveness(Suspicious(session, ("input",), ("output",)))
    counted, stages = counting(replace(reader, liveness=suspicious))
    frames = [jpeg(citizen.pixels), blurred(citizen, 4), blurred(citizen, 7)]
    _, best = counted.read_best(frames, replace(ENROLMENT, presentation_attack=AttackCheck.REQUIRE))
    assert refusal(best).reason is Reason.PRESENTATION_ATTACK_SUSPECTED
    assert (stages[Stage.LIVENESS], stages[Stage.EMBED]) == (2, 0)


def test_one_broken_photograph_among_several_is_an_error(reader: Reader, citizen: Portrait) -> None:
    for frames in ([jpeg(citizen.pixels), b"no picture"], [b"no picture", jpeg(citizen.pixels)]):
        with pytest.raises(ImageRejected):
            reader.read_best(frames, ENROLMENT)
        with pytest.raises(ImageRejected):
            reader.assess_best(frames, ENROLMENT)
    with pytest.raises(InvalidInput, match="at least one"):
        reader.read_best([], ENROLMENT)
